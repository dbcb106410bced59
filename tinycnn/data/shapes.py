"""Synthetic shapes for detectors: turned, overlapping and textured, with perfect boxes, masks and keypoints, and nothing to download."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from ..errors import ArgumentError
from .detection import DetectionDataset
from .shape_outlines import KEYPOINTS, OUTLINES, placed_outline
from .transforms.colour import RandomChannelPermutation, RandomInvert
from .transforms.joint import ImageOnly, JointCompose, JointHorizontalFlip, Target, boxes_of_masks
from .transforms.joint_turn import JointQuarterTurns

__all__ = ["ShapesDetection"]

FINE = 4  # steps a pixel while an outline is filled
TRIES = 40  # places tried for a shape before the image stays as it is
LEAST_PIXELS = 12  # of a shape that is seen
LEVELS = np.float32(255)  # of a colour, as in a photo's file
CONTRAST = 0.25  # least difference of shape and background in some channel


class Shape(NamedTuple):
    """One shape on an image: a window, how much of each pixel of it is covered, from 0 to 1, and the keypoints in the image's pixels."""

    label: int
    window: tuple[slice, slice]  # rows, columns
    cover: np.ndarray  # float32 (rows, columns)
    keypoints: np.ndarray  # (3, 2)


class ShapesDetection(DetectionDataset):
    """Images of turned, overlapping shapes before a textured, noisy background, drawn when they are asked for.

    Parameters
    ----------
    n : int
        How many images.
    size : int
        Height and width in pixels, 32 or more; the smallest shape must have 6.
    seed : int
        Chooses the images; image i depends on seed, `train` and i alone.
    train : bool
        Whether images are drawn for training; the images of False are others whatever the seeds.
    classes : sequence of str
        Some of triangle, half disc, arrow, house, cross; the first is label 1.
    objects : (int, int)
        Fewest and most shapes on an image; where there is no room left, fewer.
    extent : (float, float)
        Smallest and largest side of a shape's upright box, as shares of the image's side.
    visible : float
        Share of each shape that the ones on top of it leave to be seen.
    transform : JointTransform or function, optional
        What is done to each pair of image and target.

    Attributes
    ----------
    symmetry : JointCompose
        Mirrors, quarter turns, other orders of the channels and negatives, none of which makes an image less likely.
    keypoints : tuple of str
        "tip", "right" and "left", the shape's own right and left.

    Raises
    ------
    ArgumentError
        When a number is out of range or a class does not exist.

    Notes
    -----
    A mask has the pixels of which at least half is covered and nothing lies on top; the box is the smallest around them, from the first pixel's edge
    to the last one's. A keypoint counts as visible (2) where the shape is seen next to it, else it is hidden (1).

    Examples
    --------
    >>> data = ShapesDetection(10, size=96, seed=0)
    >>> image, target = data[3]
    >>> image.shape, image.dtype.name, sorted(target)
    ((3, 96, 96), 'float32', ['area', 'boxes', 'image_id', 'iscrowd', 'keypoints', 'labels', 'masks'])
    >>> data.classes
    ('triangle', 'half disc', 'arrow')
    """

    keypoints = KEYPOINTS
    sigmas = (0.08, 0.08, 0.08)
    swap = (0, 2, 1)
    # Shapes point anywhere and have any colour: 8 views times 6 orders of the channels times the negative, 96 samples of each.
    symmetry = JointCompose(
        [JointQuarterTurns(), JointHorizontalFlip(swap=swap), ImageOnly(RandomChannelPermutation()), ImageOnly(RandomInvert())]
    )

    def __init__(
        self,
        n: int,
        size: int = 128,
        seed: int = 0,
        *,
        train: bool = True,
        classes: Sequence[str] = ("triangle", "half disc", "arrow"),
        objects: tuple[int, int] = (1, 8),
        extent: tuple[float, float] = (0.08, 0.60),
        visible: float = 0.5,
        transform: Any = None,
    ) -> None:
        for name, value, least in (("n", n, 0), ("size", size, 32), ("seed", seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ArgumentError(f"ShapesDetection: {name} {value!r} must be a whole number of {least} or more")
        unknown = [name for name in classes if name not in OUTLINES]
        if unknown or not classes or len(set(classes)) < len(classes):
            raise ArgumentError(f"ShapesDetection: classes {tuple(classes)} must be different ones of {', '.join(OUTLINES)}")
        if len(objects) != 2 or not 1 <= objects[0] <= objects[1]:
            raise ArgumentError(f"ShapesDetection: objects {tuple(objects)} must be (fewest, most), 1 or more, the lower bound first")
        if len(extent) != 2 or not 0 < extent[0] <= extent[1] <= 1 or extent[0] * size < 6:
            raise ArgumentError(
                f"ShapesDetection: extent {tuple(extent)} must be shares of {size} pixels, the lower bound first, and 6 pixels or more"
            )
        if not 0 <= visible <= 1:
            raise ArgumentError(f"ShapesDetection: visible {visible!r} must be a share from 0 to 1")
        self.n, self.size, self.seed, self.train = int(n), int(size), int(seed), bool(train)
        self.classes = tuple(classes)
        self.objects, self.extent, self.visible = tuple(objects), tuple(extent), float(visible)
        self.transform = transform

    def __len__(self) -> int:
        """Return how many images there are."""
        return self.n

    def pair(self, index: int) -> tuple[np.ndarray, Target]:
        """Draw one image and its target."""
        generator = np.random.default_rng([0 if self.train else 1, self.seed, index])
        shapes, masks = self._shapes(generator)
        colours = [generator.uniform(0.15, 0.85, 3)]
        image = _texture(generator, (self.size, self.size), colours[0], 0.15)
        _lines(generator, image)
        for shape in shapes:
            colours.append(_colour(generator, colours))
            part = image[:, *shape.window]
            part += shape.cover * (_texture(generator, shape.cover.shape, colours[-1], 0.06) - part)
        image += generator.uniform(0.02, 0.06) * generator.standard_normal(image.shape, np.float32)
        boxes = boxes_of_masks(masks)
        target: Target = {
            "boxes": boxes,
            "labels": np.array([shape.label for shape in shapes], np.int64),
            "masks": masks,
            "keypoints": _keypoints(shapes, masks),
            "area": masks.sum((1, 2)).astype(np.float32),
            "iscrowd": np.zeros(len(shapes), np.int64),
            "image_id": int(index),
        }
        return np.rint(LEVELS * np.clip(image, 0, 1)) / LEVELS, target

    def _shapes(self, generator: np.random.Generator) -> tuple[list[Shape], np.ndarray]:
        """Shapes from the lowest to the one on top, and of each the pixels that are seen, uint8 (K, H, W)."""
        wanted = int(generator.integers(self.objects[0], self.objects[1] + 1))
        shapes: list[Shape] = []
        whole: list[int] = []
        owner = np.zeros((self.size, self.size), np.uint8 if wanted < 256 else np.int64)  # 0 background, k the k-th shape
        for _ in range(TRIES * wanted):
            if len(shapes) == wanted:
                break
            shape = self._shape(generator)
            inside = shape.cover >= 0.5
            changed = owner.copy()
            changed[shape.window][inside] = len(shapes) + 1
            areas = [*whole, int(inside.sum())]
            seen = np.bincount(changed.ravel(), minlength=len(areas) + 1)[1:]
            if (seen >= np.maximum(LEAST_PIXELS, self.visible * np.array(areas))).all():
                shapes, whole, owner = [*shapes, shape], areas, changed
        return shapes, (owner == np.arange(1, len(shapes) + 1)[:, None, None]).astype(np.uint8)

    def _shape(self, generator: np.random.Generator) -> Shape:
        """One shape somewhere inside the image."""
        label = int(generator.integers(len(self.classes))) + 1
        extent = generator.uniform(self.extent[0], self.extent[1]) * self.size
        corners, points = placed_outline(self.classes[label - 1], generator.uniform(0, 360), generator.uniform(0.8, 1.25), extent)
        corner = generator.uniform(0, self.size - corners.max(0))
        window, cover = filled(corners + corner, self.size)
        return Shape(label, window, cover, points + corner)


def filled(corners: np.ndarray, size: int) -> tuple[tuple[slice, slice], np.ndarray]:
    """How much of each pixel lies inside an outline, in steps of a sixteenth, and the window that these pixels are.

    Examples
    --------
    >>> filled(np.array([[1.0, 1], [3, 1], [3, 2.5], [1, 2.5]]), 4)
    ((slice(1, 3, None), slice(1, 3, None)), array([[1. , 1. ],
           [0.5, 0.5]], dtype=float32))
    """
    first = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    last = np.minimum(np.ceil(corners.max(0)).astype(int), size)
    width, height = (last - first).tolist()
    inside = _inside((corners - first) * FINE, height * FINE, width * FINE)
    cover = inside.reshape(height, FINE, width, FINE).mean((1, 3), dtype=np.float32)
    return (slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))), cover


def _inside(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Whether the middle of each cell lies inside an outline: left of it the outline crosses the row an odd number of times."""
    x, y = corners.T[:, :, None]
    next_x, next_y = np.roll(x, -1, 0), np.roll(y, -1, 0)
    middles = np.arange(height) + 0.5
    edge, row = np.nonzero((y <= middles) != (next_y <= middles))
    at = x[edge, 0] + (middles[row] - y[edge, 0]) * ((next_x - x) / np.where(next_y == y, 1, next_y - y))[edge, 0]
    crossings = np.zeros((height, width + 1), np.int64)
    np.add.at(crossings, (row, np.clip(np.ceil(at - 0.5), 0, width).astype(int)), 1)
    return np.asarray(crossings.cumsum(1)[:, :width] % 2 == 1)


def _keypoints(shapes: list[Shape], masks: np.ndarray) -> np.ndarray:
    """Keypoints (K, 3, 3); visible where the shape is seen on the point's pixel or one beside it."""
    result = np.zeros((len(shapes), len(KEYPOINTS), 3), np.float32)
    for place, (shape, mask) in enumerate(zip(shapes, masks, strict=True)):
        result[place, :, :2] = shape.keypoints
        for point, (x, y) in enumerate(np.floor(shape.keypoints).astype(int).tolist()):
            near = mask[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
            result[place, point, 2] = 2 if near.any() else 1
    return result


def _colour(generator: np.random.Generator, others: list[np.ndarray]) -> np.ndarray:
    """A colour that differs from the background's, the first of the others, and a little less from the other shapes'."""
    colour = generator.uniform(0.05, 0.95, 3)
    for _ in range(TRIES):
        apart = np.abs(colour - np.array(others)).max(1)
        if apart[0] >= CONTRAST and apart.min() >= CONTRAST / 2:
            break
        colour = generator.uniform(0.05, 0.95, 3)
    return colour


def _texture(generator: np.random.Generator, shape: tuple[int, ...], base: np.ndarray, strength: float) -> np.ndarray:
    """A colour with smooth noise of two widths and stripes, float32 (3, height, width)."""
    height, width = shape
    turn, period = generator.uniform(0, math.pi), generator.uniform(4, 24)
    rows, columns = np.ogrid[:height, :width]
    along = (columns * math.cos(turn) + rows * math.sin(turn)) * (2 * math.pi / period) + generator.uniform(0, 2 * math.pi)
    stripes = (strength / 3 * np.sin(along)).astype(np.float32)
    image = base.astype(np.float32)[:, None, None] + stripes
    for cells in (int(generator.integers(2, 6)), int(generator.integers(8, 24))):
        coarse = strength / 2 * generator.standard_normal((3, cells, cells), np.float32)
        image += np.stack([np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)) for plane in coarse])
    return image


def _lines(generator: np.random.Generator, image: np.ndarray) -> None:
    """Up to six thin lines over the background: edges that belong to no shape."""
    size = image.shape[-1]
    for _ in range(int(generator.integers(0, 7))):
        canvas = Image.new("L", (size, size))
        ends = generator.uniform(0, size, 4).tolist()
        ImageDraw.Draw(canvas).line(ends, fill=255, width=int(generator.integers(1, 3)))
        drawn = np.asarray(canvas) > 0
        image[:, drawn] = generator.uniform(0.05, 0.95, (3, 1)).astype(np.float32)
