"""Suppression that lowers scores instead of dropping boxes: Soft-NMS one box after another, Matrix NMS all at once.

References
----------
Bodla, Singh, Chellappa, Davis: Soft-NMS, ICCV 2017, figure 2 and equations (1) to (3). Wang, Zhang, Kong, Li, Shen: SOLOv2, NeurIPS 2020,
section 3.3, equations (4) to (6).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ... import ops
from ...errors import ArgumentError, ShapeError
from ...functional._arguments import one_of

__all__ = ["SoftNMS", "matrix_nms", "soft_nms"]

METHODS = ("linear", "gaussian", "hard")
KERNELS = ("gaussian", "linear")


class SoftNMS(NamedTuple):
    """What is left, best first."""

    keep: np.ndarray  # (K,) positions
    scores: np.ndarray  # (K,) after all lowering


def soft_nms(
    boxes: np.ndarray,
    scores: np.ndarray,
    method: str = "linear",
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
) -> SoftNMS:
    """Take the best box; lower the scores of those that overlap it; again, until none above the threshold is left.

    Shapes
    ------
    (N, 4), (N,) -> (K,), (K,)

    Formula
    -------
    With o the overlap with the box just taken, s becomes s (1 - o) where o > iou_threshold ("linear"), s exp(-o^2 / sigma) ("gaussian"), or 0
    where o > iou_threshold ("hard", which is `ops.nms`).

    Parameters
    ----------
    boxes, scores : array
        (x1, y1, x2, y2) in pixels, and their scores, above 0.
    method : str
        "linear", "gaussian" or "hard".
    iou_threshold : float
        Not of the Gaussian, which has no step.
    sigma : float
        Of the Gaussian, above 0; 0.5 in the paper.
    score_threshold : float
        A box at or below it is dropped.

    Returns
    -------
    SoftNMS
        Of equal scores the first position is taken first.

    Raises
    ------
    ShapeError, ArgumentError
        When boxes and scores do not fit; for an unknown method or a sigma that is not positive.

    Examples
    --------
    >>> boxes, scores = np.array([[0.0, 0, 4, 4], [0, 0, 4, 2], [9, 9, 10, 10]]), np.array([0.9, 0.8, 0.3])
    >>> kept = soft_nms(boxes, scores)
    >>> kept.keep.tolist(), kept.scores.round(3).tolist()
    ([0, 1, 2], [0.9, 0.4, 0.3])
    """
    one_of("soft_nms", "method", method, METHODS)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != (len(boxes),):
        raise ShapeError(f"soft_nms: boxes {boxes.shape} and scores {scores.shape} must be (N, 4) and (N,)")
    if not sigma > 0:
        raise ArgumentError(f"soft_nms: sigma={sigma} must be above 0; the paper's is 0.5")
    overlaps = np.nan_to_num(ops.box_iou(boxes, boxes).data)
    left = scores.astype(np.float64)
    keep, values = [], []
    while len(left) and left.max() > score_threshold:
        best = int(left.argmax())
        keep.append(best)
        values.append(left[best])
        left = left * _factor(overlaps[best], method, iou_threshold, sigma)
        left[best] = -np.inf
    return SoftNMS(np.array(keep, np.int64), np.array(values, scores.dtype))


def _factor(overlap: np.ndarray, method: str, iou_threshold: float, sigma: float) -> np.ndarray:
    """What each score is multiplied with."""
    if method == "gaussian":
        return np.exp(-(overlap**2) / sigma)
    return np.where(overlap > iou_threshold, 1 - overlap if method == "linear" else 0.0, 1.0)


def matrix_nms(
    overlaps: np.ndarray, scores: np.ndarray, labels: np.ndarray | None = None, kernel: str = "gaussian", sigma: float = 2.0
) -> np.ndarray:
    """Lower every score at once, by the most that any better object of its class takes from it.

    Shapes
    ------
    overlaps (N, N), scores (N,), labels (N,) -> (N,)

    Formula
    -------
    s_j becomes s_j min over better i of f(o_ij) / f(o_i), where o_i is the largest overlap of i with an object better than itself: one that is
    likely to be suppressed takes less. f(o) = exp(-sigma o^2) or 1 - o.

    Parameters
    ----------
    overlaps : array
        Of all pairs; of masks (`mask_iou`) or boxes.
    scores : array
        Of equal scores the first is the better one.
    labels : array of int, optional
        Objects of different classes do not meet; all are of one class if left out.
    kernel : str
        "gaussian" or "linear".
    sigma : float
        Of the Gaussian; SOLOv2's is 2.

    Returns
    -------
    array
        The lowered scores, in the given order.

    Raises
    ------
    ShapeError, ArgumentError
        When the shapes do not fit; for an unknown kernel.

    Examples
    --------
    >>> matrix_nms(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([0.6, 0.8]), kernel="linear").tolist()
    [0.3, 0.8]
    """
    one_of("matrix_nms", "kernel", kernel, KERNELS)
    count = len(scores)
    of_class = np.zeros(count, np.int64) if labels is None else np.asarray(labels)
    if scores.ndim != 1 or overlaps.shape != (count, count) or of_class.shape != (count,):
        raise ShapeError(f"matrix_nms: overlaps {overlaps.shape}, scores {scores.shape} and labels {of_class.shape} must be (N, N), (N,) and (N,)")
    if not count:
        return scores.copy()
    order = np.argsort(-scores, kind="stable")
    same = of_class[order][:, None] == of_class[order][None]
    above = np.triu(overlaps[np.ix_(order, order)] * same, 1)  # row: the better one
    own = above.max(axis=0)
    if kernel == "gaussian":
        decay = np.exp(-sigma * (above**2 - own[:, None] ** 2))
    else:
        decay = (1 - above) / np.maximum(1 - own[:, None], np.finfo(np.float64).tiny)
    decay[~(same & np.triu(np.ones_like(same), 1))] = 1.0
    lowered = np.empty(count, scores.dtype)
    lowered[order] = scores[order] * decay.min(axis=0)
    return lowered
