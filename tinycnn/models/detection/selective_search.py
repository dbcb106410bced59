"""Selective search: about two thousand boxes that may hold an object, from merging similar neighbours until one region is left.

References
----------
Uijlings, van de Sande, Gevers, Smeulders: Selective search for object recognition, IJCV 2013, algorithm 1 and sections 3.1 to 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ... import random
from ...errors import ArgumentError, ShapeError
from ...functional._arguments import one_of
from .felzenszwalb import felzenszwalb
from .region_similarity import MEASURES, merged, region_similarity, regions_of

__all__ = ["COLOUR_SPACES", "Grouping", "Merge", "hierarchical_grouping", "selective_search"]


class Merge(NamedTuple):
    """One step: two regions become a new one."""

    first: int
    second: int
    result: int
    similarity: float


class Grouping(NamedTuple):
    """A hierarchy: regions in order of birth, the segmentation's first."""

    boxes: np.ndarray  # (regions, 4) int64, x2 and y2 behind the last pixel
    merges: list[Merge]


def hierarchical_grouping(image: np.ndarray, segments: np.ndarray, measures: Sequence[str] = MEASURES) -> Grouping:
    """Join the two most similar neighbours, again and again, until the whole image is one region.

    Shapes
    ------
    image (H, W, C), segments (H, W)

    Parameters
    ----------
    image : array
        Pixels from 0 to 1.
    segments : array of int
        Regions numbered from 0, as `felzenszwalb` gives them.
    measures : names
        Of "colour", "texture", "size", "fill".

    Returns
    -------
    Grouping
        Every region's box, and the steps; n regions take n - 1.

    Raises
    ------
    ShapeError, ArgumentError
        When image and segments differ in size; for an unknown measure.

    Examples
    --------
    >>> image = np.array([[0.0, 0.1, 1.0]])[..., None]
    >>> grouping = hierarchical_grouping(image, np.array([[0, 1, 2]]), ["size", "fill"])
    >>> grouping.merges[0][:3], grouping.boxes[-1].tolist()
    ((0, 1, 3), [0, 0, 3, 1])
    """
    if image.ndim != 3 or image.shape[:2] != segments.shape:
        raise ShapeError(f"hierarchical_grouping: image {image.shape} and segments {segments.shape} must be (H, W, C) and (H, W)")
    if not measures:
        raise ArgumentError(f"hierarchical_grouping: measures is empty; give some of {', '.join(MEASURES)}")
    for name in measures:
        one_of("hierarchical_grouping", "measures", name, MEASURES)
    regions = regions_of(image, segments)
    pixels = segments.size
    alive = {pair: region_similarity(regions[pair[0]], regions[pair[1]], pixels, measures) for pair in touching(segments)}
    merges = []
    while alive:
        (a, b), similarity = max(alive.items(), key=lambda item: (item[1], -item[0][0], -item[0][1]))
        new = len(regions)
        regions.append(merged(regions[a], regions[b]))
        merges.append(Merge(a, b, new, similarity))
        neighbours = {other for pair in alive for other in pair if (a in pair or b in pair)} - {a, b}
        alive = {pair: value for pair, value in alive.items() if a not in pair and b not in pair}
        for other in neighbours:
            alive[other, new] = region_similarity(regions[other], regions[new], pixels, measures)
    return Grouping(np.array([region.box for region in regions], np.int64), merges)


def touching(segments: np.ndarray) -> list[tuple[int, int]]:
    """The pairs of regions that share a side of a pixel, smaller number first."""
    pairs = np.concatenate(
        [np.stack((one.ravel(), other.ravel()), axis=1) for one, other in ((segments[1:], segments[:-1]), (segments[:, 1:], segments[:, :-1]))]
    )
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return [(int(a), int(b)) for a, b in np.unique(pairs, axis=0)]


def _hsv(image: np.ndarray) -> np.ndarray:
    """Hue, saturation and value from 0 to 1."""
    high, low = image.max(axis=-1), image.min(axis=-1)
    spread = np.where(high > low, high - low, 1.0)
    red, green, blue = np.moveaxis(image, -1, 0)
    sector = np.where(high == red, (green - blue) / spread, np.where(high == green, 2 + (blue - red) / spread, 4 + (red - green) / spread))
    hue = np.where(high > low, sector / 6 % 1, 0.0)
    return np.stack((hue, np.where(high > 0, (high - low) / np.where(high > 0, high, 1), 0), high), axis=-1)


def _normalised(image: np.ndarray) -> np.ndarray:
    """Red and green without shadow, and intensity: "rgI"."""
    total = image.sum(axis=-1, keepdims=True)
    return np.concatenate((image[..., :2] / np.where(total > 0, total, 1), total / 3), axis=-1)


COLOUR_SPACES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rgb": lambda image: image,
    "hsv": _hsv,
    "intensity": lambda image: image.mean(axis=-1, keepdims=True),
    "rgi": _normalised,
}


def selective_search(
    image: np.ndarray,
    scales: Sequence[float] = (100.0, 150.0),
    sigma: float = 0.8,
    min_size: int | None = None,
    colour_spaces: Sequence[str] = ("rgb", "hsv"),
    measures: Sequence[Sequence[str]] = (MEASURES, ("texture", "size", "fill")),
    smallest_side: int = 1,
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """Boxes that may hold an object, likely ones first.

    Shapes
    ------
    (H, W, 3) -> (K, 4) int64, no two the same

    Formula
    -------
    One hierarchy for every combination of scale, colour space and set of measures: "diversification". The region born last in its hierarchy, the
    whole image, has rank 1; a box is rated by its rank times a random number from 0 to 1, the least first, so that large regions lead but do not
    crowd out the rest.

    Parameters
    ----------
    image : array
        Float RGB pixels from 0 to 1.
    scales, sigma, min_size
        Of `felzenszwalb`; min_size is the scale if left out, as in the authors' code.
    colour_spaces : names
        Of "rgb", "hsv", "intensity", "rgi".
    measures : sets of names
        Of "colour", "texture", "size", "fill".
    smallest_side : int
        Pixels; narrower boxes are dropped.
    generator : np.random.Generator, optional
        Of the random numbers.

    Raises
    ------
    ShapeError, ArgumentError
        When the image is no float RGB; for an unknown colour space or measure.

    Notes
    -----
    The authors' "fast" mode is 2 colour spaces, 2 scales and 2 sets of measures, as here; they take Lab in place of RGB.

    Examples
    --------
    >>> image = np.zeros((12, 12, 3)); image[3:9, 2:7] = 1
    >>> boxes = selective_search(image, scales=(50,), sigma=0, min_size=4)
    >>> [2, 3, 7, 9] in boxes.tolist()
    True
    """
    if image.ndim != 3 or image.shape[-1] != 3:
        raise ShapeError(f"selective_search: image has shape {image.shape}; it must be (height, width, 3)")
    draw = generator or random.default_generator()
    rated: dict[tuple[int, ...], float] = {}
    for space in colour_spaces:
        one_of("selective_search", "colour_spaces", space, tuple(COLOUR_SPACES))
        view = COLOUR_SPACES[space](image)
        for scale in scales:
            segments = felzenszwalb(view, scale, sigma, int(scale) if min_size is None else min_size)
            for chosen in measures:
                boxes = hierarchical_grouping(view, segments, chosen).boxes[::-1]
                for rank, (box, luck) in enumerate(zip(boxes.tolist(), draw.random(len(boxes)), strict=True), start=1):
                    rated[tuple(box)] = min(rank * float(luck), rated.get(tuple(box), np.inf))
    found = np.array(sorted(rated, key=lambda box: rated[box]), np.int64).reshape(-1, 4)
    return found[(found[:, 2:] - found[:, :2] >= smallest_side).all(axis=1)]
