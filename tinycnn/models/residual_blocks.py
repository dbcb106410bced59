"""Shortcuts around any block, blocks repeated with the same weights, and a gallery of the residual blocks that papers have published.

References
----------
He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016; section 3.2 (identity and projection shortcuts).
Liao, Poggio: Bridging the gaps between residual learning, recurrent neural networks and visual cortex, 2016; section 3 (shared weights).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import functional
from ..errors import ArgumentError, ShapeError
from ..nn import BatchNorm2d, Conv2d, Module, ModuleList, ReLU6, Sequential
from ..tensor import Tensor
from .cbam import CBAM
from .darknet import DarkBlock
from .densenet import DenseBlock
from .preactivation_resnet import PreactivationBlock
from .resnet import BasicBlock, Bottleneck, conv1x1
from .senet import squeeze_excitation
from .xception import XceptionBlock

__all__ = ["GALLERY", "PublishedBlock", "Repeat", "Residual"]


class Residual(Module):
    """A shortcut around any block.

    Shapes
    ------
    input of the block -> output of the block

    Formula
    -------
    y = block(x) + shortcut(x), or relu of it; the shortcut is x itself if there is none

    Parameters
    ----------
    block : Module
        Whatever the shortcut goes around.
    shortcut : Module, optional
        For a block that changes the shape: a projection or a `SubsampledShortcut`.
    activation : None or "relu"
        Applied to the sum.

    Raises
    ------
    ShapeError
        If the two have different shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> x = np.array([[1.0, -2.0]], np.float32)
    >>> Residual(nn.ReLU())(x).numpy(), Residual(nn.ReLU(), activation="relu")(x).numpy()
    (array([[ 2., -2.]], dtype=float32), array([[2., 0.]], dtype=float32))
    """

    def __init__(self, block: Module, shortcut: Module | None = None, *, activation: str | None = None) -> None:
        super().__init__()
        if activation not in (None, "relu"):
            raise ArgumentError(f'Residual: activation must be None or "relu", got {activation!r}')
        self.block = block
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, input: Any) -> Tensor:
        """The sum."""
        x = input if isinstance(input, Tensor) else Tensor(input)
        branch = self.block(x)
        identity = x if self.shortcut is None else self.shortcut(x)
        if branch.shape != identity.shape:
            kind = "the input" if self.shortcut is None else "the shortcut"
            raise ShapeError(
                f"Residual: the block gives {tuple(branch.shape)}, {kind} has {tuple(identity.shape)}; "
                "pass shortcut=nn.Conv2d(..., 1, stride) or SubsampledShortcut(...) that gives the block's shape"
            )
        total = branch + identity
        return functional.relu(total) if self.activation == "relu" else total


class Repeat(Module):
    """A block n times over: with the same weights, which makes a recurrent network of it, or with weights of its own each time.

    Shapes
    ------
    input of the block -> the same shape

    Formula
    -------
    y = block(block(... block(x))), n times

    Parameters
    ----------
    block : Module
        Its output must have its input's shape.
    n : int
        How often.
    share : bool
        True keeps one set of parameters and of running statistics; False makes n copies, each drawn anew.

    Raises
    ------
    ArgumentError
        For n below 1.

    Notes
    -----
    Liao and Poggio keep the statistics of batch normalisation apart for each repetition; here they are shared with everything else.

    Examples
    --------
    >>> from tinycnn import nn
    >>> [sum(p.numel() for p in Repeat(nn.Conv2d(8, 8, 3, padding=1), 5, share).parameters()) for share in (True, False)]
    [584, 2920]
    """

    def __init__(self, block: Module, n: int, share: bool = True) -> None:
        super().__init__()
        if n < 1:
            raise ArgumentError(f"Repeat: n must be at least 1, got {n!r}")
        self.n = n
        self.share = share
        copies = [block] if share else [block, *(copy.deepcopy(block) for _ in range(n - 1))]
        for one in copies[1:]:
            for module in one.modules():
                if hasattr(module, "reset_parameters"):
                    module.reset_parameters()
        self.blocks = ModuleList(copies)

    def forward(self, input: Any) -> Any:
        """The last repetition's output."""
        for position in range(self.n):
            input = self.blocks[0 if self.share else position](input)
        return input

    def extra_repr(self) -> str:
        """How often, and whether with the same weights."""
        return f"n={self.n}, share={self.share}"


def _inverted(channels: int) -> Module:
    """MobileNet v2: wide inside, narrow outside, and linear at the end."""
    wide = 6 * channels
    branch = Sequential(
        conv1x1(channels, wide),
        BatchNorm2d(wide),
        ReLU6(),
        Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False),
        BatchNorm2d(wide),
        ReLU6(),
        conv1x1(wide, channels),
        BatchNorm2d(channels),
    )
    return Residual(branch)


class PublishedBlock(NamedTuple):
    """One row of the gallery."""

    paper: str
    idea: str
    make: Callable[[int], Module]  # from the number of channels, which the block keeps; a dense block adds a quarter


def _preactivation(channels: int) -> Module:
    return PreactivationBlock(channels, channels)


def _wide(channels: int) -> Module:
    return PreactivationBlock(channels, channels, 1, "B", 0.3)


def _resnext(channels: int) -> Module:
    return Bottleneck(channels, channels // 4, groups=32, base_width=4)


# By name; the number of channels is a multiple of 64.
GALLERY: dict[str, PublishedBlock] = {
    "basic": PublishedBlock("He 2016, figure 5 left", "two 3x3 convolutions, ReLU after the sum", lambda c: BasicBlock(c, c)),
    "bottleneck": PublishedBlock("He 2016, figure 5 right", "1x1 to a quarter, 3x3, 1x1 back", lambda c: Bottleneck(c, c // 4)),
    "preactivation": PublishedBlock("He 2016b, figure 4e", "norm and ReLU before each convolution, nothing after the sum", _preactivation),
    "wide": PublishedBlock("Zagoruyko 2016, figure 1d", "pre-activation with dropout between the convolutions", _wide),
    "resnext": PublishedBlock("Xie 2017, figure 3c", "1x1 to half, 3x3 in 32 groups, 1x1 back", _resnext),
    "xception": PublishedBlock("Chollet 2017, figure 5", "three separable convolutions, ReLU before each", lambda c: XceptionBlock(c, (c, c, c))),
    "dense": PublishedBlock("Huang 2017, figure 1", "joins channels instead of adding them", lambda c: DenseBlock(1, c, c // 4)),
    "inverted": PublishedBlock("Sandler 2018, figure 3b", "1x1 to six times the channels, depthwise 3x3, linear 1x1 back", _inverted),
    "squeeze_excitation": PublishedBlock(
        "Hu 2018, figure 3", "weighs the branch channel by channel", lambda c: BasicBlock(c, c, attention=squeeze_excitation(c))
    ),
    "cbam": PublishedBlock("Woo 2018, figure 3", "weighs the branch by channel and by pixel", lambda c: BasicBlock(c, c, attention=CBAM(c))),
    "darknet": PublishedBlock("Redmon 2018, table 1", "1x1 to half, 3x3 back, leaky ReLU before the sum", lambda c: DarkBlock(c)),
}
