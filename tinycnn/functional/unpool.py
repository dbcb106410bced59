"""Unpooling: larger maps from pooled ones."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, one_of
from ._windows import is_list, numbers, require_memory, require_rank
from .pool import Size1, Size2, Size3

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d", "unpool2d"]

OVERLAPS = ("last", "sum", "error")


def _output_size(
    name: str, spatial: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], wanted: Any
) -> tuple[int, ...]:
    """The sizes (size - 1) s - 2 p + K, or those wanted, if a pooling could have made `spatial` of them."""
    axes = len(spatial)
    default = [(size - 1) * stride[a] - 2 * padding[a] + kernel[a] for a, size in enumerate(spatial)]
    if wanted is not None:
        sizes = tuple(wanted) if is_list(wanted) else (wanted,)
        if len(sizes) == axes + 2:
            sizes = sizes[2:]
        if len(sizes) != axes:
            raise ArgumentError(
                f"{name}: output_size should be a sequence containing {axes} or {axes + 2} elements, but it has a length of '{len(sizes)}'"
            )
        for axis, size in enumerate(sizes):
            low, high = default[axis] - stride[axis], default[axis] + stride[axis]
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or not low < size < high:
                raise ArgumentError(
                    f'{name}: invalid output_size "{sizes}" (dim {axis} must be between {low} and {high}), both ends excluded; '
                    f"use {default[axis]}, or the size that was pooled"
                )
        default = [int(size) for size in sizes]
    if min(default) < 0:
        raise ShapeError(f"{name}: output_size must not be negative, but is {tuple(default)}; use less padding")
    return tuple(default)


def _checked_index(name: str, indices: Any, shape: tuple[int, ...], outputs: tuple[int, ...]) -> np.ndarray:
    """The positions as an array of int64, every one of them inside the output."""
    index = indices.data if isinstance(indices, Tensor) else np.asarray(indices)
    if index.dtype != np.int64:
        raise DtypeError(f"{name}: elements in indices should be type int64 but got: {index.dtype}; pass what max_pool returned")
    if index.shape != shape:
        raise ShapeError(f"{name}: Expected shape of indices to be same as that of the input tensor {shape}, but got {index.shape}")
    cells = math.prod(outputs)
    # Read as unsigned, a negative index is a huge one: one maximum tells both.
    if index.size and cells and index.view(np.uint64).max() >= cells:
        wrong = int(index[(index < 0) | (index >= cells)][0])
        volume = "x".join(map(str, outputs))
        raise ArgumentError(f"{name}: Found an invalid max index: {wrong} (output volumes are of size {volume}); indices go from 0 to {cells - 1}")
    return contiguous(index)


def _max_unpool(name: str, axes: int, input: Any, indices: Any, geometry: tuple[Any, Any, Any], output_size: Any, overlap: str) -> Tensor:
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    require_rank(name, shape, axes)
    kernel = numbers(name, "kernel_size", geometry[0], 1, axes)
    stride = kernel if geometry[1] is None else numbers(name, "stride", geometry[1], 1, axes)
    padding = numbers(name, "padding", geometry[2], 0, axes)
    one_of(name, "overlap", overlap, OVERLAPS)
    outputs = _output_size(name, shape[-axes:], kernel, stride, padding, output_size)
    if math.prod(shape[1:]) < 1:
        raise ShapeError(f"{name}: input has shape {shape}; every axis but the first must hold at least one element")
    require_memory(name, shape[:-axes] + outputs)
    index = _checked_index(name, indices, shape, outputs)
    maps, cells = math.prod(shape[:-axes]), math.prod(outputs)
    x, index = contiguous(tensor.data).reshape(maps, -1 if maps else 0), index.reshape(maps, -1 if maps else 0)
    if not cells:
        x, index = x[:, :0], index[:, :0]
    if overlap == "error" and any(np.unique(row).size < row.size for row in index):
        raise ArgumentError(f'{name}: two indices of one map are equal; use overlap="last" or "sum", or pool with a stride of at least the kernel')
    if overlap == "sum":
        flat = (maps, 1, 1, cells)
        y = kernels.select("max_of_windows_grad_x", x)(x.reshape(maps, 1, 1, x.shape[1]), index.reshape(maps, 1, 1, x.shape[1]), flat)
    else:
        y = kernels.select("max_unpool", x)(x, index, cells)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        if not cells:
            return (np.zeros(shape, grad.dtype),)
        return (kernels.select("max_unpool_grad_x", x)(contiguous(grad).reshape(maps, cells), index).reshape(shape),)

    return record(name, y.reshape(shape[:-axes] + outputs), (tensor,), backward)


@operator(family="unpool", kernels=("max_unpool", "max_unpool_grad_x", "max_of_windows_grad_x"), differentiable=("input",))
def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Size1,
    stride: Size1 | None = None,
    padding: Size1 = 0,
    output_size: tuple[int, ...] | None = None,
    *,
    overlap: str = "last",
) -> Tensor:
    """Put pooled numbers back where they came from in a signal of zeros.

    Shapes
    ------
    (N, C, L) and indices of the same shape -> (N, C, L_out),
    by axis (size - 1) s - 2 p + K unless `output_size` says; or without N.

    Formula
    -------
    y[n, c, indices[n, c, j]] = input[n, c, j], the spatial axes of y counted as one, all else 0;
    grad_input[n, c, j] = grad[n, c, indices[n, c, j]].

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    indices : Tensor
        Positions w in the output, int64, as `max_pool1d` returns them.
    kernel_size, stride, padding
        Those of the pooling.
    output_size : sequence of int, optional
        The spatial size, or the whole shape, of what was pooled: several sizes pool to the same one.
    overlap : str
        What several numbers of one map with the same index do: "last", the last one in row-major order stays; "sum", they add up;
        "error", they are refused.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If an index lies outside the output, or the output size could not have been pooled. ShapeError: shapes that do not fit.
        DtypeError: integers as input, anything but int64 as indices.

    Notes
    -----
    With overlap "last", as in torch's CPU loop but whatever the number of threads, every number receives the gradient of its position, those
    that were overwritten too: windows that overlap hold the same maximum. torch is nondeterministic there, and its gradient the same.

    References
    ----------
    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 2.1.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.max_unpool1d([[2.0, 3.0]], np.array([[1, 2]]), 2).tolist()
    [[0.0, 2.0, 3.0, 0.0]]
    """
    return _max_unpool("max_unpool1d", 1, input, indices, (kernel_size, stride, padding), output_size, overlap)


@operator(family="unpool", kernels=("max_unpool", "max_unpool_grad_x", "max_of_windows_grad_x"), differentiable=("input",))
def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Size2,
    stride: Size2 | None = None,
    padding: Size2 = 0,
    output_size: tuple[int, ...] | None = None,
    *,
    overlap: str = "last",
) -> Tensor:
    """Put pooled numbers back where they came from in an image of zeros.

    Shapes
    ------
    (N, C, H, W) and indices of the same shape -> (N, C, H_out, W_out),
    by axis (size - 1) s - 2 p + K unless `output_size` says; or without N.

    Formula
    -------
    y[n, c, indices[n, c, i, j]] = input[n, c, i, j], the spatial axes of y counted as one, all else 0;
    grad_input[n, c, i, j] = grad[n, c, indices[n, c, i, j]].

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    indices : Tensor
        Positions h W + w in the output, int64, as `max_pool2d` returns them.
    kernel_size, stride, padding
        Those of the pooling.
    output_size : sequence of int, optional
        The spatial size, or the whole shape, of what was pooled: several sizes pool to the same one.
    overlap : str
        What several numbers of one map with the same index do: "last", the last one in row-major order stays; "sum", they add up;
        "error", they are refused.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If an index lies outside the output, or the output size could not have been pooled. ShapeError: shapes that do not fit.
        DtypeError: integers as input, anything but int64 as indices.

    Notes
    -----
    With overlap "last", as in torch's CPU loop but whatever the number of threads, every number receives the gradient of its position, those
    that were overwritten too: windows that overlap hold the same maximum. torch is nondeterministic there, and its gradient the same.

    References
    ----------
    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 2.1.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.max_unpool2d([[[1.0, 2.0], [3.0, 4.0]]], np.array([[[5, 2], [12, 15]]]), 2).tolist()
    [[[0.0, 0.0, 2.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 4.0]]]
    """
    return _max_unpool("max_unpool2d", 2, input, indices, (kernel_size, stride, padding), output_size, overlap)


@operator(family="unpool", kernels=("max_unpool", "max_unpool_grad_x", "max_of_windows_grad_x"), differentiable=("input",))
def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: Size3,
    stride: Size3 | None = None,
    padding: Size3 = 0,
    output_size: tuple[int, ...] | None = None,
    *,
    overlap: str = "last",
) -> Tensor:
    """Put pooled numbers back where they came from in a volume of zeros.

    Shapes
    ------
    (N, C, D, H, W) and indices of the same shape -> (N, C, D_out, H_out, W_out),
    by axis (size - 1) s - 2 p + K unless `output_size` says; or without N.

    Formula
    -------
    y[n, c, indices[n, c, k, i, j]] = input[n, c, k, i, j], the spatial axes of y counted as one, all else 0;
    grad_input[n, c, k, i, j] = grad[n, c, indices[n, c, k, i, j]].

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    indices : Tensor
        Positions (d H + h) W + w in the output, int64, as `max_pool3d` returns them.
    kernel_size, stride, padding
        Those of the pooling.
    output_size : sequence of int, optional
        The spatial size, or the whole shape, of what was pooled: several sizes pool to the same one.
    overlap : str
        What several numbers of one map with the same index do: "last", the last one in row-major order stays; "sum", they add up;
        "error", they are refused.

    Returns
    -------
    Tensor

    Raises
    ------
    ArgumentError
        If an index lies outside the output, or the output size could not have been pooled. ShapeError: shapes that do not fit.
        DtypeError: integers as input, anything but int64 as indices.

    Notes
    -----
    With overlap "last", as in torch's CPU loop but whatever the number of threads, every number receives the gradient of its position, those
    that were overwritten too: windows that overlap hold the same maximum. torch is nondeterministic there, and its gradient the same.

    References
    ----------
    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 2.1.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.max_unpool3d([[[[7.0]]]], np.array([[[[5]]]]), 2).tolist()
    [[[[0.0, 0.0], [0.0, 0.0]], [[0.0, 7.0], [0.0, 0.0]]]]
    """
    return _max_unpool("max_unpool3d", 3, input, indices, (kernel_size, stride, padding), output_size, overlap)


@operator(family="unpool", kernels=("unpool2d", "unpool2d_grad_x"), differentiable=("input",))
def unpool2d(input: Any, scale: Size2, mode: str = "nearest") -> Tensor:
    """Blow every element up to a block: copies of it, or zeros with it in the first corner.

    Shapes
    ------
    (*, H, W) -> (*, H s_h, W s_w)

    Formula
    -------
    nearest: y[*, i, j] = input[*, i // s_h, j // s_w]; grad_input[*, h, w] = sum of grad over the block of (h, w).
    bed_of_nails: y[*, h s_h, w s_w] = input[*, h, w], all else 0; grad_input[*, h, w] = grad[*, h s_h, w s_w].

    Parameters
    ----------
    input : Tensor
        float32 or float64, at least two axes.
    scale : int or (height, width)
        Size of the blocks.
    mode : str
        "nearest" or "bed_of_nails".

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If there are fewer than two axes. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    "nearest" is torch's interpolate with mode "nearest" and a whole factor, Keras's UpSampling2D; "bed of nails" is a transposed convolution
    with a kernel of a single 1.

    References
    ----------
    Li, Johnson and Yeung, Stanford CS231n 2017, lecture 11 ("in-network upsampling"). Dosovitskiy et al. 2015, "Learning to generate
    chairs with convolutional neural networks", section 3.1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.unpool2d([[1.0, 2.0]], 2).tolist()
    [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]
    >>> tinycnn.functional.unpool2d([[1.0, 2.0]], 2, "bed_of_nails").tolist()
    [[1.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """
    tensor = float_tensor("unpool2d", "input", input)
    shape = tensor.data.shape
    if len(shape) < 2:
        raise ShapeError(f"unpool2d: input has shape {shape}; it must have at least two axes, (height, width) the last")
    scales = numbers("unpool2d", "scale", scale, 1, 2)
    nearest = one_of("unpool2d", "mode", mode, ("nearest", "bed_of_nails")) == "nearest"
    result = (*shape[:-2], shape[-2] * scales[0], shape[-1] * scales[1])
    require_memory("unpool2d", result)
    x = contiguous(tensor.data).reshape(math.prod(shape[:-2]), *shape[-2:])
    y = kernels.select("unpool2d", x)(x, scales, nearest)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select("unpool2d_grad_x", x)(contiguous(grad).reshape(y.shape), x.shape, scales, nearest).reshape(shape),)

    return record("unpool2d", y.reshape(result), (tensor,), backward)
