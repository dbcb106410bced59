"""Sampling an image or a volume at arbitrary places, as its definition says.

x is (N, C, *sizes) with two or three sizes; grid is (N, P, axes), whose last axis holds (x, y) or (x, y, z) in -1 .. 1, the
last axis of the image first. Each axis gives a few taps (element, weight, slope of the weight); a sample is the sum over
all products of taps. Element -1 lies outside the image and has the value 0.
"""

import itertools
import math
from fractions import Fraction

import numpy as np

from .scalars import empty_like_shape, zero_of

__all__ = ["grid_sample", "grid_sample_grad_grid", "grid_sample_grad_x"]

CUBIC = Fraction(-3, 4)  # the parameter of Keys' kernel
TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4}


def finite(value):
    """Whether a number is neither nan nor infinite."""
    return not isinstance(value, float | np.floating) or math.isfinite(value)


def half(value):
    """One half of a number of any kind."""
    return value / 2


def unnormalized(value, size, align_corners):
    """-1 .. 1 in elements: the middles of the first and last element with align_corners, else their outer edges."""
    if align_corners:
        return half(value + 1) * (size - 1)
    return half((value + 1) * size - 1)


def clipped(value, size, last_for_nan):
    """The position moved into 0 .. size - 1, and the slope: 0 at the ends and beyond. nan goes to the first element, or the last."""
    if value != value:
        return type(value)(size - 1 if last_for_nan else 0), 0
    if value <= 0:
        return zero_like(value), 0
    if value >= size - 1:
        return zero_like(value) + (size - 1), 0
    return value, 1


def zero_like(value):
    """Zero of the value's kind."""
    return type(value)(0)


def reflected(value, size, align_corners):
    """The position mirrored at the ends (the middles of the outer elements, or their edges) until it lies between them, and the slope."""
    if not finite(value):
        return type(value)(math.nan), 0
    low, span = (zero_like(value), size - 1) if align_corners else (half(zero_like(value) - 1), size)
    if span == 0:
        return zero_like(value), 0
    sign = 1 if value >= low else -1
    distance = value - low if value >= low else low - value
    flips = distance // span
    rest = distance - flips * span
    if flips % 2:
        return span - rest + low, -sign
    return rest + low, sign


def placed(value, size, padding_mode, align_corners, last_for_nan):
    """A position in elements under a padding mode, and its slope."""
    if padding_mode == "border":
        return clipped(value, size, last_for_nan)
    if padding_mode == "reflection":
        mirrored, sign = reflected(value, size, align_corners)
        inside, slope = clipped(mirrored, size, last_for_nan)
        return inside, sign * slope
    return value, 1


def element(position, size):
    """A whole position as an element, -1 where there is none."""
    return int(position) if finite(position) and 0 <= position < size else -1


def floor(value):
    """The largest whole number not above a number; nan and infinities stay."""
    return type(value)(math.floor(value)) if finite(value) else value


def rounded(value):
    """The nearest whole number, halves to the even one; nan and infinities stay."""
    return type(value)(round(value)) if finite(value) else value


def difference(a, b):
    """a - b, where infinity minus infinity is a silent nan."""
    return a - b if finite(a) and finite(b) else type(a)(math.nan)


def cubic_weights(t):
    """The four weights of Keys' kernel at a position t of the way from the second tap to the third, and their slopes."""
    a = type(t)(CUBIC)
    far_left, near_left, near_right, far_right = t + 1, t, 1 - t, 2 - t
    weights = (
        ((a * far_left - 5 * a) * far_left + 8 * a) * far_left - 4 * a,
        ((a + 2) * near_left - (a + 3)) * near_left * near_left + 1,
        ((a + 2) * near_right - (a + 3)) * near_right * near_right + 1,
        ((a * far_right - 5 * a) * far_right + 8 * a) * far_right - 4 * a,
    )
    slopes = (
        (3 * a * far_left - 10 * a) * far_left + 8 * a,
        (3 * (a + 2) * near_left - 2 * (a + 3)) * near_left,
        -(3 * (a + 2) * near_right - 2 * (a + 3)) * near_right,
        -((3 * a * far_right - 10 * a) * far_right + 8 * a),
    )
    return weights, slopes


def axis_taps(value, size, mode, padding_mode, align_corners, last_for_nan):
    """The (element, weight, slope) of each tap along one axis; slopes are derivatives by the grid's own number."""
    position = unnormalized(value, size, align_corners)
    gain = half(type(value)(size - 1 if align_corners else size))
    if mode == "bicubic":
        low = floor(position)
        weights, slopes = cubic_weights(difference(position, low))
        places = [placed(low + step, size, padding_mode, align_corners, last_for_nan)[0] for step in (-1, 0, 1, 2)]
        return [(element(floor(place), size), weight, slope * gain) for place, weight, slope in zip(places, weights, slopes)]
    position, sign = placed(position, size, padding_mode, align_corners, last_for_nan)
    if mode == "nearest":
        return [(element(rounded(position), size), type(value)(1), zero_like(value))]
    low = floor(position)
    part = difference(position, low)
    slope = gain * sign
    return [(element(low, size), 1 - part, -slope), (element(low + 1, size), part, slope)]


def points(x_shape, grid, mode, padding_mode, align_corners):
    """Every (n, p, taps): a sample and, for each product of its axes' taps, the position in the image (None outside), the weights and slopes."""
    sizes = x_shape[2:]
    axes = len(sizes)
    for n in range(grid.shape[0]):
        for p in range(grid.shape[1]):
            along = [
                axis_taps(grid[n, p, axes - 1 - axis], sizes[axis], mode, padding_mode, align_corners, axes == 3) for axis in range(axes)
            ]
            taps = []
            for chosen in itertools.product(*along):
                where = tuple(tap[0] for tap in chosen)
                taps.append((None if min(where) < 0 else where, [tap[1] for tap in chosen], [tap[2] for tap in chosen]))
            yield n, p, taps


def product(values):
    """The product of numbers, from the first to the last."""
    result = values[0]
    for value in values[1:]:
        result = result * value
    return result


def value_at(x, n, c, where):
    """The element, or None for one outside a volume; outside an image the value is 0, so that a weight of nan stays nan."""
    if where is not None:
        return x[(n, c, *where)]
    return zero_of(x) if x.ndim == 4 else None


def grid_sample(x, grid, mode, padding_mode, align_corners):
    """y[n, c, p] = the sum over taps of the product of their weights times the element."""
    y = empty_like_shape((x.shape[0], x.shape[1], grid.shape[1]), x)
    for n, p, taps in points(x.shape, grid, mode, padding_mode, align_corners):
        for c in range(x.shape[1]):
            for where, weights, _ in taps:
                value = value_at(x, n, c, where)
                if value is not None:
                    y[n, c, p] = y[n, c, p] + product(weights) * value
    return y


def grid_sample_grad_x(grad, grid, x_shape, mode, padding_mode, align_corners):
    """Each sample hands its gradient, times the weight, to every element it read."""
    grad_x = empty_like_shape(x_shape, grad)
    for n, p, taps in points(x_shape, grid, mode, padding_mode, align_corners):
        for c in range(x_shape[1]):
            for where, weights, _ in taps:
                if where is not None:
                    grad_x[(n, c, *where)] = grad_x[(n, c, *where)] + product(weights) * grad[n, c, p]
    return grad_x


def grid_sample_grad_grid(grad, x, grid, mode, padding_mode, align_corners):
    """grad_grid[n, p, a] = the sum over taps and channels of the slope along axis a times the other weights, the element and grad."""
    grad_grid = empty_like_shape(grid.shape, grid)
    axes = grid.shape[2]
    for n, p, taps in points(x.shape, grid, mode, padding_mode, align_corners):
        for where, weights, slopes in taps:
            total = None
            for c in range(x.shape[1]):
                value = value_at(x, n, c, where)
                if value is not None:
                    total = (zero_of(x) if total is None else total) + grad[n, c, p] * value
            if total is None:
                continue
            for axis in range(axes):
                factor = product([slopes[other] if other == axis else weights[other] for other in range(axes)])
                grad_grid[n, p, axes - 1 - axis] = grad_grid[n, p, axes - 1 - axis] + factor * total
    return grad_grid
