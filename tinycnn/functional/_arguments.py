"""What every operator does with its arguments before any work: make tensors of them, and refuse what has no meaning."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError
from ..tensor import Tensor

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def as_tensor(x: Any) -> Tensor:
    """A tensor as it is, an ndarray shared, numbers and lists of real numbers as float32, of whole numbers as int64."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, np.ndarray):
        return Tensor(x)
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"a {type(x).__name__} is not an array of numbers; give a Tensor, an ndarray, numbers or lists of them")
    if array.dtype == np.float64 and not isinstance(x, np.generic):
        array = array.astype(np.float32)
    return Tensor(array)


def float_tensor(operator: str, argument: str, x: Any) -> Tensor:
    """As `as_tensor`, lists always float32; integer arrays are refused rather than silently converted."""
    if not isinstance(x, Tensor):
        if x is None:
            raise DtypeError(f"{operator}: {argument} is None; give a Tensor, an ndarray, or lists of numbers")
        x = Tensor(x) if isinstance(x, np.ndarray | np.generic) else Tensor(np.asarray(x, np.float32))
    dtype = x.data.dtype
    if dtype not in _FLOATS and dtype.kind != "O":
        raise DtypeError(f"{operator}: {argument} is {dtype}, but the operator is defined on float32 and float64; use {argument}.float()")
    return x


def same_dtype(operator: str, **tensors: Tensor | None) -> None:
    """Refuse operands of different float types, which would silently change one of them."""
    known = [(argument, tensor.data.dtype) for argument, tensor in tensors.items() if tensor is not None]
    first, dtype = known[0]
    for argument, other in known[1:]:
        if other != dtype:
            raise DtypeError(f"{operator}: {first} is {dtype} but {argument} is {other}; convert one, for example {argument}.to({first}.dtype)")


def contiguous(array: np.ndarray) -> np.ndarray:
    """The array itself if its elements lie in row-major order, else one copy: kernels take nothing else."""
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def whole(operator: str, argument: str, value: Any, least: int) -> int:
    """A whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(f"{operator}: {argument} must be a whole number >= {least}, not {value!r}")
    return int(value)


def pair(operator: str, argument: str, value: Any, least: int) -> tuple[int, int]:
    """(height, width) from one whole number for both, or from two."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != 2:
            raise ArgumentError(f"{operator}: {argument} has {len(value)} numbers; give one, or two as (height, width)")
        return whole(operator, argument, value[0], least), whole(operator, argument, value[1], least)
    number = whole(operator, argument, value, least)
    return number, number


def four_sides(operator: str, argument: str, value: Any) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) from one number for all, two as (height, width), or four."""
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 4:
        top, bottom, left, right = (whole(operator, argument, number, 0) for number in value)
        return top, bottom, left, right
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) != 2:
        raise ArgumentError(
            f"{operator}: {argument} has {len(value)} numbers; give one, two as (height, width) or four as (top, bottom, left, right)"
        )
    height, width = pair(operator, argument, value, 0)
    return height, height, width, width


def one_of(operator: str, argument: str, value: Any, names: Sequence[str]) -> str:
    """A name from a short list."""
    if not isinstance(value, str) or value not in names:
        raise ArgumentError(f"{operator}: {argument} {value!r} is not one of {', '.join(names)}")
    return str(value)


def hashable(value: Any) -> Any:
    """Lists as tuples, so that options can be looked up in a plan cache."""
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
