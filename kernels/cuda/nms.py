"""Non-maximum suppression on a CUDA device: all pairs at once, then one block walks down the order of scores."""

import numpy as np
from numba import cuda

from .device import THREADS, by_kind, empty, launch, to_device, to_host

__all__ = ["batched_nms", "nms"]


@by_kind
def _pairs(kind):
    zero = kind(0)

    @cuda.jit
    def covers(boxes, order, groups, iou_threshold, covered):
        """covered[i, j]: whether the i-th box by score covers the j-th, of the same group and behind it, by more than the threshold."""
        place = cuda.grid(1)
        if place >= covered.size:
            return
        i, j = place // covered.shape[1], place % covered.shape[1]
        covered[i, j] = 0
        if i >= j:
            return
        p, q = order[i], order[j]
        if groups[p] != groups[q]:
            return
        width = min(boxes[p, 2], boxes[q, 2]) - max(boxes[p, 0], boxes[q, 0])
        height = min(boxes[p, 3], boxes[q, 3]) - max(boxes[p, 1], boxes[q, 1])
        intersection = (width if width > zero else zero) * (height if height > zero else zero)
        areas = (boxes[p, 2] - boxes[p, 0]) * (boxes[p, 3] - boxes[p, 1]) + (boxes[q, 2] - boxes[q, 0]) * (boxes[q, 3] - boxes[q, 1])
        union = areas - intersection
        if union != zero and float(intersection / union) > iou_threshold:
            covered[i, j] = 1

    return covers


@cuda.jit
def _walk(covered, gone):
    """One block: from the best box down, a box that is still there takes away those that it covers."""
    first = cuda.threadIdx.x
    for j in range(first, gone.size, cuda.blockDim.x):
        gone[j] = 0
    cuda.syncthreads()
    for i in range(gone.size):
        if gone[i] == 0:
            for j in range(first, gone.size, cuda.blockDim.x):
                if covered[i, j]:
                    gone[j] = 1
        cuda.syncthreads()


def batched_nms(boxes, scores, groups, iou_threshold):
    """The positions of the boxes that are kept, by falling score; only boxes of one group compete."""
    marks = to_host(scores)
    count = marks.size
    order = count - 1 - np.argsort(marks[::-1], kind="stable")[::-1]
    if not count:
        return to_device(order, boxes)
    covered, gone = empty((count, count), np.uint8, boxes), empty((count,), np.uint8, boxes)
    launch(_pairs(boxes), count * count, boxes, to_device(order, boxes), groups, float(iou_threshold), covered)
    _walk[1, THREADS](covered, gone)
    return to_device(order[to_host(gone) == 0], boxes)


def nms(boxes, scores, iou_threshold):
    """The positions of the boxes that are kept, by falling score."""
    return batched_nms(boxes, scores, to_device(np.zeros(scores.shape[0], np.int64), boxes), iou_threshold)
