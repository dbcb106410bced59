"""The convolution in plain Numba, for TINYCNN_FAST=0 and NUMBA_DISABLE_JIT: no vector instructions of our own."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..reference.conv import PADDING_CODES, output_shape, source_index


@plan_cache
def _sources(size, before, after, padding_mode):
    """The element of x at each padded position of an axis, -1 where the padding is zero."""
    code = PADDING_CODES[padding_mode]
    return np.array([source_index(i - before, size, code) for i in range(before + size + after)], np.intp)


def conv2d_plain(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation):
    """The convolution by loops over whole rows; arguments as `reference.conv.conv2d`."""
    y = memory.empty(output_shape(x.shape, weight.shape, stride, padding, dilation), x.dtype)
    if bias is None:
        bias = np.zeros(weight.shape[0], x.dtype)
    rows = _sources(x.shape[2], padding[0], padding[1], padding_mode)
    columns = _sources(x.shape[3], padding[2], padding[3], padding_mode)
    _forward(x, weight, bias, y, rows, columns, stride, dilation, groups, activation == "relu")
    return y


def conv2d_grad_x_plain(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode):
    """The gradient with respect to x by loops over whole rows; arguments as `reference.conv.conv2d_grad_x`."""
    grad_x = memory.empty(x_shape, grad.dtype)
    rows = _sources(x_shape[2], padding[0], padding[1], padding_mode)
    columns = _sources(x_shape[3], padding[2], padding[3], padding_mode)
    _backward(grad, weight, grad_x, rows, columns, stride, dilation, groups)
    return grad_x


@kernel(parallel=True)
def _forward(x, weight, bias, y, rows, columns, stride, dilation, groups, relu):
    group_outputs = weight.shape[0] // groups
    for plane in prange(y.shape[0] * y.shape[1]):
        n, o = plane // y.shape[1], plane % y.shape[1]
        first_channel = o // group_outputs * weight.shape[1]
        for i in range(y.shape[2]):
            for j in range(y.shape[3]):
                y[n, o, i, j] = bias[o]
            for c in range(weight.shape[1]):
                for a in range(weight.shape[2]):
                    row = rows[i * stride[0] + a * dilation[0]]
                    if row >= 0:
                        for b in range(weight.shape[3]):
                            for j in range(y.shape[3]):
                                column = columns[j * stride[1] + b * dilation[1]]
                                if column >= 0:
                                    y[n, o, i, j] += weight[o, c, a, b] * x[n, first_channel + c, row, column]
            if relu:
                for j in range(y.shape[3]):
                    if y[n, o, i, j] <= 0:
                        y[n, o, i, j] = 0


@kernel(parallel=True)
def _backward(grad, weight, grad_x, rows, columns, stride, dilation, groups):
    """Every task owns one channel of one image of grad_x."""
    group_outputs = weight.shape[0] // groups
    for plane in prange(grad_x.shape[0] * grad_x.shape[1]):
        n, channel = plane // grad_x.shape[1], plane % grad_x.shape[1]
        group, c = channel // weight.shape[1], channel % weight.shape[1]
        for h in range(grad_x.shape[2]):
            for w in range(grad_x.shape[3]):
                grad_x[n, channel, h, w] = 0
        for o in range(group * group_outputs, (group + 1) * group_outputs):
            for a in range(weight.shape[2]):
                for i in range(grad.shape[2]):
                    row = rows[i * stride[0] + a * dilation[0]]
                    if row >= 0:
                        for b in range(weight.shape[3]):
                            for j in range(grad.shape[3]):
                                column = columns[j * stride[1] + b * dilation[1]]
                                if column >= 0:
                                    grad_x[n, channel, row, column] += weight[o, c, a, b] * grad[n, o, i, j]
