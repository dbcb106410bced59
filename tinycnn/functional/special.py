"""The error function, logarithms to other bases, remainders, and sums of exponentials, element by element.

Outside a function's domain the result is nan or inf without a warning, as in torch.
"""

import importlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor
from ._arrays import Gradient, binary
from .elementwise import div
from .unary import _apply, _of_whole

__all__ = [
    "erf",
    "erfc",
    "exp2",
    "floor_divide",
    "fmod",
    "frac",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "remainder",
    "rsqrt",
    "trunc",
    "xlogy",
]

BOTH = ("input", "other")


@operator(family="elementwise", differentiable=("input",), method=True)
def erf(input: Any) -> Tensor:
    """The error function: how much of a Gaussian bell lies within the element's distance, times its sign.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = (2 / sqrt(pi)) integral from 0 to input of e^(-t^2) dt; grad_input = grad (2 / sqrt(pi)) e^(-input^2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.erf([0.0]).tolist()
    [0.0]
    """
    return _apply("erf", float_tensor("erf", "input", input), _scipy("erf"), lambda x, y: x.dtype.type(2 / math.sqrt(math.pi)) * np.exp(-x * x))


@operator(family="elementwise", differentiable=("input",), method=True)
def erfc(input: Any) -> Tensor:
    """One minus the error function, exact where that is nearly 1.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = 1 - erf(input); grad_input = -grad (2 / sqrt(pi)) e^(-input^2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.erfc([0.0]).tolist()
    [1.0]
    """
    return _apply("erfc", float_tensor("erfc", "input", input), _scipy("erfc"), lambda x, y: x.dtype.type(-2 / math.sqrt(math.pi)) * np.exp(-x * x))


@operator(family="elementwise", differentiable=("input",), method=True)
def exp2(input: Any) -> Tensor:
    """Two to the power of every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = 2^input; grad_input = grad y ln 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.exp2([0.0, 3.0]).tolist()
    [1.0, 8.0]
    """
    return _apply("exp2", float_tensor("exp2", "input", input), np.exp2, lambda x, y: y * y.dtype.type(math.log(2)))


@operator(family="elementwise", differentiable=("input",), kinks="0", method=True)
def log2(input: Any) -> Tensor:
    """The logarithm of every element to base 2; -inf at zero, nan below.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ln(input) / ln 2; grad_input = grad / (input ln 2).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.log2([8.0, 0.0]).tolist()
    [3.0, -inf]
    """
    return _apply("log2", float_tensor("log2", "input", input), np.log2, lambda x, y: 1 / (x * x.dtype.type(math.log(2))))


@operator(family="elementwise", differentiable=("input",), kinks="0", method=True)
def log10(input: Any) -> Tensor:
    """The logarithm of every element to base 10; -inf at zero, nan below.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = ln(input) / ln 10; grad_input = grad / (input ln 10).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.log10([100.0, 0.0]).tolist()
    [2.0, -inf]
    """
    return _apply("log10", float_tensor("log10", "input", input), _log10, lambda x, y: 1 / (x * x.dtype.type(math.log(10))))


@operator(family="elementwise", differentiable=("input",), kinks="0", method=True)
def rsqrt(input: Any) -> Tensor:
    """One divided by the square root of every element; inf at zero, nan below.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = 1 / sqrt(input); grad_input = -grad y^3 / 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.rsqrt([4.0, 0.0]).tolist()
    [0.5, inf]
    """
    return _apply("rsqrt", float_tensor("rsqrt", "input", input), lambda x: 1 / np.sqrt(x), lambda x, y: y.dtype.type(-0.5) * y * y * y)


@operator(family="elementwise", differentiable=("input",), kinks="whole numbers", method=True)
def trunc(input: Any) -> Tensor:
    """The whole number next to every element on the way to zero.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = sign(input) floor(|input|); grad_input = 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.trunc([1.5, -1.5]).tolist()
    [1.0, -1.0]
    """
    return _apply("trunc", as_tensor(input), _of_whole(np.trunc), None)


@operator(family="elementwise", differentiable=("input",), kinks="whole numbers", method=True)
def frac(input: Any) -> Tensor:
    """What every element has beyond `trunc`.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input - trunc(input); grad_input = grad.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.frac([1.5, -1.25]).tolist()
    [0.5, -0.25]
    """
    return _apply("frac", float_tensor("frac", "input", input), lambda x: x - np.trunc(x), lambda x, y: np.ones_like(x))


@operator(family="elementwise", differentiable=BOTH, kinks="multiples of other", method=True)
def fmod(input: Any, other: Any) -> Tensor:
    """What a division leaves, with the sign of the first tensor (C's rule).

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input - q other, q = trunc(input / other); grad_input = grad, grad_other = -grad q.

    Raises
    ------
    ArgumentError
        For a whole number by zero; floats give nan. DtypeError: bool.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.fmod([-7.0, 7.0], 3).tolist()
    [-1.0, 1.0]
    """
    return binary("fmod", _left(np.fmod, "fmod"), input, other, _pass, _left_gradient(np.trunc))


@operator(family="elementwise", differentiable=BOTH, kinks="multiples of other", method=True, alias=("__mod__",))
def remainder(input: Any, other: Any) -> Tensor:
    """What a division leaves, with the sign of the second tensor (Python's rule).

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input - q other, q = floor(input / other); grad_input = grad, grad_other = -grad q.

    Raises
    ------
    ArgumentError
        For a whole number by zero; floats give nan. DtypeError: bool.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.remainder([-7.0, 7.0], 3).tolist()
    [2.0, 1.0]
    """
    return binary("remainder", _left(np.remainder, "remainder"), input, other, _pass, _left_gradient(np.floor))


@operator(family="elementwise", differentiable=BOTH, kinks="multiples of other", method=True, alias=("__floordiv__",))
def floor_divide(input: Any, other: Any) -> Tensor:
    """The quotient rounded down: `div` with rounding_mode "floor".

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = floor(input / other); both gradients are 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.floor_divide([-7.0, 7.0], 3).tolist()
    [-3.0, 2.0]
    """
    return div(input, other, rounding_mode="floor")


@operator(family="elementwise", differentiable=BOTH, method=True)
def logaddexp(input: Any, other: Any) -> Tensor:
    """The logarithm of the sum of two exponentials, without overflow.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = ln(e^input + e^other); grad_input = grad e^(input - y), grad_other = grad e^(other - y).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.logaddexp([1000.0], [-1000.0]).tolist()
    [1000.0]
    """
    return float_binary("logaddexp", np.logaddexp, input, other, lambda g, a, b, y: g * np.exp(a - y), lambda g, a, b, y: g * np.exp(b - y))


@operator(family="elementwise", differentiable=BOTH, method=True)
def logaddexp2(input: Any, other: Any) -> Tensor:
    """`logaddexp` to base 2.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = log2(2^input + 2^other); grad_input = grad 2^(input - y), grad_other = grad 2^(other - y).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.logaddexp2([3.0], [3.0]).tolist()
    [4.0]
    """
    return float_binary("logaddexp2", np.logaddexp2, input, other, lambda g, a, b, y: g * np.exp2(a - y), lambda g, a, b, y: g * np.exp2(b - y))


@operator(family="elementwise", differentiable=BOTH, kinks="other = 0", method=True)
def xlogy(input: Any, other: Any) -> Tensor:
    """The first tensor times the logarithm of the second, 0 where the first is 0: a term of an entropy.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input ln(other), 0 where input = 0 and other is not nan;
    grad_input = grad ln(other), 0 where input = 0 and other <= 0; grad_other = grad input / other.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.xlogy([0.0, 2.0], [0.0, 1.0]).tolist()
    [0.0, 0.0]
    """
    return float_binary("xlogy", _entropy_term, input, other, _entropy_gradient, lambda g, a, b, y: g * (a / b))


def float_binary(
    name: str, function: Callable[[Any, Any], Any], input: Any, other: Any, gradient_input: Gradient, gradient_other: Gradient
) -> Tensor:
    """`binary` of a function that is defined on floats alone, without warnings; whole tensors are refused."""
    plain = (int, float)
    first = input if type(input) in plain and type(other) not in plain else float_tensor(name, "input", input)
    second = other if type(other) in plain else float_tensor(name, "other", other)
    return binary(name, _quiet(function), first, second, _quiet(gradient_input), _quiet(gradient_other))


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function without NumPy's warnings."""

    def quiet(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arguments)

    return quiet


def _scipy(name: str) -> Callable[[np.ndarray], Any]:
    """A function of scipy.special, imported when it is first called: `import tinycnn` stays quick."""
    return lambda x: getattr(importlib.import_module("scipy.special"), name)(x)


def _log10(x: np.ndarray) -> Any:
    """Through float64, so that powers of ten have whole logarithms in float32 too."""
    return np.log10(x, dtype=np.float64).astype(x.dtype) if x.dtype == np.float32 else np.log10(x)


def _entropy_term(a: Any, b: Any) -> Any:
    return np.where(np.equal(a, 0) & ~np.isnan(b), np.zeros_like(np.log(b)), a * np.log(b))


def _entropy_gradient(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return grad * np.where(np.equal(a, 0) & (b <= 0), y.dtype.type(0), np.log(b))


def _left(function: Callable[[Any, Any], Any], name: str) -> Callable[[Any, Any], Any]:
    """A remainder that refuses what integers cannot answer."""

    def left(a: Any, b: Any) -> Any:
        kind = (a if isinstance(a, np.ndarray) else np.asarray(b)).dtype.kind
        if kind == "b":
            raise DtypeError(f"{name}: bool has no remainders; convert with .int() or .float()")
        if kind in "iu" and np.any(np.equal(b, 0)):
            raise ArgumentError(f"{name}: a whole number by zero leaves nothing that is defined; use .float() for nan")
        with np.errstate(all="ignore"):
            return function(a, b)

    return left


def _pass(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return grad


def _left_gradient(rounded: Callable[[Any], Any]) -> Gradient:
    return _quiet(lambda grad, a, b, y: -grad * rounded(a / b))


def _rmod(self: Tensor, other: Any) -> Tensor:
    return remainder(other, self)


def _rfloordiv(self: Tensor, other: Any) -> Tensor:
    return floor_divide(other, self)


for _name, _function in {"rmod": _rmod, "rfloordiv": _rfloordiv}.items():
    setattr(Tensor, f"__{_name}__", _function)
