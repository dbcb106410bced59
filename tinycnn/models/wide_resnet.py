"""Wide residual networks for 32x32 images: fewer layers of more channels. Those for ImageNet are in `resnet`.

References
----------
Zagoruyko, Komodakis: Wide residual networks, BMVC 2016; table 1 the layers, tables 4 and 5 the variants.

Differs from the paper: none. WRN-d-k has d = 6n + 4 by the paper's count, which takes the projections at the stages' starts as layers of
their own; the shared `PreactivationResNet` counts 6n + 2.
"""

from __future__ import annotations

from ..errors import ArgumentError
from .preactivation_resnet import PreactivationResNet
from .registry import builder

__all__ = ["wide_resnet16_4", "wide_resnet28_10", "wide_resnet40_4", "wide_resnet_cifar"]


def _wide(depth: int, width: int, num_classes: int, in_channels: int, dropout: float) -> PreactivationResNet:
    if (depth - 4) % 6 or depth < 10 or width < 1:
        raise ArgumentError(f"wide_resnet: depth={depth} must be 6n + 4 with n >= 1 and width={width} at least 1; try depth 10, 16, 22, 28 or 40")
    return PreactivationResNet(depth - 2, num_classes, in_channels, shortcut="B", width=width, dropout=dropout)


@builder(image_size=32)
def wide_resnet28_10(num_classes: int = 10, in_channels: int = 3, *, dropout: float = 0.0) -> PreactivationResNet:
    """WRN-28-10, the paper's best on CIFAR; 36,479,194 parameters. The paper's dropout is 0.3."""
    return _wide(28, 10, num_classes, in_channels, dropout)


@builder(image_size=32)
def wide_resnet40_4(num_classes: int = 10, in_channels: int = 3, *, dropout: float = 0.0) -> PreactivationResNet:
    """WRN-40-4; 8.9 million parameters."""
    return _wide(40, 4, num_classes, in_channels, dropout)


@builder(image_size=32)
def wide_resnet16_4(num_classes: int = 10, in_channels: int = 3, *, dropout: float = 0.0) -> PreactivationResNet:
    """WRN-16-4; 2.7 million parameters."""
    return _wide(16, 4, num_classes, in_channels, dropout)


@builder(image_size=32)
def wide_resnet_cifar(num_classes: int = 10, in_channels: int = 3, *, depth: int = 10, width: int = 3, dropout: float = 0.0) -> PreactivationResNet:
    """WRN-`depth`-`width`; left out, WRN-10-3, which a laptop trains.

    Raises
    ------
    ArgumentError
        For a depth that is not 6n + 4.
    """
    return _wide(depth, width, num_classes, in_channels, dropout)
