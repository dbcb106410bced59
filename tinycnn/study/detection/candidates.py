"""What a trained detector's head says of an image before suppression: its output decoded row by row, or its best boxes to be suppressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ops
from ...errors import ArgumentError
from .anchors import Laid, seen_image
from .decode import decode_view
from .heat import head_rows
from .nms_steps import nms_view
from .view import DetectionView

__all__ = ["Candidates", "candidates", "network_decode_view", "network_nms_view"]


@dataclass(frozen=True)
class Candidates:
    """The best rows of a head's output: anchors, their numbers, the boxes these make, best score and class of each."""

    laid: Laid
    rows: np.ndarray  # which of all anchors
    numbers: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    weights: tuple[float, ...]  # of the box coder; empty for FCOS's distances
    words: str  # what the scores are


def candidates(detector: Any, image: Any, most: int = 40) -> Candidates:
    """The rows of a head's output with the best scores, before suppression.

    Parameters
    ----------
    detector : Module
        With anchors and dense scores, or with a proposal network.
    image : array
        (C, H, W), from 0 to 1.
    most : int
        Rows.

    Raises
    ------
    ArgumentError
        For a network without them.
    """
    laid, scores, numbers, words = head_rows(detector, image)
    best, labels = scores.max(axis=1), scores.argmax(axis=1)
    if words.startswith("softmax"):
        labels = labels + 1  # class 0, the background, was left out
    rows = np.argsort(-best, kind="stable")[:most]
    coder = getattr(getattr(detector, "rpn", detector), "box_coder", None)
    if coder is None:
        raise ArgumentError(f"candidates: {type(detector).__name__} has no box_coder; give one of models.detection")
    boxes = np.asarray(coder.decode_single(numbers[rows].astype(np.float64), laid.boxes[rows]), np.float64)
    boxes = ops.clip_boxes_to_image(boxes, laid.size).data
    kept = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    rows = rows[kept]
    weights = tuple(float(weight) for weight in getattr(coder, "weights", ()))
    return Candidates(laid, rows, numbers[rows], boxes[kept], best[rows].astype(np.float64), labels[rows], weights, words)


def network_decode_view(detector: Any, image: Any, most: int = 8) -> DetectionView:
    """The output of a network over an image, decoded: the rows with the best scores, from number to box.

    Parameters
    ----------
    detector, image, most
        As `candidates` takes them; its coder must be that of R-CNN, SSD and RetinaNet.

    Raises
    ------
    ArgumentError
        For a network whose numbers are distances (FCOS).
    """
    found = candidates(detector, image, most)
    if len(found.weights) != 4:
        raise ArgumentError(f"network_decode_view: {type(detector).__name__} says distances to the sides; R-CNN, SSD and RetinaNet say offsets")
    view = decode_view(found.numbers, found.laid.boxes[found.rows], weights=found.weights, image=seen_image(detector, image), size=found.laid.size)
    said = tuple(
        f"row {k}: anchor {row}, {found.laid.place(int(row))}, class {label}, score {score:.3f}"
        for k, (row, label, score) in enumerate(zip(found.rows, found.labels, found.scores, strict=True))
    )
    lead = (*view.lead, f"the best {len(said)} of {len(found.laid.boxes):,} rows, by score ({found.words})", *said)
    data = {**view.data, "rows": found.rows, "scores": found.scores}
    return DetectionView(view.title, lead, view.tables, view.pictures, view.steps, view.key, data)


def network_nms_view(detector: Any, image: Any, iou_threshold: float = 0.5, most: int = 40, least: float = 0.05) -> DetectionView:
    """Suppression of the boxes that a network finds on an image, before, step by step, and after.

    Parameters
    ----------
    detector, image, most
        As `candidates` takes them.
    iou_threshold : float
        As in `nms_view`.
    least : float
        Boxes of a lower score are left out, as detectors do.

    Raises
    ------
    ArgumentError
        When no box has the score.
    """
    found = candidates(detector, image, most)
    sure = np.flatnonzero(found.scores >= least)
    if not len(sure):
        raise ArgumentError(f"network_nms_view: no box has a score of {least:g}; the best one is {found.scores.max(initial=0.0):.3g}")
    return nms_view(
        found.boxes[sure], found.scores[sure], iou_threshold, found.labels[sure], image=seen_image(detector, image), size=found.laid.size
    )
