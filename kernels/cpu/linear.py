"""The linear layer (temporary: BLAS, until DOT's micro-kernels)."""

import numpy as np

from .. import memory

__all__ = ["linear", "linear_grad_bias", "linear_grad_weight", "linear_grad_x"]


def linear(x, weight, bias, activation):
    y = np.matmul(x, weight.T, out=memory.empty((x.shape[0], weight.shape[0]), x.dtype))
    if bias is not None:
        y += bias
    if activation == "relu":
        np.maximum(y, 0, out=y)
    return y


def linear_grad_x(grad, weight):
    return np.matmul(grad, weight, out=memory.empty((grad.shape[0], weight.shape[1]), grad.dtype))


def linear_grad_weight(grad, x):
    return np.matmul(grad.T, x, out=memory.empty((grad.shape[1], x.shape[1]), grad.dtype))


def linear_grad_bias(grad):
    return grad.sum(0)
