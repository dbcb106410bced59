"""`book`: the whole operator book, a static site of self-contained pages, one an operator, with an index by family and by deck and a search."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import UsageError
from ..registry import OPERATORS
from .book_decks import DECKS, ROWS
from .book_page import operator_page
from .book_style import document, search_box
from .docstring_page import sections_of
from .formula import can_typeset

__all__ = ["Book", "book"]

MARK = "book.json"  # what a folder holds that a book was written to


@dataclass
class Book:
    """A written book: where, which operators, and whose formulas stand as they were typed."""

    folder: Path
    operators: list[str]
    plain: list[str] = field(default_factory=list)
    bytes: int = 0

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.folder / "index.html"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"index": str(self.index), "operators": self.operators, "plain_formulas": self.plain, "typeset": can_typeset(), "bytes": self.bytes}


def book(
    out: str | Path, operators: Sequence[str] | None = None, family: Sequence[str] | None = None, progress: Callable[[str], None] | None = None
) -> Book:
    """Write the operator book to a folder: a page an operator, and `index.html`.

    Parameters
    ----------
    out : path
        A folder: new, empty, or that of an earlier book, which is replaced.
    operators : sequence of str, optional
        Only these.
    family : sequence of str, optional
        Only these families; with `operators`, both.
    progress : callable, optional
        Told each operator's name before its page is written.

    Returns
    -------
    Book

    Raises
    ------
    UsageError
        For an operator or family that does not exist, and for a folder that holds something else or cannot be written.

    Notes
    -----
    Formulas are typeset as MathML where `latex2mathml` is installed (`pip install tinycnn[book]`) and the notation has one certain reading; else they
    stand as they were typed. No page fetches anything.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = book(folder, ["relu"])
    ...     written.operators, sorted(path.name for path in Path(folder).iterdir())
    (['relu'], ['book.json', 'index.html', 'relu.html'])
    """
    names = _wanted(operators, family)
    folder = Path(out)
    found = Book(folder, names)
    try:
        _make_room(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(json.dumps({"tinycnn": __version__, "operators": names}), encoding="utf-8")
        for name in names:
            if progress:
                progress(name)
            text, typeset = operator_page(name, names)
            (folder / f"{name}.html").write_text(text, encoding="utf-8")
            found.bytes += len(text.encode())
            if not typeset:
                found.plain.append(name)
        found.index.write_text(index_page(names), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"book: {out} cannot be written: {error.strerror or error}; name a folder that you may write") from error
    return found


def _wanted(operators: Sequence[str] | None, family: Sequence[str] | None) -> list[str]:
    """The operators of the book in its order: by family, then by name."""
    families = {operator.family for operator in OPERATORS.values()}
    for kind, asked, known in (("operator", operators or (), set(OPERATORS)), ("family", family or (), families)):
        for name in asked:
            if name not in known:
                close = get_close_matches(str(name), sorted(known), n=3, cutoff=0.5)
                offer = f"did you mean {' or '.join(close)}?" if close else "`tinycnn explain --list` names them all"
                raise UsageError(f"book: there is no {kind} {name!r}; {offer}")
    chosen = set(operators or ()) | {name for name, operator in OPERATORS.items() if operator.family in (family or ())}
    return sorted(chosen or OPERATORS, key=lambda name: (OPERATORS[name].family, name))


def _make_room(folder: Path) -> None:
    """Refuse a folder that holds something else; the pages of an earlier book are taken away."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"book: {folder} is a file; name a folder")
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if held and MARK not in held:
        raise UsageError(f"book: {folder} holds other files, such as {held[0]}; name an empty folder or a new one, such as {folder}/book")
    if held:
        try:
            earlier = json.loads((folder / MARK).read_text(encoding="utf-8"))["operators"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"book: {folder / MARK} is not what a book leaves; name another folder") from error
        for name in earlier:
            if name in OPERATORS:
                (folder / f"{name}.html").unlink(missing_ok=True)


def index_page(names: Sequence[str]) -> str:
    """Every operator by family and by deck, and the search."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(OPERATORS[name].family, []).append(name)
    sentences = {name: " ".join(sections_of(OPERATORS[name].function)[""].split("\n\n")[0].split()) for name in names}
    by_family = "".join(
        f"<section><h3>{html.escape(family.replace('_', ' '))}</h3><p>{_links(members, sentences)}</p></section>"
        for family, members in families.items()
    )
    by_deck = "".join(_deck(deck, title, names, sentences) for deck, title in DECKS.items())
    topics = {name: " ".join(topic for topic, _, operators in ROWS.values() if name in operators) for name in names}
    pages = [(name, OPERATORS[name].family.replace("_", " "), f"{sentences[name]} {topics[name]}") for name in names]
    first = f'<a rel="next" href="{names[0]}.html">First page &#8594;</a>'
    body = f"""<nav class="book"><a href="#families">By family</a><a href="#decks">By lecture</a>{first}{search_box()}</nav>
<h1>The operators of tinycnn</h1>
<p class="lead">{len(names)} operators, a page each: formula, worked example to step through, definition, checks.
Type <kbd>/</kbd> and a word to find one; <kbd>j</kbd> and <kbd>k</kbd> turn the pages.</p>
<section id="families"><h2>By family</h2><div class="cards">{by_family}</div></section>
{f'<section id="decks"><h2>By lecture</h2>{by_deck}</section>' if by_deck else ""}
<footer>tinycnn {__version__}. Every page is one file and needs no network.</footer>"""
    return document("tinycnn operator book", body, pages)


def _links(names: Sequence[str], sentences: dict[str, str]) -> str:
    titles = {name: html.escape(sentences[name].replace("`", ""), quote=True) for name in names}
    return " ".join(f'<span data-name="{name}"><a href="{name}.html" title="{titles[name]}">{name}</a></span>' for name in names)


def _deck(deck: str, title: str, names: Sequence[str], sentences: dict[str, str]) -> str:
    """The topics of a deck, each with its operators in the book."""
    parts = []
    for row, (topic, decks, operators) in ROWS.items():
        here = [name for name in operators if name in sentences]
        if deck in decks and here:
            parts.append(f"<section><h3>{html.escape(topic)} <small>{row}</small></h3><p>{_links(here, sentences)}</p></section>")
    return f'<h3 class="deck">{deck}: {html.escape(title)}</h3><div class="cards">{"".join(parts)}</div>' if parts else ""
