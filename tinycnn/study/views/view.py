"""What a view is made of: scenes that are stepped through, facts, tables, and checks against the operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..explanation import Table
from ..tracetext import enclosed

__all__ = ["Check", "Curve", "Grid", "Picture", "Scene", "Step", "View", "cell_texts", "compared", "grid", "number_text", "sum_text"]

TOLERANCE = 1e-10
MOST_TERMS = 40  # of one written sum
MOST_LISTED = 20_000  # elements of an array in JSON

Marks = tuple[tuple[str, str, tuple[int, ...]], ...]
Texts = Mapping[str, Mapping[int, str]]


def number_text(value: Any) -> str:
    """A number for a cell: whole ones in full, others in four digits, complex ones in three.

    Examples
    --------
    >>> number_text(-30.0), number_text(0.123456), number_text(1 - 2j), number_text(-0.0)
    ('-30', '0.1235', '1-2i', '0')
    """
    if isinstance(value, (complex, np.complexfloating)):
        real, imaginary = _short(value.real), _short(abs(value.imag))
        return real if imaginary == "0" else f"{real}{'-' if value.imag < 0 else '+'}{imaginary}i"
    value = float(value)
    if value.is_integer() and abs(value) < 1e9:
        return str(int(value))
    return f"{value:.4g}"


def _short(value: Any) -> str:
    """Half of a complex number in three digits; what a Fourier transform leaves of a zero, as zero."""
    value = round(float(value), 10) + 0.0
    return str(int(value)) if value.is_integer() and abs(value) < 1e6 else f"{value:.3g}"


def sum_text(pairs: Iterable[tuple[float, float]]) -> str:
    """A sum of products with the numbers in it, the first `MOST_TERMS`.

    Examples
    --------
    >>> sum_text([(5, 0), (9, -4)])
    '5·0 + 9·(-4)'
    """
    terms = [f"{enclosed(number_text(a))}·{enclosed(number_text(b))}" for a, b in pairs]
    more = f" + ... {len(terms) - MOST_TERMS} more" if len(terms) > MOST_TERMS else ""
    return (" + ".join(terms[:MOST_TERMS]) or "0") + more


def cell_texts(values: Any) -> list[str]:
    """Every element as text, in row-major order."""
    return [number_text(value) for value in np.asarray(values).reshape(-1).tolist()]


@dataclass(frozen=True)
class Grid:
    """An array as cells; leading axes are planes beside each other. `kinds` colour cells for good, `shade` colours them by size."""

    name: str
    shape: tuple[int, ...]
    cells: tuple[str, ...]
    words: str = ""
    kinds: tuple[str, ...] = ()
    shade: bool = False


def grid(name: str, values: Any, words: str = "", kinds: Sequence[str] = (), *, blank: bool = False, shade: bool = False) -> Grid:
    """A grid of an array; a blank one is filled by the steps."""
    array = np.asarray(values)
    return Grid(name, array.shape, ("",) * array.size if blank else tuple(cell_texts(array)), words, tuple(kinds), shade)


@dataclass(frozen=True)
class Step:
    """One step: what is said, which cells light up ("from", "now", "term", "bad", "good"), which change for good, and small print beside cells."""

    title: str
    lines: tuple[str, ...] = ()
    marks: Marks = ()
    changes: Texts = field(default_factory=dict)
    small: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """A number that changes from step to step, drawn on a logarithmic scale."""

    name: str
    places: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """A picture as the bytes of a PNG file, and what is said below it."""

    name: str
    png: bytes
    words: str


@dataclass(frozen=True)
class Scene:
    """Grids and the steps through them; with `focus` a page shows only the grids that a step marks."""

    title: str
    words: str
    grids: tuple[Grid, ...]
    steps: tuple[Step, ...]
    curve: Curve | None = None
    pictures: tuple[Picture, ...] = ()
    focus: bool = False


@dataclass(frozen=True)
class Check:
    """Two ways to one result, and how far apart they came out."""

    words: str
    difference: float
    tolerance: float = TOLERANCE

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance."""
        return bool(self.difference <= self.tolerance)


def compared(words: str, found: Any, expected: Any) -> Check:
    """A check of two arrays; the tolerance grows with their numbers."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        raise AssertionError(f"{words}: shapes {found.shape} and {expected.shape}")
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    return Check(words, float(np.max(np.abs(found - expected), initial=0.0)), TOLERANCE * scale)


@dataclass(frozen=True)
class View:
    """One view of convolution.

    Attributes
    ----------
    name, title, lead, formula : str
        Its command, its heading, one sentence, and the formula.
    scenes : tuple of Scene
        What is stepped through.
    facts : tuple of (str, str)
        What was counted or measured.
    checks : tuple of Check
        Each way against the operator.
    tables : tuple of Table
        Measurements in rows.
    notes : tuple of str
        What to remember.
    results : dict
        The arrays by name, for further work.
    """

    name: str
    title: str
    lead: str
    formula: str
    scenes: tuple[Scene, ...]
    facts: tuple[tuple[str, str], ...] = ()
    checks: tuple[Check, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether every check holds."""
        return all(check.agrees for check in self.checks)

    def text(self, steps: int = 6) -> str:
        """The view for a terminal, with the first steps of every scene."""
        from .text import as_text

        return as_text(self, steps)

    def html(self) -> str:
        """One self-contained page; arrow keys step."""
        from .page import page

        return page(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data for JSON."""
        return {
            "view": self.name,
            "title": self.title,
            "formula": self.formula,
            "facts": dict(self.facts),
            "checks": [{"words": each.words, "difference": each.difference, "agrees": each.agrees} for each in self.checks],
            "tables": [{"title": each.title, "header": list(each.header), "rows": [list(row) for row in each.rows]} for each in self.tables],
            "notes": list(self.notes),
            "results": {key: _plain(value) for key, value in self.results.items()},
            "scenes": [
                {"title": scene.title, "steps": [{"title": step.title, "lines": list(step.lines)} for step in scene.steps]}
                for scene in self.scenes
            ],
        }

    def _repr_html_(self) -> str:
        """The page in a notebook, in a frame of its own."""
        import html

        inside = html.escape(self.html(), quote=True)
        return f'<iframe title="{html.escape(self.title)}" style="width:100%;height:640px;border:0" srcdoc="{inside}"></iframe>'


def _plain(value: Any) -> Any:
    """Arrays as lists, complex numbers as pairs; of a large one, such as a filtered photo, its shape and range."""
    array = np.asarray(value)
    if array.size > MOST_LISTED:
        return {"shape": list(array.shape), "lowest": float(array.min()), "highest": float(array.max()), "mean": float(array.mean())}
    if array.dtype.kind == "c":
        return np.stack([array.real, array.imag], axis=-1).tolist()
    return array.tolist()
