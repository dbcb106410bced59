"""`tinycnn health RUN`: what the numbers of a run say about it, in words."""

import argparse
from typing import Any

from .common import Console, add_machine_options, find_run, positive_number, use_threads, whole_number

DESCRIPTION = """\
Send one batch of its training images forward and backward through a run's network and say how its training stands: dead
units, the size of gradients and updates beside the weights, a loss at ln C, a second softmax, wrong normalisation, drifted
batch statistics, overfitting. Each finding comes with its reason and what to try. Nothing is changed."""
EPILOG = """\
examples:
  tinycnn health                                     the newest run under runs/
  tinycnn health runs/lenet5-digits --lr 0.1         as if the next step had this learning rate
  tinycnn health snapshot.npz --json                 a snapshot of the live page, `tinycnn train lenet5 --live`
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest)")
    parser.add_argument("--lr", type=positive_number, metavar="X", help="of the update to compare (default: the largest of the run's schedule)")
    parser.add_argument("--batch-size", type=whole_number(1), metavar="N", help="images to look at (default: the run's)")
    parser.add_argument("--download", action=argparse.BooleanOptionalAction, default=True, help="fetch a data set that is not here (default: yes)")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Restore, look, print."""
    from ..train import TrainConfig, health, load_checkpoint
    from .data import open_data
    from .runs import restore

    console = Console(arguments.json)
    use_threads(arguments.threads)
    source = find_run(arguments.run)
    restored = restore(source)
    config: Any = TrainConfig.from_dict(restored.config)
    if arguments.batch_size:
        config = config.replace(batch_size=arguments.batch_size)
    checkpoint = load_checkpoint(source)
    rate = arguments.lr or config.learning_rate
    images, labels = open_data(restored.info["data"], arguments.download).first_batch(config)
    found = health(
        restored.model.train(),
        images,
        labels,
        learning_rate=rate,
        losses=checkpoint.step_losses.tolist(),
        epochs=restored.epochs,
    )
    console.say(
        f"{restored.info['model']} from {source}: {len(labels)} training images, a step of plain gradient descent with learning rate {rate:.3g}"
    )
    console.say()
    console.say(found.text())
    console.result({"run": source, "learning_rate": rate, "images": len(labels), **found.to_dict()})
    return 0
