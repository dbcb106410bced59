"""Losses that compare two arrays element by element, fast: value and slopes in one pass, the sum in float64.

Each loss is a formula of one element: a type that names it and holds its parameter, and a function of (formula, x, target) that gives the loss and
its two slopes. One runner is compiled for each formula, because the type is part of its signature; so the formula is inlined, and the compiled
code can be cached, which functions passed as arguments would prevent.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import prange
from numba.extending import overload

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads
from . import scalars
from .logarithm import log, log1p_of_fraction

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "kl_div_log_target",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "poisson_nll_loss_log_input",
    "smooth_l1_loss",
    "soft_margin_loss",
]

BLOCK = 512  # elements whose losses wait in the first cache to be added up
CHUNK = 16384  # elements a task
CHEAP, COSTLY = 0.7, 2.0  # nanoseconds an element: moving it, an exponential or a logarithm


class Squared(NamedTuple):
    """(x - t)^2; the parameter is not used."""

    parameter: Any


class Absolute(NamedTuple):
    """|x - t|; the parameter is not used."""

    parameter: Any


class Smooth(NamedTuple):
    """(x - t)^2 / (2 beta) where |x - t| < beta, |x - t| - beta / 2 elsewhere; the parameter is beta."""

    parameter: Any


class Huber(NamedTuple):
    """(x - t)^2 / 2 where |x - t| < delta, delta (|x - t| - delta / 2) elsewhere; the parameter is delta."""

    parameter: Any


class OfProbability(NamedTuple):
    """Binary cross-entropy of a probability x; the parameter is not used."""

    parameter: Any


class OfLogit(NamedTuple):
    """Binary cross-entropy of a score x before the sigmoid; the parameter is not used."""

    parameter: Any


class Divergence(NamedTuple):
    """Kullback-Leibler divergence, x a logarithm and t a probability; the parameter is not used."""

    parameter: Any


class DivergenceOfLogarithms(NamedTuple):
    """Kullback-Leibler divergence, x and t both logarithms; the parameter is not used."""

    parameter: Any


class SoftMargin(NamedTuple):
    """log(1 + e^(-t x)) for t = 1 or -1; the parameter is not used."""

    parameter: Any


class Hinge(NamedTuple):
    """x for t = 1, max(0, margin - x) for t = -1; the parameter is the margin."""

    parameter: Any


class Poisson(NamedTuple):
    """x - t log(x + eps), x a rate; the parameter is eps."""

    parameter: Any


class PoissonOfLogarithm(NamedTuple):
    """e^x - t x, x the logarithm of a rate; the parameter is not used."""

    parameter: Any


@kernel
def _squared(formula, x, target):
    d = x - target
    return d * d, d + d, -(d + d)


@kernel
def _sign(d):
    kind = type(d)
    return kind(kind(d > 0) - kind(d < 0))


@kernel
def _absolute(formula, x, target):
    d = x - target
    sign = _sign(d)
    return abs(d), sign, -sign


@kernel
def _smooth(formula, x, target):
    beta = formula.parameter
    d = x - target
    size = abs(d)
    inside = size < beta
    slope = d / beta if inside else _sign(d)
    half = type(d)(0.5)
    return half * d * d / beta if inside else size - half * beta, slope, -slope


@kernel
def _huber(formula, x, target):
    delta = formula.parameter
    d = x - target
    size = abs(d)
    inside = size <= delta
    slope = d if inside else delta * _sign(d)
    half = type(d)(0.5)
    return half * d * d if inside else delta * (size - half * delta), slope, -slope


@kernel
def _softplus(x):
    """(max(x, 0), log(1 + e^-|x|), sigmoid(x)) from the exponential that cannot overflow; the sum of the first two is log(1 + e^x)."""
    one, zero = type(x)(1), type(x)(0)
    small = scalars.exp(-abs(x))
    # Not max: NaN goes through the logarithm.
    return (x if x > zero else zero), log1p_of_fraction(small), (one if x > zero else small) / (one + small)


@kernel
def _of_probability(formula, x, target):
    kind = type(x)
    least, variance, one = kind(-100), kind(1e-12), kind(1)
    log_p, log_q = log(x), log(one - x)
    log_p = least if log_p < least else log_p
    log_q = least if log_q < least else log_q
    spread = x * (one - x)
    spread = variance if spread < variance else spread
    return -(target * log_p + (one - target) * log_q), (x - target) / spread, log_q - log_p


@kernel(fastmath=scalars.EXACT_ORDER)  # the large terms cancel first
def _of_logit(formula, x, target):
    zero = type(x)(0)
    _, rest, sigmoid = _softplus(x)
    return (type(x)(1) - target) * x + (-x if x < zero else zero) + rest, sigmoid - target, -x


@kernel
def _divergence(formula, x, target):
    log_p = log(target)
    return (target if target == 0 else target * log_p) - target * x, -target, log_p + type(x)(1) - x


@kernel
def _divergence_of_logarithms(formula, x, target):
    p = scalars.exp(target)
    loss = p * (target - x)
    return loss, -p, loss + p


@kernel
def _soft_margin(formula, x, target):
    part, rest, sigmoid = _softplus(-x * target)
    return part + rest, -target * sigmoid, -x * sigmoid


@kernel
def _hinge(formula, x, target):
    zero, one = type(x)(0), type(x)(1)
    gap = formula.parameter - x
    like, unlike = (zero, zero), (zero, zero)
    if target != -one:
        like = (x, one)
    if target != one:
        unlike = (zero, zero) if gap < zero else (gap, -one)
    return like[0] + unlike[0], like[1] + unlike[1], zero


@kernel
def _poisson(formula, x, target):
    count = x + formula.parameter
    logarithm = log(count)
    return x - target * logarithm, type(x)(1) - target / count, -logarithm


@kernel
def _poisson_of_logarithm(formula, x, target):
    count = scalars.exp(x)
    return count - target * x, count - target, -x


FORMULAS = {
    Squared: _squared,
    Absolute: _absolute,
    Smooth: _smooth,
    Huber: _huber,
    OfProbability: _of_probability,
    OfLogit: _of_logit,
    Divergence: _divergence,
    DivergenceOfLogarithms: _divergence_of_logarithms,
    SoftMargin: _soft_margin,
    Hinge: _hinge,
    Poisson: _poisson,
    PoissonOfLogarithm: _poisson_of_logarithm,
}


def evaluate(formula, x, target):
    """(loss, slope by x, slope by target) of one element."""
    return FORMULAS[type(formula)](formula, x, target)


@overload(evaluate)
def _evaluate(formula, x, target):
    function = FORMULAS[formula.instance_class]
    return lambda formula, x, target: function(formula, x, target)


@kernel
def _sum(losses):
    total = 0.0
    for i in range(losses.size):
        total += losses[i]
    return total


@kernel
def _chunk(formula, x, target, scale, losses, grad_x, grad_target, first, end):
    """The sum of the losses from `first` to `end`. What is not wanted goes to scratch memory that never leaves the cache."""
    spare = np.empty(BLOCK, x.dtype)
    spare_x = np.empty(BLOCK, x.dtype)
    spare_target = np.empty(BLOCK, x.dtype)
    total = 0.0
    for start in range(first, end, BLOCK):
        stop = min(start + BLOCK, end)
        count = stop - start
        a, b = x[start:stop], target[start:stop]
        loss = losses[start:stop] if losses.size else spare[:count]
        if grad_x.size or grad_target.size:
            slope_x = grad_x[start:stop] if grad_x.size else spare_x[:count]
            slope_target = grad_target[start:stop] if grad_target.size else spare_target[:count]
            for i in range(count):
                value, by_x, by_target = evaluate(formula, a[i], b[i])
                loss[i] = value
                slope_x[i] = by_x * scale
                slope_target[i] = by_target * scale
        else:
            for i in range(count):
                loss[i] = evaluate(formula, a[i], b[i])[0]
        total += _sum(loss)
    return total


@kernel
def _serial(formula, x, target, scale, losses, grad_x, grad_target, totals):
    for task in range(totals.size):
        first = task * CHUNK
        totals[task] = _chunk(formula, x, target, scale, losses, grad_x, grad_target, first, min(first + CHUNK, x.size))


@kernel(parallel=True)
def _parallel(formula, x, target, scale, losses, grad_x, grad_target, totals):
    for task in prange(totals.size):
        first = task * CHUNK
        totals[task] = _chunk(formula, x, target, scale, losses, grad_x, grad_target, first, min(first + CHUNK, x.size))


def _run(formula, nanoseconds, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    kind = x.dtype.type
    losses, grad_x, grad_target = (
        memory.empty(x.shape if wanted else (0,), x.dtype) for wanted in (losses_wanted, grad_x_wanted, grad_target_wanted)
    )
    totals = np.zeros(-(-x.size // CHUNK))
    run = _parallel if x.size * nanoseconds > SERIAL_BELOW and get_num_threads() > 1 else _serial
    run(
        formula(kind(parameter)), x.reshape(-1), target.reshape(-1), kind(scale),
        losses.reshape(-1), grad_x.reshape(-1), grad_target.reshape(-1), totals,
    )  # fmt: skip
    return float(totals.sum()), losses, grad_x, grad_target


def mse_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """(x - target)^2."""
    return _run(Squared, CHEAP, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def l1_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """|x - target|."""
    return _run(Absolute, CHEAP, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def smooth_l1_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; d = x - target, beta = parameter."""
    return _run(Smooth, CHEAP, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def huber_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2); d = x - target, delta = parameter."""
    return _run(Huber, CHEAP, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def binary_cross_entropy(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """-(y log p + (1 - y) log(1 - p)), logarithms at least -100; p = x, y = target."""
    return _run(OfProbability, COSTLY, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def binary_cross_entropy_with_logits(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """(1 - y) z + log(1 + e^-z); z = x, y = target."""
    return _run(OfLogit, COSTLY, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def kl_div(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """p (log p - x), 0 log 0 being 0; p = target."""
    return _run(Divergence, COSTLY, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def kl_div_log_target(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """e^target (target - x)."""
    return _run(DivergenceOfLogarithms, COSTLY, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def soft_margin_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """log(1 + e^(-x y)); y = target."""
    return _run(SoftMargin, COSTLY, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def hinge_embedding_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """x where target is 1, max(0, margin - x) where it is -1, both where it is neither; margin = parameter."""
    return _run(Hinge, CHEAP, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def poisson_nll_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """x - target log(x + eps); eps = parameter."""
    return _run(Poisson, COSTLY, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def poisson_nll_loss_log_input(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """e^x - target x."""
    return _run(PoissonOfLogarithm, COSTLY, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)
