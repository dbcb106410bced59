"""Precision, recall and what is made of them, with scikit-learn's averages; and the two things that are called macro F1."""

import warnings
from typing import Any

import numpy as np

from ..errors import ArgumentError, HintWarning
from ._targets import AVERAGES, Array, Targets, average_of, distinct_labels, one_of, quotient, target_pair, zero_division_value
from .confusion import label_sums

WARN_FOR = ("precision", "recall", "f-score")


def precision_recall_fscore_support(
    y_true: Any,
    y_pred: Any,
    *,
    beta: float = 1.0,
    labels: Any = None,
    pos_label: Any = 1,
    average: str | None = None,
    warn_for: tuple[str, ...] = WARN_FOR,
    sample_weight: Any = None,
    zero_division: Any = "warn",
) -> tuple[Any, Any, Any, Any]:
    """Precision, recall, F-beta and support of every class, or their averages.

    Shapes: labels (N,) or zeros and ones (N, L), twice -> four arrays (C,), or three numbers and None

    Formula: P = TP / (TP + FP);  R = TP / (TP + FN);  F = (1 + b^2) TP / (b^2 (TP + FN) + TP + FP)

    Parameters
    ----------
    y_true : the truth, one class an example or zeros and ones
    y_pred : the prediction, of the same kind
    beta : b; recall counts b times as much as precision. 0 is precision, inf recall
    labels : the classes counted, in this order; by default all that occur
    pos_label : the positive class of average="binary"
    average : None for every class; "binary" for pos_label alone; "micro" counts all classes together; "macro" is the plain
        mean over classes; "weighted" the mean weighted by support; "samples" the mean over examples with several labels
    warn_for : of which of "precision", "recall" and "f-score" 0/0 is reported
    sample_weight : a number an example (N,)
    zero_division : what 0/0 is: 0, 1, nan (left out of means), or "warn" (0, and a HintWarning)

    Returns
    -------
    (precision, recall, F, support); support is None with an average

    Raises
    ------
    ArgumentError : average="binary" of more than two classes or with a pos_label that does not occur; unknown words; beta < 0

    Notes
    -----
    scikit-learn's name, order, defaults and answers. "macro" F is the mean of the classes' F, not the F of mean precision
    and recall: see `macro_f1_score`. With every class in `labels` and one label an example, micro precision, recall and F1
    are all the accuracy.

    References
    ----------
    C. J. van Rijsbergen, Information Retrieval, 2nd edition, 1979, chapter 7.

    Examples
    --------
    >>> p, r, f, support = precision_recall_fscore_support([0, 0, 1, 1], [0, 0, 1, 0])
    >>> p.round(4).tolist(), r.tolist(), f.round(4).tolist(), support.tolist()
    ([0.6667, 1.0], [1.0, 0.5], [0.8, 0.6667], [2, 2])
    """
    return _scores("precision_recall_fscore_support", y_true, y_pred, beta, labels, pos_label, average, warn_for, sample_weight, zero_division)


def _scores(
    function: str, y_true: Any, y_pred: Any, beta: float, labels: Any, pos_label: Any, average: str | None, warn_for: tuple[str, ...],
    sample_weight: Any, zero_division: Any,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    if not beta >= 0:
        raise ArgumentError(f"{function}: beta must not be negative, not {beta}")
    value = zero_division_value(function, zero_division)
    pair, hits, called, actual = counted(function, y_true, y_pred, labels, pos_label, average, sample_weight)

    def divide(top: Array, bottom: Array, name: str) -> Array:
        return quotient(top, bottom, "warn" if zero_division == "warn" and name in warn_for else value, f"{function}: {name}")

    precision, recall = divide(hits, called, "precision"), divide(hits, actual, "recall")
    if np.isinf(beta):
        score = recall
    elif beta == 0:
        score = precision
    else:
        score = divide((1 + beta**2) * hits, beta**2 * np.asarray(actual, np.float64) + called, "f-score")
    if average is None:
        return precision, recall, score, actual
    weight = actual if average == "weighted" else pair.weight if average == "samples" else None
    return average_of(precision, weight), average_of(recall, weight), average_of(score, weight), None


def counted(
    function: str, y_true: Any, y_pred: Any, labels: Any, pos_label: Any, average: str | None, sample_weight: Any
) -> tuple[Targets, Array, Array, Array]:
    """The checked pair; TP, predicted and true counts of every class, of all together, or of every example."""
    one_of(function, "average", average, AVERAGES)
    pair = target_pair(function, y_true, y_pred, sample_weight)
    if average == "binary":
        if pair.kind != "binary":
            fitting = "None, 'micro', 'macro', 'weighted'" + (", 'samples'" if pair.kind == "multilabel" else "")
            raise ArgumentError(f"{function}: average='binary' does not fit {pair.kind} labels; choose one of {fitting}")
        if len(pair.labels) == 2 and not np.isin(pos_label, pair.labels):
            raise ArgumentError(f"{function}: pos_label={pos_label!r} does not occur; the labels are {pair.labels.tolist()}")
        labels = [pos_label]
    elif pos_label not in (None, 1):
        warnings.warn(f"{function}: pos_label={pos_label!r} counts only with average='binary'; use labels=[{pos_label!r}]", HintWarning, stacklevel=4)
    wanted = None if labels is None else distinct_labels(function, labels)
    hits, called, actual = label_sums(function, pair, wanted, average == "samples")
    if average == "micro":
        hits, called, actual = (np.atleast_1d(each.sum()) for each in (hits, called, actual))
    return pair, hits, called, actual


def precision_score(
    y_true: Any, y_pred: Any, *, labels: Any = None, pos_label: Any = 1, average: str | None = "binary", sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The share of the predicted that is right: TP / (TP + FP).

    Parameters
    ----------
    y_true, y_pred, labels, pos_label, average, sample_weight, zero_division : as in `precision_recall_fscore_support`

    Returns
    -------
    float, or an array (C,) with average=None

    Raises
    ------
    ArgumentError : as there

    Examples
    --------
    >>> precision_score([1, 1, 0, 0], [1, 0, 1, 0])
    0.5
    """
    return _scores("precision_score", y_true, y_pred, 1.0, labels, pos_label, average, ("precision",), sample_weight, zero_division)[0]


def recall_score(
    y_true: Any, y_pred: Any, *, labels: Any = None, pos_label: Any = 1, average: str | None = "binary", sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The share of the true that was found: TP / (TP + FN).

    Parameters
    ----------
    y_true, y_pred, labels, pos_label, average, sample_weight, zero_division : as in `precision_recall_fscore_support`

    Returns
    -------
    float, or an array (C,) with average=None

    Raises
    ------
    ArgumentError : as there

    Examples
    --------
    >>> recall_score([1, 1, 1, 0], [1, 1, 0, 0], average=None).round(3).tolist()
    [1.0, 0.667]
    """
    return _scores("recall_score", y_true, y_pred, 1.0, labels, pos_label, average, ("recall",), sample_weight, zero_division)[1]


def fbeta_score(
    y_true: Any, y_pred: Any, *, beta: float, labels: Any = None, pos_label: Any = 1, average: str | None = "binary", sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The weighted harmonic mean of precision and recall; recall counts `beta` times as much.

    Parameters
    ----------
    y_true, y_pred, beta, labels, pos_label, average, sample_weight, zero_division : as in `precision_recall_fscore_support`

    Returns
    -------
    float, or an array (C,) with average=None

    Raises
    ------
    ArgumentError : as there

    Examples
    --------
    Precision 1 and recall 1/2: F2 = 5 / (4 * 2 + 1).

    >>> round(fbeta_score([1, 1, 0], [1, 0, 0], beta=2), 4)
    0.5556
    """
    return _scores("fbeta_score", y_true, y_pred, beta, labels, pos_label, average, ("f-score",), sample_weight, zero_division)[2]


def f1_score(
    y_true: Any, y_pred: Any, *, labels: Any = None, pos_label: Any = 1, average: str | None = "binary", sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).

    Parameters
    ----------
    y_true, y_pred, labels, pos_label, average, sample_weight, zero_division : as in `precision_recall_fscore_support`

    Returns
    -------
    float, or an array (C,) with average=None

    Raises
    ------
    ArgumentError : as there

    Examples
    --------
    >>> round(f1_score([1, 1, 0], [1, 0, 0]), 4)
    0.6667
    """
    return _scores("f1_score", y_true, y_pred, 1.0, labels, pos_label, average, ("f-score",), sample_weight, zero_division)[2]


def macro_f1_score(
    y_true: Any, y_pred: Any, *, definition: str = "mean_of_f1", labels: Any = None, sample_weight: Any = None, zero_division: Any = "warn"
) -> float:
    """Macro F1 by either of the two definitions in use.

    Formula: mean_of_f1 = (1/C) sum_c F1_c;  f1_of_means = 2 P R / (P + R) with P and R the means over classes

    Parameters
    ----------
    y_true, y_pred, labels, sample_weight, zero_division : as in `precision_recall_fscore_support`
    definition : "mean_of_f1", as scikit-learn has it, or "f1_of_means"

    Returns
    -------
    float from 0 to 1

    Raises
    ------
    ArgumentError : an unknown definition

    Notes
    -----
    The second is never smaller, and much larger for a classifier that trades the precision of one class for the recall of
    another; papers rarely say which they mean.

    References
    ----------
    J. Opitz and S. Burst, Macro F1 and Macro F1, arXiv:1911.03347.

    Examples
    --------
    >>> true, guess = [0, 0, 0, 0, 1], [0, 1, 1, 1, 1]
    >>> round(macro_f1_score(true, guess), 4), round(macro_f1_score(true, guess, definition="f1_of_means"), 4)
    (0.4, 0.625)
    """
    one_of("macro_f1_score", "definition", definition, ("mean_of_f1", "f1_of_means"))
    precision, recall, mean, _ = _scores("macro_f1_score", y_true, y_pred, 1.0, labels, 1, "macro", WARN_FOR, sample_weight, zero_division)
    if definition == "mean_of_f1":
        return float(mean)
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def jaccard_score(
    y_true: Any, y_pred: Any, *, labels: Any = None, pos_label: Any = 1, average: str | None = "binary", sample_weight: Any = None,
    zero_division: Any = "warn",
) -> Any:  # fmt: skip
    """The overlap of predicted and true examples: TP / (TP + FP + FN).

    Parameters
    ----------
    y_true, y_pred, labels, pos_label, average, sample_weight : as in `precision_recall_fscore_support`
    zero_division : what 0/0 is: 0, 1 or "warn" (0, and a HintWarning)

    Returns
    -------
    float, or an array (C,) with average=None

    Raises
    ------
    ArgumentError : as there

    Examples
    --------
    >>> round(jaccard_score([1, 1, 0, 0], [1, 0, 1, 0]), 4)
    0.3333
    """
    zero_division_value("jaccard_score", zero_division, nan=False)
    pair, hits, called, actual = counted("jaccard_score", y_true, y_pred, labels, pos_label, average, sample_weight)
    scores = quotient(hits, called + actual - hits, zero_division, "jaccard_score: the overlap")
    if average is None:
        return scores
    return average_of(scores, actual if average == "weighted" else pair.weight if average == "samples" else None)
