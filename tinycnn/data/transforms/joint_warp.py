"""Image and target turned and stretched together, and four images with their targets made one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...random import default_generator
from .image import check_picture, to_channels_first, to_picture
from .joint import IGNORE, JointResize, JointTransform, Target, boxes_of_masks, check_target, cut_target, has_rows
from .joint_crop import crop_target, place_image
from .warp import AffineChoice, RandomAffine, affine, affine_matrix

__all__ = ["JointAffine", "JointScale", "mosaic"]

BOXES_FROM = ("masks", "corners")


class JointAffine(JointTransform):
    """Turn, shift, scale and shear image and target by random amounts, around the middle of the image.

    Parameters
    ----------
    degrees, translate, scale, shear, interpolation, fill
        As `RandomAffine` takes them.
    boxes_from : "masks" or "corners"
        Where the new boxes come from: the moved masks, which keeps them tight; or the four moved corners, whose upright hull is too large, by up to
        half the side at 45 degrees. "masks" falls back to "corners" for targets without masks.
    min_visible : float
        Share of a thing's area, after the move and before the cut at the border, below which it is left out.

    Raises
    ------
    ArgumentError
        When a range is empty or out of bounds.

    Examples
    --------
    >>> quarter = JointAffine((90, 90), boxes_from="corners")
    >>> target = {"boxes": np.array([[0.0, 0, 1, 2]]), "keypoints": np.array([[[0.0, 0, 2]]])}
    >>> moved = quarter(np.zeros((4, 4), np.uint8), target, np.random.default_rng(0))[1]
    >>> moved["boxes"].round(6).tolist(), moved["keypoints"].round(6).tolist()
    ([[2.0, 0.0, 4.0, 1.0]], [[[4.0, 0.0, 2.0]]])
    """

    random = True

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: str = "bilinear",
        fill: float = 0,
        boxes_from: str = "masks",
        min_visible: float = 0.25,
    ) -> None:
        if boxes_from not in BOXES_FROM:
            raise ArgumentError(f"JointAffine: boxes_from {boxes_from!r} must be one of {', '.join(BOXES_FROM)}")
        if not 0 <= min_visible <= 1:
            raise ArgumentError(f"JointAffine: min_visible {min_visible!r} must be a share from 0 to 1")
        self.image_transform = RandomAffine(degrees, translate, scale, shear, interpolation, fill)
        self.boxes_from, self.min_visible = boxes_from, float(min_visible)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> AffineChoice:
        """Choose angle, shift, scale and shear."""
        return self.image_transform.draw(generator, shape)

    def apply(self, image: np.ndarray, target: Target, choice: AffineChoice) -> tuple[np.ndarray, Target]:
        """Move the pixels by reading them at the inverse map, the points by the map itself."""
        height, width = image.shape[-2:]
        boxes = target["boxes"]
        corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)
        moved_corners = _moved(corners, choice, height, width)
        hulls = np.concatenate([moved_corners.min(1), moved_corners.max(1)], 1).astype(boxes.dtype)
        moved = {**target, "boxes": hulls}
        if "keypoints" in target:
            points = np.array(target["keypoints"], copy=True)
            points[..., :2] = np.where(points[..., 2:] > 0, _moved(points[..., :2], choice, height, width), 0)
            moved["keypoints"] = points
        if "label_map" in target:
            moved["label_map"] = affine(target["label_map"][None], choice, "nearest", IGNORE)[0]
        whole = None
        if "masks" in target:
            masks = np.asarray(target["masks"], np.uint8)
            before = masks.sum((1, 2)) * choice.scale**2
            if len(masks):
                masks = affine(masks, choice, "nearest", 0)
            moved["masks"] = masks
            if self.boxes_from == "masks":
                # What is left is counted in pixels: of a turned box, hull and cut say little.
                enough = masks.sum((1, 2)) >= self.min_visible * before
                moved["boxes"] = boxes_of_masks(masks, boxes.dtype)
                whole = np.where(enough, 0, np.inf).astype(np.float64)
        share = self.min_visible if whole is None else 1.0
        changed = affine(image, choice, self.image_transform.interpolation, self.image_transform.fill)
        return changed, cut_target(moved, height, width, share, whole)


class JointScale(JointTransform):
    """Enlarge or shrink image and target by one random factor.

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
    >>> JointScale(2.0, 2.0)(np.zeros((1, 3), np.uint8), {"label_map": np.array([[1, 2, 3]])})[1]["label_map"].tolist()
    [[1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 3]]
    """

    random = True

    def __init__(self, low: float = 0.5, high: float = 2.0) -> None:
        if not 0 < low <= high < float("inf"):
            raise ArgumentError(f"JointScale: needs 0 < low <= high, not {low!r} and {high!r}")
        self.low, self.high = float(low), float(high)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> float:
        """Choose the factor."""
        return float(generator.uniform(self.low, self.high))

    def apply(self, image: np.ndarray, target: Target, choice: float) -> tuple[np.ndarray, Target]:
        """Scale."""
        height, width = (max(1, round(side * choice)) for side in image.shape[-2:])
        return JointResize((height, width)).apply(image, target, None)


def _moved(points: np.ndarray, choice: AffineChoice, height: int, width: int) -> np.ndarray:
    """Points (..., 2) as x, y in continuous pixels, whose middle of the image is (width / 2, height / 2)."""
    middle = np.array([width / 2, height / 2])
    return (points - middle) @ affine_matrix(choice).T + middle + np.array(choice.translate)


def mosaic(
    samples: Sequence[tuple[Any, Target]],
    size: tuple[int, int],
    generator: np.random.Generator | None = None,
    fill: Any = 114,
    min_visible: float = 0.25,
) -> tuple[np.ndarray, Target]:
    """Four images around a random point of one image, each cut by its quarter.

    Parameters
    ----------
    samples : four of (picture or image, target), of one form and number of channels; each is scaled to `size` first
    size : (height, width) of the result
    generator : decides where the four meet, between a quarter and three quarters of each side
    fill : the colour below them
    min_visible : share of a box's area below which a thing is left out

    Returns
    -------
    The image in the form of the first one, and its target: arrays with a row a thing are joined, all else is the first one's

    Raises
    ------
    ArgumentError : not four samples

    References
    ----------
    A. Bochkovskiy et al., "YOLOv4", 2020, section 3.3.

    Examples
    --------
    >>> one = np.zeros((4, 4), np.uint8), {"boxes": np.array([[0.0, 0, 4, 4]]), "labels": np.array([1])}
    >>> image, target = mosaic([one] * 4, (8, 8), np.random.default_rng(0), min_visible=0.0)
    >>> image.shape, len(target["boxes"])
    ((8, 8), 4)
    """
    if len(samples) != 4:
        raise ArgumentError(f"mosaic: takes four samples, not {len(samples)}")
    height, width = size
    if height < 4 or width < 4:
        raise ArgumentError(f"mosaic: size {size} must be at least (4, 4)")
    source = default_generator(generator)
    row = int(source.integers(height // 4, height - height // 4 + 1))
    column = int(source.integers(width // 4, width - width // 4 + 1))
    first = check_picture("mosaic", samples[0][0])
    canvas = None
    parts = []
    scale = JointResize(size)
    for place, (image, target) in enumerate(samples):
        array = to_channels_first(check_picture("mosaic", image))
        if canvas is not None and (len(array), array.dtype) != (len(canvas), canvas.dtype):
            raise ArgumentError("mosaic: the four images must have one number type and as many channels")
        scaled, moved = scale.apply(array, check_target("mosaic", target, *array.shape[-2:]), None)
        top, left = (0, row)[place // 2], (0, column)[place % 2]
        high, wide = (row, height - row)[place // 2], (column, width - column)[place % 2]
        # The corner that lies where the four meet is kept.
        window = (height - high) * (1 - place // 2), (width - wide) * (1 - place % 2), high, wide
        cut = scaled[..., window[0] : window[0] + high, window[1] : window[1] + wide]
        placed, own = place_image(cut, crop_target(moved, window, min_visible), size, (top, left), fill)
        if canvas is None:
            canvas = placed
        canvas[:, top : top + high, left : left + wide] = cut
        parts.append(own)
    assert canvas is not None
    return to_picture(canvas, first), _joined(parts)


def _joined(parts: list[Target]) -> Target:
    """The things of all parts, by the keys that all of them have."""
    joined = dict(parts[0])
    for key, value in parts[0].items():
        if all(has_rows(part, key) for part in parts):
            joined[key] = np.concatenate([part[key] for part in parts])
        elif key == "label_map" and all(key in part for part in parts):
            for part in parts[1:]:  # outside its own quarter a part has no labels
                joined[key] = np.where(part[key] == IGNORE, joined[key], part[key])
        elif key in ("masks", "keypoints") or isinstance(value, np.ndarray):
            joined.pop(key)
    return joined
