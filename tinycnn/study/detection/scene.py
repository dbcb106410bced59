"""An image with boxes, points and lines over it, as SVG: some always there, others one step at a time."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..page import picture_uri

__all__ = ["STYLE", "Drawing", "Scene", "steps_line"]

WIDTH = 640.0  # of the drawing, whatever the image's own size
LARGEST = 900  # pixels a side of the image inside the page
MARGIN = 14.0  # around the image, for boxes that reach outside

# Kind of a box: its stroke. The page's script marks the step that is shown with "on", and the common style draws rectangles there in blue.
KINDS = {
    "halo": "stroke: var(--paper); stroke-width: 5; stroke-opacity: .65",  # keeps lines readable on any photo
    "truth": "stroke: var(--accent); stroke-width: 3",
    "positive": "stroke: var(--good); stroke-width: 2.4",
    "kept": "stroke: var(--good); stroke-width: 3",
    "best": "stroke: var(--now); stroke-width: 4",
    "ignored": "stroke: var(--now); stroke-width: 2.4; stroke-dasharray: 5 3",
    "missed": "stroke: var(--bad); stroke-width: 3",
    "suppressed": "stroke: var(--bad); stroke-width: 3; stroke-dasharray: 6 4",
    "faint": "stroke: var(--soft); stroke-width: 1.2; stroke-opacity: .8",
    "tap": "stroke: var(--now); stroke-width: 3",
}
STYLE = (
    """<style>
.scene { max-width: 760px; min-width: 420px; } .scene .frame { fill: var(--panel); stroke: var(--line); }
.scene .grid { stroke: var(--line); stroke-width: 1; } .scene text { paint-order: stroke; stroke: var(--paper); stroke-width: 3.5px; }
.scene circle.dot, .scene .window.on circle.dot { fill: var(--accent); stroke: var(--paper); }
.scene .line { stroke: var(--accent); stroke-width: 1.6; } .scene .cell { fill: var(--from); stroke: var(--line); }
.scene .value { font-size: 12px; } .scene .window { display: none; } .scene .window.on { display: inline; }
.key span { white-space: nowrap; margin-right: 1.1rem; } #said { overflow-wrap: anywhere; }
.key i { display: inline-block; width: 1.3em; height: .8em; border: 3px solid; margin-right: .35em; }
@media print { .scene .window.final { display: inline; } }
"""
    + "\n".join(f".scene rect.{kind}, .scene .window.on rect.{kind} {{ fill: none; {look}; }}" for kind, look in KINDS.items())
    + "\n</style>"
)


def steps_line(what: str) -> str:
    """The buttons that step, and the line that says what is shown; they begin where `answer_page`'s script finds them."""
    return (
        '<p class="steps"><button data-step="-1">previous</button> <button data-step="1">next</button> '
        f'<span id="said" aria-live="polite" class="soft">or the arrow keys: {html.escape(what)}</span></p>'
    )


class Part(str):
    """A piece of SVG that remembers what it shows, so that Pillow can draw the same: ("box", corners, kind, words), ("dot", x, y), ("line", ends)."""

    marks: tuple[tuple[Any, ...], ...]

    def __new__(cls, svg: str, *marks: tuple[Any, ...]) -> Part:
        part = super().__new__(cls, svg)
        part.marks = marks
        return part


class Drawing(str):
    """A scene's SVG, and the scene."""

    scene: Scene

    def __new__(cls, svg: str, scene: Scene) -> Drawing:
        drawing = super().__new__(cls, svg)
        drawing.scene = scene
        return drawing


class Scene:
    """What is drawn over one image.

    Parameters
    ----------
    size : (height, width)
        Of the image, in its pixels; all coordinates are pixels.
    label : str
        What a screen reader says.
    image : array, optional
        (C, H, W), from 0 to 1; an empty frame if left out.
    """

    def __init__(self, size: tuple[int, int], label: str, image: Any = None) -> None:
        self.height, self.width = size
        self.label = label
        self.scale = WIDTH / max(self.width, 1)
        inside = f'x="{MARGIN:g}" y="{MARGIN:g}" width="{WIDTH:g}" height="{self.height * self.scale:.1f}"'
        self.image = image
        self.marks: list[tuple[Any, ...]] = []  # what is always there
        self.steps: list[tuple[str, tuple[tuple[Any, ...], ...], bool]] = []  # words, marks, whether paper gets it
        self.parts = [f'<rect class="frame" {inside}/>']
        if image is not None:
            self.parts.append(f'<image {inside} href="{_data_uri(image)}" preserveAspectRatio="none"/>')

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the image in the drawing."""
        return MARGIN + x * self.scale, MARGIN + y * self.scale

    def box(self, box: Sequence[float], kind: str, tag: str = "") -> Part:
        """A box (x1, y1, x2, y2) of a kind that the style knows, with words at its upper left corner."""
        (left, top), (right, bottom) = self.at(box[0], box[1]), self.at(box[2], box[3])
        inside = f'x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0):.1f}" height="{max(bottom - top, 0):.1f}"'
        halo = "" if kind == "faint" else f'<rect class="halo" {inside}/>'
        drawn = f'{halo}<rect class="box {kind}" {inside}/>'
        if tag:
            left, top = min(max(left, 2.0), WIDTH - 7.2 * len(tag)), max(top, 12.0)
            drawn += f'<text x="{left + 4:.1f}" y="{top + 14:.1f}">{html.escape(tag)}</text>'
        return Part(drawn, ("box", tuple(float(value) for value in box), kind, tag))

    def dot(self, x: float, y: float, radius: float = 3.0, kind: str = "dot") -> Part:
        """A point."""
        across, down = self.at(x, y)
        return Part(f'<circle class="{kind}" cx="{across:.1f}" cy="{down:.1f}" r="{radius:g}"/>', ("dot", float(x), float(y)))

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str = "line") -> Part:
        """A line between two points of the image."""
        (a, b), (c, d) = self.at(*start), self.at(*end)
        svg = f'<line class="{kind}" x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}"/>'
        return Part(svg, ("line", tuple(map(float, (*start, *end))), kind))

    def text(self, x: float, y: float, words: str, kind: str = "value") -> Part:
        """Words around a point."""
        across, down = self.at(x, y)
        svg = f'<text class="{kind}" x="{across:.1f}" y="{down + 4:.1f}" text-anchor="middle">{html.escape(words)}</text>'
        return Part(svg, ("text", float(x), float(y), words))

    def tile(self, box: Sequence[float], share: float, svg: str) -> Part:
        """A filled rectangle of a strength from 0 to 1, with the SVG attributes of its look."""
        (left, top), (right, bottom) = self.at(box[0], box[1]), self.at(box[2], box[3])
        inside = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
        return Part(f"<rect {inside} {svg}/>", ("tile", tuple(float(value) for value in box), float(share)))

    def grid(self, rows: int, columns: int) -> Part:
        """The cells of a feature map over the image."""
        down = [self.line((0, self.height * i / rows), (self.width, self.height * i / rows), "grid") for i in range(1, rows)]
        across = [self.line((self.width * j / columns, 0), (self.width * j / columns, self.height), "grid") for j in range(1, columns)]
        return Part("".join(down + across), *(mark for line in (*down, *across) for mark in line.marks))

    def still(self, *parts: str) -> None:
        """Add what is always there."""
        self.parts.extend(parts)
        self.marks += _marks(parts)

    def step(self, words: str, *parts: str, final: bool = False) -> None:
        """Add a step, shown when the keys reach it; the `final` one is what paper gets."""
        kind = "window final" if final else "window"
        self.steps.append((words, tuple(_marks(parts)), final))
        self.parts.append(f'<g class="{kind}" data-words="{html.escape(words, quote=True)}">{"".join(parts)}</g>')

    def svg(self) -> Drawing:
        """The drawing."""
        height = self.height * self.scale + 2 * MARGIN
        box, name = f"0 0 {WIDTH + 2 * MARGIN:g} {height:.0f}", html.escape(self.label, quote=True)
        svg = f'<div class="wide"><svg class="scene" viewBox="{box}" role="img" aria-label="{name}">{"".join(self.parts)}</svg></div>'
        return Drawing(svg, self)


def _marks(parts: Sequence[str]) -> list[tuple[Any, ...]]:
    """What the parts show; plain SVG is for pages only."""
    return [mark for part in parts for mark in getattr(part, "marks", ())]


def as_picture(image: Any) -> Any:
    """The Pillow image of (C, H, W) numbers from 0 to 1; grey becomes RGB."""
    from PIL import Image

    array = np.asarray(getattr(image, "data", image) if not isinstance(image, np.ndarray) else image, np.float64)
    planes = np.nan_to_num(array[:3] if array.shape[0] >= 3 else array[:1].repeat(3, axis=0)).clip(0, 1)
    return Image.fromarray((planes.transpose(1, 2, 0) * 255).round().astype(np.uint8))


def _data_uri(image: Any) -> str:
    """The image inside the page: JPEG where it is a photo's size, else exact."""
    picture = as_picture(image)
    picture.thumbnail((LARGEST, LARGEST))
    kind = "jpeg" if max(picture.size) > 200 else "png"
    return picture_uri(picture, kind, **({"quality": 88} if kind == "jpeg" else {}))
