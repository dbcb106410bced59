"""Activations: the non-linearities between layers, and softmax."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor

__all__ = ["log_softmax", "relu", "sigmoid", "softmax", "tanh"]


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


def _along(name: str, input: Any, dim: int) -> Tensor:
    """A function of the classes along one axis, on (outer, classes, inner)."""
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    axes = max(tensor.data.ndim, 1)
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer) or not -axes <= dim < axes:
        raise ArgumentError(f"{name}: dim {dim!r} is not a whole number from {-axes} to {axes - 1}, the axes of a tensor of shape {shape}")
    axis = int(dim) % axes
    full = shape or (1,)
    middle = (int(np.prod(full[:axis])), full[axis], int(np.prod(full[axis + 1 :])))
    x = contiguous(tensor.data).reshape(middle)
    y = kernels.select(name, x)(x)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select(name + "_grad_x", x)(contiguous(grad).reshape(middle), y).reshape(shape),)

    return record(name, y.reshape(shape), (tensor,), backward)


def _dim_given(name: str, dim: int | None) -> int:
    if dim is None:
        raise ArgumentError(f"{name}: dim is not given; name the axis that holds the classes, for (N, C) or (N, C, H, W) dim=1")
    return dim


@operator(family="activation", kernels=("softmax", "softmax_grad_x"), differentiable=("input",), method=True)
def softmax(input: Any, dim: int | None = None) -> Tensor:
    """Turn scores into probabilities that add up to one along an axis.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[k] = e^x[k] / sum_l e^x[l]; grad_x[k] = y[k] (grad[k] - sum_l grad[l] y[l]).

    Parameters
    ----------
    input : Tensor
        float32 or float64 scores.
    dim : int
        The axis of the classes.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If `dim` is left out or no axis. DtypeError: integers.

    Notes
    -----
    The largest score is subtracted first, so that nothing overflows. PyTorch guesses a missing `dim` with a warning; here it is an error.

    References
    ----------
    Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.softmax([[0.0, 0.0]], dim=1).tolist()
    [[0.5, 0.5]]
    """
    return _along("softmax", input, _dim_given("softmax", dim))


@operator(family="activation", kernels=("log_softmax", "log_softmax_grad_x"), differentiable=("input",), method=True)
def log_softmax(input: Any, dim: int | None = None) -> Tensor:
    """The logarithm of `softmax`, computed without taking the logarithm of a rounded probability.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[k] = x[k] - log sum_l e^x[l]; grad_x[k] = grad[k] - e^y[k] sum_l grad[l].

    Parameters
    ----------
    input : Tensor
        float32 or float64 scores.
    dim : int
        The axis of the classes.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If `dim` is left out or no axis. DtypeError: integers.

    Notes
    -----
    log(softmax(x)) is minus infinity where a probability underflows; this is not.

    References
    ----------
    Blanchard, Higham and Higham 2021, "Accurately computing the log-sum-exp and softmax functions", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.log_softmax([[0.0, -1000.0]], dim=1).tolist()
    [[0.0, -1000.0]]
    """
    return _along("log_softmax", input, _dim_given("log_softmax", dim))
