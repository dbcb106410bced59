"""A traced number as a sum of products: the terms that an explanation lists."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from .plain_numbers import arithmetic, divide, multiply

if TYPE_CHECKING:
    from .traced import Traced

__all__ = ["Term", "terms_of"]


class Term(NamedTuple):
    """One summand: a coefficient times a product of numbers, over a product of others."""

    coefficient: Any
    factors: tuple[Traced, ...]
    divisors: tuple[Traced, ...]

    @property
    def value(self) -> Any:
        """What it adds to the sum."""
        result = self.coefficient
        for factor in self.factors:
            result = multiply(result, factor.value)
        for divisor in self.divisors:
            result = divide(result, divisor.value)
        return result


def terms_of(root: Traced, closed: frozenset[int]) -> list[Term]:
    """The number as a sum of products; numbers whose id is in `closed` are not taken apart. Terms with the same factors are added up."""
    found: dict[Any, Term] = {}
    todo: list[tuple[Traced, Any]] = [(root, Fraction(1))]
    while todo:
        node, coefficient = todo.pop()
        if node.operation in ("+", "-") and (node is root or id(node) not in closed):
            left, right = node.operands
            todo.append((right, coefficient if node.operation == "+" else -coefficient))
            todo.append((left, coefficient))
            continue
        if id(node) not in closed or node is root:
            if node.operation == "neg":
                todo.append((node.operands[0], -coefficient))
                continue
            scaled = _scaled_sum(node)
            if scaled is not None:
                todo.append((scaled[0], multiply(coefficient, scaled[1])))
                continue
        term = _product(node, coefficient, closed, node is root)
        key = tuple(sorted(map(_key, term.factors))), tuple(sorted(map(_key, term.divisors)))
        earlier = found.get(key)
        if earlier is not None:
            term = Term(arithmetic(operator.add, earlier.coefficient, term.coefficient), term.factors, term.divisors)
        found[key] = term
    return [term for term in found.values() if len(found) == 1 or term.coefficient != 0]


def _key(node: Traced) -> Any:
    return (0, *map(str, node.operands)) if node.operation == "source" else (1, str(id(node)))


def _scaled_sum(node: Traced) -> tuple[Traced, Any] | None:
    """(other, number) where the node is another one times a number."""
    if node.operation not in ("*", "/"):
        return None
    left, right = node.operands
    if right.is_constant:
        return left, right.value if node.operation == "*" else divide(Fraction(1), right.value)
    if left.is_constant and node.operation == "*":
        return right, left.value
    return None


def _product(node: Traced, coefficient: Any, closed: frozenset[int], root: bool) -> Term:
    """A node that is no sum as one term."""
    factors: list[Traced] = []
    divisors: list[Traced] = []
    todo: list[tuple[Traced, bool]] = [(node, False)]
    while todo:
        part, below = todo.pop()
        if part.is_constant:
            coefficient = divide(coefficient, part.value) if below else multiply(coefficient, part.value)
        elif part.operation == "neg" and id(part) not in closed:
            coefficient = -coefficient
            todo.append((part.operands[0], below))
        elif part.operation in ("*", "/") and (id(part) not in closed or (root and part is node)):
            left, right = part.operands
            todo.append((right, below != (part.operation == "/")))
            todo.append((left, below))
        else:
            (divisors if below else factors).append(part)
    return Term(coefficient, tuple(factors), tuple(divisors))
