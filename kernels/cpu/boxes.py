"""Overlaps of boxes, fast: upright ones coordinate by coordinate; pairs of rotated ones are shared among the threads by rows."""

import math

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.boxes import SMALLEST_AREA

__all__ = ["box_iou", "box_iou_rotated"]

CORNERS = 16  # a four-sided polygon gains at most one corner with each of four cuts, and one line of slack


@kernel(fastmath=False)
def _quotients(boxes1, coordinates, iou):
    """`coordinates` holds x1, y1, x2 and y2 of the second boxes, each in one piece."""
    zero = boxes1.dtype.type(0)
    left, top, right, bottom = coordinates[0], coordinates[1], coordinates[2], coordinates[3]
    for n in range(boxes1.shape[0]):
        x1, y1, x2, y2 = boxes1[n, 0], boxes1[n, 1], boxes1[n, 2], boxes1[n, 3]
        area = (x2 - x1) * (y2 - y1)
        for m in range(np.uint64(left.size)):
            width = (right[m] if right[m] < x2 else x2) - (left[m] if left[m] > x1 else x1)
            height = (bottom[m] if bottom[m] < y2 else y2) - (top[m] if top[m] > y1 else y1)
            intersection = (width if width > zero else zero) * (height if height > zero else zero)
            iou[n, m] = intersection / (area + (right[m] - left[m]) * (bottom[m] - top[m]) - intersection)


def box_iou(boxes1, boxes2):
    """The area that two upright boxes share over the area that they cover together, for every pair."""
    iou = memory.empty((boxes1.shape[0], boxes2.shape[0]), boxes1.dtype)
    _quotients(boxes1, np.ascontiguousarray(boxes2.T), iou)
    return iou


@kernel
def _corners(box, centre_x, centre_y, out):
    cosine, sine = math.cos(math.radians(np.float64(box[4]))), math.sin(math.radians(np.float64(box[4])))
    across_x, across_y = box[2] / 2.0 * cosine, -box[2] / 2.0 * sine
    down_x, down_y = box[3] / 2.0 * sine, box[3] / 2.0 * cosine
    for index in range(4):
        a = 1.0 if index in (1, 2) else -1.0
        b = 1.0 if index >= 2 else -1.0
        out[index, 0] = np.float64(box[0]) - centre_x + a * across_x + b * down_x
        out[index, 1] = np.float64(box[1]) - centre_y + a * across_y + b * down_y


@kernel(fastmath=False)
def _shared_area(first, second, polygon, other, frame):
    """The area of the intersection: the first box cut along the four sides of the second."""
    centre_x, centre_y = (np.float64(first[0]) + second[0]) / 2, (np.float64(first[1]) + second[1]) / 2
    _corners(first, centre_x, centre_y, polygon)
    _corners(second, centre_x, centre_y, frame)
    count = 4
    for edge in range(4):
        start_x, start_y = frame[edge, 0], frame[edge, 1]
        step_x, step_y = frame[(edge + 1) % 4, 0] - start_x, frame[(edge + 1) % 4, 1] - start_y
        kept = 0
        for index in range(count):
            x, y = polygon[index, 0], polygon[index, 1]
            following = index + 1 if index + 1 < count else 0
            next_x, next_y = polygon[following, 0], polygon[following, 1]
            here = step_x * (y - start_y) - step_y * (x - start_x)
            there = step_x * (next_y - start_y) - step_y * (next_x - start_x)
            if here >= 0:
                other[kept, 0], other[kept, 1] = x, y
                kept += 1
            if here * there < 0:
                share = here / (here - there)
                other[kept, 0], other[kept, 1] = x + share * (next_x - x), y + share * (next_y - y)
                kept += 1
        count = kept
        for index in range(count):
            polygon[index, 0], polygon[index, 1] = other[index, 0], other[index, 1]
    total = 0.0
    for index in range(count):
        following = index + 1 if index + 1 < count else 0
        total += polygon[index, 0] * polygon[following, 1] - polygon[following, 0] * polygon[index, 1]
    return abs(total) / 2


@kernel(parallel=True, fastmath=False)
def _all_pairs(boxes1, boxes2, iou):
    for n in prange(boxes1.shape[0]):
        polygon, other, frame = np.empty((CORNERS, 2)), np.empty((CORNERS, 2)), np.empty((4, 2))
        first_finite = np.isfinite(boxes1[n]).all()
        for m in range(boxes2.shape[0]):
            area1 = np.float64(boxes1[n, 2]) * np.float64(boxes1[n, 3])
            area2 = np.float64(boxes2[m, 2]) * np.float64(boxes2[m, 3])
            if not (first_finite and np.isfinite(boxes2[m]).all()):
                iou[n, m] = np.nan
            elif min(area1, area2) < SMALLEST_AREA:
                iou[n, m] = 0
            else:
                intersection = _shared_area(boxes1[n], boxes2[m], polygon, other, frame)
                iou[n, m] = intersection / (area1 + area2 - intersection)


def box_iou_rotated(boxes1, boxes2):
    """The area of the intersection over that of the union, for every pair."""
    iou = memory.empty((boxes1.shape[0], boxes2.shape[0]), boxes1.dtype)
    _all_pairs(boxes1, boxes2, iou)
    return iou
