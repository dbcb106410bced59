"""ShuffleNet v2: half of the channels pass by, and every choice is made for the clock instead of the count; torchvision's names and keys.

Four guidelines, each from a measurement (section 2): equal channels in and out need the least memory traffic; groups cost traffic; many small
pieces cost parallelism; adding and ReLU are not free. So a unit splits its channels, works on one half without groups, joins by concatenation,
and shuffles, so that the next unit works on what has passed by.

References
----------
Ma et al. 2018, "ShuffleNet V2: practical guidelines for efficient CNN architecture design": figure 3 the units, table 5 the network.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import functional as F
from .. import nn
from ..errors import ArgumentError
from ..tensor import Tensor
from .building import image_features
from .registry import builder

__all__ = [
    "ShuffleNetV2",
    "shufflenet_v2_cifar",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
]

# Table 5: units of stages 2 to 4, the first of each with stride 2, and by the complexity the channels of conv1, the stages and conv5.
STAGE_REPEATS = (4, 8, 4)
STAGE_CHANNELS = {
    "x0_5": (24, 48, 96, 192, 1024),
    "x1_0": (24, 116, 232, 464, 1024),
    "x1_5": (24, 176, 352, 704, 1024),
    "x2_0": (24, 244, 488, 976, 2048),
}


def _depthwise(channels: int, stride: int) -> list[nn.Module]:
    """A 3x3 filter a channel, normalised, without a nonlinearity."""
    return [nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False), nn.BatchNorm2d(channels)]


def _pointwise(in_channels: int, out_channels: int) -> list[nn.Module]:
    """A 1x1 convolution, normalised, and ReLU; the Identity keeps torchvision's numbering."""
    return [nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels, activation="relu"), nn.Identity()]


class InvertedResidual(nn.Module):
    """One half of the channels through the branch, the other past it; with stride 2 all channels through two branches.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, ceil(H / stride), ceil(W / stride))
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        if stride == 1 and in_channels != 2 * half:
            raise ArgumentError(f"InvertedResidual: with stride 1 half of in_channels={in_channels} must be half of out_channels={out_channels}")
        self.stride = stride
        first = [] if stride == 1 else [*_depthwise(in_channels, stride), *_pointwise(in_channels, half)]
        self.branch1 = nn.Sequential(*first)
        self.branch2 = nn.Sequential(*_pointwise(half if stride == 1 else in_channels, half), *_depthwise(half, stride), *_pointwise(half, half))

    def forward(self, input: Tensor) -> Tensor:
        """Both halves, dealt out in turn."""
        if self.stride == 1:
            past, through = F.chunk(input, 2, 1)
        else:
            past, through = self.branch1(input), input
        return F.channel_shuffle(F.cat([past, self.branch2(through)], 1), 2)


class ShuffleNetV2(nn.Module):
    """ShuffleNet v2 from the rows of table 5.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes)

    Parameters
    ----------
    stages_repeats : three int
        Units of stages 2, 3 and 4.
    stages_out_channels : five int
        Channels of conv1, of the three stages, and of conv5.
    num_classes : int
        Length of the output row.
    in_channels : int
        Channels of the images.
    small_images : bool
        Leave out the first stride and the pooling, which make a quarter of the image's sides.

    Raises
    ------
    ArgumentError
        If the lists have other lengths.

    Examples
    --------
    >>> model = ShuffleNetV2([1, 1, 1], [8, 16, 32, 64, 128], 10)
    >>> list(model.state_dict())[-1], model.fc.weight.shape
    ('fc.bias', (10, 128))
    """

    def __init__(
        self,
        stages_repeats: Sequence[int],
        stages_out_channels: Sequence[int],
        num_classes: int = 1000,
        *,
        in_channels: int = 3,
        small_images: bool = False,
    ) -> None:
        super().__init__()
        if len(stages_repeats) != 3 or len(stages_out_channels) != 5:
            raise ArgumentError(
                f"ShuffleNetV2: stages_repeats needs 3 numbers and stages_out_channels 5 (conv1, stages 2 to 4, conv5), "
                f"not {len(stages_repeats)} and {len(stages_out_channels)}"
            )
        channels = stages_out_channels[0]
        self.conv1 = nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, 1 if small_images else 2, 1, bias=False), nn.BatchNorm2d(channels, activation="relu")
        )
        self.maxpool = nn.Identity() if small_images else nn.MaxPool2d(3, 2, 1)
        for number, (repeats, out_channels) in enumerate(zip(stages_repeats, stages_out_channels[1:4], strict=True), 2):
            units = [InvertedResidual(channels, out_channels, 2)]
            units += [InvertedResidual(out_channels, out_channels, 1) for _ in range(repeats - 1)]
            self.add_module(f"stage{number}", nn.Sequential(*units))
            channels = out_channels
        self.conv5 = nn.Sequential(*_pointwise(channels, stages_out_channels[-1]))
        self.fc = nn.Linear(stages_out_channels[-1], num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """Logits of the classes, one row an image."""
        x = self.maxpool(self.conv1(input))
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))
        y: Tensor = self.fc(image_features(x))
        return y


@builder
def shufflenet_v2_x0_5(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2 0.5x: 1,366,792 parameters, 40 million multiply-adds for an image of 224x224; parameters as in `shufflenet_v2_x1_0`."""
    return ShuffleNetV2(STAGE_REPEATS, STAGE_CHANNELS["x0_5"], num_classes, in_channels=in_channels)


@builder
def shufflenet_v2_x1_0(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2 1x: 2,278,604 parameters, 145 million multiply-adds for an image of 224x224.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.

    Examples
    --------
    >>> from tinycnn import models, nn
    >>> sum(p.numel() for p in nn.utils.skip_init(models.shufflenet_v2_x1_0).parameters())
    2278604
    """
    return ShuffleNetV2(STAGE_REPEATS, STAGE_CHANNELS["x1_0"], num_classes, in_channels=in_channels)


@builder
def shufflenet_v2_x1_5(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2 1.5x: 3,503,624 parameters, 296 million multiply-adds for an image of 224x224; parameters as in `shufflenet_v2_x1_0`."""
    return ShuffleNetV2(STAGE_REPEATS, STAGE_CHANNELS["x1_5"], num_classes, in_channels=in_channels)


@builder
def shufflenet_v2_x2_0(num_classes: int = 1000, in_channels: int = 3) -> ShuffleNetV2:
    """ShuffleNet v2 2x: 7,393,996 parameters, 583 million multiply-adds for an image of 224x224; parameters as in `shufflenet_v2_x1_0`."""
    return ShuffleNetV2(STAGE_REPEATS, STAGE_CHANNELS["x2_0"], num_classes, in_channels=in_channels)


@builder(image_size=32)
def shufflenet_v2_cifar(num_classes: int = 10, in_channels: int = 3, *, width: str = "x1_0") -> ShuffleNetV2:
    """ShuffleNet v2 for images of 32x32: without the first stride and the pooling, so that the last maps have 4x4 pixels; 45 million multiply-adds.

    Parameters
    ----------
    num_classes, in_channels : int
        Length of the output row, channels of the images.
    width : str
        A column of table 5: "x0_5", "x1_0", "x1_5" or "x2_0".

    Raises
    ------
    ArgumentError
        For another width.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import models
    >>> models.shufflenet_v2_cifar(width="x0_5")(np.zeros((2, 3, 32, 32), np.float32)).shape
    (2, 10)
    """
    if width not in STAGE_CHANNELS:
        raise ArgumentError(f"shufflenet_v2_cifar: width must be one of {', '.join(STAGE_CHANNELS)}, not {width!r}")
    return ShuffleNetV2(STAGE_REPEATS, STAGE_CHANNELS[width], num_classes, in_channels=in_channels, small_images=True)
