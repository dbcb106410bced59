"""What makes two regions of an image belong together: colour, texture, size, and how well they fill each other's gaps.

References
----------
Uijlings, van de Sande, Gevers, Smeulders: Selective search for object recognition, IJCV 2013, section 3.2, equations (1) to (5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .felzenszwalb import smoothed

__all__ = ["MEASURES", "Region", "merged", "region_similarity", "regions_of"]

MEASURES = ("colour", "texture", "size", "fill")
COLOUR_BINS = 25
TEXTURE_BINS = 10
DIRECTIONS = 8


@dataclass(frozen=True)
class Region:
    """What is known of a region; that of a union follows from its parts, so no pixel is looked at twice."""

    size: int  # pixels
    box: tuple[int, int, int, int]  # x1, y1, x2, y2; x2 and y2 one behind the last pixel
    colour: np.ndarray  # (channels 25,) a histogram of sum 1
    texture: np.ndarray  # (channels 8 10,) a histogram of sum 1


def regions_of(image: np.ndarray, segments: np.ndarray) -> list[Region]:
    """The regions of a segmentation.

    Shapes
    ------
    image (H, W, C), segments (H, W) numbered from 0 -> one Region a number

    Notes
    -----
    Texture is the distribution of the derivatives of a Gaussian of one pixel in 8 directions.

    Examples
    --------
    >>> image = np.zeros((2, 4, 1)); image[:, 2:] = 1
    >>> [region.box for region in regions_of(image, (image[..., 0] > 0).astype(int))]
    [(0, 0, 2, 2), (2, 0, 4, 2)]
    """
    textures = gradients(image)
    colours = np.clip((image * COLOUR_BINS).astype(int), 0, COLOUR_BINS - 1)
    spread = np.abs(textures).max() or 1.0
    textures = np.clip(((textures / spread + 1) / 2 * TEXTURE_BINS).astype(int), 0, TEXTURE_BINS - 1)
    found = []
    for number in range(int(segments.max()) + 1):
        rows, columns = np.nonzero(segments == number)
        box = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
        colour = histogram(colours[rows, columns], COLOUR_BINS)
        found.append(Region(len(rows), box, colour, histogram(textures[rows, columns], TEXTURE_BINS)))
    return found


def gradients(image: np.ndarray) -> np.ndarray:
    """Derivatives (H, W, C 8) in 8 directions of the image after a Gaussian of one pixel."""
    down, across = np.gradient(smoothed(image, 1.0), axis=(0, 1)) if min(image.shape[:2]) > 1 else (np.zeros(image.shape),) * 2
    angles = [math.pi * 2 * k / DIRECTIONS for k in range(DIRECTIONS)]
    return np.concatenate([math.cos(angle) * across + math.sin(angle) * down for angle in angles], axis=-1)


def histogram(values: np.ndarray, bins: int) -> np.ndarray:
    """The histograms of each column of (pixels, columns) bin numbers, one behind the other, of sum 1."""
    counts = np.concatenate([np.bincount(column, minlength=bins) for column in values.T])
    return counts / counts.sum()


def merged(a: Region, b: Region) -> Region:
    """The union of two regions.

    Formula
    -------
    Histograms by size: C = (|a| C_a + |b| C_b) / (|a| + |b|).
    """
    size = a.size + b.size
    box = min(a.box[0], b.box[0]), min(a.box[1], b.box[1]), max(a.box[2], b.box[2]), max(a.box[3], b.box[3])
    return Region(size, box, (a.size * a.colour + b.size * b.colour) / size, (a.size * a.texture + b.size * b.texture) / size)


def region_similarity(a: Region, b: Region, image_size: int, measures: Sequence[str] = MEASURES) -> float:
    """The sum of the chosen measures, each from 0 to 1.

    Formula
    -------
    colour, texture: sum over bins of min(h_a, h_b); size: 1 - (|a| + |b|) / |image|; fill: 1 - (|box around both| - |a| - |b|) / |image|

    Parameters
    ----------
    image_size : int
        Pixels of the image.
    measures : names
        Of "colour", "texture", "size", "fill".
    """
    together = merged(a, b)
    left, top, right, bottom = together.box
    parts = {
        "colour": float(np.minimum(a.colour, b.colour).sum()),
        "texture": float(np.minimum(a.texture, b.texture).sum()),
        "size": 1 - together.size / image_size,
        "fill": 1 - ((right - left) * (bottom - top) - together.size) / image_size,
    }
    return sum(parts[name] for name in measures)
