"""Which of very many boxes are looked at: a fixed number drawn for a loss, not too many of them background, or those with the best scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import random
from ...errors import ArgumentError

__all__ = ["BalancedPositiveNegativeSampler", "best_first"]


class BalancedPositiveNegativeSampler:
    """Draw positives up to a share of the sample, and fill it up with negatives.

    Parameters
    ----------
    batch_size_per_image : int
        Boxes drawn from each image.
    positive_fraction : float
        At most this share is positive.

    References
    ----------
    Ren et al.: Faster R-CNN, NeurIPS 2015, section 3.1.3: 256 anchors an image, up to half of them positive.

    Examples
    --------
    >>> sampler = BalancedPositiveNegativeSampler(4, 0.5)
    >>> positive, negative = sampler([np.array([1, 1, 1, 0, 0, 0, -1])])[0]
    >>> int(positive.sum()), int(negative.sum()), bool((positive | negative)[6])
    (2, 2, False)
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        if batch_size_per_image < 1 or not 0 <= positive_fraction <= 1:
            raise ArgumentError(
                f"BalancedPositiveNegativeSampler: batch_size_per_image={batch_size_per_image} must be at least 1, "
                f"positive_fraction={positive_fraction} between 0 and 1"
            )
        self.batch_size_per_image, self.positive_fraction = batch_size_per_image, positive_fraction

    def __call__(self, labels: Sequence[np.ndarray], generator: np.random.Generator | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each image the drawn positives (label >= 1) and negatives (label 0) as masks; boxes with other labels are never drawn."""
        draw = generator or random.default_generator()
        sampled = []
        for of_image in labels:
            positives, negatives = np.flatnonzero(of_image >= 1), np.flatnonzero(of_image == 0)
            wanted = min(len(positives), int(self.batch_size_per_image * self.positive_fraction))
            rest = min(len(negatives), self.batch_size_per_image - wanted)
            masks = []
            for places, count in ((positives, wanted), (negatives, rest)):
                mask = np.zeros(len(of_image), bool)
                mask[draw.choice(places, count, replace=False, shuffle=False)] = True
                masks.append(mask)
            sampled.append((masks[0], masks[1]))
        return sampled


def best_first(scores: np.ndarray, most: int) -> np.ndarray:
    """Where the `most` largest scores stand, the largest first and of equal ones the earlier; NaN comes last.

    Examples
    --------
    >>> best_first(np.array([1.0, 3.0, 2.0, 3.0]), 3).tolist()
    [1, 3, 2]
    """
    if not 0 < most < len(scores):
        return np.argsort(-scores, kind="stable")[:most]
    # Sorting a few is quicker than sorting all: first who can be among the best, then their order.
    last = -np.partition(-scores, most - 1)[most - 1]
    if np.isnan(last):
        return np.argsort(-scores, kind="stable")[:most]
    able = np.flatnonzero(scores >= last)
    return able[np.argsort(-scores[able], kind="stable")[:most]]
