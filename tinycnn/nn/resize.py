"""Resizing and shuffling layers."""

from collections.abc import Sequence
from typing import Any

from .. import functional as F
from .module import Module

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]

Size = int | Sequence[int] | None
Scale = float | Sequence[float] | None


class Upsample(Module):
    """An image at another size; see `tinycnn.functional.interpolate`.

    Shapes
    ------
    (N, C, *sizes) -> (N, C, *other sizes), one to three spatial axes

    Parameters
    ----------
    size : int or tuple of int, optional
        The output's spatial sizes in pixels.
    scale_factor : float or tuple of float, optional
        What to multiply the sizes with, instead of `size`.
    mode : str
        nearest, nearest-exact, linear, bilinear, trilinear, bicubic or area.
    align_corners : bool, optional
        Whether the middles of the corner pixels stay where they are.
    recompute_scale_factor : bool, optional
        Work with the ratio of the sizes instead of the scale factor.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.Upsample(scale_factor=2)([[[[1.0, 2.0]]]]).tolist()
    [[[[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]
    """

    def __init__(
        self,
        size: Size = None,
        scale_factor: Scale = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """The resized image."""
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor)

    def extra_repr(self) -> str:
        """Its options."""
        amount = f"scale_factor={self.scale_factor}" if self.scale_factor is not None else f"size={self.size}"
        return f"{amount}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` of an image with mode "nearest".

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out)

    Parameters
    ----------
    size : int or (height, width), optional
        The output's sizes in pixels.
    scale_factor : float or (height, width), optional
        What to multiply the sizes with, instead of `size`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.UpsamplingNearest2d(scale_factor=2)([[[[5.0]]]]).tolist()
    [[[[5.0, 5.0], [5.0, 5.0]]]]
    """

    def __init__(self, size: Size = None, scale_factor: Scale = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of an image with mode "bilinear" and aligned corners.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out)

    Parameters
    ----------
    size : int or (height, width), optional
        The output's sizes in pixels.
    scale_factor : float or (height, width), optional
        What to multiply the sizes with, instead of `size`.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.UpsamplingBilinear2d(size=(1, 3))([[[[0.0, 2.0]]]]).tolist()
    [[[[0.0, 1.0, 2.0]]]]
    """

    def __init__(self, size: Size = None, scale_factor: Scale = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Module):
    """Channels to blocks of pixels; see `tinycnn.functional.pixel_shuffle`.

    Shapes
    ------
    (*, C r^2, H, W) -> (*, C, H r, W r)

    Parameters
    ----------
    upscale_factor : int
        r.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.PixelShuffle(2)([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Any) -> Any:
        """The blocks of pixels."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Its option."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Blocks of pixels to channels; see `tinycnn.functional.pixel_unshuffle`.

    Shapes
    ------
    (*, C, H r, W r) -> (*, C r^2, H, W)

    Parameters
    ----------
    downscale_factor : int
        r.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.PixelUnshuffle(2)([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
    [[[1.0]], [[2.0]], [[3.0]], [[4.0]]]
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Any) -> Any:
        """The channels."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Its option."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels of groups dealt out in turn; see `tinycnn.functional.channel_shuffle`.

    Shapes
    ------
    (N, C, *) -> (N, C, *)

    Parameters
    ----------
    groups : int
        A divisor of C.

    Examples
    --------
    >>> from tinycnn import nn
    >>> nn.ChannelShuffle(2)([[[1.0], [2.0], [3.0], [4.0]]]).tolist()
    [[[1.0], [3.0], [2.0], [4.0]]]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Any) -> Any:
        """The channels in their new order."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Its option."""
        return f"groups={self.groups}"
