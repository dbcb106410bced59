"""Functions of one tensor, element by element: NumPy's values, and the derivative of each.

`abs`, `sign`, `square` and the roundings take whole numbers too; the others are defined on float32 and float64. Outside
a function's domain the result is nan or inf without a warning, as in torch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor, whole
from ._arrays import as_array

__all__ = ["abs", "ceil", "cos", "exp", "expm1", "floor", "log", "log1p", "round", "sign", "sin", "sqrt", "square"]

LARGEST_EXPONENT = 308  # of ten, in float64

# The derivative of a function at x, where its value is y.
Derivative = Callable[[np.ndarray, np.ndarray], np.ndarray]


@operator(
    family="elementwise", differentiable=("input",), kinks="0, where the gradient is 0", method=True, alias=("__abs__",)
)
def abs(input: Any) -> Tensor:
    """The distance of every element from zero.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = |input|; grad_input = grad sign(input), which is 0 at 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.abs([-2.0, 3.0]).tolist()
    [2.0, 3.0]
    """
    return _apply("abs", as_tensor(input), np.abs, lambda x, y: np.sign(x))


@operator(family="elementwise", differentiable=("input",), kinks="0", method=True)
def sign(input: Any) -> Tensor:
    """-1, 0 or 1 by the sign of every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = [input > 0] - [input < 0]; grad_input = 0.

    Notes
    -----
    The sign of nan is nan, as in NumPy; torch says 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.sign([-2.0, 0.0, 3.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return _apply("sign", as_tensor(input), np.sign, None)


@operator(family="elementwise", differentiable=("input",), method=True)
def square(input: Any) -> Tensor:
    """Every element times itself.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input^2; grad_input = 2 grad input.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.square([1.0, -3.0]).tolist()
    [1.0, 9.0]
    """
    return _apply("square", as_tensor(input), np.square, lambda x, y: 2 * x)


@operator(family="elementwise", differentiable=("input",), kinks="0, where the slope is infinite", method=True)
def sqrt(input: Any) -> Tensor:
    """The square root of every element; nan below zero.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = sqrt(input); grad_input = grad / (2 y).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.sqrt([4.0, 9.0]).tolist()
    [2.0, 3.0]
    """
    return _apply("sqrt", float_tensor("sqrt", "input", input), np.sqrt, lambda x, y: 0.5 / y)


@operator(family="elementwise", differentiable=("input",), method=True)
def exp(input: Any) -> Tensor:
    """e to the power of every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = e^input; grad_input = grad y.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.exp([0.0, 1000.0]).tolist()
    [1.0, inf]
    """
    return _apply("exp", float_tensor("exp", "input", input), np.exp, lambda x, y: y)


@operator(family="elementwise", differentiable=("input",), kinks="0", method=True)
def log(input: Any) -> Tensor:
    """The natural logarithm of every element; -inf at zero, nan below.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ln(input); grad_input = grad / input.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.log([1.0, 0.0]).tolist()
    [0.0, -inf]
    """
    return _apply("log", float_tensor("log", "input", input), np.log, lambda x, y: np.reciprocal(x))


@operator(family="elementwise", differentiable=("input",), kinks="-1", method=True)
def log1p(input: Any) -> Tensor:
    """The natural logarithm of one plus every element, exact where elements are tiny.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ln(1 + input); grad_input = grad / (1 + input).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.log1p([0.0, -1.0]).tolist()
    [0.0, -inf]
    """
    return _apply("log1p", float_tensor("log1p", "input", input), np.log1p, lambda x, y: np.reciprocal(1 + x))


@operator(family="elementwise", differentiable=("input",), method=True)
def expm1(input: Any) -> Tensor:
    """e to the power of every element, minus one, exact where elements are tiny.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = e^input - 1; grad_input = grad (y + 1).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.expm1([0.0]).tolist()
    [0.0]
    """
    return _apply("expm1", float_tensor("expm1", "input", input), np.expm1, lambda x, y: y + 1)


@operator(family="elementwise", differentiable=("input",), method=True)
def sin(input: Any) -> Tensor:
    """The sine of every element, in radians.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = sin(input); grad_input = grad cos(input).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.sin([0.0]).tolist()
    [0.0]
    """
    return _apply("sin", float_tensor("sin", "input", input), np.sin, lambda x, y: np.cos(x))


@operator(family="elementwise", differentiable=("input",), method=True)
def cos(input: Any) -> Tensor:
    """The cosine of every element, in radians.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = cos(input); grad_input = -grad sin(input).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.cos([0.0]).tolist()
    [1.0]
    """
    return _apply("cos", float_tensor("cos", "input", input), np.cos, lambda x, y: -np.sin(x))


@operator(family="elementwise", differentiable=("input",), kinks="whole numbers", method=True)
def floor(input: Any) -> Tensor:
    """The largest whole number not above every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = floor(input); grad_input = 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.floor([1.5, -1.5]).tolist()
    [1.0, -2.0]
    """
    return _apply("floor", as_tensor(input), _of_whole(np.floor), None)


@operator(family="elementwise", differentiable=("input",), kinks="whole numbers", method=True)
def ceil(input: Any) -> Tensor:
    """The smallest whole number not below every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ceil(input); grad_input = 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.ceil([1.5, -1.5]).tolist()
    [2.0, -1.0]
    """
    return _apply("ceil", as_tensor(input), _of_whole(np.ceil), None)


@operator(family="elementwise", differentiable=("input",), kinks="halves", method=True)
def round(input: Any, *, decimals: int = 0) -> Tensor:
    """The whole number nearest to every element, halves to the even one; or the multiple of 10^-decimals.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = round(input 10^decimals) / 10^decimals; grad_input = 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.round([0.5, 1.5, 2.4]).tolist()
    [0.0, 2.0, 2.0]
    """
    if whole("round", "decimals", decimals, -LARGEST_EXPONENT) > LARGEST_EXPONENT:
        raise ArgumentError(f"round: decimals {decimals} is beyond {LARGEST_EXPONENT}, where 10^decimals overflows; use a smaller one")
    return _apply("round", as_tensor(input), _of_whole(lambda x: np.round(x, decimals)), None)


def _of_whole(function: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], Any]:
    """A rounding that leaves whole numbers as they are, in their own dtype."""
    return lambda x: x.copy() if x.dtype.kind in "iu" else function(x)


def _apply(name: str, tensor: Tensor, function: Callable[[np.ndarray], Any], derivative: Derivative | None) -> Tensor:
    """The function of every element; its derivative, None for zero, is asked for when a gradient comes."""
    x = tensor.data
    if x.dtype == np.bool_:
        raise DtypeError(f"{name}: input is bool, which has no arithmetic; convert with .int() or .float()")
    with np.errstate(all="ignore"):
        y = as_array(function(x))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        if derivative is None:
            return (np.zeros_like(grad),)
        with np.errstate(all="ignore"):
            return (grad * derivative(x, y),)

    return record(name, y, (tensor,), backward, () if derivative is None else (tensor,))
