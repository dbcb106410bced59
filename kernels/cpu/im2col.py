"""Convolution as one matrix product: the textbook way, image to columns.

Every window of the padded image becomes a column of K = C_in/groups * K_h * K_w numbers. The columns of an image form a
matrix (K, P) with P = H_out * W_out, and with the weight as a matrix (C_out/groups, K) for each group

    y = weight @ columns        grad_columns = weight.T @ grad        grad_weight = sum over images of grad @ columns.T

The gradient of the image collects what the columns hand back, each element to the pixel it was copied from. It is
simple, right for every option, and fast where the matrix product is large; but the columns repeat each pixel up to
K_h * K_w times, and it takes longer to write and read them than to multiply. `direct` does without them.
"""

import numpy as np

from .. import memory
from ..reference.conv import PADDING_CODES, output_shape, source_index


def _sources(x_shape, padding, padding_mode):
    """The row and the column of x at each padded row and column; -1, an index beyond the end, where the padding is zero."""
    code = PADDING_CODES[padding_mode]
    height, width = x_shape[2:]
    rows = [source_index(i - padding[0], height, code) for i in range(height + padding[0] + padding[1])]
    columns = [source_index(j - padding[2], width, code) for j in range(width + padding[2] + padding[3])]
    return np.array(rows), np.array(columns)


def _pad(x, rows, columns):
    """(N, C, padded H, padded W)."""
    padded = x[:, :, rows[:, np.newaxis], columns]
    padded[:, :, rows < 0] = 0
    padded[:, :, :, columns < 0] = 0
    return padded


def _fold(padded, rows, columns, x_shape):
    """The adjoint of `_pad`: every padded element goes back to the pixel it is a copy of."""
    by_rows = np.zeros((*x_shape[:3], padded.shape[3]), padded.dtype)
    for i, row in enumerate(rows):
        if row >= 0:
            by_rows[:, :, row] += padded[:, :, i]
    x = memory.zeros(x_shape, padded.dtype)
    for j, column in enumerate(columns):
        if column >= 0:
            x[:, :, :, column] += by_rows[:, :, :, j]
    return x


def _taps(shape, kernel_size, stride, dilation):
    """For every tap (a, b) of the kernel: the slices of padded rows and columns that it reads for all of y (N, C, H, W)."""
    for a in range(kernel_size[0]):
        for b in range(kernel_size[1]):
            first = (a * dilation[0], b * dilation[1])
            rows = slice(first[0], first[0] + (shape[2] - 1) * stride[0] + 1, stride[0])
            columns = slice(first[1], first[1] + (shape[3] - 1) * stride[1] + 1, stride[1])
            yield a, b, rows, columns


def _columns(x, y_shape, weight_shape, stride, padding, dilation, groups, padding_mode):
    """(N, groups, K, P): column p holds the window of x that pixel p of y sees."""
    padded = _pad(x, *_sources(x.shape, padding, padding_mode))
    windows = np.empty((x.shape[0], x.shape[1], *weight_shape[2:], *y_shape[2:]), x.dtype)
    for a, b, rows, columns in _taps(y_shape, weight_shape[2:], stride, dilation):
        windows[:, :, a, b] = padded[:, :, rows, columns]
    taps = weight_shape[1] * weight_shape[2] * weight_shape[3]
    return windows.reshape(x.shape[0], groups, taps, y_shape[2] * y_shape[3])


def _as_matrices(weight, groups):
    """(groups, C_out/groups, K)."""
    taps = weight.shape[1] * weight.shape[2] * weight.shape[3]
    return weight.reshape(groups, weight.shape[0] // groups, taps)


def conv2d_im2col(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation):
    """Cross-correlate x with weight, add the bias of each output channel, and apply ReLU if activation is "relu"."""
    shape = output_shape(x.shape, weight.shape, stride, padding, dilation)
    columns = _columns(x, shape, weight.shape, stride, padding, dilation, groups, padding_mode)
    y = memory.empty(shape, x.dtype)
    pixels = shape[2] * shape[3]
    np.matmul(_as_matrices(weight, groups), columns, out=y.reshape(shape[0], groups, shape[1] // groups, pixels))
    if bias is not None:
        y += bias[:, np.newaxis, np.newaxis]
    if activation == "relu":
        np.maximum(y, 0, out=y)
    return y


def conv2d_grad_x_im2col(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode):
    """Gradient with respect to x: each product hands grad_y * weight to the element of x it used."""
    images, outputs, height, width = grad.shape
    matrices = grad.reshape(images, groups, outputs // groups, height * width)
    columns = np.matmul(_as_matrices(weight, groups).transpose(0, 2, 1), matrices)
    windows = columns.reshape(images, x_shape[1], *weight.shape[2:], height, width)
    row_sources, column_sources = _sources(x_shape, padding, padding_mode)
    padded = np.zeros((*x_shape[:2], row_sources.size, column_sources.size), grad.dtype)
    for a, b, rows, columns in _taps(grad.shape, weight.shape[2:], stride, dilation):
        padded[:, :, rows, columns] += windows[:, :, a, b]
    return _fold(padded, row_sources, column_sources, x_shape)


def conv2d_grad_weight_im2col(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode):
    """Gradient with respect to weight: each product hands grad_y * x to the element of weight it used."""
    images, outputs, height, width = grad.shape
    columns = _columns(x, grad.shape, weight_shape, stride, padding, dilation, groups, padding_mode)
    grad_weight = memory.zeros(weight_shape, grad.dtype)
    for n in range(images):
        matrices = grad[n].reshape(groups, outputs // groups, height * width)
        _as_matrices(grad_weight, groups)[...] += np.matmul(matrices, columns[n].transpose(0, 2, 1))
    return grad_weight
