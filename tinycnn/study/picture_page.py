"""A page of pictures with captions, curves and tables: what restoration, style transfer, dreams and attacks have to show."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from .page import FOOTER, data_uri, document, html_table

__all__ = ["Shown", "as_bytes", "curves_svg", "picture_page", "png_bytes", "stretched"]

Array = np.ndarray[Any, Any]
SHARP = 96  # pixels: what is smaller is shown enlarged, each pixel a square

STYLE = """
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 1.1rem 1rem; margin: 1rem 0; }
figure { margin: 0; } figure img { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: 4px; }
img.sharp { image-rendering: pixelated; } figcaption { font-size: .9rem; margin-top: .3rem; overflow-wrap: anywhere; }
figcaption b { display: block; } .pictures img { cursor: pointer; } figure.on img { outline: 3px solid var(--now); }
#viewer img { width: 100%; max-width: 34rem; max-height: 75vh; object-fit: contain; object-position: left; border: 0; }
.steps { display: flex; gap: .5rem; align-items: center; flex-wrap: wrap; margin: .8rem 0 .4rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; } td.number { text-align: right; }
svg.curves { width: 100%; max-width: 44rem; height: auto; font-size: 12px; } svg.curves text { fill: var(--soft); }
svg.curves .axis { stroke: var(--line); } svg.curves .line { fill: none; stroke-width: 1.6; } svg.curves .c0 { stroke: var(--accent); }
svg.curves .c1 { stroke: var(--now); } svg.curves .c2 { stroke: var(--good); } svg.curves .c3 { stroke: var(--bad); }
svg.curves .c4 { stroke: var(--soft); }
@media print { .pictures { grid-template-columns: repeat(3, 1fr); } .steps, #viewer { display: none; } figure.on img { outline: none; } }
"""

# One place for all pictures: stepping back and forth on the same spot shows what changed between two of them.
SCRIPT = """
(() => {
  const figures = [...document.querySelectorAll(".pictures figure")], said = document.querySelector("#said");
  const big = document.querySelector("#viewer img"), words = document.querySelector("#viewer figcaption");
  let at = -1;
  function show(number) {
    if (at >= 0) figures[at].classList.remove("on");
    at = (number + figures.length) % figures.length;
    const figure = figures[at], image = figure.querySelector("img");
    figure.classList.add("on"); big.src = image.src; big.className = image.className; big.alt = image.alt;
    words.innerHTML = figure.querySelector("figcaption").innerHTML;
    said.textContent = (at + 1) + " of " + figures.length;
  }
  document.addEventListener("keydown", event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step && !event.ctrlKey && !event.altKey && !event.metaKey) { event.preventDefault(); show(at + step); }
  });
  document.querySelector("#back").onclick = () => show(at - 1);
  document.querySelector("#next").onclick = () => show(at + 1);
  figures.forEach((figure, number) => figure.querySelector("img").onclick = () => { show(number); big.scrollIntoView({block: "nearest"}); });
  show(0);
})();
"""
VIEWER = (
    '<div class="steps"><button id="back">\N{LEFTWARDS ARROW} back</button><button id="next">next \N{RIGHTWARDS ARROW}</button>'
    '<span id="said" role="status"></span><span class="soft">or the arrow keys: all pictures on one spot</span></div>'
    '<figure id="viewer"><img alt=""><figcaption></figcaption></figure>'
)


class Shown(NamedTuple):
    """One picture of a page."""

    name: str
    pixels: Array  # (H, W), (1, H, W) or (3, H, W), floats from 0 to 1
    words: str = ""


def as_bytes(pixels: Any) -> Array:
    """Floats from 0 to 1, (H, W), (1, H, W) or (3, H, W), as uint8 (H, W) or (H, W, 3); what lies beyond is cut off.

    Examples
    --------
    >>> as_bytes(np.array([[0.0, 0.5, 2.0]])).tolist()
    [[0, 128, 255]]
    """
    values = np.asarray(pixels)
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[0] != 3):
        raise ShapeError(f"as_bytes: a picture is (H, W), (1, H, W) or (3, H, W), not {values.shape}")
    flat = (np.clip(np.nan_to_num(values), 0, 1) * 255).round().astype(np.uint8)
    return flat if flat.ndim == 2 else np.ascontiguousarray(flat.transpose(1, 2, 0))


def png_bytes(pixels: Any) -> bytes:
    """A picture, as in `as_bytes`, as the bytes of a PNG file."""
    from PIL import Image  # slow to import

    buffer = io.BytesIO()
    Image.fromarray(as_bytes(pixels)).save(buffer, "PNG")
    return buffer.getvalue()


def stretched(pixels: Any) -> Array:
    """Any numbers so that 0 is grey, and the one furthest from it black or white.

    Examples
    --------
    >>> stretched([[-1.0, 0.0, 2.0]]).tolist()
    [[0.25, 0.5, 1.0]]
    """
    values = np.asarray(pixels, np.float64)
    return 0.5 + values / (2 * max(float(np.abs(values).max(initial=0)), 1e-30))


def _figure(shown: Shown) -> str:
    flat = as_bytes(shown.pixels)
    source = data_uri(png_bytes(shown.pixels))
    kind = ' class="sharp"' if max(flat.shape[:2]) <= SHARP else ""
    size = f'width="{flat.shape[1]}" height="{flat.shape[0]}"'
    caption = f"<b>{html.escape(shown.name)}</b>{html.escape(shown.words)}"
    return f'<figure><img{kind} {size} alt="{html.escape(shown.name)}" src="{source}"><figcaption>{caption}</figcaption></figure>'


def curves_svg(series: Mapping[str, Sequence[float]], words: str) -> str:
    """Losses against the number of the step, on a logarithmic scale; what is not above 0 is left out.

    Parameters
    ----------
    series : mapping
        Name: one value a step. At most five are told apart by colour.
    words : str
        What the horizontal axis counts.

    Examples
    --------
    >>> curves_svg({"loss": [1.0, 0.1]}, "step").count("<polyline")
    1
    """
    drawn = {name: [(step, math.log10(v)) for step, v in enumerate(values) if math.isfinite(v) and v > 0] for name, values in series.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return ""
    heights = [y for points in drawn.values() for _, y in points]
    low, high = math.floor(min(heights) * 2) / 2, math.ceil(max(heights) * 2) / 2
    high, last = max(high, low + 0.5), max(max(points[-1][0] for points in drawn.values()), 1)
    left, top, width, height = 58, 8, 560, 220

    def place(step: float, y: float) -> str:
        return f"{left + width * step / last:.1f},{top + height * (high - y) / (high - low):.1f}"

    parts = [f'<svg class="curves" viewBox="0 0 720 {top + height + 34}" role="img" aria-label="{html.escape(", ".join(drawn))}">']
    for tick in np.linspace(low, high, 3):
        y = top + height * (high - tick) / (high - low)
        parts.append(f'<line class="axis" x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10**tick:.2g}</text>')
    for number, (name, points) in enumerate(drawn.items()):
        parts.append(f'<polyline class="line c{number % 5}" points="{" ".join(place(*point) for point in points)}"/>')
        parts.append(f'<line class="line c{number % 5}" x1="632" x2="648" y1="{top + 10 + 18 * number}" y2="{top + 10 + 18 * number}"/>')
        parts.append(f'<text x="653" y="{top + 14 + 18 * number}">{html.escape(name)}</text>')
    parts.append(f'<text x="{left}" y="{top + height + 18}">0</text>')
    parts.append(f'<text x="{left + width}" y="{top + height + 18}" text-anchor="end">{html.escape(words)} {last}</text></svg>')
    return "".join(parts)


def picture_page(
    title: str,
    lead: str,
    sections: Sequence[tuple[str, Sequence[Shown]]],
    data: dict[str, Any],
    header: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
    *,
    curves: str = "",
    notes: Sequence[str] = (),
) -> str:
    """The page.

    Parameters
    ----------
    title, lead : str
        Plain text.
    sections : sequence of (heading, pictures)
        A heading may be empty.
    data : dict
        Plain numbers that the page carries along.
    header, rows : sequence
        Of a table below the pictures; none without rows.
    curves : str
        An SVG of `curves_svg`.
    notes : sequence of str
        Plain sentences below all that: what the pictures show, and what they do not.

    Examples
    --------
    >>> page = picture_page("Grey", "One picture.", [("", [Shown("a < b", np.zeros((2, 2)))])], {})
    >>> page.count("data:image/png"), "a &lt; b" in page
    (1, True)
    """
    parts = [f"<h1>{html.escape(title)}</h1>", f'<p class="lead">{html.escape(lead)}</p>', VIEWER]
    for heading, pictures in sections:
        if heading:
            parts.append(f"<h2>{html.escape(heading)}</h2>")
        parts.append(f'<div class="pictures">{"".join(_figure(shown) for shown in pictures)}</div>')
    if rows:
        parts += ["<h2>Numbers</h2>", html_table(header, rows, numbers=range(1, len(header)))]
    if curves:
        parts += ["<h2>On the way</h2>", curves]
    parts += [f"<p>{html.escape(note)}</p>" for note in notes]
    return document(title, [*parts, FOOTER], data, style=STYLE, script=SCRIPT)
