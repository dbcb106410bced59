"""Convolutions and pools as animations: the padded input, and a window that slides over it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional
from ..errors import UsageError
from .animate_elements import frames_of
from .animate_panels import Grid, arithmetic, call_title, element_name, grid_of, reference
from .animation import Animation, Mark, Panel, Place, cell_text
from .explain import explain
from .explanation import Element, Explanation
from .shape import shape
from .shape_axis import Axis
from .tables import shape_text

__all__ = ["convolved", "film_of_convolution", "pooled_windows", "spatial_words"]

TIMES = "\N{MULTIPLICATION SIGN}"
PAD_MODES = {"zeros": "constant"}
SHAPE_KINDS = {"min": "max", "sum": "avg", "lp": "max", "max": "max", "avg": "avg"}


def _around(axes: tuple[Axis, ...], more: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Amounts for `pad`, last axis first; `more` cells behind each axis besides."""
    extra = more or (0,) * len(axes)
    return tuple(amount for axis, rest in zip(axes[::-1], extra[::-1], strict=True) for amount in (axis.before, axis.after + rest))


def _kinds(inner: tuple[int, ...], around: tuple[int, ...]) -> np.ndarray:
    """Which cells of a padded image are padding."""
    real = reference(functional.pad, np.ones((1, 1, *inner)), around)[0, 0]
    return np.where(real == 1, "cell", "pad")


def spatial_words(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    """Sizes before and after: "5x5 -> 3x3"."""
    return f"{shape_text(before)} \N{RIGHTWARDS ARROW} {shape_text(after)}"


def _require_one_image(name: str, array: np.ndarray) -> None:
    if len(array) != 1:
        raise UsageError(f"animate: {name}'s input has {len(array)} images; every one goes through the same steps, so give one")


def convolved(name: str, arguments: dict[str, Any], found: Explanation) -> Animation:
    """A convolution, run on the input that `pad` made, so that every product of a window is a term."""
    rank, x, weight = int(name[-2]), arguments["input"], arguments["weight"]
    _require_one_image(name, x)
    answer = shape(
        f"conv{rank}d", x.shape[2:], weight.shape[2:], stride=arguments.get("stride", 1), padding=arguments.get("padding", 0),
        dilation=arguments.get("dilation", 1),
    )  # fmt: skip
    around = _around(answer.axes)
    mode = arguments.get("padding_mode", "zeros")
    padded = reference(functional.pad, x, around, mode=PAD_MODES.get(mode, mode)) if any(around) else x
    inner = {key: value for key, value in arguments.items() if key not in ("padding", "padding_mode")} | {"input": padded}
    inside = explain(name, **inner)
    result = found.results[0].values
    options: dict[str, Any] = {key: arguments[key] for key in ("stride", "padding", "padding_mode", "dilation", "groups") if key in arguments}
    title = call_title(name, spatial_words(x.shape[2:], result.shape[2:]), {"kernel": weight.shape[2:], **options})
    notes = [f"{words}: {text}" for words, text in answer.verdicts]
    spans = [axis.span for axis in answer.axes]
    if any(axis.dilation > 1 for axis in answer.axes):
        notes.append(f"dilation spreads the kernel's {shape_text(weight.shape[2:])} taps over {shape_text(spans)}: d (k - 1) + 1")
    flipped = name.startswith("convolve")
    if flipped:
        notes.append("a true convolution: the kernel is turned by 180 degrees before it is laid over the input")
    return film_of_convolution(inside, _kinds(x.shape[2:], around), title, notes)


def film_of_convolution(inside: Explanation, kinds: np.ndarray, title: str, notes: list[str], word: str = "input") -> Animation:
    """Frames of a convolution without padding: input, weights and result, each product's weight at the corner of its cell."""
    rank = inside.arrays["input"].ndim - 2
    left = grid_of(word, inside.arrays["input"], rank, 0, 0, kinds)
    middle = grid_of("kernel", inside.arrays["weight"], rank, 1, len(left.panels), upright=False)
    panels: list[Panel] = [*left.panels, *middle.panels]
    bias: Grid | None = None
    if "bias" in inside.arrays:
        row = max(panel.place[0] for panel in middle.panels) + 1
        bias = grid_of("bias", inside.arrays["bias"], 1, 1, len(panels))
        panels += [Panel(panel.title, 1, (row, 0), panel.texts, panel.kinds) for panel in bias.panels]
    out = grid_of("result", inside.results[0].values, rank, 2, len(panels), hidden=True)
    panels += out.panels

    def marks(element: Element) -> dict[Place, Mark]:
        found: dict[Place, Mark] = {}
        for term in element.terms:
            cell = next((index for name, index in term.sources if name == "input"), None)
            tap = next((index for name, index in term.sources if name == "weight"), None)
            if tap is not None:
                found[middle.place(tap)] = Mark("term")
            if cell is not None and tap is not None:
                found[left.place(cell)] = Mark("term", TIMES + cell_text(inside.arrays["weight"][tap]))
            if cell is None and tap is None and term.sources and bias is not None:
                found[bias.place(term.sources[0][1])] = Mark("term")
        return found

    signs = ("\N{ASTERISK OPERATOR}", "=")
    return Animation(inside.operator, title, [*panels], frames_of(inside, marks, out), signs, notes)


def _windows(grid: tuple[int, ...], axes: tuple[Axis, ...]) -> np.ndarray:
    """For each window, the positions in a padded image that it lies over: an image of positions, unfolded."""
    two = (1, *grid)[-2:]
    options = {"kernel_size": 1, "dilation": 1, "stride": 1}
    chosen = {}
    for key, attribute in (("kernel_size", "kernel"), ("dilation", "dilation"), ("stride", "stride")):
        values = tuple(getattr(axis, attribute) for axis in axes)
        chosen[key] = (options[key], *values)[-2:]
    positions = np.arange(float(np.prod(two))).reshape(1, 1, *two)
    return reference(functional.unfold, positions, **chosen)[0].T.astype(np.int64)


def pooled_windows(name: str, arguments: dict[str, Any], found: Explanation) -> Animation:
    """A pooling: the window's cells, the winner of a maximum, the terms of a mean."""
    rank, x = int(name[-2]), arguments["input"]
    _require_one_image(name, x)
    kind = name.split("_")[0]
    answer = shape(
        f"{SHAPE_KINDS[kind]}_pool{rank}d", x.shape[2:], arguments["kernel_size"], stride=arguments.get("stride"),
        padding=arguments.get("padding", 0), dilation=arguments.get("dilation", 1), ceil_mode=bool(arguments.get("ceil_mode", False)),
    )  # fmt: skip
    axes = answer.axes
    result = found.results[0].values
    out_size = result.shape[2:]
    more = tuple(max(0, (size - 1) * axis.stride + axis.span - axis.padded) for size, axis in zip(out_size, axes, strict=True))
    around = _around(axes, more)
    filler = {"max": -np.inf, "min": np.inf}.get(kind, 0.0)
    padded = reference(functional.pad, x, around, value=filler)
    windows = _windows(padded.shape[2:], axes).reshape(*out_size, -1)
    left = grid_of("input", padded, rank, 0, 0, _kinds(x.shape[2:], around))
    out = grid_of("result", result, rank, 2, len(left.panels), hidden=True)
    indices = found.results[1].values if len(found.results) > 1 else None
    panels = [*left.panels, *out.panels]
    before = tuple(axis.before for axis in axes)

    def marks(element: Element) -> dict[Place, Mark]:
        marked: dict[Place, Mark] = {}
        for cell in _cells(windows[element.index[2:]], padded.shape[2:]):
            marked[left.place((*element.index[:2], *cell))] = Mark("window")
        for _, index in element.sources:
            cell = (*index[:2], *(i + p for i, p in zip(index[2:], before, strict=True)))
            marked[left.place(cell)] = Mark("best" if kind in ("max", "min") else "term")
        return marked

    def line(element: Element) -> str:
        text = element_name(element.index, result.shape)
        value = cell_text(element.value)
        if kind not in ("max", "min"):
            return f"{text} = {arithmetic(element)} = {value}"
        cells = _cells(windows[element.index[2:]], padded.shape[2:])
        values = ", ".join(cell_text(padded[(*element.index[:2], *cell)]) for cell in cells)
        remembered = "" if indices is None else f"; index {indices[element.index]} is remembered"
        return f"{text} = {kind}({values}) = {value}{remembered}"

    options: dict[str, Any] = {key: arguments[key] for key in ("stride", "padding", "dilation", "ceil_mode", "norm_type") if key in arguments}
    kernel = tuple(axis.kernel for axis in axes)
    title = call_title(name, spatial_words(x.shape[2:], out_size), {"kernel": kernel, **options})
    notes = [f"{words}: {text}" for words, text in answer.verdicts]
    if kind == "max" and any(around):
        notes.append("the padding of a maximum is minus infinity, which never wins")
    return Animation(name, title, panels, frames_of(found, marks, out, line), ("", "\N{RIGHTWARDS ARROW}"), notes)


def _cells(positions: np.ndarray, grid: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Flat positions as indices of the padded image."""
    return [tuple(int(i) for i in np.unravel_index(position, grid)) for position in positions]


