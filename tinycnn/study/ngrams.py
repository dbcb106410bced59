"""Which words made a sentence's class: every map's largest answer, the n-gram that gave it, and its share of the logits.

With one maximum a map, a logit is a plain sum: bias + sum over the maps of weight times maximum. Each term belongs to one n-gram, so the
explanation is exact, not an approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..data.words import Vocabulary
from ..errors import ArgumentError
from ..models.text import KimCNN
from ..tensor import Tensor
from .tables import text_table

__all__ = ["FiredNgram", "SentenceReading", "fired_ngrams", "strongest_ngrams"]


@dataclass(frozen=True)
class FiredNgram:
    """All maps of one region size whose maximum lies at one place."""

    words: tuple[str, ...]  # padding left out; none for a region of padding alone
    place: int  # of the first word in the sentence; below 0 where the region begins in the padding
    size: int  # words of the region
    maps: int  # how many maps have their maximum here
    largest: float  # of those maxima
    shares: tuple[float, ...]  # of each class: what is added to its logit


@dataclass(frozen=True)
class SentenceReading:
    """A sentence, its answer, and the n-grams that made it."""

    words: tuple[str, ...]
    unknown: tuple[bool, ...]  # which words training never saw
    classes: tuple[str, ...]
    logits: tuple[float, ...]
    bias: tuple[float, ...]
    probabilities: tuple[float, ...]
    ngrams: tuple[FiredNgram, ...]  # the one that speaks loudest for the answer first
    weights: tuple[float, ...]  # of each word: for the answer above 0, against it below

    @property
    def answer(self) -> int:
        """The class of the largest logit."""
        return int(np.argmax(self.logits))

    def lead(self, ngram: FiredNgram) -> float:
        """What an n-gram adds to the answer's logit over the mean of the other classes."""
        return _lead(ngram.shares, self.answer)

    def text(self, most: int = 12) -> str:
        """The answer, the sentence with its words' weights, and the loudest n-grams."""
        chances = ", ".join(f"{name} {100 * chance:.1f} %" for name, chance in zip(self.classes, self.probabilities, strict=True))
        marked = " ".join(f"{word}[{weight:+.2f}]" if abs(weight) >= 0.005 else word for word, weight in zip(self.words, self.weights, strict=True))
        rows = [
            [" ".join(each.words) or "(padding)", str(each.size), str(each.maps), f"{each.largest:.3f}", f"{self.lead(each):+.3f}"]
            for each in self.ngrams[:most]
        ]
        head = ["n-gram", "region", "maps", "largest", f"for {self.classes[self.answer]}"]
        left = f"{len(self.ngrams) - most} more n-grams" if len(self.ngrams) > most else ""
        return "\n".join(filter(None, [chances, marked, "", text_table(head, rows), left]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "answer": self.classes[self.answer]}


def _lead(shares: Sequence[float], answer: int) -> float:
    others = [share for number, share in enumerate(shares) if number != answer]
    return shares[answer] - (sum(others) / len(others) if others else 0.0)


def fired_ngrams(model: KimCNN, vocabulary: Vocabulary, classes: Sequence[str], sentence: str) -> SentenceReading:
    """Take one sentence's answer apart into the n-grams that the maps chose.

    Parameters
    ----------
    model : KimCNN
        With one maximum a map; a `ZhangWallaceCNN` with other pooling is refused.
    vocabulary : Vocabulary
        The model's.
    classes : sequence of str
        Names of the model's outputs.
    sentence : str
        Longer ones are cut as in training.

    Returns
    -------
    SentenceReading
        Its bias and the shares of all n-grams add up to the logits.

    Raises
    ------
    ArgumentError
        When the model pools otherwise, or the classes are not as many as its outputs.
    """
    if getattr(model, "pooling", "max") != "max":
        raise ArgumentError(f"fired_ngrams: the model pools by {model.pooling!r}; only with one maximum a map does a number belong to one n-gram")
    weight, bias = model.classifier.weight.data.astype(np.float64), model.classifier.bias.data.astype(np.float64)
    if len(classes) != len(bias):
        raise ArgumentError(f"fired_ngrams: {len(classes)} classes for {len(bias)} outputs; name every output")
    words = vocabulary.cut(sentence)
    found: list[FiredNgram] = []
    was_training = model.training
    model.eval()
    with no_grad():
        rows = Tensor(vocabulary.encode([sentence]))
        maps = [part.data[0] for part in model.region_maps(rows)]
        logits = model(rows).data[0].astype(np.float64)
    model.train(was_training)
    for number, (part, size) in enumerate(zip(maps, model.region_sizes, strict=True)):
        places, largest = part.argmax(1), part.max(1).astype(np.float64)
        shares = weight[:, number * len(part) : (number + 1) * len(part)] * largest
        for place in np.unique(places):
            here = places == place
            start = int(place) - vocabulary.margin
            inside = tuple(words[max(start, 0) : max(start + size, 0)])
            found.append(FiredNgram(inside, start, size, int(here.sum()), float(largest[here].max()), tuple(shares[:, here].sum(1).tolist())))
    answer = int(logits.argmax())
    found.sort(key=lambda each: -_lead(each.shares, answer))
    powers = np.exp(logits - logits.max())
    return SentenceReading(
        tuple(words),
        tuple(word not in vocabulary.numbers for word in words),
        tuple(classes),
        tuple(logits.tolist()),
        tuple(bias.tolist()),
        tuple((powers / powers.sum()).tolist()),
        tuple(found),
        _word_weights(words, found, answer),
    )


def _word_weights(words: Sequence[str], ngrams: Sequence[FiredNgram], answer: int) -> tuple[float, ...]:
    """An n-gram's lead divided evenly over its words, summed for each word; what a region of padding adds belongs to no word."""
    weights = np.zeros(len(words))
    for each in ngrams:
        if each.words:
            start = max(each.place, 0)
            weights[start : start + len(each.words)] += _lead(each.shares, answer) / len(each.words)
    return tuple(weights.tolist())


def strongest_ngrams(
    model: KimCNN, vocabulary: Vocabulary, sentences: Sequence[str], most: int = 5
) -> list[tuple[int, int, list[tuple[str, float]]]]:
    """Of every map the n-grams of a corpus that it answers loudest: what it looks for.

    Parameters
    ----------
    model, vocabulary
        As in `fired_ngrams`, of any pooling.
    sentences : sequence of str
        Where to look.
    most : int
        N-grams a map, no n-gram twice.

    Returns
    -------
    list of (region size, number of the map, [(words, answer), ...])
    """
    best: list[list[dict[str, float]]] = [[{} for _ in range(model.maps)] for _ in model.region_sizes]
    was_training = model.training
    model.eval()
    with no_grad():
        for sentence in sentences:
            words = vocabulary.cut(sentence)
            for part, size, maps in zip(model.region_maps(Tensor(vocabulary.encode([sentence]))), model.region_sizes, best, strict=True):
                places, values = part.data[0].argmax(1), part.data[0].max(1)
                for known, place, value in zip(maps, places, values, strict=True):
                    start = int(place) - vocabulary.margin
                    name = " ".join(words[max(start, 0) : max(start + size, 0)])
                    if name:
                        known[name] = max(float(value), known.get(name, -np.inf))
    model.train(was_training)
    return [
        (size, number, sorted(known.items(), key=lambda entry: (-entry[1], entry[0]))[:most])
        for size, maps in zip(model.region_sizes, best, strict=True)
        for number, known in enumerate(maps)
    ]
