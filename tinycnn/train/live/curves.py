"""A history that never grows beyond a screen's width: when it is full, neighbours are averaged."""

from __future__ import annotations

import math


class Curve:
    """Values over steps, at most `most` points; each point is the mean of equally many steps.

    Examples
    --------
    >>> curve = Curve(most=4)
    >>> for value in range(8):
    ...     curve.add(float(value))
    >>> curve.points()
    [[1.5, 0.5], [3.5, 2.5], [5.5, 4.5], [7.5, 6.5]]
    """

    def __init__(self, most: int = 800) -> None:
        self.most = most
        self.each = 1  # steps a point
        self._points: list[tuple[float, float]] = []  # middle step, counted from 1, and mean
        self._sum, self._count, self._steps = 0.0, 0, 0

    def add(self, value: float) -> None:
        """One more step; a value that is not finite leaves a gap."""
        self._steps += 1
        self._sum += value
        self._count += 1
        if self._count == self.each:
            self._points.append((self._steps - (self.each - 1) / 2, self._sum / self.each))
            self._sum, self._count = 0.0, 0
            if len(self._points) > self.most:
                self._halve()

    def points(self) -> list[list[float]]:
        """[step, value] pairs, those with a finite value."""
        return [[step, float(f"{value:.5g}")] for step, value in tuple(self._points) if math.isfinite(value)]

    def _halve(self) -> None:
        """Average pairs; the odd last one begins the next point."""
        pairs = zip(self._points[::2], self._points[1::2], strict=False)
        halved = [((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in pairs]
        if len(self._points) % 2:
            self._sum, self._count = self._points[-1][1] * self.each, self.each
        self._points, self.each = halved, 2 * self.each
