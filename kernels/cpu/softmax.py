"""Softmax along the middle axis of (outer, classes, inner), and its logarithm, fast."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from . import scalars
from .elementwise import COSTLY, whole_vectors, worth_sharing
from .logarithm import log
from .tiles import SEGMENT, column_exponentials, load_tile, place_of, row_exponentials, store_tile, tile_exponentials, tiling

__all__ = ["log_softmax", "log_softmax_grad_x", "softmax", "softmax_grad_x"]


@kernel(fastmath=scalars.EXACT_ORDER)  # x - largest - log(total): the two must not be added first
def _softmax_row(x, y, position, classes, logarithm):
    whole_vectors()
    # Views: a position that might be negative would keep LLVM from making vector code.
    score, result = x[position : position + classes], y[position : position + classes]
    largest, total = row_exponentials(score, result)
    log_total, share = x.dtype.type(np.log(total)), x.dtype.type(1 / total)
    if logarithm:
        for k in range(score.size):
            result[k] = score[k] - largest - log_total
    else:
        for k in range(result.size):
            result[k] *= share


@kernel(fastmath=scalars.EXACT_ORDER)
def _softmax_tile(x, y, task, shape, logarithm):
    whole_vectors()
    _, count, position, class_step, sample_step = place_of(task, shape, SEGMENT)
    tile = np.empty((shape[1], count), x.dtype)
    largest, total = np.empty(count, x.dtype), np.empty(count, x.dtype)
    load_tile(x, position, class_step, sample_step, tile)
    tile_exponentials(tile, largest, total)
    if logarithm:
        load_tile(x, position, class_step, sample_step, tile)
    for p in range(count):
        total[p] = log(total[p]) if logarithm else 1 / total[p]
    for k in range(shape[1]):
        row = tile[k]
        for p in range(count):
            row[p] = row[p] - largest[p] - total[p] if logarithm else row[p] * total[p]
    store_tile(tile, y, position, class_step, sample_step)


@kernel(fastmath=scalars.EXACT_ORDER)
def _softmax_segment(x, y, task, shape, logarithm):
    whole_vectors()
    _, count, position, step, _ = place_of(task, shape, SEGMENT)
    largest, total = np.empty(count, x.dtype), np.empty(count, x.dtype)
    column_exponentials(x, y[: 0 if logarithm else y.size], position, step, shape[1], largest, total)
    for p in range(count):
        total[p] = log(total[p]) if logarithm else 1 / total[p]
    for k in range(shape[1]):
        start = position + k * step
        row, result = x[start : start + count], y[start : start + count]
        if logarithm:
            for p in range(count):
                result[p] = row[p] - largest[p] - total[p]
        else:
            for p in range(count):
                result[p] *= total[p]


@kernel
def _softmax_grad_row(grad, y, grad_x, position, classes, logarithm):
    whole_vectors()
    upstream, value, result = grad[position : position + classes], y[position : position + classes], grad_x[position : position + classes]
    total = 0.0
    if logarithm:
        for k in range(upstream.size):
            total += upstream[k]
        inner = y.dtype.type(total)
        for k in range(upstream.size):
            result[k] = upstream[k] - scalars.exp(value[k]) * inner
    else:
        for k in range(upstream.size):
            total += upstream[k] * value[k]
        inner = y.dtype.type(total)
        for k in range(upstream.size):
            result[k] = value[k] * (upstream[k] - inner)


@kernel
def _softmax_grad_tile(grad, y, grad_x, task, shape, logarithm):
    _, count, position, class_step, sample_step = place_of(task, shape, SEGMENT)
    upstream, value = np.empty((shape[1], count), y.dtype), np.empty((shape[1], count), y.dtype)
    load_tile(grad, position, class_step, sample_step, upstream)
    load_tile(y, position, class_step, sample_step, value)
    _softmax_grad_columns(upstream.reshape(-1), value.reshape(-1), upstream.reshape(-1), 0, count, shape[1], count, logarithm)
    store_tile(upstream, grad_x, position, class_step, sample_step)


@kernel
def _softmax_grad_columns(grad, y, grad_x, position, step, classes, count, logarithm):
    """The gradient of neighbouring samples, class by class."""
    whole_vectors()
    total = np.zeros(count, y.dtype)
    for k in range(classes):
        start = position + k * step
        g, v = grad[start : start + count], y[start : start + count]
        if logarithm:
            for p in range(count):
                total[p] += g[p]
        else:
            for p in range(count):
                total[p] += g[p] * v[p]
    for k in range(classes):
        start = position + k * step
        g, v, result = grad[start : start + count], y[start : start + count], grad_x[start : start + count]
        if logarithm:
            for p in range(count):
                result[p] = g[p] - scalars.exp(v[p]) * total[p]
        else:
            for p in range(count):
                result[p] = v[p] * (g[p] - total[p])


@kernel
def _softmax_task(x, y, logarithm, task, shape, rows):
    if rows:
        _softmax_row(x, y, task * shape[1], shape[1], logarithm)
    elif shape[2] == 1:
        _softmax_tile(x, y, task, shape, logarithm)
    else:
        _softmax_segment(x, y, task, shape, logarithm)


@kernel
def _softmax_grad_task(grad, y, grad_x, logarithm, task, shape, rows):
    if rows:
        _softmax_grad_row(grad, y, grad_x, task * shape[1], shape[1], logarithm)
    elif shape[2] == 1:
        _softmax_grad_tile(grad, y, grad_x, task, shape, logarithm)
    else:
        _, count, position, step, _ = place_of(task, shape, SEGMENT)
        _softmax_grad_columns(grad, y, grad_x, position, step, shape[1], count, logarithm)


@kernel
def _softmax_serial(x, y, logarithm, tasks, shape, rows):
    whole_vectors()
    for task in range(tasks):
        _softmax_task(x, y, logarithm, task, shape, rows)


@kernel(parallel=True)
def _softmax_parallel(x, y, logarithm, tasks, shape, rows):
    for task in prange(tasks):
        whole_vectors()
        _softmax_task(x, y, logarithm, task, shape, rows)


@kernel
def _softmax_grad_serial(grad, y, grad_x, logarithm, tasks, shape, rows):
    whole_vectors()
    for task in range(tasks):
        _softmax_grad_task(grad, y, grad_x, logarithm, task, shape, rows)


@kernel(parallel=True)
def _softmax_grad_parallel(grad, y, grad_x, logarithm, tasks, shape, rows):
    for task in prange(tasks):
        whole_vectors()
        _softmax_grad_task(grad, y, grad_x, logarithm, task, shape, rows)


def _softmax(x, logarithm):
    y = memory.empty(x.shape, x.dtype)
    rows, tasks = tiling(x.shape, SEGMENT)
    if x.size:
        run = _softmax_parallel if worth_sharing(x.size, COSTLY) else _softmax_serial
        run(x.reshape(-1), y.reshape(-1), logarithm, tasks, x.shape, rows)
    return y


def _softmax_grad(grad, y, logarithm):
    grad_x = memory.empty(y.shape, y.dtype)
    rows, tasks = tiling(y.shape, SEGMENT)
    if y.size:
        run = _softmax_grad_parallel if worth_sharing(y.size, COSTLY) else _softmax_grad_serial
        run(grad.reshape(-1), y.reshape(-1), grad_x.reshape(-1), logarithm, tasks, y.shape, rows)
    return grad_x


def softmax(x):
    """e^x[k] / sum_l e^x[l] along the middle axis."""
    return _softmax(x, False)


def softmax_grad_x(grad, y):
    """y[k] (grad[k] - sum_l grad[l] y[l])."""
    return _softmax_grad(grad, y, False)


def log_softmax(x):
    """x[k] - log sum_l e^x[l] along the middle axis."""
    return _softmax(x, True)


def log_softmax_grad_x(grad, y):
    """grad[k] - e^y[k] sum_l grad[l]."""
    return _softmax_grad(grad, y, True)
