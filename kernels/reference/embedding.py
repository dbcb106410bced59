"""The adjoint of looking rows up in a table."""

from .scalars import empty_like_shape

__all__ = ["embedding_grad_weight"]


def embedding_grad_weight(grad, index, rows, padding_idx, scale_grad_by_freq):
    """(rows, width): of every row the sum of the gradients of its places, over their number where asked; none for padding_idx (-1: no such row)."""
    grad_weight = empty_like_shape((rows, grad.shape[1]), grad)
    for row in range(rows):
        if row == padding_idx:
            continue
        places = [k for k in range(index.size) if index[k] == row]
        for column in range(grad.shape[1]):
            total = 0 if grad.dtype == object else 0.0
            for k in places:
                total = total + grad[k, column]
            grad_weight[row, column] = total / len(places) if scale_grad_by_freq and places else total
    return grad_weight
