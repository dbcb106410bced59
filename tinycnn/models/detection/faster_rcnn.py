"""Faster R-CNN: a region proposal network and Fast R-CNN's heads share the maps of one backbone.

References
----------
Ren, He, Girshick, Sun: Faster R-CNN, NeurIPS 2015. With a feature pyramid: Lin et al., CVPR 2017. The second versions: Li et al., Benchmarking
detection transfer learning with vision transformers, 2021.

Differs from the paper: VGG-16's variant joins regions by RoIAlign and has heads of 1024 units; RPN and heads are trained together
("approximate joint training"). The numbers are torchvision's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ... import ops
from ...errors import ArgumentError
from ...nn import BatchNorm2d, Module
from ..registry import builder
from .anchors import AnchorGenerator
from .backbones import mobilenet_backbone, resnet_fpn_backbone, vgg_backbone
from .box_head import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead
from .generalized_rcnn import GeneralizedRCNN
from .options import spelled_out
from .roi_heads import RoIHeads
from .rpn import RegionProposalNetwork, RPNHead
from .transform import GeneralizedRCNNTransform

__all__ = [
    "FasterRCNN",
    "RCNNConfig",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_vgg16",
]

CLASSES = 91  # COCO's numbers, with the background
PYRAMID_SIZES = ((32,), (64,), (128,), (256,), (512,))
RATIOS = (0.5, 1.0, 2.0)
REPRESENTATION = 1024  # units of the box head


@dataclass(frozen=True)
class RCNNConfig:
    """The numbers of a two-stage detector, under torchvision's names; `RegionProposalNetwork` and `RoIHeads` say what each is."""

    min_size: int | tuple[int, ...] = 800
    max_size: int = 1333
    image_mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: tuple[float, ...] = (0.229, 0.224, 0.225)
    rpn_pre_nms_top_n_train: int = 2000
    rpn_pre_nms_top_n_test: int = 1000
    rpn_post_nms_top_n_train: int = 2000
    rpn_post_nms_top_n_test: int = 1000
    rpn_nms_thresh: float = 0.7
    rpn_fg_iou_thresh: float = 0.7
    rpn_bg_iou_thresh: float = 0.3
    rpn_batch_size_per_image: int = 256
    rpn_positive_fraction: float = 0.5
    rpn_score_thresh: float = 0.0
    box_score_thresh: float = 0.05
    box_nms_thresh: float = 0.5
    box_detections_per_img: int = 100
    box_fg_iou_thresh: float = 0.5
    box_bg_iou_thresh: float = 0.5
    box_batch_size_per_image: int = 512
    box_positive_fraction: float = 0.25
    bbox_reg_weights: tuple[float, float, float, float] | None = None


class FasterRCNN(GeneralizedRCNN):
    """Faster R-CNN over any backbone.

    Parameters
    ----------
    backbone : Module
        With `out_channels`; gives one map, or maps by name.
    num_classes : int, optional
        With the background, class 0; not where `box_predictor` is given.
    rpn_anchor_generator, rpn_head, box_roi_pool, box_head, box_predictor : optional
        Parts that take the place of the usual ones.
    config : RCNNConfig
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        When the backbone does not say its channels, or classes and predictor are both or neither given.
    """

    @spelled_out(RCNNConfig)
    def __init__(
        self,
        backbone: Module,
        num_classes: int | None = None,
        *,
        rpn_anchor_generator: AnchorGenerator | None = None,
        rpn_head: Module | None = None,
        box_roi_pool: Module | None = None,
        box_head: Module | None = None,
        box_predictor: Module | None = None,
        config: RCNNConfig,
    ) -> None:
        name = type(self).__name__
        channels = getattr(backbone, "out_channels", None)
        if channels is None:
            raise ArgumentError(f"{name}: the backbone must have an attribute out_channels, the channels of its maps; set it")
        if (num_classes is None) == (box_predictor is None):
            raise ArgumentError(f"{name}: give either num_classes or box_predictor, which knows its classes; here num_classes is {num_classes}")
        anchors = rpn_anchor_generator or AnchorGenerator(PYRAMID_SIZES, (RATIOS,) * len(PYRAMID_SIZES))
        pool = box_roi_pool or ops.MultiScaleRoIAlign(("0", "1", "2", "3"), 7, 2)
        if box_head is None:
            rows, columns = pool.output_size
            box_head = TwoMLPHead(channels * rows * columns, REPRESENTATION)
        rpn = RegionProposalNetwork(
            anchors,
            rpn_head or RPNHead(channels, anchors.num_anchors_per_location()[0]),
            config.rpn_fg_iou_thresh,
            config.rpn_bg_iou_thresh,
            config.rpn_batch_size_per_image,
            config.rpn_positive_fraction,
            {"training": config.rpn_pre_nms_top_n_train, "testing": config.rpn_pre_nms_top_n_test},
            {"training": config.rpn_post_nms_top_n_train, "testing": config.rpn_post_nms_top_n_test},
            config.rpn_nms_thresh,
            config.rpn_score_thresh,
        )
        heads = RoIHeads(
            pool,
            box_head,
            box_predictor if num_classes is None else FastRCNNPredictor(REPRESENTATION, num_classes),  # type: ignore[arg-type]
            config.box_fg_iou_thresh,
            config.box_bg_iou_thresh,
            config.box_batch_size_per_image,
            config.box_positive_fraction,
            config.bbox_reg_weights,
            config.box_score_thresh,
            config.box_nms_thresh,
            config.box_detections_per_img,
        )
        transform = GeneralizedRCNNTransform(config.min_size, config.max_size, config.image_mean, config.image_std)
        super().__init__(backbone, rpn, heads, transform)


def batch_or_frozen(frozen: bool) -> Callable[..., Module]:
    """The backbone's normalisation: batch statistics for training from nothing, constants for published weights and small batches."""
    return ops.FrozenBatchNorm2d if frozen else BatchNorm2d


def second_version(channels: int) -> dict[str, Module]:
    """RPN and box head of the second versions: one convolution more, and four with normalisation before the vector."""
    return {
        "rpn_head": RPNHead(channels, len(RATIOS), conv_depth=2),
        "box_head": FastRCNNConvFCHead((channels, 7, 7), (256,) * 4, (REPRESENTATION,), norm_layer=BatchNorm2d),
    }


@builder(image_size=800, task="detection")
@spelled_out(RCNNConfig)
def fasterrcnn_resnet50_fpn(
    num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, frozen_batch_norm: bool = False, config: RCNNConfig
) -> FasterRCNN:
    """Faster R-CNN with ResNet-50 under a feature pyramid: 41,755,286 parameters with frozen normalisation.

    Parameters
    ----------
    num_classes : int
        With the background.
    in_channels : int
        Of the images; `image_mean` and `image_std` need as many numbers.
    trainable_backbone_layers : int
        0 to 5 stages of the ResNet are trained.
    frozen_batch_norm : bool
        Constants in place of batch statistics: for torchvision's published weights.
    config : RCNNConfig
        The other numbers; each may be given by its name instead.
    """
    backbone = resnet_fpn_backbone("resnet50", batch_or_frozen(frozen_batch_norm), trainable_backbone_layers, in_channels=in_channels)
    return FasterRCNN(backbone, num_classes, config=config)


@builder(image_size=800, task="detection")
@spelled_out(RCNNConfig)
def fasterrcnn_resnet50_fpn_v2(
    num_classes: int = CLASSES, in_channels: int = 3, *, trainable_backbone_layers: int = 5, config: RCNNConfig
) -> FasterRCNN:
    """The same with normalised pyramid and heads of more convolutions: 43,712,278 parameters; arguments as in `fasterrcnn_resnet50_fpn`."""
    backbone = resnet_fpn_backbone(
        "resnet50", BatchNorm2d, trainable_backbone_layers, pyramid_norm_layer=BatchNorm2d, in_channels=in_channels
    )
    parts = second_version(backbone.out_channels)
    return FasterRCNN(backbone, num_classes, rpn_head=parts["rpn_head"], box_head=parts["box_head"], config=config)


def _mobilenet(num_classes: int, in_channels: int, trainable: int, frozen: bool, config: RCNNConfig) -> FasterRCNN:
    backbone = mobilenet_backbone(batch_or_frozen(frozen), trainable, in_channels=in_channels)
    anchors = AnchorGenerator((tuple(size for (size,) in PYRAMID_SIZES),) * 3, (RATIOS,) * 3)
    return FasterRCNN(backbone, num_classes, rpn_anchor_generator=anchors, config=config)


@builder(image_size=800, task="detection")
@spelled_out(RCNNConfig)
def fasterrcnn_mobilenet_v3_large_fpn(
    num_classes: int = CLASSES,
    in_channels: int = 3,
    *,
    trainable_backbone_layers: int = 6,
    frozen_batch_norm: bool = False,
    config: RCNNConfig = RCNNConfig(rpn_score_thresh=0.05),
) -> FasterRCNN:
    """Faster R-CNN with MobileNet v3: 19,386,354 parameters with frozen normalisation; arguments as in `fasterrcnn_resnet50_fpn`."""
    return _mobilenet(num_classes, in_channels, trainable_backbone_layers, frozen_batch_norm, config)


@builder(image_size=320, task="detection")
@spelled_out(RCNNConfig)
def fasterrcnn_mobilenet_v3_large_320_fpn(
    num_classes: int = CLASSES,
    in_channels: int = 3,
    *,
    trainable_backbone_layers: int = 6,
    frozen_batch_norm: bool = False,
    config: RCNNConfig = RCNNConfig(
        min_size=320, max_size=640, rpn_pre_nms_top_n_test=150, rpn_post_nms_top_n_test=150, rpn_score_thresh=0.05
    ),
) -> FasterRCNN:
    """The same for images of 320 pixels, 150 proposals; arguments as in `fasterrcnn_resnet50_fpn`."""
    return _mobilenet(num_classes, in_channels, trainable_backbone_layers, frozen_batch_norm, config)


@builder(image_size=600, task="detection")
@spelled_out(RCNNConfig)
def fasterrcnn_vgg16(
    num_classes: int = 21,
    *,
    trainable_backbone_layers: int = 5,
    config: RCNNConfig = RCNNConfig(min_size=600, max_size=1000, rpn_post_nms_top_n_test=300),
) -> FasterRCNN:
    """Faster R-CNN as in the paper, over VGG-16's one map: 9 anchors a cell, 300 proposals; arguments as in `fasterrcnn_resnet50_fpn`."""
    anchors = AnchorGenerator(((128, 256, 512),), (RATIOS,))
    pool = ops.MultiScaleRoIAlign(("0",), 7, 2)
    return FasterRCNN(vgg_backbone("vgg16", trainable_backbone_layers), num_classes, rpn_anchor_generator=anchors, box_roi_pool=pool, config=config)
