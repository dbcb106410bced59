"""SNIPER's sampling: at each scale train only on objects of suitable size, in chips that hold them, so that an image pyramid costs little.

References
----------
Singh and Davis: An analysis of scale invariance in object detection - SNIP, CVPR 2018, section 5. Singh, Najibi, Davis: SNIPER: efficient
multi-scale training, NeurIPS 2018, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...errors import ArgumentError
from .sliding_window import window_places

__all__ = ["SNIPER_SCALES", "Chip", "TrainingScale", "ignored_by_scale", "negative_chips", "positive_chips", "valid_at_scale"]


@dataclass(frozen=True)
class TrainingScale:
    """One image of the pyramid.

    Parameters
    ----------
    factor : float
        Its pixels for one of the original.
    low, high : float
        Valid are objects whose sqrt(area), in pixels of the original, lies between; the ranges of neighbouring scales overlap.
    """

    factor: float
    low: float = 0.0
    high: float = float("inf")

    def __post_init__(self) -> None:
        if not self.factor > 0 or not 0 <= self.low < self.high:
            raise ArgumentError(f"TrainingScale: factor={self.factor} must be above 0, and low={self.low} between 0 and high={self.high}")


# Section 4.1 for COCO, whose images are about 480 x 640: small objects are enlarged, large ones not.
SNIPER_SCALES = (TrainingScale(3.0, 0.0, 80.0), TrainingScale(1.667, 32.0, 150.0), TrainingScale(1.0, 120.0))


class Chip(NamedTuple):
    """A part of an image that is trained on."""

    box: np.ndarray  # (4,) in pixels of the original
    objects: np.ndarray  # positions of the valid objects that lie in it


def valid_at_scale(boxes: np.ndarray, scale: TrainingScale) -> np.ndarray:
    """Which boxes (N,) are of a size that this scale is trained on.

    Examples
    --------
    >>> boxes = np.array([[0.0, 0, 20, 20], [0, 0, 100, 100], [0, 0, 300, 300]])
    >>> [valid_at_scale(boxes, scale).tolist() for scale in SNIPER_SCALES]
    [[True, False, False], [False, True, False], [False, False, True]]
    """
    sides = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    within: np.ndarray = (sides >= scale.low) & (sides <= scale.high)
    return within


def _chips(image_size: tuple[int, int], scale: TrainingScale, chip: int, stride: int) -> np.ndarray:
    """All places of a chip, in pixels of the original; the last of a row and a column end at the image's border."""
    large = int(image_size[0] * scale.factor), int(image_size[1] * scale.factor)
    size = min(chip, large[0]), min(chip, large[1])
    places = window_places(large, size, stride)
    rest = (large[1] - places[:, 2].max(), large[0] - places[:, 3].max()) if len(places) else (0, 0)
    for axis, missing in enumerate(rest):
        if missing:
            moved = places[places[:, axis + 2] == places[:, axis + 2].max()].copy()
            moved[:, [axis, axis + 2]] += missing
            places = np.concatenate((places, moved))
    return places / scale.factor


def _chosen(places: np.ndarray, boxes: np.ndarray, candidates: np.ndarray, least: int) -> list[Chip]:
    """Greedily the chip that holds most boxes not yet held, until none holds at least so many new ones."""
    inside = (boxes[None, :, :2] >= places[:, None, :2]) & (boxes[None, :, 2:] <= places[:, None, 2:])
    holds = np.asarray(inside.all(axis=2))
    left = candidates.copy()
    chips = []
    while left.any():
        counts = (holds & left).sum(axis=1)
        best = int(counts.argmax())
        if counts[best] < least:
            break
        chips.append(Chip(places[best], np.flatnonzero(holds[best] & candidates)))
        left &= ~holds[best]
    return chips


def positive_chips(
    image_size: tuple[int, int], boxes: np.ndarray, scale: TrainingScale, chip: int = 512, stride: int = 32
) -> list[Chip]:
    """Few chips that together hold every valid object which fits into one.

    Parameters
    ----------
    image_size : (height, width)
        Of the original, in pixels.
    boxes : array (N, 4)
        The objects.
    scale : TrainingScale
        Of the pyramid.
    chip, stride : int
        Side and steps in pixels of the enlarged image.

    Examples
    --------
    >>> boxes = np.array([[10.0, 10, 40, 40], [60, 60, 90, 90], [400, 300, 440, 340]])
    >>> [chip.objects.tolist() for chip in positive_chips((480, 640), boxes, SNIPER_SCALES[0])]
    [[0, 1], [2]]
    """
    if chip < 1 or stride < 1:
        raise ArgumentError(f"positive_chips: chip={chip} and stride={stride} must be at least 1")
    return _chosen(_chips(image_size, scale, chip, stride), boxes, valid_at_scale(boxes, scale), 1)


def negative_chips(
    image_size: tuple[int, int],
    proposals: np.ndarray,
    positive: Sequence[Chip],
    scale: TrainingScale,
    chip: int = 512,
    stride: int = 32,
    least: int = 2,
) -> list[Chip]:
    """Chips of what a weak detector takes for objects where no positive chip is: the false positives worth learning from.

    Parameters
    ----------
    proposals : array (N, 4)
        Of a detector trained for a short time.
    positive : list of Chip
        Of the same scale; proposals inside are trained on already.
    least : int
        Proposals that a chip must hold.
    image_size, scale, chip, stride
        As in `positive_chips`.
    """
    held = np.zeros(len(proposals), bool)
    for one in positive:
        held |= (proposals[:, :2] >= one.box[:2]).all(axis=1) & (proposals[:, 2:] <= one.box[2:]).all(axis=1)
    return _chosen(_chips(image_size, scale, chip, stride), proposals, valid_at_scale(proposals, scale) & ~held, least)


def ignored_by_scale(overlaps: np.ndarray, valid: np.ndarray, matches: np.ndarray, threshold: float = 0.3) -> np.ndarray:
    """Take anchors out of the loss that answer for, or overlap, an object of the wrong size.

    Shapes
    ------
    overlaps (objects, N), valid (objects,), matches (N,) -> (N,)

    Parameters
    ----------
    overlaps : array
        Of objects and anchors.
    valid : array of bool
        Of `valid_at_scale`.
    matches : array of int
        Of a `Matcher`: an object, -1 for background, -2 for neither.
    threshold : float
        Background anchors that overlap an invalid object by as much become neither.

    Examples
    --------
    >>> overlaps = np.array([[0.8, 0.1, 0.0, 0.0], [0.0, 0.0, 0.9, 0.4]])
    >>> ignored_by_scale(overlaps, np.array([True, False]), np.array([0, -1, 1, -1])).tolist()
    [0, -1, -2, -2]
    """
    if overlaps.shape != (len(valid), len(matches)):
        raise ArgumentError(f"ignored_by_scale: overlaps {overlaps.shape} must be ({len(valid)} objects, {len(matches)} anchors)")
    changed = matches.copy()
    if not len(valid):
        return changed
    wrong = ~np.asarray(valid, bool)
    changed[(matches >= 0) & wrong[matches.clip(0)]] = -2
    near_invalid = overlaps[wrong].max(axis=0, initial=0.0) >= threshold
    changed[near_invalid & (matches == -1)] = -2
    return changed
