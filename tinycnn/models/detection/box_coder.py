"""Box coders: how four numbers that a network can learn move a reference box to the object.

References
----------
Girshick et al.: Rich feature hierarchies, CVPR 2014, appendix C. Liu et al.: SSD, ECCV 2016, section 2.2 (the weights are "variances").
Tian et al.: FCOS, ICCV 2019, equation (1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import functional
from ...tensor import Tensor
from .pixel_rule import from_continuous, to_continuous

__all__ = ["BoxCoder", "BoxLinearCoder", "decode_boxes", "encode_boxes"]

Weights = tuple[float, float, float, float]

# exp(dw) and exp(dh) are limited to 1000 / 16: an early network's wild numbers must not become boxes of infinite size.
LARGEST_LOG = math.log(1000.0 / 16)


def centre_form(boxes: Any) -> tuple[Any, Any, Any, Any]:
    """Centre x, centre y, width and height of (..., 4) corners."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return boxes[..., 0] + 0.5 * width, boxes[..., 1] + 0.5 * height, width, height


def _stacked(parts: list[Any]) -> Any:
    """The four numbers of each box next to each other; of Tensors with their gradient."""
    if any(isinstance(part, Tensor) for part in parts):
        return functional.stack(parts, -1)
    return np.stack(parts, axis=-1)


def encode_boxes(objects: Any, references: Any, weights: Weights = (1.0, 1.0, 1.0, 1.0), *, rule: str = "continuous") -> Any:
    """The four numbers that move each reference box to its object.

    Shapes
    ------
    objects (..., 4), references (..., 4) -> (..., 4)

    Formula
    -------
    With P the reference box and G the object, each (centre x, centre y, width, height):
    t = (w_x (G_x - P_x) / P_w, w_y (G_y - P_y) / P_h, w_w log(G_w / P_w), w_h log(G_h / P_h))

    Parameters
    ----------
    objects, references : array or Tensor
        (x1, y1, x2, y2) in pixels; where one is a Tensor, so is the result, with gradients to both.
    weights : four numbers
        w_x, w_y, w_w, w_h; SSD's "variances" are 1 / w: 0.1, 0.1, 0.2, 0.2.
    rule : str
        "continuous", or "inclusive" for corners that are the last pixels inside.

    Examples
    --------
    >>> encode_boxes(np.array([5.0, 0, 15, 20]), np.array([0.0, 0, 10, 10])).round(4).tolist()
    [0.5, 0.5, 0.0, 0.6931]
    """
    x, y, width, height = centre_form(to_continuous(objects, rule))
    reference_x, reference_y, reference_width, reference_height = centre_form(to_continuous(references, rule))
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = (
            (x - reference_x) / reference_width,
            (y - reference_y) / reference_height,
            _log(width / reference_width),
            _log(height / reference_height),
        )
    return _stacked([number * weight for weight, number in zip(weights, numbers, strict=True)])


def decode_boxes(
    numbers: Any, references: Any, weights: Weights = (1.0, 1.0, 1.0, 1.0), clip: float = LARGEST_LOG, *, rule: str = "continuous"
) -> Any:
    """The boxes that four numbers make of each reference box; the inverse of `encode_boxes`.

    Shapes
    ------
    numbers (..., 4), references (..., 4) -> (..., 4)

    Formula
    -------
    G = (P_x + P_w t_x / w_x, P_y + P_h t_y / w_y, P_w exp(min(t_w / w_w, clip)), P_h exp(min(t_h / w_h, clip)))

    Parameters
    ----------
    numbers, references : array or Tensor
        Where one is a Tensor, so is the result; a clipped number has no gradient.
    weights, rule
        As in `encode_boxes`.
    clip : float
        Upper limit of t_w / w_w and t_h / w_h: a box grows 62.5-fold at most.

    Notes
    -----
    By the inclusive rule x2 = G_x + G_w / 2 - 1, as in Detectron; py-faster-rcnn forgot the "- 1", so its decoded boxes are a pixel too large.

    Examples
    --------
    >>> decode_boxes(np.array([0.5, 0.5, 0.0, np.log(2)]), np.array([0.0, 0, 10, 10])).round(9).tolist()
    [5.0, 0.0, 15.0, 20.0]
    """
    x, y, width, height = centre_form(to_continuous(references, rule))
    dx, dy, dw, dh = (numbers[..., k] / weight for k, weight in enumerate(weights))
    new_x, new_y = dx * width + x, dy * height + y
    half_width, half_height = 0.5 * _exp(dw, clip) * width, 0.5 * _exp(dh, clip) * height
    corners = _stacked([new_x - half_width, new_y - half_height, new_x + half_width, new_y + half_height])
    return from_continuous(corners, rule)


def _log(ratio: Any) -> Any:
    return functional.log(ratio) if isinstance(ratio, Tensor) else np.log(ratio)


def _exp(number: Any, clip: float) -> Any:
    """Limited, then exp."""
    if isinstance(number, Tensor):
        return functional.exp(functional.clamp(number, max=clip))
    return np.exp(np.minimum(number, clip))


class BoxCoder:
    """Shift of the centre in parts of the reference box, and logarithm of the ratio of sides, each times a weight.

    `encode_boxes` and `decode_boxes` with their options fixed.

    Parameters
    ----------
    weights : four numbers
        w_x, w_y, w_w, w_h: (10, 10, 5, 5) for Fast R-CNN's heads and SSD, 1 for the RPN and RetinaNet.
    bbox_xform_clip : float
        Upper limit of t_w / w_w and t_h / w_h; log(1000 / 16) if left out.

    Examples
    --------
    >>> coder = BoxCoder((1, 1, 1, 1))
    >>> reference, thing = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 20]])
    >>> coder.encode_single(thing, reference).round(4).tolist()
    [[0.5, 0.5, 0.0, 0.6931]]
    >>> coder.decode_single(coder.encode_single(thing, reference), reference).round(9).tolist()
    [[5.0, 0.0, 15.0, 20.0]]
    """

    def __init__(self, weights: tuple[float, float, float, float], bbox_xform_clip: float = LARGEST_LOG) -> None:
        self.weights = weights
        self.bbox_xform_clip = bbox_xform_clip

    def encode_single(self, objects: np.ndarray, references: np.ndarray) -> np.ndarray:
        """The numbers (N, 4) that move each reference box to its object."""
        numbers: np.ndarray = encode_boxes(objects, references, self.weights)
        return numbers

    def decode_single(self, numbers: np.ndarray, references: np.ndarray) -> np.ndarray:
        """The boxes (N, 4 K) that (N, 4 K) numbers make of (N, 4) reference boxes; K is the number of classes that have boxes of their own."""
        per_class = numbers.reshape(len(references), numbers.shape[1] // 4, 4)
        boxes: np.ndarray = decode_boxes(per_class, references[:, None], self.weights, self.bbox_xform_clip)
        return boxes.reshape(numbers.shape)


class BoxLinearCoder:
    """FCOS's coder: the distances from a point to the four sides of its box.

    Formula
    -------
    t = (x - x1, y - y1, x2 - x, y2 - y), with (x, y) the reference's centre, divided by its width and height where `normalize_by_size`.

    Examples
    --------
    >>> BoxLinearCoder().encode(np.array([[0.0, 0, 4, 4]]), np.array([[1.0, 1, 5, 3]])).tolist()
    [[0.25, 0.25, 0.75, 0.25]]
    """

    def __init__(self, normalize_by_size: bool = True) -> None:
        self.normalize_by_size = normalize_by_size

    def encode(self, references: np.ndarray, objects: np.ndarray) -> np.ndarray:
        """The distances (..., 4)."""
        x, y, width, height = centre_form(references)
        distances = np.stack((x - objects[..., 0], y - objects[..., 1], objects[..., 2] - x, objects[..., 3] - y), axis=-1)
        return distances / np.stack((width, height, width, height), axis=-1) if self.normalize_by_size else distances

    def decode(self, distances: Any, references: np.ndarray) -> Any:
        """The boxes (..., 4); of a Tensor, with its gradient."""
        x, y, width, height = centre_form(references)
        scaled = distances * np.stack((width, height, width, height), axis=-1) if self.normalize_by_size else distances
        edges = [x - scaled[..., 0], y - scaled[..., 1], x + scaled[..., 2], y + scaled[..., 3]]
        if isinstance(distances, Tensor):
            return functional.stack([Tensor(edge) if isinstance(edge, np.ndarray) else edge for edge in edges], -1)
        return np.stack(edges, axis=-1)
