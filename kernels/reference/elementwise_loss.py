"""Losses that compare two arrays element by element: value and both slopes, as their definitions say.

Every kernel has one signature, NAME(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted), and returns

    total        the sum of the losses
    losses       each loss, in x's shape
    grad_x       scale times the derivative of each loss by its x
    grad_target  scale times the derivative of each loss by its target

where an array that is not wanted has no elements. `parameter` is the loss's own number, such as beta; 0 where it has none.
"""

import numpy as np

from .scalars import empty_like_shape, exp, log, zero_of

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

LEAST_LOG = -100  # torch's: a probability of zero costs 100, not infinity
LEAST_VARIANCE = 1e-12  # of p (1 - p) in the slope


def _run(formula, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """`formula(x, target, parameter)` gives (loss, slope by x, slope by target) of one element."""
    losses, grad_x, grad_target = (
        empty_like_shape(x.shape if wanted else (0,), x) for wanted in (losses_wanted, grad_x_wanted, grad_target_wanted)
    )
    total = zero_of(x)
    for i in np.ndindex(x.shape):
        loss, slope_x, slope_target = formula(x[i], target[i], parameter)
        total = total + loss if x.dtype == object else float(total) + float(loss)
        if losses_wanted:
            losses[i] = loss
        if grad_x_wanted:
            grad_x[i] = scale * slope_x
        if grad_target_wanted:
            grad_target[i] = scale * slope_target
    return total, losses, grad_x, grad_target


def _sign(value):
    return value - value if value == 0 or value != value else value / abs(value)


def _squared(x, target, parameter):
    return (x - target) * (x - target), 2 * (x - target), -2 * (x - target)


def _absolute(x, target, parameter):
    return abs(x - target), _sign(x - target), -_sign(x - target)


def _smooth(x, target, beta):
    d = x - target
    slope = d / beta if abs(d) < beta else _sign(d)
    return d * d / (2 * beta) if abs(d) < beta else abs(d) - beta / 2, slope, -slope


def _huber(x, target, delta):
    d = x - target
    slope = d if abs(d) <= delta else delta * _sign(d)
    return d * d / 2 if abs(d) <= delta else delta * (abs(d) - delta / 2), slope, -slope


def _softplus(x):
    """log(1 + e^x), and its slope, the sigmoid."""
    small = exp(-abs(x))
    return (x if x > 0 else x - x) + log(1 + small), (1 if x > 0 else small) / (1 + small)


def _cross_entropy_of_probability(p, y, parameter):
    log_p, log_q = max(log(p), LEAST_LOG), max(log(1 - p), LEAST_LOG)
    return -(y * log_p + (1 - y) * log_q), (p - y) / max(p * (1 - p), LEAST_VARIANCE), log_q - log_p


def _cross_entropy_of_logit(z, y, parameter):
    value, sigmoid = _softplus(-z)
    return (1 - y) * z + value, 1 - sigmoid - y, -z


def _divergence(x, p, parameter):
    return (p * log(p) if p != 0 else p) - p * x, -p, log(p) + 1 - x


def _divergence_of_logarithms(x, log_p, parameter):
    p = exp(log_p)
    return p * (log_p - x), -p, p * (log_p - x) + p


def _soft_margin(x, y, parameter):
    value, sigmoid = _softplus(-x * y)
    return value, -y * sigmoid, -x * sigmoid


def _hinge(x, y, margin):
    gap = margin - x
    unlike = (gap - gap, x - x) if gap < 0 else (gap, -1 + x - x)
    return (x if y != -1 else 0) + (unlike[0] if y != 1 else 0), (1 if y != -1 else 0) + (unlike[1] if y != 1 else 0), x - x


def _poisson(x, y, eps):
    return x - y * log(x + eps), 1 - y / (x + eps), -log(x + eps)


def _poisson_of_logarithm(x, y, parameter):
    return exp(x) - y * x, exp(x) - y, -x


def mse_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """(x - target)^2."""
    return _run(_squared, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def l1_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """|x - target|."""
    return _run(_absolute, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def smooth_l1_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2; d = x - target, beta = parameter."""
    return _run(_smooth, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def huber_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2); d = x - target, delta = parameter."""
    return _run(_huber, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def binary_cross_entropy(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """-(y log p + (1 - y) log(1 - p)), logarithms at least -100; p = x, y = target."""
    return _run(_cross_entropy_of_probability, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def binary_cross_entropy_with_logits(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """(1 - y) z + log(1 + e^-z); z = x, y = target."""
    return _run(_cross_entropy_of_logit, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def kl_div(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """p (log p - x), 0 log 0 being 0; p = target."""
    return _run(_divergence, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def kl_div_log_target(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """e^target (target - x)."""
    return _run(_divergence_of_logarithms, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def soft_margin_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """log(1 + e^(-x y)); y = target."""
    return _run(_soft_margin, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def hinge_embedding_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """x where target is 1, max(0, margin - x) where it is -1, both where it is neither; margin = parameter."""
    return _run(_hinge, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def poisson_nll_loss(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """x - target log(x + eps); eps = parameter."""
    return _run(_poisson, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)


def poisson_nll_loss_log_input(x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted):
    """e^x - target x."""
    return _run(_poisson_of_logarithm, x, target, parameter, scale, losses_wanted, grad_x_wanted, grad_target_wanted)
