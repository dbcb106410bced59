"""Padding of the last two axes, fast: both directions read one table of sources an axis."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..reference.padding import sources

__all__ = ["pad2d", "pad2d_grad_x"]


@plan_cache
def _tables(height, width, padding, mode):
    """The source of each padded row and column, -1 for the constant."""
    rows = np.array(sources(height, padding[0], padding[1], mode), np.int64)
    columns = np.array(sources(width, padding[2], padding[3], mode), np.int64)
    return rows, columns


@kernel(parallel=True)
def _pad(x, y, rows, columns, value):
    for m in prange(y.shape[0]):
        for i in range(rows.size):
            for j in range(columns.size):
                y[m, i, j] = x[m, rows[i], columns[j]] if rows[i] >= 0 and columns[j] >= 0 else value


@kernel(parallel=True)
def _fold(grad, grad_x, rows, columns):
    for m in prange(grad_x.shape[0]):
        for i in range(rows.size):
            for j in range(columns.size):
                if rows[i] >= 0 and columns[j] >= 0:
                    grad_x[m, rows[i], columns[j]] += grad[m, i, j]


def pad2d(x, padding, mode, value):
    """x (M, H, W) with (top, bottom, left, right) more cells, negative amounts crop; in mode "zeros" they hold `value`."""
    rows, columns = _tables(x.shape[1], x.shape[2], padding, mode)
    y = memory.empty((x.shape[0], rows.size, columns.size), x.dtype)
    _pad(x, y, rows, columns, x.dtype.type(value))
    return y


def pad2d_grad_x(grad, x_shape, padding, mode):
    """Every padded cell hands its gradient to the element it is a copy of."""
    rows, columns = _tables(x_shape[1], x_shape[2], padding, mode)
    grad_x = memory.zeros(x_shape, grad.dtype)
    _fold(grad, grad_x, rows, columns)
    return grad_x
