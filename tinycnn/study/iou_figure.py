"""Intersection over union of two boxes, drawn and worked out: areas, overlap, union, and the generalized, distance and complete forms."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import ops
from ..errors import ArgumentError
from ..metrics import box_overlaps
from .page import html_table
from .shape_page import answer_page
from .tables import text_table

__all__ = ["IouFigure", "iou_figure", "iou_page", "iou_svg"]

FORMATS = ("xyxy", "xywh", "cxcywh")
Box = tuple[float, float, float, float]
WIDTH, HEIGHT, EDGE = 560.0, 400.0, 46.0
STYLE = """<style>
.iou { max-width: 560px; } .iou .first { fill: var(--a); } .iou .second { fill: var(--b); } .iou .common { fill: var(--c); }
.iou .outline { fill: none; stroke: var(--ink); stroke-width: 2; } .iou .around { fill: none; stroke: var(--soft); stroke-dasharray: 6 4; }
.iou .centres { stroke: var(--accent); stroke-width: 2; } .iou circle { fill: var(--accent); }
</style>"""


@dataclass(frozen=True)
class IouFigure:
    """Two boxes as corners (x1, y1, x2, y2), and the steps: name, formula, numbers put in, value."""

    first: Box
    second: Box
    steps: tuple[tuple[str, str, str, float], ...]

    def value(self, name: str) -> float:
        """The value of a step, such as "IoU"."""
        values = {step[0]: step[3] for step in self.steps}
        if name not in values:
            raise ArgumentError(f"iou_figure: there is no step {name!r}; there are {', '.join(values)}")
        return values[name]

    def rows(self) -> list[list[str]]:
        """The steps as text."""
        return [[name, f"{value:.6g}", formula, numbers] for name, formula, numbers, value in self.steps]

    def text(self) -> str:
        """The steps for a terminal."""
        return text_table(["", "value", "formula", "with your numbers"], self.rows(), left=(0, 2, 3))

    def to_dict(self) -> dict[str, Any]:
        """The steps as plain values."""
        keys = ("name", "formula", "numbers", "value")
        return {"first": self.first, "second": self.second, "steps": [dict(zip(keys, each, strict=True)) for each in self.steps]}


def iou_figure(first: Sequence[float], second: Sequence[float], fmt: str = "xyxy") -> IouFigure:
    """Work out how much two boxes overlap, step by step.

    Parameters
    ----------
    first, second : four numbers
        The boxes, in pixels.
    fmt : str
        "xyxy" corners, "xywh" corner and size, or "cxcywh" centre and size.

    Returns
    -------
    IouFigure

    Raises
    ------
    ArgumentError
        Not four finite numbers, a box turned inside out or without area, an unknown format.

    Notes
    -----
    The values are those of `ops.box_iou`, `generalized_box_iou`, `distance_box_iou` and `complete_box_iou`; the last line counts pixels
    as Pascal VOC's code does, every side one longer.

    Examples
    --------
    >>> figure = iou_figure([0, 0, 4, 4], [2, 1, 6, 5])
    >>> round(figure.value("IoU"), 4), figure.steps[4][2]
    (0.2308, '6 / 26')
    """
    if fmt not in FORMATS:
        raise ArgumentError(f"iou_figure: fmt must be one of {', '.join(FORMATS)}, not {fmt!r}")
    boxes = np.array([_checked(first, fmt), _checked(second, fmt)])
    corners = ops.box_convert(boxes, fmt, "xyxy").numpy()
    if (corners[:, 2:] <= corners[:, :2]).any():
        raise ArgumentError(f"iou_figure: boxes want x2 > x1 and y2 > y1, not {corners.tolist()}; is fmt={fmt!r} right?")
    one, two = (tuple(map(float, each)) for each in corners)
    return IouFigure(one, two, _steps(corners))  # type: ignore[arg-type]


def _checked(box: Sequence[float], fmt: str) -> list[float]:
    try:
        values = [float(each) for each in box]
    except (TypeError, ValueError):
        values = []
    if len(values) != 4 or not all(abs(value) < 1e9 for value in values):
        raise ArgumentError(f"iou_figure: a box is four finite numbers below 1e9 ({fmt}), not {str(box)[:60]}")
    return values


def _steps(corners: np.ndarray[Any, Any]) -> tuple[tuple[str, str, str, float], ...]:
    (x1, y1, x2, y2), (u1, v1, u2, v2) = corners.tolist()
    pair = corners[:1], corners[1:]
    areas = [float(each) for each in ops.box_area(corners).numpy()]
    iou, generalized, distance, complete = (
        float(function(*pair).numpy()[0, 0]) for function in (ops.box_iou, ops.generalized_box_iou, ops.distance_box_iou, ops.complete_box_iou)
    )
    wide, high = max(0.0, min(x2, u2) - max(x1, u1)), max(0.0, min(y2, v2) - max(y1, v1))
    common, around = wide * high, (max(x2, u2) - min(x1, u1)) * (max(y2, v2) - min(y1, v1))
    union = sum(areas) - common
    apart = ((x1 + x2 - u1 - u2) / 2) ** 2 + ((y1 + y2 - v1 - v2) / 2) ** 2
    diagonal = (max(x2, u2) - min(x1, u1)) ** 2 + (max(y2, v2) - min(y1, v1)) ** 2
    sized = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    legacy = float(box_overlaps(sized[:1], sized[1:], plus_one=True)[0, 0])
    return (
        ("area A", "(x2 - x1) (y2 - y1)", f"{x2 - x1:g}·{y2 - y1:g}", areas[0]),
        ("area B", "(x2' - x1') (y2' - y1')", f"{u2 - u1:g}·{v2 - v1:g}", areas[1]),
        (
            "intersection I", "max(0, min x2 - max x1) · max(0, min y2 - max y1)",
            f"max(0, {min(x2, u2):g} - {max(x1, u1):g}) · max(0, {min(y2, v2):g} - {max(y1, v1):g}) = {wide:g}·{high:g}", common,
        ),
        ("union U", "A + B - I", f"{areas[0]:g} + {areas[1]:g} - {common:g}", union),
        ("IoU", "I / U", f"{common:g} / {union:g}", iou),
        ("GIoU", "IoU - (C - U) / C, C around both", f"{iou:.4f} - ({around:g} - {union:g}) / {around:g}", generalized),
        ("DIoU", "IoU - d² / c², d between centres, c the diagonal of C", f"{iou:.4f} - {apart:g} / {diagonal:g}", distance),
        ("CIoU", "DIoU - a v, v of the aspect ratios", f"{distance:.4f} - {distance - complete:.4g}", complete),
        ("IoU, +1 rule", "every side one pixel longer (Pascal VOC's code)", "", legacy),
    )  # fmt: skip


def iou_svg(figure: IouFigure) -> str:
    """The two boxes, what they share, the box around both (dashed) and the line between their centres."""
    (x1, y1, x2, y2), (u1, v1, u2, v2) = figure.first, figure.second
    left, top, right, bottom = min(x1, u1), min(y1, v1), max(x2, u2), max(y2, v2)
    scale = min((WIDTH - 2 * EDGE) / (right - left), (HEIGHT - 2 * EDGE) / (bottom - top))

    def rectangle(a: float, b: float, c: float, d: float, kind: str) -> str:
        x, y = EDGE + (a - left) * scale, EDGE + (b - top) * scale
        return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{(c - a) * scale:.1f}" height="{(d - b) * scale:.1f}"/>'

    def point(x: float, y: float) -> tuple[float, float]:
        return EDGE + (x - left) * scale, EDGE + (y - top) * scale

    parts = [rectangle(x1, y1, x2, y2, "first"), rectangle(u1, v1, u2, v2, "second")]
    if min(x2, u2) > max(x1, u1) and min(y2, v2) > max(y1, v1):
        parts.append(rectangle(max(x1, u1), max(y1, v1), min(x2, u2), min(y2, v2), "common"))
    parts += [rectangle(left, top, right, bottom, "around"), rectangle(x1, y1, x2, y2, "outline"), rectangle(u1, v1, u2, v2, "outline")]
    (ax, ay), (bx, by) = point((x1 + x2) / 2, (y1 + y2) / 2), point((u1 + u2) / 2, (v1 + v2) / 2)
    parts.append(f'<line class="centres" x1="{ax:.1f}" y1="{ay:.1f}" x2="{bx:.1f}" y2="{by:.1f}"/>')
    for (x, y), (cx, cy), name in ((point(x1, y1), (ax, ay), "A"), (point(u2, v2), (bx, by), "B")):
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4"/>')
        shift = (5, 17) if name == "A" else (-15, -7)
        parts.append(f'<text class="title" x="{x + shift[0]:.1f}" y="{y + shift[1]:.1f}">{name}</text>')
    height = EDGE * 2 + (bottom - top) * scale
    words = html.escape(f"IoU {figure.value('IoU'):.4f}", quote=True)
    return f'<svg class="iou" viewBox="0 0 {WIDTH:g} {height:.0f}" role="img" aria-label="{words}">{"".join(parts)}</svg>'


def iou_page(figure: IouFigure) -> str:
    """The picture and the steps as one page that needs no network.

    Examples
    --------
    >>> "6 / 26" in iou_page(iou_figure([0, 0, 4, 4], [2, 1, 6, 5]))
    True
    """
    parts = [STYLE, iou_svg(figure), '<p class="soft">green: the intersection; dashed: the box around both; the line joins the centres</p>']
    parts.append(html_table(("", "value", "formula", "with your numbers"), figure.rows(), numbers=(1,), whole=(0,)))
    return answer_page(f"IoU of two boxes: {figure.value('IoU'):.4f}", parts, figure.to_dict())
