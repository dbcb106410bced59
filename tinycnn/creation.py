"""New tensors: filled, counted, copied or drawn. torch's names and defaults: float32 unless said otherwise, no gradient
unless asked."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ArgumentError, DtypeError, ShapeError
from .random import default_generator
from .tensor import DTYPES, Tensor

__all__ = [
    "arange",
    "empty",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "rand",
    "randint",
    "randn",
    "randperm",
    "tensor",
    "zeros",
    "zeros_like",
]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def tensor(data: Any, *, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor with its own copy of the data: real numbers become float32, whole ones int64, arrays and tensors keep
    their dtype.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.tensor([1.5, 2.0]).dtype, tinycnn.tensor([1, 2]).dtype
    (dtype('float32'), dtype('int64'))
    """
    if isinstance(data, Tensor):
        data = data.data
    known = isinstance(data, np.ndarray | np.generic)
    try:
        array = np.array(_plain(data), dtype=None if dtype is None else _dtype("tensor", dtype), order="C")
    except ValueError as error:
        raise ShapeError(
            f"tensor: the nested lists do not form a grid ({error}); make every row equally long"
        ) from None
    if not known and dtype is None and array.dtype == np.float64:
        array = array.astype(np.float32)
    if array.dtype == object and not known:
        raise DtypeError(
            "tensor: data holds something that is not a number; give numbers, nested lists of them, or an ndarray"
        )
    return Tensor(array, requires_grad)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory.

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> array = np.zeros(2)
    >>> shared = tinycnn.from_numpy(array)
    >>> array[0] = 1.0
    >>> shared.tolist()
    [1.0, 0.0]
    """
    if not isinstance(ndarray, np.ndarray):
        raise ArgumentError(
            f"from_numpy: expected an ndarray, not a {type(ndarray).__name__}; tinycnn.tensor takes lists and numbers"
        )
    return Tensor(ndarray)


def zeros(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Zeros of a shape, given as numbers or as one tuple.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.zeros(1, 2).tolist()
    [[0.0, 0.0]]
    """
    return Tensor(np.zeros(_size("zeros", size), _dtype("zeros", dtype)), requires_grad)


def ones(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Ones of a shape, given as numbers or as one tuple.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.ones((2,)).tolist()
    [1.0, 1.0]
    """
    return Tensor(np.ones(_size("ones", size), _dtype("ones", dtype)), requires_grad)


def empty(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """A shape whose values are whatever the memory held.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.empty(2, 3).shape
    (2, 3)
    """
    return Tensor(np.empty(_size("empty", size), _dtype("empty", dtype)), requires_grad)


def full(size: Any, fill_value: float, *, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A shape filled with one value; without `dtype`, real values give float32, whole ones int64, truth values bool.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.full((2,), 0.5).tolist()
    [0.5, 0.5]
    """
    shape = _size("full", (size,) if isinstance(size, int | np.integer) else tuple(size))
    if dtype is None:
        dtype = (
            np.bool_
            if isinstance(fill_value, bool | np.bool_)
            else np.int64
            if isinstance(fill_value, int | np.integer)
            else np.float32
        )
    return Tensor(np.full(shape, fill_value, _dtype("full", dtype)), requires_grad)


def zeros_like(input: Any, *, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a tensor's shape and dtype.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.zeros_like(tinycnn.tensor([1, 2])).tolist()
    [0, 0]
    """
    return _like("zeros_like", input, 0, dtype, requires_grad)


def ones_like(input: Any, *, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones of a tensor's shape and dtype.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.ones_like(tinycnn.tensor([1.5])).tolist()
    [1.0]
    """
    return _like("ones_like", input, 1, dtype, requires_grad)


def full_like(
    input: Any, fill_value: float, *, dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """One value in a tensor's shape and dtype.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.full_like(tinycnn.tensor([1.5]), 2).tolist()
    [2.0]
    """
    return _like("full_like", input, fill_value, dtype, requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: npt.DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from start (0 if only one is given) up to but without end; whole arguments give int64, others float32.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.arange(3).tolist(), tinycnn.arange(1.0, 2.0, 0.5).tolist()
    ([0, 1, 2], [1.0, 1.5])
    """
    if end is None:
        start, end = 0, start
    if step == 0 or (end - start) * step < 0:
        raise ArgumentError(
            f"arange: a step of {step} never leads from {start} to {end}; give it the sign of end - start"
        )
    if dtype is None:
        whole = all(isinstance(number, int | np.integer) for number in (start, end, step))
        dtype = np.int64 if whole else np.float32
    return Tensor(np.arange(start, end, step).astype(_dtype("arange", dtype)), requires_grad)


def linspace(
    start: float, end: float, steps: int, *, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers in equal distances from start to end, both included.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    (number,) = _size("linspace", (steps,))
    return Tensor(np.linspace(start, end, number).astype(_dtype("linspace", dtype)), requires_grad)


def eye(n: int, m: int | None = None, *, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an n by m matrix, n by n without m.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    rows, columns = _size("eye", (n, n if m is None else m))
    return Tensor(np.eye(rows, columns, dtype=_dtype("eye", dtype)), requires_grad)


def randn(
    *size: Any,
    generator: np.random.Generator | None = None,
    dtype: npt.DTypeLike = np.float32,
    requires_grad: bool = False,
) -> Tensor:
    """Draws from the normal distribution of mean 0 and variance 1.

    Examples
    --------
    >>> import tinycnn
    >>> _ = tinycnn.manual_seed(0)
    >>> tinycnn.randn(2, 3).shape
    (2, 3)
    """
    kind = _float("randn", dtype)
    return Tensor(np.asarray(default_generator(generator).standard_normal(_size("randn", size), kind)), requires_grad)


def rand(
    *size: Any,
    generator: np.random.Generator | None = None,
    dtype: npt.DTypeLike = np.float32,
    requires_grad: bool = False,
) -> Tensor:
    """Draws from the uniform distribution on [0, 1).

    Examples
    --------
    >>> import tinycnn
    >>> bool((tinycnn.rand(100) < 1).all())
    True
    """
    kind = _float("rand", dtype)
    return Tensor(np.asarray(default_generator(generator).random(_size("rand", size), kind)), requires_grad)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: np.random.Generator | None = None,
    dtype: npt.DTypeLike = np.int64,
) -> Tensor:
    """Whole numbers drawn evenly from low up to but without high; `randint(high, size)` starts at 0.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.randint(1, (3,)).tolist()
    [0, 0, 0]
    """
    if size is None:
        low, high, size = 0, low, high
    if not isinstance(size, tuple | list):
        raise ArgumentError(f"randint: size must be a tuple of sizes, not {size!r}; for example randint(0, 10, (2, 3))")
    if high <= low:
        raise ArgumentError(f"randint: no whole number is >= {low} and < {high}; make high larger than low")
    drawn = default_generator(generator).integers(low, high, _size("randint", tuple(size)))
    return Tensor(np.asarray(drawn).astype(_dtype("randint", dtype)))


def randperm(n: int, *, generator: np.random.Generator | None = None) -> Tensor:
    """The numbers 0 to n - 1 in random order.

    Examples
    --------
    >>> import tinycnn
    >>> sorted(tinycnn.randperm(3).tolist())
    [0, 1, 2]
    """
    (number,) = _size("randperm", (n,))
    return Tensor(default_generator(generator).permutation(number).astype(np.int64))


def _plain(data: Any) -> Any:
    """Nested lists with tensors in them as nested lists of arrays."""
    if isinstance(data, list | tuple):
        return [_plain(element) for element in data]
    return data.data if isinstance(data, Tensor) else data


def _dtype(name: str, dtype: npt.DTypeLike) -> np.dtype[Any]:
    wanted = np.dtype(dtype)
    if wanted not in DTYPES:
        raise DtypeError(
            f"{name}: dtype {wanted} is not one of {', '.join(map(str, DTYPES))}; float32 is the usual choice"
        )
    return wanted


def _float(name: str, dtype: npt.DTypeLike) -> Any:
    wanted = np.dtype(dtype)
    if wanted not in _FLOATS:
        raise DtypeError(
            f"{name}: dtype {wanted} cannot hold real draws; use float32 or float64, or randint for whole numbers"
        )
    return wanted.type


def _size(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape from numbers, or from one tuple or list of them."""
    if len(size) == 1 and isinstance(size[0], tuple | list):
        size = tuple(size[0])
    for number in size:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
            raise ArgumentError(f"{name}: sizes must be whole numbers >= 0, not {number!r} in {size}")
    return tuple(int(number) for number in size)


def _like(name: str, input: Any, value: float, dtype: npt.DTypeLike | None, requires_grad: bool) -> Tensor:
    array = input.data if isinstance(input, Tensor) else np.asarray(input)
    return Tensor(np.full(array.shape, value, _dtype(name, array.dtype if dtype is None else dtype)), requires_grad)
