"""VGG: 3x3 convolutions only, 11 to 19 layers with weights.

References
----------
Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", table 1: configurations A, B, D and E;
table 2: their parameters.
Ioffe and Szegedy 2015: batch normalisation, which the `_bn` variants put behind every convolution.

Differs from the paper:
  - Configuration A-LRN, which did not help, and C, whose last convolutions are 1x1, are left out.
  - Deep nets start from He's rule rather than from the trained layers of configuration A.
"""

from __future__ import annotations

from typing import Any

from ..nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Linear, MaxPool2d, Module, ReLU, Sequential, fuse, init
from ..tensor import Tensor
from .registry import builder
from .sizes import require_images, require_width, scaled

__all__ = [
    "VGG",
    "vgg11",
    "vgg11_bn",
    "vgg11_cifar",
    "vgg13",
    "vgg13_bn",
    "vgg13_cifar",
    "vgg16",
    "vgg16_bn",
    "vgg16_cifar",
    "vgg19",
    "vgg19_bn",
    "vgg19_cifar",
]

# Table 1: the maps of the convolutions between two poolings, by the number of layers with weights.
CONFIGURATIONS: dict[int, tuple[tuple[int, ...], ...]] = {
    11: ((64,), (128,), (256,) * 2, (512,) * 2, (512,) * 2),  # A
    13: ((64,) * 2, (128,) * 2, (256,) * 2, (512,) * 2, (512,) * 2),  # B
    16: ((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3),  # D
    19: ((64,) * 2, (128,) * 2, (256,) * 4, (512,) * 4, (512,) * 4),  # E
}


class VGG(Module):
    """Stages of 3x3 convolutions, each ended by 2x2 max pooling, and linear layers.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes), H and W at least 32

    Parameters
    ----------
    depth
        Layers with weights: 11, 13, 16 or 19.
    batch_norm
        Whether batch normalisation follows every convolution.
    hidden
        Units of the two hidden linear layers; None leaves one linear layer behind the mean of each map.
    width
        Multiplies the maps of the convolutions.
    """

    def __init__(
        self,
        depth: int,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        batch_norm: bool = False,
        dropout: float = 0.5,
        hidden: int | None = 4096,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        require_width(f"vgg{depth}", width)
        self.depth = depth
        self.in_channels = in_channels
        self.smallest = 32
        with init.skipped():  # every weight is drawn below
            self.features, channels = self._features(CONFIGURATIONS[depth], in_channels, batch_norm, width)
            pooled = 1 if hidden is None else 7
            self.avgpool = AdaptiveAvgPool2d((pooled, pooled))
            if hidden is None:
                self.classifier = Sequential(Dropout(dropout), Linear(channels, num_classes))
            else:
                self.classifier = Sequential(
                    Linear(channels * pooled**2, hidden),
                    ReLU(),
                    Dropout(dropout),
                    Linear(hidden, hidden),
                    ReLU(),
                    Dropout(dropout),
                    Linear(hidden, num_classes),
                )
        self._start()
        fuse(self)  # each ReLU is applied as its layer stores; the positions, and so the keys, stay

    @staticmethod
    def _features(stages: tuple[tuple[int, ...], ...], channels: int, batch_norm: bool, width: float) -> tuple[Sequential, int]:
        layers: list[Module] = []
        for stage in stages:
            for maps in (scaled(count, width) for count in stage):
                layers.append(Conv2d(channels, maps, 3, padding=1))
                layers += [BatchNorm2d(maps)] if batch_norm else []
                layers.append(ReLU())
                channels = maps
            layers.append(MaxPool2d(2, stride=2))
        return Sequential(*layers), channels

    def _start(self) -> None:
        """He's rule by fan-out for convolutions, normal with standard deviation 0.01 for linear layers, biases 0: torchvision's."""
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                init.zeros_(module.bias)
            elif isinstance(module, Linear):
                init.normal_(module.weight, 0.0, 0.01)
                init.zeros_(module.bias)

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_images(f"vgg{self.depth}", input, self.in_channels, self.smallest, "the fifth pooling, which halves for the fifth time")
        return self.classifier(self.avgpool(self.features(input)).flatten(1))


@builder
def vgg11(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration A: 132,863,336 parameters; options as in `vgg16`."""
    return VGG(11, num_classes, in_channels, dropout=dropout)


@builder
def vgg11_bn(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration A with batch normalisation: 132,868,840 parameters; options as in `vgg16`."""
    return VGG(11, num_classes, in_channels, batch_norm=True, dropout=dropout)


@builder
def vgg13(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration B: 133,047,848 parameters; options as in `vgg16`."""
    return VGG(13, num_classes, in_channels, dropout=dropout)


@builder
def vgg13_bn(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration B with batch normalisation: 133,053,736 parameters; options as in `vgg16`."""
    return VGG(13, num_classes, in_channels, batch_norm=True, dropout=dropout)


@builder
def vgg16(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration D: 138,357,544 parameters, 14,714,688 of them in the convolutions.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    dropout
        Probability of dropping a unit of the two hidden linear layers.

    Notes
    -----
    Keys and answers are torchvision's. At 224x224 the adaptive pooling in front of the linear layers changes nothing. `fuse` has put each ReLU
    into its layer, so an Identity stands where torchvision has the ReLU.

    Examples
    --------
    >>> from tinycnn import nn
    >>> model = nn.utils.skip_init(vgg16)
    >>> sum(parameter.numel() for parameter in model.parameters())
    138357544
    """
    return VGG(16, num_classes, in_channels, dropout=dropout)


@builder
def vgg16_bn(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration D with batch normalisation: 138,365,992 parameters; options as in `vgg16`."""
    return VGG(16, num_classes, in_channels, batch_norm=True, dropout=dropout)


@builder
def vgg19(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration E: 143,667,240 parameters; options as in `vgg16`."""
    return VGG(19, num_classes, in_channels, dropout=dropout)


@builder
def vgg19_bn(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.5) -> VGG:
    """Configuration E with batch normalisation: 143,678,248 parameters; options as in `vgg16`."""
    return VGG(19, num_classes, in_channels, batch_norm=True, dropout=dropout)


@builder(image_size=32)
def vgg11_cifar(num_classes: int = 10, in_channels: int = 3, *, batch_norm: bool = True, dropout: float = 0.0, width: float = 0.5) -> VGG:
    """Configuration A for 32x32 images, 39 M multiply-adds an image; options as in `vgg16_cifar`."""
    return VGG(11, num_classes, in_channels, batch_norm=batch_norm, dropout=dropout, hidden=None, width=width)


@builder(image_size=32)
def vgg13_cifar(num_classes: int = 10, in_channels: int = 3, *, batch_norm: bool = True, dropout: float = 0.0, width: float = 0.5) -> VGG:
    """Configuration B for 32x32 images, 58 M multiply-adds an image; options as in `vgg16_cifar`."""
    return VGG(13, num_classes, in_channels, batch_norm=batch_norm, dropout=dropout, hidden=None, width=width)


@builder(image_size=32)
def vgg16_cifar(num_classes: int = 10, in_channels: int = 3, *, batch_norm: bool = True, dropout: float = 0.0, width: float = 0.5) -> VGG:
    """Configuration D for 32x32 images: half as wide, batch normalisation, one linear layer; 79 M multiply-adds an image.

    Parameters
    ----------
    num_classes, in_channels
        As in `vgg16`.
    batch_norm
        Whether batch normalisation follows every convolution; without it the deeper ones do not start to learn.
    dropout
        Probability of dropping an input of the linear layer.
    width
        Multiplies the maps of the convolutions; 1.0 costs 313 M multiply-adds.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> vgg16_cifar(width=0.0625).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    return VGG(16, num_classes, in_channels, batch_norm=batch_norm, dropout=dropout, hidden=None, width=width)


@builder(image_size=32)
def vgg19_cifar(num_classes: int = 10, in_channels: int = 3, *, batch_norm: bool = True, dropout: float = 0.0, width: float = 0.5) -> VGG:
    """Configuration E for 32x32 images, 100 M multiply-adds an image; options as in `vgg16_cifar`."""
    return VGG(19, num_classes, in_channels, batch_norm=batch_norm, dropout=dropout, hidden=None, width=width)
