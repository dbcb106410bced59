"""Whether tensors are nearly or exactly equal, and of what kind elements are. No gradients."""

from typing import Any

import numpy as np

from ..errors import ArgumentError, DtypeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor
from ._arrays import as_array, broadcast_error

__all__ = ["allclose", "equal", "isclose", "isin", "isneginf", "isposinf", "isreal"]


@operator(family="elementwise", method=True)
def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether elements are nearly equal.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [|input - other| <= atol + rtol |other|], and where both are the same infinity, or both nan with equal_nan

    Raises
    ------
    DtypeError
        For two dtypes. ArgumentError: a negative tolerance.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isclose([1.0, 2.0], [1.0 + 1e-7, 2.1]).tolist()
    [True, False]
    """
    a, b = as_tensor(input).data, as_tensor(other).data
    if a.dtype != b.dtype:
        raise DtypeError(f"isclose: input is {a.dtype} but other is {b.dtype}; convert one")
    for argument, value in (("rtol", rtol), ("atol", atol)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value >= 0:
            raise ArgumentError(f"isclose: {argument} must be a number >= 0, not {value!r}")
    try:
        same = as_array(a == b)
        if a.dtype == np.bool_:
            return Tensor(same)
        with np.errstate(all="ignore"):
            wide = np.promote_types(a.dtype, np.float32) if a.dtype.kind == "f" else np.dtype(np.float64)
            first, second = a.astype(wide, copy=False), b.astype(wide, copy=False)
            near = np.abs(first - second) <= wide.type(atol) + np.abs(wide.type(rtol) * second)
            near = near & np.isfinite(first) & np.isfinite(second)
    except ValueError:
        raise broadcast_error("isclose", a, b) from None
    return Tensor(as_array(same | near | (np.isnan(first) & np.isnan(second) if equal_nan else False)))


@operator(family="elementwise", method=True)
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are nearly equal, as `isclose` says.

    Shapes
    ------
    (*), (*) -> one Python bool

    Formula
    -------
    y = min_i isclose(input, other)[i]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.allclose([1.0, 2.0], [1.0, 2.0])
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).data.all())


@operator(family="elementwise", method=True)
def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and equal elements; nan equals nothing.

    Shapes
    ------
    (*), (*) -> one Python bool

    Formula
    -------
    y = [shapes are equal] min_i [input[i] = other[i]]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.equal([1.0, 2.0], [1.0, 2.0])
    True
    """
    a, b = as_tensor(input).data, as_tensor(other).data
    return a.shape == b.shape and bool(np.all(a == b))


@operator(family="elementwise")
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element occurs among others.

    Shapes
    ------
    (*), (*) -> the first shape, bool

    Formula
    -------
    y[i] = max_j [elements[i] = test_elements[j]], or not with invert

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isin([1.0, 2.0, 3.0], [3.0, 1.0]).tolist()
    [True, False, True]
    """
    a, b = as_tensor(elements).data, as_tensor(test_elements).data
    return Tensor(np.isin(a, b, assume_unique=bool(assume_unique), invert=bool(invert)).reshape(a.shape))


@operator(family="elementwise", method=True)
def isneginf(input: Any) -> Tensor:
    """Whether elements are minus infinity.

    Shapes
    ------
    (*) -> (*), bool

    Formula
    -------
    y = [input = -inf]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isneginf([1.0, float("-inf")]).tolist()
    [False, True]
    """
    return Tensor(as_array(as_tensor(input).data == -np.inf))


@operator(family="elementwise", method=True)
def isposinf(input: Any) -> Tensor:
    """Whether elements are plus infinity.

    Shapes
    ------
    (*) -> (*), bool

    Formula
    -------
    y = [input = inf]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isposinf([1.0, float("inf")]).tolist()
    [False, True]
    """
    return Tensor(as_array(as_tensor(input).data == np.inf))


@operator(family="elementwise", method=True)
def isreal(input: Any) -> Tensor:
    """Whether elements have no imaginary part: all have none.

    Shapes
    ------
    (*) -> (*), bool

    Formula
    -------
    y = 1

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isreal([1.0]).tolist()
    [True]
    """
    return Tensor(np.ones(as_tensor(input).data.shape, np.bool_))
