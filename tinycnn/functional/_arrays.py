"""What tensor functions share: operands in one dtype, broadcasting and its adjoint, axes, and sums that keep their
digits.

dtypes follow torch: tensors with axes decide first, 0-d tensors after them, Python and NumPy numbers last; a lower rank
changes the result's dtype only when its kind (bool < whole number < float) is higher. So float32 stays float32 beside
2.0 and beside a 0-d float64 tensor.
"""

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ArgumentError, DtypeError, ShapeError
from ..tensor import Tensor

LONG = 128  # elements: float32 sums of more terms accumulate in float64

_FLOAT32 = np.dtype(np.float32)
_INT64 = np.dtype(np.int64)
_BOOL = np.dtype(np.bool_)
_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}
_PLAIN_NUMBERS = frozenset((float, int))
_ARRAY, _SCALAR, _NUMBER = range(3)

_reduce: Any = np.add.reduce  # what np.sum calls, without its detour

Gradient = Callable[[np.ndarray, Any, Any, Any], Any]


def promote(first: np.dtype[Any], second: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of an operation on two tensors with axes: a float beside whole numbers keeps its width."""
    kinds = _KINDS[first.kind], _KINDS[second.kind]
    if max(kinds) == 2 and kinds[0] != kinds[1]:
        return first if kinds[0] == 2 else second
    return np.promote_types(first, second)


def result_type(values: Sequence[Any]) -> np.dtype[Any]:
    """The dtype of an operation on arrays and Python numbers, by torch's three ranks."""
    ranks: list[np.dtype[Any] | None] = [None, None, None]
    for value in values:
        if isinstance(value, np.ndarray):
            rank, dtype = (_ARRAY if value.ndim else _SCALAR), value.dtype
        else:
            rank, dtype = _NUMBER, _number_dtype(value)
        earlier = ranks[rank]
        ranks[rank] = dtype if earlier is None else promote(earlier, dtype)
    known = [dtype for dtype in ranks if dtype is not None]
    result = known[-1]
    for higher in reversed(known[:-1]):
        result = promote(higher, result) if _KINDS[result.kind] > _KINDS[higher.kind] else higher
    return result


def _number_dtype(value: Any) -> np.dtype[Any]:
    if isinstance(value, bool):
        return _BOOL
    return _INT64 if isinstance(value, int) else _FLOAT32


def operand(operator: str, argument: str, value: Any) -> tuple[Tensor | None, Any]:
    """An argument as (tensor or None, array or Python number): numbers have no place in the graph."""
    if isinstance(value, Tensor):
        return value, value.data
    if isinstance(value, np.ndarray):
        tensor = Tensor(value)
        return tensor, tensor.data
    if isinstance(value, np.generic):
        return None, value.item()
    if isinstance(value, bool | int | float):
        return None, value
    if isinstance(value, list | tuple):
        array = np.asarray(value)
        return None, array.astype(np.float32) if array.dtype == np.float64 else array
    if isinstance(value, numbers.Number):
        return None, np.asarray(value, dtype=object)
    raise DtypeError(
        f"{operator}: {argument} is a {type(value).__name__}; give a tensor, an ndarray, a number or a list of numbers"
    )


def operands(operator: str, input: Any, other: Any) -> tuple[Tensor | None, Tensor | None, Any, Any]:
    """Two arguments as tensors for the graph, and as arrays or numbers of one dtype for NumPy."""
    if isinstance(input, Tensor):
        a = input.data
        if isinstance(other, Tensor):
            b = other.data
            if a.dtype is b.dtype:
                return input, other, a, b
        elif type(other) in _PLAIN_NUMBERS and a.dtype.kind == "f":
            return input, None, a, other
    elif type(input) in _PLAIN_NUMBERS and isinstance(other, Tensor) and other.data.dtype.kind == "f":
        return None, other, input, other.data
    first, a = operand(operator, "input", input)
    second, b = operand(operator, "other", other)
    a, b = in_one_dtype(a, b)
    return first, second, a, b


def in_one_dtype(*values: Any) -> list[np.ndarray]:
    """Arrays and Python numbers as arrays of the dtype that an operation on them has."""
    if any(isinstance(value, np.ndarray) and value.dtype == object for value in values):
        return [np.asarray(value, dtype=object) for value in values]
    dtype = result_type(values)
    try:
        return [np.asarray(value, dtype=dtype) for value in values]
    except OverflowError:
        raise ArgumentError(
            f"a whole number among {[v for v in values if isinstance(v, int)]} does not fit {dtype}; "
            "convert the tensor to a wider dtype first"
        ) from None


def as_array(value: Any) -> np.ndarray:
    """The ndarray that NumPy should have returned: operations on 0-d arrays give scalars."""
    return value if isinstance(value, np.ndarray) else np.asarray(value)


def total(array: np.ndarray, axes: tuple[int, ...] | None = None, keepdims: bool = False) -> np.ndarray:
    """The sum over axes in the array's own dtype; long float32 sums are added up in float64."""
    with np.errstate(all="ignore"):
        if array.dtype == _FLOAT32 and array.size > LONG:
            return as_array(_reduce(array, axis=axes, dtype=np.float64, keepdims=bool(keepdims))).astype(np.float32)
        return as_array(_reduce(array, axis=axes, keepdims=bool(keepdims)))


def unbroadcast(grad: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The adjoint of broadcasting: sum over the axes along which `like` was repeated, and return to its dtype.

    Formula
    -------
    With B the broadcast, <B x, g> = <x, unbroadcast(g)> for every x and g.
    """
    shape = like.shape
    if grad.shape != shape:
        new = grad.ndim - len(shape)
        axes = (*range(new), *(new + axis for axis, n in enumerate(shape) if n == 1 and grad.shape[new + axis] != 1))
        grad = total(grad, axes, keepdims=True).reshape(shape)
    return grad if grad.dtype is like.dtype else grad.astype(like.dtype, copy=False)


def binary(
    operator: str,
    function: Callable[[Any, Any], Any],
    input: Any,
    other: Any,
    gradient_input: Gradient,
    gradient_other: Gradient,
    reads_operands: bool = True,
) -> Tensor:
    """Apply a function to two operands element by element; each gradient is a function of (grad, a, b, y)."""
    first, second, a, b = operands(operator, input, other)
    try:
        y = as_array(function(a, b))
    except ArgumentError:
        raise
    except ValueError:
        raise broadcast_error(operator, a, b) from None

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (
            unbroadcast(gradient_input(grad, a, b, y), first.data) if first is not None and needs[0] else None,
            unbroadcast(gradient_other(grad, a, b, y), second.data) if second is not None and needs[1] else None,
        )

    saved = tuple([tensor for tensor in (first, second) if tensor is not None]) if reads_operands else ()
    return record(operator, y, (first, second), backward, saved)


def broadcast_error(operator: str, *values: Any) -> ShapeError:
    """What to say of shapes that do not broadcast."""
    shapes = " and ".join(str(np.shape(value)) for value in values)
    return ShapeError(
        f"{operator}: shapes {shapes} do not broadcast: compared from the right, sizes must be equal or 1; "
        "insert axes with unsqueeze or reshape"
    )


def kept(grad: np.ndarray, mask: Any) -> np.ndarray:
    """The gradient where a mask holds, zero elsewhere, even where the gradient is inf or nan."""
    return np.where(mask, grad, grad.dtype.type(0))


def axis(operator: str, dim: Any, ndim: int, argument: str = "dim") -> int:
    """An axis counted from the front; negative ones count from the back, and a 0-d tensor has one axis here, as in
    torch."""
    room = max(ndim, 1)
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
        raise ArgumentError(f"{operator}: {argument} must be a whole number, not {dim!r}")
    if not -room <= dim < room:
        raise ArgumentError(
            f"{operator}: {argument} {dim} is out of range for a tensor of {ndim} axes; use {-room} to {room - 1}"
        )
    return int(dim) % room


def axes(operator: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """The axes of a reduction, in rising order: all of them for None and for an empty tuple."""
    if dim is None or (isinstance(dim, Sequence) and not dim):
        return tuple(range(ndim))
    dims = dim if isinstance(dim, Sequence) and not isinstance(dim, str) else (dim,)
    found = sorted(axis(operator, one, ndim) for one in dims)
    if len(set(found)) != len(found):
        raise ArgumentError(f"{operator}: dim {tuple(dims)} names an axis twice; name each once")
    return tuple(found) if ndim else ()


def spread(grad: np.ndarray, shape: tuple[int, ...], reduced: tuple[int, ...]) -> np.ndarray:
    """A reduction's gradient with size 1 on the reduced axes, so that it broadcasts over the input."""
    return grad.reshape(tuple([1 if position in reduced else n for position, n in enumerate(shape)]))


def count(shape: tuple[int, ...], reduced: tuple[int, ...]) -> int:
    """How many elements go into each result of a reduction."""
    number = 1
    for position in reduced:
        number *= shape[position]
    return number
