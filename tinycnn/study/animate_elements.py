"""Any operator as an animation: a frame for each output element, with the elements it reads marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import TinycnnError, UsageError
from .animate_panels import Grid, arithmetic, call_title, element_name, grid_of
from .animation import Animation, Frame, Mark, Place, cell_text
from .explain import explain
from .explanation import Element, Explanation
from .tables import shape_text

__all__ = ["by_elements", "frames_of"]

Smalls = Callable[[Element], dict[tuple[str, tuple[int, ...]], str]]
MOST_ELEMENTS = 400


def by_elements(found: Explanation) -> Animation:
    """Frames from the sources of each element, for resizes, shuffles, losses and everything else."""
    result = found.results[0]
    read = {name for element in result.elements for name, _ in element.sources}
    shown = {name: array for name, array in found.arrays.items() if name in read}
    if not shown:
        raise UsageError(f"animate: {found.operator} reads no numbers here, so there is nothing to mark")
    if result.values.size > MOST_ELEMENTS:
        raise UsageError(f"animate: {result.values.size:,} steps are more than anybody watches; take a smaller input, below {MOST_ELEMENTS}")
    grids: dict[str, Grid] = {}
    panels: list[Any] = []
    for place, (name, array) in enumerate(shown.items()):
        grids[name] = grid_of(name, array, 2, 0 if place == 0 else 1, len(panels))
        panels += grids[name].panels
    out = grid_of("y", result.values, 2, 2, len(panels), hidden=True)
    panels += out.panels
    weights = _tap_weights(found)
    frames = [_frame(element, result.values.shape, grids, out, weights) for element in result.elements]
    inputs = " and ".join(shape_text(_telling(array.shape)) for array in list(shown.values())[:2])
    options = {key: value for key, value in found.options.items() if not callable(value)}
    title = call_title(found.operator, f"{inputs} \N{RIGHTWARDS ARROW} {shape_text(_telling(result.values.shape))}", options)
    sign = "\N{RIGHTWARDS ARROW}"
    return Animation(found.operator, title, panels, frames, ("", sign), [found.summary])


def _telling(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without leading ones."""
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _tap_weights(found: Explanation) -> dict[tuple[tuple[int, ...], tuple[int, ...]], Any]:
    """How much each output takes of each input element, of an operator linear in its input: what it does to an input of ones."""
    if found.family != "resize" or len(found.arrays) != 1:
        return {}
    try:
        ones = explain(found.operator, input=np.ones_like(found.arrays["input"]), **found.options)
    except TinycnnError:
        return {}
    return {
        (element.index, term.sources[0][1]): term.value
        for element in ones.results[0].elements
        for term in element.terms
        if len(term.sources) == 1 and term.value != 1
    }


def _frame(element: Element, shape: tuple[int, ...], grids: dict[str, Grid], out: Grid, weights: dict[Any, Any]) -> Frame:
    marks: dict[Place, Mark] = {}
    for name, index in element.sources:
        weight = weights.get((element.index, index))
        marks[grids[name].place(index)] = Mark("term", "" if weight is None else f"\N{MULTIPLICATION SIGN}{cell_text(weight)}")
    return Frame(marks | {out.place(element.index): Mark("now")}, {out.place(element.index): cell_text(element.value)}, _line(element, shape))


def _line(element: Element, shape: tuple[int, ...]) -> str:
    """The element, its numbers and its value; each once."""
    name, value = element_name(element.index, shape), cell_text(element.value)
    numbers = element.decisions[0] if element.decisions else arithmetic(element)
    return f"{name} = {value}" if numbers in (value, str(element.value)) else f"{name} = {numbers} = {value}"


def frames_of(
    found: Explanation, marks_of: Callable[[Element], dict[Place, Mark]], out: Grid, line_of: Callable[[Element], str] | None = None
) -> list[Frame]:
    """A frame for each element of the result, with the marks and the line that a family has."""
    result = found.results[0]
    return [
        Frame(
            marks_of(element) | {out.place(element.index): Mark("now")},
            {out.place(element.index): cell_text(element.value)},
            line_of(element) if line_of else _line(element, result.values.shape),
        )
        for element in result.elements
    ]
