"""Order: sorting, the largest few, the middle one, different values, and counting them.

nan counts as larger than every number, as in torch. Equal elements keep their order, whether `stable` or not; torch leaves it open.
"""

from typing import Any, NamedTuple

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, whole
from ._arrays import axis, spread
from .extremum import Dim, Extremum, amax, amin

__all__ = ["aminmax", "argsort", "kthvalue", "median", "sort", "topk", "unique"]


class Range(NamedTuple):
    """The smallest and largest elements."""

    min: Tensor
    max: Tensor


@operator(family="reduction", differentiable=("input",), kinks="ties: in their order", method=True)
def sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Extremum:
    """The elements along an axis in rising, or falling, order, and where they were.

    Shapes
    ------
    (*) -> (values, indices), both (*); indices int64

    Formula
    -------
    values[i] = input[indices[i]]; grad_input[indices[i]] = grad[i].

    Parameters
    ----------
    input : Tensor
        Of any dtype.
    dim : int
        The axis.
    descending : bool
        The largest first.
    stable : bool
        Whether equal elements must keep their order; they always do.

    Examples
    --------
    >>> import tinycnn
    >>> values, indices = tinycnn.sort([3.0, 1.0, 2.0])
    >>> values.tolist(), indices.tolist()
    ([1.0, 2.0, 3.0], [1, 2, 0])
    """
    tensor = as_tensor(input)
    return _chosen("sort", tensor, _order("sort", tensor.data, dim, descending), dim)


@operator(family="reduction", method=True)
def argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """Where the elements along an axis were before `sort`.

    Shapes
    ------
    (*) -> (*), int64

    Formula
    -------
    y = the permutation with input[y] sorted

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.argsort([3.0, 1.0, 2.0]).tolist()
    [1, 2, 0]
    """
    return Tensor(_order("argsort", as_tensor(input).data, dim, descending))


@operator(family="reduction", differentiable=("input",), kinks="ties: the first ones are taken", method=True)
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Extremum:
    """The k largest, or smallest, elements along an axis, and where they are.

    Shapes
    ------
    (a, b, c) -> (values, indices), both (a, k, c) with dim = 1; indices int64

    Formula
    -------
    values[i] = input[indices[i]], i < k; grad_input[indices[i]] = grad[i], 0 elsewhere.

    Parameters
    ----------
    input : Tensor
        Of any dtype but bool.
    k : int
        How many.
    dim : int
        The axis.
    largest : bool
        The largest ones, or (False) the smallest.
    sorted : bool
        Whether they must come in order; they always do.

    Raises
    ------
    ShapeError
        If the axis has fewer than k elements.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.topk([3.0, 1.0, 2.0], 2).indices.tolist()
    [0, 2]
    """
    tensor = as_tensor(input)
    x = tensor.data
    if x.dtype == np.bool_:
        raise DtypeError("topk: input is bool, most of whose elements are equal; convert with .int()")
    number = whole("topk", "k", k, 0)
    along = axis("topk", dim, x.ndim)
    if number > (x.shape[along] if x.ndim else 1):
        raise ShapeError(f"topk: k={number} > the {x.shape[along] if x.ndim else 1} elements along dim {dim} of input {x.shape}; use a smaller k")
    order = _order("topk", x, dim, largest)
    if x.ndim:
        order = np.ascontiguousarray(np.moveaxis(np.moveaxis(order, along, 0)[:number], 0, along))
    return _chosen("topk", tensor, order, dim)


@operator(family="reduction", differentiable=("input",), kinks="ties: the first one in order", method=True)
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Extremum:
    """The k-th smallest element along an axis, counted from 1, and where it is.

    Shapes
    ------
    (a, b, c) -> (values, indices), both (a, c) with dim = 1; indices int64

    Formula
    -------
    values = the k-th element of sort(input); grad_input[indices] = grad, 0 elsewhere.

    Raises
    ------
    ShapeError
        If the axis has fewer than k elements.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.kthvalue([3.0, 1.0, 2.0], 2).values.item()
    2.0
    """
    tensor = as_tensor(input)
    x = tensor.data
    along = axis("kthvalue", dim, x.ndim)
    room = x.shape[along] if x.ndim else 1
    number = whole("kthvalue", "k", k, 1)
    if number > room:
        raise ShapeError(f"kthvalue: k={number} > the {room} elements along dim {dim} of input {x.shape}; use a smaller k")
    return _one("kthvalue", tensor, _order("kthvalue", x, dim, False), number - 1, along, keepdim)


@operator(
    family="reduction", differentiable=("input",), kinks="ties: shared equally without dim, to one with dim", method=True
)
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The element in the middle of the order, the lower one of two; with `dim` along that axis, and where it is.

    Shapes
    ------
    (*) -> (); with dim (*) -> (values, indices), both (* without dim)

    Formula
    -------
    y = element floor((n - 1) / 2) of sort(input); grad_input = grad at its place, shared by equal elements without dim.
    nan if there is one.

    Returns
    -------
    Tensor, or the named tuple (values, indices)

    Raises
    ------
    ShapeError
        If there is nothing along dim.

    Notes
    -----
    NumPy averages the two in the middle. Of nothing at all the median is nan.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.median([4.0, 1.0, 2.0, 3.0]).item()
    2.0
    """
    tensor = as_tensor(input)
    x = tensor.data
    if dim is None:
        return _middle(tensor)
    along = axis("median", dim, x.ndim)
    if x.ndim and not x.shape[along]:
        raise ShapeError(f"median: input {x.shape} has no element along dim {dim}; check numel() first")
    order = _order("median", x, dim, False)
    place = ((x.shape[along] if x.ndim else 1) - 1) // 2
    if x.dtype.kind == "f" and x.ndim:
        first_nan = np.expand_dims(np.argmax(np.isnan(x), axis=along), along)
        order = np.where(np.isnan(x).any(axis=along, keepdims=True), first_nan, order)
    return _one("median", tensor, order, place, along, keepdim)


@operator(family="reduction", differentiable=("input",), kinks="ties: shared equally", method=True)
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Range:
    """The smallest and the largest element, over all or along an axis.

    Shapes
    ------
    (*) -> (min, max), both (), or (* without dim)

    Formula
    -------
    As `amin` and `amax`.

    Examples
    --------
    >>> import tinycnn
    >>> smallest, largest = tinycnn.aminmax([3.0, 1.0, 2.0])
    >>> smallest.item(), largest.item()
    (1.0, 3.0)
    """
    tensor = as_tensor(input)
    reduced: Dim = None if dim is None else axis("aminmax", dim, tensor.data.ndim)
    return Range(amin(tensor, reduced, keepdim), amax(tensor, reduced, keepdim))


@operator(family="reduction", method=True)
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different elements in rising order; with `dim`, the different slices along that axis.

    Shapes
    ------
    (*) -> (number of different elements); with dim, input's shape with the number of different slices there

    Formula
    -------
    y = the sorted set of elements; input = y[inverse]; counts[i] = how many elements equal y[i].

    Parameters
    ----------
    input : Tensor
        Of any dtype.
    sorted : bool
        Whether the result must be in order; it always is.
    return_inverse : bool
        Also give, for every element, its place in the result.
    return_counts : bool
        Also give how often each occurs.
    dim : int, optional
        Compare slices along this axis instead of elements.

    Returns
    -------
    Tensor, or a tuple of the tensors asked for

    Notes
    -----
    Every nan is different from every other, as in torch. No gradient.

    Examples
    --------
    >>> import tinycnn
    >>> values, counts = tinycnn.unique(tinycnn.tensor([3, 1, 3]), return_counts=True)
    >>> values.tolist(), counts.tolist()
    ([1, 3], [1, 2])
    """
    x = as_tensor(input).data
    along = None if dim is None else axis("unique", dim, x.ndim)
    if along is not None and not x.ndim:
        x, along = x.reshape(1), None
    if along is not None and not x.size:
        if x.shape[along]:
            raise ShapeError(f"unique: input {x.shape} is empty, and slices of nothing have no order; leave dim out")
        values, inverse, counts = x, np.zeros(0, np.int64), np.zeros(0, np.int64)
    else:
        values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=along, equal_nan=False)
    places = inverse.reshape(-1 if along is not None else as_tensor(input).data.shape)
    results: list[np.ndarray] = [values]
    results += [places] if return_inverse else []
    results += [counts] if return_counts else []
    tensors = tuple([Tensor(array if position == 0 else array.astype(np.int64)) for position, array in enumerate(results)])
    return tensors if len(tensors) > 1 else tensors[0]


def _order(name: str, x: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The positions of the elements in rising order, or falling with nan first; equal ones in their order."""
    along = axis(name, dim, x.ndim)
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=along, kind="stable")
    # Sorted from the back and turned round, equal elements come out in their order.
    last = x.shape[along] - 1
    return last - np.flip(np.argsort(np.flip(x, along), axis=along, kind="stable"), along)


def _chosen(name: str, tensor: Tensor, order: np.ndarray, dim: int) -> Extremum:
    """The elements at positions along an axis, each at most once, and the positions."""
    x = tensor.data
    if not x.ndim:
        taken = order.size > 0
        return Extremum(record(name, x.copy() if taken else x[np.newaxis][:0], (tensor,), lambda grad, needs: (grad,)), Tensor(order))
    along = axis(name, dim, x.ndim)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad_x = np.zeros(x.shape, grad.dtype)
        np.put_along_axis(grad_x, order, grad, along)
        return (grad_x,)

    return Extremum(record(name, np.take_along_axis(x, order, along), (tensor,), backward), Tensor(order.astype(np.int64, copy=False)))


def _one(name: str, tensor: Tensor, order: np.ndarray, place: int, along: int, keepdim: bool) -> Extremum:
    """One place of the order along an axis, without that axis unless it is kept."""
    if not tensor.data.ndim:
        return _chosen(name, tensor, order, 0)
    where = np.expand_dims(np.take(order, place, axis=along), along)
    values, indices = _chosen(name, tensor, where, along)
    return Extremum(values, indices) if keepdim else Extremum(values.squeeze(along), indices.squeeze(along))


def _middle(tensor: Tensor) -> Tensor:
    """The median of all elements; its gradient is shared by the elements that equal it."""
    x = tensor.data
    if not x.size:
        if x.dtype.kind != "f":
            raise ShapeError(f"median: input {x.shape} of {x.dtype} has no element, and nan is not of its dtype; check numel() first")
        return record("median", np.array(np.nan, x.dtype), (tensor,), lambda grad, needs: (np.zeros(x.shape, grad.dtype),))
    if x.dtype == np.bool_:
        raise ArgumentError("median: input is bool, which has no middle; convert with .int()")
    flat = np.sort(x, axis=None)
    broken = x.dtype.kind == "f" and bool(np.isnan(flat[-1]))
    y = np.asarray(flat[-1 if broken else (flat.size - 1) // 2])

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        equal = np.isnan(x) if broken else x == y
        share = grad.dtype.type(1) / grad.dtype.type(equal.sum())
        return (np.where(equal, spread(grad, x.shape, tuple(range(x.ndim))) * share, grad.dtype.type(0)),)

    return record("median", y, (tensor,), backward, (tensor,))
