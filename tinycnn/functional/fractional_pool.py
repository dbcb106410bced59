"""Fractional maximum pooling: windows at random steps, so that sizes shrink by any factor."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..random import default_generator
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor
from ._windows import AXES, COUNTS, is_list, numbers, require_rank
from .pool import Size2, Size3

__all__ = ["fractional_max_pool2d", "fractional_max_pool3d"]


def _output_size(name: str, spatial: tuple[int, ...], output_size: Any, output_ratio: Any) -> tuple[int, ...]:
    """The output's size, given as it is or as a share of the input's."""
    axes = len(spatial)
    if output_size is not None:
        return numbers(name, "output_size", output_size, 0, axes)
    if output_ratio is None:
        raise ArgumentError(f"{name}: output_size and output_ratio are both left out; give one of them")
    ratios = tuple(output_ratio) if is_list(output_ratio) else (output_ratio,) * axes
    if len(ratios) != axes:
        raise ArgumentError(f"{name}: output_ratio has {len(ratios)} numbers; give one, or {COUNTS[axes]} as ({', '.join(AXES[axes])})")
    for ratio in ratios:
        if isinstance(ratio, bool) or not isinstance(ratio, int | float | np.number) or not 0 < ratio < 1:
            raise ArgumentError(f"{name}: output_ratio must be between 0 and 1, not {ratio!r}")
    return tuple([int(size * ratio) for size, ratio in zip(spatial, ratios)])


def _samples(name: str, given: Any, batch: int, channels: int, axes: int, dtype: Any, generator: np.random.Generator | None) -> np.ndarray:
    """(batch * channels, axes) numbers from 0 to 1, drawn or checked."""
    if given is None:
        # Drawn in float64 and rounded down to the dtype's steps, a number below 1 stays below 1.
        return np.floor(default_generator(generator).random((batch * channels, axes)) * 2**23).astype(dtype) / dtype.type(2**23)
    samples = float_tensor(name, "_random_samples", given).data
    if samples.dtype != dtype:
        raise DtypeError(f"{name}: _random_samples is {samples.dtype} but input is {dtype}; convert one")
    if samples.ndim != 3 or samples.shape[0] < batch or samples.shape[1:] != (channels, axes):
        raise ShapeError(f"{name}: _random_samples has shape {samples.shape}; it must be ({batch}, {channels}, {axes}): one number a map and axis")
    samples = samples[:batch].reshape(-1, axes)
    if not np.all((samples >= 0) & (samples <= 1)):
        raise ArgumentError(f"{name}: _random_samples must lie between 0 and 1")
    return samples


def _table(samples: np.ndarray, size: int, outputs: int, kernel: int) -> np.ndarray:
    """(maps, outputs, 2): where each window of one axis starts and ends, map by map."""
    start = np.zeros((samples.size, outputs), np.int64)
    if outputs > 1:
        number = samples.dtype.type
        step = number(size - kernel) / number(outputs - 1)
        offset = (samples * step).astype(np.int64)[:, np.newaxis]
        start[:, :-1] = ((np.arange(outputs - 1, dtype=samples.dtype) + samples[:, np.newaxis]) * step).astype(np.int64) - offset
    start[:, -1:] = size - kernel
    return np.stack([start, start + kernel], axis=2)


def _fractional(name: str, axes: int, input: Any, kernel_size: Any, sizes: tuple[Any, Any], samples: Any, generator: Any, indices: bool) -> Any:
    tensor = float_tensor(name, "input", input)
    shape = tensor.data.shape
    require_rank(name, shape, axes)
    spatial = shape[-axes:]
    kernel = numbers(name, "kernel_size", kernel_size, 1, axes)
    outputs = _output_size(name, spatial, *sizes)
    if math.prod(shape[1:]) < 1:
        raise ShapeError(f"{name}: input has shape {shape}; every axis but the first must hold at least one element")
    for word, size, window, output in zip(AXES[axes], spatial, kernel, outputs):
        needed = output + window - (1 if axes == 2 else 0)  # torch asks for a cell more in volumes
        if needed > size:
            raise ShapeError(
                f"{name}: {output} windows of kernel {window} need {word} {needed}, but input has {size}; use output_size <= {output - needed + size}"
            )
    batch, channels = shape[:-axes] if len(shape) == axes + 2 else (1, shape[0])
    drawn = _samples(name, samples, batch, channels, axes, tensor.data.dtype, generator)
    # The samples of an image are torch's: first that of the width, then that of the height; those of a volume go from the depth on.
    order = (1, 0) if axes == 2 else (0, 1, 2)
    tables = [_table(drawn[:, order[a]], spatial[a], outputs[a], kernel[a]) for a in range(axes)]
    if axes == 2:
        tables.insert(0, np.array([[[0, 1]]], np.int64))
    x = contiguous(tensor.data).reshape(batch * channels, *((1,) * (3 - axes)), *spatial)
    y, index = kernels.select("max_of_windows", x)(x, *tables)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(y.shape)
        return (kernels.select("max_of_windows_grad_x", x)(upstream, index, x.shape).reshape(shape),)

    result = record(name, y.reshape(shape[:-axes] + outputs), (tensor,), backward)
    return (result, Tensor(index.reshape(shape[:-axes] + outputs))) if indices else result


@operator(
    family="fractional_pool",
    kernels=("max_of_windows", "max_of_windows_grad_x"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def fractional_max_pool2d(
    input: Any,
    kernel_size: Size2,
    output_size: Size2 | None = None,
    output_ratio: float | tuple[float, ...] | None = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    generator: np.random.Generator | None = None,
) -> Any:
    """Keep the largest element of each window of an image; the windows start at random, nearly even steps.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Along an axis of size S with O outputs, kernel K and the map's random u: alpha = (S - K) / (O - 1), window i starts at
    trunc((i + u) alpha) - trunc(u alpha), the last one at S - K; y[n, c, i, j] = max over window (i, j);
    grad_input[n, c, h, w] = sum of grad over the windows that (h, w) won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size : int or (height, width)
        Size of the window in cells.
    output_size : int or (height, width), optional
        Cells of the output.
    output_ratio : float or (height, width), optional
        The output's size as a share of the input's, between 0 and 1, rounded down; read where `output_size` is left out.
    return_indices : bool
        Return (y, indices) with the flat positions of the maxima, int64.
    _random_samples : Tensor, optional
        (N, C, 2) numbers u from 0 to 1 of each map, in the order (width, height), of input's dtype.
    generator : numpy.random.Generator, optional
        Where the numbers u are drawn from; the package's generator if left out.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If so many windows do not fit. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    The "pseudorandom" overlapping form of the paper, as torch, which for volumes asks that output + K <= size though one
    less would do; TensorFlow's fractional_max_pool draws sequences of steps instead.

    References
    ----------
    Graham 2014, "Fractional max-pooling", section 2.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.fractional_max_pool2d(np.arange(16.0).reshape(1, 4, 4), 2, output_size=2, _random_samples=np.zeros((1, 1, 2))).tolist()
    [[[5.0, 7.0], [13.0, 15.0]]]
    """
    sizes = (output_size, output_ratio)
    return _fractional("fractional_max_pool2d", 2, input, kernel_size, sizes, _random_samples, generator, return_indices)


@operator(
    family="fractional_pool",
    kernels=("max_of_windows", "max_of_windows_grad_x"),
    differentiable=("input",),
    kinks="ties inside a window",
)
def fractional_max_pool3d(
    input: Any,
    kernel_size: Size3,
    output_size: Size3 | None = None,
    output_ratio: float | tuple[float, ...] | None = None,
    return_indices: bool = False,
    _random_samples: Any = None,
    *,
    generator: np.random.Generator | None = None,
) -> Any:
    """Keep the largest element of each window of a volume; the windows start at random, nearly even steps.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out) with the sizes in `output_size`; or without N.

    Formula
    -------
    Along an axis of size S with O outputs, kernel K and the map's random u: alpha = (S - K) / (O - 1), window i starts at
    trunc((i + u) alpha) - trunc(u alpha), the last one at S - K; y[n, c, k, i, j] = max over window (k, i, j);
    grad_input[n, c, d, h, w] = sum of grad over the windows that (d, h, w) won.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    kernel_size : int or (depth, height, width)
        Size of the window in cells.
    output_size : int or (depth, height, width), optional
        Cells of the output.
    output_ratio : float or (depth, height, width), optional
        The output's size as a share of the input's, between 0 and 1, rounded down; read where `output_size` is left out.
    return_indices : bool
        Return (y, indices) with the flat positions of the maxima, int64.
    _random_samples : Tensor, optional
        (N, C, 3) numbers u from 0 to 1 of each map, in the order (depth, height, width), of input's dtype.
    generator : numpy.random.Generator, optional
        Where the numbers u are drawn from; the package's generator if left out.

    Returns
    -------
    Tensor, or (Tensor, Tensor)

    Raises
    ------
    ShapeError
        If so many windows do not fit. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    The "pseudorandom" overlapping form of the paper, as torch, which for volumes asks that output + K <= size though one
    less would do; TensorFlow's fractional_max_pool draws sequences of steps instead.

    References
    ----------
    Graham 2014, "Fractional max-pooling", section 2.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> tinycnn.functional.fractional_max_pool3d(np.arange(27.0).reshape(1, 3, 3, 3), 2, 1, _random_samples=np.zeros((1, 1, 3))).tolist()
    [[[[26.0]]]]
    """
    sizes = (output_size, output_ratio)
    return _fractional("fractional_max_pool3d", 3, input, kernel_size, sizes, _random_samples, generator, return_indices)
