"""Non-maximum suppression, fast: each candidate against the boxes kept so far, which lie coordinate by coordinate, and only until one covers it.

The quotient is the definition's, rounded as there: a product of the threshold and the union would decide ties differently.
"""

import math

import numpy as np

from .. import memory
from ..jit import kernel

__all__ = ["batched_nms", "nms"]

# Kept boxes that are looked at together before asking whether one of them covers the candidate.
BLOCK = 32


def _score_order(scores):
    """Positions by falling score: NaN first, equal scores by their positions. A stable sort that rises, of the scores backwards, backwards."""
    return scores.size - 1 - np.argsort(scores[::-1], kind="stable")[::-1]


def _threshold(iou_threshold, dtype):
    """The largest number of that type not above the threshold: the same quotients exceed both."""
    rounded = dtype.type(iou_threshold)
    return np.nextafter(rounded, dtype.type(-math.inf)) if float(rounded) > iou_threshold else rounded


@kernel(fastmath=False)
def _greedy(boxes, order, groups, threshold, kept, corners):
    """Mark the kept boxes; `corners` holds x1, y1, x2, y2 and the area of those of the present group."""
    zero = boxes.dtype.type(0)
    left, top, right, bottom, areas = corners[0], corners[1], corners[2], corners[3], corners[4]
    count = 0
    for position in range(order.size):
        i = order[position]
        if position > 0 and groups[i] != groups[order[position - 1]]:
            count = 0
        x1, y1, x2, y2 = boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3]
        area = (x2 - x1) * (y2 - y1)
        covered = np.int32(0)
        start = 0
        while start < count and covered == 0:
            end = min(start + BLOCK, count)
            for j in range(np.uint64(start), np.uint64(end)):
                width = (right[j] if right[j] < x2 else x2) - (left[j] if left[j] > x1 else x1)
                height = (bottom[j] if bottom[j] < y2 else y2) - (top[j] if top[j] > y1 else y1)
                intersection = (width if width > zero else zero) * (height if height > zero else zero)
                covered |= np.int32(intersection / (areas[j] + area - intersection) > threshold)
            start = end
        if covered == 0:
            left[count], top[count], right[count], bottom[count], areas[count] = x1, y1, x2, y2, area
            count += 1
            kept[i] = True


def batched_nms(boxes, scores, groups, iou_threshold):
    """The positions of the boxes that are kept, by falling score; only boxes of one group compete."""
    order = _score_order(scores)
    kept = np.zeros(scores.size, np.bool_)
    by_group = order[np.argsort(groups[order], kind="stable")]
    corners = memory.empty((5, max(scores.size, 1)), boxes.dtype)
    _greedy(boxes, by_group, groups, _threshold(iou_threshold, boxes.dtype), kept, corners)
    return order[kept[order]]


def nms(boxes, scores, iou_threshold):
    """The positions of the boxes that are kept, by falling score."""
    order = _score_order(scores)
    kept = np.zeros(scores.size, np.bool_)
    corners = memory.empty((5, max(scores.size, 1)), boxes.dtype)
    _greedy(boxes, order, np.zeros(scores.size, np.int64), _threshold(iou_threshold, boxes.dtype), kept, corners)
    return order[kept[order]]
