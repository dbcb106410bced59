"""Counting and placing: histograms, and where numbers belong in a sorted row. No gradients."""

from typing import Any, Literal

import numpy as np

from ..errors import ArgumentError, DtypeError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, float_tensor, one_of, whole

__all__ = ["bincount", "bucketize", "histc", "searchsorted"]


@operator(family="reduction", method=True)
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 up occurs, or the sum of its weights.

    Shapes
    ------
    (n) -> (max(largest number + 1, minlength)); int64, or with weights their float dtype

    Formula
    -------
    y[v] = sum_i [input[i] = v] weights[i], weights 1 if left out

    Raises
    ------
    DtypeError
        For numbers that are not whole. ArgumentError: negative ones. ShapeError: other than one axis.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.bincount(tinycnn.tensor([1, 1, 3])).tolist()
    [0, 2, 0, 1]
    """
    x = as_tensor(input).data
    if not x.size and x.dtype.kind == "f" and not isinstance(input, Tensor | np.ndarray):
        x = x.astype(np.int64)
    if x.dtype.kind not in "iu":
        raise DtypeError(f"bincount: input is {x.dtype}, not whole numbers; convert with .long()")
    if x.ndim != 1:
        raise ShapeError(f"bincount: input has shape {x.shape}; it must have one axis, use flatten()")
    if x.size and int(x.min()) < 0:
        raise ArgumentError(f"bincount: input holds {int(x.min())}; numbers are counted from 0")
    room = whole("bincount", "minlength", minlength, 0)
    if weights is None:
        return Tensor(np.bincount(x, minlength=room).astype(np.int64, copy=False))
    amounts = as_tensor(weights).data
    if amounts.shape != x.shape:
        raise ShapeError(f"bincount: weights {amounts.shape} must have the shape of input, {x.shape}")
    kind = amounts.dtype if amounts.dtype.kind == "f" else np.dtype(np.float64)
    return Tensor(np.bincount(x, amounts, room).astype(kind, copy=False))


@operator(family="reduction", method=True)
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of several equally wide bins.

    Shapes
    ------
    (*) -> (bins), of input's dtype

    Formula
    -------
    y[b] = the number of elements with floor(bins (input - min) / (max - min)) = b; max itself falls into the last bin.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    bins : int
        How many bins.
    min, max : number
        The range; where they are equal, that of the elements, or one more to both sides if those are equal too. Elements outside, and nan
        where a range is given, do not count.

    Raises
    ------
    ArgumentError
        For max < min, or a range that is not finite.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.histc([0.0, 1.0, 1.0, 4.0], 4, 0, 4).tolist()
    [1.0, 2.0, 0.0, 1.0]
    """
    x = float_tensor("histc", "input", input).data
    number = whole("histc", "bins", bins, 1)
    for argument, value in (("min", min), ("max", max)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise ArgumentError(f"histc: {argument} must be a number, not {value!r}")
    low, high = float(min), float(max)
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ArgumentError(f"histc: the range from {low} to {high} is not finite; give min and max")
    if low == high:
        low, high = low - 1, high + 1
    if low > high:
        raise ArgumentError(f"histc: max {max} must be larger than min {min}")
    inside = x[(x >= low) & (x <= high)].astype(np.float64)
    places = np.minimum(((inside - low) * number / (high - low)).astype(np.int64), number - 1)
    return Tensor(np.bincount(places, minlength=number).astype(x.dtype))


@operator(family="reduction")
def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None, sorter: Any = None
) -> Tensor:
    """Where numbers belong in a sorted row: before the first element that is not smaller, or (right) before the first larger one.

    Shapes
    ------
    (n), (*) -> (*); (a, n), (a, m) -> (a, m), each row in its own; int64, or int32 with out_int32

    Formula
    -------
    y = the number of elements with sequence < input, or sequence <= input with right

    Parameters
    ----------
    sorted_sequence : Tensor
        Rising along its last axis.
    input : Tensor or number
        The numbers to place.
    out_int32 : bool
        Give int32.
    right : bool
        Behind equal elements instead of before them; side="right" says the same.
    side : "left" or "right", optional
        Another word for `right`.
    sorter : Tensor, optional
        Positions, as of `argsort`, that sort the sequence.

    Raises
    ------
    ShapeError
        If the axes but the last differ. ArgumentError: side and right that contradict.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.searchsorted([1.0, 3.0, 5.0], [3.0, 6.0]).tolist()
    [1, 3]
    """
    rows, numbers = as_tensor(sorted_sequence).data, as_tensor(input).data
    if side is not None:
        one_of("searchsorted", "side", side, ("left", "right"))
        if side == "left" and right:
            raise ArgumentError('searchsorted: side="left" and right=True contradict each other; give one')
    after: Literal["left", "right"] = "right" if right or side == "right" else "left"
    if not rows.ndim or (rows.ndim > 1 and rows.shape[:-1] != numbers.shape[:-1]):
        raise ShapeError(
            f"searchsorted: sorted_sequence {rows.shape} must have one axis, or but for the last the axes of input {numbers.shape}"
        )
    if sorter is not None:
        order = as_tensor(sorter).data
        if order.dtype != np.int64 or order.shape != rows.shape:
            raise ShapeError(f"searchsorted: sorter must be int64 of shape {rows.shape}, not {order.dtype} {order.shape}; use argsort")
        if order.size and not (int(order.min()) >= 0 and int(order.max()) < rows.shape[-1]):
            raise ArgumentError(f"searchsorted: sorter holds positions outside 0 to {rows.shape[-1] - 1}; use argsort")
        rows = np.take_along_axis(rows, order, -1)
    kind = np.int32 if out_int32 else np.int64
    if rows.ndim == 1:
        return Tensor(np.asarray(np.searchsorted(rows, numbers, after), kind))
    y = np.empty(numbers.shape, kind)
    for place in np.ndindex(rows.shape[:-1]):
        y[place] = np.searchsorted(rows[place], numbers[place], after)
    return Tensor(y)


@operator(family="reduction")
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Which bucket between boundaries each number falls into: `searchsorted` with its arguments turned round.

    Shapes
    ------
    (*), (n) -> (*), int64, or int32 with out_int32

    Formula
    -------
    y = the number of boundaries < input, or <= input with right

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.bucketize([0.0, 2.0, 9.0], [1.0, 3.0]).tolist()
    [0, 1, 2]
    """
    if as_tensor(boundaries).data.ndim != 1:
        raise ShapeError(f"bucketize: boundaries have shape {as_tensor(boundaries).data.shape}; they must be one sorted row")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
