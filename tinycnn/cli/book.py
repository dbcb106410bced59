"""`tinycnn book`: the whole operator book as a static site."""

import argparse
import sys

from ..errors import UsageError
from .common import Console

DESCRIPTION = """\
Write the operator book: one self-contained page for every operator, with its formula, a worked example to step through (forward, backward, numeric
check), the reference kernel's source, what is checked of it and how fast it was measured; an index by family and by lecture; a search. The pages
need no network. Formulas are typeset where latex2mathml is installed: pip install tinycnn[book]."""
EPILOG = """\
examples:
  tinycnn book --out book                              every operator; open book/index.html
  tinycnn book --out book --operators conv2d,relu      some of them
  tinycnn book --out book --family pool,unpool         some families
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--out", metavar="DIR", help="the folder: new, empty, or that of an earlier book")
    parser.add_argument("--operators", type=_names, metavar="A,B", help="only these operators")
    parser.add_argument("--family", type=_names, metavar="A,B", help="only these families (with --operators: both)")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def _names(text: str) -> list[str]:
    """Names between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def run(arguments: argparse.Namespace) -> int:
    """Write the book and say where."""
    from ..study.book import book
    from ..study.formula import can_typeset

    if not arguments.out:
        raise UsageError("say where: `tinycnn book --out book`")
    for option, example in (("operators", "conv2d,relu"), ("family", "pool,unpool")):
        if getattr(arguments, option) == []:
            raise UsageError(f"--{option} names nothing; write names between commas, such as --{option} {example}")
    console = Console(arguments.json)
    if not can_typeset():
        console.say("formulas stand as they were typed: `pip install tinycnn[book]` typesets them")
    shown = (lambda name: print(f"\r{name:40s}", end="", file=sys.stderr, flush=True)) if sys.stderr.isatty() and not arguments.json else None
    found = book(arguments.out, arguments.operators, arguments.family, progress=shown)
    if shown:
        shown("")
        print("\r", end="", file=sys.stderr)
    count = len(found.operators)
    console.say(f"wrote {count} page{'' if count == 1 else 's'}, {found.bytes / 1e6:.1f} MB; open {found.index}")
    if can_typeset() and found.plain:
        console.say(f"{count - len(found.plain)} formulas are typeset; as they were typed stand those of {', '.join(found.plain)}")
    console.result(found.to_dict())
    return 0
