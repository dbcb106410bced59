"""A checkpoint: one .npz file that holds everything a run needs to go on to the same bits.

The arrays and the JSON that describes them lie in one file under one SHA-256, so they cannot disagree. The file is
written beside the old one, flushed to the disk and renamed over it: whenever the process dies, one of `checkpoint.npz`
and `checkpoint.previous.npz` is whole. Nothing is pickled, so a checkpoint from a stranger cannot run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import CheckpointError
from ..tensor import Tensor

NEWEST = "checkpoint.npz"
FORMAT = "tinycnn checkpoint 1"
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)


@dataclass
class Checkpoint:
    """Everything a run needs to go on: the arrays of the model and the optimiser, and where the run stood."""

    model: dict[str, np.ndarray]
    optimizer: dict[str, Any] | None = None  # optimizer.state_dict()
    scheduler: dict[str, Any] | None = None  # scheduler.state_dict()
    generator: dict[str, Any] | None = None  # tinycnn.random's state: dropout's place in its stream
    epoch: int = 0  # the epoch the run is in, from 0
    step: int = 0  # batches of that epoch already learned from
    average: dict[str, Any] | None = None  # WeightAverage.state_dict()
    sums: dict[str, float] = field(default_factory=dict)  # loss, correct and images of the epoch so far
    config: dict[str, Any] = field(default_factory=dict)  # TrainConfig.to_dict()
    run_info: dict[str, Any] = field(default_factory=dict)  # names of model, data, classes ...
    events: list[dict[str, Any]] = field(default_factory=list)  # the log so far, after its start
    step_losses: np.ndarray = field(default_factory=lambda: np.empty(0))
    learning_rates: np.ndarray = field(default_factory=lambda: np.empty(0))
    source: Path | None = None  # the file it was read from
    note: str | None = None  # a sentence when the newest file could not be read

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The log's epoch events: one dict of `EpochRecord`'s fields an epoch."""
        return fields_of(self.events, "epoch")

    @property
    def hints(self) -> list[dict[str, Any]]:
        """The hints given so far: dicts of `Hint`'s fields."""
        return fields_of(self.events, "hint")


def fields_of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """What the log's events of one kind say, without the word that names the kind."""
    return [
        {key: value for key, value in event.items() if key != "event"} for event in events if event["event"] == kind
    ]


_FIELDS = [
    "model",
    "optimizer",
    "scheduler",
    "generator",
    "epoch",
    "step",
    "sums",
    "config",
    "run_info",
    "events",
    "step_losses",
    "learning_rates",
]
_SINCE_LATER = ["average"]  # files of earlier versions lack these


def save_checkpoint(
    path: str | Path, checkpoint: Checkpoint, *, write: Callable[[BinaryIO, dict[str, np.ndarray]], None] | None = None
) -> Path:
    """Write a checkpoint so that a crash at any moment leaves a readable one.

    Parameters
    ----------
    path
        The .npz file, or the run's folder, in which it is called `checkpoint.npz`.
    checkpoint
        What to keep.
    write
        How the arrays get into the open file; `numpy.savez` unless a test slows it down.

    Returns
    -------
    Path
        The file written. The one it replaces is kept beside it as `.previous.npz`.

    Raises
    ------
    CheckpointError
        When the folder cannot be written, in one sentence.
    """
    target = _file_of(path)
    partial = target.with_name(target.name + ".partial")
    try:
        with open(partial, "wb") as file:
            (write or _write_arrays)(file, _pack(checkpoint))
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.replace(target, _previous_of(target))
        os.replace(partial, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise CheckpointError(f"cannot write the checkpoint {target}: {error.strerror or error}") from error
    return target


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint; when the newest file is damaged, the previous one with a sentence in `.note`.

    Parameters
    ----------
    path
        The .npz file or the run's folder.

    Raises
    ------
    CheckpointError
        When there is none, or none that can be read.
    """
    target = _file_of(path)
    previous = _previous_of(target)
    if not has_checkpoint(target):
        raise CheckpointError(f"there is no checkpoint {target}; a run with output= writes one")
    try:
        return _read(target)
    except CheckpointError as error:
        if not previous.exists() or previous == target:
            raise
        try:
            checkpoint = _read(previous)
        except CheckpointError:
            raise CheckpointError(f"{error}; the previous one, {previous.name}, cannot be read either") from error
        checkpoint.note = f"{error}; going on from the previous one, {previous.name}"
        return checkpoint


@contextmanager
def checkpoint_of(folder: str | Path, task: str, command: str) -> Iterator[Checkpoint]:
    """Load a run of one task; what its description lacks, while it is read below `with`, is said in one sentence.

    Raises
    ------
    CheckpointError
        When there is none, it cannot be read, it is a run of another task, or its description is another version's.
    """
    checkpoint = load_checkpoint(folder)
    if checkpoint.run_info.get("task") != task:
        raise CheckpointError(f"{folder} holds a run of another kind than {command}; `tinycnn {command} train` makes one")
    try:
        yield checkpoint
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder}: the run's description lacks {error}; it was written by another version") from error


def has_checkpoint(folder: str | Path) -> bool:
    """Whether a run has written a checkpoint there, the newest or the one before it."""
    target = _file_of(folder)
    return target.exists() or _previous_of(target).exists()


def require_writable(folder: str | Path) -> Path:
    """Make the output folder and try to write in it, so that an hour's training does not end in a refusal.

    Raises
    ------
    CheckpointError
        In one sentence, when the folder cannot be made or written.
    """
    folder = Path(folder)
    trial = folder / f".tinycnn-writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise CheckpointError(
            f"cannot write to the output folder {folder}: {error.strerror or error}; choose another one"
        ) from error
    return folder


def _file_of(path: str | Path) -> Path:
    path = Path(path)
    return path if path.suffix == ".npz" else path / NEWEST


def _previous_of(target: Path) -> Path:
    return target.with_name(target.name.removesuffix(".npz") + ".previous.npz")


def _sync_folder(folder: Path) -> None:
    """The rename itself reaches the disk only with the folder; Windows has no such call and needs none."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_arrays(file: BinaryIO, arrays: dict[str, np.ndarray]) -> None:
    np.savez(file, allow_pickle=False, **arrays)


def _pack(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """All arrays under numbered names, the JSON that says where each belongs, and the digest over both."""
    arrays: dict[str, np.ndarray] = {}
    tree = {name: _flatten(getattr(checkpoint, name), arrays) for name in _FIELDS + _SINCE_LATER}
    text = json.dumps({"format": FORMAT, **tree})
    arrays["json"] = np.frombuffer(text.encode(), np.uint8)
    arrays["sha256"] = np.frombuffer(_digest(arrays), np.uint8)
    return arrays


def _digest(arrays: dict[str, np.ndarray]) -> bytes:
    """One SHA-256 over names, types, shapes and bytes of all arrays, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _flatten(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value as JSON, with each array moved into `arrays` and its name left in its place."""
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.ndarray):
        name = f"array_{len(arrays):05d}"
        arrays[name] = np.array(value)
        return {"array": name}
    if isinstance(value, np.generic):
        return _flatten(value.item(), arrays)
    if isinstance(value, dict):
        # Optimisers number their parameters, and JSON would turn the numbers into strings.
        return {"items": [[_flatten(key, arrays), _flatten(item, arrays)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_flatten(item, arrays) for item in value]}
    if isinstance(value, list):
        return [_flatten(item, arrays) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CheckpointError(f"a checkpoint holds arrays, numbers and text, not {type(value).__name__}: {value!r}")


def _unflatten(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What `_flatten` took apart."""
    if isinstance(value, list):
        return [_unflatten(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "tuple" in value:
        return tuple(_unflatten(item, arrays) for item in value["tuple"])
    return {_unflatten(key, arrays): _unflatten(item, arrays) for key, item in value["items"]}


def _read(path: Path) -> Checkpoint:
    try:
        # NumPy leaves a file that it opened itself open when it finds no archive in it.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        stated = arrays.pop("sha256").tobytes()
        if stated != _digest(arrays):
            raise CheckpointError(f"the checkpoint {path} is damaged: its SHA-256 does not fit its contents")
        tree = json.loads(arrays["json"].tobytes())
        if tree.pop("format") != FORMAT:
            raise CheckpointError(f"{path} is not a {FORMAT}; it was written by another version")
        known = _FIELDS + [name for name in _SINCE_LATER if name in tree]
        return Checkpoint(**{name: _unflatten(tree[name], arrays) for name in known}, source=path)
    except FileNotFoundError as error:
        raise CheckpointError(f"the checkpoint {path} is missing") from error
    except _UNREADABLE as error:
        raise CheckpointError(f"the checkpoint {path} cannot be read: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it is cut short, damaged, or not a tinycnn checkpoint"
