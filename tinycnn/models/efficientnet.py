"""EfficientNet B0 to B7: one network found by search, grown in depth, width and resolution together; torchvision's names and keys.

References
----------
Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks": table 1 is B0; `compound_scaling` has the rule.
Huang et al. 2016, "Deep networks with stochastic depth": the deeper a block, the more often it is left out in training.

Differs from the paper: padding is symmetric, as in torchvision, where TensorFlow's pads more behind. B0 to B4 keep torch's constants of batch
normalisation (eps 1e-5, momentum 0.1), since torchvision's weights were trained so; B5 to B7 have TensorFlow's 1e-3 and 0.01.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from .. import nn
from ..errors import ArgumentError
from ..ops import Conv2dNormActivation, SqueezeExcitation, StochasticDepth
from ..tensor import Tensor
from .building import classifier_, image_features, initialise, make_divisible, positive_multiplier, table_rows
from .registry import builder
from .scaling import COMPOUND_COEFFICIENTS

__all__ = [
    "EfficientNet",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_cifar",
]

STEM_CHANNELS = 32

# Table 1 between the two ordinary convolutions.
#   times wider within, kernel, stride of the first, output channels, blocks
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)

Layer = Callable[..., nn.Module]


class MBConv(nn.Module):
    """MobileNet v2's inverted residual with squeeze-and-excitation and swish, left out at random in training.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))

    Formula
    -------
    y = x + depth(P(S(D(E(x))))) where the stride is 1 and the channels stay, else P(S(D(E(x)))): E 1x1 and swish, D a filter a channel and
    swish, S squeeze-and-excitation to a quarter of the incoming channels, P 1x1
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expand_ratio: float,
        kernel: int,
        stride: int,
        stochastic_depth_prob: float,
        norm_layer: Layer = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ArgumentError(f"EfficientNet: a block's stride must be 1 or 2, not {stride!r}")
        self.has_shortcut = stride == 1 and in_channels == out_channels
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        expanded = make_divisible(in_channels * expand_ratio)
        widen = [layer(in_channels, expanded, kernel_size=1)] if expanded != in_channels else []
        self.block = nn.Sequential(
            *widen,
            layer(expanded, expanded, kernel_size=kernel, stride=stride, groups=expanded),
            SqueezeExcitation(expanded, max(1, in_channels // 4), activation=nn.SiLU),
            layer(expanded, out_channels, kernel_size=1, activation_layer=None),
        )
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        """The block's output."""
        y: Tensor = self.block(input)
        return self.stochastic_depth(y) + input if self.has_shortcut else y


class EfficientNet(nn.Module):
    """EfficientNet with any depth and width.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    width_mult, depth_mult : float
        Times the channels (rounded to multiples of 8) and the blocks (rounded up) of B0.
    dropout : float
        Before the classifier.
    stochastic_depth_prob : float
        How often the last block's branch would be left out; block i of n has i / n of it.
    num_classes : int
        Length of the output row.
    norm_layer : layer, optional
        Made with the number of channels; BatchNorm2d if left out.
    in_channels : int
        Channels of the images.
    stem_stride : int
        Of the first convolution; 1 for small images.
    stages : table
        (expand ratio, kernel, stride, channels, blocks) a row; B0's if left out.

    Raises
    ------
    ArgumentError
        If a multiplier is not above zero or a row has no such block.

    Examples
    --------
    >>> model = EfficientNet(1.0, 1.0, 0.2, num_classes=10, stages=[[1, 3, 1, 16, 1], [6, 3, 2, 24, 2]])
    >>> [len(stage) for stage in model.features[1:3]], model.classifier[1].weight.shape
    ([1, 2], (10, 96))
    """

    def __init__(
        self,
        width_mult: float,
        depth_mult: float,
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        *,
        in_channels: int = 3,
        stem_stride: int = 2,
        stages: Sequence[Sequence[int]] = STAGES,
    ) -> None:
        super().__init__()
        width = positive_multiplier("EfficientNet", "width_mult", width_mult)
        depth = positive_multiplier("EfficientNet", "depth_mult", depth_mult)
        table = table_rows("EfficientNet", "stages", stages, "expand ratio, kernel, stride, channels, blocks")
        norm = nn.BatchNorm2d if norm_layer is None else norm_layer
        layer = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.SiLU)
        counts = [math.ceil(blocks * depth) for *_, blocks in table]
        channels = make_divisible(STEM_CHANNELS * width)
        features: list[nn.Module] = [layer(in_channels, channels, stride=stem_stride)]
        done = 0
        for (expand_ratio, kernel, stride, wanted, _), count in zip(table, counts, strict=True):
            out_channels = make_divisible(wanted * width)
            stage: list[nn.Module] = []
            for step in [stride] + [1] * (count - 1):
                dropped = stochastic_depth_prob * done / sum(counts)
                stage.append(MBConv(channels, out_channels, expand_ratio, kernel, step, dropped, norm))
                channels = out_channels
                done += 1
            features.append(nn.Sequential(*stage))
        features.append(layer(channels, 4 * channels, kernel_size=1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * channels, num_classes))
        initialise(self, classifier_)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        y: Tensor = self.classifier(image_features(self.features(input)))
        return y


def _efficientnet(variant: str, num_classes: int, in_channels: int, dropout: float | None, stochastic_depth_prob: float) -> EfficientNet:
    width, depth, _, published_dropout = COMPOUND_COEFFICIENTS[variant]
    norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01) if variant in ("b5", "b6", "b7") else None
    chance = published_dropout if dropout is None else dropout
    return EfficientNet(width, depth, chance, stochastic_depth_prob, num_classes, norm, in_channels=in_channels)


@builder
def efficientnet_b0(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B0, for images of 224x224: 5,288,548 parameters, 386 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    dropout : float, optional
        Before the classifier; the published 0.2 to 0.5 of the variant if left out.
    stochastic_depth_prob : float
        How often the last block's branch would be left out in training; earlier ones less.

    Raises
    ------
    ArgumentError
        If a probability is not from 0 to 1.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.efficientnet_b0).parameters())
    5288548
    """
    return _efficientnet("b0", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=240)
def efficientnet_b1(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B1, for images of 240x240: 7,794,184 parameters; parameters as in `efficientnet_b0`."""
    return _efficientnet("b1", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=260)
def efficientnet_b2(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B2, for images of 260x260: 9,109,994 parameters; parameters as in `efficientnet_b0`."""
    return _efficientnet("b2", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=300)
def efficientnet_b3(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B3, for images of 300x300: 12,233,232 parameters; parameters as in `efficientnet_b0`."""
    return _efficientnet("b3", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=380)
def efficientnet_b4(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B4, for images of 380x380: 19,341,616 parameters; parameters as in `efficientnet_b0`."""
    return _efficientnet("b4", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=456)
def efficientnet_b5(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B5, for images of 456x456: 30,389,784 parameters; parameters as in `efficientnet_b0`."""
    return _efficientnet("b5", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=528)
def efficientnet_b6(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B6, for images of 528x528: 43,040,704 parameters; parameters as in `efficientnet_b0`."""
    return _efficientnet("b6", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=600)
def efficientnet_b7(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float | None = None, stochastic_depth_prob: float = 0.2
) -> EfficientNet:
    """EfficientNet B7, for images of 600x600: 66,347,960 parameters; parameters as in `efficientnet_b0`."""
    return _efficientnet("b7", num_classes, in_channels, dropout, stochastic_depth_prob)


@builder(image_size=32)
def efficientnet_cifar(
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    width_mult: float = 1.0,
    depth_mult: float = 1.0,
    dropout: float = 0.2,
    stochastic_depth_prob: float = 0.1,
) -> EfficientNet:
    """EfficientNet B0 for images of 32x32: the first convolution keeps the size, so that the last maps have 2x2 pixels; 32 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    width_mult, depth_mult, dropout, stochastic_depth_prob
        As in `EfficientNet`; `compound_scaling` gives matching multipliers.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> models.efficientnet_cifar(width_mult=0.25, depth_mult=0.3).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    return EfficientNet(width_mult, depth_mult, dropout, stochastic_depth_prob, num_classes, in_channels=in_channels, stem_stride=1)
