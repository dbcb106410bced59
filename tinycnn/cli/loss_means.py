"""`tinycnn loss-means`: the squared error asks for the mean, the absolute error for the median, a hit or a miss for the mode."""

from __future__ import annotations

import argparse

from .common import Console, table, use_threads, whole_number
from .pictures import Album, add_picture_options

DESCRIPTION = """\
One blurred observation, four clean images that fit it. A picture is learned from draws of them under three losses: the squared
error leads to the blurred mean E[u|z], the absolute error to the median, a narrow window around each draw to the most likely
image, argmax p(u|z). Nothing in the program knows what a mean or a median is."""
EPILOG = """\
examples:
  tinycnn loss-means
  tinycnn loss-means --size 32 --steps 500 --html losses.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--size", type=whole_number(8), default=24, metavar="N", help="side of the pictures in pixels (default: 24)")
    parser.add_argument("--draws", type=whole_number(10), default=100, metavar="N", help="draws in all (default: 100)")
    parser.add_argument("--steps", type=whole_number(1), default=300, metavar="N", help="training steps (default: 300)")
    add_picture_options(parser, "pictures/loss-means")


def run(arguments: argparse.Namespace) -> int:
    """Learn under each loss and compare."""
    from ..study.restoration_page import loss_means_page
    from ..train.loss_means import edge_pictures, loss_means_experiment

    console = Console(arguments.json)
    album = Album(arguments, "loss-means")
    use_threads(arguments.threads)
    pictures, shares = edge_pictures(arguments.size)
    found = loss_means_experiment(pictures, shares, draws=arguments.draws, steps=arguments.steps)
    console.say(table(["loss", "asks for", "largest difference"], [[one.loss, one.asks_for, f"{one.difference:.4f}"] for one in found]))
    for one in found:
        album.add(one.asks_for, one.learned)
    result = {"losses": [{"loss": one.loss, "asks_for": one.asks_for, "largest_difference": one.difference} for one in found]}
    album.finish(console, loss_means_page(pictures, shares, found, result), result)
    return 0
