"""Pooling over two and three axes, as its definitions say.

x is (N, C, H, W); kernel_size, stride, dilation are (height, width), padding is (top, bottom, left, right). In three dimensions the depth comes
first: x is (N, C, D, H, W), padding (front, back, top, bottom, left, right). Padded cells never win a maximum; they count in an average only
where `count_include_pad`. Rows of numbers are pooled as images of one row.
"""

import math

import numpy as np

from ..sizes import pool_output_size
from .scalars import empty_like_shape, zero_of

__all__ = [
    "avg_pool2d",
    "avg_pool2d_grad_x",
    "avg_pool3d",
    "avg_pool3d_grad_x",
    "max_pool2d",
    "max_pool2d_flat_index",
    "max_pool2d_grad_x",
    "max_pool2d_values",
    "max_pool3d",
    "max_pool3d_flat_index",
    "max_pool3d_grad_x",
    "max_pool3d_values",
]


def output_shape(x_shape, kernel_size, stride, padding, dilation, ceil_mode):
    """(N, C, and the output size of every further axis) of a pooling."""
    outputs = [
        pool_output_size(size, kernel_size[a], stride[a], padding[2 * a], padding[2 * a + 1], dilation[a], ceil_mode)
        for a, size in enumerate(x_shape[2:])
    ]
    return (x_shape[0], x_shape[1], *outputs)


def window_dtype(kernel_size):
    """The smallest integer type that numbers the cells of a window."""
    return np.uint8 if math.prod(kernel_size) <= 255 else np.int32


def max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window, and its position in the window, counted row by row; the first of equals, the last NaN.

    A dilated window can step over a small image: its maximum is minus infinity, its position the number of cells, one behind the last.
    """
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y = empty_like_shape(shape, x)
    y.fill(-math.inf)
    window = np.full(shape, math.prod(kernel_size), window_dtype(kernel_size))
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
    """For each output, the position h * W + w of its maximum in the image; -1 where the window read nothing."""
    index = np.zeros(window.shape, np.int64)
    for n in range(window.shape[0]):
        for c in range(window.shape[1]):
            for i in range(window.shape[2]):
                for j in range(window.shape[3]):
                    a, b = divmod(int(window[n, c, i, j]), kernel_size[1])
                    h = i * stride[0] + a * dilation[0] - padding[0]
                    w = j * stride[1] + b * dilation[1] - padding[2]
                    index[n, c, i, j] = h * x_shape[3] + w if a < kernel_size[0] else -1
    return index


def max_pool2d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    grad_x = empty_like_shape(x_shape, grad)
    index = max_pool2d_flat_index(window, x_shape, kernel_size, stride, padding, dilation)
    for n in range(grad.shape[0]):
        for c in range(grad.shape[1]):
            for i in range(grad.shape[2]):
                for j in range(grad.shape[3]):
                    if index[n, c, i, j] >= 0:
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


def max_pool3d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """As `max_pool2d`, with a depth; the cells of a window are counted plane by plane, row by row."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y = empty_like_shape(shape, x)
    y.fill(-math.inf)
    window = np.full(shape, math.prod(kernel_size), window_dtype(kernel_size))
    for n, c, k, i, j in np.ndindex(*shape):
        found = False
        for place, (e, a, b) in enumerate(np.ndindex(*kernel_size)):
            d = k * stride[0] + e * dilation[0] - padding[0]
            h = i * stride[1] + a * dilation[1] - padding[2]
            w = j * stride[2] + b * dilation[2] - padding[4]
            if 0 <= d < x.shape[2] and 0 <= h < x.shape[3] and 0 <= w < x.shape[4]:
                value = x[n, c, d, h, w]
                if not found or value > y[n, c, k, i, j] or value != value:
                    y[n, c, k, i, j] = value
                    window[n, c, k, i, j] = place
                    found = True
    return y, window


def max_pool3d_flat_index(window, x_shape, kernel_size, stride, padding, dilation):
    """For each output, the position (d * H + h) * W + w of its maximum in the volume; -1 where the window read nothing."""
    index = np.zeros(window.shape, np.int64)
    for n, c, k, i, j in np.ndindex(*window.shape):
        place, b = divmod(int(window[n, c, k, i, j]), kernel_size[2])
        e, a = divmod(place, kernel_size[1])
        d = k * stride[0] + e * dilation[0] - padding[0]
        h = i * stride[1] + a * dilation[1] - padding[2]
        w = j * stride[2] + b * dilation[2] - padding[4]
        index[n, c, k, i, j] = (d * x_shape[3] + h) * x_shape[4] + w if e < kernel_size[0] else -1
    return index


def max_pool3d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    grad_x = empty_like_shape(x_shape, grad)
    index = max_pool3d_flat_index(window, x_shape, kernel_size, stride, padding, dilation)
    for n, c, k, i, j in np.ndindex(*grad.shape):
        if index[n, c, k, i, j] >= 0:
            rest, w = divmod(int(index[n, c, k, i, j]), x_shape[4])
            d, h = divmod(rest, x_shape[3])
            grad_x[n, c, d, h, w] = grad_x[n, c, d, h, w] + grad[n, c, k, i, j]
    return grad_x


def _volumes(x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Every ((k, i, j), divisor, planes, rows, columns) of an average pooling with a depth; see `_windows`."""
    outputs = output_shape(x_shape, kernel_size, stride, padding, (1, 1, 1), ceil_mode)[2:]
    for position in np.ndindex(*outputs):
        padded, inside = [], []
        for axis, size in enumerate(x_shape[2:]):
            start = position[axis] * stride[axis] - padding[2 * axis]
            end = min(start + kernel_size[axis], size + padding[2 * axis + 1])
            padded.append(end - start)
            inside.append(range(max(start, 0), min(end, size)))
        if divisor_override is not None:
            divisor = divisor_override
        elif count_include_pad:
            divisor = math.prod(padded)
        else:
            divisor = math.prod(len(cells) for cells in inside)
        yield position, divisor, *inside


def avg_pool3d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """As `avg_pool2d`, with a depth."""
    y = empty_like_shape(output_shape(x.shape, kernel_size, stride, padding, (1, 1, 1), ceil_mode), x)
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    for (k, i, j), divisor, planes, rows, columns in _volumes(x.shape, *options):
        for n in range(x.shape[0]):
            for c in range(x.shape[1]):
                total = zero_of(x)
                for d in planes:
                    for h in rows:
                        for w in columns:
                            total = total + x[n, c, d, h, w]
                y[n, c, k, i, j] = total / divisor if divisor else total
    return y


def avg_pool3d_grad_x(grad, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Each output hands its gradient over the divisor to every element of its window."""
    grad_x = empty_like_shape(x_shape, grad)
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    for (k, i, j), divisor, planes, rows, columns in _volumes(x_shape, *options):
        for n in range(x_shape[0]):
            for c in range(x_shape[1]):
                for d in planes:
                    for h in rows:
                        for w in columns:
                            grad_x[n, c, d, h, w] = grad_x[n, c, d, h, w] + grad[n, c, k, i, j] / divisor
    return grad_x


def max_pool2d_values(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window, where nobody asks which it was."""
    return max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)[0]


def max_pool3d_values(x, kernel_size, stride, padding, dilation, ceil_mode):
    """As `max_pool2d_values`, with a depth."""
    return max_pool3d(x, kernel_size, stride, padding, dilation, ceil_mode)[0]
