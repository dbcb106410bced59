"""Maps as colours over the image: a palette whose brightness rises with the number, and one for numbers of either sign."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ShapeError

__all__ = ["HEAT", "SIGNED", "cubehelix", "diverging", "overlay", "painted"]

LEAST, MOST = 0.12, 0.72  # opacity of the colour where the map is 0 and where it is largest


def cubehelix(count: int = 256, start: float = 2.6, rotations: float = -0.95, hue: float = 1.35) -> np.ndarray:
    """Colours whose perceived brightness rises evenly from black to white while the hue turns: (count, 3), uint8.

    Formula
    -------
    phi = 2 pi (start / 3 + 1 + rotations f), a = hue f (1 - f) / 2, f from 0 to 1;
    (r, g, b) = f + a [(-0.14861, 1.78277), (-0.29227, -0.90649), (1.97294, 0)] (cos phi, sin phi).

    References
    ----------
    Green 2011, "A colour scheme for the display of astronomical intensity images", section 4.
    """
    f = np.linspace(0, 1, count)
    phi = 2 * math.pi * (start / 3 + 1 + rotations * f)
    turn = np.stack([-0.14861 * np.cos(phi) + 1.78277 * np.sin(phi), -0.29227 * np.cos(phi) - 0.90649 * np.sin(phi), 1.97294 * np.cos(phi)], 1)
    colours = f[:, None] + (hue * f * (1 - f) / 2)[:, None] * turn
    return (255 * np.clip(colours, 0, 1)).round().astype(np.uint8)


def diverging(count: int = 257) -> np.ndarray:
    """Blue over white to red, as dark on both sides: (count, 3), uint8; white is the middle."""
    ends = np.array([[33, 94, 168], [247, 247, 247], [178, 24, 43]], np.float64)
    f = np.linspace(0, 2, count)
    return np.stack([np.interp(f, [0, 1, 2], ends[:, channel]) for channel in range(3)], 1).round().astype(np.uint8)


HEAT, SIGNED = cubehelix(), diverging()


def painted(map: np.ndarray, signed: bool) -> np.ndarray:
    """A map of -1 to 1, or of 0 to 1, in colours: (H, W, 3), uint8."""
    palette = SIGNED if signed else HEAT
    place = (map + 1) / 2 if signed else map
    return palette[(np.clip(place, 0, 1) * (len(palette) - 1)).round().astype(np.intp)]


def overlay(image: np.ndarray, map: np.ndarray, signed: bool = False) -> np.ndarray:
    """A map over its image: the more opaque the larger the number is.

    Parameters
    ----------
    image : uint8 (H, W, 3) or (H, W)
    map : floats (H, W)
        From 0 to 1, or -1 to 1 where `signed`: `Attribution.scaled()`.
    signed : bool
        Blue against, red for; else from dark to bright.

    Returns
    -------
    uint8 (H, W, 3)

    Raises
    ------
    ShapeError
        If the map is not as large as the image.

    Examples
    --------
    >>> overlay(np.full((2, 2), 100, np.uint8), np.eye(2)).shape
    (2, 2, 3)
    """
    picture = np.repeat(image[:, :, None], 3, 2) if image.ndim == 2 else image
    if picture.shape[:2] != map.shape:
        raise ShapeError(f"overlay: the map is {map.shape}, the image {picture.shape[:2]}; `Attribution.map` is as large as what the network saw")
    opacity = (LEAST + (MOST - LEAST) * np.clip(np.abs(map), 0, 1))[:, :, None]
    # Grey below the colours, so that the image's own colours are not taken for the map's.
    grey = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    return ((1 - opacity) * grey[:, :, None] + opacity * painted(map, signed)).round().astype(np.uint8)


def legend(width: int, height: int, signed: bool) -> Any:
    """The palette as a bar, Pillow's image."""
    from PIL import Image

    line = np.linspace(-1 if signed else 0, 1, width)
    return Image.fromarray(painted(np.repeat(line[None], height, 0), signed))
