"""Pooling over windows given one by one, fast. Arrays are flat, and positions in them counted by hand."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from .planes import serial, tasks_of

__all__ = ["max_of_windows", "max_of_windows_grad_x", "mean_of_windows", "mean_of_windows_grad_x"]

CHUNK = 256  # elements summed in their own type before they join a sum in float64


@kernel
def _first_larger(value, place, other, there):
    """Whether a number found elsewhere takes over: larger, or equal and earlier, or NaN and later."""
    return other > value or (other == value and there < place) or (other != other and (value == value or there > place))


@kernel
def _best_of_rows(x, start, sizes, front, back, top, bottom, best, lines):
    """For every column the largest element of the rows of a window, and the number of its row."""
    inner, line = sizes[1], sizes[2]
    row = start + (front * inner + top) * line
    for w in range(line):
        best[w] = x[np.uint64(row + w)]
        lines[w] = front * inner + top
    for d in range(front, back):
        for h in range(top, bottom):
            number = np.int32(d * inner + h)
            row = start + (d * inner + h) * line
            if d > front or h > top:
                for w in range(line):
                    value, known = x[np.uint64(row + w)], best[w]
                    larger = value > known or value != value
                    best[w] = value if larger else known
                    lines[w] = number if larger else lines[w]


@kernel
def _max_maps(x, y, index, sizes, depth, height, width, first_map, end_map):
    _, inner, line = sizes
    layers, rows, columns = depth.shape[1], height.shape[1], width.shape[1]
    cells = sizes[0] * inner * line
    best, lines = np.empty(line, x.dtype), np.empty(line, np.int32)
    for m in range(first_map, end_map):
        deep, high, wide = m if depth.shape[0] > 1 else 0, m if height.shape[0] > 1 else 0, m if width.shape[0] > 1 else 0
        start, out = m * cells, m * layers * rows * columns
        for k in range(layers):
            for i in range(rows):
                front, back, top, bottom = depth[deep, k, 0], depth[deep, k, 1], height[high, i, 0], height[high, i, 1]
                _best_of_rows(x, start, sizes, front, back, top, bottom, best, lines)
                for j in range(columns):
                    left = width[wide, j, 0]
                    value, place = best[left], lines[left] * line + left
                    for w in range(left + 1, width[wide, j, 1]):
                        other, there = best[w], lines[w] * line + w
                        if _first_larger(value, place, other, there):
                            value, place = other, there
                    y[out], index[out] = value, place
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
def _total(x, first, end):
    """The sum of neighbouring elements, in float64 but for chunks; eight sums side by side become one vector."""
    total = 0.0
    zero = x.dtype.type(0)
    while first < end:
        stop = min(first + CHUNK, end)
        a, b, c, d, e, f, g, h = zero, zero, zero, zero, zero, zero, zero, zero
        while first + 8 <= stop:
            a += x[np.uint64(first)]
            b += x[np.uint64(first + 1)]
            c += x[np.uint64(first + 2)]
            d += x[np.uint64(first + 3)]
            e += x[np.uint64(first + 4)]
            f += x[np.uint64(first + 5)]
            g += x[np.uint64(first + 6)]
            h += x[np.uint64(first + 7)]
            first += 8
        while first < stop:
            a += x[np.uint64(first)]
            first += 1
        total += ((a + b) + (c + d)) + ((e + f) + (g + h))
    return total


@kernel
def _mean_maps(x, y, sizes, depth, height, width, first_map, end_map):
    _, inner, line = sizes
    layers, rows, columns = depth.shape[1], height.shape[1], width.shape[1]
    cells = sizes[0] * inner * line
    if layers * rows * columns == 1 and width[0, 0, 1] - width[0, 0, 0] == cells:
        for m in range(first_map, end_map):
            y[m] = _total(x, m * cells, (m + 1) * cells) / cells
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
                        total = _total(x, row + left, row + right)
                    y[out] = total / (lines * (right - left))
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
