"""The five lecture decks and this package: which command reproduces which slide, number, question and exercise, and where a deck is wrong."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..errors import ArgumentError
from .lectures import DECKS, ERRATA, FIXTURES, PARTS, ROWS, Check, Deck, Erratum, Row, Slide
from .lectures.entries import is_command
from .tables import text_table

__all__ = ["LectureMap", "Shown", "checks_of", "lecture", "places_of"]

SHORT = 12  # rows that are shown in full; more make a listing
STATUS = {
    "runs": "all of it runs",
    "partly": "runs, but for what its last line says",
    "named": "only named there and here: the glossary explains it",
    "reading": "to read, nothing to run",
}


@dataclass(frozen=True)
class Shown:
    """A slide of the answer: its deck, its number there, the rows that were asked for."""

    deck: Deck
    number: int
    slide: Slide
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class LectureMap:
    """A part of the map: slides in the order of their decks, with their rows, and the errata that belong to them."""

    slides: tuple[Shown, ...]
    errata: tuple[Erratum, ...]
    whole: bool
    wanted: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row once, in the order of the map."""
        shown = {row.id for slide in self.slides for row in slide.rows}
        return tuple(row for row in ROWS.values() if row.id in shown)

    def text(self) -> str:
        """For people: an overview, a deck's slides, or rows in full."""
        if self.whole:
            return _overview(self)
        if len(self.rows) > SHORT:
            return _listing(self)
        parts = [row_text(row) for row in self.rows]
        return "\n\n".join(parts + [erratum_text(erratum) for erratum in self.errata])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rows": [row_dict(row) for row in self.rows],
            "slides": [
                {"deck": one.deck.id, "slide": one.number, "title": one.slide.title, "kind": one.slide.kind, "rows": [row.id for row in one.rows]}
                for one in self.slides
            ],
            "errata": [erratum_dict(erratum) for erratum in self.errata],
        }  # fmt: skip

    def html(self) -> str:
        """One page that works offline."""
        from .lecture_page import lecture_page

        return lecture_page(self)


def lecture(*words: str) -> LectureMap:
    """Find what the decks teach, and what reproduces it.

    Parameters
    ----------
    words : str
        Each narrows the answer: a deck ("S3"), a slide's number in its deck ("9"), a row ("A14"), or a word of a slide's title, of what is taught or
        of a command. All five decks if left out.

    Returns
    -------
    LectureMap

    Raises
    ------
    ArgumentError
        If nothing fits, with the nearest words.

    Notes
    -----
    The decks came as text without page numbers: a slide's number is its place in this map. Whether the numbers come out as they should is shown by
    `tinycnn lecture --run ROW` (or `tinycnn.study.lecture_run.run_check`), and by a test for all of them.

    Examples
    --------
    >>> from tinycnn.study.lecture import lecture
    >>> [row.id for row in lecture("S3", "number of parameters").rows]
    ['A17', 'J11']
    >>> lecture("A14").rows[0].checks[2].run
    'tinycnn shape conv2d --in 7 --k 3 --s 3'
    """
    wanted = tuple(str(word).strip() for word in words if str(word).strip())
    shown = [Shown(deck, number, slide, tuple(ROWS[id] for id in slide.row_ids)) for deck in DECKS.values() for number, slide in _numbered(deck)]
    for word in wanted:
        shown = _narrowed(shown, word, wanted)
    decks = {one.deck.id for one in shown}
    rows = {row.id for one in shown for row in one.rows}
    errata = tuple(erratum for erratum in ERRATA if erratum.row in rows and erratum.deck in decks)
    return LectureMap(tuple(shown), errata, not wanted, wanted)


def _numbered(deck: Deck) -> list[tuple[int, Slide]]:
    return list(enumerate(deck.slides, 1))


def _narrowed(shown: list[Shown], word: str, wanted: tuple[str, ...]) -> list[Shown]:
    """What is left of the slides and their rows."""
    if word.upper() in DECKS:
        found = [one for one in shown if one.deck.id == word.upper()]
    elif re.fullmatch(r"[A-Ja-j]\d{1,2}", word):
        id = f"{word[0].upper()}{int(word[1:]):02d}"
        if id not in ROWS:
            last = max(row for row in ROWS if row[0] == id[0])
            raise ArgumentError(f"lecture: there is no row {id}; part {id[0]} ends with {last}")
        found = [Shown(one.deck, one.number, one.slide, (ROWS[id],)) for one in shown if ROWS[id] in one.rows]
    elif re.fullmatch(r"\d{1,9}", word):
        if not any(other.upper() in DECKS for other in wanted):
            raise ArgumentError(f"lecture: slide {word} of which deck? Name it first, such as S3 {word}; the decks are {', '.join(DECKS)}")
        found = [one for one in shown if one.number == int(word)]
    else:
        found = [one for one in (_with_word(one, word.lower()) for one in shown) if one.rows]
    if not found:
        raise ArgumentError(f"lecture: nothing fits {word[:60]!r}{_nearest(word)}")
    return found


def _with_word(one: Shown, word: str) -> Shown:
    """The slide with all rows if its title has the word, else with those rows that have it."""
    if word in one.slide.title.lower() or word == one.slide.kind:
        return one
    return Shown(one.deck, one.number, one.slide, tuple(row for row in one.rows if word in _searched(row)))


def _searched(row: Row) -> str:
    return " ".join((row.id, row.taught, row.missing, *row.runs, *(check.what for check in row.checks))).lower()


def _nearest(word: str) -> str:
    known = {part for deck in DECKS.values() for slide in deck.slides for part in re.findall(r"[A-Za-z0-9-]{3,}", slide.title)}
    known |= {*DECKS, *(part for row in ROWS.values() for part in re.findall(r"[A-Za-z]{4,}", row.taught))}
    close = difflib.get_close_matches(word[:60].lower(), sorted({name.lower() for name in known}), n=3, cutoff=0.6)
    counts = ", ".join(f"{deck.id} has {len(deck.slides)} slides" for deck in DECKS.values())
    return f"; did you mean {' or '.join(close)}?" if close else f"; write a deck ({counts}), a row such as A14, or a word such as pooling"


def places_of(row: Row) -> list[tuple[str, int, str]]:
    """Where a row is shown: deck, number and title of each slide.

    Examples
    --------
    >>> places_of(lecture("J12").rows[0])
    [('S3', 11, 'Pad 1: what is the output?')]
    """
    return [(deck.id, number, slide.title) for deck in DECKS.values() for number, slide in _numbered(deck) if row.id in slide.row_ids]


def checks_of(row: Row) -> list[tuple[str, Check]]:
    """The numbers of a row and where each comes from: the deck, a public thread, an erratum."""
    found = [("deck", check) for check in row.checks]
    found += [(source, check) for id, source, check in FIXTURES if id == row.id]
    return found + [(f"erratum {erratum.number}", erratum.check) for erratum in ERRATA if erratum.row == row.id and erratum.check is not None]


def expected_text(check: Check) -> str:
    """What must come out."""
    if isinstance(check.expect, str):
        return f'"{check.expect}"'
    wanted = f"{check.expect:,}" if type(check.expect) is int else _number_text(check.expect)
    return f"{wanted} (within {check.within:g})" if check.within else wanted


def _number_text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_number_text, value))}]"
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def row_text(row: Row) -> str:
    """A row in full."""
    places = "; ".join(f"{deck} slide {number}, {title}" for deck, number, title in places_of(row))
    lines = [f"{row.id}  {STATUS[row.status]}", f"  {places}", f"  {row.taught}"]
    numbers: dict[str, list[tuple[str, Check]]] = {}
    for source, check in checks_of(row):
        numbers.setdefault(check.run, []).append((source, check))
    for run in dict.fromkeys((*numbers, *row.commands)):
        lines.append("")
        lines += [f"    {line}" for line in run.splitlines()]
        lines += [
            f"      {check.what}: {expected_text(check)}{'' if source == 'deck' else f'  [{source}]'}" for source, check in numbers.get(run, ())
        ]
    if row.missing:
        lines += ["", f"  {row.missing}"]
    return "\n".join(lines)


def erratum_text(erratum: Erratum) -> str:
    """An erratum in full."""
    lines = [f"erratum {erratum.number}  {erratum.deck}, row {erratum.row}", f"  the deck: {erratum.says}", f"  right:    {erratum.right}"]
    if erratum.check is not None:
        lines += [f"    {line}" for line in erratum.check.run.splitlines()]
        lines.append(f"      {erratum.check.what}: {expected_text(erratum.check)}")
    return "\n".join(lines)


def golden_text(found: LectureMap) -> str:
    """Every number of the rows, and what reproduces it."""
    cells = [
        [row.id, check.what, expected_text(check)[:60], check.run.splitlines()[-1][:90]] for row in found.rows for _, check in checks_of(row)
    ]
    return text_table(("row", "number", "must be", "from"), cells, left=(0, 1, 2, 3))


def _overview(found: LectureMap) -> str:
    cells = []
    for deck in DECKS.values():
        ids = {id for slide in deck.slides for id in slide.row_ids}
        states = Counter(ROWS[id].status for id in ids)
        cells.append([deck.id, f"{deck.title} ({deck.school})", str(len(deck.slides)), str(len(ids)), *(str(states[name]) for name in STATUS)])
    states = Counter(row.status for row in ROWS.values())
    cells.append(["all", "", str(len(found.slides)), str(len(ROWS)), *(str(states[name]) for name in STATUS)])
    parts = [f"  {rows[0].id} to {max(row.id for row in rows)}  {name}" for name, rows in PARTS.items()]
    numbers = sum(len(checks_of(row)) for row in ROWS.values())
    return "\n".join(
        [
            text_table(("deck", "", "slides", "rows", *STATUS), cells, left=(0, 1)),
            "",
            *(f"{name}: {words}" for name, words in STATUS.items()),
            "",
            "rows",
            *parts,
            "",
            f"{numbers} numbers are reproduced by a command or a few lines, and {len(ERRATA)} errata are known.",
            "`tinycnn lecture S3` lists a deck, `tinycnn lecture A14` a row; `--run A14` computes its numbers; `--errata` says what is wrong.",
        ]
    )


def _listing(found: LectureMap) -> str:
    """Slides with their rows, a line each."""
    lines: list[str] = []
    deck = None
    for one in found.slides:
        if one.deck is not deck:
            deck = one.deck
            lines.append(f"{deck.id}  {deck.title} ({deck.school})")
        kind = "" if one.slide.kind == "slide" else f" ({one.slide.kind})"
        lines.append(f"  {one.number:>2}  {one.slide.title}{kind}")
        for row in one.rows:
            best = next((command for command in row.runs if is_command(command)), row.runs[0].splitlines()[-1] if row.runs else "")
            lines.append(f"        {row.id}  {row.status:<8} {best if len(best) <= 100 else f'{best[:97]}...'}")
        mine = [erratum for erratum in found.errata if erratum.deck == deck.id and erratum.row in one.slide.row_ids]
        lines += [f"        erratum {erratum.number}: {erratum.says}" for erratum in mine]
    return "\n".join(lines)


def row_dict(row: Row) -> dict[str, Any]:
    """A row for JSON."""
    return {
        "id": row.id, "status": row.status, "decks": row.decks.split(), "taught": row.taught, "commands": list(row.commands), "missing": row.missing,
        "slides": [{"deck": deck, "slide": number, "title": title} for deck, number, title in places_of(row)],
        "numbers": [
            {"what": check.what, "run": check.run, "pick": check.pick, "expect": check.expect, "within": check.within, "source": source}
            for source, check in checks_of(row)
        ],
    }  # fmt: skip


def erratum_dict(erratum: Erratum) -> dict[str, Any]:
    """An erratum for JSON."""
    check = erratum.check
    shown = None if check is None else {"what": check.what, "run": check.run, "pick": check.pick, "expect": check.expect}
    return {"number": erratum.number, "deck": erratum.deck, "row": erratum.row, "says": erratum.says, "right": erratum.right, "check": shown}
