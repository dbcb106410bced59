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
from .unfold import col2im, im2col


def sources(x_shape, padding, padding_mode):
    """The row and the column of x that stand at each padded row and column; -1 for zeros."""
    code = PADDING_CODES[padding_mode]
    height, width = x_shape[2:]
    rows = [source_index(i - padding[0], height, code) for i in range(height + padding[0] + padding[1])]
    columns = [source_index(j - padding[2], width, code) for j in range(width + padding[2] + padding[3])]
    return np.array(rows), np.array(columns)


def pad_by(x, rows, columns):
    """(N, C, padded H, padded W)."""
    padded = np.ascontiguousarray(x[:, :, rows[:, np.newaxis], columns])
    padded[:, :, rows < 0] = 0
    padded[:, :, :, columns < 0] = 0
    return padded


def fold_by(padded, rows, columns, x_shape):
    """The adjoint of `pad_by`: every padded element goes back to the pixel it is a copy of."""
    by_rows = np.zeros((*x_shape[:3], padded.shape[3]), padded.dtype)
    for i, row in enumerate(rows):
        if row >= 0:
            by_rows[:, :, row] += padded[:, :, i]
    x = memory.zeros(x_shape, padded.dtype)
    for j, column in enumerate(columns):
        if column >= 0:
            x[:, :, :, column] += by_rows[:, :, :, j]
    return x


def _columns(x, y_shape, weight_shape, stride, padding, dilation, groups, padding_mode):
    """(N, groups, K, P): column p holds the window of x that pixel p of y sees."""
    if padding_mode != "zeros":
        x, padding = pad_by(x, *sources(x.shape, padding, padding_mode)), (0, 0, 0, 0)
    taps = weight_shape[1] * weight_shape[2] * weight_shape[3]
    return im2col(x, weight_shape[2:], dilation, padding, stride).reshape(x.shape[0], groups, taps, y_shape[2] * y_shape[3])


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
    columns = columns.reshape(images, x_shape[1] * weight.shape[2] * weight.shape[3], height * width)
    if padding_mode == "zeros":
        return col2im(columns, x_shape[2:], weight.shape[2:], dilation, padding, stride)
    rows, across = sources(x_shape, padding, padding_mode)
    padded = col2im(columns, (rows.size, across.size), weight.shape[2:], dilation, (0, 0, 0, 0), stride)
    return fold_by(padded, rows, across, x_shape)


def conv2d_grad_weight_im2col(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode):
    """Gradient with respect to weight: each product hands grad_y * x to the element of weight it used."""
    images, outputs, height, width = grad.shape
    columns = _columns(x, grad.shape, weight_shape, stride, padding, dilation, groups, padding_mode)
    grad_weight = memory.zeros(weight_shape, grad.dtype)
    for n in range(images):
        matrices = grad[n].reshape(groups, outputs // groups, height * width)
        _as_matrices(grad_weight, groups)[...] += np.matmul(matrices, columns[n].transpose(0, 2, 1))
    return grad_weight
