"""Loss and score over the epochs as small panels, in SVG and in TikZ, from the same points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .measures import Quantity, known

__all__ = ["Panel", "curves_svg", "curves_tikz", "panels"]

WIDTH, HEIGHT, GAP, LEFT, TOP, BELOW = 300.0, 170.0, 70.0, 52.0, 26.0, 34.0
PARTS = (("train", "--from"), ("test", "--now"))
TIKZ_COLOURS = {"train": "blue!60!black", "test": "orange!80!black"}


@dataclass(frozen=True)
class Panel:
    """One quantity: its range, and the points of its lines with both coordinates from 0 to 1."""

    title: str
    low: float
    high: float
    first: int
    last: int
    lines: dict[str, tuple[tuple[float, float], ...]]

    def tick(self, value: float) -> str:
        """A number of the axis."""
        return f"{value:.3g}" if self.title == "loss" else f"{100 * value:.1f} %"


def panels(epochs: Sequence[Mapping[str, Any]], quantities: Sequence[Quantity]) -> list[Panel]:
    """A panel a quantity, of training and test; numbers that are missing or not finite are left out.

    Examples
    --------
    >>> rows = [{"epoch": k, "train_loss": 1 / k, "test_loss": 1.5 / k} for k in (1, 2, 3)]
    >>> (loss,) = panels(rows, [Quantity("loss", "train_loss", "test_loss")])
    >>> loss.lines["test"][0]
    (0.0, 1.0)
    """
    first, last = int(epochs[0]["epoch"]), int(epochs[-1]["epoch"])
    found = []
    for quantity in quantities:
        series = {part: [(epoch["epoch"], known(epoch, getattr(quantity, part) or "")) for epoch in epochs] for part, _ in PARTS}
        kept = {part: [(x, y) for x, y in points if y is not None] for part, points in series.items()}
        values = [y for points in kept.values() for _, y in points] or [0.0]
        low, high = min(values), max(values)
        spread, span = (high - low) or 1.0, (last - first) or 1
        lines = {part: tuple(((x - first) / span, (y - low) / spread) for x, y in points) for part, points in kept.items()}
        found.append(Panel(quantity.title, low, high, first, last, lines))
    return found


def curves_svg(epochs: Sequence[Mapping[str, Any]], quantities: Sequence[Quantity]) -> str:
    """An SVG element in the page's colours; blue and dashed is training, orange test."""
    parts = []
    shown = panels(epochs, quantities)
    for place, panel in enumerate(shown):
        x0 = LEFT + place * (WIDTH + GAP)
        texts = [
            (x0, TOP - 10, "start", panel.title),
            (x0 - 6, TOP + 5, "end", panel.tick(panel.high)),
            (x0 - 6, TOP + HEIGHT, "end", panel.tick(panel.low)),
            (x0, TOP + HEIGHT + 18, "middle", str(panel.first)),
            (x0 + WIDTH, TOP + HEIGHT + 18, "middle", str(panel.last)),
            (x0 + WIDTH / 2, TOP + HEIGHT + 18, "middle", "epoch"),
        ]
        parts.append(f'<path d="M{x0} {TOP}V{TOP + HEIGHT}H{x0 + WIDTH}" fill="none" stroke="var(--soft)"/>')
        parts += [f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{text}</text>' for x, y, anchor, text in texts]
        for part, colour in PARTS:
            points = [(x0 + WIDTH * x, TOP + HEIGHT * (1 - y)) for x, y in panel.lines[part]]
            dashed = ' stroke-dasharray="6 4"' if part == "train" else ""
            drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{drawn}" fill="none" stroke="var({colour})" stroke-width="2.2"{dashed}/>')
            if points:
                parts.append(f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="3" fill="var({colour})"/>')
    width, height = LEFT + len(shown) * (WIDTH + GAP), TOP + HEIGHT + BELOW
    return (
        f'<svg class="curves" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="loss and score over the epochs" '
        f'font-size="13" fill="var(--ink)">{"".join(parts)}</svg>'
    )


def curves_tikz(epochs: Sequence[Mapping[str, Any]], quantities: Sequence[Quantity]) -> list[str]:
    """A tikzpicture, 14 cm wide."""
    width, height, step = 5.4, 2.6, 7.4
    lines = [r"\begin{tikzpicture}[font=\footnotesize]"]
    for place, panel in enumerate(panels(epochs, quantities)):
        x0 = place * step
        high, low = (panel.tick(value).replace(" %", r"\,\%") for value in (panel.high, panel.low))
        lines += [
            rf"\draw[gray] ({x0:.2f},{height}) -- ({x0:.2f},0) -- ({x0 + width:.2f},0);",
            rf"\node[anchor=south west] at ({x0:.2f},{height}) {{{panel.title}}};",
            rf"\node[anchor=east] at ({x0:.2f},{height}) {{{high}}}; \node[anchor=east] at ({x0:.2f},0) {{{low}}};",
            rf"\node[anchor=north] at ({x0:.2f},0) {{{panel.first}}}; \node[anchor=north] at ({x0 + width:.2f},0) {{{panel.last}}};",
            rf"\node[anchor=north] at ({x0 + width / 2:.2f},0) {{epoch}};",
        ]
        for part, colour in TIKZ_COLOURS.items():
            points = " -- ".join(f"({x0 + width * x:.2f},{height * y:.2f})" for x, y in panel.lines[part])
            dashed = ", dashed" if part == "train" else ""
            if points:
                lines.append(rf"\draw[thick, {colour}{dashed}] {points};")
    return [*lines, r"\end{tikzpicture}"]
