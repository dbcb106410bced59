"""Average pooling over two and three axes, fast. Arrays are flat, and positions in them counted by hand."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.pool import output_shape
from .planes import deep_sizes, reaches, serial, tasks_of, volume

__all__ = ["avg_pool2d", "avg_pool2d_grad_x", "avg_pool3d", "avg_pool3d_grad_x"]

ONE, TWO = np.uint64(1), np.uint64(2)


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
    """(a, b, c) where a[k] * b[i] * c[j] is what the sum of window (k, i, j) is divided by."""
    deep = _lengths(y_shape[1], x_shape[1], kernel_size[0], stride[0], padding[0], padding[1], count_include_pad, like)
    high = _lengths(y_shape[2], x_shape[2], kernel_size[1], stride[1], padding[2], padding[3], count_include_pad, like)
    wide = _lengths(y_shape[3], x_shape[3], kernel_size[2], stride[2], padding[4], padding[5], count_include_pad, like)
    if divisor_override:
        deep[:] = divisor_override
        high[:] = 1
        wide[:] = 1
    return deep, high, wide


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
    _, depth, height, width = x_shape
    _, layers, rows, columns = y_shape
    deep, high, wide = _divisors(x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, x)
    first, end = reaches(kernel_size[2], stride[2], 1, padding[4], width, columns)
    step, one_row = np.uint64(stride[2]), kernel_size[0] * kernel_size[1] == 1
    sums = np.empty(width, x.dtype)
    for plane in range(first_plane, end_plane):
        for k in range(layers):
            for i in range(rows):
                out = ((plane * layers + k) * rows + i) * columns
                for j in range(columns):
                    y[np.uint64(out + j)] = 0
                # The rows of the windows are added up first, for all columns, so that a cell is read once and not once a column of the kernel.
                front, top = k * stride[0] - padding[0], i * stride[1] - padding[2]
                if not one_row:
                    for w in range(width):
                        sums[w] = 0
                for d in range(max(front, 0), min(front + kernel_size[0], depth)):
                    for h in range(max(top, 0), min(top + kernel_size[1], height)):
                        row = ((plane * depth + d) * height + h) * width
                        if one_row:
                            for b in range(kernel_size[2]):
                                start = np.uint64(row + first[b] * stride[2] + b - padding[4])
                                _add_cells(x, start, step, y, np.uint64(out + first[b]), np.uint64(end[b] - first[b]))
                        else:
                            for w in range(width):
                                sums[w] += x[np.uint64(row + w)]
                if not one_row:
                    for b in range(kernel_size[2]):
                        start = np.uint64(first[b] * stride[2] + b - padding[4])
                        _add_cells(sums, start, step, y, np.uint64(out + first[b]), np.uint64(end[b] - first[b]))
                scale = deep[k] * high[i]
                for j in range(columns):
                    y[np.uint64(out + j)] /= scale * wide[j]


@kernel(parallel=True)
def _average_parallel(x, y, x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, tasks):
    for task in prange(tasks):
        first, end = task * x_shape[0] // tasks, (task + 1) * x_shape[0] // tasks
        _average_planes(x, y, x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, first, end)


def avg_pool3d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """As `avg_pool2d`, with a depth."""
    shape = output_shape(x.shape, kernel_size, stride, padding, (1, 1, 1), ceil_mode)
    return _average(x, shape, kernel_size, stride, padding, count_include_pad, divisor_override or 0)


def avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The average of each window; see the reference for what it is divided by."""
    shape = output_shape(x.shape, kernel_size, stride, padding, (1, 1), ceil_mode)
    return _average(x, shape, deep_sizes(kernel_size), deep_sizes(stride), (0, 0, *padding), count_include_pad, divisor_override or 0)


def _average(x, shape, kernel_size, stride, padding, *options):
    """The average over windows of three axes; x has three or two, its outputs `shape`."""
    y = memory.empty(shape, x.dtype)
    arguments = (x.reshape(-1), y.reshape(-1), volume(x.shape), volume(shape), kernel_size, stride, padding, *options)
    planes = shape[0] * shape[1]
    if serial(y.size * kernel_size[0] * kernel_size[1] * kernel_size[2]):
        _average_planes(*arguments, 0, planes)
    else:
        _average_parallel(*arguments, tasks_of(planes))
    return y


@kernel
def _share_cells(shares, first, end, grad_x, cell, step):
    for j in range(first, end):
        grad_x[cell] += shares[j]
        cell += step


@kernel
def _share_planes(grad, grad_x, y_shape, x_shape, kernel_size, stride, padding, count_include_pad, divisor_override, first_plane, end_plane):
    _, layers, rows, columns = y_shape
    _, depth, height, width = x_shape
    deep, high, wide = _divisors(x_shape, y_shape, kernel_size, stride, padding, count_include_pad, divisor_override, grad)
    first, end = reaches(kernel_size[2], stride[2], 1, padding[4], width, columns)
    step = np.uint64(stride[2])
    shares, sums = np.empty(columns, grad.dtype), np.empty(width, grad.dtype)
    for plane in range(first_plane, end_plane):
        for position in range(plane * depth * height * width, (plane + 1) * depth * height * width):
            grad_x[np.uint64(position)] = 0
        for k in range(layers):
            for i in range(rows):
                out, scale = ((plane * layers + k) * rows + i) * columns, deep[k] * high[i]
                for j in range(columns):
                    shares[j] = grad[np.uint64(out + j)] / (scale * wide[j])
                # What each column receives is the same in all rows of the windows.
                for w in range(width):
                    sums[w] = 0
                for b in range(kernel_size[2]):
                    _share_cells(shares, first[b], end[b], sums, np.uint64(first[b] * stride[2] + b - padding[4]), step)
                front, top = k * stride[0] - padding[0], i * stride[1] - padding[2]
                for d in range(max(front, 0), min(front + kernel_size[0], depth)):
                    for h in range(max(top, 0), min(top + kernel_size[1], height)):
                        row = ((plane * depth + d) * height + h) * width
                        for w in range(width):
                            grad_x[np.uint64(row + w)] += sums[w]


@kernel(parallel=True)
def _share_parallel(grad, grad_x, y_shape, x_shape, kernel_size, stride, padding, count_include_pad, divisor_override, tasks):
    for task in prange(tasks):
        first, end = task * y_shape[0] // tasks, (task + 1) * y_shape[0] // tasks
        _share_planes(grad, grad_x, y_shape, x_shape, kernel_size, stride, padding, count_include_pad, divisor_override, first, end)


def avg_pool2d_grad_x(grad, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """Each output hands its gradient over the divisor to every element of its window."""
    deep = (deep_sizes(kernel_size), deep_sizes(stride), (0, 0, *padding))
    return avg_pool3d_grad_x(grad, x_shape, *deep, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d_grad_x(grad, x_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """As `avg_pool2d_grad_x`, with a depth."""
    grad_x = memory.empty(x_shape, grad.dtype)
    options = (kernel_size, stride, padding, count_include_pad, divisor_override or 0)
    arguments = (grad.reshape(-1), grad_x.reshape(-1), volume(grad.shape), volume(x_shape), *options)
    planes = x_shape[0] * x_shape[1]
    if serial(grad.size * kernel_size[0] * kernel_size[1] * kernel_size[2]):
        _share_planes(*arguments, 0, planes)
    else:
        _share_parallel(*arguments, tasks_of(planes))
    return grad_x
