"""From a config to the transforms that vary the training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data import Subset
from ..data.transforms import (
    ColorJitter,
    Compose,
    CutMix,
    Cutout,
    ElasticTransform,
    MixUp,
    RandomChoice,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomRotation,
)
from ..errors import UsageError
from .config import TrainConfig

ONE_IMAGE = ("shift", "flip", "rotate", "elastic", "colour", "cutout", "erase")
ELASTIC_SMOOTHING = 4.0  # pixels, as Simard et al. chose for digits


def augmentation(config: TrainConfig, size: Sequence[int], own: Any = None) -> Compose:
    """What the config does to one training image, around the data set's own transform.

    Parameters
    ----------
    config
        Its `shift`, `flip`, `rotate`, `elastic` and `colour` change the picture before `own`; its `cutout` and `erase` blot out what `own`
        made of it, with 0, which after normalisation is the mean colour.
    size
        Height and width of the images.
    own
        The data set's own transform, such as scaling and normalising.

    Examples
    --------
    >>> augmentation(TrainConfig(shift=4, flip=True), (32, 32))
    Compose(transforms=[RandomCrop(size=(32, 32), padding=4, fill=0), RandomHorizontalFlip(p=0.5)])
    """
    steps: list[Any] = []
    if config.shift:
        steps.append(RandomCrop(size, padding=config.shift))
    if config.flip:
        steps.append(RandomHorizontalFlip())
    if config.rotate:
        steps.append(RandomRotation(config.rotate, "bilinear"))
    if config.elastic:
        steps.append(ElasticTransform(config.elastic, ELASTIC_SMOOTHING))
    if config.colour:
        share = config.colour
        steps.append(ColorJitter(share, share, share, min(share / 4, 0.5)))
    if own is not None:
        steps.append(own)
    if config.cutout:
        steps.append(Cutout(config.cutout))
    if config.erase:
        steps.append(RandomErasing(config.erase))
    return Compose(steps)


def augmented(train_set: Any, config: TrainConfig) -> Any:
    """The data set with the config's augmentation around its own transform; as it is when it varies already.

    Raises
    ------
    UsageError
        When the config asks for augmentation and the data set cannot take another transform, or for the symmetry of data for detectors.
    """
    if config.symmetry:
        raise UsageError("prepare: symmetry=True is for detectors, whose data sets know their own; leave it out, or take flip and rotate")
    wanted = [name for name in ONE_IMAGE if getattr(config, name)]
    if not wanted or getattr(train_set, "random", False):
        return train_set
    if isinstance(train_set, Subset):
        return Subset(augmented(train_set.dataset, config), train_set.indices)
    if not hasattr(train_set, "with_transform"):
        raise UsageError(
            f"prepare: a {type(train_set).__name__} cannot take the config's {' and '.join(wanted)}; "
            f"give an ArrayDataset, or a config with {' and '.join(f'{name}=0' for name in wanted)}"
        )
    return train_set.with_transform(augmentation(config, train_set.image_shape[1:], train_set.transform))


def mixing(config: TrainConfig, train_set: Any) -> Any:
    """The config's `mixup` and `cutmix` as one batch transform, one of them a batch where both are asked for; None without them."""
    if not (config.mixup or config.cutmix):
        return None
    classes = len(getattr(train_set, "classes", ())) or _classes_of(train_set)
    chosen: list[Any] = []
    if config.mixup:
        chosen.append(MixUp(alpha=config.mixup, num_classes=classes))
    if config.cutmix:
        chosen.append(CutMix(alpha=config.cutmix, num_classes=classes))
    return chosen[0] if len(chosen) == 1 else RandomChoice(chosen)


def _classes_of(train_set: Any) -> int:
    """One more than the largest label, for a data set that does not name its classes."""
    labels = train_set.labels() if hasattr(train_set, "labels") else [train_set[index][1] for index in range(len(train_set))]
    return int(np.max(labels)) + 1
