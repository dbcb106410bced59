"""The linear layer and its gradients, fast: three matrix products on the micro-kernels, without BLAS.

A BLAS library brings threads of its own, which disturb those of the other kernels; and the matrices of a small network are
so small that packing both operands, as a library does, costs as much as the product.
"""

import numpy as np
from numba import prange

from .. import memory
from ..jit import FAST, kernel
from ..simd import vector_length
from ..threads import SERIAL_BELOW, get_num_threads
from .matrix_product import few_rows_product, product, transposed_product

__all__ = ["linear", "linear_grad_bias", "linear_grad_weight", "linear_grad_x"]

# Rows of the gradient that are added up in its own precision before they go to the float64 total.
ROWS_AT_ONCE = 64


def linear(x, weight, bias, activation):
    """y[n, o] = bias[o] + sum_k x[n, k] weight[o, k], with ReLU if activation is "relu"."""
    y = memory.empty((x.shape[0], weight.shape[0]), x.dtype)
    if y.size == 0:
        return y
    bias = np.zeros(weight.shape[0], x.dtype) if bias is None else bias
    relu = activation == "relu"
    if not FAST or x.shape[1] == 0:
        _plain_linear(x, weight, bias, relu, y)
    elif 2 * x.shape[0] < vector_length(x.dtype):
        few_rows_product(x, weight, bias, relu, y)
    else:
        transposed_product(x, weight, bias, relu, y)
    return y


def linear_grad_x(grad, weight):
    """grad_x[n, k] = sum_o grad[n, o] weight[o, k]."""
    grad_x = memory.empty((grad.shape[0], weight.shape[1]), grad.dtype)
    if not FAST or 0 in (*grad.shape, weight.shape[1]):
        _plain_product(grad, weight, grad_x)
    else:
        product(grad, False, weight, grad_x)
    return grad_x


def linear_grad_weight(grad, x):
    """grad_weight[o, k] = sum_n grad[n, o] x[n, k]."""
    grad_weight = memory.empty((grad.shape[1], x.shape[1]), grad.dtype)
    if not FAST or 0 in (*grad.shape, x.shape[1]):
        _plain_product(grad.T, x, grad_weight)
    else:
        product(grad, True, x, grad_weight)
    return grad_weight


def linear_grad_bias(grad):
    """grad_bias[o] = sum_n grad[n, o]."""
    grad_bias = memory.empty((grad.shape[1],), grad.dtype)
    if grad.size < SERIAL_BELOW or get_num_threads() == 1:
        _sum_rows(grad, grad_bias, 0, grad.shape[1])
    else:
        _sum_rows_parallel(grad, grad_bias, get_num_threads())
    return grad_bias


@kernel
def _sum_rows(grad, grad_bias, first, end):
    totals = np.zeros(end - first)
    part = np.empty(end - first, grad.dtype)
    for start in range(0, grad.shape[0], ROWS_AT_ONCE):
        part[:] = 0
        for n in range(start, min(start + ROWS_AT_ONCE, grad.shape[0])):
            row = grad[n, first:end]
            for o in range(row.size):
                part[o] += row[o]
        for o in range(part.size):
            totals[o] += part[o]
    grad_bias[first:end] = totals


@kernel(parallel=True)
def _sum_rows_parallel(grad, grad_bias, shares):
    for share in prange(shares):
        _sum_rows(grad, grad_bias, share * grad.shape[1] // shares, (share + 1) * grad.shape[1] // shares)


@kernel(parallel=True)
def _plain_linear(x, weight, bias, relu, y):
    for n in prange(x.shape[0]):
        for o in range(weight.shape[0]):
            total = bias[o]
            for k in range(x.shape[1]):
                total += x[n, k] * weight[o, k]
            y[n, o] = x.dtype.type(0) if relu and total <= 0 else total


@kernel(parallel=True)
def _plain_product(a, b, c):
    for m in prange(c.shape[0]):
        for n in range(c.shape[1]):
            c[m, n] = 0
        for p in range(b.shape[0]):
            for n in range(c.shape[1]):
                c[m, n] += a[m, p] * b[p, n]
