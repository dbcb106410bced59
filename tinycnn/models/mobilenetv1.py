"""MobileNet (v1): a filter a channel, then a mixture of channels, and nothing else; with timm's names and keys.

A 3x3 convolution from C to K channels costs 9 C K multiplications a pixel; a filter a channel and then a 1x1 convolution cost 9 C + C K,
1/K + 1/9 of it. Two numbers scale the network:

* the width multiplier alpha makes every number of channels alpha times as large: parameters and multiplications fall with alpha^2;
* the resolution multiplier rho is the size of the images alone, 224, 192, 160 or 128 pixels: multiplications fall with rho^2 and parameters
  stay. No argument is needed for it, as the mean over the last maps takes any size.

        alpha          1.0    0.75   0.5    0.25          image     224    192    160    128
        million MACs   569    325    149    41            (alpha 1) 569    418    290    186

References
----------
Howard et al. 2017, "MobileNets: efficient convolutional neural networks for mobile vision applications": table 1 the layers, table 6 the width
multiplier, table 7 the resolution multiplier.

Differs from the paper: the last depthwise layer of table 1 is written with stride 2 there, which would give 4x4 maps; it has stride 1, as in
every implementation. ReLU6 instead of ReLU and channels rounded to multiples of 8, as in the published code and timm.
"""

from __future__ import annotations

from .. import nn
from ..tensor import Tensor
from .building import classifier_, conv_fan_out_, image_features, initialise, make_divisible, positive_multiplier, table_rows
from .registry import builder

__all__ = [
    "MobileNetV1",
    "mobilenet_cifar",
    "mobilenetv1_025",
    "mobilenetv1_050",
    "mobilenetv1_075",
    "mobilenetv1_100",
    "mobilenetv1_125",
]

STEM_CHANNELS = 32

# Table 1 by the size of the maps: output channels, number of depthwise separable layers, stride of the first of them.
#   maps of a 224x224 image      channels  layers  stride
STAGES = (
    (64, 1, 1),  # 112x112
    (128, 2, 2),  # 56x56
    (256, 2, 2),  # 28x28
    (512, 6, 2),  # 14x14
    (1024, 2, 2),  # 7x7
)


class DepthwiseSeparable(nn.Module):
    """A 3x3 filter a channel and a 1x1 convolution, each followed by batch normalisation and ReLU6.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False)
        self.bn1 = nn.BatchNorm2d(in_channels, activation="relu6")
        self.conv_pw = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels, activation="relu6")

    def forward(self, input: Tensor) -> Tensor:
        """The mixed, filtered maps."""
        x = self.bn1(self.conv_dw(input))
        y: Tensor = self.bn2(self.conv_pw(x))
        return y


class MobileNetV1(nn.Module):
    """MobileNet of any width.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    width_mult : float
        alpha; channels are rounded to multiples of 8.
    dropout : float
        Before the classifier; the paper says less regularisation is better for small nets.
    stem_stride : int
        Of the first convolution; 1 for small images.
    stages : table
        (channels, layers, stride) a row; the paper's if left out.

    Examples
    --------
    >>> model = MobileNetV1(10, width_mult=0.25)
    >>> model.classifier.weight.shape, len(model.blocks)
    ((10, 256), 5)
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        width_mult: float = 1.0,
        dropout: float = 0.0,
        *,
        stem_stride: int = 2,
        stages: tuple[tuple[int, int, int], ...] = STAGES,
    ) -> None:
        super().__init__()
        width = positive_multiplier("MobileNetV1", "width_mult", width_mult)
        table = table_rows("MobileNetV1", "stages", stages, "channels, layers, stride")
        channels = make_divisible(STEM_CHANNELS * width)
        self.conv_stem = nn.Conv2d(in_channels, channels, 3, stem_stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, activation="relu6")
        blocks: list[nn.Module] = []
        for wanted, layers, stride in table:
            out_channels = make_divisible(wanted * width)
            steps = [(channels, stride)] + [(out_channels, 1)] * (layers - 1)
            blocks.append(nn.Sequential(*(DepthwiseSeparable(before, out_channels, step) for before, step in steps)))
            channels = out_channels
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, num_classes)
        initialise(self, classifier_, conv_fan_out_)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = self.blocks(self.bn1(self.conv_stem(input)))
        y: Tensor = self.classifier(self.dropout(image_features(x)))
        return y


@builder
def mobilenetv1_100(num_classes: int = 1000, in_channels: int = 3, *, width_mult: float = 1.0, dropout: float = 0.0) -> MobileNetV1:
    """MobileNet 1.0: 4,231,976 parameters, 569 million multiply-adds for an image of 224x224.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    width_mult : float
        alpha, times every number of channels; rounded to multiples of 8.
    dropout : float
        Probability before the classifier.

    Raises
    ------
    ArgumentError
        If the multiplier is not above zero, or dropout no probability.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.mobilenetv1_100).parameters())
    4231976
    """
    return MobileNetV1(num_classes, in_channels, width_mult, dropout)


@builder
def mobilenetv1_125(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.0) -> MobileNetV1:
    """MobileNet with 1.25 times the channels: timm's; parameters as in `mobilenetv1_100`."""
    return MobileNetV1(num_classes, in_channels, 1.25, dropout)


@builder
def mobilenetv1_075(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.0) -> MobileNetV1:
    """MobileNet with 0.75 times the channels, the paper's 2.6 million parameters; parameters as in `mobilenetv1_100`."""
    return MobileNetV1(num_classes, in_channels, 0.75, dropout)


@builder
def mobilenetv1_050(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.0) -> MobileNetV1:
    """MobileNet with half the channels, the paper's 1.3 million parameters; parameters as in `mobilenetv1_100`."""
    return MobileNetV1(num_classes, in_channels, 0.5, dropout)


@builder
def mobilenetv1_025(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.0) -> MobileNetV1:
    """MobileNet with a quarter of the channels, the paper's 0.5 million parameters; parameters as in `mobilenetv1_100`."""
    return MobileNetV1(num_classes, in_channels, 0.25, dropout)


@builder(image_size=32)
def mobilenet_cifar(num_classes: int = 10, in_channels: int = 3, *, width_mult: float = 1.0, dropout: float = 0.0) -> MobileNetV1:
    """MobileNet for images of 32x32: the first convolution keeps the size, so that the last maps have 2x2 pixels; 46 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels, width_mult, dropout
        As in `mobilenetv1_100`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> models.mobilenet_cifar(width_mult=0.25)(np.zeros((2, 3, 32, 32), np.float32)).shape
    (2, 10)
    """
    return MobileNetV1(num_classes, in_channels, width_mult, dropout, stem_stride=1)
