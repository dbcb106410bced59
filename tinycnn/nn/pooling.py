"""Pooling layers."""

from typing import Any

from .. import functional as F
from .module import Module

__all__ = ["AvgPool2d", "MaxPool2d"]

Size = int | tuple[int, int]


class MaxPool2d(Module):
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

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
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
        return F.max_pool2d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"


class AvgPool2d(Module):
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
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        """The means."""
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
