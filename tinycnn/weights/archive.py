"""Zip archives from strangers: nothing is unpacked onto the disk, and nothing is unpacked that is much larger than the file."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from .files import MOST_TIMES, SPARE_BYTES, Malformed

__all__ = ["member_bytes", "open_archive"]

ENCRYPTED = 1


@contextmanager
def open_archive(data: bytes) -> Iterator[zipfile.ZipFile]:
    """A zip archive in memory whose members are checked: plain names, each once, together not much larger than the archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive, len(data))
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError, OSError, ValueError, IndexError) as error:
        raise Malformed(f"it is a truncated or damaged zip archive ({ascii(str(error))[1:120]})") from error


def _check(archive: zipfile.ZipFile, size: int) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise Malformed("its archive holds two files of the same name")
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if ".." in parts or member.filename.startswith(("/", "\\")) or ":" in parts[0]:
            raise Malformed(f"its archive holds a path that climbs out of it: {member.filename[:80]!r}")
        if member.flag_bits & ENCRYPTED:
            raise Malformed("its archive is encrypted")
    stated = sum(member.file_size for member in members)
    if stated > SPARE_BYTES + MOST_TIMES * size:
        raise Malformed(f"its archive of {size:,} bytes states that it unpacks to {stated:,}")


def member_bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of one member, as many as the archive states and no more."""
    member = archive.getinfo(name)
    with archive.open(member) as file:
        data = file.read(member.file_size)
    if len(data) != member.file_size:
        raise Malformed(f"its archive is truncated: {name[:80]!r} states {member.file_size:,} bytes and has {len(data):,}")
    return data
