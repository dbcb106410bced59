"""Real numbers as integers: r = scale (q - zero), and a real factor as two integers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ... import kernels
from ...errors import ArgumentError

__all__ = ["Affine", "affine_of_range", "affine_of_weight", "fixed_point", "levels"]

MULTIPLIER_BITS = 31
LARGEST_BIAS = 2**30


def levels(bits: int) -> tuple[int, int]:
    """The least and the largest integer of that many bits.

    Raises
    ------
    ArgumentError
        Unless 2 to 8: the numbers lie in int8.
    """
    if not 2 <= bits <= 8:
        raise ArgumentError(f"quantize: bits={bits} must be 2 to 8; the integers lie in 8 bits")
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


@dataclass(frozen=True)
class Affine:
    """r = scale (q - zero) with q from low to high: one step of q is `scale` of r."""

    scale: float
    zero: int
    low: int = -128
    high: int = 127

    @property
    def range(self) -> tuple[float, float]:
        """The least and the largest real number that it holds."""
        return self.scale * (self.low - self.zero), self.scale * (self.high - self.zero)

    def quantize(self, x: np.ndarray) -> np.ndarray:
        """Real numbers to the nearest integers, the ends for what lies outside."""
        return np.asarray(kernels.select("quantize", x)(x, np.array([self.scale], x.dtype), np.array([self.zero], np.int32), self.low, self.high))

    def dequantize(self, q: np.ndarray, dtype: type = np.float32) -> np.ndarray:
        """Integers to the real numbers they stand for."""
        return np.asarray(kernels.select("dequantize", q)(q, np.array([self.scale], dtype), np.array([self.zero], np.int32)))


def affine_of_range(least: float, largest: float, bits: int = 8) -> Affine:
    """The integers for an activation that lies in a range; the range is widened to hold 0, which padding needs exactly.

    Formula
    -------
    scale = (largest - least) / (2^bits - 1);  zero = round(low - least / scale).

    Raises
    ------
    ArgumentError
        For a range that is not finite, or bits outside 2 to 8.

    Examples
    --------
    >>> affine_of_range(0.0, 510.0)
    Affine(scale=2.0, zero=-128, low=-128, high=127)
    """
    low, high = levels(bits)
    if not (math.isfinite(least) and math.isfinite(largest)):
        raise ArgumentError(f"quantize: an activation reaches from {least} to {largest}; integers need a finite range: which layer diverged?")
    least, largest = min(float(least), 0.0), max(float(largest), 0.0)
    if largest - least < float(np.finfo(np.float32).tiny) * 2**16:  # zeros only: any scale holds them
        return Affine(1.0, 0, low, high)
    scale = (largest - least) / (high - low)
    return Affine(scale, min(max(round(low - least / scale), low), high), low, high)


def affine_of_weight(weight: np.ndarray, bias: np.ndarray, input_scale: float, per_channel: bool, bits: int = 8) -> np.ndarray:
    """The scale of each filter: symmetric, zero point 0, so that the sums need no correction.

    Shapes
    ------
    (out, ...), (out,) -> (out,)

    Formula
    -------
    scale[o] = max |weight[o]| / (2^(bits - 1) - 1), over all o where not per_channel; but at least |bias[o]| / (input_scale 2^30).

    Notes
    -----
    The second line is for filters that training has killed: a folded normalisation leaves them weights near 1e-20 beside an ordinary bias, which at
    their scale does not fit 32 bits.

    Examples
    --------
    >>> affine_of_weight(np.array([[1.27], [-0.127]]), np.zeros(2), 1.0, True).round(6).tolist()
    [0.01, 0.001]
    """
    largest = np.abs(weight.reshape(len(weight), -1)).max(1).astype(np.float64)
    if not per_channel:
        largest = np.full_like(largest, largest.max(initial=0))
    scale = np.maximum(largest / levels(bits)[1], np.abs(bias) / (input_scale * LARGEST_BIAS))
    return np.where(scale > 0, scale, 1.0)


def fixed_point(factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factors as multiplier / 2^shift, two arrays of integers; the multiplier has 31 bits, so the error is below 2^-31 of the factor.

    Raises
    ------
    ArgumentError
        For a factor of 2^30 and more, or one that is not positive.

    Examples
    --------
    >>> multiplier, shift = fixed_point(np.array([0.75]))
    >>> int(multiplier[0]), int(shift[0]), int(multiplier[0]) / 2 ** int(shift[0])
    (1610612736, 31, 0.75)
    """
    factors = np.asarray(factors, np.float64)
    if not ((factors > 0) & (factors < 2.0**30)).all():
        words = f"scales differ by a factor of {factors.max():.3g}, outside 0 to 2^30"
        raise ArgumentError(f"quantize: {words}; a layer's output is nothing beside its input")
    mantissa, exponent = np.frexp(factors)
    multiplier, shift = np.rint(mantissa * 2.0**MULTIPLIER_BITS).astype(np.int64), MULTIPLIER_BITS - exponent.astype(np.int64)
    rounded_up = multiplier == 2**MULTIPLIER_BITS
    multiplier, shift = np.where(rounded_up, multiplier // 2, multiplier), np.where(rounded_up, shift - 1, shift)
    # Below 2^-31 the product of any 32-bit sum rounds to nothing; a shift beyond 62 would not be one.
    return np.where(shift > 62, 0, multiplier), np.minimum(shift, 62)
