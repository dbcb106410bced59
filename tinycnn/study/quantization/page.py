"""A network in integers as one HTML file: what it keeps, what it costs, and its error layer by layer."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..page import FOOTER, document, html_table
from .errors_by_layer import LayerError, error_cells

__all__ = ["quantization_page"]

STYLE = """
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; } .tile { flex: 1 1 9rem; background: var(--panel); border-radius: 8px;
  padding: .7rem .9rem; } .tile b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); }
th, td { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
td.number { text-align: right; } th { color: var(--soft); font-weight: 600; }
.bars { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: .2rem .8rem; align-items: center; font-size: .88rem; }
.bars span { overflow-wrap: anywhere; } .bars div { position: relative; height: 1.35rem; background: var(--panel); border-radius: 4px; }
.bars i { position: absolute; left: 0; height: 50%; border-radius: 3px; } .bars i.alone { top: 0; background: var(--a); }
.bars i.far { bottom: 0; background: var(--now); } .bars em { position: absolute; right: .4rem; font-style: normal; }
.key i { display: inline-block; width: 1.2rem; height: .6rem; border-radius: 3px; margin: 0 .3rem 0 .8rem; }
"""
FULL = 80.0  # per cent of the width that 50 dB take; the number stands in the rest
HEADER = ("layer", "operator", "form", "result", "weights", "from", "to", "step", "zero", "clipped", "alone", "so far")


def quantization_page(title: str, facts: Sequence[tuple[str, str]], rows: Sequence[LayerError], comparison: Sequence[Mapping[str, Any]] = ()) -> str:
    """The page.

    Parameters
    ----------
    title : str
        The network and its data.
    facts : sequence of (words, value)
        The big numbers: accuracies, sizes.
    rows : sequence of LayerError
        `errors_by_layer`.
    comparison : sequence of mappings
        Ways to quantise with their accuracies, one a row with the same keys; left out where empty.

    Returns
    -------
    str
        The HTML document; nothing is fetched.

    Examples
    --------
    >>> "<title>a net</title>" in quantization_page("a net", [("accuracy", "99 %")], [])
    True
    """
    tiles = "".join(f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(words)}</span></div>' for words, value in facts)
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        '<p class="lead">Weights and activations as 8-bit integers: r = step (q &minus; zero). Products are summed in 32 bits and brought to the '
        "next layer&rsquo;s step by an integer factor and a shift.</p>",
        f'<div class="tiles">{tiles}</div>',
    ]
    if comparison:
        names = list(comparison[0])
        body = [[str(row[name]) for name in names] for row in comparison]
        parts += ["<h2>Ways to choose the steps</h2>", html_table(names, body, range(2, len(names)))]
    if rows:
        parts += [
            "<h2>Signal to error, layer by layer</h2>",
            '<p class="soft key"><i style="background:var(--a)"></i>the layer alone <i style="background:var(--now)"></i>with all layers before it; '
            "6 dB are one bit, the longest bar is 50 dB and more</p>",
            f'<div class="bars">{"".join(_bar(row) for row in rows)}</div>',
            "<h2>Numbers</h2>",
            "<p class=soft>from, to: the floats; step, zero: the integers; clipped: floats that no integer reaches.</p>",
            html_table(HEADER, [error_cells(row) for row in rows], range(3, len(HEADER)), (0,)),
        ]
    data = {"facts": [list(fact) for fact in facts], "layers": [row.to_dict() for row in rows], "comparison": list(comparison)}
    return document(title, [*parts, FOOTER], data, style=STYLE)


def _bar(row: LayerError) -> str:
    """Two bars: alone above, so far below."""

    def width(value: float) -> float:
        return FULL if value == math.inf else min(max(FULL * value / 50, 0), FULL) if math.isfinite(value) else 0.0

    text = error_cells(row)[-1]
    return (
        f'<span>{html.escape(row.name)}</span><div title="{html.escape(row.operator)}"><i class="alone" style="width:{width(row.alone):.1f}%"></i>'
        f'<i class="far" style="width:{width(row.so_far):.1f}%"></i><em>{text}</em></div>'
    )
