"""Resizing by tables, fast: rows are blended as vectors, columns are gathered; the cheaper of the two goes first.

Growing gathers once for every row that there is and blends afterwards, shrinking blends first and gathers from what is left.
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["resize2d", "resize_axis"]

NANOSECONDS_A_TAP = 0.4


@kernel
def _rows(x, base, width, first, index, weight, y, out):
    """Rows of y, from position `out`, as blends of rows of x, from position `base`; all are `width` long."""
    for i in range(first.size - 1):
        start, end = first[i], first[i + 1]
        o = out + i * width
        if end - start == 1:
            a, u = base + index[start] * width, weight[start]
            for j in range(width):
                y[o + j] = u * x[a + j]
        elif end - start == 2:
            a, u = base + index[start] * width, weight[start]
            b, v = base + index[start + 1] * width, weight[start + 1]
            for j in range(width):
                y[o + j] = u * x[a + j] + v * x[b + j]
        else:
            for j in range(width):
                y[o + j] = 0
            for k in range(start, end):
                a, u = base + index[k] * width, weight[k]
                for j in range(width):
                    y[o + j] += u * x[a + j]


@kernel
def _columns(x, base, rows, width, first, index, weight, taps, y, out):
    """Each row of y, from position `out`, gathered from its row of x, from position `base`; `taps` is the number of taps if all have as many."""
    outputs = first.size - 1
    for i in range(rows):
        s, o = base + i * width, out + i * outputs
        if taps == 1:
            for j in range(outputs):
                y[o + j] = weight[j] * x[s + index[j]]
        elif taps == 2:
            for j in range(outputs):
                y[o + j] = weight[2 * j] * x[s + index[2 * j]] + weight[2 * j + 1] * x[s + index[2 * j + 1]]
        elif taps == 4:
            for j in range(outputs):
                k = 4 * j
                near = weight[k] * x[s + index[k]] + weight[k + 1] * x[s + index[k + 1]]
                y[o + j] = near + weight[k + 2] * x[s + index[k + 2]] + weight[k + 3] * x[s + index[k + 3]]
        else:
            for j in range(outputs):
                total = y.dtype.type(0)
                for k in range(first[j], first[j + 1]):
                    total += weight[k] * x[s + index[k]]
                y[o + j] = total


@kernel
def _planes(x, y, height, width, row_first, row_index, row_weight, column_first, column_index, column_weight, taps, gather_first, start, end):
    rows, columns = row_first.size - 1, column_first.size - 1
    between = np.empty(height * columns if gather_first else rows * width, x.dtype)
    for m in range(start, end):
        source, target = m * height * width, m * rows * columns
        if gather_first:
            _columns(x, source, height, width, column_first, column_index, column_weight, taps, between, 0)
            _rows(between, 0, columns, row_first, row_index, row_weight, y, target)
        else:
            _rows(x, source, width, row_first, row_index, row_weight, between, 0)
            _columns(between, 0, rows, width, column_first, column_index, column_weight, taps, y, target)


@kernel(parallel=True)
def _planes_parallel(
    x, y, height, width, row_first, row_index, row_weight, column_first, column_index, column_weight, taps, gather_first, planes, tasks
):
    for task in prange(tasks):
        start, end = task * planes // tasks, (task + 1) * planes // tasks
        _planes(
            x, y, height, width, row_first, row_index, row_weight, column_first, column_index, column_weight, taps, gather_first, start, end
        )


@kernel
def _axis(x, y, size, width, first, index, weight, taps, start, end):
    outputs = first.size - 1
    for m in range(start, end):
        if width == 1:
            _columns(x, m * size, 1, size, first, index, weight, taps, y, m * outputs)
        else:
            _rows(x, m * size * width, width, first, index, weight, y, m * outputs * width)


@kernel(parallel=True)
def _axis_parallel(x, y, size, width, first, index, weight, taps, blocks, tasks):
    for task in prange(tasks):
        _axis(x, y, size, width, first, index, weight, taps, task * blocks // tasks, (task + 1) * blocks // tasks)


def _taps(first) -> int:
    """The number of taps of every output if they all have 1, 2 or 4, else 0."""
    outputs = first.size - 1
    count = int(first[-1]) // max(outputs, 1)
    uniform = count in (1, 2, 4) and count * outputs == first[-1] and bool((np.diff(first) == count).all())
    return count if uniform else 0


def _tasks(blocks: int, work: float) -> int:
    """Into how many shares of neighbouring planes the work is cut; one where a parallel region does not pay."""
    if work * NANOSECONDS_A_TAP < SERIAL_BELOW or get_num_threads() == 1:
        return 1
    return max(1, min(blocks, 4 * get_num_threads()))


def resize_axis(x, first, index, weight):
    """Axis 1 of x (M, A, B) resized by a table; see the reference."""
    blocks, size, width = x.shape
    y = memory.empty((blocks, first.size - 1, width), x.dtype)
    tasks = _tasks(blocks, blocks * width * index.size)
    arguments = (x.reshape(-1), y.reshape(-1), size, width, first, index, weight, _taps(first))
    if tasks == 1:
        _axis(*arguments, 0, blocks)
    else:
        _axis_parallel(*arguments, blocks, tasks)
    return y


def resize2d(x, row_first, row_index, row_weight, column_first, column_index, column_weight):
    """Both axes of planes x (M, H, W) resized by a table each; see the reference."""
    planes, height, width = x.shape
    rows, columns = row_first.size - 1, column_first.size - 1
    y = memory.empty((planes, rows, columns), x.dtype)
    # A gathered tap costs some three times a blended one.
    gathering = 3 * height * column_index.size + row_index.size * columns
    blending = row_index.size * width + 3 * rows * column_index.size
    gather_first = gathering <= blending
    tasks = _tasks(planes, planes * min(gathering, blending))
    tables = (row_first, row_index, row_weight, column_first, column_index, column_weight)
    arguments = (x.reshape(-1), y.reshape(-1), height, width, *tables, _taps(column_first), gather_first)
    if tasks == 1:
        _planes(*arguments, 0, planes)
    else:
        _planes_parallel(*arguments, planes, tasks)
    return y
