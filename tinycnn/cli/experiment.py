"""`tinycnn experiment NAME`: small experiments that answer one question each, with a table."""

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
    table,
    use_threads,
    whole_number,
)
from .main import nearest

DESCRIPTION = """\
Small experiments, each with a question and a table:

  init        how do the initial weights matter? every layer's activations before training, the loss after some steps
  lr-range    which learning rate? the rate grows at every step; a good one lies before the loss is lowest
  overfit     is the network wired correctly? one batch, which any sound network can learn by heart
  optimizers  which optimiser? the same start and the same images for each
  degradation plain networks of two depths against residual ones: does more depth mean more error?
  vgg-depth   may one keep adding layers to VGG? depths 11 to 19 without batch normalisation
  identity    a deeper network by construction: added identity layers leave a trained network's answers as they are
  side-branches  a network trained with and without its side branches, and the gradient in every layer
  layer-transfer how general is each layer? parts learned on half of the classes, frozen or not, serve the other half
  clips       what is done in a clip: features of every frame, then mean, max or a convolution over time"""
EPILOG = """\
examples:
  tinycnn experiment init
  tinycnn experiment lr-range --steps 200 --picture lr.svg
  tinycnn experiment degradation --data cifar10 --depths 20,56 --epochs 4 --images 10000 --picture degradation.svg
  tinycnn experiment vgg-depth --data cifar10 --depths 11,16,19
  tinycnn experiment identity resnet20 --data cifar10
  tinycnn experiment side-branches googlenet_cifar --data cifar10 --picture gradients.png
  tinycnn experiment overfit lenet5_1998
  tinycnn experiment optimizers --epochs 2 --json
  tinycnn experiment clips --epochs 8
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("name", metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("model", nargs="?", help="such as lenet5, which most take by default")
    add_data_options(parser)
    parser.add_argument("--steps", type=whole_number(1), metavar="N", help="training steps, where the experiment counts in steps")
    parser.add_argument("--depths", metavar="A,B", help="degradation and vgg-depth: the depths to compare")
    parser.add_argument("--images", type=whole_number(1), metavar="N", help="learn from N training images (default: all)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the result into a .png or .svg file")
    add_training_options(parser)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="NAME=VALUE", help="any other hyper-parameter")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do the experiment."""
    if arguments.name not in EXPERIMENTS:
        raise UsageError(f"there is no experiment {arguments.name!r}{nearest(arguments.name, list(EXPERIMENTS))}; there are {', '.join(EXPERIMENTS)}")
    if arguments.picture is not None and arguments.picture.suffix not in (".png", ".svg"):
        raise UsageError(f"--picture {arguments.picture}: name a file that ends in .png or .svg")
    console = Console(arguments.json)
    use_threads(arguments.threads)
    if arguments.name == "clips":
        from . import experiment_clips

        console.result({"experiment": "clips", **experiment_clips.run(arguments, console)})
        return 0
    arguments.model = arguments.model or DEFAULT_MODELS.get(arguments.name, "lenet5")
    if arguments.name in OF_NETWORKS:
        from . import experiment_networks

        outcome = experiment_networks.run(arguments, console)
        console.result({"experiment": arguments.name, **outcome})
        return 0
    from .. import random
    from ..models import get_model
    from ..train import recipe
    from .data import open_data, short_name
    from .runs import check_model_name, model_options
    from .train import changes

    check_model_name(arguments.model)
    config = recipe(arguments.model, short_name(arguments.data), **{"epochs": 2, **changes(arguments)})
    data = open_data(arguments.data, arguments.download)
    options = model_options(arguments.model, len(data.classes), data.channels, data.image_size)
    random.manual_seed(config.seed)
    outcome = EXPERIMENTS[arguments.name](lambda: get_model(arguments.model, **options), data, config, arguments, console)
    console.result({"experiment": arguments.name, "model": arguments.model, "data": data.name, **outcome})
    return 0


def _steps(arguments: argparse.Namespace) -> dict[str, Any]:
    """The option --steps as a keyword, where it was given."""
    return {} if arguments.steps is None else {"steps": arguments.steps}


def _init(build: Any, data: Any, config: Any, arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    from ..train import initialisation_experiment

    learn, validate = data.split_training(config)
    runs = initialisation_experiment(build, learn, config=config, test_set=validate, **_steps(arguments))
    console.say("standard deviation of each layer's output before training; a sound start keeps it of the order of 1")
    weighted = {name.rpartition(".")[0] for name, _ in build().named_parameters()}
    layers = [statistics.layer for statistics in runs[0].activations if statistics.layer in weighted]
    rows = []
    for one in runs:
        spreads = [f"{statistics.std:.3g}" for statistics in one.activations if statistics.layer in weighted]
        rows.append([one.scheme, *spreads, f"{one.losses[0]:.3f}", f"{one.losses[-1]:.3f}", _percent(one.test_accuracy)])
    console.say(table(["scheme", *layers, "first loss", "last loss", "accuracy"], rows))
    return {"runs": [dataclasses.asdict(one) for one in runs]}


def _percent(share: float | None) -> str:
    return "\N{EN DASH}" if share is None else f"{100 * share:.2f} %"


def _learning_rate_range(build: Any, data: Any, config: Any, arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    from ..train import learning_rate_range_test

    learn, _ = data.split_training(config)
    found = learning_rate_range_test(build(), learn, config=config, **_steps(arguments))
    every = max(1, len(found.losses) // 20)
    rows = [
        [f"{found.learning_rates[i]:.2e}", f"{found.smoothed[i]:.4f}", _bar(found.smoothed[i], found.smoothed[0])]
        for i in range(0, len(found.losses), every)
    ]
    console.say(table(["learning rate", "loss", ""], rows))
    console.say(f"\n{found.sentence}")
    if arguments.picture is not None:
        from .. import plot

        plot.draw_range_test(found.learning_rates, found.losses, found.smoothed, found.suggestion, arguments.picture)
        console.say(f"picture: {arguments.picture}")
    return dataclasses.asdict(found)


def _bar(value: float, whole: float) -> str:
    """A bar of text that is 30 characters long for the loss at the start, at most twice that."""
    length = 30 * value / whole if whole > 0 and value == value else 0
    return ("#" * int(min(length, 60))).ljust(60)


def _overfit(build: Any, data: Any, config: Any, arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    from ..errors import TrainingError
    from ..train import overfit_one_batch

    images, labels = data.first_batch(config)
    rate = {} if arguments.lr is None else {"learning_rate": arguments.lr}
    found = overfit_one_batch(build(), images, labels, **_steps(arguments), **rate)
    console.say(f"{found.steps} steps on one batch of {len(labels)} images: loss {found.final_loss:.4f}, accuracy {_percent(found.final_accuracy)}")
    console.say(found.verdict)
    if not found.passed:
        raise TrainingError(f"experiment overfit: {found.verdict}")
    return dataclasses.asdict(found)


def _optimizers(build: Any, data: Any, config: Any, arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    from ..train import compare_optimizers

    learn, validate = data.split_training(config)
    runs = compare_optimizers(build, learn, validate, config=config)
    rows = [
        [
            one.optimizer,
            f"{one.learning_rate:.3g}",
            f"{one.losses[-1]:.4f}",
            _percent(one.test_accuracy),
            f"{one.seconds:.1f}",
        ]
        for one in runs
    ]
    console.say(table(["optimizer", "learning rate", "last loss", "accuracy", "seconds"], rows))
    console.say("the accuracy is that on training images put aside; the default rates are the usual ones and can be searched with `tinycnn search`")
    return {"runs": [dataclasses.asdict(one) for one in runs]}


# Those of experiment_networks.py, and what they take by default.
OF_NETWORKS = ("degradation", "vgg-depth", "identity", "side-branches", "layer-transfer")
DEFAULT_MODELS = {"degradation": "resnet20", "vgg-depth": "vgg11_cifar", "side-branches": "googlenet_cifar"}
EXPERIMENTS: dict[str, Any] = {
    "init": _init,
    "lr-range": _learning_rate_range,
    "overfit": _overfit,
    "optimizers": _optimizers,
    **dict.fromkeys(OF_NETWORKS),
    "clips": None,  # of experiment_clips.py
}
