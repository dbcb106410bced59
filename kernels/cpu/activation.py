"""Activations, fast. Arrays are worked through as one row of numbers, cut into chunks that the threads share."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads
from . import scalars

__all__ = [
    "log_softmax",
    "log_softmax_grad_x",
    "relu",
    "relu_grad_x",
    "sigmoid",
    "sigmoid_grad_x",
    "softmax",
    "softmax_grad_x",
    "tanh",
    "tanh_grad_x",
]

CHUNK = 8192  # elements a task
CHEAP, COSTLY = 0.2, 2.0  # nanoseconds an element: a comparison, an exponential


def _parallel(size: int, nanoseconds: float) -> bool:
    return size * nanoseconds > SERIAL_BELOW and get_num_threads() > 1


@kernel
def _relu(x, y):
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = zero if x[i] <= zero else x[i]


@kernel
def _relu_grad(grad, y, grad_x):
    zero = y.dtype.type(0)
    for i in range(y.size):
        grad_x[i] = zero if y[i] <= zero else grad[i]


@kernel
def _tanh(x, y):
    for i in range(x.size):
        y[i] = scalars.tanh(x[i])


@kernel
def _tanh_grad(grad, y, grad_x):
    one = y.dtype.type(1)
    for i in range(y.size):
        grad_x[i] = grad[i] * (one - y[i] * y[i])


@kernel
def _sigmoid(x, y):
    one = x.dtype.type(1)
    for i in range(x.size):
        small = scalars.exp(-abs(x[i]))
        y[i] = (small if x[i] < 0 else one) / (one + small)


@kernel
def _sigmoid_grad(grad, y, grad_x):
    one = y.dtype.type(1)
    for i in range(y.size):
        grad_x[i] = grad[i] * (y[i] * (one - y[i]))


@kernel(parallel=True)
def _relu_parallel(x, y):
    for task in prange(-(-x.size // CHUNK)):
        first = task * CHUNK
        end = min(first + CHUNK, x.size)
        _relu(x[first:end], y[first:end])


@kernel(parallel=True)
def _relu_grad_parallel(grad, y, grad_x):
    for task in prange(-(-y.size // CHUNK)):
        first = task * CHUNK
        end = min(first + CHUNK, y.size)
        _relu_grad(grad[first:end], y[first:end], grad_x[first:end])


@kernel(parallel=True)
def _tanh_parallel(x, y):
    for task in prange(-(-x.size // CHUNK)):
        first = task * CHUNK
        end = min(first + CHUNK, x.size)
        _tanh(x[first:end], y[first:end])


@kernel(parallel=True)
def _tanh_grad_parallel(grad, y, grad_x):
    for task in prange(-(-y.size // CHUNK)):
        first = task * CHUNK
        end = min(first + CHUNK, y.size)
        _tanh_grad(grad[first:end], y[first:end], grad_x[first:end])


@kernel(parallel=True)
def _sigmoid_parallel(x, y):
    for task in prange(-(-x.size // CHUNK)):
        first = task * CHUNK
        end = min(first + CHUNK, x.size)
        _sigmoid(x[first:end], y[first:end])


@kernel(parallel=True)
def _sigmoid_grad_parallel(grad, y, grad_x):
    for task in prange(-(-y.size // CHUNK)):
        first = task * CHUNK
        end = min(first + CHUNK, y.size)
        _sigmoid_grad(grad[first:end], y[first:end], grad_x[first:end])


def relu(x):
    """x where x > 0, else 0; NaN stays."""
    y = memory.empty(x.shape, x.dtype)
    (_relu_parallel if _parallel(x.size, CHEAP) else _relu)(x.reshape(-1), y.reshape(-1))
    return y


def relu_grad_x(grad, y):
    """The gradient where the output is not zero: ReLU'(0) = 0."""
    grad_x = memory.empty(y.shape, y.dtype)
    run = _relu_grad_parallel if _parallel(y.size, CHEAP) else _relu_grad
    run(grad.reshape(-1), y.reshape(-1), grad_x.reshape(-1))
    return grad_x


def tanh(x):
    """The hyperbolic tangent."""
    y = memory.empty(x.shape, x.dtype)
    (_tanh_parallel if _parallel(x.size, COSTLY) else _tanh)(x.reshape(-1), y.reshape(-1))
    return y


def tanh_grad_x(grad, y):
    """grad (1 - y^2)."""
    grad_x = memory.empty(y.shape, y.dtype)
    run = _tanh_grad_parallel if _parallel(y.size, CHEAP) else _tanh_grad
    run(grad.reshape(-1), y.reshape(-1), grad_x.reshape(-1))
    return grad_x


def sigmoid(x):
    """1 / (1 + e^-x), from the exponential that cannot overflow."""
    y = memory.empty(x.shape, x.dtype)
    (_sigmoid_parallel if _parallel(x.size, COSTLY) else _sigmoid)(x.reshape(-1), y.reshape(-1))
    return y


def sigmoid_grad_x(grad, y):
    """grad y (1 - y)."""
    grad_x = memory.empty(y.shape, y.dtype)
    run = _sigmoid_grad_parallel if _parallel(y.size, CHEAP) else _sigmoid_grad
    run(grad.reshape(-1), y.reshape(-1), grad_x.reshape(-1))
    return grad_x


# Softmax along the middle axis of (outer, classes, inner)


@kernel
def largest_and_log_sum(x, n, p):
    """(m, log sum_k e^(x[n, k, p] - m)) with m the largest: the log-sum-exp in the form that cannot overflow."""
    largest = x[n, 0, p]
    for k in range(1, x.shape[1]):
        value = x[n, k, p]
        if value > largest or value != value:
            largest = value
    total = 0.0
    for k in range(x.shape[1]):
        total += scalars.exp(x[n, k, p] - largest)
    return largest, np.log(total)


@kernel(parallel=True, fastmath=scalars.EXACT_ORDER)  # x - largest - total: the two must not be added first
def _softmax(x, y, logarithm):
    for n in prange(x.shape[0]):
        for p in range(x.shape[2]):
            largest, log_sum = largest_and_log_sum(x, n, p)
            total = x.dtype.type(log_sum)
            for k in range(x.shape[1]):
                value = x[n, k, p] - largest - total
                y[n, k, p] = value if logarithm else scalars.exp(value)


@kernel(parallel=True)
def _softmax_grad(grad, y, grad_x):
    for n in prange(y.shape[0]):
        for p in range(y.shape[2]):
            inner = 0.0
            for k in range(y.shape[1]):
                inner += grad[n, k, p] * y[n, k, p]
            for k in range(y.shape[1]):
                grad_x[n, k, p] = y[n, k, p] * (grad[n, k, p] - y.dtype.type(inner))


@kernel(parallel=True)
def _log_softmax_grad(grad, y, grad_x):
    for n in prange(y.shape[0]):
        for p in range(y.shape[2]):
            total = 0.0
            for k in range(y.shape[1]):
                total += grad[n, k, p]
            for k in range(y.shape[1]):
                grad_x[n, k, p] = grad[n, k, p] - scalars.exp(y[n, k, p]) * y.dtype.type(total)


def softmax(x):
    """e^x[k] / sum_l e^x[l] along the middle axis."""
    y = memory.empty(x.shape, x.dtype)
    if x.size:
        _softmax(x, y, False)
    return y


def softmax_grad_x(grad, y):
    """y[k] (grad[k] - sum_l grad[l] y[l])."""
    grad_x = memory.empty(y.shape, y.dtype)
    _softmax_grad(grad, y, grad_x)
    return grad_x


def log_softmax(x):
    """x[k] - log sum_l e^x[l] along the middle axis."""
    y = memory.empty(x.shape, x.dtype)
    if x.size:
        _softmax(x, y, True)
    return y


def log_softmax_grad_x(grad, y):
    """grad[k] - e^y[k] sum_l grad[l]."""
    grad_x = memory.empty(y.shape, y.dtype)
    _log_softmax_grad(grad, y, grad_x)
    return grad_x
