"""What the normalisations share: sums in the widest type, mean and variance, and the affine step after them."""

import numpy as np

from .scalars import logistic, sqrt

__all__: list[str] = []


def wide(array):
    """Floats as float64, so that a definition's own rounding never decides; objects as they are, and None as None."""
    return array if array is None or array.dtype == object else array.astype(np.float64)


def moments(values):
    """(mean, biased variance) of a sequence of numbers, in two passes."""
    total = 0
    for value in values:
        total = total + value
    mean = total / len(values)
    squares = 0
    for value in values:
        squares = squares + (value - mean) * (value - mean)
    return mean, squares / len(values)


def inverse_root(value):
    """1 / sqrt(value), infinite at zero."""
    root = sqrt(value)
    return 1 / root if root != 0 else np.float64(np.inf)


def finish(value, weight, bias, channel):
    """value weight[channel] + bias[channel], where there are such."""
    if weight is not None:
        value = value * weight[channel]
    return value if bias is None else value + bias[channel]


def activated(value, activation):
    """The value after the activation, or as it is if that is None: "relu" and "relu6" cut, and keep NaN."""
    if activation in ("relu", "relu6"):
        return value * 0 if value <= 0 else value * 0 + 6 if activation == "relu6" and value >= 6 else value
    if activation == "silu":
        return value * logistic(value)
    if activation == "hardswish":
        return value * 0 if value <= -3 else value if value >= 3 else value * (value + 3) / 6
    return value


def narrow(array, x):
    """The result in the element type of `x`."""
    return array if array.dtype == x.dtype else array.astype(x.dtype)


def like(shape, x):
    """An array for results computed in the wide type."""
    array = np.empty(shape, object if x.dtype == object else np.float64)
    array.fill(0)
    return array
