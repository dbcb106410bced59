"""YOLO v2: Darknet-19 without its classifier, fine features passed through to the coarse map, and five anchors a cell.

References
----------
Redmon, Farhadi: YOLO9000: better, faster, stronger, CVPR 2017, sections 2 to 4, table 6.

Differs from the paper: the passed map has 64 channels before it is reorganised, as in the authors' yolov2-voc.cfg, where the paper's text passes
all 512 (`passthrough=0`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional
from ...errors import ArgumentError, ShapeError
from ...nn import Conv2d, MaxPool2d, Module, Sequential
from ...tensor import Tensor
from ..darknet import DARKNET19, conv_norm_leaky
from ..registry import builder
from .anchors import ImageList
from .generalized_rcnn import Detector
from .options import spelled_out
from .word_tree import WordTree
from .yolo_grid import YOLOConfig, YOLOTransform, best_boxes, decode_anchors, sigmoid, split_anchors
from .yolo_v1 import LEAK, VOC_CLASSES, scaled
from .yolo_v2_loss import yolo_v2_loss

__all__ = ["YOLOv2", "YOLOv2Config", "darknet_reorg", "region_scores", "reorg", "yolo_v2", "yolo_v2_tiny"]

STRIDE = 32
# Widths and heights in cells of 32 pixels, of the authors' yolov2-voc.cfg and yolov2-tiny-voc.cfg.
VOC_ANCHORS = ((1.3221, 1.73145), (3.19275, 4.00944), (5.05587, 8.09892), (9.47112, 4.84053), (11.2364, 10.0071))
TINY_ANCHORS = ((1.08, 1.19), (3.42, 4.41), (6.63, 11.38), (9.42, 5.11), (16.62, 10.52))
PASSED = 64
DEEP = 1024
TINY = (16, 32, 64, 128, 256, 512)


@dataclass(frozen=True)
class YOLOv2Config(YOLOConfig):
    """The numbers of YOLO v2; anchors in cells, as published."""

    anchors: tuple[tuple[float, float], ...] = VOC_ANCHORS
    coord_scale: float = 1.0
    object_scale: float = 5.0
    noobject_scale: float = 1.0
    class_scale: float = 1.0
    thresh: float = 0.6
    warm_up_images: int = 12_800
    word_tree: WordTree | None = None
    tree_thresh: float = 0.5


def reorg(maps: Tensor, stride: int = 2) -> Tensor:
    """Neighbouring pixels become channels: (N, C, H, W) -> (N, s s C, H / s, W / s), the upper left pixels of all channels first.

    Examples
    --------
    >>> reorg(Tensor(np.arange(8.0).reshape(1, 2, 2, 2))).data[0, :, 0, 0].tolist()
    [0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0]
    """
    images, channels, rows, columns = maps.shape
    if rows % stride or columns % stride:
        raise ShapeError(f"reorg: a map of {rows} x {columns} has no blocks of {stride} x {stride}; its sides must be multiples of {stride}")
    split = maps.reshape(images, channels, rows // stride, stride, columns // stride, stride)
    return split.permute(0, 3, 5, 1, 2, 4).reshape(images, stride * stride * channels, rows // stride, columns // stride)


def darknet_reorg(maps: Tensor, stride: int = 2) -> Tensor:
    """What Darknet's reorg layer computes instead, and so what published weights expect.

    It reads the map's memory as if it were (C / s^2, s H, s W), reorganises that, and reads the answer as (s^2 C, H / s, W / s): pixels of distant
    places meet in one cell.
    """
    images, channels, rows, columns = maps.shape
    if channels % stride**2 or rows % stride or columns % stride:
        raise ShapeError(f"darknet_reorg: {channels} channels of {rows} x {columns} must be multiples of {stride**2}, {stride} and {stride}")
    turned = reorg(maps.reshape(images, channels // stride**2, rows * stride, columns * stride), stride)
    return turned.reshape(images, channels * stride**2, rows // stride, columns // stride)


class _Passthrough(Module):
    """Darknet-19 to its last 3x3 convolution, two more, the reorganised finer map beside them, and one convolution over both."""

    def __init__(self, in_channels: int, width_mult: float, passthrough: int) -> None:
        super().__init__()
        layers: list[Module] = []
        channels = in_channels
        for row in DARKNET19:
            if isinstance(row, str):
                layers.append(MaxPool2d(2, 2))
                continue
            layers.append(conv_norm_leaky(channels, scaled(row[0], width_mult), row[1], 1, LEAK))
            channels = scaled(row[0], width_mult)
        last_pool = max(number for number, layer in enumerate(layers) if isinstance(layer, MaxPool2d))
        fine = scaled(512, width_mult)
        deep = scaled(DEEP, width_mult)
        self.fine = Sequential(*layers[:last_pool])
        self.coarse = Sequential(
            *layers[last_pool:], conv_norm_leaky(channels, deep, 3, 1, LEAK), conv_norm_leaky(deep, deep, 3, 1, LEAK)
        )
        passed = scaled(passthrough, width_mult) if passthrough else fine
        self.passed = conv_norm_leaky(fine, passed, 1, 1, LEAK) if passthrough else Sequential()
        self.joined = conv_norm_leaky(4 * passed + deep, deep, 3, 1, LEAK)
        self.out_channels = deep

    def forward(self, input: Tensor) -> Tensor:
        """One map of a cell every 32 pixels."""
        fine = self.fine(input)
        return self.joined(functional.cat([reorg(self.passed(fine)), self.coarse(fine)], 1))


class YOLOv2(Detector):
    """YOLO v2 over any backbone of one map.

    Parameters
    ----------
    backbone : Module
        Images to one map; `out_channels` says its channels.
    num_classes, in_channels : int
        Without a background, labels are 1 to `num_classes`; channels of the photos. With a word tree the labels are the tree's nodes.
    config : YOLOv2Config
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        For an image size that is no multiple of 32, or a tree of another number of classes.
    """

    @spelled_out(YOLOv2Config)
    def __init__(self, backbone: Module, num_classes: int, in_channels: int = 3, *, config: YOLOv2Config) -> None:
        if config.image_size % STRIDE or config.image_size < STRIDE:
            raise ArgumentError(f"YOLOv2: image_size={config.image_size} must be a multiple of {STRIDE}")
        if config.word_tree is not None and len(config.word_tree) != num_classes:
            raise ArgumentError(f"YOLOv2: num_classes={num_classes}, but the word tree has {len(config.word_tree)} nodes; they must be equal")
        super().__init__(backbone, YOLOTransform(config.image_size, config.resize, in_channels))
        self.head = Conv2d(backbone.out_channels, len(config.anchors) * (5 + num_classes), 1)
        self.num_classes, self.config = num_classes, config
        self.anchors = np.array(config.anchors) * STRIDE
        self.register_buffer("images_seen", Tensor(np.zeros((), np.int64)))

    def raw(self, images: Tensor) -> Tensor:
        """(N, A (5 + C), H, W) of a batch of the network's size, before any decoding."""
        return self.head(self.backbone(images))

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        config, size = self.config, batch.image_sizes[0]
        raw = split_anchors(self.head(features["0"]), len(self.anchors))
        if self.training and targets is not None:
            early = int(self.images_seen.data) < config.warm_up_images
            self.images_seen.data[...] += len(targets)
            return [], yolo_v2_loss(
                raw, self.anchors, targets, size,
                coord_scale=config.coord_scale, object_scale=config.object_scale, noobject_scale=config.noobject_scale,
                class_scale=config.class_scale, thresh=config.thresh, towards_anchors=early, word_tree=config.word_tree,
            )  # fmt: skip
        boxes = decode_anchors(raw.data, self.anchors, size)
        scores = region_scores(raw.data, config.word_tree, config.tree_thresh, config.score_thresh)
        pairs = zip(boxes.reshape(len(boxes), -1, 4), scores.reshape(len(boxes), -1, self.num_classes), strict=True)
        return [best_boxes(*pair, config) for pair in pairs], {}


def region_scores(raw: np.ndarray, tree: WordTree | None, tree_thresh: float, score_thresh: float) -> np.ndarray:
    """Each class's score (..., C) of (..., 5 + C): the confidence times the softmax; with a tree the confidence, at the node it goes down to."""
    confidence = sigmoid(raw[..., 4])
    if tree is None:
        return confidence[..., None] * functional.softmax(raw[..., 5:], -1).data
    scores = np.zeros(raw.shape[:-1] + (len(tree),), raw.dtype)
    for place in zip(*np.nonzero(confidence > score_thresh), strict=True):
        node, _ = tree.decide(raw[place][5:], tree_thresh)
        scores[(*place, node)] = confidence[place]
    return scores


@builder(image_size=416, task="detection")
@spelled_out(YOLOv2Config)
def yolo_v2(
    num_classes: int = VOC_CLASSES,
    in_channels: int = 3,
    *,
    width_mult: float = 1.0,
    passthrough: int = PASSED,
    config: YOLOv2Config = YOLOv2Config(),
) -> YOLOv2:
    """YOLO v2 over Darknet-19, with the passed map; 50,655,389 parameters with 20 classes.

    Parameters
    ----------
    num_classes, in_channels : int
        Without a background; 3 for colour.
    width_mult : float
        Multiplies all channels, rounded down, at least one.
    passthrough : int
        Channels of the finer map before it is reorganised; 0 for all of them, the paper's text.
    config : YOLOv2Config
        The other numbers, each by its name.
    """
    return YOLOv2(_Passthrough(in_channels, width_mult, passthrough), num_classes, in_channels, config=config)


@builder(image_size=416, task="detection")
@spelled_out(YOLOv2Config)
def yolo_v2_tiny(
    num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width_mult: float = 1.0, config: YOLOv2Config = YOLOv2Config(anchors=TINY_ANCHORS)
) -> YOLOv2:
    """Tiny YOLO v2 of the authors' yolov2-tiny-voc.cfg: nine convolutions; arguments as in `yolo_v2`."""
    layers = OrderedDict[str, Module]()
    channels = in_channels
    for number, width in enumerate((*TINY, DEEP, DEEP)):
        layers[f"conv{number}"] = conv_norm_leaky(channels, scaled(width, width_mult), 3, 1, LEAK)
        channels = scaled(width, width_mult)
        if number < len(TINY):
            # The last one keeps the size: a window of 2 with stride 1 and one more column and row.
            layers[f"pool{number}"] = MaxPool2d(2, 2) if number < len(TINY) - 1 else MaxPool2d(2, 1, (0, 1, 0, 1))
    backbone = Sequential(layers)
    backbone.out_channels = channels
    return YOLOv2(backbone, num_classes, in_channels, config=config)
