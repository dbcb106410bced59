"""FoveaBox: no anchors; points in the middle part of an object answer for it, on the map whose size fits it.

References
----------
Kong, Sun, Liu, Jiang, Li, Shi: FoveaBox: beyond anchor-based object detection, TIP 2020, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional, ops
from ...errors import ArgumentError
from ...nn import Module
from ...tensor import Tensor
from ..registry import builder
from .anchors import ImageList
from .backbones import resnet_fpn_backbone
from .box_coder import LARGEST_LOG
from .faster_rcnn import CLASSES, batch_or_frozen
from .generalized_rcnn import Detector
from .one_stage import dense_detections
from .options import spelled_out
from .retinanet import RetinaNetHead
from .transform import GeneralizedRCNNTransform

__all__ = ["FoveaBox", "FoveaBoxConfig", "fovea_targets", "foveabox_loss", "foveabox_resnet50_fpn"]


@dataclass(frozen=True)
class FoveaBoxConfig:
    """The numbers of FoveaBox, sections 3.2 to 3.6."""

    min_size: int | tuple[int, ...] = 800
    max_size: int = 1333
    image_mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: tuple[float, ...] = (0.229, 0.224, 0.225)
    base_sides: tuple[float, ...] = (32.0, 64.0, 128.0, 256.0, 512.0)  # of an object that each map is made for, in pixels
    eta: float = 2.0  # a map answers for sides from base / eta to base eta
    sigma: float = 0.4  # the fovea is so much of the object's width and height
    focal_alpha: float = 0.4
    focal_gamma: float = 1.5
    score_thresh: float = 0.05
    nms_thresh: float = 0.5
    detections_per_img: int = 100
    topk_candidates: int = 1000


def map_points(sizes: Sequence[tuple[int, int]], image_size: tuple[int, int], base_sides: Sequence[float]) -> np.ndarray:
    """The middle (x, y) of every cell of every map in pixels, and the map's base side: (cells, 3).

    Examples
    --------
    >>> map_points([(1, 2)], (8, 16), [32.0]).tolist()
    [[4.0, 4.0, 32.0], [12.0, 4.0, 32.0]]
    """
    parts = []
    for (rows, columns), side in zip(sizes, base_sides, strict=True):
        down, across = image_size[0] / rows, image_size[1] / columns
        y, x = np.meshgrid((np.arange(rows) + 0.5) * down, (np.arange(columns) + 0.5) * across, indexing="ij")
        parts.append(np.stack((x, y, np.full(x.shape, side)), axis=-1).reshape(-1, 3))
    return np.concatenate(parts)


def fovea_targets(points: np.ndarray, boxes: np.ndarray, eta: float = 2.0, sigma: float = 0.4) -> np.ndarray:
    """The object of each point, -1 where there is none.

    Shapes
    ------
    points (N, 3) of x, y, base side; boxes (M, 4) -> (N,)

    Formula
    -------
    A point answers for an object when it is within sigma / 2 of its width and height from its centre, and base / eta <= sqrt(area) <= base eta;
    for the smallest of several.

    Examples
    --------
    >>> points = np.array([[16.0, 16, 32], [28, 16, 32], [16, 16, 128]])
    >>> fovea_targets(points, np.array([[0.0, 0, 32, 32]])).tolist()
    [0, -1, -1]
    """
    if not len(boxes):
        return np.full(len(points), -1, np.int64)
    sides = boxes[:, 2:] - boxes[:, :2]
    lengths = np.sqrt(sides.prod(axis=1))
    away = np.abs(points[:, None, :2] - ((boxes[:, :2] + boxes[:, 2:]) / 2)[None])
    middle = (away <= sigma / 2 * sides[None]).all(axis=2)
    ratio = lengths[None] / points[:, 2:]
    fits = middle & (ratio >= 1 / eta) & (ratio <= eta)
    areas = np.where(fits, lengths[None], np.inf)
    return np.where(fits.any(axis=1), areas.argmin(axis=1), -1).astype(np.int64)


def encode_sides(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Logarithms of the distances from points to the four sides, in base sides: equation (4)."""
    x, y, base = points.T
    return np.log(np.stack((x - boxes[:, 0], y - boxes[:, 1], boxes[:, 2] - x, boxes[:, 3] - y), axis=-1) / base[:, None])


def decode_sides(numbers: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The inverse of `encode_sides`."""
    x, y, base = points.T
    left, top, right, bottom = (np.exp(np.minimum(numbers, LARGEST_LOG)) * base[:, None]).T
    return np.stack((x - left, y - top, x + right, y + bottom), axis=-1)


def foveabox_loss(
    logits: Tensor, numbers: Tensor, points: np.ndarray, targets: Sequence[Mapping[str, Any]], config: FoveaBoxConfig
) -> dict[str, Tensor]:
    """Focal loss of all points, smooth L1 of the sides of those in a fovea; both divided by the number of these.

    Parameters
    ----------
    logits, numbers : Tensor
        (N, points, classes) and (N, points, 4).
    """
    truth = np.zeros(logits.shape, logits.dtype)
    wanted = np.zeros(numbers.shape, logits.dtype)
    inside = np.zeros(logits.shape[:2], bool)
    for k, target in enumerate(targets):
        matches = fovea_targets(points, target["boxes"], config.eta, config.sigma)
        positive = np.flatnonzero(matches >= 0)
        inside[k, positive] = True
        if len(positive):
            truth[k, positive, target["labels"][matches[positive]]] = 1.0
            wanted[k, positive] = encode_sides(points[positive], target["boxes"][matches[positive]])
    places = np.nonzero(inside)
    count = max(1, len(places[0]))
    focal = ops.sigmoid_focal_loss(logits, Tensor(truth), config.focal_alpha, config.focal_gamma, reduction="sum")
    sides = functional.smooth_l1_loss(numbers[places], Tensor(wanted[places]), reduction="sum")
    return {"classification": focal / count, "bbox_regression": sides / count}


class FoveaBox(Detector):
    """FoveaBox over any backbone.

    Parameters
    ----------
    backbone : Module
        With `out_channels`; gives as many maps as `base_sides` has numbers.
    num_classes : int
        With a background, class 0, which is never trained.
    head : Module, optional
        In place of RetinaNet's with one box a cell.
    config : FoveaBoxConfig
        The numbers; each may be given by its name instead.
    """

    @spelled_out(FoveaBoxConfig)
    def __init__(self, backbone: Module, num_classes: int, *, head: Module | None = None, config: FoveaBoxConfig) -> None:
        if not hasattr(backbone, "out_channels"):
            raise ArgumentError("FoveaBox: the backbone must have an attribute out_channels, the channels of its maps; set it")
        super().__init__(backbone, GeneralizedRCNNTransform(config.min_size, config.max_size, config.image_mean, config.image_std))
        self.head = head or RetinaNetHead(backbone.out_channels, 1, num_classes)
        self.config = config

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        maps, config = list(features.values()), self.config
        if len(maps) != len(config.base_sides):
            raise ArgumentError(f"FoveaBox: the backbone gives {len(maps)} maps, but base_sides={config.base_sides}; give one a map")
        output = self.head(maps)
        sizes = [(one.shape[2], one.shape[3]) for one in maps]
        points = map_points(sizes, (batch.tensors.shape[2], batch.tensors.shape[3]), config.base_sides).astype(maps[0].dtype)
        if self.training and targets is not None:
            return [], foveabox_loss(output["cls_logits"], output["bbox_regression"], points, targets, config)
        per_map = [rows * columns for rows, columns in sizes]
        limits = (config.score_thresh, config.topk_candidates, config.nms_thresh, config.detections_per_img)
        scores = functional.sigmoid(output["cls_logits"]).data
        everywhere = [points] * len(scores)
        return dense_detections(
            list(scores), output["bbox_regression"].data, everywhere, per_map, batch.image_sizes, decode_sides, limits
        ), {}


@builder(image_size=800, task="detection")
@spelled_out(FoveaBoxConfig)
def foveabox_resnet50_fpn(
    num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, frozen_batch_norm: bool = False, config: FoveaBoxConfig
) -> FoveaBox:
    """FoveaBox with ResNet-50; arguments as in `fasterrcnn_resnet50_fpn`."""
    backbone = resnet_fpn_backbone(
        "resnet50",
        batch_or_frozen(frozen_batch_norm),
        trainable_backbone_layers,
        (2, 3, 4),
        ops.LastLevelP6P7(256, 256),
        in_channels=in_channels,
    )
    return FoveaBox(backbone, num_classes, config=config)
