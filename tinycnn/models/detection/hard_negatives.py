"""Hard negatives: of the countless windows without an object, train on those that the detector takes for one.

References
----------
Felzenszwalb, Girshick, McAllester, Ramanan: Discriminatively trained part-based models, PAMI 2010, section 4.2 ("data-mining hard examples");
Girshick et al.: R-CNN, CVPR 2014, section 2.3. Shrivastava, Gupta, Girshick: Training region-based object detectors with online hard example
mining, CVPR 2016, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ... import ops
from ...errors import ArgumentError

__all__ = ["Mined", "mine_hard_negatives", "online_hard_examples"]

MARGIN = -1.0  # a linear machine is done with a negative that it scores below


class Machine(Protocol):
    """What is trained again and again: `tinycnn.study.linear_svm.LinearSVM` is one."""

    def fit(self, codes: np.ndarray, labels: np.ndarray) -> Any:
        """Learn from codes (N, features) and class numbers (N,)."""

    def decision(self, codes: np.ndarray) -> np.ndarray:
        """A score (N, classes) a class."""


class Mined(NamedTuple):
    """The cache at the end, and how it got there."""

    negatives: np.ndarray  # (K, features)
    added: list[int]  # new hard negatives of each image visited
    removed: list[int]  # easy ones dropped after each training


def mine_hard_negatives(
    machine: Machine, positives: np.ndarray, negatives_of_images: Sequence[np.ndarray], rounds: int = 1, easy: float = -1.2
) -> Mined:
    """Train on the positives and a growing cache of negatives: those of each image in turn that the machine does not yet reject by the margin.

    Formula
    -------
    A negative is hard where its score is above -1, inside the margin; after a training those below `easy` leave the cache.

    Parameters
    ----------
    machine
        Trained in place; class 1 is the object, class 0 everything else.
    positives : array (P, features)
        Codes of objects.
    negatives_of_images : list of arrays (n, features)
        Codes of each image's windows without an object; the first starts the cache.
    rounds : int
        Passes over all images; R-CNN found one enough.
    easy : float
        Below the margin, so that a negative just learned does not leave and come back.

    Returns
    -------
    Mined

    Raises
    ------
    ArgumentError
        Without positives or images, or with `easy` above the margin.

    Examples
    --------
    >>> class Threshold:
    ...     def fit(self, codes, labels):
    ...         self.place = (codes[labels == 1].min() + codes[labels == 0].max()) / 2
    ...     def decision(self, codes):
    ...         return np.repeat(2 * (codes - self.place), 2, axis=1)
    >>> mined = mine_hard_negatives(Threshold(), np.array([[8.0]]), [np.array([[0.0]]), np.array([[1.0], [7.0]])])
    >>> mined.added, mined.negatives.tolist()
    ([0, 1], [[7.0]])
    """
    if not len(positives) or not len(negatives_of_images):
        raise ArgumentError(f"mine_hard_negatives: {len(positives)} positives and {len(negatives_of_images)} images; give at least one of each")
    if easy > MARGIN:
        raise ArgumentError(f"mine_hard_negatives: easy={easy} must be at most the margin {MARGIN}; -1.2 keeps a little more")
    cache = np.asarray(negatives_of_images[0])
    known = {row.tobytes() for row in cache}
    _train(machine, positives, cache)
    added, removed = [], []
    for _ in range(rounds):
        for codes in negatives_of_images:
            hard = codes[machine.decision(codes)[:, 1] > MARGIN]
            new = np.array([row for row in hard if row.tobytes() not in known], codes.dtype).reshape(-1, codes.shape[1])
            added.append(len(new))
            if not len(new):
                continue
            cache = np.concatenate((cache, new))
            _train(machine, positives, cache)
            stays = machine.decision(cache)[:, 1] >= easy
            removed.append(int((~stays).sum()))
            cache = cache[stays] if stays.any() else cache
            known = {row.tobytes() for row in cache}
    return Mined(cache, added, removed)


def _train(machine: Machine, positives: np.ndarray, negatives: np.ndarray) -> None:
    labels = np.repeat([1, 0], [len(positives), len(negatives)])
    machine.fit(np.concatenate((positives, negatives)), labels)


def online_hard_examples(losses: np.ndarray, boxes: np.ndarray, count: int, iou_threshold: float = 0.7) -> np.ndarray:
    """The regions of an image that the network now gets most wrong, without near copies: OHEM.

    Shapes
    ------
    losses (N,), boxes (N, 4) -> (K,) positions, K <= count, highest loss first

    Parameters
    ----------
    losses : array
        Of each region, classification and box together.
    boxes : array
        (x1, y1, x2, y2): regions that overlap have nearly the same loss, so the loss is a score and suppression thins them.
    count : int
        Regions that enter the backward pass; 128 for two images in the paper.
    iou_threshold : float
        Of the suppression.

    Examples
    --------
    >>> boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    >>> online_hard_examples(np.array([2.0, 3.0, 1.0]), boxes, 2).tolist()
    [1, 2]
    """
    if count < 1:
        raise ArgumentError(f"online_hard_examples: count={count} must be at least 1")
    kept: np.ndarray = ops.nms(boxes, losses.astype(boxes.dtype), iou_threshold).data
    return kept[:count]
