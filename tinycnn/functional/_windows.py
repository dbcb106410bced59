"""What poolings of one, two and three axes check before any work: shapes, numbers an axis, windows that fit."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..kernels import sizes
from ..kernels.plans import plan_cache
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, hashable, whole

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LETTERS = {1: "L", 2: "H, W", 3: "D, H, W"}
COUNTS = {1: "one", 2: "two", 3: "three", 4: "four", 6: "six"}
SIDES = {1: "before, after", 2: "top, bottom, left, right", 3: "front, back, top, bottom, left, right"}
CELLS_LIMIT = 1 << 38  # more than any memory holds, few enough to be counted in an intp


class Windows(NamedTuple):
    """The checked options of one pooling, as kernels take them: rows of numbers are images of one row."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]


def is_list(value: Any) -> bool:
    """Whether a value lists numbers."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def numbers(operator: str, argument: str, value: Any, least: int, axes: int) -> tuple[int, ...]:
    """One whole number an axis, from one for all or from as many as there are axes."""
    if is_list(value) and len(value) not in (1, axes):
        more = f", or {COUNTS[axes]} as ({', '.join(AXES[axes])})" if axes > 1 else ""
        raise ArgumentError(f"{operator}: {argument} has {len(value)} numbers; give one{more}")
    if is_list(value) and len(value) == axes:
        return tuple([whole(operator, argument, number, least) for number in value])
    return (whole(operator, argument, value[0] if is_list(value) else value, least),) * axes


def sides(operator: str, argument: str, value: Any, axes: int) -> tuple[int, ...]:
    """(before, after) of every axis, from one number for all, one an axis, or two an axis."""
    if is_list(value) and len(value) == 2 * axes:
        return tuple([whole(operator, argument, number, 0) for number in value])
    if is_list(value) and len(value) not in (1, axes):
        middle = f", {COUNTS[axes]} as ({', '.join(AXES[axes])})" if axes > 1 else ""
        raise ArgumentError(
            f"{operator}: {argument} has {len(value)} numbers; give one{middle} or {COUNTS[2 * axes]} as ({SIDES[axes]})"
        )
    return tuple([number for number in numbers(operator, argument, value, 0, axes) for _ in range(2)])


def require_rank(operator: str, shape: tuple[int, ...], axes: int) -> None:
    """Refuse what is neither a batch nor one example."""
    if len(shape) not in (axes + 1, axes + 2):
        kind = {1: "signal", 2: "image", 3: "volume"}[axes]
        raise ShapeError(
            f"{operator}: input has shape {shape}; it must be (N, C, {LETTERS[axes]}), or (C, {LETTERS[axes]}) for one {kind}"
        )


def require_cells(operator: str, shape: tuple[int, ...], axes: int) -> None:
    """Refuse examples without elements; `shape` starts with (N, C), and N may be 0."""
    for axis, word in enumerate(AXES[axes]):
        if shape[len(shape) - axes + axis] < 1:
            raise ShapeError(f"{operator}: input has {word} 0; it must be at least 1")
    if shape[1] < 1:
        raise ShapeError(f"{operator}: input has 0 channels; it must have at least 1")


def require_memory(operator: str, shape: tuple[int, ...]) -> None:
    """Refuse a result that no memory holds."""
    if math.prod(shape) > CELLS_LIMIT:
        raise ShapeError(f"{operator}: a result of shape {shape} has {math.prod(shape)} elements, more than any memory holds; ask for less")


def examples(operator: str, input: Any, axes: int) -> tuple[Tensor, np.ndarray]:
    """The input as a tensor, and its data as kernels take them: (N, C, 1, L), (N, C, H, W) or (N, C, D, H, W)."""
    tensor = float_tensor(operator, "input", input)
    shape = tensor.data.shape
    require_rank(operator, shape, axes)
    lead = shape[:-axes] if len(shape) == axes + 2 else (1, *shape[:-axes])
    return tensor, contiguous(tensor.data).reshape(*lead, *((1,) if axes == 1 else ()), *shape[-axes:])


def like_input(y: np.ndarray, tensor: Tensor, axes: int) -> np.ndarray:
    """A kernel's result with the axes that the input has."""
    return y.reshape(tensor.data.shape[:-axes] + y.shape[-axes:])


@plan_cache
def _windows(
    name: str,
    axes: int,
    x_shape: tuple[int, ...],
    kinds: tuple[type, ...],
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Windows:
    """Check one combination of shape and options; raises before any work. `kinds` are their types, as 2 and 2.0 are one key otherwise."""
    kernel = numbers(name, "kernel_size", kernel_size, 1, axes)
    strides = kernel if stride is None or stride == () else numbers(name, "stride", stride, 1, axes)
    dilations = numbers(name, "dilation", dilation, 1, axes)
    amounts = sides(name, "padding", padding, axes)
    require_cells(name, x_shape, axes)
    for axis, word in enumerate(AXES[axes]):
        size, before, after = x_shape[len(x_shape) - axes + axis], amounts[2 * axis], amounts[2 * axis + 1]
        if max(before, after) > kernel[axis] // 2:
            raise ArgumentError(
                f"{name}: padding {max(before, after)} > half of kernel {kernel[axis]} ({word}), so a window could lie in padding only; "
                f"use padding <= {kernel[axis] // 2}"
            )
        fits = sizes.pool_output_size(size, kernel[axis], strides[axis], before, after, dilations[axis], ceil_mode)
        if fits < 1:
            sizes.require_fit(name, word, size, kernel[axis], strides[axis], before, after, dilations[axis])
    if axes == 1:
        return Windows((1, *kernel), (1, *strides), (0, 0, *amounts), (1, *dilations))
    return Windows(kernel, strides, amounts, dilations)


def checked_windows(name: str, axes: int, x_shape: tuple[int, ...], *options: Any) -> Windows:
    """The options of a pooling of `axes` axes, checked: kernel_size, stride, padding, dilation, ceil_mode."""
    kinds = tuple(map(type, options))
    try:
        return _windows(name, axes, x_shape, kinds, *options)
    except TypeError:  # lists are as good as tuples, but cannot be looked up
        return _windows(name, axes, x_shape, kinds, *map(hashable, options))
