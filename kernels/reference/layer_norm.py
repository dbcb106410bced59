"""Layer and RMS normalisation on x of shape (R, D): every row by itself, with one weight and bias a column."""

from .moments import finish, inverse_root, like, moments, narrow, wide

__all__ = ["layer_norm", "layer_norm_grad", "rms_norm", "rms_norm_grad"]


def _mean_square(row):
    total = 0
    for value in row:
        total = total + value * value
    return total / len(row)


def _normalised(x, mean, variance, weight, bias, eps):
    values, weight, bias = wide(x), wide(weight), wide(bias)
    y = like(x.shape, x)
    for r in range(x.shape[0]):
        inverse = inverse_root(variance[r] + eps)
        for j in range(x.shape[1]):
            y[r, j] = finish((values[r, j] - mean[r]) * inverse, weight, bias, j)
    return narrow(y, x)


def layer_norm(x, weight, bias, eps):
    """(y, mean, variance): y[r, j] = (x[r, j] - mean[r]) / sqrt(variance[r] + eps) weight[j] + bias[j]."""
    mean, variance = like((x.shape[0],), x), like((x.shape[0],), x)
    for r, row in enumerate(wide(x)):
        mean[r], variance[r] = moments(row)
    return _normalised(x, mean, variance, weight, bias, eps), mean, variance


def rms_norm(x, weight, eps):
    """(y, square): y[r, j] = x[r, j] / sqrt(square[r] + eps) weight[j], square the mean of x^2 over the row."""
    square = like((x.shape[0],), x)
    for r, row in enumerate(wide(x)):
        square[r] = _mean_square(row)
    return _normalised(x, square * 0, square, weight, None, eps), square


def _gradients(grad, x, mean, variance, weight, eps, centred):
    upstream, values, weight = wide(grad), wide(x), wide(weight)
    rows, columns = x.shape
    grad_x, grad_weight, grad_bias = like(x.shape, x), like((columns,), x), like((columns,), x)
    for r in range(rows):
        inverse = inverse_root(variance[r] + eps)
        xhat = [(values[r, j] - mean[r]) * inverse for j in range(columns)]
        h = [finish(upstream[r, j], weight, None, j) for j in range(columns)]
        plain = along = 0
        for j in range(columns):
            plain = plain + h[j] if centred else 0
            along = along + h[j] * xhat[j]
            grad_weight[j] = grad_weight[j] + upstream[r, j] * xhat[j]
            grad_bias[j] = grad_bias[j] + upstream[r, j]
        for j in range(columns):
            grad_x[r, j] = inverse * (h[j] - plain / columns - xhat[j] * along / columns)
    return narrow(grad_x, x), narrow(grad_weight, x), narrow(grad_bias, x)


def layer_norm_grad(grad, x, mean, variance, weight, eps):
    """(grad_x, grad_weight, grad_bias).

    With h = grad weight and xhat the normalised row: grad_x = (h - sum h / D - xhat sum(h xhat) / D) / sqrt(variance + eps).
    """
    return _gradients(grad, x, mean, variance, weight, eps, True)


def rms_norm_grad(grad, x, square, weight, eps):
    """(grad_x, grad_weight): as in layer_norm_grad without the term of the mean."""
    return _gradients(grad, x, square * 0, square, weight, eps, False)[:2]
