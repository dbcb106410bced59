"""Two-dimensional pooling, fast. A plane is one channel of one image; planes are shared among the threads."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.pool import output_shape, window_dtype
from ..threads import SERIAL_BELOW, get_num_threads
from .pool_halves import halve, spread

__all__ = ["avg_pool2d", "avg_pool2d_grad_x", "max_pool2d", "max_pool2d_flat_index", "max_pool2d_grad_x"]

NANOSECONDS_A_CELL = 1  # of a window, roughly: decides whether a parallel region pays


def _serial(cells: int) -> bool:
    return cells * NANOSECONDS_A_CELL < SERIAL_BELOW or get_num_threads() == 1


def _planes(array: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as (N * C, H, W)."""
    return array.reshape(-1, *array.shape[2:])


@kernel
def _reach(offset, step, size, count):
    """The windows first to end - 1 of `count` whose cell at j * step + offset lies on an axis of `size`."""
    first = max(0, -(offset // step))
    end = min(count, (size - 1 - offset) // step + 1) if offset < size else 0
    return first, max(first, end)


# Maximum. One cell of all windows of a row at a time: a loop over neighbouring outputs, which LLVM makes vector code of


@kernel
def _keep_larger(cells, step, best, place, cell):
    """Where cells[j * step], or NaN, is larger than best[j], it takes over. Steps 1 and 2 are spelled out, so that the vectors know them."""
    if step == 1:
        for j in range(best.size):
            value = cells[j]
            takes = (value > best[j]) | (value != value)
            best[j] = value if takes else best[j]
            place[j] = cell if takes else place[j]
    elif step == 2:
        for j in range(best.size):
            value = cells[2 * j]
            takes = (value > best[j]) | (value != value)
            best[j] = value if takes else best[j]
            place[j] = cell if takes else place[j]
    else:
        for j in range(best.size):
            value = cells[j * step]
            takes = (value > best[j]) | (value != value)
            best[j] = value if takes else best[j]
            place[j] = cell if takes else place[j]


@kernel
def _max_plane(x, y, window, kernel_size, stride, padding, dilation):
    height, width = x.shape
    number = window.dtype.type
    for i in range(y.shape[0]):
        started = False
        for a in range(kernel_size[0]):
            h = i * stride[0] + a * dilation[0] - padding[0]
            if h < 0 or h >= height:
                continue
            if not started:
                # A window of nothing but minus infinity is won by its first cell.
                y[i, :] = -np.inf
                for b in range(kernel_size[1] - 1, -1, -1):
                    first, end = _reach(b * dilation[1] - padding[2], stride[1], width, y.shape[1])
                    window[i, first:end] = a * kernel_size[1] + b
                started = True
            for b in range(kernel_size[1]):
                offset = b * dilation[1] - padding[2]
                first, end = _reach(offset, stride[1], width, y.shape[1])
                if first < end:
                    cells = x[h, first * stride[1] + offset :]
                    _keep_larger(cells, stride[1], y[i, first:end], window[i, first:end], number(a * kernel_size[1] + b))


@kernel
def _max_serial(x, y, window, kernel_size, stride, padding, dilation, halves):
    for plane in range(x.shape[0]):
        if halves:
            halve(x[plane], y[plane], window[plane])
        else:
            _max_plane(x[plane], y[plane], window[plane], kernel_size, stride, padding, dilation)


@kernel(parallel=True)
def _max_parallel(x, y, window, kernel_size, stride, padding, dilation, halves):
    for plane in prange(x.shape[0]):
        if halves:
            halve(x[plane], y[plane], window[plane])
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
    """The gradient of `halve`: every element of grad_x is written once."""
    spread(grad, window, grad_x)
    grad_x[: 2 * grad.shape[0], 2 * grad.shape[1] :] = 0
    grad_x[2 * grad.shape[0] :] = 0


@kernel
def _spread(grad, window, grad_x, kernel_size, stride, padding, dilation):
    width = grad_x.shape[1]
    # Where each cell of a window lies, from the window's corner on: a table is cheaper than dividing each place by the kernel's width.
    steps = np.empty(kernel_size[0] * kernel_size[1], np.intp)
    for a in range(kernel_size[0]):
        for b in range(kernel_size[1]):
            steps[a * kernel_size[1] + b] = a * dilation[0] * width + b * dilation[1]
    flat = grad_x.reshape(-1)
    flat[:] = 0
    for i in range(grad.shape[0]):
        corner = (i * stride[0] - padding[0]) * width - padding[2]
        for j in range(grad.shape[1]):
            flat[corner + j * stride[1] + steps[window[i, j]]] += grad[i, j]


@kernel
def _spread_serial(grad, window, grad_x, kernel_size, stride, padding, dilation, halves):
    for plane in range(grad.shape[0]):
        if halves:
            _spread_halves(grad[plane], window[plane], grad_x[plane])
        else:
            _spread(grad[plane], window[plane], grad_x[plane], kernel_size, stride, padding, dilation)


@kernel(parallel=True)
def _spread_parallel(grad, window, grad_x, kernel_size, stride, padding, dilation, halves):
    for plane in prange(grad.shape[0]):
        if halves:
            _spread_halves(grad[plane], window[plane], grad_x[plane])
        else:
            _spread(grad[plane], window[plane], grad_x[plane], kernel_size, stride, padding, dilation)


def max_pool2d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    grad_x = memory.empty(x_shape, grad.dtype)
    halves = _halves(kernel_size, stride, padding, dilation) and 2 * grad.shape[2] <= x_shape[2] and 2 * grad.shape[3] <= x_shape[3]
    run = _spread_serial if _serial(grad_x.size) else _spread_parallel
    run(_planes(grad), _planes(window), _planes(grad_x), kernel_size, stride, padding, dilation, halves)
    return grad_x


# Average


@kernel
def _lengths(i, size, kernel_size, stride, before, after):
    """How many cells window i reads along one axis, and how many it has inside the padded axis."""
    start = i * stride - before
    end = min(start + kernel_size, size + after)
    return max(min(end, size) - max(start, 0), 0), end - start


@kernel
def _divisors(x_shape, i, columns, kernel_size, stride, padding, count_include_pad, divisor_override):
    """What the sum of each window of row i is divided by; a window that reads nothing keeps its zero."""
    inside, padded = _lengths(i, x_shape[0], kernel_size[0], stride[0], padding[0], padding[1])
    for j in range(columns.size):
        wide, wide_padded = _lengths(j, x_shape[1], kernel_size[1], stride[1], padding[2], padding[3])
        divisor = padded * wide_padded if count_include_pad else inside * wide
        columns[j] = divisor_override if divisor_override else (divisor if divisor else 1)


@kernel
def _add_cells(cells, step, total):
    if step == 1:
        for j in range(total.size):
            total[j] += cells[j]
    elif step == 2:
        for j in range(total.size):
            total[j] += cells[2 * j]
    else:
        for j in range(total.size):
            total[j] += cells[j * step]


@kernel
def _average_plane(x, y, kernel_size, stride, padding, count_include_pad, divisor_override):
    height, width = x.shape
    divisors = np.empty(y.shape[1], x.dtype)
    for i in range(y.shape[0]):
        y[i, :] = 0
        for a in range(kernel_size[0]):
            h = i * stride[0] + a - padding[0]
            if h < 0 or h >= height:
                continue
            for b in range(kernel_size[1]):
                first, end = _reach(b - padding[2], stride[1], width, y.shape[1])
                if first < end:
                    _add_cells(x[h, first * stride[1] + b - padding[2] :], stride[1], y[i, first:end])
        _divisors(x.shape, i, divisors, kernel_size, stride, padding, count_include_pad, divisor_override)
        for j in range(y.shape[1]):
            y[i, j] /= divisors[j]


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
    shares = np.empty(grad.shape[1], grad.dtype)
    for i in range(grad.shape[0]):
        _divisors(grad_x.shape, i, shares, kernel_size, stride, padding, count_include_pad, divisor_override)
        for j in range(grad.shape[1]):
            shares[j] = grad[i, j] / shares[j]
        for a in range(kernel_size[0]):
            h = i * stride[0] + a - padding[0]
            if h < 0 or h >= height:
                continue
            for b in range(kernel_size[1]):
                offset = b - padding[2]
                first, end = _reach(offset, stride[1], width, grad.shape[1])
                for j in range(first, end):
                    grad_x[h, j * stride[1] + offset] += shares[j]


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
