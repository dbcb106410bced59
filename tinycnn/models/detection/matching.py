"""Which reference box answers for which object.

References
----------
Ren et al.: Faster R-CNN, NeurIPS 2015, section 3.1.2. Liu et al.: SSD, ECCV 2016, section 2.2, "Matching strategy".
"""

from __future__ import annotations

import numpy as np

from ...errors import ArgumentError, ShapeError

__all__ = ["Matcher", "SSDMatcher"]


class Matcher:
    """By thresholds: an overlap of at least `high_threshold` matches, below `low_threshold` is background, between is ignored.

    Parameters
    ----------
    high_threshold, low_threshold : float
        Of the intersection over union.
    allow_low_quality_matches : bool
        Each object also takes the boxes that it overlaps most (all of them where several are equal), however little, unless those were
        matched above; so that no object goes unseen.

    Examples
    --------
    >>> quality = np.array([[0.9, 0.4, 0.1], [0.0, 0.2, 0.25]])  # objects x boxes
    >>> Matcher(0.7, 0.3)(quality).tolist(), Matcher(0.7, 0.3, allow_low_quality_matches=True)(quality).tolist()
    ([0, -2, -1], [0, -2, 1])
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(self, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool = False) -> None:
        if low_threshold > high_threshold:
            raise ArgumentError(
                f"Matcher: low_threshold {low_threshold} is above high_threshold {high_threshold}; a box cannot be both matched and background"
            )
        self.high_threshold, self.low_threshold = high_threshold, low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, quality: np.ndarray) -> np.ndarray:
        """The object of each box (N,) int64, -1 for background, -2 for neither; of overlaps (objects, boxes)."""
        if quality.size == 0:
            missing = "objects" if quality.shape[0] == 0 else "boxes"
            raise ShapeError(f"Matcher: overlaps of shape {quality.shape} have no {missing}; an image without objects is all background")
        best = quality.max(axis=0)
        matches = quality.argmax(axis=0).astype(np.int64)
        found = matches.copy()
        matches[best < self.low_threshold] = self.BELOW_LOW_THRESHOLD
        matches[(best >= self.low_threshold) & (best < self.high_threshold)] = self.BETWEEN_THRESHOLDS
        if self.allow_low_quality_matches:
            _, boxes = np.nonzero(quality == quality.max(axis=1, keepdims=True))
            matches[boxes] = found[boxes]
        return matches


class SSDMatcher(Matcher):
    """SSD's: each object first takes the box that it overlaps most, then every box above the threshold takes its best object.

    Examples
    --------
    >>> SSDMatcher(0.5)(np.array([[0.9, 0.4, 0.1], [0.0, 0.2, 0.25]])).tolist()
    [0, -1, 1]
    """

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold, threshold)

    def __call__(self, quality: np.ndarray) -> np.ndarray:
        """As `Matcher`; a later object wins a box that two overlap most."""
        matches = super().__call__(quality)
        for number, box in enumerate(quality.argmax(axis=1)):
            matches[box] = number
        return matches
