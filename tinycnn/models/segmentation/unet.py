"""U-Net: a contracting path, an expanding one, and every scale of the first joined to the second.

References
----------
Ronneberger, Fischer and Brox 2015, "U-Net: convolutional networks for biomedical image segmentation" (arXiv 1505.04597), section 2 and figure 1:
23 convolutions, 572x572 in, 388x388 out.

Differs from the paper: with padding="same" sizes are kept, and an image whose sides are no multiples of 2^depth is padded with zeros at its
right and lower edge and cropped again.
"""

from __future__ import annotations

from ... import functional
from ...errors import ArgumentError, ShapeError
from ...nn import BatchNorm2d, Conv2d, ConvTranspose2d, Dropout, MaxPool2d, Module, ModuleList, ReLU, Sequential, fuse
from ...tensor import Tensor
from ..registry import builder
from ..sizes import require_images, require_width, scaled
from .vgg_stages import he_start

__all__ = ["UNet", "unet", "unet_input_size", "unet_output_size", "unet_small"]

BASE = 64


def unet_output_size(size: int, depth: int = 4) -> int | None:
    """Pixels a side that come out of a U-Net without padding; None where a pooling would meet an odd size or nothing is left.

    Formula
    -------
    size down one level: (size - 4) / 2, even; up one level: 2 size - 4; at the bottom size - 4

    Examples
    --------
    >>> unet_output_size(572), unet_output_size(570), unet_output_size(140)
    (388, None, None)
    """
    for _ in range(depth):
        size -= 4
        if size <= 0 or size % 2:
            return None
        size //= 2
    size -= 4
    for _ in range(depth):
        size = 2 * size - 4
    return size if size > 0 else None


def unet_input_size(size: int, depth: int = 4) -> int:
    """The smallest input side whose valid U-Net output covers `size` pixels.

    Examples
    --------
    >>> unet_input_size(388), unet_input_size(389)
    (572, 588)
    """
    margin = shrinkage(depth)
    return next(side for side in range(size + margin, size + margin + 2**depth) if (unet_output_size(side, depth) or 0) >= size)


def shrinkage(depth: int) -> int:
    """Pixels a side that a valid U-Net's output is smaller by: 184 with four poolings.

    Formula
    -------
    4 a level down and 4 up, each counted in pixels of the image: 4 2^depth + 2 sum_k 4 2^k, k < depth, halved on the way up by the doubling
    """
    lost = 4 * 2**depth  # the two convolutions at the bottom
    for level in range(depth):
        lost += 8 * 2**level  # two convolutions down and two up
    return lost


def double_convolution(in_channels: int, out_channels: int, padding: int, batch_norm: bool) -> Sequential:
    """Two 3x3 convolutions, each with ReLU."""
    layers: list[Module] = []
    for before in (in_channels, out_channels):
        norm: list[Module] = [BatchNorm2d(out_channels)] if batch_norm else []
        layers += [Conv2d(before, out_channels, 3, padding=padding), *norm, ReLU()]
    return fuse(Sequential(*layers))


class UNet(Module):
    """Double convolutions at `depth` + 1 scales down, and up again beside the maps of the way down.

    Shapes
    ------
    (N, in_channels, H, W) -> (N, num_classes, H, W) with padding "same"; with "valid" 184 pixels less a side at depth 4, H and W such that
    every pooling meets even sizes: 572 -> 388

    Parameters
    ----------
    num_classes
        2: cell and background.
    in_channels
        1 for microscopy.
    padding
        "valid", as published, or "same".
    width
        Multiplies the 64 maps of the first scale and all others.
    depth
        Poolings.
    batch_norm
        Whether batch normalisation follows every 3x3 convolution; the paper has none.
    dropout
        Probability at the end of the contracting path.

    Raises
    ------
    ArgumentError
        For an unknown padding, or a width or depth that is not above 0.
    """

    def __init__(
        self,
        num_classes: int = 2,
        in_channels: int = 1,
        *,
        padding: str = "valid",
        width: float = 1.0,
        depth: int = 4,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        require_width("UNet", width)
        if padding not in ("valid", "same"):
            raise ArgumentError(f'UNet: padding must be "valid" or "same", not {padding!r}')
        if isinstance(depth, bool) or not isinstance(depth, int) or not 1 <= depth <= 8:
            raise ArgumentError(f"UNet: depth must be a whole number from 1 to 8, not {depth!r}; the paper has 4 poolings")
        self.in_channels, self.padding, self.depth = in_channels, padding, depth
        around = 1 if padding == "same" else 0
        maps = [scaled(BASE * 2**level, width) for level in range(depth + 1)]
        self.down = ModuleList([double_convolution(a, b, around, batch_norm) for a, b in zip([in_channels, *maps], maps, strict=False)])
        self.pool = MaxPool2d(2, 2)
        self.dropout = Dropout(dropout)
        pairs = list(zip(maps[::-1], maps[-2::-1], strict=False))
        self.enlarge = ModuleList([ConvTranspose2d(deep, fine, 2, 2) for deep, fine in pairs])
        self.up = ModuleList([double_convolution(2 * fine, fine, around, batch_norm) for _, fine in pairs])
        self.classifier = Conv2d(maps[0], num_classes, 1)
        he_start(self)

    def forward(self, input: Tensor) -> Tensor:
        """Scores of the classes at every pixel that the network sees all around of."""
        require_images("unet", input, self.in_channels, 1, "the first convolution")
        height, width = input.shape[2:]
        if self.padding == "valid":
            self._require_fitting(height, width)
            return self._run(input)
        multiple = 2**self.depth
        below, right = -height % multiple, -width % multiple
        x = functional.pad(input, (0, right, 0, below)) if below or right else input
        return self._run(x)[:, :, :height, :width]

    def _run(self, x: Tensor) -> Tensor:
        maps = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            maps.append(x)
        x = self.dropout(maps.pop())
        for enlarge, block in zip(self.enlarge, self.up, strict=True):
            x = enlarge(x)
            x = block(functional.cat([centre(maps.pop(), *x.shape[2:]), x], 1))
        return self.classifier(x)

    def _require_fitting(self, height: int, width: int) -> None:
        for side in (height, width):
            if unet_output_size(side, self.depth) is None:
                fitting = next(larger for larger in range(side, side + 2**10) if unet_output_size(larger, self.depth))
                raise ShapeError(
                    f"unet: images of {height}x{width} do not fit: without padding every pooling must meet an even size and something must be left; "
                    f"{fitting} would do instead of {side}, overlap_tile takes any size, and padding='same' too"
                )


def centre(x: Tensor, height: int, width: int) -> Tensor:
    """The middle of a map, to lie beside one that has lost its border."""
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    return x[:, :, top : top + height, left : left + width]


@builder(task="segmentation", image_size=572)
def unet(
    num_classes: int = 2,
    in_channels: int = 1,
    *,
    padding: str = "valid",
    width: float = 1.0,
    depth: int = 4,
    batch_norm: bool = False,
    dropout: float = 0.5,
) -> UNet:
    """U-Net as published: 31,030,658 parameters; options as in `UNet`.

    Examples
    --------
    >>> import numpy as np
    >>> unet(width=0.03125).eval()(np.zeros((1, 1, 188, 204), np.float32)).shape
    (1, 2, 4, 20)
    """
    return UNet(num_classes, in_channels, padding=padding, width=width, depth=depth, batch_norm=batch_norm, dropout=dropout)


@builder(task="segmentation", image_size=96)
def unet_small(
    num_classes: int = 2, in_channels: int = 3, *, padding: str = "same", width: float = 0.25, depth: int = 3, dropout: float = 0.0
) -> UNet:
    """U-Net for laptops: a quarter of the width, three poolings, batch normalisation, sizes kept; options as in `UNet`."""
    return UNet(num_classes, in_channels, padding=padding, width=width, depth=depth, batch_norm=True, dropout=dropout)
