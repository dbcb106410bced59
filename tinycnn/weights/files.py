"""What all formats of weights share: a file read whole with its size known, element types, and writing that survives a crash."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError
from ..tensor import Tensor

__all__ = ["Budget", "Malformed", "WeightFile", "as_arrays", "elements", "read_whole", "write_whole"]

SPARE_BYTES = 1 << 24  # what even the smallest file may ask for
MOST_TIMES = 16  # and how many times its own size any file may
MAX_AXES = 32
MAX_EXTENT = 1 << 48

# How an element type is called, and what NumPy reads it as. The two 16-bit floats become float32, in which everything computes.
ELEMENTS = {
    "float64": "<f8",
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "int64": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "|i1",
    "uint64": "<u8",
    "uint32": "<u4",
    "uint16": "<u2",
    "uint8": "|u1",
    "bool": "|u1",
    "complex128": "<c16",
    "complex64": "<c8",
}


class Malformed(CheckpointError):
    """Why a file is not what it claims to be; `read` puts the file's name before it."""


@dataclass
class WeightFile:
    """What a file of weights holds."""

    format: str
    arrays: dict[str, np.ndarray]
    stored: dict[str, str] = field(default_factory=dict)  # element type in the file, by key
    notes: list[str] = field(default_factory=list)  # what was done to it on the way, a sentence each


class Budget:
    """Bytes that a file may still ask for: a small multiple of its own size, however large it says its tensors are."""

    def __init__(self, file_bytes: int) -> None:
        self.total = SPARE_BYTES + MOST_TIMES * file_bytes
        self.left = self.total

    def take(self, count: int, what: str) -> None:
        """Count off bytes that are about to be allocated, or refuse the file."""
        if count > self.left:
            raise Malformed(f"{what} asks for {count:,} bytes, more than the {self.left:,} left that a file of its size may fill")
        self.left -= count


def itemsize(stored: str) -> int:
    """Bytes an element of a stored type."""
    return np.dtype(ELEMENTS[stored]).itemsize


def elements(data: Any, stored: str) -> np.ndarray:
    """The elements in a buffer, flat; float16 and bfloat16 become float32, which holds each of their values exactly.

    Examples
    --------
    >>> elements(b"\\x80\\x3f", "bfloat16")
    array([1.], dtype=float32)
    """
    flat = np.frombuffer(data, ELEMENTS[stored])
    if stored == "float16":
        return flat.astype(np.float32)
    if stored == "bfloat16":
        # The upper half of a float32.
        return (flat.astype(np.uint32) << 16).view(np.float32)
    return flat != 0 if stored == "bool" else flat


def widened(stored: Mapping[str, str]) -> list[str]:
    """A sentence for each 16-bit float type that was read as float32."""
    counts = {kind: sum(one == kind for one in stored.values()) for kind in ("float16", "bfloat16")}
    return [f"{count} tensors stored as {kind} were read as float32" for kind, count in counts.items() if count]


def read_whole(path: str | Path) -> bytes:
    """The bytes of an ordinary file; folders, pipes and devices, which may have no end, are refused."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError(f"{path}: not an ordinary file")
            return file.read()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from error


def write_whole(path: str | Path, pieces: Iterable[bytes]) -> None:
    """Write a file so that a crash leaves the old one or the new one: beside it, flushed to the disk, renamed over it."""
    path = Path(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(f"cannot write {path}: {error.strerror or error}") from error


def as_arrays(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """A state dict as C-contiguous arrays of plain numbers, little-endian, under their names."""
    arrays = {}
    for key, value in state.items():
        if not isinstance(key, str):
            raise CheckpointError(f"save: the key {key!r} is a {type(key).__name__}; keys are names such as 'conv1.weight'")
        array = value.data if isinstance(value, Tensor) else np.asarray(value)
        if array.dtype.kind not in "fiubc" or array.dtype.itemsize > 16 or array.dtype.newbyteorder("<").str not in {*ELEMENTS.values(), "|b1"}:
            raise CheckpointError(f"save: {key!r} holds {array.dtype} values, which weight files do not have")
        arrays[key] = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    return arrays
