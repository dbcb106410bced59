"""What the sliding operators share: their operands, and options of one to three spatial axes checked against the shapes they meet.

Operators of one axis run on images of height 1, so the geometry of a one-dimensional convolution is given as that of a two-dimensional one.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..kernels import sizes
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, one_of, same_dtype, whole
from ._windows import AXES, LETTERS, is_list, numbers, require_memory, sides

SAMPLES = {1: "sequence", 2: "image", 3: "volume"}
LARGEST_AXIS = 2**31 - 1


class Geometry(NamedTuple):
    """The checked options of one convolution, as kernels take them."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    padding_mode: str


class TransposedGeometry(NamedTuple):
    """The checked options of one transposed convolution, as kernels take them."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    dilation: tuple[int, ...]


class Operands(NamedTuple):
    """The tensors of one call, and their arrays as kernels take them: a batch, at least two spatial axes, in row-major order."""

    tensors: tuple[Tensor, Tensor, Tensor | None]
    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray | None
    single: bool


def operands(name: str, rank: int, input: Any, weight: Any, bias: Any) -> Operands:
    """Make float tensors of one dtype of the arguments."""
    tensor = float_tensor(name, "input", input)
    kernel = float_tensor(name, "weight", weight)
    offset = None if bias is None else float_tensor(name, "bias", bias)
    same_dtype(name, input=tensor, weight=kernel, bias=offset)
    x = contiguous(tensor.data)
    single = x.ndim == rank + 1
    if single:
        x = x[np.newaxis]
    return Operands((tensor, kernel, offset), x, contiguous(kernel.data), None if offset is None else contiguous(offset.data), single)


def lifted(array: np.ndarray, rank: int) -> np.ndarray:
    """An array of one spatial axis as one of height 1; others as they are."""
    return array[:, :, np.newaxis] if rank == 1 else array


def planes(array: np.ndarray) -> np.ndarray:
    """(N, C, ...) as (N, C, rows, columns), for kernels that add up whatever is spatial."""
    return array.reshape(*array.shape[:2], math.prod(array.shape[2:-1]), array.shape[-1])


def steps(name: str, argument: str, value: Any, rank: int) -> tuple[int, ...]:
    """Strides, dilations or sizes of kernels: whole numbers from 1 to what an axis can hold."""
    checked = numbers(name, argument, value, 1, rank)
    if max(checked) > LARGEST_AXIS:
        raise ArgumentError(f"{name}: {argument} {max(checked)} is more than an axis can hold; give at most {LARGEST_AXIS}")
    return checked


def _check_ranks(name: str, rank: int, x_shape: tuple[int, ...], weight_shape: tuple[int, ...], weight_layout: str) -> None:
    if len(x_shape) != rank + 2:
        raise ShapeError(
            f"{name}: input has shape {x_shape}; it must be (N, C_in, {LETTERS[rank]}), or (C_in, {LETTERS[rank]}) for one {SAMPLES[rank]}"
        )
    if len(weight_shape) != rank + 2 or 0 in weight_shape:
        taps = ", ".join(f"K_{axis[0]}" for axis in AXES[rank]) if rank > 1 else "K"
        raise ShapeError(f"{name}: weight has shape {weight_shape}; it must be ({weight_layout}, {taps}), none of them zero")
    for word, size in zip(AXES[rank], x_shape[2:]):
        if size < 1:
            raise ShapeError(f"{name}: input has {word} 0; it must be at least 1")


def _check_bias(name: str, bias_shape: tuple[int, ...] | None, out_channels: int) -> None:
    if bias_shape is not None and bias_shape != (out_channels,):
        raise ShapeError(f"{name}: bias has shape {bias_shape}; it must be ({out_channels},), one number an output channel")


def convolution_geometry(
    name: str,
    rank: int,
    x_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    bias_shape: tuple[int, ...] | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    padding_mode: Any,
) -> Geometry:
    """Check the shapes and options of one convolution of a batch."""
    _check_ranks(name, rank, x_shape, weight_shape, "C_out, C_in / groups")
    groups = whole(name, "groups", groups, 1)
    out_channels, group_channels = weight_shape[:2]
    if group_channels * groups != x_shape[1]:
        raise ShapeError(
            f"{name}: input has {x_shape[1]} channels, but weight {weight_shape} with groups={groups} takes "
            f"{group_channels} x {groups} = {group_channels * groups}; make the weight's second size C_in / groups"
        )
    if out_channels % groups:
        raise ShapeError(f"{name}: weight has {out_channels} output channels, which groups={groups} does not divide; use a multiple")
    _check_bias(name, bias_shape, out_channels)
    one_of(name, "padding_mode", padding_mode, sizes.PADDING_MODES)
    strides = steps(name, "stride", stride, rank)
    dilations = steps(name, "dilation", dilation, rank)
    if isinstance(padding, str):
        named = zip(x_shape[2:], weight_shape[2:], strides, dilations)
        around = tuple(number for axis in named for number in sizes.same_padding(*axis, padding))
    else:
        around = sides(name, "padding", padding, rank)
    result = [x_shape[0], out_channels]
    for axis, word in enumerate(AXES[rank]):
        size, before, after = x_shape[2 + axis], around[2 * axis], around[2 * axis + 1]
        sizes.require_padding_fits_mode(name, padding_mode, word, size, before, after)
        result.append(sizes.require_fit(name, word, size, weight_shape[2 + axis], strides[axis], before, after, dilations[axis]))
        _check_axis(name, f"padded {word}", size + before + after)
    require_memory(name, tuple(result))
    if rank == 1:
        strides, around, dilations = (1, *strides), (0, 0, *around), (1, *dilations)
    return Geometry(strides, around, dilations, groups, padding_mode)


def require_padding_options(name: str, padding: Any, strides: tuple[int, ...], padding_mode: Any) -> None:
    """Refuse at construction what a layer could never run with: unknown names, and "same" where the stride is not 1."""
    one_of(name, "padding_mode", padding_mode, sizes.PADDING_MODES)
    if isinstance(padding, str):
        for stride in strides:
            sizes.same_padding(1, 1, stride, 1, padding)
    else:
        sides(name, "padding", padding, len(strides))


def _check_axis(name: str, words: str, size: int) -> None:
    if size > LARGEST_AXIS:
        raise ShapeError(f"{name}: the {words} would be {size}; an axis holds at most {LARGEST_AXIS}")


def transposed_geometry(
    name: str,
    rank: int,
    x_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    bias_shape: tuple[int, ...] | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
    output_size: Any,
    single: bool,
) -> TransposedGeometry:
    """Check the shapes and options of one transposed convolution of a batch; `single` says that the caller gave one sample."""
    _check_ranks(name, rank, x_shape, weight_shape, "C_in, C_out / groups")
    groups = whole(name, "groups", groups, 1)
    if weight_shape[0] != x_shape[1]:
        raise ShapeError(
            f"{name}: input has {x_shape[1]} channels, but weight {weight_shape} takes {weight_shape[0]}; "
            "a transposed convolution's weight is (C_in, C_out / groups, ...)"
        )
    if x_shape[1] % groups:
        raise ShapeError(f"{name}: input has {x_shape[1]} channels, which groups={groups} does not divide; use a divisor")
    _check_bias(name, bias_shape, weight_shape[1] * groups)
    strides = steps(name, "stride", stride, rank)
    dilations = steps(name, "dilation", dilation, rank)
    around = sides(name, "padding", padding, rank)
    behind = numbers(name, "output_padding", output_padding, 0, rank)
    smallest = tuple(
        sizes.conv_transpose_output_size(
            x_shape[2 + axis], weight_shape[2 + axis], strides[axis], around[2 * axis], around[2 * axis + 1], dilations[axis], 0
        )
        for axis in range(rank)
    )
    if output_size is not None:
        if any(behind):
            raise ArgumentError(f"{name}: output_padding={output_padding} and output_size={output_size} say the same thing; give one of them")
        behind = _reach(name, rank, smallest, strides, output_size, single)
    for axis, word in enumerate(AXES[rank]):
        if behind[axis] >= max(strides[axis], dilations[axis]):
            raise ArgumentError(
                f"{name}: output_padding {behind[axis]} ({word}) must be smaller than the stride {strides[axis]} or the dilation "
                f"{dilations[axis]}; use at most {max(strides[axis], dilations[axis]) - 1}"
            )
        size = smallest[axis] + behind[axis]
        if size < 1:
            raise ShapeError(
                f"{name}: the output {word} would be {size}: (input {x_shape[2 + axis]} - 1) x stride {strides[axis]} + kernel span "
                f"{sizes.effective_kernel(weight_shape[2 + axis], dilations[axis])} + output_padding {behind[axis]} - padding "
                f"{around[2 * axis]} - {around[2 * axis + 1]}; use {1 - size} less padding in all"
            )
        _check_axis(name, f"output {word}", size)
    result = (x_shape[0], weight_shape[1] * groups, *(size + blank for size, blank in zip(smallest, behind)))
    require_memory(name, result)
    if rank == 1:
        strides, around, behind, dilations = (1, *strides), (0, 0, *around), (0, *behind), (1, *dilations)
    return TransposedGeometry(strides, around, behind, groups, dilations)


def _reach(
    name: str, rank: int, smallest: tuple[int, ...], strides: tuple[int, ...], output_size: Any, single: bool
) -> tuple[int, ...]:
    """The output padding that gives a wanted output size."""
    others = 1 if single else 2
    wanted = output_size
    if is_list(wanted) and len(wanted) == rank + others:
        wanted = wanted[others:]
    if is_list(wanted) and len(wanted) != rank:
        raise ArgumentError(
            f"{name}: output_size has {len(wanted)} numbers; give {rank} as ({', '.join(AXES[rank])}), or {rank + others} with the other axes"
        )
    wanted = numbers(name, "output_size", wanted, 0, rank)
    largest = tuple(size + step - 1 for size, step in zip(smallest, strides))
    for word, size, low, high in zip(AXES[rank], wanted, smallest, largest):
        if not low <= size <= high:
            raise ShapeError(
                f"{name}: output_size {wanted} cannot be reached: {word} {size} is outside {low} to {high}; "
                f"the sizes this input allows are {smallest} to {largest}"
            )
    return tuple(size - low for size, low in zip(wanted, smallest))
