"""What an entry of the map holds: a row, a number to check, a slide, a deck, an erratum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["IMAGE", "PREAMBLE", "Check", "Deck", "Erratum", "Row", "Slide", "is_command"]

# What stands before every Python line of the map.
PREAMBLE = (
    "import numpy as np",
    "import tinycnn",
    "from tinycnn import functional as F, metrics, models, nn, ops, optim, study",
)

# The 6 x 6 image of deck S2, as a command takes it.
IMAGE = "5 0 8 7 8 1; 1 9 5 0 7 7; 6 0 2 4 6 6; 9 7 6 6 8 4; 8 3 8 5 1 3; 7 2 7 0 1 0"


def is_command(text: str) -> bool:
    """Whether a line is for the shell; else it is Python."""
    return text.startswith("tinycnn ")


@dataclass(frozen=True)
class Check:
    """A number of the decks and how it is reproduced.

    `run` is a command (its answer is read as JSON, `pick` says which part of it: keys and places with points between) or Python lines (the
    value of the last one counts). An expected text must be contained in the answer, numbers may differ by `within`.
    """

    what: str
    run: str
    expect: Any
    pick: str = ""
    within: float = 0.0
    heavy: bool = False  # takes more than half a second


@dataclass(frozen=True)
class Row:
    """One of the 177 things the decks teach: in our words, what reproduces it, which numbers must come out."""

    id: str
    decks: str  # such as "S0 S2"
    taught: str
    commands: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    missing: str = ""  # what of it does not run here, and why

    @property
    def status(self) -> str:
        """runs, partly (something is missing), named (only the glossary has it), or reading (nothing to run)."""
        if not self.runs:
            return "reading"
        if all(run.startswith("tinycnn glossary ") for run in self.runs):
            return "named"
        return "partly" if self.missing else "runs"

    @property
    def runs(self) -> tuple[str, ...]:
        """Every command and Python line of the row, each once, those of the checks included."""
        return tuple(dict.fromkeys((*(check.run for check in self.checks), *self.commands)))


@dataclass(frozen=True)
class Slide:
    """A slide, or several in a row under one title: its kind is slide, figure, question or exercise."""

    title: str
    rows: str
    kind: str = "slide"

    @property
    def row_ids(self) -> tuple[str, ...]:
        """The rows that it shows."""
        return tuple(self.rows.split())


@dataclass(frozen=True)
class Deck:
    """A deck: its slides in their order. The decks came as text without page numbers, so a slide's number is its place in this table."""

    id: str
    title: str
    school: str
    slides: tuple[Slide, ...] = field(repr=False)


@dataclass(frozen=True)
class Erratum:
    """What a slide says, what is right, and the run that shows it."""

    number: int
    deck: str
    row: str
    says: str
    right: str
    check: Check | None = None  # none for a date
