"""Segmentation by growing regions along the cheapest edges of the pixel graph, until the border costs more than the inside.

References
----------
Felzenszwalb and Huttenlocher: Efficient graph-based image segmentation, IJCV 2004, sections 3 and 5.
"""

from __future__ import annotations

import math

import numpy as np

from ...errors import ArgumentError, ShapeError

__all__ = ["felzenszwalb"]

TRUNCATE = 4.0  # the Gaussian's window reaches so many standard deviations
GREY_LEVELS = 255.0  # the paper's pixels, in which its scale is told


def felzenszwalb(image: np.ndarray, scale: float = 1.0, sigma: float = 0.8, min_size: int = 20) -> np.ndarray:
    """Cut an image into regions of about one colour.

    Shapes
    ------
    (H, W, C) -> (H, W) int64, regions numbered from 0

    Formula
    -------
    Pixels are vertices, their 8 neighbours edges of weight |p - q|. Every pixel starts as its own region. In rising order of weight an edge joins
    its regions A and B if it weighs less than min(Int(A) + k / |A|, Int(B) + k / |B|), where Int is the largest weight that joined the region so
    far and k = scale / 255. Then regions smaller than `min_size` are joined along the cheapest edge.

    Parameters
    ----------
    image : array
        Float pixels from 0 to 1.
    scale : float
        A larger one prefers larger regions; it is no smallest size. The paper's for pixels from 0 to 255: 100 to 500.
    sigma : float
        Pixels, of the Gaussian that smooths first; 0 for none.
    min_size : int
        Pixels of the smallest region.

    Returns
    -------
    array

    Raises
    ------
    ShapeError, ArgumentError
        When the image is no (H, W, C), not of floats, or a number is negative.

    Notes
    -----
    Same regions as skimage.segmentation.felzenszwalb where no two edges weigh the same. Written to be read: a Python step an edge.

    Examples
    --------
    >>> image = np.zeros((6, 6, 1)); image[:, 3:] = 1
    >>> felzenszwalb(image, sigma=0, min_size=1)[0].tolist()
    [0, 0, 0, 1, 1, 1]
    """
    if image.ndim != 3 or not image.size:
        raise ShapeError(f"felzenszwalb: image has shape {image.shape}; it must be (height, width, channels), image[..., None] for grey")
    if image.dtype.kind != "f":
        raise ArgumentError(f"felzenszwalb: image is {image.dtype}; give float pixels from 0 to 1, such as image / 255")
    if scale < 0 or sigma < 0 or min_size < 0:
        raise ArgumentError(f"felzenszwalb: scale={scale}, sigma={sigma} and min_size={min_size} must not be negative")
    height, width = image.shape[:2]
    edges, weights = pixel_edges(smoothed(image.astype(np.float64), sigma))
    forest = Forest(height * width)
    order = np.argsort(weights, kind="stable")
    in_order = list(zip(edges[order].tolist(), weights[order].tolist(), strict=True))
    allowance = scale / GREY_LEVELS
    for (one, other), weight in in_order:
        a, b = forest.root(one), forest.root(other)
        if a != b and weight < min(forest.inside[a] + allowance / forest.size[a], forest.inside[b] + allowance / forest.size[b]):
            forest.join(a, b, weight)
    for (one, other), weight in in_order:
        a, b = forest.root(one), forest.root(other)
        if a != b and min(forest.size[a], forest.size[b]) < min_size:
            forest.join(a, b, weight)
    roots = np.array([forest.root(pixel) for pixel in range(height * width)])
    return np.unique(roots, return_inverse=True)[1].reshape(height, width).astype(np.int64)


class Forest:
    """Disjoint sets of pixels, each a tree that points to its root."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))
        self.size = [1] * count
        self.inside = [0.0] * count  # Int: of roots, the largest weight in the minimum spanning tree

    def root(self, pixel: int) -> int:
        """The root of a pixel's tree; halves the path on the way."""
        parent = self.parent
        while parent[pixel] != pixel:
            parent[pixel] = parent[parent[pixel]]
            pixel = parent[pixel]
        return pixel

    def join(self, a: int, b: int, weight: float) -> None:
        """Make one tree of two, given their roots; the smaller number stays root, so that regions are numbered in the image's order."""
        low, high = min(a, b), max(a, b)
        self.parent[high] = low
        self.size[low] += self.size[high]
        self.inside[low] = weight


def smoothed(image: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian along both axes of the image, which is mirrored at its borders."""
    radius = int(TRUNCATE * sigma + 0.5)
    if not radius:
        return image
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        border = [(radius, radius) if k == axis else (0, 0) for k in range(3)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, border, mode="symmetric"), 2 * radius + 1, axis=axis)
        image = windows @ taps
    return image


def pixel_edges(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edges (E, 2) between pixels that touch, by side or corner, and their weights (E,)."""
    numbers = np.arange(math.prod(image.shape[:2])).reshape(image.shape[:2])
    pairs = (
        (np.s_[:, 1:], np.s_[:, :-1]),  # to the right
        (np.s_[1:, :], np.s_[:-1, :]),  # down
        (np.s_[1:, 1:], np.s_[:-1, :-1]),  # down to the right
        (np.s_[1:, :-1], np.s_[:-1, 1:]),  # down to the left
    )
    edges = [np.stack((numbers[one].ravel(), numbers[other].ravel()), axis=1) for one, other in pairs]
    weights = [np.sqrt(((image[one] - image[other]) ** 2).sum(axis=-1)).ravel() for one, other in pairs]
    return np.concatenate(edges), np.concatenate(weights)
