"""Checks of the pictures' files: there, of the stated size, upright, and in one split only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from .findings import Checked, Finding, found
from .pictures import PictureFiles
from .safe import inner_parts
from .values import Annotations
from .voc import stem_of

__all__ = ["FILE_RULES", "leakage"]

MOST_COMPARED = 20_000  # files whose bytes are compared between splits


def names(checked: Checked) -> list[Finding]:
    """File names that leave the folder or occur twice."""
    files = [picture.file for picture in checked.annotations.pictures]
    climbing = [file for file in files if inner_parts(file) is None]
    twice = [file for file, count in Counter(files).items() if count > 1]
    stems: dict[str, set[str]] = {}
    for file in files:
        stems.setdefault(stem_of(file), set()).add(file)
    alike = [" and ".join(sorted(group)[:3]) for group in stems.values() if len(group) > 1]
    return (
        found(
            "warning",
            "path leaves the folder",
            climbing,
            "{count} pictures are named by an absolute path or one with '..', which holds on one machine only; the file's name alone is looked for",
        )
        + found(
            "error", "picture listed twice", twice, "{count} pictures are listed more than once: which of the entries counts depends on the reader"
        )
        + found(
            "warning",
            "names alike but for folder or suffix",
            alike,
            "{count} names are those of several pictures: formats with a file a picture (VOC, YOLO, LabelMe) keep one of them only",
        )
    )


def presence(checked: Checked) -> list[Finding]:
    """Pictures that are missing, spelt otherwise, unreadable, or without annotations."""
    files = checked.files
    if files is None or not files.paths:
        words = "no pictures lie beside the annotations: names, sizes and rotation were not compared (--images FOLDER)"
        return [Finding("note", "no pictures", 0, words)]
    missing, spelt, broken = [], [], []
    named: set[Path] = set()
    for picture in checked.annotations.pictures:
        path = files.find(picture.file, checked.split)
        other = files.find_other_case(picture.file) if path is None else None
        if path is not None:
            named.add(path)
            if files.header(path) is None:
                broken.append(picture.file)
        elif other is not None:
            named.add(other)
            spelt.append(f"{picture.file}, on disk {other.name}")
        else:
            missing.append(picture.file)
    return (
        found("error", "missing pictures", missing, "{count} pictures are not there")
        + found(
            "error",
            "capital letters",
            spelt,
            "{count} file names differ from the files in capital letters: found on Windows and macOS, missing on Linux",
        )
        + found("error", "unreadable pictures", broken, "{count} pictures are not readable as PNG, JPEG, BMP or PPM")
        + _without(checked, files, named)
    )


def _without(checked: Checked, files: PictureFiles, named: set[Path]) -> list[Finding]:
    empty = [picture.file for picture in checked.annotations.pictures if not picture.things]
    unnamed = [path.name for path in files.paths if path not in named] if not checked.split else []
    return found("note", "pictures without things", empty, "{count} pictures have no annotation: backgrounds, or forgotten?") + found(
        "note", "pictures not listed", unnamed, "{count} pictures in the folder are in no annotation: they are never seen"
    )


def sizes(checked: Checked) -> list[Finding]:
    """Stated sizes that are not the files', and EXIF rotation."""
    if checked.files is None:
        return []
    other: list[str] = []
    exchanged: list[str] = []
    turned: list[str] = []
    for picture in checked.annotations.pictures:
        path = checked.files.find(picture.file, checked.split)
        header = checked.files.header(path) if path is not None else None
        if header is None:
            continue
        if header.orientation != 1:
            turned.append(f"{picture.file}: orientation {header.orientation}")
        if picture.size is not None and picture.size != header.size:
            case = f"{picture.file}: stated {picture.size[0]} x {picture.size[1]}, file {header.size[0]} x {header.size[1]} (height x width)"
            (exchanged if picture.size == header.size[::-1] else other).append(case)
    return (
        found("error", "size differs", other, "{count} pictures have another size than the annotations state: they were resized, boxes were not")
        + found(
            "error",
            "height and width exchanged",
            exchanged,
            "{count} pictures have height and width the other way round: exchanged, or turned by EXIF",
        )
        + found(
            "error" if turned and exchanged else "warning",
            "EXIF rotation",
            turned,
            "{count} pictures are stored turned and carry an EXIF rotation: viewers turn them, most loaders do not, so that boxes miss",
        )
    )


FILE_RULES = (names, presence, sizes)


def leakage(splits: Mapping[str, Annotations], files: PictureFiles | None) -> list[Finding]:
    """Pictures in two splits, by name or by content."""
    owner: dict[str, str] = {}
    by_bytes: dict[str, tuple[str, str]] = {}
    same_name, same_bytes = [], []
    compared = 0
    for split, part in splits.items():
        for picture in part.pictures:
            first = owner.setdefault(picture.file, split)
            path = files.find(picture.file, split) if files is not None else None
            if first != split and (path is None or files is None or path == files.find(picture.file, first)):
                same_name.append(f"{picture.file}: {first} and {split}")
                continue
            if path is None or files is None or compared >= MOST_COMPARED:
                continue
            compared += 1
            digest = files.digest(path)
            before = by_bytes.setdefault(digest, (split, picture.file)) if digest is not None else (split, "")
            if before[0] != split:
                same_bytes.append(f"{before[0]}/{before[1]} is {split}/{picture.file}")
    return found("error", "picture in two splits", same_name, "{count} pictures are in two splits: the test result is too good") + found(
        "error", "copies in two splits", same_bytes, "{count} pictures of one split are byte for byte in another: the test result is too good"
    )
