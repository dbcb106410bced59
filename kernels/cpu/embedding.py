"""The adjoint of looking rows up in a table, fast: places sorted by row, so that each row is added up once and owned by one thread."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from .elementwise import CHEAP, worth_sharing

__all__ = ["embedding_grad_weight"]


@kernel
def _add_up(grad, order, start, grad_weight, row, padding_idx, scale_grad_by_freq):
    first, end = start[row], start[row + 1]
    target = grad_weight[row]
    if row == padding_idx or first == end:
        target[:] = 0
        return
    total = np.zeros(grad.shape[1], np.float64)
    for k in range(first, end):
        source = grad[order[k]]
        for column in range(total.size):
            total[column] += source[column]
    share = 1.0 / (end - first) if scale_grad_by_freq else 1.0
    for column in range(total.size):
        target[column] = total[column] * share


@kernel
def _serial(grad, order, start, grad_weight, padding_idx, scale_grad_by_freq):
    for row in range(grad_weight.shape[0]):
        _add_up(grad, order, start, grad_weight, row, padding_idx, scale_grad_by_freq)


@kernel(parallel=True)
def _parallel(grad, order, start, grad_weight, padding_idx, scale_grad_by_freq):
    for row in prange(grad_weight.shape[0]):
        _add_up(grad, order, start, grad_weight, row, padding_idx, scale_grad_by_freq)


def embedding_grad_weight(grad, index, rows, padding_idx, scale_grad_by_freq):
    """(rows, width): of every row the sum of the gradients of its places, over their number where asked; none for padding_idx (-1: no such row)."""
    grad_weight = memory.empty((rows, grad.shape[1]), grad.dtype)
    order = np.argsort(index, kind="stable")
    start = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(index, minlength=rows), out=start[1:])
    run = _parallel if worth_sharing(grad.size + grad_weight.size, CHEAP) else _serial
    run(grad, order, start, grad_weight, padding_idx, scale_grad_by_freq)
    return grad_weight
