"""The three oldest activations, whose gradients are told by their outputs. The others: rectifiers, smooth_activation, softmax."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor

__all__ = ["relu", "sigmoid", "tanh"]


def _elementwise(name: str, input: Any) -> Tensor:
    """An activation whose gradient is told by its output: y = f(x), grad_x = f_grad_x(grad, y)."""
    tensor = float_tensor(name, "input", input)
    x = contiguous(tensor.data)
    y = kernels.select(name, x)(x)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select(name + "_grad_x", x)(contiguous(grad), y),)

    return record(name, y, (tensor,), backward)


@operator(
    family="activation",
    kernels=("relu", "relu_grad_x"),
    differentiable=("input",),
    kinks="zero, where the derivative is taken as 0",
    method=True,
)
def relu(input: Any, inplace: bool = False) -> Tensor:
    """Cut negative numbers off at zero.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[i] = max(0, input[i]); grad_input[i] = grad[i] if input[i] > 0 else 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    inplace : bool
        Accepted for PyTorch's sake; the result is always a new tensor.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    At zero the derivative jumps; 0 is taken, as in PyTorch, TensorFlow and Caffe. NaN stays NaN.

    References
    ----------
    Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann machines", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.relu([-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 2.0]
    """
    return _elementwise("relu", input)


@operator(family="activation", kernels=("tanh", "tanh_grad_x"), differentiable=("input",), method=True)
def tanh(input: Any) -> Tensor:
    """The hyperbolic tangent, element by element.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = (e^x - e^-x) / (e^x + e^-x); grad_input = grad (1 - y^2).

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    float32 is a polynomial within 3 units in the last place; float64 the C library's.

    References
    ----------
    LeCun et al. 1998, "Efficient BackProp", section 4.4.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.tanh([0.0]).tolist()
    [0.0]
    """
    return _elementwise("tanh", input)


@operator(family="activation", kernels=("sigmoid", "sigmoid_grad_x"), differentiable=("input",), method=True)
def sigmoid(input: Any) -> Tensor:
    """Squash numbers into the interval from 0 to 1.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = 1 / (1 + e^-x); grad_input = grad y (1 - y), which is at most a quarter of grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    Computed from e^-|x|, so nothing overflows and small results keep their digits.

    References
    ----------
    Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", equation 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.sigmoid([0.0, -1000.0]).tolist()
    [0.5, 0.0]
    """
    return _elementwise("sigmoid", input)
