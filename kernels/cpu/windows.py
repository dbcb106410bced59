"""Pooling over windows given one by one, fast. Arrays are flat, and positions in them counted by hand."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from .planes import serial, tasks_of
from .pool_vectors import keep_larger
from .row_sum import total_of

__all__ = ["max_of_windows", "max_of_windows_grad_x", "mean_of_windows", "mean_of_windows_grad_x"]


@kernel
def _best_of_rows(x, start, sizes, front, back, top, bottom, best, numbers):
    """For every column the largest element of the rows of a window, and the number of its row in the window."""
    inner, line = sizes[1], sizes[2]
    row = start + (front * inner + top) * line
    for w in range(line):
        best[w] = x[np.uint64(row + w)]
        numbers[w] = 0
    for number in range(1, (back - front) * (bottom - top)):
        d = number // (bottom - top)
        row = start + ((front + d) * inner + top + number - d * (bottom - top)) * line
        keep_larger(x, row, 1, best, numbers, 0, line, number)


@kernel
def _max_maps(x, y, index, sizes, depth, height, width, like, first_map, end_map):
    _, inner, line = sizes
    layers, rows, columns = depth.shape[1], height.shape[1], width.shape[1]
    cells = sizes[0] * inner * line
    best, numbers = np.empty(line, x.dtype), np.empty(line, like.dtype)
    for m in range(first_map, end_map):
        deep, high, wide = m if depth.shape[0] > 1 else 0, m if height.shape[0] > 1 else 0, m if width.shape[0] > 1 else 0
        start, out = m * cells, m * layers * rows * columns
        for k in range(layers):
            for i in range(rows):
                front, back, top, bottom = depth[deep, k, 0], depth[deep, k, 1], height[high, i, 0], height[high, i, 1]
                _best_of_rows(x, start, sizes, front, back, top, bottom, best, numbers)
                for j in range(columns):
                    place = width[wide, j, 0]
                    value, number = best[place], numbers[place]
                    for w in range(place + 1, width[wide, j, 1]):
                        # A number takes over if it is larger, equal and of an earlier row, or NaN and of a later one. No branches: which way
                        # they go is anybody's guess.
                        other, there = best[w], numbers[w]
                        larger = (other > value) | ((other == value) & (there < number))
                        larger |= (other != other) & ((value == value) | (there >= number))
                        value, number, place = (other, there, w) if larger else (value, number, place)
                    d = number // (bottom - top) if back - front > 1 else 0
                    y[out] = value
                    index[out] = ((front + d) * inner + top + number - d * (bottom - top)) * line + place
                    out += 1


@kernel(parallel=True)
def _max_parallel(x, y, index, sizes, depth, height, width, like, maps, tasks):
    for task in prange(tasks):
        _max_maps(x, y, index, sizes, depth, height, width, like, task * maps // tasks, (task + 1) * maps // tasks)


def max_of_windows(x, depth, height, width):
    """The largest element of each window, and its position; see the reference."""
    maps = x.shape[0]
    y = memory.empty((maps, depth.shape[1], height.shape[1], width.shape[1]), x.dtype)
    index = memory.empty(y.shape, np.int64)
    # The rows of a window are numbered in the smallest type that holds the most there can be.
    like = np.empty(0, np.uint8 if x.shape[1] * x.shape[2] <= 255 else np.int32)
    arguments = (x.reshape(-1), y.reshape(-1), index.reshape(-1), x.shape[1:], depth, height, width, like)
    if serial(x.size):
        _max_maps(*arguments, 0, maps)
    else:
        _max_parallel(*arguments, maps, tasks_of(maps))
    return y, index


@kernel
def _add_maps(grad, index, grad_x, cells, outputs, first_map, end_map):
    for m in range(first_map, end_map):
        for position in range(m * cells, (m + 1) * cells):
            grad_x[np.uint64(position)] = 0
        for position in range(m * outputs, (m + 1) * outputs):
            grad_x[np.uint64(m * cells + index[np.uint64(position)])] += grad[np.uint64(position)]


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
def _mean_maps(x, y, sizes, depth, height, width, first_map, end_map):
    _, inner, line = sizes
    layers, rows, columns = depth.shape[1], height.shape[1], width.shape[1]
    cells = sizes[0] * inner * line
    if layers * rows * columns == 1 and width[0, 0, 1] - width[0, 0, 0] == cells:
        for m in range(first_map, end_map):
            y[m] = total_of(x, m * cells, (m + 1) * cells) / cells
        return
    sums = np.empty(line, np.float64)
    for m in range(first_map, end_map):
        deep, high, wide = m if depth.shape[0] > 1 else 0, m if height.shape[0] > 1 else 0, m if width.shape[0] > 1 else 0
        start, out = m * cells, m * layers * rows * columns
        for k in range(layers):
            for i in range(rows):
                front, back, top, bottom = depth[deep, k, 0], depth[deep, k, 1], height[high, i, 0], height[high, i, 1]
                lines = (back - front) * (bottom - top)
                row = start + (front * inner + top) * line
                if lines > 1:
                    # The rows of the window are added up for all columns first.
                    for w in range(line):
                        sums[w] = 0
                    for d in range(front, back):
                        for h in range(top, bottom):
                            row = start + (d * inner + h) * line
                            for w in range(line):
                                sums[w] += x[np.uint64(row + w)]
                for j in range(columns):
                    left, right = width[wide, j, 0], width[wide, j, 1]
                    if lines > 1:
                        total = 0.0
                        for w in range(left, right):
                            total += sums[w]
                    else:
                        total = total_of(x, row + left, row + right)
                    y[out] = total / (lines * (right - left))
                    out += 1


@kernel(parallel=True)
def _mean_parallel(x, y, sizes, depth, height, width, maps, tasks):
    for task in prange(tasks):
        _mean_maps(x, y, sizes, depth, height, width, task * maps // tasks, (task + 1) * maps // tasks)


@plan_cache
def _with_line_merged(sizes, depth, height, shapes):
    """What `_merged` gives if one window covers the last axis; tables come as their bytes."""
    whole = np.array([[[0, 1]]], np.int64)
    depth, height = (np.frombuffer(table, np.int64).reshape(shape) for table, shape in zip((depth, height), shapes))
    depths, rows, line = sizes
    around, line = rows, rows * line
    depths, rows, depth, height, width = 1, depths, whole, depth, height * (line // max(around, 1))
    if width.shape[:2] == (1, 1) and width[0, 0, 1] - width[0, 0, 0] == line:
        around, line = rows, rows * line
        rows, height, width = 1, whole, height * (line // max(around, 1))
    # Copies: what is read from bytes is read-only, for which the kernels would be compiled once more.
    return (depths, rows, line), depth.copy(), height.copy(), width.copy()


def _merged(sizes, depth, height, width):
    """The same windows with every axis that one window covers made part of the axis before it: long rows are quick to read."""
    if width.shape[:2] != (1, 1) or width[0, 0, 1] - width[0, 0, 0] != sizes[2]:
        return sizes, depth, height, width
    return _with_line_merged(sizes, depth.tobytes(), height.tobytes(), (depth.shape, height.shape))


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
    one_window = layers * rows * columns == 1 and width[0, 0, 1] - width[0, 0, 0] == cells
    shares = np.empty(line, grad.dtype)
    for m in range(first_map, end_map):
        deep, high, wide = m if depth.shape[0] > 1 else 0, m if height.shape[0] > 1 else 0, m if width.shape[0] > 1 else 0
        start, out = m * cells, m * layers * rows * columns
        everywhere = grad[m] / grad.dtype.type(cells) if one_window else grad.dtype.type(0)
        for position in range(start, start + cells):
            grad_x[np.uint64(position)] = everywhere
        if one_window:
            continue
        for k in range(layers):
            for i in range(rows):
                front, back, top, bottom = depth[deep, k, 0], depth[deep, k, 1], height[high, i, 0], height[high, i, 1]
                count = (back - front) * (bottom - top)
                row = start + (front * inner + top) * line
                if count == 1:
                    for j in range(columns):
                        share = grad[out] / grad.dtype.type(width[wide, j, 1] - width[wide, j, 0])
                        out += 1
                        for w in range(width[wide, j, 0], width[wide, j, 1]):
                            grad_x[np.uint64(row + w)] += share
                    continue
                # What each column of these rows receives.
                for w in range(line):
                    shares[w] = 0
                for j in range(columns):
                    left, right = width[wide, j, 0], width[wide, j, 1]
                    share = grad[out] / grad.dtype.type(count * (right - left))
                    out += 1
                    for w in range(left, right):
                        shares[w] += share
                for d in range(front, back):
                    for h in range(top, bottom):
                        row = start + (d * inner + h) * line
                        for w in range(line):
                            grad_x[np.uint64(row + w)] += shares[w]


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
