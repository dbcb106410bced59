"""What activations share: numbers checked, and a kernel of one array made differentiable."""

import numbers
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor


def number(operator: str, argument: str, value: Any) -> Any:
    """A real number, infinity and NaN among them, as it is: fractions stay exact."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ArgumentError(f"{operator}: {argument} must be a number, not {value!r}")
    try:
        float(value)
    except OverflowError:
        raise ArgumentError(f"{operator}: {argument} is larger than every float64 number; give one below 1.8e308") from None
    return value


def mapped(operator: str, input: Any, *options: Any, kernel: str = "") -> Tensor:
    """y = f(x, options) element by element, with grad_x = f_grad_x(grad, x, options)."""
    name = kernel or operator
    tensor = float_tensor(operator, "input", input)
    x = contiguous(tensor.data)
    with np.errstate(over="ignore"):  # options beyond float32 become infinite
        y = kernels.select(name, x)(x, *options)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        with np.errstate(over="ignore"):
            return (kernels.select(name + "_grad_x", x)(contiguous(grad), x, *options),)

    return record(operator, y, (tensor,), backward, saved=(tensor,))
