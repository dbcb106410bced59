"""Sentences become numbers: cleaning and cutting into words, the vocabulary, and rows of one length."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ..errors import ArgumentError, DataError

__all__ = ["PADDING", "RULES", "UNKNOWN", "Vocabulary", "tokenise"]

PADDING, UNKNOWN = 0, 1  # the rows of the table that no word of the training sentences has
MAX_WORDS = 1_000_000
MAX_LENGTH = 10_000  # words of one sentence

# Kim's cleaning, rule after rule: what is looked for, what takes its place, and why.
RULES: tuple[tuple[str, str, str], ...] = (
    (r"[^A-Za-z0-9(),!?'`]", " ", "all but letters, digits and ( ) , ! ? ' ` becomes a space; full stops and quotation marks go"),
    (r"('s|'ve|n't|'re|'d|'ll)", r" \1", "the endings 's 've n't 're 'd 'll become words of their own"),
    (r"([,!?()])", r" \1 ", "each , ! ? ( ) becomes a word of its own"),
)
_COMPILED = tuple((re.compile(pattern), instead) for pattern, instead, _ in RULES)


def tokenise(text: str, *, lower: bool = True) -> list[str]:
    """Cut a sentence into words by Kim's rules, which `RULES` lists in words.

    Parameters
    ----------
    text : str
        One sentence.
    lower : bool
        Make small letters of capitals, as Kim does for all data sets but TREC.

    Returns
    -------
    list of str
        The words; none for a sentence without letters, digits or kept signs.

    Notes
    -----
    Kim's published script writes brackets and question marks with a backslash before them, which Python 2's `re.sub` left in the word;
    here a bracket is a bracket.

    References
    ----------
    Kim 2014, "Convolutional neural networks for sentence classification" (arXiv 1408.5882), and its script process_data.py.

    Examples
    --------
    >>> tokenise("It's a GREAT film, isn't it?")
    ['it', "'s", 'a', 'great', 'film', ',', 'is', "n't", 'it', '?']
    """
    for pattern, instead in _COMPILED:
        text = pattern.sub(instead, text)
    return (text.lower() if lower else text).split()


class Vocabulary:
    """Words and their numbers: 0 is padding, 1 is any word that was not seen in training, then the words, the most frequent first.

    Parameters
    ----------
    words : sequence of str
        Without the two special ones, no word twice.
    length : int
        Numbers of an encoded sentence.
    lower : bool
        How `tokenise` is called.
    margin : int
        Padding before the first word: with region size h, h - 1 lets a region hold the first word alone.

    Examples
    --------
    >>> words = Vocabulary.of(["a fine film", "a dull film"], margin=1)
    >>> words.words, words.length
    (('a', 'film', 'dull', 'fine'), 5)
    >>> words.encode(["A fine plot"])
    array([[0, 2, 5, 1, 0]])
    """

    def __init__(self, words: Sequence[str], length: int, *, lower: bool = True, margin: int = 0) -> None:
        self.words = tuple(words)
        self.numbers = {word: number for number, word in enumerate(self.words, 2)}
        if len(self.numbers) != len(self.words):
            raise ArgumentError("Vocabulary: a word is listed twice; each word has one number")
        if margin < 0 or not 2 * margin < length <= MAX_LENGTH:
            raise ArgumentError(f"Vocabulary: length={length} must be above twice the margin {margin} and at most {MAX_LENGTH}")
        self.length = int(length)
        self.lower = bool(lower)
        self.margin = int(margin)

    @classmethod
    def of(cls, sentences: Iterable[str], *, lower: bool = True, margin: int = 4, least: int = 1) -> Vocabulary:
        """The vocabulary of training sentences.

        Parameters
        ----------
        sentences : iterable of str
            To learn from, and nothing else: words that only test sentences have are unknown.
        lower, margin
            As in the class.
        least : int
            Words seen less often are unknown.

        Raises
        ------
        DataError
            When no sentence holds a word, a sentence is far too long, or there are more than a million words.
        """
        counts: Counter[str] = Counter()
        longest = 0
        for number, sentence in enumerate(sentences, 1):
            words = tokenise(sentence, lower=lower)
            if len(words) > MAX_LENGTH - 2 * margin:
                most = MAX_LENGTH - 2 * margin
                raise DataError(f"Vocabulary: sentence {number} has {len(words)} words, more than the {most} allowed; one sentence a line")
            counts.update(words)
            longest = max(longest, len(words))
        if not counts:
            raise DataError("Vocabulary: no sentence holds a word; is the file empty, or in letters other than A to Z?")
        if len(counts) > MAX_WORDS:
            raise DataError(f"Vocabulary: {len(counts)} different words are more than the {MAX_WORDS} allowed; raise `least`")
        known = sorted((word for word, count in counts.items() if count >= least), key=lambda word: (-counts[word], word))
        return cls(known, longest + 2 * margin, lower=lower, margin=margin)

    def __len__(self) -> int:
        """Rows of the table of vectors: the words, padding and unknown."""
        return len(self.words) + 2

    def cut(self, sentence: str) -> list[str]:
        """The words of a sentence that fit."""
        return tokenise(sentence, lower=self.lower)[: self.length - 2 * self.margin]

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """Sentences as rows of numbers.

        Parameters
        ----------
        sentences : sequence of str
            Longer ones than the vocabulary's are cut at the end.

        Returns
        -------
        ndarray
            int64 (N, length): `margin` times padding, the words, padding.
        """
        rows = np.full((len(sentences), self.length), PADDING, np.int64)
        for row, sentence in zip(rows, sentences, strict=True):
            for place, word in enumerate(self.cut(sentence), self.margin):
                row[place] = self.numbers.get(word, UNKNOWN)
        return rows

    def to_dict(self) -> dict[str, object]:
        """Plain values, for a checkpoint; ``Vocabulary(**values)`` makes it again."""
        return {"words": list(self.words), "length": self.length, "lower": self.lower, "margin": self.margin}
