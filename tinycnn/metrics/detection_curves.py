"""Precision against recall of ranked detections, and its area by the three rules in use."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ShapeError
from ._targets import Array, one_of

RULES = ("voc07", "voc10", "coco")
RULE_WORDS = {
    "voc07": "VOC 2007, mean of the best precision at 11 recalls 0, 0.1 ... 1",
    "voc10": "VOC 2010 on, area under the precision envelope",
    "coco": "COCO, mean of the envelope at 101 recalls 0, 0.01 ... 1",
}


@dataclass(frozen=True)
class PrecisionRecall:
    """Ranked detections that count: scores, whether each is right, and precision and recall down to it."""

    scores: Array
    right: Array
    positives: int
    order: Array

    @property
    def true_positives(self) -> Array:
        """Right ones among the first n."""
        return np.cumsum(self.right)

    @property
    def false_positives(self) -> Array:
        """Wrong ones among the first n."""
        return np.cumsum(~self.right)

    @property
    def recall(self) -> Array:
        """The share of truths found by the first n; nan without truths."""
        return self.true_positives / self.positives if self.positives else np.full(len(self.right), np.nan)

    @property
    def precision(self) -> Array:
        """The share of the first n that is right."""
        return self.true_positives / np.arange(1, len(self.right) + 1)

    @property
    def envelope(self) -> Array:
        """The best precision at this recall or any larger one."""
        return np.maximum.accumulate(self.precision[::-1])[::-1]

    def steps(self, rule: str) -> list[tuple[float, float, float]]:
        """The rows from which the area is added up: recall, interpolated precision, weight; the area is the sum of products."""
        one_of("PrecisionRecall.steps", "rule", rule, RULES)
        if rule == "voc10":
            recall = np.append(0.0, self.recall)
            moved = np.flatnonzero(np.diff(recall) > 0)
            return [(float(recall[at + 1]), float(self.envelope[at]), float(recall[at + 1] - recall[at])) for at in moved]
        levels = np.linspace(0, 1, 11 if rule == "voc07" else 101)
        place = np.searchsorted(self.recall, levels, side="left")
        height = np.append(self.envelope, 0.0)[np.minimum(place, len(self.right))]
        return [(float(level), float(value), 1 / len(levels)) for level, value in zip(levels, height, strict=True)]

    def area(self, rule: str) -> float:
        """The average precision; nan without truths."""
        if not self.positives:
            return float("nan")
        steps = self.steps(rule)
        if rule == "voc10":
            return float(sum(height * weight for _, height, weight in steps))
        return float(np.mean([height for _, height, _ in steps]))


def precision_recall_of(scores: Any, right: Any, positives: int, ignored: Any = None) -> PrecisionRecall:
    """Rank detections and count.

    Shapes: scores (D,), right (D,), ignored (D,) -> PrecisionRecall

    Parameters
    ----------
    scores : of the detections, in any order; equal ones keep theirs
    right : whether each found a truth
    positives : the truths that count
    ignored : detections that neither help nor harm

    Returns
    -------
    PrecisionRecall

    Raises
    ------
    ShapeError : lengths differ

    Examples
    --------
    >>> curve = precision_recall_of([0.9, 0.8, 0.7], [True, False, True], 2)
    >>> curve.precision.round(3).tolist(), curve.recall.tolist(), curve.envelope.round(3).tolist()
    ([1.0, 0.5, 0.667], [0.5, 0.5, 1.0], [1.0, 0.667, 0.667])
    >>> [round(curve.area(rule), 4) for rule in ("voc07", "voc10", "coco")]
    [0.8485, 0.8333, 0.835]
    """
    values, hits = np.asarray(scores, dtype=np.float64), np.asarray(right, bool)
    skipped = np.zeros(len(values), bool) if ignored is None else np.asarray(ignored, bool)
    if not values.shape == hits.shape == skipped.shape or values.ndim != 1:
        raise ShapeError(f"precision_recall_of: scores {values.shape}, right {hits.shape} and ignored {skipped.shape} must all be (D,)")
    order = np.argsort(-values, kind="stable")
    order = order[~skipped[order]]
    return PrecisionRecall(values[order], hits[order], int(positives), order)


def average_precision(scores: Any, right: Any, positives: int, rule: str = "coco") -> float:
    """The average precision of ranked detections by one of three rules.

    Formula: voc07 (1/11) sum_{r in 0, .1 ... 1} max_{R >= r} P(R); voc10 sum_n (R_n - R_{n-1}) max_{m >= n} P_m;
    coco (1/101) sum_{r in 0, .01 ... 1} max_{R >= r} P(R)

    Parameters
    ----------
    scores, right, positives : as in `precision_recall_of`
    rule : "voc07", "voc10" or "coco"

    Returns
    -------
    float from 0 to 1; nan without truths

    Raises
    ------
    ArgumentError : an unknown rule

    References
    ----------
    M. Everingham et al., The Pascal visual object classes challenge, 2010 and 2015; T.-Y. Lin et al., Microsoft COCO, 2014.

    Examples
    --------
    >>> average_precision([0.9, 0.8], [True, False], 2, rule="voc10")
    0.5
    """
    one_of("average_precision", "rule", rule, RULES)
    return precision_recall_of(scores, right, positives).area(rule)
