"""Photographs of ten kinds: ResNet-20 of He et al. (2015) on CIFAR-10, with batch normalisation, shortcuts, shifts and mirror images.

CIFAR-10 is looked for in TINYCNN_DATA and in the user's cache, else downloaded; --smoke takes the bundled digits instead. The whole recipe is
`tinycnn train resnet20 --data cifar10`.

    python examples/02_classification.py            # the recipe; accuracy, minutes, 1 seed: benchmarks/results/cifar.json, row resnet20
    python examples/02_classification.py --smoke    # one epoch of 200 digits, a few seconds
"""

import argparse
import sys
from functools import partial

from tinycnn import models, train
from tinycnn.data import Subset, load_dataset


def main() -> int:
    """Train, and say what became of it."""
    parser = argparse.ArgumentParser(description="Train ResNet-20 on CIFAR-10.")
    parser.add_argument("--data", default="cifar10", help="cifar10, or a folder with its files (default: cifar10)")
    parser.add_argument("--epochs", type=int, help="passes over the photographs (default: the recipe's)")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (default: 0)")
    parser.add_argument("--smoke", action="store_true", help="one epoch of 200 digits")
    arguments = parser.parse_args()

    data = "digits" if arguments.smoke else arguments.data
    learn, test = load_dataset(data, train=True), load_dataset(data, train=False)
    options = {"epochs": 1} if arguments.smoke else {"epochs": arguments.epochs} if arguments.epochs else {}
    config = train.recipe("resnet20", data, seed=arguments.seed, **options)
    if arguments.smoke:
        learn, test = Subset(learn, range(200)), Subset(test, range(100))
    build = partial(models.resnet20, num_classes=len(test.classes), in_channels=test.image_shape[0])
    run = train.prepare(build, learn, test, config)
    result = train.train(*run, config)

    verdict = train.evaluate(run.model, run.test_loader)
    print(f"{100 * verdict.accuracy:.1f} % of {verdict.count} pictures that the net has never seen are right")
    for image in verdict.worst[:3]:
        print(f"test picture {image.index} is {test.classes[image.label]}, the net says {test.classes[image.prediction]}")
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
