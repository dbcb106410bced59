"""What torchvision's segmentation networks share: a backbone tapped at two places, two classifiers, enlarged to the image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from ... import functional
from ...nn import BatchNorm2d, Conv2d, Dropout, Module, ReLU, Sequential
from ...tensor import Tensor
from ..detection.backbones import ResNetBody
from ..resnet import ResNet

__all__ = ["DenseClassifier", "FCNHead", "dilated_resnet_body"]

VOC_CLASSES = 21


class FCNHead(Sequential):
    """A 3x3 convolution to a quarter of the channels, batch normalisation, ReLU, dropout, and the scores.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, channels, H, W)
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        inner = in_channels // 4
        super().__init__(
            Conv2d(in_channels, inner, 3, padding=1, bias=False), BatchNorm2d(inner), ReLU(), Dropout(0.1), Conv2d(inner, channels, 1)
        )


class DenseClassifier(Module):
    """Scores from a backbone's map "out" and, to help training, from "aux", both enlarged to the size of the image.

    Shapes
    ------
    (N, C, H, W) -> {"out": (N, num_classes, H, W), "aux": the same}

    Parameters
    ----------
    backbone : Module
        Gives maps by name.
    classifier : Module
        Of "out".
    aux_classifier : Module, optional
        Of "aux".
    """

    def __init__(self, backbone: Module, classifier: Module, aux_classifier: Module | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The scores by name."""
        size = tuple(input.shape[-2:])
        maps = self.backbone(input)
        result = OrderedDict(out=enlarged(self.classifier(maps["out"]), size))
        if self.aux_classifier is not None:
            result["aux"] = enlarged(self.aux_classifier(maps["aux"]), size)
        return result


def enlarged(x: Tensor, size: tuple[int, ...]) -> Tensor:
    """Bilinear, pixels as squares."""
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def dilated_resnet_body(build: Callable[..., ResNet], in_channels: int, aux_loss: bool) -> ResNetBody:
    """A ResNet at stride 8, its last two stages dilated, tapped at layer4 and, for the auxiliary loss, at layer3."""
    resnet = build(in_channels=in_channels, replace_stride_with_dilation=(False, True, True))
    return ResNetBody(resnet, {"layer3": "aux", "layer4": "out"} if aux_loss else {"layer4": "out"})
