"""Arrays of traced numbers, which also answer the functions that NumPy has for floats only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .traced import FUNCTIONS, Traced, function_of, number, rounded

__all__ = ["TracedArray", "boxed", "traced_array"]

_ROUNDINGS = frozenset(("floor", "ceil", "trunc"))
_PREDICATES = frozenset(("isnan", "isinf", "isfinite"))


class TracedArray(np.ndarray):
    """An object array of traced numbers that also answers the functions which NumPy has for floats only."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain_inputs = [np.asarray(value) if isinstance(value, np.ndarray) else value for value in inputs]
        if "out" in options:
            options["out"] = tuple(np.asarray(array) for array in options["out"])
        if method == "reduce" or method == "accumulate":
            options.pop("dtype", None)
        if method == "__call__" and ufunc.__name__ in FUNCTIONS:
            elements: Any = np.frompyfunc(lambda *values: function_of(ufunc.__name__, *values), ufunc.nin, 1)
            return _viewed(elements(*plain_inputs))
        if method == "__call__" and ufunc.__name__ in _ROUNDINGS:
            rounding = getattr(math, ufunc.__name__)
            return _viewed(np.frompyfunc(lambda value: rounded(ufunc.__name__, rounding, Traced(value)), 1, 1)(*plain_inputs))
        if method == "__call__" and ufunc.__name__ in _PREDICATES:
            question = getattr(math, ufunc.__name__)
            answers: Any = np.frompyfunc(lambda value: question(number(value)), 1, 1)
            return np.asarray(answers(*plain_inputs), bool)
        return _viewed(getattr(ufunc, method)(*plain_inputs, **options))

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        if function in (np.isneginf, np.isposinf):
            wanted = -math.inf if function is np.isneginf else math.inf
            answers: Any = np.frompyfunc(lambda value: number(value) == wanted, 1, 1)
            return np.asarray(answers(np.asarray(arguments[0])), bool)
        return _viewed(super().__array_function__(function, types, arguments, options))

    def astype(self, dtype: Any, *rest: Any, **options: Any) -> Any:
        """Itself where floats are asked for, so that nothing is forgotten."""
        if np.dtype(dtype).kind == "f":
            return self.copy()
        return np.asarray(self).astype(dtype, *rest, **options)

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any) -> Any:
        """In the numbers' own type, whichever was asked for."""
        return _viewed(np.asarray(self).sum(axis, None, out, **options))


def _viewed(result: Any) -> Any:
    """Arrays of objects as traced arrays, all else as it is."""
    if type(result) in (tuple, list):
        return type(result)(_viewed(part) for part in result)
    if isinstance(result, np.ndarray) and result.dtype == object:
        return result.view(TracedArray)
    return result


def traced_array(name: str, array: np.ndarray) -> np.ndarray:
    """An object array of sources: element by element, the input's name, its index and its value."""
    result = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        result[index] = Traced.made("source", (name, index), number(array[index]))
    return result.view(TracedArray)


def boxed(value: Any) -> np.ndarray:
    """One traced number as an array without axes."""
    result = np.empty((), object)
    result[()] = value
    return result.view(TracedArray)
