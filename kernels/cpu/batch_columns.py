"""Batch normalisation of channels with few pixels, down to one: neighbouring channels side by side.

x is (N, C, P) seen as a matrix of N rows and C P columns. A task owns some channels, whose columns neighbour each other, and walks down the
rows with one accumulator a column. Arrays are flat.
"""

import math

import numpy as np
from numba import prange

from ..jit import kernel
from ..threads import get_num_threads
from .fused_activation import RELU, run_activation
from .moments import serial, split
from .scalars import EXACT_ORDER

__all__: list[str] = []

COLUMNS = 256  # of one task, about: their accumulators stay in the first-level cache


@kernel
def _add_rows(x, rows, stride, first, totals):
    """totals[j] += the sum of column first + j."""
    for n in range(rows):
        start = np.uint64(n * stride + first)
        for j in range(np.uint64(len(totals))):
            totals[j] += x[start + j]


@kernel
def _add_squares(x, rows, stride, first, middle, totals):
    """totals[j] += the sum of (column - middle[j])^2."""
    for n in range(rows):
        start = np.uint64(n * stride + first)
        for j in range(np.uint64(len(totals))):
            distance = np.float64(x[start + j]) - middle[j]
            totals[j] += distance * distance


@kernel
def _fold(totals, channels, pixels, result, first, divisor):
    """result[first + c] = the sum of the totals of channel c over the divisor."""
    for c in range(channels):
        total = 0.0
        for p in range(pixels):
            total += totals[c * pixels + p]
        result[first + c] = total / divisor


@kernel(fastmath=EXACT_ORDER)
def _apply_rows(x, y, residual, rows, stride, first, shift, scale, offset, activation, has_residual):
    zero = x.dtype.type(0)
    for n in range(rows):
        start = np.uint64(n * stride + first)
        for j in range(np.uint64(len(shift))):
            y[start + j] = (x[start + j] - shift[j]) * scale[j] + offset[j]
        if has_residual:
            for j in range(np.uint64(len(shift))):
                y[start + j] += residual[start + j]
        if activation == RELU:
            for j in range(np.uint64(len(shift))):
                y[start + j] = zero if y[start + j] <= zero else y[start + j]
        elif activation > RELU:
            run_activation(y, start, start + np.uint64(len(shift)), activation)


@kernel
def _forward_task(x, y, residual, shape, first, end, mean, variance, weight, bias, eps, activation, has_residual, own):
    """Channels first to end."""
    rows, pixels, stride = shape[0], shape[2], shape[1] * shape[2]
    width = (end - first) * pixels
    if own:
        totals, middle = np.zeros(width), np.empty(width)
        _add_rows(x, rows, stride, first * pixels, totals)
        _fold(totals, end - first, pixels, mean, first, rows * pixels)
        for j in range(width):
            middle[j] = mean[first + j // pixels]
            totals[j] = 0
        _add_squares(x, rows, stride, first * pixels, middle, totals)
        _fold(totals, end - first, pixels, variance, first, rows * pixels)
    shift, scale, offset = np.empty(width, x.dtype), np.empty(width, x.dtype), np.empty(width, x.dtype)
    for c in range(first, end):
        factor = np.float64(weight[c]) / math.sqrt(variance[c] + eps)
        near, rest = split(mean[c], x)
        for j in range((c - first) * pixels, (c - first + 1) * pixels):
            shift[j], scale[j], offset[j] = near, factor, bias[c] - rest * factor
    _apply_rows(x, y, residual, rows, stride, first * pixels, shift, scale, offset, activation, has_residual)


@kernel
def _task_channels(task, tasks, channels):
    return task * channels // tasks, (task + 1) * channels // tasks


@kernel
def _forward_serial(x, y, residual, shape, mean, variance, weight, bias, eps, activation, has_residual, own, tasks):
    for task in range(tasks):
        first, end = _task_channels(task, tasks, shape[1])
        _forward_task(x, y, residual, shape, first, end, mean, variance, weight, bias, eps, activation, has_residual, own)


@kernel(parallel=True)
def _forward_parallel(x, y, residual, shape, mean, variance, weight, bias, eps, activation, has_residual, own, tasks):
    for task in prange(tasks):
        first, end = _task_channels(task, tasks, shape[1])
        _forward_task(x, y, residual, shape, first, end, mean, variance, weight, bias, eps, activation, has_residual, own)


@kernel
def _add_products(grad, x, y, rows, stride, first, shift, masked, ceiling, plain, along):
    """plain[j] += the sum of a column of grad, along[j] += that of grad (x - shift); where masked, of grad strictly between zero and the ceiling."""
    zero = x.dtype.type(0)
    for n in range(rows):
        start = np.uint64(n * stride + first)
        if masked:
            for j in range(np.uint64(len(shift))):
                g = zero if (y[start + j] <= zero) | (y[start + j] == ceiling) else grad[start + j]
                plain[j] += g
                along[j] += g * (x[start + j] - shift[j])
        else:
            for j in range(np.uint64(len(shift))):
                plain[j] += grad[start + j]
                along[j] += grad[start + j] * (x[start + j] - shift[j])


@kernel(fastmath=EXACT_ORDER)
def _gradient_rows(grad, x, y, grad_x, rows, stride, first, shift, scale, constant, slope, masked, ceiling):
    zero = x.dtype.type(0)
    for n in range(rows):
        start = np.uint64(n * stride + first)
        if masked:
            for j in range(np.uint64(len(shift))):
                g = zero if (y[start + j] <= zero) | (y[start + j] == ceiling) else grad[start + j]
                grad_x[start + j] = g * scale[j] - constant[j] - (x[start + j] - shift[j]) * slope[j]
        else:
            for j in range(np.uint64(len(shift))):
                grad_x[start + j] = grad[start + j] * scale[j] - constant[j] - (x[start + j] - shift[j]) * slope[j]


@kernel
def _backward_task(grad, x, y, grad_x, shape, first, end, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias):
    """Channels first to end."""
    rows, pixels, stride = shape[0], shape[2], shape[1] * shape[2]
    width = (end - first) * pixels
    shift, scale = np.empty(width, x.dtype), np.empty(width, x.dtype)
    constant, slope = np.zeros(width, x.dtype), np.zeros(width, x.dtype)
    for j in range(width):
        shift[j] = split(mean[first + j // pixels], x)[0]
    plain, along = np.zeros(width), np.zeros(width)
    _add_products(grad, x, y, rows, stride, first * pixels, shift, masked, ceiling, plain, along)
    for c in range(first, end):
        inverse = 1 / math.sqrt(variance[c] + eps)
        rest = split(mean[c], x)[1]
        columns = range((c - first) * pixels, (c - first + 1) * pixels)
        total, other = 0.0, 0.0
        for j in columns:
            total += plain[j]
            other += along[j]
        other -= rest * total
        grad_weight[c], grad_bias[c] = other * inverse, total
        factor = weight[c] * inverse
        steepness = factor * inverse * inverse * other / (rows * pixels) if own else 0.0
        level = factor * total / (rows * pixels) - rest * steepness if own else 0.0
        for j in columns:
            scale[j], constant[j], slope[j] = factor, level, steepness
    _gradient_rows(grad, x, y, grad_x, rows, stride, first * pixels, shift, scale, constant, slope, masked, ceiling)


@kernel
def _backward_serial(grad, x, y, grad_x, shape, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias, tasks):
    for task in range(tasks):
        first, end = _task_channels(task, tasks, shape[1])
        _backward_task(grad, x, y, grad_x, shape, first, end, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias)


@kernel(parallel=True)
def _backward_parallel(grad, x, y, grad_x, shape, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias, tasks):
    for task in prange(tasks):
        first, end = _task_channels(task, tasks, shape[1])
        _backward_task(grad, x, y, grad_x, shape, first, end, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias)


def _tasks(shape: tuple[int, int, int], alone: bool) -> int:
    """Tasks of about COLUMNS columns, and enough of them for all threads."""
    fitting = -(-shape[1] * shape[2] // COLUMNS)
    return max(1, min(shape[1], fitting if alone else max(fitting, get_num_threads())))


def forward(x, y, residual, shape, mean, variance, weight, bias, eps, activation, has_residual, own):
    """y of flat arrays; writes mean and variance where they are x's own."""
    alone = serial(2 * len(x))
    run = _forward_serial if alone else _forward_parallel
    run(x, y, residual, shape, mean, variance, weight, bias, eps, activation, has_residual, own, _tasks(shape, alone))


def backward(grad, x, y, grad_x, shape, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias):
    """grad_x, grad_weight and grad_bias of flat arrays."""
    alone = serial(3 * len(x))
    run = _backward_serial if alone else _backward_parallel
    run(grad, x, y, grad_x, shape, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias, _tasks(shape, alone))
