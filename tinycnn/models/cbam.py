"""CBAM: two masks multiplied with the features, one over channels and one over pixels; and ResNets with them.

References
----------
Woo, Park, Lee, Kweon: CBAM: Convolutional block attention module, ECCV 2018; equations 1 to 3, figure 2 the masks, figure 3 the block.

Differs from the paper: none in the masks. Keys and start are timm's (`resnet50` with attn_layer "cbam"): "se" holds the module, every branch
starts as zero.
"""

from __future__ import annotations

from typing import Any

from .. import functional
from ..nn import BatchNorm2d, Conv2d, Module, Sequential
from ..tensor import Tensor
from .registry import builder
from .resnet import DEPTHS, BasicBlock, Bottleneck, ResNet, conv1x1
from .resnet_cifar import CifarResNet

__all__ = ["CBAM", "ChannelAttention", "SpatialAttention", "cbam_resnet18", "cbam_resnet50", "cbam_resnet_cifar"]

REDUCTION = 16  # r of the paper
KERNEL_SIZE = 7  # of the mask over pixels; table 2 compares it with 3


class ChannelAttention(Module):
    """What matters: one number a channel, from the channel's mean and its maximum over all pixels.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W); mask (N, C, 1, 1)

    Formula
    -------
    M = sigmoid(W2 relu(W1 mean(x)) + W2 relu(W1 max(x)));  y = M x        (equation 2)

    Parameters
    ----------
    channels : int
        C.
    reduction : int
        The hidden layer has C / reduction channels, at least one.

    Examples
    --------
    >>> import numpy as np
    >>> ChannelAttention(32).mask(np.ones((2, 32, 4, 4), np.float32)).shape
    (2, 32, 1, 1)
    """

    def __init__(self, channels: int, reduction: int = REDUCTION) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.fc1 = conv1x1(channels, hidden)
        self.fc2 = conv1x1(hidden, channels)

    def mask(self, input: Any) -> Tensor:
        """The mask, between 0 and 1."""
        mean, most = functional.global_avg_pool(input), functional.global_max_pool(input)
        return functional.sigmoid(self.fc2(functional.relu(self.fc1(mean))) + self.fc2(functional.relu(self.fc1(most))))

    def forward(self, input: Any) -> Tensor:
        """The input times its mask."""
        return self.mask(input) * input


class SpatialAttention(Module):
    """Where it matters: one number a pixel, from the mean and the maximum over its channels, filtered.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W); mask (N, 1, H, W)

    Formula
    -------
    M = sigmoid(bn(conv([mean over channels, max over channels])));  y = M x        (equation 3)

    Parameters
    ----------
    kernel_size : int
        Of the convolution; odd.

    Examples
    --------
    >>> import numpy as np
    >>> SpatialAttention().mask(np.ones((2, 32, 4, 4), np.float32)).shape
    (2, 1, 4, 4)
    """

    def __init__(self, kernel_size: int = KERNEL_SIZE) -> None:
        super().__init__()
        layers: dict[str, Module] = {"conv": Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False), "bn": BatchNorm2d(1)}
        self.conv = Sequential(layers)

    def mask(self, input: Any) -> Tensor:
        """The mask, between 0 and 1."""
        both = functional.cat([functional.mean(input, 1, keepdim=True), functional.amax(input, 1, keepdim=True)], 1)
        return functional.sigmoid(self.conv(both))

    def forward(self, input: Any) -> Tensor:
        """The input times its mask."""
        return self.mask(input) * input


class CBAM(Module):
    """The mask over channels, then the mask over pixels of what that leaves.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H, W)

    Formula
    -------
    x' = M_channel(x) x;  y = M_spatial(x') x'        (equation 1)

    Parameters
    ----------
    channels, reduction
        As in `ChannelAttention`.
    kernel_size : int
        As in `SpatialAttention`.

    Examples
    --------
    >>> import numpy as np
    >>> over_channels, over_pixels = CBAM(16).masks(np.ones((1, 16, 5, 5), np.float32))
    >>> over_channels.shape, over_pixels.shape
    ((1, 16, 1, 1), (1, 1, 5, 5))
    """

    def __init__(self, channels: int, reduction: int = REDUCTION, kernel_size: int = KERNEL_SIZE) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels, reduction)
        self.spatial = SpatialAttention(kernel_size)

    def masks(self, input: Any) -> tuple[Tensor, Tensor]:
        """Both masks, (N, C, 1, 1) and (N, 1, H, W), for a viewer."""
        over_channels = self.channel.mask(input)
        return over_channels, self.spatial.mask(over_channels * input)

    def forward(self, input: Any) -> Tensor:
        """The input times both masks."""
        return self.spatial(self.channel(input))


@builder
def cbam_resnet18(num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = True) -> ResNet:
    """ResNet-18 with CBAM in every block; 11,777,352 parameters."""
    return ResNet(BasicBlock, DEPTHS[18], num_classes, zero_init_residual, in_channels=in_channels, attention=CBAM)


@builder
def cbam_resnet50(num_classes: int = 1000, in_channels: int = 3, *, zero_init_residual: bool = True) -> ResNet:
    """ResNet-50 with CBAM in every block; 28,073,576 parameters."""
    return ResNet(Bottleneck, DEPTHS[50], num_classes, zero_init_residual, in_channels=in_channels, attention=CBAM)


@builder(image_size=32)
def cbam_resnet_cifar(num_classes: int = 10, in_channels: int = 3, *, depth: int = 20, shortcut: str = "A") -> CifarResNet:
    """A CIFAR ResNet of `depth` layers with CBAM in each block; the options are `CifarResNet`'s."""
    return CifarResNet(depth, num_classes, in_channels, shortcut, attention=CBAM)
