"""A sheet of exercises as text and as plain data."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from .exercise_sheet import Blank, Exercise, Given, Sheet, matrix_text
from .explain_text import grid_text

__all__ = ["as_dict", "as_text", "given_lines"]

WIDTH = 112


def as_text(sheet: Sheet, solution: bool) -> str:
    """Everything for a terminal or a printer."""
    lines = [sheet.title + (", with solutions" if solution else ""), sheet.subtitle, ""]
    for number, each in enumerate(sheet.exercises, start=1):
        lines += [*_exercise_lines(number, each, solution), ""]
    if not solution:
        lines += [
            "Answer file: one line a blank, such as",
            f"  {sheet.blanks[0].id}: {_pattern(sheet.blanks[0])}",
            f"check it with: {sheet.command} --check FILE",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _exercise_lines(number: int, each: Exercise, solution: bool) -> list[str]:
    lines = [f"{number}  {each.title}", *textwrap.wrap(each.statement, WIDTH, initial_indent="   ", subsequent_indent="   "), ""]
    for given in each.givens:
        lines += ["   " + line for line in given_lines(given)]
    lines.append("")
    for blank in each.blanks:
        what = f"   {blank.id}  {blank.label} ({blank.expects}, {blank.points} point{'s' if blank.points > 1 else ''}):"
        lines.append(f"{what} {matrix_text(blank.answer)}" if solution else f"{what} {'_' * 16}")
    if solution:
        lines.append("")
        for step in each.steps:
            lines += textwrap.wrap(
                f"{step.words} {step.formula}".strip(), WIDTH, initial_indent="   " if step.words else "     ", subsequent_indent="       "
            )
    return lines


def given_lines(given: Given) -> list[str]:
    """A number on one line, an array on its own."""
    if isinstance(given.value, np.ndarray):
        return [f"{given.name}:", *("  " + line for line in grid_text(given.value))]
    return [f"{given.name}: {given.value}"]


def _pattern(blank: Blank) -> str:
    """What an answer to the blank looks like, with made-up numbers."""
    return "0 0; 0 0" if blank.answer.ndim == 2 else "0 0 0" if blank.answer.ndim else "0"


def as_dict(sheet: Sheet, solution: bool) -> dict[str, Any]:
    """Plain data; the answers of a blank sheet are null, ready to be filled in."""
    right = sheet.answers()
    return {
        "topics": list(sheet.topics),
        "seed": sheet.seed,
        "level": sheet.level,
        "count": sheet.count,
        "points": sheet.points,
        "command": sheet.command,
        "exercises": [
            {
                "topic": each.topic,
                "title": each.title,
                "statement": each.statement,
                "given": {given.name: given.value.tolist() if isinstance(given.value, np.ndarray) else given.value for given in each.givens},
                "blanks": [{"id": blank.id, "label": blank.label, "expects": blank.expects, "points": blank.points} for blank in each.blanks],
                **({"steps": [{"words": step.words, "formula": step.formula} for step in each.steps]} if solution else {}),
            }
            for each in sheet.exercises
        ],
        "answers": right if solution else dict.fromkeys(right),
    }
