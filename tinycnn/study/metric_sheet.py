"""Every metric of a confusion matrix with its substitution: formula, your numbers, the exact fraction, the value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError
from ..metrics.confusion import ORIENTATIONS, true_rows
from .metric_steps import Counts, Step, binary_steps, class_steps, overall_steps, score_steps
from .tables import text_table

__all__ = ["MetricSheet", "metric_sheet"]

MOST_CLASSES = 200
CLASSES_IN_FULL = 12


@dataclass(frozen=True)
class MetricSheet:
    """The matrix with true classes in rows, sections of steps, and remarks on what may have gone wrong."""

    matrix: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    sections: tuple[tuple[str, tuple[Step, ...]], ...]
    hints: tuple[str, ...] = field(default=())

    def value(self, name: str) -> float:
        """The value of a step by its name, such as "accuracy" or "precision of cat"."""
        for _, steps in self.sections:
            for step in steps:
                if step.name == name:
                    return step.value
        raise ArgumentError(f"metric_sheet: there is no step {name!r}")

    def text(self) -> str:
        """The sheet for a terminal."""
        rows = [[name, *map(str, row), str(sum(row))] for name, row in zip(self.names, self.matrix, strict=True)]
        totals = [sum(column) for column in zip(*self.matrix, strict=True)]
        parts = [text_table(["true \\ predicted", *self.names, "sum"], [*rows, ["sum", *map(str, totals), str(sum(totals))]])]
        parts += [f"note: {hint}" for hint in self.hints]
        for title, steps in self.sections:
            width = max(len(step.name) for step in steps)
            lines = [title]
            for step in steps:
                lines.append(f"  {step.name:<{width}}  {step.value_text():>7}  = {step.formula}")
                if step.numbers:
                    lines.append(f"  {'':<{width}}  {'':>7}  = {step.numbers}")
                if step.note:
                    lines.append(f"  {'':<{width}}  {'':>7}    {step.note}")
            parts.append("\n".join(lines))
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """The sheet as plain values."""
        return {
            "matrix": self.matrix,
            "names": self.names,
            "orientation": "true_rows",
            "hints": self.hints,
            "sections": [{"title": title, "steps": [step.to_dict() for step in steps]} for title, steps in self.sections],
        }


def metric_sheet(
    matrix: Any,
    names: Sequence[str] | None = None,
    *,
    orientation: str | None = None,
    positive: str | int | None = None,
    zero_division: float = 0.0,
    true: Any = None,
    scores: Any = None,
) -> MetricSheet:
    """Work out every metric of a confusion matrix, each with the numbers put in.

    Shapes: matrix (C, C) -> MetricSheet

    Parameters
    ----------
    matrix : counts (C, C), whole numbers
    names : of the C classes
    orientation : "true_rows" or "predicted_rows"; without it true classes are taken to be in rows, and the sheet says so
    positive : of two classes the positive one, its name or number; by default the second
    zero_division : what 0/0 is: 0, 1 or nan
    true : with `scores`: for each example whether it is positive (N,)
    scores : numbers (N,), higher for positive, for the areas under curves

    Returns
    -------
    MetricSheet

    Raises
    ------
    ShapeError : the matrix is not square
    ArgumentError : negative counts, names that do not fit, fewer than two or more than 200 classes, nothing counted
    DtypeError : numbers that are not whole (a normalised matrix has lost its counts)

    Notes
    -----
    The values are those of tinycnn.metrics; the fractions are worked out beside them, exactly.

    Examples
    --------
    >>> sheet = metric_sheet([[35, 10], [25, 80]], ["no", "yes"], orientation="true_rows")
    >>> step = dict(sheet.sections)["two classes, yes is positive"][0]
    >>> step.name, step.formula, step.numbers
    ('precision', 'TP / (TP + FP)', '80 / (80 + 10) = 80/90 = 8/9')
    """
    table = np.asarray(matrix)
    if table.dtype.kind == "f" and table.size and np.all(table == np.floor(table)):
        table = table.astype(np.int64)
    if table.dtype.kind not in "iu":
        raise DtypeError(f"metric_sheet: the matrix must hold whole counts, not {table.dtype}; a normalised matrix has lost them")
    counts = true_rows("metric_sheet", table, orientation or ORIENTATIONS[0]).astype(np.int64)
    classes = len(counts)
    if not 2 <= classes <= MOST_CLASSES:
        raise ArgumentError(f"metric_sheet: wants 2 to {MOST_CLASSES} classes, not {classes}")
    if counts.min() < 0 or counts.sum() == 0 or counts.max() > 2**31:
        raise ArgumentError("metric_sheet: counts must be from 0 to 2147483648, and not all 0")
    labels = tuple(str(name) for name in names) if names is not None else tuple(map(str, range(classes)))
    if len(labels) != classes or len(set(labels)) != classes:
        raise ArgumentError(f"metric_sheet: {classes} classes want as many different names, not {list(labels)[:8]}")
    cells = Counts([[int(count) for count in row] for row in counts], labels, float(zero_division))
    sections: list[tuple[str, list[Step]]] = []
    if classes == 2:
        chosen = _positive(positive, labels)
        sections.append((f"two classes, {labels[chosen]} is positive", binary_steps(cells, chosen)))
        if scores is not None:
            sections.append(("over all thresholds of the score", score_steps(true, scores)))
    elif positive is not None:
        raise ArgumentError(f"metric_sheet: positive={positive!r} is for two classes; here every class is positive once")
    shown = range(min(classes, CLASSES_IN_FULL))
    sections += [(f"class {labels[each]} against the rest", class_steps(cells, each)) for each in shown]
    sections.append(("all classes", overall_steps(cells)))
    hints = _hints(counts, labels, orientation) + cells.empty_words()
    return MetricSheet(
        tuple(tuple(row) for row in cells.table), labels, tuple((title, tuple(steps)) for title, steps in sections), tuple(hints)
    )


def _positive(positive: str | int | None, labels: tuple[str, ...]) -> int:
    if positive is None:
        return 1
    if str(positive) in labels:
        return labels.index(str(positive))
    raise ArgumentError(f"metric_sheet: positive={positive!r} is none of the classes {', '.join(labels)}")


def _hints(counts: Any, labels: tuple[str, ...], orientation: str | None) -> list[str]:
    """What the orientation was taken to be, and whether the sums speak against it."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    hints = []
    if orientation is None and not np.array_equal(counts, counts.T):
        hints.append(
            "rows are taken to be true and columns predicted classes; of a table written the other way round precision and recall "
            "change places; then say so: --orientation predicted-rows, or orientation='predicted_rows'"
        )
    if len(set(columns.tolist())) == 1 and len(set(rows.tolist())) > 1:
        hints.append(
            f"every column sums to {columns[0]} and the rows do not: as many examples of each class are usual of the truth, "
            "so the true classes may stand in the columns"
        )
    if len(labels) > CLASSES_IN_FULL:
        hints.append(f"of {len(labels)} classes the first {CLASSES_IN_FULL} are worked out one by one; averages are over all")
    return hints

