"""Backbones: a classification network without its classifier, tapped where the maps of several scales are, under a feature pyramid.

References
----------
Lin et al.: Feature pyramid networks, CVPR 2017, section 3.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from ... import ops
from ...errors import ArgumentError
from ...nn import MaxPool2d, Module, Sequential
from ...tensor import Tensor
from ..mobilenetv3 import InvertedResidual, mobilenet_v3_large
from ..registry import get_model
from ..resnet import ResNet, norm_relu
from ..vgg import VGG

__all__ = ["BackboneWithFPN", "freeze_before", "mobilenet_backbone", "resnet_fpn_backbone", "vgg_backbone"]

RESNET_STAGES = ("layer1", "layer2", "layer3", "layer4")
PYRAMID_CHANNELS = 256


class ResNetBody(Module):
    """A ResNet's stages, those asked for by name."""

    def __init__(self, resnet: ResNet, returned: dict[str, str]) -> None:
        super().__init__()
        self.conv1, self.bn1, self.maxpool = resnet.conv1, resnet.bn1, resnet.maxpool
        last = max(RESNET_STAGES.index(name) for name in returned)
        for name in RESNET_STAGES[: last + 1]:
            self.add_module(name, getattr(resnet, name))
        self.returned = returned

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The maps of the stages asked for."""
        x = self.maxpool(norm_relu(self.bn1, self.conv1(input)))
        maps: OrderedDict[str, Tensor] = OrderedDict()
        for name in RESNET_STAGES:
            if hasattr(self, name):
                x = getattr(self, name)(x)
                if name in self.returned:
                    maps[self.returned[name]] = x
        return maps


class SequentialBody(Sequential):
    """Layers one after another, with the outputs of some by name."""

    def __init__(self, layers: Sequence[Module], returned: dict[int, str]) -> None:
        super().__init__(*layers[: max(returned) + 1])
        self.returned = returned

    def forward(self, input: Tensor) -> Any:
        """The maps asked for."""
        maps: OrderedDict[str, Tensor] = OrderedDict()
        for number, layer in enumerate(self):
            input = layer(input)
            if number in self.returned:
                maps[self.returned[number]] = input
        return maps


class BackboneWithFPN(Module):
    """A body that gives maps by name, and the pyramid over them.

    Shapes
    ------
    (N, C, H, W) -> {name: (N, out_channels, H_k, W_k)}
    """

    def __init__(
        self,
        body: Module,
        in_channels_list: Sequence[int],
        out_channels: int,
        extra_blocks: ops.ExtraFPNBlock | None = None,
        norm_layer: Callable[..., Module] | None = None,
    ) -> None:
        super().__init__()
        self.body = body
        self.fpn = ops.FeaturePyramidNetwork(in_channels_list, out_channels, extra_blocks or ops.LastLevelMaxPool(), norm_layer)
        self.out_channels = out_channels

    def forward(self, input: Tensor) -> OrderedDict[str, Tensor]:
        """The pyramid."""
        maps: OrderedDict[str, Tensor] = self.fpn(self.body(input))
        return maps


def resnet_fpn_backbone(
    backbone_name: str,
    norm_layer: Callable[..., Module] = ops.FrozenBatchNorm2d,
    trainable_layers: int = 3,
    returned_layers: Sequence[int] | None = None,
    extra_blocks: ops.ExtraFPNBlock | None = None,
    *,
    pyramid_norm_layer: Callable[..., Module] | None = None,
    in_channels: int = 3,
) -> BackboneWithFPN:
    """A ResNet under a feature pyramid of 256 channels.

    Parameters
    ----------
    backbone_name : str
        A builder of ResNets, such as "resnet50".
    norm_layer : layer
        Of the ResNet.
    trainable_layers : int
        0 to 5: that many stages from the end are trained, the others' weights are frozen.
    returned_layers : list of int, optional
        Stages, 1 to 4, under the pyramid; all if left out.
    extra_blocks : ExtraFPNBlock, optional
        `LastLevelMaxPool` if left out.
    pyramid_norm_layer : layer, optional
        After the pyramid's convolutions.
    in_channels : int
        Of the images.

    Raises
    ------
    ArgumentError
        For stages that do not exist.
    """
    resnet = get_model(backbone_name, norm_layer=norm_layer, in_channels=in_channels)
    if not isinstance(resnet, ResNet):
        raise ArgumentError(f"resnet_fpn_backbone: {backbone_name!r} is a {type(resnet).__name__}; give a ResNet, such as 'resnet50'")
    stages = list(returned_layers or (1, 2, 3, 4))
    if not 0 <= trainable_layers <= 5 or min(stages) < 1 or max(stages) > 4:
        raise ArgumentError(f"resnet_fpn_backbone: trainable_layers={trainable_layers} must be 0 to 5, returned_layers={stages} between 1 and 4")
    trained = ["layer4", "layer3", "layer2", "layer1", "conv1"][:trainable_layers] + ["bn1"] * (trainable_layers == 5)
    for name, parameter in resnet.named_parameters():
        if not any(name.startswith(stage) for stage in trained):
            parameter.requires_grad_(False)
    body = ResNetBody(resnet, {f"layer{stage}": str(number) for number, stage in enumerate(stages)})
    widest = resnet.fc.weight.shape[1]
    return BackboneWithFPN(body, [widest // 2 ** (4 - stage) for stage in stages], PYRAMID_CHANNELS, extra_blocks, pyramid_norm_layer)


def stage_starts(features: Sequence[Any]) -> list[int]:
    """Where a MobileNet's maps become smaller: the layers of stride 2, and its last."""
    inner = [number for number, layer in enumerate(features) if isinstance(layer, InvertedResidual) and layer.halves]
    return [0, *inner, len(features) - 1]


def freeze_before(layers: Sequence[Module], stages: Sequence[int], trainable_layers: int, function: str) -> None:
    """Freeze the layers before the last `trainable_layers` stages."""
    if not 0 <= trainable_layers <= len(stages):
        raise ArgumentError(f"{function}: trainable_layers={trainable_layers} must be 0 to {len(stages)}")
    first = len(layers) if trainable_layers == 0 else stages[len(stages) - trainable_layers]
    for layer in list(layers)[:first]:
        for parameter in layer.parameters():
            parameter.requires_grad_(False)


def mobilenet_backbone(
    norm_layer: Callable[..., Module] = ops.FrozenBatchNorm2d, trainable_layers: int = 2, *, in_channels: int = 3
) -> BackboneWithFPN:
    """MobileNet v3 large under a feature pyramid over its last two scales.

    Parameters
    ----------
    norm_layer : layer
        Of the MobileNet.
    trainable_layers : int
        0 to 6 stages from the end are trained.
    in_channels : int
        Of the images.
    """
    features = list(mobilenet_v3_large(in_channels=in_channels, norm_layer=norm_layer).features)
    stages = stage_starts(features)
    freeze_before(features, stages, trainable_layers, "mobilenet_backbone")
    taps = stages[-2:]
    channels = [features[tap].out_channels for tap in taps]
    return BackboneWithFPN(SequentialBody(features, {tap: str(number) for number, tap in enumerate(taps)}), channels, PYRAMID_CHANNELS)


def vgg_backbone(name: str = "vgg16", trainable_layers: int = 5) -> Sequential:
    """VGG's convolutions without the last pooling: one map of 512 channels at a sixteenth of the image, Faster R-CNN's first backbone.

    Parameters
    ----------
    name : str
        A builder of VGGs.
    trainable_layers : int
        0 to 5 stages from the end are trained.
    """
    network = get_model(name)
    if not isinstance(network, VGG):
        raise ArgumentError(f"vgg_backbone: {name!r} is a {type(network).__name__}; give a VGG, such as 'vgg16'")
    layers = list(network.features)[:-1]
    starts = [0, *(number + 1 for number, layer in enumerate(layers) if isinstance(layer, MaxPool2d))]
    freeze_before(layers, starts, trainable_layers, "vgg_backbone")
    body = Sequential(*layers)
    body.out_channels = 512
    return body


