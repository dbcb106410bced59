"""scikit-learn's classification report: every class and the averages, as text or as a dictionary."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ._targets import distinct_labels, target_pair
from .precision_recall import precision_recall_fscore_support

COLUMNS = ("precision", "recall", "f1-score", "support")


def classification_report(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    target_names: Sequence[str] | None = None,
    sample_weight: Any = None,
    digits: int = 2,
    output_dict: bool = False,
    zero_division: Any = "warn",
) -> Any:
    """Precision, recall, F1 and support of every class, then accuracy (or micro), macro and weighted averages.

    Parameters
    ----------
    y_true, y_pred, labels, sample_weight, zero_division : as in `precision_recall_fscore_support`
    target_names : the names of the classes, in the order of the labels
    digits : behind the decimal point
    output_dict : a dictionary instead of text

    Returns
    -------
    str, or a dictionary of dictionaries

    Raises
    ------
    ArgumentError : not as many names as labels

    Notes
    -----
    "accuracy" stands where micro averages would all be the accuracy; otherwise the line is "micro avg".

    Examples
    --------
    >>> print(classification_report([0, 1, 1], [0, 1, 0], target_names=["cat", "dog"]))
                  precision    recall  f1-score   support
    <BLANKLINE>
             cat       0.50      1.00      0.67         1
             dog       1.00      0.50      0.67         2
    <BLANKLINE>
        accuracy                           0.67         3
       macro avg       0.75      0.75      0.67         3
    weighted avg       0.83      0.67      0.67         3
    <BLANKLINE>
    """
    pair = target_pair("classification_report", y_true, y_pred, sample_weight)
    shown = pair.labels if labels is None else distinct_labels("classification_report", labels)
    names = [str(label) for label in shown] if target_names is None else [str(name) for name in target_names]
    if len(names) != len(shown):
        raise ArgumentError(f"classification_report: {len(names)} target_names for {len(shown)} labels; name each label, or give labels=")
    options = {"labels": shown, "sample_weight": sample_weight, "zero_division": zero_division}
    columns = precision_recall_fscore_support(y_true, y_pred, **options)
    rows = dict(zip(names, zip(*columns, strict=True), strict=True))
    several = pair.kind == "multilabel"
    plain_accuracy = not several and set(pair.labels.tolist()) <= set(shown.tolist())
    averages = {}
    for average in ("micro", "macro", "weighted", *(("samples",) if several else ())):
        title = "accuracy" if average == "micro" and plain_accuracy else f"{average} avg"
        averages[title] = (*precision_recall_fscore_support(y_true, y_pred, average=average, **options)[:3], np.sum(columns[3]))
    if not output_dict:
        return _text(rows, averages, digits)
    report: dict[str, Any] = {name: dict(zip(COLUMNS, map(float, row), strict=True)) for name, row in {**rows, **averages}.items()}
    if "accuracy" in averages:
        report["accuracy"] = report["accuracy"]["precision"]
    return report


def _text(rows: dict[str, Any], averages: dict[str, Any], digits: int) -> str:
    width = max(*(len(name) for name in rows), len("weighted avg"), digits)
    lines = [" ".join([f"{'':>{width}} ", *(f"{column:>9}" for column in COLUMNS)]), ""]

    def line(name: str, row: Any) -> str:
        numbers = ["" if name == "accuracy" and place < 2 else f"{value:.{digits}f}" for place, value in enumerate(row[:3])]
        return " ".join([f"{name:>{width}} ", *(f"{text:>9}" for text in [*numbers, str(row[3])])])

    lines += [line(name, row) for name, row in rows.items()] + [""]
    lines += [line(name, row) for name, row in averages.items()]
    return "\n".join([*lines, ""])
