"""Image to columns and back, as their definitions say.

Column p of (N, C K_h K_w, P) holds what the window at output pixel p = i * W_out + j sees, channel by channel, tap by tap, zeros beyond the
image; kernel_size, dilation, stride are (height, width), padding is (top, bottom, left, right).
"""

from ..sizes import conv_output_size
from .scalars import empty_like_shape

__all__ = ["col2im", "im2col"]


def window_grid(size, kernel_size, dilation, padding, stride):
    """(H_out, W_out): how many windows stand below and beside each other in an image of size (H, W)."""
    rows = conv_output_size(size[0], kernel_size[0], stride[0], padding[0], padding[1], dilation[0])
    columns = conv_output_size(size[1], kernel_size[1], stride[1], padding[2], padding[3], dilation[1])
    return rows, columns


def _copies(channels, size, kernel_size, dilation, padding, stride):
    """Every (row, column) of the matrix of columns that is a copy of a pixel, with that pixel's (channel, row, column)."""
    rows, columns = window_grid(size, kernel_size, dilation, padding, stride)
    for c in range(channels):
        for a in range(kernel_size[0]):
            for b in range(kernel_size[1]):
                row = (c * kernel_size[0] + a) * kernel_size[1] + b
                for i in range(rows):
                    h = i * stride[0] + a * dilation[0] - padding[0]
                    for j in range(columns):
                        w = j * stride[1] + b * dilation[1] - padding[2]
                        if 0 <= h < size[0] and 0 <= w < size[1]:
                            yield (row, i * columns + j), (c, h, w)


def im2col(x, kernel_size, dilation, padding, stride):
    """(N, C, H, W) as (N, C K_h K_w, H_out W_out): one column for each window."""
    rows, columns = window_grid(x.shape[2:], kernel_size, dilation, padding, stride)
    matrix = empty_like_shape((x.shape[0], x.shape[1] * kernel_size[0] * kernel_size[1], rows * columns), x)
    for place, pixel in _copies(x.shape[1], x.shape[2:], kernel_size, dilation, padding, stride):
        for n in range(x.shape[0]):
            matrix[(n, *place)] = x[(n, *pixel)]
    return matrix


def col2im(columns, output_size, kernel_size, dilation, padding, stride):
    """The adjoint of `im2col`: every pixel is the sum of its copies."""
    channels = columns.shape[1] // (kernel_size[0] * kernel_size[1])
    x = empty_like_shape((columns.shape[0], channels, *output_size), columns)
    for place, pixel in _copies(channels, output_size, kernel_size, dilation, padding, stride):
        for n in range(columns.shape[0]):
            x[(n, *pixel)] = x[(n, *pixel)] + columns[(n, *place)]
    return x
