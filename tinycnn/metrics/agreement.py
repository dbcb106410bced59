"""One number for how far predictions agree with the truth, some of them corrected for chance."""

import warnings
from typing import Any

import numpy as np

from ..errors import ArgumentError, HintWarning
from ._targets import Array, Targets, distinct_labels, one_of, target_pair
from .confusion import count_pairs


def accuracy_score(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """The share of examples that are right; with several labels an example, all of them must be.

    Shapes: labels (N,) or zeros and ones (N, L), twice -> scalar

    Parameters
    ----------
    y_true : the truth
    y_pred : the prediction
    normalize : True for the share, False for the (weighted) number
    sample_weight : a number an example (N,)

    Returns
    -------
    float

    Raises
    ------
    ShapeError : lengths differ, or there are no examples

    Examples
    --------
    >>> accuracy_score(["a", "b", "b"], ["a", "b", "a"], normalize=False)
    2.0
    """
    pair = target_pair("accuracy_score", y_true, y_pred, sample_weight)
    return _total(~_wrong(pair), pair.weight, normalize)


def _wrong(pair: Targets) -> Array:
    different = pair.true != pair.predicted
    return different.any(axis=1) if different.ndim == 2 else different


def _total(values: Array, weight: Array | None, normalize: bool) -> float:
    if normalize:
        return float(np.average(values, weights=weight))
    return float(values.sum() if weight is None else values @ weight)


def zero_one_loss(y_true: Any, y_pred: Any, *, normalize: bool = True, sample_weight: Any = None) -> float:
    """The share (or number) of examples that are wrong.

    Parameters
    ----------
    y_true, y_pred, normalize, sample_weight : as in `accuracy_score`

    Returns
    -------
    float

    Examples
    --------
    >>> zero_one_loss([0, 1, 2, 2], [0, 1, 1, 2])
    0.25
    """
    pair = target_pair("zero_one_loss", y_true, y_pred, sample_weight)
    return _total(_wrong(pair), pair.weight, normalize)


def hamming_loss(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """The share of labels that are wrong, each of an example's labels counted by itself.

    Parameters
    ----------
    y_true, y_pred, sample_weight : as in `accuracy_score`

    Returns
    -------
    float from 0 to 1

    Examples
    --------
    >>> hamming_loss([[0, 1], [1, 1]], [[0, 0], [0, 0]])
    0.75
    """
    pair = target_pair("hamming_loss", y_true, y_pred, sample_weight)
    different = pair.true != pair.predicted
    return _total(different.mean(axis=1) if different.ndim == 2 else different, pair.weight, True)


def balanced_accuracy_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None, adjusted: bool = False) -> float:
    """The mean recall over the classes that occur in the truth.

    Formula: b = mean_c recall_c; adjusted (b - 1/C) / (1 - 1/C)

    Parameters
    ----------
    y_true, y_pred, sample_weight : as in `accuracy_score`, one label an example
    adjusted : rescale so that chance is 0

    Returns
    -------
    float

    Raises
    ------
    ArgumentError : several labels an example

    Examples
    --------
    >>> balanced_accuracy_score([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    pair = _single(target_pair("balanced_accuracy_score", y_true, y_pred, sample_weight), "balanced_accuracy_score")
    matrix = count_pairs(pair, pair.labels)
    actual = matrix.sum(axis=1)
    there = actual != 0
    if not there.all():
        extra = pair.labels[~there].tolist()
        warnings.warn(f"balanced_accuracy_score: y_pred has the classes {extra}, which y_true has not", HintWarning, stacklevel=2)
    recall = np.diagonal(matrix)[there] / actual[there]
    score = float(recall.mean())
    if not adjusted:
        return score
    chance = 1 / len(recall)
    return (score - chance) / (1 - chance) if chance < 1 else float("nan")


def _single(pair: Targets, function: str) -> Targets:
    if pair.kind == "multilabel":
        raise ArgumentError(f"{function}: wants one label an example (N,), not zeros and ones {pair.true.shape}")
    return pair


def cohen_kappa_score(
    y1: Any, y2: Any, *, labels: Any = None, weights: str | None = None, sample_weight: Any = None, replace_undefined_by: float = float("nan")
) -> float:
    """The agreement of two raters beyond what chance gives.

    Formula: 1 - sum_ij w_ij O_ij / sum_ij w_ij E_ij;  E_ij = row_i column_j / N;
    w_ij = [i != j], |i - j| ("linear") or (i - j)^2 ("quadratic")

    Parameters
    ----------
    y1 : the labels (N,) of one rater, or the truth
    y2 : those of the other
    labels : the classes counted, in order; by default all that occur
    weights : None, "linear" or "quadratic": how much a confusion of near classes counts
    sample_weight : a number an example (N,)
    replace_undefined_by : what 0/0 is, where both raters use one and the same label throughout

    Returns
    -------
    float from -1 to 1

    Raises
    ------
    ArgumentError : an unknown word, or labels that do not occur in y1

    References
    ----------
    J. Cohen, A coefficient of agreement for nominal scales, 1960.

    Examples
    --------
    Three of four agree, chance gives half: (3/4 - 1/2) / (1 - 1/2).

    >>> cohen_kappa_score([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    """
    one_of("cohen_kappa_score", "weights", weights, (None, "linear", "quadratic"))
    pair = _single(target_pair("cohen_kappa_score", y1, y2, sample_weight), "cohen_kappa_score")
    wanted = pair.labels if labels is None else distinct_labels("cohen_kappa_score", labels)
    if not np.isin(pair.true, wanted).any():
        raise ArgumentError(f"cohen_kappa_score: none of the labels {wanted.tolist()[:10]} occurs in y1")
    matrix = count_pairs(pair, wanted).astype(np.float64)
    total = matrix.sum()
    apart = np.abs(np.subtract.outer(np.arange(len(wanted)), np.arange(len(wanted)))).astype(np.float64)
    cost = (apart > 0).astype(np.float64) if weights is None else apart if weights == "linear" else apart**2
    expected = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / total if total else np.zeros_like(matrix)
    bottom = (cost * expected).sum()
    if bottom == 0:
        words = "cohen_kappa_score: both use one and the same label only, 0/0; replace_undefined_by says what it shall be"
        warnings.warn(words, HintWarning, stacklevel=2)
        return replace_undefined_by
    return float(1 - (cost * matrix).sum() / bottom)


def matthews_corrcoef(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """The correlation of truth and prediction over all cells of the confusion matrix.

    Formula: of two classes (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN));
    of more (c s - p.t) / sqrt((s^2 - p.p)(s^2 - t.t)), c right of s, p and t the predicted and true counts

    Parameters
    ----------
    y_true, y_pred, sample_weight : as in `accuracy_score`, one label an example

    Returns
    -------
    float from -1 to 1; 0 where the denominator is 0

    Raises
    ------
    ArgumentError : several labels an example

    References
    ----------
    J. Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004.

    Examples
    --------
    >>> round(matthews_corrcoef([1, 1, 1, 0], [1, 0, 1, 1]), 4)
    -0.3333
    """
    pair = _single(target_pair("matthews_corrcoef", y_true, y_pred, sample_weight), "matthews_corrcoef")
    matrix = count_pairs(pair, pair.labels).astype(np.float64)
    actual, called, total = matrix.sum(axis=1), matrix.sum(axis=0), matrix.sum()
    bottom = (total**2 - called @ called) * (total**2 - actual @ actual)
    return float((np.trace(matrix) * total - actual @ called) / np.sqrt(bottom)) if bottom else 0.0
