"""Changes that move an image and what is known about it together: a detector's boxes, masks and keypoints, the label map of all pixels.

A target is a dict: boxes float (K, 4) as x1, y1, x2, y2 in continuous pixels, labels (K,), and where they are known masks uint8 (K, H, W), keypoints
(K, P, 3) as x, y and visibility (0 not labelled, 1 hidden, 2 visible); other arrays with K rows go with the things. label_map (H, W) holds whole
numbers, with it boxes may be left out; it is never interpolated, and what comes from outside the image is `IGNORE`. Everything else stays.

The rules: pixel i covers i to i + 1, so a mirrored point is width - x and a mirrored pixel width - 1 - i. After every change nothing lies outside the
image: boxes are cut, masks too, and a keypoint that has left is no longer labelled: (0, 0, 0). A thing goes where its box has no area left, or where
less than `min_visible` of its box's area is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from ...errors import ArgumentError, ShapeError
from ...random import default_generator
from .image import Resize, Transform, check_picture, to_channels_first, to_picture

__all__ = [
    "IGNORE",
    "ImageOnly",
    "JointCompose",
    "JointHorizontalFlip",
    "JointResize",
    "JointTransform",
    "JointVerticalFlip",
    "Target",
    "boxes_of_masks",
    "cut_target",
    "keep_things",
]

Target = dict[str, Any]
IGNORE = 255  # in a label map: not labelled


ARRAYS = ("boxes", "labels", "masks", "keypoints", "label_map")


def check_target(name: str, target: Any, height: int, width: int) -> Target:
    """The target as arrays, once its shapes fit."""
    if not isinstance(target, dict) or not {"boxes", "label_map"} & target.keys():
        raise ArgumentError(
            f"{name}: a target is a dict with 'boxes' (K, 4), and 'labels' (K,); 'masks' and 'keypoints' where they are known; "
            "or with 'label_map' (H, W)"
        )
    checked = {key: np.asarray(value) if key in ARRAYS else value for key, value in target.items()}
    boxes = checked.setdefault("boxes", np.zeros((0, 4), np.float32))
    labelled = checked.get("label_map")
    if labelled is not None and (labelled.dtype.kind not in "iu" or labelled.shape != (height, width)):
        raise ShapeError(f"{name}: label_map {labelled.dtype} of shape {labelled.shape} must hold whole numbers, ({height}, {width}) as the image")
    count = len(boxes)
    if boxes.dtype.kind != "f" or boxes.shape != (count, 4):
        raise ShapeError(f"{name}: boxes {boxes.dtype} of shape {boxes.shape} must be float (K, 4)")
    if "masks" in checked and checked["masks"].shape != (count, height, width):
        raise ShapeError(f"{name}: masks of shape {checked['masks'].shape} must be ({count}, {height}, {width}), a mask a box as large as the image")
    points = checked.get("keypoints")
    if points is not None and (points.ndim != 3 or len(points) != count or points.shape[2] != 3):
        raise ShapeError(f"{name}: keypoints of shape {points.shape} must be ({count}, points, 3)")
    if "labels" in checked and checked["labels"].shape != (count,):
        raise ShapeError(f"{name}: labels of shape {checked['labels'].shape} must be ({count},)")
    return checked


def keep_things(target: Target, kept: np.ndarray) -> Target:
    """The target of some of the things: every array with a row a thing is cut to them.

    Examples
    --------
    >>> target = {"boxes": np.eye(4)[:2], "labels": np.array([3, 5]), "image_id": 7}
    >>> keep_things(target, np.array([False, True]))["labels"]
    array([5])
    """
    return {key: value[kept] if has_rows(target, key) else value for key, value in target.items()}


def has_rows(target: Target, key: str) -> bool:
    """Whether this entry is an array with a row a thing."""
    value = target.get(key)
    return isinstance(value, np.ndarray) and value.ndim > 0 and len(value) == len(target["boxes"]) and key != "label_map"


def areas(boxes: np.ndarray) -> np.ndarray:
    """Width times height of each box; 0 where one of them is below 0."""
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)


def cut_target(target: Target, height: int, width: int, min_visible: float = 0.0, whole: np.ndarray | None = None) -> Target:
    """Cut boxes and keypoints at the border of the image, and take out the things of which too little is left.

    Parameters
    ----------
    target : boxes may reach outside; masks are as large as the image already
    height, width : of the image
    min_visible : share of a thing's area that must be left
    whole : (K,) area of each whole thing; the box's before the cut if left out

    Returns
    -------
    The target that is left

    Examples
    --------
    >>> cut_target({"boxes": np.array([[-4.0, 0, 4, 8], [9, 9, 12, 12]])}, 8, 8)["boxes"].tolist()
    [[0.0, 0.0, 4.0, 8.0]]
    """
    limits = np.array([width, height, width, height], target["boxes"].dtype)
    before = areas(target["boxes"]) if whole is None else whole
    boxes = np.minimum(np.maximum(target["boxes"], 0), limits)
    left = areas(boxes)
    cut = {**target, "boxes": boxes}
    if "keypoints" in target:
        points = np.array(target["keypoints"], copy=True)
        out = (points[..., 0] < 0) | (points[..., 1] < 0) | (points[..., 0] > width) | (points[..., 1] > height) | (points[..., 2] <= 0)
        points[out] = 0
        cut["keypoints"] = points
    kept = (left > 0) & (left >= min_visible * before)
    if "masks" in target:
        kept &= np.asarray(target["masks"]).any((1, 2))
    return keep_things(cut, kept)


def boxes_of_masks(masks: np.ndarray, dtype: Any = np.float32) -> np.ndarray:
    """The smallest box around each mask, from the first pixel's edge to the last one's; zeros for an empty mask.

    Shapes: (K, H, W) -> (K, 4)

    Examples
    --------
    >>> boxes_of_masks(np.array([[[0, 1, 1], [0, 1, 0]]], np.uint8)).tolist()
    [[1.0, 0.0, 3.0, 2.0]]
    """
    boxes = np.zeros((len(masks), 4), dtype)
    for place, mask in enumerate(masks):
        columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        if len(rows):
            boxes[place] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes


class JointTransform:
    """The base: `draw` takes what is random from the generator, `apply` moves image and target.

    Attributes
    ----------
    random : bool
        Whether `draw` uses the generator.
    """

    random = False

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> Any:
        """The random choices for one image (channels, height, width) and its target."""
        return None

    def apply(self, image: np.ndarray, target: Target, choice: Any) -> tuple[np.ndarray, Target]:
        """The changed image (channels, height, width) and target."""
        raise NotImplementedError

    def __call__(self, image: Any, target: Any, generator: np.random.Generator | None = None) -> tuple[np.ndarray, Target]:
        """Change one picture or image and its target; neither is written to."""
        name = type(self).__name__
        array = check_picture(name, image)
        view = to_channels_first(array)
        checked = check_target(name, target, *view.shape[-2:])
        choice = self.draw(default_generator(generator), view.shape, checked) if self.random else None
        moved, changed = self.apply(view, checked, choice)
        return to_picture(moved, array), changed

    def __repr__(self) -> str:
        """Show the call that makes this transform."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


class JointCompose:
    """Several changes, one after the other.

    Parameters
    ----------
    transforms : sequence
        Joint transforms, or plain functions of (image, target).

    Examples
    --------
    >>> twice = JointCompose([JointHorizontalFlip(1.0), JointHorizontalFlip(1.0)])
    >>> twice(np.array([[1, 2]], np.uint8), {"boxes": np.array([[0.0, 0, 1, 1]])})[1]["boxes"].tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        self.transforms = list(transforms)

    @property
    def random(self) -> bool:
        """Whether any of them is random."""
        return any(getattr(transform, "random", False) for transform in self.transforms)

    def __call__(self, image: Any, target: Any, generator: np.random.Generator | None = None) -> tuple[Any, Target]:
        """Apply each in turn."""
        for transform in self.transforms:
            if isinstance(transform, JointTransform | JointCompose):
                image, target = transform(image, target, generator)
            else:
                image, target = transform(image, target)
        return image, target


class ImageOnly(JointTransform):
    """A change of colours, number types or scales, which moves nothing: ColorJitter, Normalize, ToTensor, Grayscale ...

    Parameters
    ----------
    transform : Transform
        It must keep height and width.

    Examples
    --------
    >>> from tinycnn.data.transforms import ToTensor
    >>> ImageOnly(ToTensor())(np.array([[255]], np.uint8), {"boxes": np.zeros((0, 4))})[0]
    array([[[1.]]], dtype=float32)
    """

    def __init__(self, transform: Transform) -> None:
        if not isinstance(transform, Transform):
            raise ArgumentError(f"ImageOnly: {transform!r} is not a Transform of this package")
        self.transform = transform

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether the transform is random."""
        return bool(self.transform.random)

    def __call__(self, image: Any, target: Any, generator: np.random.Generator | None = None) -> tuple[np.ndarray, Target]:
        """Change the image; the target stays."""
        before = to_channels_first(check_picture("ImageOnly", image)).shape[-2:]
        changed = self.transform(image, generator)
        if to_channels_first(changed).shape[-2:] != before:
            raise ShapeError(f"ImageOnly: {self.transform!r} changes the image's size, and the target would no longer fit; use a joint transform")
        return changed, target


class _Flip(JointTransform):
    """What both mirrors share."""

    random = True
    axis = -1

    def __init__(self, p: float = 0.5, swap: Sequence[int] | None = None) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"{type(self).__name__}: p {p!r} must be a probability from 0 to 1")
        if swap is not None and sorted(swap) != list(range(len(swap))):
            raise ArgumentError(f"{type(self).__name__}: swap {list(swap)} must hold each number from 0 to {len(swap) - 1} once")
        self.p, self.swap = float(p), None if swap is None else tuple(swap)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], target: Target) -> bool:
        """Choose whether to mirror."""
        return bool(generator.random() < self.p)

    def apply(self, image: np.ndarray, target: Target, choice: bool) -> tuple[np.ndarray, Target]:
        """Mirror an axis of image and masks, and the coordinate that belongs to it."""
        if not choice:
            return image, target
        extent = image.shape[self.axis]
        low = 0 if self.axis == -1 else 1
        boxes = np.array(target["boxes"], copy=True)
        boxes[:, [low, low + 2]] = extent - boxes[:, [low + 2, low]]
        moved = {**target, "boxes": boxes}
        if "masks" in target:
            moved["masks"] = np.flip(target["masks"], self.axis)
        if "label_map" in target:
            moved["label_map"] = np.flip(target["label_map"], self.axis)
        if "keypoints" in target:
            points = np.array(target["keypoints"], copy=True)
            points[..., low] = np.where(points[..., 2] > 0, extent - points[..., low], points[..., low])
            if self.swap is not None:
                if points.shape[1] != len(self.swap):
                    raise ShapeError(f"{type(self).__name__}: swap names {len(self.swap)} keypoints, the things have {points.shape[1]}")
                points = points[:, list(self.swap)]
            moved["keypoints"] = points
        return np.flip(image, self.axis), moved


class JointHorizontalFlip(_Flip):
    """Mirror left and right with probability `p`.

    Formula: x becomes width - x; pixel column i becomes width - 1 - i

    Parameters
    ----------
    p : float
        Probability from 0 to 1.
    swap : sequence of int, optional
        Which keypoint each one becomes: a left eye is a right eye in the mirror. For COCO's people
        (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15). Left out, they keep their places.

    Raises
    ------
    ArgumentError
        When p is none, or swap no permutation.

    Examples
    --------
    >>> eyes = np.array([[[1.0, 0, 2], [3, 0, 2]]])
    >>> flip = JointHorizontalFlip(1.0, swap=(1, 0))
    >>> flip(np.zeros((1, 8), np.uint8), {"boxes": np.array([[1.0, 0, 3, 1]]), "keypoints": eyes})[1]["keypoints"].tolist()
    [[[5.0, 0.0, 2.0], [7.0, 0.0, 2.0]]]
    """


class JointVerticalFlip(_Flip):
    """Mirror top and bottom with probability `p`; `p` and `swap` are those of `JointHorizontalFlip`.

    Formula: y becomes height - y
    """

    axis = -2


class JointResize(JointTransform):
    """Scale image and target: boxes and keypoints by the ratio of the sizes, masks and label map by their nearest pixel.

    Parameters
    ----------
    size : int or (int, int)
        Pixels of the shorter side, or (height, width).

    Examples
    --------
    >>> JointResize((2, 4))(np.zeros((1, 2), np.uint8), {"boxes": np.array([[0.0, 0, 1, 1]])})[1]["boxes"].tolist()
    [[0.0, 0.0, 2.0, 2.0]]
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.resize = Resize(size)

    def apply(self, image: np.ndarray, target: Target, choice: Any) -> tuple[np.ndarray, Target]:
        """Scale."""
        height, width = image.shape[-2:]
        scaled = self.resize.apply(image)
        new_height, new_width = scaled.shape[-2:]
        ratio = np.array([new_width / width, new_height / height])
        dtype = target["boxes"].dtype
        moved = {**target, "boxes": target["boxes"] * np.tile(ratio, 2).astype(dtype)}
        if "masks" in target:
            size = new_width, new_height
            planes = [np.asarray(Image.fromarray(mask.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)) for mask in target["masks"]]
            moved["masks"] = np.stack(planes) if planes else np.zeros((0, new_height, new_width), np.uint8)
        if "label_map" in target:
            rows, columns = (((np.arange(new) + 0.5) * old / new).astype(int) for new, old in ((new_height, height), (new_width, width)))
            moved["label_map"] = target["label_map"][rows[:, None], columns]
        if "keypoints" in target:
            points = np.array(target["keypoints"], copy=True)
            points[..., :2] *= ratio.astype(points.dtype)
            moved["keypoints"] = points
        return scaled, moved
