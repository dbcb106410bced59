"""Unpooling, fast."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from .planes import serial, tasks_of

__all__ = ["max_unpool", "max_unpool_grad_x", "unpool2d", "unpool2d_grad_x"]


@kernel
def _put(x, index, y, first, end):
    for m in range(first, end):
        for position in range(y.shape[1]):
            y[m, position] = 0
        for i in range(x.shape[1]):
            y[m, np.uint64(index[m, i])] = x[m, i]


@kernel(parallel=True)
def _put_parallel(x, index, y, tasks):
    for task in prange(tasks):
        _put(x, index, y, task * x.shape[0] // tasks, (task + 1) * x.shape[0] // tasks)


def max_unpool(x, index, cells):
    """x (M, n) put at its positions in M maps of `cells` zeros; see the reference."""
    y = memory.empty((x.shape[0], cells), x.dtype)
    if serial(y.size):
        _put(x, index, y, 0, x.shape[0])
    else:
        _put_parallel(x, index, y, tasks_of(x.shape[0]))
    return y


@kernel
def _take(grad, index, grad_x, first, end):
    for m in range(first, end):
        for i in range(index.shape[1]):
            grad_x[m, i] = grad[m, np.uint64(index[m, i])]


@kernel(parallel=True)
def _take_parallel(grad, index, grad_x, tasks):
    for task in prange(tasks):
        _take(grad, index, grad_x, task * index.shape[0] // tasks, (task + 1) * index.shape[0] // tasks)


def max_unpool_grad_x(grad, index):
    """Every number receives the gradient of its position."""
    grad_x = memory.empty(index.shape, grad.dtype)
    if serial(grad_x.size):
        _take(grad, index, grad_x, 0, index.shape[0])
    else:
        _take_parallel(grad, index, grad_x, tasks_of(index.shape[0]))
    return grad_x


@kernel
def _blow_up(x, y, scale, nearest, first, end):
    high, wide = scale
    for m in range(first, end):
        for i in range(y.shape[1]):
            if not nearest:
                for j in range(y.shape[2]):
                    y[m, i, j] = 0
                if i % high:
                    continue
            row = i // high
            if nearest and wide == 2:
                for j in range(x.shape[2]):
                    y[m, i, np.uint64(2 * j)] = x[m, row, j]
                    y[m, i, np.uint64(2 * j + 1)] = x[m, row, j]
            else:
                for j in range(x.shape[2]):
                    for b in range(wide if nearest else 1):
                        y[m, i, j * wide + b] = x[m, row, j]


@kernel(parallel=True)
def _blow_up_parallel(x, y, scale, nearest, tasks):
    for task in prange(tasks):
        _blow_up(x, y, scale, nearest, task * x.shape[0] // tasks, (task + 1) * x.shape[0] // tasks)


def unpool2d(x, scale, nearest):
    """Each element of x (M, H, W) becomes a block of `scale` (height, width); see the reference."""
    y = memory.empty((x.shape[0], x.shape[1] * scale[0], x.shape[2] * scale[1]), x.dtype)
    if serial(y.size):
        _blow_up(x, y, scale, nearest, 0, x.shape[0])
    else:
        _blow_up_parallel(x, y, scale, nearest, tasks_of(x.shape[0]))
    return y


@kernel
def _gather(grad, grad_x, scale, nearest, first, end):
    height, width = grad_x.shape[1:]
    line = width * scale[1]
    cells, target = grad.reshape(-1), grad_x.reshape(-1)
    for m in range(first, end):
        for i in range(height):
            row, out = (m * height + i) * scale[0] * line, (m * height + i) * width
            for j in range(width):
                target[np.uint64(out + j)] = cells[np.uint64(row + j * scale[1])]
            if not nearest:
                continue
            for place in range(1, scale[0] * scale[1]):
                a = place // scale[1]
                start = row + a * line + place - a * scale[1]
                if scale[1] == 2:
                    for j in range(width):
                        target[np.uint64(out + j)] += cells[np.uint64(start + 2 * j)]
                else:
                    for j in range(width):
                        target[np.uint64(out + j)] += cells[np.uint64(start + j * scale[1])]


@kernel(parallel=True)
def _gather_parallel(grad, grad_x, scale, nearest, tasks):
    for task in prange(tasks):
        _gather(grad, grad_x, scale, nearest, task * grad.shape[0] // tasks, (task + 1) * grad.shape[0] // tasks)


def unpool2d_grad_x(grad, x_shape, scale, nearest):
    """Each element receives the gradients of its copies."""
    grad_x = memory.empty(x_shape, grad.dtype)
    if serial(grad.size):
        _gather(grad, grad_x, scale, nearest, 0, x_shape[0])
    else:
        _gather_parallel(grad, grad_x, scale, nearest, tasks_of(x_shape[0]))
    return grad_x
