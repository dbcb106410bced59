"""SE-ResNet: residual networks whose branches are weighed channel by channel, by squeeze and excitation.

References
----------
Hu, Shen, Sun: Squeeze-and-excitation networks, CVPR 2018; figure 3 the block, table 1 the networks (ours round the squeezed channels up to
a multiple of 8).

Differs from the paper: the bottleneck halves the image in its 3x3 convolution (see `resnet`); the squeezed channels are a multiple of 8 and at
least 8; every branch starts as zero. All three are timm's `seresnet50`.
"""

from __future__ import annotations

from ..nn import Module
from ..ops import SqueezeExcitation
from .registry import builder
from .resnet import DEPTHS, BasicBlock, Bottleneck, ResNet
from .resnet_cifar import CifarResNet

__all__ = ["seresnet18", "seresnet34", "seresnet50", "seresnet101", "seresnet152", "seresnet_cifar", "squeeze_excitation"]

REDUCTION = 16  # r of the paper
MULTIPLE = 8


def squeeze_excitation(channels: int) -> Module:
    """The module that weighs `channels` channels by a network with a sixteenth of them in between.

    Examples
    --------
    >>> squeeze_excitation(256).fc1.weight.shape, squeeze_excitation(16).fc1.weight.shape
    ((16, 256, 1, 1), (8, 16, 1, 1))
    """
    squeezed = max(MULTIPLE, (channels // REDUCTION + MULTIPLE // 2) // MULTIPLE * MULTIPLE)
    return SqueezeExcitation(channels, squeezed)


def _seresnet(depth: int, num_classes: int, in_channels: int, zero_init_residual: bool) -> ResNet:
    block: type[BasicBlock] | type[Bottleneck] = BasicBlock if depth < 50 else Bottleneck
    return ResNet(block, DEPTHS[depth], num_classes, zero_init_residual, in_channels=in_channels, attention=squeeze_excitation)


@builder
def seresnet18(num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = True) -> ResNet:
    """SE-ResNet-18; 11,779,624 parameters."""
    return _seresnet(18, num_classes, in_channels, zero_init_residual)


@builder
def seresnet34(num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = True) -> ResNet:
    """SE-ResNet-34; 21,960,416 parameters."""
    return _seresnet(34, num_classes, in_channels, zero_init_residual)


@builder
def seresnet50(num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = True) -> ResNet:
    """SE-ResNet-50; 28,088,024 parameters."""
    return _seresnet(50, num_classes, in_channels, zero_init_residual)


@builder
def seresnet101(num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = True) -> ResNet:
    """SE-ResNet-101; 49,326,872 parameters."""
    return _seresnet(101, num_classes, in_channels, zero_init_residual)


@builder
def seresnet152(num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = True) -> ResNet:
    """SE-ResNet-152; 66,821,848 parameters."""
    return _seresnet(152, num_classes, in_channels, zero_init_residual)


@builder(image_size=32)
def seresnet_cifar(num_classes: int = 10, in_channels: int = 3, *, depth: int = 20, shortcut: str = "A") -> CifarResNet:
    """A CIFAR ResNet of `depth` layers with squeeze and excitation in each block; the options are `CifarResNet`'s."""
    return CifarResNet(depth, num_classes, in_channels, shortcut, attention=squeeze_excitation)
