"""Activations that need to know where in the array a number lies, fast: PReLU on (outer, channels, inner), GLU on (outer, 2, inner)."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from . import special
from .activation import leaky_relu, leaky_relu_grad_x
from .elementwise import CHEAP, CHUNK, COSTLY, whole_vectors, worth_sharing
from .special import like

__all__ = ["glu", "glu_grad_x", "prelu", "prelu_grad_weight", "prelu_grad_x"]


# PReLU: `x` decides, `values` (x itself, or the gradient) are multiplied


@kernel
def _slopes_row(values, x, weight, y, row):
    slope = weight[row % weight.size]
    for i in range(x.shape[1]):
        y[row, i] = values[row, i] if x[row, i] > 0 else slope * values[row, i]


@kernel
def _slopes_serial(values, x, weight, y):
    for row in range(x.shape[0]):
        _slopes_row(values, x, weight, y, row)


@kernel(parallel=True)
def _slopes_parallel(values, x, weight, y):
    for row in prange(x.shape[0]):
        _slopes_row(values, x, weight, y, row)


@kernel
def _slopes_neighbours(values, x, weight, y):
    """Where the channels are the last axis."""
    for row in range(x.shape[0]):
        for c in range(x.shape[1]):
            y[row, c] = values[row, c] if x[row, c] > 0 else weight[c] * values[row, c]


@kernel
def _weight_row(grad, x, partial, row):
    total = np.float64(0)
    for i in range(x.shape[1]):
        total += like(0, x[row, i]) if x[row, i] > 0 else grad[row, i] * x[row, i]
    partial[row] = total


@kernel
def _weight_serial(grad, x, partial):
    for row in range(x.shape[0]):
        _weight_row(grad, x, partial, row)


@kernel(parallel=True)
def _weight_parallel(grad, x, partial):
    for row in prange(x.shape[0]):
        _weight_row(grad, x, partial, row)


@kernel
def _weight_neighbours(grad, x, total):
    for row in range(x.shape[0]):
        for c in range(x.shape[1]):
            total[c] += like(0, x[row, c]) if x[row, c] > 0 else grad[row, c] * x[row, c]


def _multiply(values, x, weight):
    y = memory.empty(x.shape, x.dtype)
    outer, channels, inner = x.shape
    if inner == 1:
        _slopes_neighbours(*[array.reshape(outer, channels) for array in (values, x)], weight, y.reshape(outer, channels))
    else:
        rows = (outer * channels, inner)
        run = _slopes_parallel if worth_sharing(x.size, CHEAP) else _slopes_serial
        run(values.reshape(rows), x.reshape(rows), weight, y.reshape(rows))
    return y


def prelu(x, weight):
    """x where x > 0, else weight[c] x, on (outer, channels, inner)."""
    return leaky_relu(x, weight[0]) if weight.size == 1 else _multiply(x, x, weight)


def prelu_grad_x(grad, x, weight):
    """The gradient where x > 0, else weight[c] times it."""
    return leaky_relu_grad_x(grad, x, weight[0]) if weight.size == 1 else _multiply(grad, x, weight)


def prelu_grad_weight(grad, x):
    """Of every channel the sum of grad x over the places with x <= 0."""
    outer, channels, inner = x.shape
    if inner == 1 and channels > 1:
        total = np.zeros(channels, np.float64)
        _weight_neighbours(grad.reshape(outer, channels), x.reshape(outer, channels), total)
        return total.astype(x.dtype)
    run = _weight_parallel if worth_sharing(x.size, CHEAP) else _weight_serial
    if channels > 1:
        partial = np.empty((outer, channels), np.float64)
        rows = (outer * channels, inner)
        run(grad.reshape(rows), x.reshape(rows), partial.reshape(-1))
        return partial.sum(axis=0).astype(x.dtype)
    # One weight for everything: rows of one length, and what is left of the last.
    whole = x.size // CHUNK * CHUNK
    total = np.float64(0)
    for part, width in ((slice(0, whole), CHUNK), (slice(whole, x.size), x.size - whole)):
        rows = (part.stop - part.start) // max(width, 1)
        if rows:
            partial = np.empty(rows, np.float64)
            run(grad.reshape(-1)[part].reshape(rows, width), x.reshape(-1)[part].reshape(rows, width), partial)
            total += partial.sum()
    return np.full(channels, total, x.dtype)


# GLU


@kernel
def _glu_task(x, y, task, inner, segments):
    start, end = task % segments * CHUNK, min((task % segments + 1) * CHUNK, inner)
    row = task // segments
    value, gate, result = x[row, 0, start:end], x[row, 1, start:end], y[row, start:end]
    for i in range(result.size):
        result[i] = value[i] * special.sigmoid(gate[i])


@kernel
def _glu_serial(x, y, inner, segments):
    whole_vectors()
    for task in range(x.shape[0] * segments):
        _glu_task(x, y, task, inner, segments)


@kernel(parallel=True)
def _glu_parallel(x, y, inner, segments):
    for task in prange(x.shape[0] * segments):
        whole_vectors()
        _glu_task(x, y, task, inner, segments)


@kernel
def _glu_grad_task(grad, x, grad_x, task, inner, segments):
    start, end = task % segments * CHUNK, min((task % segments + 1) * CHUNK, inner)
    row = task // segments
    value, gate, upstream = x[row, 0, start:end], x[row, 1, start:end], grad[row, start:end]
    grad_value, grad_gate = grad_x[row, 0, start:end], grad_x[row, 1, start:end]
    for i in range(upstream.size):
        s = special.sigmoid(gate[i])
        grad_value[i] = upstream[i] * s
        grad_gate[i] = (like(1, s) - s) * s * upstream[i] * value[i]


@kernel
def _glu_grad_serial(grad, x, grad_x, inner, segments):
    whole_vectors()
    for task in range(x.shape[0] * segments):
        _glu_grad_task(grad, x, grad_x, task, inner, segments)


@kernel(parallel=True)
def _glu_grad_parallel(grad, x, grad_x, inner, segments):
    for task in prange(x.shape[0] * segments):
        whole_vectors()
        _glu_grad_task(grad, x, grad_x, task, inner, segments)


def glu(x):
    """a sigmoid(b) for the halves a, b of (outer, 2, inner)."""
    outer, _, inner = x.shape
    y = memory.empty((outer, inner), x.dtype)
    (_glu_parallel if worth_sharing(y.size, COSTLY) else _glu_serial)(x, y, inner, -(-inner // CHUNK))
    return y


def glu_grad_x(grad, x):
    """grad s for the first half, grad a s (1 - s) for the second, s = sigmoid(b)."""
    grad_x = memory.empty(x.shape, x.dtype)
    inner = x.shape[2]
    (_glu_grad_parallel if worth_sharing(grad.size, COSTLY) else _glu_grad_serial)(grad, x, grad_x, inner, -(-inner // CHUNK))
    return grad_x
