"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters.

References
----------
Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5MB model size", table 1: version 1.0; section 3.2 the
fire module. Version 1.1, with 2.4 times less computation: the authors' repository (github.com/forresti/SqueezeNet), SqueezeNet_v1.1.

Differs from the paper:
  - As in torchvision, poolings round up and convolutions of 7x7 and 3x3 in front are not padded, so that maps are 109, 54, 27, 13 columns wide
    where table 1 has 111, 55, 27, 13.
  - Dropout stands before the last convolution, as in the authors' files; the paper says after fire9, which is the same place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import functional
from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, MaxPool2d, Module, ReLU, Sequential, fuse, init
from ..tensor import Tensor
from .registry import builder
from .sizes import require_images, require_width, scaled

__all__ = ["Fire", "SqueezeNet", "squeezenet1_0", "squeezenet1_1", "squeezenet_cifar"]


class FireRow(NamedTuple):
    """s1x1, e1x1 and e3x3 of table 1."""

    squeeze: int
    expand1x1: int
    expand3x3: int


class Stem(NamedTuple):
    """The first convolution: maps, kernel, stride, padding."""

    maps: int
    kernel: int
    stride: int
    padding: int


FIRE2, FIRE4 = FireRow(16, 64, 64), FireRow(32, 128, 128)
FIRE6, FIRE8 = FireRow(48, 192, 192), FireRow(64, 256, 256)

Rows = tuple[FireRow | str, ...]

# Table 1, and the same with the poolings moved forward; fire2 to fire9.
STEM_1_0 = Stem(96, 7, 2, 0)
ROWS_1_0: Rows = ("pool", FIRE2, FIRE2, FIRE4, "pool", FIRE4, FIRE6, FIRE6, FIRE8, "pool", FIRE8)
STEM_1_1 = Stem(64, 3, 2, 0)
ROWS_1_1: Rows = ("pool", FIRE2, FIRE2, "pool", FIRE4, FIRE4, "pool", FIRE6, FIRE6, FIRE8, FIRE8)
# For 32x32 images: 32 -> 16 -> 8.
STEM_CIFAR = Stem(64, 3, 1, 1)
ROWS_CIFAR: Rows = (FIRE2, FIRE2, "pool", FIRE4, FIRE4, "pool", FIRE6, FIRE6, FIRE8, FIRE8)


class Fire(Module):
    """Squeeze the maps by a 1x1 convolution, then expand them by 1x1 and 3x3 convolutions side by side.

    Shapes
    ------
    (N, inplanes, H, W) -> (N, expand1x1_planes + expand3x3_planes, H, W)

    Parameters
    ----------
    inplanes, squeeze_planes, expand1x1_planes, expand3x3_planes : int
        Maps of the input and of the three convolutions.
    batch_norm : bool
        Whether batch normalisation stands between each convolution and its ReLU; the paper has none.

    Examples
    --------
    >>> fire = Fire(96, 16, 64, 64)
    >>> sum(parameter.numel() for parameter in fire.parameters())  # table 1's 11,920 for fire2
    11920
    """

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int, *, batch_norm: bool = False) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = _conv_relu(inplanes, squeeze_planes, 1, batch_norm)
        self.expand1x1 = _conv_relu(squeeze_planes, expand1x1_planes, 1, batch_norm)
        self.expand3x3 = _conv_relu(squeeze_planes, expand3x3_planes, 3, batch_norm)

    def forward(self, input: Tensor) -> Tensor:
        """The maps of both expanding convolutions."""
        x = self.squeeze(input)
        return functional.cat([self.expand1x1(x), self.expand3x3(x)], 1)


def _conv_relu(in_channels: int, out_channels: int, kernel: int, batch_norm: bool) -> Module:
    if not batch_norm:
        return Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, activation="relu")
    convolution = Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=False)
    return Sequential(convolution, BatchNorm2d(out_channels, activation="relu"))


class SqueezeNet(Module):
    """A convolution, eight fire modules, and a convolution whose maps' means are the logits.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes), H and W at least `smallest`
    """

    def __init__(
        self,
        stem: Stem,
        rows: Rows,
        smallest: int,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        dropout: float = 0.5,
        batch_norm: bool = False,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        require_width("squeezenet", width)
        self.in_channels = in_channels
        self.smallest = smallest
        with init.skipped():  # every weight is drawn below
            channels = scaled(stem.maps, width)
            first = Conv2d(in_channels, channels, stem.kernel, stem.stride, stem.padding, bias=not batch_norm)
            features: list[Module] = [first, *([BatchNorm2d(channels)] if batch_norm else []), ReLU()]
            for row in rows:
                if isinstance(row, str):
                    features.append(MaxPool2d(3, stride=2, ceil_mode=True))
                    continue
                planes = [scaled(count, width) for count in row]
                features.append(Fire(channels, *planes, batch_norm=batch_norm))
                channels = planes[1] + planes[2]
            self.features = Sequential(*features)
            last = Conv2d(channels, num_classes, 1)
            # The ReLU on logits is the authors'; with normalised maps, where half of them would start dead, it is left out.
            self.classifier = Sequential(Dropout(dropout), last, *([] if batch_norm else [ReLU()]), AdaptiveAvgPool2d((1, 1)))
        for module in self.modules():
            if isinstance(module, Conv2d):
                if module is last:
                    init.normal_(module.weight, 0.0, 0.01)
                else:
                    init.kaiming_uniform_(module.weight)
                if module.bias is not None:
                    init.zeros_(module.bias)
        fuse(self)  # each ReLU is applied as its layer stores; the positions, and so the keys, stay

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_images("squeezenet", input, self.in_channels, self.smallest, "the last pooling")
        return self.classifier(self.features(input)).flatten(1)


@builder
def squeezenet1_0(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> SqueezeNet:
    """SqueezeNet 1.0, the paper's; 1,248,424 parameters, table 1's.

    Parameters
    ----------
    num_classes
        Length of the output row, and maps of the last convolution.
    in_channels
        3 for colour, 1 for grey images.
    dropout
        Probability of dropping an element before the last convolution.

    Notes
    -----
    Keys and answers are torchvision's, for 224x224 images or any from 21x21 on.

    Examples
    --------
    >>> from tinycnn import nn
    >>> sum(parameter.numel() for parameter in nn.utils.skip_init(squeezenet1_0).parameters())
    1248424
    """
    return SqueezeNet(STEM_1_0, ROWS_1_0, 21, num_classes, in_channels, dropout=dropout)


@builder
def squeezenet1_1(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> SqueezeNet:
    """SqueezeNet 1.1, with a smaller first layer and earlier pooling; 1,235,496 parameters, images from 17x17 on; see `squeezenet1_0`."""
    return SqueezeNet(STEM_1_1, ROWS_1_1, 17, num_classes, in_channels, dropout=dropout)


@builder(image_size=32)
def squeezenet_cifar(num_classes: int = 10, in_channels: int = 3, *, batch_norm: bool = True, dropout: float = 0.2, width: float = 1.0) -> SqueezeNet:
    """SqueezeNet for 32x32 images: eight fire modules on grids of 32, 16 and 8; 89 M multiply-adds an image.

    Parameters
    ----------
    num_classes, in_channels, dropout
        As in `squeezenet1_0`.
    batch_norm
        Whether batch normalisation stands between each convolution and its ReLU; the paper has none, and learns more slowly.
    width
        Multiplies the maps of every layer but the last.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> squeezenet_cifar(width=0.125).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    return SqueezeNet(STEM_CIFAR, ROWS_CIFAR, 4, num_classes, in_channels, dropout=dropout, batch_norm=batch_norm, width=width)
