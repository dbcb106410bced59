"""Image to columns and back, fast. Rows of the matrix of columns, and rows of the image, are shared among the threads: each owns what it writes."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..reference.unfold import window_grid
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["col2im", "im2col"]

NANOSECONDS_A_CELL = 0.3  # of the matrix, roughly: decides whether a parallel region pays


def _tasks(cells, rows):
    """Into how many shares of neighbouring rows the work is cut; 1 where a parallel region does not pay."""
    if cells * NANOSECONDS_A_CELL < SERIAL_BELOW or get_num_threads() == 1:
        return 1
    return max(1, min(rows, 8 * get_num_threads()))


@kernel
def _inside(offset, step, size, windows):
    """The windows first to end - 1 whose cell j * step + offset lies in an axis of `size` elements."""
    first = min(max(0, -(offset // step)), windows)
    end = min(windows, (size - 1 - offset) // step + 1) if offset < size else 0
    return first, max(first, end)


@kernel
def _spread(x, matrix, kernel_size, dilation, padding, stride, first_row, end_row):
    """Rows of the matrix (planes, taps, H_out, W_out) from x (planes, H, W)."""
    taps = matrix.shape[1]
    for row in range(first_row, end_row):
        plane, tap = row // taps, row % taps
        a, b = tap // kernel_size[1], tap % kernel_size[1]
        offset = b * dilation[1] - padding[2]
        first, end = _inside(offset, stride[1], x.shape[2], matrix.shape[3])
        for i in range(matrix.shape[2]):
            h = i * stride[0] + a * dilation[0] - padding[0]
            if h < 0 or h >= x.shape[1]:
                for j in range(matrix.shape[3]):
                    matrix[plane, tap, i, j] = 0
                continue
            for j in range(first):
                matrix[plane, tap, i, j] = 0
            for j in range(first, end):
                matrix[plane, tap, i, j] = x[plane, h, j * stride[1] + offset]
            for j in range(end, matrix.shape[3]):
                matrix[plane, tap, i, j] = 0


@kernel
def _collect(matrix, x, kernel_size, dilation, padding, stride, first_row, end_row):
    """Rows of x (planes, H, W), each the sum of its copies in the matrix (planes, taps, H_out, W_out)."""
    height, taps = x.shape[1], kernel_size[1]
    offset, first, end = np.empty(taps, np.intp), np.empty(taps, np.intp), np.empty(taps, np.intp)
    for b in range(taps):
        offset[b] = b * dilation[1] - padding[2]
        first[b], end[b] = _inside(offset[b], stride[1], x.shape[2], matrix.shape[3])
    for row in range(first_row, end_row):
        plane, h = row // height, row % height
        for w in range(x.shape[2]):
            x[plane, h, w] = 0
        for a in range(kernel_size[0]):
            reach = h + padding[0] - a * dilation[0]
            i = reach // stride[0]
            if reach < 0 or i * stride[0] != reach or i >= matrix.shape[2]:
                continue
            for b in range(taps):
                for j in range(first[b], end[b]):
                    x[plane, h, j * stride[1] + offset[b]] += matrix[plane, a * taps + b, i, j]


@kernel(parallel=True)
def _spread_parallel(x, matrix, kernel_size, dilation, padding, stride, rows, tasks):
    for task in prange(tasks):
        _spread(x, matrix, kernel_size, dilation, padding, stride, task * rows // tasks, (task + 1) * rows // tasks)


@kernel(parallel=True)
def _collect_parallel(matrix, x, kernel_size, dilation, padding, stride, rows, tasks):
    for task in prange(tasks):
        _collect(matrix, x, kernel_size, dilation, padding, stride, task * rows // tasks, (task + 1) * rows // tasks)


def im2col(x, kernel_size, dilation, padding, stride):
    """(N, C, H, W) as (N, C K_h K_w, H_out W_out): one column for each window."""
    grid = window_grid(x.shape[2:], kernel_size, dilation, padding, stride)
    planes, taps = x.shape[0] * x.shape[1], kernel_size[0] * kernel_size[1]
    matrix = memory.empty((x.shape[0], x.shape[1] * taps, grid[0] * grid[1]), x.dtype)
    arrays = x.reshape(planes, *x.shape[2:]), matrix.reshape(planes, taps, *grid)
    tasks = _tasks(matrix.size, planes * taps)
    if tasks == 1:
        _spread(*arrays, kernel_size, dilation, padding, stride, 0, planes * taps)
    else:
        _spread_parallel(*arrays, kernel_size, dilation, padding, stride, planes * taps, tasks)
    return matrix


def col2im(columns, output_size, kernel_size, dilation, padding, stride):
    """The adjoint of `im2col`: every pixel is the sum of its copies."""
    grid = window_grid(output_size, kernel_size, dilation, padding, stride)
    taps = kernel_size[0] * kernel_size[1]
    channels = columns.shape[1] // taps
    planes = columns.shape[0] * channels
    x = memory.empty((columns.shape[0], channels, *output_size), columns.dtype)
    arrays = columns.reshape(planes, taps, *grid), x.reshape(planes, *output_size)
    rows = planes * output_size[0]
    tasks = _tasks(columns.size, rows)
    if tasks == 1:
        _collect(*arrays, kernel_size, dilation, padding, stride, 0, rows)
    else:
        _collect_parallel(*arrays, kernel_size, dilation, padding, stride, rows, tasks)
    return x
