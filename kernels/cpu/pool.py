"""Maximum pooling over two and three axes, fast. A plane is one channel of one image; planes are shared among the threads."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..reference.pool import output_shape, window_dtype
from .planes import deep_sizes, reaches, serial, tasks_of, volume
from .pool_average import avg_pool2d, avg_pool2d_grad_x, avg_pool3d, avg_pool3d_grad_x
from .pool_vectors import halve, keep_larger, spread

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

ONE, TWO = np.uint64(1), np.uint64(2)


def _planes(array: np.ndarray) -> np.ndarray:
    """(N, C, H, W) as (N * C, H, W)."""
    return array.reshape(-1, *array.shape[2:])


# Arrays are flat, and positions in them counted by hand: taking a row out of an array costs more than pooling it. One cell of all windows of a row
# at a time: a loop over neighbouring outputs. An image is a volume of one plane.


@kernel
def _max_planes(x, y, window, x_shape, y_shape, kernel_size, stride, padding, dilation, gaps, first_plane, end_plane):
    _, depth, height, width = x_shape
    _, layers, rows, columns = y_shape
    lowest, number = x.dtype.type(-np.inf), window.dtype.type
    nothing = number(kernel_size[0] * kernel_size[1] * kernel_size[2])
    first, end = reaches(kernel_size[2], stride[2], dilation[2], padding[4], width, columns)
    for plane in range(first_plane, end_plane):
        for k in range(layers):
            for i in range(rows):
                out = ((plane * layers + k) * rows + i) * columns
                if gaps:
                    for j in range(out, out + columns):
                        y[j], window[j] = lowest, nothing
                started = False
                for place in range(kernel_size[0] * kernel_size[1]):
                    e = place // kernel_size[1]
                    d = k * stride[0] + e * dilation[0] - padding[0]
                    h = i * stride[1] + (place - e * kernel_size[1]) * dilation[1] - padding[2]
                    if d < 0 or d >= depth or h < 0 or h >= height:
                        continue
                    row = ((plane * depth + d) * height + h) * width
                    if not started:
                        # A window of nothing but minus infinity is won by its first cell.
                        for j in range(out, out + columns):
                            y[j] = lowest
                        for b in range(kernel_size[2] - 1, -1, -1):
                            for j in range(out + first[b], out + end[b]):
                                window[j] = number(place * kernel_size[2] + b)
                        started = True
                    for b in range(kernel_size[2]):
                        start = row + first[b] * stride[2] + b * dilation[2] - padding[4]
                        keep_larger(x, start, stride[2], y, window, out + first[b], end[b] - first[b], place * kernel_size[2] + b)


@kernel(parallel=True)
def _halve_parallel(x, y, window, tasks):
    for task in prange(tasks):
        halve(x, y, window, task * x.shape[0] // tasks, (task + 1) * x.shape[0] // tasks)


@kernel(parallel=True)
def _max_parallel(x, y, window, x_shape, y_shape, kernel_size, stride, padding, dilation, gaps, tasks):
    for task in prange(tasks):
        first, end = task * x_shape[0] // tasks, (task + 1) * x_shape[0] // tasks
        _max_planes(x, y, window, x_shape, y_shape, kernel_size, stride, padding, dilation, gaps, first, end)


def _halves(kernel_size, stride, padding, dilation, inner, outer) -> bool:
    """Whether the windows are 2x2, apart from each other and inside the image."""
    if not (kernel_size == stride == (2, 2) and padding == (0, 0, 0, 0) and dilation == (1, 1)):
        return False
    return 2 * outer[2] <= inner[2] and 2 * outer[3] <= inner[3]


@plan_cache
def _has_gaps(x_shape, y_shape, kernel_size, stride, padding, dilation):
    """Whether some window reads nothing: dilated ones can step over a small image."""
    for axis, size in enumerate(x_shape[1:]):
        for i in range(y_shape[1 + axis]):
            cells = [i * stride[axis] + a * dilation[axis] - padding[2 * axis] for a in range(kernel_size[axis])]
            if not any(0 <= cell < size for cell in cells):
                return True
    return False


def _geometry(x_shape, y_shape, kernel_size, stride, padding, dilation):
    """What the kernels of the maximum are told of shapes and windows."""
    volumes = volume(x_shape), volume(y_shape)
    options = (kernel_size, stride, padding, dilation)
    return (*volumes, *options, max(dilation) > 1 and _has_gaps(*volumes, *options))


def _max_pool(x, shape, kernel_size, stride, padding, dilation):
    """The maximum over windows of three axes; x has three or two, its outputs `shape`."""
    y = memory.empty(shape, x.dtype)
    window = memory.empty(shape, window_dtype(kernel_size))
    arguments = (x.reshape(-1), y.reshape(-1), window.reshape(-1), *_geometry(x.shape, shape, kernel_size, stride, padding, dilation))
    planes = shape[0] * shape[1]
    if serial(y.size * kernel_size[0] * kernel_size[1] * kernel_size[2]):
        _max_planes(*arguments, 0, planes)
    else:
        _max_parallel(*arguments, tasks_of(planes))
    return y, window


def max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window and its place in the window; see the reference."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    if not _halves(kernel_size, stride, padding, dilation, x.shape, shape):
        return _max_pool(x, shape, deep_sizes(kernel_size), deep_sizes(stride), (0, 0, *padding), deep_sizes(dilation))
    y = memory.empty(shape, x.dtype)
    window = memory.empty(shape, np.uint8)
    arrays = _planes(x), _planes(y), _planes(window)
    planes = shape[0] * shape[1]
    if serial(4 * y.size):
        halve(*arrays, 0, planes)
    else:
        _halve_parallel(*arrays, tasks_of(planes))
    return y, window


@kernel
def _raise_cells(x, start, step, y, out, count):
    """y[out + j] = max(y[out + j], x[start + j * step]), NaN if either is."""
    if step == ONE:
        for j in range(count):
            value, known = x[start + j], y[out + j]
            y[out + j] = value if value > known or value != value else known
    elif step == TWO:
        for j in range(count):
            value, known = x[start + TWO * j], y[out + j]
            y[out + j] = value if value > known or value != value else known
    else:
        for j in range(count):
            value, known = x[start + step * j], y[out + j]
            y[out + j] = value if value > known or value != value else known


@kernel
def _value_planes(x, y, x_shape, y_shape, kernel_size, stride, padding, dilation, first_plane, end_plane):
    _, depth, height, width = x_shape
    _, layers, rows, columns = y_shape
    lowest = x.dtype.type(-np.inf)
    first, end = reaches(kernel_size[2], stride[2], dilation[2], padding[4], width, columns)
    step = np.uint64(stride[2])
    for plane in range(first_plane, end_plane):
        for k in range(layers):
            for i in range(rows):
                out = ((plane * layers + k) * rows + i) * columns
                for j in range(columns):
                    y[np.uint64(out + j)] = lowest
                for place in range(kernel_size[0] * kernel_size[1]):
                    e = place // kernel_size[1]
                    d = k * stride[0] + e * dilation[0] - padding[0]
                    h = i * stride[1] + (place - e * kernel_size[1]) * dilation[1] - padding[2]
                    if d < 0 or d >= depth or h < 0 or h >= height:
                        continue
                    row = ((plane * depth + d) * height + h) * width - padding[4]
                    for b in range(kernel_size[2]):
                        start = row + first[b] * stride[2] + b * dilation[2]
                        _raise_cells(x, np.uint64(start), step, y, np.uint64(out + first[b]), np.uint64(end[b] - first[b]))


@kernel(parallel=True)
def _value_parallel(x, y, x_shape, y_shape, kernel_size, stride, padding, dilation, tasks):
    for task in prange(tasks):
        first, end = task * x_shape[0] // tasks, (task + 1) * x_shape[0] // tasks
        _value_planes(x, y, x_shape, y_shape, kernel_size, stride, padding, dilation, first, end)


def max_pool2d_values(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The largest element of each window, where nobody asks which it was."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    if _halves(kernel_size, stride, padding, dilation, x.shape, shape):
        return max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode)[0]
    deep = deep_sizes(kernel_size), deep_sizes(stride), (0, 0, *padding), deep_sizes(dilation)
    return max_pool3d_values(x.reshape(*x.shape[:2], 1, *x.shape[2:]), *deep, ceil_mode).reshape(shape)


def max_pool3d_values(x, kernel_size, stride, padding, dilation, ceil_mode):
    """As `max_pool2d_values`, with a depth."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y = memory.empty(shape, x.dtype)
    planes = shape[0] * shape[1]
    arguments = (x.reshape(-1), y.reshape(-1), volume(x.shape), volume(shape), kernel_size, stride, padding, dilation)
    if serial(y.size * kernel_size[0] * kernel_size[1] * kernel_size[2]):
        _value_planes(*arguments, 0, planes)
    else:
        _value_parallel(*arguments, tasks_of(planes))
    return y


def max_pool3d(x, kernel_size, stride, padding, dilation, ceil_mode):
    """As `max_pool2d`, with a depth."""
    shape = output_shape(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(x, shape, kernel_size, stride, padding, dilation)


@kernel
def _steps(x_shape, kernel_size, dilation):
    """Where each cell of a window lies, from the window's corner on: a table is cheaper than dividing each place by the kernel's sizes."""
    steps = np.empty(kernel_size[0] * kernel_size[1] * kernel_size[2], np.intp)
    for e in range(kernel_size[0]):
        for a in range(kernel_size[1]):
            for b in range(kernel_size[2]):
                step = (e * dilation[0] * x_shape[2] + a * dilation[1]) * x_shape[3] + b * dilation[2]
                steps[(e * kernel_size[1] + a) * kernel_size[2] + b] = step
    return steps


@kernel
def _flat_index(window, index, y_shape, x_shape, kernel_size, stride, padding, dilation):
    _, layers, rows, columns = y_shape
    _, _, height, width = x_shape
    steps = _steps(x_shape, kernel_size, dilation)
    for line in range(y_shape[0] * layers * rows):
        i, k = line % rows, line // rows % layers
        corner = ((k * stride[0] - padding[0]) * height + i * stride[1] - padding[2]) * width - padding[4]
        for j in range(columns):
            place = window[line * columns + j]
            index[line * columns + j] = corner + j * stride[2] + steps[place] if place < steps.size else -1


def max_pool3d_flat_index(window, x_shape, kernel_size, stride, padding, dilation):
    """For each output, the position (d * H + h) * W + w of its maximum in the volume."""
    index = memory.empty(window.shape, np.int64)
    _flat_index(window.reshape(-1), index.reshape(-1), volume(window.shape), volume(x_shape), kernel_size, stride, padding, dilation)
    return index


def max_pool2d_flat_index(window, x_shape, kernel_size, stride, padding, dilation):
    """For each output, the position h * W + w of its maximum in the image."""
    return max_pool3d_flat_index(window, x_shape, deep_sizes(kernel_size), deep_sizes(stride), (0, 0, *padding), deep_sizes(dilation))


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
def _spread_planes(grad, window, grad_x, x_shape, y_shape, kernel_size, stride, padding, dilation, gaps, first_plane, end_plane):
    _, layers, rows, columns = y_shape
    _, depth, height, width = x_shape
    steps = _steps(x_shape, kernel_size, dilation)
    for plane in range(first_plane, end_plane):
        for position in range(plane * depth * height * width, (plane + 1) * depth * height * width):
            grad_x[position] = 0
        for k in range(layers):
            for i in range(rows):
                layer = plane * depth + k * stride[0] - padding[0]
                corner = (layer * height + i * stride[1] - padding[2]) * width - padding[4]
                out = ((plane * layers + k) * rows + i) * columns
                if gaps:
                    for j in range(columns):
                        if window[out + j] < steps.size:
                            grad_x[corner + j * stride[2] + steps[window[out + j]]] += grad[out + j]
                else:
                    for j in range(columns):
                        step = steps[window[np.uint64(out + j)]]
                        grad_x[np.uint64(corner + j * stride[2] + step)] += grad[np.uint64(out + j)]


@kernel(parallel=True)
def _spread_halves_parallel(grad, window, grad_x, tasks):
    for task in prange(tasks):
        _spread_halves(grad, window, grad_x, task * grad.shape[0] // tasks, (task + 1) * grad.shape[0] // tasks)


@kernel(parallel=True)
def _spread_parallel(grad, window, grad_x, x_shape, y_shape, kernel_size, stride, padding, dilation, gaps, tasks):
    for task in prange(tasks):
        first, end = task * y_shape[0] // tasks, (task + 1) * y_shape[0] // tasks
        _spread_planes(grad, window, grad_x, x_shape, y_shape, kernel_size, stride, padding, dilation, gaps, first, end)


def max_pool2d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """Each output hands its gradient to the element that won."""
    if not _halves(kernel_size, stride, padding, dilation, x_shape, grad.shape):
        return max_pool3d_grad_x(grad, window, x_shape, deep_sizes(kernel_size), deep_sizes(stride), (0, 0, *padding), deep_sizes(dilation))
    grad_x = memory.empty(x_shape, grad.dtype)
    planes = x_shape[0] * x_shape[1]
    arrays = _planes(grad), _planes(window), _planes(grad_x)
    if serial(grad_x.size):
        _spread_halves(*arrays, 0, planes)
    else:
        _spread_halves_parallel(*arrays, tasks_of(planes))
    return grad_x


def max_pool3d_grad_x(grad, window, x_shape, kernel_size, stride, padding, dilation):
    """As `max_pool2d_grad_x`, with a depth."""
    grad_x = memory.empty(x_shape, grad.dtype)
    flat = grad.reshape(-1), window.reshape(-1), grad_x.reshape(-1)
    arguments = (*flat, *_geometry(x_shape, grad.shape, kernel_size, stride, padding, dilation))
    planes = x_shape[0] * x_shape[1]
    if serial(grad_x.size):
        _spread_planes(*arguments, 0, planes)
    else:
        _spread_parallel(*arguments, tasks_of(planes))
    return grad_x
