"""Losses that are the negative logarithm of a likelihood, or the divergence of two distributions."""

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor, one_of, same_dtype
from ._losses import REDUCTIONS, broadcast_pairs, common_shape, elementwise, real, reduced
from .elementwise import add, div, mul, sub
from .shape import unsqueeze
from .unary import log, square

__all__ = ["gaussian_nll_loss", "kl_div", "poisson_nll_loss"]


@operator(family="loss", kernels=("kl_div", "kl_div_log_target"), differentiable=("input", "target"))
def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """The Kullback-Leibler divergence: how many nats the logarithms in input lose against the distribution in target.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*); they broadcast.

    Formula
    -------
    loss = p (log p - input), 0 log 0 being 0; grad_input = -p, grad_p = log p + 1 - input.
    With log_target: p = e^target, grad_target = p (target - input) + p.

    Parameters
    ----------
    input : Tensor
        Logarithms of probabilities, such as `log_softmax` gives.
    target : Tensor
        Probabilities p, or with log_target their logarithms.
    reduction : str
        "batchmean" (the sum divided by the size of the first axis: the divergence of the definition), "mean" (divided by the number of elements),
        "sum" or "none".
    log_target : bool
        Whether target holds logarithms.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        If they do not fit.

    Notes
    -----
    The names' order is torch's: kl_div(log q, p) is KL(p || q). "mean" is torch's default although it is not the divergence; TensorFlow's
    KLDivergence takes (p, q) without logarithms and is "batchmean". Where p < 0 the loss is NaN.

    References
    ----------
    Kullback and Leibler 1951, "On information and sufficiency". Hinton et al. 2015 (arXiv 1503.02531): distillation.

    Examples
    --------
    >>> import math, tinycnn
    >>> round(tinycnn.functional.kl_div([[math.log(0.5)] * 2], [[1.0, 0.0]], reduction="batchmean").item(), 4)  # ln 2
    0.6931
    """
    inputs = broadcast_pairs("kl_div", input, target, reduction, (*REDUCTIONS, "batchmean"))
    return elementwise("kl_div", inputs, reduction, kernel="kl_div_log_target" if log_target else "kl_div")


@operator(family="loss", kernels=("poisson_nll_loss", "poisson_nll_loss_log_input"), differentiable=("input", "target"))
def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: str = "mean"
) -> Tensor:
    """The negative log-likelihood of counts under a Poisson distribution.

    Shapes
    ------
    (*), (*) -> () or, with reduction "none", (*); they broadcast.

    Formula
    -------
    log_input: loss = e^z - y z, grad_z = e^z - y; else loss = z - y log(z + eps), grad_z = 1 - y / (z + eps).
    full adds y log y - y + log(2 pi y) / 2 where y > 1, Stirling's log y!.

    Parameters
    ----------
    input : Tensor
        The logarithm z of the expected count, or without log_input the expected count itself.
    target : Tensor
        Counts y.
    log_input, full : bool
        See the formula.
    eps : float
        Added before the logarithm, above 0.
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
    Without full the term log y! is left out, which does not depend on input.

    References
    ----------
    Bishop 2006, "Pattern Recognition and Machine Learning", section 2.4 (exponential family).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.poisson_nll_loss([0.0], [3.0]).item()
    1.0
    """
    name = "poisson_nll_loss"
    z, y = broadcast_pairs(name, input, target, reduction)
    little = real(name, "eps", eps, "a number >= 0", lambda x: 0 <= x < math.inf)
    kernel = "poisson_nll_loss_log_input" if log_input else "poisson_nll_loss"
    if not full:
        return elementwise(name, (z, y), reduction, little, kernel)
    return reduced(add(elementwise(name, (z, y), "none", little, kernel), _stirling(y)), reduction)


def _stirling(y: Tensor) -> Tensor:
    """log y! by Stirling's formula where y > 1, else 0."""
    kind = y.data.dtype.type
    many = Tensor((y.data > 1).astype(y.data.dtype))
    counts = add(mul(y, many), Tensor(kind(1) - many.data))  # 1 where the formula is not used
    stirling = add(sub(mul(counts, log(counts)), counts), mul(log(mul(counts, 2 * math.pi)), 0.5))
    return mul(stirling, many)


def _variance(name: str, var: Any, like: Tensor) -> Tensor:
    """The variances, shaped so that they broadcast to input: one each, one for each row, or one for all."""
    if isinstance(var, int | float) and not isinstance(var, bool):
        var = np.full(like.data.shape, var, like.data.dtype)
    tensor = float_tensor(name, "var", var)
    same_dtype(name, input=like, var=tensor)
    shape, own = like.data.shape, tensor.data.shape
    if bool((tensor.data < 0).any()):
        raise ArgumentError(f"{name}: var goes down to {tensor.data.min():g}, but a variance is never negative; pass the variance, not its logarithm")
    if own == shape:
        return tensor
    if own == shape[:-1]:
        return unsqueeze(tensor, -1)
    if len(own) == len(shape) and sum(b for a, b in zip(shape, own, strict=True) if a != b) == 1:
        return tensor
    raise ShapeError(f"{name}: var has shape {own}; it must be {shape} as input, {shape[:-1]}, or input's with one axis of size 1")


@operator(family="loss", differentiable=("input", "target", "var"))
def gaussian_nll_loss(input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> Tensor:
    """The negative log-likelihood of numbers under normal distributions whose means and variances are predicted.

    Shapes
    ------
    (N, *), (N, *), (N, *) -> () or, with reduction "none", (N, *)

    Formula
    -------
    With v = max(var, eps): loss = (log v + (input - target)^2 / v) / 2 [+ log(2 pi) / 2 with full];
    grad_input = (input - target) / v, grad_var = (1 / v - (input - target)^2 / v^2) / 2, through the maximum as if it were not there.

    Parameters
    ----------
    input : Tensor
        Predicted means.
    target : Tensor
        What was observed.
    var : Tensor or float
        Predicted variances, not below 0: input's shape, that without the last axis, that with one axis of size 1, or one number.
    full : bool
        Add the constant.
    eps : float
        The least variance, above 0.
    reduction : str
        "mean", "sum" or "none".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: a negative variance, an option out of range.

    Notes
    -----
    The maximum passes the gradient, as in torch: a variance below eps can grow again.

    References
    ----------
    Nix and Weigend 1994, "Estimating the mean and variance of the target probability distribution".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.gaussian_nll_loss([[1.0]], [[3.0]], [[1.0]]).item()
    2.0
    """
    name = "gaussian_nll_loss"
    one_of(name, "reduction", reduction, REDUCTIONS)
    least = real(name, "eps", eps, "a number > 0", lambda x: 0 < x < math.inf)
    mean, wanted = float_tensor(name, "input", input), float_tensor(name, "target", target)
    same_dtype(name, input=mean, target=wanted)
    common_shape(name, input=mean.data, target=wanted.data)
    variance = _variance(name, var, mean)
    lift = np.maximum(mean.data.dtype.type(least) - variance.data, mean.data.dtype.type(0))
    lifted = add(variance, Tensor(lift))
    losses = mul(add(log(lifted), div(square(sub(mean, wanted)), lifted)), 0.5)
    return reduced(add(losses, 0.5 * math.log(2 * math.pi)) if full else losses, reduction)
