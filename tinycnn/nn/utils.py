"""What is done to all parameters at once: clipping their gradients, turning them into one vector and back, folding them together."""

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from . import init
from .fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from .module import Module

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "fuse_conv_bn_eval",
    "fuse_linear_bn_eval",
    "parameters_to_vector",
    "skip_init",
    "vector_to_parameters",
]

M = TypeVar("M", bound=Module)


def _gradients(parameters: Iterable[Tensor] | Tensor) -> list[np.ndarray]:
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [tensor.grad.data for tensor in tensors if tensor.grad is not None]


def clip_grad_norm_(parameters: Iterable[Tensor] | Tensor, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """Scale all gradients by one factor so that their common norm is at most `max_norm`; their direction stays.

    Formula
    -------
    norm = (sum over all gradients of |g|^norm_type)^(1 / norm_type); g <- g min(1, max_norm / (norm + 1e-6))

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without gradient are skipped.
    max_norm : float
        The largest norm allowed.
    norm_type : float
        2 for the Euclidean norm, math.inf for the largest absolute value.
    error_if_nonfinite : bool
        Raise if the norm is NaN or infinite, instead of making all gradients so.

    Returns
    -------
    Tensor
        The norm before clipping.

    References
    ----------
    Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent neural networks", algorithm 1.

    Examples
    --------
    >>> x = Tensor(np.zeros(2), requires_grad=True)
    >>> x.grad = Tensor(np.array([3.0, 4.0]))
    >>> clip_grad_norm_(x, 1.0).item(), x.grad.numpy().round(3)
    (5.0, array([0.6, 0.8]))
    """
    if not max_norm >= 0 or not norm_type > 0:
        raise ArgumentError(f"clip_grad_norm_: needs max_norm >= 0 and norm_type > 0, not {max_norm!r} and {norm_type!r}")
    gradients = _gradients(parameters)
    if not gradients:
        return Tensor(np.zeros((), np.float32))
    if norm_type == math.inf:
        norm = max(float(np.abs(gradient).max(initial=0)) for gradient in gradients)
    else:
        powers = [float((np.abs(gradient, dtype=np.float64) ** norm_type).sum()) for gradient in gradients]
        norm = math.fsum(powers) ** (1 / norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise ArgumentError(f"clip_grad_norm_: the gradients' norm is {norm}; look for the first layer whose gradient is not finite")
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:  # so that a NaN norm is seen in the gradients
        for gradient in gradients:
            gradient *= gradient.dtype.type(factor)
    return Tensor(np.array(norm, gradients[0].dtype))


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Cut every number of the gradients to the range from -clip_value to clip_value."""
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_: clip_value must be >= 0, not {clip_value!r}")
    for gradient in _gradients(parameters):
        np.clip(gradient, -clip_value, clip_value, out=gradient)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters behind each other in one vector, a copy outside any graph.

    Examples
    --------
    >>> from tinycnn import nn
    >>> parameters_to_vector(nn.Linear(3, 2).parameters()).shape
    (8,)
    """
    arrays = [parameter.data.reshape(-1) for parameter in parameters]
    if not arrays:
        raise ArgumentError("parameters_to_vector: there are no parameters")
    return Tensor(np.concatenate(arrays))


def vector_to_parameters(vec: Tensor | np.ndarray, parameters: Iterable[Tensor]) -> None:
    """Copy a vector's numbers into the parameters in place, in order; the reverse of `parameters_to_vector`."""
    vector = vec.data if isinstance(vec, Tensor) else np.asarray(vec)
    tensors = list(parameters)
    total = sum(tensor.data.size for tensor in tensors)
    if vector.shape != (total,):
        raise ShapeError(f"vector_to_parameters: the vector has shape {vector.shape}, the parameters hold {total} numbers together")
    start = 0
    for tensor in tensors:
        stop = start + tensor.data.size
        tensor.data[...] = vector[start:stop].reshape(tensor.shape)
        tensor._wrote()
        start = stop


def skip_init(module_cls: Callable[..., M], *args: Any, **kwargs: Any) -> M:
    """Build a layer or a network without drawing its weights: they hold whatever the memory held.

    For a network whose weights are loaded next, or only counted: drawing VGG-16's 138 million takes seconds, not drawing them nothing.

    Parameters
    ----------
    module_cls : type of Module, or a builder such as `models.vgg16`
        What to build.
    *args, **kwargs
        Its arguments.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.utils.skip_init(nn.Linear, 3, 2).weight.shape
    (2, 3)
    """
    with init.skipped():
        return module_cls(*args, **kwargs)
