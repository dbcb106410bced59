"""Layer and RMS normalisation: the last axes of each sample by themselves."""

import math
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autograd import record
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, hashable, same_dtype
from ._statistics import Option, check_rows, checked, epsilon, optional, shape_of, trailing

__all__ = ["layer_norm", "rms_norm"]


class Rows(NamedTuple):
    """How an input is normalised."""

    sizes: tuple[int, ...]  # of the last axes
    blocks: tuple[int, int]  # (R, D): how many rows, and of how many numbers


@plan_cache
def _rows(
    name: str, shape: tuple[int, ...], normalized_shape: Any, weight: tuple[int, ...] | None, bias: tuple[int, ...] | None, eps: Option
) -> Rows:
    """Raises before any work if anything does not fit."""
    sizes = trailing(name, shape, normalized_shape)
    for argument, given in (("weight", weight), ("bias", bias)):
        if given is not None:
            check_rows(name, argument, given, sizes)
    epsilon(name, eps.value)
    return Rows(sizes, (math.prod(shape[: len(shape) - len(sizes)]), math.prod(sizes)))


def _flat(parameter: Tensor | None) -> np.ndarray | None:
    return None if parameter is None else contiguous(parameter.data).reshape(-1)


@operator(family="layer_norm", kernels=("layer_norm", "layer_norm_grad"), differentiable=("input", "weight", "bias"))
def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Give the last axes of each sample mean 0 and variance 1 together, then each place a scale and a shift.

    Shapes
    ------
    (..., *normalized_shape), weight and bias normalized_shape -> as input

    Formula
    -------
    With j running over the D numbers of the last axes: mean = sum_j input[j] / D, var = sum_j (input[j] - mean)^2 / D;
    xhat = (input - mean) / sqrt(var + eps);  y[j] = xhat[j] weight[j] + bias[j];
    grad_bias[j] = sum of grad[j] over the samples;  grad_weight[j] = sum of grad[j] xhat[j];  with h = grad weight
    grad_input = (h - sum_j h / D - xhat sum_j (h xhat) / D) / sqrt(var + eps).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    normalized_shape : tuple of int
        Sizes of the last axes, those that are normalised together.
    weight, bias : Tensor or None
        Scale and shift of each place.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If input does not end in normalized_shape. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    Keras and TensorFlow name the axes instead of their sizes, and Keras's eps is 1e-3. ConvNets that normalise the channels of each pixel
    (ConvNeXt) move the channel axis to the end first.

    References
    ----------
    Ba, Kiros and Hinton 2016, "Layer normalization", equation 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.layer_norm([[1.0, 3.0], [10.0, 30.0]], (2,), eps=0.0).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """
    tensor = float_tensor("layer_norm", "input", input)
    scale, offset = optional("layer_norm", "weight", weight), optional("layer_norm", "bias", bias)
    same_dtype("layer_norm", input=tensor, weight=scale, bias=offset)
    shape = tensor.data.shape
    sizes, blocks = checked(_rows, "layer_norm", shape, hashable(normalized_shape), shape_of(scale), shape_of(offset), Option(eps, type(eps)))
    eps = float(eps)
    x = contiguous(tensor.data).reshape(blocks)
    w = _flat(scale)
    y, mean, variance = kernels.select("layer_norm", x)(x, w, _flat(offset), eps)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(x.shape)
        grad_x, grad_weight, grad_bias = kernels.select("layer_norm_grad", x)(upstream, x, mean, variance, w, eps)
        return (
            grad_x.reshape(shape) if needs[0] else None,
            grad_weight.reshape(sizes) if needs[1] else None,
            grad_bias.reshape(sizes) if needs[2] else None,
        )

    saved = tuple([one for one in (tensor, scale) if one is not None])
    return record("layer_norm", y.reshape(shape), (tensor, scale, offset), backward, saved)


@operator(family="layer_norm", kernels=("rms_norm", "rms_norm_grad"), differentiable=("input", "weight"))
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Tensor:
    """Divide the last axes of each sample by their root mean square, then give each place a scale.

    Shapes
    ------
    (..., *normalized_shape), weight normalized_shape -> as input

    Formula
    -------
    s = sum_j input[j]^2 / D;  xhat = input / sqrt(s + eps);  y[j] = xhat[j] weight[j];
    grad_weight[j] = sum of grad[j] xhat[j] over the samples;  with h = grad weight
    grad_input = (h - xhat sum_j (h xhat) / D) / sqrt(s + eps).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    normalized_shape : tuple of int
        Sizes of the last axes, those that are normalised together.
    weight : Tensor or None
        Scale of each place.
    eps : float, optional
        Added to the mean square; the element type's machine epsilon if left out.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If input does not end in normalized_shape. ArgumentError: an option out of range. DtypeError: integers.

    References
    ----------
    Zhang and Sennrich 2019, "Root mean square layer normalization", equation 4.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.rms_norm([[1.0, 7.0]], (2,), eps=0.0).numpy().round(4)  # the root mean square is 5
    array([[0.2, 1.4]], dtype=float32)
    """
    tensor = float_tensor("rms_norm", "input", input)
    scale = optional("rms_norm", "weight", weight)
    same_dtype("rms_norm", input=tensor, weight=scale)
    if eps is None:
        eps = 0.0 if tensor.data.dtype == object else float(np.finfo(tensor.data.dtype).eps)
    shape = tensor.data.shape
    sizes, blocks = checked(_rows, "rms_norm", shape, hashable(normalized_shape), shape_of(scale), None, Option(eps, type(eps)))
    small = float(eps)
    x = contiguous(tensor.data).reshape(blocks)
    w = _flat(scale)
    y, square = kernels.select("rms_norm", x)(x, w, small)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(x.shape)
        grad_x, grad_weight = kernels.select("rms_norm_grad", x)(upstream, x, square, w, small)
        return grad_x.reshape(shape) if needs[0] else None, grad_weight.reshape(sizes) if needs[1] else None

    saved = tuple([one for one in (tensor, scale) if one is not None])
    return record("rms_norm", y.reshape(shape), (tensor, scale), backward, saved)
