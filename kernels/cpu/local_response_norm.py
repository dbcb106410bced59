"""Local response normalisation, fast: threads own images, or pieces of their pixels. Arrays are flat (N, C, P)."""

import math

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["local_response_norm", "local_response_norm_grad_x"]

PIECE = 1024  # pixels a task: a window of five channels of them stays in the first-level cache
NANOSECONDS_AN_ELEMENT = 1.5


@kernel
def _times_power(x, d, y, first, count, beta):
    """y = x d^-beta over a run; the papers' exponents by square roots, which are vector instructions."""
    one = d.dtype.type(1)
    exponent = d.dtype.type(-beta)
    if beta == 0.75:
        for i in range(first, first + count):
            root = math.sqrt(d[i])
            y[i] = x[i] * (one / (root * math.sqrt(root)))
    elif beta == 0.5:
        for i in range(first, first + count):
            y[i] = x[i] * (one / math.sqrt(d[i]))
    elif beta == 1.0:
        for i in range(first, first + count):
            y[i] = x[i] * (one / d[i])
    else:
        for i in range(first, first + count):
            y[i] = x[i] * d[i] ** exponent


@kernel
def _piece(x, y, d, shape, image, first, end, before, after, share, beta, k):
    """Pixels first to end of one image; a window is the channels c - before to c + after."""
    channels, pixels = shape[1], shape[2]
    count = np.uint64(end - first)
    for c in range(channels):
        out = np.uint64((image * channels + c) * pixels + first)
        for j in range(count):
            d[out + j] = 0
        for near in range(max(c - before, 0), min(c + after + 1, channels)):
            source = np.uint64((image * channels + near) * pixels + first)
            for j in range(count):
                d[out + j] += x[source + j] * x[source + j]
        for j in range(count):
            d[out + j] = k + share * d[out + j]
        _times_power(x, d, y, out, count, beta)


@kernel
def _piece_gradient(grad, x, d, grad_x, terms, shape, image, first, end, before, after, factor, beta):
    channels, pixels = shape[1], shape[2]
    count = np.uint64(end - first)
    for c in range(channels):
        out = np.uint64((image * channels + c) * pixels + first)
        _times_power(grad, d, grad_x, out, count, beta)
        for j in range(count):
            terms[out + j] = grad_x[out + j] * x[out + j] / d[out + j]
    total = np.empty(end - first, x.dtype)
    for c in range(channels):
        out = np.uint64((image * channels + c) * pixels + first)
        for j in range(count):
            total[j] = 0
        for near in range(max(c - after, 0), min(c + before + 1, channels)):
            source = np.uint64((image * channels + near) * pixels + first)
            for j in range(count):
                total[j] += terms[source + j]
        for j in range(count):
            grad_x[out + j] -= factor * x[out + j] * total[j]


@kernel
def _forward_serial(x, y, d, shape, pieces, before, after, share, beta, k):
    for task in range(shape[0] * pieces):
        piece = task % pieces
        first, end = piece * shape[2] // pieces, (piece + 1) * shape[2] // pieces
        _piece(x, y, d, shape, task // pieces, first, end, before, after, share, beta, k)


@kernel(parallel=True)
def _forward_parallel(x, y, d, shape, pieces, before, after, share, beta, k):
    for task in prange(shape[0] * pieces):
        piece = task % pieces
        first, end = piece * shape[2] // pieces, (piece + 1) * shape[2] // pieces
        _piece(x, y, d, shape, task // pieces, first, end, before, after, share, beta, k)


@kernel
def _gradient_serial(grad, x, d, grad_x, terms, shape, pieces, before, after, factor, beta):
    for task in range(shape[0] * pieces):
        piece = task % pieces
        first, end = piece * shape[2] // pieces, (piece + 1) * shape[2] // pieces
        _piece_gradient(grad, x, d, grad_x, terms, shape, task // pieces, first, end, before, after, factor, beta)


@kernel(parallel=True)
def _gradient_parallel(grad, x, d, grad_x, terms, shape, pieces, before, after, factor, beta):
    for task in prange(shape[0] * pieces):
        piece = task % pieces
        first, end = piece * shape[2] // pieces, (piece + 1) * shape[2] // pieces
        _piece_gradient(grad, x, d, grad_x, terms, shape, task // pieces, first, end, before, after, factor, beta)


def _serial(size: int) -> bool:
    return size * NANOSECONDS_AN_ELEMENT < SERIAL_BELOW or get_num_threads() == 1


def _pieces(pixels: int) -> int:
    return max(1, -(-pixels // PIECE))


def local_response_norm(x, size, alpha, beta, k):
    """(y, d), the response and what its power divides x; see the reference."""
    y, d = memory.empty(x.shape, x.dtype), memory.empty(x.shape, x.dtype)
    if x.size:
        window = min(size // 2, x.shape[1]), min((size - 1) // 2, x.shape[1])
        arrays = x.reshape(-1), y.reshape(-1), d.reshape(-1)
        number = x.dtype.type
        run = _forward_serial if _serial(x.size) else _forward_parallel
        run(*arrays, x.shape, _pieces(x.shape[2]), *window, number(alpha / size), float(beta), number(k))
    return y, d


def local_response_norm_grad_x(grad, x, d, size, alpha, beta):
    """The gradient of `local_response_norm`; see the reference."""
    grad_x, terms = memory.empty(x.shape, x.dtype), memory.empty(x.shape, x.dtype)
    if x.size:
        window = min(size // 2, x.shape[1]), min((size - 1) // 2, x.shape[1])
        arrays = grad.reshape(-1), x.reshape(-1), d.reshape(-1), grad_x.reshape(-1), terms.reshape(-1)
        run = _gradient_serial if _serial(2 * x.size) else _gradient_parallel
        run(*arrays, x.shape, _pieces(x.shape[2]), *window, x.dtype.type(2 * alpha * beta / size), float(beta))
    return grad_x
