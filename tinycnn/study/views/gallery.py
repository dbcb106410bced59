"""A photo under many filters: one sheet."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from ... import functional
from ...errors import UsageError
from .filters import DECK, FILTERS
from .operands import weight_of
from .view import Picture, Scene, Step, View, grid

__all__ = ["gallery", "sheet"]

SIDE = 320  # pixels of the longer side that a filter works on
SMALL = 120  # smaller pictures are drawn with larger pixels
MOST_PIXELS = 50_000_000


def gallery(
    input: Any = None, weight: Any = None, *, filters: str | Sequence[str] | None = None, kernel_size: Any = None, side: int = SIDE, seed: int = 0
) -> View:
    """Filter a photo with the classic filters, and with one of your own.

    Shapes
    ------
    (H, W) or (H, W, 3), 0 to 255 -> a picture a filter; every colour is filtered by itself, edges are continued (replicate padding)

    Formula
    -------
    conv2d(channel, filter, padding="same", padding_mode="replicate")

    Parameters
    ----------
    input : array or PIL image, optional
        Grey or RGB, 0 to 255; other ranges are stretched to it. The deck's 6 x 6 image if left out.
    weight : array, optional
        A filter of your own, shown beside the others.
    filters : str or sequence of str, optional
        Names from `FILTERS`; all if left out.
    kernel_size : int or (height, width), optional
        Instead of a weight: one drawn with the seed.
    side : int
        The photo is made smaller until its longer side has this many pixels.
    seed : int
        Decides a drawn filter.

    Returns
    -------
    View
        `results` has the filtered images, each (H, W) or (H, W, 3).

    Raises
    ------
    UsageError
        If the input is no picture, or a filter has no such name.

    Notes
    -----
    Filters whose weights add up to 0 answer with a sign: grey is zero, white positive, black negative, scaled to the largest.

    Examples
    --------
    >>> view = gallery(filters="identity, laplacian")
    >>> sorted(view.results)
    ['identity', 'laplacian']
    """
    pixels = _pixels(input, side)
    chosen = _chosen(filters)
    taps = {name: FILTERS[name][0] for name in chosen}
    if weight is not None or kernel_size is not None:
        taps["yours"] = weight_of("gallery", weight, kernel_size, 1, "identity", seed)[0, 0]
    planes = pixels.transpose(2, 0, 1)[:, None].astype(np.float32)
    results, pictures, steps = {}, [], []
    for number, (name, kernel) in enumerate(taps.items()):
        answer = _filtered(planes, kernel)
        signed = FILTERS[name][2] == "edges" if name in FILTERS else abs(kernel.sum()) < 1e-9
        words = FILTERS[name][1] if name in FILTERS else "your own filter"
        results[name] = answer[..., 0] if answer.shape[2] == 1 else answer
        pictures.append(Picture(name, _png(answer, signed), words))
        grids = "; ".join(" ".join(f"{value:.3g}" for value in row) for row in kernel.tolist())
        steps.append(Step(name, (words, f"weights {grids}, which add up to {kernel.sum():.3g}"), (("pictures", "now", (number,)),)))
    size = f"{pixels.shape[0]} x {pixels.shape[1]}" + (" grey" if pixels.shape[2] == 1 else " RGB")
    scene = Scene("Pictures", f"{size} pixels; grey is zero where a filter's weights add up to 0", (), tuple(steps), pictures=tuple(pictures))
    shown = Scene("Filters", "their weights", tuple(grid(name, kernel, shade=True) for name, kernel in taps.items()), ())
    return View(
        "gallery",
        "Filter gallery",
        "The same photo under each filter: what one convolution can do, before anything is learned.",
        'conv2d(channel, filter, padding="same", padding_mode="replicate")',
        (scene, shown),
        (("filters", str(len(taps))), ("image", size)),
        results=results,
    )


def _chosen(filters: str | Sequence[str] | None) -> list[str]:
    """Names of filters, checked."""
    names = list(FILTERS) if filters is None else filters.replace(",", " ").split() if isinstance(filters, str) else list(filters)
    for name in names:
        if name not in FILTERS:
            close = get_close_matches(str(name), FILTERS, n=3, cutoff=0.5)
            offer = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(FILTERS)}"
            raise UsageError(f"gallery: there is no filter called {name!r}; {offer}")
    if not names:
        raise UsageError(f"gallery: filters names none; there are {', '.join(FILTERS)}")
    return names


def _pixels(value: Any, side: int) -> np.ndarray:
    """(H, W, 1 or 3) from 0 to 255, no side longer than `side`."""
    from PIL import Image

    if value is None:
        value = DECK
    if isinstance(value, Image.Image) and value.mode[0] not in "IF":  # those of 16 bits and more are stretched below, as arrays
        picture = value.convert("L" if value.mode in ("1", "L", "LA") else "RGB")
        picture.thumbnail((side, side))
        value = picture
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not array.size or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)):
        raise UsageError(f"gallery: input of shape {array.shape} and type {array.dtype} is no picture; give (H, W) or (H, W, 3), or an image file")
    if array.size > MOST_PIXELS:
        raise UsageError(f"gallery: input has {array.size:,} numbers, at most {MOST_PIXELS:,} are read; make the picture smaller")
    every = max(1, -(-max(array.shape[:2]) // side))
    array = array[::every, ::every].astype(np.float64)
    if not np.isfinite(array).all():
        raise UsageError("gallery: input holds infinity or NaN, which no picture has; give finite numbers from 0 to 255")
    if array.min() < 0 or array.max() > 255 or array.max() <= 16:
        low, high = array.min(), array.max()
        array = (array - low) * (255 / (high - low) if high > low else 1)
    return array.reshape(*array.shape[:2], -1)


def _filtered(planes: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(H, W, C) of channels (C, 1, H, W), filtered one by one."""
    around = tuple(side for size in kernel.shape for side in ((size - 1) // 2, size // 2))
    taps = np.ascontiguousarray(kernel, np.float32)[None, None]
    return functional.conv2d(planes, taps, padding=around, padding_mode="replicate").numpy()[:, 0].transpose(1, 2, 0).astype(np.float64)


def drawn(answer: np.ndarray, signed: bool) -> np.ndarray:
    """An answer as bytes: clipped, or with zero as grey."""
    if signed:
        largest = float(np.abs(answer).max())
        answer = 127.5 + answer * (127.5 / largest if largest > 1e-6 else 0)
    return np.clip(np.round(answer), 0, 255).astype(np.uint8)


def _png(answer: np.ndarray, signed: bool) -> bytes:
    """The bytes of a PNG file; small pictures with larger pixels."""
    from PIL import Image

    pixels = drawn(answer, signed)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    times = max(1, -(-SMALL // max(picture.size)))
    picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def sheet(view: View, columns: int = 4) -> bytes:
    """All pictures of a gallery on one sheet, with their names, as the bytes of a PNG file.

    Parameters
    ----------
    view : View
        Of `gallery`.
    columns : int
        Pictures in a row.

    Returns
    -------
    bytes

    Examples
    --------
    >>> sheet(gallery(filters="identity"))[1:4]
    b'PNG'
    """
    from PIL import Image, ImageDraw

    pictures = [(each.name, Image.open(io.BytesIO(each.png)).convert("RGB")) for scene in view.scenes for each in scene.pictures]
    columns, margin, line = min(columns, len(pictures)), 10, 20
    width, height = pictures[0][1].size
    cell_w, cell_h = width + margin, height + line + margin
    page = Image.new("RGB", (columns * cell_w + margin, math.ceil(len(pictures) / columns) * cell_h + margin), "white")
    pen = ImageDraw.Draw(page)
    for number, (name, picture) in enumerate(pictures):
        left, top = margin + number % columns * cell_w, margin + number // columns * cell_h
        pen.text((left, top), name, fill="black", font_size=14)
        page.paste(picture, (left, top + line))
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()
