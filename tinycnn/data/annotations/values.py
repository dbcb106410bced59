"""What every annotation format is read into: pictures, the things on them and their categories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...metrics.rle import rle_box
from .boxes import Box, Size

__all__ = ["Annotations", "Category", "Id", "Picture", "Thing", "hull"]

Id = int | str


@dataclass(frozen=True)
class Category:
    """A class of things. `keypoints` are the names of its points, `skeleton` the pairs of them that are joined, counted from 1."""

    id: Id
    name: str
    supercategory: str = ""
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Thing:
    """One annotated object.

    Parameters
    ----------
    category : id of its category
    box : as written; None where the format draws something else
    polygons : outlines [x1, y1, x2, y2, ...] in continuous pixels; several are parts of one object
    mask : run lengths as COCO writes them, compressed or not, as written
    keypoints : x, y and visibility of each point: 0 not labelled, 1 hidden, 2 visible
    shape : what was drawn: box, polygon, mask, keypoints, point, line, circle, ellipse
    points : the numbers of a point, a line, a circle (centre x, y, radius) or an ellipse (centre x, y, two radii, angle)
    crowd, difficult, truncated, occluded : the flags
    area : in square pixels, where the file states it
    id : of the object, where the format has one
    extra : keys that the formats do not share, as they were
    """

    category: Id
    box: Box | None = None
    polygons: tuple[tuple[float, ...], ...] = ()
    mask: dict[str, Any] | None = None
    keypoints: tuple[float, ...] | None = None
    shape: str = "box"
    points: tuple[float, ...] = ()
    crowd: bool = False
    difficult: bool = False
    truncated: bool = False
    occluded: bool = False
    area: float | None = None
    id: Id | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def outer_box(self) -> Box | None:
        """Its box, else the smallest one around what was drawn; None where there is nothing to surround."""
        if self.box is not None:
            return self.box
        if self.mask is not None:
            return Box(rle_box(self.mask), "xywh")
        if self.shape == "circle" and len(self.points) == 3:
            x, y, radius = self.points
            return Box((x - radius, y - radius, x + radius, y + radius), "xyxy")
        if self.shape == "ellipse" and len(self.points) == 5:
            x, y, wide = self.points[0], self.points[1], max(self.points[2:4])
            return Box((x - wide, y - wide, x + wide, y + wide), "xyxy")
        flat = [value for polygon in self.polygons for value in polygon] or list(self.points)
        if not flat and self.keypoints:
            labelled = [place for place in range(0, len(self.keypoints), 3) if self.keypoints[place + 2] > 0]
            flat = [value for place in labelled for value in self.keypoints[place : place + 2]]
        return hull(flat)


def hull(flat: list[float] | tuple[float, ...]) -> Box | None:
    """The smallest box around points x1, y1, x2, y2, ...; None without points.

    Examples
    --------
    >>> hull([1, 5, 3, 2]).values
    (1, 2, 3, 5)
    """
    if len(flat) < 2:
        return None
    x, y = flat[0::2], flat[1::2]
    return Box((min(x), min(y), max(x), max(y)), "xyxy")


@dataclass(frozen=True)
class Picture:
    """An image file and what is on it. `size` is (height, width) as the annotations state it."""

    file: str
    size: Size | None = None
    things: tuple[Thing, ...] = ()
    id: Id | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotations:
    """A whole set of annotations. `form` is the format it came from; `notes` say in words what reading it found wrong."""

    form: str
    pictures: tuple[Picture, ...]
    categories: tuple[Category, ...]
    extra: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def things(self) -> Iterator[tuple[Picture, Thing]]:
        """Every thing with the picture that it is on."""
        return ((picture, thing) for picture in self.pictures for thing in picture.things)

    def names(self) -> dict[Id, str]:
        """Category names by id."""
        return {category.id: category.name for category in self.categories}

    def labels(self) -> dict[Id, int]:
        """The contiguous labels that networks learn, from 1 in the order of the categories; 0 is the background.

        Examples
        --------
        >>> Annotations("coco", (), (Category(18, "dog"), Category(90, "toothbrush"))).labels()
        {18: 1, 90: 2}
        """
        return {category.id: place for place, category in enumerate(self.categories, 1)}
