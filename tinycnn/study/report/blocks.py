"""What a paper is made of, whatever it is written as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..drawing import Drawing
from .measures import Quantity

__all__ = ["Ask", "Block", "Curves", "Diagram", "Grid", "Listing", "Picture", "Section", "Words"]


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Ask:
    """What the author has to write here, which no run knows."""

    text: str


@dataclass(frozen=True)
class Grid:
    """A table; the columns in `numbers` stand at the right."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    caption: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Curves:
    """The log's epoch events, and what of them is drawn."""

    epochs: Sequence[Mapping[str, Any]]
    quantities: tuple[Quantity, ...]
    caption: str


@dataclass(frozen=True)
class Diagram:
    """The network as boxes and arrows."""

    drawing: Drawing
    caption: str


@dataclass(frozen=True)
class Picture:
    """A PNG file of the run."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Listing:
    """Commands or code, to be typed."""

    text: str
    language: str  # "sh" or "python"


Block = Words | Ask | Grid | Curves | Diagram | Picture | Listing


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]
