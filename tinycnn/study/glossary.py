"""What the lecture decks name without explaining: a few sentences a term, where it comes from, and what of it runs here."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..errors import ArgumentError
from .glossary_rows import ROWS, Term

__all__ = ["Glossary", "Term", "glossary"]

WIDTH = 110


@dataclass(frozen=True)
class Glossary:
    """Some terms, ready to be printed or written as a page."""

    terms: tuple[Term, ...]

    def text(self) -> str:
        """For a terminal."""
        parts = []
        for term in self.terms:
            names = f"{term.name} ({', '.join(term.also)})" if term.also else term.name
            lines = [names, *(f"  {line}" for line in textwrap.wrap(term.what, WIDTH))]
            lines += [f"  here: {line}" for line in term.here] or ["  here: no part of this package"]
            parts.append("\n".join([*lines, f"  deck {term.deck}; {term.source}"]))
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"terms": [vars(term) for term in self.terms]}

    def page(self) -> str:
        """One self-contained page; the arrow keys go from term to term."""
        from .page import document

        links = " ".join(f'<a href="#{_anchor(term.name)}">{html.escape(term.name)}</a>' for term in self.terms)
        parts = ["<h1>Glossary</h1>", "<p>What the lecture decks name without explaining it.</p>", f'<p class="links">{links}</p>']
        return document("Glossary", [*parts, *map(_section, self.terms)], self.to_dict(), style=STYLE, script=SCRIPT)


STYLE = """
.links a { display: inline-block; margin-right: .9rem; } section { break-inside: avoid; }
section:focus { outline: 3px solid currentColor; outline-offset: 6px; }
code { overflow-wrap: anywhere; }
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


def _anchor(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def _section(term: Term) -> str:
    also = f" <small>({html.escape(', '.join(term.also))})</small>" if term.also else ""
    here = "".join(f"<li><code>{html.escape(line)}</code></li>" for line in term.here) or "<li>no part of this package</li>"
    return (
        f'<section id="{_anchor(term.name)}" tabindex="-1"><h2>{html.escape(term.name)}{also}</h2><p>{html.escape(term.what)}</p>'
        f"<p>Here:</p><ul>{here}</ul><p><small>Deck {html.escape(term.deck)}; {html.escape(term.source)}</small></p></section>"
    )


def glossary(word: str | None = None) -> Glossary:
    """The terms whose names hold a word, or all of them.

    Parameters
    ----------
    word : str, optional
        A term, another name of it, or a part of one; capitals and punctuation do not matter.

    Raises
    ------
    ArgumentError
        When no term has it; the nearest ones are offered.

    Examples
    --------
    >>> [term.name for term in glossary("sniper").terms]
    ['SNIPER']
    """
    if word is None:
        return Glossary(ROWS)
    wanted = _plain(word)
    if not wanted:
        raise ArgumentError(f"glossary: {word!r} holds no letter; give a term, or none for all of them")
    exact = tuple(term for term in ROWS if wanted in [_plain(name) for name in (term.name, *term.also)])
    found = exact or tuple(term for term in ROWS if any(wanted in _plain(name) for name in (term.name, *term.also)))
    if found:
        return Glossary(found)
    names = [name for term in ROWS for name in (term.name, *term.also)]
    by_plain = {_plain(name): name for name in names}
    near = [by_plain[each] for each in get_close_matches(wanted, by_plain, n=3, cutoff=0.5)]
    offer = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(term.name for term in ROWS)}"
    raise ArgumentError(f"glossary: there is no term {word!r}; {offer}")


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
