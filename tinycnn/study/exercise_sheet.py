"""A sheet of exercises as data: what is asked, what is given, the blanks, the likely mistakes, and the worked solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from .tracetext import plain

__all__ = ["Blank", "Exercise", "Given", "Sheet", "Step", "Trap", "matrix_text", "same_numbers", "units", "value_text"]

PER_ONE = 1000  # answers are compared in thousandths


def units(value: Any) -> int:
    """A number in whole thousandths, half a thousandth rounded up.

    Examples
    --------
    >>> units(Fraction(2, 3)), units(-0.0004)
    (667, 0)
    """
    return int(np.floor(float(value) * PER_ONE + 0.5))


def same_numbers(one: np.ndarray, other: np.ndarray, whole: bool) -> bool:
    """Whether two answers are the same: of one shape, whole numbers equal, others to about a thousandth."""
    if one.shape != other.shape:
        return False
    return all(abs(units(a) - units(b)) <= (0 if whole else 1) for a, b in zip(one.reshape(-1), other.reshape(-1), strict=True))


def value_text(value: Any) -> str:
    """A number as a solution prints it: fractions exact, all else to three decimals.

    Examples
    --------
    >>> value_text(Fraction(3, 4)), value_text(5.0), value_text(0.28258745)
    ('3/4', '5', '0.283')
    """
    if isinstance(value, Fraction) and ("/" in plain(value) or value.denominator == 1):
        return plain(value)
    return str(int(value)) if float(value).is_integer() else f"{float(value):.3f}"


def matrix_text(values: np.ndarray) -> str:
    """Numbers on one line: rows between semicolons.

    Examples
    --------
    >>> matrix_text(np.array([[1, 2], [3, 4]])), matrix_text(np.array(7))
    ('1 2; 3 4', '7')
    """
    if values.ndim == 0:
        return value_text(values.item())
    return "; ".join(" ".join(map(value_text, row)) for row in values.reshape(-1, values.shape[-1]).tolist())


@dataclass(frozen=True)
class Given:
    """A number, an array or a text that the exercise gives."""

    name: str
    value: Any


@dataclass(frozen=True)
class Trap:
    """A likely wrong answer, and what to tell somebody who gives it; the hint never names the right one."""

    answer: np.ndarray
    hint: str


@dataclass(frozen=True)
class Blank:
    """One answer to fill in: a number (shape ()), a list (N,) or a matrix (R, C); `is_open`: how many numbers are wanted is part of the question."""

    label: str
    answer: np.ndarray
    traps: tuple[Trap, ...] = ()
    whole: bool = True
    is_open: bool = False
    id: str = ""

    @property
    def points(self) -> int:
        """One for a number, two for a list or matrix."""
        return 2 if self.answer.ndim else 1

    @property
    def expects(self) -> str:
        """The type of the answer, in words."""
        kind = "whole number" if self.whole else "number"
        if self.is_open:
            return f"{kind}s in order"
        if self.answer.ndim:
            return f"{' x '.join(map(str, self.answer.shape))} {kind}s"
        return f"a {kind}" if self.whole else "a fraction or three decimals"


@dataclass(frozen=True)
class Step:
    """A step of a solution: words, a formula with its numbers, or both."""

    words: str
    formula: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise."""

    topic: str
    title: str
    statement: str
    givens: tuple[Given, ...]
    blanks: tuple[Blank, ...]
    steps: tuple[Step, ...] = field(default=())


@dataclass(frozen=True)
class Sheet:
    """Exercises drawn from one seed, blank or solved.

    Examples
    --------
    >>> from tinycnn.study import exercise
    >>> sheet = exercise("convolution", seed=7)
    >>> [blank.id for blank in sheet.blanks], sheet.points
    (['1a'], 2)
    >>> sheet.check(sheet.answers()).score == sheet.points
    True
    """

    topics: tuple[str, ...]
    seed: int
    level: int
    count: int
    exercises: tuple[Exercise, ...]

    @property
    def title(self) -> str:
        """The heading."""
        names = list(dict.fromkeys(each.title for each in self.exercises))
        return names[0] if len(names) == 1 else "Exercises"

    @property
    def subtitle(self) -> str:
        """What makes the same sheet again."""
        return f"level {self.level}, seed {self.seed}, {self.points} points"

    @property
    def command(self) -> str:
        """The command line that writes this sheet."""
        return f"tinycnn exercise {' '.join(self.topics)} --seed {self.seed} --count {self.count} --level {self.level}"

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """Every blank in order."""
        return tuple(blank for each in self.exercises for blank in each.blanks)

    @property
    def points(self) -> int:
        """The most that can be had."""
        return sum(blank.points for blank in self.blanks)

    def answers(self) -> dict[str, str]:
        """The right answers by id, as they would be typed."""
        return {blank.id: matrix_text(blank.answer) for blank in self.blanks}

    def check(self, answers: Mapping[str, Any], solution: bool = False) -> Any:
        """Mark answers by id; with `solution` the expected values too. Returns a `Report`."""
        from .exercise_answers import marked

        return marked(self, answers, solution)

    def text(self, solution: bool = False) -> str:
        """For a terminal."""
        from .exercise_text import as_text

        return as_text(self, solution)

    def latex(self, solution: bool = False) -> str:
        """A LaTeX document of class article, with amsmath."""
        from .exercise_latex import as_latex

        return as_latex(self, solution)

    def notebook(self, solution: bool = False) -> dict[str, Any]:
        """A Jupyter notebook, nbformat 4, as JSON data."""
        from .exercise_notebook import as_notebook

        return as_notebook(self, solution)

    def html(self, solution: bool = False) -> str:
        """One self-contained page; the blank one checks what is typed into it."""
        from .exercise_page import sheet_page

        return sheet_page(self, solution)

    def _repr_html_(self) -> str:
        """For notebooks: the blank page."""
        from .exercise_page import framed

        return framed(self.title, self.html())

    def to_dict(self, solution: bool = False) -> dict[str, Any]:
        """Plain data for JSON."""
        from .exercise_text import as_dict

        return as_dict(self, solution)

    def __str__(self) -> str:
        return self.text()
