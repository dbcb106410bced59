"""What the Inception networks share: convolutions written as in the papers' tables, and branches side by side on one input.

A branch is a tuple of steps. A step is a `Conv`, a `Fork` of two of them, or the name of a pooling:

    (Conv(64), Conv(96, 3), Conv(96, 3, 2, valid=True))     1x1 to 64 maps, 3x3 to 96, 3x3 to 96 with stride 2, the last one not padded
    ("avg", Conv(32))                                       3x3 averages, then 1x1 to 32 maps

References
----------
Szegedy et al. 2015, "Going deeper with convolutions", figure 2: the module; Szegedy et al. 2016, "Rethinking the Inception architecture for
computer vision", figures 5 to 7: factorised and forked branches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .. import functional
from ..errors import ArgumentError
from ..nn import AvgPool2d, BatchNorm2d, Conv2d, MaxPool2d, Module, Sequential
from ..tensor import Tensor
from .sizes import scaled

__all__: list[str] = []

# How images are normalised for most networks, and for those whose weights come from Google: (x - mean) / std, x from 0 to 1.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
INCEPTION_MEAN, INCEPTION_STD = 0.5, 0.5

POOLINGS: dict[str, Callable[[], Module]] = {
    "max": lambda: MaxPool2d(3, stride=1, padding=1),
    "max/2": lambda: MaxPool2d(3, stride=2),
    "max/2 padded": lambda: MaxPool2d(3, stride=2, padding=1),
    "max/2 ceil": lambda: MaxPool2d(3, stride=2, ceil_mode=True),
    "max 2x2": lambda: MaxPool2d(2, stride=2, ceil_mode=True),
    "avg": lambda: AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
    "avg with border": lambda: AvgPool2d(3, stride=1, padding=1),  # the border's zeros are counted
}


class Conv(NamedTuple):
    """One cell of a paper's table: how many maps, kernel, stride, and whether it is the figures' "V": not padded."""

    out_channels: int
    kernel: int | tuple[int, int] = 1
    stride: int = 1
    valid: bool = False


class Fork(NamedTuple):
    """Two convolutions on the same maps, their outputs joined: the expanded filter banks of the coarsest grids."""

    first: Conv
    second: Conv


Step = Conv | Fork | str
Branch = tuple[Step, ...]


def conv_bn_relu(in_channels: int, row: Conv, width: float = 1.0) -> Sequential:
    """A convolution without bias, batch normalisation with eps 0.001 and ReLU, the last two in one pass.

    Examples
    --------
    >>> list(conv_bn_relu(3, Conv(8, 3)).state_dict())[:2]
    ['conv.weight', 'bn.weight']
    """
    kernel = (row.kernel, row.kernel) if isinstance(row.kernel, int) else row.kernel
    padding = (0, 0) if row.valid else (kernel[0] // 2, kernel[1] // 2)
    channels = scaled(row.out_channels, width)
    convolution = Conv2d(in_channels, channels, kernel, row.stride, padding, bias=False)
    return Sequential({"conv": convolution, "bn": BatchNorm2d(channels, eps=0.001, activation="relu")})


def build_step(in_channels: int, step: Conv | str, width: float = 1.0) -> tuple[Module, int]:
    """The layer of a step that is no fork, and the channels of its output."""
    if isinstance(step, str):
        return POOLINGS[step](), in_channels
    return conv_bn_relu(in_channels, step, width), scaled(step.out_channels, width)


class Branches(Module):
    """Branches side by side on one input, their outputs joined along the channels: the Inception module.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H', W'); every branch gives the same H' and W'.

    Parameters
    ----------
    in_channels : int
        Of the input.
    branches : mapping of str to steps
        Each branch under the name of its child; the outputs are joined in this order.
    width : float
        Multiplies the channels of every convolution.
    numbered_from : int, optional
        Makes every convolution a child of its own, called `name_1`, `name_2`, .., and `name` where there is only one. Left out, a branch is
        one child, a Sequential where it has several steps; one that forks is numbered from 0.

    Examples
    --------
    >>> block = Branches(16, {"one": (Conv(4),), "three": (Conv(4), Conv(8, 3)), "pool": ("max",)})
    >>> block.out_channels, [name for name, _ in block.named_children()]
    (28, ['one', 'three', 'pool'])
    """

    def __init__(self, in_channels: int, branches: Mapping[str, Branch], width: float = 1.0, *, numbered_from: int | None = None) -> None:
        super().__init__()
        self._paths: list[list[tuple[str, ...]]] = []  # the children of each branch, stage by stage
        self.out_channels = 0
        for name, steps in branches.items():
            if numbered_from is None and not any(isinstance(step, Fork) for step in steps):
                self.out_channels += self._nested(name, in_channels, steps, width)
            else:
                self.out_channels += self._numbered(name, in_channels, steps, width, numbered_from or 0)

    def _nested(self, name: str, channels: int, steps: Branch, width: float) -> int:
        layers = []
        for step in steps:
            layer, channels = build_step(channels, step, width)  # type: ignore[arg-type]
            layers.append(layer)
        self.add_module(name, layers[0] if len(layers) == 1 else Sequential(*layers))
        self._paths.append([(name,)])
        return channels

    def _numbered(self, name: str, channels: int, steps: Branch, width: float, number: int) -> int:
        path: list[tuple[str, ...]] = []
        single = sum(not isinstance(step, str) for step in steps) == 1
        for step in steps:
            if isinstance(step, str):
                children: dict[str, Conv | str] = {f"{name}_{step.split()[0].split('/')[0]}": step}
            elif isinstance(step, Fork):
                children = {f"{name}_{number}a": step.first, f"{name}_{number}b": step.second}
            else:
                children = {name if single else f"{name}_{number}": step}
            number += not isinstance(step, str)
            found = 0
            for child, part in children.items():
                layer, made = build_step(channels, part, width)
                self.add_module(child, layer)
                found += made
            channels = found
            path.append(tuple(children))
        self._paths.append(path)
        return channels

    def forward(self, input: Any) -> Tensor:
        """The outputs of all branches behind each other."""
        outputs: list[Tensor] = []
        for path in self._paths:
            parts = [input]
            for stage in path:
                joined = parts[0] if len(parts) == 1 else functional.cat(parts, 1)
                parts = [getattr(self, name)(joined) for name in stage]
            outputs.extend(parts)
        return functional.cat(outputs, 1)


def to_inception_range(images: Tensor) -> Tensor:
    """Images normalised with ImageNet's mean and standard deviation, renormalised as Google's weights expect them: x from -1 to 1.

    Formula
    -------
    y[c] = (x[c] std[c] + mean[c] - 0.5) / 0.5
    """
    shape = (1, 3, 1, 1)
    scale = (np.array(IMAGENET_STD) / INCEPTION_STD).reshape(shape)
    shift = ((np.array(IMAGENET_MEAN) - INCEPTION_MEAN) / INCEPTION_STD).reshape(shape)
    return images * Tensor(scale.astype(images.dtype)) + Tensor(shift.astype(images.dtype))


def require_rgb(network: str, transform_input: bool, in_channels: int) -> None:
    """ImageNet's mean and standard deviation are those of three channels."""
    if transform_input and in_channels != 3:
        raise ArgumentError(
            f"{network}: transform_input=True renormalises red, green and blue, but in_channels={in_channels}; set transform_input=False"
        )
