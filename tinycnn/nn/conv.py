"""Convolution layers."""

import math
from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ArgumentError
from ..functional._arguments import pair, whole
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Conv2d"]


class Conv2d(Module):
    """Slide `out_channels` trained filters over an image; see `tinycnn.functional.conv2d`.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H_out, W_out), H_out = floor((H + top + bottom - d (K_h - 1) - 1) /
    s) + 1

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and number of filters.
    kernel_size : int or (height, width)
        Size of the filters in pixels.
    stride, padding, dilation, groups, padding_mode
        As in `conv2d`.
    bias : bool
        Whether each filter adds a trained number.
    activation : None or "relu"
        Applied to the result at the store.

    Notes
    -----
    `weight` starts uniform in +-1 / sqrt(fan_in), which is Kaiming's rule with a = sqrt(5), and `bias` likewise:
    PyTorch's default. The other rules are in `tinycnn.nn.init`.

    References
    ----------
    LeCun et al. 1998, "Gradient-based learning applied to document recognition", section II.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.Conv2d(1, 6, 5, padding=2)
    >>> layer, layer(np.zeros((2, 1, 28, 28), np.float32)).shape
    (Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2)), (2, 6, 28, 28))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | str | tuple[int, ...] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        activation: str | None = None,
    ) -> None:
        super().__init__()
        whole("Conv2d", "in_channels", in_channels, 1)
        whole("Conv2d", "out_channels", out_channels, 1)
        whole("Conv2d", "groups", groups, 1)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"Conv2d: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}; "
                f"{math.gcd(in_channels, out_channels)} is the most groups these allow"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride = pair("Conv2d", "stride", stride, 1)
        self.padding = (padding, padding) if isinstance(padding, int) else padding
        self.dilation = pair("Conv2d", "dilation", dilation, 1)
        self.groups = groups
        self.padding_mode = padding_mode
        self.activation = activation
        self.weight = Parameter(np.empty((out_channels, in_channels // groups, *self.kernel_size), np.float32))
        self.register_parameter("bias", Parameter(np.empty(out_channels, np.float32)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw weight and bias anew by the default rule."""
        init.default_(self.weight, self.bias, generator)

    def forward(self, input: Any) -> Tensor:
        """The filtered image."""
        return F.conv2d(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            padding_mode=self.padding_mode,
            activation=self.activation,
        )

    def extra_repr(self) -> str:
        """The options that differ from the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text if self.activation is None else f"{text}, activation={self.activation!r}"
