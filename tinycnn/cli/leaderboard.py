"""`tinycnn leaderboard`: the runs on this machine ranked, beside what was published."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import RUNS, Console, table

DESCRIPTION = """\
Rank the runs that `tinycnn train` and `tinycnn transfer` have finished (runs/leaderboard.jsonl, one line a run), or draw accuracy against
work with a bubble a network: the published results on ImageNet, and your own runs beside them."""
EPILOG = """\
examples:
  tinycnn leaderboard                              the best runs of every data set
  tinycnn leaderboard --data cifar10 --json
  tinycnn leaderboard --published                  parameters, multiply-adds and accuracy on ImageNet as published
  tinycnn leaderboard --published --chart bubbles.svg
  tinycnn leaderboard --data cifar10 --chart own.png
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--data", metavar="NAME", help="only runs on this data set")
    parser.add_argument("--file", type=Path, metavar="FILE", help="another leaderboard (default: runs/leaderboard.jsonl)")
    parser.add_argument("--published", action="store_true", help="the published results on ImageNet instead of own runs")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the bubbles into a .png or .svg file")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output, all else on standard error")


def run(arguments: argparse.Namespace) -> int:
    """Print the table, draw the chart."""
    if arguments.chart is not None and arguments.chart.suffix not in (".png", ".svg"):
        raise UsageError(f"--chart {arguments.chart}: name a file that ends in .png or .svg")
    console = Console(arguments.json)
    if arguments.published:
        return _published(arguments, console)
    from ..train.leaderboard import NAME, ranked, read_leaderboard

    path = arguments.file or RUNS / NAME
    entries = ranked(read_leaderboard(path), arguments.data)
    if not entries:
        words = f" on {arguments.data}" if arguments.data else ""
        raise UsageError(f"there is no finished run{words} in {path} yet; `tinycnn train lenet5` makes one in under a minute")
    rows = [
        [
            entry.model,
            entry.data,
            f"{100 * entry.accuracy:.2f} %",
            str(entry.epochs),
            f"{entry.minutes:.1f}",
            f"{entry.parameters:,}",
            str(entry.seed),
            entry.commit,
        ]
        for entry in entries
    ]
    console.say(table(["model", "data", "accuracy", "epochs", "minutes", "parameters", "seed", "commit"], rows))
    if arguments.chart is not None:
        points = [(entry.model, float(entry.parameters), max(entry.minutes, 1e-3), 100 * entry.accuracy) for entry in entries]
        _draw(points, arguments.chart, f"Own runs on {arguments.data or 'all data'}", "minutes of training", console)
    console.result({"file": path, "runs": [dataclasses.asdict(entry) for entry in entries], "chart": arguments.chart})
    return 0


def _published(arguments: argparse.Namespace, console: Console) -> int:
    from ..study.imagenet_results import IMAGENET_RESULTS

    best_first = sorted(IMAGENET_RESULTS, key=lambda one: -one.top1)
    rows = [[one.model, f"{one.parameters:,}", f"{one.giga_macs:.3f}", f"{one.top1:.2f} %"] for one in best_first]
    console.say(table(["model", "parameters", "multiply-adds, 10^9", "ImageNet top 1"], rows))
    console.say("source: the IMAGENET1K_V1 weights of torchvision 0.28, docs.pytorch.org/vision/stable/models.html")
    if arguments.chart is not None:
        points = [(one.model, float(one.parameters), one.giga_macs, one.top1) for one in IMAGENET_RESULTS]
        _draw(points, arguments.chart, "ImageNet, as published by torchvision", "multiply-adds an image, 10^9", console)
    console.result({"results": [one._asdict() for one in IMAGENET_RESULTS], "chart": arguments.chart})
    return 0


def _draw(points: list[tuple[str, float, float, float]], path: Path, title: str, work: str, console: Console) -> None:
    from .. import plot

    plot.draw_bubbles(points, path, title, work)
    console.say(f"chart: {path}")


def note_run(folder: Path, model: str, data: str, result: Any, accuracy: float, seed: int, parameters: int) -> Any:
    """Put a finished run on the leaderboard beside its folder."""
    from ..train.leaderboard import NAME, add_to_leaderboard

    seconds = sum(record.seconds for record in result)
    return add_to_leaderboard(
        folder.parent / NAME,
        model=model,
        data=data,
        epochs=len(result),
        minutes=round(seconds / 60, 3),
        accuracy=accuracy,
        seed=seed,
        parameters=parameters,
        folder=str(folder),
    )
