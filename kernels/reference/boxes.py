"""How much of two boxes is shared.

Upright boxes are (N, 4) as (x1, y1, x2, y2); rotated ones (N, 5) as (cx, cy, w, h, degrees), turned counter-clockwise as seen in an image
whose y axis points down.
"""

import math

import numpy as np

from .scalars import empty_like_shape

__all__ = ["box_iou", "box_iou_rotated"]

SMALLEST_AREA = 1e-14  # below it a box covers nothing, and the quotient is zero


def area(box):
    """Width times height; negative where one of them is."""
    return (box[2] - box[0]) * (box[3] - box[1])


def intersection_and_union(first, second):
    """The area that two upright boxes share, and the one that they cover together."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    intersection = (width if width > 0 else 0) * (height if height > 0 else 0)
    return intersection, area(first) + area(second) - intersection


def box_iou(boxes1, boxes2):
    """The intersection over the union of two upright boxes, for every pair; 0 / 0 is NaN."""
    iou = empty_like_shape((boxes1.shape[0], boxes2.shape[0]), boxes1)
    with np.errstate(all="ignore"):
        for n in range(boxes1.shape[0]):
            for m in range(boxes2.shape[0]):
                intersection, union = intersection_and_union(boxes1[n], boxes2[m])
                iou[n, m] = intersection / union
    return iou


def corners(box, centre):
    """The four corners in turn, relative to a centre near by, so that large coordinates cost no digits."""
    x, y, width, height, degrees = (float(number) for number in box)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [
        (x - centre[0] + a * width / 2 * cosine + b * height / 2 * sine, y - centre[1] - a * width / 2 * sine + b * height / 2 * cosine)
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


def clip(polygon, start, end):
    """What of a convex polygon lies to the left of the line from start to end, the line included."""
    kept = []
    for index, point in enumerate(polygon):
        following = polygon[(index + 1) % len(polygon)]
        here, there = (
            (end[0] - start[0]) * (q[1] - start[1]) - (end[1] - start[1]) * (q[0] - start[0]) for q in (point, following)
        )
        if here >= 0:
            kept.append(point)
        if here * there < 0:
            share = here / (here - there)
            kept.append((point[0] + share * (following[0] - point[0]), point[1] + share * (following[1] - point[1])))
    return kept


def polygon_area(polygon):
    """By the shoelace formula."""
    total = 0.0
    for index, (x, y) in enumerate(polygon):
        next_x, next_y = polygon[(index + 1) % len(polygon)]
        total += x * next_y - next_x * y
    return abs(total) / 2


def box_iou_rotated(boxes1, boxes2):
    """The area of the intersection over that of the union, for every pair."""
    iou = empty_like_shape((boxes1.shape[0], boxes2.shape[0]), boxes1)
    for n in range(boxes1.shape[0]):
        for m in range(boxes2.shape[0]):
            first, second = boxes1[n], boxes2[m]
            areas = float(first[2]) * float(first[3]), float(second[2]) * float(second[3])
            if not all(math.isfinite(number) for number in (*first, *second)):
                iou[n, m] = np.nan
                continue
            if min(areas) < SMALLEST_AREA:
                continue
            centre = (float(first[0]) + float(second[0])) / 2, (float(first[1]) + float(second[1])) / 2
            shared, frame = corners(first, centre), corners(second, centre)
            for edge in range(4):
                shared = clip(shared, frame[edge], frame[(edge + 1) % 4])
            intersection = polygon_area(shared)
            iou[n, m] = intersection / (areas[0] + areas[1] - intersection)
    return iou
