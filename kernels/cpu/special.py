"""Functions of one number that activations are made of, without a branch, so that LLVM makes vector code of loops over them.

float32 has formulas of its own, with their errors in units in the last place as tests/kernels/test_activation.py measures them; float64
calls the C library.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from ..jit import kernel
from . import scalars
from .scalars import EXACT_ORDER

# log(1 + u) = 2 atanh(s) with s = u / (2 + u); 2 atanh(s) = s (2 + s^2 (c0 + c1 s^2 + ...)), fitted for 0 <= s <= 1/3 to a relative 1.6e-8.
TWICE_ATANH = (np.float32(0.66666639), np.float32(0.400077823), np.float32(0.282312816), np.float32(0.268835961))
# e^(a^2/2) Phi(-a) = t P(t) with t = 1 / (1 + 0.3 a), fitted for 0 <= a <= 13.3 to a relative 1.3e-7.
TAIL_SCALE = np.float32(0.3)
TAIL = tuple(
    np.float32(value)
    for value in (
        0.11962516583, 0.12081688772, 0.09952309197, 0.12984332017, -0.05609569021, 0.20896437192, -0.158713476, 0.03603626755
    )
)  # fmt: skip
# 2^r for |r| <= 1/2, fitted to a relative 7.5e-8.
POWER = tuple(np.float32(value) for value in (1.00000007165, 0.693146967063, 0.240221197247, 0.0555071327610, 0.00967554132773, 0.00132764711515))
# a^2 times this is the exponent of 2 in e^(-a^2/2).
HALF_LOG2_E = np.float32(-0.5 / math.log(2))
# Added to a number, leaves in the lowest bits the whole number nearest to it plus 127, a float32's exponent as it is stored.
EXPONENT_ROUNDER = np.float32(12582912.0 + 127)
# From here on Phi(-a) is below the smallest normal float32, and taken as zero.
TAIL_IS_ZERO = np.float32(13.26)
ONE_OVER_SQRT_2PI = 1 / math.sqrt(2 * math.pi)


def like(value, x):
    """A constant in the type of x, so that float32 arithmetic stays float32."""
    return type(x)(value)


@overload(like)
def _like(value, x):
    return (lambda value, x: np.float32(value)) if x == types.float32 else (lambda value, x: np.float64(value))


@kernel
def clamp(x, low, high):
    """The nearest number from low to high; NaN stays."""
    x = low if x < low else x
    return high if x > high else x


@kernel(fastmath=EXACT_ORDER)
def sigmoid(x):
    """1 / (1 + e^-x) from the exponential that cannot overflow: 3 units."""
    one = like(1, x)
    small = scalars.exp(-abs(x))
    return (small if x < 0 else one) / (one + small)


@kernel(fastmath=EXACT_ORDER)
def _expm1_below_zero32(x):
    """2^n (e^r - 1) + (2^n - 1): all its digits, because 2^n - 1 is exact."""
    clamped = x if x > np.float32(-20) else np.float32(-20)
    clamped = clamped if clamped < np.float32(0) else np.float32(0)
    n, r, rest = scalars.exp_parts(clamped)
    scale = scalars.power_of_two(n)
    y = scale * (rest + r) + (scale - np.float32(1))
    return y if x == x else x


@kernel(fastmath=EXACT_ORDER)
def _log1p_exp32(size):
    u = scalars.exp(-size)
    s = u / (np.float32(2) + u)
    square = s * s
    p = TWICE_ATANH[3]
    p = p * square + TWICE_ATANH[2]
    p = p * square + TWICE_ATANH[1]
    p = p * square + TWICE_ATANH[0]
    return s * (np.float32(2) + square * p)


@kernel(fastmath=EXACT_ORDER)
def _bell32(size):
    """e^(-size^2 / 2) for 0 <= size <= TAIL_IS_ZERO, zero at its end: 2^n 2^r. The rounding of size^2 costs size^2 / 2 units."""
    square = size * size
    rounded = square * HALF_LOG2_E + EXPONENT_ROUNDER
    r = square * HALF_LOG2_E - (rounded - EXPONENT_ROUNDER)
    p = POWER[5]
    p = p * r + POWER[4]
    p = p * r + POWER[3]
    p = p * r + POWER[2]
    p = p * r + POWER[1]
    p = p * r + POWER[0]
    # The stored exponent 0 is that of zero.
    return p * np.int32(np.float32(rounded).view(np.int32) << np.int32(23)).view(np.float32)


@kernel(fastmath=EXACT_ORDER)
def _normal32(x):
    size = abs(x)
    size = size if size < TAIL_IS_ZERO else TAIL_IS_ZERO
    bell = _bell32(size)
    t = np.float32(1) / (np.float32(1) + TAIL_SCALE * size)
    p = TAIL[7]
    p = p * t + TAIL[6]
    p = p * t + TAIL[5]
    p = p * t + TAIL[4]
    p = p * t + TAIL[3]
    p = p * t + TAIL[2]
    p = p * t + TAIL[1]
    p = p * t + TAIL[0]
    tail = bell * (t * p)
    return tail if x < 0 else np.float32(1) - tail, bell * np.float32(ONE_OVER_SQRT_2PI)


@kernel(fastmath=EXACT_ORDER)
def _normal64(x):
    return 0.5 * math.erfc(-math.sqrt(0.5) * x), math.exp(-0.5 * x * x) * ONE_OVER_SQRT_2PI


def expm1_below_zero(x):
    """e^x - 1 where x < 0, else 0: 2 units."""
    return _expm1_below_zero32(x) if isinstance(x, np.float32) else math.expm1(min(x, 0.0))


def log1p_exp(size):
    """log(1 + e^-size) for size >= 0: 3 units."""
    return _log1p_exp32(size) if isinstance(size, np.float32) else math.log1p(math.exp(-size))


def normal(x):
    """(Phi(x), phi(x)), the normal distribution and its density: 8 units, and x^2 / 2 more; 1 + erf would lose all digits where x is below -6."""
    return _normal32(x) if isinstance(x, np.float32) else _normal64(x)


@overload(expm1_below_zero)
def _expm1_below_zero(x):
    return (lambda x: _expm1_below_zero32(x)) if x == types.float32 else (lambda x: math.expm1(x if x < 0 or x != x else 0.0))


@overload(log1p_exp)
def _log1p_exp(size):
    return (lambda size: _log1p_exp32(size)) if size == types.float32 else (lambda size: math.log1p(math.exp(-size)))


@overload(normal)
def _normal(x):
    return (lambda x: _normal32(x)) if x == types.float32 else (lambda x: _normal64(x))
