"""Average precision by all three rules on the same detections, the steps of its building, and a verdict for every detection."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..errors import ArgumentError
from ..metrics.detection_coco import CocoEvaluation, coco_evaluation
from ..metrics.detection_curves import RULE_WORDS, RULES, PrecisionRecall
from ..metrics.detection_records import DetectionData, Id
from ..metrics.detection_verdicts import VERDICTS, Missed, Verdict, detection_verdicts
from ..metrics.detection_voc import voc_curves
from .tables import text_table

__all__ = ["DetectionReport", "detection_report"]

SHOWN = 40  # verdicts in the text


@dataclass(frozen=True)
class ClassRow:
    """One class: how many truths count, how many detections, and the average precisions (nan without truths)."""

    category: Id
    name: str
    truths: int
    detections: int
    voc07: float
    voc10: float
    coco: float
    coco_mean: float

    def cells(self) -> list[str]:
        """The row as text."""
        values = (self.voc07, self.voc10, self.coco, self.coco_mean)
        return [self.name, str(self.truths), str(self.detections), *map(number_text, values)]


@dataclass(frozen=True)
class DetectionReport:
    """What `tinycnn ap` shows."""

    data: DetectionData
    kind: str
    rule: str
    threshold: float
    rows: tuple[ClassRow, ...]
    mean: ClassRow
    coco: CocoEvaluation
    curves: dict[Id, PrecisionRecall]
    verdicts: tuple[Verdict, ...]
    missed: tuple[Missed, ...]

    def policy(self) -> str:
        """What counts neither way, and how many detections count."""
        return (
            f"COCO's columns leave out crowds and count {self.coco.most[-1]} detections of a class in an image at most; VOC's leave out difficult "
            "truths and crowds and count all; means are over the classes with truths"
        )

    @property
    def header(self) -> list[str]:
        """The columns of the table."""
        limit = f"{self.threshold:g}"
        return ["class", "truths", "detections", f"VOC07@{limit}", f"VOC10@{limit}", f"COCO@{limit}", "COCO@.5:.95"]

    def counts(self) -> dict[str, int]:
        """How many detections have each verdict, and how many truths were missed."""
        found = Counter(each.verdict for each in self.verdicts)
        return {verdict: found[verdict] for verdict in VERDICTS} | {"missed truths": len(self.missed)}

    def verdict_cells(self, verdict: Verdict) -> list[str]:
        """Image, class, score, verdict and reason of one detection."""
        found = self.data.detections[verdict.detection]
        return [self.image_name(found.image), self.data.categories[found.category], f"{found.score:.3g}", verdict.verdict, verdict.reason]

    def missed_cells(self, missed: Missed) -> list[str]:
        """Image, class, box and reason of one missed truth."""
        truth = self.data.truths[missed.truth]
        return [self.image_name(truth.image), self.data.categories[truth.category], " ".join(f"{each:g}" for each in truth.xywh), missed.reason]

    def image_name(self, image: Id) -> str:
        """The file of an image, else its id."""
        return self.data.files.get(image) or str(image)

    def steps_of(self, category: Id) -> list[tuple[float, float, float]]:
        """The rows that add up to the average precision of a class by the report's rule."""
        return self.curves[category].steps(self.rule)

    def ranked(self, category: Id) -> list[list[str]]:
        """The detections of a class by rank: score, right or wrong, TP and FP so far, precision, recall, envelope."""
        curve = self.curves[category]
        columns = (curve.scores, curve.right, curve.true_positives, curve.false_positives, curve.precision, curve.recall, curve.envelope)
        return [
            [str(rank), f"{score:.3g}", "right" if right else "wrong", str(tp), str(fp), number_text(p), number_text(r), number_text(best)]
            for rank, (score, right, tp, fp, p, r, best) in enumerate(zip(*columns, strict=True), start=1)
        ]

    def text(self, steps: bool = False, everything: bool = False) -> str:
        """The report for a terminal; with `steps` the building of every class's average precision."""
        parts = [
            f"{len(self.data.images)} images, {len(self.data.truths)} truths, {len(self.data.detections)} detections; overlap of {self.kind}, "
            f"threshold {self.threshold:g}; curves and verdicts by {RULE_WORDS[self.rule].split(',')[0]}'s rule",
            text_table(self.header, [row.cells() for row in (*self.rows, self.mean)]) + f"\n{self.policy()}",
            "COCO's summary: " + ", ".join(f"{name} {_coco_text(value)}" for name, value in self.coco.stats().items()),
            "verdicts: " + ", ".join(f"{count} {name}" for name, count in self.counts().items() if count),
        ]
        if steps:
            parts += [self._steps_text(row) for row in self.rows if row.truths]
        most = len(self.verdicts) + len(self.missed) if everything else SHOWN
        parts.append(_listed(["image", "class", "score", "verdict", "why"], [self.verdict_cells(each) for each in self.verdicts], most))
        if self.missed:
            parts.append(_listed(["image", "class", "box", "missed because"], [self.missed_cells(each) for each in self.missed], most))
        return "\n\n".join(parts)

    def _steps_text(self, row: ClassRow) -> str:
        value = {"voc07": row.voc07, "voc10": row.voc10, "coco": row.coco}[self.rule]
        steps = self.steps_of(row.category)
        head = f"{row.name}: {RULE_WORDS[self.rule]}"
        ranked = text_table(["rank", "score", "", "TP", "FP", "precision", "recall", "envelope"], self.ranked(row.category))
        return f"{head}\n{ranked}\nAP = {_sum_text(self.rule, steps)} = {number_text(value)}"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        return {
            "kind": self.kind,
            "rule": self.rule,
            "threshold": self.threshold,
            "classes": [vars(row) for row in self.rows],
            "mean": vars(self.mean),
            "coco": self.coco.stats(),
            "counts": self.counts(),
            "verdicts": [vars(each) | {"image": self.data.detections[each.detection].image} for each in self.verdicts],
            "missed": [vars(each) | {"image": self.data.truths[each.truth].image} for each in self.missed],
        }


def _sum_text(rule: str, steps: list[tuple[float, float, float]]) -> str:
    """The sum with numbers; recalls of one height are taken together."""
    if rule == "voc10":
        summands = [f"{weight:.4f}·{height:.4f}" for _, height, weight in steps]
        return " + ".join(summands) if summands else "0"
    levels = [f"{len(list(group))}·{height:.4f}" for height, group in groupby(height for _, height, _ in steps)]
    return f"({' + '.join(levels)}) / {len(steps)}"


def _listed(header: list[str], rows: list[list[str]], most: int) -> str:
    table = text_table(header, rows[:most], left=tuple(range(len(header))))
    return table + (f"\n... and {len(rows) - most} more (--all shows them)" if len(rows) > most else "")


def number_text(value: float) -> str:
    """Four digits; "-" for what is not defined."""
    return "-" if math.isnan(value) else f"{value:.4f}"


def _coco_text(value: float) -> str:
    return "-" if value < 0 else f"{value:.4f}"


def detection_report(
    data: DetectionData,
    *,
    kind: str = "bbox",
    rule: str = "coco",
    threshold: float = 0.5,
    background: float = 0.1,
    plus_one: bool = False,
    sigmas: Any = None,
) -> DetectionReport:
    """Average precision by Pascal VOC's two rules and COCO's side by side, and why each detection is right or wrong.

    Parameters
    ----------
    data : DetectionData
        Of `metrics.coco_detections`.
    kind : str
        What must overlap: "bbox", "segm" or "keypoints".
    rule : str
        "voc07", "voc10" or "coco": whose matching and areas the curves, steps and verdicts show. The table has all three.
    threshold : float
        The least overlap that finds, of the columns @threshold.
    background : float
        Below this overlap with everything a detection saw background.
    plus_one : bool
        Sides one pixel longer in VOC's columns, as in VOC's own code.
    sigmas : sequence of floats
        The keypoints' spreads; COCO's 17 by default.

    Returns
    -------
    DetectionReport

    Raises
    ------
    ArgumentError
        An unknown word or a threshold outside 0 to 1.
    DataError
        Objects without masks or keypoints.

    Examples
    --------
    >>> from tinycnn.metrics import Detected, DetectionData, Truth
    >>> truths = (Truth(1, 1, (0, 0, 9, 9), 81.0), Truth(1, 1, (20, 0, 9, 9), 81.0))
    >>> data = DetectionData((1,), {1: "cell"}, truths, (Detected(1, 1, 0.9, (0, 0, 9, 9), 81.0),))
    >>> row = detection_report(data).rows[0]
    >>> [round(value, 4) for value in (row.voc07, row.voc10, row.coco)]
    [0.5455, 0.5, 0.505]
    """
    if rule not in RULES:
        raise ArgumentError(f"detection_report: rule must be one of {', '.join(RULES)}, not {rule!r}")
    voc = voc_curves(data, threshold=threshold, kind=kind, plus_one=plus_one, sigmas=sigmas)
    coco = coco_evaluation(data, kind=kind, sigmas=sigmas)
    single = coco_evaluation(data, kind=kind, thresholds=[threshold], sigmas=sigmas)
    at = {category: single.curves[category, 0] for category in data.categories}
    rows = []
    for category, name in data.categories.items():
        whole = coco.mean(category=category)
        found = sum(1 for each in data.detections if each.category == category)
        areas = (voc[category].area("voc07"), voc[category].area("voc10"), at[category].area("coco"))
        rows.append(ClassRow(category, name, at[category].positives, found, *areas, whole if whole >= 0 else math.nan))
    verdicts, missed = detection_verdicts(
        data, rule="coco" if rule == "coco" else "voc", threshold=threshold, background=background, kind=kind, most=coco.most[-1], plus_one=plus_one,
        sigmas=sigmas,
    )  # fmt: skip
    curves = at if rule == "coco" else voc
    return DetectionReport(data, kind, rule, threshold, tuple(rows), _mean_row(rows), coco, curves, tuple(verdicts), tuple(missed))


def _mean_row(rows: list[ClassRow]) -> ClassRow:
    """The mean over the classes that have truths."""

    def mean(name: str) -> float:
        known = [getattr(row, name) for row in rows if not math.isnan(getattr(row, name))]
        return sum(known) / len(known) if known else math.nan

    sums = (sum(row.truths for row in rows), sum(row.detections for row in rows))
    return ClassRow("mean", "mean", *sums, *(mean(name) for name in ("voc07", "voc10", "coco", "coco_mean")))
