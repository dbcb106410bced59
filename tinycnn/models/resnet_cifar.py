"""The CIFAR-10 networks of the ResNet paper, and the same networks without their shortcuts.

A 3x3 convolution, then three stages of n blocks with 16, 32 and 64 channels on 32x32, 16x16 and 8x8 pixels, averages and one linear layer:
6n + 2 layers with weights. Where a stage begins, option A subsamples the shortcut and pads its channels with zeros, so that it has no
parameters; option B projects it.

References
----------
He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016; section 4.2, table 6 and figure 6.

Differs from the paper: none in the network. The keys are those of the files of the public repository akamaster/pytorch_resnet_cifar10,
which load unchanged (their "module." is taken off).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import functional
from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Flatten, Linear, Module, Sequential, init
from ..tensor import Tensor
from .registry import builder
from .resnet import BasicBlock, conv3x3, norm_relu, projection, start

__all__ = [
    "CifarResNet",
    "PlainBlock",
    "SubsampledShortcut",
    "plain20",
    "plain32",
    "plain44",
    "plain56",
    "plain110",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
]

# The table of section 4.2: key, channels, stride, output size. Each stage has n blocks, which are 2n layers.
STAGES = (("layer1", 16, 1, 32), ("layer2", 32, 2, 16), ("layer3", 64, 2, 8))


class SubsampledShortcut(Module):
    """Option A: every second pixel, and zeros in the channels that the input does not have; no parameters.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))

    Parameters
    ----------
    in_channels, out_channels : int
        The first at most the second; the zeros lie half before, half behind the input's channels.
    stride : int
        Of the subsampling.

    Raises
    ------
    ArgumentError
        If there are fewer channels behind than before.

    Examples
    --------
    >>> import numpy as np
    >>> SubsampledShortcut(1, 3)(np.arange(4.0).reshape(1, 1, 2, 2)).numpy().ravel()
    array([0., 0., 0.])
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 2) -> None:
        super().__init__()
        if out_channels < in_channels:
            raise ArgumentError(f"SubsampledShortcut: out_channels={out_channels} must be at least in_channels={in_channels}; use a projection")
        before = (out_channels - in_channels) // 2
        self.stride = stride
        self.padding = (0, 0, 0, 0, before, out_channels - in_channels - before)

    def forward(self, input: Any) -> Tensor:
        """The smaller image with more channels."""
        tensor = input if isinstance(input, Tensor) else Tensor(input)
        return functional.pad(tensor[:, :, :: self.stride, :: self.stride], self.padding)

    def extra_repr(self) -> str:
        """Stride, and the zero channels before and behind."""
        return f"stride={self.stride}, channels=+{self.padding[4]}+{self.padding[5]}"


class PlainBlock(BasicBlock):
    """The two convolutions of a basic block without its shortcut: what a residual block is compared with."""

    def forward(self, input: Tensor) -> Tensor:
        """The branch alone, cut off at zero."""
        return norm_relu(self.bn2, self.conv2(norm_relu(self.bn1, self.conv1(input))))


class CifarResNet(Module):
    """A residual or plain network for small images.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes); H and W are 32 in the paper

    Parameters
    ----------
    depth : int
        Layers with weights: 6n + 2.
    num_classes, in_channels : int
        Length of the output row; 3 for colour.
    shortcut : "A", "B" or None
        Zero-padded subsampling, projection, or no shortcuts at all: the plain network.
    attention : callable, optional
        Makes the module that weighs a branch, from its number of channels.

    Raises
    ------
    ArgumentError
        For another depth, another shortcut, or attention without shortcuts.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in CifarResNet(20).parameters())
    269722
    """

    def __init__(
        self,
        depth: int,
        num_classes: int = 10,
        in_channels: int = 3,
        shortcut: str | None = "A",
        *,
        attention: Callable[[int], Module] | None = None,
    ) -> None:
        super().__init__()
        blocks = blocks_in_a_stage("CifarResNet", depth, 6)
        if shortcut not in ("A", "B", None):
            raise ArgumentError(f'CifarResNet: shortcut must be "A" (zero-padded), "B" (projection) or None (plain), got {shortcut!r}')
        if shortcut is None and attention is not None:
            raise ArgumentError('CifarResNet: attention weighs the branch beside a shortcut; shortcut=None has none, choose "A" or "B"')
        kind = PlainBlock if shortcut is None else BasicBlock
        channels = STAGES[0][1]
        self.conv1 = conv3x3(in_channels, channels)
        self.bn1 = BatchNorm2d(channels, activation="relu")
        for key, planes, stage_stride, _ in STAGES:
            stage = Sequential()
            for position in range(blocks):
                stride = stage_stride if position == 0 else 1
                down: Module | None = None
                if channels != planes and shortcut is not None:
                    down = SubsampledShortcut(channels, planes, stride) if shortcut == "A" else projection(channels, planes, stride)
                stage.append(kind(channels, planes, stride, down, attention=None if attention is None else attention(planes)))
                channels = planes
            self.add_module(key, stage)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        self.linear = Linear(channels, num_classes)
        start(self, False, "fan_in")
        init.kaiming_normal_(self.linear.weight)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = norm_relu(self.bn1, self.conv1(input))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(self.flatten(self.avgpool(x)))

    def _current_keys(self, state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
        """The published files were saved from several GPUs, which puts "module." before every key; they call a projection "shortcut"."""
        prefixed = all(key.startswith("module.") for key in state_dict)
        keys = ((key, key.removeprefix("module.") if prefixed else key) for key in state_dict)
        return {new.replace(".shortcut.", ".downsample."): state_dict[old] for old, new in keys}


def blocks_in_a_stage(name: str, depth: int, layers: int) -> int:
    """n, where the depth is `layers` n + 2 over three stages."""
    count, rest = divmod(depth - 2, layers)
    if rest or count < 1:
        nearest = max(1, round((depth - 2) / layers))
        raise ArgumentError(f"{name}: depth must be {layers}n + 2, three stages of n blocks, got {depth}; the nearest is {layers * nearest + 2}")
    return count


@builder(image_size=32)
def resnet20(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> CifarResNet:
    """ResNet-20 for 32x32 images; 269,722 parameters with option A, whose shortcuts have none."""
    return CifarResNet(20, num_classes, in_channels, shortcut)


@builder(image_size=32)
def resnet32(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> CifarResNet:
    """ResNet-32 for 32x32 images; 464,154 parameters with option A, whose shortcuts have none."""
    return CifarResNet(32, num_classes, in_channels, shortcut)


@builder(image_size=32)
def resnet44(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> CifarResNet:
    """ResNet-44 for 32x32 images; 658,586 parameters with option A, whose shortcuts have none."""
    return CifarResNet(44, num_classes, in_channels, shortcut)


@builder(image_size=32)
def resnet56(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> CifarResNet:
    """ResNet-56 for 32x32 images; 853,018 parameters with option A, whose shortcuts have none."""
    return CifarResNet(56, num_classes, in_channels, shortcut)


@builder(image_size=32)
def resnet110(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> CifarResNet:
    """ResNet-110 for 32x32 images; 1,727,962 parameters with option A, whose shortcuts have none."""
    return CifarResNet(110, num_classes, in_channels, shortcut)


@builder(image_size=32)
def plain20(num_classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """The layers of `resnet20` without shortcuts, and so as many parameters; the paper's figure 6, left."""
    return CifarResNet(20, num_classes, in_channels, None)


@builder(image_size=32)
def plain32(num_classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """The layers of `resnet32` without shortcuts, and so as many parameters; the paper's figure 6, left."""
    return CifarResNet(32, num_classes, in_channels, None)


@builder(image_size=32)
def plain44(num_classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """The layers of `resnet44` without shortcuts, and so as many parameters; the paper's figure 6, left."""
    return CifarResNet(44, num_classes, in_channels, None)


@builder(image_size=32)
def plain56(num_classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """The layers of `resnet56` without shortcuts, and so as many parameters; the paper's figure 6, left."""
    return CifarResNet(56, num_classes, in_channels, None)


@builder(image_size=32)
def plain110(num_classes: int = 10, in_channels: int = 3) -> CifarResNet:
    """The layers of `resnet110` without shortcuts, and so as many parameters; the paper's figure 6, left."""
    return CifarResNet(110, num_classes, in_channels, None)
