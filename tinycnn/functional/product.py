"""Matrix products of vectors, matrices and batches of matrices, by NumPy's BLAS."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, same_dtype
from ._arrays import as_array, unbroadcast

__all__ = ["matmul"]


@operator(family="shape", differentiable=("input", "other"), method=True, alias=("__matmul__",))
def matmul(input: Any, other: Any) -> Tensor:
    """Multiply matrices; vectors count as one row on the left and one column on the right, leading axes are batches and
    broadcast.

    Shapes
    ------
    (*, m, k), (*, k, n) -> (*, m, n); (k), (k) -> (); (*, m, k), (k) -> (*, m); (k), (*, k, n) -> (*, n)

    Formula
    -------
    y[i, j] = sum_k input[i, k] other[k, j];
    grad_input[i, k] = sum_j grad[i, j] other[k, j], grad_other[k, j] = sum_i input[i, k] grad[i, j], summed over
    broadcast batches.

    Raises
    ------
    ShapeError
        If the inner sizes differ, batches do not broadcast, or an operand has no axis. DtypeError: two dtypes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.matmul([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]).tolist()
    [21.0, 43.0]
    """
    first, second = as_tensor(input), as_tensor(other)
    same_dtype("matmul", input=first, other=second)
    a, b = first.data, second.data
    if not a.ndim or not b.ndim:
        raise ShapeError(f"matmul: shapes {a.shape} and {b.shape}: a 0-d tensor is no vector; use * to scale")
    inner = a.shape[-1], b.shape[-2 if b.ndim > 1 else 0]
    if inner[0] != inner[1]:
        raise ShapeError(
            f"matmul: input {a.shape} has {inner[0]} columns but other {b.shape} has {inner[1]} rows; they "
            "must be equal, transpose one with .mT"
        )
    try:
        y = as_array(np.matmul(a, b))
    except ValueError:
        raise ShapeError(
            f"matmul: batch axes {a.shape[:-2]} and {b.shape[:-2]} do not broadcast: from the right, sizes "
            "must be equal or 1"
        ) from None

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        rows = a[np.newaxis] if a.ndim == 1 else a
        columns = b[:, np.newaxis] if b.ndim == 1 else b
        if b.ndim == 1:
            grad = grad[..., np.newaxis]
        if a.ndim == 1:
            grad = grad[..., np.newaxis, :]
        grad_a = grad_b = None
        if needs[0]:
            grad_a = unbroadcast(np.matmul(grad, columns.swapaxes(-1, -2)), rows).reshape(a.shape)
        if needs[1]:
            grad_b = unbroadcast(np.matmul(rows.swapaxes(-1, -2), grad), columns).reshape(b.shape)
        return grad_a, grad_b

    return record("matmul", y, (first, second), backward, (first, second))


def _rmatmul(self: Tensor, other: Any) -> Tensor:
    return matmul(other, self)


setattr(Tensor, "__rmatmul__", _rmatmul)  # noqa: B010 (mypy refuses the assignment)
