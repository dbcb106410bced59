"""Operators that put numbers down rather than pick them up: transposed convolution, by scattering or by inserted zeros, and unpooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional
from ..errors import UsageError
from ..registry import OPERATORS
from .animate_panels import Grid, call_title, element_name, grid_of, reference, signed
from .animate_windows import film_of_convolution, spatial_words
from .animation import Animation, Frame, Mark, Panel, Place, cell_text
from .explain import explain
from .explain_arguments import arguments_for
from .explanation import Explanation
from .shape import shape
from .shape_axis import Axis

__all__ = ["transposed", "unpooled"]

TIMES = "\N{MULTIPLICATION SIGN}"


def transposed(name: str, arguments: dict[str, Any], found: Explanation, form: str) -> Animation:
    """A transposed convolution in one of its two forms."""
    x, weight = arguments["input"], arguments["weight"]
    if len(x) != 1:
        raise UsageError(f"animate: {name}'s input has {len(x)} images; every one goes through the same steps, so give one")
    answer = shape(
        name, x.shape[2:], weight.shape[2:], stride=arguments.get("stride", 1), padding=arguments.get("padding", 0),
        dilation=arguments.get("dilation", 1), output_padding=arguments.get("output_padding", 0),
    )  # fmt: skip
    result = found.results[0].values
    options: dict[str, Any] = {key: arguments[key] for key in ("stride", "padding", "output_padding", "dilation", "groups") if key in arguments}
    title = call_title(name, spatial_words(x.shape[2:], result.shape[2:]), {"kernel": weight.shape[2:], **options})
    notes = [f"{words}: {text}" for words, text in answer.verdicts]
    if form == "zeros":
        return _by_zeros(name, arguments, answer.axes, title, notes)
    return _by_scatter(name, arguments, answer.axes, title, notes)


def _by_scatter(name: str, arguments: dict[str, Any], axes: tuple[Axis, ...], title: str, notes: list[str]) -> Animation:
    """Each input element times the kernel is added to the output; padding crops what lies outside."""
    whole = explain(name, **({key: value for key, value in arguments.items() if key != "padding"}))
    result = whole.results[0]
    rank = result.values.ndim - 2
    inside = np.full(result.values.shape[2:], "crop", dtype="<U8")
    inside[tuple(slice(axis.before, axis.before + axis.output) for axis in axes)] = "cell"
    left = grid_of("input", arguments["input"], rank, 0, 0)
    middle = grid_of("kernel", arguments["weight"], rank, 1, len(left.panels), upright=False)
    totals: dict[tuple[int, ...], Any] = {}
    adds: dict[tuple[int, ...], list[tuple[tuple[int, ...], Any, tuple[int, ...]]]] = {}
    for element in result.elements:
        for term in element.terms:
            cell = next((index for source, index in term.sources if source == "input"), None)
            tap = next((index for source, index in term.sources if source == "weight"), None)
            if cell is None or tap is None:
                totals[element.index] = totals.get(element.index, 0) + term.value
            else:
                adds.setdefault(cell, []).append((element.index, term.value, tap))
    start = np.zeros(result.values.shape)
    for index, value in totals.items():
        start[index] = float(value)
    out = grid_of("result", start, rank, 2, len(left.panels) + len(middle.panels), inside)
    cropped = any(axis.before or axis.after for axis in axes)
    if cropped:
        notes = [*notes, "the dashed border is computed and cropped: that is what padding means here"]
    frames = [_stamp(cell, adds[cell], totals, arguments, (left, middle, out)) for cell in sorted(adds, key=lambda index: (index[2:], index[:2]))]
    return Animation(name, title, [*left.panels, *middle.panels, *out.panels], frames, (TIMES, "="), notes)


def _stamp(
    cell: tuple[int, ...], adds: list[tuple[tuple[int, ...], Any, tuple[int, ...]]], totals: dict[tuple[int, ...], Any],
    arguments: dict[str, Any], grids: tuple[Grid, Grid, Grid],
) -> Frame:  # fmt: skip
    """One input element put down; the totals go on."""
    left, middle, out = grids
    value = arguments["input"][cell]
    marks: dict[Place, Mark] = {left.place(cell): Mark("now")}
    writes: dict[Place, str] = {}
    overlaps = 0
    for index, term, tap in adds:
        overlaps += index in totals
        totals[index] = totals.get(index, 0) + term
        marks[middle.place(tap)] = Mark("term", TIMES + cell_text(value))
        marks[out.place(index)] = Mark("term", f"+{cell_text(term)}" if float(term) >= 0 else cell_text(term))
        writes[out.place(index)] = cell_text(totals[index])
    name = element_name(cell, arguments["input"].shape, "input")
    met = f"; {overlaps} of them overlap" if overlaps else ""
    count = "1 cell" if len(adds) == 1 else f"{len(adds)} cells"
    return Frame(marks, writes, f"{name} = {cell_text(value)}: add {signed(value)} {TIMES} kernel to {count}{met}")


def _by_zeros(name: str, arguments: dict[str, Any], axes: tuple[Axis, ...], title: str, notes: list[str]) -> Animation:
    """Zeros between the elements and around them, then an ordinary convolution with the flipped kernel."""
    x, weight = arguments["input"], arguments["weight"]
    rank, groups, channels = x.ndim - 2, arguments.get("groups", 1), x.shape[1]
    spread = getattr(functional, f"conv_transpose{rank}d")
    one = np.ones((channels, 1, *(1,) * rank))
    stride = tuple(axis.stride for axis in axes)
    dilated = reference(spread, x, one, stride=stride, groups=channels)
    real = reference(spread, np.ones_like(x[:, :1]), one[:1], stride=stride)
    around = tuple(
        amount for axis in axes[::-1] for amount in (axis.span - 1 - axis.before, axis.span - 1 - axis.after + axis.output_padding)
    )
    ready = reference(functional.pad, dilated, around)
    marked = reference(functional.pad, real * 2 - 1, around)[0, 0]  # 1 where an element lies, -1 at inserted zeros, 0 around
    kinds = np.where(marked == 1, "cell", np.where(marked == -1, "zero", "pad"))
    split = weight.reshape(groups, channels // groups, *weight.shape[1:])
    flipped = np.flip(np.swapaxes(split, 1, 2), tuple(range(3, 3 + rank))).reshape(-1, channels // groups, *weight.shape[2:])
    options = {"dilation": arguments.get("dilation", 1), "groups": groups}
    inside = explain(f"conv{rank}d", input=ready, weight=flipped.copy(), bias=arguments.get("bias"), **options)
    film = film_of_convolution(inside, kinds, title, [*notes, INSERTED], "input with zeros")
    film.operator = name
    film.panels = [Panel(p.title.replace("kernel", "flipped kernel"), p.group, p.place, p.texts, p.kinds) for p in film.panels]
    return film


INSERTED = (
    "the same result as a convolution of stride 1: stride - 1 zeros between the elements, d (k - 1) - padding around them, and the kernel turned "
    "by 180 degrees"
)


def unpooled(name: str, arrays: tuple[Any, ...], pooled: Any, seed: int, options: dict[str, Any]) -> Animation:
    """Max unpooling: each value goes back to where its maximum was found."""
    rank = int(name[-2])
    before: np.ndarray | None = None
    if pooled is not None:
        arrays, options, before = _remembered(name, rank, arrays, pooled, options)
    found = explain(name, *arrays, seed=seed, **options)
    x, indices, result = found.arrays["input"], found.arrays["indices"], found.results[0]
    panels: list[Panel] = []
    origin = None
    if before is not None:
        origin = grid_of("before pooling", before, rank, 0, 0)
        panels += origin.panels
    left = grid_of("input", x, rank, 0 if origin is None else 1, len(panels))
    panels += left.panels
    where = grid_of("indices", indices, rank, 1, len(panels))
    row = max((panel.place[0] for panel in panels if panel.group == 1), default=-1) + 1
    panels += [Panel(p.title, 1, (p.place[0] + row, p.place[1]), p.texts, p.kinds) for p in where.panels]
    out = grid_of("result", np.zeros(result.values.shape), rank, 2, len(panels))
    panels += out.panels
    frames = []
    for element in sorted((e for e in result.elements if e.sources), key=lambda e: e.sources[0][1]):
        source = element.sources[0][1]
        marks = {left.place(source): Mark("term"), where.place(source): Mark("term"), out.place(element.index): Mark("now")}
        if origin is not None:
            marks[origin.place(element.index)] = Mark("best")
        line = f"{element_name(source, x.shape, 'input')} = {cell_text(element.value)} goes to index {int(indices[source])}, "
        line += element_name(element.index, result.values.shape)
        frames.append(Frame(marks, {out.place(element.index): cell_text(element.value)}, line))
    title = call_title(name, spatial_words(x.shape[2:], result.values.shape[2:]), found.options)
    notes = ["an index counts the cells of the result row by row, from 0; all other cells stay 0"]
    return Animation(name, title, panels, frames, ("", "\N{RIGHTWARDS ARROW}"), notes)


def _remembered(
    name: str, rank: int, arrays: tuple[Any, ...], pooled: Any, options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], np.ndarray]:
    """Values and indices of a max pooling of `pooled`, with the unpooling's own window."""
    if len(arrays) > 1 or "indices" in options:
        raise UsageError("animate: indices and pooled are both given; pooled gives the indices, so leave them out")
    options = {"kernel_size": 2, **options}
    window: dict[str, Any] = {key: options[key] for key in ("kernel_size", "stride", "padding") if key in options}
    pool = f"max_pool{rank}d"
    image = arguments_for(OPERATORS[pool], (pooled,), window, 0)["input"]
    run = explain(pool, image, return_indices=True, **window)
    values, indices = run.results[0].values, run.results[1].values
    options.setdefault("output_size", image.shape[2:])
    first = arrays[0] if arrays else values
    return (first, indices), options, image
