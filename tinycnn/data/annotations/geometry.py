"""Polygons: their area, and whether an outline crosses itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["polygon_area", "polygon_crosses"]

MOST_POINTS = 500  # the test compares every edge with every other


def polygon_area(polygon: Sequence[float]) -> float:
    """The area of an outline x1, y1, x2, y2, ...

    Formula: |sum of x_k y_(k+1) - x_(k+1) y_k| / 2, the shoelace formula

    Examples
    --------
    >>> polygon_area([0, 0, 4, 0, 4, 3, 0, 3])
    12.0
    """
    x, y = np.asarray(polygon[0::2], np.float64), np.asarray(polygon[1::2], np.float64)
    return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)


def polygon_crosses(polygon: Sequence[float]) -> bool:
    """Whether two edges that are no neighbours cross; outlines of more than 500 points are not looked at.

    Examples
    --------
    >>> polygon_crosses([0, 0, 4, 4, 4, 0, 0, 4]), polygon_crosses([0, 0, 4, 0, 4, 4, 0, 4])
    (True, False)
    """
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    count = len(points)
    if count < 4 or count > MOST_POINTS:
        return False
    ends = np.roll(points, -1, axis=0)
    along = ends - points

    def side(of: np.ndarray) -> np.ndarray:
        """On which side of each edge (rows) each point (columns) lies."""
        away = of[None] - points[:, None]
        return np.sign(along[:, None, 0] * away[..., 1] - along[:, None, 1] * away[..., 0])

    apart = side(points) * side(ends) < 0
    return bool((apart & apart.T).any())
