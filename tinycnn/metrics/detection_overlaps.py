"""How much a detection overlaps a truth: boxes, masks and keypoints, each (detections, truths)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, DataError
from ._targets import Array
from .detection_records import Detected, Truth
from .rle import rle_iou

KINDS = ("bbox", "segm", "keypoints")
# COCO's per-keypoint spreads: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
COCO_SIGMAS = np.array([0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89]) / 10.0


def box_overlaps(detections: Any, truths: Any, crowd: Any = None, plus_one: bool = False) -> Array:
    """Intersection over union of boxes (left, top, width, height).

    Shapes: detections (D, 4), truths (G, 4) -> (D, G)

    Formula: |d and g| / (|d| + |g| - |d and g|); of a crowd |d and g| / |d|

    Parameters
    ----------
    detections, truths : boxes (left, top, width, height)
    crowd : which truths (G,) are crowds
    plus_one : count pixels as Pascal VOC's code does, where a box from 1 to 1 is 1 wide: every side is one longer

    Returns
    -------
    float64 array (D, G); boxes without area overlap nothing

    Examples
    --------
    >>> box_overlaps([[0, 0, 2, 2]], [[1, 0, 2, 2], [0, 0, 2, 2]]).round(3).tolist()
    [[0.333, 1.0]]
    >>> box_overlaps([[0, 0, 2, 2]], [[1, 0, 2, 2]], plus_one=True).tolist()
    [[0.5]]
    """
    d, g = (np.asarray(boxes, dtype=np.float64).reshape(-1, 4) for boxes in (detections, truths))
    more = 1.0 if plus_one else 0.0
    low = np.maximum(d[:, None, :2], g[None, :, :2])
    high = np.minimum(d[:, None, :2] + d[:, None, 2:], g[None, :, :2] + g[None, :, 2:])
    side = np.maximum(high - low + more, 0)
    common = side[..., 0] * side[..., 1]
    own, other = (np.prod(boxes[:, 2:] + more, axis=1) for boxes in (d, g))
    crowds = np.zeros(len(g), bool) if crowd is None else np.asarray(crowd, bool)
    bottom = np.where(crowds[None, :], own[:, None], own[:, None] + other[None, :] - common)
    return np.divide(common, bottom, out=np.zeros(common.shape), where=common > 0)


def keypoint_similarity(detections: Sequence[Detected], truths: Sequence[Truth], sigmas: Any = None) -> Array:
    """COCO's object keypoint similarity.

    Shapes: D detections, G truths -> (D, G)

    Formula: mean over the labelled keypoints of exp(-d_k^2 / (2 area (2 sigma_k)^2)); of a truth without labelled keypoints d_k is
    the distance to twice its box

    Parameters
    ----------
    detections, truths : with keypoints (x, y, v) of K points each
    sigmas : the spreads (K,); by default COCO's of 17 points

    Returns
    -------
    float64 array (D, G)

    Raises
    ------
    DataError : as many keypoints as sigmas are wanted

    Examples
    --------
    >>> truth = Truth(1, 1, (0, 0, 10, 10), 100.0, keypoints=(5, 5, 2), num_keypoints=1)
    >>> found = Detected(1, 1, 0.9, (0, 0, 10, 10), 100.0, keypoints=(5, 5, 1))
    >>> keypoint_similarity([found], [truth], sigmas=[0.1]).tolist()
    [[1.0]]
    """
    spread = COCO_SIGMAS if sigmas is None else np.asarray(sigmas, dtype=np.float64)
    result = np.zeros((len(detections), len(truths)))
    records: list[Detected | Truth] = [*detections, *truths]
    for record in records:
        if record.keypoints is None or len(record.keypoints) != 3 * len(spread):
            have = "no keypoints" if record.keypoints is None else f"{len(record.keypoints) // 3} keypoints"
            raise DataError(f"keypoints: an object of image {record.image!r} has {have}, the sigmas are of {len(spread)}; give sigmas of your own")
    for column, truth in enumerate(truths):
        true = np.array(truth.keypoints)
        labelled = true[2::3] > 0
        x, y, width, height = truth.xywh
        for row, found in enumerate(detections):
            points = np.array(found.keypoints)
            if labelled.any():
                dx, dy = points[0::3] - true[0::3], points[1::3] - true[1::3]
            else:
                dx = np.maximum(0, x - width - points[0::3]) + np.maximum(0, points[0::3] - (x + width * 2))
                dy = np.maximum(0, y - height - points[1::3]) + np.maximum(0, points[1::3] - (y + height * 2))
            apart = (dx**2 + dy**2) / (spread * 2) ** 2 / (truth.area + np.spacing(1)) / 2
            if labelled.any():
                apart = apart[labelled]
            result[row, column] = np.sum(np.exp(-apart)) / len(apart)
    return result


def overlaps(kind: str, detections: Sequence[Detected], truths: Sequence[Truth], sigmas: Any = None, plus_one: bool = False) -> Array:
    """The overlaps of one kind: "bbox", "segm" or "keypoints".

    Raises
    ------
    ArgumentError : another kind
    DataError : an object without mask or keypoints
    """
    if kind not in KINDS:
        raise ArgumentError(f"overlaps: kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not detections or not truths:
        return np.zeros((len(detections), len(truths)))
    crowd = [truth.crowd for truth in truths]
    if kind == "bbox":
        return box_overlaps([each.xywh for each in detections], [each.xywh for each in truths], crowd, plus_one)
    if kind == "keypoints":
        return keypoint_similarity(detections, truths, sigmas)
    masks = [[_mask_of(each) for each in group] for group in (detections, truths)]
    return rle_iou(masks[0], masks[1], crowd)


def _mask_of(record: Truth | Detected) -> dict[str, Any]:
    if record.mask is None:
        raise DataError(f"segm: an object of image {record.image!r}, category {record.category!r} has no segmentation; use kind 'bbox'")
    return record.mask
