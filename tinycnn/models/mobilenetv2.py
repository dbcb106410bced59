"""MobileNet v2: residual blocks turned inside out, thin between and wide within, with torchvision's names and keys.

A ReLU on few channels loses what it cuts off, on many channels little. So a block widens its input by a 1x1 convolution, filters every channel
there, and projects back to few channels without a nonlinearity; the shortcut joins the thin ends, where there is little to keep in memory.

References
----------
Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks": table 1 the block, table 2 the network, figure 3 the idea.

Differs from the paper: the width multiplier leaves the last convolution's 1280 channels alone where it is below 1, as section 5 says, and
channels are rounded to multiples of 8, as in the published code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from .. import nn
from ..errors import ArgumentError
from ..ops import Conv2dNormActivation
from ..tensor import Tensor
from .building import image_features, initialise, make_divisible, positive_multiplier, table_rows
from .registry import builder

__all__ = ["MobileNetV2", "mobilenet_v2", "mobilenet_v2_cifar"]

STEM_CHANNELS, LAST_CHANNELS = 32, 1280

# Table 2: the blocks between the two ordinary convolutions.
#   t: how many times wider within, c: output channels, n: blocks, s: stride of the first of them
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

Layer = Callable[..., nn.Module]


class InvertedResidual(nn.Module):
    """Widen, filter, project: `t` times as many channels within as without.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))

    Formula
    -------
    y = x + P(D(E(x))) where the stride is 1 and the channels stay, else P(D(E(x))): E 1x1 and ReLU6, D a 3x3 filter a channel and ReLU6, P 1x1;
    all with batch normalisation; E is left out where t = 1.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expand_ratio: float, norm_layer: Layer = nn.BatchNorm2d) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ArgumentError(f"InvertedResidual: stride must be 1 or 2, not {stride!r}")
        hidden = round(in_channels * expand_ratio)
        self.has_shortcut = stride == 1 and in_channels == out_channels
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        widen = [layer(in_channels, hidden, kernel_size=1)] if expand_ratio != 1 else []
        self.conv = nn.Sequential(
            *widen,
            layer(hidden, hidden, stride=stride, groups=hidden),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            norm_layer(out_channels),
        )

    def forward(self, input: Tensor) -> Tensor:
        """The block's output, with the input added where it fits."""
        y: Tensor = self.conv(input)
        return input + y if self.has_shortcut else y


class MobileNetV2(nn.Module):
    """MobileNet v2 of any width and layer table.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    num_classes : int
        Length of the output row.
    width_mult : float
        Times every number of channels, but the last convolution's where it is below 1.
    inverted_residual_setting : table, optional
        (t, c, n, s) a row, as in the paper's table 2, which is the default.
    round_nearest : int
        Channels are rounded to multiples of it; 1 rounds to whole numbers.
    norm_layer : layer, optional
        Made with the number of channels; BatchNorm2d if left out.
    dropout : float
        Before the classifier.
    in_channels : int
        Channels of the images.
    stem_stride : int
        Of the first convolution; 1 for small images.

    Raises
    ------
    ArgumentError
        For a multiplier that is not above zero, a row without four values, or a stride other than 1 or 2.

    Examples
    --------
    >>> model = MobileNetV2(10, inverted_residual_setting=[[1, 16, 1, 1], [6, 24, 2, 2]])
    >>> len(model.features), model.classifier[1].weight.shape
    (5, (10, 1280))
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
        *,
        in_channels: int = 3,
        stem_stride: int = 2,
    ) -> None:
        super().__init__()
        width = positive_multiplier("MobileNetV2", "width_mult", width_mult)
        rows = STAGES if inverted_residual_setting is None else inverted_residual_setting
        table = table_rows("MobileNetV2", "inverted_residual_setting", rows, "t, c, n, s")
        norm = nn.BatchNorm2d if norm_layer is None else norm_layer
        layer = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.ReLU6)
        channels = make_divisible(STEM_CHANNELS * width, round_nearest)
        self.last_channel = make_divisible(LAST_CHANNELS * max(1.0, width), round_nearest)
        features: list[nn.Module] = [layer(in_channels, channels, stride=stem_stride)]
        for expand_ratio, wanted, blocks, stride in table:
            out_channels = make_divisible(wanted * width, round_nearest)
            for step in [stride] + [1] * (blocks - 1):
                features.append(InvertedResidual(channels, out_channels, step, expand_ratio, norm))
                channels = out_channels
        features.append(layer(channels, self.last_channel, kernel_size=1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes))
        initialise(self, lambda weight: nn.init.normal_(weight, 0.0, 0.01))

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        y: Tensor = self.classifier(image_features(self.features(input)))
        return y


@builder
def mobilenet_v2(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    width_mult: float = 1.0,
    inverted_residual_setting: Sequence[Sequence[int]] | None = None,
    round_nearest: int = 8,
    dropout: float = 0.2,
) -> MobileNetV2:
    """MobileNet v2: 3,504,872 parameters, 300 million multiply-adds for an image of 224x224.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    width_mult, inverted_residual_setting, round_nearest, dropout
        As in `MobileNetV2`.

    Raises
    ------
    ArgumentError
        As in `MobileNetV2`.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.mobilenet_v2).parameters())
    3504872
    """
    return MobileNetV2(num_classes, width_mult, inverted_residual_setting, round_nearest, None, dropout, in_channels=in_channels)


@builder(image_size=32)
def mobilenet_v2_cifar(num_classes: int = 10, in_channels: int = 3, *, width_mult: float = 1.0, dropout: float = 0.2) -> MobileNetV2:
    """MobileNet v2 for images of 32x32: the first convolution keeps the size, so that the last maps have 2x2 pixels; 24 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels, width_mult, dropout
        As in `mobilenet_v2`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> models.mobilenet_v2_cifar(width_mult=0.25).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    return MobileNetV2(num_classes, width_mult, dropout=dropout, in_channels=in_channels, stem_stride=1)
