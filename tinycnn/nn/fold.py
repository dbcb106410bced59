"""Windows as columns, and back, as layers."""

from typing import Any

from .. import functional as F
from ..tensor import Tensor
from .module import Module

__all__ = ["Fold", "Unfold"]

Size = int | tuple[int, int]


class Unfold(Module):
    """Lay every window of an image out as a column; see `tinycnn.functional.unfold`.

    Shapes
    ------
    (N, C, H, W) -> (N, C K_h K_w, P), P the number of windows

    Parameters
    ----------
    kernel_size, dilation, padding, stride : int or (height, width)
        The window, in pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.Unfold(4, stride=4)(np.zeros((1, 3, 8, 8))).shape
    (1, 48, 4)
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Any) -> Tensor:
        """The matrix of columns."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Put columns of windows back to their places, adding up where they overlap; see `tinycnn.functional.fold`.

    Shapes
    ------
    (N, C K_h K_w, P) -> (N, C, H, W), (H, W) = output_size

    Parameters
    ----------
    output_size : int or (height, width)
        Size of the image in pixels.
    kernel_size, dilation, padding, stride : int or (height, width)
        The window, in pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import nn
    >>> nn.Fold(8, 4, stride=4)(np.zeros((1, 48, 4))).shape
    (1, 3, 8, 8)
    """

    def __init__(self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Any) -> Tensor:
        """The image."""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The size and the window."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
