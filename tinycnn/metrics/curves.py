"""Curves over all thresholds of a score: ROC, precision against recall, and detection errors."""

import warnings
from typing import Any

import numpy as np

from ..errors import ArgumentError, HintWarning, ShapeError
from ._targets import Array, label_array, plain, weights_of


def score_array(function: str, name: str, value: Any) -> Array:
    """Finite scores as float64."""
    scores = np.asarray(plain(value))
    if scores.dtype.kind not in "iufb" or not np.isfinite(scores).all():
        raise ArgumentError(f"{function}: {name} must be finite numbers")
    return scores if scores.dtype.kind == "f" else scores.astype(np.float64)


def positive_label(function: str, true: Array, pos_label: Any) -> Any:
    """The class that counts as positive: 1 where the labels are 0 and 1, or -1 and 1."""
    if pos_label is not None:
        return pos_label
    labels = np.unique(true)
    known = labels.dtype.kind not in "UO" and any(set(labels.tolist()) <= each for each in ({0, 1}, {-1, 1}))
    if not known:
        raise ArgumentError(f"{function}: the labels are {labels.tolist()[:5]}; say by pos_label which of them is positive")
    return 1


def threshold_counts(function: str, y_true: Any, y_score: Any, pos_label: Any, sample_weight: Any) -> tuple[Array, Array, Array]:
    """False and true positives at every score that occurs, highest first, and those scores."""
    true, kind = label_array(function, "y_true", y_true)
    if kind == "multilabel" or (kind == "multiclass" and pos_label is None):
        raise ArgumentError(f"{function}: wants two classes (N,), or pos_label to say which class is positive; y_true is {kind}")
    scores = score_array(function, "y_score", y_score)
    scores = scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores
    if scores.shape != true.shape or len(true) == 0:
        raise ShapeError(f"{function}: y_true is {true.shape} and y_score {scores.shape}; both must be (N,) with N at least 1")
    weight = weights_of(function, sample_weight, len(true))
    positive = true == positive_label(function, true, pos_label)
    if weight is not None:
        counts = weight != 0
        positive, scores, weight = positive[counts], scores[counts], weight[counts]
        if len(scores) == 0:
            raise ArgumentError(f"{function}: all sample_weight are 0")
    order = np.argsort(-scores, kind="stable")
    positive, scores = positive[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    each = np.ones(len(scores)) if weight is None else weight[order].astype(np.float64)
    return np.cumsum(each * ~positive)[last], np.cumsum(each * positive)[last], scores[last]


def _corners(keep: Array, *columns: Array) -> tuple[Array, ...]:
    """The first and last points and those in between that are marked."""
    chosen = np.concatenate([[True], keep, [True]])
    return tuple(column[chosen] for column in columns)


def roc_curve(
    y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None, drop_intermediate: bool = True
) -> tuple[Array, Array, Array]:
    """False- and true-positive rates at every threshold, from (0, 0) to (1, 1).

    Shapes: y_true (N,), y_score (N,) -> fpr (T,), tpr (T,), thresholds (T,)

    Formula: tpr = TP / (TP + FN), fpr = FP / (FP + TN) of "positive where score >= threshold"

    Parameters
    ----------
    y_true : two classes (N,)
    y_score : a number an example (N,), higher for positive
    pos_label : the positive class; by default 1 of {0, 1} or {-1, 1}
    sample_weight : a number an example (N,)
    drop_intermediate : leave out points on a straight line

    Returns
    -------
    (fpr, tpr, thresholds), thresholds falling from infinity

    Raises
    ------
    ArgumentError : it is not known which class is positive, or scores that are not finite

    Examples
    --------
    >>> fpr, tpr, thresholds = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr.tolist(), tpr.tolist(), thresholds.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0], [inf, 0.8, 0.4, 0.35, 0.1])
    """
    false, true, thresholds = threshold_counts("roc_curve", y_true, y_score, pos_label, sample_weight)
    if drop_intermediate and len(false) > 2:
        keep = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        false, true, thresholds = _corners(keep, false, true, thresholds)
    rates = []
    for counts, name in ((false, "negative"), (true, "positive")):
        if counts[-1] <= 0:
            warnings.warn(f"roc_curve: y_true has no {name} example, its rate is 0/0 and set to nan", HintWarning, stacklevel=2)
        rates.append(np.append(0.0, counts) / counts[-1] if counts[-1] > 0 else np.full(len(counts) + 1, np.nan))
    return rates[0], rates[1], np.append(np.inf, thresholds.astype(np.float64))


def precision_recall_curve(
    y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None, drop_intermediate: bool = False
) -> tuple[Array, Array, Array]:
    """Precision and recall at every threshold, recall falling to 0.

    Shapes: y_true (N,), y_score (N,) -> precision (T + 1,), recall (T + 1,), thresholds (T,)

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight, drop_intermediate : as in `roc_curve`

    Returns
    -------
    (precision, recall, thresholds); the last point, precision 1 at recall 0, has no threshold

    Raises
    ------
    ArgumentError : as `roc_curve`

    Examples
    --------
    >>> precision, recall, _ = precision_recall_curve([0, 1, 1], [0.2, 0.5, 0.9])
    >>> precision.round(3).tolist(), recall.tolist()
    ([0.667, 1.0, 1.0, 1.0], [1.0, 1.0, 0.5, 0.0])
    """
    false, true, thresholds = threshold_counts("precision_recall_curve", y_true, y_score, pos_label, sample_weight)
    if drop_intermediate and len(false) > 2:
        keep = (np.diff(true[:-1]) != 0) | (np.diff(true[1:]) != 0)
        false, true, thresholds = _corners(keep, false, true, thresholds)
    called = true + false
    precision = np.divide(true, called, out=np.zeros(len(true)), where=called != 0)
    if true[-1] == 0:
        warnings.warn("precision_recall_curve: y_true has no positive example, recall is set to 1", HintWarning, stacklevel=2)
    recall = true / true[-1] if true[-1] else np.ones(len(true))
    return np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0), thresholds[::-1]


def det_curve(
    y_true: Any, y_score: Any, pos_label: Any = None, sample_weight: Any = None, drop_intermediate: bool = False
) -> tuple[Array, Array, Array]:
    """False-positive and false-negative rates at every threshold, thresholds rising.

    Shapes: y_true (N,), y_score (N,) -> fpr (T,), fnr (T,), thresholds (T,)

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight, drop_intermediate : as in `roc_curve`

    Returns
    -------
    (fpr, fnr, thresholds), from the last point without misses to the first without false alarms

    Raises
    ------
    ArgumentError : only one class occurs

    References
    ----------
    A. Martin et al., The DET curve in assessment of detection task performance, 1997.

    Examples
    --------
    >>> fpr, fnr, _ = det_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> fpr.tolist(), fnr.tolist()
    ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
    """
    false, true, thresholds = threshold_counts("det_curve", y_true, y_score, pos_label, sample_weight)
    if false[-1] == 0 or true[-1] == 0:
        raise ArgumentError("det_curve: only one class occurs in y_true; errors of both kinds need both classes")
    false, true = np.append(0.0, false), np.append(0.0, true)
    thresholds = np.append(np.inf, thresholds.astype(np.float64))
    if drop_intermediate and len(false) > 2:
        keep = (np.diff(true[:-1]) != 0) | (np.diff(true[1:]) != 0)
        false, true, thresholds = _corners(keep, false, true, thresholds)
    first = int(np.searchsorted(false, false[0], side="right")) - 1
    last = int(np.searchsorted(true, true[-1])) + 1
    part = slice(first, last)
    return (false[part] / false[-1])[::-1], ((true[-1] - true)[part] / true[-1])[::-1], thresholds[part][::-1]


def auc(x: Any, y: Any) -> float:
    """The area under a curve by trapezoids; x rises or falls throughout.

    Parameters
    ----------
    x, y : the points (N,), N at least 2

    Returns
    -------
    float

    Raises
    ------
    ShapeError : lengths differ, or there are fewer than two points
    ArgumentError : x goes up and down

    Examples
    --------
    >>> auc([0, 1, 2], [0, 1, 1])
    1.5
    """
    across, up = score_array("auc", "x", x), score_array("auc", "y", y)
    if across.ndim != 1 or across.shape != up.shape or len(across) < 2:
        raise ShapeError(f"auc: x and y must be (N,) with at least 2 points, not {across.shape} and {up.shape}")
    steps = np.diff(across)
    if (steps < 0).any() and (steps > 0).any():
        raise ArgumentError("auc: x must rise or fall throughout; sort the points first")
    area = float(np.sum(steps * (up[1:] + up[:-1]) / 2))
    return -area if (steps < 0).any() else area


def equal_error_rate(y_true: Any, y_score: Any, *, pos_label: Any = None, sample_weight: Any = None) -> tuple[float, float]:
    """Where as many impostors are let in as own people are kept out.

    Formula: the rate e and threshold t with fpr(t) = fnr(t) = e, on the straight line between the neighbouring points

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight : as in `roc_curve`; positive is "same person"

    Returns
    -------
    (rate, threshold)

    Raises
    ------
    ArgumentError : only one class occurs

    Examples
    --------
    >>> equal_error_rate([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    (0.5, 0.4)
    """
    fpr, tpr, thresholds = _both_classes("equal_error_rate", y_true, y_score, pos_label, sample_weight)
    gap = fpr - (1 - tpr)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    share = float(-gap[after - 1] / (gap[after] - gap[after - 1]))
    rate = float(fpr[after - 1] + share * (fpr[after] - fpr[after - 1]))
    before, behind = thresholds[after - 1], thresholds[after]
    return rate, float(behind if share == 1 or np.isinf(before) else before + share * (behind - before))


def _both_classes(function: str, y_true: Any, y_score: Any, pos_label: Any, sample_weight: Any) -> tuple[Array, Array, Array]:
    false, true, thresholds = threshold_counts(function, y_true, y_score, pos_label, sample_weight)
    if false[-1] == 0 or true[-1] == 0:
        raise ArgumentError(f"{function}: only one class occurs in y_true; errors of both kinds need both classes")
    return np.append(0.0, false) / false[-1], np.append(0.0, true) / true[-1], np.append(np.inf, thresholds.astype(np.float64))


def tar_at_far(y_true: Any, y_score: Any, far: float, *, pos_label: Any = None, sample_weight: Any = None) -> tuple[float, float]:
    """The share of own people let in at the lowest threshold that lets in at most the share `far` of impostors.

    Parameters
    ----------
    y_true, y_score, pos_label, sample_weight : as in `roc_curve`; positive is "same person"
    far : the false-accept rate allowed, 0 to 1

    Returns
    -------
    (true-accept rate, threshold); the threshold is infinite where nobody can be let in

    Raises
    ------
    ArgumentError : far is not from 0 to 1, or only one class occurs

    Examples
    --------
    >>> tar_at_far([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], far=0.5)
    (1.0, 0.35)
    """
    if not 0 <= far <= 1:
        raise ArgumentError(f"tar_at_far: far must be from 0 to 1, not {far}")
    fpr, tpr, thresholds = _both_classes("tar_at_far", y_true, y_score, pos_label, sample_weight)
    best = int(np.argmax(np.where(fpr <= far, tpr, -1)))  # the highest threshold among equals
    return float(tpr[best]), float(thresholds[best])
