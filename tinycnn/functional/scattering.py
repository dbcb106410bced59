"""Writing to chosen places of a copy: the functions that turn `gather` and indexing round, with gradients.

Where a place is written several times, the last write in row-major order counts, and the gradient of every one of them is read from
there, as in torch; sums add up all.
"""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError, GraphError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, one_of
from ._arrays import axis, unbroadcast
from .index import _index_error, _numpy_index, _positions, _require_range

__all__ = ["index_add", "index_put", "nonzero", "scatter", "scatter_add"]


@operator(family="index", differentiable=("input", "src"), kinks="places written twice", method=True)
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """Write numbers to the places that an index names along one axis: what `gather` reads.

    Shapes
    ------
    (a, b, c), (a', k, c'), (a'', k', c'') -> (a, b, c) with dim = 1; the index no larger than input but along dim, and no larger than src

    Formula
    -------
    y = input but y[i, index[i, j, l], l] = src[i, j, l]; grad_input = grad with 0 at the places written, grad_src = gather(grad, dim, index).

    Parameters
    ----------
    input : Tensor
        What is written to; it stays as it is.
    dim : int
        The axis.
    index : Tensor
        Whole numbers from 0.
    src : Tensor or number
        What to write, of input's dtype.
    value : number, optional
        The same under its other name, for a number.
    reduce : "add" or "multiply", optional
        Add to, or multiply with, what is there instead.

    Raises
    ------
    ShapeError
        If the index does not fit. IndexingError: a position outside the axis.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.scatter(tinycnn.zeros(3), 0, tinycnn.tensor([2, 0]), tinycnn.tensor([5.0, 7.0])).tolist()
    [7.0, 0.0, 5.0]
    """
    if (src is None) == (value is None):
        raise ArgumentError(f"scatter: give one of src and value, not {'neither' if src is None else 'both'}")
    if reduce is not None:
        one_of("scatter", "reduce", reduce, ("add", "multiply"))
    return _scattered("scatter", input, dim, index, value if src is None else src, reduce)


@operator(family="index", differentiable=("input", "src"), method=True)
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Tensor:
    """Add numbers at the places that an index names along one axis; repeated places add up.

    Shapes
    ------
    As `scatter`.

    Formula
    -------
    y[i, p, l] = input[i, p, l] + sum over j with index[i, j, l] = p of src[i, j, l]; grad_input = grad, grad_src = gather(grad, dim, index).

    Raises
    ------
    ShapeError
        If the index does not fit. IndexingError: a position outside the axis.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.scatter_add(tinycnn.zeros(2), 0, tinycnn.tensor([1, 1]), tinycnn.tensor([5.0, 7.0])).tolist()
    [0.0, 12.0]
    """
    return _scattered("scatter_add", input, dim, index, as_tensor(src), "add")


@operator(family="index", differentiable=("input", "source"), method=True)
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
    """Add slices, scaled, to the slices that an index names along one axis; repeated ones add up.

    Shapes
    ------
    (a, b, c), (k), (a, k, c) -> (a, b, c) with dim = 1

    Formula
    -------
    y[i, p, l] = input[i, p, l] + alpha sum over j with index[j] = p of source[i, j, l];
    grad_input = grad, grad_source = alpha index_select(grad, dim, index).

    Raises
    ------
    ShapeError
        If source does not fit. IndexingError: a position outside the axis. DtypeError: two dtypes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.index_add(tinycnn.zeros(2), 0, tinycnn.tensor([1, 1]), tinycnn.tensor([5.0, 7.0]), alpha=2).tolist()
    [0.0, 24.0]
    """
    name = "index_add"
    target, added, positions = as_tensor(input), as_tensor(source), _positions(name, index)
    x, values = target.data, added.data
    along = axis(name, dim, x.ndim)
    if positions.ndim > 1:
        raise ShapeError(f"{name}: index has shape {positions.shape}; it must have one axis")
    if x.dtype != values.dtype:
        raise DtypeError(f"{name}: input is {x.dtype} but source is {values.dtype}; convert one")
    if not isinstance(alpha, int | float | np.integer | np.floating) or (x.dtype.kind in "iu" and not isinstance(alpha, int)):
        raise ArgumentError(f"{name}: alpha must be a number, and whole for whole tensors, not {alpha!r}")
    flat = positions.reshape(-1)
    wanted = (*x.shape[:along], flat.size, *x.shape[along + 1 :]) if x.ndim else values.shape
    if values.shape != wanted or (not x.ndim and (values.size != 1 or flat.size != 1 or values.ndim > 1)):
        raise ShapeError(f"{name}: source {values.shape} must be input {x.shape} with the {flat.size} elements of index along dim {dim}")
    _require_range(name, flat, x.shape, along)
    where: tuple[Any, ...] = (*(slice(None),) * along, flat)
    y = np.atleast_1d(x.copy()) if x.ndim else x.reshape(1).copy()
    np.add.at(y, where, values if alpha == 1 else values * x.dtype.type(alpha))

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        chosen = grad.reshape(y.shape)[where].reshape(values.shape)
        return grad, chosen if alpha == 1 else chosen * grad.dtype.type(alpha)

    return record(name, y.reshape(x.shape), (target, added), backward)


@operator(family="index", differentiable=("input", "values"), kinks="places written twice", method=True)
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """Write numbers to the elements that index tensors name together: a copy after `x[indices] = values`.

    Shapes
    ------
    (*), indices that broadcast to (k), values that broadcast to (k, *) -> (*)

    Formula
    -------
    y = input but y[indices] = values, or y[indices] + values with accumulate; grad_input = grad, with 0 at the places written without accumulate;
    grad_values = grad[indices], summed where values were broadcast.

    Parameters
    ----------
    input : Tensor
        What is written to; it stays as it is.
    indices : tuple of Tensor
        Whole numbers, negative ones from the back, or masks; one for each of the first axes.
    values : Tensor or number
        What to write, of input's dtype.
    accumulate : bool
        Add to what is there, and add up repeated places.

    Raises
    ------
    ShapeError
        If values do not fit the places. IndexingError: a position outside. DtypeError: two dtypes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.index_put(tinycnn.zeros(3), (tinycnn.tensor([0, 2]),), tinycnn.tensor([5.0, 7.0])).tolist()
    [5.0, 0.0, 7.0]
    """
    name = "index_put"
    target, x = as_tensor(input), as_tensor(input).data
    if not isinstance(indices, tuple | list) or not indices:
        raise ArgumentError(f"{name}: indices must be a tuple of index tensors, one an axis, not {indices!r}")
    where = _numpy_index(tuple([part if isinstance(part, Tensor | np.ndarray) else as_tensor(part) for part in indices]))
    written = as_tensor(values) if isinstance(values, Tensor | np.ndarray) else Tensor(np.asarray(values, x.dtype))
    if written.dtype != x.dtype:
        raise DtypeError(f"{name}: input is {x.dtype} but values are {written.dtype}; convert one")
    y = x.copy()
    try:
        shape = y[where].shape
    except IndexError as error:
        raise _index_error(x.shape, error) from None
    try:
        spread = np.broadcast_to(written.data, shape)
    except ValueError:
        raise ShapeError(f"{name}: values {written.shape} do not broadcast to the places {shape} of input {x.shape}") from None
    if accumulate:
        np.add.at(y, where, spread)
    else:
        y[where] = spread

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad_x = grad
        if needs[0] and not accumulate:
            grad_x = grad.copy()
            grad_x[where] = 0
        return grad_x, unbroadcast(np.asarray(grad[where]), written.data) if needs[1] else None

    return record(name, y, (target, written), backward)


@operator(family="index", method=True)
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Where elements are not zero, in row-major order; nan is not.

    Shapes
    ------
    (*) of n axes -> (number of places, n), int64; with as_tuple n tensors (number of places)

    Formula
    -------
    y = the positions i with input[i] != 0

    Returns
    -------
    Tensor, or a tuple of tensors, as indexing takes them

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.nonzero([[1.0, 0.0], [0.0, 2.0]]).tolist()
    [[0, 0], [1, 1]]
    """
    x = as_tensor(input).data
    if not as_tuple:
        return Tensor(np.argwhere(x).astype(np.int64, copy=False))
    return tuple([Tensor(places) for places in np.nonzero(np.atleast_1d(x))])


def _scattered(name: str, input: Any, dim: int, index: Any, src: Any, reduce: str | None) -> Tensor:
    """A copy of input with src written to, added to or multiplied into the places of an index along one axis."""
    target, positions = as_tensor(input), _positions(name, index)
    x = target.data
    along = axis(name, dim, x.ndim)
    source = as_tensor(src) if isinstance(src, Tensor | np.ndarray | list | tuple) else None
    if source is not None and source.dtype != x.dtype:
        raise DtypeError(f"{name}: input is {x.dtype} but src is {source.dtype}; convert one")
    if source is None and (src is None or not isinstance(src, bool | int | float | np.generic)):
        raise ArgumentError(f"{name}: src must be a tensor or a number, not {src!r}")
    if not positions.size:
        return record(name, x.copy(), (target, source), lambda grad, needs: (grad, None if source is None else np.zeros(source.shape, grad.dtype)))
    sizes, given = np.atleast_1d(x).shape, np.atleast_1d(positions).shape
    behind = None if source is None else np.atleast_1d(source.data)
    fits = len(given) == len(sizes) and all(k <= n for place, (k, n) in enumerate(zip(given, sizes)) if place != along)
    if not fits or (behind is not None and (behind.ndim != len(given) or any(k > n for k, n in zip(given, behind.shape)))):
        raise ShapeError(
            f"{name}: index {positions.shape} must have as many axes as input {x.shape}{'' if source is None else f' and src {source.shape}'}, and "
            f"be no larger, but for input along dim {dim}"
        )
    _require_range(name, positions, x.shape, along)
    if reduce == "multiply" and source is not None and source.requires_grad:
        raise GraphError(f"{name}: reduce='multiply' has no gradient for src; use src.detach()")
    where = list(np.ogrid[tuple(slice(n) for n in given)])
    where[along] = positions.reshape(given)
    places, cut = tuple(where), tuple([slice(n) for n in given])
    y = np.atleast_1d(x).copy()
    values = np.asarray(src).astype(x.dtype) if behind is None else behind[cut]
    if reduce is None:
        y[places] = values
    else:
        (np.add if reduce == "add" else np.multiply).at(y, places, values)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = grad.reshape(y.shape)
        grad_x = grad
        if reduce != "add":
            grad_x = upstream.copy()
            if reduce is None:
                grad_x[places] = 0
            else:
                np.multiply.at(grad_x, places, values)
        if source is None or not needs[1]:
            return grad_x.reshape(x.shape), None
        grad_source = np.zeros_like(behind, grad.dtype)
        grad_source[cut] = upstream[places]
        return grad_x.reshape(x.shape), grad_source.reshape(source.shape)

    return record(name, y.reshape(x.shape), (target, source), backward)
