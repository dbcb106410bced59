"""The linter of annotations: every rule over every split, the worst first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import DataError
from .check_boxes import BOX_RULES
from .check_classes import CLASS_RULES
from .check_files import FILE_RULES, leakage
from .findings import Checked, Finding
from .pictures import PictureFiles
from .values import Annotations

__all__ = ["LEVELS", "Finding", "check_annotations", "picture_folder"]

LEVELS = ("error", "warning", "note")


def check_annotations(splits: Annotations | Mapping[str, Annotations], images: str | os.PathLike[str] | None = None) -> list[Finding]:
    """Say what in annotations will silently break.

    Parameters
    ----------
    splits : annotations, or several by name, as `read_splits` gives them
    images : the folder of the pictures; without it their files are not looked at

    Returns
    -------
    list of Finding, errors first

    Raises
    ------
    DataError : a folder that is not there

    Notes
    -----
    Pictures are opened as far as their headers; only to find copies in two splits are their bytes compared.

    Examples
    --------
    >>> from tinycnn.data.annotations import Box, Category, Picture, Thing
    >>> flat = Thing(1, Box((5, 5, 0, 4), "xywh"))
    >>> value = Annotations("coco", (Picture("a.jpg", (9, 9), (flat,)),), (Category(1, "dog"),))
    >>> [finding.rule for finding in check_annotations(value)]
    ['zero area', 'few examples', 'no pictures']
    """
    parts = {"": splits} if isinstance(splits, Annotations) else dict(splits)
    if images is not None and not Path(images).is_dir():
        raise DataError(f"{images}: is no folder of pictures")
    files = PictureFiles(images) if images is not None else None
    findings: list[Finding] = []
    for name, part in parts.items():
        checked = Checked(part, files, "" if len(parts) == 1 else name)
        for rule in (*BOX_RULES, *FILE_RULES, *CLASS_RULES):
            findings += [_of_split(finding, name if len(parts) > 1 else "") for finding in rule(checked)]
    if len(parts) > 1:
        findings += leakage(parts, files)
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def _of_split(finding: Finding, split: str) -> Finding:
    if not split:
        return finding
    return Finding(finding.level, finding.rule, finding.count, f"{split}: {finding.sentence}", finding.examples)


def picture_folder(path: Any, images: Any = None) -> Path | None:
    """Where the pictures of annotations are looked for: what was given, the folder itself, or the folder of the file, or the one above it."""
    if images is not None:
        return Path(images)
    place = Path(path)
    if place.is_dir():
        return place
    for folder in (place.parent, place.parent.parent):
        if any(PictureFiles(folder / name).paths for name in ("images", "JPEGImages") if (folder / name).is_dir()):
            return folder
    return place.parent
