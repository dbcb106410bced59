"""Shift, then convolve; convolve, then shift: where the two differ, and why at each place. Pooling: what a small shift leaves unchanged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import functional
from ...errors import UsageError
from ...functional._arguments import whole
from ...functional._windows import is_list
from ..explanation import Table
from ..toeplitz import axis_sources
from .operands import Operands, conv_size, convolution_operands, reference
from .view import Check, Scene, Step, View, cell_texts, grid

__all__ = ["equivariance", "shifted"]

WORDS = ("row", "column")
MOST_SHIFTS = 8  # pixels up to which invariance is measured


@dataclass(frozen=True)
class Layer:
    """A convolution, a max pooling behind it (1: none), and a shift of the input in (rows, columns)."""

    operands: Operands
    pool: int
    shift: tuple[int, int]

    @property
    def circular(self) -> bool:
        """Whether shifts go round the edge, as circular padding does."""
        return self.operands.geometry.padding_mode == "circular"

    def step(self, axis: int) -> int:
        """Pixels of the input between neighbouring places of the result."""
        return int(self.operands.geometry.stride[axis]) * self.pool

    def shift_of_result(self, axis: int) -> int:
        """Whole places of the result that the shift of the input makes; the rest is the phase."""
        return int(self.shift[axis] / self.step(axis))

    def run(self, image: np.ndarray) -> np.ndarray:
        """Convolve, and pool."""
        found = reference(functional.conv2d, image, self.operands.weight, **self.operands.options)
        return found if self.pool == 1 else reference(functional.max_pool2d, found, self.pool)

    def both(self) -> tuple[np.ndarray, np.ndarray]:
        """The result of the shifted image, and the shifted result."""
        result = self.run(self.operands.input)
        moved = shifted(result, (self.shift_of_result(0), self.shift_of_result(1)), self.circular)
        return self.run(shifted(self.operands.input, self.shift, self.circular)), moved


def shifted(array: np.ndarray, by: tuple[int, int], circular: bool) -> np.ndarray:
    """An image moved down and to the right; what leaves comes back on the other side, or zeros come in.

    Examples
    --------
    >>> shifted(np.array([[1, 2, 3]]), (0, 1), False).tolist(), shifted(np.array([[1, 2, 3]]), (0, 1), True).tolist()
    ([[0, 1, 2]], [[3, 1, 2]])
    """
    moved = np.roll(array, by, (-2, -1))
    if not circular:
        for axis, step in zip((-2, -1), by):
            source = np.arange(array.shape[axis]) - step
            np.moveaxis(moved, axis, 0)[(source < 0) | (source >= array.shape[axis])] = 0
    return moved


def equivariance(
    input: Any = None,
    weight: Any = None,
    *,
    shift: Any = (0, 1),
    pool: int = 1,
    kernel_size: Any = None,
    stride: Any = 1,
    padding: Any = 1,
    dilation: Any = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
    seed: int = 0,
) -> View:
    """Compare shift-then-convolve with convolve-then-shift place by place, with the reason for every place that differs.

    Shapes
    ------
    As `window`; with a pooling of P the result is floor(H_out / P) high.

    Formula
    -------
    f is equivariant to a shift T where f(T x) = T f(x), and invariant where f(T x) = f(x)

    Parameters
    ----------
    input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed
        As in `window`; padding 1 if left out. With padding_mode "circular" the image is shifted round its edge, else zeros come in.
    shift : int or (down, right)
        Pixels by which the input moves; one number moves it to the right, negative ones up and left.
    pool : int
        Size and stride of a max pooling behind the convolution, in pixels; 1 for none.

    Returns
    -------
    View

    Raises
    ------
    UsageError
        As `window`, or for a shift that leaves nothing of the image. ShapeError, ArgumentError: as `conv2d` and `max_pool2d`.

    References
    ----------
    Goodfellow, Bengio and Courville 2016, "Deep Learning", sections 9.2 and 9.3.
    Zhang 2019, "Making convolutional networks shift-invariant again".

    Examples
    --------
    >>> dict(equivariance("deck", "laplacian", padding_mode="circular").facts)["they differ at"]
    '0 of 36 places'
    """
    found = convolution_operands("equivariance", input, weight, kernel_size, stride, padding, dilation, groups, padding_mode, seed)
    whole("equivariance", "pool", pool, 1)
    if min(found.size) < pool:
        raise UsageError(f"equivariance: pool {pool} is larger than the map of {found.size[0]} x {found.size[1]}; use pool <= {min(found.size)}")
    layer = Layer(found, pool, _shift(shift, found))
    first, second = layer.both()
    differs = ~np.isclose(first, second, rtol=1e-12, atol=1e-12)
    down, right = axis_of(layer, 0), axis_of(layer, 1)
    told = {place: down.reason(place[1]) or right.reason(place[2]) for place in zip(*(places.tolist() for places in np.nonzero(differs)))}
    silent = sum(not reason for reason in told.values())
    counts = Counter(reason.split(":")[0] for reason in told.values())
    facts = [
        ("call", found.call() + (f", then max_pool2d({pool})" if pool > 1 else "")),
        ("the image moves", f"{layer.shift[0]} down, {layer.shift[1]} to the right, " + ("round its edge" if layer.circular else "zeros come in")),
        ("the result moves", f"{layer.shift_of_result(0)} down, {layer.shift_of_result(1)} to the right"),
        ("they differ at", f"{int(differs.sum())} of {differs.size} places"),
        *((f"because of {reason}", f"{count} place{'s' * (count > 1)}") for reason, count in counts.most_common()),
    ]
    pools = max(pool, 2)
    return View(
        "equivariance",
        "Equivariance and invariance to translation",
        "A convolution answers a shifted image with a shifted map, except where edges, strides and poolings come between.",
        "equivariant: f(T x) = T f(x)      invariant: f(T x) = f(x)",
        (_comparing(layer, first, second, differs, told), _pooled(found, pools)),
        tuple(facts),
        (
            Check("every place that differs has its reason", float(silent), 0.0),
            Check("circular padding with stride 1 restores equivariance", _restored(found, layer.shift), 1e-10),
        ),
        (_variants(found, layer.shift), _invariance(found, pools)),
        results={"shifted_first": first, "shifted_last": second, "differs": differs},
    )


def _shift(value: Any, found: Operands) -> tuple[int, int]:
    """(down, right), at most the image's size."""
    given = tuple(value) if is_list(value) else (0, value)
    if len(given) != 2 or any(isinstance(part, bool) or not isinstance(part, (int, np.integer)) for part in given):
        raise UsageError(f"equivariance: shift must be whole pixels, one number or (down, right), not {value!r}; write 1 or 0,1")
    for axis in range(2):
        if abs(given[axis]) >= found.input.shape[1 + axis]:
            raise UsageError(
                f"equivariance: a shift by {given[axis]} leaves nothing of {found.input.shape[1 + axis]} {WORDS[axis]}s; "
                f"use at most {found.input.shape[1 + axis] - 1}"
            )
    return int(given[0]), int(given[1])


@dataclass(frozen=True)
class Axis:
    """One axis of a layer: for every place of the result, which pixels its window reads, and which of the unshifted image it is shown there."""

    layer: Layer
    number: int
    reads: np.ndarray  # (places, taps), -1 for a zero
    shown: np.ndarray

    @property
    def word(self) -> str:
        """Of its elements."""
        return WORDS[self.number]

    def reason(self, place: int) -> str:
        """The first reason why the window reads other pixels than the one that moved to its place; empty if it does not."""
        layer, count, size = self.layer, len(self.reads), self.layer.operands.input.shape[1 + self.number]
        by, stride, step = layer.shift[self.number], layer.operands.geometry.stride[self.number], layer.step(self.number)
        origin = place - layer.shift_of_result(self.number)
        origin = origin % count if layer.circular else origin
        inside = 0 <= origin < count
        if inside and np.array_equal(self.shown[place], self.reads[origin]):
            return ""
        if by % stride:
            return f"the stride's phase: {by} {self.word}s are no multiple of the stride {stride}: windows start beside those of the unshifted image"
        if by % step:
            return f"the pooling's phase: {by} {self.word}s are no multiple of {step}, stride times pooling: pixels get other neighbours there"
        if not inside:
            return f"the edge of the map: {self.word} {place} comes in from {self.word} {origin}, which the map lacks: a zero is there"
        if layer.circular:
            return f"the ring not closing: {count} windows of step {step} do not go round {size} {self.word}s: the map wraps where windows do not"
        return self.edge(place, origin)

    def edge(self, place: int, origin: int) -> str:
        """The first pixel in which two windows differ that are at the same pixels otherwise."""
        tap = int(np.flatnonzero(self.shown[place] != self.reads[origin])[0])
        here, there = int(self.shown[place, tap]), int(self.reads[origin, tap])
        if here < 0:
            return f"the edge of the image: {self.word} {there} has left the shifted image, its window reads padding or what came in instead"
        if there < 0:
            return f"the edge of the image: the shifted window reads {self.word} {here}, the unshifted one padding"
        mode = self.layer.operands.geometry.padding_mode
        return f"the edge of the image: {mode} padding copies {self.word} {there}, after the shift {self.word} {here}"


def axis_of(layer: Layer, number: int) -> Axis:
    """What every window of a layer reads along one axis."""
    options, size, by = layer.operands.geometry, layer.operands.input.shape[1 + number], layer.shift[number]
    reads = axis_sources(
        size,
        layer.operands.weight.shape[2 + number],
        options.stride[number],
        options.padding[2 * number],
        options.padding[2 * number + 1],
        options.dilation[number],
        options.padding_mode,
    )
    count = len(reads) // layer.pool
    reads = reads[: count * layer.pool].reshape(count, -1)
    before = (reads - by) % size if layer.circular else reads - by
    return Axis(layer, number, reads, np.where((reads < 0) | (before < 0) | (before >= size), -1, before))


def _comparing(layer: Layer, first: np.ndarray, second: np.ndarray, differs: np.ndarray, told: dict[Any, str]) -> Scene:
    """Both orders, and a step for each place that differs."""
    image = layer.operands.input
    bad, good = tuple(np.flatnonzero(differs).tolist()), tuple(np.flatnonzero(~differs).tolist())
    names = ("shift, then f", "f, then shift", "difference")
    overview = tuple((name, kind, cells) for name in names for kind, cells in (("bad", bad), ("good", good)))
    steps = [Step(f"they agree at {len(good)} of {differs.size} places", ("green: equal, red: different",), overview)]
    for place, reason in told.items():
        number = int(np.ravel_multi_index(place, first.shape))
        marks = (*overview, *((name, "now", (number,)) for name in names))
        steps.append(Step(f"[{', '.join(map(str, place))}] differs because of {reason.split(':')[0]}", (reason.split(": ", 1)[-1],), marks))
    grids = (
        grid("x", image),
        grid("T x", shifted(image, layer.shift, layer.circular), "shifted"),
        grid("shift, then f", first),
        grid("f, then shift", second),
        grid("difference", first - second),
    )
    return Scene("Equivariance", "f is the convolution" + (", then the pooling" if layer.pool > 1 else ""), grids, tuple(steps))


def _changed(found: np.ndarray, before: np.ndarray) -> np.ndarray:
    return ~np.isclose(found, before, rtol=1e-12, atol=1e-12)


def _pooled(found: Operands, pool: int) -> Scene:
    """Detector and pooled map for shifts of one, two, ... pixels: what stays."""
    layer = Layer(found, 1, (0, 0))
    width = min(pool, *found.size)
    start, steps = layer.run(found.input), []
    pooled = reference(functional.max_pool2d, start, width, 1)
    for by in range(min(pool + 2, MOST_SHIFTS, found.input.shape[2])):
        detector = layer.run(shifted(found.input, (0, by), layer.circular))
        after = reference(functional.max_pool2d, detector, width, 1)
        stay, keep = ~_changed(detector, start), ~_changed(after, pooled)
        steps.append(
            Step(
                f"shift by {by}: {int(stay.sum())} of {stay.size} detectors unchanged, {int(keep.sum())} of {keep.size} after pooling",
                (f"unchanged: {100 * stay.mean():.0f} % before pooling, {100 * keep.mean():.0f} % behind it",),
                (
                    ("detector", "good", tuple(np.flatnonzero(stay).tolist())),
                    ("detector", "bad", tuple(np.flatnonzero(~stay).tolist())),
                    ("pooled", "good", tuple(np.flatnonzero(keep).tolist())),
                    ("pooled", "bad", tuple(np.flatnonzero(~keep).tolist())),
                ),
                {"detector": dict(enumerate(cell_texts(detector))), "pooled": dict(enumerate(cell_texts(after)))},
            )
        )
    grids = (grid("detector", start, "the convolution"), grid("pooled", pooled, f"max over {width} x {width}, stride 1"))
    return Scene("Invariance of pooling", "the image moves to the right; green cells keep their value", grids, tuple(steps))


def _with(found: Operands, mode: str, stride: int) -> Operands:
    """The same convolution with other padding and stride; circular padding gives a map as large as the image."""
    options = found.geometry._replace(padding_mode=mode, stride=(stride, stride))
    if mode == "circular":
        reach = [options.dilation[axis] * (found.weight.shape[2 + axis] - 1) for axis in range(2)]
        options = options._replace(padding=tuple(side for each in reach for side in (each // 2, each - each // 2)))
    return Operands(found.input, found.weight, options)


def _closes(found: Operands) -> bool:
    """Whether circular padding may copy that many pixels: at most one image."""
    return all(found.geometry.dilation[axis] * (found.weight.shape[2 + axis] - 1) <= 2 * found.input.shape[1 + axis] for axis in range(2))


def _restored(found: Operands, shift: tuple[int, int]) -> float:
    """The largest difference with circular padding and stride 1."""
    if not _closes(found):
        return 0.0
    first, second = Layer(_with(found, "circular", 1), 1, shift).both()
    return float(np.max(np.abs(first - second)))


def _variants(found: Operands, shift: tuple[int, int]) -> Table:
    """The same comparison under other padding, stride and pooling."""
    rows = []
    for mode in ("zeros", "circular") if _closes(found) else ("zeros",):
        for stride in (1, 2):
            for pool in (1, 2):
                operands = _with(found, mode, stride)
                if min(conv_size(operands.input.shape[1:], operands.weight.shape[2:], operands.geometry)) < pool:
                    continue
                first, second = Layer(operands, pool, shift).both()
                share = _changed(first, second)
                rows.append((mode, str(stride), str(pool), f"{int(share.sum())} of {share.size}"))
    words = f"A shift by {shift[0]} down and {shift[1]} to the right; with circular padding the image goes round its edge"
    return Table("What breaks it, what restores it", ("padding mode", "stride", "pooling", "places that differ"), tuple(rows), words)


def _invariance(found: Operands, pool: int) -> Table:
    """Shares of values that a shift to the right leaves unchanged."""
    layer = Layer(found, 1, (0, 0))
    width = min(pool, *found.size)
    start = layer.run(found.input)
    pools = ((f"max pool {width}, stride 1", 1), (f"max pool {width}, stride {width}", width))
    before = [found.input, start, *(reference(functional.max_pool2d, start, width, step) for _, step in pools)]
    rows = []
    for by in range(min(pool + 2, MOST_SHIFTS, found.input.shape[2])):
        moved = shifted(found.input, (0, by), layer.circular)
        detector = layer.run(moved)
        after = [moved, detector, *(reference(functional.max_pool2d, detector, width, step) for _, step in pools)]
        rows.append((str(by), *(f"{100 * (1 - _changed(new, old).mean()):.0f} %" for new, old in zip(after, before))))
    header = ("shift", "image", "convolution", *(name for name, _ in pools))
    return Table("Values that a shift leaves unchanged", header, tuple(rows), "Invariance, measured on this image")
