"""Two-dimensional pooling, as its definitions say.

x is (N, C, H, W); kernel_size, stride, dilation are (height, width), padding is (top, bottom, left, right). Padded cells never win a
maximum; they count in an average only where `count_include_pad`.
"""

import numpy as np

from ..sizes import pool_output_size
from .scalars import empty_like_shape, zero_of

__all__ = ["avg_pool2d", "avg_pool2d_grad_x", "max_pool2d", "max_pool2d_flat_index", "max_pool2d_grad_x"]


def output_shape(x_shape, kernel_size, stride, padding, dilation, ceil_mode):
    """(N, C, H_out, W_out) of a pooling."""
    height = pool_output_size(x_shape[2], kernel_size[0], stride[0], padding[0], padding[1], dilation[0], ceil_mode)
    width = pool_output_size(x_shape[3], kernel_size[1], stride[1], padding[2], padding[3], dilation[1], ceil_mode)
    return x_shape[0], x_shape[1], height, width


def window_dtype(kernel_size):
    """The smallest integer type that numbers the cells of a window."""
    return np.uint8 if kernel_size[0] * kernel_size[1] <= 255 else np.int32


def max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window, and its position in the window, counted row by row; the first of equals, the last NaN."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y = empty_like_shape(shape, x)
    window = np.zeros(shape, window_dtype(kernel_size))
    for n in range(shape[0]):
        for c in range(shape[1]):
            for i in range(shape[2]):
                for j in range(shape[3]):
                    found = False
                    for a in range(kernel_size[0]):
                        h = i * stride[0] + a * dilation[0] - padding[0]
                        for b in range(kernel_size[1]):
                            w = j * stride[1] + b * dilation[1] - padding[2]
                            if 0 <= h < x.shape[2] and 0 <= w < x.shape[3]:
                                value = x[n, c, h, w]
                                if not found or value > y[n, c, i, j] or value != value:
                                    y[n, c, i, j] = value
                                    window[n, c, i, j] = a * kernel_size[1] + b
                                    found = True
    return y, window


def max_pool2d_flat_index(window, x_shape, kernel_size, stride, padding, dilation):
    """For each output, the position h * W + w of its maximum in the image."""
    index = np.zeros(window.shape, np.int64)
    for n in range(window.shape[0]):
        for c in range(window.shape[1]):
            for i in range(window.shape[2]):
                for j in range(window.shape[3]):
                    a, b = divmod(int(window[n, c, i, j]), kernel_size[1])
                    h = i * stride[0] + a * dilation[0] - padding[0]
                    w = j * stride[1] + b * dilation[1] - padding[2]
                    index[n, c, i, j] = h * x_shape[3] + w
    return index


def max_pool2d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    grad_x = empty_like_shape(x_shape, grad)
    index = max_pool2d_flat_index(window, x_shape, kernel_size, stride, padding, dilation)
    for n in range(grad.shape[0]):
        for c in range(grad.shape[1]):
            for i in range(grad.shape[2]):
                for j in range(grad.shape[3]):
                    h, w = divmod(int(index[n, c, i, j]), x_shape[3])
                    grad_x[n, c, h, w] = grad_x[n, c, h, w] + grad[n, c, i, j]
    return grad_x


def _windows(x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Every (i, j, divisor, rows, columns) of an average pooling: the elements of x each window reads, and what their sum is divided by."""
    _, _, height, width = output_shape(x_shape, kernel_size, stride, padding, (1, 1), ceil_mode)
    for i in range(height):
        top = i * stride[0] - padding[0]
        bottom = min(top + kernel_size[0], x_shape[2] + padding[1])
        for j in range(width):
            left = j * stride[1] - padding[2]
            right = min(left + kernel_size[1], x_shape[3] + padding[3])
            rows = range(max(top, 0), min(bottom, x_shape[2]))
            columns = range(max(left, 0), min(right, x_shape[3]))
            if divisor_override is not None:
                divisor = divisor_override
            elif count_include_pad:
                divisor = (bottom - top) * (right - left)
            else:
                divisor = len(rows) * len(columns)
            yield i, j, divisor, rows, columns


def avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The sum of each window's elements over their number, over the window's size inside the padded image, or over a number given."""
    y = empty_like_shape(output_shape(x.shape, kernel_size, stride, padding, (1, 1), ceil_mode), x)
    for i, j, divisor, rows, columns in _windows(
        x.shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    ):
        for n in range(x.shape[0]):
            for c in range(x.shape[1]):
                total = zero_of(x)
                for h in rows:
                    for w in columns:
                        total = total + x[n, c, h, w]
                y[n, c, i, j] = total / divisor if divisor else total
    return y


def avg_pool2d_grad_x(grad, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Each output hands its gradient over the divisor to every element of its window."""
    grad_x = empty_like_shape(x_shape, grad)
    for i, j, divisor, rows, columns in _windows(
        x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    ):
        for n in range(x_shape[0]):
            for c in range(x_shape[1]):
                for h in rows:
                    for w in columns:
                        grad_x[n, c, h, w] = grad_x[n, c, h, w] + grad[n, c, i, j] / divisor
    return grad_x
