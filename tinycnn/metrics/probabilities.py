"""Whether probabilities can be believed: their losses, and calibration."""

import warnings
from typing import Any

import numpy as np

from ..errors import ArgumentError, HintWarning, ShapeError
from ._targets import Array, label_array, one_of, plain, weights_of
from .curves import positive_label, score_array


def _probabilities(function: str, value: Any) -> Array:
    prob = score_array(function, "y_proba", value)
    if prob.ndim not in (1, 2) or len(prob) == 0:
        raise ShapeError(f"{function}: y_proba must be (N,) or (N, C) with N at least 1, not {prob.shape}")
    if prob.min() < 0 or prob.max() > 1:
        raise ArgumentError(f"{function}: probabilities must be from 0 to 1, not {prob.min():g} to {prob.max():g}; take a softmax of logits")
    return prob


def _one_hot(function: str, y_true: Any, prob: Array, labels: Any) -> tuple[Array, Array]:
    """Truth and probabilities, both (N, C)."""
    true, kind = label_array(function, "y_true", y_true)
    if len(true) != len(prob):
        raise ShapeError(f"{function}: y_true has {len(true)} examples but y_proba {len(prob)}")
    if prob.ndim == 1 or prob.shape[1] == 1:
        prob = prob.reshape(-1, 1)
        prob = np.concatenate([1 - prob, prob], axis=1)
    if not np.allclose(prob.sum(axis=1), 1, rtol=float(np.sqrt(np.finfo(prob.dtype).eps)), atol=0):
        warnings.warn(f"{function}: rows of y_proba do not sum to 1; are they probabilities?", HintWarning, stacklevel=3)
    if kind == "multilabel":
        if true.shape != prob.shape:
            raise ShapeError(f"{function}: y_true is {true.shape} but y_proba {prob.shape}")
        return true, prob
    classes = np.unique(true if labels is None else np.asarray(plain(labels)))
    if len(classes) < 2:
        raise ArgumentError(f"{function}: only one class is known ({classes.tolist()}); give all classes by labels=")
    if not np.isin(true, classes).all():
        raise ArgumentError(f"{function}: y_true has classes that labels lacks: {np.setdiff1d(true, classes).tolist()[:10]}")
    if len(classes) != prob.shape[1]:
        raise ArgumentError(f"{function}: {len(classes)} classes but {prob.shape[1]} columns of y_proba; give all classes by labels=")
    return (true[:, None] == classes).astype(np.int64), prob


def log_loss(y_true: Any, y_proba: Any, *, normalize: bool = True, sample_weight: Any = None, labels: Any = None) -> float:
    """The mean cross-entropy of probabilities (of logits: `functional.cross_entropy`).

    Shapes: y_true (N,), y_proba (N, C) or (N,) of two classes -> scalar

    Formula: -(1/N) sum_n log p_n[y_n], p kept from eps to 1 - eps of its dtype

    Parameters
    ----------
    y_true : the classes (N,)
    y_proba : their probabilities, columns in sorted order of the classes; (N,) is that of the second of two
    normalize : True for the mean, False for the sum
    sample_weight : a number an example (N,)
    labels : all classes, where y_true may lack some

    Returns
    -------
    float

    Raises
    ------
    ArgumentError : numbers outside 0 to 1; classes that do not fit the columns

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.9, 0.1], [0.2, 0.8]]), 4)
    0.1643
    """
    prob = _probabilities("log_loss", y_proba)
    hot, prob = _one_hot("log_loss", y_true, prob, labels)
    weight = weights_of("log_loss", sample_weight, len(prob))
    eps = np.finfo(prob.dtype).eps
    loss = -np.sum(hot * np.log(np.clip(prob, eps, 1 - eps)), axis=1)
    if normalize:
        return float(np.average(loss, weights=weight))
    return float(loss.sum() if weight is None else loss @ weight)


def brier_score_loss(
    y_true: Any, y_proba: Any, *, sample_weight: Any = None, pos_label: Any = None, labels: Any = None, scale_by_half: bool | str = "auto"
) -> float:
    """The mean squared distance of probabilities from what happened.

    Shapes: y_true (N,), y_proba (N,) or (N, C) -> scalar

    Formula: (1/N) sum_n sum_c (p_nc - [y_n = c])^2, halved for two classes

    Parameters
    ----------
    y_true : the classes (N,)
    y_proba : the probability (N,) of the positive of two classes, or (N, C)
    sample_weight : a number an example (N,)
    pos_label : the positive class; by default 1, else the larger one
    labels : all classes, where y_true may lack some
    scale_by_half : halve, so that two classes range from 0 to 1; "auto": of two classes

    Returns
    -------
    float

    Raises
    ------
    ArgumentError : numbers outside 0 to 1; more than two classes with (N,)

    References
    ----------
    G. W. Brier, Verification of forecasts expressed in terms of probability, 1950.

    Examples
    --------
    >>> round(brier_score_loss([0, 1], [0.1, 0.7]), 4)
    0.05
    """
    name = "brier_score_loss"
    prob = _probabilities(name, y_proba)
    if prob.ndim == 1 or prob.shape[1] == 1:
        prob = prob.reshape(-1)
        true, kind = label_array(name, "y_true", y_true)
        if kind != "binary" or len(true) != len(prob):
            raise ArgumentError(f"{name}: probabilities (N,) are of two classes; y_true is {kind} of {len(true)} examples, y_proba of {len(prob)}")
        try:
            positive = positive_label(name, true, pos_label)
        except ArgumentError:
            if true.dtype.kind in "UO":
                raise
            positive = true.max()
        hit = (true == positive).astype(np.int64)
        hot, prob = np.stack([1 - hit, hit], axis=1), np.stack([1 - prob, prob], axis=1)
    else:
        hot, prob = _one_hot(name, y_true, prob, labels)
    score = np.average(np.sum((hot - prob) ** 2, axis=1), weights=weights_of(name, sample_weight, len(prob)))
    half = prob.shape[1] < 3 if scale_by_half == "auto" else scale_by_half
    return float(score / 2 if half else score)


def calibration_curve(y_true: Any, y_prob: Any, *, pos_label: Any = None, n_bins: int = 5, strategy: str = "uniform") -> tuple[Array, Array]:
    """How often the positive class happens where it is predicted with a given probability.

    Shapes: y_true (N,), y_prob (N,) -> prob_true (B,), prob_pred (B,), B at most n_bins

    Parameters
    ----------
    y_true : two classes (N,)
    y_prob : the probability of the positive one (N,)
    pos_label : the positive class; by default 1
    n_bins : into how many parts 0 to 1 is cut
    strategy : "uniform", parts of equal width, or "quantile", parts of as many examples

    Returns
    -------
    (share of positives, mean probability) of every bin that is not empty

    Raises
    ------
    ArgumentError : more than two classes, numbers outside 0 to 1, an unknown strategy

    Examples
    --------
    >>> true, predicted = calibration_curve([0, 0, 1, 1], [0.1, 0.2, 0.8, 1.0], n_bins=2)
    >>> true.tolist(), predicted.round(2).tolist()
    ([0.0, 1.0], [0.15, 0.9])
    """
    name = "calibration_curve"
    one_of(name, "strategy", strategy, ("uniform", "quantile"))
    prob = _probabilities(name, y_prob).reshape(-1)
    true, kind = label_array(name, "y_true", y_true)
    if kind != "binary" or len(true) != len(prob):
        raise ArgumentError(f"{name}: wants two classes and a probability each; y_true is {kind} of {len(true)} examples, y_prob of {len(prob)}")
    hit = true == positive_label(name, true, pos_label)
    _, happened, said = _bins(name, hit, prob, n_bins, strategy)
    return happened, said


def _bins(function: str, hit: Array, prob: Array, n_bins: int, strategy: str) -> tuple[Array, Array, Array]:
    """Of every bin (a, b] that is not empty: examples, share of hits, mean probability."""
    if n_bins < 1:
        raise ArgumentError(f"{function}: n_bins must be at least 1, not {n_bins}")
    edges = np.linspace(0, 1, n_bins + 1)
    if strategy == "quantile":
        edges = np.percentile(prob, edges * 100)
    place = np.searchsorted(edges[1:-1], prob)
    count, sums, hits = (np.bincount(place, weights=each, minlength=n_bins) for each in (None, prob, hit))
    there = count != 0
    return count[there], hits[there] / count[there], sums[there] / count[there]


def expected_calibration_error(y_true: Any, y_proba: Any, *, n_bins: int = 15, strategy: str = "uniform", norm: str = "l1") -> float:
    """How far stated probabilities are from what happens, over bins.

    Shapes: y_true (N,), y_proba (N,) of two classes or (N, C) -> scalar

    Formula: ECE = sum_b (n_b / N) |hits_b - mean probability_b|; "l2" the root of the weighted mean square; "max" the largest

    Parameters
    ----------
    y_true : the classes (N,): of (N, C) numbered 0 to C - 1, of (N,) 0 and 1
    y_proba : of (N,) the probability of class 1; of (N, C) the largest of a row is the confidence, right or wrong the hit
    n_bins : into how many parts 0 to 1 is cut
    strategy : "uniform" or "quantile"
    norm : "l1" (the expected error), "l2" or "max" (the maximum calibration error)

    Returns
    -------
    float from 0 to 1

    Raises
    ------
    ArgumentError : numbers outside 0 to 1, unknown words

    References
    ----------
    C. Guo et al., On calibration of modern neural networks, 2017.

    Examples
    --------
    Says 0.8 and is right half the time.

    >>> round(expected_calibration_error([0, 1], [[0.8, 0.2], [0.8, 0.2]]), 4)
    0.3
    """
    name = "expected_calibration_error"
    one_of(name, "strategy", strategy, ("uniform", "quantile"))
    one_of(name, "norm", norm, ("l1", "l2", "max"))
    prob = _probabilities(name, y_proba)
    true, kind = label_array(name, "y_true", y_true)
    if kind == "multilabel" or len(true) != len(prob):
        raise ShapeError(f"{name}: y_true must be (N,) with N = {len(prob)}, not {true.shape}")
    hit, confidence = (true == 1, prob) if prob.ndim == 1 else (prob.argmax(axis=1) == true, prob.max(axis=1))
    count, happened, said = _bins(name, hit, confidence, n_bins, strategy)
    share, gap = count / count.sum(), np.abs(happened - said)
    if norm == "max":
        return float(gap.max())
    return float(np.sum(share * gap)) if norm == "l1" else float(np.sqrt(np.sum(share * gap**2)))
