"""The myths as one HTML page."""

from __future__ import annotations

import html

from .exercise_page import document
from .myths import PREAMBLE, Myth, Myths

__all__ = ["myths_page"]

STYLE = """
section { break-inside: avoid; } blockquote { margin: .4rem 0; padding: .3rem .9rem; border-left: 4px solid var(--bad); font-size: 1.12rem; }
section.half blockquote { border-color: var(--now); } .soft { color: var(--soft); } a { color: var(--from); }
.links a { display: inline-block; margin-right: .9rem; }
.output { border-left: 4px solid var(--good); border-radius: 0 8px 8px 0; } section:focus { outline: 3px solid var(--from); outline-offset: 6px; }
@media print { .links, .keys { display: none; } }
"""
SCRIPT = """
const sections = [...document.querySelectorAll("section")]; let at = -1;
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const next = { ArrowRight: at + 1, ArrowLeft: Math.max(at - 1, 0), Home: 0, End: sections.length - 1 }[event.key];
  if (next === undefined || !sections[next]) return;
  at = next; sections[at].focus(); sections[at].scrollIntoView({ block: "start" }); event.preventDefault();
});
"""


def myths_page(found: Myths) -> str:
    """The page; the arrow keys go from myth to myth."""
    links = "".join(f'<a href="#{myth.name}">{html.escape(myth.name)}</a> ' for myth in found.rows)
    body = [
        '<p class="lead">Claims in circulation, each with a counter-example that ran when this page was written. '
        '<span class="keys">The keys <kbd>&#8592;</kbd> <kbd>&#8594;</kbd> go from one to the next.</span></p>',
        f'<p class="links">{links}</p>',
        f"<p class=soft>Every example starts with</p><pre>{html.escape(PREAMBLE.rstrip())}</pre>",
        *map(_section, found.rows),
        "<footer>One file: it can be mailed, archived and read offline. <code>tinycnn myths</code></footer>",
    ]
    return document("Myths, with counter-examples", body, found.to_dict(), SCRIPT, STYLE)


def _section(myth: Myth) -> str:
    kind = "" if myth.verdict.startswith("wrong") else " class=half"
    return (
        f'<section id="{myth.name}" tabindex="-1"{kind}><h2>{html.escape(myth.name)}</h2><blockquote>{html.escape(myth.claim)}</blockquote>'
        f'<p class="soft">{html.escape(myth.who)}</p><p><b>{html.escape(myth.verdict.capitalize())}.</b> {html.escape(myth.why)}</p>'
        f'<pre>{html.escape(myth.code)}</pre><pre class="output">{html.escape(myth.output)}</pre></section>'
    )
