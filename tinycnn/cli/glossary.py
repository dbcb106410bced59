"""`tinycnn glossary [TERM]`: what the lecture decks name without explaining."""

from __future__ import annotations

import argparse

from ..errors import ArgumentError, UsageError
from .common import Console
from .shape import add_result_options, finish

DESCRIPTION = """\
What the lecture decks name without explaining it: a few sentences, the source, and what of it runs here."""
EPILOG = """\
examples:
  tinycnn glossary                 all terms
  tinycnn glossary sniper
  tinycnn glossary --html glossary.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("term", nargs="*", metavar="TERM", help="a term, or a part of one (default: all)")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the terms."""
    from ..study.glossary import glossary

    console = Console(arguments.json)
    try:
        found = glossary(" ".join(arguments.term) if arguments.term else None)
    except ArgumentError as error:
        raise UsageError(str(error)) from error
    console.say(found.text())
    finish(console, arguments, found.to_dict(), found.page() if arguments.html is not None else "")
    return 0
