"""A linear support vector machine: what a network's codes are worth to the simplest good classifier."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ..errors import ArgumentError, ShapeError

__all__ = ["LinearSVM"]


class LinearSVM:
    """One hyperplane a class against all others, with the largest margin, by the squared hinge loss.

    Formula
    -------
    for each class: min over w of 1/2 |w|^2 + C sum_n max(0, 1 - t[n] (w . [x[n], 1]))^2, t[n] = 1 for the class, else -1

    Parameters
    ----------
    C : float
        How dear an example inside the margin is; small values prefer a wide margin.
    rounds : int
        Most steps of L-BFGS.

    Raises
    ------
    ArgumentError
        When C is not above zero.

    Notes
    -----
    The bias is a weight of a constant feature and counts in |w|^2, as in LIBLINEAR and scikit-learn's LinearSVC.

    References
    ----------
    Cortes and Vapnik 1995, "Support-vector networks". Fan et al. 2008, "LIBLINEAR", equation 1 with the loss of L2-SVM.

    Examples
    --------
    >>> svm = LinearSVM().fit(np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1]))
    >>> svm.predict(np.array([[-3.0], [0.5]]))
    array([0, 1])
    """

    def __init__(self, C: float = 1.0, rounds: int = 1000) -> None:  # the letter is the literature's and scikit-learn's
        if not C > 0:
            raise ArgumentError(f"LinearSVM: C must be greater than 0, got {C!r}")
        self.C, self.rounds = float(C), int(rounds)
        self.weights = np.empty((0, 0))  # (classes, features + 1), the bias last

    def fit(self, codes: np.ndarray, labels: np.ndarray) -> LinearSVM:
        """Find the hyperplanes; codes (N, features), labels (N,) class numbers."""
        if codes.ndim != 2 or labels.shape != (len(codes),) or not len(codes):
            raise ShapeError(f"LinearSVM.fit: codes {codes.shape} must be (count, features) and labels {labels.shape} one a row")
        rows = _with_one(codes)
        classes = int(labels.max()) + 1
        self.weights = np.stack([self._one_class(rows, np.where(labels == label, 1.0, -1.0)) for label in range(classes)])
        return self

    def _one_class(self, rows: np.ndarray, signs: np.ndarray) -> np.ndarray:
        def objective(weight: np.ndarray) -> tuple[float, np.ndarray]:
            shortfall = np.maximum(0.0, 1 - signs * (rows @ weight))
            value = 0.5 * weight @ weight + self.C * shortfall @ shortfall
            return float(value), weight - 2 * self.C * (rows.T @ (signs * shortfall))

        found = minimize(objective, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": self.rounds})
        return np.asarray(found.x)

    def decision(self, codes: np.ndarray) -> np.ndarray:
        """The signed distance to each class's hyperplane times |w|, (N, classes)."""
        if not self.weights.size or codes.ndim != 2 or codes.shape[1] + 1 != self.weights.shape[1]:
            raise ShapeError(f"LinearSVM: codes {codes.shape} do not fit a machine of {self.weights.shape[1] - 1} features; call fit first")
        return np.asarray(_with_one(codes) @ self.weights.T)

    def predict(self, codes: np.ndarray) -> np.ndarray:
        """The class whose hyperplane is furthest below each code."""
        return self.decision(codes).argmax(1)


def _with_one(codes: np.ndarray) -> np.ndarray:
    return np.hstack([codes.astype(np.float64), np.ones((len(codes), 1))])
