"""Looking up rows of a table: how words and classes become vectors."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, DtypeError, IndexingError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, contiguous, float_tensor
from ._elementwise_map import number

__all__ = ["embedding"]


@operator(family="embedding", kernels=("embedding_grad_weight",), differentiable=("weight",))
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Replace every whole number by the row of a table that it names.

    Shapes
    ------
    (*), (rows, width) -> (*, width)

    Formula
    -------
    y[i, j] = weight[input[i], j];
    grad_weight[r, j] = sum over i with input[i] = r of grad[i, j], over their number with `scale_grad_by_freq`, and 0 for r = padding_idx.

    Parameters
    ----------
    input : Tensor
        int64 or int32, from 0 to rows - 1.
    weight : Tensor
        float32 or float64.
    padding_idx : int, optional
        A row that gets no gradient; negative counts from the end.
    max_norm : float, optional
        Rows with a larger norm are scaled down to it in the result.
    norm_type : float
        The p of that norm.
    scale_grad_by_freq : bool
        Divide a row's gradient by how often the row was looked up.
    sparse : bool
        Must be False: gradients are dense.

    Returns
    -------
    Tensor

    Raises
    ------
    IndexingError
        For a number outside the table. DtypeError: numbers that are not whole. ShapeError: a weight without exactly two axes. ArgumentError:
        padding_idx outside the table, a max_norm or norm_type that is no norm, or sparse=True.

    Notes
    -----
    PyTorch's max_norm writes the scaled rows into `weight`. Here no argument is ever changed: the result and the gradient are PyTorch's (that of
    the scaled rows), and the table keeps its own rows; write `weight` yourself if it shall shrink.

    References
    ----------
    Bengio et al. 2003, "A neural probabilistic language model", section 2.

    Examples
    --------
    >>> import tinycnn
    >>> table = tinycnn.tensor([[0.0, 0.0], [3.0, 4.0]])
    >>> tinycnn.functional.embedding(tinycnn.tensor([1, 0]), table).tolist()
    [[3.0, 4.0], [0.0, 0.0]]
    """
    table = float_tensor("embedding", "weight", weight)
    if table.data.ndim != 2:
        raise ShapeError(f"embedding: weight has shape {table.data.shape}; it must be (rows, width)")
    if sparse:
        raise ArgumentError("embedding: sparse=True is not available, gradients are dense; leave it out")
    index = _positions(input, len(table.data))
    padding = _padding(padding_idx, len(table.data))
    w = contiguous(table.data)
    y = w[index.reshape(-1)]
    if max_norm is not None:
        y *= _shrink(y, number("embedding", "max_norm", max_norm), number("embedding", "norm_type", norm_type))
    rows, width = w.shape

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(index.size, width)
        return (kernels.select("embedding_grad_weight", w)(upstream, index.reshape(-1), rows, padding, bool(scale_grad_by_freq)),)

    return record("embedding", y.reshape(*index.shape, width), (table,), backward)


def _positions(input: Any, rows: int) -> np.ndarray:
    array = as_tensor(input).data
    if not array.size and isinstance(input, list | tuple):
        array = array.astype(np.int64)
    if array.dtype not in (np.int64, np.int32):
        raise DtypeError(f"embedding: input is {array.dtype}, but rows are named by int64 or int32; convert with .long()")
    if array.size and not (int(array.min()) >= 0 and int(array.max()) < rows):
        wrong = int(array.min()) if int(array.min()) < 0 else int(array.max())
        raise IndexingError(f"embedding: input holds {wrong}, but the table has rows 0 to {rows - 1}")
    return np.ascontiguousarray(array, np.int64).reshape(array.shape)


def _padding(padding_idx: Any, rows: int) -> int:
    """The padding row counted from the front; -1 for none."""
    if padding_idx is None:
        return -1
    if isinstance(padding_idx, bool) or not isinstance(padding_idx, int | np.integer) or not -rows <= padding_idx < rows:
        raise ArgumentError(f"embedding: padding_idx {padding_idx!r} is not a row of the table; use {-rows} to {rows - 1}")
    return int(padding_idx) % rows


def _shrink(y: np.ndarray, max_norm: Any, norm_type: Any) -> np.ndarray:
    """Of every row the factor that brings its norm down to max_norm, 1 where it is not above it."""
    if not max_norm >= 0 or not norm_type > 0:
        raise ArgumentError(f"embedding: max_norm={max_norm!r} must be zero or more and norm_type={norm_type!r} positive")
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(y.astype(np.float64), float(norm_type), axis=1, keepdims=True) if y.size else np.zeros((len(y), 1))
        # torch adds 1e-7 to the norm that it divides by.
        return np.where(norms > max_norm, float(max_norm) / (norms + 1e-7), 1.0).astype(y.dtype)
