"""Anchors from the boxes of a data set: k-means, where near means overlapping.

References
----------
Redmon, Farhadi: YOLO9000: better, faster, stronger, CVPR 2017, "dimension clusters", figure 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import random
from ...errors import ArgumentError, ShapeError
from .yolo_grid import shape_overlaps

__all__ = ["AnchorClusters", "anchor_clusters"]


@dataclass(frozen=True)
class AnchorClusters:
    """The anchors of a data set, small to large, and how well they fit it."""

    anchors: np.ndarray  # (k, 2) widths and heights
    assignments: np.ndarray  # (K,) the anchor of each box
    mean_overlap: float  # of each box with its anchor, both centred: the paper's "average IOU"
    rounds: int


def anchor_clusters(
    sides: Any, count: int, *, start: Any = None, max_rounds: int = 300, generator: np.random.Generator | None = None
) -> AnchorClusters:
    """Widths and heights that overlap a data set's boxes best, by k-means with the distance 1 - IoU.

    Formula
    -------
    d(box, centroid) = 1 - IoU(box, centroid), both with the same centre; a centroid is the mean of its boxes' widths and heights.

    Parameters
    ----------
    sides : array
        (K, 2) widths and heights, in any unit: pixels of the network's image for YOLO v3, cells for v2's published anchors.
    count : int
        k: 5 in YOLO v2, 9 in v3.
    start : array, optional
        (k, 2) first centroids; else k different boxes are drawn.
    max_rounds : int
        Limit of the rounds; without change it ends before.
    generator : numpy.random.Generator, optional
        Draws the first centroids; the package's if left out.

    Returns
    -------
    AnchorClusters
        Anchors by growing area.

    Raises
    ------
    ShapeError
        Where the sides are not (K, 2).
    ArgumentError
        For sides that are not positive and finite, or fewer different boxes than anchors.

    Notes
    -----
    With Euclid's distance large boxes make larger errors than small ones. The mean is not the best point of a cluster for 1 - IoU, so the mean
    overlap may fall in a round; it ends when no box changes its anchor, as the paper's does. A centroid that loses all its boxes stays.

    Examples
    --------
    >>> found = anchor_clusters([[1, 1], [1.2, 1], [8, 4], [8, 5]], 2, generator=np.random.default_rng(0))
    >>> found.anchors.tolist(), round(found.mean_overlap, 4)
    ([[1.1, 1.0], [8.0, 4.5]], 0.9037)
    """
    boxes = np.asarray(sides, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 2:
        raise ShapeError(f"anchor_clusters: sides has shape {boxes.shape}; it must be (boxes, 2), widths and heights")
    if not (np.isfinite(boxes).all() and (boxes > 0).all()):
        wrong = boxes[~(np.isfinite(boxes) & (boxes > 0)).all(axis=1)][0].tolist()
        raise ArgumentError(f"anchor_clusters: a box of sides {wrong} has no area; leave such boxes out")
    different = np.unique(boxes, axis=0)
    if not 1 <= count <= len(different):
        raise ArgumentError(f"anchor_clusters: count={count} must be from 1 to the number of different boxes, {len(different)}")
    centroids = _first(start, different, count, generator)
    assignments = np.full(len(boxes), -1)
    rounds = 0
    while rounds < max_rounds:
        rounds += 1
        nearest = shape_overlaps(boxes, centroids).argmax(axis=1)
        if (nearest == assignments).all():
            break
        assignments = nearest
        for k in range(count):
            if (assignments == k).any():
                centroids[k] = boxes[assignments == k].mean(axis=0)
    centroids = centroids[np.argsort(centroids.prod(axis=1), kind="stable")]
    overlaps = shape_overlaps(boxes, centroids)
    return AnchorClusters(centroids, overlaps.argmax(axis=1), float(overlaps.max(axis=1).mean()), rounds)


def _first(start: Any, different: np.ndarray, count: int, generator: np.random.Generator | None) -> np.ndarray:
    if start is None:
        chosen = random.default_generator(generator).choice(len(different), count, replace=False)
        return different[chosen].copy()
    centroids = np.array(start, np.float64)
    if centroids.shape != (count, 2) or not (centroids > 0).all():
        raise ShapeError(f"anchor_clusters: start has shape {centroids.shape}; it must be ({count}, 2), positive widths and heights")
    return centroids
