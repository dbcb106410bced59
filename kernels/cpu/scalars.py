"""exp, log and tanh that LLVM turns into vector code: polynomials without a branch, because the wheel has no vector mathematics library.

float32 has the polynomials, to within 2 units in the last place of the true value (tests/kernels/test_activation.py measures it); float64 calls
the C library, whose error is below one unit.
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
# tanh x = x + x^3 (c0 + c1 x^2 + ...) for |x| < 0.55: Chebyshev fit of the series.
TANH = tuple(np.float32(c) for c in (-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3))
TANH_SMALL = np.float32(0.55)


@kernel(fastmath=EXACT_ORDER)
def power_of_two(exponent):
    """2^n of a whole number from -126 to 127, built from its bits."""
    return np.int32((exponent + 127) << 23).view(np.float32)


@kernel(fastmath=EXACT_ORDER)
def _exp32(x):
    clamped = min(max(x, SMALLEST), LARGEST)
    whole = np.floor(clamped * LOG2_E + np.float32(0.5))
    r = clamped - whole * LN_2_HIGH - whole * LN_2_LOW
    p = EXP[5]
    p = p * r + EXP[4]
    p = p * r + EXP[3]
    p = p * r + EXP[2]
    p = p * r + EXP[1]
    p = p * r + EXP[0]
    y = p * r * r + r + np.float32(1)
    # Two factors, so that results below the smallest normal number are reached by rounding, not by a wrapped exponent.
    n = np.int32(whole)
    half = n >> 1
    y = y * power_of_two(half) * power_of_two(n - half)
    return y if x == x else x


@kernel(fastmath=EXACT_ORDER)
def _tanh32(x):
    size = abs(x)
    z = x * x
    p = TANH[4]
    p = p * z + TANH[3]
    p = p * z + TANH[2]
    p = p * z + TANH[1]
    p = p * z + TANH[0]
    small = x + x * z * p
    large = np.float32(1) - np.float32(2) / (_exp32(size + size) + np.float32(1))
    if size < TANH_SMALL:
        return small
    return -large if x < 0 else large


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
