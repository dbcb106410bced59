"""Downloads that check what they got, continue where they stopped, and try the next mirror."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError
from .published import Published, RemoteFile

__all__ = ["data_folders", "download", "download_file"]

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte before a mirror is given up
BAR = 24  # characters
NETWORK_ERRORS = (OSError, http.client.HTTPException, ValueError)


def data_folders() -> list[Path]:
    """Return the folders where data sets are looked for; downloads go into the first.

    Returns
    -------
    list of Path
        ``$TINYCNN_DATA`` if it is set, then ``~/.cache/tinycnn/data``.
    """
    home = Path.home() / ".cache" / "tinycnn" / "data"
    chosen = os.environ.get("TINYCNN_DATA")
    return [Path(chosen).expanduser(), home] if chosen else [home]


class WrongContent(Exception):
    """A download that ended, but not with the bytes it should have."""


class Progress:
    """One line about one download: a bar that moves at a terminal, a single line at the end elsewhere."""

    def __init__(self, name: str, total: int, shown: bool) -> None:
        self.name = name
        self.total = total
        self.shown = shown
        self.moving = shown and sys.stderr.isatty()
        self.started = time.monotonic()
        self.drawn = 0.0
        self.before: int | None = None

    def update(self, done: int) -> None:
        """Redraw the bar, ten times a second at most."""
        if self.before is None:
            self.before = done
        now = time.monotonic()
        if self.moving and now - self.drawn > 0.1:
            self.drawn = now
            filled = BAR * done // max(self.total, 1)
            rate = (done - self.before) / max(now - self.started, 1e-3)
            bar = "#" * filled + "-" * (BAR - filled)
            print(
                f"\r{self.name} [{bar}] {done / 1e6:.1f}/{self.total / 1e6:.1f} MB, {rate / 1e6:.1f} MB/s",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def finish(self, line: str) -> None:
        """Replace the bar by its last line."""
        if self.shown:
            print(("\r\033[K" if self.moving else "") + line, file=sys.stderr, flush=True)


def digest_of(path: Path) -> str:
    """Return a file's SHA-256."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(url: str, part: Path, file: RemoteFile, progress: Progress) -> None:
    """Bring `part` up to the file's full size from one address, continuing after the bytes it already has, then check
    it.

    The file's size and digest are known beforehand, so bytes from an earlier run or another mirror can be kept: were
    they wrong, the digest would differ and the caller starts again from nothing.
    """
    have = part.stat().st_size if part.exists() else 0
    if have > file.nbytes:
        part.unlink()
        have = 0
    if have < file.nbytes:
        headers = {"User-Agent": "tinycnn", **({"Range": f"bytes={have}-"} if have else {})}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer:
            continued = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            with open(part, "ab" if continued else "wb") as stream:
                copy(answer, stream, have if continued else 0, file, progress)
    size = part.stat().st_size
    if size < file.nbytes:
        raise WrongContent(f"the connection ended after {size} of {file.nbytes} bytes")
    if digest_of(part) != file.sha256:
        part.unlink()
        raise WrongContent("its content has another SHA-256 than the published file")


def copy(answer: BinaryIO, stream: BinaryIO, done: int, file: RemoteFile, progress: Progress) -> None:
    """Copy a server's answer into a file, but never more than the published size."""
    progress.update(done)
    while chunk := answer.read(min(CHUNK, file.nbytes + 1 - done)):
        stream.write(chunk)
        done += len(chunk)
        progress.update(done)
        if done > file.nbytes:
            stream.truncate(0)
            raise WrongContent(f"it sends more than the published {file.nbytes} bytes")


def download_file(file: RemoteFile, mirrors: Sequence[str], folder: str | os.PathLike[str], progress: bool = True) -> Path:
    """Download one file from the first mirror that has it, and check it.

    Parameters
    ----------
    file : RemoteFile
        Name, size and SHA-256.
    mirrors : sequence of str
        Addresses that end with "/", tried in order. A mirror that breaks off or delivers wrong bytes after continuing
        an older part is asked once more.
    folder : path
        Where the file goes. Until it is complete and checked it is called ``NAME.part``; a later call continues that
        part.
    progress : bool
        Whether to write about it to standard error.

    Returns
    -------
    Path
        The complete file.

    Raises
    ------
    DataError
        When no mirror delivers it, or the folder cannot be written to.
    """
    target = Path(folder) / file.name
    part = target.with_name(file.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "ab"):
            pass
    except OSError as error:
        raise DataError(f"download: cannot write to {target.parent} ({error.strerror or error}); set TINYCNN_DATA to another folder") from error
    failures = []
    for mirror in mirrors:
        for _ in range(2):
            bar = Progress(file.name, file.nbytes, progress)
            try:
                fetch(mirror + file.name, part, file, bar)
            except WrongContent as error:
                reason = str(error)
            except NETWORK_ERRORS as error:
                reason = str(getattr(error, "reason", error)) or type(error).__name__
                failures.append(f"{mirror}: {reason}")
                bar.finish(f"{file.name}: {mirror}: {reason}")
                break
            else:
                os.replace(part, target)
                bar.finish(f"{file.name}: {file.nbytes / 1e6:.1f} MB from {mirror}, checked, in {target.parent}")
                return target
            failures.append(f"{mirror}: {reason}")
            bar.finish(f"{file.name}: {mirror}: {reason}")
    if part.exists() and part.stat().st_size == 0:
        part.unlink()
    raise DataError(f"{file.name} could not be downloaded ({'; '.join(failures)})")


def download(published: Published, train: bool, folder: str | os.PathLike[str] | None = None, progress: bool = True) -> Path:
    """Download the files of one split of a published data set that are not there yet.

    Parameters
    ----------
    published : Published
        Which data set.
    train : bool
        Which split.
    folder : path, optional
        The data folder; the first of `data_folders` if left out.
    progress : bool
        Whether to write about it to standard error.

    Returns
    -------
    Path
        The folder or the archive to load it from.

    Raises
    ------
    DataError
        When that fails: which files to get, from where, and where to put them.
    """
    root = data_folders()[0] if folder is None else Path(folder)
    place = root / published.folder if published.folder else root
    files = published.files[train]
    for file in files:
        if (place / file.name).is_file():
            continue
        try:
            download_file(file, published.mirrors, place, progress)
        except DataError as error:
            names = ", ".join(needed.name for needed in files)
            raise DataError(
                f"{published.name}: {error}. Without a network: get {names} from {published.mirrors[0]} "
                f"on another machine and put them into {place}, or use the digits inside the package (--data digits)"
            ) from error
    return place if published.folder else place / files[0].name
