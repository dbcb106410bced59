"""YOLO v3: Darknet-53, predictions on three scales, each with three anchors, and classes that do not exclude each other.

References
----------
Redmon, Farhadi: YOLOv3: an incremental improvement, 2018, section 2, table 1; the layers between the scales are those of the authors' yolov3.cfg
and yolov3-tiny.cfg.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional
from ...errors import ArgumentError
from ...nn import Conv2d, MaxPool2d, Module, ModuleList, Sequential
from ...tensor import Tensor
from ..darknet import Darknet53, conv_norm_leaky
from ..registry import builder
from .anchors import ImageList
from .generalized_rcnn import Detector
from .options import spelled_out
from .yolo_grid import YOLOConfig, YOLOTransform, best_boxes, decode_anchors, sigmoid, split_anchors
from .yolo_v1 import LEAK, scaled
from .yolo_v3_loss import yolo_v3_loss

__all__ = ["YOLOv3", "YOLOv3Config", "yolo_scores", "yolo_v3", "yolo_v3_tiny"]

STRIDE = 32
COCO_CLASSES = 80
# Section 2.3: widths and heights in pixels, nine clusters of COCO's boxes, small to large.
COCO_ANCHORS = ((10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326))
TINY_ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))


@dataclass(frozen=True)
class YOLOv3Config(YOLOConfig):
    """The numbers of YOLO v3; anchors in pixels, masks from the coarsest scale on; `iou_thresh` below 1 as in YOLO v4, see `yolo_v3_loss`."""

    anchors: tuple[tuple[float, float], ...] = COCO_ANCHORS
    masks: tuple[tuple[int, ...], ...] = ((6, 7, 8), (3, 4, 5), (0, 1, 2))
    ignore_thresh: float = 0.5
    iou_thresh: float = 1.0


TINY_CONFIG = YOLOv3Config(anchors=TINY_ANCHORS, masks=((3, 4, 5), (0, 1, 2)))


class _Darknet53Maps(Module):
    """Darknet-53's maps of strides 32, 16 and 8."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        classifier = Darknet53(1, in_channels, negative_slope=LEAK, zero_init_last=False)
        self.stem, self.stages = classifier.stem, classifier.stages
        self.out_channels = [1024, 512, 256]

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """Coarse to fine."""
        x = self.stem(input)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return OrderedDict((str(number), one) for number, one in enumerate(maps[:1:-1]))


class _TinyMaps(Module):
    """Seven convolutions; maps of strides 32 and 16."""

    def __init__(self, in_channels: int, width_mult: float) -> None:
        super().__init__()
        widths = [scaled(width, width_mult) for width in (16, 32, 64, 128, 256, 512, 1024)]
        layers: list[Module] = []
        channels = in_channels
        for number, width in enumerate(widths):
            layers.append(conv_norm_leaky(channels, width, 3, 1, LEAK))
            if number < 6:
                layers.append(MaxPool2d(2, 2) if number < 5 else MaxPool2d(2, 1, (0, 1, 0, 1)))
            channels = width
        self.fine, self.coarse = Sequential(*layers[:9]), Sequential(*layers[9:])
        self.out_channels = [widths[6], widths[4]]

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """Coarse to fine."""
        fine = self.fine(input)
        return OrderedDict([("0", self.coarse(fine)), ("1", fine)])


class YOLOv3Head(Module):
    """From the coarsest map on: a few convolutions, the scale's predictions, and a doubled copy beside the next finer map.

    Parameters
    ----------
    in_channels : list of int
        Of the maps, coarse to fine.
    widths : list of int
        Channels before the predictions of each scale are 2 w; w go on to the next.
    outputs : list of int
        Channels of each scale's predictions.
    depth : int
        Convolutions of a scale before its predictions: 6 in YOLO v3 (1x1 and 3x3 in turn), 2 in the tiny one.
    """

    def __init__(self, in_channels: Sequence[int], widths: Sequence[int], outputs: Sequence[int], depth: int) -> None:
        super().__init__()
        self.trunks, self.predictions, self.ways = ModuleList(), ModuleList(), ModuleList()
        passed = 0
        for number, (channels, width, count) in enumerate(zip(in_channels, widths, outputs, strict=True)):
            trunk: list[Module] = []
            entering = channels + passed
            # The tiny network's finer scale has no 1x1 convolution.
            for k in range(1 if depth == 2 and number else 0, depth - 1):
                trunk.append(conv_norm_leaky(entering, 2 * width if k % 2 else width, 3 if k % 2 else 1, 1, LEAK))
                entering = 2 * width if k % 2 else width
            self.trunks.append(Sequential(*trunk))
            self.predictions.append(Sequential(conv_norm_leaky(entering, 2 * width, 3, 1, LEAK), Conv2d(2 * width, count, 1)))
            if number + 1 < len(widths):
                passed = max(1, width // 2)
                self.ways.append(conv_norm_leaky(entering, passed, 1, 1, LEAK))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Predictions of each scale, coarse to fine."""
        found = []
        x = maps[0]
        for number, (trunk, prediction) in enumerate(zip(self.trunks, self.predictions, strict=True)):
            x = trunk(x)
            found.append(prediction(x))
            if number < len(self.ways):
                finer = functional.interpolate(self.ways[number](x), scale_factor=2, mode="nearest")
                x = functional.cat([finer, maps[number + 1]], 1)
        return found


class YOLOv3(Detector):
    """YOLO v3 over any backbone of maps that each have twice the cells of the one before.

    Parameters
    ----------
    backbone : Module
        Images to maps by name, coarse to fine; `out_channels` lists their channels.
    head : Module
        Maps, coarse to fine, to predictions of each.
    num_classes, in_channels : int
        Without a background, labels are 1 to `num_classes`; channels of the photos.
    config : YOLOv3Config
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        For an image size that is no multiple of 32, or masks that name no anchor.
    """

    @spelled_out(YOLOv3Config)
    def __init__(self, backbone: Module, head: Module, num_classes: int, in_channels: int = 3, *, config: YOLOv3Config) -> None:
        check_scales(config)
        super().__init__(backbone, YOLOTransform(config.image_size, config.resize, in_channels))
        self.head, self.num_classes, self.config = head, num_classes, config
        self.anchors = np.array(config.anchors, np.float64)

    def raw(self, images: Tensor) -> list[Tensor]:
        """For each scale, coarse to fine, (N, A (5 + C), H, W) of a batch of the network's size, before any decoding."""
        return self.head(list(self.backbone(images).values()))

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        config, size = self.config, batch.image_sizes[0]
        raws = [split_anchors(raw, len(mask)) for raw, mask in zip(self.head(list(features.values())), config.masks, strict=True)]
        if self.training and targets is not None:
            return [], yolo_v3_loss(
                raws, self.anchors, config.masks, targets, size, ignore_thresh=config.ignore_thresh, iou_thresh=config.iou_thresh
            )
        boxes, scores = [], []
        for raw, mask in zip(raws, config.masks, strict=True):
            boxes.append(decode_anchors(raw.data, self.anchors[list(mask)], size).reshape(len(raw.data), -1, 4))
            scores.append(yolo_scores(raw.data).reshape(len(raw.data), -1, self.num_classes))
        pairs = zip(np.concatenate(boxes, axis=1), np.concatenate(scores, axis=1), strict=True)
        return [best_boxes(*pair, config) for pair in pairs], {}


def check_scales(config: YOLOv3Config) -> None:
    """Refuse sizes and masks that fit no network."""
    if config.image_size % STRIDE or config.image_size < STRIDE:
        raise ArgumentError(f"YOLOv3: image_size={config.image_size} must be a multiple of {STRIDE}")
    for mask in config.masks:
        if not mask or not all(0 <= number < len(config.anchors) for number in mask):
            raise ArgumentError(f"YOLOv3: the mask {mask} must name anchors from 0 to {len(config.anchors) - 1}")


def yolo_scores(raw: np.ndarray) -> np.ndarray:
    """Each class's score (..., C) of (..., 5 + C): the confidence times the class's own probability."""
    return sigmoid(raw[..., 4:5]) * sigmoid(raw[..., 5:])


def _outputs(config: YOLOv3Config, num_classes: int) -> list[int]:
    return [len(mask) * (5 + num_classes) for mask in config.masks]


@builder(image_size=416, task="detection")
@spelled_out(YOLOv3Config)
def yolo_v3(num_classes: int = COCO_CLASSES, in_channels: int = 3, *, config: YOLOv3Config = YOLOv3Config()) -> YOLOv3:
    """YOLO v3 over Darknet-53; 61,949,149 parameters with 80 classes, 10,647 boxes at 416 pixels.

    Parameters
    ----------
    num_classes, in_channels : int
        Without a background; 3 for colour.
    config : YOLOv3Config
        The other numbers, each by its name; three masks.
    """
    if len(config.masks) != 3:
        raise ArgumentError(f"yolo_v3: there are {len(config.masks)} masks; it has three scales, yolo_v3_tiny two")
    backbone = _Darknet53Maps(in_channels)
    head = YOLOv3Head(backbone.out_channels, (512, 256, 128), _outputs(config, num_classes), 6)
    return YOLOv3(backbone, head, num_classes, in_channels, config=config)


@builder(image_size=416, task="detection")
@spelled_out(YOLOv3Config)
def yolo_v3_tiny(
    num_classes: int = COCO_CLASSES, in_channels: int = 3, *, width_mult: float = 1.0, config: YOLOv3Config = TINY_CONFIG
) -> YOLOv3:
    """Tiny YOLO v3: seven convolutions, two scales; 8,852,366 parameters with 80 classes.

    Parameters
    ----------
    num_classes, in_channels : int
        Without a background; 3 for colour.
    width_mult : float
        Multiplies all channels, rounded down, at least one.
    config : YOLOv3Config
        The other numbers, each by its name; two masks.
    """
    if len(config.masks) != 2:
        raise ArgumentError(f"yolo_v3_tiny: there are {len(config.masks)} masks; it has two scales, yolo_v3 three")
    backbone = _TinyMaps(in_channels, width_mult)
    head = YOLOv3Head(backbone.out_channels, [scaled(width, width_mult) for width in (256, 128)], _outputs(config, num_classes), 2)
    return YOLOv3(backbone, head, num_classes, in_channels, config=config)
