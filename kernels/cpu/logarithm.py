"""log and log(1 + u) that LLVM turns into vector code, as `scalars` has exp and tanh.

Both go through log((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...). float32 has the polynomials, to within 2 units in the last place
(tests/kernels/test_loss.py measures it); float64 calls the C library.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from ..jit import kernel
from .scalars import EXACT_ORDER

# ln 2 in two parts; products of the first with a whole number below 2^9 are exact.
LN_2_HIGH = np.float32(0.693359375)
LN_2_LOW = np.float32(-2.12194440e-4)
SERIES = tuple(np.float32(2 / (2 * k + 1)) for k in range(8))
LEAST_NORMAL = np.float32(1.17549435e-38)
TWO_TO_23 = np.float32(8388608.0)
# The bits of sqrt(1/2): numbers are split into 2^n and a factor from there to sqrt(2).
ROOT_OF_HALF_BITS = np.int32(0x3F3504F3)
MANTISSA_BITS = np.int32(0x007FFFFF)


@kernel(fastmath=EXACT_ORDER)
def _log32(x):
    tiny = x < LEAST_NORMAL
    scaled = np.float32(x * (TWO_TO_23 if tiny else np.float32(1)))
    bits = scaled.view(np.int32) - ROOT_OF_HALF_BITS
    exponent = np.int32(bits >> 23)
    factor = np.int32((bits & MANTISSA_BITS) + ROOT_OF_HALF_BITS).view(np.float32)
    n = np.float32(exponent) - (np.float32(23) if tiny else np.float32(0))
    f = factor - np.float32(1)
    s = f / (np.float32(2) + f)
    square = s * s
    p = SERIES[5]
    p = p * square + SERIES[4]
    p = p * square + SERIES[3]
    p = p * square + SERIES[2]
    p = p * square + SERIES[1]
    # f - s f = 2 s, but f is exact: what is lost in s is multiplied by s only.
    y = f - s * (f - square * p) + n * LN_2_LOW + n * LN_2_HIGH
    y = y if x > np.float32(0) else np.float32(np.nan)
    y = np.float32(-np.inf) if x == np.float32(0) else y
    return x if x == np.float32(np.inf) else y


@kernel(fastmath=EXACT_ORDER)
def _log1p_of_fraction32(u):
    s = u / (np.float32(2) + u)
    square = s * s
    p = SERIES[7]
    p = p * square + SERIES[6]
    p = p * square + SERIES[5]
    p = p * square + SERIES[4]
    p = p * square + SERIES[3]
    p = p * square + SERIES[2]
    p = p * square + SERIES[1]
    # 2 s = u - s u, but u is exact: what is lost in s is multiplied by s only.
    return u - s * (u - square * p)


def log(x):
    """The natural logarithm; minus infinity at zero, NaN below."""
    if isinstance(x, np.float32):
        return _log32(x)
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def log1p_of_fraction(u):
    """log(1 + u) for u from 0 to 1."""
    return _log1p_of_fraction32(u) if isinstance(u, np.float32) else math.log1p(u)


@overload(log)
def _log(x):
    return (lambda x: _log32(x)) if x == types.float32 else (lambda x: np.log(x))


@overload(log1p_of_fraction)
def _log1p_of_fraction(u):
    return (lambda u: _log1p_of_fraction32(u)) if u == types.float32 else (lambda u: math.log1p(u))
