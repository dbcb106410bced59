"""The base of data sets for detectors: an image and the target that belongs to it, moved together."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from .dataset import check_index
from .transforms.joint import JointCompose, JointTransform, Target

__all__ = ["DetectionDataset"]


class DetectionDataset:
    """Images with targets, as torchvision's detectors take them.

    Attributes
    ----------
    classes : tuple of str
        The names of labels 1, 2, ...; 0 is the background.
    sigmas : tuple of float
        How far each keypoint may be off, as COCO's measure of keypoints takes it; empty where there are no keypoints.
    swap : tuple of int
        Which keypoint each one becomes in a mirror, for `JointHorizontalFlip`; empty where there are no keypoints.
    symmetry : JointTransform, JointCompose or None
        A random change after which a sample is another one, as likely as before: what `TrainConfig.symmetry` learns from.
    transform : JointTransform, function of (image, target), or None
        What is done to each pair.

    Notes
    -----
    A sample is (image, target): the image float32 (channels, height, width) from 0 to 1; the target a dict of boxes float32 (K, 4) as x1, y1,
    x2, y2 in continuous pixels, labels int64 (K,), area float32 (K,), iscrowd int64 (K,), image_id, and where they are known difficult int64
    (K,), masks uint8 (K, H, W) and keypoints float32 (K, P, 3) as x, y and visibility (0 not labelled, 1 hidden, 2 visible).
    """

    classes: tuple[str, ...] = ()
    sigmas: tuple[float, ...] = ()
    swap: tuple[int, ...] = ()
    symmetry: Any = None
    transform: Any = None

    def __len__(self) -> int:
        """Return how many samples there are."""
        raise NotImplementedError

    def pair(self, index: int) -> tuple[np.ndarray, Target]:
        """Return image and target before the transform."""
        raise NotImplementedError

    def sample(self, index: int, generator: np.random.Generator | None = None) -> tuple[np.ndarray, Target]:
        """Return one transformed pair, with the generator for the transform's random choices."""
        image, target = self.pair(check_index(index, len(self)))
        if self.transform is None:
            return image, target
        if isinstance(self.transform, JointTransform | JointCompose):
            return self.transform(image, target, generator)
        changed, moved = self.transform(image, target)
        return changed, moved

    def __getitem__(self, index: int) -> tuple[np.ndarray, Target]:
        """Return one transformed pair; random transforms draw from the package's generator."""
        return self.sample(index)

    def __iter__(self) -> Iterator[tuple[np.ndarray, Target]]:
        """Go through all samples in order."""
        return (self[index] for index in range(len(self)))

    def with_transform(self, transform: Any) -> Self:
        """Return a data set of the same samples with another transform."""
        other = copy.copy(self)
        other.transform = transform
        return other

    @property
    def random(self) -> bool:
        """Whether the transform is random, so that each sample needs a generator."""
        return bool(getattr(self.transform, "random", False))
