"""The .safetensors format, through the safetensors library (the extra `weights`)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import CheckpointError
from .files import Malformed, WeightFile, elements, itemsize, widened

__all__ = ["read_safetensors", "safetensors_pieces"]

MAX_HEADER = 100_000_000  # the library's own limit

STORED = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}


def library() -> Any:
    """The safetensors module, or a sentence on how to get it."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise CheckpointError("files of the format safetensors need its library: pip install 'tinycnn[weights]'") from error
    return safetensors


def read_safetensors(data: bytes) -> WeightFile:
    """The tensors of a .safetensors file.

    Raises
    ------
    Malformed
        For a header that does not fit the file, or an element type that nothing here computes with.
    CheckpointError
        Where the library is not installed.
    """
    safetensors = library()
    stated = struct.unpack_from("<Q", data)[0] if len(data) >= 8 else 0
    if stated > min(len(data) - 8, MAX_HEADER):
        raise Malformed(f"its header is said to have {stated:,} bytes, the whole file has {len(data):,}")
    try:
        found = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise Malformed(f"it is a damaged safetensors file ({str(error)[:200]})") from error
    arrays: dict[str, np.ndarray] = {}
    stored: dict[str, str] = {}
    for key, one in found:
        if one["dtype"] not in STORED:
            raise Malformed(f"{key[:80]!r} holds {one['dtype']} values; the types read are {', '.join(STORED)}")
        stored[key] = STORED[one["dtype"]]
        shape = tuple(one["shape"])
        if math.prod(shape) * itemsize(stored[key]) != len(one["data"]) or len(shape) > 32:
            raise Malformed(f"{key[:80]!r} has shape {shape} and {len(one['data']):,} bytes")
        arrays[key] = elements(bytearray(one["data"]), stored[key]).reshape(shape)
    # The file has the tensors in the order of their sizes; their names are put in order.
    return WeightFile("safetensors", dict(sorted(arrays.items())), stored, widened(stored))


def safetensors_pieces(arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    """The bytes of a .safetensors file, marked with the format name that PyTorch's readers look for."""
    return [library().numpy.save(dict(arrays), metadata={"format": "pt"})]
