"""Boxes one by one: their areas, their formats, and which of them to keep.

Boxes are (x1, y1, x2, y2) with continuous coordinates: the width is x2 - x1, with no "+ 1". Overlaps of pairs are in `overlaps`.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..functional import clamp, cos, sin, sqrt, stack
from ..functional._arguments import as_tensor, one_of
from ..registry import operator
from ..tensor import Tensor
from ._arguments import angle, box_tensor, real_number

__all__ = ["box_area", "box_convert", "clip_boxes_to_image", "masks_to_boxes", "remove_small_boxes"]

FORMATS = ("xyxy", "xywh", "cxcywh")
ROTATED_FORMATS = ("cxcywhr", "xywhr", "xyxyxyxy")
WIDTHS = {"xyxy": 4, "xywh": 4, "cxcywh": 4, "xywhr": 5, "cxcywhr": 5, "xyxyxyxy": 8}


@operator(family="boxes", differentiable=("boxes",))
def box_area(boxes: Any, fmt: str = "xyxy") -> Tensor:
    """Width times height of every box.

    Shapes
    ------
    (..., 4) -> (...)

    Formula
    -------
    area = (x2 - x1) (y2 - y1), or w h; grad_x2 = grad (y2 - y1) = -grad_x1, grad_y2 = grad (x2 - x1) = -grad_y1.

    Parameters
    ----------
    boxes : Tensor
        float32, float64 or whole numbers, in pixels.
    fmt : str
        "xyxy", "xywh" or "cxcywh".

    Returns
    -------
    Tensor
        In square pixels; negative for a box reversed along one axis.

    Raises
    ------
    ShapeError
        If the last axis does not hold four numbers. ArgumentError: an unknown format.

    Notes
    -----
    Pascal VOC's tools and the first R-CNN codes count pixels, (x2 - x1 + 1) (y2 - y1 + 1); here, as in torchvision and COCO, coordinates are
    continuous. Bytes are widened to int32 first.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.box_area([[0.0, 0.0, 4.0, 2.0], [1.0, 1.0, 1.0, 9.0]]).tolist()
    [8.0, 0.0]
    """
    one_of("box_area", "fmt", fmt, FORMATS)
    tensor = box_tensor("box_area", "boxes", boxes)
    if fmt == "xyxy":
        return (tensor[..., 2] - tensor[..., 0]) * (tensor[..., 3] - tensor[..., 1])
    return tensor[..., 2] * tensor[..., 3]


def _columns(boxes: Tensor) -> list[Tensor]:
    return [boxes[..., k] for k in range(boxes.data.shape[-1])]


def _from_corner(boxes: Tensor) -> Tensor:
    x, y, w, h = _columns(boxes)
    return stack([x, y, x + w, y + h], -1)


def _from_centre(boxes: Tensor) -> Tensor:
    x, y, w, h = _columns(boxes)
    return stack([x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h], -1)


def _to_corner(boxes: Tensor) -> Tensor:
    x1, y1, x2, y2 = _columns(boxes)
    return stack([x1, y1, x2 - x1, y2 - y1], -1)


def _to_centre(boxes: Tensor) -> Tensor:
    x1, y1, x2, y2 = _columns(boxes)
    # Whole numbers give float32 centres; the sizes follow, since one tensor has one dtype.
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    return stack([centre_x, centre_y, (x2 - x1) * 1.0, (y2 - y1) * 1.0], -1)


def _turn(degrees: Tensor) -> tuple[Tensor, Tensor]:
    radians = degrees * (math.pi / 180.0)
    return cos(radians), sin(radians)


def _centre_to_turned_corner(boxes: Tensor) -> Tensor:
    x, y, w, h, degrees = _columns(boxes)
    cosine, sine = _turn(degrees)
    return stack([x - w / 2 * cosine - h / 2 * sine, y - h / 2 * cosine + w / 2 * sine, w, h, degrees], -1)


def _turned_corner_to_centre(boxes: Tensor) -> Tensor:
    x, y, w, h, degrees = _columns(boxes)
    cosine, sine = _turn(degrees)
    return stack([x + w / 2 * cosine + h / 2 * sine, y - w / 2 * sine + h / 2 * cosine, w, h, degrees], -1)


def _turned_corner_to_corners(boxes: Tensor) -> Tensor:
    x, y, w, h, degrees = _columns(boxes)
    cosine, sine = _turn(degrees)
    across, down = (w * cosine, -(w * sine)), (h * sine, h * cosine)
    second = x + across[0], y + across[1]
    return stack([x, y, *second, second[0] + down[0], second[1] + down[1], x + down[0], y + down[1]], -1)


def _corners_to_turned_corner(boxes: Tensor) -> Tensor:
    x1, y1, x2, y2, x3, y3, _, _ = _columns(boxes)
    degrees = angle(y1 - y2, x2 - x1) * (180.0 / math.pi)
    width, height = sqrt((x2 - x1) ** 2 + (y1 - y2) ** 2), sqrt((x3 - x2) ** 2 + (y3 - y2) ** 2)
    return stack([x1, y1, width, height, degrees], -1)


# One step each; the others go over "xyxy" or "xywhr".
STEPS: dict[tuple[str, str], Callable[[Tensor], Tensor]] = {
    ("xywh", "xyxy"): _from_corner,
    ("cxcywh", "xyxy"): _from_centre,
    ("xyxy", "xywh"): _to_corner,
    ("xyxy", "cxcywh"): _to_centre,
    ("cxcywhr", "xywhr"): _centre_to_turned_corner,
    ("xywhr", "cxcywhr"): _turned_corner_to_centre,
    ("xywhr", "xyxyxyxy"): _turned_corner_to_corners,
    ("xyxyxyxy", "xywhr"): _corners_to_turned_corner,
}


@operator(family="boxes", differentiable=("boxes",), kinks="the angle of a box without width")
def box_convert(boxes: Any, in_fmt: str, out_fmt: str) -> Tensor:
    """Say the same boxes in another format.

    Shapes
    ------
    (..., K) -> (..., L); K and L are 4 for upright formats, 5 for a rotation, 8 for four corners.

    Formula
    -------
    "xywh": w = x2 - x1, h = y2 - y1; "cxcywh": cx = (x1 + x2) / 2, cy = (y1 + y2) / 2. A rotation by r degrees is counter-clockwise as seen in
    the image, whose y axis points down: the side of length w runs along (cos r, -sin r), the side of length h along (sin r, cos r), and (x, y)
    is the corner from which both start. Every conversion is linear but for the angle; gradients are its transpose.

    Parameters
    ----------
    boxes : Tensor
        float32, float64 or whole numbers, in pixels and degrees.
    in_fmt, out_fmt : str
        "xyxy", "xywh", "cxcywh"; or "cxcywhr", "xywhr", "xyxyxyxy" (corners in turn).

    Returns
    -------
    Tensor
        Always a new one. Whole upright boxes give float32 where halves occur; rotated whole boxes are rounded, as in torchvision.

    Raises
    ------
    ArgumentError
        For an unknown format, and between upright and rotated ones, where torchvision has no conversion either.

    Notes
    -----
    COCO stores xywh, YOLO and DETR cxcywh (relative to the image's size), Pascal VOC xyxy counted from 1.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.box_convert([10.0, 20.0, 14.0, 26.0], "xyxy", "cxcywh").tolist()
    [12.0, 23.0, 4.0, 6.0]
    >>> ops.box_convert([0.0, 0.0, 2.0, 1.0, 0.0], "xywhr", "xyxyxyxy").tolist()
    [0.0, 0.0, 2.0, 0.0, 2.0, 1.0, 0.0, 1.0]
    """
    for argument, name in (("in_fmt", in_fmt), ("out_fmt", out_fmt)):
        one_of("box_convert", argument, name, tuple(WIDTHS))
    if (in_fmt in FORMATS) != (out_fmt in FORMATS):
        raise ArgumentError(
            f"box_convert: no conversion from {in_fmt!r} to {out_fmt!r}: one is upright, the other rotated; append or drop the angle yourself"
        )
    tensor = box_tensor("box_convert", "boxes", boxes, WIDTHS[in_fmt])
    if in_fmt == out_fmt:
        return tensor.clone()
    over = "xyxy" if in_fmt in FORMATS else "xywhr"
    path = [in_fmt, out_fmt] if over in (in_fmt, out_fmt) else [in_fmt, over, out_fmt]
    whole = tensor.data.dtype if tensor.data.dtype.kind != "f" and in_fmt in ROTATED_FORMATS else None
    if whole is not None:
        tensor = Tensor(tensor.data.astype(np.float32))
    for step in itertools.pairwise(path):
        tensor = STEPS[step](tensor)
        if whole is not None:
            tensor = Tensor(np.round(tensor.data))
    return tensor if whole is None else Tensor(tensor.data.astype(whole))


@operator(family="boxes", differentiable=("boxes",), kinks="coordinates on the image's border")
def clip_boxes_to_image(boxes: Any, size: tuple[int, int]) -> Tensor:
    """Move every coordinate into the image.

    Shapes
    ------
    (..., 4) -> (..., 4)

    Formula
    -------
    x -> min(max(x, 0), width), y -> min(max(y, 0), height); the gradient passes where nothing was cut.

    Parameters
    ----------
    boxes : Tensor
        (x1, y1, x2, y2) in pixels.
    size : (height, width)
        Of the image, in pixels.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If size is not two numbers of zero or more. ShapeError: not four numbers a box.

    Notes
    -----
    NaN stays NaN. A box outside the image becomes one without area on its border: follow with `remove_small_boxes`.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.clip_boxes_to_image([[-3.0, 2.0, 70.0, 40.0]], (32, 64)).tolist()
    [[0.0, 2.0, 64.0, 32.0]]
    """
    tensor = box_tensor("clip_boxes_to_image", "boxes", boxes)
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise ArgumentError(f"clip_boxes_to_image: size must be (height, width), not {size!r}")
    limits = []
    for word, value in zip(("height", "width"), size):
        if real_number("clip_boxes_to_image", word, value) < 0:
            raise ArgumentError(f"clip_boxes_to_image: {word} must be zero or more, not {value!r}")
        limits.append(value if isinstance(value, int | float) else value.item())
    x, y = clamp(tensor[..., 0::2], 0, limits[1]), clamp(tensor[..., 1::2], 0, limits[0])
    return stack([x, y], -1).reshape(tensor.shape)  # x1, y1; x2, y2


@operator(family="boxes")
def remove_small_boxes(boxes: Any, min_size: float) -> Tensor:
    """The positions of the boxes whose sides are both at least so long.

    Shapes
    ------
    (N, 4) -> (K,) of int64

    Formula
    -------
    keep = {i : x2[i] - x1[i] >= min_size and y2[i] - y1[i] >= min_size}, in rising order; not differentiable.

    Parameters
    ----------
    boxes : Tensor
        (x1, y1, x2, y2) in pixels; of boxes with more axes the first axis' positions are told.
    min_size : float
        In pixels.

    Returns
    -------
    Tensor of int64

    Raises
    ------
    ShapeError
        If the last axis does not hold four numbers.

    Notes
    -----
    Sides of exactly `min_size` stay; boxes with NaN go.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.remove_small_boxes([[0.0, 0.0, 9.0, 1.0], [0.0, 0.0, 3.0, 3.0]], 2).tolist()
    [1]
    """
    tensor = box_tensor("remove_small_boxes", "boxes", boxes)
    least = real_number("remove_small_boxes", "min_size", min_size)
    if tensor.data.ndim < 2:
        raise ShapeError(f"remove_small_boxes: boxes has shape {tensor.shape}; it must be (N, 4)")
    sides = tensor.data[..., 2:] - tensor.data[..., :2]
    return Tensor(np.nonzero((sides >= least).all(-1))[0].astype(np.int64))


@operator(family="boxes")
def masks_to_boxes(masks: Any) -> Tensor:
    """The smallest box around the pixels of each mask that are not zero.

    Shapes
    ------
    (N, H, W) -> (N, 4) of float32

    Formula
    -------
    x1, x2 = the first and the last column with a pixel set, y1, y2 = the first and the last such row; not differentiable.

    Parameters
    ----------
    masks : Tensor
        Of any element type; not zero means set.

    Returns
    -------
    Tensor of float32
        (x1, y1, x2, y2); zeros for an empty mask.

    Raises
    ------
    ShapeError
        If there are not three axes.

    Notes
    -----
    The corners are the outermost pixels themselves, as in torchvision: a mask of one pixel gives x1 = x2, and a width of zero.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.masks_to_boxes([[[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]]]).tolist()
    [[1.0, 1.0, 2.0, 2.0]]
    """
    if masks is None:
        raise ShapeError("masks_to_boxes: masks is None; give (N, H, W)")
    array = as_tensor(masks).data
    if array.size == 0:
        return Tensor(np.zeros((0, 4), np.float32))
    if array.ndim != 3:
        raise ShapeError(f"masks_to_boxes: masks has shape {array.shape}; it must be (N, H, W), a mask an object")
    covered = array != 0
    rows, columns = covered.any(2), covered.any(1)
    last = (array.shape[2] - 1 - columns[:, ::-1].argmax(1), array.shape[1] - 1 - rows[:, ::-1].argmax(1))
    boxes = np.stack([columns.argmax(1), rows.argmax(1), *last], 1).astype(np.float32)
    boxes[~rows.any(1)] = 0
    return Tensor(boxes)
