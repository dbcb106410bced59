"""Pictures in files: one folder for each class."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ArgumentError, DataError
from .dataset import ImageDataset
from .files import MAX_FILE_BYTES, read_bytes

__all__ = ["ImageFolder", "read_picture"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".pbm")
FORMATS = ("PNG", "JPEG", "BMP", "PPM")
MAX_PIXELS = 50_000_000

# What Pillow was seen to raise on files that are not what they claim to be.
BROKEN_PICTURE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
    AttributeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def read_picture(path: str | os.PathLike[str], mode: str | None = None, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a PNG, JPEG, BMP or PGM/PPM file.

    Parameters
    ----------
    path : path
        The file; its content decides the format.
    mode : "L", "RGB" or None
        Grey, colour, or what the file has.
    max_pixels : int
        Most pixels (height times width) that are accepted, checked before any is unpacked.

    Returns
    -------
    ndarray
        uint8, (height, width) when grey, else (height, width, 3). Transparency is dropped; 16-bit greys are scaled to
        8.

    Raises
    ------
    DataError
        When the file is missing, truncated, corrupted, of another format, or larger than `max_pixels`.
    """
    if mode not in (None, "L", "RGB"):
        raise ArgumentError(f"read_picture: mode {mode!r} must be 'L' (grey), 'RGB' or None")
    data = read_bytes(path, MAX_FILE_BYTES)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise DataError(f"{path}: {height}x{width} = {height * width} pixels are more than the {max_pixels} allowed")
            return picture_to_array(picture, mode)
    except DataError:
        raise
    except BROKEN_PICTURE as error:
        raise DataError(f"{path}: not a readable PNG, JPEG, BMP or PGM picture ({error or type(error).__name__})") from error


def picture_to_array(picture: Image.Image, mode: str | None) -> np.ndarray:
    """Unpack a Pillow picture as uint8 grey or RGB."""
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        deep = np.clip(np.asarray(picture).astype(np.int64), 0, 65535)
        picture = Image.fromarray((deep // 257).astype(np.uint8))
    grey = picture.mode in ("1", "L", "LA")
    return np.asarray(picture.convert(mode or ("L" if grey else "RGB")))


class ImageFolder(ImageDataset):
    """Pictures in a folder for each class: ``root/cat/1.png``, ``root/dog/7.jpg``. They are read as they are needed.

    Parameters
    ----------
    root : path
        The folder that holds the class folders; their names, sorted, are the classes.
    transform : Transform or function, optional
        What is done to each picture.
    image_shape : (int, int, int), optional
        Channels (1 or 3), height and width that every picture is converted and scaled to. Left out, it is that of the
        first picture, and a picture of another size is an error.
    mean, std : sequence of float, optional
        Of each channel; 0.5 each if left out, which maps 0..1 to -1..1.

    Raises
    ------
    DataError
        When there are no class folders, a class folder holds no picture, or the first picture cannot be read.

    Notes
    -----
    torchvision has no `image_shape`: there a `Resize` transform does it, which works here as well.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Any = None,
        *,
        image_shape: Sequence[int] | None = None,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> None:
        self.root = Path(root)
        self.classes = find_classes(self.root)
        self.samples: list[tuple[Path, int]] = []
        for label, name in enumerate(self.classes):
            self.samples += [(path, label) for path in find_pictures(self.root / name)]
        self.resize = image_shape is not None
        if image_shape is None:
            first = read_picture(self.samples[0][0])
            image_shape = (1 if first.ndim == 2 else 3, *first.shape[:2])
        if len(image_shape) != 3 or image_shape[0] not in (1, 3) or min(image_shape) < 1:
            raise ArgumentError(f"ImageFolder: image_shape {tuple(image_shape)} must be (1 or 3 channels, height, width)")
        self.image_shape = (int(image_shape[0]), int(image_shape[1]), int(image_shape[2]))
        self.mean = (0.5,) * self.image_shape[0] if mean is None else tuple(mean)
        self.std = (0.5,) * self.image_shape[0] if std is None else tuple(std)
        self.transform = transform

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.samples)

    def labels(self) -> np.ndarray:
        """Return all labels, int64 (count,), without reading pictures."""
        return np.array([label for _, label in self.samples], dtype=np.int64)

    def picture(self, index: int) -> tuple[np.ndarray, int]:
        """Read one picture; returns it and its label."""
        path, label = self.samples[index]
        channels, height, width = self.image_shape
        picture = read_picture(path, "L" if channels == 1 else "RGB")
        if picture.shape[:2] == (height, width):
            return picture, label
        if not self.resize and self.transform is None:
            raise DataError(
                f"{path}: {picture.shape[0]}x{picture.shape[1]} where the first picture, {self.samples[0][0].name}, is "
                f"{height}x{width}; give image_shape=({channels}, {height}, {width}) to scale them all"
            )
        if self.resize:
            picture = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
        return picture, label


def find_classes(root: Path) -> tuple[str, ...]:
    """Return the names of the class folders, sorted."""
    try:
        names = tuple(sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")))
    except OSError as error:
        raise DataError(f"{root}: cannot be read ({error.strerror or error})") from error
    if not names:
        raise DataError(f"{root}: holds no folders; put the pictures of each class into a folder named after the class")
    return names


def find_pictures(folder: Path) -> list[Path]:
    """Return the picture files of a class folder, sorted; that there are none is an error."""
    try:
        pictures = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error})") from error
    if not pictures:
        raise DataError(f"{folder}: holds no pictures ({', '.join(SUFFIXES)})")
    return pictures
