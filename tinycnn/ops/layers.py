"""Layers of these operators: a constructor and one call, under torchvision.ops' names."""

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..functional import permute
from ..functional._arguments import pair, whole
from ..nn import init
from ..nn.module import Module
from ..nn.parameter import Parameter
from ..tensor import Tensor
from ._arguments import probability, real_number
from .deform_conv import deform_conv2d
from .regularisation import MODES, drop_block2d, drop_block3d, stochastic_depth
from .roi import ps_roi_align, ps_roi_pool, roi_align, roi_pool

__all__ = [
    "DeformConv2d",
    "DropBlock2d",
    "DropBlock3d",
    "FrozenBatchNorm2d",
    "PSRoIAlign",
    "PSRoIPool",
    "Permute",
    "RoIAlign",
    "RoIPool",
    "StochasticDepth",
]

Size = int | tuple[int, int]


class _Regions(Module):
    """What the pooling layers of regions share: the bins and the scale."""

    def __init__(self, output_size: Size, spatial_scale: float) -> None:
        super().__init__()
        pair(type(self).__name__, "output_size", output_size, 1)
        self.output_size = output_size
        self.spatial_scale = real_number(type(self).__name__, "spatial_scale", spatial_scale)

    def extra_repr(self) -> str:
        """Bins and scale."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"


class RoIPool(_Regions):
    """The largest pixel of each bin; see `roi_pool`.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.RoIPool(7, 1 / 16)
    RoIPool(output_size=7, spatial_scale=0.0625)
    """

    def forward(self, input: Any, rois: Any) -> Tensor:
        """(N, C, H, W) and boxes to (K, C, rows, columns)."""
        return roi_pool(input, rois, self.output_size, self.spatial_scale)


class PSRoIPool(_Regions):
    """The mean of each bin, from channels of its own; see `ps_roi_pool`.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.PSRoIPool(3, 0.5)
    PSRoIPool(output_size=3, spatial_scale=0.5)
    """

    def forward(self, input: Any, rois: Any) -> Tensor:
        """(N, C rows columns, H, W) and boxes to (K, C, rows, columns)."""
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)


class RoIAlign(_Regions):
    """The mean of bilinear samples in each bin; see `roi_align`.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.RoIAlign(7, 1 / 16, 2, aligned=True)
    RoIAlign(output_size=7, spatial_scale=0.0625, sampling_ratio=2, aligned=True)
    """

    def __init__(self, output_size: Size, spatial_scale: float, sampling_ratio: int, aligned: bool = False) -> None:
        super().__init__(output_size, spatial_scale)
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Any, rois: Any) -> Tensor:
        """(N, C, H, W) and boxes to (K, C, rows, columns)."""
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def extra_repr(self) -> str:
        """Bins, scale and samples."""
        return f"{super().extra_repr()}, sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"


class PSRoIAlign(_Regions):
    """The mean of bilinear samples in each bin, from channels of its own; see `ps_roi_align`.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.PSRoIAlign(3, 0.5, 2)
    PSRoIAlign(output_size=3, spatial_scale=0.5, sampling_ratio=2)
    """

    def __init__(self, output_size: Size, spatial_scale: float, sampling_ratio: int) -> None:
        super().__init__(output_size, spatial_scale)
        self.sampling_ratio = sampling_ratio

    def forward(self, input: Any, rois: Any) -> Tensor:
        """(N, C rows columns, H, W) and boxes to (K, C, rows, columns)."""
        return ps_roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio)

    def extra_repr(self) -> str:
        """Bins, scale and samples."""
        return f"{super().extra_repr()}, sampling_ratio={self.sampling_ratio}"


class DeformConv2d(Module):
    """A convolution whose taps are moved by offsets given with the input; see `deform_conv2d`.

    Shapes
    ------
    (N, in_channels, H, W), offset (N, 2 G K_h K_w, H_out, W_out), mask (N, G K_h K_w, H_out, W_out) -> (N, out_channels, H_out, W_out)

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and number of filters.
    kernel_size, stride, padding, dilation : int or (height, width)
        In pixels.
    groups : int
        Both numbers of channels are multiples of it.
    bias : bool
        Whether each filter adds a trained number.

    Notes
    -----
    `weight` and `bias` start as in `nn.Conv2d`.

    References
    ----------
    Dai et al. 2017, "Deformable convolutional networks", section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> layer = ops.DeformConv2d(3, 8, 3, padding=1)
    >>> layer, layer(np.zeros((1, 3, 5, 5), np.float32), np.zeros((1, 18, 5, 5), np.float32)).shape
    (DeformConv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)), (1, 8, 5, 5))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        for word, value in (("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups)):
            whole("DeformConv2d", word, value, 1)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"DeformConv2d: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}; "
                f"{math.gcd(in_channels, out_channels)} is the most groups these allow"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair("DeformConv2d", "kernel_size", kernel_size, 1)
        self.stride = pair("DeformConv2d", "stride", stride, 1)
        self.padding = pair("DeformConv2d", "padding", padding, 0)
        self.dilation = pair("DeformConv2d", "dilation", dilation, 1)
        self.groups = groups
        self.weight = Parameter(np.empty((out_channels, in_channels // groups, *self.kernel_size), np.float32))
        self.register_parameter("bias", Parameter(np.empty(out_channels, np.float32)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: np.random.Generator | None = None) -> None:
        """Draw weight and bias anew by the default rule."""
        init.default_(self.weight, self.bias, generator)

    def forward(self, input: Any, offset: Any, mask: Any = None) -> Tensor:
        """The filtered image."""
        return deform_conv2d(input, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask)

    def extra_repr(self) -> str:
        """The options that differ from the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for word, value, usual in (("padding", self.padding, (0, 0)), ("dilation", self.dilation, (1, 1)), ("groups", self.groups, 1)):
            text += f", {word}={value}" if value != usual else ""
        return text if self.bias is not None else f"{text}, bias=False"


class DropBlock2d(Module):
    """Zero square blocks in training; see `drop_block2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> ops.DropBlock2d(0.1, 3), ops.DropBlock2d(0.1, 3).eval()(np.ones((1, 1, 1, 2))).tolist()
    (DropBlock2d(p=0.1, block_size=3, inplace=False), [[[[1.0, 1.0]]]])
    """

    def __init__(self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-06) -> None:
        super().__init__()
        self.p = probability(type(self).__name__, p)
        self.block_size = whole(type(self).__name__, "block_size", block_size, 1)
        self.inplace = inplace
        self.eps = eps

    def forward(self, input: Any) -> Tensor:
        """Blocks zero and the rest larger; all as it is in evaluation mode."""
        result: Tensor = drop_block2d(input, self.p, self.block_size, self.inplace, self.eps, self.training)
        return result

    def extra_repr(self) -> str:
        """Probability and block."""
        return f"p={self.p}, block_size={self.block_size}, inplace={self.inplace}"


class DropBlock3d(DropBlock2d):
    """Zero cubes in training; see `drop_block3d`.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.DropBlock3d(0.1, 3)
    DropBlock3d(p=0.1, block_size=3, inplace=False)
    """

    def forward(self, input: Any) -> Tensor:
        """Cubes zero and the rest larger; all as it is in evaluation mode."""
        result: Tensor = drop_block3d(input, self.p, self.block_size, self.inplace, self.eps, self.training)
        return result


class StochasticDepth(Module):
    """Zero a whole branch in training; see `stochastic_depth`.

    Examples
    --------
    >>> from tinycnn import ops
    >>> ops.StochasticDepth(0.2, "row")
    StochasticDepth(p=0.2, mode=row)
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = probability("StochasticDepth", p)
        if mode not in MODES:
            raise ArgumentError(f"StochasticDepth: mode {mode!r} is not one of {', '.join(MODES)}")
        self.mode = mode

    def forward(self, input: Any) -> Tensor:
        """The branch, zero or larger; as it is in evaluation mode."""
        result: Tensor = stochastic_depth(input, self.p, self.mode, self.training)
        return result

    def extra_repr(self) -> str:
        """Probability and mode."""
        return f"p={self.p}, mode={self.mode}"


class FrozenBatchNorm2d(Module):
    """Batch normalisation with fixed statistics and factors: an affine function of each channel, nothing trained.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W)

    Formula
    -------
    y = x s + (bias - running_mean s), s = weight / sqrt(running_var + eps); grad_x = grad s.

    Parameters
    ----------
    num_features : int
        C.
    eps : float
        Added to the variance.

    Notes
    -----
    weight, bias, running_mean and running_var are buffers, so that a pretrained detector's keys load and no optimiser sees them.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> ops.FrozenBatchNorm2d(2, eps=0.0)(np.ones((1, 2, 1, 1), np.float32)).tolist()
    [[[[1.0]], [[1.0]]]]
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        whole("FrozenBatchNorm2d", "num_features", num_features, 1)
        self.eps = real_number("FrozenBatchNorm2d", "eps", eps)
        for name, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            self.register_buffer(name, Tensor(np.full(num_features, value, np.float32)))

    def forward(self, x: Any) -> Tensor:
        """Each channel scaled and shifted."""
        scale = self.weight * (self.running_var + self.eps) ** -0.5
        shift = self.bias - self.running_mean * scale
        result: Tensor = x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)
        return result

    def extra_repr(self) -> str:
        """Channels and eps."""
        return f"{self.weight.shape[0]}, eps={self.eps}"


class Permute(Module):
    """Reorder the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> ops.Permute([0, 2, 1])(np.ones((1, 2, 3))).shape
    (1, 3, 2)
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Any) -> Tensor:
        """A view with the axes in the new order."""
        return permute(x, self.dims)

    def extra_repr(self) -> str:
        """The order."""
        return f"{list(self.dims)}"
