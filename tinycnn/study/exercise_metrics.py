"""Exercises about metrics: average precision, precision and recall."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from .. import metrics
from .exercise_draw import Draw, blank
from .exercise_sheet import Blank, Exercise, Given, Step
from .ranked import ranked_average_precision, ranked_precision_recall

__all__ = ["average_precision", "precision_recall"]


def _hits(draw: Draw, count: int) -> list[bool]:
    """Hits and misses, both there, a miss before the last hit."""
    while True:
        found = [bool(draw.whole(0, 2)) for _ in range(count)]
        if 2 <= sum(found) < count and False in found[: len(found) - found[::-1].index(True)]:
            return found


def _shares(counts: list[int], whole: int) -> np.ndarray:
    return np.array([Fraction(count, whole) for count in counts], object)


def average_precision(draw: Draw, level: int) -> Exercise:
    """Level 1: the table and the area; level 2: VOC's 11 points; level 3: COCO's 101 points, and the list must be sorted first."""
    count = 5 if level == 1 else draw.whole(5, 7)
    hits = _hits(draw, count)
    truths = sum(hits) + draw.whole(0, 2)
    curve = ranked_precision_recall(hits, truths)
    blanks, steps = _table_blanks(hits, truths), [Step(f"after detection {n}: precision, recall", f"{p}, {r}") for n, (p, r) in enumerate(curve, 1)]
    area, terms = ranked_average_precision(hits, truths), _area_terms(curve)
    blanks.append(_area_blank(hits, truths, level))
    steps.append(Step("Area: steps of recall times the best precision from there on:", f"{terms} = {area}"))
    for rule, points, name, least in (("voc11", 11, "AP, 11 points (VOC 2007)", 2), ("coco101", 101, "AP, 101 points (COCO)", 3)):
        if level >= least:
            value = ranked_average_precision(hits, truths, rule)
            wrong_count = f"divided by the wrong count: there are {points} points, 0 and 1 included"
            blanks.append(blank(name, value, [(value * points / (points - 1), wrong_count), (area, "that is the area")], whole=False))
            words = f"Mean over the recalls 0, 1/{points - 1}, ..., 1 of the best precision from there on:"
            steps.append(Step(words, f"{value} = {float(value):.4f}"))
    order = np.arange(count) if level < 3 else draw.generator.permutation(count)
    scores = np.sort(draw.generator.choice(np.arange(40, 100), count, replace=False))[::-1] / 100
    kinds = [("miss (false positive)", "hit (true positive)")[hit] for hit in hits]
    return Exercise(
        "",
        "",
        "A detector's boxes of one class were compared with the true ones. Fill in precision and recall down the list, highest score first, and "
        "average them.",
        (*(Given(f"detection with score {scores[n]:.2f}", kinds[n]) for n in order.tolist()), Given("true objects, found or not", str(truths))),
        tuple(blanks),
        tuple(steps),
    )


def _table_blanks(hits: list[bool], truths: int) -> list[Blank]:
    """Precision and recall down the list."""
    count, found = len(hits), np.cumsum(hits).tolist()
    precision, recall = (np.array(column, object) for column in zip(*ranked_precision_recall(hits, truths), strict=True))
    precision_traps = [
        (recall, "that is recall: precision divides by the detections so far"),
        (_shares(found, count), "divided by the wrong count: the detections so far, not all of them"),
    ]
    recall_traps = [(precision, "that is precision: recall divides by all true objects")]
    recall_traps.append((_shares(found, sum(hits)), "divided by the wrong count: all true objects, found or not"))
    return [
        blank("precision after each detection", precision, precision_traps, whole=False),
        blank("recall after each detection", recall, recall_traps, whole=False),
    ]


def _area_blank(hits: list[bool], truths: int, level: int) -> Blank:
    curve = ranked_precision_recall(hits, truths)
    raw = sum((precision for (precision, _), hit in zip(curve, hits, strict=True) if hit), Fraction(0)) / truths
    mean = sum((precision for precision, _ in curve), Fraction(0)) / len(curve)
    traps = [
        (mean, "the mean of all precisions is not the average precision: only steps of recall count"),
        (raw, "make the precision fall first: at every recall take the best precision from there on"),
        (ranked_average_precision(hits, sum(hits)), "divided by the wrong count: all true objects, found or not"),
    ]
    if level > 1:
        traps.append((ranked_average_precision(hits, truths, "voc11"), "that is the 11-point rule"))
    return blank("AP, area under the falling curve (VOC from 2010)", ranked_average_precision(hits, truths), traps, whole=False)


def _area_terms(curve: list[tuple[Fraction, Fraction]]) -> str:
    """The rectangles under the falling curve."""
    terms, before = [], Fraction(0)
    for _, recall in curve:
        if recall > before:
            terms.append(f"({recall} - {before})*{max(precision for precision, further in curve if further >= recall)}")
            before = recall
    return " + ".join(terms)


def precision_recall(draw: Draw, level: int) -> Exercise:
    """Level 1: two classes; level 2: three; level 3: predictions in rows, and micro averages."""
    return _two_classes(draw) if level == 1 else _three_classes(draw, level)


def _share(value: float) -> Fraction:
    return Fraction(value).limit_denominator(100_000)


def _two_classes(draw: Draw) -> Exercise:
    found, missed, alarms, rest = draw.whole(6, 24), draw.whole(1, 9), draw.whole(1, 9), draw.whole(10, 40)
    if missed == alarms:
        missed += 1
    matrix = np.array([[rest, alarms], [missed, found]])
    report, total = metrics.class_report(matrix), int(matrix.sum())
    precision, recall, f1 = (_share(float(column[1])) for column in (report.precision, report.recall, report.f1))
    right = Fraction(int(np.trace(matrix)), total)
    return Exercise(
        "",
        "",
        "A detector of one class was tried. Give its precision, recall, F1 and accuracy.",
        (
            Given("true positives", str(found)),
            Given("false positives", str(alarms)),
            Given("false negatives", str(missed)),
            Given("true negatives", str(rest)),
        ),
        (
            blank("precision", precision, [(recall, "that is recall: precision divides by everything that was called positive")], whole=False),
            blank("recall", recall, [(precision, "that is precision: recall divides by everything that is positive")], whole=False),
            blank("F1", f1, [(right, "that is the accuracy"), ((precision + recall) / 2, "F1 is the harmonic mean: 2 P R / (P + R)")], whole=False),
            blank("accuracy", right, [(Fraction(found, total), "true negatives are right answers too")], whole=False),
        ),
        (
            Step("precision:", f"{found}/({found} + {alarms}) = {precision}"),
            Step("recall:", f"{found}/({found} + {missed}) = {recall}"),
            Step("F1:", f"2*{found}/(2*{found} + {alarms} + {missed}) = {f1}"),
            Step("accuracy:", f"({found} + {rest})/{total} = {right}"),
        ),
    )


def _three_classes(draw: Draw, level: int) -> Exercise:
    while True:
        matrix = draw.matrix(3, 3, low=1, high=6).astype(np.int64) + np.diag([draw.whole(3, 9) for _ in range(3)])
        if not np.array_equal(matrix.sum(axis=0), matrix.sum(axis=1)):
            break
    report, other, total = metrics.class_report(matrix), metrics.class_report(matrix.T), int(matrix.sum())
    precision, recall = (np.array([_share(float(value)) for value in column], object) for column in (report.precision, report.recall))
    f1 = sum((_share(float(value)) for value in report.f1), Fraction(0)) / 3
    means = precision.sum() / 3, recall.sum() / 3
    swapped = np.array([_share(float(value)) for value in other.precision], object)
    blanks = [
        blank("precision of each class", precision, [(swapped, "rows and columns are swapped: look which of them is the truth")], whole=False),
        blank("recall of each class", recall, [(precision, "rows and columns are swapped: look which of them is the truth")], whole=False),
        blank(
            "macro F1, the mean of the F1 of the classes",
            f1,
            [
                ((means[0] + means[1]) / 2, "F1 is the harmonic mean: 2 P R / (P + R)"),
                (2 * means[0] * means[1] / (means[0] + means[1]), "that is F1 of the mean precision and recall: take the mean of the F1"),
            ],
            whole=False,
        ),
    ]
    right = Fraction(int(np.trace(matrix)), total)
    steps = [
        Step(
            f"class {k}: precision, recall, F1",
            f"{matrix[k, k]}/{matrix[:, k].sum()}, {matrix[k, k]}/{matrix[k].sum()}, {_share(float(report.f1[k]))}",
        )
        for k in range(3)
    ] + [Step("macro F1:", f"{f1} = {float(f1):.4f}")]
    if level == 3:
        blanks.append(blank("micro F1", right, [(f1, "that is macro: micro counts all examples together")], whole=False))
        steps.append(
            Step(
                "micro F1 is the accuracy, as every mistake is one false positive and one false negative:",
                f"{int(np.trace(matrix))}/{total} = {right}",
            )
        )
    shown = matrix.T if level == 3 else matrix
    words = "rows: predicted class, columns: true class" if level == 3 else "rows: true class, columns: predicted class"
    return Exercise(
        "",
        "",
        f"Three classes were told apart. The confusion matrix has in its {words}.",
        (Given("confusion matrix", shown.astype(np.float64)),),
        tuple(blanks),
        tuple(steps),
    )
