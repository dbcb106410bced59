"""PyTorch's .pth, .pt and .th files, both the zip archives of today and the concatenated pickles from before version 1.6.

No PyTorch is needed, and nothing in a file is ever called: see `torch_pickle`. The writer makes a zip archive that
`torch.load(weights_only=True)` reads.

References
----------
The formats were learned from files that PyTorch 0.4 to 2.13 wrote, and by taking them apart with `pickletools`.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..data.safe_pickle import PickledArray, Refused, as_text
from .archive import member_bytes, open_archive
from .files import Budget, Malformed, WeightFile, elements, itemsize, widened
from .torch_pickle import STORAGES, Storage, StoredTensor, TorchMachine, counted, shaped

__all__ = ["read_torch", "read_torch_legacy", "torch_pieces"]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001
NESTED = ("state_dict", "model_state_dict", "model", "net", "params")
MAX_NESTING = 4
PREFIX = "module."  # DataParallel's

Fetch = Callable[[Storage], bytes]


def read_torch(data: bytes) -> WeightFile:
    """The tensors in a zip archive of PyTorch 1.6 or later.

    Raises
    ------
    Malformed
        For anything that such an archive cannot hold.
    """
    with open_archive(data) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise Malformed(f"it holds {len(pickles)} files called data.pkl, where PyTorch writes one")
        folder = pickles[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in names and member_bytes(archive, f"{folder}byteorder").strip() != b"little":
            raise Malformed("it was written on a big-endian machine; save it again on another one")
        value = _run(member_bytes(archive, pickles[0]))[0]
        known = set(names)

        def fetch(storage: Storage) -> bytes:
            member = f"{folder}data/{storage.key}"
            if member not in known:
                raise Malformed(f"it refers to storage {storage.key[:40]!r}, which it does not hold")
            return member_bytes(archive, member)

        return _state("PyTorch zip", *_named(value), fetch, Budget(len(data)))


def read_torch_legacy(data: bytes) -> WeightFile:
    """The tensors in a file of PyTorch before 1.6: five pickles behind each other, then every storage's length and bytes.

    Raises
    ------
    Malformed
        For anything that such a file cannot hold.
    """
    magic, at = _run(data)
    if magic != LEGACY_MAGIC:
        raise Malformed("it is a pickle, but not one that PyTorch wrote")
    version, at = _run(data, at)
    machine, at = _run(data, at)
    if version != LEGACY_VERSION or not isinstance(machine, dict):
        raise Malformed(f"it has version {str(version)[:20]} of PyTorch's old format, of which {LEGACY_VERSION} is the only one")
    if machine.get("little_endian") is False:
        raise Malformed("it was written on a big-endian machine; save it again on another one")
    value, at = _run(data, at)
    named = _named(value)
    keys, at = _run(data, at)
    if not isinstance(keys, list):
        raise Malformed("it has no list of its storages")
    wanted = {storage.key: storage for storage in _storages(value)}
    places: dict[str, tuple[int, int]] = {}
    for key in map(as_text, keys):
        storage = wanted.get(key or "")
        if storage is None or key is None or key in places:
            raise Malformed(f"it holds a storage {str(key)[:40]!r} that no tensor uses, or twice")
        if at + 8 > len(data):
            raise Malformed("it is truncated")
        stated = struct.unpack_from("<q", data, at)[0]
        length = storage.count * (itemsize(storage.stored) if storage.stored else 1)
        if stated != storage.count or at + 8 + length > len(data):
            raise Malformed(
                f"storage {key!r} is said to hold {storage.count:,} elements and then {stated:,}, where {len(data) - at - 8:,} bytes are left"
            )
        places[key] = (at + 8, length)
        at += 8 + length

    def fetch(storage: Storage) -> bytes:
        if storage.key not in places:
            raise Malformed(f"it refers to storage {storage.key[:40]!r}, which it does not hold")
        start, length = places[storage.key]
        return data[start : start + length]

    return _state("PyTorch before 1.6", *named, fetch, Budget(len(data)))


def _run(data: bytes, start: int = 0) -> tuple[Any, int]:
    """What the pickle at a place holds, and where it ends."""
    machine = TorchMachine(data, start)
    try:
        return machine.run(), machine.at
    except Refused as error:
        hint = ""
        if "it asks for" in str(error):
            hint = "; weights are a state dict: load the file where it was made, and save model.state_dict()"
        raise Malformed(f"refused: {error}{hint}") from error
    except (UnicodeError, TypeError) as error:
        raise Malformed(f"refused: it is corrupted ({error})") from error


def _storages(value: Any) -> Iterator[Storage]:
    """Every storage that any tensor in nested containers uses; each container is visited once, however often it occurs."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, StoredTensor):
            yield one.storage
        elif isinstance(one, dict | list | tuple) and id(one) not in seen:
            seen.add(id(one))
            waiting.extend(one.values() if isinstance(one, dict) else one)


def _entries(value: Any) -> dict[str, StoredTensor | PickledArray]:
    """The tensors that a dictionary names."""
    if not isinstance(value, dict):
        return {}
    named = {as_text(key): one for key, one in value.items()}
    return {key: one for key, one in named.items() if key is not None and isinstance(one, StoredTensor | PickledArray)}


def _find_state(value: Any) -> tuple[dict[str, Any], str]:
    """The dictionary of tensors, and under which names it lay."""
    path: list[str] = []
    for _ in range(MAX_NESTING):
        if not isinstance(value, dict):
            break
        texts = {as_text(key): one for key, one in value.items()}
        nested = [name for name in NESTED if isinstance(texts.get(name), dict)]
        if not nested or (_entries(value) and not _entries(texts[nested[0]])):
            break
        path.append(nested[0])
        value = texts[nested[0]]
    if isinstance(value, StoredTensor):
        return {"tensor": value}, ""
    if not isinstance(value, dict):
        raise Malformed(f"it holds a {type(value).__name__}, not a dictionary of tensors; save model.state_dict()")
    return value, ".".join(path)


def _named(value: Any) -> tuple[dict[str, StoredTensor | PickledArray], list[str]]:
    """The tensors of the state dict in what was pickled, and notes on where it lay."""
    found, path = _find_state(value)
    entries = _entries(found)
    if not entries and found:
        names = ", ".join(str(as_text(key) or key)[:40] for key in list(found)[:8])
        raise Malformed(f"it holds no tensors there or under {', '.join(NESTED)}; its entries are {names}")
    notes = [f"the state dict lies under {path!r}"] if path else []
    others = len(found) - len(entries)
    if others:
        notes.append(f"{others} entries that are not tensors were left out")
    if entries and all(key.startswith(PREFIX) for key in entries):
        entries = {key.removeprefix(PREFIX): one for key, one in entries.items()}
        notes.append(f"the prefix {PREFIX!r} that DataParallel puts before every key was taken away")
    return entries, notes


def _state(kind: str, entries: dict[str, StoredTensor | PickledArray], notes: list[str], fetch: Fetch, budget: Budget) -> WeightFile:
    """The arrays of a state dict, its storages fetched once each."""
    fetched: dict[tuple[str, str], np.ndarray] = {}
    arrays: dict[str, np.ndarray] = {}
    stored: dict[str, str] = {}
    for key, one in entries.items():
        if isinstance(one, PickledArray):
            if one.array is None:
                raise Malformed(f"{key!r} is an array without values")
            arrays[key], stored[key] = one.array, one.array.dtype.name
            continue
        place = (one.storage.key, one.stored)
        if place not in fetched:
            raw = fetch(one.storage)
            counted(one.storage, one.stored, len(raw))
            budget.take(2 * len(raw), f"storage {one.storage.key!r}")
            # A copy that may be written to.
            fetched[place] = elements(bytearray(raw), one.stored)
        arrays[key], stored[key] = shaped(repr(key[:80]), one, fetched[place], budget), one.stored
    return WeightFile(kind, arrays, stored, notes + widened(stored))


def torch_pieces(arrays: Mapping[str, np.ndarray]) -> list[bytes]:
    """The bytes of a zip archive with these arrays as a state dict, as PyTorch 1.6 and later write and read it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), _pickle(arrays))
        archive.writestr(zipfile.ZipInfo("archive/byteorder"), b"little")
        for number, array in enumerate(arrays.values()):
            archive.writestr(zipfile.ZipInfo(f"archive/data/{number}"), array.tobytes())
        archive.writestr(zipfile.ZipInfo("archive/version"), b"3\n")
    return [buffer.getvalue()]


def _text(text: str) -> bytes:
    encoded = text.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _number(number: int) -> bytes:
    if number < 2**31:
        return b"J" + struct.pack("<i", number)
    return b"\x8a\x08" + struct.pack("<q", number)


def _name(module: str, name: str) -> bytes:
    return b"c" + f"{module}\n{name}\n".encode()


def _pickle(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The pickle of protocol 2 that describes a state dict: an OrderedDict of calls of _rebuild_tensor_v2."""
    empty = _name("collections", "OrderedDict") + b")R"
    storage_names = {stored: name for name, stored in STORAGES.items()}
    program = [b"\x80\x02", empty, b"("]
    for number, (key, array) in enumerate(arrays.items()):
        stored = array.dtype.name
        if stored not in storage_names:
            raise Malformed(f"{key!r} holds {stored} values, for which PyTorch's files have no storage; convert them first")
        strides = [step // array.itemsize for step in array.strides] if array.size else [1] * array.ndim
        sizes, steps = (b"(" + b"".join(map(_number, one)) + b"t" for one in (array.shape, strides))
        storage = b"(" + _text("storage") + _name("torch", storage_names[stored]) + _text(str(number)) + _text("cpu") + _number(array.size) + b"tQ"
        program += [_text(key), _name("torch._utils", "_rebuild_tensor_v2"), b"(", storage, _number(0), sizes, steps, b"\x89", empty, b"tR"]
    return b"".join([*program, b"u."])
