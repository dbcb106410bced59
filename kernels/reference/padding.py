"""Padding of the last two axes, and its adjoint."""

from .conv import PADDING_CODES, source_index
from .scalars import empty_like_shape

__all__ = ["pad2d", "pad2d_grad_x"]


def sources(size, before, after, mode):
    """The element of an axis that stands at each padded position; -1 where a constant does. Negative amounts crop."""
    code = PADDING_CODES[mode]
    return [source_index(position, size, code) for position in range(-before, size + after)]


def pad2d(x, padding, mode, value):
    """x (M, H, W) with (top, bottom, left, right) more cells; in mode "zeros" they hold `value`."""
    rows = sources(x.shape[1], padding[0], padding[1], mode)
    columns = sources(x.shape[2], padding[2], padding[3], mode)
    y = empty_like_shape((x.shape[0], len(rows), len(columns)), x)
    for m in range(x.shape[0]):
        for i, h in enumerate(rows):
            for j, w in enumerate(columns):
                y[m, i, j] = x[m, h, w] if h >= 0 and w >= 0 else value
    return y


def pad2d_grad_x(grad, x_shape, padding, mode):
    """Every padded cell hands its gradient to the element it is a copy of."""
    rows = sources(x_shape[1], padding[0], padding[1], mode)
    columns = sources(x_shape[2], padding[2], padding[3], mode)
    grad_x = empty_like_shape(x_shape, grad)
    for m in range(x_shape[0]):
        for i, h in enumerate(rows):
            for j, w in enumerate(columns):
                if h >= 0 and w >= 0:
                    grad_x[m, h, w] = grad_x[m, h, w] + grad[m, i, j]
    return grad_x
