"""A sheet of exercises as a LaTeX document: class article, package amsmath and nothing else."""

from __future__ import annotations

import re

import numpy as np

from .exercise_sheet import Blank, Exercise, Given, Sheet, value_text

__all__ = ["as_latex", "escaped", "math_text"]

SPECIAL = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
           "^": r"\textasciicircum{}", "<": r"$<$", ">": r"$>$", "|": r"$|$"}  # fmt: skip


def escaped(text: str) -> str:
    """Plain text as LaTeX prints it.

    Examples
    --------
    >>> escaped("50 % of x_1")
    '50 \\\\% of x\\\\_1'
    """
    return "".join(SPECIAL.get(letter, letter) for letter in text)


def math_text(text: str) -> str:
    """A formula in plain characters as inline mathematics, which TeX may break after its signs.

    Examples
    --------
    >>> math_text("2*3 + 1 = 7"), math_text("floor(i)")
    ('$2 \\\\cdot 3 + 1 = 7$', '$\\\\text{floor}(i)$')
    """
    parts = re.split(r"( ?[A-Za-z_][A-Za-z_0-9]+(?: [A-Za-z_]{2,})* ?|\s*\*\s*| ?<= ?| ?>= ?|\^[0-9]|[%#&_{}~$|\\^;,])", text)
    written = []
    for part in parts:
        sign = part.strip()
        if sign == "*":
            written.append(r" \cdot ")
        elif sign in ("<=", ">="):
            written.append({"<=": r" \le ", ">=": r" \ge "}[sign])
        elif re.fullmatch(r"\^[0-9]", sign):
            written.append(sign)
        elif sign in (";", ","):
            written.append(sign + r"\ ")
        elif len(sign) > 1 and re.fullmatch(r"[A-Za-z_][A-Za-z_0-9 ]+", sign):
            written.append(rf"\text{{{escaped(part)}}}")
        elif sign and sign in SPECIAL:
            written.append(rf"\text{{{SPECIAL[sign]}}}")
        else:
            written.append(part)
    return f"${''.join(written)}$"


def as_latex(sheet: Sheet, solution: bool) -> str:
    """The document."""
    lines = [
        f"% {sheet.command}",
        r"\documentclass[11pt,a4paper]{article}",
        r"\usepackage{amsmath}",
        r"\setcounter{MaxMatrixCols}{40}",
        r"\setlength{\parindent}{0pt}\setlength{\parskip}{6pt}",
        r"\begin{document}\raggedright",
        rf"\section*{{{escaped(sheet.title)}{', with solutions' if solution else ''}}}",
        rf"{escaped(sheet.subtitle)}" + ("" if solution else r"\hfill Name: \rule{6cm}{0.4pt}"),
    ]
    for number, each in enumerate(sheet.exercises, start=1):
        lines += _exercise(number, each, solution)
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def _exercise(number: int, each: Exercise, solution: bool) -> list[str]:
    lines = [rf"\subsection*{{{number}\quad {escaped(each.title)}}}", escaped(each.statement), r"\begin{itemize}"]
    lines += [rf"\item {_given(given)}" for given in each.givens]
    lines += [r"\end{itemize}", r"\begin{itemize}"]
    lines += [
        rf"\item[{blank.id}] {escaped(blank.label)} ({escaped(blank.expects)}): {_answer(blank) if solution else _room(blank)}"
        for blank in each.blanks
    ]
    lines.append(r"\end{itemize}")
    if solution:
        lines += [rf"{escaped(step.words)} {math_text(step.formula) if step.formula else ''}".strip() + r"\par" for step in each.steps]
    else:
        lines.append(r"\vspace{4cm}")
    return lines


def _given(given: Given) -> str:
    if isinstance(given.value, np.ndarray):
        return f"{escaped(given.name)}: ${matrix(given.value)}$"
    return f"{escaped(given.name)}: {escaped(str(given.value))}"


def matrix(values: np.ndarray) -> str:
    """Rows and columns in round brackets."""
    rows = values.reshape(1, -1) if values.ndim < 2 else values
    body = r" \\ ".join(" & ".join(value_text(value) for value in row) for row in rows.tolist())
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def _answer(blank: Blank) -> str:
    return f"${value_text(blank.answer.item())}$" if blank.answer.ndim == 0 else f"${matrix(blank.answer)}$"


def _room(blank: Blank) -> str:
    """Empty cells, or a line to write on."""
    if blank.is_open or blank.answer.ndim == 0:
        return r"\rule{4cm}{0.4pt}"
    rows, columns = blank.answer.shape if blank.answer.ndim == 2 else (1, blank.answer.size)
    cells = r" \\ \hline ".join(" & ".join([r"\rule[-5pt]{0pt}{18pt}\hspace{18pt}"] * columns) for _ in range(rows))
    return rf"\begin{{tabular}}{{|{'c|' * columns}}} \hline {cells} \\ \hline \end{{tabular}}"
