"""Minimum and sum pooling, made of maximum and average pooling."""

from typing import Any

from ..registry import operator
from ..tensor import Tensor
from ._arguments import float_tensor
from .pool import Size1, Size2, Size3, _avg_pool, _max_pool

__all__ = ["min_pool1d", "min_pool2d", "min_pool3d", "sum_pool1d", "sum_pool2d", "sum_pool3d"]


def _min_pool(name: str, axes: int, input: Any, options: tuple[Any, ...], return_indices: bool) -> Any:
    """-max(-x), whose gradient is that of the maximum twice negated."""
    result = _max_pool(name, axes, -float_tensor(name, "input", input), options, return_indices)
    return (-result[0], result[1]) if return_indices else -result


@operator(
    family="min_sum_pool",
    kernels=("max_pool2d", "max_pool2d_grad_x", "max_pool2d_flat_index", "max_pool2d_values"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def min_pool1d(
    input: Any,
    kernel_size: Size1,
    stride: Size1 | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: Size1 = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Keep the smallest element of each window of a signal.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out), as `max_pool1d`.

    Formula
    -------
    y = -max_pool1d(-input); grad_input[n, c, w] = sum of grad[n, c, j] over the windows (j) that (w) won.

    Parameters
    ----------
    input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As in `max_pool1d`; padded cells are plus infinity.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    torch, Keras and ONNX have none; with stride 1 it is the grey-scale erosion of morphology. The first of equals receives the gradient.

    References
    ----------
    Haralick, Sternberg and Zhuang 1987, "Image analysis using mathematical morphology", section III.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.min_pool1d([[3.0, 1.0, 4.0, 2.0]], 2).tolist()
    [[1.0, 2.0]]
    """
    return _min_pool("min_pool1d", 1, input, (kernel_size, stride, padding, dilation, bool(ceil_mode)), return_indices)


@operator(
    family="min_sum_pool",
    kernels=("max_pool2d", "max_pool2d_grad_x", "max_pool2d_flat_index", "max_pool2d_values"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def min_pool2d(
    input: Any,
    kernel_size: Size2,
    stride: Size2 | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: Size2 = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Keep the smallest element of each window of an image.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out), as `max_pool2d`.

    Formula
    -------
    y = -max_pool2d(-input); grad_input[n, c, h, w] = sum of grad[n, c, i, j] over the windows (i, j) that (h, w) won.

    Parameters
    ----------
    input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As in `max_pool2d`; padded cells are plus infinity.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    torch, Keras and ONNX have none; with stride 1 it is the grey-scale erosion of morphology. The first of equals receives the gradient.

    References
    ----------
    Haralick, Sternberg and Zhuang 1987, "Image analysis using mathematical morphology", section III.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.min_pool2d([[[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0]]], 2).tolist()
    [[[1.0, 2.0]]]
    """
    return _min_pool("min_pool2d", 2, input, (kernel_size, stride, padding, dilation, bool(ceil_mode)), return_indices)


@operator(
    family="min_sum_pool",
    kernels=("max_pool3d", "max_pool3d_grad_x", "max_pool3d_flat_index", "max_pool3d_values"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def min_pool3d(
    input: Any,
    kernel_size: Size3,
    stride: Size3 | None = None,
    padding: int | tuple[int, ...] = 0,
    dilation: Size3 = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Keep the smallest element of each window of a volume.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), as `max_pool3d`.

    Formula
    -------
    y = -max_pool3d(-input); grad_input[n, c, d, h, w] = sum of grad[n, c, k, i, j] over the windows (k, i, j) that (d, h, w) won.

    Parameters
    ----------
    input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
        As in `max_pool3d`; padded cells are plus infinity.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    torch, Keras and ONNX have none; with stride 1 it is the grey-scale erosion of morphology. The first of equals receives the gradient.

    References
    ----------
    Haralick, Sternberg and Zhuang 1987, "Image analysis using mathematical morphology", section III.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.min_pool3d([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 9.0], [5.0, 7.0]]]], 2).tolist()
    [[[[0.0]]]]
    """
    return _min_pool("min_pool3d", 3, input, (kernel_size, stride, padding, dilation, bool(ceil_mode)), return_indices)


@operator(family="min_sum_pool", kernels=("avg_pool2d", "avg_pool2d_grad_x"), differentiable=("input",))
def sum_pool1d(
    input: Any, kernel_size: Size1, stride: Size1 | None = None, padding: int | tuple[int, ...] = 0, ceil_mode: bool = False
) -> Tensor:
    """Sum each window of a signal.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out), as `avg_pool1d`.

    Formula
    -------
    y[n, c, j] = sum of input over the cells of window (j); grad_input[n, c, w] = sum of grad over the windows that read (w).

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode
        As in `avg_pool1d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    Average pooling with the divisor 1; a convolution of each channel with ones.

    References
    ----------
    Boureau, Ponce and LeCun 2010, "A theoretical analysis of feature pooling in visual recognition", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.sum_pool1d([[3.0, 1.0, 4.0, 2.0]], 2).tolist()
    [[4.0, 6.0]]
    """
    return _avg_pool("sum_pool1d", 1, input, (kernel_size, stride, padding, bool(ceil_mode)), True, 1)


@operator(family="min_sum_pool", kernels=("avg_pool2d", "avg_pool2d_grad_x"), differentiable=("input",))
def sum_pool2d(
    input: Any, kernel_size: Size2, stride: Size2 | None = None, padding: int | tuple[int, ...] = 0, ceil_mode: bool = False
) -> Tensor:
    """Sum each window of an image.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out), as `avg_pool2d`.

    Formula
    -------
    y[n, c, i, j] = sum of input over the cells of window (i, j); grad_input[n, c, h, w] = sum of grad over the windows that read (h, w).

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode
        As in `avg_pool2d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    Average pooling with the divisor 1; a convolution of each channel with ones.

    References
    ----------
    Boureau, Ponce and LeCun 2010, "A theoretical analysis of feature pooling in visual recognition", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.sum_pool2d([[[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0]]], 2).tolist()
    [[[13.0, 21.0]]]
    """
    return _avg_pool("sum_pool2d", 2, input, (kernel_size, stride, padding, bool(ceil_mode)), True, 1)


@operator(family="min_sum_pool", kernels=("avg_pool3d", "avg_pool3d_grad_x"), differentiable=("input",))
def sum_pool3d(
    input: Any, kernel_size: Size3, stride: Size3 | None = None, padding: int | tuple[int, ...] = 0, ceil_mode: bool = False
) -> Tensor:
    """Sum each window of a volume.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), as `avg_pool3d`.

    Formula
    -------
    y[n, c, k, i, j] = sum of input over the cells of window (k, i, j); grad_input[n, c, d, h, w] = sum of grad over the windows that read (d, h, w).

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode
        As in `avg_pool3d`.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a window does not fit, or an example has no elements. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    Average pooling with the divisor 1; a convolution of each channel with ones.

    References
    ----------
    Boureau, Ponce and LeCun 2010, "A theoretical analysis of feature pooling in visual recognition", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.sum_pool3d([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 9.0], [5.0, 7.0]]]], 2).tolist()
    [[[[31.0]]]]
    """
    return _avg_pool("sum_pool3d", 3, input, (kernel_size, stride, padding, bool(ceil_mode)), True, 1)
