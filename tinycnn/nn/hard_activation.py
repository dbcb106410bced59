"""Layers made of straight lines; each is its function in `tinycnn.functional`."""

from typing import Any

from .. import functional as F
from ..errors import ArgumentError
from ..functional._elementwise_map import number
from ..tensor import Tensor
from .module import Module

__all__ = ["Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Softshrink", "Threshold"]


class Hardtanh(Module):
    """min(max(x, min_val), max_val).

    References
    ----------
    Collobert 2004, "Large scale machine learning", PhD thesis, section 5.2.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not number("Hardtanh", "max_val", max_val) > number("Hardtanh", "min_val", min_val):
            raise ArgumentError(f"Hardtanh: max_val={max_val!r} must be greater than min_val={min_val!r}")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x cut off at both bounds."""
        return F.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"min_val={self.min_val}, max_val={self.max_val}{', inplace=True' if self.inplace else ''}"


class Hardsigmoid(Module):
    """min(max(x + 3, 0), 6) / 6: a sigmoid of three straight lines.

    References
    ----------
    Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """min(max(x + 3, 0), 6) / 6."""
        return F.hardsigmoid(input)


class Hardswish(Module):
    """x min(max(x + 3, 0), 6) / 6: SiLU with straight lines for its sigmoid.

    References
    ----------
    Howard et al. 2019, "Searching for MobileNetV3", section 5.2.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x min(max(x + 3, 0), 6) / 6."""
        return F.hardswish(input)


class Hardshrink(Module):
    """0 from -lambd to lambd, else x."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = number("Hardshrink", "lambd", lambd)

    def forward(self, input: Any) -> Tensor:
        """0 from -lambd to lambd, else x."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The arguments."""
        return str(self.lambd)


class Softshrink(Module):
    """sign(x) max(|x| - lambd, 0): x moved towards 0 by lambd."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        F.softshrink([], lambd)  # the range is the function's to check
        self.lambd = lambd

    def forward(self, input: Any) -> Tensor:
        """sign(x) max(|x| - lambd, 0)."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """The arguments."""
        return str(self.lambd)


class Threshold(Module):
    """x where it is above threshold, else value."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = number("Threshold", "threshold", threshold)
        self.value = number("Threshold", "value", value)
        self.inplace = inplace

    def forward(self, input: Any) -> Tensor:
        """x where it is above threshold, else value."""
        return F.threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"threshold={self.threshold}, value={self.value}{', inplace=True' if self.inplace else ''}"
