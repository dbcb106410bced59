"""Layers that undo maximum pooling."""

from collections.abc import Callable
from typing import Any

from .. import functional as F
from ..tensor import Tensor
from .module import Module
from .pooling import Size1, Size2, Size3, per_axis

__all__ = ["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _MaxUnpool(Module):
    """Keeps the window; a subclass names the function."""

    unpool: Callable[..., Tensor]
    axes: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = per_axis(kernel_size, self.axes)
        self.stride = per_axis(kernel_size if stride is None else stride, self.axes)
        self.padding = per_axis(padding, self.axes)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Tensor:
        """The numbers at their positions, zeros elsewhere."""
        return type(self).unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Pooled numbers put back where they came from; see `tinycnn.functional.max_unpool1d`.

    Shapes
    ------
    (N, C, L) and indices of the same shape -> (N, C, L_out), by axis (size - 1) s - 2 p + K unless `output_size` says

    Parameters
    ----------
    kernel_size, stride, padding : int
        Those of the pooling.
    """

    unpool = staticmethod(F.max_unpool1d)
    axes = 1

    def __init__(self, kernel_size: Size1, stride: Size1 | None = None, padding: Size1 = 0) -> None:
        super().__init__(kernel_size, stride, padding)


class MaxUnpool2d(_MaxUnpool):
    """Pooled numbers put back where they came from; see `tinycnn.functional.max_unpool2d`.

    Shapes
    ------
    (N, C, H, W) and indices of the same shape -> (N, C, H_out, W_out), by axis (size - 1) s - 2 p + K unless `output_size` says

    Parameters
    ----------
    kernel_size, stride, padding : int or (height, width)
        Those of the pooling.
    """

    unpool = staticmethod(F.max_unpool2d)
    axes = 2

    def __init__(self, kernel_size: Size2, stride: Size2 | None = None, padding: Size2 = 0) -> None:
        super().__init__(kernel_size, stride, padding)


class MaxUnpool3d(_MaxUnpool):
    """Pooled numbers put back where they came from; see `tinycnn.functional.max_unpool3d`.

    Shapes
    ------
    (N, C, D, H, W) and indices of the same shape -> (N, C, D_out, H_out, W_out), by axis (size - 1) s - 2 p + K unless `output_size` says

    Parameters
    ----------
    kernel_size, stride, padding : int or (depth, height, width)
        Those of the pooling.
    """

    unpool = staticmethod(F.max_unpool3d)
    axes = 3

    def __init__(self, kernel_size: Size3, stride: Size3 | None = None, padding: Size3 = 0) -> None:
        super().__init__(kernel_size, stride, padding)
