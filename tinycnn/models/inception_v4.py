"""Inception v4: a uniform choice of modules on each grid, and a stem that branches, too.

References
----------
Szegedy, Ioffe, Vanhoucke and Alemi 2017, "Inception-v4, Inception-ResNet and the impact of residual connections on learning" (arXiv 1602.07261),
figure 9: the net; 3 the stem; 4, 5 and 6 the modules A, B and C; 7 and 8 the reductions; table 1 k, l, m, n of reduction A.

Differs from the paper:
  - No dropout unless asked for (drop_rate=0.2 is the paper's "keep 0.8"), as in timm, whose keys these are.
"""

from __future__ import annotations

from typing import Any

from ..nn import AdaptiveAvgPool2d, Conv2d, Dropout, Linear, Module, Sequential, init
from ..tensor import Tensor
from .inception_blocks import Branch, Branches, Conv, Fork, Step, build_step
from .registry import builder
from .sizes import require_images, require_width

__all__ = ["InceptionV4", "inception_v4", "inception_v4_cifar"]

Row = Step | dict[str, Branch]

# Figure 3; sizes are for 299x299: 149 -> 147 -> 147 -> 73 -> 71 -> 35.
STEM: tuple[Row, ...] = (
    Conv(32, 3, 2, valid=True),
    Conv(32, 3, valid=True),
    Conv(64, 3),
    {"maxpool": ("max/2",), "conv": (Conv(96, 3, 2, valid=True),)},
    {
        "branch0": (Conv(64), Conv(96, 3, valid=True)),
        "branch1": (Conv(64), Conv(64, (1, 7)), Conv(64, (7, 1)), Conv(96, 3, valid=True)),
    },
    {"conv": (Conv(192, 3, 2, valid=True),), "maxpool": ("max/2",)},
)
# For 32x32 images: 32 -> 32 -> 32 -> 15 -> 15 -> 15.
STEM_CIFAR: tuple[Row, ...] = (
    Conv(32, 3),
    Conv(32, 3),
    Conv(64, 3),
    {"maxpool": ("max/2",), "conv": (Conv(96, 3, 2, valid=True),)},
    {"branch0": (Conv(64), Conv(96, 3)), "branch1": (Conv(64), Conv(64, (1, 7)), Conv(64, (7, 1)), Conv(96, 3))},
    {"conv": (Conv(192, 3),), "maxpool": ("max",)},
)

INCEPTION_A: dict[str, Branch] = {  # 35x35x384
    "branch0": (Conv(96),),
    "branch1": (Conv(64), Conv(96, 3)),
    "branch2": (Conv(64), Conv(96, 3), Conv(96, 3)),
    "branch3": ("avg", Conv(96)),
}
REDUCTION_A: dict[str, Branch] = {  # to 17x17x1024; k, l, m, n = 192, 224, 256, 384
    "branch0": (Conv(384, 3, 2, valid=True),),
    "branch1": (Conv(192), Conv(224, 3), Conv(256, 3, 2, valid=True)),
    "branch2": ("max/2",),
}
INCEPTION_B: dict[str, Branch] = {  # 17x17x1024
    "branch0": (Conv(384),),
    "branch1": (Conv(192), Conv(224, (1, 7)), Conv(256, (7, 1))),
    "branch2": (Conv(192), Conv(192, (7, 1)), Conv(224, (1, 7)), Conv(224, (7, 1)), Conv(256, (1, 7))),
    "branch3": ("avg", Conv(128)),
}
REDUCTION_B: dict[str, Branch] = {  # to 8x8x1536
    "branch0": (Conv(192), Conv(192, 3, 2, valid=True)),
    "branch1": (Conv(256), Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, 3, 2, valid=True)),
    "branch2": ("max/2",),
}
INCEPTION_C: dict[str, Branch] = {  # 8x8x1536
    "branch0": (Conv(256),),
    "branch1": (Conv(384), Fork(Conv(256, (1, 3)), Conv(256, (3, 1)))),
    "branch2": (Conv(384), Conv(448, (3, 1)), Conv(512, (1, 3)), Fork(Conv(256, (1, 3)), Conv(256, (3, 1)))),
    "branch3": ("avg", Conv(256)),
}


class InceptionV4(Module):
    """The stem and figure 9's modules.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes), H and W at least `smallest`

    Parameters
    ----------
    depths
        How many modules A, B and C.
    width
        Multiplies the channels of all convolutions.
    stem, smallest
        The layers in front of the modules, and the least height and width that this leaves a pixel everywhere.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        drop_rate: float = 0.0,
        depths: tuple[int, int, int] = (4, 7, 3),
        width: float = 1.0,
        stem: tuple[Row, ...] = STEM,
        smallest: int = 75,
    ) -> None:
        super().__init__()
        require_width("inception_v4", width)
        self.in_channels = in_channels
        self.smallest = smallest
        count_a, count_b, count_c = depths
        rows: list[Row] = [*stem, *[INCEPTION_A] * count_a, REDUCTION_A, *[INCEPTION_B] * count_b, REDUCTION_B, *[INCEPTION_C] * count_c]
        layers: list[Module] = []
        channels = in_channels
        for row in rows:
            if isinstance(row, dict):
                block = Branches(channels, row, width)
                layers.append(block)
                channels = block.out_channels
            else:
                layer, channels = build_step(channels, row, width)  # type: ignore[arg-type]
                layers.append(layer)
        self.features = Sequential(*layers)
        self.global_pool = AdaptiveAvgPool2d((1, 1))
        self.head_drop = Dropout(drop_rate)
        self.last_linear = Linear(channels, num_classes)

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_images("inception_v4", input, self.in_channels, self.smallest, "reduction B")
        return self.last_linear(self.head_drop(self.global_pool(self.features(input)).flatten(1)))


@builder(image_size=299)
def inception_v4(num_classes: int = 1000, in_channels: int = 3, *, drop_rate: float = 0.0, width: float = 1.0) -> InceptionV4:
    """Inception v4; 42,679,816 parameters.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    drop_rate
        Probability of dropping an input of the last layer.
    width
        Multiplies the channels of all convolutions.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Notes
    -----
    Keys and answers are timm's, for 299x299 images or any from 75x75 on. Its weights expect images from -1 to 1.

    Examples
    --------
    >>> from tinycnn import nn
    >>> sum(parameter.numel() for parameter in nn.utils.skip_init(inception_v4).parameters())
    42679816
    """
    return InceptionV4(num_classes, in_channels, drop_rate=drop_rate, width=width)


@builder(image_size=32)
def inception_v4_cifar(
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    drop_rate: float = 0.0,
    depths: tuple[int, int, int] = (2, 3, 1),
    width: float = 0.25,
) -> InceptionV4:
    """Inception v4 for 32x32 images: six modules, a quarter as wide, on grids of 15, 7 and 3; 66 M multiply-adds an image.

    Parameters
    ----------
    num_classes, in_channels, drop_rate, width
        As in `inception_v4`.
    depths
        How many modules A, B and C.

    Notes
    -----
    Weights start by He's rule, which suits any width.

    Examples
    --------
    >>> import numpy as np
    >>> inception_v4_cifar(depths=(1, 1, 1), width=0.0625).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    model = InceptionV4(num_classes, in_channels, drop_rate=drop_rate, depths=depths, width=width, stem=STEM_CIFAR, smallest=15)
    for module in model.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model
