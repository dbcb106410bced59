"""A view for a terminal."""

from __future__ import annotations

import math

from ..explain_text import cut, table_lines
from .view import Grid, Scene, View

__all__ = ["as_text"]

WIDEST = 150  # characters of a row that a terminal still shows in one piece


def as_text(view: View, steps: int) -> str:
    """Title, formula, scenes with their first steps, facts, checks."""
    lines = [view.title, view.lead, "", *("  " + line for line in view.formula.splitlines()), ""]
    for scene in view.scenes:
        lines += scene_lines(scene, steps)
    for words, value in view.facts:
        lines.append(f"{words}: {value}")
    lines += [""] if view.facts else []
    for table in view.tables:
        lines += table_lines(table)
    for check in view.checks:
        lines.append(f"{'agrees' if check.agrees else 'DIFFERS'}: {check.words} (largest difference {check.difference:.1e})")
    lines += [f"Note: {note}" for note in view.notes]
    return "\n".join(lines).rstrip() + "\n"


def scene_lines(scene: Scene, steps: int) -> list[str]:
    """The grids after the last step, and the words of the first ones."""
    lines = [f"{scene.title}: {scene.words}" if scene.words else scene.title]
    for grid in scene.grids:
        lines += ["  " + line for line in grid_lines(final_grid(scene, grid))]
    for picture in scene.pictures:
        lines.append(f"  {picture.name}: {picture.words}")
    for number, step in enumerate(scene.steps[:steps], start=1):
        lines.append(f"  {number}. {step.title}")
        lines += [f"     {cut(line)}" for line in step.lines]
    if len(scene.steps) > steps:
        lines.append(f"  ... {len(scene.steps) - steps} more steps; --elements {len(scene.steps)} writes all of them, --html makes a page of them")
    return [*lines, ""]


def final_grid(scene: Scene, grid: Grid) -> Grid:
    """The grid as the last step leaves it."""
    cells = list(grid.cells)
    for step in scene.steps:
        for place, text in step.changes.get(grid.name, {}).items():
            cells[place] = text
    return Grid(grid.name, grid.shape, tuple(cells), grid.words, grid.kinds, grid.shade)


def grid_lines(grid: Grid) -> list[str]:
    """Name and rows, planes below each other; a wide matrix loses its middle."""
    lines = [f"{grid.name} {' x '.join(map(str, grid.shape))}" + (f", {grid.words}" if grid.words else "")]
    rows, columns = grid.shape[-2:] if len(grid.shape) > 1 else (1, grid.shape[0] if grid.shape else 1)
    width = max((len(cell) for cell in grid.cells), default=1)
    shown = min(columns, max(WIDEST // (width + 1), 4))
    for plane in range(math.prod(grid.shape[:-2])):
        if plane:
            lines.append("")
        for i in range(rows):
            start = (plane * rows + i) * columns
            row = [cell.rjust(width) for cell in grid.cells[start : start + columns]]
            if shown < columns:
                row = [*row[: shown // 2], "...", *row[columns - shown // 2 :]]
            lines.append("  " + " ".join(row))
    return lines
