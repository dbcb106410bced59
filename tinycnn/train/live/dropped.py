"""A picture that somebody drops on the page: bytes from a stranger, until they are an array as the network wants it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ...data.folder import BROKEN_PICTURE
from ...errors import DataError

# What browsers show. Formats that start other programs or hold many pages are left out.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
MOST_PIXELS = 25_000_000  # a telephone's camera has half of that

# Makes of a picture the pixels (H, W) or (H, W, 3), 0 to 255, of the network's size, and says what was done.
Fit = Callable[[Any], tuple[Any, list[str]]]


def open_picture(data: bytes) -> Image.Image:
    """The picture in some bytes, upright, on white paper where it is transparent, "L" or "RGB".

    Raises
    ------
    DataError
        When it is none, is damaged, or has too many pixels; these are counted before any is unpacked.
    """
    if not data:
        raise DataError("the picture is empty: choose a PNG, JPEG, GIF, WebP or BMP file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            with Image.open(io.BytesIO(data), formats=FORMATS) as file:
                if file.width * file.height > MOST_PIXELS:
                    size = f"{file.width} x {file.height}"
                    raise DataError(f"the picture has {size} pixels, more than the {MOST_PIXELS:,} that fit here; make it smaller")
                picture = ImageOps.exif_transpose(file)
                if "A" in picture.getbands() or "transparency" in picture.info:
                    picture = picture.convert("RGBA")
                    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
                if picture.mode.startswith("I"):  # 16-bit grey, which a plain conversion would clip
                    picture = picture.convert("F").point(lambda value: value * (255 / 65535))
                return picture.convert("RGB" if len(picture.getbands()) > 1 or picture.mode == "P" else "L")
    except DataError:
        raise
    except Image.UnidentifiedImageError as error:
        raise DataError("this is not a picture that can be read: choose a PNG, JPEG, GIF, WebP or BMP file") from error
    except BROKEN_PICTURE as error:
        raise DataError(f"the picture is damaged ({str(error) or type(error).__name__}); save it anew or choose another") from error


def scaled(shape: Sequence[int]) -> Fit:
    """A `Fit` that makes the picture grey or coloured and scales it to a shape (C, H, W)."""
    channels, height, width = shape

    def fit(picture: Image.Image) -> tuple[np.ndarray, list[str]]:
        notes = [] if picture.size == (width, height) else [f"resized from {picture.width} x {picture.height}"]
        wanted = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.LANCZOS)
        return np.asarray(wanted, np.float32), notes

    return fit


def as_input(data: bytes, shape: Sequence[int], mean: Any, deviation: Any, fit: Fit | None = None) -> tuple[np.ndarray, list[str]]:
    """The picture in some bytes as one normalised float32 image (C, H, W), and notes on what was done to it.

    Raises
    ------
    DataError
        As `open_picture`, or when the network's images are neither grey nor coloured.
    """
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DataError(f"this network's inputs have the shape {tuple(shape)}; only grey (1, H, W) and coloured (3, H, W) ones can be dropped here")
    pixels, notes = (fit or scaled(shape))(open_picture(data))
    pixels = np.asarray(pixels, np.float32)
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    centre = np.reshape(np.asarray(mean if mean is not None else [0.5] * shape[0], np.float32), (-1, 1, 1))
    spread = np.reshape(np.asarray(deviation if deviation is not None else [0.5] * shape[0], np.float32), (-1, 1, 1))
    return np.ascontiguousarray((planes / np.float32(255) - centre) / spread, np.float32), notes
