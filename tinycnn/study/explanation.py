"""What `explain` found out about one call of one operator, as data: arrays, elements with their terms, steps, tables, checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from .tracetext import plain

__all__ = ["Check", "Element", "Explanation", "Part", "Step", "Summand", "Table"]

Source = tuple[str, tuple[int, ...]]
ROUNDING = 1e-8  # of a difference of numbers around 1, divided by the step


@dataclass(frozen=True)
class Summand:
    """One term of an element: in symbols, with numbers, and what it adds."""

    symbols: str
    numbers: str
    value: Any
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Element:
    """One number of a result: what it is the sum of, and which inputs it depends on."""

    index: tuple[int, ...]
    value: Any
    symbols: str
    numbers: str
    latex: str
    terms: tuple[Summand, ...]
    sources: tuple[Source, ...]
    steps: tuple[str, ...]
    decisions: tuple[str, ...] = ()

    @property
    def error(self) -> float:
        """How far the sum of the terms is from the value."""
        if not self.terms:
            return 0.0
        total = sum((term.value for term in self.terms), Fraction(0))
        return 0.0 if total == self.value else abs(float(total) - float(self.value))


@dataclass(frozen=True)
class Step:
    """A number that several elements share, such as a mean."""

    name: str
    symbols: str
    numbers: str
    latex: str
    value: Any
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Part:
    """One result, or the gradient of one input."""

    name: str
    of: str
    values: np.ndarray
    elements: tuple[Element, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Table:
    """Intermediate numbers under a heading."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Check:
    """One entry of a gradient beside finite differences from the right, from the left and central.

    `scale` is the sum of the absolute values that were subtracted: their rounding is all that a small gradient may hide behind.
    """

    of: str
    index: tuple[int, ...]
    analytic: float
    right: float
    left: float
    scale: float = 1.0

    @property
    def numeric(self) -> float:
        """The central difference."""
        return (self.right + self.left) / 2

    @property
    def kink(self) -> bool:
        """Whether the derivative jumps here: the two sides differ."""
        return not abs(self.right - self.left) <= 1e-3 * max(min(abs(self.right), abs(self.left)), 1.0)

    @property
    def agrees(self) -> bool:
        """Whether the analytic value is the central difference, or lies between the sides of a kink."""
        if not np.isfinite([self.left, self.right]).all():
            return True  # a jump, or a step out of the domain: there is nothing to compare with
        low, high = sorted((self.left, self.right))
        slack = 1e-6 * max(abs(low), abs(high)) + ROUNDING * max(self.scale, 1.0)
        return low - slack <= self.analytic <= high + slack

    @property
    def verdict(self) -> str:
        """In words."""
        if not np.isfinite([self.left, self.right]).all():
            return "the value jumps here, or ends: no difference to compare with"
        if not self.kink:
            return "agrees" if self.agrees else "DIFFERS"
        return f"kink: {plain(self.left)} from the left, {plain(self.right)} from the right" + ("" if self.agrees else "; DIFFERS from both")


@dataclass
class Explanation:
    """Everything about one call, ready to be written as text, HTML, LaTeX or JSON.

    Examples
    --------
    >>> from tinycnn.study import explain
    >>> print(explain("max_pool2d", [[5, 0], [1, 9]], kernel_size=2).results[0].elements[0].symbols)
    input[0, 0, 1, 1]
    """

    operator: str
    family: str
    summary: str
    formula: str
    kinks: str
    call: str
    arrays: dict[str, np.ndarray]
    options: dict[str, Any]
    seed: int
    results: list[Part]
    gradients: list[Part] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def parts(self) -> list[Part]:
        """Results and gradients."""
        return [*self.results, *self.gradients]

    @property
    def largest_error(self) -> float:
        """How far any sum of terms is from its value, relative to values above 1."""
        errors = [element.error / max(1.0, abs(float(element.value))) for part in self.parts for element in part.elements if element.error]
        return max(errors, default=0.0)

    def text(self, elements: int = 12) -> str:
        """For a terminal; at most so many elements of each result are written out."""
        from .explain_text import as_text

        return as_text(self, elements)

    def latex(self, elements: int = 12) -> str:
        """Equations for a LaTeX document with amsmath."""
        from .explain_text import as_latex

        return as_latex(self, elements)

    def html(self) -> str:
        """One self-contained page: the arrow keys step through the elements, and their sources light up."""
        from .explain_page import page

        return page(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and strings, for JSON. Fractions are strings such as "5/2"."""
        from .explain_text import as_dict

        return as_dict(self)

    def _repr_html_(self) -> str:
        """For notebooks."""
        from .explain_page import notebook_frame

        return notebook_frame(self)

    def __str__(self) -> str:
        return self.text()
