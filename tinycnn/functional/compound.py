"""Arithmetic on three tensors, and running products."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import record
from ..errors import ArgumentError, DtypeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor, same_dtype
from ._arrays import axis
from .conversion import converted
from .elementwise import add, div, mul, sub

__all__ = ["addcdiv", "addcmul", "cumprod", "lerp"]

THREE = ("input", "tensor1", "tensor2")


@operator(family="elementwise", differentiable=THREE, method=True)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Add the scaled product of two tensors.

    Shapes
    ------
    (*), (*), (*) -> their broadcast shape

    Formula
    -------
    y = input + value tensor1 tensor2; grad_input = grad, grad_tensor1 = value grad tensor2, grad_tensor2 = value grad tensor1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.addcmul([1.0], [2.0], [3.0], value=10).tolist()
    [61.0]
    """
    return _compound("addcmul", mul, input, tensor1, tensor2, value)


@operator(family="elementwise", differentiable=THREE, kinks="tensor2 = 0", method=True)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
    """Add the scaled quotient of two tensors.

    Shapes
    ------
    (*), (*), (*) -> their broadcast shape

    Formula
    -------
    y = input + value tensor1 / tensor2; grad_input = grad, grad_tensor1 = value grad / tensor2,
    grad_tensor2 = -value grad tensor1 / tensor2^2.

    Raises
    ------
    DtypeError
        For whole numbers, whose quotients are not whole.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.addcdiv([1.0], [6.0], [3.0], value=10).tolist()
    [21.0]
    """
    first, second = as_tensor(tensor1), as_tensor(tensor2)
    if "f" not in first.dtype.kind + second.dtype.kind + as_tensor(input).dtype.kind and first.dtype.kind != "O":
        raise DtypeError(f"addcdiv: tensor1 is {first.dtype} and tensor2 {second.dtype}, whose quotients are not whole; use .float()")
    return _compound("addcdiv", div, input, first, second, value)


@operator(family="elementwise", differentiable=("input", "end", "weight"), method=True)
def lerp(input: Any, end: Any, weight: Any) -> Tensor:
    """A straight line from one tensor to another: the start for weight 0, the end for weight 1.

    Shapes
    ------
    (*), (*), () or (*) -> their broadcast shape

    Formula
    -------
    y = input + weight (end - input); grad_input = grad (1 - weight), grad_end = grad weight, grad_weight = grad (end - input).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.lerp([0.0, 10.0], [10.0, 20.0], 0.25).tolist()
    [2.5, 12.5]
    """
    start, stop = float_tensor("lerp", "input", input), float_tensor("lerp", "end", end)
    same_dtype("lerp", input=start, end=stop)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        weight = float_tensor("lerp", "weight", weight)
        if weight.ndim:
            same_dtype("lerp", input=start, weight=weight)
    return add(start, mul(sub(stop, start), weight))


@operator(family="reduction", differentiable=("input",), method=True)
def cumprod(input: Any, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Running products along an axis; whole numbers and bools give int64; `dtype` converts first.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[i] = prod_{j <= i} input[j]; grad_input[j] = (prod_{k < j} input[k]) r[j] with r[j] = grad[j] + input[j + 1] r[j + 1]: without a division,
    so that zeros are no exception.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.cumprod([2.0, 3.0, 4.0], 0).tolist()
    [2.0, 6.0, 24.0]
    """
    tensor = converted(as_tensor(input), dtype)
    x = tensor.data
    along = axis("cumprod", dim, x.ndim)
    if x.dtype.kind in "biu":
        return Tensor(np.asarray(np.cumprod(x, axis=along, dtype=np.int64)) if x.ndim else x.astype(np.int64))
    if not x.ndim:
        return record("cumprod", x.copy(), (tensor,), lambda grad, needs: (grad,))
    with np.errstate(all="ignore"):
        y = np.cumprod(x, axis=along)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream, factors, products = (np.moveaxis(array, along, 0) for array in (grad, x, y))
        grad_x = np.empty_like(upstream)
        with np.errstate(all="ignore"):
            rest = np.zeros_like(upstream[0]) if len(upstream) else None
            for j in range(len(upstream) - 1, -1, -1):
                rest = upstream[j] + (factors[j + 1] * rest if j + 1 < len(upstream) else 0)
                grad_x[j] = rest * products[j - 1] if j else rest
        return (np.moveaxis(grad_x, 0, along),)

    return record("cumprod", y, (tensor,), backward, (tensor,))


def _compound(name: str, function: Any, input: Any, tensor1: Any, tensor2: Any, value: Any) -> Tensor:
    """input + value function(tensor1, tensor2)."""
    if not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentError(f"{name}: value must be a number, not {value!r}")
    start, first, second = as_tensor(input), as_tensor(tensor1), as_tensor(tensor2)
    if isinstance(value, float) and "f" not in start.dtype.kind + first.dtype.kind + second.dtype.kind and start.dtype.kind != "O":
        raise DtypeError(f"{name}: value={value!r} must be whole for tensors of {start.dtype}; use .float()")
    middle = function(first, second)
    return add(start, middle if value == 1 else mul(middle, value))
