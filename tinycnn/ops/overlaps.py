"""How much every box of one set shares with every box of another: intersection over union, and its relatives with a distance.

All broadcast over leading axes: (..., N, 4) and (..., M, 4) give (..., N, M). They are written from differentiable operators, so that every
gradient is the chain rule's; a largest or smallest of two equal numbers shares its gradient, as in torch.
"""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import is_grad_enabled
from ..errors import ShapeError
from ..functional import clamp, maximum, minimum
from ..functional._arguments import contiguous, one_of, same_dtype
from ..registry import operator
from ..tensor import Tensor
from ._arguments import arctan, box_tensor, real_number
from .boxes import FORMATS, ROTATED_FORMATS, WIDTHS, box_area, box_convert

__all__ = ["box_iou", "complete_box_iou", "distance_box_iou", "generalized_box_iou"]

KINKS = "borders that touch or coincide"


def _two_sets(name: str, boxes1: Any, boxes2: Any, width: int = 4) -> tuple[Tensor, Tensor]:
    first, second = (box_tensor(name, argument, x, width, 2) for argument, x in (("boxes1", boxes1), ("boxes2", boxes2)))
    if first.data.dtype.kind == second.data.dtype.kind == "f":
        same_dtype(name, boxes1=first, boxes2=second)
    try:
        np.broadcast_shapes(first.data.shape[:-2], second.data.shape[:-2])
    except ValueError:
        raise ShapeError(f"{name}: boxes1 {first.shape} and boxes2 {second.shape} do not broadcast over the axes before the last two") from None
    return first, second


def _plain(first: Tensor, second: Tensor) -> bool:
    """Whether two sets of floats, of no more than two axes, are compared without a gradient."""
    differentiated = is_grad_enabled() and (first.requires_grad or second.requires_grad)
    return first.data.ndim == second.data.ndim == 2 and first.data.dtype == second.data.dtype and first.data.dtype.kind == "f" and not differentiated


def _edges(boxes: Tensor, fmt: str) -> list[Tensor]:
    """x1, y1, x2, y2, each (..., N)."""
    a, b, c, d = (boxes[..., k] for k in range(4))
    if fmt == "xywh":
        return [a, b, a + c, b + d]
    if fmt == "cxcywh":
        return [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
    return [a, b, c, d]


def _pairs(first: Tensor, second: Tensor, fmt: str = "xyxy") -> tuple[list[Tensor], list[Tensor]]:
    """The edges as (..., N, 1) and (..., 1, M)."""
    return [edge.unsqueeze(-1) for edge in _edges(first, fmt)], [edge.unsqueeze(-2) for edge in _edges(second, fmt)]


def _positive_product(width: Tensor, height: Tensor) -> Tensor:
    return clamp(width, min=0) * clamp(height, min=0)


def _intersection_and_union(first: Tensor, second: Tensor, fmt: str = "xyxy") -> tuple[Tensor, Tensor]:
    one, other = _pairs(first, second, fmt)
    intersection = _positive_product(
        minimum(one[2], other[2]) - maximum(one[0], other[0]), minimum(one[3], other[3]) - maximum(one[1], other[1])
    )
    return intersection, box_area(first, fmt).unsqueeze(-1) + box_area(second, fmt).unsqueeze(-2) - intersection


@operator(family="overlaps", kernels=("box_iou", "box_iou_rotated"), differentiable=("boxes1", "boxes2"), kinks=KINKS)
def box_iou(boxes1: Any, boxes2: Any, fmt: str = "xyxy") -> Tensor:
    """The area that two boxes share over the area they cover together, for every pair: the Jaccard index.

    Shapes
    ------
    (..., N, 4), (..., M, 4) -> (..., N, M); rotated formats (N, 5 or 8), (M, 5 or 8) -> (N, M)

    Formula
    -------
    I = max(0, min(x2, x2') - max(x1, x1')) max(0, min(y2, y2') - max(y1, y1')); IoU = I / (A + A' - I);
    grad_I = grad (A + A') / U^2, grad_A = -grad I / U^2, and from I to the edge that decides each side.

    Parameters
    ----------
    boxes1, boxes2 : Tensor
        float32, float64 or whole numbers, in pixels.
    fmt : str
        "xyxy", "xywh", "cxcywh"; or "cxcywhr", "xywhr", "xyxyxyxy", of which no gradient is taken, as in torchvision.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the shapes do not fit. ArgumentError: an unknown format. DtypeError: different float types.

    Notes
    -----
    Two boxes without area give 0 / 0 = NaN, as in torchvision (rotated ones 0); reversed boxes have a negative area and share nothing.
    Pascal VOC counts pixels and adds 1 to every side.

    References
    ----------
    Everingham et al. 2010, "The Pascal visual object classes (VOC) challenge", section 4.2.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.box_iou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0], [0.0, 0.0, 2.0, 1.0], [5.0, 5.0, 6.0, 6.0]]).round(decimals=4).tolist()
    [[0.33329999446868896, 0.5, 0.0]]
    """
    one_of("box_iou", "fmt", fmt, FORMATS + ROTATED_FORMATS)
    first, second = _two_sets("box_iou", boxes1, boxes2, WIDTHS[fmt])
    if fmt == "xyxy" and _plain(first, second):
        return Tensor(kernels.select("box_iou", first.data)(contiguous(first.data), contiguous(second.data)))
    if fmt in FORMATS:
        intersection, union = _intersection_and_union(first, second, fmt)
        return intersection / union
    if first.data.ndim != 2 or second.data.ndim != 2:
        raise ShapeError(f"box_iou: rotated boxes have shapes {first.shape} and {second.shape}; they must be (N, {WIDTHS[fmt]}), (M, {WIDTHS[fmt]})")
    arrays = []
    for boxes in (first, second):
        turned = box_convert(boxes.detach(), fmt, "cxcywhr").data
        arrays.append(contiguous(turned if turned.dtype.kind == "f" else turned.astype(np.float32)))
    if arrays[0].dtype != arrays[1].dtype:
        arrays = [array.astype(np.float64) for array in arrays]
    return Tensor(kernels.select("box_iou_rotated", arrays[0])(*arrays))


@operator(family="overlaps", differentiable=("boxes1", "boxes2"), kinks=KINKS)
def generalized_box_iou(boxes1: Any, boxes2: Any) -> Tensor:
    """IoU less the empty share of the smallest box around both, for every pair: from -1 far apart to 1 where they are equal.

    Shapes
    ------
    (..., N, 4), (..., M, 4) -> (..., N, M)

    Formula
    -------
    GIoU = I / U - (C - U) / C with C the area of the smallest box around both; grad_C = -grad U / C^2, grad_U = -grad I / U^2 + grad / C.

    Parameters
    ----------
    boxes1, boxes2 : Tensor
        (x1, y1, x2, y2), in pixels.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit.

    Notes
    -----
    NaN where both boxes are one point or U = 0, as in torchvision; the loss of that name adds eps to the divisors.

    References
    ----------
    Rezatofighi et al. 2019, "Generalized intersection over union: a metric and a loss for bounding box regression", algorithm 1.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.generalized_box_iou([[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 1.0], [3.0, 0.0, 4.0, 1.0]]).tolist()
    [[1.0, -0.5]]
    """
    first, second = _two_sets("generalized_box_iou", boxes1, boxes2)
    intersection, union = _intersection_and_union(first, second)
    one, other = _pairs(first, second)
    around = _positive_product(
        maximum(one[2], other[2]) - minimum(one[0], other[0]), maximum(one[3], other[3]) - minimum(one[1], other[1])
    )
    return intersection / union - (around - union) / around


def _distance_term(first: Tensor, second: Tensor, eps: float) -> Tensor:
    """The squared distance of the centres over the squared diagonal of the smallest box around both."""
    one, other = _pairs(first, second)
    width = clamp(maximum(one[2], other[2]) - minimum(one[0], other[0]), min=0)
    height = clamp(maximum(one[3], other[3]) - minimum(one[1], other[1]), min=0)
    apart = [(one[k] + one[k + 2]) / 2 - (other[k] + other[k + 2]) / 2 for k in range(2)]
    return (apart[0] ** 2 + apart[1] ** 2) / (width**2 + height**2 + eps)


@operator(family="overlaps", differentiable=("boxes1", "boxes2"), kinks=KINKS)
def distance_box_iou(boxes1: Any, boxes2: Any, eps: float = 1e-7) -> Tensor:
    """IoU less the relative squared distance of the centres, for every pair.

    Shapes
    ------
    (..., N, 4), (..., M, 4) -> (..., N, M)

    Formula
    -------
    DIoU = I / U - d^2 / (c^2 + eps); d is the distance of the centres, c the diagonal of the smallest box around both.
    grad_d = -2 grad d / (c^2 + eps), grad_c = 2 grad d^2 c / (c^2 + eps)^2, and IoU's own.

    Parameters
    ----------
    boxes1, boxes2 : Tensor
        (x1, y1, x2, y2), in pixels.
    eps : float
        Added to the squared diagonal, in square pixels.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit.

    Notes
    -----
    The IoU itself has no eps, as in torchvision: two boxes without area give NaN.

    References
    ----------
    Zheng et al. 2020, "Distance-IoU loss: faster and better learning for bounding box regression", equation 6.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.distance_box_iou([[0.0, 0.0, 2.0, 2.0]], [[2.0, 0.0, 4.0, 2.0]], eps=0.0).tolist()
    [[-0.20000000298023224]]
    """
    first, second = _two_sets("distance_box_iou", boxes1, boxes2)
    return box_iou(first, second) - _distance_term(first, second, real_number("distance_box_iou", "eps", eps))


def aspect_term(width: Tensor, height: Tensor, other_width: Tensor, other_height: Tensor, iou: Tensor, eps: float) -> Tensor:
    """alpha v: how far the aspect ratios differ, weighted; alpha counts as a constant."""
    v = (4 / math.pi**2) * (arctan(width / height) - arctan(other_width / other_height)) ** 2
    fixed = v.detach()
    return (fixed / (1 - iou.detach() + fixed + eps)) * v


@operator(family="overlaps", differentiable=("boxes1", "boxes2"), kinks=KINKS)
def complete_box_iou(boxes1: Any, boxes2: Any, eps: float = 1e-7) -> Tensor:
    """DIoU less a penalty for different aspect ratios, for every pair.

    Shapes
    ------
    (..., N, 4), (..., M, 4) -> (..., N, M)

    Formula
    -------
    CIoU = DIoU - alpha v, v = (4 / pi^2) (atan(w / h) - atan(w' / h'))^2, alpha = v / (1 - IoU + v + eps);
    the gradient takes alpha as a constant: grad_v = -alpha grad.

    Parameters
    ----------
    boxes1, boxes2 : Tensor
        (x1, y1, x2, y2), in pixels.
    eps : float
        Added to the divisors.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit.

    Notes
    -----
    The paper rescales the gradient of v by w^2 + h^2 as well; torchvision and this do not. A box without height and width gives NaN.

    References
    ----------
    Zheng et al. 2020, "Distance-IoU loss: faster and better learning for bounding box regression", equations 8 to 11.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.complete_box_iou([[0.0, 0.0, 2.0, 2.0]], [[0.0, 0.0, 2.0, 2.0]]).tolist()
    [[1.0]]
    """
    eps = real_number("complete_box_iou", "eps", eps)
    first, second = _two_sets("complete_box_iou", boxes1, boxes2)
    iou = box_iou(first, second)
    one, other = _pairs(first, second)
    penalty = aspect_term(one[2] - one[0], one[3] - one[1], other[2] - other[0], other[3] - other[1], iou, eps)
    return iou - _distance_term(first, second, eps) - penalty
