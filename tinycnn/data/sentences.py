"""Labelled sentences in files: movie reviews, subjectivity, questions, or a file of one's own, and their division into folds."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ArgumentError, DataError
from .download import data_folders
from .files import read_bytes

__all__ = ["SENTENCE_SETS", "Sentences", "fold_numbers", "load_sentences", "parse_labelled"]

SENTENCE_SETS = ("rt-polarity", "trec", "subj")
QUESTION_CLASSES = ("description", "entity", "abbreviation", "human", "location", "number")
MAX_BYTES = 64 << 20
MAX_SENTENCES = 1_000_000
FILES = {
    "rt-polarity": ("rt-polarity.neg", "rt-polarity.pos"),
    "trec": ("TREC.train.all", "TREC.test.all"),
    "subj": ("subj.all",),
}


@dataclass(frozen=True)
class Sentences:
    """Sentences and the class of each."""

    texts: tuple[str, ...]
    labels: np.ndarray  # int64 (N,)
    classes: tuple[str, ...]
    name: str

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, indices: Sequence[int] | np.ndarray) -> Sentences:
        """The sentences of those numbers."""
        rows = np.asarray(indices, np.int64)
        return Sentences(tuple(self.texts[row] for row in rows), self.labels[rows], self.classes, self.name)


def _lines(path: Path) -> list[str]:
    """The lines of a file, which is UTF-8 or else Latin-1.

    Cut at line feeds alone: the reviews hold the byte 0x85, which is three dots in Windows's letters and which `str.splitlines`
    takes for the end of a line.
    """
    data = read_bytes(path, MAX_BYTES)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line.strip() for line in text.split("\n")]
    found = [line for line in lines if line]
    if not found:
        raise DataError(f"{path}: holds no sentence; one sentence a line")
    if len(found) > MAX_SENTENCES:
        raise DataError(f"{path}: {len(found)} lines are more than the {MAX_SENTENCES} allowed")
    return found


def parse_labelled(path: str | os.PathLike[str], classes: Sequence[str] | None = None) -> Sentences:
    """Read a file with a sentence a line, its class in front: ``2 Who wrote it ?`` or ``good A fine film.``

    Parameters
    ----------
    path : path
        The file.
    classes : sequence of str, optional
        Names of the classes 0, 1, ...; the words in front themselves, sorted, if left out.

    Returns
    -------
    Sentences

    Raises
    ------
    DataError
        When a line has no sentence behind its class, there is one class only, or a number has no class.
    """
    location = Path(path)
    marks, texts = [], []
    for number, line in enumerate(_lines(location), 1):
        mark, _, text = line.partition(" ")
        if not text.strip():
            raise DataError(f"{location}: line {number}, {line[:40]!r}, must be a class, a space and a sentence")
        marks.append(mark)
        texts.append(text.strip())
    if classes is None:
        known = sorted(set(marks), key=lambda mark: (0, int(mark), "") if mark.isascii() and mark.isdigit() else (1, 0, mark))
        if not 2 <= len(known) <= max(2, len(marks) // 2):
            counts = f"{len(known)} different classes on {len(marks)} lines"
            raise DataError(f"{location}: {counts}; each line begins with its class, of which there are at least two")
        numbers = {mark: number for number, mark in enumerate(known)}
        names = tuple(known)
    else:
        names = tuple(classes)
        numbers = {str(number): number for number in range(len(names))}
        strange = sorted(set(marks) - set(numbers))
        if strange:
            raise DataError(f"{location}: a line begins with {strange[0][:40]!r}, where a class from 0 to {len(names) - 1} is due")
    return Sentences(tuple(texts), np.array([numbers[mark] for mark in marks], np.int64), names, location.stem)


def load_sentences(name: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> tuple[Sentences, Sentences | None]:
    """Labelled sentences by the name of their set, or from a file.

    Parameters
    ----------
    name : str or path
        "rt-polarity" (Pang and Lee's movie reviews: negative, positive), "trec" (Li and Roth's questions, six classes), "subj" (Pang and Lee's
        objective and subjective sentences), or a file for `parse_labelled`.
    folder : path, optional
        Where the files of a named set lie; else they are looked for in `data_folders()` and in a folder ``text`` there.

    Returns
    -------
    (all or training sentences, test sentences)
        Only TREC comes with test sentences; the others are measured by cross-validation, and None stands in their place.

    Raises
    ------
    DataError
        When the files are not there, saying where they were looked for, or cannot be read.
    """
    text = str(name)
    if text not in FILES:
        if Path(text).is_file():
            return parse_labelled(text), None
        close = difflib.get_close_matches(text, SENTENCE_SETS, n=1)
        offer = f"did you mean {close[0]}?" if close else f"there are {', '.join(SENTENCE_SETS)}, or name a file with a class and a sentence a line"
        raise DataError(f"load_sentences: there is no set of sentences and no file {text!r}; {offer}")
    paths = _find(text, folder)
    if text == "trec":
        learn, test = (parse_labelled(path, QUESTION_CLASSES) for path in paths)
        return learn, test
    if text == "subj":
        return parse_labelled(paths[0], ("subjective", "objective")), None
    negative, positive = map(_lines, paths)
    labels = np.repeat(np.arange(2), [len(negative), len(positive)]).astype(np.int64)
    return Sentences((*negative, *positive), labels, ("negative", "positive"), text), None


def _find(name: str, folder: str | os.PathLike[str] | None) -> list[Path]:
    bases = data_folders() if folder is None else [Path(folder)]
    places = [place for base in bases for place in (base, base / "text")]
    for place in places:
        paths = [place / file for file in FILES[name]]
        if all(path.is_file() for path in paths):
            return paths
    where = ", ".join(str(place) for place in places)
    raise DataError(f"{name}: {' and '.join(FILES[name])} are not in {where}; put them there, or name their folder")


def fold_numbers(count: int, folds: int = 10, seed: int = 0) -> np.ndarray:
    """To which fold each sample belongs: a random division into parts of equal size, give or take one.

    Parameters
    ----------
    count : int
        Samples, at least as many as folds.
    folds : int
        Parts, from 2.
    seed : int
        Decides the division, and nothing else does.

    Returns
    -------
    ndarray
        int64 (count,), each from 0 to folds - 1.

    Raises
    ------
    ArgumentError
        When there are fewer than two folds, or fewer samples than folds.

    Notes
    -----
    Kim's script draws a fold for every sentence on its own, so that its folds differ in size.

    Examples
    --------
    >>> np.bincount(fold_numbers(23, 10)).tolist()
    [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]
    """
    if not 2 <= folds <= count:
        raise ArgumentError(f"fold_numbers: folds={folds} must be at least 2 and at most the {count} samples")
    numbers = np.empty(count, np.int64)
    numbers[np.random.default_rng(seed).permutation(count)] = np.arange(count) % folds
    return numbers
