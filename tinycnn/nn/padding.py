"""Layers that surround an image with pixels; numbers are PyTorch's (left, right, top, bottom)."""

from typing import Any

from .. import functional as F
from ..errors import ArgumentError
from ..tensor import Tensor
from .module import Module

__all__ = ["CircularPad2d", "ConstantPad2d", "ReflectionPad2d", "ReplicationPad2d", "ZeroPad2d"]


class _Pad2d(Module):
    """Keeps the four numbers; a subclass names the mode."""

    mode = "constant"

    def __init__(self, padding: int | tuple[int, int, int, int]) -> None:
        super().__init__()
        sides = (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(sides) != 4:
            raise ArgumentError(f"{type(self).__name__}: padding has {len(sides)} numbers; give one, or four as (left, right, top, bottom)")
        self.padding = sides

    def forward(self, input: Any) -> Tensor:
        """The larger image."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The four numbers."""
        return f"{self.padding}"


class ConstantPad2d(_Pad2d):
    """Surround an image with one value.

    Shapes
    ------
    (N, C, H, W) -> (N, C, top + H + bottom, left + W + right)

    Parameters
    ----------
    padding : int or (left, right, top, bottom)
        Pixels to add.
    value : float
        What they are.
    """

    def __init__(self, padding: int | tuple[int, int, int, int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Tensor:
        """The larger image."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The four numbers and the value."""
        return f"padding={self.padding}, value={self.value}"


class ZeroPad2d(_Pad2d):
    """Surround an image with zeros; `padding` is one number or (left, right, top, bottom)."""


class ReflectionPad2d(_Pad2d):
    """Mirror an image at its edges, the edge pixel not repeated; `padding` is one number or (left, right, top,
    bottom).
    """

    mode = "reflect"


class ReplicationPad2d(_Pad2d):
    """Repeat an image's edge pixels; `padding` is one number or (left, right, top, bottom)."""

    mode = "replicate"


class CircularPad2d(_Pad2d):
    """Continue an image with its opposite side; `padding` is one number or (left, right, top, bottom)."""

    mode = "circular"
