"""An explanation as text, as LaTeX and as plain data for JSON."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from .explanation import Element, Explanation, Part, Table
from .tracetext import latex_name, latex_number, plain

__all__ = ["as_dict", "as_latex", "as_text", "grid_text"]

WIDTH = 118
WIDEST_CELL = 90


def as_text(found: Explanation, elements: int) -> str:
    """Everything for a terminal."""
    lines = [f"{found.call}", found.summary.replace("\n", " "), ""]
    if found.formula:
        lines += ["Formula", *("  " + line for line in found.formula.splitlines()), ""]
    for name, array in found.arrays.items():
        if not name.startswith("grad"):
            lines += [f"{name} {shape_text(array)}", *("  " + line for line in grid_text(array)), ""]
    for part in found.results:
        lines += part_lines(part, elements)
    for table in found.tables:
        lines += table_lines(table, 2 * elements)
    for name, array in found.arrays.items():
        if name.startswith("grad"):
            lines += [f"upstream {name} {shape_text(array)}", *("  " + line for line in grid_text(array)), ""]
    for part in found.gradients:
        lines += part_lines(part, elements)
    if found.checks:
        lines += check_lines(found)
    lines += [f"Note: {note}" for note in found.notes]
    if found.kinks and found.gradients:
        lines.append(f"The derivative jumps at: {found.kinks}")
    error = found.largest_error
    if any(element.terms for part in found.parts for element in part.elements):
        lines.append("The terms of every element add up to its value" + (f", to {error:.0e}" if error else ", exactly"))
    return "\n".join(lines).rstrip() + "\n"


def shape_text(array: np.ndarray) -> str:
    """A shape as 2 x 3."""
    return " x ".join(map(str, array.shape)) if array.ndim else "one number"


def grid_text(array: np.ndarray) -> list[str]:
    """Rows and columns; leading axes as headings."""
    if array.ndim <= 1:
        rows = [array.reshape(-1)]
        return _aligned([[plain(value) for value in row] for row in (part.tolist() for part in rows)])
    lines: list[str] = []
    for index in np.ndindex(array.shape[:-2]):
        if array.ndim > 2:
            lines.append(f"[{', '.join(map(str, index))}]")
        lines += _aligned([[plain(value) for value in row] for row in array[index].tolist()])
    return lines


def _aligned(rows: list[list[str]]) -> list[str]:
    width = max((len(cell) for row in rows for cell in row), default=0)
    return ["  ".join(cell.rjust(width) for cell in row) for row in rows]


def part_lines(part: Part, elements: int) -> list[str]:
    """A result or gradient: its numbers, the shared steps, and its elements' terms."""
    lines = [f"{part.name} {shape_text(part.values)}", *("  " + line for line in grid_text(part.values)), ""]
    for step in part.steps[: 2 * elements]:
        lines.append(f"  {step.name} = {cut(step.symbols)} = {cut(step.numbers)} = {plain(step.value)}")
    for element in part.elements[:elements]:
        lines.append("  " + element_line(part, element))
    if len(part.elements) > elements:
        lines.append(f"  ... {len(part.elements) - elements} more elements; --elements {len(part.elements)} writes all of them")
    return [*lines, ""]


def element_line(part: Part, element: Element) -> str:
    """One element: symbols = numbers = value."""
    name = part.name + (f"[{', '.join(map(str, element.index))}]" if element.index else "")
    if element.decisions:
        return f"{name} = {element.decisions[0]}"
    if not element.terms:
        reads = ", ".join(source + f"[{', '.join(map(str, index))}]" for source, index in element.sources[:12])
        return f"{name} = {plain(element.value)}" + (f", decided by {reads}" if reads else "")
    chain = [cut(element.symbols), cut(element.numbers), plain(element.value)]
    shown = [text for place, text in enumerate(chain) if not place or text != chain[place - 1]]
    return f"{name} = " + " = ".join(shown)


def cut(text: str, width: int = 4 * WIDTH) -> str:
    """A long text cut off."""
    return text if len(text) <= width else text[: width - 4] + " ..."


def table_lines(table: Table, most: int = 1000) -> list[str]:
    """A table with aligned columns, its first rows."""
    rows = [tuple(cut(cell, WIDEST_CELL) for cell in row) for row in table.rows[:most]]
    widths = [max(len(row[column]) for row in [table.header, *rows]) for column in range(len(table.header))]
    lines = [table.title]
    for row in [table.header, tuple("-" * width for width in widths), *rows]:
        lines.append("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if len(table.rows) > most:
        lines.append(f"  ... {len(table.rows) - most} more rows")
    return [*lines, *(["  " + table.note] if table.note else []), ""]


def check_lines(found: Explanation) -> list[str]:
    """Analytic gradients beside finite differences."""
    rows = [
        (f"{check.of}[{', '.join(map(str, check.index))}]", f"{check.analytic:.8g}", f"{check.numeric:.8g}", check.verdict) for check in found.checks
    ]
    lines = table_lines(Table("Numeric check: central differences of sum(grad y)", ("entry", "analytic", "numeric", "verdict"), tuple(rows)))
    agreed = sum(check.agrees for check in found.checks)
    return [*lines[:-1], f"  {agreed} of {len(found.checks)} entries agree", ""]


# LaTeX


def as_latex(found: Explanation, elements: int) -> str:
    """The arrays as matrices and every element as one line of align*."""
    lines = [f"% {found.call}"]
    for name, array in found.arrays.items():
        lines += [r"\[", f"{latex_name(name, ())} = {latex_matrix(array)}", r"\]"]
    for part in found.parts:
        rows = [f"{step_name(step.name)} &= {step.latex} = {latex_number(step.value)}" for step in part.steps[: 2 * elements]]
        for element in part.elements[:elements]:
            name = latex_name(part.name, element.index)
            if element.terms:
                rows.append(f"{name} &= {element.latex} = {latex_number(element.value)}")
            else:
                rows.append(rf"{name} &= \text{{{element.value}}}")
        lines += [r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"]
    return "\n".join(lines) + "\n"


def step_name(name: str) -> str:
    """s1 as s_{1}."""
    return f"{name[0]}_{{{name[1:]}}}"


def latex_matrix(array: np.ndarray) -> str:
    """The last two axes as a matrix, each leading index its own."""
    if array.ndim == 0:
        return latex_number(array.item())
    flat = array.reshape((-1, *array.shape[-2:])) if array.ndim > 1 else array.reshape(1, 1, -1)
    matrices = []
    for matrix in flat:
        rows = r" \\ ".join(" & ".join(latex_number(_exact(value)) for value in row) for row in matrix.tolist())
        matrices.append(rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}")
    return r" ,\; ".join(matrices)


def _exact(value: Any) -> Any:
    return Fraction(value) if isinstance(value, float) and math.isfinite(value) and value.is_integer() else value


# JSON


def as_dict(found: Explanation) -> dict[str, Any]:
    """Plain data."""
    return {
        "operator": found.operator,
        "family": found.family,
        "call": found.call,
        "summary": found.summary,
        "formula": found.formula,
        "kinks": found.kinks,
        "options": {key: plain_option(value) for key, value in found.options.items()},
        "arrays": {name: {"shape": list(array.shape), "values": finite(array.tolist())} for name, array in found.arrays.items()},
        "results": [part_dict(part) for part in found.results],
        "gradients": [part_dict(part) for part in found.gradients],
        "tables": [{"title": table.title, "header": table.header, "rows": table.rows, "note": table.note} for table in found.tables],
        "checks": [
            {
                "of": check.of, "index": check.index, "analytic": finite(check.analytic), "numeric": finite(check.numeric),
                "left": finite(check.left), "right": finite(check.right), "kink": check.kink, "agrees": check.agrees, "verdict": check.verdict,
            }
            for check in found.checks
        ],
        "notes": found.notes,
        "largest_error": found.largest_error,
    }  # fmt: skip


def plain_option(value: Any) -> Any:
    """An option as JSON knows it."""
    if isinstance(value, (tuple, list)):
        return [plain_option(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def finite(value: Any) -> Any:
    """NaN and infinities, which JSON lacks, as words."""
    if isinstance(value, list):
        return [finite(part) for part in value]
    return plain(value) if isinstance(value, float) and not math.isfinite(value) else value


def part_dict(part: Part) -> dict[str, Any]:
    """A result or gradient."""
    return {
        "name": part.name,
        "of": part.of,
        "shape": list(part.values.shape),
        "values": finite(part.values.tolist()),
        "steps": [
            {"name": step.name, "symbols": step.symbols, "numbers": step.numbers, "value": plain(step.value), "sources": step.sources}
            for step in part.steps
        ],
        "elements": [
            {
                "index": element.index,
                "value": element.value if isinstance(element.value, bool) else plain(element.value),
                "symbols": element.symbols,
                "numbers": element.numbers,
                "terms": [
                    {"symbols": term.symbols, "numbers": term.numbers, "value": plain(term.value), "sources": term.sources} for term in element.terms
                ],
                "sources": element.sources,
                "steps": element.steps,
                "decisions": element.decisions,
            }
            for element in part.elements
        ],
    }
