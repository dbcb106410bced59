"""Counting true against predicted classes: the table from which the other classification metrics follow."""

import warnings
from typing import Any

import numpy as np

from ..errors import ArgumentError, HintWarning, ShapeError
from ._targets import Array, Targets, distinct_labels, one_of, plain, positions, target_pair

ORIENTATIONS = ("true_rows", "predicted_rows")


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    num_classes: int | None = None,
    *,
    labels: Any = None,
    sample_weight: Any = None,
    normalize: str | None = None,
    orientation: str = "true_rows",
) -> Array:
    """Count every pair of true class (row) and predicted class (column).

    Shapes: y_true (N,), y_pred (N,) -> (C, C)

    Formula: matrix[i, j] = sum_n weight_n [y_true_n = labels_i and y_pred_n = labels_j]

    Parameters
    ----------
    y_true : the true classes (N,): whole numbers, booleans or strings
    y_pred : the predicted classes (N,)
    num_classes : the number C of classes, which are then numbered 0 to C - 1; all of them must be
    labels : which classes are rows and columns, and in which order; by default all that occur, sorted. Others are left out
    sample_weight : a number an example (N,) to count it by instead of 1
    normalize : None, "true" (each true class sums to 1), "pred" (each predicted class does) or "all"
    orientation : "true_rows", or "predicted_rows" for the transpose

    Returns
    -------
    int64 array (C, C), float64 with weights of floats or normalize

    Raises
    ------
    ShapeError : lengths differ, or there is nothing to count
    ArgumentError : a class is below 0 or not below num_classes, no label occurs in y_true, a word is none of those above
    DtypeError : labels that are no classes (scores want an argmax first)

    Notes
    -----
    scikit-learn's name, order and answers; it and torchmetrics put the truth in rows. Some books and slides put it in
    columns: say so by `orientation`, here and where a matrix is read.

    Examples
    --------
    The one mistake is a true 2 that was taken for a 1: row 2, column 1.

    >>> confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2])
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    >>> confusion_matrix(["cat", "dog", "dog"], ["cat", "dog", "cat"], orientation="predicted_rows")
    array([[1, 1],
           [0, 1]])
    """
    name = "confusion_matrix"
    one_of(name, "normalize", normalize, (None, "true", "pred", "all"))
    one_of(name, "orientation", orientation, ORIENTATIONS)
    wanted = _wanted_labels(labels, num_classes)
    pair = target_pair(name, y_true, y_pred, sample_weight, empty=labels is not None)
    if pair.kind == "multilabel":
        raise ArgumentError(f"{name}: several labels an example have no one matrix; use multilabel_confusion_matrix")
    if num_classes is not None:
        _refuse_other_classes(pair, num_classes)
    elif wanted is not None and len(pair.true) and not np.isin(pair.true, wanted).any():
        raise ArgumentError(f"{name}: none of the labels {wanted.tolist()[:10]} occurs in y_true, which has {np.unique(pair.true).tolist()[:10]}")
    matrix = count_pairs(pair, pair.labels if wanted is None else wanted)
    if matrix.shape == (1, 1) and wanted is None:
        warnings.warn(f"{name}: only the label {pair.labels[0]} occurs; give all labels by labels=", HintWarning, stacklevel=2)
    if normalize is not None:
        axis = {"true": 1, "pred": 0, "all": None}[normalize]
        totals = matrix.sum(axis=axis, keepdims=True)
        matrix = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals != 0)
    return matrix if orientation == "true_rows" else np.ascontiguousarray(matrix.T)


def _wanted_labels(labels: Any, num_classes: int | None) -> Array | None:
    if num_classes is not None:
        if labels is not None:
            raise ArgumentError("confusion_matrix: num_classes and labels both name the classes; give one of them")
        if num_classes < 1:
            raise ArgumentError(f"confusion_matrix: num_classes must be at least 1, not {num_classes}")
        return np.arange(num_classes)
    return None if labels is None else distinct_labels("confusion_matrix", labels)


def _refuse_other_classes(pair: Targets, classes: int) -> None:
    for name, values in (("y_true", pair.true), ("y_pred", pair.predicted)):
        if values.dtype.kind in "UO":
            raise ArgumentError(f"confusion_matrix: {name} holds strings, which num_classes cannot number; give labels=")
        if values.min() < 0 or values.max() >= classes:
            raise ArgumentError(
                f"confusion_matrix: {name} holds classes from {values.min()} to {values.max()}, but {classes} classes are numbered 0 to {classes - 1}"
            )


def count_pairs(pair: Targets, labels: Array) -> Array:
    """The matrix over these labels; pairs with any other label are left out."""
    classes = len(labels)
    true, predicted = positions(pair.true, labels), positions(pair.predicted, labels)
    known = (true >= 0) & (predicted >= 0)
    cells = true[known] * classes + predicted[known]
    if pair.weight is None:
        return np.bincount(cells, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
    counts = np.bincount(cells, weights=pair.weight[known], minlength=classes * classes).reshape(classes, classes)
    return counts.astype(np.int64) if pair.weight.dtype.kind == "i" else counts


def true_rows(function: str, matrix: Any, orientation: str = "true_rows") -> Array:
    """A square matrix of counts with the true classes in rows, whichever way it was written.

    Examples
    --------
    >>> true_rows("example", [[1, 2], [3, 4]], "predicted_rows")
    array([[1, 3],
           [2, 4]])
    """
    one_of(function, "orientation", orientation, ORIENTATIONS)
    counts = np.asarray(plain(matrix))
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ShapeError(f"{function}: the confusion matrix must be square (C, C), not {counts.shape}")
    return counts if orientation == "true_rows" else counts.T


def multilabel_confusion_matrix(
    y_true: Any, y_pred: Any, *, sample_weight: Any = None, labels: Any = None, samplewise: bool = False
) -> Array:
    """One matrix [[TN, FP], [FN, TP]] a label, or an example.

    Shapes: labels (N,) or zeros and ones (N, L), twice -> (C, 2, 2); with samplewise (N, 2, 2)

    Parameters
    ----------
    y_true : the truth, one class an example or zeros and ones
    y_pred : the prediction, of the same kind
    sample_weight : a number an example (N,)
    labels : the classes counted; by default all that occur
    samplewise : one matrix an example instead; only where examples have several labels

    Returns
    -------
    array (C, 2, 2), one against the rest

    Raises
    ------
    ArgumentError : samplewise of one label an example, a label that is no column

    Examples
    --------
    >>> multilabel_confusion_matrix([0, 1, 1], [0, 1, 0])[1]
    array([[1, 0],
           [1, 1]])
    """
    pair = target_pair("multilabel_confusion_matrix", y_true, y_pred, sample_weight)
    wanted = None if labels is None else distinct_labels("multilabel_confusion_matrix", labels)
    hits, called, actual = label_sums("multilabel_confusion_matrix", pair, wanted, samplewise)
    if samplewise:
        total: Any = pair.true.shape[1] if pair.weight is None else pair.weight * pair.true.shape[1]
    else:
        total = len(pair.true) if pair.weight is None else pair.weight.sum()
    false, missed = called - hits, actual - hits
    rest = total - hits - false - missed
    return np.stack([rest, false, missed, hits], axis=-1).reshape(-1, 2, 2)


def label_sums(function: str, pair: Targets, labels: Array | None, samplewise: bool = False) -> tuple[Array, Array, Array]:
    """Of every label (or example): how often both, the prediction, and the truth have it."""
    if pair.kind == "multilabel":
        true, predicted = pair.true, pair.predicted
        if labels is not None:
            if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= true.shape[1]:
                raise ArgumentError(f"{function}: labels must be columns from 0 to {true.shape[1] - 1}, not {labels.tolist()[:10]}")
            true, predicted = true[:, labels], predicted[:, labels]
        weight = np.ones(len(true), np.int64) if pair.weight is None else pair.weight
        axis = 1 if samplewise else 0
        hits, called, actual = ((each * weight[:, None]).sum(axis=axis) for each in (true & predicted, predicted, true))
        return hits, called, actual
    if samplewise:
        raise ArgumentError(f"{function}: counting by example needs several labels an example, zeros and ones (N, L)")
    wanted = pair.labels if labels is None else labels
    true, predicted = positions(pair.true, wanted), positions(pair.predicted, wanted)

    def sums(places: Array, which: Array) -> Array:
        chosen = which & (places >= 0)
        weight = None if pair.weight is None else pair.weight[chosen]
        counts = np.bincount(places[chosen], weights=weight, minlength=len(wanted))
        return counts if weight is not None and weight.dtype.kind == "f" else counts.astype(np.int64)

    everything = np.ones(len(true), bool)
    return sums(true, true == predicted), sums(predicted, everything), sums(true, everything)
