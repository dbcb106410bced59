"""Exercises about boxes: IoU and NMS."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from .exercise_draw import Draw, blank, exact, explained, result
from .exercise_sheet import Exercise, Given, Step
from .explanation import Explanation

__all__ = ["iou", "nms"]


def _box(draw: Draw, most: int = 6) -> np.ndarray:
    left, top = draw.whole(0, 5), draw.whole(0, 5)
    return np.array([left, top, left + draw.whole(2, most), top + draw.whole(2, most)], np.float64)


def _box_text(box: np.ndarray) -> str:
    return " ".join(str(int(number)) for number in box)


def _areas(found: Explanation) -> dict[str, Any]:
    """The row of areas that the explanation of box_iou has."""
    table = next(table for table in found.tables if table.title == "Areas")
    return dict(zip(table.header, table.rows[0], strict=True))


def _overlapping(draw: Draw) -> tuple[np.ndarray, np.ndarray, float]:
    """Two boxes of which neither holds the other and that overlap well."""
    while True:
        one, other = _box(draw), _box(draw)
        shared = result("box_iou", one[np.newaxis], other[np.newaxis]).item()
        crossed = np.minimum(one, other)
        if 0.1 < shared < 0.8 and not any((crossed[:2] == box[:2]).all() and (np.maximum(one, other)[2:] == box[2:]).all() for box in (one, other)):
            return one, other, shared


def iou(draw: Draw, level: int) -> Exercise:
    """Level 1: corners; level 2: one box by its corner and size; level 3: GIoU too."""
    one, other, _ = _overlapping(draw)
    pair = one[np.newaxis], other[np.newaxis]
    found = explained("box_iou", *pair)
    row = _areas(found)
    shared, union, areas = int(row["intersection"]), int(row["union"]), (int(row["area 1"]), int(row["area 2"]))
    ratio = exact(found.results[0]).reshape(()).item()
    grown = tuple(box + np.array([[0, 0, 1, 1]]) for box in pair)
    plus = explained("box_iou", *grown)
    shared_plus = int(_areas(plus)["intersection"])
    blanks = [
        blank("intersection", shared, [(shared_plus, "box + 1: the coordinates are edges, so a width is x2 - x1 without + 1")]),
        blank(
            "union",
            union,
            [
                (sum(areas), "the intersection was counted twice: subtract it once"),
                (sum(areas) - 2 * shared, "subtract the intersection once only"),
                (int(_areas(plus)["union"]), "box + 1: a width is x2 - x1 without + 1"),
            ],
        ),
        blank(
            "IoU",
            ratio,
            [
                (result("box_iou", *grown).item(), "box + 1: a width is x2 - x1 without + 1"),
                (Fraction(shared, sum(areas)), "divided by the sum of the areas instead of the union"),
                (Fraction(shared, min(areas)), "divided by the smaller box instead of the union"),
            ],
            whole=False,
        ),
    ]
    steps = [
        Step("the areas:", f"{areas[0]} and {areas[1]}"),
        Step("width times height of what they share:", f"{row['width x height'].replace('x', '*')} = {shared}"),
        Step("the union:", f"{areas[0]} + {areas[1]} - {shared} = {union}"),
        Step("IoU:", f"{shared} / {union} = {ratio}"),
    ]
    given = [Given("box A (x1 y1 x2 y2)", _box_text(one)), Given("box B (x1 y1 x2 y2)", _box_text(other))]
    if level >= 2:
        size = result("box_convert", other[np.newaxis], in_fmt="xyxy", out_fmt="xywh")
        given[1] = Given("box B (x y width height)", _box_text(size.reshape(-1)))
        steps.insert(0, Step("Box B by its corners (x, y, x + width, y + height):", _box_text(other)))
    if level == 3:
        general = explained("generalized_box_iou", *pair).results[0]
        value = exact(general).reshape(()).item()
        hull = int(np.prod(np.maximum(one, other)[2:] - np.minimum(one, other)[:2]))
        blanks.append(
            blank(
                "GIoU",
                value,
                [
                    (ratio, "GIoU subtracts the share of the hull that neither box covers"),
                    (ratio + Fraction(hull - union, hull), "the empty share of the hull is subtracted"),
                ],
                whole=False,
            )
        )
        steps.append(Step("the smallest box around both has the area, and GIoU is", f"{hull}; {ratio} - ({hull} - {union})/{hull} = {value}"))
    return Exercise(
        "", "", "How much do the two boxes overlap? Coordinates are edges, as in torchvision (no + 1).", tuple(given), tuple(blanks), tuple(steps)
    )


def _kept_by_anyone(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """The mistake: boxes that were removed themselves still remove others."""
    order = np.argsort(-scores, kind="stable")
    overlap = result("box_iou", boxes, boxes).reshape(len(boxes), len(boxes))
    return np.array(
        [box for place, box in enumerate(order.tolist()) if not any(overlap[box, better] > threshold for better in order[:place].tolist())]
    )


def nms(draw: Draw, level: int) -> Exercise:
    """Level 1: four boxes; level 2: a chain, in which a removed box must not remove; level 3: two classes."""
    count = 4 if level == 1 else 5
    threshold = draw.choice((0.3, 0.4, 0.5)) if level == 1 else 0.3
    for _ in range(2000):
        boxes = np.array([_box(draw) for _ in range(count)])
        scores = draw.generator.choice(np.arange(50, 100), count, replace=False) / 100
        classes = np.array([draw.whole(0, 1) for _ in range(count)])
        overlap = result("box_iou", boxes, boxes).reshape(count, count)
        kept = result("nms", boxes, scores, iou_threshold=threshold).reshape(-1)
        chain = _kept_by_anyone(boxes, scores, threshold)
        each = result("batched_nms", boxes, scores, classes, iou_threshold=threshold).reshape(-1)
        clear = not (np.abs(overlap - threshold) < 0.02).any() and 2 <= len(kept) < count and kept.tolist() != sorted(kept.tolist())
        if clear and (level != 2 or len(chain) < len(kept)) and (level != 3 or len(kept) < len(each) < count):
            break
    reverse = result("nms", boxes, -scores, iou_threshold=threshold).reshape(-1)
    right = kept if level < 3 else each
    traps = [
        (np.sort(right), "the boxes kept are right, but they come in the order of their scores"),
        (chain, "a box that was removed itself must not remove others"),
        (reverse, "start with the highest score"),
        (np.argsort(-scores), "boxes that overlap a kept one more than the threshold go"),
    ]
    if level == 3:
        traps.insert(0, (kept, "boxes of different classes do not remove each other"))
    found = (
        explained("batched_nms", boxes, scores, classes, iou_threshold=threshold)
        if level == 3
        else explained("nms", boxes, scores, iou_threshold=threshold)
    )
    table = next(table for table in found.tables if "score" in table.header)
    place = {name: table.header.index(name) for name in ("box", "score", "verdict")}
    steps = [Step("By falling score; each box is compared with the kept ones:")]
    steps += [Step("", f"box {row[place['box']]} (score {row[place['score']]}): {row[place['verdict']]}") for row in table.rows]
    rows = [
        f"{_box_text(box)}, score {score:.2f}" + (f", class {kind}" if level == 3 else "")
        for box, score, kind in zip(boxes, scores, classes, strict=True)
    ]
    words = (
        "Which boxes does non-maximum suppression keep? Give their numbers in the order of their scores. A box goes if its IoU with a kept "
        "box is above the threshold"
    )
    return Exercise(
        "",
        "",
        words + (", and only boxes of its own class count." if level == 3 else "."),
        (*(Given(f"box {number} (x1 y1 x2 y2)", text) for number, text in enumerate(rows)), Given("IoU threshold", str(threshold))),
        (blank("boxes kept", right, traps, is_open=True),),
        tuple(steps),
    )
