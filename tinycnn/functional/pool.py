"""Pooling: one number for each window, channel by channel."""

from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels import sizes
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, four_sides, hashable, pair

__all__ = ["avg_pool2d", "max_pool2d"]


class Windows(NamedTuple):
    """The checked options of one pooling, as kernels take them."""

    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]


@plan_cache
def _windows(name: str, x_shape: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Windows:
    """Check one combination of shape and options; raises before any work."""
    if len(x_shape) != 4:
        raise ShapeError(f"{name}: input has shape {x_shape}; it must be (N, C, H, W), or (C, H, W) for one image")
    kernel = pair(name, "kernel_size", kernel_size, 1)
    strides = kernel if stride is None else pair(name, "stride", stride, 1)
    dilations = pair(name, "dilation", dilation, 1)
    sides = four_sides(name, "padding", padding)
    for axis, word in enumerate(("height", "width")):
        size, before, after = x_shape[2 + axis], sides[2 * axis], sides[2 * axis + 1]
        if max(before, after) > kernel[axis] // 2:
            raise ArgumentError(
                f"{name}: padding {max(before, after)} > half of kernel {kernel[axis]} ({word}), so a window could lie in padding only; "
                f"use padding <= {kernel[axis] // 2}"
            )
        if size < 1:
            raise ShapeError(f"{name}: input has {word} 0; it must be at least 1")
        fits = sizes.pool_output_size(size, kernel[axis], strides[axis], before, after, dilations[axis], bool(ceil_mode))
        if fits < 1:
            sizes.require_fit(name, word, size, kernel[axis], strides[axis], before, after, dilations[axis])
    return Windows(kernel, strides, sides, dilations)


def _checked(name: str, shape: tuple[int, ...], *options: Any) -> Windows:
    try:
        return _windows(name, shape, *options)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        return _windows(name, shape, *map(hashable, options))


@operator(
    family="pool",
    kernels=("max_pool2d", "max_pool2d_grad_x", "max_pool2d_flat_index"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def max_pool2d(
    input: Any,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Keep the largest element of each window.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out); H_out = floor((H + top + bottom - d (K - 1) - 1) / s) + 1. One image (C, H, W) gives (C, H_out, W_out).

    Formula
    -------
    y[n, c, i, j] = max_{a, b} input[n, c, i s_h + a d_h - top, j s_w + b d_w - left] over the cells inside the image;
    grad_input[n, c, h, w] = sum of grad[n, c, i, j] over the windows (i, j) that (h, w) won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size : int or (height, width)
        Size of the window in pixels.
    stride : int or (height, width), optional
        Step of the window in pixels; the kernel size if left out.
    padding : int, (height, width) or (top, bottom, left, right)
        Pixels of minus infinity around the image, at most half of the kernel.
    dilation : int or (height, width)
        Distance in pixels between neighbouring cells of a window.
    ceil_mode : bool
        Round the output size up; the last window must still start inside the image or the padding before it.
    return_indices : bool
        Return (y, indices) with the positions h W + w of the maxima, int64, as `max_unpool2d` wants them.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If a window does not fit. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    The first of equal elements in row-major order receives the gradient, as in PyTorch; TensorFlow's CPU kernel gives it to the first as
    well, Theano's to all. NaN wins, so that it is not lost.

    References
    ----------
    Scherer, Muller and Behnke 2010, "Evaluation of pooling operations in convolutional architectures", section 3.

    Examples
    --------
    >>> import tinycnn
    >>> image = [[[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]]
    >>> tinycnn.functional.max_pool2d(image, 2).tolist()
    [[[6.0, 8.0], [3.0, 4.0]]]
    """
    tensor = float_tensor("max_pool2d", "input", input)
    x = contiguous(tensor.data)
    single = x.ndim == 3
    if single:
        x = x[np.newaxis]
    windows = _checked("max_pool2d", x.shape, kernel_size, stride, padding, dilation, bool(ceil_mode))
    y, window = kernels.select("max_pool2d", x)(x, *windows, bool(ceil_mode))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        grad_x = kernels.select("max_pool2d_grad_x", x)(upstream, window, x.shape, *windows)
        return (grad_x.reshape(tensor.data.shape),)

    result = record("max_pool2d", y[0] if single else y, (tensor,), backward)
    if not return_indices:
        return result
    index = kernels.select("max_pool2d_flat_index", x)(window, x.shape, *windows)
    return result, Tensor(index[0] if single else index)


@operator(family="pool", kernels=("avg_pool2d", "avg_pool2d_grad_x"), differentiable=("input",))
def avg_pool2d(
    input: Any,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, ...] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Average each window.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out); H_out = floor((H + top + bottom - K) / s) + 1. One image (C, H, W) gives (C, H_out, W_out).

    Formula
    -------
    y[n, c, i, j] = (1 / D[i, j]) sum_{a, b} input[n, c, i s_h + a - top, j s_w + b - left] over the cells inside the image;
    grad_input[n, c, h, w] = sum of grad[n, c, i, j] / D[i, j] over the windows that read (h, w).
    D is the number of cells inside the padded image (count_include_pad), inside the image, or divisor_override.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size, stride, padding, ceil_mode
        As in `max_pool2d`; padded cells are zeros.
    count_include_pad : bool
        Count padded cells in D. Cells that ceil_mode adds beyond the padding never count.
    divisor_override : int, optional
        Use this D for every window.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    TensorFlow and Keras never count padding, Caffe and PyTorch do by default; ONNX defaults to not counting.

    References
    ----------
    LeCun et al. 1998, "Gradient-based learning applied to document recognition", section II.B (sub-sampling).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.avg_pool2d([[[1.0, 3.0], [5.0, 7.0]]], 2).tolist()
    [[[4.0]]]
    >>> tinycnn.functional.avg_pool2d([[[1.0, 3.0], [5.0, 7.0]]], 2, stride=1, padding=(0, 0, 1, 0), count_include_pad=False).tolist()
    [[[3.0, 4.0]]]
    """
    tensor = float_tensor("avg_pool2d", "input", input)
    x = contiguous(tensor.data)
    single = x.ndim == 3
    if single:
        x = x[np.newaxis]
    if divisor_override is not None and (isinstance(divisor_override, bool) or not isinstance(divisor_override, int) or not divisor_override):
        raise ArgumentError(f"avg_pool2d: divisor_override must be a whole number other than zero, not {divisor_override!r}")
    windows = _checked("avg_pool2d", x.shape, kernel_size, stride, padding, 1, bool(ceil_mode))
    options = (*windows[:3], bool(ceil_mode), bool(count_include_pad), divisor_override)
    y = kernels.select("avg_pool2d", x)(x, *options)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        return (kernels.select("avg_pool2d_grad_x", x)(upstream, x.shape, *options).reshape(tensor.data.shape),)

    return record("avg_pool2d", y[0] if single else y, (tensor,), backward)
