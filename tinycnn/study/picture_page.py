"""A page of pictures with captions and a table: what restoration, style transfer, dreams and attacks have to show."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from .page import FOOTER, document, html_table

__all__ = ["Shown", "as_bytes", "picture_page", "stretched"]

Array = np.ndarray[Any, Any]
SHARP = 96  # pixels: what is smaller is shown enlarged, each pixel a square

STYLE = """
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 1.1rem 1rem; margin: 1rem 0; }
figure { margin: 0; } figure img { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: 4px; }
figure img.sharp { image-rendering: pixelated; } figcaption { font-size: .9rem; margin-top: .3rem; overflow-wrap: anywhere; }
figcaption b { display: block; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; } td.number { text-align: right; }
@media print { .pictures { grid-template-columns: repeat(3, 1fr); } }
"""


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


def stretched(pixels: Any) -> Array:
    """Any numbers so that 0 is grey, and the one furthest from it black or white."""
    values = np.asarray(pixels, np.float64)
    return 0.5 + values / (2 * max(float(np.abs(values).max(initial=0)), 1e-30))


def _figure(shown: Shown) -> str:
    from PIL import Image  # slow to import

    flat = as_bytes(shown.pixels)
    buffer = io.BytesIO()
    Image.fromarray(flat).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    kind = ' class="sharp"' if max(flat.shape[:2]) <= SHARP else ""
    size = f'width="{flat.shape[1]}" height="{flat.shape[0]}"'
    caption = f"<b>{html.escape(shown.name)}</b>{html.escape(shown.words)}"
    return f'<figure><img{kind} {size} alt="{html.escape(shown.name)}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def picture_page(
    title: str,
    lead: str,
    sections: Sequence[tuple[str, Sequence[Shown]]],
    data: dict[str, Any],
    header: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
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

    Examples
    --------
    >>> page = picture_page("Grey", "One picture.", [("", [Shown("a < b", np.zeros((2, 2)))])], {})
    >>> page.count("data:image/png"), "a &lt; b" in page
    (1, True)
    """
    parts = [f"<h1>{html.escape(title)}</h1>", f'<p class="lead">{html.escape(lead)}</p>']
    for heading, pictures in sections:
        if heading:
            parts.append(f"<h2>{html.escape(heading)}</h2>")
        parts.append(f'<div class="pictures">{"".join(_figure(shown) for shown in pictures)}</div>')
    if rows:
        parts += ["<h2>Numbers</h2>", html_table(header, rows, numbers=range(1, len(header)))]
    return document(title, [*parts, FOOTER], data, style=STYLE)
