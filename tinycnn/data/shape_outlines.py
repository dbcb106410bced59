"""The outlines of the synthetic shapes, each with a tip, so that a turned shape still says which way it points."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["KEYPOINTS", "OUTLINES", "placed_outline"]

# The keypoints of every shape. Left and right are the shape's own: look from its middle to its tip.
KEYPOINTS = ("tip", "right", "left")
INWARD = 0.1  # keypoints lie this share of the way from the corner to the middle of all three, so that they are on the shape


def _half_disc() -> list[tuple[float, float]]:
    """From the left end over the tip to the right end, in steps of 7.5 degrees."""
    turns = [math.radians(7.5 * step) for step in range(25)]
    return [(-math.cos(turn), -math.sin(turn)) for turn in turns]


# Name: corners (x, y), tip upwards (y goes down), and which corners are tip, right and left.
OUTLINES: dict[str, tuple[list[tuple[float, float]], tuple[int, int, int]]] = {
    "triangle": ([(0, -1), (0.6, 0.6), (-0.6, 0.6)], (0, 1, 2)),
    "half disc": (_half_disc(), (12, 24, 0)),
    "arrow": ([(0, -1), (0.7, -0.1), (0.25, -0.1), (0.25, 1), (-0.25, 1), (-0.25, -0.1), (-0.7, -0.1)], (0, 1, 6)),
    "house": ([(0, -1), (0.8, -0.3), (0.8, 0.8), (-0.8, 0.8), (-0.8, -0.3)], (0, 2, 3)),
    "cross": (
        [(0, -1), (0.2, -1), (0.2, 0.1), (0.7, 0.1), (0.7, 0.5), (0.2, 0.5), (0.2, 0.8)]
        + [(-0.2, 0.8), (-0.2, 0.5), (-0.7, 0.5), (-0.7, 0.1), (-0.2, 0.1), (-0.2, -1)],
        (0, 4, 9),
    ),
}


def placed_outline(name: str, angle: float, stretch: float, extent: float) -> tuple[np.ndarray, np.ndarray]:
    """Corners and keypoints of a turned shape, its upright hull beginning at (0, 0).

    Parameters
    ----------
    name : of `OUTLINES`
    angle : degrees, clockwise
    stretch : width against height before it is turned, 1 for the outline as it is listed
    extent : the longer side of the hull in pixels

    Returns
    -------
    corners (P, 2) and keypoints (3, 2) as x, y

    Examples
    --------
    A triangle that points to the right.

    >>> corners, points = placed_outline("triangle", 90, 1, 16)
    >>> corners.round(6).tolist()
    [[16.0, 6.0], [0.0, 12.0], [0.0, 0.0]]
    """
    listed, marks = OUTLINES[name]
    corners = np.array(listed, np.float64) * [stretch, 1]
    marked = corners[list(marks)]
    corners = np.concatenate([corners, marked + INWARD * (marked.mean(0) - marked)])
    turn = math.radians(angle)
    corners = corners @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    corners -= corners[:-3].min(0)
    corners *= extent / corners[:-3].max()
    return corners[:-3], corners[-3:]
