"""Pooling over windows given one by one, fast. Arrays are flat, and positions in them counted by hand."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from .planes import serial, tasks_of

__all__ = ["max_of_windows", "max_of_windows_grad_x", "mean_of_windows", "mean_of_windows_grad_x"]

CHUNK = 256  # elements summed in their own type before they join a sum in float64


@kernel
def _max_maps(x, y, index, sizes, depth, height, width, first_map, end_map):
    _, inner, line = sizes
    layers, rows, columns = depth.shape[1], height.shape[1], width.shape[1]
    cells = sizes[0] * inner * line
    for m in range(first_map, end_map):
        deep, high, wide = depth[m % depth.shape[0]], height[m % height.shape[0]], width[m % width.shape[0]]
        start, out = m * cells, m * layers * rows * columns
        for k in range(layers):
            for i in range(rows):
                for j in range(columns):
                    place = (deep[k, 0] * inner + high[i, 0]) * line + wide[j, 0]
                    best = x[start + place]
                    for d in range(deep[k, 0], deep[k, 1]):
                        for h in range(high[i, 0], high[i, 1]):
                            row = (d * inner + h) * line
                            for w in range(row + wide[j, 0], row + wide[j, 1]):
                                value = x[start + w]
                                if value > best or value != value:
                                    best, place = value, w
                    y[out], index[out] = best, place
                    out += 1


@kernel(parallel=True)
def _max_parallel(x, y, index, sizes, depth, height, width, maps, tasks):
    for task in prange(tasks):
        _max_maps(x, y, index, sizes, depth, height, width, task * maps // tasks, (task + 1) * maps // tasks)


def max_of_windows(x, depth, height, width):
    """The largest element of each window, and its position; see the reference."""
    maps = x.shape[0]
    y = memory.empty((maps, depth.shape[1], height.shape[1], width.shape[1]), x.dtype)
    index = memory.empty(y.shape, np.int64)
    arguments = (x.reshape(-1), y.reshape(-1), index.reshape(-1), x.shape[1:], depth, height, width)
    if serial(x.size):
        _max_maps(*arguments, 0, maps)
    else:
        _max_parallel(*arguments, maps, tasks_of(maps))
    return y, index


@kernel
def _add_maps(grad, index, grad_x, cells, outputs, first_map, end_map):
    for m in range(first_map, end_map):
        for position in range(m * cells, (m + 1) * cells):
            grad_x[position] = 0
        for position in range(m * outputs, (m + 1) * outputs):
            grad_x[np.uint64(m * cells + index[position])] += grad[position]


@kernel(parallel=True)
def _add_parallel(grad, index, grad_x, cells, outputs, maps, tasks):
    for task in prange(tasks):
        _add_maps(grad, index, grad_x, cells, outputs, task * maps // tasks, (task + 1) * maps // tasks)


def max_of_windows_grad_x(grad, index, x_shape):
    """Each output hands its gradient to the element at its index."""
    grad_x = memory.empty(x_shape, grad.dtype)
    maps = x_shape[0]
    cells, outputs = x_shape[1] * x_shape[2] * x_shape[3], grad.shape[1] * grad.shape[2] * grad.shape[3]
    arguments = (grad.reshape(-1), index.reshape(-1), grad_x.reshape(-1), cells, outputs)
    if serial(grad_x.size):
        _add_maps(*arguments, 0, maps)
    else:
        _add_parallel(*arguments, maps, tasks_of(maps))
    return grad_x


@kernel
def _total(x, first, end):
    """The sum of neighbouring elements, in float64 but for chunks."""
    total = 0.0
    while first < end:
        stop = min(first + CHUNK, end)
        part = x.dtype.type(0)
        for position in range(first, stop):
            part += x[position]
        total += part
        first = stop
    return total


@kernel
def _mean_maps(x, y, sizes, depth, height, width, first_map, end_map):
    _, inner, line = sizes
    layers, rows, columns = depth.shape[1], height.shape[1], width.shape[1]
    cells = sizes[0] * inner * line
    for m in range(first_map, end_map):
        deep, high, wide = depth[m % depth.shape[0]], height[m % height.shape[0]], width[m % width.shape[0]]
        start, out = m * cells, m * layers * rows * columns
        for k in range(layers):
            for i in range(rows):
                count = (deep[k, 1] - deep[k, 0]) * (high[i, 1] - high[i, 0])
                for j in range(columns):
                    total = 0.0
                    for d in range(deep[k, 0], deep[k, 1]):
                        for h in range(high[i, 0], high[i, 1]):
                            row = start + (d * inner + h) * line
                            total += _total(x, row + wide[j, 0], row + wide[j, 1])
                    y[out] = total / (count * (wide[j, 1] - wide[j, 0]))
                    out += 1


@kernel(parallel=True)
def _mean_parallel(x, y, sizes, depth, height, width, maps, tasks):
    for task in prange(tasks):
        _mean_maps(x, y, sizes, depth, height, width, task * maps // tasks, (task + 1) * maps // tasks)


def _merged(sizes, depth, height, width):
    """The same windows with every axis that one window covers made part of the axis before it: long rows are quick to read."""
    whole = np.array([[[0, 1]]], np.int64)
    depths, rows, line = sizes
    if width.shape[1] == 1 and width.shape[0] == 1 and width[0, 0, 1] - width[0, 0, 0] == line:
        depths, rows, line = 1, depths, rows * line
        depth, height, width = whole, depth, height * (line // max(sizes[1], 1))
        if width.shape[1] == 1 and width.shape[0] == 1 and width[0, 0, 1] - width[0, 0, 0] == line:
            rows, line = 1, rows * line
            height, width = whole, height * (line // max(sizes[0], 1))
    return (depths, rows, line), depth, height, width


def mean_of_windows(x, depth, height, width):
    """The mean of each window; see the reference."""
    maps = x.shape[0]
    y = memory.empty((maps, depth.shape[1], height.shape[1], width.shape[1]), x.dtype)
    arguments = (x.reshape(-1), y.reshape(-1), *_merged(x.shape[1:], depth, height, width))
    if serial(x.size):
        _mean_maps(*arguments, 0, maps)
    else:
        _mean_parallel(*arguments, maps, tasks_of(maps))
    return y


@kernel
def _share_maps(grad, grad_x, sizes, depth, height, width, first_map, end_map):
    _, inner, line = sizes
    layers, rows, columns = depth.shape[1], height.shape[1], width.shape[1]
    cells = sizes[0] * inner * line
    for m in range(first_map, end_map):
        deep, high, wide = depth[m % depth.shape[0]], height[m % height.shape[0]], width[m % width.shape[0]]
        start, out = m * cells, m * layers * rows * columns
        for position in range(start, start + cells):
            grad_x[position] = 0
        for k in range(layers):
            for i in range(rows):
                count = (deep[k, 1] - deep[k, 0]) * (high[i, 1] - high[i, 0])
                for j in range(columns):
                    share = grad[out] / grad.dtype.type(count * (wide[j, 1] - wide[j, 0]))
                    out += 1
                    for d in range(deep[k, 0], deep[k, 1]):
                        for h in range(high[i, 0], high[i, 1]):
                            row = start + (d * inner + h) * line
                            for w in range(row + wide[j, 0], row + wide[j, 1]):
                                grad_x[w] += share


@kernel(parallel=True)
def _share_parallel(grad, grad_x, sizes, depth, height, width, maps, tasks):
    for task in prange(tasks):
        _share_maps(grad, grad_x, sizes, depth, height, width, task * maps // tasks, (task + 1) * maps // tasks)


def mean_of_windows_grad_x(grad, x_shape, depth, height, width):
    """Each output hands its gradient in equal shares to the elements of its window."""
    maps = x_shape[0]
    grad_x = memory.empty(x_shape, grad.dtype)
    arguments = (grad.reshape(-1), grad_x.reshape(-1), *_merged(x_shape[1:], depth, height, width))
    if serial(grad_x.size):
        _share_maps(*arguments, 0, maps)
    else:
        _share_parallel(*arguments, maps, tasks_of(maps))
    return grad_x
