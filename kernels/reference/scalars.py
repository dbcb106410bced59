"""The small vocabulary that reference kernels are written in beside + - * / and comparisons.

The same loops run on floats, on `fractions.Fraction` and on traced numbers that remember their sources: an object with a method of the
function's name answers for itself, a plain number goes to the math module.
"""

import math
from typing import Any

import numpy as np


def zero_of(x: np.ndarray) -> Any:
    """The zero that an accumulator over elements of `x` starts from: of x's own dtype, or the exact integer 0 for objects."""
    return 0 if x.dtype == object else x.dtype.type(0)


def empty_like_shape(shape: tuple[int, ...], x: np.ndarray) -> np.ndarray:
    """An array of the given shape with the element type of `x`, every element zero."""
    array = np.empty(shape, x.dtype)
    array.fill(zero_of(x))
    return array


def _apply(name: str, value: Any) -> Any:
    own = getattr(value, name, None)
    if own is not None:
        return own()
    result = getattr(math, name)(value)
    return type(value)(result) if isinstance(value, np.floating) else result


def exp(value: Any) -> Any:
    """e to the power of the value; infinity beyond the largest float."""
    try:
        return _apply("exp", value)
    except OverflowError:
        return type(value)(math.inf)


def log(value: Any) -> Any:
    """The natural logarithm; minus infinity at zero."""
    return type(value)(-math.inf) if isinstance(value, float | np.floating) and value == 0 else _apply("log", value)


def sqrt(value: Any) -> Any:
    """The square root."""
    return _apply("sqrt", value)


def tanh(value: Any) -> Any:
    """The hyperbolic tangent."""
    return _apply("tanh", value)


def erf(value: Any) -> Any:
    """The error function."""
    return _apply("erf", value)


def logistic(value):
    """1 / (1 + e^-value), from the exponential that cannot overflow."""
    if value < 0:
        small = exp(value)
        return small / (1 + small)
    return 1 / (1 + exp(-value))
