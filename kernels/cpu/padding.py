"""Padding of the last one to three axes, fast: both directions read one table of sources an axis, and copy what is not padding row by row."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..reference.padding import sources
from .planes import serial, tasks_of

__all__ = ["pad", "pad_grad_x"]


@plan_cache
def _tables(shape, padding, mode):
    """(depths, rows, columns, first, start, count): the source of each padded position, -1 for the constant; `count` columns from `first` on are
    neighbours in x too, from column `start` on.
    """
    missing = 3 - len(shape)
    sizes, amounts = (1,) * missing + shape, (0, 0) * missing + padding
    maps = [np.array(sources(sizes[a], amounts[2 * a], amounts[2 * a + 1], mode), np.int64) for a in range(3)]
    before, after = amounts[4:]
    count = max(0, sizes[2] + min(before, 0) + min(after, 0))
    return (*maps, min(max(before, 0), len(maps[2])), max(-before, 0), count)


def _volume(shape):
    """(M, ...) as (M, A, B, C)."""
    return (shape[0], *((1,) * (4 - len(shape))), *shape[1:])


@kernel
def _copy_row(x, start, y, out, columns, first, count, value):
    """One row of y: its copies of elements of a row of x, by the table and, in the middle, straight."""
    for j in range(first):
        y[out + j] = x[start[0] + columns[j]] if columns[j] >= 0 else value
    for j in range(count):
        y[np.uint64(out + first + j)] = x[np.uint64(start[0] + start[1] + j)]
    for j in range(first + count, columns.size):
        y[out + j] = x[start[0] + columns[j]] if columns[j] >= 0 else value


@kernel
def _pad(x, y, x_shape, depths, rows, columns, first, start, count, value, first_map, end_map):
    out = first_map * depths.size * rows.size * columns.size
    for m in range(first_map, end_map):
        for d in depths:
            for h in rows:
                if d < 0 or h < 0:
                    for j in range(out, out + columns.size):
                        y[j] = value
                else:
                    row = ((m * x_shape[1] + d) * x_shape[2] + h) * x_shape[3]
                    _copy_row(x, (row, start), y, out, columns, first, count, value)
                out += columns.size


@kernel(parallel=True)
def _pad_parallel(x, y, x_shape, depths, rows, columns, first, start, count, value, tasks):
    for task in prange(tasks):
        begin, end = task * x_shape[0] // tasks, (task + 1) * x_shape[0] // tasks
        _pad(x, y, x_shape, depths, rows, columns, first, start, count, value, begin, end)


def pad(x, padding, mode, value):
    """x (M, ...) with cells before and after each axis but the first; see the reference."""
    tables = _tables(x.shape[1:], padding, mode)
    spatial = tuple([table.size for table in tables[:3]])[4 - x.ndim :]
    y = memory.empty((x.shape[0], *spatial), x.dtype)
    arguments = (x.reshape(-1), y.reshape(-1), _volume(x.shape), *tables, x.dtype.type(value))
    if serial(y.size):
        _pad(*arguments, 0, x.shape[0])
    else:
        _pad_parallel(*arguments, tasks_of(x.shape[0]))
    return y


@kernel
def _fold(grad, grad_x, x_shape, once, cropped, depths, rows, columns, first, start, count, first_map, end_map):
    # once: no element has two copies, so sums are not needed; cropped: but some have none.
    cells = x_shape[1] * x_shape[2] * x_shape[3]
    out = first_map * depths.size * rows.size * columns.size
    for m in range(first_map, end_map):
        if not once or cropped:
            for position in range(m * cells, (m + 1) * cells):
                grad_x[np.uint64(position)] = 0
        for d in depths:
            for h in rows:
                if d >= 0 and h >= 0:
                    row = ((m * x_shape[1] + d) * x_shape[2] + h) * x_shape[3]
                    for j in range(first):
                        if columns[j] >= 0:
                            grad_x[row + columns[j]] += grad[out + j]
                    if once:
                        for j in range(count):
                            grad_x[np.uint64(row + start + j)] = grad[np.uint64(out + first + j)]
                        out += columns.size
                        continue
                    for j in range(count):
                        grad_x[np.uint64(row + start + j)] += grad[np.uint64(out + first + j)]
                    for j in range(first + count, columns.size):
                        if columns[j] >= 0:
                            grad_x[row + columns[j]] += grad[out + j]
                out += columns.size


@kernel(parallel=True)
def _fold_parallel(grad, grad_x, x_shape, once, cropped, depths, rows, columns, first, start, count, tasks):
    for task in prange(tasks):
        begin, end = task * x_shape[0] // tasks, (task + 1) * x_shape[0] // tasks
        _fold(grad, grad_x, x_shape, once, cropped, depths, rows, columns, first, start, count, begin, end)


def pad_grad_x(grad, x_shape, padding, mode):
    """Every padded cell hands its gradient to the element it is a copy of."""
    tables = _tables(x_shape[1:], padding, mode)
    grad_x = memory.empty(x_shape, grad.dtype)
    arguments = (grad.reshape(-1), grad_x.reshape(-1), _volume(x_shape), mode == "zeros", min(padding) < 0, *tables)
    if serial(grad_x.size):
        _fold(*arguments, 0, x_shape[0])
    else:
        _fold_parallel(*arguments, tasks_of(x_shape[0]))
    return grad_x
