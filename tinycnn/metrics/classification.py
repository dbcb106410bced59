"""How often a classifier is right, and which classes it mixes up.

Every function takes the truth first and the prediction second, as scikit-learn does (losses take them the other way
round, as PyTorch does). A confusion matrix has one row a true class and one column a predicted class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError, ShapeError
from ._targets import plain
from .confusion import true_rows

Array = np.ndarray[Any, Any]


def accuracy(target: Any, prediction: Any) -> float:
    """The share of predictions that equal the truth.

    Shapes: target (N,), prediction (N,) -> scalar

    Formula: accuracy = (1/N) sum_n [prediction_n = target_n]

    Parameters
    ----------
    target : whole numbers (N,), the true classes
    prediction : whole numbers (N,), the predicted classes

    Returns
    -------
    float from 0 to 1

    Raises
    ------
    ShapeError : lengths differ, or there is nothing to count
    DtypeError : classes are no whole numbers (scores want an argmax first)

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    truth, guess = _class_pair("accuracy", target, prediction)
    return float(np.mean(truth == guess))


def top_k_accuracy(target: Any, scores: Any, k: int = 5) -> float:
    """The share of examples whose true class is among the k best scores.

    Shapes: target (N,), scores (N, C) -> scalar

    Formula: rank_n = #{j : s_nj > s_nt or (s_nj = s_nt and j < t)}, t = target_n;
    the answer is (1/N) sum_n [rank_n < k]

    Parameters
    ----------
    target : whole numbers (N,), the true classes
    scores : floats (N, C), logits or probabilities; only their order counts
    k : how many of the best classes count as a hit, 1 to C

    Returns
    -------
    float from 0 to 1

    Raises
    ------
    ShapeError : scores are not (N, C)
    ArgumentError : k is not from 1 to C, a class is not below C, or a score is NaN

    Notes
    -----
    Equal scores go to the smaller class number, so that k = 1 agrees with argmax; scikit-learn breaks ties the other way:
    `top_k_accuracy_score`.

    Examples
    --------
    The second example's true class 2 has the second best score.

    >>> top_k_accuracy([0, 2], [[0.9, 0.1, 0.0], [0.1, 0.6, 0.3]], k=1)
    0.5
    >>> top_k_accuracy([0, 2], [[0.9, 0.1, 0.0], [0.1, 0.6, 0.3]], k=2)
    1.0
    """
    values = np.asarray(plain(scores), dtype=np.float64)
    truth = _classes("top_k_accuracy", "target", target)
    if values.ndim != 2 or len(values) != len(truth):
        raise ShapeError(
            f"top_k_accuracy: scores must be (N, C) with N = {len(truth)} as target has, not {values.shape}"
        )
    classes = values.shape[1]
    if not 1 <= k <= classes:
        raise ArgumentError(f"top_k_accuracy: k must be from 1 to {classes}, the number of classes, not {k}")
    if truth.min() < 0 or truth.max() >= classes:
        raise ArgumentError(
            f"top_k_accuracy: target holds classes from {truth.min()} to {truth.max()}, "
            f"but scores have {classes} columns, 0 to {classes - 1}"
        )
    if np.isnan(values).any():
        raise ArgumentError("top_k_accuracy: scores contain NaN, which has no rank")
    own = values[np.arange(len(truth)), truth][:, None]
    earlier = np.arange(classes)[None, :] < truth[:, None]
    rank = np.sum((values > own) | ((values == own) & earlier), axis=1)
    return float(np.mean(rank < k))


@dataclass(frozen=True)
class ClassReport:
    """Precision, recall, F1 and support of every class, each an array (C,)."""

    precision: Array
    recall: Array
    f1: Array
    support: Array

    def rows(self, names: list[str] | None = None) -> list[tuple[str, float, float, float, int]]:
        """One row a class: name, precision, recall, F1, number of true examples."""
        labels = [str(i) for i in range(len(self.support))] if names is None else names
        if len(labels) != len(self.support):
            raise ShapeError(f"ClassReport.rows: {len(labels)} names for {len(self.support)} classes")
        return [
            (label, float(self.precision[i]), float(self.recall[i]), float(self.f1[i]), int(self.support[i]))
            for i, label in enumerate(labels)
        ]

    def __str__(self) -> str:
        lines = [f"{'class':>8} {'precision':>9} {'recall':>9} {'F1':>9} {'support':>8}"]
        for name, precision, recall, f1, support in self.rows():
            lines.append(f"{name:>8} {precision:>9.4f} {recall:>9.4f} {f1:>9.4f} {support:>8}")
        return "\n".join(lines)


def class_report(matrix: Any, orientation: str = "true_rows") -> ClassReport:
    """Precision, recall and F1 of every class, from a confusion matrix.

    Shapes: matrix (C, C) -> four arrays (C,)

    Formula: precision_j = m[j, j] / sum_i m[i, j];  recall_i = m[i, i] / sum_j m[i, j];
    F1 = 2 precision recall / (precision + recall)

    Parameters
    ----------
    matrix : counts (C, C), true classes in rows and predicted classes in columns
    orientation : "true_rows", or "predicted_rows" of a matrix written the other way round

    Returns
    -------
    ClassReport

    Raises
    ------
    ShapeError : the matrix is not square

    Notes
    -----
    0/0 gives 0, as scikit-learn's default does: a class that was never predicted has precision 0.

    References
    ----------
    C. J. van Rijsbergen, Information Retrieval, 2nd edition, 1979, chapter 7.

    Examples
    --------
    Two of the three predicted as class 0 are right (precision 2/3) and both true ones were found (recall 1): F1 = 0.8.

    >>> report = class_report([[2, 0], [1, 1]])
    >>> print(report)
       class precision    recall        F1  support
           0    0.6667    1.0000    0.8000        2
           1    1.0000    0.5000    0.6667        2
    """
    counts = true_rows("class_report", matrix, orientation)
    right = np.diagonal(counts).astype(np.float64)
    precision = _ratio(right, counts.sum(axis=0))
    recall = _ratio(right, counts.sum(axis=1))
    f1 = _ratio(2 * precision * recall, precision + recall)
    return ClassReport(precision, recall, f1, counts.sum(axis=1))


def _ratio(top: Array, bottom: Array) -> Array:
    """Quotient by element, 0 where the denominator is 0."""
    return np.divide(top, bottom, out=np.zeros(len(top)), where=bottom != 0)


def _classes(function: str, name: str, value: Any) -> Array:
    classes = np.asarray(plain(value))
    if classes.ndim != 1 or len(classes) == 0:
        raise ShapeError(
            f"{function}: {name} must be a vector (N,) of at least one class number, not of shape {classes.shape}"
        )
    if classes.dtype.kind not in "iu":
        raise DtypeError(
            f"{function}: {name} must be whole numbers, not {classes.dtype}; for scores take argmax(axis=1) first"
        )
    return classes.astype(np.int64)


def _class_pair(function: str, target: Any, prediction: Any) -> tuple[Array, Array]:
    truth = _classes(function, "target", target)
    guess = _classes(function, "prediction", prediction)
    if len(truth) != len(guess):
        raise ShapeError(f"{function}: {len(truth)} targets but {len(guess)} predictions")
    return truth, guess
