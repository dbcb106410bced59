"""Activations that need to know where in the array a number lies: PReLU on (outer, channels, inner), GLU on (outer, 2, inner)."""

import numpy as np

from .scalars import empty_like_shape, exp

__all__ = ["glu", "glu_grad_x", "prelu", "prelu_grad_weight", "prelu_grad_x"]


def prelu(x, weight):
    """x where x > 0, else weight[c] x, on (outer, channels, inner)."""
    y = empty_like_shape(x.shape, x)
    for n, c, i in np.ndindex(x.shape):
        y[n, c, i] = x[n, c, i] if x[n, c, i] > 0 else weight[c] * x[n, c, i]
    return y


def prelu_grad_x(grad, x, weight):
    """The gradient where x > 0, else weight[c] times it."""
    grad_x = empty_like_shape(x.shape, x)
    for n, c, i in np.ndindex(x.shape):
        grad_x[n, c, i] = grad[n, c, i] if x[n, c, i] > 0 else weight[c] * grad[n, c, i]
    return grad_x


def prelu_grad_weight(grad, x):
    """Of every channel the sum of grad x over the places with x <= 0."""
    grad_weight = empty_like_shape((x.shape[1],), x)
    for c in range(x.shape[1]):
        total = 0 if x.dtype == object else 0.0
        for n in range(x.shape[0]):
            for i in range(x.shape[2]):
                if not x[n, c, i] > 0:
                    total = total + grad[n, c, i] * x[n, c, i]
        grad_weight[c] = total
    return grad_weight


def _gate(value):
    """1 / (1 + e^-value), from the exponential that cannot overflow."""
    if value < 0:
        small = exp(value)
        return small / (1 + small)
    return 1 / (1 + exp(-value))


def glu(x):
    """a sigmoid(b) for the halves a, b of (outer, 2, inner)."""
    y = empty_like_shape((x.shape[0], x.shape[2]), x)
    for n, i in np.ndindex(y.shape):
        y[n, i] = x[n, 0, i] * _gate(x[n, 1, i])
    return y


def glu_grad_x(grad, x):
    """grad s for the first half, grad a s (1 - s) for the second, s = sigmoid(b)."""
    grad_x = empty_like_shape(x.shape, x)
    for n, i in np.ndindex(grad.shape):
        s = _gate(x[n, 1, i])
        grad_x[n, 0, i] = grad[n, i] * s
        grad_x[n, 1, i] = (1 - s) * s * grad[n, i] * x[n, 0, i]
    return grad_x
