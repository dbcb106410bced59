"""Two-dimensional convolution, fast: which algorithm runs where."""

import numpy as np

from .. import memory
from ..reference import conv as definition
from ..reference.conv import PADDING_CODES, source_index
from .direct import conv2d_direct, conv2d_grad_x_direct

__all__ = ["conv2d", "conv2d_grad_bias", "conv2d_grad_weight", "conv2d_grad_x", "relu_mask_and_bias"]


def conv2d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation, algorithm="auto"):
    if algorithm == "naive":
        return definition.conv2d(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation)
    return conv2d_direct(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation)


def conv2d_grad_x(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    return conv2d_grad_x_direct(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode)


def conv2d_grad_weight(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, algorithm="auto"):
    # TEMPORARY until writer DOT's direct_grad_weight.py is here
    code = PADDING_CODES[padding_mode]
    rows = [source_index(i - padding[0], x.shape[2], code) for i in range(x.shape[2] + padding[0] + padding[1])]
    cols = [source_index(i - padding[2], x.shape[3], code) for i in range(x.shape[3] + padding[2] + padding[3])]
    xp = x[:, :, rows][:, :, :, cols]
    xp[:, :, [i for i, r in enumerate(rows) if r < 0]] = 0
    xp[:, :, :, [i for i, r in enumerate(cols) if r < 0]] = 0
    gw = memory.zeros(weight_shape, x.dtype)
    og, ig = weight_shape[0] // groups, weight_shape[1]
    oh, ow = grad.shape[2:]
    for a in range(weight_shape[2]):
        for b in range(weight_shape[3]):
            v = xp[:, :, a * dilation[0] : a * dilation[0] + (oh - 1) * stride[0] + 1 : stride[0], b * dilation[1] : b * dilation[1] + (ow - 1) * stride[1] + 1 : stride[1]]
            for g in range(groups):
                gw[g * og : (g + 1) * og, :, a, b] = np.tensordot(grad[:, g * og : (g + 1) * og], v[:, g * ig : (g + 1) * ig], ([0, 2, 3], [0, 2, 3]))
    return gw


def conv2d_grad_bias(grad):
    return grad.sum((0, 2, 3), dtype=np.float64).astype(grad.dtype)


def relu_mask_and_bias(grad, y):
    masked = np.where(y <= 0, grad.dtype.type(0), grad)
    return masked, conv2d_grad_bias(masked)
