"""Lite R-ASPP: the cheap head of MobileNet v3, under torchvision's name: its keys and answers.

References
----------
Howard et al. 2019, "Searching for MobileNetV3", section 6.4 and figure 10.
"""

from __future__ import annotations

from collections import OrderedDict

from ...nn import AdaptiveAvgPool2d, Conv2d, Module, Sequential, Sigmoid
from ...tensor import Tensor
from ..detection.backbones import SequentialBody, stage_starts
from ..mobilenetv3 import mobilenet_v3_large
from ..registry import builder
from .deeplabv3 import conv_norm_relu
from .dense_head import VOC_CLASSES, enlarged

__all__ = ["LRASPP", "LRASPPHead", "lraspp_mobilenet_v3_large"]


class LRASPPHead(Module):
    """Deep features weighed by their mean, enlarged, and their scores added to those of finer features.

    Shapes
    ------
    {"low": (N, low_channels, H, W), "high": (N, high_channels, H / 2, W / 2)} -> (N, num_classes, H, W)

    Formula
    -------
    y = low_classifier(low) + high_classifier(enlarge(cbr(high) scale(high)))
    """

    def __init__(self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int) -> None:
        super().__init__()
        self.cbr = Sequential(*conv_norm_relu(high_channels, inter_channels))
        self.scale = Sequential(AdaptiveAvgPool2d(1), Conv2d(high_channels, inter_channels, 1, bias=False), Sigmoid())
        self.low_classifier = Conv2d(low_channels, num_classes, 1)
        self.high_classifier = Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: dict[str, Tensor]) -> Tensor:
        """Scores at the finer map's pixels."""
        low, high = input["low"], input["high"]
        deep = enlarged(self.cbr(high) * self.scale(high), tuple(low.shape[-2:]))
        scores: Tensor = self.low_classifier(low) + self.high_classifier(deep)
        return scores


class LRASPP(Module):
    """A backbone that gives "low" and "high", and the head.

    Shapes
    ------
    (N, C, H, W) -> {"out": (N, num_classes, H, W)}

    Parameters
    ----------
    backbone : Module
        Gives maps by name.
    low_channels, high_channels : int
        Of the two maps.
    num_classes : int
        Classes with the background.
    inter_channels : int
        Of the head.
    """

    def __init__(self, backbone: Module, low_channels: int, high_channels: int, num_classes: int, inter_channels: int = 128) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The scores as "out"."""
        return OrderedDict(out=enlarged(self.classifier(self.backbone(input)), tuple(input.shape[-2:])))


@builder(task="segmentation", image_size=520)
def lraspp_mobilenet_v3_large(num_classes: int = VOC_CLASSES, in_channels: int = 3) -> LRASPP:
    """Lite R-ASPP over MobileNet v3 at stride 16: 3,221,538 parameters.

    Parameters
    ----------
    num_classes, in_channels : int
        Classes with the background; channels of the images.
    """
    features = list(mobilenet_v3_large(in_channels=in_channels, dilated=True).features)
    starts = stage_starts(features)
    low, high = starts[-4], starts[-1]
    return LRASPP(SequentialBody(features, {low: "low", high: "high"}), features[low].out_channels, features[high].out_channels, num_classes)
