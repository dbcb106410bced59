"""Layer and RMS normalisation, fast: threads own neighbouring rows. Arrays are flat; weight and bias always exist here."""

import math

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import get_num_threads
from .moments import SHORT_SUM, moments, or_constant, run_squares, serial, split
from .scalars import EXACT_ORDER

__all__ = ["layer_norm", "layer_norm_grad", "rms_norm", "rms_norm_grad"]

FEW_ROWS = 32  # rows whose shares of the weights' gradients are added up in x's own type before they go to float64


@kernel(fastmath=EXACT_ORDER)
def _row_affine(x, y, start, columns, shift, scale, offset, weight, bias):
    for j in range(columns):
        y[start + j] = ((x[start + j] - shift) * scale + offset) * weight[j] + bias[j]


@kernel
def _rows(x, y, columns, mean, variance, weight, bias, eps, centred, first, end):
    kind = x.dtype.type
    length = np.uint64(columns)
    for row in range(first, end):
        start = np.uint64(row * columns)
        if centred:
            mean[row], variance[row] = moments(x, start, start + length, columns)
        else:
            mean[row], variance[row] = 0.0, run_squares(x, start, start + length, kind(0)) / columns
        shift, rest = split(mean[row], x)
        inverse = 1 / math.sqrt(variance[row] + eps)
        _row_affine(x, y, start, length, shift, kind(inverse), kind(-rest * inverse), weight, bias)


@kernel(parallel=True)
def _rows_parallel(x, y, columns, mean, variance, weight, bias, eps, centred, tasks):
    rows = len(mean)
    for task in prange(tasks):
        _rows(x, y, columns, mean, variance, weight, bias, eps, centred, task * rows // tasks, (task + 1) * rows // tasks)


@kernel
def _row_products(grad, x, start, columns, shift, scale, offset, weight, some_weight, some_bias):
    """(sum of h, sum of h xhat) with h = grad weight; adds grad xhat and grad to the columns' sums on the way."""
    plain, along = 0.0, 0.0
    first = np.uint64(0)
    while first < columns:
        stop = min(first + SHORT_SUM, columns)
        one, other = x.dtype.type(0), x.dtype.type(0)
        for j in range(first, stop):
            xhat = (x[start + j] - shift) * scale + offset
            g = grad[start + j]
            h = g * weight[j]
            one += h
            other += h * xhat
            some_weight[j] += g * xhat
            some_bias[j] += g
        plain += one
        along += other
        first = stop
    return plain, along


@kernel
def _hand_over(some, share):
    """Add the sums over a few rows to those over all, and begin anew."""
    for j in range(len(some)):
        share[j] += some[j]
        some[j] = 0


@kernel(fastmath=EXACT_ORDER)
def _row_gradient(grad, x, grad_x, start, columns, shift, scale, offset, weight, constant, slope):
    for j in range(columns):
        xhat = (x[start + j] - shift) * scale + offset
        grad_x[start + j] = scale * (grad[start + j] * weight[j] - constant - xhat * slope)


@kernel
def _row_gradients(grad, x, grad_x, columns, mean, variance, weight, eps, centred, share_weight, share_bias, first, end):
    kind = x.dtype.type
    length = np.uint64(columns)
    some_weight, some_bias = np.zeros(columns, x.dtype), np.zeros(columns, x.dtype)
    for row in range(first, end):
        start = np.uint64(row * columns)
        shift, rest = split(mean[row], x)
        inverse = 1 / math.sqrt(variance[row] + eps)
        scale, offset = kind(inverse), kind(-rest * inverse)
        plain, along = _row_products(grad, x, start, length, shift, scale, offset, weight, some_weight, some_bias)
        if row % FEW_ROWS == FEW_ROWS - 1 or row == end - 1:
            _hand_over(some_weight, share_weight)
            _hand_over(some_bias, share_bias)
        constant = plain / columns if centred else 0.0
        _row_gradient(grad, x, grad_x, start, length, shift, scale, offset, weight, kind(constant), kind(along / columns))


@kernel(parallel=True)
def _row_gradients_parallel(grad, x, grad_x, columns, mean, variance, weight, eps, centred, share_weight, share_bias, tasks):
    rows = len(mean)
    for task in prange(tasks):
        first, end = task * rows // tasks, (task + 1) * rows // tasks
        _row_gradients(
            grad, x, grad_x, columns, mean, variance, weight, eps, centred, share_weight[task], share_bias[task], first, end
        )


def _tasks(rows: int) -> int:
    return max(1, min(rows, 4 * get_num_threads()))


def _forward(x, weight, bias, eps, centred):
    y = memory.empty(x.shape, x.dtype)
    rows, columns = x.shape
    mean, variance = np.zeros(rows), np.zeros(rows)
    if x.size:
        scale, offset = or_constant(weight, 1, x), or_constant(bias, 0, x)
        arguments = x.reshape(-1), y.reshape(-1), columns, mean, variance, scale, offset, float(eps), centred
        if serial(2 * x.size):
            _rows(*arguments, 0, rows)
        else:
            _rows_parallel(*arguments, _tasks(rows))
    return y, mean, variance


def _backward(grad, x, mean, variance, weight, eps, centred):
    grad_x = memory.empty(x.shape, x.dtype)
    rows, columns = x.shape
    few = serial(3 * x.size)
    shares = np.zeros((2, 1 if few else _tasks(rows), columns))
    if x.size:
        scale = or_constant(weight, 1, x)
        arrays = grad.reshape(-1), x.reshape(-1), grad_x.reshape(-1)
        arguments = *arrays, columns, mean, variance, scale, float(eps), centred
        if few:
            _row_gradients(*arguments, shares[0, 0], shares[1, 0], 0, rows)
        else:
            _row_gradients_parallel(*arguments, shares[0], shares[1], _tasks(rows))
    grad_weight, grad_bias = np.add.reduce(shares, 1).astype(x.dtype)
    return grad_x, grad_weight, grad_bias


def layer_norm(x, weight, bias, eps):
    """(y, mean, variance), both statistics in float64; see the reference."""
    return _forward(x, weight, bias, eps, True)


def rms_norm(x, weight, eps):
    """(y, square), the mean squares in float64; see the reference."""
    y, _, square = _forward(x, weight, None, eps, False)
    return y, square


def layer_norm_grad(grad, x, mean, variance, weight, eps):
    """(grad_x, grad_weight, grad_bias); see the reference."""
    return _backward(grad, x, mean, variance, weight, eps, True)


def rms_norm_grad(grad, x, square, weight, eps):
    """(grad_x, grad_weight); see the reference."""
    return _backward(grad, x, np.zeros(len(square)), square, weight, eps, False)[:2]
