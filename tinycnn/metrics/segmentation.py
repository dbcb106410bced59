"""How well label maps agree: pixel accuracy, intersection over union and Dice, with what absent classes count said by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError, ShapeError
from ._targets import Array, one_of, plain
from .confusion import true_rows

ABSENT = ("skip", "zero", "one", "nan")


def segmentation_confusion(target: Any, prediction: Any, num_classes: int, *, ignore_index: int | None = 255) -> Array:
    """Count every pair of true (row) and predicted (column) class over all pixels.

    Shapes: target (...), prediction (...) -> (C, C)

    Parameters
    ----------
    target : whole numbers of any shape, the true class of every pixel
    prediction : whole numbers of the same shape
    num_classes : C; classes are 0 to C - 1
    ignore_index : the class of pixels that are left out wherever the truth has it; None for none

    Returns
    -------
    int64 array (C, C)

    Raises
    ------
    ShapeError : the shapes differ
    DtypeError : no whole numbers (scores want an argmax over the class axis first)
    ArgumentError : a class that is not below C

    Examples
    --------
    >>> segmentation_confusion([[0, 1], [1, 255]], [[0, 1], [0, 0]], 2)
    array([[1, 0],
           [1, 1]])
    """
    maps = []
    for name, value in (("target", target), ("prediction", prediction)):
        values = np.asarray(plain(value))
        if values.dtype.kind not in "iub":
            raise DtypeError(f"segmentation: {name} must be whole numbers, not {values.dtype}; for scores take argmax over the class axis first")
        maps.append(values.astype(np.int64))
    true, guess = maps
    if true.shape != guess.shape:
        raise ShapeError(f"segmentation: target is {true.shape} but prediction {guess.shape}; resize the prediction to the target")
    if num_classes < 1:
        raise ArgumentError(f"segmentation: num_classes must be at least 1, not {num_classes}")
    if ignore_index is not None:
        counted = true != ignore_index
        true, guess = true[counted], guess[counted]
    for name, values in (("target", true), ("prediction", guess)):
        if values.size and (values.min() < 0 or values.max() >= num_classes):
            raise ArgumentError(
                f"segmentation: {name} holds classes from {values.min()} to {values.max()}, but {num_classes} classes are numbered "
                f"0 to {num_classes - 1}; ignore_index={ignore_index} is what the truth may hold besides"
            )
    cells = true.ravel() * num_classes + guess.ravel()
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes).astype(np.int64)


@dataclass(frozen=True)
class SegmentationScores:
    """Per-class accuracy, IoU and Dice (C,), and the means over them; `absent` says what counted for classes without pixels."""

    matrix: Array
    class_accuracy: Array
    class_iou: Array
    class_dice: Array
    absent: str
    absent_classes: tuple[int, ...]

    @property
    def pixel_accuracy(self) -> float:
        """The share of pixels that are right; nan where there are none."""
        return float(np.trace(self.matrix) / self.matrix.sum()) if self.matrix.sum() else float("nan")

    @property
    def mean_accuracy(self) -> float:
        """The mean of the classes' accuracies."""
        return self._mean(self.class_accuracy)

    @property
    def mean_iou(self) -> float:
        """The mean of the classes' intersections over unions."""
        return self._mean(self.class_iou)

    @property
    def mean_dice(self) -> float:
        """The mean of the classes' Dice coefficients."""
        return self._mean(self.class_dice)

    @property
    def frequency_weighted_iou(self) -> float:
        """The classes' IoU weighted by their share of true pixels."""
        share = self.matrix.sum(axis=1)
        there = share > 0
        return float(np.sum(share[there] * self.class_iou[there]) / share.sum()) if there.any() else float("nan")

    def _mean(self, values: Array) -> float:
        counted = values[~np.isnan(values)] if self.absent == "skip" else values
        return float(counted.mean()) if len(counted) else float("nan")

    def text(self) -> str:
        """Every number with the policy it was counted by."""
        words = {"skip": "left out of the means", "zero": "counted as 0", "one": "counted as 1", "nan": "kept as nan"}[self.absent]
        names = ", ".join(map(str, self.absent_classes))
        lines = [
            f"pixel accuracy {self.pixel_accuracy:.4f}, mean accuracy {self.mean_accuracy:.4f}, mean IoU {self.mean_iou:.4f}, "
            f"frequency-weighted IoU {self.frequency_weighted_iou:.4f}, mean Dice {self.mean_dice:.4f}",
            f"classes in neither truth nor prediction: {names or 'none'}{f', {words}' if names else ''}",
        ]
        return "\n".join(lines)


def segmentation_scores(matrix: Any, *, absent: str = "skip", orientation: str = "true_rows") -> SegmentationScores:
    """Accuracy, IoU and Dice of every class and their means, from the counts of pixels.

    Shapes: matrix (C, C) -> arrays (C,) and numbers

    Formula: accuracy_i = n_ii / t_i;  IoU_i = n_ii / (t_i + p_i - n_ii);  Dice_i = 2 n_ii / (t_i + p_i);
    t_i true and p_i predicted pixels. Pixel accuracy sum n_ii / sum t_i; frequency-weighted IoU sum t_i IoU_i / sum t_i

    Parameters
    ----------
    matrix : counts (C, C) of `segmentation_confusion`, summed over as many images as the means shall cover
    absent : what a class without pixels in truth and prediction counts, 0/0: "skip" (left out of means, nan in its row), "zero",
        "one" or "nan" (the means are nan too). A class accuracy is 0/0 as soon as the truth lacks the class
    orientation : "true_rows" or "predicted_rows"

    Returns
    -------
    SegmentationScores

    Raises
    ------
    ShapeError : the matrix is not square
    ArgumentError : an unknown word

    Notes
    -----
    Libraries differ in what an absent class counts (0, 1, nan or nothing), which moves mean IoU by whole points on small
    images; so it is named here and printed.

    References
    ----------
    J. Long, E. Shelhamer and T. Darrell, Fully convolutional networks for semantic segmentation, 2015, section 5.

    Examples
    --------
    >>> scores = segmentation_scores([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    >>> scores.pixel_accuracy, round(scores.mean_iou, 4), scores.absent_classes
    (0.875, 0.775, (2,))
    >>> round(segmentation_scores([[3, 1, 0], [0, 4, 0], [0, 0, 0]], absent="zero").mean_iou, 4)
    0.5167
    """
    one_of("segmentation_scores", "absent", absent, ABSENT)
    counts = true_rows("segmentation_scores", matrix, orientation)
    right, true, guess = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    value = {"skip": np.nan, "nan": np.nan, "zero": 0.0, "one": 1.0}[absent]

    def share(top: Array, bottom: Array) -> Array:
        return np.where(bottom == 0, value, top / np.where(bottom == 0, 1, bottom))

    union = true + guess - right
    absent_classes = tuple(np.flatnonzero(union == 0).tolist())
    return SegmentationScores(counts, share(right, true), share(right, union), share(2 * right, true + guess), absent, absent_classes)


def _scores_of(target: Any, prediction: Any, num_classes: int, ignore_index: int | None, absent: str) -> SegmentationScores:
    return segmentation_scores(segmentation_confusion(target, prediction, num_classes, ignore_index=ignore_index), absent=absent)


def pixel_accuracy(target: Any, prediction: Any, num_classes: int, *, ignore_index: int | None = 255) -> float:
    """The share of pixels whose class is right.

    Parameters
    ----------
    target, prediction, num_classes, ignore_index : as in `segmentation_confusion`

    Returns
    -------
    float

    Examples
    --------
    >>> pixel_accuracy([[0, 1], [1, 255]], [[0, 1], [1, 0]], 2)
    1.0
    """
    return _scores_of(target, prediction, num_classes, ignore_index, "skip").pixel_accuracy


def mean_accuracy(target: Any, prediction: Any, num_classes: int, *, ignore_index: int | None = 255, absent: str = "skip") -> float:
    """The mean over classes of the share of their pixels that is right.

    Parameters
    ----------
    target, prediction, num_classes, ignore_index : as in `segmentation_confusion`
    absent : as in `segmentation_scores`

    Returns
    -------
    float

    Examples
    --------
    >>> mean_accuracy([0, 0, 0, 1], [0, 0, 0, 0], 2)
    0.5
    """
    return _scores_of(target, prediction, num_classes, ignore_index, absent).mean_accuracy


def mean_iou(
    target: Any, prediction: Any, num_classes: int, *, ignore_index: int | None = 255, absent: str = "skip", per: str = "dataset"
) -> float:
    """The mean over classes of intersection over union.

    Parameters
    ----------
    target, prediction, num_classes, ignore_index : as in `segmentation_confusion`
    absent : as in `segmentation_scores`
    per : "dataset" counts all pixels together; "image" means the mean IoU of every image along axis 0

    Returns
    -------
    float

    Raises
    ------
    ArgumentError : an unknown word

    Examples
    --------
    >>> mean_iou([[0, 0], [0, 1]], [[0, 0], [1, 1]], 2)
    0.5833333333333333
    >>> mean_iou([[0, 0], [0, 1]], [[0, 0], [1, 1]], 2, per="image")
    0.625
    """
    return _mean_of("mean_iou", target, prediction, num_classes, ignore_index, absent, per)


def mean_dice(
    target: Any, prediction: Any, num_classes: int, *, ignore_index: int | None = 255, absent: str = "skip", per: str = "dataset"
) -> float:
    """The mean over classes of the Dice coefficient, twice the intersection over the sum of both.

    Parameters
    ----------
    target, prediction, num_classes, ignore_index, absent, per : as in `mean_iou`

    Returns
    -------
    float

    Raises
    ------
    ArgumentError : an unknown word

    Examples
    --------
    >>> round(mean_dice([0, 0, 0, 1], [0, 0, 1, 1], 2), 4)
    0.7333
    """
    return _mean_of("mean_dice", target, prediction, num_classes, ignore_index, absent, per)


def _mean_of(name: str, target: Any, prediction: Any, num_classes: int, ignore_index: int | None, absent: str, per: str) -> float:
    one_of(name, "per", per, ("dataset", "image"))
    pairs: Iterable[tuple[Any, Any]] = [(target, prediction)]
    if per == "image":
        pairs = zip(np.asarray(plain(target)), np.asarray(plain(prediction)), strict=True)
    values = np.array([getattr(_scores_of(true, guess, num_classes, ignore_index, absent), name) for true, guess in pairs])
    known = values[~np.isnan(values)] if absent == "skip" else values
    return float(known.mean()) if len(known) else float("nan")


def frequency_weighted_iou(target: Any, prediction: Any, num_classes: int, *, ignore_index: int | None = 255) -> float:
    """Intersection over union weighted by the classes' shares of the true pixels.

    Parameters
    ----------
    target, prediction, num_classes, ignore_index : as in `segmentation_confusion`

    Returns
    -------
    float

    Examples
    --------
    >>> frequency_weighted_iou([0, 0, 0, 1], [0, 0, 1, 1], 2)
    0.625
    """
    return _scores_of(target, prediction, num_classes, ignore_index, "skip").frequency_weighted_iou
