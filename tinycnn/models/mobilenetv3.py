"""MobileNet v3: the blocks of v2 in an order found by search, with squeeze-and-excitation and hard swish; torchvision's names and keys.

References
----------
Howard et al. 2019, "Searching for MobileNetV3": table 1 the large network, table 2 the small one, section 5.2 hard swish, section 5.3 the
squeeze to a quarter of the widened channels; figure 5 the shortened last stage: the mean comes before the widest layer.
Chen et al. 2017, "Rethinking atrous convolution": what `dilated` is for.

Differs from the paper: squeeze-and-excitation comes after the depthwise layer's nonlinearity, as in the published code and torchvision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from .. import nn
from ..errors import ArgumentError
from ..ops import Conv2dNormActivation, SqueezeExcitation
from ..tensor import Tensor
from .building import image_features, initialise, make_divisible, positive_multiplier, table_rows
from .registry import builder

__all__ = ["MobileNetV3", "mobilenet_v3_cifar", "mobilenet_v3_large", "mobilenet_v3_small"]

RE, HS = "relu", "hardswish"
COLUMNS = "kernel, expanded, out, squeeze, nonlinearity, stride"
STEM_CHANNELS = 16

# Table 1. In the small classes of `reduced_tail` and the dilated form, the rows from TAIL_ROWS on change.
#   k  exp  out  SE     NL  s
LARGE = (
    (3, 16, 16, False, RE, 1),
    (3, 64, 24, False, RE, 2),
    (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2),
    (5, 120, 40, True, RE, 1),
    (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2),
    (3, 200, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 480, 112, True, HS, 1),
    (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2),
    (5, 960, 160, True, HS, 1),
    (5, 960, 160, True, HS, 1),
)

# Table 2.
SMALL = (
    (3, 16, 16, True, RE, 2),
    (3, 72, 24, False, RE, 2),
    (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2),
    (5, 240, 40, True, HS, 1),
    (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1),
    (5, 144, 48, True, HS, 1),
    (5, 288, 96, True, HS, 2),
    (5, 576, 96, True, HS, 1),
    (5, 576, 96, True, HS, 1),
)

# The channels of the linear layer between the mean and the classifier.
LAST_CHANNELS = {"large": 1280, "small": 1024}
TAIL_ROWS = 3  # the last stage, where one image pixel in 32 is left

Layer = Callable[..., nn.Module]
Row = tuple[int, int, int, bool, str, int]


class BlockSettings(NamedTuple):
    """One row of a table, with the channels that come in and the dilation."""

    in_channels: int
    kernel: int
    expanded_channels: int
    out_channels: int
    use_squeeze: bool
    nonlinearity: str
    stride: int
    dilation: int = 1


class InvertedResidual(nn.Module):
    """Widen, filter, weigh the channels, project; the input added where it fits.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride)); a dilated block keeps the size
    """

    def __init__(self, settings: BlockSettings, norm_layer: Layer) -> None:
        super().__init__()
        in_channels, kernel, expanded, out_channels, use_squeeze, nonlinearity, stride, dilation = settings
        if stride not in (1, 2):
            raise ArgumentError(f"MobileNetV3: a block's stride must be 1 or 2, not {stride!r}")
        if nonlinearity not in (RE, HS):
            raise ArgumentError(f"MobileNetV3: a block's nonlinearity must be {RE!r} or {HS!r}, not {nonlinearity!r}")
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.halves = stride > 1
        self.out_channels = out_channels
        activation = nn.Hardswish if nonlinearity == HS else nn.ReLU
        layer = partial(Conv2dNormActivation, norm_layer=norm_layer)
        layers: list[nn.Module] = []
        if expanded != in_channels:
            layers.append(layer(in_channels, expanded, kernel_size=1, activation_layer=activation))
        step = 1 if dilation > 1 else stride
        layers.append(layer(expanded, expanded, kernel_size=kernel, stride=step, dilation=dilation, groups=expanded, activation_layer=activation))
        if use_squeeze:
            layers.append(SqueezeExcitation(expanded, make_divisible(expanded // 4), scale_activation=nn.Hardsigmoid))
        layers.append(layer(expanded, out_channels, kernel_size=1, activation_layer=None))
        self.block = nn.Sequential(*layers)

    def forward(self, input: Tensor) -> Tensor:
        """The block's output."""
        y: Tensor = self.block(input)
        return y + input if self.has_shortcut else y


def block_settings(table: Sequence[Sequence[object]], width: float, reduced_tail: bool, dilated: bool) -> list[BlockSettings]:
    """The blocks of a table: channels scaled and rounded, the last stage halved or dilated where asked for."""
    settings: list[BlockSettings] = []
    channels = make_divisible(STEM_CHANNELS * width)
    rows = table_rows("MobileNetV3", "table", table, COLUMNS)
    for number, (kernel, expanded, out, squeeze, nonlinearity, stride) in enumerate(rows):
        place = number - (len(rows) - TAIL_ROWS)  # from 0 on in the tail, whose first row still widens a channel number of the row before
        halved_out = out // 2 if reduced_tail and place >= 0 else out
        halved_expanded = expanded // 2 if reduced_tail and place > 0 else expanded
        out_channels = make_divisible(halved_out * width)
        wide = make_divisible(halved_expanded * width)
        dilation = 2 if dilated and place >= 0 else 1
        settings.append(BlockSettings(channels, kernel, wide, out_channels, squeeze, nonlinearity, stride, dilation))
        channels = out_channels
    return settings


class MobileNetV3(nn.Module):
    """MobileNet v3 from a list of blocks.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    inverted_residual_setting : list of BlockSettings
        The blocks in order.
    last_channel : int
        Features between the mean and the classifier.
    num_classes : int
        Length of the output row.
    norm_layer : layer, optional
        Made with the number of channels; batch normalisation with eps 0.001 and momentum 0.01, as published, if left out.
    dropout : float
        Before the classifier.
    in_channels : int
        Channels of the images.
    stem_stride : int
        Of the first convolution; 1 for small images.

    Raises
    ------
    ArgumentError
        For an empty list, or a block of which there is none.

    Examples
    --------
    >>> model = MobileNetV3([BlockSettings(16, 3, 16, 16, True, "relu", 2)], 32, 10)
    >>> len(model.features), model.classifier[3].weight.shape
    (3, (10, 32))
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[BlockSettings],
        last_channel: int,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
        *,
        in_channels: int = 3,
        stem_stride: int = 2,
    ) -> None:
        super().__init__()
        if not inverted_residual_setting:
            raise ArgumentError("MobileNetV3: inverted_residual_setting is empty; give at least one BlockSettings")
        norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01) if norm_layer is None else norm_layer
        layer = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.Hardswish)
        last = inverted_residual_setting[-1].out_channels
        self.features = nn.Sequential(
            layer(in_channels, inverted_residual_setting[0].in_channels, stride=stem_stride),
            *(InvertedResidual(settings, norm) for settings in inverted_residual_setting),
            layer(last, 6 * last, kernel_size=1),
        )
        self.classifier = nn.Sequential(
            nn.Linear(6 * last, last_channel),
            nn.Hardswish(),
            nn.Dropout(dropout),
            nn.Linear(last_channel, num_classes),
        )
        initialise(self, lambda weight: nn.init.normal_(weight, 0.0, 0.01))
        nn.fuse(self)  # batch normalisation applies the ReLU that follows it; keys and positions stay

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        y: Tensor = self.classifier(image_features(self.features(input)))
        return y


def _mobilenet_v3(
    size: str,
    num_classes: int,
    in_channels: int,
    width_mult: float,
    reduced_tail: bool,
    dilated: bool,
    dropout: float,
    *,
    norm_layer: Layer | None = None,
    stem_stride: int = 2,
) -> MobileNetV3:
    width = positive_multiplier(f"mobilenet_v3_{size}", "width_mult", width_mult)
    settings = block_settings(LARGE if size == "large" else SMALL, width, reduced_tail, dilated)
    last_channel = make_divisible(LAST_CHANNELS[size] // (2 if reduced_tail else 1) * width)
    return MobileNetV3(settings, last_channel, num_classes, norm_layer, dropout, in_channels=in_channels, stem_stride=stem_stride)


@builder
def mobilenet_v3_large(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    dropout: float = 0.2,
    norm_layer: Layer | None = None,
) -> MobileNetV3:
    """MobileNet v3 large: 5,483,032 parameters, 217 million multiply-adds for an image of 224x224.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    width_mult : float
        Times every number of channels; rounded to multiples of 8.
    reduced_tail : bool
        Halve the channels of the last stage, as the paper does for segmentation.
    dilated : bool
        Keep the last stage at 1/16 of the image by dilation, for segmentation.
    dropout : float
        Probability before the classifier.
    norm_layer : layer, optional
        As in `MobileNetV3`.

    Raises
    ------
    ArgumentError
        If the multiplier is not above zero, or dropout no probability.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.mobilenet_v3_large).parameters())
    5483032
    """
    return _mobilenet_v3("large", num_classes, in_channels, width_mult, reduced_tail, dilated, dropout, norm_layer=norm_layer)


@builder
def mobilenet_v3_small(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    dropout: float = 0.2,
) -> MobileNetV3:
    """MobileNet v3 small: 2,542,856 parameters, 57 million multiply-adds for an image of 224x224; parameters as in `mobilenet_v3_large`."""
    return _mobilenet_v3("small", num_classes, in_channels, width_mult, reduced_tail, dilated, dropout)


@builder(image_size=32)
def mobilenet_v3_cifar(num_classes: int = 10, in_channels: int = 3, *, width_mult: float = 1.0, dropout: float = 0.2) -> MobileNetV3:
    """MobileNet v3 large for images of 32x32: the first convolution keeps the size; 20 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels, width_mult, dropout
        As in `mobilenet_v3_large`.

    Notes
    -----
    Running statistics take a tenth of each batch, not the hundredth that suits the 600,000 steps of ImageNet.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> models.mobilenet_v3_cifar(width_mult=0.25).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    return _mobilenet_v3("large", num_classes, in_channels, width_mult, False, False, dropout, norm_layer=nn.BatchNorm2d, stem_stride=1)
