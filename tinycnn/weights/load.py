"""One door to all formats: which one a file has is seen in its first bytes, which one to write in its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CheckpointError
from .darknet_file import darknet_pieces, read_darknet
from .files import Malformed, WeightFile, as_arrays, read_whole, write_whole
from .npz_file import npz_pieces, read_npz
from .safetensors_file import read_safetensors, safetensors_pieces
from .torch_file import read_torch, read_torch_legacy, torch_pieces

__all__ = ["load", "read", "save"]

TORCH_SUFFIXES = (".pth", ".pt", ".th")
WRITTEN = (*TORCH_SUFFIXES, ".safetensors", ".npz", ".weights")
ZIP_MAGIC = b"PK\x03\x04"
PICKLE_MAGIC = b"\x80"


def read(path: str | Path, *, cfg: str | Path | None = None) -> WeightFile:
    """Read a file of weights: its arrays, how they were stored, and notes on what was done to them on the way.

    Parameters
    ----------
    path
        PyTorch's .pth, .pt and .th, .safetensors, .npz, a run's checkpoint, or Darknet's .weights.
    cfg
        The .cfg of a .weights file; left out, the one beside it of the same name.

    Returns
    -------
    WeightFile
        `format`, `arrays`, `stored` (each key's element type in the file) and `notes`.

    Raises
    ------
    CheckpointError
        In one sentence: missing, cut short, of an unknown format, or asking for something that weights have no need of. Nothing in
        the file is ever run, and no more memory is taken than a small multiple of the file's size.
    """
    path = Path(path)
    data = read_whole(path)
    try:
        return _parse(path, data, cfg)
    except Malformed as error:
        raise CheckpointError(f"{path}: {error}") from error


def _parse(path: Path, data: bytes, cfg: str | Path | None) -> WeightFile:
    if not data:
        raise Malformed("it is empty")
    if path.suffix == ".weights":
        return read_darknet(_cfg_of(path, cfg), data)
    if data.startswith(ZIP_MAGIC):
        # Both are zip archives; only PyTorch's holds a pickle.
        return read_torch(data) if b"data.pkl" in data[:1024] or path.suffix in TORCH_SUFFIXES else read_npz(data)
    if data.startswith(PICKLE_MAGIC):
        return read_torch_legacy(data)
    if path.suffix == ".safetensors" or data[8:9] == b"{":
        return read_safetensors(data)
    raise Malformed("its first bytes are those of no known format; read are .pth, .pt, .th, .safetensors, .npz and Darknet's .weights")


def _cfg_of(path: Path, cfg: str | Path | None) -> str:
    """The text of the .cfg that says what the numbers of a .weights file are."""
    place = path.with_suffix(".cfg") if cfg is None else Path(cfg)
    if cfg is None and not place.exists():
        raise CheckpointError(f"{path}: its numbers have no names; put the .cfg that belongs to it beside it as {place.name}, or pass cfg=")
    return read_whole(place).decode("utf-8", "replace")


def load(path: str | Path, *, cfg: str | Path | None = None) -> dict[str, np.ndarray]:
    """Read the weights in a file as a dictionary of arrays, without PyTorch and without running anything in it.

    Parameters
    ----------
    path, cfg
        As for `tinycnn.weights.read`, which also tells how the arrays were stored.

    Returns
    -------
    dict of str to ndarray
        A state dict found under "state_dict" or "model" is taken out, and the prefix "module." with which DataParallel saves is
        removed. float16 and bfloat16, in which nothing here computes, become float32: each value stays exactly what it was.

    Raises
    ------
    CheckpointError
        In one sentence, for a file that cannot be read or is not what it claims to be.

    Notes
    -----
    PyTorch's `torch.load` without `weights_only=True` runs whatever a file asks for; here a pickle can only build tensors.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"weight": np.ones((2, 3), np.float32)}, pathlib.Path(folder) / "one.pth")
    ...     {key: array.shape for key, array in load(pathlib.Path(folder) / "one.pth").items()}
    {'weight': (2, 3)}
    """
    return read(path, cfg=cfg).arrays


def save(state: Mapping[str, Any], path: str | Path, *, cfg: str | Path | None = None) -> None:
    """Write a state dict as .pth (for PyTorch too), .safetensors, .npz or .weights, by the file's name.

    Parameters
    ----------
    state
        Names and their tensors or arrays: `model.state_dict()`.
    path
        Written beside, flushed and renamed, so that a crash leaves the old file or the new one.
    cfg
        The .cfg whose order a .weights file follows; left out, the one beside it of the same name.

    Raises
    ------
    CheckpointError
        For another suffix, a value that is no array of numbers, or a folder that cannot be written.
    """
    path = Path(path)
    arrays = as_arrays(state)
    try:
        if path.suffix in TORCH_SUFFIXES:
            pieces = torch_pieces(arrays)
        elif path.suffix == ".safetensors":
            pieces = safetensors_pieces(arrays)
        elif path.suffix == ".npz":
            pieces = npz_pieces(arrays)
        elif path.suffix == ".weights":
            pieces = darknet_pieces(_cfg_of(path, cfg), arrays)
        else:
            raise CheckpointError(f"save: {path} has no suffix that names a format; end it in {', '.join(WRITTEN)}")
    except Malformed as error:
        raise CheckpointError(f"save: {path}: {error}") from error
    write_whole(path, pieces)
