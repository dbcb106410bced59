"""exp and tanh that LLVM turns into vector code: polynomials without a branch, because the wheel has no vector mathematics library.

float32 has the polynomials, to within 2 units in the last place of the true value for exp and 3 for tanh (tests/kernels/test_twins.py
measures it); float64 calls the C library, whose error is below one unit.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from ..jit import kernel

# Reassociation would fold the two parts of ln 2 into one, and the two factors of 2^n into an overflow.
EXACT_ORDER = {"contract", "nsz"}

LOG2_E = np.float32(1.44269504)
# ln 2 in two parts; products of the first with a whole number below 2^9 are exact.
LN_2_HIGH = np.float32(0.693359375)
LN_2_LOW = np.float32(-2.12194440e-4)
# e^r = 1 + r + r^2 (c0 + c1 r + ...) for |r| <= ln 2 / 2: the Taylor series to r^7, whose remainder is 1e-8 there.
EXP = tuple(np.float32(1 / math.factorial(k)) for k in range(2, 8))
# Beyond these e^x is infinite, or zero.
LARGEST = np.float32(89.0)
SMALLEST = np.float32(-104.0)
# Adding 1.5 * 2^23 rounds a float32 to the nearest whole number and leaves that number in the lowest bits.
ROUNDER = np.float32(12582912.0)
ROUNDER_BITS = np.int32(0x4B400000)
# Here 1 - tanh is below half a unit in the last place.
TANH_IS_ONE = np.float32(9.25)


@kernel(fastmath=EXACT_ORDER)
def power_of_two(exponent):
    """2^n of a whole number from -126 to 127, built from its bits."""
    return np.int32((exponent + 127) << 23).view(np.float32)


@kernel(fastmath=EXACT_ORDER)
def exp_parts(x):
    """(n, r, e^r - 1 - r) with x = n ln 2 + r and |r| <= ln 2 / 2, for x between SMALLEST and LARGEST."""
    rounded = x * LOG2_E + ROUNDER
    whole = rounded - ROUNDER
    r = x - whole * LN_2_HIGH - whole * LN_2_LOW
    p = EXP[5]
    p = p * r + EXP[4]
    p = p * r + EXP[3]
    p = p * r + EXP[2]
    p = p * r + EXP[1]
    p = p * r + EXP[0]
    return np.int32(np.float32(rounded).view(np.int32) - ROUNDER_BITS), r, p * r * r


@kernel(fastmath=EXACT_ORDER)
def _exp32(x):
    clamped = x if x > SMALLEST else SMALLEST
    clamped = clamped if clamped < LARGEST else LARGEST
    n, r, rest = exp_parts(clamped)
    # Two factors, so that results below the smallest normal number are reached by rounding, not by a wrapped exponent.
    half = np.int32(n >> 1)
    y = (rest + r + np.float32(1)) * power_of_two(half) * power_of_two(n - half)
    return y if x == x else x


@kernel(fastmath=EXACT_ORDER)
def _tanh32(x):
    """-m / (m + 2) with m = e^(-2|x|) - 1, which has all its digits because 2^n - 1 is exact."""
    size = abs(x)
    size = size if size < TANH_IS_ONE else TANH_IS_ONE
    n, r, rest = exp_parts(np.float32(-2) * size)
    scale = power_of_two(n)
    m = scale * (rest + r) + (scale - np.float32(1))
    y = np.copysign(m / (m + np.float32(2)), x)
    return y if x == x else x


def exp(x):
    """e^x."""
    return _exp32(x) if isinstance(x, np.float32) else math.exp(x)


def tanh(x):
    """The hyperbolic tangent."""
    return _tanh32(x) if isinstance(x, np.float32) else math.tanh(x)


@overload(exp)
def _exp(x):
    return (lambda x: _exp32(x)) if x == types.float32 else (lambda x: math.exp(x))


@overload(tanh)
def _tanh(x):
    return (lambda x: _tanh32(x)) if x == types.float32 else (lambda x: math.tanh(x))
