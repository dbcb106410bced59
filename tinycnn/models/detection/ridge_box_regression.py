"""R-CNN's box regression: from a region's features to the four numbers of its box, by ridge regression in closed form.

References
----------
Girshick et al.: Rich feature hierarchies, CVPR 2014, appendix C.
"""

from __future__ import annotations

import numpy as np

from ... import ops
from ...errors import ArgumentError, ShapeError, UsageError
from .box_coder import decode_boxes, encode_boxes

__all__ = ["RidgeBoxRegressor", "near_pairs"]


def near_pairs(proposals: np.ndarray, objects: np.ndarray, overlap: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """The proposals near enough to an object that a linear step can lead there, and the object each overlaps most.

    Shapes
    ------
    proposals (N, 4), objects (M, 4) -> positions (K,), (K,)

    Parameters
    ----------
    overlap : float
        Least intersection over union; 0.6 was the paper's choice on a validation set.

    Examples
    --------
    >>> near_pairs(np.array([[0.0, 0, 9, 10], [50, 50, 60, 60]]), np.array([[0.0, 0, 10, 10]]))
    (array([0]), array([0]))
    """
    if not len(objects) or not len(proposals):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    quality = ops.box_iou(proposals, objects).data
    near = np.flatnonzero(quality.max(axis=1) > overlap)
    return near, quality[near].argmax(axis=1)


class RidgeBoxRegressor:
    """One linear map from features to box numbers, of one class.

    Formula
    -------
    W = argmin sum_i |t_i - W [phi(P_i), 1]|^2 + lambda |W|^2 = ((X^T X + lambda I)^-1 X^T T)^T

    Parameters
    ----------
    regularisation : float
        lambda; 1000 in the paper, for features of pool5.

    Raises
    ------
    ArgumentError
        When lambda is not positive.

    Notes
    -----
    The constant feature counts in |W|^2, as in the authors' code.

    Examples
    --------
    >>> proposals = np.array([[0.0, 0, 10, 10], [0, 0, 20, 20]])
    >>> regressor = RidgeBoxRegressor(1e-9).fit(np.array([[1.0], [1.0]]), proposals, proposals + np.array([1.0, 0, 1, 0]) * [[1.0], [2.0]])
    >>> regressor.predict(np.array([[1.0]]), np.array([[0.0, 0, 40, 40]])).round(3).tolist()
    [[4.0, 0.0, 44.0, 40.0]]
    """

    def __init__(self, regularisation: float = 1000.0) -> None:
        if not regularisation > 0:
            raise ArgumentError(f"RidgeBoxRegressor: regularisation={regularisation} must be above 0; the paper's is 1000")
        self.regularisation = regularisation
        self.weights: np.ndarray | None = None  # (features + 1, 4), the constant's last

    def fit(self, features: np.ndarray, proposals: np.ndarray, objects: np.ndarray) -> RidgeBoxRegressor:
        """Learn from features (N, D) of proposals (N, 4) and the objects (N, 4) that each is near."""
        if features.ndim != 2 or proposals.shape != (len(features), 4) or objects.shape != proposals.shape:
            shapes = f"features {features.shape}, proposals {proposals.shape}, objects {objects.shape}"
            raise ShapeError(f"RidgeBoxRegressor.fit: {shapes} must be (N, D), (N, 4), (N, 4)")
        rows = with_constant(features)
        wanted = encode_boxes(objects.astype(np.float64), proposals.astype(np.float64))
        normal = rows.T @ rows + self.regularisation * np.eye(rows.shape[1])
        self.weights = np.linalg.solve(normal, rows.T @ wanted)
        return self

    def predict(self, features: np.ndarray, proposals: np.ndarray) -> np.ndarray:
        """The boxes (N, 4) that the proposals become."""
        if self.weights is None:
            raise UsageError("RidgeBoxRegressor.predict: there are no weights yet; call fit first")
        boxes: np.ndarray = decode_boxes(with_constant(features) @ self.weights, proposals.astype(np.float64))
        return boxes


def with_constant(features: np.ndarray) -> np.ndarray:
    """The features (N, D + 1) with a one behind each row."""
    return np.concatenate((features.astype(np.float64), np.ones((len(features), 1))), axis=1)
