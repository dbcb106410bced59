"""Losses: one number that says how wrong a prediction is."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, contiguous, float_tensor, one_of, same_dtype

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "l1_loss",
    "mse_loss",
    "nll_loss",
]

REDUCTIONS = ("mean", "sum", "none")


def _labels(name: str, target: Any, shape: tuple[int, ...], classes: int, ignore_index: int) -> np.ndarray:
    """The class indices as int64, checked against the logits."""
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer):
        raise ArgumentError(f"{name}: ignore_index must be a whole number, not {ignore_index!r}")
    labels = as_tensor(target).data
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"{name}: target is {labels.dtype}; class indices are whole numbers, use target.long()")
    if labels.shape != shape:
        raise ShapeError(f"{name}: target has shape {labels.shape}, but input asks for {shape}, one class index a sample")
    wrong = (labels != ignore_index) & ((labels < 0) | (labels >= classes))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ArgumentError(
            f"{name}: target{list(place)} is {labels[place]}, but there are {classes} classes, 0 to {classes - 1}; "
            f"number the classes from 0, or use ignore_index={labels[place]} to leave it out"
        )
    return np.ascontiguousarray(labels, np.int64)


def _class_weights(name: str, weight: Any, classes: int, like: Tensor) -> np.ndarray | None:
    if weight is None:
        return None
    tensor = float_tensor(name, "weight", weight)
    same_dtype(name, input=like, weight=tensor)
    if tensor.data.shape != (classes,):
        raise ShapeError(f"{name}: weight has shape {tensor.shape}; it must be ({classes},), one number a class")
    return contiguous(tensor.data)


def _class_axis(name: str, input: Any) -> tuple[Tensor, tuple[int, ...], tuple[int, int, int], int]:
    """The scores, the shape of their targets, the shape (N, C, places) that kernels take, and C."""
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    if not shape:
        raise ShapeError(f"{name}: input is a single number; it must be (C,), (N, C) or (N, C, d1, ...)")
    axis = 0 if len(shape) == 1 else 1
    classes = shape[axis]
    if not classes:
        raise ShapeError(f"{name}: input {shape} has no classes")
    target_shape = shape[:axis] + shape[axis + 1 :]
    images = shape[0] if axis else 1
    return tensor, target_shape, (images, classes, int(np.prod(shape[2:]))), classes


def _reduced(
    name: str, losses: np.ndarray, grad_logits: np.ndarray, counts: np.ndarray, shape: tuple[int, ...], reduction: str, tensor: Tensor
) -> Tensor:
    """Reduce losses (N, P) and record the gradient, which is known already."""
    kind = losses.dtype.type
    if reduction == "none":
        value, scale = losses.reshape(shape), None
    else:
        total = losses.sum(dtype=np.float64)
        divisor = counts.sum(dtype=np.float64) if reduction == "mean" else 1.0
        # The mean over nothing is NaN, as in torch: there is no right answer.
        value = np.asarray(kind(total / divisor if divisor else np.nan))
        scale = 1.0 / divisor if divisor else np.nan

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        factor = kind(grad * scale) if scale is not None else grad.reshape(losses.shape)[:, np.newaxis]
        return ((grad_logits * factor).reshape(tensor.data.shape),)

    return record(name, value, (tensor,), backward)


@operator(family="loss", kernels=("softmax_cross_entropy",), differentiable=("input",))
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """How surprised the softmax of the scores is by the right class: the negative log-likelihood of a multinoulli distribution.

    Shapes
    ------
    (N, C, d1, ...), (N, d1, ...) -> () or, with reduction "none", (N, d1, ...); (C,), () alike.

    Formula
    -------
    q[k] = weight[k] ((1 - label_smoothing) [k = target] + label_smoothing / C);
    loss = -sum_k q[k] log softmax(input)[k]; grad_input[k] = softmax(input)[k] sum_l q[l] - q[k], without smoothing and weights yhat - y.
    The mean divides by the sum of weight[target].

    Parameters
    ----------
    input : Tensor
        Scores (logits), float32 or float64: not probabilities.
    target : Tensor of int64
        Class indices from 0 to C - 1.
    weight : Tensor, optional
        One number a class.
    ignore_index : int
        Targets of this value count neither in the sum nor in the mean.
    reduction : str
        "mean", "sum" or "none".
    label_smoothing : float
        Between 0 and 1: how much of the target is spread over all classes.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If target does not fit. ArgumentError: a class that does not exist, an option out of range.

    Notes
    -----
    Computed by log-sum-exp: scores of 1e8 give a right answer. Probabilities handed in instead of scores are softened a second
    time: `looks_like_probabilities` tells, and training warns.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.3. Szegedy et al. 2016 (arXiv 1512.00567), section 7: smoothing.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.cross_entropy([[1e8, 1e8]], [0]).item(), 4)
    0.6931
    """
    name = "cross_entropy"
    tensor, target_shape, shape, classes = _class_axis(name, input)
    one_of(name, "reduction", reduction, REDUCTIONS)
    if not isinstance(label_smoothing, int | float) or not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(f"{name}: label_smoothing must be from 0 to 1, not {label_smoothing!r}")
    labels = _labels(name, target, target_shape, classes, ignore_index).reshape(shape[0], shape[2])
    weights = _class_weights(name, weight, classes, tensor)
    logits = contiguous(tensor.data).reshape(shape)
    losses, counts, grad_logits = kernels.select("softmax_cross_entropy", logits)(logits, labels, weights, ignore_index, label_smoothing)
    return _reduced(name, losses, grad_logits, counts, target_shape, reduction, tensor)


@operator(family="loss", differentiable=("input",))
def nll_loss(input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """The negative of the log-probability that was given to the right class.

    Shapes
    ------
    (N, C, d1, ...), (N, d1, ...) -> () or, with reduction "none", (N, d1, ...)

    Formula
    -------
    loss = -weight[target] input[target]; grad_input[k] = -weight[k] [k = target]. The mean divides by the sum of weight[target].

    Parameters
    ----------
    input : Tensor
        Log-probabilities, such as `log_softmax` gives.
    target, weight, ignore_index, reduction
        As in `cross_entropy`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `cross_entropy`.

    Notes
    -----
    nll_loss(log_softmax(x)) = cross_entropy(x). The name is torch's; it takes no logarithm itself.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 5.5.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.nll_loss([[-0.5, -2.0]], [1]).item()
    2.0
    """
    name = "nll_loss"
    tensor, target_shape, shape, classes = _class_axis(name, input)
    one_of(name, "reduction", reduction, REDUCTIONS)
    labels = _labels(name, target, target_shape, classes, ignore_index).reshape(shape[0], shape[2])
    weights = _class_weights(name, weight, classes, tensor)
    scores = tensor.data.reshape(shape)
    kept = labels != ignore_index
    safe = np.where(kept, labels, 0)
    counts = np.where(kept, 1 if weights is None else weights[safe], 0).astype(scores.dtype)
    picked = np.take_along_axis(scores, safe[:, np.newaxis], 1)[:, 0]
    losses = np.where(kept, -counts * picked, scores.dtype.type(0))
    grad_scores = np.zeros(shape, scores.dtype)
    np.put_along_axis(grad_scores, safe[:, np.newaxis], -counts[:, np.newaxis], 1)
    return _reduced(name, losses, grad_scores, counts, target_shape, reduction, tensor)


def _pairs(name: str, input: Any, target: Any, reduction: str) -> tuple[Tensor, Tensor]:
    """Prediction and target of one shape and dtype."""
    one_of(name, "reduction", reduction, REDUCTIONS)
    tensor, wanted = float_tensor(name, "input", input), float_tensor(name, "target", target)
    same_dtype(name, input=tensor, target=wanted)
    if tensor.data.shape != wanted.data.shape:
        raise ShapeError(f"{name}: target has shape {wanted.shape}, input {tensor.shape}; they must be equal, nothing is broadcast here")
    return tensor, wanted


def _elementwise_loss(
    name: str,
    inputs: tuple[Tensor, Tensor],
    losses: np.ndarray,
    grads: tuple[np.ndarray | None, np.ndarray | None],
    reduction: str,
    saved: tuple[Tensor, ...] = (),
) -> Tensor:
    """Reduce losses of the inputs' shape; `grads` are the derivatives of each element by both inputs."""
    kind = losses.dtype.type
    if reduction == "none":
        value: np.ndarray = losses
        scale = kind(1)
    else:
        total = losses.sum(dtype=np.float64)
        count = losses.size if reduction == "mean" else 1
        value = np.asarray(kind(total / count if count else np.nan))
        scale = kind(1.0 / count if count else np.nan)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        factor = grad * scale
        first, second = (gradient * factor if need and gradient is not None else None for gradient, need in zip(grads, needs, strict=True))
        return first, second

    return record(name, value, inputs, backward, saved)


@operator(family="loss", differentiable=("input", "target"))
def mse_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The squared difference.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = (input - target)^2; grad_input = 2 (input - target), grad_target = -grad_input; the mean divides by the number of elements.

    Parameters
    ----------
    input, target : Tensor
        float32 or float64 of one shape.
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
    There is no factor 1/2, as in torch; textbooks often have one, which halves the gradient. torch broadcasts with a warning, here other
    shapes are an error.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 5.5.1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.mse_loss([1.0, 2.0], [3.0, 2.0]).item()
    2.0
    """
    tensor, wanted = _pairs("mse_loss", input, target, reduction)
    difference = tensor.data - wanted.data
    return _elementwise_loss("mse_loss", (tensor, wanted), difference * difference, (2 * difference, -2 * difference), reduction)


@operator(family="loss", differentiable=("input", "target"), kinks="input = target, where the derivative is taken as 0")
def l1_loss(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The absolute difference.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = |input - target|; grad_input = sign(input - target), 0 where they are equal; grad_target = -grad_input.

    Parameters
    ----------
    input, target, reduction
        As in `mse_loss`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    Its minimum over a constant prediction is the median, that of `mse_loss` the mean.

    References
    ----------
    Bishop 2006, "Pattern Recognition and Machine Learning", section 1.5.5.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.l1_loss([1.0, 2.0], [3.0, 2.0]).item()
    1.0
    """
    tensor, wanted = _pairs("l1_loss", input, target, reduction)
    difference = tensor.data - wanted.data
    sign = np.sign(difference)
    return _elementwise_loss("l1_loss", (tensor, wanted), np.abs(difference), (sign, -sign), reduction)


@operator(family="loss", differentiable=("input", "target"))
def binary_cross_entropy_with_logits(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The cross-entropy of yes-or-no questions, from the scores.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = -y log s(z) - (1 - y) log(1 - s(z)) = max(z, 0) - z y + log(1 + e^-|z|); grad_z = s(z) - y, which does not vanish where s saturates.

    Parameters
    ----------
    input : Tensor
        Scores z before the sigmoid s.
    target : Tensor
        y from 0 to 1.
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
    The gradient by the squared error of the sigmoid carries one more factor s (1 - s): at z = -4, y = 1 it is -0.0173 where this is -0.9820.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.2.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.binary_cross_entropy_with_logits([0.0], [1.0]).item(), 4)
    0.6931
    """
    name = "binary_cross_entropy_with_logits"
    tensor, wanted = _pairs(name, input, target, reduction)
    z, y = contiguous(tensor.data), wanted.data
    losses = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return _elementwise_loss(name, (tensor, wanted), losses, (kernels.select("sigmoid", z)(z) - y, -z), reduction)


@operator(family="loss", differentiable=("input", "target"))
def binary_cross_entropy(input: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """The cross-entropy of yes-or-no questions, from probabilities.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*)

    Formula
    -------
    loss = -y log p - (1 - y) log(1 - p), logarithms cut off at -100; grad_p = (p - y) / max(p (1 - p), 1e-12).

    Parameters
    ----------
    input : Tensor
        Probabilities p from 0 to 1.
    target : Tensor
        y from 0 to 1.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If a p lies outside 0 to 1. ShapeError, DtypeError: if they do not fit.

    Notes
    -----
    The cut-offs are torch's. From scores use `binary_cross_entropy_with_logits`, which needs none.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.2.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.binary_cross_entropy([0.5], [1.0]).item(), 4)
    0.6931
    """
    name = "binary_cross_entropy"
    tensor, wanted = _pairs(name, input, target, reduction)
    p, y = tensor.data, wanted.data
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise ArgumentError(
            f"{name}: input goes from {p.min():g} to {p.max():g}, but probabilities lie from 0 to 1; "
            "use binary_cross_entropy_with_logits for scores"
        )
    with np.errstate(divide="ignore"):
        log_p = np.maximum(np.log(p), p.dtype.type(-100))
        log_q = np.maximum(np.log1p(-p), p.dtype.type(-100))
    losses = -(y * log_p + (1 - y) * log_q)
    grad = (p - y) / np.maximum(p * (1 - p), p.dtype.type(1e-12))
    return _elementwise_loss(name, (tensor, wanted), losses, (grad, log_q - log_p), reduction)
