"""The tone of a sentence: Kim's convolutional network over word vectors learns which three to five words in a row speak for or against.

Real sentences are rt-polarity's, 10,662 snippets of film reviews (Pang and Lee 2005); nine tenths are learned, one tenth is the test. Without
them, or with --smoke, sentences are put together from a few words. `tinycnn text train rt-polarity` does the same from the command line.

    python examples/08_text.py --data ../shared/data/text    # 75.1 % (1 seed, 1 fold; Kim, ten folds: 76.1 %), 3 minutes on one core
    python examples/08_text.py --smoke                       # sentences made up here, a few seconds
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np

from tinycnn.data.sentences import Sentences, fold_numbers, load_sentences
from tinycnn.study.ngrams import fired_ngrams
from tinycnn.train.text import TextConfig, train_text


def made_up(count: int, seed: int) -> Sentences:
    """Dull words with one telling pair in each sentence."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    texts = []
    for label in labels:
        words = list(generator.choice(["the", "a", "film", "of", "it", "plot"], 6))
        words.insert(int(generator.integers(7)), "very good" if label else "very bad")
        texts.append(" ".join(words))
    return Sentences(tuple(texts), labels.astype(np.int64), ("negative", "positive"), "made-up sentences")


def main() -> int:
    """Train, measure, and show which words decided."""
    parser = argparse.ArgumentParser(description="Train Kim's sentence network.")
    parser.add_argument("--data", type=Path, help="the folder that holds rt-polarity.pos and rt-polarity.neg")
    parser.add_argument("--epochs", type=int, default=4, help="passes over the sentences (default: 4)")
    parser.add_argument("--seed", type=int, default=0, help="decides everything random (default: 0)")
    parser.add_argument("--smoke", action="store_true", help="sentences made up here, a small network")
    arguments = parser.parse_args()

    config = TextConfig(epochs=arguments.epochs, seed=arguments.seed)
    if arguments.smoke or arguments.data is None:
        sentences = made_up(200, arguments.seed)
        config = dataclasses.replace(config, region_sizes=(1, 2), maps=8, dimension=16, batch_size=10, epochs=15)
    else:
        sentences, _ = load_sentences("rt-polarity", arguments.data)
    parts = fold_numbers(len(sentences), 10, arguments.seed)
    learn, test = (sentences.part(np.flatnonzero(rows)) for rows in (parts != 0, parts == 0))

    run = train_text(learn, test, config, say=print)
    print(f"{100 * (run.accuracy or 0):.1f} % of {len(test)} sentences of {sentences.name} that the net has never seen are right")
    print(fired_ngrams(run.model, run.vocabulary, run.classes, test.texts[0]).text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
