"""Pictures of people in a folder a person, such as the ORL faces, and Omniglot's characters in its archives: small grey pictures of one size."""

from __future__ import annotations

import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import ArgumentError, DataError
from .dataset import ArrayDataset
from .folder import BROKEN_PICTURE, find_classes, find_pictures, picture_to_array, read_picture

__all__ = ["read_face", "read_omniglot", "read_people"]

MAX_PIXELS = 4_000_000  # of one picture
MAX_PICTURES = 100_000
MAX_MEMBER = 1 << 20  # bytes of one packed character
CHARACTER = re.compile(r"(?:.*/)?([^/]+)/(character\d+)/[^/]+\.png")


def _scaled(picture: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """A grey picture at the size asked for, each pixel the mean of those it covers."""
    if picture.shape == image_size:
        return picture
    return np.asarray(Image.fromarray(picture).resize((image_size[1], image_size[0]), Image.Resampling.BOX))


def _require_size(function: str, image_size: tuple[int, int]) -> tuple[int, int]:
    height, width = (int(extent) for extent in image_size)
    if min(height, width) < 1 or height * width > MAX_PIXELS:
        raise ArgumentError(f"{function}: image_size={image_size} must be height and width of at least 1, and at most {MAX_PIXELS} pixels")
    return height, width


def read_face(path: str | os.PathLike[str], image_size: tuple[int, int] = (56, 46)) -> np.ndarray:
    """One picture, grey and scaled: uint8 (height, width).

    Raises
    ------
    DataError
        When it cannot be read, or has more than four million pixels.
    """
    return _scaled(read_picture(path, "L", MAX_PIXELS), _require_size("read_face", image_size))


def _in_number_order(name: str) -> list[tuple[int, int, str]]:
    """s2 before s10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def read_people(root: str | os.PathLike[str], image_size: tuple[int, int] = (56, 46)) -> ArrayDataset:
    """Read a folder with a folder for each person, such as the ORL faces' s1 to s40.

    Parameters
    ----------
    root : path
        The folder; files beside the folders are passed over.
    image_size : (int, int)
        Height and width that every picture is scaled to; ORL's 112x92 halved if left out.

    Returns
    -------
    ArrayDataset
        Grey, in memory; the classes are the names of the folders, numbers in their order.

    Raises
    ------
    DataError
        When there are no folders, one holds no picture, or a picture cannot be read.

    References
    ----------
    Samaria and Harter 1994, "Parameterisation of a stochastic model for human face identification": the ORL faces.
    """
    size = _require_size("read_people", image_size)
    folder = Path(root)
    names = sorted(find_classes(folder), key=_in_number_order)
    pictures: list[np.ndarray] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        for path in sorted(find_pictures(folder / name), key=lambda path: _in_number_order(path.name)):
            if len(pictures) >= MAX_PICTURES:
                raise DataError(f"{folder}: more than {MAX_PICTURES} pictures")
            pictures.append(read_face(path, size))
            labels.append(label)
    return ArrayDataset(np.stack(pictures), labels, classes=names)


def read_omniglot(root: str | os.PathLike[str], image_size: int = 28) -> ArrayDataset:
    """Read Omniglot's characters, ink 255 on paper 0, from its .zip archives.

    Parameters
    ----------
    root : path
        An archive such as images_background_small1.zip, or a folder that holds some.
    image_size : int
        Pixels a side; 105 as published, 28 as few-shot papers scale it.

    Returns
    -------
    ArrayDataset
        The classes are called "Greek/character01" and so on, sorted.

    Raises
    ------
    DataError
        When there is no archive, it is damaged or holds no characters, or a picture is not the small PNG it should be.

    References
    ----------
    Lake, Salakhutdinov and Tenenbaum 2015, "Human-level concept learning through probabilistic program induction".
    """
    size = _require_size("read_omniglot", (image_size, image_size))
    location = Path(root)
    archives = sorted(location.glob("images_*.zip")) if location.is_dir() else [location]
    if not archives:
        raise DataError(f"{location}: holds no images_*.zip; give the folder or the archive of Omniglot's pictures")
    found: dict[str, list[np.ndarray]] = {}
    for archive in archives:
        for name, data in _members(archive):
            found.setdefault(name, []).append(_scaled(_ink(archive, name, data), size))
    if not found:
        raise DataError(f"{location}: holds no pictures ALPHABET/characterNN/*.png")
    classes = sorted(found)
    pictures = [picture for name in classes for picture in found[name]]
    labels = np.repeat(np.arange(len(classes)), [len(found[name]) for name in classes])
    return ArrayDataset(np.stack(pictures), labels, classes=classes)


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The characters' names and the bytes of their pictures, in the order of their files' names."""
    try:
        with zipfile.ZipFile(archive) as members:
            listed = sorted((each for each in members.infolist() if CHARACTER.fullmatch(each.filename)), key=lambda each: each.filename)
            if len(listed) > MAX_PICTURES:
                raise DataError(f"{archive}: more than {MAX_PICTURES} pictures")
            for each in listed:
                match = CHARACTER.fullmatch(each.filename)
                assert match is not None
                with members.open(each) as stream:
                    data = stream.read(MAX_MEMBER + 1)
                if len(data) > MAX_MEMBER:
                    raise DataError(f"{archive}: {each.filename[-60:]!r} has more than {MAX_MEMBER} bytes, far more than any character")
                yield f"{match[1]}/{match[2]}", data
    except DataError:
        raise
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise DataError(f"{archive}: cannot be read as a .zip archive ({getattr(error, 'strerror', None) or error})") from error
    except zlib.error as error:
        raise DataError(f"{archive}: damaged archive ({error}); download it again") from error


def _ink(archive: Path, name: str, data: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            if picture.size[0] * picture.size[1] > MAX_PIXELS:
                raise DataError(f"{archive}: a picture of {name} states {picture.size[1]}x{picture.size[0]} pixels, far more than any character")
            return 255 - picture_to_array(picture, "L")
    except DataError:
        raise
    except BROKEN_PICTURE as error:
        raise DataError(f"{archive}: a picture of {name} is not a readable PNG ({error or type(error).__name__})") from error
