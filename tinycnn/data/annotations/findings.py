"""What a check finds, and what it looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import DataError
from .boxes import Size
from .pictures import PictureFiles
from .values import Annotations, Picture, Thing

__all__ = ["Checked", "Finding"]

SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or worth knowing.

    Parameters
    ----------
    level : "error": training or evaluation will be wrong; "warning": probably; "note": worth knowing
    rule : its short name
    count : how many cases
    sentence : in words, with what it breaks
    examples : where the first cases are
    """

    level: str
    rule: str
    count: int
    sentence: str
    examples: tuple[str, ...] = ()


def found(level: str, rule: str, cases: Iterable[str], sentence: str) -> list[Finding]:
    """A finding of the cases, or none where there are none; {count} in the sentence is their number."""
    listed = list(cases)
    if not listed:
        return []
    return [Finding(level, rule, len(listed), sentence.replace("{count}", f"{len(listed):,}"), tuple(listed[:SHOWN]))]


class Checked:
    """Annotations under check: their boxes in one array, and the pictures' true sizes where the pictures are there.

    Parameters
    ----------
    annotations : what is checked
    files : the pictures, or None
    split : the folder or list that these annotations are of
    """

    def __init__(self, annotations: Annotations, files: PictureFiles | None, split: str = "") -> None:
        self.annotations = annotations
        self.files = files
        self.split = split
        self.pairs: list[tuple[Picture, Thing]] = list(annotations.things())

    @cached_property
    def sizes(self) -> dict[str, Size]:
        """The true (height, width) of each picture where its file is there, else the stated one."""
        result: dict[str, Size] = {}
        for picture in self.annotations.pictures:
            path = self.files.find(picture.file, self.split) if self.files is not None else None
            header = self.files.header(path) if self.files is not None and path is not None else None
            if header is not None and picture.size != header.shown:
                result[picture.file] = header.size
            elif picture.size is not None and min(picture.size) > 0:
                result[picture.file] = picture.size
            elif header is not None:
                result[picture.file] = header.shown
        return result

    @cached_property
    def boxed(self) -> tuple[list[int], np.ndarray, np.ndarray]:
        """The places of the things that have a box, the boxes (N, 4) as xyxy, and the sizes (N, 2), NaN where unknown."""
        places, corners, sizes = [], [], []
        for place, (picture, thing) in enumerate(self.pairs):
            box = thing.outer_box()
            size = self.sizes.get(picture.file)
            if box is None:
                continue
            try:
                corners.append(box.to("xyxy", size))
            except DataError:
                continue
            places.append(place)
            sizes.append(size or (np.nan, np.nan))
        return places, np.array(corners, np.float64).reshape(-1, 4), np.array(sizes, np.float64).reshape(-1, 2)

    def where(self, place: int) -> str:
        """One thing in words."""
        picture, thing = self.pairs[place]
        box = thing.box if thing.box is not None else thing.outer_box()
        numbers = "" if box is None else " " + " ".join(f"{value:g}" for value in box.values)
        name = self.annotations.names().get(thing.category, thing.category)
        return f"{picture.file}: {str(name)[:40]}{numbers}"
