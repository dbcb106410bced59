"""The ladder of "Neural Networks and Deep Learning", chapter 6: eight nets, each a step better than the last.

Michael Nielsen's network3.py climbs from one hidden layer to an ensemble of nets with dropout. Each rung adds one idea:
a convolution, a second one, rectified units, more data made by shifts, a second hidden layer, dropout, a vote. Here
they are as a table, trained by tinycnn with the book's rates, batch size and regularisation.

    python examples/network3_ladder.py --smoke              # every rung for one step of a few images
    python examples/network3_ladder.py                      # all rungs on the 5,000 bundled digits, some minutes
    python examples/network3_ladder.py --data mnist --epochs 10 --rungs relu expanded

The book reports, on the whole of MNIST after 40 to 60 epochs: 97.80, 98.78, 99.06, 99.23, 99.37, 99.43, 99.60, 99.67 %.
Ten epochs of the 4,000 bundled digits gave 92.4, 94.4, 96.5, 97.2, 97.6, 97.6 % on the first six rungs.
"""

import argparse
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinycnn import nn, train
from tinycnn.data import Subset, load_dataset


@dataclass(frozen=True)
class Rung:
    """One step of the ladder."""

    name: str
    idea: str
    convolutions: tuple[int, ...]  # maps of each 5x5 convolution, every one followed by 2x2 max pooling
    hidden: tuple[int, ...]  # units of the fully connected layers before the output
    activation: str  # "sigmoid" or "relu"
    learning_rate: float
    decay: float  # the book's lambda, which it divides by the number of training images
    shift: int = 0  # pixels the training images move at random
    dropout: float = 0.0  # share of the hidden units left out
    voters: int = 1  # nets whose probabilities are averaged
    book: float = 0.0  # per cent right in the book


RUNGS = (
    Rung("shallow", "one hidden layer", (), (100,), "sigmoid", 0.1, 0.0, book=97.80),
    Rung("convolution", "a convolution before it", (20,), (100,), "sigmoid", 0.1, 0.0, book=98.78),
    Rung("deeper", "a second convolution", (20, 40), (100,), "sigmoid", 0.1, 0.0, book=99.06),
    Rung("relu", "rectified units", (20, 40), (100,), "relu", 0.03, 0.1, book=99.23),
    Rung("expanded", "images shifted by a pixel", (20, 40), (100,), "relu", 0.03, 0.1, shift=1, book=99.37),
    Rung("wider", "a second hidden layer", (20, 40), (100, 100), "relu", 0.03, 0.1, shift=1, book=99.43),
    Rung("dropout", "1,000 units, half left out", (20, 40), (1000, 1000), "relu", 0.03, 0.0, 1, 0.5, book=99.60),
    Rung("vote", "five such nets vote", (20, 40), (1000, 1000), "relu", 0.03, 0.0, 1, 0.5, voters=5, book=99.67),
)
BATCH_SIZE = 10  # images a step, the book's


def build(rung: Rung) -> nn.Module:
    """The net of a rung, for images of 1x28x28."""
    layers: list[nn.Module] = []
    maps, size = 1, 28
    for wider in rung.convolutions:
        layers += [nn.Conv2d(maps, wider, 5), nn.MaxPool2d(2), squash(rung)]
        maps, size = wider, (size - 4) // 2
    layers.append(nn.Flatten())
    units = maps * size * size
    for place, more in enumerate((*rung.hidden, 10)):
        if place > 0:
            layers.append(squash(rung))
        # The book leaves out hidden units only: convolutions share their weights and hardly overfit.
        if place > 0 and rung.dropout:
            layers.append(nn.Dropout(rung.dropout))
        layers.append(nn.Linear(units, more))
        units = more
    return nn.Sequential(*layers)


def squash(rung: Rung) -> nn.Module:
    """The rung's activation."""
    return nn.Sigmoid() if rung.activation == "sigmoid" else nn.ReLU()


def climb(rung: Rung, learn: Any, test: Any, epochs: int) -> float:
    """Train the rung's nets and give the share of the test images that their mean probability gets right."""
    config = train.TrainConfig(
        epochs=epochs,
        batch_size=BATCH_SIZE,
        learning_rate=rung.learning_rate,
        momentum=0.0,
        weight_decay=rung.decay / len(learn),
        schedule="constant",
        initialisation="xavier" if rung.activation == "sigmoid" else "he",
        shift=rung.shift,
    )
    votes = []
    for seed in range(rung.voters):
        own = config.replace(seed=seed)
        run = train.prepare(partial(build, rung), learn, test, own)
        result = train.train(*run, own, show=False)
        if result.exit_code:
            raise SystemExit(result.exit_code)
        verdict = train.evaluate(run.model, run.test_loader, worst=0)
        votes.append(verdict.probabilities)
    return float(np.mean(np.mean(votes, 0).argmax(1) == verdict.labels))


def main() -> None:
    """Climb the rungs that were asked for and print the ladder."""
    parser = argparse.ArgumentParser(description="Nielsen's ladder of MNIST nets.")
    parser.add_argument("--data", default="digits", help="digits (in the package), mnist, or a folder")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training images (the book: 40 to 60)")
    parser.add_argument(
        "--rungs", nargs="+", choices=[rung.name for rung in RUNGS], help="some of them; all if left out"
    )
    parser.add_argument("--smoke", action="store_true", help="a few images, one epoch")
    arguments = parser.parse_args()
    learn, test = load_dataset(arguments.data, train=True), load_dataset(arguments.data, train=False)
    print(f"{'rung':12s} {'here':>8s} {'the book':>9s}   what is new")
    for rung in RUNGS:
        if arguments.rungs and rung.name not in arguments.rungs:
            continue
        chosen, measured = (few(learn), few(test)) if arguments.smoke else (learn, test)
        accuracy = climb(rung, chosen, measured, 1 if arguments.smoke else arguments.epochs)
        print(f"{rung.name:12s} {100 * accuracy:6.2f} % {rung.book:7.2f} %   {rung.idea}", flush=True)


def few(data_set: Any) -> Any:
    """Twenty images of a data set."""
    return data_set if len(data_set) <= 20 else Subset(data_set, range(20))


if __name__ == "__main__":
    main()
