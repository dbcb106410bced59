"""Intermediate tables, by operator family: what a lecturer would write beside the result.

A provider is a function of the explanation so far, the operators that were called inside, and the reference kernels that ran with their
arguments; it uses the kernels' own helpers, so no number is computed in a second way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.reference import moments, nms, roi
from ..kernels.reference.boxes import area
from ..tensor import Tensor
from .explain_calls import Call
from .explanation import Element, Explanation, Table
from .plain_numbers import divide
from .traced import number
from .tracetext import plain

__all__ = ["provides", "tables_for"]

Provider = Callable[[Explanation, list[Call]], list[Table]]
MOST_ROWS = 64
_providers: dict[str, list[Provider]] = {}


def provides(*families: str) -> Callable[[Provider], Provider]:
    """Declare a provider of tables for operators of these families, or for single operators by name."""

    def declare(provider: Provider) -> Provider:
        for family in families:
            _providers.setdefault(family, []).append(provider)
        return provider

    return declare


def tables_for(found: Explanation, steps: list[Call], used: list[Call]) -> list[Table]:
    """Every table of the operator."""
    keys = dict.fromkeys((found.family, found.operator))
    tables = [table for key in keys for provider in _providers.get(key, []) for table in provider(found, used)]
    if steps:
        tables.append(composition(steps))
    return [Table(table.title, table.header, table.rows[:MOST_ROWS], _cut_note(table)) for table in tables if table.rows]


def _cut_note(table: Table) -> str:
    more = len(table.rows) - MOST_ROWS
    return table.note if more <= 0 else f"{table.note} {more} more rows are not shown.".strip()


def place(index: tuple[int, ...]) -> str:
    """An index as text."""
    return "[" + ", ".join(map(str, index)) + "]"


def source_text(source: tuple[str, tuple[int, ...]]) -> str:
    """An input element as text."""
    return source[0] + place(source[1])


def value_at(found: Explanation, source: tuple[str, tuple[int, ...]]) -> str:
    """An input element's value."""
    return plain(found.arrays[source[0]][source[1]].item())


def short(value: Any) -> str:
    """An argument or result in a few words: small arrays in full, large ones by shape."""
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, (tuple, list)) and any(isinstance(part, (Tensor, np.ndarray)) for part in value):
        return ", ".join(short(part) for part in value)
    if not isinstance(value, np.ndarray):
        return plain(value) if isinstance(value, float) else str(value)
    if value.size > 12:
        return f"array {value.shape}"
    return np.array2string(value, precision=4, separator=" ", suppress_small=True, max_line_width=200).replace("\n", "")


def composition(steps: list[Call]) -> Table:
    """The operators that a composed one called, in order."""
    rows = []
    for step, call in enumerate(steps, 1):
        arguments = ", ".join(f"{key}={short(value)}" for key, value in list(call.arguments.items())[:3] if value is not None)
        rows.append((str(step), call.name, arguments, short(call.result)))
    return Table("Steps: the operators it calls", ("step", "operator", "arguments", "result"), tuple(rows))


@provides("conv", "convolve", "linear", "lp_pool", "min_sum_pool", "conv_transpose", "unfold")
def products(found: Explanation, used: list[Call]) -> list[Table]:
    """Window, products and sum of every output."""
    rows = []
    for element in found.results[0].elements:
        window = " ".join(plain(value) for value in _window(found, element, "input"))
        rows.append((place(element.index), window, element.numbers, plain(element.value)))
    note = "Cells of the padding are zero and are left out." if found.options.get("padding") else ""
    return [Table("Windows, products and sums", ("y", "window of input", "products", "sum"), tuple(rows), note)]


def _window(found: Explanation, element: Element, name: str) -> list[Any]:
    return [found.arrays[source][index].item() for source, index in element.sources if source == name]


@provides("matmul", "mm", "bmm", "mv", "dot", "addmm", "baddbmm", "einsum", "tensordot", "outer", "gram_matrix")
def matrix_products(found: Explanation, used: list[Call]) -> list[Table]:
    """Row times column of every output."""
    rows = [(place(element.index), element.symbols, element.numbers, plain(element.value)) for element in found.results[0].elements]
    return [Table("Products and sums", ("y", "row times column", "with numbers", "sum"), tuple(rows))]


@provides("sort", "topk", "kthvalue", "median", "max", "min", "amax", "amin", "aminmax", "maximum", "minimum")
def routes(found: Explanation, used: list[Call]) -> list[Table]:
    """Which element stands at each place: the gradient goes there."""
    rows = [
        (part.name + place(element.index), ", ".join(map(source_text, element.sources)), plain(element.value))
        for part in found.results
        for element in part.elements
        if element.terms
    ]
    return [Table("Routes: which element it is", ("result", "comes from", "value"), tuple(rows), "The gradient goes back on the same route.")]


@provides("conv_transpose")
def scatters(found: Explanation, used: list[Call]) -> list[Table]:
    """What every input element paints: the other way to read a transposed convolution."""
    painted: dict[Any, list[str]] = {}
    for element in found.results[0].elements:
        for term in element.terms:
            for source in term.sources:
                if source[0] == "input":
                    painted.setdefault(source, []).append(f"{place(element.index)} += {term.numbers}")
    rows = [(source_text(source), value_at(found, source), ";  ".join(parts)) for source, parts in sorted(painted.items())]
    overlaps = [sum(any(s[0] == "input" for s in term.sources) for term in element.terms) for element in found.results[0].elements]
    note = f"Between {min(overlaps)} and {max(overlaps)} products overlap in one output." + (
        " Unequal overlaps are what checkerboard patterns come from." if min(overlaps) != max(overlaps) else ""
    )
    return [Table("Scatter: what each input element adds, and where", ("input", "value", "adds"), tuple(rows), note)]


@provides("pool", "adaptive_pool", "global_pool", "fractional_pool")
def pooled(found: Explanation, used: list[Call]) -> list[Table]:
    """The window of each output; of a maximum, where it was found."""
    kernel = next((call for call in used if call.name in ("max_of_windows", "mean_of_windows")), None)
    rows = []
    largest = "max" in found.operator
    for element in found.results[0].elements:
        if largest:
            route = source_text(element.sources[0]) if element.sources else "none"
            rows.append((place(element.index), plain(element.value), f"{route} wins; the gradient goes there alone"))
        else:
            rows.append((place(element.index), plain(element.value), element.numbers))
    header = ("y", "maximum", "route") if largest else ("y", "mean", "sum over the window")
    title, note = ("Routes of the maxima", "Of equal elements the first wins.") if largest else ("Windows and means", "")
    tables = [Table(title, header, tuple(rows), note)]
    if kernel is not None:
        windows = [
            (axis, str(number), f"{first} to {stop - 1}", str(stop - first))
            for axis in ("depth", "height", "width")
            for number, (first, stop) in enumerate(kernel.arguments[axis][0].tolist())
        ]
        tables.append(Table("Windows along each axis", ("axis", "output", "cells", "how many"), tuple(windows)))
    return tables


@provides("resize", "grid_sample", "deform_conv", "interpolate")
def taps(found: Explanation, used: list[Call]) -> list[Table]:
    """Which elements each output reads, with which weight."""
    rows = []
    for element in found.results[0].elements:
        for term in element.terms:
            sources = [source for source in term.sources if source[0] == "input"]
            if len(sources) == 1:
                value = found.arrays["input"][sources[0][1]].item()
                weight = plain(divide(term.value, number(value))) if value else "*"
                rows.append((place(element.index), source_text(sources[0]), plain(value), weight, plain(term.value)))
    note = "* the element is 0, any weight gives 0." if any(row[3] == "*" for row in rows) else ""
    return [Table("Taps: what each output reads", ("y", "element", "value", "weight", "adds"), tuple(rows), note)]


@provides("batch_norm", "group_norm", "layer_norm")
def statistics(found: Explanation, used: list[Call]) -> list[Table]:
    """Means and variances as the kernel returned them."""
    call = next((call for call in used if call.name in ("batch_norm", "group_norm", "layer_norm") and isinstance(call.result, tuple)), None)
    if call is None:
        return []
    mean, variance = call.result[1], call.result[2]
    epsilon = float(call.arguments["eps"])
    groups = {"batch_norm": "channel", "group_norm": "image, group", "layer_norm": "row"}[call.name]
    rows = []
    for index in np.ndindex(mean.shape):
        spread = float(variance[index])
        count = found.arrays["input"].size // mean.size
        unbiased = plain(spread * count / (count - 1)) if count > 1 else "-"
        inverse = plain(float(moments.inverse_root(np.float64(spread + epsilon))))
        rows.append((place(index), plain(float(mean[index])), plain(spread), unbiased, inverse))
    note = "Normalisation divides by the biased variance; running_var is updated with the unbiased one, as in PyTorch."
    header = (groups, "mean", "variance (biased)", "unbiased", "1 / sqrt(variance + eps)")
    return [Table("Statistics", header, tuple(rows), note if call.name == "batch_norm" else "")]


@provides("softmax", "cross_entropy", "logsumexp", "softmin")
def log_sum_exp(found: Explanation, used: list[Call]) -> list[Table]:
    """The steps of the log-sum-exp trick, from the history of the result."""
    part = found.results[0]
    rows = [(step.name, step.symbols, step.numbers, plain(step.value)) for step in part.steps]
    note = "The largest score is subtracted first, so that no exponential overflows."
    return [Table("Steps of log-sum-exp", ("step", "symbols", "numbers", "value"), tuple(rows), note)]


@provides("overlaps", "box_losses")
def areas(found: Explanation, used: list[Call]) -> list[Table]:
    """Areas, intersection and union of every pair."""
    if "boxes1" not in found.arrays or found.arrays["boxes1"].shape[-1] != 4 or found.arrays["boxes1"].ndim != 2:
        return []
    first, second = found.arrays["boxes1"], found.arrays["boxes2"]
    pairs = [(i, j) for i in range(len(first)) for j in range(len(second))] if found.family == "overlaps" else [(i, i) for i in range(len(first))]
    rows = [(f"{i}, {j}", *overlap_row(first[i], second[j])) for i, j in pairs]
    return [Table("Areas", ("boxes1, boxes2", "area 1", "area 2", "width x height", "intersection", "union", "IoU"), tuple(rows))]


def overlap_row(a: np.ndarray, b: np.ndarray) -> tuple[str, ...]:
    """Areas, intersection, union and quotient of two boxes, by the definition that NMS uses."""
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    shared = number(width * height)
    union = number(area(a) + area(b) - width * height)
    ratio = divide(shared, union) if union else math.nan
    sides = f"{plain(number(width))} x {plain(number(height))}"
    return plain(number(area(a))), plain(number(area(b))), sides, plain(shared), plain(union), plain(ratio)


@provides("nms")
def suppressions(found: Explanation, used: list[Call]) -> list[Table]:
    """Why each box was kept or suppressed, in the order of scores."""
    call = next((call for call in used if call.name in ("nms", "batched_nms")), None)
    if call is None:
        return []
    boxes, scores, threshold = call.arguments["boxes"], call.arguments["scores"], call.arguments["iou_threshold"]
    groups = call.arguments.get("groups")
    kept = {int(i) for i in call.result}
    earlier: list[int] = []
    rows = []
    for i in (int(position) for position in nms.score_order(scores)):
        rivals = [j for j in earlier if groups is None or groups[i] == groups[j]]
        ratios = ", ".join(f"{overlap_row(boxes[j], boxes[i])[-1]} with {j}" for j in rivals)
        winner = next((j for j in rivals if nms.covers(boxes[j], boxes[i], threshold)), None)
        reason = "kept" if i in kept else f"suppressed by box {winner}: IoU {overlap_row(boxes[winner], boxes[i])[-1]} > {plain(float(threshold))}"
        group = () if groups is None else (str(int(groups[i])),)
        rows.append((str(i), plain(float(scores[i])), *group, ratios or "no kept box before it", reason))
        if i in kept:
            earlier.append(i)
    header = ("box", "score", *(() if groups is None else ("group",)), "IoU with kept boxes", "verdict")
    return [Table("Boxes by falling score", header, tuple(rows))]


@provides("roi")
def sampling_points(found: Explanation, used: list[Call]) -> list[Table]:
    """RoIAlign's samples, or RoIPool's pixels, of each bin."""
    call = next((call for call in used if call.name in ("roi_align", "ps_roi_align", "roi_pool", "ps_roi_pool")), None)
    if call is None:
        return []
    x, rois, given = call.arguments["x"], call.arguments["rois"], call.arguments
    rows = []
    for k in range(len(rois)):
        if "align" in call.name:
            least = 1 if call.name == "roi_align" and not given["aligned"] else None
            aligned = given["aligned"] if call.name == "roi_align" else True
            down, across, _ = roi.align_samples(
                rois[k], x.shape, given["spatial_scale"], given["output_size"], given["sampling_ratio"], aligned, least, x
            )
            for i, ys in enumerate(down):
                for j, xs in enumerate(across):
                    points = [f"({plain(float(low + above))}, {plain(float(left + right))})" for low, _, _, above in ys for left, _, _, right in xs]
                    rows.append((str(k), place((i, j)), str(len(points)), " ".join(points)))
        else:
            last = x.shape[2:] if call.name == "roi_pool" else (x.shape[2] - 1, x.shape[3] - 1)
            down, across = roi.pool_bins(rois[k], given["spatial_scale"], given["output_size"], 1 if call.name == "roi_pool" else 0, last, x)
            rows += [
                (str(k), place((i, j)), str((b - t) * (r - left)), f"rows {t} to {b - 1}, columns {left} to {r - 1}")
                for i, (t, b) in enumerate(down)
                for j, (left, r) in enumerate(across)
            ]
    title = "Sampling points (row, column) of each bin" if "align" in call.name else "Pixels of each bin"
    return [Table(title, ("region", "bin", "how many", "where"), tuple(rows))]


@provides("shape", "index", "shuffle", "padding", "unpool", "embedding")
def index_map(found: Explanation, used: list[Call]) -> list[Table]:
    """Where every output element comes from, for operators that only move numbers."""
    rows = []
    for part in found.results:
        for element in part.elements:
            if len(element.terms) > 1 or (len(element.terms) == 1 and len(element.sources) > 1):
                return []
            origin = source_text(element.sources[0]) if element.sources else f"the constant {plain(element.value)}"
            rows.append((part.name + place(element.index), origin, plain(element.value)))
    return [Table("Index map: where each element comes from", ("output", "comes from", "value"), tuple(rows))]
