"""Unpooling: numbers put back into a larger map, by remembered positions or by a rule."""

from .scalars import empty_like_shape

__all__ = ["max_unpool", "max_unpool_grad_x", "unpool2d", "unpool2d_grad_x"]


def max_unpool(x, index, cells):
    """x (M, n) put at its positions in M maps of `cells` zeros; of several numbers with one position the last stays."""
    y = empty_like_shape((x.shape[0], cells), x)
    for m in range(x.shape[0]):
        for i in range(x.shape[1]):
            y[m, index[m, i]] = x[m, i]
    return y


def max_unpool_grad_x(grad, index):
    """Every number receives the gradient of its position."""
    grad_x = empty_like_shape(index.shape, grad)
    for m in range(index.shape[0]):
        for i in range(index.shape[1]):
            grad_x[m, i] = grad[m, index[m, i]]
    return grad_x


def unpool2d(x, scale, nearest):
    """Each element of x (M, H, W) becomes a block of `scale` (height, width): full of it, or zeros with it in the first corner."""
    y = empty_like_shape((x.shape[0], x.shape[1] * scale[0], x.shape[2] * scale[1]), x)
    for m in range(x.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                if nearest or (i % scale[0] == 0 and j % scale[1] == 0):
                    y[m, i, j] = x[m, i // scale[0], j // scale[1]]
    return y


def unpool2d_grad_x(grad, x_shape, scale, nearest):
    """Each element receives the gradients of its copies."""
    grad_x = empty_like_shape(x_shape, grad)
    for m in range(x_shape[0]):
        for i in range(grad.shape[1]):
            for j in range(grad.shape[2]):
                if nearest or (i % scale[0] == 0 and j % scale[1] == 0):
                    grad_x[m, i // scale[0], j // scale[1]] = grad_x[m, i // scale[0], j // scale[1]] + grad[m, i, j]
    return grad_x
