"""Data files from a folder, a tar or a zip archive, read into memory with a limit and never unpacked onto the disk."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError

__all__ = ["MAX_FILE_BYTES", "gunzip", "read_bytes", "read_files"]

MAX_FILE_BYTES = 1 << 28  # the largest published file here, MNIST's training images, holds 47 MB
MAX_ARCHIVE_BYTES = 1 << 29  # CIFAR's archives hold 186 MB
MAX_ENTRIES = 100_000  # names looked at in one folder or archive
MAX_DEPTH = 2  # torchvision keeps MNIST in root/MNIST/raw
CHUNK = 1 << 20

BROKEN_ARCHIVE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    IndexError,
)


class LimitedReader(io.RawIOBase):
    """A stream that refuses to deliver more than `limit` bytes, so that a small archive cannot fill the memory."""

    def __init__(self, stream: BinaryIO, limit: int, name: str) -> None:
        super().__init__()
        self.stream = stream
        self.left = limit
        self.limit = limit
        self.name = name

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; asking beyond the limit is an error only when the bytes are really there."""
        wanted = self.left + 1 if size < 0 else min(size, self.left + 1)
        pieces = []
        while wanted > 0:
            piece = self.stream.read(min(wanted, CHUNK))
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
            self.left -= len(piece)
        if self.left < 0:
            raise DataError(f"{self.name}: unpacks to more than {self.limit} bytes, far more than any data set here")
        return b"".join(pieces)


def gunzip(data: bytes, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """Unpack gzip bytes, stopping at `limit` bytes.

    Parameters
    ----------
    data : bytes
        A whole gzip file.
    name : str
        What error messages call it.
    limit : int
        Most bytes it may unpack to.

    Returns
    -------
    bytes
        The unpacked content.

    Raises
    ------
    DataError
        When the file is truncated or corrupted, or unpacks to more than `limit` bytes.

    Examples
    --------
    >>> gunzip(gzip.compress(b"seven"), "seven.gz")
    b'seven'
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            return LimitedReader(stream, limit, name).read()  # type: ignore[arg-type]
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: truncated or corrupted gzip data ({error}); download the file again") from error


def read_bytes(path: str | os.PathLike[str], limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a whole file of at most `limit` bytes.

    Parameters
    ----------
    path : path
        The file.
    limit : int
        Most bytes it may have.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    DataError
        When the file cannot be opened or is too large.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(data) > limit:
        raise DataError(f"{path}: more than {limit} bytes, far more than any file of the data sets here")
    return data


def read_files(path: str | os.PathLike[str], wanted: Collection[str]) -> dict[str, bytes]:
    """Read those files of a folder or an archive whose base name is in `wanted`.

    Parameters
    ----------
    path : path
        A folder (its sub-folders are searched two levels deep), or a .tar, .tar.gz or .zip archive. The content of the
        file decides, not its suffix.
    wanted : collection of str
        Base names, for example ``{"test_batch"}``.

    Returns
    -------
    dict
        Base name -> content. Names that were not found are missing.

    Raises
    ------
    DataError
        When there is nothing at `path`, when it is neither folder nor archive, is truncated or corrupted, when two
        files carry the same wanted name, or when a file is larger than any file of a data set.

    Notes
    -----
    Only base names are compared and nothing is ever written, so a member called ``../../.profile`` can do no harm.
    """
    location = Path(path)
    if location.is_dir():
        return _read_folder(location, wanted)
    start = read_start(location)
    if zipfile.is_zipfile(location):
        reader = _read_zip
    elif start[:2] == b"\x1f\x8b" or start[257:262] == b"ustar":
        reader = _read_tar
    else:
        raise DataError(f"{location}: neither a folder nor a .tar, .tar.gz or .zip archive")
    try:
        return reader(location, wanted)
    except DataError:
        raise
    except BROKEN_ARCHIVE as error:
        raise DataError(f"{location}: truncated or corrupted archive ({error}); download it again") from error


def read_start(path: Path) -> bytes:
    """Return the first 512 bytes of a file, where formats keep their signatures."""
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    try:
        with open(path, "rb") as stream:
            return stream.read(512)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_folder(folder: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Read the wanted files of a folder, the nearest to its top first."""
    found: dict[str, bytes] = {}
    entries = 0
    level = [folder]
    for _ in range(MAX_DEPTH + 1):
        below: list[Path] = []
        here: set[str] = set()
        for parent in level:
            try:
                children = sorted(parent.iterdir())
            except OSError as error:
                raise DataError(f"{parent}: cannot be read ({error.strerror or error})") from error
            entries += len(children)
            for child in children:
                if child.name in wanted and child.is_file():
                    _refuse_twin(folder, child.name, here)
                    here.add(child.name)
                    found.setdefault(child.name, read_bytes(child))
                elif entries <= MAX_ENTRIES and not child.name.startswith(".") and child.is_dir():
                    below.append(child)
        level = below
    return found


def _read_tar(archive: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Read the wanted members of a tar archive in one pass over its unpacked bytes."""
    found: dict[str, bytes] = {}
    with open(archive, "rb") as packed:
        plain = gzip.GzipFile(fileobj=packed) if read_start(archive)[:2] == b"\x1f\x8b" else packed
        limited = LimitedReader(plain, MAX_ARCHIVE_BYTES, str(archive))  # type: ignore[arg-type]
        with tarfile.open(fileobj=limited, mode="r|") as members:
            for entries, member in enumerate(members):
                if entries > MAX_ENTRIES:
                    raise DataError(f"{archive}: more than {MAX_ENTRIES} members")
                name = member.name.rpartition("/")[2]
                if name not in wanted or not member.isreg() or member.issparse():
                    continue
                _refuse_twin(archive, name, found)
                _refuse_large(archive, name, member.size)
                content = members.extractfile(member)
                found[name] = b"" if content is None else content.read()
                if len(found[name]) != member.size:
                    raise DataError(f"{archive}: truncated inside {name}; download it again")
        # Reading to the end makes gzip compare its checksum, which covers every byte above.
        while limited.read(CHUNK):
            pass
    return found


def _read_zip(archive: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Read the wanted members of a zip archive; zipfile compares each one's checksum."""
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist()[:MAX_ENTRIES]:
            name = member.filename.rpartition("/")[2]
            if name not in wanted:
                continue
            _refuse_twin(archive, name, found)
            _refuse_large(archive, name, member.file_size)
            with members.open(member) as content:
                found[name] = content.read(member.file_size + 1)
            if len(found[name]) != member.file_size:
                raise DataError(f"{archive}: {name} does not have the {member.file_size} bytes that the archive states")
    return found


def _refuse_twin(place: Path, name: str, found: Collection[str]) -> None:
    """Refuse a second file of the same name: which of the two is meant cannot be known."""
    if name in found:
        raise DataError(f"{place}: holds two files called {name}; give the folder of the one that is meant")


def _refuse_large(place: Path, name: str, size: int) -> None:
    """Refuse a member that states more bytes than any file of the data sets has."""
    if size > MAX_FILE_BYTES:
        raise DataError(f"{place}: {name} states {size} bytes, more than the {MAX_FILE_BYTES} allowed")
