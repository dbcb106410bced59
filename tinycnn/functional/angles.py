"""Trigonometric and hyperbolic functions and their inverses, element by element: NumPy's values, and the derivative of each.

Outside a function's domain the result is nan or inf without a warning, as in torch.
"""

from typing import Any

import numpy as np

from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor
from .special import float_binary
from .unary import _apply

__all__ = ["acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cosh", "hypot", "sinh", "tan"]


@operator(family="elementwise", differentiable=("input",), method=True)
def tan(input: Any) -> Tensor:
    """The tangent of every element, in radians.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = tan(input); grad_input = grad (1 + y^2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.tan([0.0]).tolist()
    [0.0]
    """
    return _apply("tan", float_tensor("tan", "input", input), np.tan, lambda x, y: 1 + y * y)


@operator(family="elementwise", differentiable=("input",), kinks="-1 and 1, where the slope is infinite", method=True)
def asin(input: Any) -> Tensor:
    """The angle between -pi / 2 and pi / 2 whose sine is the element; nan outside -1 .. 1.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = asin(input); grad_input = grad / sqrt(1 - input^2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.asin([0.0]).tolist()
    [0.0]
    """
    return _apply("asin", float_tensor("asin", "input", input), np.arcsin, lambda x, y: 1 / np.sqrt(1 - x * x))


@operator(family="elementwise", differentiable=("input",), kinks="-1 and 1, where the slope is infinite", method=True)
def acos(input: Any) -> Tensor:
    """The angle between 0 and pi whose cosine is the element; nan outside -1 .. 1.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = acos(input); grad_input = -grad / sqrt(1 - input^2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.acos([1.0]).tolist()
    [0.0]
    """
    return _apply("acos", float_tensor("acos", "input", input), np.arccos, lambda x, y: -1 / np.sqrt(1 - x * x))


@operator(family="elementwise", differentiable=("input",), method=True)
def atan(input: Any) -> Tensor:
    """The angle between -pi / 2 and pi / 2 whose tangent is the element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = atan(input); grad_input = grad / (1 + input^2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.atan([0.0]).tolist()
    [0.0]
    """
    return _apply("atan", float_tensor("atan", "input", input), np.arctan, lambda x, y: 1 / (1 + x * x))


@operator(family="elementwise", differentiable=("input",), method=True)
def sinh(input: Any) -> Tensor:
    """The hyperbolic sine of every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = (e^input - e^-input) / 2; grad_input = grad cosh(input).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.sinh([0.0]).tolist()
    [0.0]
    """
    return _apply("sinh", float_tensor("sinh", "input", input), np.sinh, lambda x, y: np.cosh(x))


@operator(family="elementwise", differentiable=("input",), method=True)
def cosh(input: Any) -> Tensor:
    """The hyperbolic cosine of every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = (e^input + e^-input) / 2; grad_input = grad sinh(input).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.cosh([0.0]).tolist()
    [1.0]
    """
    return _apply("cosh", float_tensor("cosh", "input", input), np.cosh, lambda x, y: np.sinh(x))


@operator(family="elementwise", differentiable=("input",), method=True)
def asinh(input: Any) -> Tensor:
    """The number whose hyperbolic sine is the element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ln(input + sqrt(input^2 + 1)); grad_input = grad / sqrt(input^2 + 1).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.asinh([0.0]).tolist()
    [0.0]
    """
    return _apply("asinh", float_tensor("asinh", "input", input), np.arcsinh, lambda x, y: 1 / np.sqrt(x * x + 1))


@operator(family="elementwise", differentiable=("input",), kinks="1, where the slope is infinite", method=True)
def acosh(input: Any) -> Tensor:
    """The number from 0 up whose hyperbolic cosine is the element; nan below 1.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ln(input + sqrt(input^2 - 1)); grad_input = grad / sqrt(input^2 - 1).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.acosh([1.0]).tolist()
    [0.0]
    """
    return _apply("acosh", float_tensor("acosh", "input", input), np.arccosh, lambda x, y: 1 / np.sqrt(x * x - 1))


@operator(family="elementwise", differentiable=("input",), kinks="-1 and 1, where the value is infinite", method=True)
def atanh(input: Any) -> Tensor:
    """The number whose hyperbolic tangent is the element; nan outside -1 .. 1.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ln((1 + input) / (1 - input)) / 2; grad_input = grad / (1 - input^2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.atanh([0.0]).tolist()
    [0.0]
    """
    return _apply("atanh", float_tensor("atanh", "input", input), np.arctanh, lambda x, y: 1 / (1 - x * x))


@operator(
    family="elementwise", differentiable=("input", "other"), kinks="the origin, and the jump at input = 0, other < 0", method=True
)
def atan2(input: Any, other: Any) -> Tensor:
    """The angle of the point (other, input) against the first axis, between -pi and pi.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = the angle with tan(y) = input / other in the quadrant of the point; with r = input^2 + other^2:
    grad_input = grad other / r, grad_other = -grad input / r, both 0 at the origin.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.atan2([0.0, 0.0], [1.0, 2.0]).tolist()
    [0.0, 0.0]
    """
    return float_binary("atan2", np.arctan2, input, other, _angle_gradient_height, _angle_gradient_width)


@operator(family="elementwise", differentiable=("input", "other"), kinks="the origin, where the gradient is nan", method=True)
def hypot(input: Any, other: Any) -> Tensor:
    """The length of the longest side of a right triangle, from the other two, without overflow.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = sqrt(input^2 + other^2); grad_input = grad input / y, grad_other = grad other / y.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.hypot([3.0], [4.0]).tolist()
    [5.0]
    """
    return float_binary("hypot", np.hypot, input, other, lambda g, a, b, y: g * (a / y), lambda g, a, b, y: g * (b / y))


def _angle_gradient_height(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    r = a * a + b * b
    return grad * np.where(r == 0, y.dtype.type(0), b / r)


def _angle_gradient_width(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    r = a * a + b * b
    return grad * np.where(r == 0, y.dtype.type(0), -a / r)
