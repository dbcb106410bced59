"""Detectors small enough to be trained from nothing on a laptop: images of 128 pixels, objects of 8 to 60 % of them.

All stand on one backbone of three residual blocks (strides 4, 8 and 16) under a pyramid of 32 channels with a fourth map of stride 32, 60 million
multiply-accumulates an image, and take anchors of 10 to 88 pixels. Built of the same parts as the large ones. What differs from those: normalisation
learns its own statistics, since there are no published weights to freeze, also in the pyramid; SSD and RetinaNet answer after one convolution of
each map with its own weights, and FoveaBox's head has two convolutions with group normalisation in place of four without. The YOLOs take the
backbone's three maps without a pyramid, and in v3 several anchors answer for an object, as in v4: four on average, each with something to learn.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from ... import functional, ops
from ...errors import ArgumentError
from ...nn import BatchNorm2d, Conv2d, GroupNorm, Module, Sequential
from ...tensor import Tensor
from ..darknet import conv_norm_leaky
from ..registry import builder
from .anchors import AnchorGenerator
from .backbones import BackboneWithFPN
from .box_head import FastRCNNPredictor, TwoMLPHead, start_convolutions
from .default_boxes import DefaultBoxGenerator
from .faster_rcnn import FasterRCNN, RCNNConfig
from .foveabox import FoveaBox, FoveaBoxConfig
from .keypoint_head import KeypointRCNNHeads, KeypointRCNNPredictor
from .keypoint_rcnn import KeypointRCNN
from .mask_head import MaskRCNNHeads, MaskRCNNPredictor
from .mask_rcnn import MaskRCNN
from .options import spelled_out
from .retinanet import RetinaNet, RetinaNetConfig, RetinaNetHead
from .rpn import RPNHead
from .ssd import SSD, SSDConfig, SSDHead
from .yolo_v1 import LEAK, YOLOv1, YOLOv1Config
from .yolo_v3 import YOLOv3, YOLOv3Config, YOLOv3Head

__all__ = [
    "MiniBody",
    "fasterrcnn_mini",
    "foveabox_mini",
    "keypointrcnn_mini",
    "maskrcnn_mini",
    "mini_backbone",
    "retinanet_mini",
    "ssd_mini",
    "yolo_v1_mini",
    "yolo_v3_mini",
]

SIDE = 128
STEM = 16
STAGES = (32, 64, 128)  # channels at strides 4, 8 and 16
CHANNELS = 32  # of the pyramid
GROUPS = 8  # of the group normalisation in heads that all maps share
UNITS = 128  # of the box head
REGION = 7  # cells a side of a region for the box head
MASK_REGION = 10
KEYPOINT_REGION = 8  # which six convolutions overlook, so that a shape's tip and its corners can be told apart
SIZES = ((10.0, 14.0), (20.0, 28.0), (40.0, 56.0), (72.0, 88.0))  # pixels, two a map
RATIOS = (0.5, 1.0, 2.0)
MAPS = ("0", "1", "2")

MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
TWO_STAGE = RCNNConfig(
    min_size=SIDE,
    max_size=2 * SIDE,
    image_mean=MEAN,
    image_std=STD,
    rpn_pre_nms_top_n_train=400,
    rpn_pre_nms_top_n_test=300,
    rpn_post_nms_top_n_train=200,
    rpn_post_nms_top_n_test=100,
    rpn_batch_size_per_image=128,
    box_batch_size_per_image=64,
    box_detections_per_img=50,
)
# Boxes are learned long before classes: after six epochs 95 % of the shapes were found, of which 63 % had their class.
ONE_STAGE = RetinaNetConfig(min_size=SIDE, max_size=2 * SIDE, image_mean=MEAN, image_std=STD, detections_per_img=50, box_loss_weight=0.25)
SSD_CONFIG = SSDConfig(image_mean=MEAN, image_std=STD, score_thresh=0.05, detections_per_img=50)
FOVEA = FoveaBoxConfig(
    min_size=SIDE, max_size=2 * SIDE, image_mean=MEAN, image_std=STD, base_sides=(14.0, 28.0, 56.0, 112.0), detections_per_img=50
)
YOLO_V1 = YOLOv1Config(image_size=SIDE, grid=16, score_thresh=0.01, detections_per_img=50)
YOLO_V3 = YOLOv3Config(
    image_size=SIDE,
    anchors=((12, 12), (21, 17), (20, 28), (35, 25), (29, 40), (49, 35), (41, 56), (63, 47), (58, 67)),  # clusters of the shapes' boxes
    masks=((6, 7, 8), (3, 4, 5), (0, 1, 2)),
    iou_thresh=0.4,
    score_thresh=0.01,
    detections_per_img=50,
)


class MiniBlock(Module):
    """Two 3x3 convolutions, the first of stride 2, and a 1x1 convolution as the shortcut.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H / 2, W / 2)
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = Conv2d(in_channels, out_channels, 3, 2, padding=1, bias=False)
        self.bn1 = BatchNorm2d(out_channels, activation="relu")
        self.conv2 = Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(out_channels, activation="relu")
        self.shortcut = Conv2d(in_channels, out_channels, 1, 2, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """The smaller maps."""
        y: Tensor = self.bn2(self.conv2(self.bn1(self.conv1(input))), residual=self.shortcut(input))
        return y


class MiniBody(Module):
    """A convolution of stride 2 and three blocks.

    Shapes
    ------
    (N, C, H, W) -> {"0": (N, 32, H / 4, W / 4), "1": (N, 64, H / 8, W / 8), "2": (N, 128, H / 16, W / 16)}
    """

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.stem = Sequential(Conv2d(in_channels, STEM, 3, 2, padding=1, bias=False), BatchNorm2d(STEM, activation="relu"))
        before = (STEM, *STAGES)
        self.stages = Sequential(*(MiniBlock(channels, after) for channels, after in zip(before, STAGES, strict=False)))
        start_convolutions(self)

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The maps, fine to coarse."""
        x = self.stem(input)
        maps: OrderedDict[str, Tensor] = OrderedDict()
        for name, stage in zip(MAPS, self.stages, strict=True):
            x = stage(x)
            maps[name] = x
        return maps


def mini_backbone(in_channels: int = 3) -> BackboneWithFPN:
    """The pyramid of 32 channels, strides 4, 8, 16 and 32, over `MiniBody`."""
    return BackboneWithFPN(MiniBody(in_channels), STAGES, CHANNELS, norm_layer=BatchNorm2d)


class ConvolvedMaps(Module):
    """The pyramid, and one more 3x3 convolution of each map with its own weights, for predictors that have no hidden layer.

    Shapes
    ------
    (N, C, H, W) -> {name: (N, 64, H_k, W_k)}
    """

    out_channels = 2 * CHANNELS

    def __init__(self, in_channels: int, num_maps: int) -> None:
        super().__init__()
        self.pyramid = mini_backbone(in_channels)
        self.convolutions = Sequential(
            *(ops.Conv2dNormActivation(CHANNELS, self.out_channels, norm_layer=BatchNorm2d) for _ in range(num_maps))
        )

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The maps, fine to coarse."""
        maps = self.pyramid(input)
        return OrderedDict((name, layer(x)) for layer, (name, x) in zip(self.convolutions, maps.items(), strict=True))


def mini_anchors() -> AnchorGenerator:
    """Two sizes and three ratios a cell."""
    return AnchorGenerator(SIZES, (RATIOS,) * len(SIZES))


def region_pool(side: int, pixels: int = 32) -> ops.MultiScaleRoIAlign:
    """Regions of fewer pixels a side come from stride 4, from twice as many on from stride 16."""
    return ops.MultiScaleRoIAlign(MAPS, side, 2, canonical_scale=pixels, canonical_level=3)


def box_parts(num_classes: int) -> dict[str, Module]:
    """What the two-stage detectors share beside backbone and anchors."""
    return {
        "rpn_head": RPNHead(CHANNELS, len(RATIOS) * len(SIZES[0])),
        "box_roi_pool": region_pool(REGION),
        "box_head": TwoMLPHead(CHANNELS * REGION**2, UNITS),
        "box_predictor": FastRCNNPredictor(UNITS, num_classes),
    }


@builder(image_size=SIDE, task="detection")
@spelled_out(RCNNConfig)
def fasterrcnn_mini(num_classes: int = 4, in_channels: int = 3, *, config: RCNNConfig = TWO_STAGE) -> FasterRCNN:
    """Faster R-CNN for images of 128 pixels.

    Parameters
    ----------
    num_classes : int
        With the background.
    in_channels : int
        Of the images; `image_mean` and `image_std` need as many numbers.
    config : RCNNConfig
        The other numbers; each may be given by its name instead.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in fasterrcnn_mini().parameters())
    567778
    """
    return FasterRCNN(mini_backbone(in_channels), rpn_anchor_generator=mini_anchors(), config=config, **box_parts(num_classes))


@builder(image_size=SIDE, task="detection")
@spelled_out(RCNNConfig)
def maskrcnn_mini(num_classes: int = 4, in_channels: int = 3, *, config: RCNNConfig = TWO_STAGE) -> MaskRCNN:
    """Mask R-CNN for images of 128 pixels, masks of 20 x 20; arguments as in `fasterrcnn_mini`."""
    return MaskRCNN(
        mini_backbone(in_channels),
        rpn_anchor_generator=mini_anchors(),
        mask_roi_pool=region_pool(MASK_REGION),
        mask_head=MaskRCNNHeads(CHANNELS, (CHANNELS,) * 2),
        mask_predictor=MaskRCNNPredictor(CHANNELS, CHANNELS, num_classes),
        config=config,
        **box_parts(num_classes),
    )


@builder(image_size=SIDE, task="detection")
@spelled_out(RCNNConfig)
def keypointrcnn_mini(
    num_classes: int = 4, in_channels: int = 3, *, num_keypoints: int = 3, config: RCNNConfig = TWO_STAGE
) -> KeypointRCNN:
    """Keypoint R-CNN for images of 128 pixels, maps of 32 x 32.

    Parameters
    ----------
    num_keypoints : int
        Points of an object.
    num_classes, in_channels, config
        As in `fasterrcnn_mini`.
    """
    return KeypointRCNN(
        mini_backbone(in_channels),
        rpn_anchor_generator=mini_anchors(),
        keypoint_roi_pool=region_pool(KEYPOINT_REGION, pixels=64),
        keypoint_head=KeypointRCNNHeads(CHANNELS, (CHANNELS,) * 6),
        keypoint_predictor=KeypointRCNNPredictor(CHANNELS, num_keypoints),
        config=config,
        **box_parts(num_classes),
    )


@builder(image_size=SIDE, task="detection")
@spelled_out(RetinaNetConfig)
def retinanet_mini(num_classes: int = 4, in_channels: int = 3, *, config: RetinaNetConfig = ONE_STAGE) -> RetinaNet:
    """RetinaNet for images of 128 pixels, its boxes learned by generalised IoU; arguments as in `fasterrcnn_mini`."""
    anchors = mini_anchors()
    backbone = ConvolvedMaps(in_channels, len(SIZES))
    head = RetinaNetHead(backbone.out_channels, anchors.num_anchors_per_location()[0], num_classes, num_convs=0)
    return RetinaNet(backbone, num_classes, anchor_generator=anchors, head=head, box_loss="giou", config=config)


@builder(image_size=SIDE, task="detection")
@spelled_out(SSDConfig)
def ssd_mini(num_classes: int = 4, in_channels: int = 3, *, config: SSDConfig = SSD_CONFIG) -> SSD:
    """SSD for images of 128 pixels over the pyramid: 6,112 default boxes; arguments as in `fasterrcnn_mini`."""
    boxes = DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3]], scales=[0.09, 0.17, 0.3, 0.48, 0.66])
    counts = boxes.num_anchors_per_location()
    backbone = ConvolvedMaps(in_channels, len(counts))
    head = SSDHead([backbone.out_channels] * len(counts), counts, num_classes)
    return SSD(backbone, boxes, (SIDE, SIDE), num_classes, head=head, config=config)


@builder(image_size=SIDE, task="detection")
@spelled_out(FoveaBoxConfig)
def foveabox_mini(num_classes: int = 4, in_channels: int = 3, *, config: FoveaBoxConfig = FOVEA) -> FoveaBox:
    """FoveaBox for images of 128 pixels; arguments as in `fasterrcnn_mini`."""
    head = RetinaNetHead(CHANNELS, 1, num_classes, norm_layer=partial(GroupNorm, GROUPS), num_convs=2)
    return FoveaBox(mini_backbone(in_channels), num_classes, head=head, config=config)


class CoarseToFine(MiniBody):
    """The body's maps, in this order.

    Shapes
    ------
    (N, C, H, W) -> {"0": (N, 128, H / 16, W / 16), "1": (N, 64, H / 8, W / 8), "2": (N, 32, H / 4, W / 4)}
    """

    out_channels = STAGES[::-1]

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The maps."""
        return OrderedDict(zip(MAPS, reversed(super().forward(input).values()), strict=True))


class FineWithCoarse(MiniBody):
    """All maps as one on the pixels of stride 8: four pixels of stride 4 beside each other, as in YOLO v2's passthrough, and stride 16 repeated.

    Shapes
    ------
    (N, C, H, W) -> (N, 320, H / 8, W / 8)
    """

    out_channels = 4 * STAGES[0] + STAGES[1] + STAGES[2]

    def forward(self, input: Tensor) -> Tensor:  # type: ignore[override]
        """The map."""
        maps = super().forward(input)
        coarse = functional.interpolate(maps["2"], scale_factor=2, mode="nearest")
        return functional.cat([functional.pixel_unshuffle(maps["0"], 2), maps["1"], coarse], 1)


class CellsLast(Module):
    """(N, numbers, S, S) -> (N, S, S, numbers): the order in which a head of linear layers gives them."""

    def forward(self, input: Tensor) -> Tensor:
        """The same numbers."""
        return input.permute(0, 2, 3, 1)


@builder(image_size=SIDE, task="detection")
@spelled_out(YOLOv1Config)
def yolo_v1_mini(num_classes: int = 3, in_channels: int = 3, *, config: YOLOv1Config = YOLO_V1) -> YOLOv1:
    """YOLO v1 for images of 128 pixels: a cell a map's pixel, 512 boxes.

    Parameters
    ----------
    num_classes, in_channels : int
        Without a background; 3 for colour.
    config : YOLOv1Config
        The other numbers, each by its name; `image_size` is 8 `grid`.
    """
    if config.image_size != 8 * config.grid:
        raise ArgumentError(f"yolo_v1_mini: image_size={config.image_size} must be 8 times grid={config.grid}; give image_size={8 * config.grid}")
    backbone = FineWithCoarse(in_channels)
    width = 2 * CHANNELS
    head = Sequential(
        conv_norm_leaky(backbone.out_channels, width, 3, 1, LEAK),
        conv_norm_leaky(width, width, 3, 1, LEAK),
        conv_norm_leaky(width, 2 * width, 3, 1, LEAK),
        Conv2d(2 * width, 5 * config.boxes + num_classes, 1),
        CellsLast(),
    )
    return YOLOv1(backbone, head, num_classes, in_channels, config=config)


@builder(image_size=SIDE, task="detection")
@spelled_out(YOLOv3Config)
def yolo_v3_mini(num_classes: int = 3, in_channels: int = 3, *, config: YOLOv3Config = YOLO_V3) -> YOLOv3:
    """YOLO v3 for images of 128 pixels: strides 16, 8 and 4, 4,032 boxes.

    Parameters
    ----------
    num_classes, in_channels : int
        Without a background; 3 for colour.
    config : YOLOv3Config
        The other numbers, each by its name; three masks.
    """
    if len(config.masks) != len(STAGES):
        raise ArgumentError(f"yolo_v3_mini: there are {len(config.masks)} masks; it has three scales")
    backbone = CoarseToFine(in_channels)
    head = YOLOv3Head(backbone.out_channels, (64, 48, 24), [len(mask) * (5 + num_classes) for mask in config.masks], 4)
    return YOLOv3(backbone, head, num_classes, in_channels, config=config)
