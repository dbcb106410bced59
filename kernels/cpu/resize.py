"""Resizing by tables, fast: rows are blended as vectors, columns are gathered; the cheaper of the two goes first.

Growing gathers once for every row that there is and blends afterwards, shrinking blends first and gathers from what is left. Nearest
neighbours need no blending: their rows are picked.
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["resize2d", "resize_axis"]

NANOSECONDS_A_TAP = 0.4
U, ONE = np.uint64, np.uint64(1)
BLEND_FIRST, GATHER_FIRST, PICK_ROWS = 0, 1, 2


# Positions are unsigned: for signed ones Numba tests at every access whether they count from the end.


@kernel
def _rows(x, base, width, first, index, weight, y, out):
    """Rows of y, from position `out`, as blends of rows of x, from position `base`; all are `width` long."""
    for i in range(first.size - 1):
        start, end = first[i], first[i + 1]
        o = U(out + i * width)
        if end - start == 1:
            a, u = U(base + index[start] * width), weight[start]
            for j in range(width):
                y[o + U(j)] = u * x[a + U(j)]
        elif end - start == 2:
            a, u = U(base + index[start] * width), weight[start]
            b, v = U(base + index[start + 1] * width), weight[start + 1]
            for j in range(width):
                y[o + U(j)] = u * x[a + U(j)] + v * x[b + U(j)]
        elif end - start == 4:
            a, u = U(base + index[start] * width), weight[start]
            b, v = U(base + index[start + 1] * width), weight[start + 1]
            c, p = U(base + index[start + 2] * width), weight[start + 2]
            d, q = U(base + index[start + 3] * width), weight[start + 3]
            for j in range(width):
                y[o + U(j)] = u * x[a + U(j)] + v * x[b + U(j)] + p * x[c + U(j)] + q * x[d + U(j)]
        else:
            for j in range(width):
                y[o + U(j)] = 0
            for k in range(start, end):
                a, u = U(base + index[k] * width), weight[k]
                for j in range(width):
                    y[o + U(j)] += u * x[a + U(j)]


@kernel
def _columns(x, base, rows, width, first, index, weight, taps, y, out):
    """Each row of y, from position `out`, gathered from its row of x, from position `base`; `taps` is the number of taps if all have as many."""
    outputs = first.size - 1
    # Four rows at a time share the loads of positions and weights.
    whole = rows - rows % 4
    for i in range(0, whole, 4):
        s, step = U(base + i * width), U(width)
        o, o1 = U(out + i * outputs), U(out + (i + 1) * outputs)
        o2, o3 = U(out + (i + 2) * outputs), U(out + (i + 3) * outputs)
        if taps == 1:
            for j in range(outputs):
                a, u = s + U(index[j]), weight[j]
                y[o + U(j)] = u * x[a]
                y[o1 + U(j)] = u * x[a + step]
                y[o2 + U(j)] = u * x[a + step + step]
                y[o3 + U(j)] = u * x[a + step + step + step]
        elif taps == 2:
            for j in range(outputs):
                k = U(j + j)
                a, b, u, v = s + U(index[k]), s + U(index[k + ONE]), weight[k], weight[k + ONE]
                y[o + U(j)] = u * x[a] + v * x[b]
                a, b = a + step, b + step
                y[o1 + U(j)] = u * x[a] + v * x[b]
                a, b = a + step, b + step
                y[o2 + U(j)] = u * x[a] + v * x[b]
                a, b = a + step, b + step
                y[o3 + U(j)] = u * x[a] + v * x[b]
        else:
            for j in range(outputs):
                t = t1 = t2 = t3 = y.dtype.type(0)
                for k in range(first[j], first[j + 1]):
                    a, u = s + U(index[k]), weight[k]
                    t += u * x[a]
                    t1 += u * x[a + step]
                    t2 += u * x[a + step + step]
                    t3 += u * x[a + step + step + step]
                y[o + U(j)], y[o1 + U(j)], y[o2 + U(j)], y[o3 + U(j)] = t, t1, t2, t3
    for i in range(whole, rows):
        s, o = U(base + i * width), U(out + i * outputs)
        for j in range(outputs):
            t = y.dtype.type(0)
            for k in range(first[j], first[j + 1]):
                t += weight[k] * x[s + U(index[k])]
            y[o + U(j)] = t


@kernel
def _picked(x, base, width, row_first, row_index, first, index, weight, taps, y, out):
    """Rows of y that are each one row of x, its columns gathered, or zero; a row picked twice is copied."""
    columns = first.size - 1
    for i in range(row_first.size - 1):
        o, k = U(out + i * columns), row_first[i]
        if row_first[i + 1] == k:
            for j in range(columns):
                y[o + U(j)] = 0
        elif i and row_first[i - 1] < k and row_index[k] == row_index[k - 1]:
            for j in range(columns):
                y[o + U(j)] = y[o - U(columns) + U(j)]
        elif taps == 1:
            s = U(base + row_index[k] * width)
            for j in range(columns):
                y[o + U(j)] = weight[j] * x[s + U(index[j])]
        else:
            _columns(x, base + row_index[k] * width, 1, width, first, index, weight, taps, y, out + i * columns)


@kernel
def _planes(x, y, height, width, row_first, row_index, row_weight, column_first, column_index, column_weight, taps, order, start, end):
    rows, columns = row_first.size - 1, column_first.size - 1
    between = np.empty(height * columns if order == GATHER_FIRST else rows * width, x.dtype)
    for m in range(start, end):
        source, target = m * height * width, m * rows * columns
        if order == PICK_ROWS:
            _picked(x, source, width, row_first, row_index, column_first, column_index, column_weight, taps, y, target)
        elif order == GATHER_FIRST:
            _columns(x, source, height, width, column_first, column_index, column_weight, taps, between, 0)
            _rows(between, 0, columns, row_first, row_index, row_weight, y, target)
        else:
            _rows(x, source, width, row_first, row_index, row_weight, between, 0)
            _columns(between, 0, rows, width, column_first, column_index, column_weight, taps, y, target)


@kernel(parallel=True)
def _planes_parallel(
    x, y, height, width, row_first, row_index, row_weight, column_first, column_index, column_weight, taps, order, planes, tasks
):
    for task in prange(tasks):
        start, end = task * planes // tasks, (task + 1) * planes // tasks
        _planes(
            x, y, height, width, row_first, row_index, row_weight, column_first, column_index, column_weight, taps, order, start, end
        )


@kernel
def _axis(x, y, size, width, first, index, weight, taps, start, end):
    outputs = first.size - 1
    if width == 1:
        _columns(x, start * size, end - start, size, first, index, weight, taps, y, start * outputs)
    else:
        for m in range(start, end):
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
    order = GATHER_FIRST if gathering <= blending else BLEND_FIRST
    if row_index.size <= rows and bool((np.diff(row_first) <= 1).all()) and bool((row_weight == 1).all()):
        order = PICK_ROWS
    tasks = _tasks(planes, planes * min(gathering, blending))
    tables = (row_first, row_index, row_weight, column_first, column_index, column_weight)
    arguments = (x.reshape(-1), y.reshape(-1), height, width, *tables, _taps(column_first), order)
    if tasks == 1:
        _planes(*arguments, 0, planes)
    else:
        _planes_parallel(*arguments, planes, tasks)
    return y
