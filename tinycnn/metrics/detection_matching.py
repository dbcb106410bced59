"""Which detection finds which truth: greedy by score, by COCO's rule or by Pascal VOC's, within one image and one class."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._targets import Array


@dataclass(frozen=True)
class Matching:
    """For T thresholds and D detections in order of score: the truth found (-1 for none), and whether the detection counts at all."""

    truth: Array
    ignored: Array


def match_coco(overlap: Any, thresholds: Any, crowd: Any, ignored: Any) -> Matching:
    """COCO's rule: a detection takes the free truth that it overlaps most.

    Shapes: overlap (D, G), thresholds (T,), crowd (G,), ignored (G,) -> truth (T, D), ignored (T, D)

    Parameters
    ----------
    overlap : of every detection, the highest score first, with every truth
    thresholds : the least overlap that finds
    crowd : truths that any number of detections may take
    ignored : truths that do not count (crowds, or outside the range of areas): they are taken only when no other is free, and
        who takes them does not count either

    Returns
    -------
    Matching

    Notes
    -----
    Of equal overlaps the later truth is taken.

    Examples
    --------
    Two detections of one truth: the second is a duplicate.

    >>> match_coco([[0.9], [0.8]], [0.5], [False], [False]).truth.tolist()
    [[0, -1]]
    """
    table = np.asarray(overlap, dtype=np.float64)
    limits = np.minimum(np.asarray(thresholds, dtype=np.float64), 1 - 1e-10)[:, None]
    crowds, left_out = np.asarray(crowd, bool), np.asarray(ignored, bool)
    count, truths = len(table), len(crowds)
    found = np.full((len(limits), count), -1)
    skipped = np.zeros((len(limits), count), bool)
    if truths == 0:
        return Matching(found, skipped)
    taken = np.zeros((len(limits), truths), bool)
    rows = np.arange(len(limits))
    for place in range(count):
        free = (table[place] >= limits) & (~taken | crowds)
        best = np.full(len(limits), -1)
        for group in (left_out, ~left_out):  # those that count come last and win
            value = np.where(free & group, table[place], -1.0)
            last = truths - 1 - np.argmax(value[:, ::-1], axis=1)
            best = np.where(value[rows, last] >= 0, last, best)
        hit = best >= 0
        found[:, place] = best
        taken[rows[hit], best[hit]] = True
        skipped[hit, place] = left_out[best[hit]]
    return Matching(found, skipped)


def match_voc(overlap: Any, threshold: float, difficult: Any) -> Matching:
    """Pascal VOC's rule: a detection claims the truth that it overlaps most, free or not.

    Shapes: overlap (D, G), difficult (G,) -> truth (1, D), ignored (1, D)

    Parameters
    ----------
    overlap : of every detection, the highest score first, with every truth
    threshold : the least overlap that finds
    difficult : truths that do not count, nor does a detection that claims one

    Returns
    -------
    Matching

    Notes
    -----
    The second to claim a truth is false, though it may overlap another free one enough; COCO's rule would give it that one.
    Of equal overlaps the first truth is claimed.

    Examples
    --------
    >>> match_voc([[0.9, 0.6], [0.8, 0.6]], 0.5, [False, False]).truth.tolist()
    [[0, -1]]
    >>> match_coco([[0.9, 0.6], [0.8, 0.6]], [0.5], [False] * 2, [False] * 2).truth.tolist()
    [[0, 1]]
    """
    table, hard = np.asarray(overlap, dtype=np.float64), np.asarray(difficult, bool)
    found, skipped = np.full((1, len(table)), -1), np.zeros((1, len(table)), bool)
    taken: set[int] = set()
    for place, row in enumerate(table):
        best = int(np.argmax(row)) if len(row) else -1
        if best < 0 or row[best] < threshold:
            continue
        if hard[best]:
            found[0, place], skipped[0, place] = best, True
        elif best not in taken:
            found[0, place] = best
            taken.add(best)
    return Matching(found, skipped)
