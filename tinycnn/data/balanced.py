"""Batches of P classes with K pictures each, as losses of pairs and triplets need them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import ArgumentError

__all__ = ["BalancedBatches"]


class BalancedBatches:
    """The sample numbers of balanced batches, epoch by epoch.

    Parameters
    ----------
    labels : ndarray
        (count,), the class of each sample.
    classes : int
        P, classes in a batch; at most those there are.
    samples : int
        K, pictures of each; from 2, or no batch has a like pair.
    seed : int
        Decides every batch, with the epoch.

    Raises
    ------
    ArgumentError
        For fewer than two classes or pictures a batch, or more classes than there are.

    Notes
    -----
    An epoch goes through the classes as often as a class has K pictures, on average. Each time every class comes once, in a new order; where
    P does not divide their number, the last batch is filled with the classes that came first. A class of fewer than K pictures repeats some.

    References
    ----------
    Hermans, Beyer and Leibe 2017, "In defense of the triplet loss for person re-identification" (arXiv 1703.07737), section 2: PK batches.

    Examples
    --------
    >>> batches = BalancedBatches(np.array([0, 0, 0, 1, 1, 1, 2, 2, 2]), classes=3, samples=2)
    >>> [np.sort(np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])[batch]).tolist() for batch in batches.epoch(0)]
    [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2]]
    """

    def __init__(self, labels: np.ndarray, classes: int, samples: int, seed: int = 0) -> None:
        self.members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        if not 2 <= classes <= len(self.members):
            raise ArgumentError(f"BalancedBatches: classes={classes} must be at least 2 and at most the {len(self.members)} classes there are")
        if samples < 2:
            raise ArgumentError(f"BalancedBatches: samples={samples} must be at least 2; with one picture a class no pair is alike")
        self.classes = int(classes)
        self.samples = int(samples)
        self.seed = int(seed)
        self.rounds = max(1, round(len(labels) / len(self.members) / samples))

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self.rounds * -(-len(self.members) // self.classes)

    def epoch(self, number: int) -> Iterator[np.ndarray]:
        """The batches of an epoch: int64 (P K,) sample numbers, class after class."""
        generator = np.random.default_rng([self.seed, number])
        for _ in range(self.rounds):
            order = generator.permutation(len(self.members))
            for start in range(0, len(order), self.classes):
                chosen = order[start : start + self.classes]
                chosen = np.concatenate([chosen, order[: self.classes - len(chosen)]])
                yield np.concatenate([self._draw(self.members[each], generator) for each in chosen])

    def _draw(self, members: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """K of a class; all of them before any comes twice."""
        shuffled = generator.permutation(members)
        return np.resize(shuffled, self.samples)
