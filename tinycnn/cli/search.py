"""`tinycnn search MODEL`: try hyper-parameters, over a grid or at random, and rank them."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import (
    Console,
    add_data_options,
    add_machine_options,
    add_training_options,
    field_of,
    table,
    use_threads,
    value_of,
    whole_number,
)

DESCRIPTION = """\
Train short runs with different hyper-parameters and rank them. Every sixth training image is put aside to rank by:
choosing by the test images would make the test accuracy of the winner too good to be true. Train the winner with
`tinycnn train` afterwards."""
EPILOG = """\
examples:
  tinycnn search lenet5                                                    learning rates, with two optimisers
  tinycnn search lenet5 --set lr=0.01,0.03,0.1 --set batch_size=32,64      a grid: every combination
  tinycnn search lenet5 --random 10 --range lr=0.001:0.3:log --range momentum=0:0.95
  tinycnn search lenet5 --epochs 2 --out runs/search --json

names: the fields of a run's configuration, such as lr, batch_size, optimizer, momentum, weight_decay, schedule,
shift, label_smoothing
"""

DEFAULT_GRID: dict[str, list[Any]] = {"optimizer": ["sgd", "adam"], "learning_rate": [0.001, 0.01, 0.05, 0.2]}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("model", help="such as lenet5")
    add_data_options(parser)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=A,B,C", help="values to try; may be given more than once")
    parser.add_argument(
        "--range",
        action="append",
        default=[],
        metavar="NAME=LOW:HIGH[:log]",
        help="with --random: numbers between two bounds",
    )
    parser.add_argument("--random", type=whole_number(1), metavar="N", help="draw N combinations instead of trying all")
    add_training_options(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keep search.jsonl there")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Try every combination and print the ranking."""
    console = Console(arguments.json)
    use_threads(arguments.threads)
    from ..models import get_model
    from ..train import grid, random_choices, recipe, require_writable, search
    from .data import open_data, short_name
    from .runs import check_model_name, model_options
    from .train import changes

    check_model_name(arguments.model)
    space = _space(arguments)
    trials = random_choices(space, arguments.random, arguments.seed) if arguments.random else grid(space)
    config = recipe(arguments.model, short_name(arguments.data), **{"epochs": 3, **changes(arguments)})
    for trial in trials:
        config.replace(**trial)  # an impossible value is better refused before the first run than in the middle
    output = None if arguments.out is None else require_writable(arguments.out)
    data = open_data(arguments.data, arguments.download)
    options = model_options(arguments.model, len(data.classes), data.channels, data.image_size)
    learn, validate = data.split_training(config)
    console.say(f"{len(trials)} trials of {config.epochs} epochs on {len(learn):,} images, ranked on {len(validate):,} others")
    results = search(lambda: get_model(arguments.model, **options), learn, validate, trials, config, output=output)
    names = list(space)
    rows = []
    for rank, result in enumerate(results, 1):
        accuracy = f"{100 * result.test_accuracy:.2f} %" if result.error is None else "failed"
        values = [short_text(result.changes[name]) for name in names]
        losses = [f"{result.test_loss:.4f}", f"{result.train_loss:.4f}"]
        rows.append([str(rank), *values, accuracy, *losses, f"{result.seconds:.1f}"])
    console.say(table(["rank", *names, "accuracy", "loss", "train loss", "seconds"], rows))
    best = results[0]
    console.say("\n" + _how_to_train(arguments, best.changes))
    console.result({"model": arguments.model, "data": data.name, "trials": [dataclasses.asdict(result) for result in results]})
    return 0


def short_text(value: Any) -> str:
    """A number with four digits, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _how_to_train(arguments: argparse.Namespace, changes: dict[str, Any]) -> str:
    """The command that trains the winner."""
    options = {
        "learning_rate": "--lr ",
        "batch_size": "--batch-size ",
        "optimizer": "--optimizer ",
        "epochs": "--epochs ",
    }
    words = [options.get(name, f"--set {name}=") + short_text(value) for name, value in changes.items()]
    return f"the best: tinycnn train {arguments.model} --data {arguments.data} {' '.join(words)}"


def _space(arguments: argparse.Namespace) -> dict[str, Any]:
    """What --set and --range describe, by TrainConfig's names: a list, or ("log" or "uniform", low, high)."""
    space: dict[str, Any] = {}
    for text in arguments.set:
        name, _, values = text.partition("=")
        if not values:
            raise UsageError(f"--set {text}: write NAME=A,B,C, such as lr=0.01,0.1")
        field = field_of(name)
        space[field] = [value_of(field, value) for value in values.split(",")]
    for text in arguments.range:
        name, _, bounds = text.partition("=")
        parts = bounds.split(":")
        if len(parts) not in (2, 3) or (len(parts) == 3 and parts[2] != "log"):
            raise UsageError(f"--range {text}: write NAME=LOW:HIGH or NAME=LOW:HIGH:log, such as lr=0.001:0.3:log")
        if not arguments.random:
            raise UsageError("--range needs --random N; a grid wants --set with values")
        field = field_of(name)
        low, high = float(value_of(field, parts[0])), float(value_of(field, parts[1]))
        if not low < high or (len(parts) == 3 and low <= 0):
            raise UsageError(f"--range {text}: the lower bound must be smaller than the upper one, and above 0 with log")
        space[field] = ("log" if len(parts) == 3 else "uniform", low, high)
    return space or DEFAULT_GRID
