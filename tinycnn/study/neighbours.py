"""Retrieval: the images whose codes are nearest, and what most of them are."""

from __future__ import annotations

import numpy as np

from ..errors import ArgumentError, ShapeError

__all__ = ["classify_by_neighbours", "k_nearest"]

METRICS = ("cosine", "euclidean")
CHUNK = 512  # queries at a time: the table of distances stays small


def k_nearest(codes: np.ndarray, queries: np.ndarray, k: int = 5, metric: str = "cosine") -> tuple[np.ndarray, np.ndarray]:
    """The k codes nearest to each query.

    Parameters
    ----------
    codes, queries : ndarray
        (N, features) and (Q, features).
    k : int
        How many, at most N.
    metric : str
        "cosine", 1 minus the cosine of the angle, or "euclidean".

    Returns
    -------
    indices : ndarray
        int64 (Q, k), the nearest first; of equally near codes the first.
    distances : ndarray
        float64 (Q, k).

    Raises
    ------
    ArgumentError, ShapeError
        For a k or a metric that does not exist, or features that do not fit.

    Examples
    --------
    >>> k_nearest(np.array([[0.0], [1.0], [5.0]]), np.array([[0.9]]), 2, "euclidean")[0]
    array([[1, 0]])
    """
    if codes.ndim != 2 or queries.ndim != 2 or codes.shape[1] != queries.shape[1]:
        raise ShapeError(f"k_nearest: codes {codes.shape} and queries {queries.shape} must be (count, features) with the same features")
    if not 1 <= k <= len(codes):
        raise ArgumentError(f"k_nearest: k={k} must be at least 1 and at most the {len(codes)} codes")
    if metric not in METRICS:
        raise ArgumentError(f"k_nearest: metric {metric!r} must be one of {', '.join(METRICS)}")
    rows, asked = codes.astype(np.float64), queries.astype(np.float64)
    if metric == "cosine":
        rows, asked = _unit(rows), _unit(asked)
    squares = (rows**2).sum(1)
    indices, distances = [], []
    for start in range(0, len(asked), CHUNK):
        part = asked[start : start + CHUNK]
        squared = np.maximum(squares + (part**2).sum(1)[:, None] - 2 * part @ rows.T, 0)
        nearest = np.argsort(squared, axis=1, kind="stable")[:, :k]
        found = np.take_along_axis(squared, nearest, 1)
        indices.append(nearest)
        # Between unit vectors |a - b|^2 = 2 - 2 cos.
        distances.append(found / 2 if metric == "cosine" else np.sqrt(found))
    return np.concatenate(indices), np.concatenate(distances)


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms == 0, 1, norms))


def classify_by_neighbours(labels: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """The class that most of the neighbours have; of a draw, the one whose member is nearest.

    Parameters
    ----------
    labels : ndarray
        int64 (N,), of the codes searched.
    indices : ndarray
        From `k_nearest`.

    Examples
    --------
    >>> classify_by_neighbours(np.array([3, 1, 1]), np.array([[0, 1, 2], [0, 1, 0]]))
    array([1, 3])
    """
    votes = labels[indices]
    counts = (votes[:, :, None] == votes[:, None, :]).sum(2)
    return np.asarray(votes[np.arange(len(votes)), counts.argmax(1)])
