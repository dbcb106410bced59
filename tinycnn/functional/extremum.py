"""The largest and smallest elements, where they are, and whether all or any hold.

Ties: `max(input)`, `min(input)`, `amax` and `amin` share the gradient equally among the tied elements; `max(input,
dim)` and `min(input, dim)` point at the first one and send all of it there. nan wins over every number, and takes the
gradient (torch's amax gives nan there, its max() does as this one). As in torch, the largest element of nothing is an
error.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..autograd import record
from ..errors import ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor
from ._arrays import as_array, axes, axis, count, spread
from .bounds import maximum, minimum

__all__ = ["all", "amax", "amin", "any", "argmax", "argmin", "max", "min"]

SHARED = "ties: shared equally"
Dim = int | Sequence[int] | None


class Extremum(NamedTuple):
    """The largest or smallest elements along an axis, and their positions there."""

    values: Tensor
    indices: Tensor


@operator(
    family="reduction", differentiable=("input",), kinks="ties: shared without dim, to the first with dim", method=True
)
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; with `dim`, the largest along that axis and its position; with a second tensor, `maximum`.

    Shapes
    ------
    (*) -> (); with dim (*) -> (values, indices), both (* without dim)

    Formula
    -------
    y = input[k], k the first position of the largest element; grad_input[i] = grad [i = k] with dim,
    grad [input[i] = y] / (number of such i) without.

    Returns
    -------
    Tensor, or the named tuple (values, indices)

    Raises
    ------
    ShapeError
        If there is nothing to take the largest of.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.max([[1.0, 5.0], [7.0, 2.0]]).item()
    7.0
    >>> values, indices = tinycnn.max([[1.0, 5.0], [7.0, 2.0]], 1)
    >>> values.tolist(), indices.tolist()
    ([5.0, 7.0], [1, 0])
    """
    if isinstance(dim, Tensor | np.ndarray):
        return maximum(input, dim)
    if dim is None:
        return _shared("max", np.maximum, input, None, keepdim)
    return _first("max", np.argmax, input, dim, keepdim)


@operator(
    family="reduction", differentiable=("input",), kinks="ties: shared without dim, to the first with dim", method=True
)
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; with `dim`, the smallest along that axis and its position; with a second tensor, `minimum`.

    Shapes
    ------
    (*) -> (); with dim (*) -> (values, indices), both (* without dim)

    Formula
    -------
    As `max`, of the smallest.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.min([[1.0, 5.0], [7.0, 2.0]], 1).indices.tolist()
    [0, 1]
    """
    if isinstance(dim, Tensor | np.ndarray):
        return minimum(input, dim)
    if dim is None:
        return _shared("min", np.minimum, input, None, keepdim)
    return _first("min", np.argmin, input, dim, keepdim)


@operator(family="reduction", differentiable=("input",), kinks=SHARED, method=True)
def amax(input: Any, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest elements over some axes.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = max_i input[i]; grad_input[i] = grad [input[i] = y] / (number of such i).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.amax([[1.0, 5.0], [7.0, 2.0]], (0, 1)).item()
    7.0
    """
    return _shared("amax", np.maximum, input, dim, keepdim)


@operator(family="reduction", differentiable=("input",), kinks=SHARED, method=True)
def amin(input: Any, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest elements over some axes.

    Shapes
    ------
    (*) -> (* without the axes in dim), or with size 1 there

    Formula
    -------
    y = min_i input[i]; grad_input[i] = grad [input[i] = y] / (number of such i).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.amin([[1.0, 5.0], [7.0, 2.0]], 0).tolist()
    [1.0, 2.0]
    """
    return _shared("amin", np.minimum, input, dim, keepdim)


@operator(family="reduction", method=True)
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The position of the largest element, the first of several; without `dim`, counted through all elements in
    row-major order.

    Shapes
    ------
    (*) -> (), or (* without dim), int64

    Formula
    -------
    y = the smallest k with input[k] = max_i input[i]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.argmax([[1.0, 5.0], [7.0, 7.0]]).item()
    2
    """
    return _position("argmax", np.argmax, input, dim, keepdim)


@operator(family="reduction", method=True)
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The position of the smallest element, the first of several; without `dim`, counted through all elements in
    row-major order.

    Shapes
    ------
    (*) -> (), or (* without dim), int64

    Formula
    -------
    y = the smallest k with input[k] = min_i input[i]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.argmin([[1.0, 5.0], [7.0, 0.0]], 1).tolist()
    [0, 1]
    """
    return _position("argmin", np.argmin, input, dim, keepdim)


@operator(family="reduction", method=True)
def all(input: Any, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether every element is non-zero; true of nothing.

    Shapes
    ------
    (*) -> (* without the axes in dim), bool

    Formula
    -------
    y = min_i [input[i] != 0]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.all([1.0, 0.0]).item()
    False
    """
    x = as_tensor(input).data
    return Tensor(np.asarray(np.all(x, axis=axes("all", dim, x.ndim), keepdims=bool(keepdim))))


@operator(family="reduction", method=True)
def any(input: Any, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether some element is non-zero; false of nothing.

    Shapes
    ------
    (*) -> (* without the axes in dim), bool

    Formula
    -------
    y = max_i [input[i] != 0]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.any([1.0, 0.0]).item()
    True
    """
    x = as_tensor(input).data
    return Tensor(np.asarray(np.any(x, axis=axes("any", dim, x.ndim), keepdims=bool(keepdim))))


def _require_elements(name: str, shape: tuple[int, ...], reduced: tuple[int, ...]) -> None:
    if count(shape, reduced) == 0:
        raise ShapeError(
            f"{name}: input has shape {shape}, so there is no element to choose over dim {reduced}; "
            "check numel() first, or reduce an axis that is not empty"
        )


def _shared(name: str, function: np.ufunc, input: Any, dim: Dim, keepdim: bool) -> Tensor:
    """The extremum over axes; the gradient is shared equally by the tied elements."""
    tensor = as_tensor(input)
    x = tensor.data
    reduced = axes(name, dim, x.ndim)
    _require_elements(name, x.shape, reduced)
    y = as_array(function.reduce(x, axis=reduced, keepdims=bool(keepdim)))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        ties = (x == spread(y, x.shape, reduced)) | (x != x)  # if there is a nan, it is the extremum
        shares = grad.dtype.type(1) / ties.sum(axis=reduced, keepdims=True).astype(grad.dtype)
        return (np.where(ties, spread(grad, x.shape, reduced) * shares, grad.dtype.type(0)),)

    return record(name, y, (tensor,), backward, (tensor,))


def _first(name: str, function: Callable[..., Any], input: Any, dim: int, keepdim: bool) -> Extremum:
    """The extremum along one axis and where it is; the gradient goes to the first of tied elements."""
    tensor = as_tensor(input)
    x = tensor.data
    along = axis(name, dim, x.ndim)
    if not x.ndim:
        return Extremum(record(name, x.copy(), (tensor,), lambda grad, needs: (grad,)), Tensor(np.zeros((), np.int64)))
    _require_elements(name, x.shape, (along,))
    positions = function(x, axis=along, keepdims=True)
    values = np.take_along_axis(x, positions, along)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad_x = np.zeros(x.shape, grad.dtype)
        np.put_along_axis(grad_x, positions, spread(grad, x.shape, (along,)), along)
        return (grad_x,)

    shape = values.shape if keepdim else x.shape[:along] + x.shape[along + 1 :]
    return Extremum(record(name, values.reshape(shape), (tensor,), backward), Tensor(positions.reshape(shape)))


def _position(name: str, function: Callable[..., Any], input: Any, dim: int | None, keepdim: bool) -> Tensor:
    x = as_tensor(input).data
    along = None if dim is None else axis(name, dim, x.ndim)
    if along is not None and not x.ndim:
        along = None
    _require_elements(name, x.shape, tuple(range(x.ndim)) if along is None else (along,))
    return Tensor(np.asarray(function(x, axis=along, keepdims=bool(keepdim)), dtype=np.int64))
