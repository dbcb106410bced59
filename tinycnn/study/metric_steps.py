"""Metrics as steps: the formula, the numbers put in as exact fractions, and the value that tinycnn.metrics gives."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .. import metrics
from ..errors import HintWarning

Cell = tuple[int, int]
LONG = 6  # terms of a sum that are written out


@dataclass(frozen=True)
class Step:
    """One metric; `top` and `bottom` are the cells of the matrix above and below its fraction line."""

    name: str
    formula: str
    numbers: str
    value: float
    exact: Fraction | None = None
    note: str = ""
    top: tuple[Cell, ...] = ()
    bottom: tuple[Cell, ...] = ()

    def value_text(self) -> str:
        """The value in four digits behind the point."""
        return f"{self.value:.4f}"

    def to_dict(self) -> dict[str, Any]:
        """The step as plain values."""
        exact = str(self.exact) if self.exact is not None else None
        return {"name": self.name, "formula": self.formula, "numbers": self.numbers, "exact": exact, "value": self.value, "note": self.note}


class Counts:
    """A matrix of counts, asked for by cell, row and column; and the same as weighted examples for tinycnn.metrics."""

    def __init__(self, table: list[list[int]], names: tuple[str, ...], zero_division: float) -> None:
        self.table, self.names, self.zero_division = table, names, zero_division
        self.size = len(table)
        self.rows = [sum(row) for row in table]
        self.columns = [sum(column) for column in zip(*table, strict=True)]
        self.total = sum(self.rows)
        self.right = sum(table[each][each] for each in range(self.size))
        self.true, self.guess = (each.ravel() for each in np.indices((self.size, self.size)))
        self.weight = np.array(table, dtype=np.int64).ravel()

    def of(self, function: Callable[..., Any], **options: Any) -> Any:
        """A metric of the counts; 0/0 is named by the steps themselves."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HintWarning)
            return function(self.true, self.guess, sample_weight=self.weight, **options)

    def quotient(self, top: Fraction | int, bottom: Fraction | int) -> Fraction | None:
        """Exact; 0/0 is what zero_division says, None for nan."""
        if bottom:
            return Fraction(top) / Fraction(bottom)
        return None if math.isnan(self.zero_division) else Fraction(self.zero_division)

    def empty_words(self) -> list[str]:
        """Which classes make 0/0, and of what."""
        value = f"{self.zero_division:g}"
        words = []
        for name, row, column in zip(self.names, self.rows, self.columns, strict=True):
            if not row:
                words.append(f"{name} never occurs in the truth: its recall is 0/0, set to {value}")
            if not column:
                words.append(f"{name} is never predicted: its precision is 0/0, set to {value}")
        return words


def _fraction_words(top: str, bottom: str, above: int, below: int, exact: Fraction | None) -> str:
    """ "80 / (80 + 10) = 80/90 = 8/9"."""
    words = f"{top} / {bottom}"
    if f"{above} / {below}" != words:
        words += f" = {above}/{below}"
    if below == 0:
        return f"{words}, set to {'nan' if exact is None else exact}"
    return words if exact is None or str(exact) == f"{above}/{below}" else f"{words} = {exact}"


def _sum_words(terms: list[str]) -> str:
    return f"({' + '.join(terms)})" if len(terms) <= LONG else f"({' + '.join(terms[:3])} + ... + {terms[-1]})"


def _ratio(
    counts: Counts, name: str, formula: str, above: tuple[str, int], below: tuple[str, int], value: float, cells: tuple[tuple[Cell, ...], ...]
) -> Step:
    exact = counts.quotient(above[1], below[1])
    numbers = _fraction_words(above[0], below[0], above[1], below[1], exact)
    return Step(name, formula, numbers, value, exact, "" if below[1] else "0/0: nothing to divide by", *cells)


def _one_class(counts: Counts, positive: int) -> dict[str, Any]:
    """TP, FP, FN, TN of one class against the rest, and the cells they stand in."""
    everything = range(counts.size)
    others = [each for each in everything if each != positive]
    hit = counts.table[positive][positive]
    return {
        "TP": hit, "FP": counts.columns[positive] - hit, "FN": counts.rows[positive] - hit,
        "TN": counts.total - counts.rows[positive] - counts.columns[positive] + hit,
        "tp": ((positive, positive),), "fp": tuple((each, positive) for each in others), "fn": tuple((positive, each) for each in others),
        "tn": tuple((row, column) for row in others for column in others),
    }  # fmt: skip


def _three(counts: Counts, part: dict[str, Any], values: list[float], suffix: str) -> list[Step]:
    """Precision, recall, F1 and the overlap of one class."""
    tp, fp, fn = part["TP"], part["FP"], part["FN"]
    return [
        _ratio(counts, f"precision{suffix}", "TP / (TP + FP)", (str(tp), tp), (f"({tp} + {fp})", tp + fp), values[0],
               (part["tp"], part["tp"] + part["fp"])),
        _ratio(counts, f"recall{suffix}", "TP / (TP + FN)", (str(tp), tp), (f"({tp} + {fn})", tp + fn), values[1],
               (part["tp"], part["tp"] + part["fn"])),
        _ratio(counts, f"F1{suffix}", "2 TP / (2 TP + FP + FN)", (f"2·{tp}", 2 * tp), (f"(2·{tp} + {fp} + {fn})", 2 * tp + fp + fn), values[2],
               (part["tp"], part["tp"] + part["fp"] + part["fn"])),
        _ratio(counts, f"IoU{suffix}", "TP / (TP + FP + FN)", (str(tp), tp), (f"({tp} + {fp} + {fn})", tp + fp + fn), values[3],
               (part["tp"], part["tp"] + part["fp"] + part["fn"])),
    ]  # fmt: skip


def class_steps(counts: Counts, positive: int) -> list[Step]:
    """One class against the rest."""
    options = {"average": None, "labels": [positive], "zero_division": counts.zero_division}
    found = [counts.of(function, **options)[0] for function in (metrics.precision_score, metrics.recall_score, metrics.f1_score)]
    return _three(counts, _one_class(counts, positive), [*map(float, found), _overlap(counts, positive)], f" of {counts.names[positive]}")


def _overlap(counts: Counts, positive: int) -> float:
    if math.isnan(counts.zero_division):
        below = counts.rows[positive] + counts.columns[positive] - counts.table[positive][positive]
        return counts.table[positive][positive] / below if below else float("nan")
    return float(counts.of(metrics.jaccard_score, average=None, labels=[positive], zero_division=int(counts.zero_division))[0])


def binary_steps(counts: Counts, positive: int) -> list[Step]:
    """Two classes: precision, recall, F1 and the rates."""
    part = _one_class(counts, positive)
    options = {"pos_label": positive, "zero_division": counts.zero_division}
    found = [float(counts.of(function, **options)) for function in (metrics.precision_score, metrics.recall_score, metrics.f1_score)]
    steps = _three(counts, part, [*found, _overlap(counts, positive)], "")
    tp, fp, fn, tn = (part[key] for key in ("TP", "FP", "FN", "TN"))
    specificity = float(counts.of(metrics.recall_score, pos_label=1 - positive, zero_division=counts.zero_division))
    steps.append(_ratio(counts, "specificity", "TN / (TN + FP)", (str(tn), tn), (f"({tn} + {fp})", tn + fp), specificity,
                        (part["tn"], part["tn"] + part["fp"])))  # fmt: skip
    steps.append(_accuracy(counts, f"({tp} + {tn})", "(TP + TN) / N"))
    bottom = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    words = f"({tp}·{tn} - {fp}·{fn}) / √({tp + fp}·{tp + fn}·{tn + fp}·{tn + fn}) = {tp * tn - fp * fn}/√{bottom}"
    steps.append(Step("MCC", "(TP TN - FP FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))", words, counts.of(metrics.matthews_corrcoef),
                      None, "" if bottom else "0/0, set to 0"))  # fmt: skip
    return steps


def _accuracy(counts: Counts, above: str, formula: str) -> Step:
    diagonal = tuple((each, each) for each in range(counts.size))
    cells = tuple((row, column) for row in range(counts.size) for column in range(counts.size))
    value = counts.of(metrics.accuracy_score)
    return _ratio(counts, "accuracy", formula, (above, counts.right), (str(counts.total), counts.total), value, (diagonal, cells))


def overall_steps(counts: Counts) -> list[Step]:
    """Averages over classes, and agreement beyond chance."""
    steps = [_accuracy(counts, _sum_words([str(counts.table[each][each]) for each in range(counts.size)]), "right / all")]
    parts = [_one_class(counts, each) for each in range(counts.size)]
    each = {
        "precision": [counts.quotient(part["TP"], part["TP"] + part["FP"]) for part in parts],
        "recall": [counts.quotient(part["TP"], part["TP"] + part["FN"]) for part in parts],
        "F1": [counts.quotient(2 * part["TP"], 2 * part["TP"] + part["FP"] + part["FN"]) for part in parts],
    }
    functions = {"precision": metrics.precision_score, "recall": metrics.recall_score, "F1": metrics.f1_score}
    labels = list(range(counts.size))
    for name, values in each.items():
        value = float(counts.of(functions[name], average="macro", labels=labels, zero_division=counts.zero_division))
        steps.append(_mean_step(f"macro {name}", f"mean of the classes' {name}", values, value))
    means = [_mean(each[name]) for name in ("precision", "recall")]
    options = {"definition": "f1_of_means", "labels": labels, "zero_division": counts.zero_division}
    steps.append(_f1_of_means(means, counts.of(metrics.macro_f1_score, **options)))
    for name, values in each.items():
        value = float(counts.of(functions[name], average="weighted", labels=labels, zero_division=counts.zero_division))
        steps.append(_weighted_step(counts, name, values, value))
    micro = counts.of(metrics.f1_score, average="micro", labels=labels)
    words = f"{counts.right} / {counts.total}"
    note = "with one label an example every wrong one is an FP of one class and an FN of another"
    steps.append(Step("micro F1", "all TP / all predicted = accuracy", words, micro, Fraction(counts.right, counts.total), note))
    steps.append(_balanced(counts))
    return steps + _chance(counts)


def _mean(values: list[Fraction | None]) -> Fraction | None:
    known = [value for value in values if value is not None]
    return sum(known, Fraction(0)) / len(known) if known else None


def _mean_step(name: str, formula: str, values: list[Fraction | None], value: float) -> Step:
    known = [each for each in values if each is not None]
    exact = _mean(values)
    left_out = len(values) - len(known)
    words = f"{_sum_words([str(each) for each in known])} / {len(known)} = {_short(exact)}" if known else "nothing known"
    return Step(name, formula, words, value, exact, f"{left_out} of 0/0 left out" if left_out else "")


def _short(exact: Fraction | None) -> str:
    text = str(exact)
    return text if len(text) <= 24 else f"{float(exact or 0):.6f}"


def _f1_of_means(means: list[Fraction | None], value: float) -> Step:
    precision, recall = means
    formula = "2 P R / (P + R) of macro precision P and recall R"
    note = "the other thing that is called macro F1"
    if precision is None or recall is None or not precision + recall:
        return Step("F1 of macro means", formula, "0/0", value, None, note)
    exact = 2 * precision * recall / (precision + recall)
    words = f"2·{_short(precision)}·{_short(recall)} / ({_short(precision)} + {_short(recall)}) = {_short(exact)}"
    return Step("F1 of macro means", formula, words, value, exact, note)


def _weighted_step(counts: Counts, name: str, values: list[Fraction | None], value: float) -> Step:
    pairs = [(row, each) for row, each in zip(counts.rows, values, strict=True) if each is not None]
    total = sum(row for row, _ in pairs)
    if not total:
        return Step(f"weighted {name}", f"{name} weighted by true counts", "nothing to weigh by", value)
    exact = sum((row * each for row, each in pairs), Fraction(0)) / total
    words = f"{_sum_words([f'{row}·{each}' for row, each in pairs])} / {total} = {_short(exact)}"
    return Step(f"weighted {name}", f"{name} weighted by true counts", words, value, exact)


def _balanced(counts: Counts) -> Step:
    there = [(counts.table[each][each], counts.rows[each]) for each in range(counts.size) if counts.rows[each]]
    exact = sum((Fraction(hit, row) for hit, row in there), Fraction(0)) / len(there)
    words = f"{_sum_words([f'{hit}/{row}' for hit, row in there])} / {len(there)} = {_short(exact)}"
    matrix = np.array(counts.table)
    cells = [(row, column) for row in range(counts.size) for column in range(counts.size) if matrix[row, column]]
    true, guess = zip(*cells, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HintWarning)
        value = metrics.balanced_accuracy_score(true, guess, sample_weight=[counts.table[row][column] for row, column in cells])
    return Step("balanced accuracy", "mean recall of the classes that occur", words, value, exact)


def _chance(counts: Counts) -> list[Step]:
    """Cohen's kappa, and of more than two classes Gorodkin's correlation."""
    steps = []
    observed = Fraction(counts.right, counts.total)
    expected = Fraction(sum(row * column for row, column in zip(counts.rows, counts.columns, strict=True)), counts.total**2)
    formula = "(p_o - p_e) / (1 - p_e), p_o = right / all, p_e = sum of row·column / all²"
    if expected == 1:
        words = "p_e = 1: one and the same class throughout, 0/0"
        steps.append(Step("Cohen's kappa", formula, words, counts.of(metrics.cohen_kappa_score)))
    else:
        exact = (observed - expected) / (1 - expected)
        words = f"({_short(observed)} - {_short(expected)}) / (1 - {_short(expected)}) = {_short(exact)}"
        steps.append(Step("Cohen's kappa", formula, words, counts.of(metrics.cohen_kappa_score), exact))
    if counts.size > 2:
        for weights, cost in (("linear", "|i - j|"), ("quadratic", "(i - j)²")):
            value = counts.of(metrics.cohen_kappa_score, weights=weights)
            formula = f"1 - sum of {cost}·count / sum of {cost}·row·column / all"
            steps.append(Step(f"{weights} kappa", formula, "", value, None, "for classes in order"))
        c, s = counts.right, counts.total
        pt = sum(row * column for row, column in zip(counts.rows, counts.columns, strict=True))
        pp, tt = (sum(each**2 for each in sums) for sums in (counts.columns, counts.rows))
        words = f"({c}·{s} - {pt}) / √(({s}² - {pp})·({s}² - {tt})) = {c * s - pt}/√{(s * s - pp) * (s * s - tt)}"
        formula = "(c s - p·t) / √((s² - p·p)(s² - t·t)), p column and t row sums"
        steps.append(Step("MCC", formula, words, counts.of(metrics.matthews_corrcoef), None, "" if (s * s - pp) * (s * s - tt) else "0/0, set to 0"))
    return steps


def score_steps(true: Any, scores: Any) -> list[Step]:
    """Areas, equal error rate and, of probabilities, their losses."""
    hit, value = np.asarray(true).astype(np.int64), np.asarray(scores, dtype=np.float64)
    if hit.min() == hit.max():
        return [Step("ROC AUC", "needs both classes", "", float("nan"), None, "only one class occurs in the truth")]
    high, low = np.sort(value[hit == 1]), np.sort(value[hit == 0])
    above = int(np.searchsorted(low, high, "left").sum())
    ties = int(np.searchsorted(low, high, "right").sum()) - above
    pairs = len(high) * len(low)
    exact = Fraction(2 * above + ties, 2 * pairs)
    words = f"({above} + {ties}/2) / ({len(high)}·{len(low)}) = {_short(exact)}"
    formula = "(pairs with the positive above + ties/2) / pairs"
    rate, threshold = metrics.equal_error_rate(hit, value)
    steps = [
        Step("ROC AUC", formula, words, metrics.roc_auc_score(hit, value), exact),
        Step("average precision", "sum of (R_n - R_{n-1}) P_n, scores falling", "", metrics.average_precision_score(hit, value)),
        Step("equal error rate", "where FPR = FNR", f"at the score {threshold:.6g}", rate),
    ]
    if value.min() >= 0 and value.max() <= 1:
        steps += [
            Step("log loss", "-mean of log p(true class)", "", metrics.log_loss(hit, value)),
            Step("Brier score", "mean of (p - [positive])²", "", metrics.brier_score_loss(hit, value)),
            Step("calibration error", "ECE over 15 bins", "", metrics.expected_calibration_error(hit, value)),
        ]
    return steps
