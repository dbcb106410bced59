"""SSDlite: SSD whose 3x3 convolutions are depthwise separable, over a MobileNet.

References
----------
Sandler et al.: MobileNetV2, CVPR 2018, section 6.2. Howard et al.: Searching for MobileNetV3, ICCV 2019, section 6.3.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from ...errors import ArgumentError
from ...nn import BatchNorm2d, Conv2d, Module, ModuleList, ReLU6, Sequential, init
from ...ops import Conv2dNormActivation
from ...tensor import Tensor
from ..mobilenetv3 import mobilenet_v3_large
from ..registry import builder
from .backbones import freeze_before, stage_starts
from .default_boxes import DefaultBoxGenerator
from .faster_rcnn import CLASSES
from .options import spelled_out
from .ssd import SSD, ScoringHead, SSDConfig

__all__ = ["SSDLiteHead", "ssdlite320_mobilenet_v3_large"]

Norm = Callable[..., Module]

EXTRA_CHANNELS = (512, 256, 256, 128)
SMALLEST_DEPTH = 16


def start_normal(module: Module) -> None:
    """Normal with standard deviation 0.03, biases 0."""
    for layer in module.modules():
        if isinstance(layer, Conv2d):
            init.normal_(layer.weight, 0.0, 0.03)
            if layer.bias is not None:
                init.zeros_(layer.bias)


def separable(in_channels: int, out_channels: int, norm_layer: Norm) -> Sequential:
    """A 3x3 convolution of each channel, then a 1x1."""
    return Sequential(
        Conv2dNormActivation(in_channels, in_channels, 3, groups=in_channels, norm_layer=norm_layer, activation_layer=ReLU6),
        Conv2d(in_channels, out_channels, 1),
    )


def extra_block(in_channels: int, out_channels: int, norm_layer: Norm) -> Sequential:
    """1x1 to half the channels, 3x3 of each channel with stride 2, 1x1."""
    hidden = out_channels // 2
    layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=ReLU6)
    return Sequential(
        layer(in_channels, hidden, kernel_size=1),
        layer(hidden, hidden, kernel_size=3, stride=2, groups=hidden),
        layer(hidden, out_channels, kernel_size=1),
    )


class SSDLiteHead(Module):
    """As `SSDHead`, separable.

    Parameters
    ----------
    in_channels, num_anchors : list of int
        Channels and boxes of a cell, for each map.
    num_classes : int
        With the background, class 0.
    norm_layer : layer
        Between the two convolutions.
    """

    def __init__(self, in_channels: Sequence[int], num_anchors: Sequence[int], num_classes: int, norm_layer: Norm) -> None:
        super().__init__()
        pairs = list(zip(in_channels, num_anchors, strict=True))
        self.classification_head = ScoringHead([separable(channels, count * num_classes, norm_layer) for channels, count in pairs], num_classes)
        self.regression_head = ScoringHead([separable(channels, count * 4, norm_layer) for channels, count in pairs], 4)
        start_normal(self)

    def forward(self, x: Sequence[Tensor]) -> dict[str, Tensor]:
        """Of all default boxes."""
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


class SSDLiteFeatureExtractorMobileNet(Module):
    """A MobileNet cut within its last block of stride 2, after the expansion; and four extra maps.

    Parameters
    ----------
    layers : list of Module
        MobileNet's features.
    cut : int
        Which block is cut.
    norm_layer : layer
        Of the extra maps.
    """

    out_channels: list[int]

    def __init__(self, layers: Sequence[Module], cut: int, norm_layer: Norm) -> None:
        super().__init__()
        block = layers[cut]
        if getattr(block, "has_shortcut", True):
            raise ArgumentError(f"ssdlite: block {cut} has a shortcut, so it cannot be cut within; give a block of stride 2")
        expansion = block.block[0]
        rest = Sequential(OrderedDict(list(block.block.named_children())[1:]))  # each keeps the number it had in the block
        self.features = Sequential(Sequential(*layers[:cut], expansion), Sequential(rest, *layers[cut + 1 :]))
        channels = [layers[-1].out_channels, *(max(SMALLEST_DEPTH, depth) for depth in EXTRA_CHANNELS)]
        self.extra = ModuleList([extra_block(before, after, norm_layer) for before, after in itertools.pairwise(channels)])
        start_normal(self.extra)
        self.out_channels = [expansion.out_channels, *channels]

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The maps, fine to coarse."""
        maps = []
        for block in (*self.features, *self.extra):
            input = block(input)
            maps.append(input)
        return OrderedDict((str(number), one) for number, one in enumerate(maps))


@builder(image_size=320, task="detection")
@spelled_out(SSDConfig)
def ssdlite320_mobilenet_v3_large(
    num_classes: int = CLASSES,
    in_channels: int = 3,
    *,
    trainable_backbone_layers: int = 6,
    reduced_tail: bool = True,
    config: SSDConfig = SSDConfig(
        image_mean=(0.5, 0.5, 0.5), image_std=(0.5, 0.5, 0.5), score_thresh=0.001, nms_thresh=0.55, detections_per_img=300, topk_candidates=300
    ),
) -> SSD:
    """SSDlite for images of 320x320 over MobileNet v3: 3,234 default boxes, 3,440,060 parameters.

    Parameters
    ----------
    num_classes, in_channels : int
        Classes with the background; channels of the images.
    trainable_backbone_layers : int
        0 to 6 stages of the MobileNet are trained.
    reduced_tail : bool
        The last stage has half the channels, as in the published network.
    config : SSDConfig
        The other numbers; each may be given by its name instead.
    """
    norm = partial(BatchNorm2d, eps=0.001, momentum=0.03)
    network = mobilenet_v3_large(in_channels=in_channels, reduced_tail=reduced_tail, norm_layer=norm)
    start_normal(network)
    layers = list(network.features)
    stages = stage_starts(layers)
    freeze_before(layers, stages, trainable_backbone_layers, "ssdlite320_mobilenet_v3_large")
    backbone = SSDLiteFeatureExtractorMobileNet(layers, stages[-2], norm)
    boxes = DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95)
    head = SSDLiteHead(backbone.out_channels, boxes.num_anchors_per_location(), num_classes, norm)
    return SSD(backbone, boxes, (320, 320), num_classes, head=head, config=config)
