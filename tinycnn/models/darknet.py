"""Darknet-19 and Darknet-53, the classifiers under YOLO.

References
----------
Redmon, Farhadi: YOLO9000: better, faster, stronger, CVPR 2017; table 6 (Darknet-19).
Redmon, Farhadi: YOLOv3: an incremental improvement, 2018; table 1 (Darknet-53).

Differs from the paper: in `darknet53` negative numbers are multiplied by 0.01 and every branch starts as zero, as in timm's, whose weights fit;
the authors' program uses 0.1, which `negative_slope` gives and `darknet19` has.
"""

from __future__ import annotations

from ..errors import ArgumentError
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, LeakyReLU, Linear, MaxPool2d, Module, Sequential, init
from ..tensor import Tensor
from .registry import builder

__all__ = ["DarkBlock", "Darknet19", "Darknet53", "darknet19", "darknet53", "darknet_cifar"]

# Table 6 of YOLO9000: filters and size of each convolution, or "max" for 2x2 pooling. Each but the last has norm and leaky ReLU.
DARKNET19: tuple[tuple[int, int] | str, ...] = (
    (32, 3), "max",
    (64, 3), "max",
    (128, 3), (64, 1), (128, 3), "max",
    (256, 3), (128, 1), (256, 3), "max",
    (512, 3), (256, 1), (512, 3), (256, 1), (512, 3), "max",
    (1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3),
)  # fmt: skip

# Table 1 of YOLOv3: each stage halves the image into so many channels, then has so many residual blocks.
DARKNET53 = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
STEM = 32


def conv_norm_leaky(in_channels: int, out_channels: int, kernel_size: int, stride: int, negative_slope: float) -> Sequential:
    """Convolution without bias, batch normalisation and leaky ReLU."""
    layers: dict[str, Module] = {
        "conv": Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
        "bn": BatchNorm2d(out_channels),
        "act": LeakyReLU(negative_slope),
    }
    return Sequential(layers)


class Darknet19(Module):
    """3x3 convolutions that double the channels after every pooling, 1x1 convolutions that halve them in between, and averages of class maps.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes); H and W at least 32 with five poolings

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row; 3 for colour.
    width_mult : float
        Multiplies the channels, rounded down, at least one.
    poolings : int
        How many of the five poolings to keep, the last ones first: 5 for 224x224 images, 3 for 32x32.
    negative_slope : float
        Of the leaky ReLU.

    Raises
    ------
    ArgumentError
        For a width that is not positive, or a number of poolings that the table does not have.

    Examples
    --------
    >>> net = Darknet19(10, width_mult=0.125)
    >>> len(net.features), net.classifier.weight.shape
    (23, (10, 128, 1, 1))
    """

    def __init__(
        self, num_classes: int = 1000, in_channels: int = 3, *, width_mult: float = 1.0, poolings: int = 5, negative_slope: float = 0.1
    ) -> None:
        super().__init__()
        most = DARKNET19.count("max")
        if not width_mult > 0 or not 0 <= poolings <= most:
            raise ArgumentError(f"Darknet19: width_mult={width_mult!r} must be above 0 and poolings={poolings!r} from 0 to {most}")
        self.features = Sequential()
        channels, skipped = in_channels, most - poolings
        for row in DARKNET19:
            if isinstance(row, str):
                skipped -= 1
                if skipped < 0:
                    self.features.append(MaxPool2d(2, 2))
                continue
            filters = max(1, int(row[0] * width_mult))
            self.features.append(conv_norm_leaky(channels, filters, row[1], 1, negative_slope))
            channels = filters
        self.classifier = Conv2d(channels, num_classes, 1)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.flatten = Flatten()
        _start(self)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image: the averages of one map a class."""
        return self.flatten(self.avgpool(self.classifier(self.features(input))))


class DarkBlock(Module):
    """A 1x1 convolution to half the channels, a 3x3 convolution back, and a shortcut: a residual block whose sum nothing follows.

    Shapes
    ------
    (N, channels, H, W) -> (N, channels, H, W)

    Examples
    --------
    >>> import numpy as np
    >>> DarkBlock(8)(np.ones((1, 8, 4, 4), np.float32)).shape
    (1, 8, 4, 4)
    """

    def __init__(self, channels: int, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.conv1 = conv_norm_leaky(channels, channels // 2, 1, 1, negative_slope)
        self.conv2 = conv_norm_leaky(channels // 2, channels, 3, 1, negative_slope)

    def forward(self, input: Tensor) -> Tensor:
        """Branch plus input."""
        return self.conv2(self.conv1(input)) + input


class _Stage(Module):
    """A convolution with stride 2 and the blocks behind it."""

    def __init__(self, in_channels: int, channels: int, count: int, negative_slope: float) -> None:
        super().__init__()
        self.conv_down = conv_norm_leaky(in_channels, channels, 3, 2, negative_slope)
        self.blocks = Sequential(*(DarkBlock(channels, negative_slope) for _ in range(count)))

    def forward(self, input: Tensor) -> Tensor:
        return self.blocks(self.conv_down(input))


class Darknet53(Module):
    """A 3x3 convolution, five stages of residual blocks that each begin by halving the image, averages and one linear layer.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row; 3 for colour.
    negative_slope : float
        Of the leaky ReLU.
    zero_init_last : bool
        Start with the last scale of every branch at 0.

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.utils.skip_init(Darknet53)
    >>> [len(stage.blocks) for stage in net.stages]
    [1, 2, 8, 8, 4]
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, *, negative_slope: float = 0.01, zero_init_last: bool = True) -> None:
        super().__init__()
        stem: dict[str, Module] = {"conv1": conv_norm_leaky(in_channels, STEM, 3, 1, negative_slope)}
        self.stem = Sequential(stem)
        self.stages = Sequential()
        channels = STEM
        for width, count in DARKNET53:
            self.stages.append(_Stage(channels, width, count, negative_slope))
            channels = width
        head: dict[str, Module] = {"global_pool": AdaptiveAvgPool2d(1), "flatten": Flatten(), "fc": Linear(channels, num_classes)}
        self.head = Sequential(head)
        _start(self)
        init.normal_(self.head.fc.weight, std=0.01)
        init.zeros_(self.head.fc.bias)
        for module in self.modules():
            if zero_init_last and isinstance(module, DarkBlock):
                init.zeros_(module.conv2.bn.weight)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        return self.head(self.stages(self.stem(input)))


def _start(model: Module) -> None:
    """He's rule for the convolutions, and no bias."""
    for module in model.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                init.zeros_(module.bias)


@builder
def darknet19(num_classes: int = 1000, in_channels: int = 3, *, width_mult: float = 1.0, negative_slope: float = 0.1) -> Darknet19:
    """Darknet-19; 20,842,376 parameters."""
    return Darknet19(num_classes, in_channels, width_mult=width_mult, negative_slope=negative_slope)


@builder
def darknet53(num_classes: int = 1000, in_channels: int = 3, *, negative_slope: float = 0.01, zero_init_last: bool = True) -> Darknet53:
    """Darknet-53; 41,609,928 parameters. The authors' own weights want negative_slope=0.1."""
    return Darknet53(num_classes, in_channels, negative_slope=negative_slope, zero_init_last=zero_init_last)


@builder(image_size=32)
def darknet_cifar(num_classes: int = 10, in_channels: int = 3, *, width_mult: float = 0.25, negative_slope: float = 0.1) -> Darknet19:
    """Darknet-19 for 32x32 images: a quarter of the channels, and the last three of its five poolings."""
    return Darknet19(num_classes, in_channels, width_mult=width_mult, poolings=3, negative_slope=negative_slope)
