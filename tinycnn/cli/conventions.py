"""`tinycnn conventions`: where frameworks differ, the same small input under each rule."""

from __future__ import annotations

import argparse

from ..errors import ArgumentError, UsageError
from .common import Console
from .main import nearest
from .shape import add_result_options, finish

DESCRIPTION = """\
Where PyTorch, TensorFlow, Keras, Caffe, ONNX and the papers differ: padding, ceil, count_include_pad, batch-norm variance, resize
coordinates, RoIAlign, anchors, box + 1, mIoU of absent classes, Gram, ArcFace, contrastive loss and more. Each row runs the same small
input under each rule, with the call that shows it, what follows from it, and the source."""
EPILOG = """\
examples:
  tinycnn conventions --list
  tinycnn conventions padding ceil
  tinycnn conventions --html conventions.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help="words of the topics (default: all)")
    parser.add_argument("--list", action="store_true", help="list the topics")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the rules and print them."""
    from ..study.convention_rows import ROWS
    from ..study.conventions import conventions
    from ..study.shape_page import conventions_page

    console = Console(arguments.json)
    if arguments.list:
        for row in ROWS:
            console.say(f"{row.topic}: {row.question}")
        console.result({"topics": [row.topic for row in ROWS]})
        return 0
    try:
        found = conventions(arguments.topics)
    except ArgumentError as error:
        close = nearest(arguments.topics[0][:60], [row.topic for row in ROWS])
        raise UsageError(f"{error}{close}") from error
    console.say(found.text())
    finish(console, arguments, found.to_dict(), conventions_page(found) if arguments.html is not None else "")
    return 0
