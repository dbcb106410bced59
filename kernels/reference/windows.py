"""Pooling over windows whose starts and ends are given one by one, as adaptive and fractional pooling have them.

x is (M, D, H, W). `depth`, `height` and `width` list the windows of each axis: row t of an array (T, outputs, 2) holds the first cell of each and
the cell behind its last. T is 1, the same windows for every map, or M. No window is empty.
"""

import numpy as np

from .scalars import empty_like_shape, zero_of

__all__ = ["max_of_windows", "max_of_windows_grad_x", "mean_of_windows", "mean_of_windows_grad_x"]


def _every_window(maps, depth, height, width):
    """Every (m, k, i, j, planes, rows, columns): an output and the cells it reads."""
    for m in range(maps):
        for k, (front, back) in enumerate(depth[m % len(depth)]):
            for i, (top, bottom) in enumerate(height[m % len(height)]):
                for j, (left, right) in enumerate(width[m % len(width)]):
                    yield m, k, i, j, range(front, back), range(top, bottom), range(left, right)


def _outputs(maps, depth, height, width):
    return maps, depth.shape[1], height.shape[1], width.shape[1]


def max_of_windows(x, depth, height, width):
    """The largest element of each window, and its position (d * H + h) * W + w; the first of equals, the last NaN."""
    y = empty_like_shape(_outputs(x.shape[0], depth, height, width), x)
    index = np.zeros(y.shape, np.int64)
    for m, k, i, j, planes, rows, columns in _every_window(x.shape[0], depth, height, width):
        found = False
        for d in planes:
            for h in rows:
                for w in columns:
                    value = x[m, d, h, w]
                    if not found or value > y[m, k, i, j] or value != value:
                        y[m, k, i, j] = value
                        index[m, k, i, j] = (d * x.shape[2] + h) * x.shape[3] + w
                        found = True
    return y, index


def max_of_windows_grad_x(grad, index, x_shape):
    """Each output hands its gradient to the element at its index."""
    grad_x = empty_like_shape(x_shape, grad)
    flat = grad_x.reshape(x_shape[0], -1)
    for m, k, i, j in np.ndindex(*grad.shape):
        place = index[m, k, i, j]
        flat[m, place] = flat[m, place] + grad[m, k, i, j]
    return grad_x


def mean_of_windows(x, depth, height, width):
    """The mean of each window."""
    y = empty_like_shape(_outputs(x.shape[0], depth, height, width), x)
    for m, k, i, j, planes, rows, columns in _every_window(x.shape[0], depth, height, width):
        total = zero_of(x)
        for d in planes:
            for h in rows:
                for w in columns:
                    total = total + x[m, d, h, w]
        y[m, k, i, j] = total / (len(planes) * len(rows) * len(columns))
    return y


def mean_of_windows_grad_x(grad, x_shape, depth, height, width):
    """Each output hands its gradient in equal shares to the elements of its window."""
    grad_x = empty_like_shape(x_shape, grad)
    for m, k, i, j, planes, rows, columns in _every_window(x_shape[0], depth, height, width):
        share = grad[m, k, i, j] / (len(planes) * len(rows) * len(columns))
        for d in planes:
            for h in rows:
                for w in columns:
                    grad_x[m, d, h, w] = grad_x[m, d, h, w] + share
    return grad_x
