"""FCOS: no anchors; every point inside an object says how far its four sides are, and how near it is to the centre.

References
----------
Tian, Shen, Chen, He: FCOS, ICCV 2019; and TPAMI 2020, whose centre sampling and generalised IoU loss are used here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ... import functional, ops
from ...errors import ArgumentError
from ...nn import Conv2d, GroupNorm, Module, ReLU, Sequential, init
from ...tensor import Tensor
from ..registry import builder
from .anchors import AnchorGenerator, ImageList
from .backbones import resnet_fpn_backbone
from .box_coder import BoxLinearCoder
from .faster_rcnn import CLASSES, batch_or_frozen
from .generalized_rcnn import Detector
from .losses import fcos_loss
from .one_stage import dense_detections
from .options import spelled_out
from .rpn import in_rows
from .transform import GeneralizedRCNNTransform

__all__ = ["FCOS", "FCOSConfig", "FCOSHead", "fcos_resnet50_fpn"]

STRIDES = (8, 16, 32, 64, 128)  # an "anchor" is the square of its map's stride
LARGEST_AREA = 1e8  # pixels; more than any object has


@dataclass(frozen=True)
class FCOSConfig:
    """The numbers of FCOS, under torchvision's names; `center_sampling_radius` counts strides."""

    min_size: int | tuple[int, ...] = 800
    max_size: int = 1333
    image_mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: tuple[float, ...] = (0.229, 0.224, 0.225)
    center_sampling_radius: float = 1.5
    score_thresh: float = 0.2
    nms_thresh: float = 0.6
    detections_per_img: int = 100
    topk_candidates: int = 1000


class PointHead(Module):
    """Convolutions with group normalisation; the same for all maps."""

    def __init__(self, in_channels: int, num_convs: int, norm_layer: Callable[[int], Module] | None, outputs: Mapping[str, int]) -> None:
        super().__init__()
        norm = norm_layer or partial(GroupNorm, 32)
        layers: list[Module] = []
        for _ in range(num_convs):
            layers += [Conv2d(in_channels, in_channels, 3, padding=1), norm(in_channels), ReLU()]
        self.conv = Sequential(*layers)
        for name, channels in outputs.items():
            self.add_module(name, Conv2d(in_channels, channels, 3, padding=1))
        for layer in self.modules():
            if isinstance(layer, Conv2d):
                init.normal_(layer.weight, std=0.01)
                init.zeros_(layer.bias)


class FCOSClassificationHead(PointHead):
    """Class logits (N, points, classes), which start at the probability 0.01."""

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        num_convs: int = 4,
        prior_probability: float = 0.01,
        norm_layer: Callable[[int], Module] | None = None,
    ) -> None:
        super().__init__(in_channels, num_convs, norm_layer, {"cls_logits": num_anchors * num_classes})
        init.constant_(self.cls_logits.bias, -math.log((1 - prior_probability) / prior_probability))
        self.num_classes = num_classes

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Of all maps in order."""
        return in_rows([self.cls_logits(self.conv(one)) for one in x], self.num_classes)


class FCOSRegressionHead(PointHead):
    """Distances (N, points, 4), which are never negative, and centre-ness logits (N, points, 1)."""

    def __init__(
        self, in_channels: int, num_anchors: int, num_convs: int = 4, norm_layer: Callable[[int], Module] | None = None
    ) -> None:
        super().__init__(in_channels, num_convs, norm_layer, {"bbox_reg": num_anchors * 4, "bbox_ctrness": num_anchors})

    def forward(self, x: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Of all maps in order."""
        hidden = [self.conv(one) for one in x]
        return in_rows([functional.relu(self.bbox_reg(one)) for one in hidden], 4), in_rows([self.bbox_ctrness(one) for one in hidden], 1)


class FCOSHead(Module):
    """Both heads: {"cls_logits", "bbox_regression", "bbox_ctrness"} of all points."""

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int = 4) -> None:
        super().__init__()
        self.classification_head = FCOSClassificationHead(in_channels, num_anchors, num_classes, num_convs)
        self.regression_head = FCOSRegressionHead(in_channels, num_anchors, num_convs)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """Of all maps in order."""
        distances, centreness = self.regression_head(x)
        return {"cls_logits": self.classification_head(x), "bbox_regression": distances, "bbox_ctrness": centreness}


def match_points(points: np.ndarray, boxes: np.ndarray, radius: float, per_map: Sequence[int]) -> np.ndarray:
    """The object of each point (a square of its stride), -1 where there is none.

    Formula
    -------
    A point belongs to an object when it lies in its box, within `radius` strides of its centre along both axes, and the farthest side of the
    box is between 4 and 8 strides away (from 0 on the finest map, without limit on the coarsest); to the smallest of several.

    Examples
    --------
    >>> points = np.array([[0.0, 0, 8, 8], [24, 24, 32, 32]])
    >>> match_points(points, np.array([[0.0, 0, 16, 16]]), 1.5, [2]).tolist()
    [0, -1]
    """
    if not len(boxes):
        return np.full(len(points), -1, np.int64)
    centres, strides = (points[:, :2] + points[:, 2:]) / 2, points[:, 2] - points[:, 0]
    near = np.abs(centres[:, None] - (boxes[:, :2] + boxes[:, 2:])[None] / 2).max(axis=2) < radius * strides[:, None]
    sides = np.concatenate((centres[:, None] - boxes[None, :, :2], boxes[None, :, 2:] - centres[:, None]), axis=2)
    lower, upper = strides * 4, strides * 8
    lower[: per_map[0]] = 0
    upper[len(upper) - per_map[-1] :] = np.inf
    farthest = sides.max(axis=2)
    fits = near & (sides.min(axis=2) > 0) & (farthest > lower[:, None]) & (farthest < upper[:, None])
    smallness = fits * (LARGEST_AREA - (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    return np.where(smallness.max(axis=1) < 1e-5, -1, smallness.argmax(axis=1)).astype(np.int64)


class FCOS(Detector):
    """FCOS over any backbone.

    Parameters
    ----------
    backbone : Module
        With `out_channels`; gives one map, or maps by name.
    num_classes : int
        With torchvision's background, class 0, which is never trained.
    anchor_generator, head : optional
        Parts that take the place of the usual ones; one anchor a cell.
    config : FCOSConfig
        The numbers; each may be given by its name instead.
    """

    @spelled_out(FCOSConfig)
    def __init__(
        self, backbone: Module, num_classes: int, *, anchor_generator: AnchorGenerator | None = None, head: Module | None = None, config: FCOSConfig
    ) -> None:
        if not hasattr(backbone, "out_channels"):
            raise ArgumentError("FCOS: the backbone must have an attribute out_channels, the channels of its maps; set it")
        super().__init__(backbone, GeneralizedRCNNTransform(config.min_size, config.max_size, config.image_mean, config.image_std))
        self.anchor_generator = anchor_generator or AnchorGenerator(tuple((stride,) for stride in STRIDES), ((1.0,),) * len(STRIDES))
        if set(self.anchor_generator.num_anchors_per_location()) != {1}:
            raise ArgumentError(f"FCOS: anchor_generator has {self.anchor_generator.num_anchors_per_location()} anchors a cell; points are one each")
        self.head = head or FCOSHead(backbone.out_channels, 1, num_classes)
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.config = config

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        maps = list(features.values())
        output = self.head(maps)
        points = self.anchor_generator(batch, maps)
        per_map = [one.shape[2] * one.shape[3] for one in maps]
        logits, distances, centreness = output["cls_logits"], output["bbox_regression"], output["bbox_ctrness"]
        if self.training and targets is not None:
            radius = self.config.center_sampling_radius
            matches = [match_points(one, target["boxes"], radius, per_map) for one, target in zip(points, targets, strict=True)]
            return [], fcos_loss(logits, distances, centreness, points, targets, matches, self.box_coder)
        limits = (self.config.score_thresh, self.config.topk_candidates, self.config.nms_thresh, self.config.detections_per_img)
        scores = np.sqrt(functional.sigmoid(logits).data * functional.sigmoid(centreness).data)
        return dense_detections(list(scores), distances.data, points, per_map, batch.image_sizes, self.box_coder.decode, limits), {}


@builder(image_size=800, task="detection")
@spelled_out(FCOSConfig)
def fcos_resnet50_fpn(
    num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, frozen_batch_norm: bool = False, config: FCOSConfig
) -> FCOS:
    """FCOS with ResNet-50: 32,269,600 parameters with frozen normalisation; arguments as in `fasterrcnn_resnet50_fpn`."""
    backbone = resnet_fpn_backbone(
        "resnet50",
        batch_or_frozen(frozen_batch_norm),
        trainable_backbone_layers,
        (2, 3, 4),
        ops.LastLevelP6P7(256, 256),
        in_channels=in_channels,
    )
    return FCOS(backbone, num_classes, config=config)
