"""Parts of tensors along an axis, elements repeated, quarter turns and coordinate grids."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, IndexingError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, one_of, same_dtype, whole
from ._arrays import axis
from .index import _positions, index_select

__all__ = ["meshgrid", "narrow", "repeat_interleave", "rot90", "select", "unbind"]


@operator(family="shape", differentiable=("input",), method=True)
def narrow(input: Any, dim: int, start: Any, length: int) -> Tensor:
    """A run of neighbouring slices along an axis: a view.

    Shapes
    ------
    (a, b, c) -> (a, length, c) with dim = 1

    Formula
    -------
    y[i, j, k] = input[i, start + j, k]; grad_input holds grad there, 0 elsewhere.

    Raises
    ------
    IndexingError
        If the run leaves the axis.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.narrow([1.0, 2.0, 3.0, 4.0], 0, 1, 2).tolist()
    [2.0, 3.0]
    """
    tensor = as_tensor(input)
    size = _room("narrow", tensor, dim)
    along = axis("narrow", dim, tensor.ndim)
    if isinstance(start, Tensor | np.ndarray) and start.ndim == 0 and start.dtype.kind in "iu":
        start = int(start)
    first, number = whole("narrow", "start", start, -size), whole("narrow", "length", length, 0)
    first += size if first < 0 else 0
    if first + number > size:
        raise IndexingError(f"narrow: start {start} + length {number} > the {size} elements along dim {dim} of input {tensor.shape}")
    return _part("narrow", tensor, (*(slice(None),) * along, slice(first, first + number)))


@operator(family="shape", differentiable=("input",), method=True)
def select(input: Any, dim: int, index: int) -> Tensor:
    """One slice along an axis, without that axis: a view.

    Shapes
    ------
    (a, b, c) -> (a, c) with dim = 1

    Formula
    -------
    y[i, k] = input[i, index, k]; grad_input holds grad there, 0 elsewhere.

    Raises
    ------
    IndexingError
        For an index outside the axis; negative ones count from the back.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.select([[1.0, 2.0], [3.0, 4.0]], 1, -1).tolist()
    [2.0, 4.0]
    """
    tensor = as_tensor(input)
    size = _room("select", tensor, dim)
    along = axis("select", dim, tensor.ndim)
    if isinstance(index, Tensor | np.ndarray) and index.ndim == 0 and index.dtype.kind in "iu":
        index = int(index)
    if isinstance(index, bool) or not isinstance(index, int | np.integer) or not -size <= index < size:
        raise IndexingError(f"select: index {index!r} is outside the {size} elements along dim {dim} of input {tensor.shape}")
    return _part("select", tensor, (*(slice(None),) * along, int(index)))


@operator(family="shape", differentiable=("input",), method=True)
def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along an axis, without that axis: views.

    Shapes
    ------
    (a, b, c) -> b tensors (a, c) with dim = 1

    Formula
    -------
    y_j = select(input, dim, j)

    Examples
    --------
    >>> import tinycnn
    >>> [row.tolist() for row in tinycnn.unbind([[1.0, 2.0], [3.0, 4.0]])]
    [[1.0, 2.0], [3.0, 4.0]]
    """
    tensor = as_tensor(input)
    return tuple([select(tensor, dim, position) for position in range(_room("unbind", tensor, dim))])


@operator(family="shape", differentiable=("input",), method=True)
def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A quarter turn, k times, in the plane of two axes: from the first towards the second. A view.

    Shapes
    ------
    (m, n, *) -> (n, m, *) for odd k, (m, n, *) for even k

    Formula
    -------
    y[i, j] = input[j, n - 1 - i] for k = 1; grad_input = rot90(grad, -k).

    Raises
    ------
    ArgumentError
        For other than two different axes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.rot90([[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[2.0, 4.0], [1.0, 3.0]]
    """
    tensor = as_tensor(input)
    if isinstance(k, bool) or not isinstance(k, int | np.integer):
        raise ArgumentError(f"rot90: k must be a whole number of quarter turns, not {k!r}")
    if not isinstance(dims, Sequence) or isinstance(dims, str) or len(dims) != 2:
        raise ArgumentError(f"rot90: dims must be two axes, not {dims!r}")
    if tensor.ndim < 2:
        raise ShapeError(f"rot90: input has shape {tensor.shape}; a plane needs two axes")
    first, second = (axis("rot90", dim, tensor.ndim, "dims") for dim in dims)
    if first == second:
        raise ArgumentError(f"rot90: dims {tuple(dims)} name one axis twice; a plane needs two")
    return record(
        "rot90", np.rot90(tensor.data, k, (first, second)), (tensor,), lambda grad, needs: (np.rot90(grad, -k, (first, second)),)
    )


@operator(family="index", differentiable=("input",), method=True)
def repeat_interleave(input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Every element, or every slice along an axis, several times behind itself.

    Shapes
    ------
    (a, b, c) -> (a, sum of repeats, c) with dim = 1; without dim all elements in one row

    Formula
    -------
    y = input[p], p the positions 0, 1, .. each as often as repeats says; grad_input[i] = the sum of grad over its copies.

    Parameters
    ----------
    input : Tensor
        What to repeat. With no `repeats`, the numbers of repetitions themselves: the result is p.
    repeats : int or Tensor of whole numbers
        How often; one number for all.
    dim : int, optional
        The axis.
    output_size : int, optional
        What the sum of repeats is known to be; checked.

    Raises
    ------
    ShapeError
        If there are not as many repeats as elements. ArgumentError: negative ones.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.repeat_interleave([1.0, 2.0], tinycnn.tensor([1, 3])).tolist()
    [1.0, 2.0, 2.0, 2.0]
    """
    name = "repeat_interleave"
    if repeats is None:
        counts = _positions(name, input)
        if counts.ndim != 1:
            raise ShapeError(f"{name}: repeats has shape {counts.shape}; it must have one axis")
        return Tensor(_repeated(name, counts, counts.size, output_size))
    tensor = as_tensor(input)
    if dim is None:
        tensor, dim = tensor.reshape(-1), 0
    along = axis(name, dim, tensor.ndim)
    counts = _positions(name, repeats)
    size = tensor.shape[along] if tensor.ndim else 1
    if counts.ndim > 1 or counts.size not in (1, size):
        raise ShapeError(f"{name}: repeats has shape {counts.shape}; it must be one number, or one for each of the {size} elements along dim {dim}")
    positions = _repeated(name, np.broadcast_to(counts, (size,)) if counts.size == 1 else counts, size, output_size)
    return index_select(tensor if tensor.ndim else tensor.reshape(1), along, positions)


@operator(family="shape", differentiable=("tensors",))
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of every point of a grid, from the coordinates along each axis: views.

    Shapes
    ------
    (m), (n), .. -> tensors (m, n, ..), as many; with indexing="xy" (n, m, ..)

    Formula
    -------
    y_a[i_1, i_2, ..] = tensors[a][i_a]; each gradient is grad summed over the other axes.

    Parameters
    ----------
    tensors : Tensor
        With one axis or none each, of one dtype; also as one list.
    indexing : "ij" or "xy"
        Whether the first tensor runs along the first axis, or along the second as x does in a picture.

    Raises
    ------
    ShapeError
        For a tensor of more than one axis. ArgumentError: no tensor at all.

    Notes
    -----
    NumPy's default is "xy", torch's "ij".

    Examples
    --------
    >>> import tinycnn
    >>> rows, columns = tinycnn.meshgrid([0.0, 1.0], [5.0, 6.0, 7.0])
    >>> rows.tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    """
    one_of("meshgrid", "indexing", indexing, ("ij", "xy"))
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple) and any(isinstance(one, Tensor | np.ndarray) for one in tensors[0]):
        tensors = tuple(tensors[0])
    if not tensors:
        raise ArgumentError("meshgrid: no tensors; give at least one row of coordinates")
    rows = [as_tensor(tensor) for tensor in tensors]
    same_dtype("meshgrid", **{f"tensor {position}": row for position, row in enumerate(rows)})
    for row in rows:
        if row.ndim > 1:
            raise ShapeError(f"meshgrid: a tensor has shape {row.shape}; coordinates along an axis are one row, use flatten()")
    shape = tuple([row.numel() for row in rows])
    grids = []
    for position, row in enumerate(rows):
        sizes = [1] * len(shape)
        sizes[position] = shape[position]
        grids.append(row.reshape(sizes).expand(*shape))
    if indexing == "xy" and len(shape) > 1:
        grids = [grid.transpose(0, 1) for grid in grids]
    return tuple(grids)


def _room(name: str, tensor: Tensor, dim: Any) -> int:
    """The size of an axis, which a 0-d tensor has not."""
    if not tensor.ndim:
        raise ShapeError(f"{name}: a 0-d tensor has no axis to take a part of; use reshape(1)")
    return tensor.shape[axis(name, dim, tensor.ndim)]


def _part(name: str, tensor: Tensor, where: tuple[Any, ...]) -> Tensor:
    """A view of some of the elements, each at most once."""
    shape = tensor.shape

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad_x = np.zeros(shape, grad.dtype)
        grad_x[where] = grad
        return (grad_x,)

    return record(name, tensor.data[(*where, ...)], (tensor,), backward)


def _repeated(name: str, counts: np.ndarray, size: int, output_size: Any) -> np.ndarray:
    """The positions 0 to size - 1, each as often as it is counted."""
    if counts.size and int(counts.min()) < 0:
        raise ArgumentError(f"{name}: repeats holds {int(counts.min())}; a number of copies is at least 0")
    total = int(counts.sum(dtype=np.int64))
    if output_size is not None and whole(name, "output_size", output_size, 0) != total:
        raise ArgumentError(f"{name}: output_size={output_size}, but the repeats add up to {total}")
    if total >= np.iinfo(np.int32).max * 64:
        raise ArgumentError(f"{name}: the repeats add up to {total} copies, more than memory holds")
    return np.repeat(np.arange(size), counts)
