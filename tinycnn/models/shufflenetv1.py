"""ShuffleNet (v1): 1x1 convolutions in groups, and a shuffle so that the groups see each other.

In a bottleneck of thin channels the 1x1 convolutions cost nearly everything. In `groups` groups they cost that much less, so that the same budget
buys more channels: table 1 has 144 of them without groups, 384 with eight. A group alone would only ever see itself; after the first convolution
the channels are dealt out like cards, one to each group in turn.

References
----------
Zhang et al. 2017, "ShuffleNet: an extremely efficient convolutional neural network for mobile devices": figure 2 the units, table 1 the network.

Differs from the paper: it does not say how channels are rounded where a factor gives no whole groups; here a stage has a multiple of four times the
groups (so that the bottleneck, a quarter, is divisible), the first layer a multiple of the groups. All the variants of table 1 are as printed.
The authors' later repository (megvii-model/ShuffleNet-Series) keeps 24 channels in the first layer of x1.5, has no bias in the classifier and
shuffles after the depthwise filters, which is the same network with its channels renamed.
"""

from __future__ import annotations

from .. import functional as F
from .. import nn
from ..errors import ArgumentError
from ..tensor import Tensor
from .building import image_features, make_divisible, positive_multiplier
from .registry import builder

__all__ = [
    "ShuffleNetV1",
    "shufflenet_v1_cifar",
    "shufflenet_v1_x0_5",
    "shufflenet_v1_x0_25",
    "shufflenet_v1_x1_0",
    "shufflenet_v1_x1_5",
    "shufflenet_v1_x2_0",
]

STEM_CHANNELS = 24

# Table 1: output channels of stage 2 by the number of groups; stages 3 and 4 have two and four times as many.
STAGE2_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}

# Units a stage, the first of them with stride 2.
STAGES = (("stage2", 4), ("stage3", 8), ("stage4", 4))


class ShuffleUnit(nn.Module):
    """Compress in groups, shuffle, filter every channel, expand in groups.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))

    Formula
    -------
    y = relu(x + B(x)) with stride 1; y = [avg_pool(x, 3, stride 2), relu(B(x))] with stride 2, so that the branch B makes
    out_channels - in_channels maps.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, groups: int, first_groups: int) -> None:
        super().__init__()
        middle = out_channels // 4
        branch = out_channels - in_channels if stride == 2 else out_channels
        self.groups = groups
        self.stride = stride
        self.compress = nn.Conv2d(in_channels, middle, 1, groups=first_groups, bias=False)
        self.bn1 = nn.BatchNorm2d(middle, activation="relu")
        self.depthwise = nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.expand = nn.Conv2d(middle, branch, 1, groups=groups, bias=False)
        self.bn3 = nn.BatchNorm2d(branch, activation="relu")
        self.pool = nn.AvgPool2d(3, 2, 1) if stride == 2 else nn.Identity()

    def forward(self, input: Tensor) -> Tensor:
        """The sum with the input, or the halved input beside the branch."""
        x = F.channel_shuffle(self.bn1(self.compress(input)), self.groups)
        x = self.expand(self.bn2(self.depthwise(x)))
        if self.stride == 2:
            return F.cat([self.pool(input), self.bn3(x)], 1)
        y: Tensor = self.bn3(x, residual=input)
        return y


class ShuffleNetV1(nn.Module):
    """ShuffleNet of any width and one of the table's numbers of groups.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    width_mult : float
        The paper's s, times every number of channels.
    groups : int
        1, 2, 3, 4 or 8.
    small_images : bool
        Leave out the first stride and the pooling, which make a quarter of the image's sides.

    Raises
    ------
    ArgumentError
        For a number of groups that is not in the table, or a multiplier that is not above zero.

    Examples
    --------
    >>> model = ShuffleNetV1(10, groups=8)
    >>> model.stage2[0].expand.weight.shape, model.fc.weight.shape
    ((360, 12, 1, 1), (10, 1536))
    """

    def __init__(
        self, num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, groups: int = 3, *, small_images: bool = False
    ) -> None:
        super().__init__()
        width = positive_multiplier("ShuffleNetV1", "width_mult", width_mult)
        if groups not in STAGE2_CHANNELS:
            raise ArgumentError(
                f"ShuffleNetV1: groups must be one of the paper's {', '.join(map(str, STAGE2_CHANNELS))}, not {groups!r}; it found 3 best"
            )
        channels = make_divisible(STEM_CHANNELS * width, groups)
        stride = 1 if small_images else 2
        self.conv1 = nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels, activation="relu"),
        )
        self.maxpool = nn.Identity() if small_images else nn.MaxPool2d(3, 2, 1)
        out_channels = make_divisible(STAGE2_CHANNELS[groups] * width, 4 * groups)
        for name, count in STAGES:
            # The first layer has few channels: section 3.2 leaves the groups out where they come in.
            first_groups = 1 if name == "stage2" else groups
            units = [ShuffleUnit(channels, out_channels, 2, groups, first_groups)]
            units += [ShuffleUnit(out_channels, out_channels, 1, groups, groups) for _ in range(count - 1)]
            self.add_module(name, nn.Sequential(*units))
            channels, out_channels = out_channels, 2 * out_channels
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = self.maxpool(self.conv1(input))
        x = self.stage4(self.stage3(self.stage2(x)))
        y: Tensor = self.fc(image_features(x))
        return y


@builder
def shufflenet_v1_x1_0(num_classes: int = 1000, in_channels: int = 3, *, groups: int = 3) -> ShuffleNetV1:
    """ShuffleNet 1x: about 140 million multiply-adds for an image of 224x224, whatever the number of groups.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    groups : int
        1, 2, 3, 4 or 8: more groups, more channels.

    Raises
    ------
    ArgumentError
        For another number of groups.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.shufflenet_v1_x1_0).parameters())
    1865728
    """
    return ShuffleNetV1(num_classes, in_channels, 1.0, groups)


@builder
def shufflenet_v1_x0_25(num_classes: int = 1000, in_channels: int = 3, *, groups: int = 3) -> ShuffleNetV1:
    """ShuffleNet with a quarter of the channels; parameters as in `shufflenet_v1_x1_0`."""
    return ShuffleNetV1(num_classes, in_channels, 0.25, groups)


@builder
def shufflenet_v1_x0_5(num_classes: int = 1000, in_channels: int = 3, *, groups: int = 3) -> ShuffleNetV1:
    """ShuffleNet with half the channels; parameters as in `shufflenet_v1_x1_0`."""
    return ShuffleNetV1(num_classes, in_channels, 0.5, groups)


@builder
def shufflenet_v1_x1_5(num_classes: int = 1000, in_channels: int = 3, *, groups: int = 3) -> ShuffleNetV1:
    """ShuffleNet with one and a half times the channels; parameters as in `shufflenet_v1_x1_0`."""
    return ShuffleNetV1(num_classes, in_channels, 1.5, groups)


@builder
def shufflenet_v1_x2_0(num_classes: int = 1000, in_channels: int = 3, *, groups: int = 3) -> ShuffleNetV1:
    """ShuffleNet with twice the channels; parameters as in `shufflenet_v1_x1_0`."""
    return ShuffleNetV1(num_classes, in_channels, 2.0, groups)


@builder(image_size=32)
def shufflenet_v1_cifar(num_classes: int = 10, in_channels: int = 3, *, width_mult: float = 1.0, groups: int = 3) -> ShuffleNetV1:
    """ShuffleNet for images of 32x32: without the first stride and the pooling, so that the last maps have 4x4 pixels; 43 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels, width_mult, groups
        As in `ShuffleNetV1`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> models.shufflenet_v1_cifar(width_mult=0.25)(np.zeros((2, 3, 32, 32), np.float32)).shape
    (2, 10)
    """
    return ShuffleNetV1(num_classes, in_channels, width_mult, groups, small_images=True)
