"""The 5,000 real handwritten digits inside the package; NOTICE beside this file says where they come from."""

from __future__ import annotations

import hashlib
import io
from importlib import resources

import numpy as np

from ..errors import DataError
from .idx import check_labels

__all__ = ["load_digits", "parse_digits"]

SHA256 = "7567d1f25cc14bc63447c73624433da7b39c379d07326f5d4abce1572e548680"
FILE = "digits.npz"


def load_digits(train: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return the embedded training digits (400 a class) or test digits (100 a class).

    Parameters
    ----------
    train : bool
        The 4,000 training digits or the 1,000 test digits.

    Returns
    -------
    images : ndarray
        uint8, (count, 28, 28), 0 paper to 255 ink.
    labels : ndarray
        int64, (count,).

    Raises
    ------
    DataError
        When the file inside the installed package was changed.

    Examples
    --------
    >>> images, labels = load_digits(train=False)
    >>> images.shape, labels[:5]
    ((1000, 28, 28), array([3, 3, 5, 2, 7]))
    """
    try:
        data = resources.files(__package__).joinpath(FILE).read_bytes()
    except OSError as error:
        raise DataError(f"digits: the installed package lacks {FILE} ({error}); reinstall tinycnn") from error
    return parse_digits(data, train)


def parse_digits(data: bytes, train: bool) -> tuple[np.ndarray, np.ndarray]:
    """Check the bytes of digits.npz against their published digest, then return one split.

    Parameters
    ----------
    data : bytes
        The whole file.
    train : bool
        Which split.

    Returns
    -------
    images, labels : ndarray
        As `load_digits` returns them.

    Raises
    ------
    DataError
        When a single byte differs.
    """
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise DataError(f"digits: {FILE} inside the package is damaged (its SHA-256 is not {SHA256[:12]}...); reinstall tinycnn")
    split = "train" if train else "test"
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return arrays[f"{split}_images"], check_labels(arrays[f"{split}_labels"], 10, FILE)
