"""Comparisons and logic, element by element: bool tensors, without gradients.

Both sides are compared in the dtype that arithmetic on them would have, so a float32 tensor is compared with 0.1
rounded to float32.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DtypeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor
from ._arrays import as_array, broadcast_error, operands

__all__ = [
    "eq",
    "ge",
    "gt",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
]


@operator(family="elementwise", method=True)
def eq(input: Any, other: Any) -> Tensor:
    """Whether elements are equal; nan equals nothing.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [input = other]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.eq([1.0, 2.0], 2.0).tolist()
    [False, True]
    """
    return _compare("eq", np.equal, input, other)


@operator(family="elementwise", method=True)
def ne(input: Any, other: Any) -> Tensor:
    """Whether elements differ.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [input != other]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.ne([1.0, 2.0], 2.0).tolist()
    [True, False]
    """
    return _compare("ne", np.not_equal, input, other)


@operator(family="elementwise", method=True, alias=("__lt__",))
def lt(input: Any, other: Any) -> Tensor:
    """Whether the first is less than the second.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [input < other]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.lt([1.0, 2.0], 2.0).tolist()
    [True, False]
    """
    return _compare("lt", np.less, input, other)


@operator(family="elementwise", method=True, alias=("__le__",))
def le(input: Any, other: Any) -> Tensor:
    """Whether the first is less than or equal to the second.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [input <= other]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.le([1.0, 3.0], 2.0).tolist()
    [True, False]
    """
    return _compare("le", np.less_equal, input, other)


@operator(family="elementwise", method=True, alias=("__gt__",))
def gt(input: Any, other: Any) -> Tensor:
    """Whether the first is greater than the second.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [input > other]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.gt([1.0, 3.0], 2.0).tolist()
    [False, True]
    """
    return _compare("gt", np.greater, input, other)


@operator(family="elementwise", method=True, alias=("__ge__",))
def ge(input: Any, other: Any) -> Tensor:
    """Whether the first is greater than or equal to the second.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [input >= other]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.ge([1.0, 2.0], 2.0).tolist()
    [False, True]
    """
    return _compare("ge", np.greater_equal, input, other)


@operator(family="elementwise", method=True)
def logical_and(input: Any, other: Any) -> Tensor:
    """Whether both are non-zero.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [input != 0] [other != 0]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.logical_and([1.0, 0.0], 2.0).tolist()
    [True, False]
    """
    return _compare("logical_and", np.logical_and, input, other)


@operator(family="elementwise", method=True)
def logical_or(input: Any, other: Any) -> Tensor:
    """Whether at least one is non-zero.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = max([input != 0], [other != 0])

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.logical_or([1.0, 0.0], 0.0).tolist()
    [True, False]
    """
    return _compare("logical_or", np.logical_or, input, other)


@operator(family="elementwise", method=True)
def logical_xor(input: Any, other: Any) -> Tensor:
    """Whether exactly one is non-zero.

    Shapes
    ------
    (*), (*) -> their broadcast shape, bool

    Formula
    -------
    y = [[input != 0] != [other != 0]]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.logical_xor([1.0, 0.0], 1.0).tolist()
    [False, True]
    """
    return _compare("logical_xor", np.logical_xor, input, other)


@operator(family="elementwise", method=True)
def logical_not(input: Any) -> Tensor:
    """Whether elements are zero.

    Shapes
    ------
    (*) -> (*), bool

    Formula
    -------
    y = [input = 0]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.logical_not([1.0, 0.0]).tolist()
    [False, True]
    """
    return Tensor(np.logical_not(as_tensor(input).data))


@operator(family="elementwise", method=True)
def isnan(input: Any) -> Tensor:
    """Whether elements are not a number.

    Shapes
    ------
    (*) -> (*), bool

    Formula
    -------
    y = [input != input]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isnan([1.0, float("nan")]).tolist()
    [False, True]
    """
    return Tensor(np.isnan(as_tensor(input).data))


@operator(family="elementwise", method=True)
def isinf(input: Any) -> Tensor:
    """Whether elements are plus or minus infinity.

    Shapes
    ------
    (*) -> (*), bool

    Formula
    -------
    y = [|input| = inf]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isinf([1.0, float("-inf")]).tolist()
    [False, True]
    """
    return Tensor(np.isinf(as_tensor(input).data))


@operator(family="elementwise", method=True)
def isfinite(input: Any) -> Tensor:
    """Whether elements are neither infinite nor nan.

    Shapes
    ------
    (*) -> (*), bool

    Formula
    -------
    y = [|input| < inf]

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.isfinite([1.0, float("inf")]).tolist()
    [True, False]
    """
    return Tensor(np.isfinite(as_tensor(input).data))


def _compare(name: str, function: Callable[[Any, Any], Any], input: Any, other: Any) -> Tensor:
    _, _, a, b = operands(name, input, other)
    try:
        return Tensor(as_array(function(a, b)))
    except ValueError:
        raise broadcast_error(name, a, b) from None


# `==` asks other objects too: a tensor equals no None and no string, instead of failing on them.


def _equal(self: Tensor, other: Any) -> Any:
    return NotImplemented if other is None or isinstance(other, str) else eq(self, other)


def _differ(self: Tensor, other: Any) -> Any:
    return NotImplemented if other is None or isinstance(other, str) else ne(self, other)


def _logical_and(self: Tensor, other: Any) -> Tensor:
    return _bitwise("&", logical_and, self, other)


def _logical_or(self: Tensor, other: Any) -> Tensor:
    return _bitwise("|", logical_or, self, other)


def _logical_xor(self: Tensor, other: Any) -> Tensor:
    return _bitwise("^", logical_xor, self, other)


def _invert(self: Tensor) -> Tensor:
    return _bitwise("~", lambda x, _: logical_not(x), self, self)


def _bitwise(sign: str, function: Callable[[Any, Any], Tensor], first: Any, second: Any) -> Tensor:
    """The signs of logic, on bool tensors only: bits of whole numbers are no subject of this package."""
    for value in (first, second):
        if as_tensor(value).data.dtype != np.bool_:
            raise DtypeError(
                f"{sign}: defined on bool tensors, not {as_tensor(value).data.dtype}; compare first, for example x != 0"
            )
    return function(first, second)


_SIGNS = {"eq": _equal, "ne": _differ, "and": _logical_and, "or": _logical_or, "xor": _logical_xor, "invert": _invert}
for _name, _function in _SIGNS.items():
    setattr(Tensor, f"__{_name}__", _function)
