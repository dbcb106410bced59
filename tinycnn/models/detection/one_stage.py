"""What detectors of one stage share: from dense scores and boxes to a short list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ... import ops

__all__ = ["best_of_level", "suppressed"]


def best_of_level(scores: np.ndarray, threshold: float, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best scores of (places, classes): their places, classes and values, best first, above a threshold, at most `most`.

    Examples
    --------
    >>> places, classes, values = best_of_level(np.array([[0.9, 0.1], [0.2, 0.8]]), 0.15, 2)
    >>> places.tolist(), classes.tolist(), values.tolist()
    ([0, 1], [0, 1], [0.9, 0.8])
    """
    flat = scores.reshape(-1)
    candidates = np.flatnonzero(flat > threshold)
    best = candidates[np.argsort(-flat[candidates], kind="stable")[:most]]
    places, classes = np.divmod(best, scores.shape[1])
    return places, classes, flat[best]


def suppressed(
    levels: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], nms_thresh: float, most: int
) -> dict[str, np.ndarray]:
    """One image's detections from (boxes, scores, labels) of each level: suppression within a class, best first."""
    boxes, scores, labels = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    kept = ops.batched_nms(boxes, scores, labels, nms_thresh).data[:most]
    return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept].astype(np.int64)}


def dense_detections(
    scores: Sequence[np.ndarray],
    numbers: np.ndarray,
    anchors: Sequence[np.ndarray],
    per_map: Sequence[int],
    sizes: Sequence[tuple[int, int]],
    decode: Callable[[np.ndarray, np.ndarray], np.ndarray],
    limits: tuple[float, int, float, int],
) -> list[dict[str, np.ndarray]]:
    """The detections of each image, from scores and box numbers of every anchor, map after map.

    Parameters
    ----------
    scores, numbers, anchors
        For each image (anchors, classes), (anchors, 4) and (anchors, 4).
    per_map
        Anchors of each map.
    sizes
        Height and width of each image.
    decode
        Called with numbers and anchors, gives boxes.
    limits
        Score threshold, candidates of a map, overlap of suppression, detections of an image.
    """
    threshold, candidates, overlap, most = limits
    ends = np.cumsum(per_map)
    found = []
    for of_image, own, boxes, size in zip(scores, numbers, anchors, sizes, strict=True):
        levels = []
        for start, end in zip(ends - per_map, ends, strict=True):
            places, classes, values = best_of_level(of_image[start:end], threshold, candidates)
            decoded = decode(own[start:end][places], boxes[start:end][places])
            levels.append((ops.clip_boxes_to_image(decoded, size).data, values, classes))
        found.append(suppressed(levels, overlap, most))
    return found
