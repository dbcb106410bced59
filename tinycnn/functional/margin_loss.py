"""Margin losses: nothing to pay once the right answer is ahead by enough."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, contiguous, float_tensor, one_of, same_dtype
from ._losses import REDUCTIONS, answers, broadcast_pairs, class_weights, common_shape, elementwise, labels_of, real, reduced
from .bounds import clamp
from .elementwise import add, mul, neg, sub

__all__ = ["crammer_singer_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss", "multilabel_margin_loss"]


@operator(family="loss", kernels=("hinge_embedding_loss",), differentiable=("input",), kinks="input = margin where target is -1")
def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """Distances of pairs: those of like pairs are paid in full, those of unlike pairs up to a margin.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*); they broadcast.

    Formula
    -------
    loss = x where y = 1, max(0, margin - x) where y = -1; grad_x = 1, or -[x <= margin].

    Parameters
    ----------
    input : Tensor
        Distances x.
    target : Tensor
        y, 1 for like and -1 for unlike pairs.
    margin : float
        The distance from which unlike pairs cost nothing, in units of input.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Any other y pays both terms, as in torch. `contrastive_loss` takes the embeddings instead of their distances.

    References
    ----------
    Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.hinge_embedding_loss([0.5, 0.25], [1.0, -1.0], reduction="none").tolist()
    [0.5, 0.75]
    """
    name = "hinge_embedding_loss"
    return elementwise(name, broadcast_pairs(name, input, target, reduction), reduction, real(name, "margin", margin))


@operator(family="loss", differentiable=("input1", "input2"), kinks="where the order is right by exactly the margin")
def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, *, reduction: str = "mean") -> Tensor:
    """Which of two scores should be the larger, and by how much it is not.

    Shapes
    ------
    (*), (*), (*) -> () or, with reduction "none", (*); they broadcast, with equally many axes.

    Formula
    -------
    loss = max(0, -y (input1 - input2) + margin); grad_input1 = -y where that is not below 0, grad_input2 = y.

    Parameters
    ----------
    input1, input2 : Tensor
        Scores.
    target : Tensor
        y, 1 where the first should be larger, -1 where the second should.
    margin : float
        By how much.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    At the kink the gradient passes, as in torch.

    References
    ----------
    Herbrich, Graepel and Obermayer 1999, "Support vector learning for ordinal regression".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.margin_ranking_loss([1.0], [3.0], [1.0], margin=0.5).item()
    2.5
    """
    name = "margin_ranking_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    first, second = float_tensor(name, "input1", input1), float_tensor(name, "input2", input2)
    same_dtype(name, input1=first, input2=second)
    order = answers(name, "target", target, first)
    shapes = (first.data.shape, second.data.shape, order.data.shape)
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"{name}: input1, input2 and target have shapes {shapes}; they must have equally many axes")
    common_shape(name, input1=first.data, input2=second.data, target=order.data)
    with np.errstate(all="ignore"):
        lead = mul(neg(order), sub(first, second))
    return reduced(clamp(add(lead, real(name, "margin", margin)), min=0.0), reduction)


def _rows(name: str, input: Any) -> tuple[Tensor, np.ndarray]:
    """The scores as a tensor, and as an (N, C) array."""
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    if len(shape) > 2 or (len(shape) and not shape[-1]):
        raise ShapeError(f"{name}: input has shape {shape}; it must be (C,) or (N, C), with at least one class")
    return tensor, contiguous(tensor.data).reshape(-1, shape[-1] if shape else 1)


def _row_losses(
    name: str, tensor: Tensor, losses: np.ndarray, slopes: np.ndarray, reduction: str
) -> Tensor:
    """Losses (N,) of rows whose derivatives (N, C) are known."""
    single = tensor.data.ndim < 2

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return ((slopes * grad.reshape(-1, 1)).reshape(tensor.data.shape),)

    return reduced(record(name, losses.reshape(()) if single else losses, (tensor,), backward), reduction)


def _one_label(name: str, target: Any, tensor: Tensor, classes: int) -> np.ndarray:
    """A class for each row, none of them ignored; one row may have a target of shape (1,) as well."""
    labels = as_tensor(target)
    if tensor.data.ndim < 2 and labels.data.shape == (1,):
        labels = Tensor(labels.data.reshape(()))
    return labels_of(name, labels, tensor.data.shape[:-1], classes, None).reshape(-1)


@np.errstate(all="ignore")  # infinity gives NaN, without a warning
def _hinges(
    name: str,
    input: Any,
    target: Any,
    margin: float,
    weight: Any,
    reduction: str,
    pay: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> Tensor:
    """A loss of z[j] = margin - x[y] + x[j], j not y: `pay` gives each row's loss and its derivative by z, from z that is 0 at y."""
    one_of(name, "reduction", reduction, REDUCTIONS)
    gap = real(name, "margin", margin, "a finite number", math.isfinite)
    tensor, x = _rows(name, input)
    labels = _one_label(name, target, tensor, x.shape[1])[:, np.newaxis]
    weights = class_weights(name, weight, x.shape[1], tensor)
    z = x.dtype.type(gap) - np.take_along_axis(x, labels, 1) + x
    np.put_along_axis(z, labels, 0, 1)
    losses, slopes = pay(z)
    np.put_along_axis(slopes, labels, 0, 1)
    np.put_along_axis(slopes, labels, -slopes.sum(1, keepdims=True), 1)
    if weights is not None:
        losses = losses * weights[labels[:, 0]]
        slopes = slopes * weights[labels]
    return _row_losses(name, tensor, losses, slopes, reduction)


@operator(family="loss", kernels=("wrong_class",), differentiable=("input",), kinks="a class behind the right one by exactly the margin")
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean"
) -> Tensor:
    """The multi-class hinge of Weston and Watkins: every wrong class pays for coming closer to the right one than a margin.

    Shapes
    ------
    (N, C), (N,) -> () or, with reduction "none", (N,); (C,), () -> ()

    Formula
    -------
    loss = weight[y] / C sum_{j != y} max(0, margin - x[y] + x[j])^p; grad_x[j] = weight[y] p / C max(0, margin - x[y] + x[j])^(p - 1) where
    the maximum is above 0, grad_x[y] = -sum_{j != y} grad_x[j].

    Parameters
    ----------
    input : Tensor
        Scores x.
    target : Tensor of int64
        The right class y of each row.
    p : int
        1 or 2.
    margin : float
        In units of input.
    weight : Tensor, optional
        One number a class.
    reduction : str
        "mean" (over the rows), "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: another p, a class that does not exist.

    Notes
    -----
    The division by C is torch's; CS231n's and scikit-learn's multi-class hinge have none. `crammer_singer_loss` pays for the worst class only.

    References
    ----------
    Weston and Watkins 1999, "Support vector machines for multi-class pattern recognition".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.multi_margin_loss([[1.0, 2.0, 0.5, -3.0]], [1]).item()  # only class 0 is within the margin, and just so
    0.0
    >>> tinycnn.functional.multi_margin_loss([[1.0, 2.0, 0.5, -3.0]], [0]).item()  # (2 + 0.5) / 4
    0.625
    """
    if isinstance(p, bool) or p not in (1, 2):
        raise ArgumentError(f"multi_margin_loss: p must be 1 or 2, not {p!r}")

    def pay(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hinge = np.where(z <= 0, z.dtype.type(0), z)
        slopes = 2 * hinge if p == 2 else np.sign(hinge)
        return (hinge**p).sum(1) / z.dtype.type(z.shape[1]), slopes / z.dtype.type(z.shape[1])

    return _hinges("multi_margin_loss", input, target, margin, weight, reduction, pay)


@operator(family="loss", kernels=("wrong_class",), differentiable=("input",), kinks="two wrong classes in front, or the margin just kept")
def crammer_singer_loss(input: Any, target: Any, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> Tensor:
    """The multi-class hinge of Crammer and Singer: the wrong class that is furthest ahead pays.

    Shapes
    ------
    (N, C), (N,) -> () or, with reduction "none", (N,); (C,), () -> ()

    Formula
    -------
    loss = weight[y] max(0, margin - x[y] + max_{j != y} x[j]); where it is above 0, grad_x[y] = -weight[y] and grad_x = weight[y] at the first
    of the largest x[j].

    Parameters
    ----------
    input : Tensor
        Scores x.
    target : Tensor of int64
        The right class y of each row.
    margin : float
        In units of input.
    weight : Tensor, optional
        One number a class.
    reduction : str
        "mean" (over the rows), "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a class that does not exist.

    Notes
    -----
    torch has no such loss; scikit-learn's `hinge_loss` is this one. With two classes it is twice `multi_margin_loss`.

    References
    ----------
    Crammer and Singer 2001, "On the algorithmic implementation of multiclass kernel-based vector machines".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.crammer_singer_loss([[1.0, 2.0, 0.5, -3.0]], [0]).item()
    2.0
    """

    def pay(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slopes = np.zeros(z.shape, z.dtype)
        # The zero at the right class is never larger than a hinge that costs, and alone where there is one class.
        worst = z.argmax(1)[:, np.newaxis]
        losses = np.take_along_axis(z, worst, 1)
        np.put_along_axis(slopes, worst, np.where(losses > 0, z.dtype.type(1), losses), 1)
        return losses[:, 0], slopes

    return _hinges("crammer_singer_loss", input, target, margin, weight, reduction, pay)


def _listed(name: str, target: Any, shape: tuple[int, ...], classes: int) -> np.ndarray:
    """The classes of each row (N, C), -1 from the first -1 on."""
    labels = as_tensor(target).data
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"{name}: target is {labels.dtype}; class indices are whole numbers, use target.long()")
    if labels.shape != shape:
        raise ShapeError(f"{name}: target has shape {labels.shape}, input {shape}; they must be equal: class indices, filled up with -1")
    labels = labels.reshape(-1, classes).astype(np.int64)
    if labels.size and (labels.min() < -1 or labels.max() >= classes):
        span = f"target goes from {labels.min()} to {labels.max()}"
        raise ArgumentError(f"{name}: {span}, but there are {classes} classes, 0 to {classes - 1}; -1 ends a list")
    return np.where(np.logical_and.accumulate(labels >= 0, 1), labels, -1)


@operator(family="loss", differentiable=("input",), kinks="two classes exactly 1 apart")
def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The hinge for several right classes: each of them should lead each wrong one by 1.

    Shapes
    ------
    (N, C), (N, C) -> () or, with reduction "none", (N,); (C,), (C,) -> ()

    Formula
    -------
    loss = 1 / C sum_{right j, wrong i} max(0, 1 - (x[j] - x[i])); each pair whose term is above 0 adds -1 / C to grad_x[j] and 1 / C to grad_x[i].

    Parameters
    ----------
    input : Tensor
        Scores x.
    target : Tensor of int64
        The right classes of each row, in any order; the first -1 ends the list.
    reduction : str
        "mean" (over the rows), "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a class that does not exist.

    Notes
    -----
    A class that is listed twice counts twice, as in torch. Entries behind the first -1 must be classes or -1, as in torch.

    References
    ----------
    Zhang and Zhou 2006, "Multilabel neural networks with applications to functional genomics and text categorization" (ranking pairs).

    Examples
    --------
    >>> import tinycnn
    >>> x = [[0.1, 0.2, 0.4, 0.8]]
    >>> round(tinycnn.functional.multilabel_margin_loss(x, [[3, 0, -1, 1]]).item(), 4)  # the example in torch's documentation
    0.85
    """
    name = "multilabel_margin_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    tensor, x = _rows(name, input)
    count, classes = x.shape
    listed = _listed(name, target, tensor.data.shape, classes)
    losses, slopes = np.zeros(count, x.dtype), np.zeros(x.shape, x.dtype)
    for n in range(count):
        losses[n] = _several(x[n], listed[n, listed[n] >= 0], slopes[n])
    return _row_losses(name, tensor, losses, slopes, reduction)


@np.errstate(all="ignore")  # infinity gives NaN, without a warning
def _several(x: np.ndarray, right: np.ndarray, slopes: np.ndarray) -> Any:
    """The loss of one row whose right classes are listed; writes its derivatives."""
    wrong = np.ones(x.size, bool)
    wrong[right] = False
    z = 1 - x[right][:, np.newaxis] + x[wrong]
    z = np.where(z <= 0, z.dtype.type(0), z)
    paid = np.sign(z) / x.size
    slopes[wrong] = paid.sum(0)
    np.subtract.at(slopes, right, paid.sum(1))
    return z.sum() / x.size
