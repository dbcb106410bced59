"""CIFAR-10 and CIFAR-100 in the two forms their publisher offers: Python pickles and flat binary records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .idx import check_labels
from .safe_pickle import PickledArray, load_pickle

__all__ = ["CIFAR10", "CIFAR100", "CifarFormat", "parse_cifar_binary", "parse_cifar_pickle", "pick_cifar_files"]

PIXELS = 3 * 32 * 32

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

CIFAR100_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""

CIFAR100_CLASSES = tuple(CIFAR100_NAMES.split())


@dataclass(frozen=True)
class CifarFormat:
    """What tells one published form of CIFAR from the other: names of files, of keys and of classes.

    Parameters
    ----------
    name : str
        "cifar10" or "cifar100".
    classes : tuple of str
        Class names in the order of the labels.
    pickles : dict
        train? -> names of the pickled files of that split.
    binaries : dict
        train? -> names of the binary files of that split.
    label_key : str
        The key of the labels in a pickle.
    label_bytes : int
        Bytes of labels before each binary record's pixels; the last of them is the class.
    """

    name: str
    classes: tuple[str, ...]
    pickles: Mapping[bool, tuple[str, ...]]
    binaries: Mapping[bool, tuple[str, ...]]
    label_key: str
    label_bytes: int


CIFAR10 = CifarFormat(
    name="cifar10",
    classes=CIFAR10_CLASSES,
    pickles={True: tuple(f"data_batch_{part}" for part in range(1, 6)), False: ("test_batch",)},
    binaries={True: tuple(f"data_batch_{part}.bin" for part in range(1, 6)), False: ("test_batch.bin",)},
    label_key="labels",
    label_bytes=1,
)

CIFAR100 = CifarFormat(
    name="cifar100",
    classes=CIFAR100_CLASSES,
    pickles={True: ("train",), False: ("test",)},
    binaries={True: ("train.bin",), False: ("test.bin",)},
    label_key="fine_labels",
    label_bytes=2,
)


def parse_cifar_pickle(data: bytes, form: CifarFormat, name: str = "CIFAR pickle") -> tuple[np.ndarray, np.ndarray]:
    """Read one pickled batch of CIFAR.

    Shapes: (3072,) a row, red then green then blue -> (count, 3, 32, 32)

    Parameters
    ----------
    data : bytes
        The whole file, as Python 2 or 3 pickled it.
    form : CifarFormat
        `CIFAR10` or `CIFAR100`.
    name : str
        What error messages call it.

    Returns
    -------
    images : ndarray
        uint8, (count, 3, 32, 32).
    labels : ndarray
        int64, (count,).

    Raises
    ------
    DataError
        When the pickle asks for anything but data, is corrupted, lacks a key, or its counts or labels do not fit.
    """
    batch = load_pickle(data, name)
    if not isinstance(batch, dict):
        raise DataError(f"{name}: holds a {type(batch).__name__}, not CIFAR's dictionary of data and labels")
    table = {key.decode("latin-1") if isinstance(key, bytes) else key: value for key, value in batch.items()}
    for key in ("data", form.label_key):
        if key not in table:
            raise DataError(f"{name}: has no key '{key}', so it is no batch of {form.name}")
    held = table["data"]
    rows = held.array if isinstance(held, PickledArray) else None
    if rows is None or rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != PIXELS or not len(rows):
        raise DataError(f"{name}: its data is not an array of uint8 rows with {PIXELS} pixels each")
    labels = check_labels(label_array(table[form.label_key], form, name), len(form.classes), name)
    if len(labels) != len(rows):
        raise DataError(f"{name}: {len(labels)} labels for {len(rows)} images")
    return np.ascontiguousarray(rows).reshape(-1, 3, 32, 32), labels


def label_array(held: Any, form: CifarFormat, name: str) -> np.ndarray:
    """Return a pickle's labels, a list of numbers or an array, as an integer array."""
    if isinstance(held, PickledArray) and held.array is not None and held.array.ndim == 1 and held.array.dtype.kind in "iu":
        return held.array
    if isinstance(held, list) and all(type(label) is int and -(2**31) <= label < 2**31 for label in held):
        return np.array(held, dtype=np.int64)
    raise DataError(f"{name}: its '{form.label_key}' are not a list of class numbers")


def parse_cifar_binary(data: bytes, form: CifarFormat, name: str = "CIFAR binary") -> tuple[np.ndarray, np.ndarray]:
    """Read one binary file of CIFAR: records of one (CIFAR-10) or two (CIFAR-100) label bytes and 3,072 pixels.

    Shapes: records of (1 or 2) + 3072 bytes -> (count, 3, 32, 32)

    Parameters
    ----------
    data : bytes
        The whole file.
    form : CifarFormat
        `CIFAR10` or `CIFAR100`.
    name : str
        What error messages call it.

    Returns
    -------
    images : ndarray
        uint8, (count, 3, 32, 32).
    labels : ndarray
        int64, (count,); for CIFAR-100 the fine label.

    Raises
    ------
    DataError
        When the size is no whole number of records or a label is out of range.

    Examples
    --------
    >>> images, labels = parse_cifar_binary(bytes([7]) + bytes(3072), CIFAR10)
    >>> images.shape, labels
    ((1, 3, 32, 32), array([7]))
    """
    record = form.label_bytes + PIXELS
    if not data or len(data) % record:
        raise DataError(f"{name}: {len(data)} bytes are not a whole number of {form.name} records of {record} bytes; download it again")
    rows = np.frombuffer(data, np.uint8).reshape(-1, record)
    labels = check_labels(rows[:, form.label_bytes - 1], len(form.classes), name)
    return np.ascontiguousarray(rows[:, form.label_bytes :]).reshape(-1, 3, 32, 32), labels


def pick_cifar_files(files: Mapping[str, bytes], form: CifarFormat, train: bool, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Find, read and join the files of one split of CIFAR among files in memory.

    Parameters
    ----------
    files : mapping
        File name -> content.
    form : CifarFormat
        `CIFAR10` or `CIFAR100`.
    train : bool
        The training split or the test split.
    place : str
        Where the files came from, for error messages.

    Returns
    -------
    images : ndarray
        uint8, (count, 3, 32, 32).
    labels : ndarray
        int64, (count,).

    Raises
    ------
    DataError
        When a file is missing or cannot be read.
    """
    pickled = any(name in files for name in form.pickles[train])
    names = form.pickles[train] if pickled else form.binaries[train]
    missing = [name for name in names if name not in files]
    if missing:
        raise DataError(f"{place}: {form.name}'s {'training' if train else 'test'} split lacks {', '.join(missing)}")
    parse = parse_cifar_pickle if pickled else parse_cifar_binary
    parts = [parse(files[name], form, str(Path(place) / name)) for name in names]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])
