"""Losses of scores for classes of which one is right."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import is_grad_enabled, record
from ..errors import ArgumentError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, contiguous, float_tensor, one_of, same_dtype
from ._losses import REDUCTIONS, class_axis, class_weights, labels_of, real, reduced, scaled, whole_sum
from .elementwise import mul, neg
from .elementwise import pow as power
from .index import gather
from .reduction import sum as total
from .softmax import log_softmax
from .unary import expm1

__all__ = ["cross_entropy", "focal_loss", "nll_loss"]


def _reduction(
    losses: np.ndarray, counts: np.ndarray, shape: tuple[int, ...], reduction: str, kept: bool = True
) -> tuple[np.ndarray, float | None]:
    """The value that losses (N, P) reduce to, and what the gradient of each is multiplied by; None where each has its own."""
    if reduction == "none":
        return losses.reshape(shape), None
    divisor = whole_sum(counts) if reduction == "mean" else 1.0
    # The mean over nothing is NaN, as in torch: there is no right answer. Its gradient is 0 where no sample was kept.
    value = whole_sum(losses) / divisor if divisor else np.nan
    return np.asarray(value, losses.dtype), 1.0 / divisor if divisor else (np.nan if kept else 0.0)


@operator(
    family="loss", kernels=("softmax_cross_entropy", "soft_target_cross_entropy", "wrong_class"), differentiable=("input", "target")
)
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
    (N, C, d1, ...), (N, d1, ...) -> () or, with reduction "none", (N, d1, ...); (C,), () alike. A target of floats has input's shape.

    Formula
    -------
    q[k] = weight[k] ((1 - label_smoothing) t[k] + label_smoothing / C), t[k] = target[k], or [k = target] for class indices;
    loss = -sum_k q[k] log softmax(input)[k]; grad_input[k] = softmax(input)[k] sum_l q[l] - q[k], without smoothing and weights yhat - y.
    grad_target[k] = -weight[k] (1 - label_smoothing) log softmax(input)[k], for probabilities.
    The mean divides by the sum of weight[target]; for probabilities by the number of samples.

    Parameters
    ----------
    input : Tensor
        Scores (logits), float32 or float64: not probabilities.
    target : Tensor
        Class indices from 0 to C - 1 (whole numbers), or probabilities of the classes (floats of input's shape and dtype).
    weight : Tensor, optional
        One number a class.
    ignore_index : int
        Class indices of this value count neither in the sum nor in the mean; probabilities know no such index.
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
    tensor, target_shape, shape, classes = class_axis(name, input)
    one_of(name, "reduction", reduction, REDUCTIONS)
    smoothing = real(name, "label_smoothing", label_smoothing, "from 0 to 1", lambda x: 0 <= x <= 1)
    weights = class_weights(name, weight, classes, tensor)
    answer = as_tensor(target)
    logits = contiguous(tensor.data).reshape(shape)
    # Floats are probabilities where the shape says so; of another shape they are class indices in the wrong dtype.
    if answer.data.dtype.kind == "f" and answer.data.shape == tensor.data.shape:
        return _against_probabilities(name, tensor, answer, logits, weights, ignore_index, smoothing, reduction, target_shape)
    labels = labels_of(name, answer, target_shape, classes, ignore_index).reshape(shape[0], shape[2])
    # Where the divisor is known beforehand, the kernel divides the gradient by it in passing.
    known = weights is None and reduction == "mean"
    count = max(labels.size - int(np.count_nonzero(labels == ignore_index)), 1) if known else 1
    run = kernels.select("softmax_cross_entropy", logits)
    wanted = is_grad_enabled() and tensor.requires_grad
    losses, counts, grad_logits = run(logits, labels, weights, ignore_index, smoothing, 1.0 / count, wanted)
    value, scale = _reduction(losses, counts, target_shape, reduction, bool((labels != ignore_index).any()))
    scale = 1.0 if known else scale

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        factor = grad.reshape(losses.shape)[:, np.newaxis] if scale is None else losses.dtype.type(grad * scale)
        return (scaled(grad_logits, factor).reshape(tensor.data.shape),)

    return record(name, value, (tensor,), backward)


def _against_probabilities(
    name: str,
    tensor: Tensor,
    target: Tensor,
    logits: np.ndarray,
    weights: np.ndarray | None,
    ignore_index: int,
    smoothing: float,
    reduction: str,
    target_shape: tuple[int, ...],
) -> Tensor:
    target = float_tensor(name, "target", target)
    same_dtype(name, input=tensor, target=target)
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer) or ignore_index >= 0:
        raise ArgumentError(f"{name}: ignore_index {ignore_index!r} means nothing where target holds probabilities; leave it out")
    shares = contiguous(target.data).reshape(logits.shape)
    losses, grad_logits = kernels.select("soft_target_cross_entropy", logits)(logits, shares, weights, smoothing)
    value, scale = _reduction(losses, np.ones(losses.shape, losses.dtype), target_shape, reduction)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        factor = grad.reshape(losses.shape)[:, np.newaxis] if scale is None else losses.dtype.type(grad * scale)
        grad_input = scaled(grad_logits, factor).reshape(tensor.data.shape) if needs[0] else None
        if not needs[1]:
            return grad_input, None
        logarithms = kernels.select("log_softmax", logits)(logits)
        each = logarithms if weights is None else logarithms * weights[:, np.newaxis]
        return grad_input, (each * (factor * losses.dtype.type(smoothing - 1))).reshape(target.data.shape)

    return record(name, value, (tensor, target), backward, (tensor, target))


@operator(family="loss", kernels=("nll_loss", "nll_loss_grad_x", "wrong_class"), differentiable=("input",))
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
    tensor, target_shape, shape, classes = class_axis(name, input)
    one_of(name, "reduction", reduction, REDUCTIONS)
    labels = labels_of(name, target, target_shape, classes, ignore_index).reshape(shape[0], shape[2])
    weights = class_weights(name, weight, classes, tensor)
    scores = contiguous(tensor.data).reshape(shape)
    losses, counts = kernels.select("nll_loss", scores)(scores, labels, weights, ignore_index)
    value, scale = _reduction(losses, counts, target_shape, reduction)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(losses.shape) if scale is None else np.full(losses.shape, grad * scale, losses.dtype)
        grad_scores = kernels.select("nll_loss_grad_x", scores)(upstream, labels, weights, classes, ignore_index)
        return (grad_scores.reshape(tensor.data.shape),)

    return record(name, value, (tensor,), backward)


@operator(family="loss", kernels=("wrong_class",), differentiable=("input",))
def focal_loss(
    input: Any, target: Any, gamma: float = 2.0, alpha: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """The cross-entropy of the softmax with easy samples turned down.

    Shapes
    ------
    (N, C, d1, ...), (N, d1, ...) -> () or, with reduction "none", (N, d1, ...); (C,), () alike.

    Formula
    -------
    p = softmax(input)[target]; loss = -alpha[target] (1 - p)^gamma log p;
    grad_input[k] = alpha[target] (1 - p)^(gamma - 1) (gamma p log p + p - 1) ([k = target] - softmax(input)[k]).

    Parameters
    ----------
    input : Tensor
        Scores (logits), float32 or float64: not probabilities.
    target : Tensor of int64
        Class indices from 0 to C - 1.
    gamma : float
        How strongly easy samples are turned down; 0 gives `cross_entropy`.
    alpha : float or Tensor of C numbers, optional
        Factor of each class.
    ignore_index : int
        Targets of this value count neither in the sum nor in the mean.
    reduction : str
        "mean" (over the samples that count), "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If target does not fit. ArgumentError: a class that does not exist, an option out of range.

    Notes
    -----
    The paper's loss is of yes-or-no questions: that is torchvision's `sigmoid_focal_loss`, in `tinycnn.ops`. With alpha the mean still divides
    by the number of samples, while `cross_entropy` divides by the sum of the weights; the paper divides by the number of positive anchors:
    use "sum" for that.

    References
    ----------
    Lin et al. 2017, "Focal loss for dense object detection" (arXiv 1708.02002), equations 4 and 5.

    Examples
    --------
    >>> import tinycnn
    >>> round(tinycnn.functional.focal_loss([[0.0, 0.0]], [0]).item(), 4)  # 0.5^2 ln 2
    0.1733
    """
    name = "focal_loss"
    tensor, target_shape, shape, classes = class_axis(name, input)
    one_of(name, "reduction", reduction, REDUCTIONS)
    power_of_doubt = real(name, "gamma", gamma, "a number >= 0", lambda x: 0 <= x < np.inf)
    labels = labels_of(name, target, target_shape, classes, ignore_index).reshape(shape[0], 1, shape[2])
    kept = labels != ignore_index
    safe = np.where(kept, labels, 0)
    factors = kept.astype(tensor.dtype)
    if alpha is not None and not isinstance(alpha, int | float):
        factors = factors * class_weights(name, alpha, classes, tensor)[safe]  # type: ignore[index]
    elif alpha is not None:
        factors = factors * tensor.dtype.type(real(name, "alpha", alpha, "a number >= 0", lambda x: 0 <= x < np.inf))
    log_p = gather(log_softmax(tensor.reshape(shape), 1), 1, Tensor(safe))
    losses = neg(log_p)
    if power_of_doubt:
        losses = mul(power(neg(expm1(log_p)), power_of_doubt), losses)
    losses = mul(losses, Tensor(factors))
    if reduction == "mean":
        count = int(kept.sum())
        return total(losses) * (1.0 / count if count else np.nan)
    return reduced(losses.reshape(target_shape), reduction)
