"""Choosing elements by position or by condition, and the adjoint of choosing: scattering, where repeated positions add
up.

Slices and whole numbers give views; lists, integer tensors and bool masks give copies, by NumPy's rules for mixing
them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd import is_grad_enabled, record
from ..errors import DtypeError, GraphError, IndexingError, ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor
from ._arrays import as_array, axis, broadcast_error, kept, operand, unbroadcast

__all__ = ["gather", "index_select", "masked_fill", "masked_select", "one_hot", "take_along_dim"]


@operator(family="index", differentiable=("input",), method=True)
def index_select(input: Any, dim: int, index: Any) -> Tensor:
    """Take whole slices along one axis, in the order of a list of positions, which may repeat.

    Shapes
    ------
    (a, b, c), (k) -> (a, k, c) with dim = 1

    Formula
    -------
    y[i, j, l] = input[i, index[j], l]; grad_input[i, p, l] = sum over j with index[j] = p of grad[i, j, l].

    Raises
    ------
    IndexingError
        For a position outside 0 to b - 1. DtypeError: positions that are not whole numbers.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.index_select([1.0, 2.0, 3.0], 0, tinycnn.tensor([2, 0, 2])).tolist()
    [3.0, 1.0, 3.0]
    """
    tensor = as_tensor(input)
    along = axis("index_select", dim, tensor.data.ndim)
    positions = _positions("index_select", index)
    if positions.ndim > 1 or (not tensor.data.ndim and positions.size != 1):
        raise ShapeError(
            f"index_select: index {positions.shape} must have one axis, and one element for an input without axes (input {tensor.shape}); "
            "use gather or input[index]"
        )
    _require_range("index_select", positions, tensor.data.shape, along)
    if not tensor.data.ndim:
        return _reshaped_number("index_select", tensor, positions.reshape(()))
    return _take("index_select", tensor, (*(slice(None),) * along, positions.reshape(-1)))


@operator(family="index", differentiable=("input",), method=True)
def gather(input: Any, dim: int, index: Any) -> Tensor:
    """For every place of `index`, the element of the same place but for `dim`, where the index says which.

    Shapes
    ------
    (a, b, c), (a', k, c') -> (a', k, c') with dim = 1, a' <= a and c' <= c

    Formula
    -------
    y[i, j, l] = input[i, index[i, j, l], l]; grad_input[i, p, l] = sum over j with index[i, j, l] = p of grad[i, j, l].

    Raises
    ------
    ShapeError
        If the index has another number of axes, or is larger than the input where it may not be. IndexingError: a
        position outside the axis.

    Notes
    -----
    No broadcasting, as in torch: `take_along_dim` broadcasts.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.gather([[1.0, 2.0], [3.0, 4.0]], 1, tinycnn.tensor([[1], [0]])).tolist()
    [[2.0], [3.0]]
    """
    tensor = as_tensor(input)
    positions = _positions("gather", index)
    shape = tensor.data.shape
    along = axis("gather", dim, len(shape))
    larger = [n < k for place, (n, k) in enumerate(zip(shape, positions.shape)) if place != along]
    if positions.size and (max(positions.ndim, 1) != max(len(shape), 1) or any(larger)):
        raise ShapeError(
            f"gather: index {positions.shape} must have as many axes as input {shape} and be no larger but "
            f"along dim {along}; "
            "take_along_dim broadcasts"
        )
    if not positions.size:
        return record("gather", np.empty(positions.shape, tensor.data.dtype), (tensor,), lambda grad, needs: (np.zeros(shape, grad.dtype),))
    return _gathered("gather", tensor, positions, along)


@operator(family="index", differentiable=("input",), method=True)
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Tensor:
    """`gather` whose index and input broadcast against each other; without `dim`, positions count through all elements.

    Shapes
    ------
    (a, b, c), (1, k, c) -> (a, k, c) with dim = 1

    Formula
    -------
    As `gather`. A negative position counts from the end, as in torch.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.take_along_dim([[1.0, 9.0], [8.0, 4.0]], tinycnn.tensor([[1], [0]]), 1).tolist()
    [[9.0], [8.0]]
    """
    tensor = as_tensor(input)
    positions = _positions("take_along_dim", indices)
    if dim is None:
        return take_along_dim(tensor.reshape(-1), positions.reshape(-1), 0)
    shape = tensor.data.shape
    along = axis("take_along_dim", dim, len(shape))
    if positions.dtype.kind == "i":
        room = shape[along] if shape else 1
        positions = np.where((positions < 0) & (positions >= -room), positions + room, positions)
    if positions.ndim != len(shape):
        raise ShapeError(
            f"take_along_dim: indices {positions.shape} must have as many axes as input {shape}; use unsqueeze"
        )
    others = [tuple(1 if place == along else n for place, n in enumerate(given)) for given in (shape, positions.shape)]
    try:
        common = np.broadcast_shapes(*others)
    except ValueError:
        raise broadcast_error("take_along_dim", tensor.data, positions) from None
    wide = tensor.expand(*common[:along], *shape[along : along + 1], *common[along + 1 :])
    places = np.broadcast_to(positions, (*common[:along], *positions.shape[along : along + 1], *common[along + 1 :]))
    return _gathered("take_along_dim", wide, places, along)


@operator(family="index", differentiable=("input",), method=True)
def masked_select(input: Any, mask: Any) -> Tensor:
    """The elements where a mask holds, in one row.

    Shapes
    ------
    (*), (*) -> (number of places of the broadcast mask that hold)

    Formula
    -------
    y = (input[i] for i in row-major order if mask[i]); grad_input[i] = grad at its place where mask[i], else 0.

    Examples
    --------
    >>> import tinycnn
    >>> x = tinycnn.tensor([1.0, -2.0, 3.0])
    >>> tinycnn.masked_select(x, x > 0).tolist()
    [1.0, 3.0]
    """
    tensor = as_tensor(input)
    chosen = _mask("masked_select", mask)
    try:
        wide, places = np.broadcast_arrays(tensor.data, chosen)
    except ValueError:
        raise broadcast_error("masked_select", tensor.data, chosen) from None

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad_x = np.zeros(places.shape, grad.dtype)
        grad_x[places] = grad
        return (unbroadcast(grad_x, tensor.data),)

    return record("masked_select", wide[places].reshape(-1), (tensor,), backward)


@operator(family="index", differentiable=("input", "value"), method=True)
def masked_fill(input: Any, mask: Any, value: Any) -> Tensor:
    """The tensor with one value where a mask holds.

    Shapes
    ------
    (*), (*), () -> broadcast shape of input and mask

    Formula
    -------
    y = value [mask] + input [not mask]; grad_input = grad [not mask], grad_value = sum of grad where mask.

    Raises
    ------
    DtypeError
        If the mask is not bool. ShapeError: shapes that do not broadcast, or a value with axes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.masked_fill([1.0, 2.0], tinycnn.tensor([True, False]), -1.0).tolist()
    [-1.0, 2.0]
    """
    tensor = as_tensor(input)
    chosen = _mask("masked_fill", mask)
    filler, number = operand("masked_fill", "value", value)
    if np.ndim(number):
        raise ShapeError(
            f"masked_fill: value has shape {np.shape(number)}; give one number, or use where(mask, value, input)"
        )
    with np.errstate(all="ignore"):
        fill = np.asarray(number).astype(tensor.data.dtype)
    try:
        y = np.where(chosen, fill, tensor.data)
    except ValueError:
        raise broadcast_error("masked_fill", tensor.data, chosen) from None

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        grad_x = unbroadcast(kept(grad, ~chosen), tensor.data) if needs[0] else None
        return grad_x, unbroadcast(kept(grad, chosen), filler.data) if filler is not None and needs[1] else None

    return record("masked_fill", y, (tensor, filler), backward)


@operator(family="index")
def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Class numbers as rows of zeros with a single one.

    Shapes
    ------
    (*) -> (*, num_classes), int64

    Formula
    -------
    y[i, c] = [tensor[i] = c]

    Parameters
    ----------
    tensor : Tensor
        Whole numbers from 0.
    num_classes : int
        The length of the rows; -1 for one more than the largest number.

    Raises
    ------
    DtypeError
        For numbers that are not whole. IndexingError: a class below 0 or not below num_classes.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.one_hot(tinycnn.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    classes = _positions("one_hot", tensor)
    if num_classes == -1:
        if not classes.size:
            raise ShapeError("one_hot: no class in an empty tensor to count from; give num_classes")
        num_classes = int(classes.max()) + 1
    _require_range("one_hot", classes, (num_classes,), 0)
    return Tensor((classes[..., np.newaxis] == np.arange(num_classes)).astype(np.int64))


# `x[index]`: part of Tensor's notation, not a function of the package


def _getitem(self: Tensor, index: Any) -> Tensor:
    """The chosen elements: a view for slices and whole numbers, a copy for lists, integer tensors and masks."""
    return _take("index", self, _numpy_index(index))


def _setitem(self: Tensor, index: Any, value: Any) -> None:
    """Write elements of a tensor that is in no graph."""
    writer = value if isinstance(value, Tensor) else None
    if self._node is not None or (
        is_grad_enabled() and (self.requires_grad or (writer is not None and writer.requires_grad))
    ):
        raise GraphError(
            "x[...] = value: a graph that holds x or value would keep the old numbers and give a wrong "
            "gradient; use where(mask, value, x) "
            "or masked_fill, write to x.detach().clone(), or write to a leaf inside no_grad()"
        )
    where = _numpy_index(index)
    array = value.data if isinstance(value, Tensor) else value
    try:
        self.data[where] = array
    except IndexError as error:
        raise _index_error(self.data.shape, error) from None
    except ValueError:
        raise ShapeError(
            f"x[...] = value: value of shape {np.shape(array)} does not fill the {self.data[where].shape} "
            f"chosen places of shape {self.shape}, "
            "or x is a read-only view made by expand; give a value that broadcasts, or clone() x first"
        ) from None
    self._wrote()


def _iterate(self: Tensor) -> Iterator[Tensor]:
    """The slices along the first axis, one after another."""
    if not self.data.ndim:
        raise TypeError("iteration over a 0-d tensor; use .item() for its number")
    return (self[position] for position in range(len(self.data)))


for _name, _function in {"getitem": _getitem, "setitem": _setitem, "iter": _iterate}.items():
    setattr(Tensor, f"__{_name}__", _function)


def _numpy_index(index: Any) -> tuple[Any, ...]:
    """An index as NumPy takes it, always a tuple."""
    parts = index if isinstance(index, tuple) else (index,)
    return tuple([_numpy_part(part) for part in parts])


def _numpy_part(part: Any) -> Any:
    if isinstance(part, list):
        part = np.asarray([element.data if isinstance(element, Tensor) else element for element in part])
        if not part.size:
            part = part.astype(np.intp)
    if isinstance(part, Tensor):
        part = part.data
    if isinstance(part, np.ndarray) and part.dtype.kind not in "biu":
        raise DtypeError(
            f"index: positions are {part.dtype}, not whole numbers or bool; convert with .long(), or compare for a mask"
        )
    if isinstance(part, slice):
        return slice(*[int(end) if isinstance(end, Tensor) else end for end in (part.start, part.stop, part.step)])
    return part


def _index_error(shape: tuple[int, ...], error: Exception) -> IndexingError:
    return IndexingError(f"index: {error}; the tensor has shape {shape}, so axis k takes -shape[k] to shape[k] - 1")


def _take(name: str, tensor: Tensor, where: tuple[Any, ...]) -> Tensor:
    """x[where], and back: repeated positions add their gradients up."""
    x = tensor.data
    try:
        y = x[where]
    except IndexError as error:
        raise _index_error(x.shape, error) from None
    if not isinstance(y, np.ndarray):
        y = x[(*where, Ellipsis)]  # one element: a 0-d view instead of a number

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        if _may_repeat(where, x.shape):
            return (scatter(grad, _ranks(x.shape)[where], x.shape),)
        grad_x = np.zeros(x.shape, grad.dtype)
        grad_x[where] = grad
        return (grad_x,)

    return record(name, y, (tensor,), backward)


def _may_repeat(where: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    """Whether an index may choose an element twice: slices, numbers and masks never do, nor do different rows of one list of them."""
    lists = [part for part in where if isinstance(part, np.ndarray) and part.dtype.kind in "iu"]
    if len(where) == len(lists) == 1 and lists[0].size:
        return int(np.bincount(lists[0].reshape(-1).astype(np.int64) % shape[0]).max()) > 1
    return bool(lists)


def _gathered(name: str, tensor: Tensor, positions: np.ndarray, along: int) -> Tensor:
    """Elements at positions along an axis; on the other axes the input is cut to the index's size."""
    x = tensor.data
    _require_range(name, positions, x.shape, along)
    if not x.ndim:
        return _reshaped_number(name, tensor, positions)
    cut = tuple([slice(None) if place == along else slice(k) for place, k in enumerate(positions.shape)])
    y = np.take_along_axis(x[cut], positions, along)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (scatter(grad, np.take_along_axis(_ranks(x.shape)[cut], positions, along), x.shape),)

    return record(name, y, (tensor,), backward)


def _reshaped_number(name: str, tensor: Tensor, positions: np.ndarray) -> Tensor:
    """The only element of a 0-d tensor, which torch lets one gather from."""
    return record(name, tensor.data.reshape(positions.shape).copy(), (tensor,), lambda grad, needs: (grad.reshape(()),))


def _ranks(shape: tuple[int, ...]) -> np.ndarray:
    """The row-major rank of every element."""
    number = 1
    for n in shape:
        number *= n
    return np.arange(number).reshape(shape)


def scatter(values: np.ndarray, ranks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros of a shape with values added at row-major ranks, in order and in float64, so repeats add up the same way
    every time.

    Formula
    -------
    y[r] = sum over k with ranks[k] = r of values[k]: the adjoint of choosing, <x[ranks], v> = <x, scatter(v)>.
    """
    number = 1
    for n in shape:
        number *= n
    if values.dtype == object:
        exact = np.full(number, 0, object)
        np.add.at(exact, as_array(ranks).reshape(-1), values.reshape(-1))
        return exact.reshape(shape)
    added = np.bincount(as_array(ranks).reshape(-1), weights=values.reshape(-1), minlength=number)
    return added.astype(values.dtype, copy=False).reshape(shape)


def _positions(name: str, index: Any) -> np.ndarray:
    """An index argument as an array of whole numbers."""
    array = as_tensor(index).data
    if not array.size and not isinstance(index, Tensor | np.ndarray):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{name}: positions are {array.dtype}, not whole numbers; convert with .long()")
    return array


def _require_range(name: str, positions: np.ndarray, shape: tuple[int, ...], along: int) -> None:
    room = shape[along] if shape else 1
    if positions.size and not (int(positions.min()) >= 0 and int(positions.max()) < room):
        wrong = int(positions.min()) if int(positions.min()) < 0 else int(positions.max())
        raise IndexingError(
            f"{name}: position {wrong} is outside 0 to {room - 1}, the places there are along dim {along} "
            f"of shape {shape}"
        )


def _mask(name: str, mask: Any) -> np.ndarray:
    array = as_tensor(mask).data
    if array.dtype != np.bool_:
        raise DtypeError(f"{name}: mask is {array.dtype}, not bool; compare it, for example mask != 0")
    return array
