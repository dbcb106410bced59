"""`tinycnn myths`: claims in circulation, each with a counter-example that runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import ArgumentError, UsageError
from .common import Console

DESCRIPTION = """\
Claims about convolutional networks that are wrong, or half true: what is claimed, who says so, the verdict, why, and a few lines of Python
that show it. The lines run now; what is printed below them is what they printed."""
EPILOG = """\
examples:
  tinycnn myths --list
  tinycnn myths one-by-one-convolution
  tinycnn myths --html myths.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of myths, or words in them (default: all)")
    parser.add_argument("--list", action="store_true", help="list the claims")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the counter-examples and print them."""
    from ..study.myth_rows import ROWS
    from ..study.myths import myths

    console = Console(arguments.json)
    if arguments.list:
        for myth in ROWS:
            console.say(f"{myth.name:<26} {myth.claim}")
        console.result({"myths": [myth.name for myth in ROWS]})
        return 0
    try:
        found = myths(arguments.names)
    except ArgumentError as error:
        raise UsageError(str(error)) from error
    if arguments.html is not None:
        arguments.html.write_text(found.html(), encoding="utf-8")
        console.say(f"wrote {arguments.html}")
    else:
        console.say(found.text())
    console.result({**found.to_dict(), "files": [arguments.html] if arguments.html is not None else []})
    return 0
