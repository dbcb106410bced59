"""Tensors put together, cut apart, repeated, turned round and masked into triangles."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, whole
from ._arrays import axis, in_one_dtype, total
from .shape import sizes

__all__ = ["cat", "chunk", "flip", "repeat", "roll", "split", "stack", "tile", "tril", "triu"]


@operator(family="shape", differentiable=("tensors",))
def cat(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Join tensors along an axis; all other sizes are equal.

    Shapes
    ------
    (a, b_1, c), (a, b_2, c), .. -> (a, b_1 + b_2 + .., c) with dim = 1

    Formula
    -------
    y = tensors behind each other; each gradient is its own slice of grad.

    Raises
    ------
    ShapeError
        For no tensors at all, 0-d tensors, or sizes that differ elsewhere.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.cat([tinycnn.zeros(1, 2), tinycnn.ones(2, 2)]).tolist()
    [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    """
    parts, arrays = _joined("cat", tensors)
    shape = next((array.shape for array in arrays if array.shape != (0,)), (0,))
    if not shape:
        raise ShapeError("cat: 0-d tensors have no axis to join along; use stack")
    along = axis("cat", dim, len(shape))
    # A tensor of shape (0,) joins anything, as in torch: a list of results often starts with one.
    nothing = (*shape[:along], 0, *shape[along + 1 :])
    arrays = [array.reshape(nothing) if array.shape == (0,) else array for array in arrays]
    for position, array in enumerate(arrays):
        if array.ndim != len(shape) or array.shape[:along] + array.shape[along + 1 :] != nothing[:along] + nothing[along + 1 :]:
            raise ShapeError(
                f"cat: tensor {position} has shape {array.shape}, the first one {shape}; they may differ along dim {along} only"
            )
    ends = np.cumsum([array.shape[along] for array in arrays]).tolist()
    before = (slice(None),) * along

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        starts = [0, *ends[:-1]]
        return tuple(
            grad[(*before, slice(start, end))].astype(part.data.dtype, copy=False).reshape(part.shape) if needed else None
            for part, start, end, needed in zip(parts, starts, ends, needs, strict=True)
        )

    return record("cat", np.concatenate(arrays, axis=along), parts, backward)


@operator(family="shape", differentiable=("tensors",))
def stack(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Shapes
    ------
    n times (a, b) -> (n, a, b) with dim = 0

    Formula
    -------
    y[k] = tensors[k]; grad_k = grad[k].

    Raises
    ------
    ShapeError
        For no tensors at all, or shapes that differ.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.stack([[1.0, 2.0], [3.0, 4.0]], 1).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    parts, arrays = _joined("stack", tensors)
    shape = arrays[0].shape
    for position, array in enumerate(arrays):
        if array.shape != shape:
            raise ShapeError(
                f"stack: tensor {position} has shape {array.shape}, the first one {shape}; all must be "
                "equal, or use cat"
            )
    along = axis("stack", dim, len(shape) + 1)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return tuple(
            grad.take(position, along).astype(part.data.dtype, copy=False) if needed else None
            for position, (part, needed) in enumerate(zip(parts, needs, strict=True))
        )

    return record("stack", np.stack(arrays, axis=along), parts, backward)


@operator(family="shape", differentiable=("tensor",), method=True)
def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Cut an axis into pieces of one size (the last may be smaller), or of the sizes listed; the inverse of `cat`.

    Shapes
    ------
    (a, b) -> (a, s_1), (a, s_2), .. with dim = 1 and s_1 + s_2 + .. = b

    Formula
    -------
    y_k = input[start_k : end_k]; grad_input is zero but for grad_k there.

    Raises
    ------
    ArgumentError
        For a size that is not positive, or sizes that do not add up to the axis.

    Examples
    --------
    >>> import tinycnn
    >>> [part.tolist() for part in tinycnn.split([1.0, 2.0, 3.0], 2)]
    [[1.0, 2.0], [3.0]]
    """
    source = as_tensor(tensor)
    along = _existing_axis("split", source, dim)
    room = source.data.shape[along]
    if isinstance(split_size_or_sections, int):
        step = whole("split", "split_size_or_sections", split_size_or_sections, 1 if room else 0)
        lengths = [min(step, room - start) for start in range(0, room, step)] if room else [0]
    else:
        lengths = [whole("split", "split_size_or_sections", length, 0) for length in split_size_or_sections]
        if sum(lengths) != room:
            raise ArgumentError(
                f"split: sizes {lengths} add up to {sum(lengths)}, but dim {along} of shape {source.shape} has {room}"
            )
    return _pieces("split", source, lengths, along)


@operator(family="shape", differentiable=("input",), method=True)
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut an axis into at most `chunks` pieces of ceil(size / chunks); the last may be smaller.

    Shapes
    ------
    (a, b) -> (a, ceil(b / chunks)), .. with dim = 1

    Formula
    -------
    As `split`.

    Examples
    --------
    >>> import tinycnn
    >>> [part.tolist() for part in tinycnn.chunk([1.0, 2.0, 3.0, 4.0, 5.0], 3)]
    [[1.0, 2.0], [3.0, 4.0], [5.0]]
    """
    source = as_tensor(input)
    along = _existing_axis("chunk", source, dim)
    number = whole("chunk", "chunks", chunks, 1)
    room = source.data.shape[along]
    step = -(-room // number)
    return _pieces(
        "chunk", source, [min(step, room - start) for start in range(0, room, step)] if room else [0] * number, along
    )


@operator(family="shape", differentiable=("input",), method=True)
def repeat(input: Any, *repeats: Any) -> Tensor:
    """Copies of the whole tensor side by side, so many along each axis; new axes come in front.

    Shapes
    ------
    (a, b) -> (r_1 a, r_2 b)

    Formula
    -------
    y[i, j] = input[i mod a, j mod b]; grad_input[i, j] = sum_{p, q} grad[p a + i, q b + j].

    Raises
    ------
    ArgumentError
        For fewer numbers than axes, or negative ones.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.tensor([1.0, 2.0]).repeat(2, 2).tolist()
    [[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]
    """
    tensor = as_tensor(input)
    times = sizes("repeat", repeats, "repeats")
    if len(times) < tensor.data.ndim:
        raise ArgumentError(
            f"repeat: repeats {times} must name all {tensor.data.ndim} axes of shape {tensor.shape}; or use tile"
        )
    return _tiled("repeat", tensor, times)


@operator(family="shape", differentiable=("input",), method=True)
def tile(input: Any, *dims: Any) -> Tensor:
    """`repeat` that takes fewer numbers than axes: they count from the last axis.

    Shapes
    ------
    (a, b) -> (a, r b) with dims = (r,)

    Formula
    -------
    As `repeat`.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.tile([[1.0], [2.0]], (2,)).tolist()
    [[1.0, 1.0], [2.0, 2.0]]
    """
    tensor = as_tensor(input)
    times = sizes("tile", dims, "dims")
    return _tiled("tile", tensor, (1,) * (tensor.data.ndim - len(times)) + times)


@operator(family="shape", differentiable=("input",), method=True)
def flip(input: Any, *axes: Any, dims: int | Sequence[int] | None = None) -> Tensor:
    """Reverse the order of elements along some axes, given one by one or as `dims`; a view.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[i] = input[n - 1 - i]; grad_input = flip(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.flip([[1.0, 2.0], [3.0, 4.0]], (1,)).tolist()
    [[2.0, 1.0], [4.0, 3.0]]
    """
    tensor = as_tensor(input)
    reversed_axes = tuple([axis("flip", dim, tensor.data.ndim, "dims") for dim in sizes("flip", axes if dims is None else (dims,), "dims")])
    if len(set(reversed_axes)) != len(reversed_axes):
        raise ArgumentError(f"flip: dims {reversed_axes} name an axis twice; name each once")
    if not tensor.data.ndim:
        reversed_axes = ()
    return record(
        "flip", np.flip(tensor.data, reversed_axes), (tensor,), lambda grad, needs: (np.flip(grad, reversed_axes),)
    )


@operator(family="shape", differentiable=("input",), method=True)
def roll(input: Any, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Shift elements along axes; those that fall out at one end come in at the other.

    Shapes
    ------
    (*) -> (*)

    Formula
    -------
    y[(i + shift) mod n] = input[i]; grad_input = roll(grad, -shift). Without dims all elements, in row-major order, are
    one row.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.roll([1.0, 2.0, 3.0], 1).tolist()
    [3.0, 1.0, 2.0]
    """
    tensor = as_tensor(input)
    steps = tuple(shifts) if isinstance(shifts, tuple | list) else (shifts,)
    named = () if dims is None else tuple(dims) if isinstance(dims, tuple | list) else (dims,)
    along = tuple([_existing_axis("roll", tensor, dim) for dim in named]) or None
    if len(steps) != (1 if along is None else len(along)):
        raise ArgumentError(
            f"roll: {len(steps)} shifts {steps} for {len(along or ())} dims {named}; give one shift for each dim"
        )
    by: Any = steps[0] if along is None else steps
    back: Any = -by if along is None else tuple([-step for step in steps])
    return record("roll", np.roll(tensor.data, by, along), (tensor,), lambda grad, needs: (np.roll(grad, back, along),))


@operator(family="shape", differentiable=("input",), method=True)
def tril(input: Any, diagonal: int = 0) -> Tensor:
    """The lower triangle of every matrix, zeros above the diagonal; `diagonal` = 1 is the one above the main one.

    Shapes
    ------
    (*, m, n) -> (*, m, n)

    Formula
    -------
    y[i, j] = input[i, j] [j - i <= diagonal]; grad_input = tril(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.tril([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    return _triangle("tril", np.tril, input, diagonal)


@operator(family="shape", differentiable=("input",), method=True)
def triu(input: Any, diagonal: int = 0) -> Tensor:
    """The upper triangle of every matrix, zeros below the diagonal; `diagonal` = -1 is the one below the main one.

    Shapes
    ------
    (*, m, n) -> (*, m, n)

    Formula
    -------
    y[i, j] = input[i, j] [j - i >= diagonal]; grad_input = triu(grad).

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.triu([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[1.0, 2.0], [0.0, 4.0]]
    """
    return _triangle("triu", np.triu, input, diagonal)


def _joined(name: str, tensors: Sequence[Any]) -> tuple[tuple[Tensor, ...], list[np.ndarray]]:
    """The tensors of a list, and their arrays in one dtype."""
    if isinstance(tensors, Tensor | np.ndarray) or not isinstance(tensors, Sequence):
        raise ArgumentError(f"{name}: tensors must be a list or tuple of tensors, not a {type(tensors).__name__}")
    if not tensors:
        raise ShapeError(f"{name}: an empty list has no shape; give at least one tensor")
    parts = tuple([as_tensor(tensor) for tensor in tensors])
    return parts, in_one_dtype(*[part.data for part in parts])


def _existing_axis(name: str, tensor: Tensor, dim: int) -> int:
    if not tensor.data.ndim:
        raise ShapeError(f"{name}: a 0-d tensor has no axis; use unsqueeze(0) first")
    return axis(name, dim, tensor.data.ndim)


def _pieces(name: str, source: Tensor, lengths: list[int], along: int) -> tuple[Tensor, ...]:
    """Neighbouring slices of an axis, each a view with its own place in the graph."""
    shape = source.data.shape
    before = (slice(None),) * along
    pieces = []
    start = 0
    for length in lengths:
        where = (*before, slice(start, start + length))

        def backward(
            grad: np.ndarray, needs: tuple[bool, ...], where: tuple[slice, ...] = where
        ) -> tuple[np.ndarray | None, ...]:
            grad_x = np.zeros(shape, grad.dtype)
            grad_x[where] = grad
            return (grad_x,)

        pieces.append(record(name, source.data[where], (source,), backward))
        start += length
    return tuple(pieces)


def _tiled(name: str, tensor: Tensor, times: tuple[int, ...]) -> Tensor:
    if min(times, default=0) < 0:
        raise ArgumentError(f"{name}: {times} holds a negative number of copies; use 0 or more")
    shape = (1,) * (len(times) - tensor.data.ndim) + tensor.data.shape
    # Cut every axis of the result in two, copies and elements, so that the gradient is a sum over the copies.
    cut = tuple([n for pair in zip(times, shape, strict=True) for n in pair])
    source = tensor.data.shape

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (total(grad.reshape(cut), tuple(range(0, len(cut), 2))).reshape(source),)

    return record(name, np.tile(tensor.data, times), (tensor,), backward)


def _triangle(name: str, function: Any, input: Any, diagonal: int) -> Tensor:
    tensor = as_tensor(input)
    if tensor.data.ndim < 2:
        raise ShapeError(f"{name}: input has shape {tensor.shape}, but a triangle needs two axes; use unsqueeze first")
    return record(name, function(tensor.data, diagonal), (tensor,), lambda grad, needs: (function(grad, diagonal),))
