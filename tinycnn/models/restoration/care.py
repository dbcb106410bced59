"""CARE's network: a small U-Net that adds what it learned to what it sees; Noise2Void uses the same one.

References
----------
Ronneberger, Fischer and Brox 2015, "U-Net: convolutional networks for biomedical image segmentation" (arXiv 1505.04597).
Weigert et al. 2018, "Content-aware image restoration: pushing the limits of fluorescence microscopy", supplementary table 3.

Differs from the paper: images of any size, padded by their own reflection to a multiple of 2^depth and cut back; 3x3 kernels as in CARE's 2018 code.
"""

from __future__ import annotations

from typing import Any

from ... import functional as F
from ...errors import ArgumentError
from ...nn import BatchNorm2d, Conv2d, Module, ModuleList, ReLU, Sequential, fuse, init
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images

__all__ = ["CareUNet", "care_unet"]


def _pair(before: int, after: int, batch_norm: bool) -> Sequential:
    """Two convolutions with ReLU."""
    layers: list[Module] = []
    for channels in (before, after):
        layers.append(Conv2d(channels, after, 3, padding=1))
        layers += [BatchNorm2d(after)] if batch_norm else []
        layers.append(ReLU())
    return Sequential(*layers)


class CareUNet(Module):
    """Down `depth` times by pooling, up again by repetition, each level joined with what was there on the way down.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, in_channels, H, W), H and W at least 2^depth

    Formula
    -------
    u = z + U(z) where `residual`, else U(z)

    Parameters
    ----------
    in_channels : int
        1 for grey, 3 for colour.
    width : int
        Maps of the first level; each level down has twice as many.
    depth : int
        How often the size is halved.
    residual : bool
        Whether the network learns the difference to its input.
    batch_norm : bool
        As Noise2Void has it.

    Raises
    ------
    ArgumentError
        For a depth or a width below 1.
    """

    def __init__(self, in_channels: int = 1, width: int = 32, depth: int = 2, *, residual: bool = True, batch_norm: bool = False) -> None:
        super().__init__()
        if depth < 1 or width < 1 or in_channels < 1:
            raise ArgumentError(f"care_unet: needs depth, width and in_channels of 1 or more, got {depth}, {width}, {in_channels}; CARE has 2, 32")
        self.in_channels, self.depth, self.residual = in_channels, depth, residual
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = ModuleList([_pair(before, after, batch_norm) for before, after in zip([in_channels, *widths], widths)])
        self.up = ModuleList([_pair(3 * widths[level], widths[level], batch_norm) for level in reversed(range(depth))])
        self.last = Conv2d(width, in_channels, 1)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, nonlinearity="relu")
                init.zeros_(module.bias)
        if residual:
            init.zeros_(self.last.weight)  # it starts as the identity
        fuse(self)

    def forward(self, input: Any) -> Tensor:
        """The restored images."""
        require_images("care_unet", input, self.in_channels, 2**self.depth, f"pooling number {self.depth}")
        images = input if isinstance(input, Tensor) else Tensor(input)
        height, width = images.shape[2:]
        below, right = -height % 2**self.depth, -width % 2**self.depth
        padded = F.pad(images, (0, right, 0, below), "reflect") if below or right else images
        kept, x = [], padded
        for level, block in enumerate(self.down):
            x = block(x)
            if level < self.depth:
                kept.append(x)
                x = F.max_pool2d(x, 2)
        for block, skip in zip(self.up, reversed(kept), strict=True):
            x = block(F.cat([F.interpolate(x, scale_factor=2), skip], 1))
        x = self.last(x)
        if self.residual:
            x = x + padded
        return x[:, :, :height, :width] if below or right else x


@builder(image_size=64, task="restoration")
def care_unet(in_channels: int = 1, *, width: int = 32, depth: int = 2, residual: bool = True, batch_norm: bool = False) -> CareUNet:
    """CARE's U-Net: 470,977 parameters at its default size; options as in `CareUNet`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).random((1, 1, 7, 9), np.float32)
    >>> bool((care_unet(width=2)(image).detach().numpy() == image).all())  # before it has learned
    True
    """
    return CareUNet(in_channels, width, depth, residual=residual, batch_norm=batch_norm)
