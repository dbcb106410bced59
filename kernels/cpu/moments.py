"""The loops that the normalisations are made of: sums over one run of neighbouring numbers, and the affine step over it.

Positions are unsigned: Numba does not ask whether they are negative, so LLVM makes vectors of the loops. Sums are float64. A mean is kept as
`shift`, a number of the array's own type, and the small rest that rounding left: x - shift is exact where x is near the mean, so
that float32 numbers around 10,000 lose nothing.
"""

import math

import numpy as np

from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads
from .scalars import EXACT_ORDER

__all__: list[str] = []

NANOSECONDS_AN_ELEMENT = 0.4
SMALLEST_SQUARES, LARGEST_SQUARES = 1e-25, 1e38  # float32 holds sums of squares between these to all its digits
SHORT_SUM = np.uint64(256)  # numbers: vectors of eight add 32 of them at a time


def serial(size: int) -> bool:
    """Whether work on so many elements is too little for a parallel region."""
    return size * NANOSECONDS_AN_ELEMENT < SERIAL_BELOW or get_num_threads() == 1


def or_constant(values: np.ndarray | None, constant: int, x: np.ndarray) -> np.ndarray:
    """Weight or bias, one number for each place of x's second axis, or the constants that stand for none."""
    return np.full(x.shape[1], constant, x.dtype) if values is None else values


@kernel
def run_sum(x, start, end):
    """The sum of x[start:end] in float64."""
    total = 0.0
    for i in range(start, end):
        total += x[i]
    return total


@kernel
def _squares_one_by_one(x, start, end, shift):
    total = 0.0
    for i in range(start, end):
        distance = np.float64(x[i]) - np.float64(shift)
        total += distance * distance
    return total


@kernel
def run_squares(x, start, end, shift):
    """The sum of (x[start:end] - shift)^2: float64 sums of short sums in x's own type, one by one where these leave its range."""
    total = 0.0
    first = start
    while first < end:
        stop = min(first + SHORT_SUM, end)
        part = x.dtype.type(0)
        for i in range(first, stop):
            distance = x[i] - shift
            part += distance * distance
        total += part
        first = stop
    return total if SMALLEST_SQUARES < total < LARGEST_SQUARES else _squares_one_by_one(x, start, end, shift)


@kernel
def run_moments(x, start, end, shift):
    """(sum of x - shift, sum of (x - shift)^2) over a run, in short sums."""
    plain, squares = 0.0, 0.0
    while start < end:
        stop = min(start + SHORT_SUM, end)
        one, other = x.dtype.type(0), x.dtype.type(0)
        for i in range(start, stop):
            distance = x[i] - shift
            one += distance
            other += distance * distance
        plain += one
        squares += other
        start = stop
    return plain, squares


@kernel
def settled(plain, squares, count):
    """Whether mean and variance may be taken from sums about some number of the run: it lies near the mean, so that the square of
    their distance takes no digits from the variance, and the squares are in float32's range. Otherwise the mean itself is the shift of
    a second pass."""
    distance = plain / count
    return SMALLEST_SQUARES < squares < LARGEST_SQUARES and 5 * distance * distance < 4 * (squares / count)


@kernel(fastmath=EXACT_ORDER)
def split(mean, x):
    """(shift, rest): the mean as a number of x's type, and what is missing; an infinite mean has no rest."""
    shift = x.dtype.type(mean)
    rest = mean - np.float64(shift)
    return shift, rest if math.isfinite(rest) else 0.0


@kernel
def spread(squares, count, rest):
    """The variance from the sum of (x - shift)^2, which the rest of the mean makes larger than that of (x - mean)^2."""
    variance = squares / count - rest * rest
    return variance if not variance < 0 else 0.0


@kernel
def moments(x, start, end, count):
    """(mean, variance) of one run."""
    shift = x[start]
    plain, squares = run_moments(x, start, end, shift)
    if settled(plain, squares, count):
        distance = plain / count
        return shift + distance, squares / count - distance * distance
    mean = run_sum(x, start, end) / count
    shift, rest = split(mean, x)
    return mean, spread(run_squares(x, start, end, shift), count, rest)


@kernel
def run_products(grad, x, start, end, shift):
    """(sum of grad, sum of grad (x - shift)) over a run: float64 sums of short sums in x's own type, which vectors add up twice as fast."""
    plain, along = 0.0, 0.0
    while start < end:
        stop = min(start + SHORT_SUM, end)
        one, other = x.dtype.type(0), x.dtype.type(0)
        for i in range(start, stop):
            one += grad[i]
            other += grad[i] * (x[i] - shift)
        plain += one
        along += other
        start = stop
    return plain, along


@kernel
def run_masked_products(grad, x, y, start, end, shift, ceiling):
    """As `run_products`, counting grad only where y is above zero (or NaN) and not at the ceiling, which is zero if there is none."""
    zero = y.dtype.type(0)
    plain, along = 0.0, 0.0
    while start < end:
        stop = min(start + SHORT_SUM, end)
        one, other = zero, zero
        for i in range(start, stop):
            g = zero if (y[i] <= zero) | (y[i] == ceiling) else grad[i]
            one += g
            other += g * (x[i] - shift)
        plain += one
        along += other
        start = stop
    return plain, along


@kernel(fastmath=EXACT_ORDER)
def run_affine(x, y, start, end, shift, scale, offset):
    """y = (x - shift) scale + offset."""
    for i in range(start, end):
        y[i] = (x[i] - shift) * scale + offset


@kernel(fastmath=EXACT_ORDER)
def run_affine_relu(x, y, start, end, shift, scale, offset):
    """y = relu((x - shift) scale + offset)."""
    zero = x.dtype.type(0)
    for i in range(start, end):
        value = (x[i] - shift) * scale + offset
        y[i] = zero if value <= zero else value


@kernel(fastmath=EXACT_ORDER)
def run_affine_residual(x, residual, y, start, end, shift, scale, offset, relu):
    """y = (x - shift) scale + offset + residual, and relu of it."""
    zero = x.dtype.type(0)
    if relu:
        for i in range(start, end):
            value = (x[i] - shift) * scale + offset + residual[i]
            y[i] = zero if value <= zero else value
    else:
        for i in range(start, end):
            y[i] = (x[i] - shift) * scale + offset + residual[i]


@kernel(fastmath=EXACT_ORDER)
def run_gradient(grad, x, grad_x, start, end, shift, scale, constant, slope):
    """grad_x = grad scale - constant - (x - shift) slope."""
    for i in range(start, end):
        grad_x[i] = grad[i] * scale - constant - (x[i] - shift) * slope


@kernel(fastmath=EXACT_ORDER)
def run_masked_gradient(grad, x, y, grad_x, start, end, shift, scale, constant, slope, ceiling):
    """As `run_gradient`, with no gradient where y is not above zero, or at the ceiling."""
    zero = y.dtype.type(0)
    for i in range(start, end):
        g = zero if (y[i] <= zero) | (y[i] == ceiling) else grad[i]
        grad_x[i] = g * scale - constant - (x[i] - shift) * slope


@kernel(fastmath=EXACT_ORDER)
def run_scale(grad, grad_x, start, end, scale):
    """grad_x = grad scale."""
    for i in range(start, end):
        grad_x[i] = grad[i] * scale


@kernel(fastmath=EXACT_ORDER)
def run_masked_scale(grad, y, grad_x, start, end, scale, ceiling):
    """As `run_scale`, with no gradient where y is not above zero, or at the ceiling."""
    zero = y.dtype.type(0)
    for i in range(start, end):
        grad_x[i] = zero if (y[i] <= zero) | (y[i] == ceiling) else grad[i] * scale
