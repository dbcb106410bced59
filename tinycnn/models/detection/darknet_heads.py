"""The sections of a .cfg that say boxes: [detection] is YOLO v1's, [region] v2's, [yolo] v3's; read, decoded and trained by those papers' functions.

References
----------
J. Redmon, "Darknet: open source neural networks in C", 2013 to 2016, and its published .cfg files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ... import functional
from ...errors import ArgumentError
from ...tensor import Tensor
from ...weights import DarknetLayer
from .darknet_layers import option, refuse, where
from .generalized_rcnn import Target
from .word_tree import WordTree
from .yolo_grid import decode_anchors, split_anchors
from .yolo_v1_loss import decode_yolo_v1, yolo_v1_loss, yolo_v1_scores
from .yolo_v2 import region_scores
from .yolo_v2_loss import yolo_v2_loss
from .yolo_v3 import yolo_scores
from .yolo_v3_loss import yolo_v3_loss

__all__ = ["AnchorHead", "GridHead", "darknet_losses", "read_head"]

Decoded = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class AnchorHead:
    """What a [yolo] or [region] section says."""

    kind: str
    anchors: np.ndarray  # (all, 2) in pixels
    mask: tuple[int, ...]
    classes: int
    scale_x_y: float
    ignore_thresh: float
    iou_thresh: float
    scales: tuple[float, float, float, float]  # coord, object, noobject, class; of [region]

    def numbers(self, maps: Tensor) -> Tensor:
        """(N, A, H, W, 5 + C) of what the layer gets."""
        return split_anchors(maps, len(self.mask))

    def decode(self, numbers: np.ndarray, size: tuple[int, int], tree: WordTree | None, thresholds: tuple[float, float]) -> Decoded:
        """All boxes (N, K, 4) in pixels and their scores (N, K, C); the thresholds are the score's and the tree's."""
        boxes = decode_anchors(numbers, self.anchors[list(self.mask)], size, self.scale_x_y)
        scores = yolo_scores(numbers) if self.kind == "yolo" else region_scores(numbers, tree, thresholds[1], thresholds[0])
        return boxes.reshape(len(numbers), -1, 4), scores.reshape(len(numbers), -1, self.classes)


@dataclass(frozen=True)
class GridHead:
    """What a [detection] section says."""

    kind: str
    side: int
    boxes: int
    classes: int
    roots: bool
    coord_scale: float
    noobject_scale: float

    def numbers(self, rows: Tensor) -> Tensor:
        """(N, S, S, 5 B + C) of a row an image, which has all classes first, then all confidences, then all boxes."""
        rows = rows.flatten(1)
        places = (-1, self.side, self.side)
        first, second = self.side**2 * self.classes, self.side**2 * (self.classes + self.boxes)
        classes = rows[:, :first].reshape(*places, self.classes)
        confidences = rows[:, first:second].reshape(*places, self.boxes, 1)
        boxes = functional.cat([rows[:, second:].reshape(*places, self.boxes, 4), confidences], -1)
        return functional.cat([boxes.reshape(*places, 5 * self.boxes), classes], -1)

    def decode(self, numbers: np.ndarray, size: tuple[int, int], tree: WordTree | None, thresholds: tuple[float, float]) -> Decoded:
        """As `AnchorHead.decode`."""
        boxes, scores = decode_yolo_v1(numbers, self.boxes, size, self.roots), yolo_v1_scores(numbers, self.boxes)
        return boxes.reshape(len(numbers), -1, 4), scores.reshape(len(numbers), -1, self.classes)


def read_head(layer: DarknetLayer, net_size: tuple[int, int]) -> AnchorHead | GridHead:
    """Read the section; refuse what would mean something else.

    Raises
    ------
    ArgumentError
        For an option of another meaning, or channels that are not the anchors' and classes'.
    """
    return _grid_head(layer) if layer.kind == "detection" else _anchor_head(layer, net_size)


def _must_be(layer: DarknetLayer, wanted: dict[str, tuple[int, int]]) -> None:
    """Options with the only value that is known here, and the value where they are left out."""
    for name, (value, default) in wanted.items():
        if option(layer, name, default) != value:
            raise ArgumentError(f"{where(layer)}: {name}={layer.options.get(name, default)} is not supported; published files have {name}={value}")


def _anchor_head(layer: DarknetLayer, net_size: tuple[int, int]) -> AnchorHead:
    refuse(layer, ("new_coords",))
    classes = layer.whole("classes", 20)
    anchors = np.array(layer.numbers("anchors"))
    if layer.kind == "region":
        _must_be(layer, {"bias_match": (1, 1), "softmax": (1, 0), "rescore": (1, 0)})
    if not len(anchors) or len(anchors) % 2 or not (anchors > 0).all():
        raise ArgumentError(f"{where(layer)}: {len(anchors)} numbers in anchors=; there must be a positive width and height of each anchor")
    anchors = anchors.reshape(-1, 2)
    if layer.kind == "region":
        if len(layer.input_shape) != 3:
            raise ArgumentError(f"{where(layer)}: it gets a row of {layer.input_shape[0]} numbers; it needs a map, from a convolution")
        rows, columns = layer.input_shape[1:]
        anchors = anchors * (net_size[1] / columns, net_size[0] / rows)
    mask = tuple(int(number) for number in layer.numbers("mask")) or tuple(range(len(anchors)))
    if not all(0 <= number < len(anchors) for number in mask):
        raise ArgumentError(f"{where(layer)}: mask={layer.options['mask']} must name anchors from 0 to {len(anchors) - 1}")
    wanted = len(mask) * (5 + classes)
    if layer.input_shape[0] != wanted or len(layer.input_shape) != 3:
        raise ArgumentError(f"{where(layer)}: it gets {layer.input_shape[0]} channels, {len(mask)} anchors and {classes} classes need {wanted}")
    coord, of_object, noobject, of_class = (option(layer, f"{name}_scale", 1.0) for name in ("coord", "object", "noobject", "class"))
    ignore = option(layer, "ignore_thresh" if layer.kind == "yolo" else "thresh", 0.5)
    stretch, shared = option(layer, "scale_x_y", 1.0), option(layer, "iou_thresh", 1.0)
    return AnchorHead(layer.kind, anchors, mask, classes, stretch, ignore, shared, (coord, of_object, noobject, of_class))


def _grid_head(layer: DarknetLayer) -> GridHead:
    refuse(layer, ("softmax",))
    _must_be(layer, {"coords": (4, 1), "rescore": (1, 0), "object_scale": (1, 1), "class_scale": (1, 1)})
    side, boxes, classes = layer.whole("side", 7), layer.whole("num", 1), layer.whole("classes", 1)
    wanted, there = side**2 * (5 * boxes + classes), int(np.prod(layer.input_shape))
    if there != wanted or not wanted:
        raise ArgumentError(
            f"{where(layer)}: it gets {there} numbers; {side} x {side} cells of {boxes} boxes and {classes} classes need {wanted}"
        )
    roots = bool(layer.whole("sqrt", 0))
    return GridHead(layer.kind, side, boxes, classes, roots, option(layer, "coord_scale", 1.0), option(layer, "noobject_scale", 1.0))


def darknet_losses(
    heads: Sequence[AnchorHead | GridHead], raws: Sequence[Tensor], targets: Sequence[Target], size: tuple[int, int], tree: WordTree | None
) -> dict[str, Tensor]:
    """The loss of the paper that the heads are of, with their own weights."""
    first = heads[0]
    if isinstance(first, GridHead):
        return yolo_v1_loss(raws[0], targets, size, first.boxes, first.coord_scale, first.noobject_scale, first.roots)
    if first.kind == "yolo":
        scales = [head for head in heads if isinstance(head, AnchorHead)]
        if any(not np.array_equal(head.anchors, first.anchors) for head in scales):
            raise ArgumentError("DarknetDetector: the [yolo] sections list different anchors; to learn, all must list the same, each its own mask=")
        masks = [head.mask for head in scales]
        return yolo_v3_loss(raws, first.anchors, masks, targets, size, first.ignore_thresh, first.scale_x_y, first.iou_thresh)
    coord, of_object, noobject, of_class = first.scales
    return yolo_v2_loss(
        raws[0], first.anchors, targets, size,
        coord_scale=coord, object_scale=of_object, noobject_scale=noobject, class_scale=of_class, thresh=first.ignore_thresh, word_tree=tree,
    )  # fmt: skip
