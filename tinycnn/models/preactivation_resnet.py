"""Residual networks whose shortcut nothing stands on: normalisation and ReLU come before each convolution. For 32x32 images.

References
----------
He, Zhang, Ren, Sun: Identity mappings in deep residual networks, ECCV 2016; figure 4e the block, tables 2 to 4 the networks.

Differs from the paper: none. Where a shortcut is projected it starts behind the shared normalisation, as in the authors' own code; the
paper's text leaves that open.
"""

from __future__ import annotations

from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Dropout, Flatten, Linear, Module, Sequential
from ..tensor import Tensor
from .registry import builder
from .resnet import conv1x1, conv3x3, start
from .resnet_cifar import SubsampledShortcut, blocks_in_a_stage

__all__ = [
    "PreactivationBlock",
    "PreactivationBottleneck",
    "PreactivationResNet",
    "preactivation_resnet20",
    "preactivation_resnet56",
    "preactivation_resnet110",
    "preactivation_resnet164",
    "preactivation_resnet1001",
]

# Key and stride of the stages; 16, 32 and 64 planes, of which the bottleneck gives four times as many.
STAGES = (("layer1", 1), ("layer2", 2), ("layer3", 2))
PLANES = (16, 32, 64)


class _Preactivation(Module):
    """What both blocks share: the shortcut, and where it starts."""

    projected: Module | None
    padded: Module | None

    def _make_shortcut(self, in_channels: int, out_channels: int, stride: int, shortcut: str) -> None:
        """One of three: the input itself, option A, or option B, whose convolution needs no norm of its own here."""
        if shortcut not in ("A", "B"):
            raise ArgumentError(f'{type(self).__name__}: shortcut must be "A" (zero-padded) or "B" (projection), got {shortcut!r}')
        differs = stride != 1 or in_channels != out_channels
        self.projected = conv1x1(in_channels, out_channels, stride) if differs and shortcut == "B" else None
        self.padded = SubsampledShortcut(in_channels, out_channels, stride) if differs and shortcut == "A" else None

    def _shortcut(self, input: Tensor, activated: Tensor) -> Tensor:
        if self.projected is not None:
            return self.projected(activated)
        return input if self.padded is None else self.padded(input)


class PreactivationBlock(_Preactivation):
    """Two 3x3 convolutions, each behind normalisation and ReLU, and a clean shortcut: figure 4e.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, planes, H / stride, W / stride)

    Formula
    -------
    a = relu(bn1(x));  y = conv2(dropout(relu(bn2(conv1(a))))) + (x, or its zero-padded subsample, or projection(a))

    Parameters
    ----------
    in_channels, planes : int
        Channels of input and output.
    stride : int
        Of the first convolution.
    shortcut : "A" or "B"
        Where the sizes differ: zero-padded subsampling or projection.
    dropout : float
        Probability of the dropout between the convolutions, as in wide residual networks.

    Raises
    ------
    ArgumentError
        For another shortcut.

    Examples
    --------
    >>> import numpy as np
    >>> PreactivationBlock(4, 8, 2)(np.ones((1, 4, 6, 6), np.float32)).shape
    (1, 8, 3, 3)
    """

    expansion = 1

    def __init__(self, in_channels: int, planes: int, stride: int = 1, shortcut: str = "A", dropout: float = 0.0) -> None:
        super().__init__()
        self.bn1 = BatchNorm2d(in_channels, activation="relu")
        self.conv1 = conv3x3(in_channels, planes, stride)
        self.bn2 = BatchNorm2d(planes, activation="relu")
        self.dropout = Dropout(dropout) if dropout else None
        self.conv2 = conv3x3(planes, planes)
        self._make_shortcut(in_channels, planes, stride, shortcut)

    def forward(self, input: Tensor) -> Tensor:
        """Branch plus shortcut; nothing follows the sum."""
        activated = self.bn1(input)
        x = self.bn2(self.conv1(activated))
        x = self.conv2(x if self.dropout is None else self.dropout(x))
        return x + self._shortcut(input, activated)


class PreactivationBottleneck(_Preactivation):
    """1x1 down, 3x3, 1x1 up, each behind normalisation and ReLU, and a clean shortcut.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, 4 planes, H / stride, W / stride)

    Parameters
    ----------
    in_channels, planes, stride, shortcut
        As in `PreactivationBlock`; the 3x3 convolution has the stride.

    Examples
    --------
    >>> import numpy as np
    >>> PreactivationBottleneck(16, 4, shortcut="B")(np.ones((1, 16, 2, 2), np.float32)).shape
    (1, 16, 2, 2)
    """

    expansion = 4

    def __init__(self, in_channels: int, planes: int, stride: int = 1, shortcut: str = "B") -> None:
        super().__init__()
        self.bn1 = BatchNorm2d(in_channels, activation="relu")
        self.conv1 = conv1x1(in_channels, planes)
        self.bn2 = BatchNorm2d(planes, activation="relu")
        self.conv2 = conv3x3(planes, planes, stride)
        self.bn3 = BatchNorm2d(planes, activation="relu")
        self.conv3 = conv1x1(planes, planes * self.expansion)
        self._make_shortcut(in_channels, planes * self.expansion, stride, shortcut)

    def forward(self, input: Tensor) -> Tensor:
        """Branch plus shortcut; nothing follows the sum."""
        activated = self.bn1(input)
        x = self.bn2(self.conv1(activated))
        x = self.conv3(self.bn3(self.conv2(x)))
        return x + self._shortcut(input, activated)


class PreactivationResNet(Module):
    """Three stages of pre-activation blocks, a last normalisation and ReLU, averages and one linear layer.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    depth : int
        Layers with weights: 6n + 2 of basic blocks, 9n + 2 of bottlenecks.
    num_classes, in_channels : int
        Length of the output row; 3 for colour.
    bottleneck : bool
        Which of the blocks.
    shortcut : "A", "B" or None
        Where the sizes differ; left out, the paper's: A for basic blocks and B for bottlenecks.
    width : int
        Multiplies the planes, as in wide residual networks.
    dropout : float
        Between the convolutions of a basic block.

    Raises
    ------
    ArgumentError
        For a depth that three equal stages cannot have.

    Examples
    --------
    >>> PreactivationResNet(8).layer3[0].padded
    SubsampledShortcut(stride=2, channels=+16+16)
    """

    def __init__(
        self,
        depth: int,
        num_classes: int = 10,
        in_channels: int = 3,
        *,
        bottleneck: bool = False,
        shortcut: str | None = None,
        width: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        count = blocks_in_a_stage("PreactivationResNet", depth, 9 if bottleneck else 6)
        option = shortcut or ("B" if bottleneck else "A")
        channels = PLANES[0]
        self.conv1 = conv3x3(in_channels, channels)
        for (key, stage_stride), base in zip(STAGES, PLANES, strict=True):
            stage = Sequential()
            for position in range(count):
                stride, planes = stage_stride if position == 0 else 1, base * width
                block: PreactivationBlock | PreactivationBottleneck
                if bottleneck:
                    block = PreactivationBottleneck(channels, planes, stride, option)
                else:
                    block = PreactivationBlock(channels, planes, stride, option, dropout)
                channels = planes * block.expansion
                stage.append(block)
            self.add_module(key, stage)
        self.norm = BatchNorm2d(channels, activation="relu")
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        self.linear = Linear(channels, num_classes)
        start(self, False)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = self.layer3(self.layer2(self.layer1(self.conv1(input))))
        return self.linear(self.flatten(self.avgpool(self.norm(x))))


@builder(image_size=32)
def preactivation_resnet20(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> PreactivationResNet:
    """Pre-activation ResNet-20 of basic blocks; the layers of `resnet20` in another order."""
    return PreactivationResNet(20, num_classes, in_channels, shortcut=shortcut)


@builder(image_size=32)
def preactivation_resnet56(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> PreactivationResNet:
    """Pre-activation ResNet-56 of basic blocks; the layers of `resnet56` in another order."""
    return PreactivationResNet(56, num_classes, in_channels, shortcut=shortcut)


@builder(image_size=32)
def preactivation_resnet110(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "A") -> PreactivationResNet:
    """Pre-activation ResNet-110 of basic blocks; the layers of `resnet110` in another order."""
    return PreactivationResNet(110, num_classes, in_channels, shortcut=shortcut)


@builder(image_size=32)
def preactivation_resnet164(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "B") -> PreactivationResNet:
    """Pre-activation ResNet-164 of bottlenecks; 1.7 million parameters."""
    return PreactivationResNet(164, num_classes, in_channels, bottleneck=True, shortcut=shortcut)


@builder(image_size=32)
def preactivation_resnet1001(num_classes: int = 10, in_channels: int = 3, *, shortcut: str = "B") -> PreactivationResNet:
    """Pre-activation ResNet-1001 of bottlenecks; 10.3 million parameters."""
    return PreactivationResNet(1001, num_classes, in_channels, bottleneck=True, shortcut=shortcut)
