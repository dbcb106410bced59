"""Pooling: one number for each window, channel by channel."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import is_grad_enabled, record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous
from ._windows import AXES, checked_windows, examples, like_input

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d", "max_pool3d"]

Size1 = int | tuple[int]
Size2 = int | tuple[int, int]
Size3 = int | tuple[int, int, int]


def _no_backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
    """Of a result that nothing asks the gradient of."""
    return ()


def _max_pool(name: str, axes: int, input: Any, options: tuple[Any, ...], return_indices: bool) -> Any:
    """Maximum pooling; options are kernel_size, stride, padding, dilation and ceil_mode."""
    tensor, x = examples(name, input, axes)
    windows = checked_windows(name, axes, x.shape, *options)
    kernel = "max_pool3d" if axes == 3 else "max_pool2d"
    if not return_indices and not (tensor.requires_grad and is_grad_enabled()):
        return record(name, like_input(kernels.select(kernel + "_values", x)(x, *windows, options[-1]), tensor, axes), (), _no_backward)
    y, window = kernels.select(kernel, x)(x, *windows, options[-1])

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        return (kernels.select(kernel + "_grad_x", x)(upstream, window, x.shape, *windows).reshape(tensor.data.shape),)

    result = record(name, like_input(y, tensor, axes), (tensor,), backward)
    if not return_indices:
        return result
    index = kernels.select(kernel + "_flat_index", x)(window, x.shape, *windows)
    return result, Tensor(like_input(index, tensor, axes))


def require_kernel_inside(name: str, x_shape: tuple[int, ...], kernel_size: tuple[int, ...]) -> None:
    """Refuse a kernel larger than the volume without its padding, as torch does where it averages."""
    for word, size, window in zip(AXES[3], x_shape[2:], kernel_size):
        if window > size:
            raise ShapeError(f"{name}: kernel {window} > {word} {size} without its padding; use a smaller kernel, pad first, or use sum_pool3d")


def _avg_pool(name: str, axes: int, input: Any, options: tuple[Any, ...], count_include_pad: bool, divisor_override: int | None) -> Tensor:
    """Average pooling; options are kernel_size, stride, padding and ceil_mode."""
    tensor, x = examples(name, input, axes)
    if divisor_override is not None and (isinstance(divisor_override, bool) or not isinstance(divisor_override, int) or not divisor_override):
        raise ArgumentError(f"{name}: divisor_override must be a whole number other than zero, not {divisor_override!r}")
    windows = checked_windows(name, axes, x.shape, *options[:3], 1, options[3])
    if name == "avg_pool3d":
        require_kernel_inside(name, x.shape, windows.kernel_size)
    kernel = "avg_pool3d" if axes == 3 else "avg_pool2d"
    choices = (*windows[:3], options[3], bool(count_include_pad), divisor_override)
    y = kernels.select(kernel, x)(x, *choices)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        return (kernels.select(kernel + "_grad_x", x)(upstream, x.shape, *choices).reshape(tensor.data.shape),)

    return record(name, like_input(y, tensor, axes), (tensor,), backward)


@operator(
    family="pool",
    kernels=("max_pool2d", "max_pool2d_grad_x", "max_pool2d_flat_index", "max_pool2d_values"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def max_pool1d(
    input: Any,
    kernel_size: Size1,
    stride: Size1 | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: Size1 = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Keep the largest element of each window of a signal.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out); L_out = floor((L + before + after - d (K - 1) - 1) / s) + 1. One signal (C, L) gives (C, L_out).

    Formula
    -------
    y[n, c, j] = max_b input[n, c, j s + b d - before] over the cells inside the signal;
    grad_input[n, c, w] = sum of grad[n, c, j] over the windows j that w won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size, stride, dilation : int
        The window's size, step (its size if left out) and the distance of its cells, in cells.
    padding : int or (before, after)
        Cells of minus infinity around the signal, at most half of the kernel.
    ceil_mode, return_indices : bool
        As in `max_pool2d`; the indices are positions along the signal.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    The first of equals receives the gradient and NaN wins, as in `max_pool2d`, whose kernel works on the signal as an image of one row.

    References
    ----------
    As `max_pool2d`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.max_pool1d([[3.0, 1.0, 4.0, 1.0, 5.0]], 2).tolist()
    [[3.0, 4.0]]
    """
    return _max_pool("max_pool1d", 1, input, (kernel_size, stride, padding, dilation, bool(ceil_mode)), return_indices)


@operator(
    family="pool",
    kernels=("max_pool2d", "max_pool2d_grad_x", "max_pool2d_flat_index", "max_pool2d_values"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def max_pool2d(
    input: Any,
    kernel_size: Size2,
    stride: Size2 | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: Size2 = 1,
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
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

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
    options = (kernel_size, stride, padding, dilation, bool(ceil_mode))
    return _max_pool("max_pool2d", 2, input, options, return_indices)


@operator(
    family="pool",
    kernels=("max_pool3d", "max_pool3d_grad_x", "max_pool3d_flat_index", "max_pool3d_values"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def max_pool3d(
    input: Any,
    kernel_size: Size3,
    stride: Size3 | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: Size3 = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Keep the largest element of each window of a volume.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), each axis as in `max_pool2d`. One volume (C, D, H, W) gives (C, D_out, H_out, W_out).

    Formula
    -------
    y[n, c, k, i, j] = max_{e, a, b} input[n, c, k s_d + e d_d - front, i s_h + a d_h - top, j s_w + b d_w - left] over the cells inside the
    volume; grad_input[n, c, d, h, w] = sum of grad[n, c, k, i, j] over the windows that (d, h, w) won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size, stride, dilation : int or (depth, height, width)
        The window's size, step (its size if left out) and the distance of its cells, in cells.
    padding : int, (depth, height, width) or (front, back, top, bottom, left, right)
        Cells of minus infinity around the volume, at most half of the kernel.
    ceil_mode, return_indices : bool
        As in `max_pool2d`; the indices are (d H + h) W + w, as `max_unpool3d` wants them.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    As `max_pool2d`.

    References
    ----------
    Tran et al. 2015, "Learning spatiotemporal features with 3D convolutional networks", section 3.1.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> volume = np.arange(16.0).reshape(1, 2, 2, 4)
    >>> tinycnn.functional.max_pool3d(volume, 2).tolist()
    [[[[13.0, 15.0]]]]
    """
    return _max_pool("max_pool3d", 3, input, (kernel_size, stride, padding, dilation, bool(ceil_mode)), return_indices)


@operator(family="pool", kernels=("avg_pool2d", "avg_pool2d_grad_x"), differentiable=("input",))
def avg_pool1d(
    input: Any,
    kernel_size: Size1,
    stride: Size1 | None = None,
    padding: int | tuple[int, ...] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Average each window of a signal.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out); L_out = floor((L + before + after - K) / s) + 1. One signal (C, L) gives (C, L_out).

    Formula
    -------
    y[n, c, j] = (1 / D[j]) sum_b input[n, c, j s + b - before] over the cells inside the signal;
    grad_input[n, c, w] = sum of grad[n, c, j] / D[j] over the windows that read w. D as in `avg_pool2d`.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size, stride, padding, ceil_mode
        As in `max_pool1d`; padded cells are zeros.
    count_include_pad : bool
        Count padded cells in D.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    As `avg_pool2d`; torch has no divisor_override here.

    References
    ----------
    As `avg_pool2d`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.avg_pool1d([[1.0, 3.0, 5.0, 8.0]], 2).tolist()
    [[2.0, 6.5]]
    """
    return _avg_pool("avg_pool1d", 1, input, (kernel_size, stride, padding, bool(ceil_mode)), count_include_pad, None)


@operator(family="pool", kernels=("avg_pool2d", "avg_pool2d_grad_x"), differentiable=("input",))
def avg_pool2d(
    input: Any,
    kernel_size: Size2,
    stride: Size2 | None = None,
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
    return _avg_pool("avg_pool2d", 2, input, (kernel_size, stride, padding, bool(ceil_mode)), count_include_pad, divisor_override)


@operator(family="pool", kernels=("avg_pool3d", "avg_pool3d_grad_x"), differentiable=("input",))
def avg_pool3d(
    input: Any,
    kernel_size: Size3,
    stride: Size3 | None = None,
    padding: int | tuple[int, ...] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Average each window of a volume.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), each axis as in `avg_pool2d`. One volume (C, D, H, W) gives (C, D_out, H_out, W_out).

    Formula
    -------
    y[n, c, k, i, j] = (1 / D[k, i, j]) sum_{e, a, b} input[n, c, k s_d + e - front, i s_h + a - top, j s_w + b - left] over the cells inside
    the volume; grad_input[n, c, d, h, w] = sum of grad[n, c, k, i, j] / D[k, i, j] over the windows that read (d, h, w).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size, stride, padding, ceil_mode
        As in `max_pool3d`; padded cells are zeros.
    count_include_pad : bool
        Count padded cells in the divisor. Cells that ceil_mode adds beyond the padding never count.
    divisor_override : int, optional
        Use this divisor for every window.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    As `avg_pool2d`; as in torch, a kernel larger than the volume without its padding is refused.

    References
    ----------
    As `avg_pool2d`.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.avg_pool3d(np.arange(16.0).reshape(1, 2, 2, 4), 2).tolist()
    [[[[6.5, 8.5]]]]
    """
    return _avg_pool("avg_pool3d", 3, input, (kernel_size, stride, padding, bool(ceil_mode)), count_include_pad, divisor_override)
