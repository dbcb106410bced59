"""Arithmetic of fractions and floats: exact as long as both are fractions, by the rules of floating point otherwise."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["arithmetic", "constant", "divide", "exact", "function_value", "multiply", "power"]

LARGEST_FRACTION = 10**12  # numerators and denominators beyond it are no longer read by anybody
_AT_WHOLE: dict[tuple[str, Any], int] = {("exp", 0): 1, ("log", 1): 0} | {("sqrt", root * root): root for root in range(101)}


def exact(value: Any) -> Any:
    """A plain number as the tracer keeps it: whole numbers and fractions exact, all else as float."""
    if isinstance(value, (bool, np.bool_)):
        return Fraction(int(value))
    if isinstance(value, (int, np.integer)):
        return Fraction(int(value))
    if isinstance(value, Fraction):
        return value
    value = float(value)
    return Fraction(value) if value.is_integer() and abs(value) < LARGEST_FRACTION else value


def constant(value: Any) -> Any:
    """A number of the operator itself: floats that are short binary fractions, such as 0.5, are exact too."""
    number = exact(value)
    if isinstance(number, float) and np.isfinite(number) and Fraction(number).denominator <= 1024:
        return bounded(Fraction(number))
    return number


def bounded(value: Any) -> Any:
    """A fraction nobody can read any more as a float."""
    if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator) > LARGEST_FRACTION:
        return float(value)
    return value


def arithmetic(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """An operation on floats or fractions by the rules of floating point: infinities and NaN instead of exceptions."""
    try:
        return bounded(function(a, b))
    except (ZeroDivisionError, OverflowError):
        with np.errstate(all="ignore"):
            return float(function(np.float64(a), np.float64(b)))


def multiply(a: Any, b: Any) -> Any:
    """The product of two plain numbers."""
    return arithmetic(operator.mul, a, b)


def divide(a: Any, b: Any) -> Any:
    """The quotient of two plain numbers; infinite or NaN over zero."""
    return arithmetic(operator.truediv, a, b)


def power(a: Any, b: Any) -> Any:
    """A power: exact for small whole exponents of fractions."""
    if isinstance(a, Fraction) and isinstance(b, Fraction) and b.denominator == 1 and abs(b) <= 8 and (a or b >= 0):
        return a ** int(b)
    with np.errstate(all="ignore"):
        return float(np.float64(a) ** np.float64(b))


def numpy_function(name: str) -> Callable[..., Any]:
    """A function of float64 numbers by its name in NumPy, else in SciPy."""
    found = getattr(np, name, None)
    if found is None:
        import scipy.special

        found = getattr(scipy.special, name)
    return found


def function_value(name: str, values: list[Any]) -> Any:
    """A function of plain numbers; NumPy's in float64, exact where that is known."""
    if len(values) == 1 and isinstance(values[0], Fraction) and (name, values[0]) in _AT_WHOLE:
        return Fraction(_AT_WHOLE[name, values[0]])
    with np.errstate(all="ignore"):
        return float(numpy_function(name)(*(np.float64(value) for value in values)))
