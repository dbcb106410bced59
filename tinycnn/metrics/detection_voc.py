"""Pascal VOC's evaluation: one threshold of overlap, difficult objects left out, 11-point or area average precision."""

from typing import Any

import numpy as np

from ..errors import ArgumentError
from ._targets import Array
from .detection_curves import PrecisionRecall, precision_recall_of
from .detection_matching import Matching, match_voc
from .detection_overlaps import overlaps
from .detection_records import DetectionData, Id, grouped


def voc_curves(
    data: DetectionData, *, threshold: float = 0.5, kind: str = "bbox", plus_one: bool = False, sigmas: Any = None
) -> dict[Id, PrecisionRecall]:
    """The ranked detections of every class by Pascal VOC's rule.

    Parameters
    ----------
    data : of `coco_detections`; difficult truths (and crowds) do not count
    threshold : the least overlap that finds
    kind : "bbox", or "segm" or "keypoints" by the same rule
    plus_one : measure boxes as VOC's own code does, every side one pixel longer
    sigmas : the keypoints' spreads

    Returns
    -------
    dict of PrecisionRecall by class; `.area("voc07")` and `.area("voc10")` are the two average precisions

    Raises
    ------
    ArgumentError : a threshold outside 0 to 1, an unknown kind

    References
    ----------
    M. Everingham et al., The Pascal visual object classes (VOC) challenge, 2010.

    Examples
    --------
    >>> from tinycnn.metrics.detection_records import Detected, Truth
    >>> truths = (Truth(1, 1, (0, 0, 4, 4), 16.0), Truth(2, 1, (0, 0, 4, 4), 16.0))
    >>> found = (Detected(1, 1, 0.9, (0, 0, 4, 4), 16.0), Detected(1, 1, 0.8, (0, 0, 4, 3), 12.0))
    >>> curve = voc_curves(DetectionData((1, 2), {1: "cell"}, truths, found))[1]
    >>> curve.right.tolist(), round(curve.area("voc07"), 4), curve.area("voc10")
    ([True, False], 0.5455, 0.5)
    """
    if not 0 < threshold <= 1:
        raise ArgumentError(f"voc_curves: threshold must be above 0 and at most 1, not {threshold}")
    groups = grouped(data)
    curves = {}
    for category in data.categories:
        scores: list[float] = []
        right: list[bool] = []
        skipped: list[bool] = []
        positives = 0
        for image in data.images:
            found, truths = groups.get((image, category), ([], []))
            table = overlaps(kind, [data.detections[place] for place in found], [data.truths[place] for place in truths], sigmas, plus_one)
            matching, hard = match_group_voc(data, truths, table, threshold)
            positives += int((~hard).sum())
            scores += [data.detections[place].score for place in found]
            right += (matching.truth[0] >= 0).tolist()
            skipped += matching.ignored[0].tolist()
        curves[category] = precision_recall_of(scores, right, positives, skipped)
    return curves


def match_group_voc(data: DetectionData, truths: list[int], table: Array, threshold: float) -> tuple[Matching, Array]:
    """VOC's matching in one image and class, and which truths do not count."""
    hard = np.array([data.truths[place].difficult or data.truths[place].crowd for place in truths], bool)
    return match_voc(table, threshold, hard), hard
