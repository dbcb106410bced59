"""ResNeXt for 32x32 images. Those for ImageNet are in `resnet`, whose `Bottleneck` with groups is the ResNeXt block.

References
----------
Xie, Girshick, Dollar, Tu, He: Aggregated residual transformations for deep neural networks, CVPR 2017; section 5.3 and table 7.

Differs from the paper: `resnext_cifar` has a quarter of the channels and two blocks a stage, to train on a laptop.
"""

from __future__ import annotations

from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Flatten, Linear, Module, Sequential
from ..tensor import Tensor
from .registry import builder
from .resnet import Bottleneck, conv3x3, norm_relu, projection, start
from .resnet_cifar import blocks_in_a_stage

__all__ = ["CifarResNeXt", "resnext29_8x64d", "resnext29_16x64d", "resnext_cifar"]

# Key, planes relative to the first stage's, and stride; the bottleneck gives four times the planes.
STAGES = (("layer1", 1, 1), ("layer2", 2, 2), ("layer3", 4, 2))


class CifarResNeXt(Module):
    """A 3x3 convolution, three stages of grouped bottlenecks, averages and one linear layer.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    depth : int
        Layers with weights: 9n + 2.
    cardinality, group_width : int
        Groups of each 3x3 convolution, and channels of a group in the first stage; later stages have twice and four times as many.
    planes : int
        A quarter of the first stage's output channels.
    num_classes, in_channels : int
        Length of the output row; 3 for colour.

    Raises
    ------
    ArgumentError
        For a depth that three equal stages cannot have, or a cardinality, width or number of planes below 1.

    Examples
    --------
    >>> CifarResNeXt(11, 8, 4, planes=8).layer2[0].conv2.weight.shape
    (64, 8, 3, 3)
    """

    def __init__(
        self, depth: int, cardinality: int, group_width: int, num_classes: int = 10, in_channels: int = 3, *, planes: int = 64
    ) -> None:
        super().__init__()
        count = blocks_in_a_stage("CifarResNeXt", depth, 9)
        if min(cardinality, group_width, planes) < 1 or group_width * 64 % planes:
            raise ArgumentError(
                f"CifarResNeXt: cardinality={cardinality}, group_width={group_width} and planes={planes} must be at least 1, "
                "and planes must divide 64 group_width; try a power of two"
            )
        channels = planes
        self.conv1 = conv3x3(in_channels, channels)
        self.bn1 = BatchNorm2d(channels, activation="relu")
        for key, factor, stage_stride in STAGES:
            stage, here = Sequential(), planes * factor
            for position in range(count):
                stride, out = stage_stride if position == 0 else 1, here * Bottleneck.expansion
                shortcut = projection(channels, out, stride) if channels != out else None
                # The block scales its width by planes / 64; this undoes it for the first stage.
                stage.append(Bottleneck(channels, here, stride, shortcut, cardinality, group_width * 64 // planes))
                channels = out
            self.add_module(key, stage)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        self.linear = Linear(channels, num_classes)
        start(self, False)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = norm_relu(self.bn1, self.conv1(input))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(self.flatten(self.avgpool(x)))


@builder(image_size=32)
def resnext29_8x64d(num_classes: int = 10, in_channels: int = 3) -> CifarResNeXt:
    """ResNeXt-29 with 8 groups of 64 channels; 34.4 million parameters."""
    return CifarResNeXt(29, 8, 64, num_classes, in_channels)


@builder(image_size=32)
def resnext29_16x64d(num_classes: int = 10, in_channels: int = 3) -> CifarResNeXt:
    """ResNeXt-29 with 16 groups of 64 channels; 68.1 million parameters."""
    return CifarResNeXt(29, 16, 64, num_classes, in_channels)


@builder(image_size=32)
def resnext_cifar(
    num_classes: int = 10, in_channels: int = 3, *, depth: int = 20, cardinality: int = 8, group_width: int = 8, planes: int = 16
) -> CifarResNeXt:
    """ResNeXt of a laptop's size; left out, 20 layers with 8 groups of 8 channels. The options are `CifarResNeXt`'s."""
    return CifarResNeXt(depth, cardinality, group_width, num_classes, in_channels, planes=planes)
