"""Rectifiers: activations that treat positive and negative numbers differently. At 0 they take the slope below it."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..random import default_generator
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, same_dtype
from ._arrays import as_array
from ._elementwise_map import mapped, number

__all__ = ["leaky_relu", "prelu", "relu6", "rrelu"]


@operator(family="rectifiers", kernels=("relu6", "relu6_grad_x"), differentiable=("input",), kinks="0 and 6, where the derivative is taken as 0")
def relu6(input: Any, inplace: bool = False) -> Tensor:
    """Cut numbers off below zero and above six.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = min(max(input, 0), 6); grad_input = grad where 0 < input < 6, else 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    DtypeError
        For integers.

    Notes
    -----
    Six leaves fixed-point arithmetic its fraction bits. The derivative is 0 at both corners, as in PyTorch. NaN stays NaN.

    References
    ----------
    Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10".
    Howard et al. 2017, "MobileNets", for low-precision robustness.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.relu6([-1.0, 3.0, 8.0]).tolist()
    [0.0, 3.0, 6.0]
    """
    return mapped("relu6", input)


@operator(family="rectifiers", kernels=("leaky_relu", "leaky_relu_grad_x"), differentiable=("input",), kinks="0, where the slope below it is taken")
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Let a small part of negative numbers through.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y = input where input > 0, else negative_slope input; grad_input = grad where input > 0, else negative_slope grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    negative_slope : float
        The slope below zero.
    inplace : bool
        Accepted and changes nothing.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If negative_slope is no number. DtypeError: integers.

    Notes
    -----
    TensorFlow's default slope is 0.2, Keras' 0.3 (0.2 for its layer of old), ONNX's and PyTorch's 0.01.

    References
    ----------
    Maas, Hannun and Ng 2013, "Rectifier nonlinearities improve neural network acoustic models", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.leaky_relu([-1.0, 2.0], 0.25).tolist()
    [-0.25, 2.0]
    """
    return mapped("leaky_relu", input, number("leaky_relu", "negative_slope", negative_slope))


@operator(
    family="rectifiers",
    kernels=("prelu", "prelu_grad_x", "prelu_grad_weight"),
    differentiable=("input", "weight"),
    kinks="0, where the slope below it is taken",
    method=True,
)
def prelu(input: Any, weight: Any) -> Tensor:
    """Let a learnt part of negative numbers through, one slope for all or one a channel.

    Shapes
    ------
    (N, C, *), (C,) or (1,) -> (N, C, *)

    Formula
    -------
    y[n, c, i] = input[n, c, i] where that is > 0, else weight[c] input[n, c, i];
    grad_input[n, c, i] = grad[n, c, i] where input > 0, else weight[c] grad[n, c, i];
    grad_weight[c] = sum over n, i with input <= 0 of grad[n, c, i] input[n, c, i].

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    weight : Tensor
        One number, or one for each channel (axis 1).

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If weight has more than one axis, or neither one number nor one a channel. DtypeError: integers, or two dtypes.

    Notes
    -----
    The paper starts the slopes at 0.25. Keras has one slope an element unless `shared_axes` says otherwise.

    References
    ----------
    He et al. 2015, "Delving deep into rectifiers", section 2.1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.prelu([[-1.0, -1.0]], [0.25, 0.5]).tolist()
    [[-0.25, -0.5]]
    """
    tensor, slopes = float_tensor("prelu", "input", input), float_tensor("prelu", "weight", weight)
    same_dtype("prelu", input=tensor, weight=slopes)
    shape, sizes = tensor.data.shape, slopes.data.shape
    channels = shape[1] if len(shape) > 1 else 1
    if len(sizes) > 1 or (slopes.data.size not in (1, channels)):
        raise ShapeError(f"prelu: weight has shape {sizes}; input {shape} has {channels} channels, so give 1 or {channels} numbers along one axis")
    many = slopes.data.size > 1
    middle = (shape[0], channels, math.prod(shape[2:])) if many or not slopes.data.size else (1, 1, tensor.data.size)
    x, w = contiguous(tensor.data).reshape(middle), contiguous(slopes.data).reshape(-1)
    y = kernels.select("prelu", x)(x, w)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(middle)
        grad_x = kernels.select("prelu_grad_x", x)(upstream, x, w).reshape(shape) if needs[0] else None
        return grad_x, kernels.select("prelu_grad_weight", x)(upstream, x).reshape(sizes) if needs[1] else None

    return record("prelu", y.reshape(shape), (tensor, slopes), backward, saved=(tensor, slopes))


@operator(family="rectifiers", kernels=("leaky_relu", "leaky_relu_grad_x"), differentiable=("input",), kinks="0, where the slope below it is taken")
def rrelu(
    input: Any,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: np.random.Generator | None = None,
    return_slopes: bool = False,
) -> Any:
    """Let a random part of negative numbers through in training, and the mean part in evaluation.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    slope[i] is drawn uniformly between lower and upper in training where input[i] <= 0, is (lower + upper) / 2 in evaluation, and 1 where
    input[i] > 0;
    y = slope input; grad_input = slope grad.

    Parameters
    ----------
    input : Tensor
        float32 or float64, any shape.
    lower, upper : float
        The range of the slopes.
    training : bool
        Draw; False takes the mean slope.
    inplace : bool
        Accepted and changes nothing.
    generator : numpy.random.Generator, optional
        Where slopes are drawn from; the package's generator if left out.
    return_slopes : bool
        Also give the slope of every element.

    Returns
    -------
    Tensor, or (Tensor, Tensor) where `return_slopes`

    Raises
    ------
    ArgumentError
        If lower or upper is no finite number, or lower is larger. DtypeError: integers.

    Notes
    -----
    In evaluation this is `leaky_relu` with the mean slope.

    References
    ----------
    Xu et al. 2015, "Empirical evaluation of rectified activations in convolution network", section 2.4.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.rrelu([-4.0, 2.0], 0.25, 0.75).tolist()
    [-2.0, 2.0]
    """
    low, high = (float(number("rrelu", argument, value)) for argument, value in (("lower", lower), ("upper", upper)))
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ArgumentError(f"rrelu: slopes from lower={lower!r} to upper={upper!r} make no range; give two finite numbers, the smaller one first")
    tensor = float_tensor("rrelu", "input", input)
    x = tensor.data
    if not training and not return_slopes:
        return mapped("rrelu", tensor, (low + high) / 2, kernel="leaky_relu")
    drawn = default_generator(generator).random(x.shape) * (high - low) + low if training else (low + high) / 2
    slopes = np.asarray(np.where(x <= 0, drawn, 1), x.dtype)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (as_array(grad * slopes),)

    y = record("rrelu", as_array(x * slopes), (tensor,), backward)
    return (y, Tensor(slopes)) if return_slopes else y
