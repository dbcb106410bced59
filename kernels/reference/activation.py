"""Activations, element by element, and softmax along the middle axis of (outer, classes, inner)."""

import numpy as np

from .scalars import empty_like_shape, exp, log, zero_of
from .scalars import tanh as hyperbolic_tangent

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


def _each(function, *arrays):
    """A new array of function(a[i], b[i], ...)."""
    result = empty_like_shape(arrays[0].shape, arrays[0])
    for index in np.ndindex(arrays[0].shape):
        result[index] = function(*(array[index] for array in arrays))
    return result


def relu(x):
    """x where x > 0, else 0; NaN stays."""
    zero = zero_of(x)
    return _each(lambda value: zero if value <= zero else value, x)


def relu_grad_x(grad, y):
    """The gradient where the output is not zero: ReLU'(0) = 0."""
    zero = zero_of(grad)
    return _each(lambda upstream, value: zero if value <= zero else upstream, grad, y)


def tanh(x):
    """The hyperbolic tangent."""
    return _each(hyperbolic_tangent, x)


def tanh_grad_x(grad, y):
    """grad (1 - y^2)."""
    return _each(lambda upstream, value: upstream * (1 - value * value), grad, y)


def sigmoid(x):
    """1 / (1 + e^-x), from the exponential that cannot overflow."""

    def one(value):
        if value < 0:
            small = exp(value)
            return small / (1 + small)
        return 1 / (1 + exp(-value))

    return _each(one, x)


def sigmoid_grad_x(grad, y):
    """grad y (1 - y)."""
    return _each(lambda upstream, value: upstream * (value * (1 - value)), grad, y)


def softmax(x):
    """e^x[k] / sum_l e^x[l] along the middle axis, shifted by the largest x so that nothing overflows."""
    y = empty_like_shape(x.shape, x)
    for n in range(x.shape[0]):
        for p in range(x.shape[2]):
            largest = _largest(x, n, p)
            total = zero_of(x)
            for k in range(x.shape[1]):
                y[n, k, p] = exp(x[n, k, p] - largest)
                total = total + y[n, k, p]
            for k in range(x.shape[1]):
                y[n, k, p] = y[n, k, p] / total
    return y


def softmax_grad_x(grad, y):
    """y[k] (grad[k] - sum_l grad[l] y[l])."""
    grad_x = empty_like_shape(y.shape, y)
    for n in range(y.shape[0]):
        for p in range(y.shape[2]):
            inner = zero_of(y)
            for k in range(y.shape[1]):
                inner = inner + grad[n, k, p] * y[n, k, p]
            for k in range(y.shape[1]):
                grad_x[n, k, p] = y[n, k, p] * (grad[n, k, p] - inner)
    return grad_x


def log_softmax(x):
    """x[k] - log sum_l e^x[l] along the middle axis."""
    y = empty_like_shape(x.shape, x)
    for n in range(x.shape[0]):
        for p in range(x.shape[2]):
            largest = _largest(x, n, p)
            total = zero_of(x)
            for k in range(x.shape[1]):
                total = total + exp(x[n, k, p] - largest)
            for k in range(x.shape[1]):
                y[n, k, p] = x[n, k, p] - largest - log(total)
    return y


def log_softmax_grad_x(grad, y):
    """grad[k] - e^y[k] sum_l grad[l]."""
    grad_x = empty_like_shape(y.shape, y)
    for n in range(y.shape[0]):
        for p in range(y.shape[2]):
            total = zero_of(y)
            for k in range(y.shape[1]):
                total = total + grad[n, k, p]
            for k in range(y.shape[1]):
                grad_x[n, k, p] = grad[n, k, p] - exp(y[n, k, p]) * total
    return grad_x


def _largest(x, n, p):
    largest = x[n, 0, p]
    for k in range(1, x.shape[1]):
        if x[n, k, p] > largest:
            largest = x[n, k, p]
    return largest
