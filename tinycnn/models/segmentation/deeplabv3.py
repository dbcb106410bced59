"""DeepLab v3: parallel convolutions of several dilations and the mean of the image, under torchvision's names: its keys and answers.

References
----------
Chen, Papandreou, Schroff and Adam 2017, "Rethinking atrous convolution for semantic image segmentation" (arXiv 1706.05587), section 3.3, figure 5.

Differs from the paper: a 3x3 convolution follows the pyramid; rates 12, 24, 36 at stride 8, as in torchvision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ... import functional
from ...nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Module, ModuleList, ReLU, Sequential
from ...tensor import Tensor
from ..detection.backbones import SequentialBody, stage_starts
from ..mobilenetv3 import mobilenet_v3_large
from ..registry import builder
from ..resnet import ResNet, resnet50, resnet101
from .dense_head import VOC_CLASSES, DenseClassifier, FCNHead, dilated_resnet_body, enlarged

__all__ = ["ASPP", "ASPPPooling", "DeepLabHead", "deeplabv3_mobilenet_v3_large", "deeplabv3_resnet50", "deeplabv3_resnet101"]

PYRAMID_CHANNELS = 256
RATES = (12, 24, 36)


def conv_norm_relu(in_channels: int, out_channels: int, kernel_size: int = 1, dilation: int = 1) -> list[Module]:
    """A convolution that keeps the size, batch normalisation, ReLU."""
    padding = dilation * (kernel_size // 2)
    conv = Conv2d(in_channels, out_channels, kernel_size, padding=padding, dilation=dilation, bias=False)
    return [conv, BatchNorm2d(out_channels), ReLU()]


class ASPPPooling(Sequential):
    """The mean of each map, a 1x1 convolution, and the result at every pixel.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H, W)
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(AdaptiveAvgPool2d(1), *conv_norm_relu(in_channels, out_channels))

    def forward(self, input: Tensor) -> Tensor:
        """One number a map, spread out."""
        return enlarged(super().forward(input), tuple(input.shape[-2:]))


class ASPP(Module):
    """Atrous spatial pyramid pooling: 1x1, 3x3 at several dilations and the mean, side by side, then a 1x1 convolution.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H, W)

    Parameters
    ----------
    in_channels : int
        Of the backbone.
    atrous_rates : list of int
        Dilations in pixels of the map.
    out_channels : int
        Of every branch and of the result.
    """

    def __init__(self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = PYRAMID_CHANNELS) -> None:
        super().__init__()
        branches: list[Module] = [Sequential(*conv_norm_relu(in_channels, out_channels))]
        branches += [Sequential(*conv_norm_relu(in_channels, out_channels, 3, rate)) for rate in atrous_rates]
        self.convs = ModuleList([*branches, ASPPPooling(in_channels, out_channels)])
        self.project = Sequential(*conv_norm_relu(len(self.convs) * out_channels, out_channels), Dropout(0.5))

    def forward(self, input: Tensor) -> Tensor:
        """All branches, joined and projected."""
        joined: Tensor = self.project(functional.cat([branch(input) for branch in self.convs], 1))
        return joined


class DeepLabHead(Sequential):
    """The pyramid, a 3x3 convolution, and the scores.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes, H, W)
    """

    def __init__(self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = RATES) -> None:
        inner = conv_norm_relu(PYRAMID_CHANNELS, PYRAMID_CHANNELS, 3)
        super().__init__(ASPP(in_channels, atrous_rates), *inner, Conv2d(PYRAMID_CHANNELS, num_classes, 1))


def _deeplab(build: Callable[..., ResNet], num_classes: int, in_channels: int, aux_loss: bool) -> DenseClassifier:
    body = dilated_resnet_body(build, in_channels, aux_loss)
    classifier, auxiliary = DeepLabHead(2048, num_classes), FCNHead(1024, num_classes) if aux_loss else None
    return DenseClassifier(body, classifier, auxiliary)


@builder(task="segmentation", image_size=520)
def deeplabv3_resnet50(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, aux_loss: bool = False) -> DenseClassifier:
    """DeepLab v3 over ResNet-50 at stride 8: 39,638,869 parameters, 42,004,074 with the auxiliary classifier; options as in `fcn_resnet50`."""
    return _deeplab(resnet50, num_classes, in_channels, aux_loss)


@builder(task="segmentation", image_size=520)
def deeplabv3_resnet101(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, aux_loss: bool = False) -> DenseClassifier:
    """DeepLab v3 over ResNet-101: 58,630,997 parameters, 60,996,202 with the auxiliary classifier; options as in `fcn_resnet50`."""
    return _deeplab(resnet101, num_classes, in_channels, aux_loss)


@builder(task="segmentation", image_size=520)
def deeplabv3_mobilenet_v3_large(num_classes: int = VOC_CLASSES, in_channels: int = 3, *, aux_loss: bool = False) -> DenseClassifier:
    """DeepLab v3 over MobileNet v3 at stride 16: 11,025,477 parameters, 11,029,328 with the auxiliary classifier; options as in `fcn_resnet50`."""
    features = list(mobilenet_v3_large(in_channels=in_channels, dilated=True).features)
    starts = stage_starts(features)
    deep, middle = starts[-1], starts[-4]
    body = SequentialBody(features, {middle: "aux", deep: "out"} if aux_loss else {deep: "out"})
    auxiliary = FCNHead(features[middle].out_channels, num_classes) if aux_loss else None
    return DenseClassifier(body, DeepLabHead(features[deep].out_channels, num_classes), auxiliary)
