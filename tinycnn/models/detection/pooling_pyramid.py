"""Pooling Pyramid Network: SSD with one map, its pyramid made by max pooling, and one predictor shared by all sizes.

References
----------
Jin, Rathod, Zhu: Pooling pyramid network for object detection, 2018.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from ... import functional, ops
from ...errors import ArgumentError
from ...nn import Conv2d, Module, Sequential
from ...tensor import Tensor
from ..mobilenetv1 import mobilenetv1_100
from ..registry import builder
from .default_boxes import DefaultBoxGenerator
from .faster_rcnn import CLASSES
from .options import spelled_out
from .rpn import in_rows
from .ssd import SSD, SSDConfig, start_by_xavier

__all__ = ["PoolingPyramid", "SharedHead", "ppn_mobilenetv1"]

LEVELS = 6  # 19, 10, 5, 3, 2 and 1 cells a side of an image of 300 pixels
CHANNELS = 512
CONFIG = SSDConfig(image_mean=(0.5, 0.5, 0.5), image_std=(0.5, 0.5, 0.5))


class PoolingPyramid(Module):
    """A body's map, reduced by a 1x1 convolution, then pooled again and again: no weights of its own a level.

    Shapes
    ------
    (N, C, H, W) -> {"0": (N, channels, h, w), "1": (N, channels, ceil(h / 2), ceil(w / 2)), ...}

    Parameters
    ----------
    body : Module
        Gives one map.
    in_channels, channels : int
        Of its map; of the pyramid.
    levels : int
        Maps.
    """

    def __init__(self, body: Module, in_channels: int, channels: int, levels: int = LEVELS) -> None:
        super().__init__()
        if levels < 1:
            raise ArgumentError(f"PoolingPyramid: levels={levels} must be at least 1")
        self.body = body
        self.reduce = ops.Conv2dNormActivation(in_channels, channels, 1)
        self.levels = levels
        self.out_channels = [channels] * levels

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The maps, fine to coarse."""
        x = self.reduce(self.body(input))
        maps = OrderedDict([("0", x)])
        for level in range(1, self.levels):
            x = functional.max_pool2d(x, 2, 2, ceil_mode=True)
            maps[str(level)] = x
        return maps


class SharedHead(Module):
    """The same 1x1 convolutions for every map, so that a score means the same at every size.

    Parameters
    ----------
    channels, num_anchors, num_classes : int
        Of every map; boxes of a cell; with the background.
    """

    def __init__(self, channels: int, num_anchors: int, num_classes: int) -> None:
        super().__init__()
        self.conv = ops.Conv2dNormActivation(channels, channels, 1)
        self.cls_logits = Conv2d(channels, num_anchors * num_classes, 1)
        self.bbox_reg = Conv2d(channels, num_anchors * 4, 1)
        self.num_classes = num_classes
        start_by_xavier(self)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """Of all default boxes."""
        hidden = [self.conv(one) for one in x]
        return {
            "bbox_regression": in_rows([self.bbox_reg(one) for one in hidden], 4),
            "cls_logits": in_rows([self.cls_logits(one) for one in hidden], self.num_classes),
        }


@builder(image_size=300, task="detection")
@spelled_out(SSDConfig)
def ppn_mobilenetv1(num_classes: int = CLASSES, in_channels: int = 3, *, channels: int = CHANNELS, config: SSDConfig = CONFIG) -> SSD:
    """Pooling Pyramid Network over MobileNet v1 for images of 300 pixels: 3,000 default boxes.

    Parameters
    ----------
    num_classes : int
        With the background.
    in_channels : int
        Of the images; `image_mean` and `image_std` need as many numbers.
    channels : int
        Of the pyramid.
    config : SSDConfig
        The other numbers; each may be given by its name instead.
    """
    network = mobilenetv1_100(in_channels=in_channels)
    body = Sequential(network.conv_stem, network.bn1, *list(network.blocks)[:4])  # to stride 16
    boxes = DefaultBoxGenerator([[2, 3]] * LEVELS, min_ratio=0.15, max_ratio=0.95)
    head = SharedHead(channels, boxes.num_anchors_per_location()[0], num_classes)
    return SSD(PoolingPyramid(body, 512, channels), boxes, (300, 300), num_classes, head=head, config=config)
