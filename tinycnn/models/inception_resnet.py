"""Inception-ResNet v1 and v2: Inception modules whose output is added to their input.

References
----------
Szegedy, Ioffe, Vanhoucke and Alemi 2017, "Inception-v4, Inception-ResNet and the impact of residual connections on learning" (arXiv 1602.07261),
figure 15: both nets; figure 14 and 10 to 13: v1's stem and modules; figures 3 and 16 to 19: v2's; table 1: reduction A; section 3.3: the
scaling of residuals.

Differs from the paper:
  - `inception_resnet_v1` is the paper's, from its figures; neither torchvision nor timm has it.
  - `inception_resnet_v2` is Google's published net under timm's names: it begins like Inception v3 with a module (mixed_5b) behind, rather than
    with figure 3's stem; has 10, 20 and 10 modules where figure 15 has 5, 10 and 5, the last one without scaling and ReLU; 320, 1088 and 2080
    maps where figures 16 to 19 have 384, 1154 and 2048 (1154 is a slip for 1152); and a last 1x1 convolution to 1536 maps.
  - Section 3.3 scales residuals by 0.1 to 0.3; 0.17, 0.10 and 0.20 on the three grids are Google's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import functional
from ..nn import AdaptiveAvgPool2d, Conv2d, Dropout, Linear, Module, Sequential, init
from ..tensor import Tensor
from .inception_blocks import Branch, Branches, Conv, Step, build_step
from .registry import builder
from .sizes import require_images, require_width

__all__ = ["InceptionResNet", "inception_resnet_v1", "inception_resnet_v2", "inception_resnet_v2_cifar"]

Stem = tuple[tuple[str, Step | dict[str, Branch]], ...]


class Architecture(NamedTuple):
    """One of the two nets: what stands in front, the modules of each grid and the reductions between them."""

    stem: Stem
    block35: dict[str, Branch]
    mixed_6a: dict[str, Branch]
    block17: dict[str, Branch]
    mixed_7a: dict[str, Branch]
    block8: dict[str, Branch]
    depths: tuple[int, int, int]
    last_block: bool  # one more module of the coarsest grid, without scaling and ReLU
    last_maps: int | None  # a 1x1 convolution behind it


SCALES = (0.17, 0.10, 0.20)

# Sizes are for 299x299: 149 -> 147 -> 147 -> 73 -> 73 -> 71 -> 35, in both nets.
COMMON_STEM: Stem = (
    ("conv2d_1a", Conv(32, 3, 2, valid=True)),
    ("conv2d_2a", Conv(32, 3, valid=True)),
    ("conv2d_2b", Conv(64, 3)),
    ("maxpool_3a", "max/2"),
    ("conv2d_3b", Conv(80)),
    ("conv2d_4a", Conv(192, 3, valid=True)),
)
MIXED_5B: dict[str, Branch] = {
    "branch0": (Conv(96),),
    "branch1": (Conv(48), Conv(64, 5)),
    "branch2": (Conv(64), Conv(96, 3), Conv(96, 3)),
    "branch3": ("avg", Conv(64)),
}

V1 = Architecture(
    stem=(*COMMON_STEM, ("conv2d_4b", Conv(256, 3, 2, valid=True))),  # 35x35x256
    block35={"branch0": (Conv(32),), "branch1": (Conv(32), Conv(32, 3)), "branch2": (Conv(32), Conv(32, 3), Conv(32, 3))},
    mixed_6a={  # to 17x17x896; k, l, m, n = 192, 192, 256, 384
        "branch0": (Conv(384, 3, 2, valid=True),),
        "branch1": (Conv(192), Conv(192, 3), Conv(256, 3, 2, valid=True)),
        "branch2": ("max/2",),
    },
    block17={"branch0": (Conv(128),), "branch1": (Conv(128), Conv(128, (1, 7)), Conv(128, (7, 1)))},
    mixed_7a={  # to 8x8x1792
        "branch0": (Conv(256), Conv(384, 3, 2, valid=True)),
        "branch1": (Conv(256), Conv(256, 3, 2, valid=True)),
        "branch2": (Conv(256), Conv(256, 3), Conv(256, 3, 2, valid=True)),
        "branch3": ("max/2",),
    },
    block8={"branch0": (Conv(192),), "branch1": (Conv(192), Conv(192, (1, 3)), Conv(192, (3, 1)))},
    depths=(5, 10, 5),
    last_block=False,
    last_maps=None,
)
V2 = Architecture(
    stem=(*COMMON_STEM, ("maxpool_5a", "max/2"), ("mixed_5b", MIXED_5B)),  # 35x35x320
    block35={"branch0": (Conv(32),), "branch1": (Conv(32), Conv(32, 3)), "branch2": (Conv(32), Conv(48, 3), Conv(64, 3))},
    mixed_6a={  # to 17x17x1088; k, l, m, n = 256, 256, 384, 384
        "branch0": (Conv(384, 3, 2, valid=True),),
        "branch1": (Conv(256), Conv(256, 3), Conv(384, 3, 2, valid=True)),
        "branch2": ("max/2",),
    },
    block17={"branch0": (Conv(192),), "branch1": (Conv(128), Conv(160, (1, 7)), Conv(192, (7, 1)))},
    mixed_7a={  # to 8x8x2080
        "branch0": (Conv(256), Conv(384, 3, 2, valid=True)),
        "branch1": (Conv(256), Conv(288, 3, 2, valid=True)),
        "branch2": (Conv(256), Conv(288, 3), Conv(320, 3, 2, valid=True)),
        "branch3": ("max/2",),
    },
    block8={"branch0": (Conv(192),), "branch1": (Conv(192), Conv(224, (1, 3)), Conv(256, (3, 1)))},
    depths=(10, 20, 9),
    last_block=True,
    last_maps=1536,
)
# For 32x32 images: 32 -> 32 -> 32 -> 15 -> 15 -> 15.
STEM_CIFAR: Stem = (
    ("conv2d_1a", Conv(32, 3)),
    ("conv2d_2a", Conv(32, 3)),
    ("conv2d_2b", Conv(64, 3)),
    ("maxpool_3a", "max/2"),
    ("conv2d_3b", Conv(80)),
    ("conv2d_4a", Conv(192, 3)),
    ("mixed_5b", MIXED_5B),
)


class ResidualBranches(Branches):
    """Branches, joined by a 1x1 convolution without activation, scaled and added to the input.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, in_channels, H, W)

    Formula
    -------
    y = ReLU(x + scale (W [branch_0(x), branch_1(x), ..] + b)); without `relu` the sum itself.

    Parameters
    ----------
    in_channels : int
        Of the input and the output.
    branches, width
        As in `Branches`.
    scale : float
        Small steps keep deep residual Inception nets from dying early in training, which warming up did not (section 3.3).
    relu : bool
        Whether the sum is rectified.

    Examples
    --------
    >>> block = ResidualBranches(16, {"branch0": (Conv(4),), "branch1": (Conv(4), Conv(4, 3))}, scale=0.17)
    >>> list(block.state_dict())[-2:], block.conv2d.weight.shape
    (['conv2d.weight', 'conv2d.bias'], (16, 8, 1, 1))
    """

    def __init__(self, in_channels: int, branches: Mapping[str, Branch], width: float = 1.0, *, scale: float = 1.0, relu: bool = True) -> None:
        super().__init__(in_channels, branches, width)
        self.scale = scale
        self.relu = relu
        self.conv2d = Conv2d(self.out_channels, in_channels, 1)
        self.out_channels = in_channels

    def forward(self, input: Any) -> Tensor:
        """The input and a scaled step away from it."""
        step = self.conv2d(super().forward(input))
        total = input + (step if self.scale == 1.0 else step * self.scale)
        return functional.relu(total) if self.relu else total


class InceptionResNet(Module):
    """Three grids of residual Inception modules with reductions between them.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes), H and W at least `smallest`

    Parameters
    ----------
    architecture
        V1 or V2.
    depths, width
        How many modules on each grid, the architecture's if left out; what multiplies the channels of all convolutions.
    stem, smallest
        The layers in front, the architecture's if left out, and the least height and width that they leave a pixel everywhere.
    """

    def __init__(
        self,
        architecture: Architecture,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        drop_rate: float = 0.0,
        depths: tuple[int, int, int] | None = None,
        width: float = 1.0,
        stem: Stem | None = None,
        smallest: int = 75,
    ) -> None:
        super().__init__()
        require_width("inception_resnet", width)
        self.in_channels = in_channels
        self.smallest = smallest
        self._order: list[str] = []
        net, counts = architecture, depths or architecture.depths
        channels = in_channels
        for name, row in stem or net.stem:
            channels = self._add(name, row, channels, width)
        self._repeat("repeat", net.block35, counts[0], SCALES[0], channels, width)
        channels = self._add("mixed_6a", net.mixed_6a, channels, width)
        self._repeat("repeat_1", net.block17, counts[1], SCALES[1], channels, width)
        channels = self._add("mixed_7a", net.mixed_7a, channels, width)
        self._repeat("repeat_2", net.block8, counts[2], SCALES[2], channels, width)
        if net.last_block:
            self.block8 = ResidualBranches(channels, net.block8, width, relu=False)
            self._order.append("block8")
        if net.last_maps is not None:
            channels = self._add("conv2d_7b", Conv(net.last_maps), channels, width)
        self.global_pool = AdaptiveAvgPool2d((1, 1))
        self.head_drop = Dropout(drop_rate)
        self.classif = Linear(channels, num_classes)

    def _add(self, name: str, row: Step | dict[str, Branch], channels: int, width: float) -> int:
        """One layer or module at the end; returns the channels it gives."""
        if isinstance(row, dict):
            block = Branches(channels, row, width)
            layer, channels = block, block.out_channels
        else:
            layer, channels = build_step(channels, row, width)  # type: ignore[arg-type, assignment]
        self.add_module(name, layer)
        self._order.append(name)
        return channels

    def _repeat(self, name: str, branches: dict[str, Branch], count: int, scale: float, channels: int, width: float) -> None:
        """Equal residual modules at the end."""
        self.add_module(name, Sequential(*(ResidualBranches(channels, branches, width, scale=scale) for _ in range(count))))
        self._order.append(name)

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image."""
        require_images("inception_resnet", input, self.in_channels, self.smallest, "mixed_7a")
        x: Any = input
        for name in self._order:
            x = getattr(self, name)(x)
        return self.classif(self.head_drop(self.global_pool(x).flatten(1)))


@builder(image_size=299)
def inception_resnet_v1(num_classes: int = 1000, in_channels: int = 3, *, drop_rate: float = 0.2, width: float = 1.0) -> InceptionResNet:
    """Inception-ResNet v1, the paper's; 22,756,328 parameters.

    Parameters
    ----------
    num_classes, in_channels, width
        As in `inception_resnet_v2`.
    drop_rate
        Probability of dropping an input of the last layer; the paper keeps 0.8 of them.

    Raises
    ------
    ArgumentError
        For a width that is not above 0.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.utils.skip_init(inception_resnet_v1).classif.weight.shape
    (1000, 1792)
    """
    return InceptionResNet(V1, num_classes, in_channels, drop_rate=drop_rate, width=width)


@builder(image_size=299)
def inception_resnet_v2(num_classes: int = 1000, in_channels: int = 3, *, drop_rate: float = 0.0, width: float = 1.0) -> InceptionResNet:
    """Inception-ResNet v2 as Google published it; 55,843,464 parameters.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    drop_rate
        Probability of dropping an input of the last layer; timm's default is 0, the paper's 0.2.
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
    >>> sum(parameter.numel() for parameter in nn.utils.skip_init(inception_resnet_v2).parameters())
    55843464
    """
    return InceptionResNet(V2, num_classes, in_channels, drop_rate=drop_rate, width=width)


@builder(image_size=32)
def inception_resnet_v2_cifar(
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    drop_rate: float = 0.0,
    depths: tuple[int, int, int] = (3, 5, 2),
    width: float = 0.3125,
) -> InceptionResNet:
    """Inception-ResNet v2 for 32x32 images: eleven modules, 5/16 as wide, on grids of 15, 7 and 3;
    89 M multiply-adds an image.

    Parameters
    ----------
    num_classes, in_channels, drop_rate, width
        As in `inception_resnet_v2`.
    depths
        How many modules on each grid; one more follows the last.

    Notes
    -----
    Weights start by He's rule, which suits any width; the 1x1 convolutions of the residual branches at PyTorch's default.

    Examples
    --------
    >>> import numpy as np
    >>> inception_resnet_v2_cifar(depths=(1, 1, 1), width=0.0625).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    model = InceptionResNet(V2, num_classes, in_channels, drop_rate=drop_rate, depths=depths, width=width, stem=STEM_CIFAR, smallest=15)
    for name, module in model.named_modules():
        if isinstance(module, Conv2d) and not name.endswith("conv2d"):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model
