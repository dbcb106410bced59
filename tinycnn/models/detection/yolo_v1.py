"""YOLO v1: the image in one look, a grid of cells that each say boxes, confidences and one class.

References
----------
Redmon, Divvala, Girshick, Farhadi: You only look once: unified, real-time object detection, CVPR 2016, figure 3 and section 2.

Differs from the paper: no pretraining on ImageNet; of "Fast YOLO" the paper gives only the number of its layers, so `yolo_v1_tiny` has those of
the authors' tiny-yolov1.cfg, with batch normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn import Conv2d, Dropout, Flatten, LeakyReLU, Linear, MaxPool2d, Module, Sequential, init
from ...tensor import Tensor
from ..darknet import conv_norm_leaky
from ..registry import builder
from .anchors import ImageList
from .generalized_rcnn import Detector
from .options import spelled_out
from .yolo_grid import YOLOConfig, YOLOTransform, best_boxes
from .yolo_v1_loss import decode_yolo_v1, yolo_v1_loss, yolo_v1_scores

__all__ = ["YOLOv1", "YOLOv1Config", "yolo_v1", "yolo_v1_tiny"]

VOC_CLASSES = 20
LEAK = 0.1
# Figure 3: filters, size and stride of each convolution, or "max" for 2x2 pooling.
PAPER: tuple[tuple[int, int, int] | str, ...] = (
    (64, 7, 2), "max",
    (192, 3, 1), "max",
    (128, 1, 1), (256, 3, 1), (256, 1, 1), (512, 3, 1), "max",
    *((256, 1, 1), (512, 3, 1)) * 4, (512, 1, 1), (1024, 3, 1), "max",
    *((512, 1, 1), (1024, 3, 1)) * 2, (1024, 3, 1), (1024, 3, 2),
    (1024, 3, 1), (1024, 3, 1),
)  # fmt: skip
HIDDEN = 4096
STRIDE = 64  # of both networks: 448 pixels become 7 cells
TINY = (16, 32, 64, 128, 256, 512)  # each followed by pooling, then 1024 and 256
TINY_END = (1024, 256)


@dataclass(frozen=True)
class YOLOv1Config(YOLOConfig):
    """The numbers of YOLO v1."""

    image_size: int = 448
    resize: str = "stretch"
    nms_thresh: float = 0.5
    grid: int = 7
    boxes: int = 2
    lambda_coord: float = 5.0
    lambda_noobj: float = 0.5
    predicts_roots: bool = True


class YOLOv1(Detector):
    """YOLO v1 over any network whose maps have `grid` cells a side.

    Parameters
    ----------
    backbone : Module
        Images to maps.
    head : Module
        Maps to one row of S S (5 B + C) numbers: cell after cell, each B times x, y, width, height, confidence, then the classes.
    num_classes, in_channels : int
        C, without a background, labels are 1 to C; channels of the photos.
    config : YOLOv1Config
        The numbers; each may be given by its name instead.

    Raises
    ------
    ArgumentError
        Where the grid or the number of boxes is not positive.

    Examples
    --------
    >>> import tinycnn
    >>> net = yolo_v1_tiny(3, image_size=16, grid=4, width_mult=1 / 16).eval()
    >>> with tinycnn.no_grad():
    ...     net.raw(np.zeros((1, 3, 16, 16), np.float32)).shape
    (1, 4, 4, 13)
    """

    @spelled_out(YOLOv1Config)
    def __init__(self, backbone: Module, head: Module, num_classes: int, in_channels: int = 3, *, config: YOLOv1Config) -> None:
        if config.grid < 1 or config.boxes < 1 or num_classes < 1:
            raise ArgumentError(f"YOLOv1: grid={config.grid}, boxes={config.boxes} and num_classes={num_classes} must be at least 1")
        super().__init__(backbone, YOLOTransform(config.image_size, config.resize, in_channels))
        self.head, self.num_classes, self.config = head, num_classes, config

    def raw(self, images: Tensor) -> Tensor:
        """(N, S, S, 5 B + C) of a batch of the network's size, before any decoding."""
        return self._cells(self.backbone(images))

    def _cells(self, features: Tensor) -> Tensor:
        config = self.config
        return self.head(features).reshape(-1, config.grid, config.grid, 5 * config.boxes + self.num_classes)

    def _answer(
        self, batch: ImageList, features: Mapping[str, Tensor], targets: Sequence[Mapping[str, Any]] | None
    ) -> tuple[list[dict[str, np.ndarray]], dict[str, Tensor]]:
        config, size = self.config, batch.image_sizes[0]
        raw = self._cells(features["0"])
        if self.training and targets is not None:
            weights = config.lambda_coord, config.lambda_noobj, config.predicts_roots
            return [], yolo_v1_loss(raw, targets, size, config.boxes, *weights)
        boxes = decode_yolo_v1(raw.data, config.boxes, size, config.predicts_roots)
        scores = yolo_v1_scores(raw.data, config.boxes)
        count = len(raw.data)
        pairs = zip(boxes.reshape(count, -1, 4), scores.reshape(count, -1, self.num_classes), strict=True)
        return [best_boxes(*pair, config) for pair in pairs], {}


def _started(network: YOLOv1) -> YOLOv1:
    """He's rule for the convolutions, biases 0."""
    for module in network.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                init.zeros_(module.bias)
    return network


@builder(image_size=448, task="detection")
@spelled_out(YOLOv1Config)
def yolo_v1(
    num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width_mult: float = 1.0, config: YOLOv1Config = YOLOv1Config()
) -> YOLOv1:
    """YOLO v1: 24 convolutions and two linear layers; with 20 classes 1,470 outputs, 98 boxes.

    Parameters
    ----------
    num_classes, in_channels : int
        Without a background; 3 for colour.
    width_mult : float
        Multiplies all channels, rounded down, at least one.
    config : YOLOv1Config
        The other numbers, each by its name; `image_size` is 64 `grid`.
    """
    if config.image_size != STRIDE * config.grid:
        raise ArgumentError(
            f"yolo_v1: image_size={config.image_size} must be {STRIDE} times grid={config.grid}; give image_size={STRIDE * config.grid}"
        )
    layers: list[Module] = []
    channels = in_channels
    for row in PAPER:
        if isinstance(row, str):
            layers.append(MaxPool2d(2, 2))
            continue
        filters = scaled(row[0], width_mult)
        layers += [Conv2d(channels, filters, row[1], row[2], padding=row[1] // 2), LeakyReLU(LEAK)]
        channels = filters
    hidden = scaled(HIDDEN, width_mult)
    outputs = config.grid**2 * (5 * config.boxes + num_classes)
    head = Sequential(Flatten(), Linear(channels * config.grid**2, hidden), LeakyReLU(LEAK), Dropout(0.5), Linear(hidden, outputs))
    return _started(YOLOv1(Sequential(*layers), head, num_classes, in_channels, config=config))


@builder(image_size=448, task="detection")
@spelled_out(YOLOv1Config)
def yolo_v1_tiny(
    num_classes: int = VOC_CLASSES, in_channels: int = 3, *, width_mult: float = 1.0, config: YOLOv1Config = YOLOv1Config()
) -> YOLOv1:
    """The small YOLO v1 of the authors' program: eight convolutions with batch normalisation and one linear layer.

    Parameters
    ----------
    num_classes, in_channels, width_mult
        As in `yolo_v1`.
    config : YOLOv1Config
        The other numbers, each by its name. `image_size` is `grid` times a power of two up to 64; with less than 64 the first poolings are left
        out.
    """
    halvings = max(config.image_size // max(1, config.grid), 1).bit_length() - 1
    if config.grid << halvings != config.image_size or halvings > len(TINY):
        nearest = config.grid << min(halvings, len(TINY))
        raise ArgumentError(f"yolo_v1_tiny: image_size={config.image_size} must be grid={config.grid} times 1, 2, 4, ... or 64; give {nearest}")
    layers: list[Module] = []
    channels = in_channels
    for number, width in enumerate((*TINY, *TINY_END)):
        filters = scaled(width, width_mult)
        layers.append(conv_norm_leaky(channels, filters, 3, 1, LEAK))
        if len(TINY) - halvings <= number < len(TINY):
            layers.append(MaxPool2d(2, 2))
        channels = filters
    head = Sequential(Flatten(), Linear(channels * config.grid**2, config.grid**2 * (5 * config.boxes + num_classes)))
    return _started(YOLOv1(Sequential(*layers), head, num_classes, in_channels, config=config))


def scaled(width: int, width_mult: float) -> int:
    """Channels times the width, rounded down, at least one."""
    if not width_mult > 0:
        raise ArgumentError(f"YOLO: width_mult={width_mult!r} must be above 0")
    return max(1, int(width * width_mult))
