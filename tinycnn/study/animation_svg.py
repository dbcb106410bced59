"""A frame of an animation as SVG: colours by class, so that a page can change them and the reader's light or dark setting decides."""

from __future__ import annotations

import html

from .animation import Animation
from .animation_layout import Box, Layout, Words, layout_of, scene

__all__ = ["DARK", "LIGHT", "drawing", "still", "style"]

# Role: fill, border, text. Blue and orange are told apart by every kind of colour vision, and the result has a thick border besides.
LIGHT = {
    "paper": ("#ffffff", "#ffffff", "#000000"),
    "cell": ("#ffffff", "#5b6773", "#000000"),
    "pad": ("#eceff2", "#8a94a0", "#4a5560"),
    "zero": ("#f7f8fa", "#c3cad1", "#7a858f"),
    "crop": ("#eceff2", "#c3cad1", "#8a94a0"),
    "window": ("#dcecfb", "#0b5fa5", "#000000"),
    "term": ("#9fd0ff", "#0b5fa5", "#000000"),
    "best": ("#0b5fa5", "#0b5fa5", "#ffffff"),
    "now": ("#ffb84d", "#9a4a00", "#000000"),
}
DARK = {
    "paper": ("#0f1419", "#0f1419", "#ffffff"),
    "cell": ("#0f1419", "#9aa7b4", "#ffffff"),
    "pad": ("#262e36", "#6b7680", "#c3cad1"),
    "zero": ("#1a2027", "#3d4750", "#8a94a0"),
    "crop": ("#262e36", "#3d4750", "#8a94a0"),
    "window": ("#17344f", "#6bb5ff", "#ffffff"),
    "term": ("#0b5fa5", "#9fd0ff", "#ffffff"),
    "best": ("#9fd0ff", "#ffffff", "#000000"),
    "now": ("#ffb84d", "#ffffff", "#000000"),
}
SOFT = {"light": "#4a5560", "dark": "#b4bfca"}
THICK = ("now", "best", "term", "window")
FONT = "system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def _colours(colours: dict[str, tuple[str, str, str]], soft: str) -> str:
    rules = [f".slide .{role} rect{{fill:{fill};stroke:{border}}}.slide .{role} text{{fill:{ink}}}" for role, (fill, border, ink) in colours.items()]
    ink = colours["paper"][2]
    return "".join(rules) + f".slide .words{{fill:{ink}}}.slide .soft,.slide .count{{fill:{soft}}}"


def style(dark: bool | None = None) -> str:
    """CSS of the slides: light, dark, or as the reader has set it."""
    shared = (
        f".slide text{{font-family:{FONT};font-variant-numeric:tabular-nums}}.slide rect{{stroke-width:1.5}}"
        ".slide .title,.slide .line{font-weight:600}"
        ".slide .small{font-weight:600}"
        + "".join(f".slide .{role} rect{{stroke-width:{5 if role == 'now' else 3}}}" for role in THICK)
        + ".slide .pad rect,.slide .crop rect{stroke-dasharray:5 4}"
    )
    light, night = _colours(LIGHT, SOFT["light"]), _colours(DARK, SOFT["dark"])
    if dark is not None:
        return shared + (night if dark else light)
    return shared + light + "@media screen and (prefers-color-scheme:dark){" + night + "}"


def drawing(animation: Animation, number: int, layout: Layout | None = None) -> str:
    """The <svg> of a frame, without its style; each cell is a group whose data-at is "panel row column"."""
    layout = layout or layout_of(animation)
    parts = [
        f'<svg class="slide" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width} {layout.height}" role="img" '
        f'aria-label="{html.escape(animation.title)}">'
    ]
    ending, lines = "", False
    for part in scene(animation, number, layout):
        if isinstance(part, Box):
            at = "" if part.place is None else f' data-at="{" ".join(map(str, part.place))}"'
            parts.append(f'{ending}<g class="{part.role}"{at}>')
            parts.append(f'<rect x="{part.x:g}" y="{part.y:g}" width="{part.width:g}" height="{part.height:g}"/>')
            ending = "</g>"
        else:
            if part.role == "line" and not lines:
                parts.append(f'{ending}<g class="lines">')
                lines = True
                ending = "</g>"
            elif part.role in ("title", "count", "soft", "ink"):
                parts.append(ending)
                ending = ""
            parts.append(_words(part))
    return "".join([*parts, ending, "</svg>"])


def _words(part: Words) -> str:
    kind = {"on": "number", "small": "small"}.get(part.role.split("-")[0])
    names = kind or f"words {part.role}"
    place = f'x="{part.x:.1f}" y="{part.y:.1f}" font-size="{part.size:.1f}" text-anchor="{part.anchor}"'
    return f'<text class="{names}" {place}>{html.escape(part.text)}</text>'


def still(animation: Animation, number: int, dark: bool | None = None) -> str:
    """A frame as a file of its own."""
    text = drawing(animation, number)
    return text.replace(">", f"><style>{style(dark)}</style>", 1) + "\n"
