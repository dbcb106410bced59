"""Two readings of four numbers: corners as places between pixels, or as the first and last pixel inside ("+1", the legacy rule).

Pascal VOC's tools, R-CNN, Fast R-CNN, py-faster-rcnn and the first Detectron count pixels; COCO, torchvision and Detectron2 measure lengths. The
same box (0, 0, 15, 15) is 16 pixels wide to the first and 15 to the second.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from ... import ops
from ...functional._arguments import one_of
from ...tensor import Tensor

__all__ = ["RULES", "area_by_rule", "from_continuous", "iou_by_rule", "nms_by_rule", "to_continuous"]

RULES = ("continuous", "inclusive")
LAST_PIXEL = np.array([0.0, 0.0, 1.0, 1.0])

Boxes = TypeVar("Boxes", np.ndarray, Tensor)


def to_continuous(boxes: Boxes, rule: str) -> Boxes:
    """The places between pixels that enclose a box which a rule describes.

    Shapes
    ------
    (..., 4) -> (..., 4)

    Parameters
    ----------
    boxes : array or Tensor
        (x1, y1, x2, y2) in pixels.
    rule : str
        "continuous": they are already; "inclusive": x2 and y2 are the last pixels inside.

    Raises
    ------
    ArgumentError
        For another rule.

    Examples
    --------
    >>> to_continuous(np.array([0.0, 0.0, 15.0, 15.0]), "inclusive").tolist()
    [0.0, 0.0, 16.0, 16.0]
    """
    one_of("to_continuous", "rule", rule, RULES)
    return boxes if rule == "continuous" else boxes + LAST_PIXEL.astype(_float_of(boxes))


def from_continuous(boxes: Boxes, rule: str) -> Boxes:
    """The other way; arguments as in `to_continuous`.

    Examples
    --------
    >>> from_continuous(np.array([0.0, 0.0, 16.0, 16.0]), "inclusive").tolist()
    [0.0, 0.0, 15.0, 15.0]
    """
    one_of("from_continuous", "rule", rule, RULES)
    return boxes if rule == "continuous" else boxes - LAST_PIXEL.astype(_float_of(boxes))


def _float_of(boxes: Any) -> np.dtype[Any]:
    """The dtype of the boxes, float64 for whole numbers."""
    dtype = np.dtype(boxes.dtype)
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def area_by_rule(boxes: Any, rule: str = "continuous") -> Tensor:
    """`ops.box_area` by either rule, with its gradient.

    Examples
    --------
    >>> box = np.array([[0.0, 0.0, 15.0, 15.0]])
    >>> area_by_rule(box).tolist(), area_by_rule(box, "inclusive").tolist()
    ([225.0], [256.0])
    """
    return ops.box_area(to_continuous(boxes, rule))


def iou_by_rule(boxes1: Any, boxes2: Any, rule: str = "continuous") -> Tensor:
    """`ops.box_iou` of all pairs by either rule, with its gradient.

    Examples
    --------
    >>> one, other = np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[1.0, 0.0, 2.0, 1.0]])
    >>> iou_by_rule(one, other).tolist(), iou_by_rule(one, other, "inclusive").round(decimals=4).tolist()
    ([[0.0]], [[0.3333]])
    """
    return ops.box_iou(to_continuous(boxes1, rule), to_continuous(boxes2, rule))


def nms_by_rule(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float, rule: str = "continuous") -> np.ndarray:
    """`ops.nms` by either rule: positions of the kept boxes, best first.

    Examples
    --------
    >>> boxes, scores = np.array([[0.0, 0.0, 3.0, 0.5], [1.0, 0.0, 4.0, 0.5]]), np.array([0.9, 0.8])
    >>> nms_by_rule(boxes, scores, 0.55).tolist(), nms_by_rule(boxes, scores, 0.55, "inclusive").tolist()
    ([0, 1], [0])
    """
    kept: np.ndarray = ops.nms(to_continuous(boxes, rule), scores, iou_threshold).data
    return kept
