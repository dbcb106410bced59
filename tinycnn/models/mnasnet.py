"""MnasNet: blocks of MobileNet v2 chosen by a search that measured its candidates on a phone; torchvision's names and keys.

References
----------
Tan et al. 2018, "MnasNet: platform-aware neural architecture search for mobile", figure 7.

Differs from the paper: like torchvision's, this is variant B1, without squeeze-and-excitation, and not the A1 of figure 7(a).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from .. import nn
from ..errors import ArgumentError
from ..tensor import Tensor
from .building import classifier_, image_features, initialise, make_divisible, positive_multiplier, table_rows
from .registry import builder

__all__ = ["MNASNet", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "mnasnet_cifar"]

STEM_CHANNELS, SEPARABLE_CHANNELS, LAST_CHANNELS = 32, 16, 1280

# The stacks of inverted residuals.
#   out  kernel  stride of the first  times wider within  blocks
STAGES = (
    (24, 3, 2, 3, 3),
    (40, 5, 2, 3, 3),
    (80, 5, 2, 6, 3),
    (96, 3, 1, 6, 2),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
)

# Running statistics keep 0.9997 of themselves, TensorFlow's momentum for ImageNet.
BATCH_NORM_MOMENTUM = 1 - 0.9997


def _conv_norm(in_channels: int, out_channels: int, kernel: int, stride: int, momentum: float, groups: int = 1, relu: bool = True) -> list[nn.Module]:
    """A convolution and its normalisation, which applies the ReLU where there is one; the Identity keeps torchvision's numbering."""
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels, momentum=momentum, activation="relu" if relu else None),
    ]
    return [*layers, nn.Identity()] if relu else layers


class InvertedResidual(nn.Module):
    """Widen, filter, project, and the input added where it fits.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int, momentum: float) -> None:
        super().__init__()
        if stride not in (1, 2) or kernel not in (3, 5):
            raise ArgumentError(f"MNASNet: a block has stride 1 or 2 and kernel 3 or 5, not {stride!r} and {kernel!r}")
        middle = in_channels * expansion
        self.has_shortcut = stride == 1 and in_channels == out_channels
        self.layers = nn.Sequential(
            *_conv_norm(in_channels, middle, 1, 1, momentum),
            *_conv_norm(middle, middle, kernel, stride, momentum, groups=middle),
            *_conv_norm(middle, out_channels, 1, 1, momentum, relu=False),
        )

    def forward(self, input: Tensor) -> Tensor:
        """The block's output."""
        y: Tensor = self.layers(input)
        return y + input if self.has_shortcut else y


class MNASNet(nn.Module):
    """MnasNet B1 of any width.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    alpha : float
        Times every number of channels but the last 1280; rounded to multiples of 8.
    num_classes : int
        Length of the output row.
    dropout : float
        Before the classifier.
    in_channels : int
        Channels of the images.
    stem_stride : int
        Of the first convolution; 1 for small images.
    batch_norm_momentum : float
        Share of a batch in the running statistics.
    stages : table
        (out, kernel, stride, expansion, blocks) a row; the paper's if left out.

    Raises
    ------
    ArgumentError
        If alpha is not above zero, or a row has no such block.

    Notes
    -----
    Files from before torchvision 0.5 have an unscaled stem where alpha is not 1; those do not load.

    Examples
    --------
    >>> model = MNASNet(0.5, 10)
    >>> model.layers[0].weight.shape, model.classifier[1].weight.shape
    ((16, 3, 3, 3), (10, 1280))
    """

    def __init__(
        self,
        alpha: float,
        num_classes: int = 1000,
        dropout: float = 0.2,
        *,
        in_channels: int = 3,
        stem_stride: int = 2,
        batch_norm_momentum: float = BATCH_NORM_MOMENTUM,
        stages: Sequence[Sequence[int]] = STAGES,
    ) -> None:
        super().__init__()
        width = positive_multiplier("MNASNet", "alpha", alpha)
        table = table_rows("MNASNet", "stages", stages, "out, kernel, stride, expansion, blocks")
        momentum = batch_norm_momentum
        stem, channels = make_divisible(STEM_CHANNELS * width), make_divisible(SEPARABLE_CHANNELS * width)
        layers = [
            *_conv_norm(in_channels, stem, 3, stem_stride, momentum),
            *_conv_norm(stem, stem, 3, 1, momentum, groups=stem),
            *_conv_norm(stem, channels, 1, 1, momentum, relu=False),
        ]
        for wanted, kernel, stride, expansion, blocks in table:
            out_channels = make_divisible(wanted * width)
            steps = [(channels, stride)] + [(out_channels, 1)] * (blocks - 1)
            layers.append(nn.Sequential(*(InvertedResidual(before, out_channels, kernel, step, expansion, momentum) for before, step in steps)))
            channels = out_channels
        layers += _conv_norm(channels, LAST_CHANNELS, 1, 1, momentum)
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(LAST_CHANNELS, num_classes))
        initialise(self, partial(classifier_, gain=3**0.5))

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        y: Tensor = self.classifier(image_features(self.layers(input)))
        return y


@builder
def mnasnet0_5(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2) -> MNASNet:
    """MnasNet with half the channels: 2,218,512 parameters; parameters as in `mnasnet1_0`."""
    return MNASNet(0.5, num_classes, dropout, in_channels=in_channels)


@builder
def mnasnet0_75(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2) -> MNASNet:
    """MnasNet with three quarters of the channels: 3,170,208 parameters; parameters as in `mnasnet1_0`."""
    return MNASNet(0.75, num_classes, dropout, in_channels=in_channels)


@builder
def mnasnet1_0(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2) -> MNASNet:
    """MnasNet B1: 4,383,312 parameters, 314 million multiply-adds for an image of 224x224.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    dropout : float
        Probability before the classifier.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.mnasnet1_0).parameters())
    4383312
    """
    return MNASNet(1.0, num_classes, dropout, in_channels=in_channels)


@builder
def mnasnet1_3(num_classes: int = 1000, in_channels: int = 3, *, dropout: float = 0.2) -> MNASNet:
    """MnasNet with 1.3 times the channels: 6,282,256 parameters; parameters as in `mnasnet1_0`."""
    return MNASNet(1.3, num_classes, dropout, in_channels=in_channels)


@builder(image_size=32)
def mnasnet_cifar(num_classes: int = 10, in_channels: int = 3, *, alpha: float = 1.0, dropout: float = 0.2) -> MNASNet:
    """MnasNet for images of 32x32: the first convolution keeps the size; 26 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels, dropout
        As in `mnasnet1_0`.
    alpha : float
        Times every number of channels but the last.

    Notes
    -----
    Running statistics take a tenth of each batch: with the 0.0003 that suits ImageNet they would still be those of the random weights after
    ten epochs.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> models.mnasnet_cifar(alpha=0.25).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    return MNASNet(alpha, num_classes, dropout, in_channels=in_channels, stem_stride=1, batch_norm_momentum=0.1)
