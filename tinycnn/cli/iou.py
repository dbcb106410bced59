"""`tinycnn iou BOX BOX`: how much two boxes overlap, worked out and drawn."""

from __future__ import annotations

import argparse
import re

from ..errors import ArgumentError, UsageError
from .common import Console
from .shape import add_result_options, finish

DESCRIPTION = """\
Intersection over union of two boxes with your numbers put in, and its generalized, distance and complete forms; --html draws them."""
EPILOG = """\
examples:
  tinycnn iou "0 0 4 4" "2 1 6 5"
  tinycnn iou "0 0 4 4" "2 1 4 4" --fmt xywh --html iou.html
"""


def box(text: str) -> list[float]:
    """An argparse type: four numbers."""
    try:
        values = [float(part) for part in re.split(r"[\s,]+", text.strip())]
    except ValueError:
        values = []
    if len(values) != 4:
        raise argparse.ArgumentTypeError(f'{text[:40]!r} must be four numbers such as "0 0 4 4"')
    return values


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("first", type=box, metavar="BOX", help='four numbers in quotes: "0 0 4 4"')
    parser.add_argument("second", type=box, metavar="BOX", help="the other box")
    parser.add_argument("--fmt", choices=("xyxy", "xywh", "cxcywh"), default="xyxy", help="what the numbers are (default: corners, xyxy)")
    add_result_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the steps."""
    from ..study.iou_figure import iou_figure, iou_page

    console = Console(arguments.json)
    try:
        figure = iou_figure(arguments.first, arguments.second, arguments.fmt)
    except ArgumentError as error:
        raise UsageError(str(error)) from error
    console.say(figure.text())
    finish(console, arguments, figure.to_dict(), iou_page(figure) if arguments.html else "")
    return 0
