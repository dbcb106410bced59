"""One number for a score's order: area under ROC, average precision, hits among the k best."""

import warnings
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import ArgumentError, HintWarning, ShapeError
from ._targets import Array, label_array, one_of, plain, weights_of
from .curves import auc, precision_recall_curve, roc_curve, score_array


def roc_auc_score(
    y_true: Any, y_score: Any, *, average: str | None = "macro", sample_weight: Any = None, max_fpr: float | None = None,
    multi_class: str = "raise", labels: Any = None,
) -> Any:  # fmt: skip
    """The area under the ROC curve: the chance that a positive example scores above a negative one.

    Shapes: y_true (N,), y_score (N,) or (N, C); or y_true of zeros and ones (N, L), y_score (N, L) -> scalar, or (C,)

    Parameters
    ----------
    y_true : the classes (N,), or zeros and ones (N, L)
    y_score : scores; of more than two classes, probabilities (N, C) that sum to 1
    average : None, "micro", "macro", "weighted" or "samples" over labels or classes
    sample_weight : a number an example (N,)
    max_fpr : of two classes: only the area up to this false-positive rate, rescaled to 0.5 for chance and 1 for perfect
    multi_class : "ovr", each class against the rest, or "ovo", each pair of classes
    labels : the classes of the columns, sorted, where y_true may lack some

    Returns
    -------
    float, or an array with average=None; nan (and a HintWarning) where y_true has one class only

    Raises
    ------
    ArgumentError : more than two classes without multi_class, rows that do not sum to 1, unknown words

    References
    ----------
    D. J. Hand and R. J. Till, 2001 (ovo); D. K. McClish, Analyzing a portion of the ROC curve, 1989 (max_fpr).

    Examples
    --------
    >>> roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    true, kind = label_array("roc_auc_score", "y_true", y_true)
    scores = score_array("roc_auc_score", "y_score", y_score)
    if max_fpr is not None and not 0 < max_fpr <= 1:
        raise ArgumentError(f"roc_auc_score: max_fpr must be above 0 and at most 1, not {max_fpr}")
    if kind == "multiclass" or (kind == "binary" and scores.ndim == 2 and scores.shape[1] > 2):
        if max_fpr not in (None, 1):
            raise ArgumentError("roc_auc_score: max_fpr is for two classes")
        return _several_classes(true, scores, labels, multi_class, average, sample_weight)
    if kind == "binary":
        true = (true == np.unique(true)[-1]).astype(np.int64) if len(np.unique(true)) == 2 else np.zeros(len(true), np.int64)

    def area(y: Array, score: Array, weight: Array | None) -> float:
        return _binary_area(y, score, weight, max_fpr)

    return _averaged("roc_auc_score", area, true, scores, average, sample_weight)


def _binary_area(true: Array, scores: Array, weight: Array | None, max_fpr: float | None = None) -> float:
    if len(np.unique(true)) != 2:
        warnings.warn("roc_auc_score: only one class occurs in y_true, the area is not defined (nan)", HintWarning, stacklevel=5)
        return float("nan")
    fpr, tpr, _ = roc_curve(true, scores, sample_weight=weight)
    if max_fpr is None or max_fpr == 1:
        return auc(fpr, tpr)
    stop = int(np.searchsorted(fpr, max_fpr, "right"))
    top = np.interp(max_fpr, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1])
    part = auc(np.append(fpr[:stop], max_fpr), np.append(tpr[:stop], top))
    least = max_fpr**2 / 2
    return float(0.5 * (1 + (part - least) / (max_fpr - least)))


def _several_classes(true: Array, scores: Array, labels: Any, multi_class: str, average: str | None, sample_weight: Any) -> Any:
    one_of("roc_auc_score", "multi_class", multi_class, ("ovr", "ovo"))
    one_of("roc_auc_score", "average", average, ("macro", "weighted") if multi_class == "ovo" else ("macro", "weighted", "micro", None))
    classes = column_classes("roc_auc_score", true, scores, labels)
    if not np.allclose(1, scores.sum(axis=1)):
        raise ArgumentError("roc_auc_score: of more than two classes y_score must be probabilities whose rows sum to 1; take a softmax first")
    if multi_class == "ovr":
        return _averaged("roc_auc_score", _binary_area, (true[:, None] == classes).astype(np.int64), scores, average, sample_weight)
    if sample_weight is not None:
        raise ArgumentError("roc_auc_score: multi_class='ovo' takes no sample_weight; use 'ovr'")
    pairs, shares = [], []
    present = np.flatnonzero(np.isin(classes, true))
    for first, second in combinations(present, 2):
        among = (true == classes[first]) | (true == classes[second])
        areas = [_binary_area((true[among] == classes[each]).astype(np.int64), scores[among, each], None) for each in (first, second)]
        pairs.append(sum(areas) / 2)
        shares.append(among.mean())
    return float(np.average(pairs, weights=shares if average == "weighted" else None))


def column_classes(function: str, true: Array, scores: Array, labels: Any) -> Array:
    """The class of every column of the scores, checked."""
    if scores.ndim != 2 or len(scores) != len(true):
        raise ShapeError(f"{function}: of more than two classes y_score must be (N, C) with N = {len(true)}, not {scores.shape}")
    classes = np.unique(true) if labels is None else np.asarray(plain(labels))
    if labels is not None and not np.array_equal(np.unique(classes), classes):
        raise ArgumentError(f"{function}: labels must be sorted and without repetition, not {classes.tolist()[:10]}")
    if len(classes) != scores.shape[1]:
        where = "y_true has" if labels is None else "labels has"
        raise ArgumentError(f"{function}: {where} {len(classes)} classes but y_score {scores.shape[1]} columns; give all classes by labels=")
    if not np.isin(true, classes).all():
        raise ArgumentError(f"{function}: y_true has classes that labels lacks: {np.setdiff1d(true, classes).tolist()[:10]}")
    return classes


def _averaged(
    function: str, metric: Callable[[Array, Array, Array | None], float], true: Array, scores: Array, average: str | None, sample_weight: Any
) -> Any:
    """A metric of two classes over the columns (or rows) of zeros and ones."""
    one_of(function, "average", average, (None, "micro", "macro", "weighted", "samples"))
    weight = weights_of(function, sample_weight, len(true))
    if true.ndim == 1:
        return metric(true, scores, weight)
    if scores.shape != true.shape:
        raise ShapeError(f"{function}: y_true is {true.shape} but y_score {scores.shape}")
    if average == "micro":
        return metric(true.ravel(), scores.ravel(), None if weight is None else np.repeat(weight, true.shape[1]))
    share = None
    if average == "weighted":
        share = (true if weight is None else true * weight[:, None]).sum(axis=0)
        if np.isclose(share.sum(), 0):
            return 0.0
    if average == "samples":
        share, weight, true, scores = weight, None, true.T, scores.T
    values = np.array([metric(true[:, column], scores[:, column], weight) for column in range(true.shape[1])])
    if average is None:
        return values
    if share is not None:
        values[share == 0] = 0
    return float(np.average(values, weights=share))


def average_precision_score(y_true: Any, y_score: Any, *, average: str | None = "macro", pos_label: Any = 1, sample_weight: Any = None) -> Any:
    """The area under the steps of precision against recall, without interpolation.

    Shapes: y_true (N,), y_score (N,) or (N, C); or y_true of zeros and ones (N, L), y_score (N, L) -> scalar, or (C,)

    Formula: AP = sum_n (R_n - R_{n-1}) P_n

    Parameters
    ----------
    y_true : the classes (N,), or zeros and ones (N, L)
    y_score : scores, one column a class where there are more than two
    average : None, "micro", "macro", "weighted" or "samples" over labels or classes
    pos_label : the positive of two classes
    sample_weight : a number an example (N,)

    Returns
    -------
    float, or an array with average=None

    Raises
    ------
    ArgumentError : pos_label does not occur, or is given where every class is positive once

    Notes
    -----
    Detection's average precision interpolates: see `detection.average_precision`.

    Examples
    --------
    >>> round(average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    name = "average_precision_score"
    true, kind = label_array(name, "y_true", y_true)
    scores = score_array(name, "y_score", y_score)
    present = np.unique(true)
    if kind == "binary" and len(present) == 2 and not np.isin(pos_label, present):
        raise ArgumentError(f"{name}: pos_label={pos_label!r} does not occur; the labels are {present.tolist()}")
    if kind != "binary" and pos_label != 1:
        raise ArgumentError(f"{name}: pos_label is for two classes; leave it out")
    if kind == "multiclass":
        true = (true[:, None] == column_classes(name, true, scores, None)).astype(np.int64)

    def area(y: Array, score: Array, weight: Array | None) -> float:
        precision, recall, _ = precision_recall_curve(y, score, pos_label=pos_label, sample_weight=weight)
        return max(0.0, float(-np.sum(np.diff(recall) * precision[:-1])))

    return _averaged(name, area, true, scores, average, sample_weight)


def top_k_accuracy_score(y_true: Any, y_score: Any, *, k: int = 2, normalize: bool = True, sample_weight: Any = None, labels: Any = None) -> float:
    """The share of examples whose true class is among the k best scores, with scikit-learn's rule for ties.

    Shapes: y_true (N,), y_score (N, C), or (N,) of two classes -> scalar

    Parameters
    ----------
    y_true : the classes (N,)
    y_score : scores (N, C); of two classes (N,), above 0.5 (of probabilities) or 0 for the second class
    k : how many of the best classes count as a hit
    normalize : True for the share, False for the number
    sample_weight : a number an example (N,)
    labels : the classes of the columns, sorted, where y_true may lack some

    Returns
    -------
    float

    Raises
    ------
    ArgumentError : k below 1; classes and columns that do not fit

    Notes
    -----
    Equal scores go to the larger class here, as in scikit-learn; `top_k_accuracy` gives them to the smaller, as argmax.

    Examples
    --------
    >>> top_k_accuracy_score([0, 2, 1], [[0.9, 0.1, 0.0], [0.1, 0.6, 0.3], [0.5, 0.2, 0.3]], k=2)
    0.6666666666666666
    """
    name = "top_k_accuracy_score"
    true, kind = label_array(name, "y_true", y_true)
    scores = score_array(name, "y_score", y_score)
    if kind == "multilabel":
        raise ArgumentError(f"{name}: wants one label an example (N,), not zeros and ones {true.shape}")
    if k < 1:
        raise ArgumentError(f"{name}: k must be at least 1, not {k}")
    weight = weights_of(name, sample_weight, len(true))
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    two = scores.ndim == 1
    columns = np.stack([-scores, scores], axis=1) if two else scores
    classes = column_classes(name, true, columns, labels)
    if k >= len(classes):
        warnings.warn(f"{name}: k={k} of {len(classes)} classes is always a hit", HintWarning, stacklevel=2)
        hits = np.ones(len(true), bool)
    elif two:
        limit = 0.5 if scores.min() >= 0 and scores.max() <= 1 else 0
        hits = (scores > limit) == (true == classes[1])
    else:
        best = np.argsort(columns, axis=1, kind="stable")[:, ::-1][:, :k]
        hits = (classes[best] == true[:, None]).any(axis=1)
    if normalize:
        return float(np.average(hits, weights=weight))
    return float(hits.sum() if weight is None else hits @ weight)
