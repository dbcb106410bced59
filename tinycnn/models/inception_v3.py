"""Inception v3: 5x5 convolutions factorised into 3x3 ones, 7x7 into 1x7 and 7x1, and grids halved by convolution and pooling side by side.

References
----------
Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", table 1: the layers; figures 5, 6, 7 and 10: the modules A, C, E
and the reductions B and D; section 4 the side branch.

Differs from the paper:
  - Layers and names are those of Google's published net, as torchvision ports it. Table 1 makes the 80 maps by a 3x3 convolution and halves
    the last grid of the stem by another, where here are a 1x1 one and a pooling; its reductions count as modules: "5x" figure 6 are B and 4 C here.
  - The side branch's weight in the loss, 0.4, is TF-Slim's; the paper names none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import functional
from ..errors import ShapeError
from ..nn import AdaptiveAvgPool2d, Conv2d, Dropout, Linear, Module, init
from ..tensor import Tensor
from .inception_blocks import (
    Branch,
    Branches,
    Conv,
    Fork,
    Step,
    build_step,
    conv_bn_relu,
    require_rgb,
    to_inception_range,
)
from .registry import builder
from .sizes import require_images, require_width, scaled

__all__ = ["Inception3", "InceptionOutputs", "inception_v3", "inception_v3_cifar"]


# Sizes are for 299x299: 149 -> 147 -> 147 -> 73 -> 73 -> 71 -> 35.
STEM: tuple[tuple[str, Step], ...] = (
    ("Conv2d_1a_3x3", Conv(32, 3, 2, valid=True)),
    ("Conv2d_2a_3x3", Conv(32, 3, valid=True)),
    ("Conv2d_2b_3x3", Conv(64, 3)),
    ("maxpool1", "max/2"),
    ("Conv2d_3b_1x1", Conv(80)),
    ("Conv2d_4a_3x3", Conv(192, 3, valid=True)),
    ("maxpool2", "max/2"),
)
# For 32x32 images: 32 -> 32 -> 32 -> 15 -> 15 -> 15.
STEM_CIFAR: tuple[tuple[str, Step], ...] = (
    ("Conv2d_1a_3x3", Conv(32, 3)),
    ("Conv2d_2a_3x3", Conv(32, 3)),
    ("Conv2d_2b_3x3", Conv(64, 3)),
    ("maxpool1", "max/2"),
    ("Conv2d_3b_1x1", Conv(80)),
    ("Conv2d_4a_3x3", Conv(192, 3)),
)


def module_a(pool_features: int) -> dict[str, Branch]:
    """Figure 5: two 3x3 convolutions see what a 5x5 does. One branch has kept its 5x5."""
    return {
        "branch1x1": (Conv(64),),
        "branch5x5": (Conv(48), Conv(64, 5)),
        "branch3x3dbl": (Conv(64), Conv(96, 3), Conv(96, 3)),
        "branch_pool": ("avg with border", Conv(pool_features)),
    }


def module_c(maps: int) -> dict[str, Branch]:
    """Figure 6: 7x7 convolutions as 1x7 and 7x1."""
    return {
        "branch1x1": (Conv(192),),
        "branch7x7": (Conv(maps), Conv(maps, (1, 7)), Conv(192, (7, 1))),
        "branch7x7dbl": (Conv(maps), Conv(maps, (7, 1)), Conv(maps, (1, 7)), Conv(maps, (7, 1)), Conv(192, (1, 7))),
        "branch_pool": ("avg with border", Conv(192)),
    }


# Figure 10: grids halved without a bottleneck, by convolution and pooling side by side.
MODULE_B: dict[str, Branch] = {
    "branch3x3": (Conv(384, 3, 2, valid=True),),
    "branch3x3dbl": (Conv(64), Conv(96, 3), Conv(96, 3, 2, valid=True)),
    "branch_pool": ("max/2",),
}
MODULE_D: dict[str, Branch] = {
    "branch3x3": (Conv(192), Conv(320, 3, 2, valid=True)),
    "branch7x7x3": (Conv(192), Conv(192, (1, 7)), Conv(192, (7, 1)), Conv(192, 3, 2, valid=True)),
    "branch_pool": ("max/2",),
}
# Figure 7: expanded filter banks on the coarsest grid.
EXPANDED = Fork(Conv(384, (1, 3)), Conv(384, (3, 1)))
MODULE_E: dict[str, Branch] = {
    "branch1x1": (Conv(320),),
    "branch3x3": (Conv(384), EXPANDED),
    "branch3x3dbl": (Conv(448), Conv(384, 3), EXPANDED),
    "branch_pool": ("avg with border", Conv(192)),
}

# 35 -> 17 -> 8 for 299x299 images.
MODULES: tuple[tuple[str, dict[str, Branch]], ...] = (
    ("Mixed_5b", module_a(32)),
    ("Mixed_5c", module_a(64)),
    ("Mixed_5d", module_a(64)),
    ("Mixed_6a", MODULE_B),
    ("Mixed_6b", module_c(128)),
    ("Mixed_6c", module_c(160)),
    ("Mixed_6d", module_c(160)),
    ("Mixed_6e", module_c(192)),
    ("Mixed_7a", MODULE_D),
    ("Mixed_7b", MODULE_E),
    ("Mixed_7c", MODULE_E),
)
TAP = "Mixed_6e"  # the module behind which the side branch hangs
SMALLEST_WITH_SIDE_BRANCH = 299  # the side branch needs a grid of 17x17


class InceptionOutputs(NamedTuple):
    """What Inception v3 gives in training mode: its logits, and those of the side branch."""

    logits: Tensor
    aux_logits: Tensor | None


class InceptionAux(Module):
    """The side branch: a small classifier, with batch normalisation, on the last maps of the 17x17 grid.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes), H and W at least 17
    """

    def __init__(self, in_channels: int, num_classes: int, width: float = 1.0) -> None:
        super().__init__()
        maps = scaled(128, width)
        self.conv0 = conv_bn_relu(in_channels, Conv(128), width)
        self.conv1 = conv_bn_relu(maps, Conv(768, 5, valid=True), width)
        self.fc = Linear(scaled(768, width), num_classes)

    def forward(self, input: Tensor) -> Any:
        """This branch's logits."""
        x = self.conv1(self.conv0(functional.avg_pool2d(input, 5, stride=3)))
        return self.fc(functional.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


class Inception3(Module):
    """Eleven Inception modules, and in training a side branch.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes); in training mode with the side branch twice that, as `InceptionOutputs`

    Parameters
    ----------
    stem, smallest
        The layers in front of the modules, and the least height and width that this leaves a pixel everywhere.
    width
        Multiplies the channels of all convolutions.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        *,
        aux_logits: bool = True,
        transform_input: bool = False,
        dropout: float = 0.5,
        width: float = 1.0,
        stem: tuple[tuple[str, Step], ...] = STEM,
        smallest: int = 75,
    ) -> None:
        super().__init__()
        require_rgb("inception_v3", transform_input, in_channels)
        require_width("inception_v3", width)
        self.in_channels = in_channels
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.smallest = smallest
        self._order = [name for name, _ in (*stem, *MODULES)]
        channels = in_channels
        for name, step in stem:
            layer, channels = build_step(channels, step, width)  # type: ignore[arg-type]
            self.add_module(name, layer)
        for name, branches in MODULES:
            block = Branches(channels, branches, width, numbered_from=1)
            channels = block.out_channels
            self.add_module(name, block)
            if name == TAP and aux_logits:
                self.AuxLogits = InceptionAux(channels, num_classes, width)
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.dropout = Dropout(dropout)
        self.fc = Linear(channels, num_classes)
        self._start()

    def _start(self) -> None:
        """Weights normal with standard deviation 0.1, and 0.001 in the side branch's last layer, as in torchvision."""
        for name, module in self.named_modules():
            if isinstance(module, Conv2d | Linear):
                init.normal_(module.weight, 0.0, 0.001 if name == "AuxLogits.fc" else 0.1)

    def forward(self, input: Tensor) -> Any:
        """Logits of the classes, one row an image; with the side branch's in training mode."""
        require_images("inception_v3", input, self.in_channels, self.smallest, "Mixed_7a")
        with_side = self.training and self.aux_logits
        if with_side and min(input.shape[2:]) < SMALLEST_WITH_SIDE_BRANCH:
            raise ShapeError(
                f"inception_v3: the side branch needs images of at least {SMALLEST_WITH_SIDE_BRANCH}x{SMALLEST_WITH_SIDE_BRANCH}, "
                f"got {input.shape[2]}x{input.shape[3]}; resize them, or build the net with aux_logits=False"
            )
        x: Any = to_inception_range(input) if self.transform_input else input
        side = None
        for name in self._order:
            x = getattr(self, name)(x)
            if with_side and name == TAP:
                side = self.AuxLogits(x)
        logits = self.fc(self.dropout(self.avgpool(x)).flatten(1))
        return InceptionOutputs(logits, side) if with_side else logits

    def _current_keys(self, state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
        """Published files hold the side branch; a net built without it passes over its numbers."""
        if self.aux_logits:
            return state_dict
        return {key: value for key, value in state_dict.items() if not key.startswith("AuxLogits.")}


@builder(image_size=299)
def inception_v3(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    aux_logits: bool = True,
    transform_input: bool = False,
    dropout: float = 0.5,
    width: float = 1.0,
) -> Inception3:
    """Inception v3; 27,161,264 parameters, and 23,834,568 without the side branch.

    Parameters
    ----------
    num_classes
        Length of the output row.
    in_channels
        3 for colour, 1 for grey images.
    aux_logits
        Whether the net has its side branch, which runs in training mode only. Files that hold it load in either case.
    transform_input
        Whether images come normalised with ImageNet's mean and standard deviation, while the weights expect -1 to 1: so with torchvision's.
    dropout
        Probability of dropping an input of the last layer.
    width
        Multiplies the channels of all convolutions.

    Raises
    ------
    ArgumentError
        For a width that is not above 0, or transform_input without three channels.

    Notes
    -----
    For 299x299 images, or any from 75x75 on in evaluation mode. In training mode the output is an `InceptionOutputs`, whose side branch
    `tinycnn.train.with_side_branches(criterion, 0.4)` weighs.

    Examples
    --------
    >>> from tinycnn import nn
    >>> model = nn.utils.skip_init(inception_v3, aux_logits=False)
    >>> sum(parameter.numel() for parameter in model.parameters())
    23834568
    """
    return Inception3(num_classes, in_channels, aux_logits=aux_logits, transform_input=transform_input, dropout=dropout, width=width)


@builder(image_size=32)
def inception_v3_cifar(num_classes: int = 10, in_channels: int = 3, *, dropout: float = 0.2, width: float = 0.3125) -> Inception3:
    """Inception v3 for 32x32 images: 5/16 as wide, its modules on grids of 15, 7 and 3; 78 M multiply-adds an image.

    Parameters
    ----------
    num_classes, in_channels, dropout, width
        As in `inception_v3`.

    Notes
    -----
    It has no side branch, whose 5x5 convolution does not fit on the 7x7 grid. Weights start by He's rule, which suits any width.

    Examples
    --------
    >>> import numpy as np
    >>> inception_v3_cifar(width=0.0625).eval()(np.zeros((1, 3, 32, 32), np.float32)).shape
    (1, 10)
    """
    model = Inception3(num_classes, in_channels, aux_logits=False, dropout=dropout, width=width, stem=STEM_CIFAR, smallest=15)
    for module in model.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    init.normal_(model.fc.weight, 0.0, 0.01)
    return model
