"""Numbers that remember how they were computed.

A `Traced` number has a value and the operation that gave it. Object arrays of them run through the package's operators and reference kernels
unchanged, so what `explain` shows is what was computed. The value stays an exact fraction as long as only + - * / meet whole numbers.

    source       an element of an input, by name and index
    constant     a number of the operator itself
    + - * / neg  arithmetic
    exp, ...     a function of the operands
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ..errors import UsageError
from .plain_numbers import arithmetic, constant, exact, function_value, power
from .traced_terms import Term, terms_of

__all__ = ["Decision", "Term", "Traced", "counted", "function_of", "number", "recorded_decisions", "walk"]

MOST_DECISIONS = 5000


class Decision(NamedTuple):
    """One comparison that was made on the way."""

    left: Any
    sign: str
    right: Any
    outcome: bool


_decisions: list[list[Decision]] = []
_made: list[int] = [0, 0]  # numbers made in the block of `counted`, and how many may be


@contextmanager
def recorded_decisions() -> Iterator[list[Decision]]:
    """Within the block, every comparison of traced numbers is written into the list, up to a few thousand."""
    log: list[Decision] = []
    _decisions.append(log)
    try:
        yield log
    finally:
        _decisions.pop()


@contextmanager
def counted(most: int) -> Iterator[list[int]]:
    """Within the block, the numbers that are made are counted, in the first place of the list; more than `most` are refused."""
    before = _made.copy()
    _made[:] = 0, most
    try:
        yield _made
    finally:
        _made[:] = before


def number(value: Any) -> Any:
    """The plain number behind a traced one, or a plain one as the tracer keeps it."""
    return value.value if isinstance(value, Traced) else exact(value)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


class Traced:
    """A number with its history.

    Parameters
    ----------
    value : number
        A constant. Inputs come from `traced_array`, everything else from arithmetic.

    Examples
    --------
    >>> from tinycnn.study.traced_array import traced_array
    >>> x = traced_array("x", np.array([5.0, 8.0]))
    >>> y = x[0] * 3 + x[1]
    >>> str(y), y.value
    ('3 x[0] + x[1]', Fraction(23, 1))
    """

    __slots__ = ("operation", "operands", "value")

    operation: str
    operands: tuple[Any, ...]
    value: Any

    def __init__(self, value: Any) -> None:
        if isinstance(value, Traced):
            self.operation, self.operands, self.value = value.operation, value.operands, value.value
        else:
            self.operation, self.operands, self.value = "constant", (), constant(value)

    @classmethod
    def made(cls, operation: str, operands: tuple[Any, ...], value: Any) -> Traced:
        """A number that an operation gave."""
        if _made[1]:
            _made[0] += 1
            if _made[0] > _made[1]:
                raise UsageError(f"explain: more than {_made[1]:,} numbers are computed on the way, too many to read; take smaller arrays")
        result = cls.__new__(cls)
        result.operation, result.operands, result.value = operation, operands, value
        return result

    @property
    def is_constant(self) -> bool:
        """Whether it is a number of the operator itself."""
        return self.operation == "constant"

    # Arithmetic

    def __add__(self, other: Any) -> Any:
        return _binary("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _binary("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _binary("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _binary("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _binary("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _binary("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _binary("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _binary("/", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _binary("//", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _binary("//", other, self)

    def __mod__(self, other: Any) -> Any:
        return _binary("%", self, other)

    def __rmod__(self, other: Any) -> Any:
        return _binary("%", other, self)

    def __pow__(self, other: Any) -> Any:
        return _powered(self, other)

    def __rpow__(self, other: Any) -> Any:
        return _powered(other, self)

    def __neg__(self) -> Traced:
        return Traced(-self.value) if self.is_constant else Traced.made("neg", (self,), -self.value)

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        if self.is_constant or _compare("<", self, 0):
            return -self
        return self

    def conjugate(self) -> Traced:
        """Itself: it is real."""
        return self

    # Comparisons, which decide a route and are written down

    def __lt__(self, other: Any) -> Any:
        return _compare("<", self, other)

    def __le__(self, other: Any) -> Any:
        return _compare("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return _compare(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return _compare(">=", self, other)

    def __eq__(self, other: object) -> Any:
        return _compare("=", self, other)

    def __ne__(self, other: object) -> Any:
        if self is other:  # the question whether it is NaN
            return self.value != self.value
        return _compare("!=", self, other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.value != 0)

    # Whole numbers, which are positions and forget where they came from

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return operator.index(int(self.value))

    def __floor__(self) -> int:
        return math.floor(self.value)

    def __ceil__(self) -> int:
        return math.ceil(self.value)

    def __trunc__(self) -> int:
        return math.trunc(self.value)

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.value) if digits is None else Traced(round(self.value, digits))

    def rint(self) -> Any:
        """The nearest whole number, halves to the even one."""
        return rounded("round", round, self)

    def is_integer(self) -> bool:
        """Whether its value is whole."""
        return float(self.value).is_integer()

    # What NumPy's own numbers have: reductions of object arrays to one element give the element itself

    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1
    dtype = np.dtype(object)

    def reshape(self, *shape: Any) -> np.ndarray:
        """It as an array of one element."""
        from .traced_array import boxed

        return boxed(self).reshape(*shape)

    def astype(self, dtype: Any, copy: bool = True) -> Traced:
        """Itself: it has one type."""
        return self

    def sum(self, *axes: Any, **options: Any) -> Traced:
        """Itself."""
        return self

    def __getattr__(self, name: str) -> Any:
        """The functions of mathematics, under the names that NumPy looks for."""
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return lambda *others: function_of(name, self, *others)

    # What it is made of

    def terms(self, named: Iterable[int] = ()) -> list[Term]:
        """It as a sum of products; numbers whose id is in `named` are not taken apart.

        Terms with the same factors are added up.
        """
        return terms_of(self, frozenset(named))

    def sources(self) -> list[tuple[str, tuple[int, ...]]]:
        """The elements of inputs it depends on, as (name, index), in the order met."""
        found: dict[tuple[str, tuple[int, ...]], None] = {}
        for node in walk([self]):
            if node.operation == "source":
                found[node.operands] = None
        return list(found)

    def __str__(self) -> str:
        from .tracetext import expression

        return expression(self)

    def __repr__(self) -> str:
        return f"Traced({self})"


def walk(roots: Iterable[Traced]) -> Iterator[Traced]:
    """Every number behind the given ones, each once, operands before what is made of them."""
    done: set[int] = set()
    todo: list[tuple[Traced, bool]] = [(root, False) for root in reversed(list(roots))]
    while todo:
        node, ready = todo.pop()
        if ready:
            yield node
        elif id(node) not in done:
            done.add(id(node))
            todo.append((node, True))
            if node.operation != "source":
                todo.extend((operand, False) for operand in reversed(node.operands) if isinstance(operand, Traced))


def _lifted(value: Any) -> Traced | None:
    """A number as a Traced; None for what is no number, such as an array, which then answers itself."""
    if isinstance(value, Traced):
        return value
    return Traced(value) if isinstance(value, (int, float, Fraction, np.generic)) else None


def _binary(operation: str, left: Any, right: Any) -> Any:
    a, b = _lifted(left), _lifted(right)
    if a is None or b is None:
        return NotImplemented
    value = arithmetic(OPERATIONS[operation], a.value, b.value)
    if a.is_constant and b.is_constant:
        return Traced(value)
    if operation in "+-" and b.is_constant and b.value == 0:
        return a
    if operation == "+" and a.is_constant and a.value == 0:
        return b
    if operation == "-" and a.is_constant and a.value == 0:
        return -b
    if operation in "*/" and b.is_constant and b.value == 1:
        return a
    if operation == "*" and a.is_constant and a.value == 1:
        return b
    if operation in "*/" and value == 0 and ((a.is_constant and a.value == 0) or (operation == "*" and b.is_constant and b.value == 0)):
        return Traced(0)
    return Traced.made(operation, (a, b), value)


def _powered(left: Any, right: Any) -> Any:
    a, b = _lifted(left), _lifted(right)
    if a is None or b is None:
        return NotImplemented
    value = power(a.value, b.value)
    if a.is_constant and b.is_constant:
        return Traced(value)
    if b.is_constant and b.value == 2:
        return Traced.made("*", (a, a), value)
    return a if b.is_constant and b.value == 1 else Traced.made("pow", (a, b), value)


def rounded(name: str, function: Callable[[Any], Any], x: Traced) -> Traced:
    """A number rounded by an operator, which goes into its history; what is not finite stays."""
    if x.is_constant or not math.isfinite(x.value):
        return Traced(function(x.value)) if math.isfinite(x.value) else x
    return Traced.made(name, (x,), Fraction(function(x.value)))


def _compare(sign: str, left: Any, right: Any) -> Any:
    other = _lifted(right)
    if other is None:
        return NotImplemented if not (right is None or isinstance(right, str)) else sign == "!="
    outcome = bool(_SIGNS[sign](left.value, other.value))
    if _decisions and len(_decisions[-1]) < MOST_DECISIONS:
        _decisions[-1].append(Decision(left, sign, other, outcome))
    return outcome


FUNCTIONS = frozenset(
    """
    exp log sqrt tanh erf erfc sin cos tan sinh cosh arcsin arccos arctan arcsinh arccosh arctanh expm1 log1p exp2 log2 log10 cbrt
    arctan2 hypot sign logaddexp logaddexp2 fmod xlogy
    """.split()
)


def function_of(name: str, *values: Any) -> Traced:
    """A function of traced numbers; its value is NumPy's in float64, exact where that is known."""
    operands = tuple(Traced(value) if not isinstance(value, Traced) else value for value in values)
    value = function_value(name, [operand.value for operand in operands])
    if all(operand.is_constant for operand in operands):
        return Traced(value)
    return Traced.made(name, operands, value)
