"""What the builders share: channels scaled by a width multiplier, and images that are too small named before the first layer runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError

__all__: list[str] = []


def scaled(channels: int, width: float) -> int:
    """A layer's channels times a width multiplier, rounded to the nearest whole number, at least one.

    Examples
    --------
    >>> scaled(192, 0.25), scaled(3, 0.1)
    (48, 1)
    """
    return max(1, round(channels * width))


def require_width(network: str, width: float) -> None:
    """A width multiplier is a finite number above 0."""
    if not (math.isfinite(width) and width > 0):
        raise ArgumentError(f"{network}: width must be a finite number > 0, not {width!r}; 1.0 is the paper's net")


def require_images(network: str, input: Any, in_channels: int, smallest: int, where: str) -> None:
    """Say at the first layer what would fail at a later one.

    Parameters
    ----------
    network
        Who speaks.
    input
        The images, (N, in_channels, H, W).
    in_channels
        What the first layer takes.
    smallest
        The least height and width that leave every layer a pixel.
    where
        The layer that smaller images do not reach.
    """
    shape = np.shape(input)
    if len(shape) != 4 or shape[1] != in_channels:
        raise ShapeError(f"{network}: input must have shape (N, {in_channels}, H, W), got {shape}; {_channel_fix(shape, in_channels)}")
    if min(shape[2:]) < smallest:
        raise ShapeError(
            f"{network}: images must be at least {smallest}x{smallest}, got {shape[2]}x{shape[3]}, of which nothing is left at {where}; "
            + ("resize them, or build the net for small images, whose name ends in _cifar" if smallest > 15 else "resize them")
        )


def require_image_size(network: str, input: Any, in_channels: int, size: int, path: str) -> None:
    """As `require_images`, for a net whose first linear layer fixes the size; `path` shows how the size shrinks to it."""
    shape = np.shape(input)
    if shape[1:] != (in_channels, size, size):
        raise ShapeError(f"{network}: input must have shape (N, {in_channels}, {size}, {size}), got {shape}; {path}")


def _channel_fix(shape: tuple[int, ...], in_channels: int) -> str:
    if len(shape) == 3:
        return "add the batch axis, images[None]"
    if len(shape) == 4 and shape[3] == in_channels:
        return "the channels lie last; permute the axes to (0, 3, 1, 2)"
    return f"build the net with in_channels={shape[1]}" if len(shape) == 4 else "images have four axes"
