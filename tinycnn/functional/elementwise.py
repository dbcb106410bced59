"""Arithmetic of two tensors, element by element, with broadcasting.

Shapes are compared from the right and sizes of 1 stretch; the gradient of a stretched operand is the sum over what it
was stretched to. dtypes follow torch: Python and 0-d numbers never widen a tensor, two float tensors give the wider
type, whole numbers stay whole but for true division, and have no gradient. As in torch, a division by zero gives inf or
nan without a warning; sums and products, where silence would cost as much as the work, keep NumPy's warnings of
overflow.
"""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, one_of
from ._arrays import as_array, binary

__all__ = ["add", "div", "mul", "neg", "pow", "reciprocal", "sub"]

BOTH = ("input", "other")


@operator(family="elementwise", differentiable=BOTH, method=True, alias=("__add__",))
def add(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Add two tensors, the second one scaled by `alpha`.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input + alpha other; grad_input = grad, grad_other = alpha grad.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.add([1.0, 2.0], 10.0).tolist()
    [11.0, 12.0]
    """
    if alpha != 1:
        other = mul(other, alpha)
    return binary("add", np.add, input, other, _pass, _pass, reads_operands=False)


@operator(family="elementwise", differentiable=BOTH, method=True, alias=("__sub__",))
def sub(input: Any, other: Any, *, alpha: float = 1) -> Tensor:
    """Subtract the second tensor, scaled by `alpha`, from the first.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input - alpha other; grad_input = grad, grad_other = -alpha grad.

    Raises
    ------
    DtypeError
        For two tensors of bool, as in torch: use logical operators or convert.

    Examples
    --------
    >>> import tinycnn
    >>> (1 - tinycnn.tensor([0.25, 0.5])).tolist()
    [0.75, 0.5]
    """
    if alpha != 1:
        other = mul(other, alpha)
    try:
        return binary("sub", np.subtract, input, other, _pass, _negate, reads_operands=False)
    except TypeError:
        raise DtypeError("sub: bool minus bool has no meaning; use logical_not, ne, or convert with .int()") from None


@operator(family="elementwise", differentiable=BOTH, method=True, alias=("__mul__",))
def mul(input: Any, other: Any) -> Tensor:
    """Multiply two tensors element by element.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input other; grad_input = grad other, grad_other = grad input.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.mul([[1.0], [2.0]], [3.0, 4.0]).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    return binary("mul", np.multiply, input, other, _times_b, _times_a)


@operator(family="elementwise", differentiable=BOTH, kinks="other = 0", method=True, alias=("__truediv__",))
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """Divide the first tensor by the second; whole numbers give float32, or whole numbers where the quotient is rounded.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input / other; grad_input = grad / other, grad_other = -grad y / other. Rounded, both gradients are 0.

    Parameters
    ----------
    input, other : Tensor
        Numbers of any dtype.
    rounding_mode : None, "trunc" or "floor"
        Round the quotient towards zero, or down as Python's // does.

    Notes
    -----
    By zero: inf, -inf or nan, as IEEE 754 says, silently.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.div([1.0, -1.0], [4.0, 0.0]).tolist()
    [0.25, -inf]
    """
    if rounding_mode is None:
        return binary("div", _quotient, input, other, _over_b, _quotient_gradient_b)
    rounded = {"trunc": _truncated_quotient, "floor": _floored_quotient}[one_of("div", "rounding_mode", rounding_mode, ("trunc", "floor"))]
    return binary("div", rounded, input, other, _nothing, _nothing, reads_operands=False)


@operator(family="elementwise", differentiable=("input",), method=True, alias=("__neg__",))
def neg(input: Any) -> Tensor:
    """Change the sign of every element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = -input; grad_input = -grad.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.neg([1.0, -2.0]).tolist()
    [-1.0, 2.0]
    """
    tensor = as_tensor(input)
    if tensor.data.dtype == np.bool_:
        raise DtypeError("neg: input is bool, which has no sign; use logical_not, or convert with .int()")

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (-grad,)

    return record("neg", as_array(-tensor.data), (tensor,), backward)


@operator(
    family="elementwise",
    differentiable=("input", "exponent"),
    kinks="input = 0 with exponents below 1",
    method=True,
    alias=("__pow__",),
)
def pow(input: Any, exponent: Any) -> Tensor:
    """Raise every element to a power; base and exponent may be tensors or numbers.

    Shapes
    ------
    (*), (*) -> their broadcast shape

    Formula
    -------
    y = input ^ exponent; grad_input = grad exponent input ^ (exponent - 1), and 0 where exponent = 0;
    grad_exponent = grad y log(input), and 0 where input = 0 and exponent >= 0.

    Raises
    ------
    ArgumentError
        For whole numbers to a negative power, which would not be whole.

    Notes
    -----
    A negative base to a fraction is nan, as in torch.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.pow([1.0, 2.0, 3.0], 2).tolist()
    [1.0, 4.0, 9.0]
    >>> (2 ** tinycnn.tensor([3.0])).tolist()
    [8.0]
    """
    return binary("pow", _power, input, exponent, _power_gradient_base, _power_gradient_exponent)


@operator(family="elementwise", differentiable=("input",), kinks="input = 0", method=True)
def reciprocal(input: Any) -> Tensor:
    """One divided by every element; whole numbers give float32.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = 1 / input; grad_input = -grad y^2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.reciprocal([2.0, 4.0]).tolist()
    [0.5, 0.25]
    """
    return div(1.0, input)


# Forward functions that NumPy does not have as they are wanted


def _quotient(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        if isinstance(a, np.ndarray) and a.dtype.kind in "biu":
            return np.divide(a, b, dtype=np.float32, casting="unsafe")
        return np.divide(a, b)


def _floored_quotient(a: Any, b: Any) -> Any:
    _refuse_whole_by_zero(a, b)
    with np.errstate(all="ignore"):
        return np.floor_divide(a, b)


def _truncated_quotient(a: Any, b: Any) -> Any:
    _refuse_whole_by_zero(a, b)
    with np.errstate(all="ignore"):
        if np.result_type(a, b).kind == "f":
            return np.trunc(np.divide(a, b))
        down = np.floor_divide(a, b)
        return down + ((down < 0) & (down * b != a))


def _refuse_whole_by_zero(a: Any, b: Any) -> None:
    if np.result_type(a, b).kind != "f" and np.any(np.equal(b, 0)):
        raise ArgumentError("div: a whole number divided by 0 has no whole quotient; use .float() first, which gives inf or nan")


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, np.ndarray) and a.dtype.kind in "biu":
        if a.dtype.kind == "b":
            raise DtypeError("pow: bool has no powers; convert with .int() or .float()")
        if np.any(b < 0):
            raise ArgumentError("pow: a whole number to a negative power is not whole; use .float() first")
    if type(b) in (int, float) and b == 2:
        return np.square(a)
    with np.errstate(all="ignore"):
        # The operator, not np.power: it knows square roots and reciprocals.
        return a**b


# Gradients, each a function of the upstream gradient, both operands and the result


def _pass(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return grad


def _nothing(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return np.zeros_like(grad)


def _negate(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return -grad


def _times_a(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return grad * a


def _times_b(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return grad * b


def _over_b(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    return _quotient(grad, b)


def _quotient_gradient_b(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return -grad * (y / b)


def _power_gradient_base(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    if type(b) in (int, float) and b == 2:
        return grad * (2 * a)
    with np.errstate(all="ignore"):
        slope = b * a ** (b - 1)
        return grad * np.where(np.equal(b, 0), grad.dtype.type(0), slope)


def _power_gradient_exponent(grad: np.ndarray, a: Any, b: Any, y: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        slope = y * np.log(a, dtype=y.dtype)
        return grad * np.where(np.equal(a, 0) & (b >= 0), grad.dtype.type(0), slope)


# The other side of each operator: `1 - tensor` asks the tensor, with itself first


def _radd(self: Tensor, other: Any) -> Tensor:
    return add(other, self)


def _rsub(self: Tensor, other: Any) -> Tensor:
    return sub(other, self)


def _rmul(self: Tensor, other: Any) -> Tensor:
    return mul(other, self)


def _rtruediv(self: Tensor, other: Any) -> Tensor:
    return div(other, self)


def _rpow(self: Tensor, other: Any) -> Tensor:
    return pow(other, self)


for _name, _function in {"radd": _radd, "rsub": _rsub, "rmul": _rmul, "rtruediv": _rtruediv, "rpow": _rpow}.items():
    setattr(Tensor, f"__{_name}__", _function)
