"""Convolution layers, and transposed ones."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ArgumentError
from ..functional._arguments import whole
from ..functional._sliding import require_padding_options, steps
from ..functional._windows import numbers
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "SeparableConv2d"]

Size = int | tuple[int, ...]


class _Convolution(Module):
    """The options, weight and bias that all of them have; a subclass says over how many axes it slides, and which way its weight lies."""

    rank = 2
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size | str,
        dilation: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        output_padding: Size = 0,
        activation: str | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        whole(name, "in_channels", in_channels, 1)
        whole(name, "out_channels", out_channels, 1)
        whole(name, "groups", groups, 1)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{name}: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}; "
                f"{math.gcd(in_channels, out_channels)} is the most groups these allow"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = steps(name, "kernel_size", kernel_size, self.rank)
        self.stride = steps(name, "stride", stride, self.rank)
        self.padding = (padding,) * self.rank if isinstance(padding, int) else padding
        require_padding_options(name, padding, self.stride, padding_mode)
        self.dilation = steps(name, "dilation", dilation, self.rank)
        self.output_padding = numbers(name, "output_padding", output_padding, 0, self.rank)
        self.groups = groups
        self.padding_mode = padding_mode
        self.activation = activation
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(np.empty((*channels, *self.kernel_size), np.float32))
        self.register_parameter("bias", Parameter(np.empty(out_channels, np.float32)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw weight and bias anew by the default rule."""
        init.default_(self.weight, self.bias, generator)

    def extra_repr(self) -> str:
        """The options that differ from the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * self.rank:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.rank:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.rank:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text if self.activation is None else f"{text}, activation={self.activation!r}"


class _Forward(_Convolution):
    """A convolution's constructor and forward, whatever its rank."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        activation: str | None = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, activation=activation
        )

    def forward(self, input: Any, *, residual: Any = None) -> Tensor:
        """The filtered input; a `residual` of its shape is added before the activation."""
        convolve: Callable[..., Tensor] = (F.conv1d, F.conv2d, F.conv3d)[self.rank - 1]
        return convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            padding_mode=self.padding_mode,
            activation=self.activation,
            residual=residual,
        )


class Conv1d(_Forward):
    """Slide `out_channels` trained filters along a sequence; see `tinycnn.functional.conv1d`.

    Shapes
    ------
    (N, in_channels, L) -> (N, out_channels, L_out), L_out = floor((L + before + after - d (K - 1) - 1) / s) + 1

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and number of filters.
    kernel_size : int
        Size of the filters in elements.
    stride, padding, dilation, groups, padding_mode
        As in `conv1d`.
    bias : bool
        Whether each filter adds a trained number.
    activation : None, "relu", "relu6", "silu" or "hardswish"
        Applied to the result ("relu" at the store); `layer(x, residual=r)` adds r before.

    Notes
    -----
    Weight and bias start as those of `Conv2d`.

    References
    ----------
    Kim 2014, "Convolutional neural networks for sentence classification", section 2.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.Conv1d(8, 4, 3)
    >>> layer, layer(np.zeros((2, 8, 10), np.float32)).shape
    (Conv1d(8, 4, kernel_size=(3,), stride=(1,)), (2, 4, 8))
    """

    rank = 1


class Conv2d(_Forward):
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
    activation : None, "relu", "relu6", "silu" or "hardswish"
        Applied to the result ("relu" at the store); `layer(x, residual=r)` adds r before.

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

    rank = 2


class Conv3d(_Forward):
    """Slide `out_channels` trained filters through a volume; see `tinycnn.functional.conv3d`.

    Shapes
    ------
    (N, in_channels, D, H, W) -> (N, out_channels, D_out, H_out, W_out), each size as in `Conv2d`

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and number of filters.
    kernel_size : int or (depth, height, width)
        Size of the filters in voxels.
    stride, padding, dilation, groups, padding_mode
        As in `conv3d`.
    bias : bool
        Whether each filter adds a trained number.
    activation : None, "relu", "relu6", "silu" or "hardswish"
        Applied to the result ("relu" at the store); `layer(x, residual=r)` adds r before.

    Notes
    -----
    Weight and bias start as those of `Conv2d`.

    References
    ----------
    Tran et al. 2015, "Learning spatiotemporal features with 3D convolutional networks", section 3.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.Conv3d(1, 2, (1, 3, 3), padding=(0, 1, 1))(np.zeros((1, 1, 4, 6, 6), np.float32)).shape
    (1, 2, 4, 6, 6)
    """

    rank = 3


class _Transposed(_Convolution):
    """A transposed convolution's constructor and forward, whatever its rank."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
    ) -> None:
        if isinstance(padding, str):
            raise ArgumentError(f"{type(self).__name__}: padding {padding!r} names no crop; give whole numbers")
        if padding_mode != "zeros":
            raise ArgumentError(f'{type(self).__name__}: padding_mode {padding_mode!r} is not "zeros", the only one that a crop can undo')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, output_padding
        )

    def forward(self, input: Any, output_size: Any = None) -> Tensor:
        """The painted result; `output_size` overrules the layer's output_padding."""
        convolve: Callable[..., Tensor] = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.rank - 1]
        return convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding if output_size is None else 0,
            self.groups,
            self.dilation,
            output_size=output_size,
        )


class ConvTranspose1d(_Transposed):
    """Paint trained kernels at every element of a sequence; see `tinycnn.functional.conv_transpose1d`.

    Shapes
    ------
    (N, in_channels, L) -> (N, out_channels, L_out), L_out = (L - 1) s - 2 p + d (K - 1) + output_padding + 1

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the result.
    kernel_size, stride, padding, output_padding, groups, dilation
        As in `conv_transpose1d`.
    bias : bool
        Whether each output channel adds a trained number.

    Notes
    -----
    `weight` is (in_channels, out_channels / groups, K) and starts uniform in +-1 / sqrt(K out_channels / groups), as PyTorch's does.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.ConvTranspose1d(8, 4, 2, stride=2)(np.zeros((2, 8, 10), np.float32)).shape
    (2, 4, 20)
    """

    rank = 1


class ConvTranspose2d(_Transposed):
    """Paint trained kernels at every pixel of an image: an upsampling that is trained; see `tinycnn.functional.conv_transpose2d`.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H_out, W_out), H_out = (H - 1) s - 2 p + d (K - 1) + output_padding + 1

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the result.
    kernel_size, stride, padding, output_padding, groups, dilation
        As in `conv_transpose2d`.
    bias : bool
        Whether each output channel adds a trained number.

    Notes
    -----
    `weight` is (in_channels, out_channels / groups, K_h, K_w) and starts uniform in +-1 / sqrt(K_h K_w out_channels / groups), as PyTorch's
    does; calling the layer with `output_size=` chooses among the sizes that one stride allows.

    References
    ----------
    Long, Shelhamer and Darrell 2015, "Fully convolutional networks for semantic segmentation", section 3.3.

    Examples
    --------
    >>> from tinycnn import nn
    >>> down, up = nn.Conv2d(1, 1, 3, stride=2, padding=1), nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    >>> image = np.zeros((1, 1, 12, 11), np.float32)
    >>> down(image).shape, up(down(image)).shape, up(down(image), output_size=image.shape).shape
    ((1, 1, 6, 6), (1, 1, 11, 11), (1, 1, 12, 11))
    """

    rank = 2


class ConvTranspose3d(_Transposed):
    """Paint trained kernels at every voxel of a volume; see `tinycnn.functional.conv_transpose3d`.

    Shapes
    ------
    (N, in_channels, D, H, W) -> (N, out_channels, D_out, H_out, W_out), each size as in `ConvTranspose2d`

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the result.
    kernel_size, stride, padding, output_padding, groups, dilation
        As in `conv_transpose3d`.
    bias : bool
        Whether each output channel adds a trained number.

    Notes
    -----
    `weight` is (in_channels, out_channels / groups, K_d, K_h, K_w) and starts as that of `ConvTranspose2d`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.ConvTranspose3d(2, 1, 2, stride=2)(np.zeros((1, 2, 3, 4, 4), np.float32)).shape
    (1, 1, 6, 8, 8)
    """

    rank = 3


class SeparableConv2d(Module):
    """Filter every channel on its own, then mix the channels with a 1x1 convolution: a depthwise separable convolution.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, out_channels, H_out, W_out), the sizes of `Conv2d`

    Formula
    -------
    y = pointwise(depthwise(x)): K_h K_w in_channels depth_multiplier + in_channels depth_multiplier out_channels weights, where a `Conv2d`
    has K_h K_w in_channels out_channels.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the result.
    kernel_size, stride, padding, dilation, padding_mode
        Of the depthwise part, as in `conv2d`.
    depth_multiplier : int
        Filters for each input channel.
    bias : bool
        Whether each output channel adds a trained number; the depthwise part has none.
    activation : None, "relu", "relu6", "silu" or "hardswish"
        Applied to the result.

    Notes
    -----
    Keras has it as one layer with one bias, PyTorch has it as two; Xception and MobileNet put batch normalisation behind both parts, MobileNet
    a ReLU between them as well.

    References
    ----------
    Chollet 2017, "Xception: deep learning with depthwise separable convolutions".

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.SeparableConv2d(256, 256, 3, padding=1, bias=False)
    >>> sum(parameter.numel() for parameter in layer.parameters())
    67840
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        depth_multiplier: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        activation: str | None = None,
    ) -> None:
        super().__init__()
        middle = whole("SeparableConv2d", "in_channels", in_channels, 1) * whole("SeparableConv2d", "depth_multiplier", depth_multiplier, 1)
        self.depthwise = Conv2d(in_channels, middle, kernel_size, stride, padding, dilation, in_channels, False, padding_mode)
        self.pointwise = Conv2d(middle, out_channels, 1, bias=bias, activation=activation)

    def forward(self, input: Any) -> Tensor:
        """The filtered and mixed image."""
        return self.pointwise(self.depthwise(input))
