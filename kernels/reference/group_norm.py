"""Group normalisation on x of shape (N, C, P): each image's channels in groups, each group with its own mean and variance.

One group a channel is instance normalisation.
"""

from .moments import finish, inverse_root, like, moments, narrow, wide

__all__ = ["group_norm", "group_norm_grad"]


def group_norm(x, weight, bias, groups, eps):
    """(y, mean, variance): y[n, c, p] = (x - mean[n, g]) / sqrt(variance[n, g] + eps) weight[c] + bias[c], g = c // (C / groups)."""
    values, weight, bias = wide(x), wide(weight), wide(bias)
    size = x.shape[1] // groups
    y = like(x.shape, x)
    mean, variance = like((x.shape[0], groups), x), like((x.shape[0], groups), x)
    for n in range(x.shape[0]):
        for group in range(groups):
            channels = range(group * size, (group + 1) * size)
            mean[n, group], variance[n, group] = moments(values[n, channels.start : channels.stop].reshape(-1))
            inverse = inverse_root(variance[n, group] + eps)
            for c in channels:
                for p in range(x.shape[2]):
                    y[n, c, p] = finish((values[n, c, p] - mean[n, group]) * inverse, weight, bias, c)
    return narrow(y, x), mean, variance


def group_norm_grad(grad, x, mean, variance, weight, groups, eps):
    """(grad_x, grad_weight, grad_bias).

    With h = grad weight, xhat the normalised x and M = P C / groups, sums over the group:
    grad_x = (h - sum h / M - xhat sum(h xhat) / M) / sqrt(variance + eps).
    """
    upstream, values, weight = wide(grad), wide(x), wide(weight)
    size = x.shape[1] // groups
    count = size * x.shape[2]
    grad_x, grad_weight, grad_bias = like(x.shape, x), like((x.shape[1],), x), like((x.shape[1],), x)
    for n in range(x.shape[0]):
        for group in range(groups):
            inverse = inverse_root(variance[n, group] + eps)
            cells = [(c, p) for c in range(group * size, (group + 1) * size) for p in range(x.shape[2])]
            plain = along = 0
            for c, p in cells:
                xhat = (values[n, c, p] - mean[n, group]) * inverse
                h = finish(upstream[n, c, p], weight, None, c)
                plain = plain + h
                along = along + h * xhat
                grad_weight[c] = grad_weight[c] + upstream[n, c, p] * xhat
                grad_bias[c] = grad_bias[c] + upstream[n, c, p]
            for c, p in cells:
                xhat = (values[n, c, p] - mean[n, group]) * inverse
                h = finish(upstream[n, c, p], weight, None, c)
                grad_x[n, c, p] = inverse * (h - plain / count - xhat * along / count)
    return narrow(grad_x, x), narrow(grad_weight, x), narrow(grad_bias, x)
