"""Batch normalisation as its paper says, on x of shape (N, C, P): P is the product of the spatial axes.

    y = activation((x - mean) / sqrt(variance + eps) weight + bias + residual), each of the last four steps where it is asked for

mean and variance are the batch's own (biased), one number a channel, or frozen ones. The activation is "relu", "relu6", "silu", "hardswish" or None;
the gradients know the first two, whose slope can be told from y.
"""

from .moments import activated, finish, inverse_root, like, moments, narrow, wide

__all__ = ["batch_norm", "batch_norm_frozen", "batch_norm_frozen_grad", "batch_norm_grad"]


def batch_norm(x, weight, bias, residual, activation, eps):
    """(y, mean, variance) with the statistics of the batch; both statistics in float64."""
    values = wide(x)
    mean, variance = like((x.shape[1],), x), like((x.shape[1],), x)
    for c in range(x.shape[1]):
        mean[c], variance[c] = moments(values[:, c].reshape(-1))
    return batch_norm_frozen(x, mean, variance, weight, bias, residual, activation, eps), mean, variance


def batch_norm_frozen(x, mean, variance, weight, bias, residual, activation, eps):
    """y with given statistics."""
    values, weight, bias, residual = wide(x), wide(weight), wide(bias), wide(residual)
    y = like(x.shape, x)
    for c in range(x.shape[1]):
        inverse = inverse_root(variance[c] + eps)
        for n in range(x.shape[0]):
            for p in range(x.shape[2]):
                value = finish((values[n, c, p] - mean[c]) * inverse, weight, bias, c)
                if residual is not None:
                    value = value + residual[n, c, p]
                y[n, c, p] = activated(value, activation)
    return narrow(y, x)


def _passed(grad, y, activation):
    """The gradient before the activation."""
    upstream = wide(grad)
    if activation is not None:
        for index, value in enumerate(y.reshape(-1)):
            if value <= 0 or (activation == "relu6" and value == 6):
                upstream.reshape(-1)[index] = 0
    return upstream


def _parameter_gradients(upstream, x, mean, inverse):
    """(grad_weight, grad_bias): the sums of g xhat and of g over each channel."""
    grad_weight, grad_bias = like(mean.shape, x), like(mean.shape, x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for p in range(x.shape[2]):
                grad_weight[c] = grad_weight[c] + upstream[n, c, p] * (x[n, c, p] - mean[c]) * inverse[c]
                grad_bias[c] = grad_bias[c] + upstream[n, c, p]
    return grad_weight, grad_bias


def batch_norm_grad(grad, x, y, mean, variance, weight, activation, eps):
    """(grad_x, grad_weight, grad_bias) where mean and variance are x's own.

    With g the gradient before the activation, xhat = (x - mean) / sqrt(variance + eps) and M = N P:
    grad_x = weight / sqrt(variance + eps) (g - sum g / M - xhat sum(g xhat) / M).
    """
    upstream, values = _passed(grad, y, activation), wide(x)
    inverse = [inverse_root(number + eps) for number in variance]
    grad_weight, grad_bias = _parameter_gradients(upstream, values, mean, inverse)
    grad_x = like(x.shape, x)
    count = x.shape[0] * x.shape[2]
    for c in range(x.shape[1]):
        scale = finish(inverse[c], wide(weight), None, c)
        for n in range(x.shape[0]):
            for p in range(x.shape[2]):
                xhat = (values[n, c, p] - mean[c]) * inverse[c]
                grad_x[n, c, p] = scale * (upstream[n, c, p] - grad_bias[c] / count - xhat * grad_weight[c] / count)
    return narrow(grad_x, x), narrow(grad_weight, x), narrow(grad_bias, x)


def batch_norm_frozen_grad(grad, x, y, mean, variance, weight, activation, eps):
    """(grad_x, grad_weight, grad_bias) where the statistics are constants: grad_x = weight / sqrt(variance + eps) g."""
    upstream = _passed(grad, y, activation)
    inverse = [inverse_root(number + eps) for number in variance]
    grad_weight, grad_bias = _parameter_gradients(upstream, wide(x), mean, inverse)
    grad_x = like(x.shape, x)
    for c in range(x.shape[1]):
        for n in range(x.shape[0]):
            for p in range(x.shape[2]):
                grad_x[n, c, p] = finish(inverse[c], wide(weight), None, c) * upstream[n, c, p]
    return narrow(grad_x, x), narrow(grad_weight, x), narrow(grad_bias, x)
