"""k-means: groups of codes found without any label, and how well they are the classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import ArgumentError, ShapeError

__all__ = ["Clusters", "cluster_accuracy", "k_means"]


class Clusters(NamedTuple):
    """What k-means found."""

    labels: np.ndarray  # int64 (N,), the cluster of each code
    centres: np.ndarray  # float64 (k, features)
    inertia: float  # sum of the squared distances to the own centre


def k_means(codes: np.ndarray, k: int, *, seed: int = 0, starts: int = 4, rounds: int = 100) -> Clusters:
    """Divide codes into k groups, each around the mean of its members.

    Formula
    -------
    min over centres of sum_n min_c |x[n] - centre[c]|^2, by Lloyd's rounds from k-means++ starts; the best of several

    Parameters
    ----------
    codes : ndarray
        (N, features).
    k : int
        Groups, at most N.
    seed, starts, rounds : int
        Of the random starts, how many there are, and the most rounds of each.

    Raises
    ------
    ArgumentError, ShapeError
        For a k out of range, or codes of another shape.

    Notes
    -----
    A cluster that loses its last member takes the code that lies furthest from its centre.

    References
    ----------
    Lloyd 1982, "Least squares quantization in PCM". Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding".

    Examples
    --------
    >>> k_means(np.array([[0.0], [0.2], [9.0], [9.2]]), 2).inertia
    0.04
    """
    if codes.ndim != 2:
        raise ShapeError(f"k_means: codes {codes.shape} must be (count, features)")
    if not 1 <= k <= len(codes) or starts < 1:
        raise ArgumentError(f"k_means: k={k} must be at least 1 and at most the {len(codes)} codes, and starts={starts} at least 1")
    rows = codes.astype(np.float64)
    generator = np.random.default_rng(seed)
    runs = [_lloyd(rows, _spread_centres(rows, k, generator), rounds) for _ in range(starts)]
    best = min(runs, key=lambda run: run.inertia)
    return best._replace(inertia=round(best.inertia, 12))


def _squared_distances(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum((rows**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * rows @ centres.T, 0))


def _spread_centres(rows: np.ndarray, k: int, generator: np.random.Generator) -> np.ndarray:
    """k-means++: each next centre is a code drawn with a chance that grows with the squared distance to the centres so far."""
    centres = [rows[generator.integers(len(rows))]]
    nearest = _squared_distances(rows, centres[0][None])[:, 0]
    for _ in range(k - 1):
        total = nearest.sum()
        chances = nearest / total if total > 0 else np.full(len(rows), 1 / len(rows))
        centres.append(rows[generator.choice(len(rows), p=chances)])
        nearest = np.minimum(nearest, _squared_distances(rows, centres[-1][None])[:, 0])
    return np.stack(centres)


def _lloyd(rows: np.ndarray, centres: np.ndarray, rounds: int) -> Clusters:
    labels = np.full(len(rows), -1)
    for _ in range(rounds):
        distances = _squared_distances(rows, centres)
        found = distances.argmin(1)
        if np.array_equal(found, labels):
            break
        labels = found
        for cluster in range(len(centres)):
            members = rows[labels == cluster]
            if len(members):
                centres[cluster] = members.mean(0)
            else:
                furthest = int(distances[np.arange(len(rows)), labels].argmax())
                centres[cluster], labels[furthest] = rows[furthest], cluster
    own = rows - centres[labels]
    return Clusters(labels.astype(np.int64), centres, float((own**2).sum()))


def cluster_accuracy(clusters: np.ndarray, labels: np.ndarray) -> float:
    """The share of codes whose cluster is their class, under the best one-to-one naming of clusters by classes.

    References
    ----------
    Kuhn 1955, "The Hungarian method for the assignment problem".

    Examples
    --------
    >>> cluster_accuracy(np.array([1, 1, 0, 0]), np.array([0, 0, 1, 0]))
    0.75
    """
    counts = np.zeros((int(clusters.max()) + 1, int(labels.max()) + 1))
    np.add.at(counts, (clusters, labels), 1)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return float(counts[rows, columns].sum() / len(labels))
