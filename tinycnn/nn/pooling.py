"""Pooling layers: maximum, average and power average."""

from collections.abc import Callable, Iterable
from typing import Any

from .. import functional as F
from ..tensor import Tensor
from .module import Module

__all__ = ["AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d"]

Size1 = int | tuple[int]
Size2 = int | tuple[int, int]
Size3 = int | tuple[int, int, int]
Sides = int | tuple[int, ...]


def per_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """One number for every axis, as torch's layers keep and show it."""
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,) * axes


class _MaxPool(Module):
    """Keeps the options; a subclass names the function."""

    pool: Callable[..., Any]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Any:
        """The maxima, and their positions where `return_indices`."""
        return type(self).pool(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"


class MaxPool1d(_MaxPool):
    """The largest number of each window of a signal; see `tinycnn.functional.max_pool1d`.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out), every axis as in `MaxPool2d`

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int
        The window in cells; the stride is the window's size if left out.
    return_indices : bool
        Also give the flat position of each maximum.
    ceil_mode : bool
        Round the output size up instead of down.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.MaxPool1d(2)(np.arange(4.0).reshape(1, 1, 4)).tolist()
    [[[1.0, 3.0]]]
    """

    pool = staticmethod(F.max_pool1d)

    def __init__(
        self,
        kernel_size: Size1,
        stride: Size1 | None = None,
        padding: Sides = 0,
        dilation: Size1 = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, return_indices, ceil_mode)


class MaxPool2d(_MaxPool):
    """The largest number of each window; see `tinycnn.functional.max_pool2d`.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out), H_out = floor((H + 2 p - d (K - 1) - 1) / s) + 1, or the ceiling where
    `ceil_mode`

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or (height, width)
        The window in pixels; the stride is the window's size if left out.
    return_indices : bool
        Also give the flat position h W + w of each maximum.
    ceil_mode : bool
        Round the output size up instead of down.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).numpy()
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    pool = staticmethod(F.max_pool2d)

    def __init__(
        self,
        kernel_size: Size2,
        stride: Size2 | None = None,
        padding: Sides = 0,
        dilation: Size2 = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, return_indices, ceil_mode)


class MaxPool3d(_MaxPool):
    """The largest number of each window of a volume; see `tinycnn.functional.max_pool3d`.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), every axis as in `MaxPool2d`

    Parameters
    ----------
    kernel_size, stride, padding, dilation : int or (depth, height, width)
        The window in cells; the stride is the window's size if left out.
    return_indices : bool
        Also give the flat position of each maximum.
    ceil_mode : bool
        Round the output size up instead of down.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.MaxPool3d(2)(np.arange(8.0).reshape(1, 1, 2, 2, 2)).tolist()
    [[[[[7.0]]]]]
    """

    pool = staticmethod(F.max_pool3d)

    def __init__(
        self,
        kernel_size: Size3,
        stride: Size3 | None = None,
        padding: Sides = 0,
        dilation: Size3 = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, dilation, return_indices, ceil_mode)


class _AvgPool(Module):
    """Keeps the options that all ranks have."""

    def __init__(self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window of a signal; see `tinycnn.functional.avg_pool1d`.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out), L_out = floor((L + 2 p - K) / s) + 1, or the ceiling where `ceil_mode`

    Parameters
    ----------
    kernel_size, stride, padding : int
        The window in cells; the stride is the window's size if left out.
    ceil_mode : bool
        Round the output size up instead of down.
    count_include_pad : bool
        Whether padded zeros count in the divisor.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.AvgPool1d(2)(np.arange(4.0).reshape(1, 1, 4)).tolist()
    [[[0.5, 2.5]]]
    """

    def __init__(
        self, kernel_size: Size1, stride: Size1 | None = None, padding: Sides = 0, ceil_mode: bool = False, count_include_pad: bool = True
    ) -> None:
        strides = None if stride is None else per_axis(stride, 1)
        super().__init__(per_axis(kernel_size, 1), strides, per_axis(padding, 1), ceil_mode, count_include_pad)

    def forward(self, input: Any) -> Tensor:
        """The means."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPool):
    """The mean of each window; see `tinycnn.functional.avg_pool2d`.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out), H_out = floor((H + 2 p - K) / s) + 1, or the ceiling where `ceil_mode`

    Parameters
    ----------
    kernel_size, stride, padding : int or (height, width)
        The window in pixels; the stride is the window's size if left out.
    ceil_mode : bool
        Round the output size up instead of down.
    count_include_pad : bool
        Whether padded zeros count in the divisor.
    divisor_override : int, optional
        Divide by this number instead.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).numpy()
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    def __init__(
        self,
        kernel_size: Size2,
        stride: Size2 | None = None,
        padding: Sides = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Tensor:
        """The means."""
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool2d(input, *window, self.ceil_mode, self.count_include_pad, self.divisor_override)


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume; see `tinycnn.functional.avg_pool3d`.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), every axis as in `AvgPool2d`

    Parameters
    ----------
    kernel_size, stride, padding : int or (depth, height, width)
        The window in cells; the stride is the window's size if left out.
    ceil_mode : bool
        Round the output size up instead of down.
    count_include_pad : bool
        Whether padded zeros count in the divisor.
    divisor_override : int, optional
        Divide by this number instead.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.AvgPool3d(2)(np.arange(8.0).reshape(1, 1, 2, 2, 2)).tolist()
    [[[[[3.5]]]]]
    """

    def __init__(
        self,
        kernel_size: Size3,
        stride: Size3 | None = None,
        padding: Sides = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Tensor:
        """The means."""
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool3d(input, *window, self.ceil_mode, self.count_include_pad, self.divisor_override)


class _LPPool(Module):
    """Keeps the options; a subclass names the function."""

    pool: Callable[..., Tensor]

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Any) -> Tensor:
        """The norms."""
        return type(self).pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        """The norm and the window."""
        return f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, ceil_mode={self.ceil_mode}"


class LPPool1d(_LPPool):
    """The p-norm of each window of a signal; see `tinycnn.functional.lp_pool1d`.

    Shapes
    ------
    (N, C, L) -> (N, C, L_out), as `AvgPool1d` without padding

    Parameters
    ----------
    norm_type : float
        The power p.
    kernel_size, stride : int
        The window in cells; the stride is the window's size if left out.
    ceil_mode : bool
        Round the output size up instead of down.
    """

    pool = staticmethod(F.lp_pool1d)

    def __init__(self, norm_type: float, kernel_size: Size1, stride: Size1 | None = None, ceil_mode: bool = False) -> None:
        super().__init__(norm_type, kernel_size, stride, ceil_mode)


class LPPool2d(_LPPool):
    """The p-norm of each window of an image; see `tinycnn.functional.lp_pool2d`.

    Shapes
    ------
    (N, C, H, W) -> (N, C, H_out, W_out), as `AvgPool2d` without padding

    Parameters
    ----------
    norm_type : float
        The power p.
    kernel_size, stride : int or (height, width)
        The window in cells; the stride is the window's size if left out.
    ceil_mode : bool
        Round the output size up instead of down.
    """

    pool = staticmethod(F.lp_pool2d)

    def __init__(self, norm_type: float, kernel_size: Size2, stride: Size2 | None = None, ceil_mode: bool = False) -> None:
        super().__init__(norm_type, kernel_size, stride, ceil_mode)


class LPPool3d(_LPPool):
    """The p-norm of each window of a volume; see `tinycnn.functional.lp_pool3d`.

    Shapes
    ------
    (N, C, D, H, W) -> (N, C, D_out, H_out, W_out), as `AvgPool3d` without padding

    Parameters
    ----------
    norm_type : float
        The power p.
    kernel_size, stride : int or (depth, height, width)
        The window in cells; the stride is the window's size if left out.
    ceil_mode : bool
        Round the output size up instead of down.
    """

    pool = staticmethod(F.lp_pool3d)

    def __init__(self, norm_type: float, kernel_size: Size3, stride: Size3 | None = None, ceil_mode: bool = False) -> None:
        super().__init__(norm_type, kernel_size, stride, ceil_mode)
