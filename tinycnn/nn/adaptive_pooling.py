"""Layers that pool to a given size: adaptive and fractional pooling."""

from collections.abc import Callable
from typing import Any

from .. import functional as F
from ..errors import ArgumentError
from ..tensor import Tensor
from .module import Module
from .pooling import Size2, Size3, per_axis

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
]


class _AdaptiveMaxPool(Module):
    """Keeps the size; a subclass names the function."""

    pool: Callable[..., Any]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """The maxima, and their positions where `return_indices`."""
        return type(self).pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest number of each of the windows asked for; see `tinycnn.functional.adaptive_max_pool1d`.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out) with the sizes in `output_size`

    Parameters
    ----------
    output_size : int
        Cells of the output; None keeps the input's size.
    return_indices : bool
        Also give the flat position of each maximum.
    """

    pool = staticmethod(F.adaptive_max_pool1d)

    def __init__(self, output_size: int | tuple[int | None], return_indices: bool = False) -> None:
        super().__init__(output_size, return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest number of each of the windows asked for; see `tinycnn.functional.adaptive_max_pool2d`.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out) with the sizes in `output_size`

    Parameters
    ----------
    output_size : int or (height, width)
        Cells of the output; None keeps the input's size.
    return_indices : bool
        Also give the flat position of each maximum.
    """

    pool = staticmethod(F.adaptive_max_pool2d)

    def __init__(self, output_size: int | tuple[int | None, int | None] | None, return_indices: bool = False) -> None:
        super().__init__(output_size, return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest number of each of the windows asked for; see `tinycnn.functional.adaptive_max_pool3d`.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out) with the sizes in `output_size`

    Parameters
    ----------
    output_size : int or (depth, height, width)
        Cells of the output; None keeps the input's size.
    return_indices : bool
        Also give the flat position of each maximum.
    """

    pool = staticmethod(F.adaptive_max_pool3d)

    def __init__(self, output_size: int | tuple[int | None, int | None, int | None] | None, return_indices: bool = False) -> None:
        super().__init__(output_size, return_indices)


class _AdaptiveAvgPool(Module):
    """Keeps the size; a subclass names the function."""

    pool: Callable[..., Tensor]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Tensor:
        """The means."""
        return type(self).pool(input, self.output_size)

    def extra_repr(self) -> str:
        """The size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean of each of the windows asked for; see `tinycnn.functional.adaptive_avg_pool1d`.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out) with the sizes in `output_size`

    Parameters
    ----------
    output_size : int
        Cells of the output; None keeps the input's size.
    """

    pool = staticmethod(F.adaptive_avg_pool1d)

    def __init__(self, output_size: int | tuple[int | None]) -> None:
        super().__init__(output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of each of the windows asked for; see `tinycnn.functional.adaptive_avg_pool2d`.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out) with the sizes in `output_size`

    Parameters
    ----------
    output_size : int or (height, width)
        Cells of the output; None keeps the input's size.
    """

    pool = staticmethod(F.adaptive_avg_pool2d)

    def __init__(self, output_size: int | tuple[int | None, int | None] | None) -> None:
        super().__init__(output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The mean of each of the windows asked for; see `tinycnn.functional.adaptive_avg_pool3d`.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out) with the sizes in `output_size`

    Parameters
    ----------
    output_size : int or (depth, height, width)
        Cells of the output; None keeps the input's size.
    """

    pool = staticmethod(F.adaptive_avg_pool3d)

    def __init__(self, output_size: int | tuple[int | None, int | None, int | None] | None) -> None:
        super().__init__(output_size)


class _FractionalMaxPool(Module):
    """Checks and keeps the options; a subclass names the function."""

    pool: Callable[..., Any]
    axes: int

    def __init__(
        self, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False, _random_samples: Any = None
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = per_axis(kernel_size, self.axes)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else per_axis(output_size, self.axes)
        self.output_ratio = None if output_ratio is None else per_axis(output_ratio, self.axes)
        if min(self.kernel_size) < 1:
            raise ArgumentError(f"{name}: kernel_size must be at least 1, not {kernel_size!r}")
        if output_size is None and output_ratio is None:
            raise ArgumentError(f"{name}: output_size and output_ratio are both left out; give one of them")
        if self.output_ratio is not None:
            if output_size is not None:
                raise ArgumentError(f"{name}: only one of output_size and output_ratio may be specified")
            if not all(0 < ratio < 1 for ratio in self.output_ratio):
                raise ArgumentError(f"{name}: output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Any) -> Any:
        """The maxima, and their positions where `return_indices`."""
        sizes = (self.kernel_size, self.output_size, self.output_ratio)
        return type(self).pool(input, *sizes, self.return_indices, _random_samples=self._random_samples)


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest number of windows at random, nearly even steps; see `tinycnn.functional.fractional_max_pool2d`.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out) with the sizes in `output_size`

    Parameters
    ----------
    kernel_size : int or (height, width)
        Size of the window in cells.
    output_size : int or (height, width), optional
        Cells of the output.
    output_ratio : float or one an axis, optional
        The output's size as a share of the input's, between 0 and 1; instead of `output_size`.
    return_indices : bool
        Also give the flat position of each maximum.
    _random_samples : Tensor, optional
        The random numbers of each map, the same at every call; drawn anew at every call if left out.
    """

    pool = staticmethod(F.fractional_max_pool2d)
    axes = 2

    def __init__(
        self,
        kernel_size: Size2,
        output_size: Size2 | None = None,
        output_ratio: float | tuple[float, ...] | None = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:
        super().__init__(kernel_size, output_size, output_ratio, return_indices, _random_samples)


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest number of windows at random, nearly even steps; see `tinycnn.functional.fractional_max_pool3d`.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out) with the sizes in `output_size`

    Parameters
    ----------
    kernel_size : int or (depth, height, width)
        Size of the window in cells.
    output_size : int or (depth, height, width), optional
        Cells of the output.
    output_ratio : float or one an axis, optional
        The output's size as a share of the input's, between 0 and 1; instead of `output_size`.
    return_indices : bool
        Also give the flat position of each maximum.
    _random_samples : Tensor, optional
        The random numbers of each map, the same at every call; drawn anew at every call if left out.
    """

    pool = staticmethod(F.fractional_max_pool3d)
    axes = 3

    def __init__(
        self,
        kernel_size: Size3,
        output_size: Size3 | None = None,
        output_ratio: float | tuple[float, ...] | None = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:
        super().__init__(kernel_size, output_size, output_ratio, return_indices, _random_samples)
