"""Which range of an activation gets the 255 steps: what occurs at all, all but the rarest, or what loses least.

A wide range clips nothing and makes every step coarse; a narrow one is fine for most numbers and wrong for the few that it cuts off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import ArgumentError
from .affine import Affine, affine_of_range

__all__ = ["CALIBRATIONS", "Histogram", "calibrated"]

BINS = 2048
SHRINKS = 60  # ranges that "mse" tries, from a tenth of the whole one up


@dataclass
class Histogram:
    """How often an activation lies where, between its least and its largest number; 0 is inside."""

    least: float = 0.0
    largest: float = 0.0
    counts: np.ndarray | None = None

    def widen(self, x: np.ndarray) -> None:
        """First pass over the images: the ends."""
        if x.size:
            self.least, self.largest = min(self.least, float(x.min())), max(self.largest, float(x.max()))

    def count(self, x: np.ndarray) -> None:
        """Second pass, when the ends are known."""
        if self.counts is None:
            self.counts = np.zeros(BINS, np.int64)
        if self.largest > self.least:
            self.counts += np.histogram(x, BINS, (self.least, self.largest))[0]

    @property
    def centres(self) -> np.ndarray:
        """The middle of each bin."""
        width = (self.largest - self.least) / BINS
        return self.least + width * (np.arange(BINS) + 0.5)


def minmax(seen: Histogram, bits: int, _percentile: float) -> Affine:
    """Everything that occurred."""
    return affine_of_range(seen.least, seen.largest, bits)


def percentile(seen: Histogram, bits: int, share: float) -> Affine:
    """All but (100 - share) % of the numbers, half of them at each end; an end that is 0 stays."""
    if seen.counts is None or not seen.counts.sum():
        return minmax(seen, bits, share)
    rest = (100 - share) / 200 * float(seen.counts.sum())
    below, above = np.cumsum(seen.counts), np.cumsum(seen.counts[::-1])
    first = int(np.searchsorted(below, rest, side="right"))
    last = BINS - 1 - int(np.searchsorted(above, rest, side="right"))
    width = (seen.largest - seen.least) / BINS
    least = seen.least + first * width if seen.least < 0 else 0.0
    largest = seen.least + (last + 1) * width if seen.largest > 0 else 0.0
    return affine_of_range(min(least, 0.0), max(largest, 0.0), bits)


def mse(seen: Histogram, bits: int, share: float) -> Affine:
    """The range, of sixty that shrink together from both ends, whose integers differ least from the numbers: squares, summed over the histogram."""
    best = minmax(seen, bits, share)
    if seen.counts is None or not seen.counts.sum():
        return best
    centres, error = seen.centres, np.inf
    for part in np.linspace(1, 0.1, SHRINKS):
        tried = affine_of_range(part * seen.least, part * seen.largest, bits)
        back = tried.dequantize(tried.quantize(centres), np.float64)
        lost = float((seen.counts * (back - centres) ** 2).sum())
        if lost < error:
            best, error = tried, lost
    return best


CALIBRATIONS: dict[str, Callable[[Histogram, int, float], Affine]] = {"minmax": minmax, "percentile": percentile, "mse": mse}


def calibrated(seen: Histogram, method: str, bits: int = 8, share: float = 99.99) -> Affine:
    """The integers of an activation by one of `CALIBRATIONS`.

    Raises
    ------
    ArgumentError
        For another method, or a share outside 50 to 100.

    Examples
    --------
    >>> seen = Histogram()
    >>> x = np.append(np.linspace(0, 1, 99_999), 100.0)
    >>> seen.widen(x), seen.count(x)
    (None, None)
    >>> [round(calibrated(seen, name).range[1], 1) for name in CALIBRATIONS]
    [100.0, 1.0, 84.7]
    """
    if method not in CALIBRATIONS:
        raise ArgumentError(f"quantize: there is no calibration {method!r}; there are {', '.join(CALIBRATIONS)}")
    if not 50 < share <= 100:
        raise ArgumentError(f"quantize: percentile={share} must be above 50 and at most 100; 99.99 leaves out one number in ten thousand")
    return CALIBRATIONS[method](seen, bits, share)
