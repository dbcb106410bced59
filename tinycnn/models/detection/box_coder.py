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

__all__ = ["BoxCoder", "BoxLinearCoder"]

# exp(dw) and exp(dh) are limited to 1000 / 16: an early network's wild numbers must not become boxes of infinite size.
LARGEST_LOG = math.log(1000.0 / 16)


def centre_form(boxes: Any) -> tuple[Any, Any, Any, Any]:
    """Centre x, centre y, width and height of (..., 4) corners."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return boxes[..., 0] + 0.5 * width, boxes[..., 1] + 0.5 * height, width, height


class BoxCoder:
    """Shift of the centre in parts of the reference box, and logarithm of the ratio of sides, each times a weight.

    Formula
    -------
    With P the reference box and G the object, each (centre x, centre y, width, height):

        t = (w_x (G_x - P_x) / P_w, w_y (G_y - P_y) / P_h, w_w log(G_w / P_w), w_h log(G_h / P_h))
        G = (P_x + P_w t_x / w_x, P_y + P_h t_y / w_y, P_w exp(min(t_w / w_w, clip)), P_h exp(min(t_h / w_h, clip)))

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
        x, y, width, height = centre_form(objects)
        reference_x, reference_y, reference_width, reference_height = centre_form(references)
        with np.errstate(divide="ignore", invalid="ignore"):
            numbers = (
                (x - reference_x) / reference_width,
                (y - reference_y) / reference_height,
                np.log(width / reference_width),
                np.log(height / reference_height),
            )
        return np.stack([weight * number for weight, number in zip(self.weights, numbers, strict=True)], axis=-1)

    def decode_single(self, numbers: np.ndarray, references: np.ndarray) -> np.ndarray:
        """The boxes (N, 4 K) that (N, 4 K) numbers make of (N, 4) reference boxes; K is the number of classes that have boxes of their own."""
        x, y, width, height = (each[:, None] for each in centre_form(references))
        per_class = numbers.reshape(len(references), numbers.shape[1] // 4, 4)
        dx, dy, dw, dh = (per_class[..., k] / weight for k, weight in enumerate(self.weights))
        new_x, new_y = dx * width + x, dy * height + y
        half_width = 0.5 * np.exp(np.minimum(dw, self.bbox_xform_clip)) * width
        half_height = 0.5 * np.exp(np.minimum(dh, self.bbox_xform_clip)) * height
        boxes = np.stack((new_x - half_width, new_y - half_height, new_x + half_width, new_y + half_height), axis=-1)
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
