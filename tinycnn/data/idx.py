"""The idx format in which MNIST, Fashion-MNIST and EMNIST are published."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import DataError
from .files import MAX_FILE_BYTES, gunzip, read_bytes

__all__ = ["idx_file_names", "parse_idx", "pick_idx_files", "read_idx"]

# Byte 2 of the file -> how its numbers are stored (all big-endian).
DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 8

CLASSES = 10


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read one idx file, gzip-packed or not.

    Parameters
    ----------
    path : path
        For example ``train-images-idx3-ubyte.gz``.

    Returns
    -------
    ndarray
        The array in the shape and number type that the header states, in the machine's byte order.

    Raises
    ------
    DataError
        When the file is no idx file, is truncated or corrupted, or holds more or fewer bytes than its header states.

    Notes
    -----
    The header is two zero bytes, a number type, the number of dimensions, and each dimension as a big-endian 32-bit
    integer. No memory is reserved on the header's word: the bytes are read first, up to a limit, then compared with it.

    References
    ----------
    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats".
    """
    return parse_idx(read_bytes(path), str(path))


def parse_idx(data: bytes, name: str = "idx data") -> np.ndarray:
    """Turn the bytes of an idx file into an array.

    Parameters
    ----------
    data : bytes
        A whole file, gzip-packed or not.
    name : str
        What error messages call it.

    Returns
    -------
    ndarray
        The array in the shape and number type that the header states.

    Raises
    ------
    DataError
        As for `read_idx`.

    Examples
    --------
    Type 0x08 (unsigned bytes), two dimensions, 2 rows of 3:

    >>> parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    array([[1, 2, 3],
           [4, 5, 6]], dtype=uint8)
    """
    if data[:2] == b"\x1f\x8b":
        data = gunzip(data, name, MAX_FILE_BYTES)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in DTYPES or not 1 <= data[3] <= MAX_DIMENSIONS:
        raise DataError(
            f"{name}: not an idx file: it begins with {data[:4].hex(' ') or 'nothing'}, "
            "and MNIST's images begin with 00 00 08 03, its labels with 00 00 08 01"
        )
    dtype = np.dtype(DTYPES[data[2]])
    dimensions = data[3]
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise DataError(f"{name}: ends inside its header of {start} bytes after {len(data)}; download it again")
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, start, 4))
    expected = math.prod(shape) * dtype.itemsize
    if len(data) - start != expected:
        state = "truncated" if len(data) - start < expected else "too long"
        raise DataError(
            f"{name}: {state}: the header states {' x '.join(map(str, shape))} = {expected} bytes, "
            f"the file holds {len(data) - start}; download it again"
        )
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def idx_file_names(train: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names under which a split's images and its labels are found, the published name first.

    Parameters
    ----------
    train : bool
        The training split's or the test split's.

    Returns
    -------
    tuple
        Image file names and label file names: with .gz or without, and with the dot that some unpackers put in.
    """
    split = "train" if train else "t10k"
    images, labels = f"{split}-images", f"{split}-labels"
    return (
        tuple(images + end for end in ("-idx3-ubyte.gz", "-idx3-ubyte", ".idx3-ubyte", ".idx3-ubyte.gz")),
        tuple(labels + end for end in ("-idx1-ubyte.gz", "-idx1-ubyte", ".idx1-ubyte", ".idx1-ubyte.gz")),
    )


def pick_idx_files(files: Mapping[str, bytes], train: bool, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Find, read and check one split of an MNIST-like data set among files in memory.

    Parameters
    ----------
    files : mapping
        File name -> content.
    train : bool
        The training split or the test split.
    place : str
        Where the files came from, for error messages.

    Returns
    -------
    images : ndarray
        uint8, (count, height, width).
    labels : ndarray
        int64, (count,), each from 0 to 9.

    Raises
    ------
    DataError
        When a file is missing, unreadable, of the wrong kind, when the counts differ, or a label is out of range.
    """
    found = []
    for names in idx_file_names(train):
        name = next((name for name in names if name in files), None)
        if name is None:
            raise DataError(f"{place}: {names[0]} is missing (or {names[1]}, unpacked)")
        found.append((str(Path(place) / name), files[name]))
    (image_name, image_data), (label_name, label_data) = found
    images, labels = parse_idx(image_data, image_name), parse_idx(label_data, label_name)
    if images.ndim != 3 or images.dtype != np.uint8 or 0 in images.shape:
        raise DataError(f"{image_name}: holds {images.dtype} of shape {images.shape}, not uint8 images (count, height, width)")
    if labels.ndim != 1 or labels.dtype != np.uint8:
        raise DataError(f"{label_name}: holds {labels.dtype} of shape {labels.shape}, not one uint8 label an image")
    if len(images) != len(labels):
        raise DataError(f"{label_name}: {len(labels)} labels for {len(images)} images in {Path(image_name).name}")
    return images, check_labels(labels, CLASSES, label_name)


def check_labels(labels: np.ndarray, classes: int, name: str) -> np.ndarray:
    """Return the labels as int64 once each is known to be a class number from 0 to `classes` - 1."""
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise DataError(
            f"{name}: label {labels[wrong[0]]} at position {wrong[0]} is outside 0..{classes - 1} "
            f"({len(wrong)} of {len(labels)} labels are); the file is mislabelled or of another data set"
        )
    return labels.astype(np.int64)
