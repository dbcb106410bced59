"""Files and fields of strangers: limits first, then checked values, and one sentence for whatever is wrong."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from ...errors import DataError
from ..files import read_bytes
from .values import Id

__all__ = ["file_name", "flag", "identity", "known_file", "load_json", "load_xml", "number", "numbers", "read_text", "remaining", "walk"]

MAX_JSON = 1 << 29  # COCO's training instances are 448 MB
MAX_XML = 1 << 24
MAX_DEPTH = 64
MAX_ENTRIES = 400_000  # files of one data set; COCO has 118,287 training images
MAX_EDGE = 10_000_000
MAX_NAME = 1000
HUGE = re.compile(rb"[eE]\+?\d{3}|\d{300}")
HALVES = re.compile(rb"\\u[dD][89a-fA-F]")


def load_json(data: bytes, where: str) -> Any:
    """The document of JSON text; NaN, infinity and nesting without end are refused.

    Examples
    --------
    >>> load_json(b'{"a": [1]}', "one.json")
    {'a': [1]}
    """
    if len(data) > MAX_JSON:
        raise DataError(f"{where}: {len(data)} bytes of JSON are more than the {MAX_JSON} allowed; split the file")
    try:
        # Only texts with very long or very large numbers are read the slow way, number by number.
        parse_float = _finite if HUGE.search(data) else None
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number, parse_float=parse_float)
        if HALVES.search(data):
            json.dumps(document, ensure_ascii=False).encode()  # a half of a letter cannot be encoded
        return document
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not readable as JSON ({str(error)[:120]})") from error


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text[:20]} is larger than any number")
    return float(text)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def load_xml(data: bytes, where: str) -> ElementTree.Element:
    """The root of an XML text; a DOCTYPE, and with it every entity of its own, is refused before it is expanded.

    Examples
    --------
    >>> load_xml(b"<a><b>1</b></a>", "one.xml").findtext("b")
    '1'
    """
    if len(data) > MAX_XML:
        raise DataError(f"{where}: {len(data)} bytes of XML are more than the {MAX_XML} allowed for one picture")
    builder, depth = ElementTree.TreeBuilder(), [0]

    def start(tag: str, attributes: dict[str, str]) -> None:
        depth[0] += 1
        if depth[0] > MAX_DEPTH:
            raise DataError(f"{where}: elements are nested more than {MAX_DEPTH} deep")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        depth[0] -= 1
        builder.end(tag)

    def refuse(*_details: Any) -> None:
        raise DataError(f"{where}: has a DOCTYPE or an entity, which annotations do not need and which can do harm; take it out")

    try:
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, builder.data
        parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where}: not readable as XML ({str(error)[:120]})") from error


def read_text(path: Path, limit: int = MAX_XML) -> str:
    """A text file in UTF-8."""
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not text in UTF-8 (byte {error.start})") from error


def number(value: Any, where: str, name: str) -> float:
    """A finite number, or text that is one."""
    if isinstance(value, str) and len(value) < 50:
        try:
            value = float(value) if any(letter in value for letter in ".eE") else int(value)
        except ValueError:
            pass
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= MAX_EDGE**2 or not math.isfinite(value):
        raise DataError(f"{where}: {name} must be a finite number, not {str(value)[:40]!r}")
    return value


def numbers(value: Any, where: str, name: str, count: int | None = None, multiple: int = 1) -> tuple[float, ...]:
    """Finite numbers, exactly `count` or a multiple."""
    if not isinstance(value, (list, tuple)) or (count is not None and len(value) != count) or len(value) % multiple:
        wanted = f"{count} numbers" if count is not None else f"numbers in groups of {multiple}"
        raise DataError(f"{where}: {name} must be {wanted}, not {str(value)[:60]}")
    return tuple(number(each, where, name) for each in value)


def edge(value: Any, where: str, name: str) -> int:
    """Pixels of an image's side, from 0 up."""
    pixels = number(value, where, name)
    if pixels != int(pixels) or not 0 <= pixels <= MAX_EDGE:
        raise DataError(f"{where}: {name} must be whole pixels from 0 to {MAX_EDGE}, not {value!r}")
    return int(pixels)


def flag(value: Any, where: str, name: str) -> bool:
    """0, 1, true or false, also as text."""
    if value in (0, 1, True, False, "0", "1", None, ""):
        return value in (1, "1", True)
    raise DataError(f"{where}: {name} must be 0 or 1, not {str(value)[:40]!r}")


def identity(value: Any, where: str, name: str) -> Id:
    """A whole number or a text that names something; a text stays a text."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or (isinstance(value, str) and len(value) > MAX_NAME):
        raise DataError(f"{where}: {name} must be a whole number or a text, not {str(value)[:40]!r}")
    return value


def file_name(value: Any, where: str) -> str:
    """The name of a picture's file as written; it is only opened through `known_file`."""
    if not isinstance(value, str) or not value or len(value) > MAX_NAME or "\0" in value:
        raise DataError(f"{where}: the picture's file name must be a text of 1 to {MAX_NAME} letters, not {str(value)[:40]!r}")
    return value


def remaining(record: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """What the reader has no place for; nesting without end is refused, as nothing that writes could follow it."""
    kept = {key: value for key, value in record.items() if key not in known}
    for key, value in kept.items():
        if isinstance(value, dict | list) and not _shallow(value, MAX_DEPTH):
            raise DataError(f"{str(key)[:40]}: is nested more than {MAX_DEPTH} deep")
    return kept


def _shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_shallow(each, levels - 1) for each in inner if isinstance(each, dict | list))


def inner_parts(file: str) -> tuple[str, ...] | None:
    """The parts of a relative path that stays inside its folder, else None.

    Examples
    --------
    >>> inner_parts("train/a.jpg"), inner_parts("../a.jpg"), inner_parts("C:\\\\a.jpg")
    (('train', 'a.jpg'), None, None)
    """
    path = PurePosixPath(file.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        return None
    return path.parts


def known_file(folder: Path, file: str) -> Path | None:
    """The file inside a folder, links followed; None where it is not there or lies elsewhere."""
    parts = inner_parts(file)
    if parts is None:
        return None
    path = folder.joinpath(*parts)
    try:
        return path if path.is_file() and path.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):
        return None


def walk(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files of a folder and the folders in it that end so, sorted, without following links to folders."""
    seen = 0
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(files)
        if seen > MAX_ENTRIES:
            raise DataError(f"{folder}: holds more than {MAX_ENTRIES} files; name the folder of one data set")
        for name in sorted(files):
            if name.lower().endswith(suffixes) and not name.startswith("."):
                yield Path(place) / name
