"""Published word vectors: word2vec's binary and text files and GloVe's text, read for the words that are wanted."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import DataError

__all__ = ["read_word_vectors"]

MAX_WIDTH = 4096
MAX_LINE = 1 << 17  # bytes: a word and its numbers as text
MAX_NAME = 1 << 12  # bytes of one word


def read_word_vectors(path: str | os.PathLike[str], wanted: Collection[str]) -> dict[str, np.ndarray]:
    """Read the vectors of the wanted words, passing over the rest.

    Parameters
    ----------
    path : path
        word2vec's ``.bin`` (a line "words width", then each word, a space and float32 numbers), or text with a word and its numbers a line,
        with such a first line (word2vec, fastText) or without it (GloVe).
    wanted : collection of str
        The words of the vocabulary.

    Returns
    -------
    dict
        Word -> float32 (width,). Words that the file lacks are missing.

    Raises
    ------
    DataError
        When the file cannot be read, is cut short, or a line has another number of numbers than the first.

    References
    ----------
    Mikolov et al. 2013, "Distributed representations of words and phrases and their compositionality": the binary file. Pennington, Socher and
    Manning 2014, "GloVe: global vectors for word representation".
    """
    location = Path(path)
    try:
        with open(location, "rb") as stream:
            found = dict(_binary(stream, location, wanted) if location.suffix == ".bin" else _text(stream, location, wanted))
    except OSError as error:
        raise DataError(f"{location}: cannot be read ({error.strerror or error})") from error
    for word, vector in found.items():
        if not np.isfinite(vector).all():
            raise DataError(f"{location}: the vector of {word!r} holds numbers that are not finite")
    return found


def _header(line: bytes) -> tuple[int, int] | None:
    """Words and width of word2vec's first line, or None."""
    parts = line.split()
    if len(parts) != 2 or not all(part.isdigit() and len(part) < 12 for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def _binary(stream: BinaryIO, path: Path, wanted: Collection[str]) -> Iterator[tuple[str, np.ndarray]]:
    sizes = _header(stream.readline(64))
    if sizes is None or not 1 <= sizes[1] <= MAX_WIDTH:
        raise DataError(f"{path}: does not begin with word2vec's line of two numbers, words and width (at most {MAX_WIDTH})")
    count, width = sizes
    for number in range(count):
        name = bytearray()
        while (letter := stream.read(1)) not in (b" ", b"") and len(name) <= MAX_NAME:
            name += letter
        data = stream.read(4 * width)
        if letter != b" " or len(data) != 4 * width:
            raise DataError(f"{path}: cut short or damaged at word {number + 1} of {count}")
        word = bytes(name).lstrip(b"\n").decode("utf-8", "replace")
        if word in wanted:
            yield word, np.frombuffer(data, "<f4").astype(np.float32)


def _text(stream: BinaryIO, path: Path, wanted: Collection[str]) -> Iterator[tuple[str, np.ndarray]]:
    width = 0
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if number == 1 and _header(line) is not None:
            continue
        word, *numbers = line.decode("utf-8", "replace").rstrip().split(" ")
        width = width or len(numbers)
        if len(numbers) != width or not 1 <= width <= MAX_WIDTH:
            raise DataError(f"{path}: line {number} has {len(numbers)} numbers behind its word, where {width or 'some'} are due")
        if word not in wanted:
            continue
        try:
            yield word, np.array(numbers, np.float64).astype(np.float32)
        except ValueError as error:
            raise DataError(f"{path}: line {number} holds something other than numbers behind its word") from error
    if number == 0:
        raise DataError(f"{path}: is empty")
