"""Non-maximum suppression, as its definition says.

boxes is (N, 4) as (x1, y1, x2, y2), scores is (N,), groups is (N,) of whole numbers. A box is kept unless a kept box before it in the order
of scores covers more than the threshold of their union.
"""

import numpy as np

from .boxes import intersection_and_union

__all__ = ["batched_nms", "nms"]


def score_order(scores):
    """Positions by falling score: NaN first, as torch sorts, and equal scores by their positions."""

    def key(i):
        known = scores[i] == scores[i]
        return known, -scores[i] if known else 0, i

    return sorted(range(len(scores)), key=key)


def covers(first, second, iou_threshold):
    """Whether the intersection over the union is larger than the threshold: false where it is no number."""
    intersection, union = intersection_and_union(first, second)
    if not union:
        return False
    ratio = intersection / union
    # A float32 beside a Python float would compare with the threshold rounded to float32.
    return bool((np.float64(ratio) if isinstance(ratio, np.floating) else ratio) > iou_threshold)


def nms(boxes, scores, iou_threshold):
    """The positions of the boxes that are kept, by falling score."""
    keep = []
    with np.errstate(all="ignore"):
        for i in score_order(scores):
            if not any(covers(boxes[j], boxes[i], iou_threshold) for j in keep):
                keep.append(i)
    return np.array(keep, np.int64)


def batched_nms(boxes, scores, groups, iou_threshold):
    """As `nms`, where only boxes of one group compete."""
    keep = []
    with np.errstate(all="ignore"):
        for i in score_order(scores):
            if not any(groups[j] == groups[i] and covers(boxes[j], boxes[i], iou_threshold) for j in keep):
                keep.append(i)
    return np.array(keep, np.int64)
