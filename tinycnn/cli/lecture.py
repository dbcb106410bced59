"""`tinycnn lecture`: which command reproduces which slide of five lecture decks, whether the numbers come out, and where a deck is wrong."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import ArgumentError, TinycnnError, UsageError
from .common import Console
from .shape import add_result_options, finish

DESCRIPTION = """\
The map of five lecture decks on convolutional networks: for every slide, figure, question and exercise what it teaches, and the command
or the Python lines that reproduce it; the numbers that must come out; and where a deck is wrong. WORDS narrow it: a deck (S0 to S4), a slide's
number in it, a row (A01 to J19), or any word."""
EPILOG = """\
examples:
  tinycnn lecture                          the decks at a glance
  tinycnn lecture S3                       a deck, slide by slide
  tinycnn lecture S3 9                     a slide
  tinycnn lecture A14 --run A14            a row, and its numbers computed
  tinycnn lecture pooling --golden         every number that has to do with pooling
  tinycnn lecture --run all                compute them all, a minute or two
  tinycnn lecture --errata --html lecture.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="a deck, a slide's number, a row, or a word")
    parser.add_argument("--errata", action="store_true", help="where the decks are wrong, and the command that shows it")
    parser.add_argument("--golden", action="store_true", help="list the numbers and what reproduces each")
    parser.add_argument("--run", metavar="ROW|all", help="compute the numbers of a row, or of all that WORDS leave (exit code 1 if one differs)")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Look up, print, compute."""
    from ..study.lecture import erratum_text, golden_text, lecture

    console = Console(arguments.json)
    try:
        found = lecture(*arguments.words)
        entries = _entries(found, arguments.run) if arguments.run else []
    except ArgumentError as error:
        raise UsageError(str(error)) from error
    if entries:
        return _run_entries(console, arguments, found, entries)
    if arguments.errata:
        console.say("\n\n".join(map(erratum_text, found.errata)) or "no erratum is known there")
    if arguments.golden:
        console.say(golden_text(found))
    if not (arguments.errata or arguments.golden):
        console.say(found.text())
    finish(console, arguments, found.to_dict(), found.html() if arguments.html else "")
    return 0


def _entries(found: Any, wanted: str) -> list[tuple[str, Any]]:
    """(row, check) of everything that is to be computed."""
    from ..study.lecture import checks_of, lecture

    if wanted.lower() == "errata":
        return [(f"erratum {erratum.number}", erratum.check) for erratum in found.errata if erratum.check is not None]
    rows = found.rows if wanted.lower() == "all" else lecture(wanted).rows
    entries = [(row.id, check) for row in rows for _, check in checks_of(row)]
    if not entries:
        commands = [command for row in rows for command in row.commands]
        offer = f"; its commands are {', '.join(f'`{command}`' for command in commands[:3])}" if commands else ""
        raise ArgumentError(f"lecture: {wanted} has no numbers to compute{offer}")
    return entries


def _run_entries(console: Console, arguments: argparse.Namespace, found: Any, entries: list[tuple[str, Any]]) -> int:
    """Compute each, say what came out; an exit code."""
    from ..study.lecture_run import run_check
    from .main import main

    outcomes: list[tuple[str, Any]] = []
    answers: dict[str, Any] = {}
    many = len(entries) > 30
    for id, check in entries:
        outcome = run_check(check, main, answers)
        outcomes.append((id, outcome))
        if not many:
            console.say(f"{id}: {outcome.text()}\n")
        else:
            console.say(f"{id:<10} {outcome.verdict[:60]:<8} {check.what}")
    wrong = [f"{id}, {outcome.check.what}" for id, outcome in outcomes if not outcome.passed]
    console.say(f"{len(outcomes) - len(wrong)} of {len(outcomes)} numbers agree")
    results = [{"row": id, **outcome.to_dict()} for id, outcome in outcomes]
    finish(console, arguments, {"numbers": results, "agree": not wrong}, found.html() if arguments.html else "")
    if wrong:
        raise TinycnnError(f"lecture: {len(wrong)} of {len(outcomes)} numbers differ: {'; '.join(wrong[:10])}")
    return 0
