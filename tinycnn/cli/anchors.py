"""`tinycnn anchors`: the anchors of a detector, counted and drawn; the first step of `tinycnn detection` under a name of its own."""

from __future__ import annotations

import argparse

from . import detection
from .shape import add_result_options

DESCRIPTION = """\
The anchors (default boxes) that a detector lays over an image: how many on every map, of which sizes, which true boxes they cover and how
well, and those that no anchor covers. `tinycnn detection matching` says which anchors learn which truth."""
EPILOG = """\
examples:
  tinycnn anchors --network ssd300_vgg16
  tinycnn anchors --network fasterrcnn_resnet50_fpn --truths "30 40 120 200; 5 5 20 15" --html anchors.html
  tinycnn anchors --sizes "32; 64; 128" --ratios "0.5 1 2" --strides "8 16 32" --size 256 --png anchors.png
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    detection.add_anchor_options(parser)
    add_result_options(parser)
    parser.set_defaults(view="anchors", weights=None)


def run(arguments: argparse.Namespace) -> int:
    """Show the anchors."""
    return detection.run(arguments)
