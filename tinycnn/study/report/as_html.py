"""The paper as one HTML page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from ..drawing import svg
from ..page import FOOTER, data_uri, document, html_table
from .blocks import Ask, Block, Curves, Diagram, Grid, Listing, Picture, Section, Words
from .curves import curves_svg

__all__ = ["paper_html"]

STYLE = """
main { max-width: 52rem; } th, td { padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line); text-align: left; }
td.number { text-align: right; } th { color: var(--soft); font-weight: 600; } figure { margin: 1rem 0; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .3rem; }
figure img { max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
svg.curves { width: 100%; min-width: 34rem; height: auto; } .diagram { overflow: auto; max-height: 34rem; background: #fff; border-radius: 6px; }
.ask { border-left: 3px solid var(--now); background: var(--now-fill); padding: .5rem .8rem; border-radius: 0 6px 6px 0; min-height: 3.4rem; }
.ask b { display: block; font-size: .8rem; } .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 0 2rem; }
@media print { @page { size: A4; margin: 16mm; } svg.curves { min-width: 0; }
  h2 { margin: .9rem 0 .2rem; } body { font-size: 9.5pt; line-height: 1.35; }
  figure img { max-height: 6.5cm; } .diagram { max-height: none; overflow: visible; } .diagram svg { max-height: 8cm; width: auto; } }
"""


def paper_html(title: str, author: str, sections: Sequence[Section], data: dict[str, Any]) -> str:
    """The document; the author's parts can be typed into in the browser, and printed."""
    parts = [f"<h1>{html.escape(title)}</h1>", f'<p class="lead" contenteditable="true">{html.escape(author or "your name, the date")}</p>']
    for number, section in enumerate(sections, start=1):
        parts.append(f"<h2>{number} {html.escape(section.title)}</h2>")
        parts += [_block(block) for block in section.blocks]
    return document(title, [*parts, FOOTER], data, style=STYLE)


def _block(block: Block) -> str:
    if isinstance(block, Words):
        return f"<p>{html.escape(block.text)}</p>"
    if isinstance(block, Ask):
        return f'<div class="ask" contenteditable="true"><b>write here</b>{html.escape(block.text)}</div>'
    if isinstance(block, Listing):
        return f"<pre>{html.escape(block.text)}</pre>"
    if isinstance(block, Grid):
        table = html_table(block.header, block.rows, block.numbers)
        return f"<figure>{table}<figcaption>{html.escape(block.caption)}</figcaption></figure>"
    if isinstance(block, Curves):
        inside = f'<div class="wide">{curves_svg(block.epochs, block.quantities)}</div>'
    elif isinstance(block, Diagram):
        inside = f'<div class="diagram">{svg(block.drawing)}</div>'
    else:
        inside = _image(block)
    return f"<figure>{inside}<figcaption>{html.escape(block.caption)}</figcaption></figure>"


def _image(picture: Picture) -> str:
    return f'<img alt="{html.escape(picture.caption)}" src="{data_uri(picture.path.read_bytes())}">'
