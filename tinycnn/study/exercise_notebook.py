"""A sheet of exercises as a Jupyter notebook, nbformat 4.5, written as plain JSON data."""

from __future__ import annotations

from typing import Any

import numpy as np

from .exercise_sheet import Blank, Exercise, Given, Sheet, matrix_text, value_text

__all__ = ["as_notebook"]


def as_notebook(sheet: Sheet, solution: bool) -> dict[str, Any]:
    """The notebook: an exercise a text cell, its answers a code cell, and a last cell that marks them."""
    call = f"exercise({list(sheet.topics)!r}, seed={sheet.seed}, count={sheet.count}, level={sheet.level})"
    cells: list[dict[str, Any]] = []

    def add(kind: str, text: str) -> None:
        code: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
        cells.append({"cell_type": kind, "id": f"cell-{len(cells) + 1}", "metadata": {}, **code, "source": text.splitlines(keepends=True)})

    add("markdown", f"# {sheet.title}{', with solutions' if solution else ''}\n\n{sheet.subtitle}")
    add("code", f"from tinycnn.study import exercise\n\nsheet = {call}\nanswers = {{}}")
    for number, each in enumerate(sheet.exercises, start=1):
        add("markdown", _question(number, each))
        if solution:
            add("markdown", _solution(each))
        add(
            "code",
            "\n".join(f"answers[{blank.id!r}] = {matrix_text(blank.answer) if solution else ''!r}  # {_asked(blank)}" for blank in each.blanks),
        )
    add("code", f"print(sheet.check(answers{', solution=True' if solution else ''}))")
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}


def _asked(blank: Blank) -> str:
    return f"{blank.label} ({blank.expects}{', rows between semicolons' if blank.answer.ndim == 2 else ''})"


def _question(number: int, each: Exercise) -> str:
    lines = [f"## {number}. {each.title}", "", each.statement, ""]
    for given in each.givens:
        lines += [*_given(given), ""]
    return "\n".join([*lines, *(f"- **{blank.id}** {_asked(blank)}" for blank in each.blanks)])


def _given(given: Given) -> list[str]:
    if not isinstance(given.value, np.ndarray):
        return [f"{given.name}: `{given.value}`"]
    rows = [[value_text(value) for value in row] for row in given.value.reshape(-1, given.value.shape[-1]).tolist()]
    width = max(len(cell) for row in rows for cell in row)
    return [f"{given.name}:", "", "```text", *(" ".join(cell.rjust(width) for cell in row) for row in rows), "```"]


def _solution(each: Exercise) -> str:
    lines = ["**Solution**", ""]
    for step in each.steps:
        lines += [*([step.words] if step.words else []), *([f"`{step.formula}`"] if step.formula else []), ""]
    return "\n".join([*lines, *(f"- **{blank.id}** = `{matrix_text(blank.answer)}`" for blank in each.blanks)])
