"""Xception: depthwise separable convolutions with shortcuts, from end to end.

References
----------
Chollet: Xception: deep learning with depthwise separable convolutions, CVPR 2017; figure 5, the three flows.

Differs from the paper: none in the layers; no fully connected layers before the last, which the paper leaves open. Keys are timm's
`legacy_xception` (Cadene's), whose files fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential
from ..tensor import Tensor
from .registry import builder
from .resnet import conv1x1, start

__all__ = ["SeparableConvolution", "Xception", "XceptionBlock", "xception", "xception_cifar"]

# Figure 5. Entry flow: two convolutions, then three blocks that halve the image; middle flow: eight blocks; exit flow: a block, two layers.
STEM = (32, 64)
ENTRY = (128, 256, 728)
MIDDLE = 8
EXIT = (1024, 1536, 2048)


class SeparableConvolution(Module):
    """A 3x3 filter for every channel, then a 1x1 convolution that mixes them; nothing in between.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H, W)

    Notes
    -----
    `nn.SeparableConv2d` under the names of the published weights.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in SeparableConvolution(256, 256).parameters())
    67840
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
        self.pointwise = conv1x1(in_channels, out_channels)

    def forward(self, input: Tensor) -> Tensor:
        """The filtered, mixed channels."""
        return self.pointwise(self.conv1(input))


class XceptionBlock(Module):
    """Separable convolutions, each behind a ReLU, perhaps max pooling, and a shortcut.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, widths[-1], ceil(H / stride), ceil(W / stride))

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    widths : sequence of int
        Channels after each separable convolution.
    stride : int
        Of the max pooling at the end and of the shortcut; 1 for no pooling.
    relu_first : bool
        Whether a ReLU stands before the first convolution; the first block of the network follows one.

    Examples
    --------
    >>> import numpy as np
    >>> XceptionBlock(4, (6, 6), 2)(np.ones((1, 4, 5, 5), np.float32)).shape
    (1, 6, 3, 3)
    """

    def __init__(self, in_channels: int, widths: Sequence[int], stride: int = 1, relu_first: bool = True) -> None:
        super().__init__()
        same = in_channels == widths[-1] and stride == 1
        self.skip = None if same else conv1x1(in_channels, widths[-1], stride)
        self.skipbn = None if same else BatchNorm2d(widths[-1])
        # Three positions a convolution: ReLU, convolution, norm. All ReLUs but the first are done by the norm before them, and leave a gap.
        layers: dict[str, Module] = {"0": ReLU()} if relu_first else {}
        position, channels = int(relu_first), in_channels
        for index, width in enumerate(widths):
            last = index == len(widths) - 1
            layers[str(position)] = SeparableConvolution(channels, width)
            layers[str(position + 1)] = BatchNorm2d(width, activation=None if last else "relu")
            position, channels = position + 3, width
        if stride != 1:
            layers[str(position - 1)] = MaxPool2d(3, stride, padding=1)
        self.rep = Sequential(layers)

    def forward(self, input: Tensor) -> Tensor:
        """Branch plus shortcut; nothing follows the sum."""
        branch = self.rep(input)
        if self.skip is None or self.skipbn is None:
            return branch + input
        return self.skipbn(self.skip(input), residual=branch)


class Xception(Module):
    """Entry, middle and exit flow, averages and one linear layer.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes); 299x299 images become 10x10 maps

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row; 3 for colour.
    stem, entry, exit : two and three int
        Channels of the first convolutions, of the entry flow's blocks and of the exit flow.
    middle : int
        Blocks of the middle flow.
    small_images : bool
        For 32x32: no stride in the first convolution, padding in both, and none in the third block: the middle flow sees 8x8.

    Raises
    ------
    ArgumentError
        For another number of channels in `stem`, `entry` or `exit`.

    Examples
    --------
    >>> net = Xception(10, stem=(4, 8), entry=(8, 8, 16), middle=1, exit=(16, 24, 32))
    >>> list(net.block1.rep._modules), list(net.block2.rep._modules)
    (['0', '1', '3', '4', '5'], ['0', '1', '2', '4', '5', '6'])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        stem: Sequence[int] = STEM,
        entry: Sequence[int] = ENTRY,
        middle: int = MIDDLE,
        exit: Sequence[int] = EXIT,
        small_images: bool = False,
    ) -> None:
        super().__init__()
        if (len(stem), len(entry), len(exit)) != (2, 3, 3):
            raise ArgumentError(f"Xception: stem={stem!r}, entry={entry!r} and exit={exit!r} must have 2, 3 and 3 numbers of channels")
        step, padding = (1, 1) if small_images else (2, 0)
        self.conv1 = Conv2d(in_channels, stem[0], 3, step, padding=padding, bias=False)
        self.bn1 = BatchNorm2d(stem[0], activation="relu")
        self.conv2 = Conv2d(stem[0], stem[1], 3, padding=padding, bias=False)
        self.bn2 = BatchNorm2d(stem[1], activation="relu")
        blocks, channels = [], stem[1]
        for position, width in enumerate(entry):
            stride = 1 if small_images and position == 2 else 2
            blocks.append(XceptionBlock(channels, (width, width), stride, relu_first=position > 0))
            channels = width
        blocks += [XceptionBlock(channels, (channels,) * 3) for _ in range(middle)]
        blocks.append(XceptionBlock(channels, (channels, exit[0]), 2))
        self.count = len(blocks)
        for position, block in enumerate(blocks, 1):
            self.add_module(f"block{position}", block)
        self.conv3 = SeparableConvolution(exit[0], exit[1])
        self.bn3 = BatchNorm2d(exit[1], activation="relu")
        self.conv4 = SeparableConvolution(exit[1], exit[2])
        self.bn4 = BatchNorm2d(exit[2], activation="relu")
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        self.fc = Linear(exit[2], num_classes)
        start(self, False)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = self.bn2(self.conv2(self.bn1(self.conv1(input))))
        for position in range(1, self.count + 1):
            x = self.get_submodule(f"block{position}")(x)
        x = self.bn4(self.conv4(self.bn3(self.conv3(x))))
        return self.fc(self.flatten(self.avgpool(x)))


@builder(image_size=299)
def xception(num_classes: int = 1000, in_channels: int = 3) -> Xception:
    """Xception; 22,855,952 parameters."""
    return Xception(num_classes, in_channels)


@builder(image_size=32)
def xception_cifar(num_classes: int = 10, in_channels: int = 3, *, middle: int = 3) -> Xception:
    """Xception for 32x32 images: the three flows at about a third of the channels, with three blocks in the middle."""
    return Xception(num_classes, in_channels, stem=(16, 32), entry=(64, 128, 256), middle=middle, exit=(512, 640, 1024), small_images=True)
