"""Pictures that are drawn when asked for: discs, squares and triangles on a rough background, with the class of every pixel."""

from __future__ import annotations

import numpy as np

from ..errors import ArgumentError
from .label_maps import LabelMaps

__all__ = ["SHAPE_CLASSES", "DrawnShapes"]

SHAPE_CLASSES = ("background", "disc", "square", "triangle")
SPLITS = {"train": (0, 200), "val": (1, 40), "test": (2, 40)}  # the seed's second number, and how many pictures there are


class DrawnShapes(LabelMaps):
    """A data set without files: every picture follows from the seed and its number.

    Shapes: dataset[i] -> (size, size, 3) uint8, (size, size) uint8 classes, or int32 numbers of the shapes

    Parameters
    ----------
    count : int
        Pictures.
    size : int
        Pixels a side, 16 or more.
    seed : int or list of int
        Decides everything.
    instances : bool
        Whether labels are numbers of shapes, 0 the background, instead of classes.

    Raises
    ------
    ArgumentError
        For a count below 1 or a size below 16.

    Examples
    --------
    >>> picture, labels = DrawnShapes(5, size=32)[3]
    >>> picture.shape, labels.shape, int(labels.max()) <= 3
    ((32, 32, 3), (32, 32), True)
    """

    def __init__(self, count: int = 200, size: int = 64, seed: int | tuple[int, ...] = 0, *, instances: bool = False) -> None:
        if count < 1 or size < 16:
            raise ArgumentError(f"DrawnShapes: count must be at least 1 and size at least 16 pixels, not {count} and {size}")
        super().__init__([], () if instances else SHAPE_CLASSES)
        self.count, self.size, self.seed = count, size, seed if isinstance(seed, tuple) else (seed,)

    @classmethod
    def of_split(cls, split: str) -> DrawnShapes:
        """The pictures of "train", "val" or "test", none of which is in another."""
        number, count = SPLITS[split]
        return cls(count, seed=(0, number))

    def __len__(self) -> int:
        """Return the number of pictures."""
        return self.count

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw one."""
        if not 0 <= index < self.count:
            raise IndexError(index)
        draw = np.random.default_rng([*self.seed, index])
        rows, columns = np.indices((self.size, self.size)) + 0.5
        picture = np.full((self.size, self.size, 3), draw.uniform(60, 200, 3))
        classes, numbers = np.zeros((2, self.size, self.size), np.int32)
        for number in range(1, int(draw.integers(2, 5)) + 1):
            kind, radius = int(draw.integers(1, 4)), draw.uniform(0.1, 0.2) * self.size
            x, y = draw.uniform(radius, self.size - radius, 2)
            inside = outline(kind, rows - y, columns - x, radius)
            picture[inside], classes[inside], numbers[inside] = draw.uniform(0, 255, 3), kind, number
        picture += draw.normal(0, 12, picture.shape)  # the colour of one pixel decides nothing
        labels = classes.astype(np.uint8) if self.classes else numbers
        return np.clip(picture, 0, 255).astype(np.uint8), labels

    def first(self, count: int | None) -> DrawnShapes:
        """Return the first pictures only; all for None."""
        count = self.count if count is None else min(count, self.count)
        return DrawnShapes(count, self.size, self.seed, instances=not self.classes)


def outline(kind: int, down: np.ndarray, right: np.ndarray, radius: float) -> np.ndarray:
    """Which pixels, measured from the middle, a shape covers: 1 disc, 2 square, 3 triangle that points up."""
    if kind == 1:
        covered = down**2 + right**2 <= radius**2
    elif kind == 2:
        covered = np.maximum(abs(down), abs(right)) <= 0.8 * radius
    else:
        covered = (abs(down) <= radius) & (abs(right) <= (down + radius) / 2)
    return np.asarray(covered)
