"""Two-dimensional pooling, fast. A plane is one channel of one image; planes are shared among the threads."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.pool import output_shape, window_dtype
from ..threads import SERIAL_BELOW, get_num_threads
from .pool_vectors import halve, keep_larger, spread

__all__ = ["avg_pool2d", "avg_pool2d_grad_x", "max_pool2d", "max_pool2d_flat_index", "max_pool2d_grad_x"]

ONE, TWO = np.uint64(1), np.uint64(2)
NANOSECONDS_A_CELL = 0.3  # of a window, roughly: decides whether a parallel region pays


def _serial(cells: int) -> bool:
    return cells * NANOSECONDS_A_CELL < SERIAL_BELOW or get_num_threads() == 1


def _planes(array: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as (N * C, H, W)."""
    return array.reshape(-1, *array.shape[2:])


def _tasks(planes: int) -> int:
    """Into how many shares of neighbouring planes the work is cut."""
    return max(1, min(planes, 4 * get_num_threads()))


# Arrays are flat, and positions in them counted by hand: taking a row out of an array costs more than pooling it.


@kernel
def _reaches(cells, step, dilation, before, size, windows):
    """For each cell b of the windows along one axis: the windows first[b] to end[b] - 1 whose cell j * step + b * dilation - before exists."""
    first, end = np.empty(cells, np.intp), np.empty(cells, np.intp)
    for b in range(cells):
        offset = b * dilation - before
        first[b] = max(0, -(offset // step))
        end[b] = max(first[b], min(windows, (size - 1 - offset) // step + 1) if offset < size else 0)
    return first, end


# Maximum. One cell of all windows of a row at a time: a loop over neighbouring outputs


@kernel
def _max_planes(x, y, window, x_shape, y_shape, kernel_size, stride, padding, dilation, first_plane, end_plane):
    _, height, width = x_shape
    _, rows, columns = y_shape
    lowest, number = x.dtype.type(-np.inf), window.dtype.type
    first, end = _reaches(kernel_size[1], stride[1], dilation[1], padding[2], width, columns)
    for plane in range(first_plane, end_plane):
        for i in range(rows):
            out = (plane * rows + i) * columns
            started = False
            for a in range(kernel_size[0]):
                h = i * stride[0] + a * dilation[0] - padding[0]
                if h < 0 or h >= height:
                    continue
                row = (plane * height + h) * width
                if not started:
                    # A window of nothing but minus infinity is won by its first cell.
                    for j in range(out, out + columns):
                        y[j] = lowest
                    for b in range(kernel_size[1] - 1, -1, -1):
                        for j in range(out + first[b], out + end[b]):
                            window[j] = number(a * kernel_size[1] + b)
                    started = True
                for b in range(kernel_size[1]):
                    start = row + first[b] * stride[1] + b * dilation[1] - padding[2]
                    keep_larger(x, start, stride[1], y, window, out + first[b], end[b] - first[b], a * kernel_size[1] + b)


@kernel(parallel=True)
def _halve_parallel(x, y, window, tasks):
    for task in prange(tasks):
        halve(x, y, window, task * x.shape[0] // tasks, (task + 1) * x.shape[0] // tasks)


@kernel(parallel=True)
def _max_parallel(x, y, window, x_shape, y_shape, kernel_size, stride, padding, dilation, tasks):
    for task in prange(tasks):
        first, end = task * x_shape[0] // tasks, (task + 1) * x_shape[0] // tasks
        _max_planes(x, y, window, x_shape, y_shape, kernel_size, stride, padding, dilation, first, end)


def _halves(kernel_size, stride, padding, dilation, inner, outer) -> bool:
    """Whether the windows are 2x2, apart from each other and inside the image."""
    if not (kernel_size == stride == (2, 2) and padding == (0, 0, 0, 0) and dilation == (1, 1)):
        return False
    return 2 * outer[2] <= inner[2] and 2 * outer[3] <= inner[3]


def max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window and its place in the window; see the reference."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y = memory.empty(shape, x.dtype)
    window = memory.empty(shape, window_dtype(kernel_size))
    planes = shape[0] * shape[1]
    serial = _serial(y.size * kernel_size[0] * kernel_size[1])
    if _halves(kernel_size, stride, padding, dilation, x.shape, shape):
        arrays = _planes(x), _planes(y), _planes(window)
        if serial:
            halve(*arrays, 0, planes)
        else:
            _halve_parallel(*arrays, _tasks(planes))
        return y, window
    arguments = (x.reshape(-1), y.reshape(-1), window.reshape(-1), (planes, *x.shape[2:]), (planes, *shape[2:]))
    if serial:
        _max_planes(*arguments, kernel_size, stride, padding, dilation, 0, planes)
    else:
        _max_parallel(*arguments, kernel_size, stride, padding, dilation, _tasks(planes))
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
def _spread_halves(grad, window, grad_x, first, end):
    """The gradient of `halve`: every element of grad_x is written once."""
    spread(grad, window, grad_x, first, end)
    height, width = grad_x.shape[1:]
    covered_height, covered_width = 2 * grad.shape[1], 2 * grad.shape[2]
    if covered_height == height and covered_width == width:
        return
    for plane in range(first, end):
        for h in range(height):
            for w in range(covered_width if h < covered_height else 0, width):
                grad_x[plane, h, w] = 0


@kernel
def _spread_planes(grad, window, grad_x, y_shape, x_shape, kernel_size, stride, padding, dilation, first_plane, end_plane):
    _, rows, columns = y_shape
    _, height, width = x_shape
    # Where each cell of a window lies, from the window's corner on: a table is cheaper than dividing each place by the kernel's width.
    steps = np.empty(kernel_size[0] * kernel_size[1], np.intp)
    for a in range(kernel_size[0]):
        for b in range(kernel_size[1]):
            steps[a * kernel_size[1] + b] = a * dilation[0] * width + b * dilation[1]
    for plane in range(first_plane, end_plane):
        for position in range(plane * height * width, (plane + 1) * height * width):
            grad_x[position] = 0
        for i in range(rows):
            corner = (plane * height + i * stride[0] - padding[0]) * width - padding[2]
            out = (plane * rows + i) * columns
            for j in range(columns):
                grad_x[np.uint64(corner + j * stride[1] + steps[window[out + j]])] += grad[out + j]


@kernel(parallel=True)
def _spread_halves_parallel(grad, window, grad_x, tasks):
    for task in prange(tasks):
        _spread_halves(grad, window, grad_x, task * grad.shape[0] // tasks, (task + 1) * grad.shape[0] // tasks)


@kernel(parallel=True)
def _spread_parallel(grad, window, grad_x, y_shape, x_shape, kernel_size, stride, padding, dilation, tasks):
    for task in prange(tasks):
        first, end = task * y_shape[0] // tasks, (task + 1) * y_shape[0] // tasks
        _spread_planes(grad, window, grad_x, y_shape, x_shape, kernel_size, stride, padding, dilation, first, end)


def max_pool2d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    grad_x = memory.empty(x_shape, grad.dtype)
    planes = x_shape[0] * x_shape[1]
    serial = _serial(grad_x.size)
    if _halves(kernel_size, stride, padding, dilation, x_shape, grad.shape):
        arrays = _planes(grad), _planes(window), _planes(grad_x)
        if serial:
            _spread_halves(*arrays, 0, planes)
        else:
            _spread_halves_parallel(*arrays, _tasks(planes))
        return grad_x
    arguments = (grad.reshape(-1), window.reshape(-1), grad_x.reshape(-1), (planes, *grad.shape[2:]), (planes, *x_shape[2:]))
    if serial:
        _spread_planes(*arguments, kernel_size, stride, padding, dilation, 0, planes)
    else:
        _spread_parallel(*arguments, kernel_size, stride, padding, dilation, _tasks(planes))
    return grad_x


# Average


@kernel
def _lengths(windows, size, kernel_size, stride, before, after, count_include_pad, like):
    """How many cells of each window along one axis count, so that the product over both axes is what a sum is divided by."""
    lengths = np.empty(windows, like.dtype)
    for i in range(windows):
        start = i * stride - before
        end = min(start + kernel_size, size + after)
        inside = min(end, size) - max(start, 0)
        # A window that reads nothing keeps its zero.
        lengths[i] = end - start if count_include_pad else max(inside, 1)
    return lengths


@kernel
def _divisors(x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, like):
    """(a, b) where a[i] * b[j] is what the sum of window (i, j) is divided by."""
    high = _lengths(y_shape[1], x_shape[1], kernel_size[0], stride[0], padding[0], padding[1], count_include_pad, like)
    wide = _lengths(y_shape[2], x_shape[2], kernel_size[1], stride[1], padding[2], padding[3], count_include_pad, like)
    if divisor_override:
        high[:] = divisor_override
        wide[:] = 1
    return high, wide


@kernel
def _add_cells(x, start, step, total, first, count):
    """total[first + j] += x[start + j * step]. Unsigned positions: Numba does not ask whether they are negative, so LLVM makes vectors of them."""
    if step == ONE:
        for j in range(count):
            total[first + j] += x[start + j]
    elif step == TWO:
        for j in range(count):
            total[first + j] += x[start + TWO * j]
    else:
        for j in range(count):
            total[first + j] += x[start + step * j]


@kernel
def _average_planes(x, y, x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, first_plane, end_plane):
    _, height, width = x_shape
    _, rows, columns = y_shape
    high, wide = _divisors(x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, x)
    first, end = _reaches(kernel_size[1], stride[1], 1, padding[2], width, columns)
    for plane in range(first_plane, end_plane):
        for i in range(rows):
            out = (plane * rows + i) * columns
            for j in range(out, out + columns):
                y[j] = 0
            for a in range(kernel_size[0]):
                h = i * stride[0] + a - padding[0]
                if h < 0 or h >= height:
                    continue
                for b in range(kernel_size[1]):
                    start = (plane * height + h) * width + first[b] * stride[1] + b - padding[2]
                    _add_cells(x, np.uint64(start), np.uint64(stride[1]), y, np.uint64(out + first[b]), np.uint64(end[b] - first[b]))
            for j in range(columns):
                y[out + j] /= high[i] * wide[j]


@kernel(parallel=True)
def _average_parallel(x, y, x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, tasks):
    for task in prange(tasks):
        first, end = task * x_shape[0] // tasks, (task + 1) * x_shape[0] // tasks
        _average_planes(x, y, x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, first, end)


def avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The average of each window; see the reference for what it is divided by."""
    y = memory.empty(output_shape(x.shape, kernel_size, stride, padding, (1, 1), ceil_mode), x.dtype)
    planes = y.shape[0] * y.shape[1]
    options = (kernel_size, stride, padding, count_include_pad, divisor_override or 0)
    arguments = (x.reshape(-1), y.reshape(-1), (planes, *x.shape[2:]), (planes, *y.shape[2:]), *options)
    if _serial(y.size * kernel_size[0] * kernel_size[1]):
        _average_planes(*arguments, 0, planes)
    else:
        _average_parallel(*arguments, _tasks(planes))
    return y


@kernel
def _share_cells(shares, first, end, grad_x, cell, step):
    for j in range(first, end):
        grad_x[cell] += shares[j]
        cell += step


@kernel
def _share_planes(grad, grad_x, y_shape, x_shape, kernel_size, stride, padding, count_include_pad, divisor_override, first_plane, end_plane):
    _, rows, columns = y_shape
    _, height, width = x_shape
    high, wide = _divisors(x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, grad)
    first, end = _reaches(kernel_size[1], stride[1], 1, padding[2], width, columns)
    shares = np.empty(columns, grad.dtype)
    for plane in range(first_plane, end_plane):
        for position in range(plane * height * width, (plane + 1) * height * width):
            grad_x[position] = 0
        for i in range(rows):
            for j in range(columns):
                shares[j] = grad[(plane * rows + i) * columns + j] / (high[i] * wide[j])
            for a in range(kernel_size[0]):
                h = i * stride[0] + a - padding[0]
                if h < 0 or h >= height:
                    continue
                for b in range(kernel_size[1]):
                    cell = (plane * height + h) * width + first[b] * stride[1] + b - padding[2]
                    _share_cells(shares, first[b], end[b], grad_x, np.uint64(cell), np.uint64(stride[1]))


@kernel(parallel=True)
def _share_parallel(grad, grad_x, y_shape, x_shape, kernel_size, stride, padding, count_include_pad, divisor_override, tasks):
    for task in prange(tasks):
        first, end = task * y_shape[0] // tasks, (task + 1) * y_shape[0] // tasks
        _share_planes(grad, grad_x, y_shape, x_shape, kernel_size, stride, padding, count_include_pad, divisor_override, first, end)


def avg_pool2d_grad_x(grad, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Each output hands its gradient over the divisor to every element of its window."""
    grad_x = memory.empty(x_shape, grad.dtype)
    planes = x_shape[0] * x_shape[1]
    options = (kernel_size, stride, padding, count_include_pad, divisor_override or 0)
    arguments = (grad.reshape(-1), grad_x.reshape(-1), (planes, *grad.shape[2:]), (planes, *x_shape[2:]), *options)
    if _serial(grad.size * kernel_size[0] * kernel_size[1]):
        _share_planes(*arguments, 0, planes)
    else:
        _share_parallel(*arguments, _tasks(planes))
    return grad_x
