"""What a detector learns from: images and targets varied together, as the config says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.transforms import ColorJitter, ImageOnly, JointAffine, JointCompose, JointHorizontalFlip
from ..errors import UsageError
from .config import TrainConfig

__all__ = ["VariedSamples", "joint_augmentation", "varied"]

Sample = tuple[np.ndarray, dict[str, Any]]
# These change an image without its boxes, or take labels of classification.
OF_IMAGES_ALONE = ("label_smoothing", "shift", "elastic", "cutout", "erase", "mixup", "cutmix")


class VariedSamples:
    """A data set of (image, target), each changed by a joint transform when it is read.

    Parameters
    ----------
    data_set
        Of (image, target).
    transform
        Called as transform(image, target, generator).
    """

    random = True  # the loader gives `sample` a generator of its own for each sample

    def __init__(self, data_set: Any, transform: Any) -> None:
        self.data_set, self.transform = data_set, transform
        for name in ("classes", "sigmas"):
            if hasattr(data_set, name):
                setattr(self, name, getattr(data_set, name))

    def __len__(self) -> int:
        return len(self.data_set)

    def __getitem__(self, place: int) -> Sample:
        image, target = self.data_set[place]
        return image, target

    def sample(self, place: int, generator: np.random.Generator | None) -> Sample:
        """One sample, changed by what the generator draws."""
        read = getattr(self.data_set, "sample", None)
        image, target = self.data_set[place] if read is None else read(place, generator)
        image, target = self.transform(np.asarray(image), target, generator)
        return image, target


def joint_augmentation(config: TrainConfig, swap: Sequence[int] | None = None, symmetry: Any = None) -> JointCompose | None:
    """The changes that the config asks for, moving image, boxes, masks and keypoints together; None where it asks for none.

    Parameters
    ----------
    config : TrainConfig
        Its `flip`, `symmetry`, `rotate` and `colour`.
    swap : sequence of int, optional
        The keypoint that each one becomes in the mirror, for left and right.
    symmetry : JointTransform or JointCompose, optional
        The data set's own, see `DetectionDataset`.

    Raises
    ------
    UsageError
        For a change that would leave the boxes behind.

    Examples
    --------
    >>> joint_augmentation(TrainConfig()) is None
    True
    >>> len(joint_augmentation(TrainConfig(flip=True, colour=0.2)).transforms)
    2
    """
    plain = TrainConfig()
    for name in OF_IMAGES_ALONE:
        if getattr(config, name) != getattr(plain, name):
            raise UsageError(f"detectors cannot learn with {name}: it changes images without their boxes; flip, symmetry, rotate and colour do not")
    changes: list[Any] = []
    if config.flip:
        changes.append(JointHorizontalFlip(swap=swap))
    if config.symmetry and symmetry is not None:
        changes.append(symmetry)
    if config.rotate:
        changes.append(JointAffine(config.rotate))
    if config.colour:
        changes.append(ImageOnly(ColorJitter(config.colour, config.colour, config.colour)))
    return JointCompose(changes) if changes else None


def varied(data_set: Any, config: TrainConfig) -> Any:
    """The data set with the config's changes; itself where there are none. Its own `swap` and `symmetry` say what they need to know."""
    changes = joint_augmentation(config, getattr(data_set, "swap", None) or None, getattr(data_set, "symmetry", None))
    return data_set if changes is None else VariedSamples(data_set, changes)
