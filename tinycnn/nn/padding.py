"""Layers that surround signals, images and volumes with cells; numbers are PyTorch's, last axis first: (left, right, top, bottom, front, back)."""

from typing import Any

from .. import functional as F
from ..errors import ArgumentError
from ..tensor import Tensor
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Sides1 = int | tuple[int, int]
Sides2 = int | tuple[int, int, int, int]
Sides3 = int | tuple[int, int, int, int, int, int]


class _Pad(Module):
    """Keeps the numbers; a subclass names the mode and the axes."""

    mode = "constant"
    axes: int

    def __init__(self, padding: Any) -> None:
        super().__init__()
        sides = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(sides) != 2 * self.axes:
            names = ", ".join(("left", "right", "top", "bottom", "front", "back")[: 2 * self.axes])
            count = {1: "two", 2: "four", 3: "six"}[self.axes]
            raise ArgumentError(f"{type(self).__name__}: padding has {len(sides)} numbers; give one, or {count} as ({names})")
        self.padding = sides

    def forward(self, input: Any) -> Tensor:
        """The input with more cells."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The numbers."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    """Keeps the value too."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Tensor:
        """The input with more cells."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The numbers and the value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Surround a signal with one value.

    Shapes
    ------
    (N, C, L) -> (N, C, left + L + right)

    Parameters
    ----------
    padding : int or (left, right)
        Cells to add; negative numbers crop.
    value : float
        What they are.
    """

    axes = 1

    def __init__(self, padding: Sides1, value: float) -> None:
        super().__init__(padding, value)


class ConstantPad2d(_ConstantPad):
    """Surround an image with one value.

    Shapes
    ------
    (N, C, H, W) -> (N, C, top + H + bottom, left + W + right)

    Parameters
    ----------
    padding : int or (left, right, top, bottom)
        Cells to add; negative numbers crop.
    value : float
        What they are.
    """

    axes = 2

    def __init__(self, padding: Sides2, value: float) -> None:
        super().__init__(padding, value)


class ConstantPad3d(_ConstantPad):
    """Surround a volume with one value.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, front + D + back, top + H + bottom, left + W + right)

    Parameters
    ----------
    padding : int or (left, right, top, bottom, front, back)
        Cells to add; negative numbers crop.
    value : float
        What they are.
    """

    axes = 3

    def __init__(self, padding: Sides3, value: float) -> None:
        super().__init__(padding, value)


class ZeroPad1d(_Pad):
    """Surround a signal with zeros; `padding` is one number or (left, right)."""

    axes = 1

    def __init__(self, padding: Sides1) -> None:
        super().__init__(padding)


class ZeroPad2d(_Pad):
    """Surround an image with zeros; `padding` is one number or (left, right, top, bottom)."""

    axes = 2

    def __init__(self, padding: Sides2) -> None:
        super().__init__(padding)


class ZeroPad3d(_Pad):
    """Surround a volume with zeros; `padding` is one number or (left, right, top, bottom, front, back)."""

    axes = 3

    def __init__(self, padding: Sides3) -> None:
        super().__init__(padding)


class ReflectionPad1d(_Pad):
    """Mirror a signal at its edges, the edge cell not repeated; `padding` is one number or (left, right)."""

    mode = "reflect"
    axes = 1

    def __init__(self, padding: Sides1) -> None:
        super().__init__(padding)


class ReflectionPad2d(_Pad):
    """Mirror an image at its edges, the edge cell not repeated; `padding` is one number or (left, right, top, bottom)."""

    mode = "reflect"
    axes = 2

    def __init__(self, padding: Sides2) -> None:
        super().__init__(padding)


class ReflectionPad3d(_Pad):
    """Mirror a volume at its edges, the edge cell not repeated; `padding` is one number or (left, right, top, bottom, front, back)."""

    mode = "reflect"
    axes = 3

    def __init__(self, padding: Sides3) -> None:
        super().__init__(padding)


class ReplicationPad1d(_Pad):
    """Repeat the edge cells of a signal; `padding` is one number or (left, right)."""

    mode = "replicate"
    axes = 1

    def __init__(self, padding: Sides1) -> None:
        super().__init__(padding)


class ReplicationPad2d(_Pad):
    """Repeat the edge cells of an image; `padding` is one number or (left, right, top, bottom)."""

    mode = "replicate"
    axes = 2

    def __init__(self, padding: Sides2) -> None:
        super().__init__(padding)


class ReplicationPad3d(_Pad):
    """Repeat the edge cells of a volume; `padding` is one number or (left, right, top, bottom, front, back)."""

    mode = "replicate"
    axes = 3

    def __init__(self, padding: Sides3) -> None:
        super().__init__(padding)


class CircularPad1d(_Pad):
    """Continue a signal with its opposite side; `padding` is one number or (left, right)."""

    mode = "circular"
    axes = 1

    def __init__(self, padding: Sides1) -> None:
        super().__init__(padding)


class CircularPad2d(_Pad):
    """Continue an image with its opposite side; `padding` is one number or (left, right, top, bottom)."""

    mode = "circular"
    axes = 2

    def __init__(self, padding: Sides2) -> None:
        super().__init__(padding)


class CircularPad3d(_Pad):
    """Continue a volume with its opposite side; `padding` is one number or (left, right, top, bottom, front, back)."""

    mode = "circular"
    axes = 3

    def __init__(self, padding: Sides3) -> None:
        super().__init__(padding)
