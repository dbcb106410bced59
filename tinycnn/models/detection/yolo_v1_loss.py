"""YOLO v1's loss, as published: five terms, one responsible predictor an object, confidence that is an overlap.

References
----------
Redmon, Divvala, Girshick, Farhadi: You only look once: unified, real-time object detection, CVPR 2016, section 2.2, equation (3). Its sums run
over i = 0 .. S^2 - 1 and j = 0 .. B - 1; printed is one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional
from ...errors import ShapeError
from ...tensor import Tensor
from .box_coder import centre_form
from .generalized_rcnn import Target
from .yolo_grid import class_indices

__all__ = ["ResponsiblePredictors", "decode_yolo_v1", "responsible_predictors", "safe_sqrt", "yolo_v1_loss", "yolo_v1_scores"]

# Below it, in parts of the image's side, the square root goes on as its tangent: 1e-4 of 448 pixels is a twentieth of a pixel.
SMALLEST_SIDE = 1e-4


def safe_sqrt(x: Any, smallest: float = SMALLEST_SIDE) -> Tensor:
    """The square root, continued below `smallest` by its tangent there: finite slopes at zero and below, where the root has none.

    Formula
    -------
    sqrt(x) for x >= m, else sqrt(m) + (x - m) / (2 sqrt(m)).

    Examples
    --------
    >>> safe_sqrt(np.array([0.25, 0.0, -1.0])).tolist()
    [0.5, 0.005, -49.995]
    """
    x = x if isinstance(x, Tensor) else Tensor(np.asarray(x))
    root = float(np.sqrt(smallest))
    return functional.where(x.data >= smallest, functional.sqrt(functional.clamp(x, min=smallest)), root + (x - smallest) / (2 * root))


def cell_numbers(raw: Any, boxes: int) -> tuple[Any, Any]:
    """A cell's boxes (..., S, S, B, 5), each x, y, width, height, confidence, and its classes (..., S, S, C)."""
    rows, columns, numbers = raw.shape[-3:]
    if numbers <= 5 * boxes:
        raise ShapeError(f"YOLO v1: {numbers} numbers a cell are not {boxes} boxes of 5 and the classes; there must be more than {5 * boxes}")
    return raw[..., : 5 * boxes].reshape(*raw.shape[:-3], rows, columns, boxes, 5), raw[..., 5 * boxes :]


def decode_yolo_v1(raw: np.ndarray, boxes: int, size: tuple[int, int], predicts_roots: bool = True) -> np.ndarray:
    """The boxes (..., S, S, B, 4) that a cell's numbers (..., S, S, 5 B + C) mean, corners in pixels.

    Formula
    -------
    In cell (i, j): centre ((j + x) / S, (i + y) / S), sides r_w^2 and r_h^2 where roots are predicted, all times the image's sides.

    Examples
    --------
    >>> raw = np.zeros((2, 2, 6))
    >>> raw[1, 0, :4] = 0.5
    >>> decode_yolo_v1(raw, 1, (8, 8))[1, 0, 0].tolist()
    [1.0, 5.0, 3.0, 7.0]
    """
    numbers, _ = cell_numbers(raw, boxes)
    rows, columns = numbers.shape[-4:-2]
    x = (numbers[..., 0] + np.arange(columns)[:, None]) / columns
    y = (numbers[..., 1] + np.arange(rows)[:, None, None]) / rows
    width, height = (numbers[..., k] ** 2 if predicts_roots else numbers[..., k] for k in (2, 3))
    corners = np.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), axis=-1)
    return (corners * (size[1], size[0], size[1], size[0])).astype(raw.dtype)


def yolo_v1_scores(raw: np.ndarray, boxes: int) -> np.ndarray:
    """Each class's score (..., S, S, B, C): the box's confidence times the cell's Pr(class | object), equation (1)."""
    numbers, classes = cell_numbers(raw, boxes)
    return numbers[..., 4:] * classes[..., None, :]


@dataclass(frozen=True)
class ResponsiblePredictors:
    """Who answers for which object: one entry an object that a cell took."""

    image: np.ndarray
    row: np.ndarray
    column: np.ndarray
    predictor: np.ndarray
    overlap: np.ndarray  # of the predicted box with the object: what the confidence should be
    truth: np.ndarray  # (K, 4) x and y in the cell, width and height in parts of the image
    label: np.ndarray  # from 0


def responsible_predictors(
    raw: np.ndarray, targets: Sequence[Target], boxes: int, size: tuple[int, int], predicts_roots: bool = True
) -> ResponsiblePredictors:
    """The cell that holds an object's centre, and of its predictors the one whose box overlaps the object most.

    Parameters
    ----------
    raw
        (N, S, S, 5 B + C), what the network said.
    targets
        Boxes in pixels, labels from 1.
    boxes
        B, predictors of a cell.
    size : (height, width)
        Of the image.
    predicts_roots
        As in `yolo_v1_loss`.

    Notes
    -----
    A cell has one object: of several centres the first one's. Where no box overlaps, the one nearest by the squared differences of
    (x, y, width, height) answers, as in the authors' program; the paper does not say.
    """
    _, rows, columns, _ = raw.shape
    labels = np.concatenate([np.zeros(0, np.int64), *class_indices("YOLO v1", targets, raw.shape[-1] - 5 * boxes)])
    objects = np.concatenate([np.asarray(target["boxes"], np.float64).reshape(-1, 4) for target in targets])
    image = np.repeat(np.arange(len(targets)), [len(target["boxes"]) for target in targets])
    shares = np.array((size[1], size[0]) * 2)
    x, y, width, height = (np.stack(centre_form(objects), axis=-1) / shares).T
    column, row = (np.clip((part * cells).astype(np.int64), 0, cells - 1) for part, cells in ((x, columns), (y, rows)))
    first = np.sort(np.unique(np.ravel_multi_index((image, row, column), raw.shape[:3]), return_index=True)[1])
    own = decode_yolo_v1(raw, boxes, size, predicts_roots)[image, row, column].astype(np.float64)
    overlaps = positive_overlaps(own, objects[:, None])
    distances = ((np.stack(centre_form(own - objects[:, None]), axis=-1) / shares) ** 2).sum(axis=-1)
    predictor = np.where(overlaps.max(axis=1, initial=0) > 0, overlaps.argmax(axis=1), distances.argmin(axis=1))
    overlap = overlaps[np.arange(len(objects)), predictor].astype(raw.dtype)
    truth = np.stack((x * columns - column, y * rows - row, width, height), axis=-1).astype(raw.dtype)
    return ResponsiblePredictors(*(part[first] for part in (image, row, column, predictor, overlap, truth, labels)))


def positive_overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (..., 4) each with its other; a predicted side below zero is a side of zero."""
    x, y, width, height = centre_form(boxes)
    half = np.stack((np.maximum(width, 0), np.maximum(height, 0)), axis=-1) / 2
    centre = np.stack((x, y), axis=-1)
    shared = np.prod(np.maximum(np.minimum(centre + half, others[..., 2:]) - np.maximum(centre - half, others[..., :2]), 0), axis=-1)
    union = np.prod(2 * half, axis=-1) + np.prod(others[..., 2:] - others[..., :2], axis=-1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def yolo_v1_loss(
    raw: Tensor,
    targets: Sequence[Target],
    size: tuple[int, int],
    boxes: int = 2,
    lambda_coord: float = 5.0,
    lambda_noobj: float = 0.5,
    predicts_roots: bool = True,
) -> dict[str, Tensor]:
    """The five terms, each with its weight, so that their sum is the loss; the mean over the images.

    Formula
    -------
    With 1_ij = 1 where predictor j of cell i is responsible for an object, 1_i where one of cell i's is:

        loss_xy            lambda_coord sum 1_ij ((x - x^)^2 + (y - y^)^2)
        loss_wh            lambda_coord sum 1_ij ((sqrt w - sqrt w^)^2 + (sqrt h - sqrt h^)^2)
        loss_object        sum 1_ij (C - IoU)^2
        loss_no_object     lambda_noobj sum (1 - 1_ij) C^2
        loss_class         sum 1_i sum_c (p(c) - p^(c))^2

    Parameters
    ----------
    raw : Tensor
        (N, S, S, 5 B + C).
    targets
        For each image "boxes" (K, 4), corners in pixels of the network's image, and "labels" (K,), 1 or more.
    size : (height, width)
        Of the network's image.
    boxes : int
        B.
    lambda_coord, lambda_noobj : float
        Weights of the first two terms and of the fourth.
    predicts_roots : bool
        The network's third and fourth number are the roots of the sides, as section 2.2 says; else the sides, whose roots `safe_sqrt` takes.

    Returns
    -------
    dict of Tensor
        The terms.

    Notes
    -----
    The target of the confidence is the overlap of the predicted box at this moment, a constant for the gradient. "No object" are all predictors
    that are not responsible, those beside a responsible one in its cell too: both are often programmed otherwise.

    Examples
    --------
    >>> raw = Tensor(np.zeros((1, 2, 2, 6)))
    >>> terms = yolo_v1_loss(raw, [{"boxes": np.array([[0.0, 0, 4, 4]]), "labels": np.array([1])}], (8, 8), boxes=1)
    >>> {name: round(term.item(), 6) for name, term in terms.items()}
    {'loss_xy': 2.5, 'loss_wh': 5.0, 'loss_object': 0.0, 'loss_no_object': 0.0, 'loss_class': 1.0}
    """
    numbers, classes = cell_numbers(raw, boxes)
    found = responsible_predictors(raw.data, targets, boxes, size, predicts_roots)
    cells = (found.image, found.row, found.column)
    own = numbers[(*cells, found.predictor)]
    truth = found.truth
    roots = own[:, 2:4] if predicts_roots else safe_sqrt(own[:, 2:4])
    wanted_roots = np.sqrt(truth[:, 2:]) if predicts_roots else safe_sqrt(truth[:, 2:]).data
    free = np.ones(numbers.shape[:-1], raw.dtype)
    free[(*cells, found.predictor)] = 0
    wanted_classes = np.zeros((len(found.label), classes.shape[-1]), raw.dtype)
    wanted_classes[np.arange(len(found.label)), found.label] = 1
    terms = {
        "loss_xy": lambda_coord * squares(own[:, :2] - Tensor(truth[:, :2])),
        "loss_wh": lambda_coord * squares(roots - Tensor(wanted_roots)),
        "loss_object": squares(own[:, 4] - Tensor(found.overlap)),
        "loss_no_object": lambda_noobj * squares(numbers[..., 4] * Tensor(free)),
        "loss_class": squares(classes[cells] - Tensor(wanted_classes)),
    }
    return {name: term / raw.shape[0] for name, term in terms.items()}


def squares(differences: Tensor) -> Tensor:
    """Their sum."""
    return (differences * differences).sum()
