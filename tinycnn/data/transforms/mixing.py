"""Images of a batch are mixed in pairs, and their labels with them: the target says how much of which class is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...random import default_generator

__all__ = ["BatchTransform", "CutMix", "MixUp", "RandomChoice"]


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Return float32 rows with a 1 at each label; rows of shares pass unchanged."""
    if labels.ndim == 2:
        return labels.astype(np.float32, copy=False)
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < num_classes:
        raise ArgumentError(f"one_hot: labels from {labels.min()} to {labels.max()} do not fit num_classes={num_classes}")
    rows = np.zeros((len(labels), num_classes), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows


class BatchTransform:
    """The base of transforms of a whole batch: images (count, channels, height, width) with their labels.

    The partner of each image is the one before it in the batch; batches are shuffled already.

    Parameters
    ----------
    alpha : float
        The share of an image is drawn from Beta(alpha, alpha), once a batch: 1 makes all shares equally likely, less prefers the ends.
    num_classes : int
        Length of a target row.

    Raises
    ------
    ArgumentError
        When alpha is not above zero or there is no class.
    """

    def __init__(self, *, alpha: float = 1.0, num_classes: int) -> None:
        name = type(self).__name__
        if not alpha > 0:
            raise ArgumentError(f"{name}: alpha {alpha!r} must be above zero")
        if not isinstance(num_classes, int | np.integer) or num_classes < 1:
            raise ArgumentError(f"{name}: num_classes {num_classes!r} must be a whole number above zero")
        self.alpha, self.num_classes = float(alpha), int(num_classes)

    def __call__(self, images: np.ndarray, labels: np.ndarray, generator: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the mixed images and the targets, float32 (count, num_classes)."""
        if images.ndim != 4 or images.dtype.kind != "f":
            name = type(self).__name__
            raise ShapeError(f"{name}: takes float images (count, channels, height, width), not {images.dtype} of shape {images.shape}")
        chosen = default_generator(generator)
        share = float(chosen.beta(self.alpha, self.alpha))
        mixed, share = self.mix(images, share, chosen)
        targets = one_hot(np.asarray(labels), self.num_classes)
        own = np.float32(share)
        return mixed, own * targets + (np.float32(1) - own) * np.roll(targets, 1, 0)

    def mix(self, images: np.ndarray, share: float, generator: np.random.Generator) -> tuple[np.ndarray, float]:
        """Return the mixed images, and the share of its own that each has kept."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Show the call that makes this transform."""
        return f"{type(self).__name__}(alpha={self.alpha!r}, num_classes={self.num_classes!r})"


class MixUp(BatchTransform):
    """Blend each image with another one of the batch.

    Shapes: (count, channels, height, width), (count,) -> the same, (count, num_classes)

    Formula: out[n] = s image[n] + (1 - s) image[n - 1], target[n] likewise, s ~ Beta(alpha, alpha)

    References
    ----------
    H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk minimization", 2018, equation 1.

    Examples
    --------
    >>> images = np.stack([np.zeros((1, 1, 1), np.float32), np.ones((1, 1, 1), np.float32)])
    >>> mixed, targets = MixUp(num_classes=2)(images, np.array([0, 1]), np.random.default_rng(0))
    >>> bool(np.allclose(mixed.ravel(), targets[:, 1])), targets.sum(1)
    (True, array([1., 1.], dtype=float32))
    """

    def mix(self, images: np.ndarray, share: float, generator: np.random.Generator) -> tuple[np.ndarray, float]:
        """Blend the whole images."""
        own = images.dtype.type(share)
        return own * images + (images.dtype.type(1) - own) * np.roll(images, 1, 0), share


class CutMix(BatchTransform):
    """Paste a rectangle of another image of the batch into each image.

    Shapes: (count, channels, height, width), (count,) -> the same, (count, num_classes)

    Formula: a box of share 1 - s of the area around a random pixel, cut at the border; the target's share is the area that is left

    References
    ----------
    S. Yun, D. Han, S. J. Oh, S. Chun, J. Choe, Y. Yoo, "CutMix: regularization strategy to train strong classifiers with localizable
    features", 2019, equations 1 and 2.

    Examples
    --------
    >>> images = np.stack([np.zeros((1, 4, 4), np.float32), np.ones((1, 4, 4), np.float32)])
    >>> mixed, targets = CutMix(num_classes=2)(images, np.array([0, 1]), np.random.default_rng(0))
    >>> bool(np.allclose(mixed.mean((1, 2, 3)), targets[:, 1]))
    True
    """

    def mix(self, images: np.ndarray, share: float, generator: np.random.Generator) -> tuple[np.ndarray, float]:
        """Paste the same box into every image."""
        height, width = images.shape[-2:]
        column, row = int(generator.integers(width)), int(generator.integers(height))
        half = 0.5 * math.sqrt(1 - share)
        left, right = max(int(column - half * width), 0), min(int(column + half * width), width)
        top, bottom = max(int(row - half * height), 0), min(int(row + half * height), height)
        mixed = images.copy()
        mixed[..., top:bottom, left:right] = np.roll(images, 1, 0)[..., top:bottom, left:right]
        return mixed, 1 - (bottom - top) * (right - left) / (height * width)


class RandomChoice:
    """One of several batch transforms, each equally likely, drawn anew for every batch.

    Parameters
    ----------
    transforms : sequence
        Each called as transform(images, labels, generator).

    Raises
    ------
    ArgumentError
        When there is none.
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.transforms = list(transforms)
        if not self.transforms:
            raise ArgumentError("RandomChoice: needs at least one transform")

    def __call__(self, images: np.ndarray, labels: np.ndarray, generator: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return what the chosen transform makes of the batch."""
        chosen = default_generator(generator)
        mixed: tuple[np.ndarray, np.ndarray] = self.transforms[int(chosen.integers(len(self.transforms)))](images, labels, chosen)
        return mixed
