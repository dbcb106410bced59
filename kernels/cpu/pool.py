"""Two-dimensional pooling, fast. A plane is one channel of one image; planes are shared among the threads."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.pool import output_shape, window_dtype
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["avg_pool2d", "avg_pool2d_grad_x", "max_pool2d", "max_pool2d_flat_index", "max_pool2d_grad_x"]

NANOSECONDS_A_CELL = 1  # of a window, roughly: decides whether a parallel region pays


def _serial(cells: int) -> bool:
    return cells * NANOSECONDS_A_CELL < SERIAL_BELOW or get_num_threads() == 1


def _planes(array: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as (N * C, H, W)."""
    return array.reshape(-1, *array.shape[2:])


# Maximum: the window most networks use has a kernel of its own, in which nothing depends on the data but the numbers


@kernel
def _halve(x, y, window):
    """Windows of 2x2 that neither overlap nor leave the plane."""
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            best = x[2 * i, 2 * j]
            place = np.uint8(0)
            value = x[2 * i, 2 * j + 1]
            if value > best or value != value:
                best = value
                place = np.uint8(1)
            value = x[2 * i + 1, 2 * j]
            if value > best or value != value:
                best = value
                place = np.uint8(2)
            value = x[2 * i + 1, 2 * j + 1]
            if value > best or value != value:
                best = value
                place = np.uint8(3)
            y[i, j] = best
            window[i, j] = place


@kernel
def _max_plane(x, y, window, kernel_size, stride, padding, dilation):
    height, width = x.shape
    for i in range(y.shape[0]):
        top = i * stride[0] - padding[0]
        for j in range(y.shape[1]):
            left = j * stride[1] - padding[2]
            best = x.dtype.type(0)
            place = 0
            found = False
            for a in range(kernel_size[0]):
                h = top + a * dilation[0]
                if h < 0 or h >= height:
                    continue
                for b in range(kernel_size[1]):
                    w = left + b * dilation[1]
                    if w < 0 or w >= width:
                        continue
                    value = x[h, w]
                    if not found or value > best or value != value:
                        best = value
                        place = a * kernel_size[1] + b
                        found = True
            y[i, j] = best
            window[i, j] = place


@kernel
def _max_serial(x, y, window, kernel_size, stride, padding, dilation, halves):
    for plane in range(x.shape[0]):
        if halves:
            _halve(x[plane], y[plane], window[plane])
        else:
            _max_plane(x[plane], y[plane], window[plane], kernel_size, stride, padding, dilation)


@kernel(parallel=True)
def _max_parallel(x, y, window, kernel_size, stride, padding, dilation, halves):
    for plane in prange(x.shape[0]):
        if halves:
            _halve(x[plane], y[plane], window[plane])
        else:
            _max_plane(x[plane], y[plane], window[plane], kernel_size, stride, padding, dilation)


def _halves(kernel_size, stride, padding, dilation) -> bool:
    return kernel_size == stride == (2, 2) and padding == (0, 0, 0, 0) and dilation == (1, 1)


def max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window and its place in the window; see the reference."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y = memory.empty(shape, x.dtype)
    window = memory.empty(shape, window_dtype(kernel_size))
    halves = _halves(kernel_size, stride, padding, dilation) and 2 * shape[2] <= x.shape[2] and 2 * shape[3] <= x.shape[3]
    run = _max_serial if _serial(y.size * kernel_size[0] * kernel_size[1]) else _max_parallel
    run(_planes(x), _planes(y), _planes(window), kernel_size, stride, padding, dilation, halves)
    return y, window


@kernel
def _flat_index(window, index, width, kernel_width, stride, padding, dilation):
    for plane in range(window.shape[0]):
        for i in range(window.shape[1]):
            for j in range(window.shape[2]):
                place = window[plane, i, j]
                h = i * stride[0] + place // kernel_width * dilation[0] - padding[0]
                w = j * stride[1] + place % kernel_width * dilation[1] - padding[2]
                index[plane, i, j] = h * width + w


def max_pool2d_flat_index(window, x_shape, kernel_size, stride, padding, dilation):
    """For each output, the position h * W + w of its maximum in the image."""
    index = memory.empty(window.shape, np.int64)
    _flat_index(_planes(window), _planes(index), x_shape[3], kernel_size[1], stride, padding, dilation)
    return index


@kernel
def _spread_halves(grad, window, grad_x):
    """The gradient of `_halve`: every element of grad_x is written once."""
    zero = grad.dtype.type(0)
    for i in range(grad.shape[0]):
        for j in range(grad.shape[1]):
            value = grad[i, j]
            place = window[i, j]
            grad_x[2 * i, 2 * j] = value if place == 0 else zero
            grad_x[2 * i, 2 * j + 1] = value if place == 1 else zero
        for j in range(grad.shape[1]):
            value = grad[i, j]
            place = window[i, j]
            grad_x[2 * i + 1, 2 * j] = value if place == 2 else zero
            grad_x[2 * i + 1, 2 * j + 1] = value if place == 3 else zero
        for j in range(2 * grad.shape[1], grad_x.shape[1]):
            grad_x[2 * i, j] = zero
            grad_x[2 * i + 1, j] = zero
    for i in range(2 * grad.shape[0], grad_x.shape[0]):
        for j in range(grad_x.shape[1]):
            grad_x[i, j] = zero


@kernel
def _spread(grad, window, grad_x, kernel_width, stride, padding, dilation):
    grad_x[:] = 0
    for i in range(grad.shape[0]):
        for j in range(grad.shape[1]):
            place = window[i, j]
            h = i * stride[0] + place // kernel_width * dilation[0] - padding[0]
            w = j * stride[1] + place % kernel_width * dilation[1] - padding[2]
            grad_x[h, w] += grad[i, j]


@kernel
def _spread_serial(grad, window, grad_x, kernel_width, stride, padding, dilation, halves):
    for plane in range(grad.shape[0]):
        if halves:
            _spread_halves(grad[plane], window[plane], grad_x[plane])
        else:
            _spread(grad[plane], window[plane], grad_x[plane], kernel_width, stride, padding, dilation)


@kernel(parallel=True)
def _spread_parallel(grad, window, grad_x, kernel_width, stride, padding, dilation, halves):
    for plane in prange(grad.shape[0]):
        if halves:
            _spread_halves(grad[plane], window[plane], grad_x[plane])
        else:
            _spread(grad[plane], window[plane], grad_x[plane], kernel_width, stride, padding, dilation)


def max_pool2d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    grad_x = memory.empty(x_shape, grad.dtype)
    halves = _halves(kernel_size, stride, padding, dilation) and 2 * grad.shape[2] <= x_shape[2] and 2 * grad.shape[3] <= x_shape[3]
    run = _spread_serial if _serial(grad_x.size) else _spread_parallel
    run(_planes(grad), _planes(window), _planes(grad_x), kernel_size[1], stride, padding, dilation, halves)
    return grad_x


# Average


@kernel
def _window_of(i, size, kernel_size, stride, before, after):
    """(first, end, padded length) of window i along one axis: what it reads of x, and its length inside the padded axis."""
    start = i * stride - before
    end = min(start + kernel_size, size + after)
    return max(start, 0), min(end, size), end - start


@kernel
def _average_plane(x, y, kernel_size, stride, padding, count_include_pad, divisor_override):
    height, width = x.shape
    for i in range(y.shape[0]):
        top, bottom, tall = _window_of(i, height, kernel_size[0], stride[0], padding[0], padding[1])
        for j in range(y.shape[1]):
            left, right, wide = _window_of(j, width, kernel_size[1], stride[1], padding[2], padding[3])
            total = x.dtype.type(0)
            for h in range(top, bottom):
                for w in range(left, right):
                    total += x[h, w]
            divisor = tall * wide if count_include_pad else max(bottom - top, 0) * max(right - left, 0)
            if divisor_override:
                divisor = divisor_override
            y[i, j] = total / x.dtype.type(divisor) if divisor else total


@kernel
def _average_serial(x, y, kernel_size, stride, padding, count_include_pad, divisor_override):
    for plane in range(x.shape[0]):
        _average_plane(x[plane], y[plane], kernel_size, stride, padding, count_include_pad, divisor_override)


@kernel(parallel=True)
def _average_parallel(x, y, kernel_size, stride, padding, count_include_pad, divisor_override):
    for plane in prange(x.shape[0]):
        _average_plane(x[plane], y[plane], kernel_size, stride, padding, count_include_pad, divisor_override)


def avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The average of each window; see the reference for what it is divided by."""
    y = memory.empty(output_shape(x.shape, kernel_size, stride, padding, (1, 1), ceil_mode), x.dtype)
    run = _average_serial if _serial(y.size * kernel_size[0] * kernel_size[1]) else _average_parallel
    run(_planes(x), _planes(y), kernel_size, stride, padding, count_include_pad, divisor_override or 0)
    return y


@kernel
def _share_plane(grad, grad_x, kernel_size, stride, padding, count_include_pad, divisor_override):
    height, width = grad_x.shape
    grad_x[:] = 0
    for i in range(grad.shape[0]):
        top, bottom, tall = _window_of(i, height, kernel_size[0], stride[0], padding[0], padding[1])
        for j in range(grad.shape[1]):
            left, right, wide = _window_of(j, width, kernel_size[1], stride[1], padding[2], padding[3])
            divisor = tall * wide if count_include_pad else max(bottom - top, 0) * max(right - left, 0)
            if divisor_override:
                divisor = divisor_override
            share = grad[i, j] / grad.dtype.type(divisor)
            for h in range(top, bottom):
                for w in range(left, right):
                    grad_x[h, w] += share


@kernel
def _share_serial(grad, grad_x, kernel_size, stride, padding, count_include_pad, divisor_override):
    for plane in range(grad.shape[0]):
        _share_plane(grad[plane], grad_x[plane], kernel_size, stride, padding, count_include_pad, divisor_override)


@kernel(parallel=True)
def _share_parallel(grad, grad_x, kernel_size, stride, padding, count_include_pad, divisor_override):
    for plane in prange(grad.shape[0]):
        _share_plane(grad[plane], grad_x[plane], kernel_size, stride, padding, count_include_pad, divisor_override)


def avg_pool2d_grad_x(grad, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Each output hands its gradient over the divisor to every element of its window."""
    grad_x = memory.empty(x_shape, grad.dtype)
    run = _share_serial if _serial(grad.size * kernel_size[0] * kernel_size[1]) else _share_parallel
    run(_planes(grad), _planes(grad_x), kernel_size, stride, padding, count_include_pad, divisor_override or 0)
    return grad_x
