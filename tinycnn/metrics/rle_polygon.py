"""Polygons as run-length masks, by COCO's own rounding, so that polygon truths give COCO's own areas and overlaps."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from ._targets import Array
from .rle import MOST_PIXELS, counts_to_text, rle_merge

FINE = 5  # steps a pixel along the outline


def polygons_to_rle(polygons: Sequence[Sequence[float]], height: int, width: int) -> dict[str, Any]:
    """The union of polygons [x1, y1, x2, y2, ...] as a run-length mask.

    Parameters
    ----------
    polygons : lists of at least three points each, in pixels; (0, 0) is the corner of the first pixel
    height, width : of the image in pixels

    Returns
    -------
    dict, compressed

    Raises
    ------
    DataError : a polygon of fewer than three points, or with numbers that are none

    Notes
    -----
    COCO walks the outline in fifths of a pixel, rounds, and keeps where it crosses the middle of a column. It does the same
    here, in whole arrays.

    Examples
    --------
    >>> from tinycnn.metrics.rle import rle_decode
    >>> rle_decode(polygons_to_rle([[1, 0, 3, 0, 3, 2, 1, 2]], 3, 4)).tolist()
    [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    if height * width > MOST_PIXELS or height < 0 or width < 0:
        raise DataError(f"polygon: an image of {height} x {width} pixels cannot be")
    parts = []
    for polygon in polygons:
        values = np.asarray(polygon, dtype=np.float64) if _numbers(polygon) else np.zeros(0)
        if values.ndim != 1 or len(values) < 6 or len(values) % 2 or not np.isfinite(values).all() or np.abs(values).max() > 1e6:
            raise DataError("polygon: wants [x1, y1, x2, y2, x3, y3, ...] with at least three points of finite numbers below a million")
        counts = _outline_counts(values[0::2], values[1::2], height, width)
        parts.append({"size": [height, width], "counts": counts_to_text(counts)})
    if not parts:
        raise DataError("polygon: there is none; give at least one list of points")
    return rle_merge(parts)


def _numbers(values: Any) -> bool:
    return isinstance(values, (list, tuple, np.ndarray)) and all(
        isinstance(each, (int, float, np.number)) and not isinstance(each, bool) and math.isfinite(each) for each in values
    )


def _outline_counts(x: Array, y: Array, height: int, width: int) -> list[int]:
    """Run lengths of one polygon: crossings of the outline with the middles of columns, sorted, their distances."""
    across, down = _outline(_truncated(FINE * x + 0.5), _truncated(FINE * y + 0.5))
    step = np.flatnonzero(across[1:] != across[:-1])
    column = (np.where(across[step + 1] < across[step], across[step + 1], across[step + 1] - 1) + 0.5) / FINE - 0.5
    inside = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    row = np.ceil(np.clip((np.minimum(down[step], down[step + 1]) + 0.5) / FINE - 0.5, 0, height))
    places = np.sort(np.append(column[inside] * height + row[inside], height * width)).astype(np.int64)
    runs = np.diff(places, prepend=0).tolist()
    counts, at = [runs[0]], 1
    while at < len(runs):  # a run of nothing joins its neighbours
        if runs[at] > 0:
            counts.append(runs[at])
        else:
            at += 1
            if at < len(runs):
                counts[-1] += runs[at]
        at += 1
    return counts


def _truncated(values: Array) -> Array:
    return np.trunc(values).astype(np.int64)


def _outline(x: Array, y: Array) -> tuple[Array, Array]:
    """Every point of the closed outline on the fine grid."""
    points_x, points_y = [], []
    for xs, xe, ys, ye in zip(x.tolist(), np.roll(x, -1).tolist(), y.tolist(), np.roll(y, -1).tolist()):
        dx, dy = abs(xe - xs), abs(ye - ys)
        if dx == dy == 0:
            continue
        flat = dx >= dy
        backwards = (flat and xs > xe) or (not flat and ys > ye)
        if backwards:
            xs, xe, ys, ye = xe, xs, ye, ys
        t = np.arange(max(dx, dy) + 1)
        if backwards:
            t = t[::-1]
        slope = (ye - ys) / dx if flat else (xe - xs) / dy
        points_x.append(t + xs if flat else _truncated(xs + slope * t + 0.5))
        points_y.append(_truncated(ys + slope * t + 0.5) if flat else t + ys)
    if not points_x:
        return np.zeros(1, np.int64), np.zeros(1, np.int64)
    return np.concatenate(points_x), np.concatenate(points_y)
