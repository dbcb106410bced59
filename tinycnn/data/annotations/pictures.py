"""The picture files beside annotations: found by name, measured by their headers; no pixel is unpacked and no path leaves the folder."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from ..files import MAX_FILE_BYTES
from ..folder import BROKEN_PICTURE, FORMATS, SUFFIXES
from .boxes import Size
from .safe import inner_parts, walk

__all__ = ["Header", "PictureFiles", "read_header"]

ORIENTATION = 274  # EXIF's tag
OTHER_SUFFIXES = (".gif", ".tif", ".tiff", ".webp", ".heic")


@dataclass(frozen=True)
class Header:
    """What a picture's header says: (height, width) as stored, and EXIF's orientation, 1 upright, 5 to 8 lying on a side."""

    size: Size
    orientation: int = 1

    @property
    def shown(self) -> Size:
        """(height, width) as viewers show it, EXIF obeyed."""
        return (self.size[1], self.size[0]) if self.orientation in (5, 6, 7, 8) else self.size


def read_header(path: Path) -> Header | None:
    """The header of a picture; None where it is none that can be read."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            turned = picture.getexif().get(ORIENTATION, 1)
            return Header((height, width), turned if isinstance(turned, int) and 1 <= turned <= 8 else 1)
    except BROKEN_PICTURE:
        return None


class PictureFiles:
    """The pictures of a folder by name.

    Parameters
    ----------
    folder : where the pictures lie, in it or in folders in it
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._headers: dict[Path, Header | None] = {}

    @cached_property
    def paths(self) -> list[Path]:
        """All pictures, sorted."""
        top = self.folder.resolve()
        found = walk(self.folder, SUFFIXES + OTHER_SUFFIXES)
        return [path for path in found if not path.is_symlink() or path.resolve().is_relative_to(top)]

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        result: dict[str, list[Path]] = {}
        for path in self.paths:
            result.setdefault(path.name.casefold(), []).append(path)
        return result

    def find(self, file: str, near: str = "") -> Path | None:
        """The file of a picture: the longest common end of the paths wins, then one whose path has the folder `near`."""
        return self._nearest(file, near, exact=True)

    def find_other_case(self, file: str) -> Path | None:
        """A file whose name differs from the wanted one in capital letters only."""
        return None if self.find(file) else self._nearest(file, "", exact=False)

    def _nearest(self, file: str, near: str, exact: bool) -> Path | None:
        name = file.replace("\\", "/").rsplit("/", 1)[-1]
        same = [path for path in self._by_name.get(name.casefold(), []) if not exact or path.name == name]
        wanted = (inner_parts(file) or (name,))[::-1]

        def common(path: Path) -> tuple[int, bool]:
            alike = 0
            for own, other in zip(path.parts[::-1], wanted, strict=False):
                if own != other:
                    break
                alike += 1
            return alike, bool(near) and near in path.parts

        return max(same, key=common, default=None)

    def header(self, path: Path) -> Header | None:
        """The header, read once."""
        if path not in self._headers:
            self._headers[path] = read_header(path)
        return self._headers[path]

    def digest(self, path: Path) -> str | None:
        """A fingerprint of the file's bytes; None where it is too large or cannot be read."""
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                return None
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return None
