"""Which anchors a matcher makes positive, negative or ignored, and which truths nobody answers for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...models.detection import Matcher
from .anchors import Laid
from .scene import Scene
from .view import DetectionView, Table, box_text, checked_boxes

__all__ = ["matching_view"]

MOST_DRAWN = 40  # boxes of one step
MOST_ROWS = 60  # of a table


def matching_view(laid: Laid | np.ndarray, truths: Any, matcher: Matcher, *, image: Any = None, size: tuple[int, int] | None = None) -> DetectionView:
    """Run a matcher and show what became of every anchor and every truth.

    Parameters
    ----------
    laid : Laid or array
        Anchors of `detector_anchors`, or (N, 4) boxes.
    truths : array
        (K, 4), true boxes in the same pixels.
    matcher : Matcher
        `models.detection.Matcher` or `SSDMatcher`.
    image : array, optional
        (C, H, W), from 0 to 1, drawn under the boxes.
    size : (height, width), optional
        Of the picture, where `laid` are plain boxes.

    Returns
    -------
    DetectionView
        `data["matches"]` is what the matcher said: the truth of each anchor, -1 negative, -2 ignored; `data["unmatched"]` the truths that
        no anchor learns, drawn in red.

    Examples
    --------
    >>> view = matching_view(np.array([[0.0, 0, 10, 10], [5.0, 0, 15, 10]]), [[0, 0, 10, 11], [40, 40, 44, 44]], Matcher(0.7, 0.3))
    >>> view.data["matches"].tolist(), view.data["unmatched"].tolist()
    ([0, -2], [1])
    """
    anchors = laid.boxes if isinstance(laid, Laid) else checked_boxes("matching_view", "anchors", laid, 1)
    true = checked_boxes("matching_view", "truths", truths, 1)
    quality = ops.box_iou(true, anchors).data
    matches = matcher(quality)
    value = quality.max(axis=0)
    unmatched = np.setdiff1d(np.arange(len(true)), matches)
    if size is None:
        corner = np.concatenate((anchors, true))[:, 2:].max(axis=0)
        size = laid.size if isinstance(laid, Laid) else (int(np.ceil(corner[1])), int(np.ceil(corner[0])))
    scene = _scene(size, anchors, true, quality, matches, unmatched, image)
    counts = {
        "positive": int((matches >= 0).sum()),
        "ignored": int((matches == Matcher.BETWEEN_THRESHOLDS).sum()),
        "negative": int((matches == Matcher.BELOW_LOW_THRESHOLD).sum()),
    }
    lead = (
        f"{type(matcher).__name__}: positive from IoU {matcher.high_threshold:g}, negative below {matcher.low_threshold:g}, ignored between"
        + ("; the best box of each truth is positive too" if matcher.allow_low_quality_matches or type(matcher) is not Matcher else ""),
        f"{len(anchors):,} anchors: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()),
    )
    note = f"no anchor answers for truth {', '.join(map(str, unmatched))}: the network never learns it" if len(unmatched) else ""
    own = _anchor_rows(laid, anchors, quality, matches, matcher)
    tables = (
        Table("Truths", ("truth", "box", "best IoU", "positives", "as the best only", ""), _truth_rows(true, quality, matches, matcher), note),
        Table("Positive and ignored anchors, best overlap first", ("anchor", "where", "box", "IoU", "of truth", "became", "because"), own[:MOST_ROWS],
              f"the first {MOST_ROWS} of {len(own)}" if len(own) > MOST_ROWS else ""),
    )  # fmt: skip
    key = (("accent", "truth"), ("good", "positive"), ("now", "ignored"), ("bad", "truth without an anchor"))
    data = {"matches": matches, "iou": value, "unmatched": unmatched, "counts": counts, "truths": true}
    return DetectionView("Matching anchors with truths", lead, tables, (("", scene.svg()),), "truth by truth, then the ignored", key, data)


def _truth_rows(true: np.ndarray, quality: np.ndarray, matches: np.ndarray, matcher: Matcher) -> tuple[tuple[str, ...], ...]:
    rows = []
    for k, box in enumerate(true):
        own = np.flatnonzero(matches == k)
        weak = int((quality[k, own] < matcher.high_threshold).sum())
        verdict = "unmatched" if not len(own) else "weak only" if weak == len(own) else ""
        rows.append((str(k), box_text(box), f"{quality[k].max():.3f}", str(len(own)), str(weak), verdict))
    return tuple(rows)


def _anchor_rows(laid: Any, anchors: np.ndarray, quality: np.ndarray, matches: np.ndarray, matcher: Matcher) -> tuple[tuple[str, ...], ...]:
    chosen = np.flatnonzero(matches != Matcher.BELOW_LOW_THRESHOLD)
    value = quality.max(axis=0)
    rows = []
    for n in chosen[np.argsort(-value[chosen], kind="stable")].tolist():
        truth = int(matches[n]) if matches[n] >= 0 else int(quality[:, n].argmax())
        overlap = float(quality[truth, n])
        became = "positive" if matches[n] >= 0 else "ignored"
        if matches[n] < 0:
            why = f"{matcher.low_threshold:g} <= {overlap:.3f} < {matcher.high_threshold:g}"
        elif overlap >= matcher.high_threshold:
            why = f"{overlap:.3f} >= {matcher.high_threshold:g}"
        else:
            why = f"the best that truth {truth} has, though {overlap:.3f} < {matcher.high_threshold:g}"
        where = laid.place(n) if isinstance(laid, Laid) else "-"
        rows.append((str(n), where, box_text(anchors[n]), f"{overlap:.3f}", str(truth), became, why))
    return tuple(rows)


def _scene(
    size: tuple[int, int], anchors: np.ndarray, true: np.ndarray, quality: np.ndarray, matches: np.ndarray, unmatched: np.ndarray, image: Any
) -> Scene:
    scene = Scene(size, "truths and the anchors matched with them", image)
    lost = set(unmatched.tolist())
    scene.still(*(scene.box(box, "missed" if k in lost else "truth", f"{k}") for k, box in enumerate(true)))
    for k in range(len(true)):
        own = np.flatnonzero(matches == k)
        own = own[np.argsort(-quality[k, own], kind="stable")]
        if len(own):
            words = f"truth {k}: {len(own)} positive, overlaps {', '.join(f'{value:.2f}' for value in quality[k, own[:12]])}"
            words += " ..." if len(own) > 12 else ""
        else:
            best = int(quality[k].argmax())
            words = f"truth {k}: no anchor is matched with it; the nearest overlaps by {quality[k, best]:.3f}"
        drawn = [scene.box(anchors[n], "positive", f"{quality[k, n]:.2f}" if place < 3 else "") for place, n in enumerate(own[:MOST_DRAWN])]
        scene.step(words, *drawn, final=True)
    ignored = np.flatnonzero(matches == Matcher.BETWEEN_THRESHOLDS)
    if len(ignored):
        best_first = ignored[np.argsort(-quality[:, ignored].max(axis=0), kind="stable")][:MOST_DRAWN]
        words = f"{len(ignored)} ignored: neither object nor background, they enter no loss"
        scene.step(words, *(scene.box(anchors[n], "ignored") for n in best_first))
    return scene
