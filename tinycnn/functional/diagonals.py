"""The diagonals of matrices: taken out, put in, added up."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor
from ._arrays import axis
from .reduction import sum

__all__ = ["diag", "diag_embed", "diagonal", "trace"]


@operator(family="shape", differentiable=("input",), method=True)
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of every matrix that two axes span, as the last axis.

    Shapes
    ------
    (m, n, *) -> (*, length of the diagonal)

    Formula
    -------
    y[.., k] = input[k - min(offset, 0), k + max(offset, 0), ..]; grad_input holds grad on that diagonal, 0 elsewhere.

    Parameters
    ----------
    input : Tensor
        Of any dtype.
    offset : int
        0 for the main diagonal, above it where positive, below it where negative.
    dim1, dim2 : int
        The axes of rows and columns.

    Raises
    ------
    ArgumentError
        For the same axis twice.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.diagonal([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [1.0, 4.0]
    """
    return _diagonal("diagonal", as_tensor(input), _offset("diagonal", "offset", offset), dim1, dim2)


@operator(family="shape", differentiable=("input",))
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices of zeros with the last axis on a diagonal.

    Shapes
    ------
    (*, k) -> (*, k + |offset|, k + |offset|), the new axes at dim1 and dim2

    Formula
    -------
    y[.., k - min(offset, 0), k + max(offset, 0)] = input[.., k], 0 elsewhere; grad_input = diagonal(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.diag_embed([1.0, 2.0]).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    return _embedded("diag_embed", as_tensor(input), _offset("diag_embed", "offset", offset), dim1, dim2)


@operator(family="shape", differentiable=("input",), method=True)
def diag(input: Any, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal.

    Shapes
    ------
    (m, n) -> (length of the diagonal); (k) -> (k + |diagonal|, k + |diagonal|)

    Formula
    -------
    As `diagonal` and `diag_embed`.

    Raises
    ------
    ShapeError
        For other than one or two axes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.diag([1.0, 2.0]).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    tensor, offset = as_tensor(input), _offset("diag", "diagonal", diagonal)
    if tensor.ndim == 1:
        return _embedded("diag", tensor, offset, -2, -1)
    if tensor.ndim != 2:
        raise ShapeError(f"diag: input has shape {tensor.shape}; it must be a vector or a matrix, use diagonal or diag_embed")
    return _diagonal("diag", tensor, offset, 0, 1)


@operator(family="shape", differentiable=("input",), method=True)
def trace(input: Any) -> Tensor:
    """The sum of a matrix's diagonal; whole numbers give int64.

    Shapes
    ------
    (m, n) -> ()

    Formula
    -------
    y = sum_k input[k, k]; grad_input[i, j] = grad [i = j].

    Raises
    ------
    ShapeError
        For other than two axes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.trace([[1.0, 2.0], [3.0, 4.0]]).item()
    5.0
    """
    tensor = as_tensor(input)
    if tensor.ndim != 2:
        raise ShapeError(f"trace: input has shape {tensor.shape}; it must be a matrix")
    return sum(_diagonal("trace", tensor, 0, 0, 1))


def _offset(name: str, argument: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(f"{name}: {argument} must be a whole number, not {value!r}")
    return int(value)


def _places(rows: int, columns: int, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every element on a diagonal."""
    first, second = max(-offset, 0), max(offset, 0)
    k = np.arange(max(min(rows - first, columns - second), 0))
    return k + first, k + second


def _two_axes(name: str, dim1: Any, dim2: Any, ndim: int) -> tuple[int, int]:
    first, second = axis(name, dim1, ndim, "dim1"), axis(name, dim2, ndim, "dim2")
    if first == second:
        raise ArgumentError(f"{name}: dim1={dim1} and dim2={dim2} are the same axis; a matrix has two")
    return first, second


def _diagonal(name: str, tensor: Tensor, offset: int, dim1: Any, dim2: Any) -> Tensor:
    x = tensor.data
    first, second = _two_axes(name, dim1, dim2, x.ndim)
    rows, columns = _places(x.shape[first], x.shape[second], offset)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad_x = np.zeros(x.shape, grad.dtype)
        np.moveaxis(grad_x, (first, second), (-2, -1))[..., rows, columns] = grad
        return (grad_x,)

    return record(name, np.moveaxis(x, (first, second), (-2, -1))[..., rows, columns], (tensor,), backward)


def _embedded(name: str, tensor: Tensor, offset: int, dim1: Any, dim2: Any) -> Tensor:
    x = tensor.data
    if not x.ndim:
        raise ShapeError(f"{name}: a 0-d tensor has no axis to put on a diagonal; use unsqueeze(0)")
    first, second = _two_axes(name, dim1, dim2, x.ndim + 1)
    side = x.shape[-1] + abs(offset)
    matrices = np.zeros((*x.shape[:-1], side, side), x.dtype)
    rows, columns = _places(side, side, offset)
    matrices[..., rows, columns] = x

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (np.moveaxis(grad, (first, second), (-2, -1))[..., rows, columns],)

    return record(name, np.moveaxis(matrices, (-2, -1), (first, second)), (tensor,), backward)
