"""How many products overlap in each output of a transposed convolution: the reason for checkerboard patterns, and when there is none."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import functional
from ..errors import UsageError
from .animate_panels import reference
from .animation import cell_text
from .explain_page import STYLE
from .shape import shape
from .shape_axis import Axis
from .tables import shape_text

__all__ = ["Overlaps", "overlaps"]

LARGEST = 32  # cells a side that are still readable
DRAWS = 256
CELL = 46


@dataclass(frozen=True)
class Overlaps:
    """Counts of products, the verdict with its reason, and what drawn kernels make of an input of ones."""

    question: str
    counts: np.ndarray
    spread: np.ndarray  # root mean square of the outputs over drawn kernels
    drawn: np.ndarray  # the output of one drawn kernel
    steady: tuple[tuple[int, ...], ...]  # for each axis the counts of neighbouring outputs, away from the border
    even: bool
    reasons: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """In one sentence."""
        if self.even:
            return "no checkerboard: away from the border every output adds equally many products"
        return "checkerboard: neighbouring outputs add different numbers of products"

    def text(self) -> str:
        """For a terminal."""
        width = max(len(cell_text(value)) for value in self.counts.reshape(-1))
        rows = [" ".join(cell_text(value).rjust(width) for value in row) for row in self.counts]
        advice = [f"- {each}" for each in self.advice]
        return "\n".join([self.question, self.verdict, *self.reasons, "", "products an output:", *rows, "", *advice]).rstrip() + "\n"

    def svg(self) -> str:
        """The counts as a heat-map of its own."""
        return heat_map(self.counts, "products an output")

    def html(self) -> str:
        """One self-contained page."""
        return _page(self)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "question": self.question, "verdict": self.verdict, "even": self.even, "reasons": list(self.reasons), "advice": list(self.advice),
            "counts": self.counts.astype(int).tolist(), "steady": [list(each) for each in self.steady], "spread": self.spread.tolist(),
            "drawn": self.drawn.tolist(),
        }  # fmt: skip

    def _repr_html_(self) -> str:
        return f'<iframe title="overlaps" style="width:100%;height:640px;border:0" srcdoc="{html.escape(self.html(), quote=True)}"></iframe>'

    def __str__(self) -> str:
        return self.text()


def overlaps(
    input_size: int | tuple[int, ...] = 4,
    kernel_size: int | tuple[int, ...] = 3,
    stride: int | tuple[int, ...] = 2,
    padding: int | tuple[int, ...] = 0,
    output_padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    *,
    rank: int = 2,
    seed: int = 0,
) -> Overlaps:
    """Count the products that each output of a transposed convolution adds up.

    Formula
    -------
    count[o] = how many pairs (i, t) have i s + t d - p = o. Away from the border it depends on o mod s only, and is the same for all o
    if k is a multiple of s (d = 1).

    Parameters
    ----------
    input_size, kernel_size, stride, padding, output_padding, dilation
        As of conv_transpose, one number for all axes or one an axis.
    rank : int
        Spatial axes, 1 or 2.
    seed : int
        Decides the drawn kernels.

    Returns
    -------
    Overlaps

    Raises
    ------
    UsageError
        For sizes that are not readable, or a rank other than 1 and 2. ShapeError, ArgumentError: as the operator raises them.

    Notes
    -----
    The counts are the operator itself, run on ones with a kernel of ones. For kernels drawn with equal variance, the variance of an output is
    proportional to its count: an uneven count is a pattern before anything is learned. With k = s = 2 the counts are all 1; a single
    kernel may still paint its own pattern, but nothing makes it.

    References
    ----------
    Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts" (doi 10.23915/distill.00003).

    Examples
    --------
    >>> overlaps(2, 3, 2).counts.astype(int).tolist()
    [[1, 1, 2, 1, 1], [1, 1, 2, 1, 1], [2, 2, 4, 2, 2], [1, 1, 2, 1, 1], [1, 1, 2, 1, 1]]
    >>> overlaps(4, 2, 2).even
    True
    """
    if rank not in (1, 2):
        raise UsageError(f"overlaps: rank {rank!r} must be 1 or 2; a slide has no third axis")
    name = f"conv_transpose{rank}d"
    answer = shape(name, input_size, kernel_size, stride=stride, padding=padding, dilation=dilation, output_padding=output_padding)
    axes = answer.axes
    if not all(axis.allowed for axis in axes):
        raise UsageError(f"overlaps: {answer.question}: {'; '.join(text for _, text in answer.verdicts)}")
    if max(axis.output for axis in axes) > LARGEST or max(axis.kernel for axis in axes) > LARGEST:
        size = shape_text([axis.output for axis in axes])
        raise UsageError(f"overlaps: a heat-map of {size} cells cannot be read; take smaller sizes, for at most {LARGEST} cells a side")
    operator = getattr(functional, name)
    options = {
        "stride": tuple(axis.stride for axis in axes), "padding": tuple(axis.before for axis in axes),
        "output_padding": tuple(axis.output_padding for axis in axes), "dilation": tuple(axis.dilation for axis in axes),
    }  # fmt: skip
    ones = np.ones((1, 1, *(axis.size for axis in axes)))
    kernel = tuple(axis.kernel for axis in axes)
    weights = np.random.default_rng(seed).standard_normal((1, DRAWS, *kernel))
    flat = (1,) * (2 - rank) + tuple(axis.output for axis in axes)
    counts = reference(operator, ones, np.ones((1, 1, *kernel)), **options).reshape(flat)
    many = reference(operator, ones, weights, **options).reshape(DRAWS, *flat)
    steady = tuple(_steady(axis) for axis in axes)
    even = all(len(set(each)) == 1 for each in steady)
    reasons = tuple(dict.fromkeys(_reason(axis, each) for axis, each in zip(axes, steady, strict=True)))
    return Overlaps(answer.question, counts, np.sqrt((many**2).mean(axis=0)), many[0], steady, even, reasons, _advice(axes, even))


def _steady(axis: Axis) -> tuple[int, ...]:
    """The counts of one stride's outputs, far from both borders."""
    reach = -(-axis.span // axis.stride) + 1
    long = replace(axis, size=2 * reach + 2, before=0, after=0, output_padding=0)
    counts = long.overlaps() or []
    start = reach * axis.stride
    return tuple(counts[start : start + axis.stride])


def _reason(axis: Axis, steady: tuple[int, ...]) -> str:
    """Why the counts of an axis are as they are."""
    shown = " ".join(map(str, steady))
    if len(set(steady)) == 1:
        why = f"kernel {axis.kernel} is {axis.kernel // axis.stride} x stride {axis.stride}" if axis.stride > 1 else "the stride is 1"
        return f"{axis.word}: {why}, so every output adds {steady[0]} product{'s' if steady[0] > 1 else ''}"
    if axis.kernel % axis.stride == 0:
        return f"{axis.word}: dilation {axis.dilation} lets taps meet on the same outputs of stride {axis.stride}: {shown}, repeating"
    return (
        f"{axis.word}: kernel {axis.kernel} = {axis.kernel // axis.stride} x stride {axis.stride} + {axis.kernel % axis.stride}, "
        f"so neighbouring outputs add {shown} products, repeating every {axis.stride}"
    )


def _advice(axes: tuple[Axis, ...], even: bool) -> tuple[str, ...]:
    """What avoids the pattern, or a word against the myth."""
    if even:
        border = "fewer products at the border come from the kernel's overhang there, and are no checkerboard"
        return (border, "a kernel may still learn a pattern of its own; nothing forces it")
    axis = next(axis for axis in axes if axis.kernel % axis.stride or axis.dilation > 1)
    up = -(-axis.kernel // axis.stride) * axis.stride
    down = axis.kernel // axis.stride * axis.stride
    kernels = f"{down} or {up}" if 0 < down < up else str(up)
    return (
        f"take a kernel that is a multiple of the stride ({kernels}), without dilation",
        "or interpolate first and convolve then (resize-convolution)",
        "or convolve to r^2 channels and pixel_shuffle, its filters drawn equal in each group of r^2 (ICNR)",
    )


def _shade(share: float) -> tuple[str, str]:
    """Fill and text of a cell between the smallest (0, light) and the largest (1, dark blue)."""
    low, high = (236, 244, 252), (8, 72, 132)
    fill = "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(low, high, strict=True))
    return fill, "#ffffff" if share > 0.5 else "#000000"


def heat_map(values: np.ndarray, title: str) -> str:
    """Numbers in coloured cells, as SVG."""
    low, high = float(values.min()), float(values.max())
    rows, columns = values.shape
    width, height = columns * CELL + 4, rows * CELL + 4
    size = f'style="max-width:{width}px;width:100%" xmlns="http://www.w3.org/2000/svg"'
    parts = [f'<svg class="heat" viewBox="0 0 {width} {height}" {size} role="img" aria-label="{html.escape(title)}">']
    for row, column in np.ndindex(rows, columns):
        value = float(values[row, column])
        fill, ink = _shade((value - low) / (high - low) if high - low > 1e-9 else 0.25)
        x, y, text = 2 + column * CELL, 2 + row * CELL, cell_text(round(value, 2))
        letters = min(20.0, 0.86 * CELL / (0.6 * len(text)))
        parts.append(
            f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{fill}" stroke="#5b6773"/>'
            f'<text x="{x + CELL / 2:g}" y="{y + CELL / 2 + 7:g}" '
            f'font-size="{letters:.1f}" font-family="sans-serif" font-weight="600" text-anchor="middle" fill="{ink}">{text}</text>'
        )
    return "".join([*parts, "</svg>"])


def _page(found: Overlaps) -> str:
    maps = (
        ("Products an output", found.counts, "The operator run on ones, with a kernel of ones."),
        (f"Root mean square of {DRAWS} drawn kernels", found.spread, "An input of ones; the pattern is there before anything is learned, or is not."),
        ("One drawn kernel", found.drawn, "What one kernel paints on an input of ones: by its weights it may have a pattern with equal counts too."),
    )
    figures = "".join(
        f'<figure class="map"><h2>{html.escape(title)}</h2>{heat_map(values, title)}<figcaption>{html.escape(words)}</figcaption></figure>'
        for title, values, words in maps
    )
    reasons = "".join(f"<p>{html.escape(reason)}</p>" for reason in found.reasons)
    advice = "".join(f"<li>{html.escape(each)}</li>" for each in found.advice)
    own = (
        ".maps{display:flex;flex-wrap:wrap;gap:1.5rem}.map{margin:0;flex:1 1 300px;max-width:560px;break-inside:avoid}"
        ".map svg{display:block;height:auto}.verdict{font-size:1.3rem;font-weight:650}@media print{.map{flex:1 1 40%}}"
    )
    kind = "good" if found.even else "bad"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>Overlaps of a transposed convolution</title><style>{STYLE}{own}</style></head><body><main>
<h1>Checkerboard or not</h1><p class="lead"><code>{html.escape(found.question)}</code></p>
<p class="verdict {kind}">{html.escape(found.verdict)}</p>{reasons}
<div class="maps">{figures}</div><ul>{advice}</ul>
<footer>The numbers come from running the operator with its reference kernel.</footer></main></body></html>
"""
