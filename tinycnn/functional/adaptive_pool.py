"""Adaptive pooling: the size of the output is given, and the windows follow."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, whole
from ._windows import AXES, COUNTS, is_list, require_memory, require_rank

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]


@plan_cache
def _table(size: int, outputs: int) -> np.ndarray:
    """(1, outputs, 2): the windows of one axis, each from floor(i size / outputs) to ceil((i + 1) size / outputs)."""
    number = np.arange(outputs, dtype=np.int64)
    return np.stack([number * size // max(outputs, 1), -(-(number + 1) * size // max(outputs, 1))], axis=1)[np.newaxis]


def _output_size(name: str, shape: tuple[int, ...], value: Any, axes: int) -> tuple[int, ...]:
    """One size an axis; None keeps the input's."""
    if is_list(value) and len(value) != axes:
        raise ArgumentError(
            f"{name}: output_size has {len(value)} numbers; give one, or {COUNTS[axes]} as ({', '.join(AXES[axes])})"
        )
    wanted = value if is_list(value) else (value,) * axes
    return tuple([size if number is None else whole(name, "output_size", number, 0) for size, number in zip(shape[-axes:], wanted)])


def _maps(name: str, input: Any, output_size: Any, axes: int, channels: bool) -> tuple[Tensor, np.ndarray, tuple[np.ndarray, ...], tuple[int, ...]]:
    """The tensor, its maps (M, D, H, W), the windows of each axis, and the shape of the result."""
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    require_rank(name, shape, axes)
    outputs = _output_size(name, shape, output_size, axes)
    for axis in range(1 if channels else len(shape) - axes, len(shape)):
        if shape[axis] < 1:
            raise ShapeError(f"{name}: input has shape {shape}; every axis but the first must hold at least one element")
    result = shape[:-axes] + outputs
    require_memory(name, result)
    spatial = (1,) * (3 - axes) + shape[-axes:]
    tables = tuple([_table(size, number) for size, number in zip(spatial, (1,) * (3 - axes) + outputs)])
    return tensor, contiguous(tensor.data).reshape(math.prod(shape[:-axes]), *spatial), tables, result


def _adaptive_max(name: str, input: Any, output_size: Any, axes: int, return_indices: bool) -> Any:
    tensor, x, tables, shape = _maps(name, input, output_size, axes, True)
    y, index = kernels.select("max_of_windows", x)(x, *tables)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        return (kernels.select("max_of_windows_grad_x", x)(upstream, index, x.shape).reshape(tensor.data.shape),)

    result = record(name, y.reshape(shape), (tensor,), backward)
    return (result, Tensor(index.reshape(shape))) if return_indices else result


def _adaptive_mean(name: str, input: Any, output_size: Any, axes: int) -> Tensor:
    # torch refuses a batch of volumes without channels, and takes one of signals or images.
    tensor, x, tables, shape = _maps(name, input, output_size, axes, axes == 3)
    y = kernels.select("mean_of_windows", x)(x, *tables)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        return (kernels.select("mean_of_windows_grad_x", x)(upstream, x.shape, *tables).reshape(tensor.data.shape),)

    return record(name, y.reshape(shape), (tensor,), backward)


@operator(
    family="adaptive_pool",
    kernels=("max_of_windows", "max_of_windows_grad_x"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def adaptive_max_pool1d(input: Any, output_size: int | tuple[int | None], return_indices: bool = False) -> Any:
    """Keep the largest element of each window of a signal, as many windows as asked for.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Along an axis of size S with O outputs, window i holds the cells floor(i S / O) to ceil((i + 1) S / O) - 1;
    y[n, c, j] = max of input over window (j); grad_input[n, c, w] = sum of grad over the windows that (w) won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    output_size : int or (length,)
        Cells of the output; None keeps the input's size.
    return_indices : bool
        Return (y, indices) with the flat positions of the maxima over all spatial axes, int64.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If the rank is wrong or an example has no elements. ArgumentError: an output size below 0. DtypeError: integers.

    Notes
    -----
    Windows overlap by a cell where the sizes do not divide, and are those of plain pooling where they do. The first of equals receives the
    gradient and NaN wins, as in torch.

    References
    ----------
    He et al. 2014, "Spatial pyramid pooling in deep convolutional networks for visual recognition", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.adaptive_max_pool1d([[1.0, 5.0, 2.0, 4.0, 3.0]], 2).tolist()
    [[5.0, 4.0]]
    """
    return _adaptive_max("adaptive_max_pool1d", input, output_size, 1, return_indices)


@operator(
    family="adaptive_pool",
    kernels=("max_of_windows", "max_of_windows_grad_x"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def adaptive_max_pool2d(input: Any, output_size: int | tuple[int | None, int | None] | None, return_indices: bool = False) -> Any:
    """Keep the largest element of each window of an image, as many windows as asked for.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Along an axis of size S with O outputs, window i holds the cells floor(i S / O) to ceil((i + 1) S / O) - 1;
    y[n, c, i, j] = max of input over window (i, j); grad_input[n, c, h, w] = sum of grad over the windows that (h, w) won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    output_size : int or (height, width)
        Cells of the output; None keeps the input's size.
    return_indices : bool
        Return (y, indices) with the flat positions of the maxima over all spatial axes, int64.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If the rank is wrong or an example has no elements. ArgumentError: an output size below 0. DtypeError: integers.

    Notes
    -----
    Windows overlap by a cell where the sizes do not divide, and are those of plain pooling where they do. The first of equals receives the
    gradient and NaN wins, as in torch.

    References
    ----------
    He et al. 2014, "Spatial pyramid pooling in deep convolutional networks for visual recognition", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.adaptive_max_pool2d([[[1.0, 2.0], [3.0, 4.0]]], (1, 2)).tolist()
    [[[3.0, 4.0]]]
    """
    return _adaptive_max("adaptive_max_pool2d", input, output_size, 2, return_indices)


@operator(
    family="adaptive_pool",
    kernels=("max_of_windows", "max_of_windows_grad_x"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def adaptive_max_pool3d(input: Any, output_size: int | tuple[int | None, int | None, int | None] | None, return_indices: bool = False) -> Any:
    """Keep the largest element of each window of a volume, as many windows as asked for.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Along an axis of size S with O outputs, window i holds the cells floor(i S / O) to ceil((i + 1) S / O) - 1;
    y[n, c, k, i, j] = max of input over window (k, i, j); grad_input[n, c, d, h, w] = sum of grad over the windows that (d, h, w) won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    output_size : int or (depth, height, width)
        Cells of the output; None keeps the input's size.
    return_indices : bool
        Return (y, indices) with the flat positions of the maxima over all spatial axes, int64.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If the rank is wrong or an example has no elements. ArgumentError: an output size below 0. DtypeError: integers.

    Notes
    -----
    Windows overlap by a cell where the sizes do not divide, and are those of plain pooling where they do. The first of equals receives the
    gradient and NaN wins, as in torch.

    References
    ----------
    He et al. 2014, "Spatial pyramid pooling in deep convolutional networks for visual recognition", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.adaptive_max_pool3d([[[[1.0, 2.0], [3.0, 4.0]]]], (1, 2, 1)).tolist()
    [[[[2.0], [4.0]]]]
    """
    return _adaptive_max("adaptive_max_pool3d", input, output_size, 3, return_indices)


@operator(family="adaptive_pool", kernels=("mean_of_windows", "mean_of_windows_grad_x"), differentiable=("input",))
def adaptive_avg_pool1d(input: Any, output_size: int | tuple[int | None]) -> Tensor:
    """Average each window of a signal, as many windows as asked for.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Windows as in `adaptive_max_pool1d`; y[n, c, j] = mean of input over window (j);
    grad_input[n, c, w] = sum over the windows that hold (w) of grad over their number of cells.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    output_size : int or (length,)
        Cells of the output; None keeps the input's size.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the rank is wrong or an example has no elements. ArgumentError: an output size below 0. DtypeError: integers.

    Notes
    -----
    Sums are kept in float64, so large windows of float32 lose nothing.

    References
    ----------
    Lin, Chen and Yan 2014, "Network in network", section 3.2 (output size 1).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.adaptive_avg_pool1d([[1.0, 5.0, 3.0, 4.0, 2.0]], 2).tolist()
    [[3.0, 3.0]]
    """
    return _adaptive_mean("adaptive_avg_pool1d", input, output_size, 1)


@operator(family="adaptive_pool", kernels=("mean_of_windows", "mean_of_windows_grad_x"), differentiable=("input",))
def adaptive_avg_pool2d(input: Any, output_size: int | tuple[int | None, int | None] | None) -> Tensor:
    """Average each window of an image, as many windows as asked for.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Windows as in `adaptive_max_pool2d`; y[n, c, i, j] = mean of input over window (i, j);
    grad_input[n, c, h, w] = sum over the windows that hold (h, w) of grad over their number of cells.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    output_size : int or (height, width)
        Cells of the output; None keeps the input's size.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the rank is wrong or an example has no elements. ArgumentError: an output size below 0. DtypeError: integers.

    Notes
    -----
    Sums are kept in float64, so large windows of float32 lose nothing.

    References
    ----------
    Lin, Chen and Yan 2014, "Network in network", section 3.2 (output size 1).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.adaptive_avg_pool2d([[[1.0, 2.0], [3.0, 4.0]]], (1, 2)).tolist()
    [[[2.0, 3.0]]]
    """
    return _adaptive_mean("adaptive_avg_pool2d", input, output_size, 2)


@operator(family="adaptive_pool", kernels=("mean_of_windows", "mean_of_windows_grad_x"), differentiable=("input",))
def adaptive_avg_pool3d(input: Any, output_size: int | tuple[int | None, int | None, int | None] | None) -> Tensor:
    """Average each window of a volume, as many windows as asked for.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Windows as in `adaptive_max_pool3d`; y[n, c, k, i, j] = mean of input over window (k, i, j);
    grad_input[n, c, d, h, w] = sum over the windows that hold (d, h, w) of grad over their number of cells.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    output_size : int or (depth, height, width)
        Cells of the output; None keeps the input's size.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the rank is wrong or an example has no elements. ArgumentError: an output size below 0. DtypeError: integers.

    Notes
    -----
    Sums are kept in float64, so large windows of float32 lose nothing.

    References
    ----------
    Lin, Chen and Yan 2014, "Network in network", section 3.2 (output size 1).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.adaptive_avg_pool3d([[[[1.0, 2.0], [3.0, 4.0]]]], (1, 2, 1)).tolist()
    [[[[1.5], [3.5]]]]
    """
    return _adaptive_mean("adaptive_avg_pool3d", input, output_size, 3)
