"""Filters with names: what image processing has used for decades, and networks learn again."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["BINARY", "DECK", "FILTERS", "IMAGES"]


def _taps(rows: Any, divisor: float = 1) -> np.ndarray:
    return np.array(rows, np.float64) / divisor


# Name: its numbers, what it does, and whether its answer is an image ("image") or has a sign ("edges": zero is drawn grey).
FILTERS: dict[str, tuple[np.ndarray, str, str]] = {
    "identity": (_taps([[0, 0, 0], [0, 1, 0], [0, 0, 0]]), "the image itself", "image"),
    "shift": (_taps([[0, 0, 0], [1, 0, 0], [0, 0, 0]]), "the image one pixel to the right", "image"),
    "blur": (_taps(np.ones((3, 3)), 9), "the mean of nine pixels", "image"),
    "blur5": (_taps(np.ones((5, 5)), 25), "the mean of 25 pixels", "image"),
    "gaussian": (_taps([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16), "a mean in which near pixels count more", "image"),
    "gaussian5": (_taps(np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]), 256), "a wider one: binomial weights", "image"),
    "sharpen": (_taps([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]), "the image minus its Laplacian", "image"),
    "unsharp": (
        _taps(np.pad([[2]], 2)) - _taps(np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]), 256),
        "twice the image minus a blurred one: unsharp masking",
        "image",
    ),
    "sobel_x": (_taps([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]), "how much brighter the right side is: vertical edges", "edges"),
    "sobel_y": (_taps([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]), "how much brighter the lower side is: horizontal edges", "edges"),
    "prewitt_x": (_taps([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]), "as sobel_x, all rows alike", "edges"),
    "prewitt_y": (_taps([[-1, -1, -1], [0, 0, 0], [1, 1, 1]]), "as sobel_y, all columns alike", "edges"),
    "laplacian": (_taps([[0, 1, 0], [1, -4, 1], [0, 1, 0]]), "the sum of second differences: edges of all directions", "edges"),
    "laplacian8": (_taps([[1, 1, 1], [1, -8, 1], [1, 1, 1]]), "the same with diagonals", "edges"),
    "emboss": (_taps([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]), "light from the upper left, on the image", "image"),
}

DECK = _taps([[5, 0, 8, 7, 8, 1], [1, 9, 5, 0, 7, 7], [6, 0, 2, 4, 6, 6], [9, 7, 6, 6, 8, 4], [8, 3, 8, 5, 1, 3], [7, 2, 7, 0, 1, 0]])
BINARY = _taps([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
IMAGES = {"deck": DECK, "binary": BINARY}
