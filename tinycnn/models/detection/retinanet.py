"""RetinaNet: one stage, dense anchors over a feature pyramid, and the focal loss that lets so many easy ones be trained on.

References
----------
Lin, Goyal, Girshick, He, Dollar: Focal loss for dense object detection, ICCV 2017. The second version: Zhang et al., Bridging the gap between
anchor-based and anchor-free detection, CVPR 2020, whose head has group normalisation.

Differs from the paper: the first version's extra maps are made of the pyramid's coarsest map, as torchvision has it.
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
from ...nn import Conv2d, GroupNorm, Module, Sequential, init
from ...tensor import Tensor
from ..registry import builder
from .anchors import AnchorGenerator, ImageList
from .backbones import resnet_fpn_backbone
from .box_coder import BoxCoder
from .faster_rcnn import CLASSES, batch_or_frozen
from .generalized_rcnn import Detector
from .losses import retinanet_loss
from .matching import Matcher
from .one_stage import dense_detections
from .options import spelled_out
from .rpn import in_rows
from .transform import GeneralizedRCNNTransform

__all__ = ["RetinaNet", "RetinaNetConfig", "RetinaNetHead", "retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2"]

PRIOR = 0.01  # what an untrained network says of every class
PYRAMID_SIDES = (32, 64, 128, 256, 512)
CONVOLUTIONS = 4  # of each head before the last
BOX_LOSSES = ("l1", "giou")


@dataclass(frozen=True)
class RetinaNetConfig:
    """The numbers of RetinaNet, under torchvision's names, and how much its boxes' loss counts beside its classes'."""

    min_size: int | tuple[int, ...] = 800
    max_size: int = 1333
    image_mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: tuple[float, ...] = (0.229, 0.224, 0.225)
    score_thresh: float = 0.05
    nms_thresh: float = 0.5
    detections_per_img: int = 300
    fg_iou_thresh: float = 0.5
    bg_iou_thresh: float = 0.4
    topk_candidates: int = 1000
    box_loss_weight: float = 1.0


class DenseHead(Module):
    """Some 3x3 convolutions, then one that answers for every anchor of a cell; the same for all maps."""

    def __init__(self, in_channels: int, norm_layer: Callable[[int], Module] | None = None, num_convs: int = CONVOLUTIONS) -> None:
        super().__init__()
        self.conv = Sequential(*(ops.Conv2dNormActivation(in_channels, in_channels, norm_layer=norm_layer) for _ in range(num_convs)))

    def add(self, name: str, in_channels: int, outputs: int, bias: float = 0.0) -> None:
        """The last convolution, by name; all weights start normal with standard deviation 0.01."""
        layer = Conv2d(in_channels, outputs, 3, padding=1)
        self.add_module(name, layer)
        for one in self.modules():
            if isinstance(one, Conv2d):
                init.normal_(one.weight, std=0.01)
                if one.bias is not None:
                    init.zeros_(one.bias)
        init.constant_(layer.bias, bias)


class RetinaNetClassificationHead(DenseHead):
    """Class logits (N, anchors, classes).

    Notes
    -----
    The last bias is -log((1 - 0.01) / 0.01) = -4.59512, so that every class starts with the probability 0.01: otherwise the loss of tens of
    thousands of background anchors would drown all others in the first steps.
    """

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        prior_probability: float = PRIOR,
        norm_layer: Callable[[int], Module] | None = None,
        num_convs: int = CONVOLUTIONS,
    ) -> None:
        super().__init__(in_channels, norm_layer, num_convs)
        self.add("cls_logits", in_channels, num_anchors * num_classes, -math.log((1 - prior_probability) / prior_probability))
        self.num_classes = num_classes

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Of all maps in order."""
        return in_rows([self.cls_logits(self.conv(one)) for one in x], self.num_classes)


class RetinaNetRegressionHead(DenseHead):
    """Box numbers (N, anchors, 4)."""

    def __init__(
        self, in_channels: int, num_anchors: int, norm_layer: Callable[[int], Module] | None = None, num_convs: int = CONVOLUTIONS
    ) -> None:
        super().__init__(in_channels, norm_layer, num_convs)
        self.add("bbox_reg", in_channels, num_anchors * 4)

    def forward(self, x: Sequence[Tensor]) -> Tensor:
        """Of all maps in order."""
        return in_rows([self.bbox_reg(self.conv(one)) for one in x], 4)


class RetinaNetHead(Module):
    """Both heads.

    Parameters
    ----------
    in_channels : int
        Of every map.
    num_anchors : int
        Of a cell.
    num_classes : int
        Each judged on its own, by a sigmoid.
    norm_layer : layer, optional
        After the convolutions of each head.
    num_convs : int
        Convolutions of each head before the last.

    Examples
    --------
    >>> head = RetinaNetHead(16, 9, 3)
    >>> round(float(head.classification_head.cls_logits.bias[0]), 8)
    -4.59511995
    """

    def __init__(
        self,
        in_channels: int,
        num_anchors: int,
        num_classes: int,
        norm_layer: Callable[[int], Module] | None = None,
        num_convs: int = CONVOLUTIONS,
    ) -> None:
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(in_channels, num_anchors, num_classes, norm_layer=norm_layer, num_convs=num_convs)
        self.regression_head = RetinaNetRegressionHead(in_channels, num_anchors, norm_layer, num_convs)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """Logits and numbers of all anchors."""
        return {"cls_logits": self.classification_head(x), "bbox_regression": self.regression_head(x)}


class RetinaNet(Detector):
    """RetinaNet over any backbone.

    Parameters
    ----------
    backbone : Module
        With `out_channels`; gives one map, or maps by name.
    num_classes : int
        With torchvision's background, class 0, which is never trained.
    anchor_generator, head, proposal_matcher : optional
        Parts that take the place of the usual ones.
    box_loss : str
        "l1" of the four numbers of a box, as published, or "giou", generalised IoU, as in the second version.
    config : RetinaNetConfig
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        For another box_loss, or a backbone without `out_channels`.
    """

    @spelled_out(RetinaNetConfig)
    def __init__(
        self,
        backbone: Module,
        num_classes: int,
        *,
        anchor_generator: AnchorGenerator | None = None,
        head: Module | None = None,
        proposal_matcher: Matcher | None = None,
        box_loss: str = "l1",
        config: RetinaNetConfig,
    ) -> None:
        if box_loss not in BOX_LOSSES:
            raise ArgumentError(f"RetinaNet: box_loss={box_loss!r} must be one of {', '.join(BOX_LOSSES)}")
        if not hasattr(backbone, "out_channels"):
            raise ArgumentError("RetinaNet: the backbone must have an attribute out_channels, the channels of its maps; set it")
        super().__init__(backbone, GeneralizedRCNNTransform(config.min_size, config.max_size, config.image_mean, config.image_std))
        self.anchor_generator = anchor_generator or pyramid_anchors()
        self.head = head or RetinaNetHead(backbone.out_channels, self.anchor_generator.num_anchors_per_location()[0], num_classes)
        self.proposal_matcher = proposal_matcher or Matcher(config.fg_iou_thresh, config.bg_iou_thresh, allow_low_quality_matches=True)
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.box_loss, self.config = box_loss, config

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        maps = list(features.values())
        output = self.head(maps)
        logits, numbers = output["cls_logits"], output["bbox_regression"]
        anchors = self.anchor_generator(batch, maps)
        if self.training and targets is not None:
            losses = retinanet_loss(logits, numbers, anchors, targets, self.proposal_matcher, self.box_coder, self.box_loss)
            return [], {**losses, "bbox_regression": self.config.box_loss_weight * losses["bbox_regression"]}
        counts = self.anchor_generator.num_anchors_per_location()
        per_map = [one.shape[2] * one.shape[3] * count for one, count in zip(maps, counts, strict=True)]
        limits = (self.config.score_thresh, self.config.topk_candidates, self.config.nms_thresh, self.config.detections_per_img)
        scores = functional.sigmoid(logits).data
        return dense_detections(list(scores), numbers.data, anchors, per_map, batch.image_sizes, self.box_coder.decode_single, limits), {}


def pyramid_anchors() -> AnchorGenerator:
    """Nine anchors a cell: three sizes within an octave, three ratios."""
    sizes = tuple((side, int(side * 2 ** (1 / 3)), int(side * 2 ** (2 / 3))) for side in PYRAMID_SIDES)
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


@builder(image_size=800, task="detection")
@spelled_out(RetinaNetConfig)
def retinanet_resnet50_fpn(
    num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, frozen_batch_norm: bool = False, config: RetinaNetConfig
) -> RetinaNet:
    """RetinaNet with ResNet-50: 34,014,999 parameters with frozen normalisation; arguments as in `fasterrcnn_resnet50_fpn`."""
    backbone = resnet_fpn_backbone(
        "resnet50",
        batch_or_frozen(frozen_batch_norm),
        trainable_backbone_layers,
        (2, 3, 4),
        ops.LastLevelP6P7(256, 256),
        in_channels=in_channels,
    )
    return RetinaNet(backbone, num_classes, config=config)


@builder(image_size=800, task="detection")
@spelled_out(RetinaNetConfig)
def retinanet_resnet50_fpn_v2(
    num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, config: RetinaNetConfig
) -> RetinaNet:
    """The same with group normalisation in the heads, extra maps of the backbone's last, boxes learned by generalised IoU: 38,198,935 parameters."""
    extra = ops.LastLevelP6P7(2048, 256)
    backbone = resnet_fpn_backbone("resnet50", batch_or_frozen(False), trainable_backbone_layers, (2, 3, 4), extra, in_channels=in_channels)
    anchors = pyramid_anchors()
    head = RetinaNetHead(backbone.out_channels, anchors.num_anchors_per_location()[0], num_classes, norm_layer=partial(GroupNorm, 32))
    return RetinaNet(backbone, num_classes, anchor_generator=anchors, head=head, box_loss="giou", config=config)
