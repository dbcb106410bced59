"""Softmax along the middle axis of (outer, classes, inner), and its logarithm."""

from .scalars import empty_like_shape, exp, log, zero_of

__all__ = ["log_softmax", "log_softmax_grad_x", "softmax", "softmax_grad_x"]


def softmax(x):
    """e^x[k] / sum_l e^x[l] along the middle axis, shifted by the largest x so that nothing overflows."""
    y = empty_like_shape(x.shape, x)
    if not x.shape[1]:
        return y
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
    if not x.shape[1]:
        return y
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
