"""NumPy's .npz archives, a run's own checkpoint among them, and the VGG-16 that Frossard published in this format.

References
----------
D. Frossard, "VGG in TensorFlow", 2016: vgg16_weights.npz, converted from the Caffe model of Simonyan and Zisserman 2014.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from .archive import member_bytes, open_archive
from .files import MAX_AXES, MAX_EXTENT, Malformed, WeightFile, widened

__all__ = ["is_frossard", "npz_pieces", "read_npz", "vgg16_from_frossard"]

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000
# The header is a dictionary in Python's notation; NumPy always writes it this way.
HEADER = re.compile(r"\{'descr': '([<>|=])([a-zA-Z]\d+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\),? ?\}\s*")
PLAIN = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1", "c8", "c16")

# Frossard's names in the order of torchvision's layers: position of each convolution in `features` and of each layer in `classifier`.
CONVOLUTIONS = ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "4_1", "4_2", "4_3", "5_1", "5_2", "5_3")
FEATURES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
CLASSIFIER = {"fc6": 0, "fc7": 3, "fc8": 6}


def read_npz(data: bytes) -> WeightFile:
    """The arrays of an .npz archive; of a run's checkpoint, its model.

    Raises
    ------
    Malformed
        For an archive that is truncated, an array of Python objects, or a shape that does not fit the bytes.
    """
    with open_archive(data) as archive:
        arrays = {name.removesuffix(".npy"): _array(name, member_bytes(archive, name)) for name in archive.namelist()}
    notes: list[str] = []
    if {"json", "sha256"} <= set(arrays):
        arrays = _model_of_run(arrays)
        notes.append("a run's checkpoint: its model was read, optimiser and log were left out")
    elif is_frossard(arrays):
        arrays = vgg16_from_frossard(arrays)
        notes.append(
            "Frossard's VGG-16 was brought to torchvision's vgg16: filters HWIO -> OIHW, and the rows of fc6 from the flatten order (height, width, "
            "channel) to (channel, height, width); its images are RGB from 0 to 255 minus (123.68, 116.779, 103.939)"
        )
    stored = {key: array.dtype.name for key, array in arrays.items()}
    arrays = {key: array.astype(np.float32) if array.dtype == np.float16 else array for key, array in arrays.items()}
    return WeightFile("NumPy npz", arrays, stored, notes + widened(stored))


def _array(name: str, data: bytes) -> np.ndarray:
    """One .npy member; its size is compared with its bytes before NumPy sees it."""
    shown = repr(name[:80])
    if len(data) < 10 or not data.startswith(MAGIC) or data[6] not in (1, 2, 3):
        raise Malformed(f"{shown} in it is not a NumPy array")
    wide = data[6] > 1
    length = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
    start = (12 if wide else 10) + length
    if length > MAX_HEADER or start > len(data):
        raise Malformed(f"{shown} in it states a header of {length:,} bytes")
    header = HEADER.fullmatch(data[start - length : start].decode("latin-1"))
    if header is None or header[2] not in PLAIN:
        raise Malformed(f"{shown} in it holds something other than plain numbers; Python objects and records are never loaded")
    dtype = np.dtype(header[1] + header[2])
    shape = tuple(int(extent) for extent in header[4].split(",") if extent.strip())
    if len(shape) > MAX_AXES or any(extent >= MAX_EXTENT for extent in shape):
        raise Malformed(f"{shown} in it has an impossible shape")
    expected = math.prod(shape) * dtype.itemsize
    if expected != len(data) - start:
        raise Malformed(f"{shown} in it has shape {shape} and {len(data) - start:,} bytes, where {expected:,} are due")
    flat = np.frombuffer(bytearray(data[start:]), dtype)
    native = flat if dtype.isnative else flat.astype(dtype.newbyteorder("="))
    return np.ascontiguousarray(native.reshape(shape, order="F")) if header[3] == "True" else native.reshape(shape)


def _model_of_run(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The model's arrays in a checkpoint that training wrote: its JSON says which array belongs to which key."""
    try:
        tree = json.loads(arrays["json"].tobytes())
        return {str(key): arrays[place["array"]] for key, place in tree["model"]["items"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed("it looks like a run's checkpoint, but does not say where its model lies") from error


def is_frossard(arrays: Mapping[str, Any]) -> bool:
    """Whether the keys are those of Frossard's VGG-16."""
    layers = [*(f"conv{name}" for name in CONVOLUTIONS), *CLASSIFIER]
    return set(arrays) == {f"{layer}_{part}" for layer in layers for part in "Wb"}


def vgg16_from_frossard(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Bring Frossard's VGG-16 to torchvision's keys and axes.

    Shapes
    ------
    convX_Y_W (K_h, K_w, C_in, C_out) -> features.N.weight (C_out, C_in, K_h, K_w); fcN_W (in, out) -> classifier.N.weight (out, in)

    Notes
    -----
    TensorFlow flattens the last map as (height, width, channel), PyTorch as (channel, height, width): the rows of fc6 are
    permuted so that row c H W + y W + x of the new matrix is row (y W + x) C + c of the old one.
    """
    made: dict[str, np.ndarray] = {}
    try:
        for name, position in zip(CONVOLUTIONS, FEATURES, strict=True):
            made[f"features.{position}.weight"] = np.ascontiguousarray(arrays[f"conv{name}_W"].transpose(3, 2, 0, 1))
            made[f"features.{position}.bias"] = arrays[f"conv{name}_b"]
        channels = arrays["conv5_3_W"].shape[3]
        first = arrays["fc6_W"]
        side = math.isqrt(first.shape[0] // channels)
        rows = first.reshape(side, side, channels, first.shape[1]).transpose(2, 0, 1, 3).reshape(first.shape)
        for name, position in CLASSIFIER.items():
            matrix = rows if name == "fc6" else arrays[f"{name}_W"]
            made[f"classifier.{position}.weight"] = np.ascontiguousarray(matrix.transpose(1, 0))
            made[f"classifier.{position}.bias"] = arrays[f"{name}_b"]
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise Malformed("it has the keys of Frossard's VGG-16, but not its shapes") from error
    return made


def npz_pieces(arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    """The bytes of an uncompressed .npz archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for key, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{key}.npy"), member.getvalue())
    return [buffer.getvalue()]
