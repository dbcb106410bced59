"""An animation as data: grids of numbers, and frames that mark cells, write into them and say in one line what is computed.

    Panel    one grid of cells, such as a channel of the input
    Frame    what is marked, what is written from now on, and the line below
    Animation    panels, frames and words; drawn as SVG, as a page and as a GIF from the same layout
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ArgumentError
from .tracetext import plain

__all__ = ["Animation", "Frame", "Mark", "Panel", "Place", "cell_text"]

Place = tuple[int, int, int]  # panel, row, column


def cell_text(value: Any) -> str:
    """A number as it stands in a cell: whole numbers whole, others with three or four digits.

    Examples
    --------
    >>> cell_text(1.25), cell_text(7.0), cell_text(float("-inf"))
    ('1.25', '7', '-inf')
    """
    number = float(value)
    if number.is_integer() and abs(number) < 1e6:
        return plain(int(number))
    text = f"{number:.4g}"
    return text if len(text.lstrip("-")) <= 5 else f"{number:.3g}"


@dataclass(frozen=True)
class Panel:
    """One grid. `group` is 0 for what goes in, 1 for weights, 2 for what comes out; `place` is its row and column among its group."""

    title: str
    group: int
    place: tuple[int, int]
    texts: tuple[tuple[str, ...], ...]
    kinds: tuple[tuple[str, ...], ...]  # "cell", "pad", "zero" (inserted) or "crop"

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return len(self.texts)

    @property
    def columns(self) -> int:
        """Cells a row."""
        return len(self.texts[0]) if self.texts else 0


@dataclass(frozen=True)
class Mark:
    """How a cell stands out in one frame: its role, and small words at its corner.

    Roles: "window" (under the window), "term" (adds to the result), "best" (the winner), "now" (the result).
    """

    role: str
    small: str = ""


@dataclass(frozen=True)
class Frame:
    """One step."""

    marks: dict[Place, Mark]
    writes: dict[Place, str]
    line: str


@dataclass
class Animation:
    """All frames of one operator on one input.

    Examples
    --------
    >>> from tinycnn.study import animate
    >>> film = animate("max_pool2d", [[5, 0, 8, 2], [1, 9, 5, 4]], kernel_size=2)
    >>> len(film.frames), film.frames[0].line
    (2, 'y[0, 0] = max(5, 0, 1, 9) = 9')
    """

    operator: str
    title: str
    panels: list[Panel]
    frames: list[Frame]
    signs: tuple[str, str]  # before the weights, before the result
    notes: list[str] = field(default_factory=list)
    aspect: str = "16:9"

    def texts_at(self, number: int) -> dict[Place, str]:
        """Everything that was written up to a frame, that one included."""
        found: dict[Place, str] = {}
        for frame in self.frames[: number + 1]:
            found.update(frame.writes)
        return found

    def require_frame(self, number: int) -> int:
        """The index of a frame counted from 1; -1 is the last."""
        if isinstance(number, bool) or not isinstance(number, int) or not (1 <= number <= len(self.frames) or number == -1):
            raise ArgumentError(f"animate: there is no frame {number!r}; there are frames 1 to {len(self.frames)}, and -1 is the last")
        return len(self.frames) - 1 if number == -1 else number - 1

    def text(self) -> str:
        """One line a frame."""
        head = [self.title, *self.notes, ""]
        width = len(str(len(self.frames)))
        return "\n".join([*head, *(f"{place:>{width}}  {frame.line}" for place, frame in enumerate(self.frames, 1))]) + "\n"

    def svg(self, frame: int = 1, dark: bool = False) -> str:
        """One frame, counted from 1, as an SVG file."""
        from .animation_svg import still

        return still(self, self.require_frame(frame), dark)

    def html(self) -> str:
        """One self-contained page: play, pause, arrow keys, slider; print shows every frame."""
        from .animation_page import page

        return page(self)

    def save_gif(self, path: str | Path, delay: int = 900, width: int = 960, dark: bool = False) -> Path:
        """Write an animated GIF; `delay` is milliseconds a frame, `width` pixels."""
        from .animation_gif import save

        return save(self, path, delay, width, dark)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and strings, for JSON; a place is [panel, row, column]."""
        return {
            "operator": self.operator,
            "title": self.title,
            "notes": self.notes,
            "aspect": self.aspect,
            "panels": [
                {"title": p.title, "group": p.group, "texts": [list(row) for row in p.texts], "kinds": [list(row) for row in p.kinds]}
                for p in self.panels
            ],
            "frames": [
                {
                    "line": frame.line,
                    "marks": [[*place, mark.role, mark.small] for place, mark in frame.marks.items()],
                    "writes": [[*place, text] for place, text in frame.writes.items()],
                }
                for frame in self.frames
            ],
        }

    def _repr_html_(self) -> str:
        """For notebooks."""
        from .animation_page import notebook_frame

        return notebook_frame(self)

    def __str__(self) -> str:
        return self.text()
