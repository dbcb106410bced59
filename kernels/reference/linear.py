"""The linear layer, as its definition says. x is (N, inputs), weight (outputs, inputs)."""

from .scalars import empty_like_shape, zero_of

__all__ = ["linear", "linear_grad_bias", "linear_grad_weight", "linear_grad_x"]


def linear(x, weight, bias, activation):
    """y[n, o] = bias[o] + sum_k x[n, k] weight[o, k], with ReLU if activation is "relu"."""
    y = empty_like_shape((x.shape[0], weight.shape[0]), x)
    zero = zero_of(x)
    for n in range(y.shape[0]):
        for o in range(y.shape[1]):
            total = zero if bias is None else bias[o]
            for k in range(x.shape[1]):
                total = total + x[n, k] * weight[o, k]
            y[n, o] = zero if activation == "relu" and total <= zero else total
    return y


def linear_grad_x(grad, weight):
    """grad_x[n, k] = sum_o grad[n, o] weight[o, k]."""
    grad_x = empty_like_shape((grad.shape[0], weight.shape[1]), grad)
    for n in range(grad.shape[0]):
        for k in range(weight.shape[1]):
            for o in range(weight.shape[0]):
                grad_x[n, k] = grad_x[n, k] + grad[n, o] * weight[o, k]
    return grad_x


def linear_grad_weight(grad, x):
    """grad_weight[o, k] = sum_n grad[n, o] x[n, k]."""
    grad_weight = empty_like_shape((grad.shape[1], x.shape[1]), grad)
    for n in range(grad.shape[0]):
        for o in range(grad.shape[1]):
            for k in range(x.shape[1]):
                grad_weight[o, k] = grad_weight[o, k] + grad[n, o] * x[n, k]
    return grad_weight


def linear_grad_bias(grad):
    """grad_bias[o] = sum_n grad[n, o]."""
    grad_bias = empty_like_shape((grad.shape[1],), grad)
    for n in range(grad.shape[0]):
        for o in range(grad.shape[1]):
            grad_bias[o] = grad_bias[o] + grad[n, o]
    return grad_bias
