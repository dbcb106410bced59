"""What every view of a detector's steps is: a title, words, drawings, tables and the numbers, for terminal, page and program."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ..explanation import Table
from ..page import html_table
from ..shape_page import SCRIPT, answer_page
from ..tables import text_table
from .scene import STYLE, Drawing, Scene, steps_line

__all__ = ["DetectionView", "Table", "box_text", "checked_boxes"]

MOST_BOXES = 200_000


@dataclass(frozen=True)
class DetectionView:
    """One view, ready to be printed, written as a page, or read by a program (`data`)."""

    title: str
    lead: tuple[str, ...]
    tables: tuple[Table, ...]
    pictures: tuple[tuple[str, str], ...] = ()  # what stands above it, the SVG
    steps: str = ""  # what the arrow keys go through
    key: tuple[tuple[str, str], ...] = ()  # colour's name in the style, its meaning
    data: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """For a terminal."""
        parts = [self.title, *self.lead]
        for table in self.tables:
            parts.append("\n" + table.title)
            parts.append(text_table(table.header, table.rows, left=tuple(range(len(table.header)))))
            parts += [table.note] if table.note else []
        return "\n".join(parts)

    def page(self) -> str:
        """One self-contained page; the arrow keys step."""
        parts = [STYLE, *(f"<p>{html.escape(words)}</p>" for words in self.lead)]
        if self.pictures:
            parts += [steps_line(self.steps)] if self.steps else []
            keys = "".join(f'<span><i style="border-color: var(--{colour})"></i>{html.escape(words)}</span>' for colour, words in self.key)
            parts += [f'<p class="key soft">{keys}</p>'] if keys else []
            for heading, svg in self.pictures:
                parts += [f"<h2>{html.escape(heading)}</h2>"] if heading else []
                parts.append(svg)
        for table in self.tables:
            parts += [f"<h2>{html.escape(table.title)}</h2>", html_table(table.header, table.rows, whole=(0,))]
            parts += [f'<p class="soft">{html.escape(table.note)}</p>'] if table.note else []
        return answer_page(self.title, parts, self.to_dict(), SCRIPT if self.steps else "")

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """What the drawings show, for another way of drawing them."""
        return tuple(svg.scene for _, svg in self.pictures if isinstance(svg, Drawing))

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        tables = [{"title": table.title, "header": list(table.header), "rows": [list(row) for row in table.rows]} for table in self.tables]
        return {"title": self.title, "lead": list(self.lead), "tables": tables, **_plain(self.data)}


def _plain(value: Any) -> Any:
    """Arrays as lists."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def box_text(box: Sequence[float]) -> str:
    """The corners in four digits.

    Examples
    --------
    >>> box_text([0.0, 12.34567, 100.0, 1234.5])
    '0 12.35 100 1234'
    """
    return " ".join(f"{float(value):.4g}" if abs(float(value)) < 1000 else f"{float(value):.0f}" for value in box)


def checked_boxes(function: str, name: str, boxes: Any, least: int = 0) -> np.ndarray:
    """The boxes as float64 (K, 4), or a sentence on what is wrong with them."""
    try:
        array = np.asarray(getattr(boxes, "data", boxes) if not isinstance(boxes, np.ndarray) else boxes, np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"{function}: {name} must be rows of four numbers (x1, y1, x2, y2)") from error
    if array.size == 0:
        array = array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ShapeError(f"{function}: {name} has shape {array.shape}; it must be (K, 4) as (x1, y1, x2, y2)")
    if len(array) < least or len(array) > MOST_BOXES:
        raise ArgumentError(f"{function}: {name} holds {len(array)} boxes; give {max(least, 0)} to {MOST_BOXES:,}")
    if not np.isfinite(array).all():
        raise ArgumentError(f"{function}: box {int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])} of {name} holds a number that is not finite")
    flat = np.flatnonzero(~(array[:, 2:] > array[:, :2]).all(axis=1))
    if len(flat):
        raise ArgumentError(
            f"{function}: box {flat[0]} of {name} is ({box_text(array[flat[0]])}), without width or height; x2 > x1 and y2 > y1 is meant"
        )
    return array
