"""The shortest whole story: LeNet-5 learns 4,000 real handwritten digits and is measured on 1,000 others.

Data, model, hyper-parameters, training and the verdict, with the package's Python interface. `tinycnn train lenet5`
does the same from the command line and draws pictures besides.

    python examples/01_digits.py            # about half a minute on two cores, 98 %
    python examples/01_digits.py --smoke    # one epoch, a few seconds
"""

import argparse
import sys

from tinycnn import models, train
from tinycnn.data import load_dataset


def main() -> int:
    """Train, and say what became of it."""
    parser = argparse.ArgumentParser(description="Train LeNet-5 on the bundled digits.")
    parser.add_argument("--smoke", action="store_true", help="one epoch instead of all")
    epochs = {"epochs": 1} if parser.parse_args().smoke else {}

    config = train.recipe("lenet5", "digits", **epochs)
    learn, test = load_dataset("digits", train=True), load_dataset("digits", train=False)
    run = train.prepare(models.lenet5, learn, test, config)
    result = train.train(*run, config)

    verdict = train.evaluate(run.model, run.test_loader)
    print(f"{100 * verdict.accuracy:.1f} % of {verdict.count} digits that the net has never seen are right")
    for image in verdict.worst[:3]:
        print(f"test digit {image.index} is a {image.label}, the net reads a {image.prediction}")
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
