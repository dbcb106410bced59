"""Losses of detection: boxes against boxes one by one, and scores of which nearly all should be zero."""

from typing import Any

from ..errors import ArgumentError, ShapeError
from ..functional import binary_cross_entropy_with_logits, maximum, minimum, sigmoid, where
from ..functional._arguments import float_tensor, same_dtype
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_box_pairs, real_number, reduced
from .overlaps import KINKS, aspect_term

__all__ = ["complete_box_iou_loss", "distance_box_iou_loss", "generalized_box_iou_loss", "sigmoid_focal_loss"]


def _edges(boxes: Tensor) -> list[Tensor]:
    return [boxes[..., k] for k in range(4)]


def _intersection_and_union(one: list[Tensor], other: list[Tensor]) -> tuple[Tensor, Tensor]:
    left, top = maximum(one[0], other[0]), maximum(one[1], other[1])
    right, bottom = minimum(one[2], other[2]), minimum(one[3], other[3])
    meet = (bottom > top).logical_and(right > left)
    intersection = where(meet, (right - left) * (bottom - top), 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return intersection, areas[0] + areas[1] - intersection


def _around(one: list[Tensor], other: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Width and height of the smallest box around both."""
    return maximum(one[2], other[2]) - minimum(one[0], other[0]), maximum(one[3], other[3]) - minimum(one[1], other[1])


@operator(family="box_losses", differentiable=("boxes1", "boxes2"), kinks=KINKS)
def generalized_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 - GIoU of boxes matched one to one: it still points the way where they do not touch.

    Shapes
    ------
    (N, 4), (N, 4) -> (N,), or () where reduced; (4,), (4,) -> ()

    Formula
    -------
    loss = 1 - I / (U + eps) + (C - U) / (C + eps); gradients by the chain rule over I, U and C (see `generalized_box_iou`).

    Parameters
    ----------
    boxes1, boxes2 : Tensor
        (x1, y1, x2, y2), in pixels, box by box.
    reduction : str
        "none", "mean" (0 of nothing) or "sum".
    eps : float
        Added to the divisors, in square pixels.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the shapes differ. DtypeError: different float types. ArgumentError: an unknown reduction.

    Notes
    -----
    From 0 where the boxes are equal to 2 where they are far apart. Touching boxes share nothing.

    References
    ----------
    Rezatofighi et al. 2019, "Generalized intersection over union: a metric and a loss for bounding box regression", algorithm 1.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.generalized_box_iou_loss([[0.0, 0.0, 1.0, 1.0]], [[3.0, 0.0, 4.0, 1.0]], eps=0.0).tolist()
    [1.5]
    """
    name = "generalized_box_iou_loss"
    eps = real_number(name, "eps", eps)
    one, other = (_edges(boxes) for boxes in float_box_pairs(name, boxes1, boxes2))
    intersection, union = _intersection_and_union(one, other)
    width, height = _around(one, other)
    around = width * height
    return reduced(name, 1 - (intersection / (union + eps) - (around - union) / (around + eps)), reduction)


def _distance_loss(one: list[Tensor], other: list[Tensor], eps: float) -> tuple[Tensor, Tensor]:
    """(1 - DIoU, IoU)."""
    intersection, union = _intersection_and_union(one, other)
    iou = intersection / (union + eps)
    width, height = _around(one, other)
    apart = [(one[k] + one[k + 2]) / 2 - (other[k] + other[k + 2]) / 2 for k in range(2)]
    return 1 - iou + (apart[0] ** 2 + apart[1] ** 2) / (width**2 + height**2 + eps), iou


@operator(family="box_losses", differentiable=("boxes1", "boxes2"), kinks=KINKS)
def distance_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 - DIoU of boxes matched one to one: pulls the centres together.

    Shapes
    ------
    (N, 4), (N, 4) -> (N,), or () where reduced; (4,), (4,) -> ()

    Formula
    -------
    loss = 1 - I / (U + eps) + d^2 / (c^2 + eps); d is the distance of the centres, c the diagonal of the smallest box around both.
    Gradients by the chain rule (see `distance_box_iou`).

    Parameters
    ----------
    boxes1, boxes2, reduction, eps
        As in `generalized_box_iou_loss`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the shapes differ. DtypeError: different float types. ArgumentError: an unknown reduction.

    Notes
    -----
    Equal to 1 - IoU where the centres coincide.

    References
    ----------
    Zheng et al. 2020, "Distance-IoU loss: faster and better learning for bounding box regression", equation 7.

    Examples
    --------
    >>> from tinycnn import ops
    >>> round(ops.distance_box_iou_loss([0.0, 0.0, 2.0, 2.0], [2.0, 0.0, 4.0, 2.0]).item(), 4)
    1.2
    """
    name = "distance_box_iou_loss"
    eps = real_number(name, "eps", eps)
    one, other = (_edges(boxes) for boxes in float_box_pairs(name, boxes1, boxes2))
    return reduced(name, _distance_loss(one, other, eps)[0], reduction)


@operator(family="box_losses", differentiable=("boxes1", "boxes2"), kinks=KINKS)
def complete_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 - CIoU of boxes matched one to one: overlap, centres and aspect ratio.

    Shapes
    ------
    (N, 4), (N, 4) -> (N,), or () where reduced; (4,), (4,) -> ()

    Formula
    -------
    loss = (1 - DIoU) + alpha v, with v and alpha as in `complete_box_iou`; the gradient takes alpha as a constant.

    Parameters
    ----------
    boxes1, boxes2, reduction
        As in `generalized_box_iou_loss`.
    eps : float
        Added to alpha's divisor; the others have 1e-7, as in torchvision.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the shapes differ. DtypeError: different float types. ArgumentError: an unknown reduction.

    Notes
    -----
    A box without height has an aspect ratio of infinity, whose angle is a right one; without width and height the loss is NaN.

    References
    ----------
    Zheng et al. 2020, "Distance-IoU loss: faster and better learning for bounding box regression", equation 10.

    Examples
    --------
    >>> from tinycnn import ops
    >>> round(ops.complete_box_iou_loss([[0.0, 0.0, 2.0, 2.0]], [[0.0, 0.0, 2.0, 2.0]], "mean").item(), 4)
    0.0
    """
    name = "complete_box_iou_loss"
    eps = real_number(name, "eps", eps)
    one, other = (_edges(boxes) for boxes in float_box_pairs(name, boxes1, boxes2))
    loss, iou = _distance_loss(one, other, 1e-7)
    penalty = aspect_term(other[2] - other[0], other[3] - other[1], one[2] - one[0], one[3] - one[1], iou, eps)
    return reduced(name, loss + penalty, reduction)


@operator(family="box_losses", differentiable=("inputs", "targets"))
def sigmoid_focal_loss(inputs: Any, targets: Any, alpha: float = 0.25, gamma: float = 2, reduction: str = "none") -> Tensor:
    """Cross-entropy of each score by itself in which well classified elements count little.

    Shapes
    ------
    (*), (*) -> (*), or () where reduced

    Formula
    -------
    p = sigmoid(inputs), q = p y + (1 - p) (1 - y); loss = a (1 - q)^gamma CE, CE = -y log p - (1 - y) log(1 - p),
    a = alpha y + (1 - alpha) (1 - y), or 1 if alpha is -1;
    grad_inputs = a grad [(1 - q)^gamma (p - y) - gamma (1 - q)^(gamma - 1) CE (2 y - 1) p (1 - p)].

    Parameters
    ----------
    inputs : Tensor
        Scores before the sigmoid.
    targets : Tensor
        y from 0 to 1, of inputs' shape and dtype.
    alpha : float
        Weight of the positive elements, from 0 to 1; -1 weighs nothing.
    gamma : float
        How fast well classified elements lose weight; 0 gives the cross-entropy.
    reduction : str
        "none", "mean" or "sum".

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If alpha is neither -1 nor from 0 to 1, or the reduction unknown. ShapeError, DtypeError: if they do not fit.

    Notes
    -----
    RetinaNet divides the sum by the number of matched anchors, not of elements. Keras' BinaryFocalCrossentropy takes probabilities by default.

    References
    ----------
    Lin et al. 2017, "Focal loss for dense object detection", equation 5.

    Examples
    --------
    >>> from tinycnn import ops
    >>> [round(value, 4) for value in ops.sigmoid_focal_loss([0.0, 0.0], [1.0, 0.0]).tolist()]
    [0.0433, 0.13]
    """
    name = "sigmoid_focal_loss"
    alpha, gamma = real_number(name, "alpha", alpha), real_number(name, "gamma", gamma)
    if not (0 <= alpha <= 1 or alpha == -1):
        raise ArgumentError(f"{name}: alpha must be from 0 to 1, or -1 for no weights, not {alpha!r}")
    scores, wanted = float_tensor(name, "inputs", inputs), float_tensor(name, "targets", targets)
    same_dtype(name, inputs=scores, targets=wanted)
    if scores.shape != wanted.shape:
        raise ShapeError(f"{name}: inputs has shape {scores.shape} and targets {wanted.shape}; they must be equal")
    p = sigmoid(scores)
    surprise = binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    right = p * wanted + (1 - p) * (1 - wanted)
    loss = surprise * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * wanted + (1 - alpha) * (1 - wanted)) * loss
    if reduction == "mean" and not scores.data.size:
        return loss.mean()
    return reduced(name, loss, reduction)
