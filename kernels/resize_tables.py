"""Which elements of an axis a resized axis reads, and with what weights: everything about resizing but the arithmetic.

A table is three arrays: output i is the sum of weight[k] x[source[k]] over first[i] <= k < first[i + 1]. Nearest, linear,
cubic, area and anti-aliased resizing differ in their tables only, and the table of the gradient is the transposed one.
Coordinates are computed in the dtype of the image, as torch does: in float32 a wide axis has coordinates that differ from
the exact ones, and a nearest neighbour may differ with them. For object arrays they are exact fractions.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .errors import ArgumentError
from .plans import plan_cache

RULES = ("half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "tf_half_pixel_for_nn")

# The free parameter of the cubic convolution kernel: the one torch and OpenCV use, and the one of anti-aliased resizing.
CUBIC = Fraction(-3, 4)
CUBIC_ANTIALIAS = Fraction(-1, 2)


class AxisTable(NamedTuple):
    """The taps of every output position of one axis, behind each other."""

    first: np.ndarray
    source: np.ndarray
    weight: np.ndarray


def _numbers(values: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """Whole numbers in the dtype that coordinates are computed in; for object arrays as fractions."""
    if not dtype.hasobject:
        return np.asarray(values, dtype)
    array = np.empty(len(values), object)
    array[:] = [Fraction(int(value)) for value in values]
    return array


def _floor(x: np.ndarray) -> np.ndarray:
    return np.array([math.floor(value) for value in x], np.intp) if x.dtype == object else np.floor(x).astype(np.intp)


def _nearest_floor(x: np.ndarray) -> np.ndarray:
    """The floor after rounding to float32, so that a coordinate of 3 that came out as 3 - 4e-16 stays 3."""
    return _floor(x.astype(np.float32) if x.dtype == np.float64 else x)


def coordinates(rule: str, size: int, output_size: int, scale: float | None, dtype: np.dtype[Any]) -> np.ndarray:
    """The position in the input, in elements from the middle of the first, that each output position stands for.

    Formula
    -------
    With r = 1 / scale, or input size / output size where no scale is given:
    half_pixel r (i + 1/2) - 1/2; align_corners i (input size - 1) / (output size - 1), 0 for a single output; asymmetric r i;
    pytorch_half_pixel as half_pixel, 0 for a single output; tf_half_pixel_for_nn r (i + 1/2).
    """
    if rule not in RULES:
        raise ArgumentError(f"coordinate_mode {rule!r} is not one of {', '.join(RULES)}")
    i = _numbers(range(output_size), dtype)
    one, half = _constant(1, dtype), _constant(Fraction(1, 2), dtype)
    if rule == "align_corners":
        return i * (_constant(size - 1, dtype) / _constant(output_size - 1, dtype)) if output_size > 1 else i * 0
    if rule == "pytorch_half_pixel" and output_size == 1:
        return i * 0
    if scale is None:
        ratio = _constant(size, dtype) / _constant(output_size, dtype)
    else:
        ratio = one / Fraction(scale) if dtype.hasobject else dtype.type(1.0 / scale)
    if rule == "asymmetric":
        return ratio * i
    middle = ratio * (i + half)
    return middle if rule == "tf_half_pixel_for_nn" else middle - half


def _constant(value: Any, dtype: np.dtype[Any]) -> Any:
    return Fraction(value) if dtype.hasobject else dtype.type(float(value))


def _clip(x: np.ndarray, low: Any, high: Any) -> np.ndarray:
    return np.minimum(np.maximum(x, low), high)


def _dense(index: np.ndarray, weight: np.ndarray) -> AxisTable:
    """A table in which every output has the same number of taps, from arrays (outputs, taps)."""
    first = np.arange(0, index.size + 1, max(index.shape[1], 1), dtype=np.intp)
    return AxisTable(first, np.ascontiguousarray(index.reshape(-1), np.intp), np.ascontiguousarray(weight.reshape(-1)))


def _ragged(starts: list[int], weights: list[list[Any]], dtype: np.dtype[Any]) -> AxisTable:
    """A table of runs of neighbouring elements of different lengths."""
    lengths = [len(row) for row in weights]
    first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
    index = [start + step for start, length in zip(starts, lengths) for step in range(length)]
    weight = np.empty(len(index), dtype)
    weight[:] = [value for row in weights for value in row]
    return AxisTable(first, np.array(index, np.intp), weight)


def cubic(t: Any, a: Any) -> Any:
    """Keys' cubic convolution kernel at distance t >= 0, up to 2; t is an array or a number.

    Formula
    -------
    (a + 2) t^3 - (a + 3) t^2 + 1 for t <= 1; a t^3 - 5 a t^2 + 8 a t - 4 a for t <= 2.
    """
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return near, far


def _nearest(rule: str | None, exact: bool, size: int, output_size: int, scale: float | None, dtype: np.dtype[Any]) -> AxisTable:
    chosen = rule or ("half_pixel" if exact else "asymmetric")
    x = coordinates(chosen, size, output_size, scale, dtype)
    if exact:
        x = np.maximum(x, 0) + _constant(Fraction(1, 2), dtype)
    index = _clip(_nearest_floor(x), 0, size - 1)
    return _dense(index[:, np.newaxis], _numbers([1] * output_size, dtype))


def _linear(rule: str, size: int, output_size: int, scale: float | None, dtype: np.dtype[Any]) -> AxisTable:
    x = np.maximum(coordinates(rule, size, output_size, scale, dtype), 0)
    low = np.minimum(_floor(x), size - 1)
    part = _clip(x - _numbers(low, dtype), 0, 1)
    return _dense(np.stack([low, np.minimum(low + 1, size - 1)], 1), np.stack([1 - part, part], 1))


def _cubic(rule: str, size: int, output_size: int, scale: float | None, dtype: np.dtype[Any]) -> AxisTable:
    x = coordinates(rule, size, output_size, scale, dtype)
    low = np.minimum(_floor(x), size - 1)
    part = _clip(x - _numbers(low, dtype), 0, 1)
    a = _constant(CUBIC, dtype)
    weight = [cubic(part + 1, a)[1], cubic(part, a)[0], cubic(1 - part, a)[0], cubic(2 - part, a)[1]]
    index = np.stack([_clip(low + step, 0, size - 1) for step in (-1, 0, 1, 2)], 1)
    return _dense(index, np.stack(weight, 1))


def _area(size: int, output_size: int, dtype: np.dtype[Any]) -> AxisTable:
    starts = [i * size // output_size for i in range(output_size)]
    lengths = [-(-(i + 1) * size // output_size) - start for i, start in enumerate(starts)]
    one = _constant(1, dtype)
    return _ragged(starts, [[one / _constant(length, dtype)] * length for length in lengths], dtype)


def _antialias(mode: str, align_corners: bool, size: int, output_size: int, scale: float | None, dtype: np.dtype[Any]) -> AxisTable:
    """A filter as wide as the step between outputs, cut at the border and scaled to a sum of one."""
    half = _constant(Fraction(1, 2), dtype)
    shift = half if align_corners else half - half
    if align_corners:
        ratio = _constant(size - 1, dtype) / _constant(output_size - 1, dtype) if output_size > 1 else _constant(0, dtype)
    elif scale is None:
        ratio = _constant(size, dtype) / _constant(output_size, dtype)
    else:
        ratio = 1 / Fraction(scale) if dtype.hasobject else dtype.type(1.0 / scale)
    reach = _constant(1 if mode == "bilinear" else 2, dtype)
    support, shrink = (reach * ratio, 1 / ratio) if ratio >= 1 else (reach, _constant(1, dtype))
    a = _constant(CUBIC_ANTIALIAS, dtype)

    def tap(distance: Any) -> Any:
        t = abs(distance)
        if mode == "bilinear":
            return 1 - t if t < 1 else 0 * t
        near, far = cubic(t, a)
        return near if t < 1 else far if t < 2 else 0 * t

    starts, weights = [], []
    for i in _numbers(range(output_size), dtype):
        center = ratio * (i + half - shift)
        start = max(int(center - support + half + shift), 0)
        end = max(min(int(center + support + half + shift), size), start)
        row = [tap((j + start - center + half - shift) * shrink) for j in range(end - start)]
        whole = sum(row)
        starts.append(start)
        weights.append([value / whole for value in row] if whole else row)
    return _ragged(starts, weights, dtype)


@plan_cache
def axis_table(
    mode: str, size: int, output_size: int, scale: float | None, rule: str | None, antialias: bool, dtype: np.dtype[Any]
) -> AxisTable:
    """The table that resizes an axis of `size` elements to `output_size`.

    `mode` is nearest, nearest-exact, linear, cubic or area; `rule` one of `RULES`, or None for torch's choice in nearest modes; `scale` is
    None where the ratio of the sizes counts.
    """
    makers: dict[str, Callable[[], AxisTable]] = {
        "nearest": lambda: _nearest(rule, False, size, output_size, scale, dtype),
        "nearest-exact": lambda: _nearest(rule, True, size, output_size, scale, dtype),
        "linear": lambda: _linear(str(rule), size, output_size, scale, dtype),
        "cubic": lambda: _cubic(str(rule), size, output_size, scale, dtype),
        "area": lambda: _area(size, output_size, dtype),
    }
    if antialias:
        return _antialias("bilinear" if mode == "linear" else "bicubic", rule == "align_corners", size, output_size, scale, dtype)
    if mode == "linear" and size == output_size:
        return _dense(np.arange(size)[:, np.newaxis], _numbers([1] * size, dtype))
    return makers[mode]()


def transposed(table: AxisTable, size: int) -> AxisTable:
    """The table of the adjoint: for each of the `size` input elements, which outputs read it and with what weight."""
    order = np.argsort(table.source, kind="stable")
    outputs = np.repeat(np.arange(table.first.size - 1), np.diff(table.first))
    first = np.concatenate([[0], np.cumsum(np.bincount(table.source, minlength=size))]).astype(np.intp)
    return AxisTable(first, np.ascontiguousarray(outputs[order], np.intp), np.ascontiguousarray(table.weight[order]))


@plan_cache
def gradient_table(
    mode: str, size: int, output_size: int, scale: float | None, rule: str | None, antialias: bool, dtype: np.dtype[Any]
) -> AxisTable:
    """The transposed `axis_table` of the same arguments."""
    return transposed(axis_table(mode, size, output_size, scale, rule, antialias, dtype), size)
