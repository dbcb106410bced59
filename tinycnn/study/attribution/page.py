"""The maps of one image as one HTML file."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from ..docstring_page import sections_of
from ..page import FOOTER, document, picture_uri
from .methods import METHODS
from .overlay import legend
from .result import Attribution
from .sheet import Answer, resized, tile_of

__all__ = ["attribution_page"]

STYLE = """
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.4rem 1.2rem; margin: 1.2rem 0; }
figure { margin: 0; } figure img { display: block; width: 100%; border-radius: 6px; image-rendering: auto; }
figure .bar { height: .6rem; margin-top: .4rem; border-radius: 3px; } figcaption b { display: block; }
figcaption { font-size: .9rem; margin-top: .3rem; } .ends { display: flex; justify-content: space-between; font-size: .8rem; color: var(--soft); }
figcaption pre { font-size: .8rem; } .choice { position: relative; padding: .15rem .5rem; margin: .15rem 0; overflow-wrap: anywhere; }
.choice i { position: absolute; inset: 0 auto 0 0; background: var(--from-fill); border-radius: 4px; } .choice span { position: relative; }
figure:focus-visible { outline: 3px solid var(--from); outline-offset: 3px; }
@media (max-width: 600px) { .tiles { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; } figcaption pre { display: none; } }
"""
# The arrow keys step from map to map.
SCRIPT = """
const tiles = [...document.querySelectorAll("figure")];
addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const now = tiles.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : tiles.length - 1) : Math.min(Math.max(now + step, 0), tiles.length - 1);
  tiles[next].focus(); event.preventDefault();
});
"""


def attribution_page(image: np.ndarray, answers: Sequence[Attribution], asked: str, top: Sequence[Answer] = (), title: str = "") -> str:
    """The page: the image, the network's first choices, a tile a method with its formula, range and legend.

    Parameters
    ----------
    image, answers, asked, top, title
        As in `attribution_sheet`.

    Returns
    -------
    str
        The HTML document; nothing is fetched.
    """
    heading = title or f"Where the network sees {asked}"
    plain = np.repeat(image[:, :, None], 3, 2) if image.ndim == 2 else image
    choices = "".join(
        f'<div class="choice"><i style="width:{100 * one.probability:.1f}%"></i>'
        f"<span>{100 * one.probability:.1f} % {html.escape(one.name)}</span></div>"
        for one in top
    )
    source = picture_uri(resized(plain, 320))
    first = f'<figure tabindex="0"><img alt="the image" src="{source}"><figcaption><b>the image</b>{choices}</figcaption></figure>'
    parts = [
        f"<h1>{html.escape(heading)}</h1>",
        f'<p class="lead">Asked about: {html.escape(asked)}. Each map is scaled by its own largest number, which stands under it; '
        "<kbd>&larr;</kbd> <kbd>&rarr;</kbd> step from map to map.</p>",
        f'<div class="tiles">{first}{"".join(_figure(image, answer) for answer in answers)}</div>',
        "<p class=soft>A map says what moved this network's score, not what is in the image, and not whether the network is right.</p>",
        FOOTER,
    ]
    data = {"asked": asked, "top": [[one.name, one.probability] for one in top], "maps": [answer.to_dict() for answer in answers]}
    return document(heading, parts, data, style=STYLE, script=SCRIPT)


def _figure(image: np.ndarray, answer: Attribution) -> str:
    """One method."""
    method = METHODS[answer.method]
    largest = float(np.abs(answer.map[0]).max())
    where = f"{answer.layer}, {answer.raw.shape[-2]}\N{MULTIPLICATION SIGN}{answer.raw.shape[-1]}" if answer.layer else "pixels"
    bar = picture_uri(legend(160, 6, answer.signed))
    low = f"{-largest:.3g}" if answer.signed else "0"
    formula = sections_of(method.function).get("Formula", "")
    return (
        f'<figure tabindex="0"><img alt="{html.escape(method.title)} over the image" src="{picture_uri(resized(tile_of(image, answer), 320))}">'
        f'<img class="bar" alt="" src="{bar}"><div class="ends"><span>{low}</span><span>{largest:.3g}</span></div>'
        f"<figcaption><b>{html.escape(method.title)}</b>{html.escape(method.shows)} <span class=soft>({html.escape(where)})</span>"
        f"<pre>{html.escape(formula)}</pre></figcaption></figure>"
    )
