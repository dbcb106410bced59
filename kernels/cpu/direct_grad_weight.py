"""Gradients of a convolution with respect to its weight and bias, by micro-kernels that read the image where it lies.

There are two formulations with the same answer. Outer products (`grad_weight_outer`) keep all output channels of a pixel in the lanes of a vector and
need at least half a vector of them; dot products (`grad_weight_dot`) keep neighbouring pixels there and serve groups of few channels.
"""

import numpy as np
from numba import prange

from .. import memory, threads
from ..jit import FAST, kernel
from ..plans import plan_cache
from ..reference.conv import PADDING_CODES, source_index
from ..simd import vector_length
from .grad_weight_dot import grad_weight_dot
from .grad_weight_outer import grad_weight_outer

# Pixels that are added up in the gradient's own precision before they go to the float64 total.
PIXELS_AT_ONCE = 256


def conv2d_grad_weight_direct(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode):
    """Gradient with respect to weight: each product of the convolution hands grad_y * x to the element of weight it used."""
    if grad.size == 0 or x.size == 0:
        return memory.zeros(weight_shape, grad.dtype)
    options = (stride, padding, dilation, groups, padding_mode)
    if not FAST:
        return _plain(grad, x, weight_shape, *options)
    few = 2 * (weight_shape[0] // groups) <= vector_length(x.dtype)
    formulation = grad_weight_dot if few else grad_weight_outer
    return formulation(grad, x, weight_shape, *options, threads.get_num_threads())


@plan_cache
def _sources(x_shape, padding, padding_mode):
    """The row and the column of x at each padded row and column, -1 for zeros."""
    code = PADDING_CODES[padding_mode]
    height, width = x_shape[2:]
    rows = [source_index(i - padding[0], height, code) for i in range(height + padding[0] + padding[1])]
    columns = [source_index(j - padding[2], width, code) for j in range(width + padding[2] + padding[3])]
    return np.array(rows, np.intp), np.array(columns, np.intp)


def _plain(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode):
    grad_weight = memory.empty(weight_shape, grad.dtype)
    rows, columns = _sources(x.shape, padding, padding_mode)
    _plain_loops(grad, x, grad_weight, rows, columns, stride, dilation, groups)
    return grad_weight


@kernel(parallel=True)
def _plain_loops(grad, x, grad_weight, row_source, column_source, stride, dilation, groups):
    """Without vector instructions of our own: every task owns the weights of one output channel."""
    group_outputs = grad_weight.shape[0] // groups
    for o in prange(grad_weight.shape[0]):
        first_channel = o // group_outputs * grad_weight.shape[1]
        for c in range(grad_weight.shape[1]):
            for a in range(grad_weight.shape[2]):
                for b in range(grad_weight.shape[3]):
                    total = grad.dtype.type(0)
                    for n in range(grad.shape[0]):
                        for i in range(grad.shape[2]):
                            row = row_source[i * stride[0] + a * dilation[0]]
                            if row >= 0:
                                for j in range(grad.shape[3]):
                                    column = column_source[j * stride[1] + b * dilation[1]]
                                    if column >= 0:
                                        total += grad[n, o, i, j] * x[n, first_channel + c, row, column]
                    grad_weight[o, c, a, b] = total


def conv2d_grad_bias(grad):
    """Gradient with respect to the bias: the sum of the upstream gradient over images, rows and columns."""
    grad_bias = memory.empty((grad.shape[1],), grad.dtype)
    _sum_channels(grad.reshape(grad.shape[0], grad.shape[1], grad.shape[2] * grad.shape[3]), grad_bias)
    return grad_bias


@kernel(parallel=True)
def _sum_channels(grad, grad_bias):
    for c in prange(grad.shape[1]):
        total = 0.0
        for n in range(grad.shape[0]):
            for start in range(0, grad.shape[2], PIXELS_AT_ONCE):
                pixels = grad[n, c, start : start + PIXELS_AT_ONCE]
                part = grad.dtype.type(0)
                for p in range(pixels.size):
                    part += pixels[p]
                total += part
        grad_bias[c] = total


def relu_mask_and_bias(grad, y):
    """Backward of a fused ReLU: the gradient where y > 0 and zero elsewhere, and its sum over images, rows and columns."""
    masked = memory.empty(grad.shape, grad.dtype)
    grad_bias = memory.empty((grad.shape[1],), grad.dtype)
    shape = (grad.shape[0], grad.shape[1], grad.shape[2] * grad.shape[3])
    _mask_channels(grad.reshape(shape), y.reshape(shape), masked.reshape(shape), grad_bias)
    return masked, grad_bias


@kernel(parallel=True)
def _mask_channels(grad, y, masked, grad_bias):
    zero = grad.dtype.type(0)
    for c in prange(grad.shape[1]):
        total = 0.0
        for n in range(grad.shape[0]):
            for start in range(0, grad.shape[2], PIXELS_AT_ONCE):
                end = start + PIXELS_AT_ONCE
                pixels, outputs, results = grad[n, c, start:end], y[n, c, start:end], masked[n, c, start:end]
                part = zero
                for p in range(pixels.size):
                    value = zero if outputs[p] <= zero else pixels[p]
                    results[p] = value
                    part += value
                total += part
        grad_bias[c] = total
