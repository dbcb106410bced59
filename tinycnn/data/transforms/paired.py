"""Changes that move a picture and its label map together: pixels are interpolated, labels never; what comes from outside is ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...random import default_generator
from .image import Resize, Transform, pair_of
from .warp import ElasticTransform

__all__ = ["PairedColour", "PairedCompose", "PairedElastic", "PairedFlip", "PairedRandomCrop", "PairedScale", "PairedTransform"]

IGNORE = 255
Pair = tuple[np.ndarray, np.ndarray]


class PairedTransform:
    """The base: called with a picture (height, width, channels) uint8 and labels (height, width), it gives both back."""

    def __call__(self, picture: Any, labels: Any, generator: np.random.Generator | None = None) -> Pair:
        """Change both; without a generator the package's own is used."""
        image, classes = np.asarray(picture), np.asarray(labels)
        if image.ndim != 3 or image.dtype != np.uint8 or image.shape[:2] != classes.shape:
            raise ShapeError(
                f"{type(self).__name__}: needs a uint8 picture (height, width, channels) and labels (height, width), "
                f"not {image.dtype} {image.shape} and {classes.shape}"
            )
        return self.change(image, classes, default_generator(generator))

    def change(self, picture: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Pair:
        """Draw what is random and move the pixels."""
        raise NotImplementedError


class PairedCompose(PairedTransform):
    """Several of them, one after the other.

    Examples
    --------
    >>> both = PairedCompose([PairedFlip(1.0), PairedFlip(1.0)])
    >>> both(np.zeros((1, 3, 3), np.uint8), np.array([[1, 2, 3]]))[1].tolist()
    [[1, 2, 3]]
    """

    def __init__(self, transforms: Sequence[PairedTransform]) -> None:
        self.transforms = list(transforms)

    def change(self, picture: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Pair:
        """Each in turn."""
        for transform in self.transforms:
            picture, labels = transform(picture, labels, generator)
        return picture, labels


class PairedFlip(PairedTransform):
    """Mirror both left to right with probability `p`.

    Raises
    ------
    ArgumentError
        When p is no probability.

    Examples
    --------
    >>> PairedFlip(1.0)(np.zeros((1, 3, 3), np.uint8), np.array([[1, 2, 3]]))[1].tolist()
    [[3, 2, 1]]
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"PairedFlip: p must be a probability from 0 to 1, not {p!r}")
        self.p = p

    def change(self, picture: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Pair:
        """Mirror, or not."""
        if generator.random() >= self.p:
            return picture, labels
        return np.ascontiguousarray(picture[:, ::-1]), np.ascontiguousarray(labels[:, ::-1])


class PairedRandomCrop(PairedTransform):
    """Cut out one place of both; a smaller picture is padded below and at its right, its labels with 255.

    Shapes: (height, width) -> `size`

    Parameters
    ----------
    size : int or (int, int)
        Height and width in pixels.
    fill : int
        The picture's padding, 0 to 255.

    Raises
    ------
    ArgumentError
        For a size that is not above zero.

    Examples
    --------
    >>> PairedRandomCrop((1, 4))(np.zeros((1, 3, 3), np.uint8), np.array([[1, 2, 3]]))[1].tolist()
    [[1, 2, 3, 255]]
    """

    def __init__(self, size: int | Sequence[int], fill: int = 0) -> None:
        self.size = pair_of("PairedRandomCrop", size)
        self.fill = fill

    def change(self, picture: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Pair:
        """Pad where needed, and cut."""
        height, width = self.size
        below, right = max(0, height - labels.shape[0]), max(0, width - labels.shape[1])
        if below or right:
            picture = np.pad(picture, ((0, below), (0, right), (0, 0)), constant_values=self.fill)
            labels = np.pad(labels, ((0, below), (0, right)), constant_values=IGNORE)
        top = int(generator.integers(0, labels.shape[0] - height + 1))
        left = int(generator.integers(0, labels.shape[1] - width + 1))
        window = (slice(top, top + height), slice(left, left + width))
        return np.ascontiguousarray(picture[window]), np.ascontiguousarray(labels[window])


class PairedScale(PairedTransform):
    """Enlarge or shrink both by one random factor: the picture bilinear, the labels to the nearest.

    Shapes: (height, width) -> (f height, f width), rounded

    Parameters
    ----------
    low, high : float
        Bounds of the factor.

    Raises
    ------
    ArgumentError
        Unless 0 < low <= high.

    Examples
    --------
    >>> PairedScale(2.0, 2.0)(np.zeros((1, 3, 3), np.uint8), np.array([[1, 2, 3]]))[1].tolist()
    [[1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 3]]
    """

    def __init__(self, low: float = 0.5, high: float = 2.0) -> None:
        if not 0 < low <= high < float("inf"):
            raise ArgumentError(f"PairedScale: needs 0 < low <= high, not {low!r} and {high!r}")
        self.low, self.high = float(low), float(high)

    def change(self, picture: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Pair:
        """Resize both."""
        factor = generator.uniform(self.low, self.high)
        height, width = (max(1, round(side * factor)) for side in labels.shape)
        planes = Resize((height, width)).apply(picture.transpose(2, 0, 1))
        rows = ((np.arange(height) + 0.5) * labels.shape[0] / height).astype(int)
        columns = ((np.arange(width) + 0.5) * labels.shape[1] / width).astype(int)
        return np.ascontiguousarray(planes.transpose(1, 2, 0)), labels[rows[:, None], columns]


class PairedColour(PairedTransform):
    """A transform of the picture alone, such as `ColorJitter`; the labels stay.

    Examples
    --------
    >>> from tinycnn.data.transforms import ColorJitter
    >>> PairedColour(ColorJitter(brightness=(0.0, 0.0)))(np.full((1, 1, 3), 9, np.uint8), np.array([[4]]))
    (array([[[0, 0, 0]]], dtype=uint8), array([[4]]))
    """

    def __init__(self, transform: Transform) -> None:
        self.transform = transform

    def change(self, picture: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Pair:
        """Change the colours."""
        changed = self.transform(picture, generator)
        if changed.shape != picture.shape:
            raise ShapeError(f"PairedColour: {self.transform!r} made {changed.shape} of {picture.shape}; use a paired transform to move pixels")
        return changed, labels


class PairedElastic(PairedTransform):
    """Bend both as one sheet of rubber: U-Net's augmentation; the labels are read at the nearest pixel.

    Parameters
    ----------
    alpha, sigma : float
        Strength and smoothness in pixels, as in `ElasticTransform`.

    References
    ----------
    Ronneberger, Fischer and Brox 2015, section 3.1.

    Examples
    --------
    >>> PairedElastic(alpha=0.0)(np.zeros((1, 3, 3), np.uint8), np.array([[1, 2, 3]], np.uint8))[1].tolist()
    [[1, 2, 3]]
    """

    def __init__(self, alpha: float = 300.0, sigma: float = 10.0) -> None:
        self.pixels = ElasticTransform(alpha, sigma, "bilinear")
        self.classes = ElasticTransform(alpha, sigma, "nearest", IGNORE)

    def change(self, picture: np.ndarray, labels: np.ndarray, generator: np.random.Generator) -> Pair:
        """Read both at the same displaced places."""
        field = self.pixels.draw(generator, labels.shape)
        bent = self.pixels.apply(picture.transpose(2, 0, 1), field)
        return np.ascontiguousarray(bent.transpose(1, 2, 0)), self.classes.apply(labels[None], field)[0]
