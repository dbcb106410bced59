"""A rectangle of each image is blotted out, so that no single detail can decide the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError
from .image import Generators, Transform

__all__ = ["Cutout", "RandomErasing"]

TRIES = 10  # rectangles drawn until one fits, as torchvision does

Box = tuple[int, int, int, int]  # top, left, height, width


def blot(image: np.ndarray, box: Box | None, value: float) -> np.ndarray:
    """Return the image with a box of its last two axes set to a value."""
    if box is None:
        return image
    top, left, height, width = box
    erased = image.copy()
    erased[..., top : top + height, left : left + width] = value
    return erased


class _Erasing(Transform):
    """What both share: a value for the box, and whole batches changed in one copy."""

    random = True
    value: float

    def apply(self, image: np.ndarray, choice: Box | None) -> np.ndarray:
        """Blot the chosen box out."""
        return blot(image, choice, self.value)

    def batch(self, images: np.ndarray, generators: Generators | None = None) -> np.ndarray:
        """Blot each image's own box out of a batch."""
        erased = images.copy()
        for number, box in enumerate(self.draw_all(images, generators)):
            if box is not None:
                top, left, height, width = box
                erased[number, :, top : top + height, left : left + width] = self.value
        return erased


class RandomErasing(_Erasing):
    """Erase a rectangle of random size, shape and place with probability `p`.

    Shapes: (channels, height, width) -> the same

    Parameters
    ----------
    p : float
        Probability from 0 to 1.
    scale : (float, float)
        Smallest and largest area, as shares of the image.
    ratio : (float, float)
        Smallest and largest height / width; drawn evenly on the logarithm.
    value : float
        What the rectangle is filled with, in units of the image; after `Normalize`, 0 is the mean colour.

    Raises
    ------
    ArgumentError
        When a number is out of range.

    Notes
    -----
    Where ten rectangles in a row do not fit into the image, it stays whole.

    References
    ----------
    Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang, "Random erasing data augmentation", 2020, algorithm 1.

    Examples
    --------
    >>> erase = RandomErasing(p=1.0, scale=(0.25, 0.25), ratio=(1.0, 1.0))
    >>> int(erase(np.ones((1, 8, 8), np.float32), np.random.default_rng(0)).sum())
    48
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float = 0,
    ) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"RandomErasing: p {p!r} must be a probability from 0 to 1")
        self.p = float(p)
        self.scale, self.ratio = tuple(scale), tuple(ratio)
        if len(self.scale) != 2 or not 0 <= self.scale[0] <= self.scale[1] <= 1:
            raise ArgumentError(f"RandomErasing: scale {self.scale} must be two shares of the area, 0 <= smallest <= largest <= 1")
        if len(self.ratio) != 2 or not 0 < self.ratio[0] <= self.ratio[1]:
            raise ArgumentError(f"RandomErasing: ratio {self.ratio} must be two numbers, 0 < smallest <= largest")
        self.value = value

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Box | None:
        """Choose a rectangle inside the image, or None."""
        height, width = shape[-2:]
        if generator.random() >= self.p:
            return None
        for _ in range(TRIES):
            area = height * width * generator.uniform(self.scale[0], self.scale[1])
            ratio = math.exp(generator.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            rows, columns = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if rows < height and columns < width:
                return int(generator.integers(height - rows + 1)), int(generator.integers(width - columns + 1)), rows, columns
        return None


class Cutout(_Erasing):
    """Erase a square around a random pixel; the part of it that hangs over the border falls away.

    Shapes: (channels, height, width) -> the same

    Parameters
    ----------
    size : int
        Side of the square in pixels.
    value : float
        What it is filled with, in units of the image; after `Normalize`, 0 is the mean colour.

    Raises
    ------
    ArgumentError
        When the size is not a whole number above zero.

    References
    ----------
    T. DeVries, G. W. Taylor, "Improved regularization of convolutional neural networks with cutout", 2017 (arXiv 1708.04552), section 3.2:
    16 pixels for CIFAR-10, 8 for CIFAR-100.

    Examples
    --------
    >>> erased = Cutout(2)(np.ones((1, 4, 4), np.float32), np.random.default_rng(1))
    >>> int(erased.sum())
    12
    """

    def __init__(self, size: int, value: float = 0) -> None:
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ArgumentError(f"Cutout: size {size!r} must be a whole number of pixels above zero")
        self.size = int(size)
        self.value = value

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Box:
        """Choose the centre, every pixel equally likely, and cut the square to the image."""
        extents = []
        for extent in shape[-2:]:
            start = int(generator.integers(extent)) - self.size // 2
            first, last = max(start, 0), min(start + self.size, extent)
            extents.append((first, last - first))
        (top, rows), (left, columns) = extents
        return top, left, rows, columns
