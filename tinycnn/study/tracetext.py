"""Traced numbers as text and as LaTeX: the symbols, or the numbers in their places."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .plain_numbers import multiply
from .traced import Term, Traced

__all__ = ["expression", "latex", "latex_number", "plain", "substituted", "summand_texts"]

DEEPEST = 60  # nested parentheses; what lies below is shown as its value
LONGEST = 40  # terms of one sum


def plain(value: Any) -> str:
    """A number: fractions as they are, floats with six digits."""
    if isinstance(value, Traced):
        value = value.value
    if isinstance(value, Fraction):
        return str(value) if value.denominator < 10000 else f"{float(value):.6g}"
    if isinstance(value, (bool, int)):
        return str(value)
    value = float(value)
    if not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    return f"{value:.6g}"


def common_divisor(terms: list[Term]) -> int | None:
    """The whole number that every summand is divided by, as in a mean; None where there is none."""
    sizes = {abs(term.coefficient) for term in terms}
    size = sizes.pop() if len(sizes) == 1 and len(terms) > 1 else None
    fits = isinstance(size, Fraction) and size.numerator == 1 and 1 < size.denominator < 10000 and all(term.factors for term in terms)
    return size.denominator if fits and size is not None else None


def enclosed(text: str) -> str:
    """A number in parentheses where signs beside it would be misread: negative ones and fractions."""
    return f"({text})" if text.startswith("-") or "/" in text else text


class Writer:
    """Writes expressions; subclasses decide on notation."""

    def __init__(self, names: Mapping[int, str], numbers: bool) -> None:
        self.names = names
        self.numbers = numbers

    def source(self, node: Traced) -> str:
        """An element of an input."""
        if self.numbers:
            return enclosed(plain(node.value))
        name, index = node.operands
        return f"{name}[{', '.join(map(str, index))}]" if index else str(name)

    def named(self, node: Traced) -> str:
        """A step that has a name."""
        return enclosed(plain(node.value)) if self.numbers else self.names[id(node)]

    def factors(self, nodes: tuple[Traced, ...], depth: int) -> list[str]:
        """Factors, equal ones as powers."""
        if len(nodes) < 2:
            return [self.factor(node, depth) for node in nodes]
        symbols = Writer(self.names, False)
        equal: dict[str, list[Traced]] = {}  # equal is what reads the same in symbols: numbers may agree by chance
        for node in nodes:
            equal.setdefault(symbols.factor(node, depth), []).append(node)
        texts = [(self.factor(same[0], depth), len(same)) for same in equal.values()]
        return [text if power == 1 else f"{text}^{power}" for text, power in texts]

    def product(self, term: Term, depth: int) -> str:
        """One summand without its sign."""
        size = abs(term.coefficient)
        parts = self.factors(term.factors, depth)
        below = self.factors(term.divisors, depth)
        if size != 1 or not parts:
            if isinstance(size, Fraction) and size.numerator == 1 and size.denominator != 1 and parts and not below:
                return f"{self.times(parts)}/{size.denominator}"
            parts.insert(0, plain(size))
        if len(parts) == 1 and not below and self.numbers and len(term.factors) == 1 and parts[0].startswith("("):
            inside = parts[0][1:-1]
            return inside if inside.replace("/", "").isdigit() else parts[0]
        text = self.times(parts)
        return text if not below else f"{text} / {below[0] if len(below) == 1 else '(' + self.times(below) + ')'}"

    def times(self, parts: list[str]) -> str:
        """Factors beside each other."""
        return (" * " if self.numbers else " ").join(parts)

    def factor(self, node: Traced, depth: int) -> str:
        """A factor, in parentheses where it is a sum."""
        if node.operation == "source":
            return self.source(node)
        if id(node) in self.names:
            return self.named(node)
        if depth >= DEEPEST:
            return plain(node.value)
        if node.operation in ("+", "-", "neg", "*", "/"):
            return f"({self.sum(node, depth + 1)})"
        return self.function(node, depth)

    def function(self, node: Traced, depth: int) -> str:
        """A function and its arguments."""
        inside = [self.sum(operand, depth + 1) for operand in node.operands]
        if node.operation == "pow":
            return f"({inside[0]})^({inside[1]})"
        if node.operation in ("//", "%"):
            return f"({inside[0]} {node.operation} {inside[1]})"
        return f"{node.operation}({', '.join(inside)})"

    def sum(self, node: Traced, depth: int = 0) -> str:
        """A whole expression."""
        if depth and id(node) in self.names:
            return self.named(node)
        terms = node.terms(self.names)
        divisor = common_divisor(terms)
        if divisor is not None:
            inside = [Term(multiply(term.coefficient, divisor), term.factors, term.divisors) for term in terms]
            return self.over(self.joined(inside, depth), divisor)
        return self.joined(terms, depth)

    def over(self, text: str, divisor: int) -> str:
        """A sum over a whole number."""
        return f"({text})/{divisor}"

    def joined(self, terms: list[Term], depth: int) -> str:
        """Summands with their signs."""
        if len(terms) == 1 and terms[0].coefficient == 0 and terms[0].factors:  # a number less itself, as the largest score less the largest
            text = self.product(Term(Fraction(1), terms[0].factors, terms[0].divisors), depth)
            return f"{text} - {text}"
        text = ""
        for place, term in enumerate(terms[:LONGEST]):
            negative = term.coefficient < 0
            sign = ("-" if negative else "") if not place else (" - " if negative else " + ")
            text += sign + self.product(term, depth)
        if len(terms) > LONGEST:
            rest = sum(float(term.value) for term in terms[LONGEST:])
            text += f" + ... {len(terms) - LONGEST} more terms, together {rest:.6g}"
        return text or "0"


def expression(node: Any, names: Mapping[int, str] | None = None) -> str:
    """With symbols: `3 x[0] + x[1]`; numbers whose id is in `names` go by their name."""
    return Writer(names or {}, False).sum(node) if isinstance(node, Traced) else plain(node)


def substituted(node: Any, names: Mapping[int, str] | None = None) -> str:
    """With numbers in their places: `3 * 5 + 8`."""
    return Writer(names or {}, True).sum(node) if isinstance(node, Traced) else plain(node)


class LatexWriter(Writer):
    """Symbols as LaTeX."""

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__(names, False)

    def source(self, node: Traced) -> str:
        """x with its index below."""
        name, index = node.operands
        return latex_name(name, index)

    def named(self, node: Traced) -> str:
        """s_1 and so on."""
        name = self.names[id(node)]
        return f"{name[0]}_{{{name[1:]}}}"

    def product(self, term: Term, depth: int) -> str:
        """With fractions."""
        size = abs(term.coefficient)
        above, below = self.factors(term.factors, depth), self.factors(term.divisors, depth)
        lead = "" if size == 1 and above else latex_number(size)
        text = r" \, ".join(part for part in (lead, *above) if part)
        return rf"\frac{{{text}}}{{{' '.join(below)}}}" if below else text

    def over(self, text: str, divisor: int) -> str:
        """A fraction."""
        return rf"\frac{{{text}}}{{{divisor}}}"

    def factor(self, node: Traced, depth: int) -> str:
        """Large parentheses."""
        text = super().factor(node, depth)
        return rf"\left{text[:-1]}\right)" if text.startswith("(") and node.operation in ("+", "-", "neg", "*", "/") else text

    def function(self, node: Traced, depth: int) -> str:
        """By LaTeX's names where it has one."""
        inside = [self.sum(operand, depth + 1) for operand in node.operands]
        if node.operation == "sqrt":
            return rf"\sqrt{{{inside[0]}}}"
        if node.operation == "exp":
            return f"e^{{{inside[0]}}}"
        if node.operation == "pow":
            return rf"\left({inside[0]}\right)^{{{inside[1]}}}"
        if node.operation == "%":
            return rf"\left({inside[0]} \bmod {inside[1]}\right)"
        if node.operation == "//":
            return rf"\left\lfloor \frac{{{inside[0]}}}{{{inside[1]}}} \right\rfloor"
        if node.operation in ("floor", "ceil"):
            return rf"\l{node.operation} {inside[0]} \r{node.operation}"
        return rf"\operatorname{{{node.operation.replace('_', ' ')}}}\left({', '.join(inside)}\right)"


def latex_number(value: Any) -> str:
    """A number, fractions upright."""
    if isinstance(value, Fraction) and value.denominator != 1 and value.denominator < 10000:
        sign = "-" if value < 0 else ""
        return rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    text = plain(value)
    if isinstance(value, bool):
        return rf"\text{{{text}}}"
    if "inf" in text:
        return text.replace("inf", r"\infty")
    mantissa, e, power = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(power)}}}" if e and "nan" not in text else text.replace("nan", r"\text{nan}")


def latex_name(name: str, index: tuple[int, ...]) -> str:
    """An array's element, its name upright."""
    base, bracket, inner = name.partition("[")
    text = rf"\mathrm{{{base.replace('_', chr(92) + '_')}}}"
    places = [*([inner.rstrip("]")] if bracket else []), *map(str, index)]
    return f"{text}_{{{','.join(places)}}}" if places else text


def latex(node: Any, names: Mapping[int, str] | None = None) -> str:
    """As LaTeX, in symbols."""
    return LatexWriter(names or {}).sum(node) if isinstance(node, Traced) else latex_number(node)


def summand_texts(term: Term, names: Mapping[int, str]) -> tuple[str, str]:
    """One term in symbols and with numbers, its sign in front."""
    sign = "-" if term.coefficient < 0 else ""
    return sign + Writer(names, False).product(term, 0), sign + Writer(names, True).product(term, 0)
