"""Global pooling: one number for each channel, whatever the number of spatial axes."""

import math
from typing import Any

from ..errors import ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor
from .adaptive_pool import _adaptive_max, _adaptive_mean

__all__ = ["global_avg_pool", "global_max_pool"]


def _flat(name: str, input: Any) -> tuple[Tensor, tuple[int, ...]]:
    """The input with its spatial axes made two, and the shape of a result with an element a channel."""
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    if len(shape) < 3:
        raise ShapeError(f"{name}: input has shape {shape}; it must be (N, C, ...) with at least one spatial axis")
    return tensor.reshape(shape[0], shape[1], math.prod(shape[2:-1]), shape[-1]), (*shape[:2], *((1,) * (len(shape) - 2)))


@operator(family="global_pool", kernels=("mean_of_windows", "mean_of_windows_grad_x"), differentiable=("input",))
def global_avg_pool(input: Any, keepdim: bool = True) -> Tensor:
    """Average each channel over all its cells: a volume becomes a vector.

    Shapes
    ------
    (N, C, ...) -> (N, C, 1, ...), or (N, C) without `keepdim`; any number of spatial axes.

    Formula
    -------
    y[n, c] = mean of input[n, c]; grad_input[n, c, ...] = grad[n, c] over the number of cells.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    keepdim : bool
        Keep the spatial axes, of size 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If there is no spatial axis, or no cell. DtypeError: integers.

    Notes
    -----
    ONNX's GlobalAveragePool keeps the axes, Keras's GlobalAveragePooling drops them by default; torch writes adaptive_avg_pool(input, 1).

    References
    ----------
    Lin, Chen and Yan 2014, "Network in network", section 3.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.global_avg_pool([[[[1.0, 2.0], [3.0, 6.0]]]], keepdim=False).tolist()
    [[3.0]]
    """
    flat, shape = _flat("global_avg_pool", input)
    return _adaptive_mean("global_avg_pool", flat, 1, 2).reshape(shape if keepdim else shape[:2])


@operator(
    family="global_pool",
    kernels=("max_of_windows", "max_of_windows_grad_x"),
    differentiable=("input",),
    kinks="ties inside a channel",
)
def global_max_pool(input: Any, keepdim: bool = True) -> Tensor:
    """Keep the largest cell of each channel.

    Shapes
    ------
    (N, C, ...) -> (N, C, 1, ...), or (N, C) without `keepdim`; any number of spatial axes.

    Formula
    -------
    y[n, c] = max of input[n, c]; the first of equal cells in row-major order receives grad[n, c], the others 0.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    keepdim : bool
        Keep the spatial axes, of size 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If there is no spatial axis, or no cell. DtypeError: integers.

    Notes
    -----
    ONNX's GlobalMaxPool keeps the axes, Keras's GlobalMaxPooling drops them by default. NaN wins.

    References
    ----------
    Oquab et al. 2015, "Is object localization for free?", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.global_max_pool([[[[1.0, 2.0], [3.0, 6.0]]]], keepdim=False).tolist()
    [[6.0]]
    """
    flat, shape = _flat("global_max_pool", input)
    pooled: Tensor = _adaptive_max("global_max_pool", flat, 1, 2, False)
    return pooled.reshape(shape if keepdim else shape[:2])
