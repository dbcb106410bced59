"""Boxes that carry their format: which four numbers they are, from which corner pixels are counted, and of what they are shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError, ShapeError

__all__ = ["FORMATS", "Box", "Boxes", "convert_boxes"]

FORMATS = {
    "xyxy": "left, top, right, bottom; continuous pixels, 0 is the image's edge",
    "xywh": "left, top, width, height; continuous pixels (COCO, VIA, LabelBox)",
    "cxcywh": "centre and width, height; continuous pixels",
    "voc": "first and last column and row that belong to it, the first pixel being 1 (Pascal VOC)",
    "inclusive": "first and last column and row that belong to it, the first pixel being 0",
    "yolo": "centre and width, height as shares of the image (YOLO, Darknet)",
    "percent": "left, top, width, height in percent of the image",
}
RELATIVE = ("yolo", "percent")
Size = tuple[int, int]  # height, width


def convert_boxes(boxes: Any, fmt: str, to: str, size: Size | None = None) -> np.ndarray:
    """Boxes of one format in another.

    Shapes: (N, 4) -> (N, 4)

    Formula: "voc" (a, b, c, d) is "xyxy" (a - 1, b - 1, c, d); "inclusive" (a, b, c, d) is "xyxy" (a, b, c + 1, d + 1)

    Parameters
    ----------
    boxes : array of four numbers a box
    fmt, to : names of `FORMATS`
    size : (height, width) in pixels; needed by the formats that are shares of the image

    Returns
    -------
    float64 array (N, 4)

    Raises
    ------
    ArgumentError : a format that does not exist, or shares without a size
    ShapeError : not four numbers a box

    Examples
    --------
    The first pixel alone, and all of an image of 4 x 8.

    >>> convert_boxes([[1, 1, 1, 1]], "voc", "xyxy").tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    >>> convert_boxes([[0.5, 0.5, 1, 1]], "yolo", "xywh", (4, 8)).tolist()
    [[0.0, 0.0, 8.0, 4.0]]
    """
    for name in (fmt, to):
        if name not in FORMATS:
            raise ArgumentError(f"convert_boxes: there is no box format {name!r}; there are {', '.join(FORMATS)}")
    array = np.asarray(boxes, dtype=np.float64)
    array = array.reshape(-1, 4) if array.size == 0 else array
    if array.ndim != 2 or array.shape[1] != 4:
        raise ShapeError(f"convert_boxes: the boxes have shape {array.shape}; they must be (count, 4)")
    if fmt == to:
        return array.copy()
    if size is None and (fmt in RELATIVE or to in RELATIVE):
        raise ArgumentError(f"convert_boxes: {fmt} to {to} needs the image's size=(height, width), of which one of the two is a share")
    height, width = size or (1, 1)
    if (fmt in RELATIVE or to in RELATIVE) and min(height, width) < 1:
        raise ArgumentError(f"convert_boxes: an image of {height} x {width} pixels has no shares; give its true size=(height, width)")
    scale = np.array([width, height, width, height], dtype=np.float64)
    return _from_corners(_to_corners(array, fmt, scale), to, scale)


def _to_corners(a: np.ndarray, fmt: str, scale: np.ndarray) -> np.ndarray:
    """Any format as xyxy."""
    if fmt == "yolo":
        return _to_corners(a * scale, "cxcywh", scale)
    if fmt == "percent":
        return _to_corners(a * scale / 100, "xywh", scale)
    if fmt == "xywh":
        return np.concatenate([a[:, :2], a[:, :2] + a[:, 2:]], 1)
    if fmt == "cxcywh":
        return np.concatenate([a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2], 1)
    if fmt == "voc":
        return a - np.array([1, 1, 0, 0])
    return a + np.array([0, 0, 1, 1]) if fmt == "inclusive" else a


def _from_corners(a: np.ndarray, to: str, scale: np.ndarray) -> np.ndarray:
    """xyxy as any format."""
    if to == "yolo":
        return _from_corners(a, "cxcywh", scale) / scale
    if to == "percent":
        return _from_corners(a, "xywh", scale) * 100 / scale
    if to == "xywh":
        return np.concatenate([a[:, :2], a[:, 2:] - a[:, :2]], 1)
    if to == "cxcywh":
        return np.concatenate([(a[:, :2] + a[:, 2:]) / 2, a[:, 2:] - a[:, :2]], 1)
    if to == "voc":
        return a + np.array([1, 1, 0, 0])
    return a - np.array([0, 0, 1, 1]) if to == "inclusive" else a


@dataclass(frozen=True)
class Box:
    """One box as it was written: the numbers and their format, so that writing it back changes no bit.

    Examples
    --------
    >>> Box((1, 1, 10, 20), "voc").to("xywh")
    (0.0, 0.0, 10.0, 20.0)
    """

    values: tuple[float, float, float, float]
    fmt: str = "xyxy"

    @property
    def clicked(self) -> bool:
        """Whether it begins and ends in one pixel: a click without a drag, which only counting by pixels gives an area."""
        return self.fmt in ("voc", "inclusive") and self.values[:2] == self.values[2:]

    def to(self, fmt: str, size: Size | None = None) -> tuple[float, float, float, float]:
        """The four numbers in another format; in its own they are as written."""
        if fmt == self.fmt:
            return self.values
        if size is None and (fmt in RELATIVE) != (self.fmt in RELATIVE):
            raise DataError(
                f"a box is written as {self.fmt} and wanted as {fmt}, but the picture's size is not known; put the pictures beside the annotations"
            )
        if (fmt in RELATIVE or self.fmt in RELATIVE) and size is not None and min(size) < 1:
            raise DataError(f"a box is in shares of a picture that is stated to be {size[0]} x {size[1]} pixels; correct that size")
        a, b, c, d = convert_boxes([self.values], self.fmt, fmt, size)[0].tolist()
        return a, b, c, d


@dataclass(frozen=True)
class Boxes:
    """Several boxes of one image with their format.

    Shapes: array (N, 4)

    Parameters
    ----------
    array : the numbers (N, 4)
    fmt : a name of `FORMATS`
    size : (height, width) of the image in pixels, where it is known

    Examples
    --------
    >>> boxes = Boxes([[10, 20, 30, 40]], "xywh", (100, 100))
    >>> boxes.to("xyxy").array.tolist()
    [[10.0, 20.0, 40.0, 60.0]]
    >>> Boxes([[10, 20, 5, 40]], "xyxy").warnings()
    ['1 of 1 boxes have no width or no height: [10.0, 20.0, 5.0, 40.0] (as xywh it would be one)']
    """

    array: Any
    fmt: str = "xyxy"
    size: Size | None = None

    def __post_init__(self) -> None:
        """Check once; the array becomes float64 of its own."""
        object.__setattr__(self, "array", convert_boxes(self.array, self.fmt, self.fmt))

    def __len__(self) -> int:
        """How many boxes."""
        return len(self.array)

    def to(self, fmt: str) -> Boxes:
        """The same boxes in another format."""
        return Boxes(convert_boxes(self.array, self.fmt, fmt, self.size), fmt, self.size)

    def joined(self, others: Sequence[Boxes]) -> Boxes:
        """These boxes and others of one format.

        Raises
        ------
        ArgumentError : formats or image sizes that differ
        """
        kinds = {(each.fmt, each.size) for each in (self, *others)}
        if len(kinds) > 1:
            named = " and ".join(f"{fmt} of {size}" for fmt, size in sorted(kinds, key=str))
            raise ArgumentError(f"Boxes: {named} do not mix; convert with .to(fmt) first")
        return Boxes(np.concatenate([self.array, *(each.array for each in others)]), self.fmt, self.size)

    def warnings(self) -> list[str]:
        """What is suspicious about the numbers, in words; an empty list where nothing is."""
        found = []
        corners = convert_boxes(self.array, self.fmt, "xyxy", self.size)
        flat = ~(corners[:, 2:] > corners[:, :2]).all(1)
        if flat.any():
            first = self.array[flat][0].tolist()
            hint = " (as xywh it would be one)" if self.fmt in ("xyxy", "voc", "inclusive") and min(first[2:]) > 0 else ""
            found.append(f"{flat.sum()} of {len(self)} boxes have no width or no height: {first}{hint}")
        if self.size is not None:
            height, width = self.size
            out = (corners < -1e-6).any(1) | (corners[:, 2] > width + 1e-6) | (corners[:, 3] > height + 1e-6)
            if out.any():
                found.append(f"{out.sum()} of {len(self)} boxes reach out of the image of {height} x {width}: {self.array[out][0].tolist()}")
            if len(self) and self.fmt not in RELATIVE and np.abs(self.array).max() <= 1 and min(height, width) > 2:
                found.append("all numbers are at most 1: they look like shares of the image; fmt='yolo'?")
        return found
