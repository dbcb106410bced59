"""Resizing by tables, as the definition says: every output is a weighted sum of elements of its axis.

A table is (first, index, weight): output i reads x[index[k]] with weight[k] for first[i] <= k < first[i + 1]. `kernels.resize_tables`
makes the table of each mode, and its transpose, with which the same functions compute the gradient.
"""

from .scalars import empty_like_shape, zero_of

__all__ = ["resize2d", "resize_axis"]


def resize_axis(x, first, index, weight):
    """Axis 1 of x (M, A, B) resized: y[m, i, b] = sum_k weight[k] x[m, index[k], b]."""
    y = empty_like_shape((x.shape[0], first.size - 1, x.shape[2]), x)
    for m in range(y.shape[0]):
        for i in range(y.shape[1]):
            for b in range(y.shape[2]):
                total = zero_of(x)
                for k in range(first[i], first[i + 1]):
                    total = total + weight[k] * x[m, index[k], b]
                y[m, i, b] = total
    return y


def resize2d(x, row_first, row_index, row_weight, column_first, column_index, column_weight):
    """Both axes of planes x (M, H, W): y[m, i, j] = sum_a sum_b row_weight[a] column_weight[b] x[m, row_index[a], column_index[b]]."""
    y = empty_like_shape((x.shape[0], row_first.size - 1, column_first.size - 1), x)
    for m in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                total = zero_of(x)
                for a in range(row_first[i], row_first[i + 1]):
                    along = zero_of(x)
                    for b in range(column_first[j], column_first[j + 1]):
                        along = along + column_weight[b] * x[m, row_index[a], column_index[b]]
                    total = total + row_weight[a] * along
                y[m, i, j] = total
    return y
