"""Arrays as small images for the page: bytes of one channel with the scale they were made by, or colours."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

MOST_TILES, MOST_SIDE = 24, 40
ROW = 32  # values in a row of a vector's picture
BINS, MOST_COUNTED = 31, 100_000


def activation_picture(output: np.ndarray) -> dict[str, Any]:
    """One image's output: a tile a channel of (C, H, W), rows of 32 of a vector, any other array as a matrix."""
    if output.ndim == 1:
        return _vector(output)
    if output.ndim == 2:
        return _sheet(_thinned(output)[None], 1)
    maps = output.reshape(-1, *output.shape[-2:])
    return _sheet(np.stack([_thinned(each) for each in maps[:MOST_TILES]]), 0, len(maps))


def weight_picture(weight: np.ndarray) -> dict[str, Any]:
    """A weight or its gradient: filters as tiles, colour where they look at three channels, a matrix as it is."""
    if weight.ndim == 1:
        return _vector(weight)
    if weight.ndim == 2:
        return _sheet(_thinned(weight, 64, 160)[None], 1)
    flat = weight.reshape(*weight.shape[:2], -1, weight.shape[-1])
    if flat.shape[1] == 3 and weight.ndim == 4:
        return _colours(flat[:MOST_TILES], len(flat))
    columns = min(flat.shape[1], 8)
    rows = min(flat.shape[0], MOST_TILES // columns)
    tiles = flat[:rows, :columns].reshape(rows * columns, *flat.shape[2:])
    return _sheet(np.stack([_thinned(tile) for tile in tiles]), columns if columns > 1 else 0, flat.shape[0] * flat.shape[1])


def image_picture(image: np.ndarray, mean: Any = None, deviation: Any = None) -> dict[str, Any]:
    """An input image (C, H, W): grey or colour bytes, by undoing the normalisation where it is known, else from its least to its largest value."""
    if image.ndim != 3:  # vectors in rows, anything else as one plane
        image = (_rows(image) if image.ndim < 2 else image.reshape(-1, image.shape[-1]))[None]
    if mean is not None and deviation is not None and len(mean) == len(image) == len(deviation):
        pixels = image * np.reshape(deviation, (-1, 1, 1)) + np.reshape(mean, (-1, 1, 1))
    else:
        low, high = float(image.min()), float(image.max())
        pixels = (image - low) / ((high - low) or 1.0)
    pixels = np.stack([_thinned(plane, 64, 64) for plane in pixels])
    shown = pixels if len(pixels) in (1, 3) else pixels.mean(0, keepdims=True)
    data = np.clip(np.rint(255 * np.nan_to_num(shown)), 0, 255).astype(np.uint8)
    return {"kind": "grey" if len(data) == 1 else "colour", "h": data.shape[1], "w": data.shape[2], "data": _text(np.moveaxis(data, 0, -1))}


def histogram(values: np.ndarray) -> dict[str, Any]:
    """Counts of 31 equal bins over the finite values; of very many every k-th is counted."""
    flat = values.ravel()
    flat = flat[:: max(1, flat.size // MOST_COUNTED)]
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return {"low": 0.0, "high": 0.0, "counts": []}
    low, high = float(flat.min()), float(flat.max())
    if not high > low:
        low, high = low - 0.5, high + 0.5
    return {"low": low, "high": high, "counts": np.histogram(flat.astype(np.float64), BINS, (low, high))[0].tolist()}


def plain(value: Any) -> Any:
    """The value as JSON knows it: NaN and infinity become null, numbers keep five digits."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def _text(data: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(data).tobytes()).decode("ascii")


def _thinned(matrix: np.ndarray, rows: int = MOST_SIDE, columns: int = MOST_SIDE) -> np.ndarray:
    """At most so many rows and columns: every k-th one, as a mean would hide what is large."""
    height, width = matrix.shape
    return matrix[:: math.ceil(height / rows) or 1, :: math.ceil(width / columns) or 1]


def _vector(values: np.ndarray) -> dict[str, Any]:
    shown = values[: ROW * MOST_SIDE]
    return {**_sheet(_rows(shown)[None], 1), "filled": len(shown), "of": len(values)}


def _rows(values: np.ndarray) -> np.ndarray:
    """A vector in rows of 32, the last one filled up with zeros."""
    table = np.zeros((math.ceil(values.size / ROW) or 1, min(values.size, ROW) or 1), np.float64)
    table.ravel()[: values.size] = values
    return table


def _sheet(tiles: np.ndarray, columns: int, of: int = 1) -> dict[str, Any]:
    """Tiles (n, h, w) on one scale: symmetric around 0 where some are negative, else from 0 to the largest. 0 columns: as many as fit."""
    values = np.nan_to_num(np.asarray(tiles, np.float64), posinf=0.0, neginf=0.0)
    scale = float(np.abs(values).max(initial=0.0))
    signed = bool((values < 0).any())
    unit = values / (scale or 1.0)
    data = np.rint(127.5 + 127.5 * unit if signed else 255 * unit).astype(np.uint8)
    number, height, width = data.shape
    shape = {"n": number, "h": height, "w": width, "columns": columns, "of": of}
    return {"kind": "signed" if signed else "positive", **shape, "scale": scale, "data": _text(data)}


def _colours(filters: np.ndarray, of: int) -> dict[str, Any]:
    """Filters (n, 3, h, w) as colours, 0 in the middle grey."""
    values = np.nan_to_num(filters.astype(np.float64), posinf=0.0, neginf=0.0)
    scale = float(np.abs(values).max(initial=0.0))
    data = np.rint(127.5 + 127.5 * values / (scale or 1.0)).astype(np.uint8)
    number, _, height, width = data.shape
    shape = {"n": number, "h": height, "w": width, "columns": 0, "of": of}
    return {"kind": "colours", **shape, "scale": scale, "data": _text(np.moveaxis(data, 1, -1))}
