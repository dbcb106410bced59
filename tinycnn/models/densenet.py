"""DenseNet: every layer of a block sees the outputs of all before it.

References
----------
Huang, Liu, van der Maaten, Weinberger: Densely connected convolutional networks, CVPR 2017; table 1 the ImageNet networks, section 3 and
table 2 those for CIFAR.

Differs from the paper: none. Files from before torchvision 0.3 spell "norm.1" for "norm1", "conv.2" for "conv2"; both load.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .. import functional
from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, AvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, Sequential, init
from ..tensor import Tensor
from .registry import builder
from .resnet import conv1x1, conv3x3

__all__ = [
    "DenseBlock",
    "DenseLayer",
    "DenseNet",
    "Transition",
    "densenet40_k12",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "densenet_bc100_k12",
    "densenet_cifar",
]

# Table 1: the layers of the four blocks; growth rate k and channels before the first block.
VARIANTS = {
    "densenet121": ((6, 12, 24, 16), 32, 64),
    "densenet169": ((6, 12, 32, 32), 32, 64),
    "densenet201": ((6, 12, 48, 32), 32, 64),
    "densenet161": ((6, 12, 36, 24), 48, 96),
}
OLD_KEY = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)")


class DenseLayer(Module):
    """The k new channels that one layer adds: normalisation, ReLU and 3x3 convolution, behind a 1x1 bottleneck or not.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, growth_rate, H, W)

    Formula
    -------
    y = dropout(conv2(relu(norm2(conv1(relu(norm1(x))))))), conv1 1x1 to bn_size k channels; without bottleneck conv1 is the 3x3 convolution.

    Parameters
    ----------
    in_channels, growth_rate : int
        Channels of the input, and k.
    bn_size : int
        Channels between the convolutions, in units of k; 0 for no bottleneck.
    drop_rate : float
        Probability of the dropout at the end.

    Examples
    --------
    >>> import numpy as np
    >>> DenseLayer(6, 4)(np.ones((1, 6, 3, 3), np.float32)).shape
    (1, 4, 3, 3)
    """

    def __init__(self, in_channels: int, growth_rate: int, bn_size: int = 4, drop_rate: float = 0.0) -> None:
        super().__init__()
        self.bottleneck = bn_size > 0
        self.norm1 = BatchNorm2d(in_channels, activation="relu")
        if self.bottleneck:
            self.conv1 = conv1x1(in_channels, bn_size * growth_rate)
            self.norm2 = BatchNorm2d(bn_size * growth_rate, activation="relu")
            self.conv2 = conv3x3(bn_size * growth_rate, growth_rate)
        else:
            self.conv1 = conv3x3(in_channels, growth_rate)
        self.dropout = Dropout(drop_rate) if drop_rate else None

    def forward(self, input: Tensor) -> Tensor:
        """The new channels alone."""
        x = self.conv1(self.norm1(input))
        if self.bottleneck:
            x = self.conv2(self.norm2(x))
        return x if self.dropout is None else self.dropout(x)


class DenseBlock(Module):
    """Layers that each see the block's input and the outputs of all layers before: figure 1.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, in_channels + num_layers growth_rate, H, W)

    Formula
    -------
    x_l = layer_l([x_0, x_1, .., x_{l-1}]), brackets joining channels; y = [x_0, .., x_L]

    Parameters
    ----------
    num_layers : int
        L.
    in_channels, growth_rate, bn_size, drop_rate
        As in `DenseLayer`.

    Examples
    --------
    >>> import numpy as np
    >>> DenseBlock(3, 6, 4)(np.ones((1, 6, 2, 2), np.float32)).shape
    (1, 18, 2, 2)
    """

    def __init__(self, num_layers: int, in_channels: int, growth_rate: int, bn_size: int = 4, drop_rate: float = 0.0) -> None:
        super().__init__()
        for position in range(num_layers):
            layer = DenseLayer(in_channels + position * growth_rate, growth_rate, bn_size, drop_rate)
            self.add_module(f"denselayer{position + 1}", layer)

    def forward(self, input: Tensor) -> Tensor:
        """All channels, old and new."""
        x = input
        for layer in self.children():
            x = functional.cat([x, layer(x)], 1)
        return x


class Transition(Module):
    """Between blocks: fewer channels by a 1x1 convolution, then half the image by averages.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H/2, W/2)

    Examples
    --------
    >>> import numpy as np
    >>> Transition(8, 4)(np.ones((1, 8, 4, 4), np.float32)).shape
    (1, 4, 2, 2)
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm = BatchNorm2d(in_channels, activation="relu")
        self.conv = conv1x1(in_channels, out_channels)
        self.pool = AvgPool2d(2, 2)

    def forward(self, input: Tensor) -> Tensor:
        """The smaller image."""
        return self.pool(self.conv(self.norm(input)))


class DenseNet(Module):
    """Dense blocks with transitions between them, averages and one linear layer.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    growth_rate : int
        k, the channels that each layer adds.
    block_config : sequence of int
        Layers of each block.
    num_init_features : int
        Channels before the first block.
    bn_size : int
        Channels of the bottlenecks in units of k; 0 for no bottlenecks.
    drop_rate : float
        Probability of the dropout behind each layer.
    num_classes, in_channels : int
        Length of the output row; 3 for colour.
    compression : float
        Share of the channels that a transition keeps: theta.
    small_images : bool
        Begin with a 3x3 convolution alone, as for CIFAR, instead of 7x7 with stride 2 and max pooling.

    Raises
    ------
    ArgumentError
        For a compression outside (0, 1].

    Examples
    --------
    >>> net = DenseNet(4, (2, 2), 8, num_classes=10)
    >>> net.features.transition1.conv.weight.shape, net.classifier.weight.shape
    ((8, 16, 1, 1), (10, 16))
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0.0,
        num_classes: int = 1000,
        *,
        in_channels: int = 3,
        compression: float = 0.5,
        small_images: bool = False,
    ) -> None:
        super().__init__()
        if not 0 < compression <= 1:
            raise ArgumentError(f"DenseNet: compression={compression!r} must be above 0 and at most 1, the share of channels that a transition keeps")
        parts: dict[str, Module] = {}
        if small_images:
            parts["conv0"] = conv3x3(in_channels, num_init_features)
        else:
            parts["conv0"] = Conv2d(in_channels, num_init_features, 7, 2, padding=3, bias=False)
            parts["norm0"] = BatchNorm2d(num_init_features, activation="relu")
            parts["pool0"] = MaxPool2d(3, 2, padding=1)
        channels = num_init_features
        for position, layers in enumerate(block_config, 1):
            parts[f"denseblock{position}"] = DenseBlock(layers, channels, growth_rate, bn_size, drop_rate)
            channels += layers * growth_rate
            if position < len(block_config):
                kept = int(channels * compression)
                parts[f"transition{position}"] = Transition(channels, kept)
                channels = kept
        parts[f"norm{len(block_config) + 1}"] = BatchNorm2d(channels, activation="relu")
        self.features = Sequential(parts)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        self.classifier = Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight)
        init.zeros_(self.classifier.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        return self.classifier(self.flatten(self.avgpool(self.features(input))))

    def _current_keys(self, state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
        return {OLD_KEY.sub(r"\1", key): value for key, value in state_dict.items()}


def _published(name: str, num_classes: int, in_channels: int, drop_rate: float) -> DenseNet:
    block_config, growth_rate, features = VARIANTS[name]
    return DenseNet(growth_rate, block_config, features, 4, drop_rate, num_classes, in_channels=in_channels)


@builder
def densenet121(num_classes: int = 1000, in_channels: int = 3, *, drop_rate: float = 0.0) -> DenseNet:
    """DenseNet-121, k = 32; 7,978,856 parameters."""
    return _published("densenet121", num_classes, in_channels, drop_rate)


@builder
def densenet161(num_classes: int = 1000, in_channels: int = 3, *, drop_rate: float = 0.0) -> DenseNet:
    """DenseNet-161, k = 48; 28,681,000 parameters."""
    return _published("densenet161", num_classes, in_channels, drop_rate)


@builder
def densenet169(num_classes: int = 1000, in_channels: int = 3, *, drop_rate: float = 0.0) -> DenseNet:
    """DenseNet-169, k = 32; 14,149,480 parameters."""
    return _published("densenet169", num_classes, in_channels, drop_rate)


@builder
def densenet201(num_classes: int = 1000, in_channels: int = 3, *, drop_rate: float = 0.0) -> DenseNet:
    """DenseNet-201, k = 32; 20,013,928 parameters."""
    return _published("densenet201", num_classes, in_channels, drop_rate)


@builder(image_size=32)
def densenet_cifar(
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    depth: int = 40,
    growth_rate: int = 12,
    bottleneck: bool = True,
    drop_rate: float = 0.0,
) -> DenseNet:
    """DenseNet of three equal blocks for 32x32 images; left out, DenseNet-BC with 40 layers and k = 12, which a laptop trains.

    Parameters
    ----------
    num_classes, in_channels
        Length of the output row; 3 for colour.
    depth
        Layers with weights: 3n + 4 plain, 6n + 4 with bottlenecks.
    growth_rate
        k, the channels that each layer adds.
    bottleneck
        DenseNet-BC: bottlenecks of 4k channels, transitions that keep half the channels, and 2k channels at the start instead of 16.
    drop_rate
        Probability of the dropout behind each layer; the paper's is 0.2 without augmentation.

    Raises
    ------
    ArgumentError
        For another depth.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in densenet_cifar().parameters())
    176122
    """
    per_layer = 6 if bottleneck else 3
    count, rest = divmod(depth - 4, per_layer)
    if rest or count < 1:
        raise ArgumentError(
            f"densenet_cifar: depth must be {per_layer}n + 4, three equal blocks, got {depth}; "
            f"the nearest is {per_layer * max(1, round((depth - 4) / per_layer)) + 4}"
        )
    start, bn_size, compression = (2 * growth_rate, 4, 0.5) if bottleneck else (16, 0, 1.0)
    return DenseNet(
        growth_rate, (count,) * 3, start, bn_size, drop_rate, num_classes, in_channels=in_channels, compression=compression, small_images=True
    )


@builder(image_size=32)
def densenet40_k12(num_classes: int = 10, in_channels: int = 3, *, drop_rate: float = 0.0) -> DenseNet:
    """The paper's DenseNet with 40 layers, k = 12, no bottlenecks; 1,019,722 parameters."""
    return densenet_cifar(num_classes, in_channels, bottleneck=False, drop_rate=drop_rate)


@builder(image_size=32)
def densenet_bc100_k12(num_classes: int = 10, in_channels: int = 3, *, drop_rate: float = 0.0) -> DenseNet:
    """The paper's DenseNet-BC with 100 layers, k = 12; 769,162 parameters."""
    return densenet_cifar(num_classes, in_channels, depth=100, drop_rate=drop_rate)
