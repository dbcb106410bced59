"""LabelMe's JSON: one file a picture, a list of shapes with a label each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...errors import DataError
from .boxes import Box
from .safe import edge, file_name, load_json, number, numbers, remaining
from .values import Annotations, Category, Picture, Thing
from .voc import stem_of

__all__ = ["from_labelme", "to_labelme"]

PICTURE_KEYS = {"imagePath", "imageHeight", "imageWidth", "shapes"}
SHAPE_KEYS = {"label", "points", "shape_type"}
LINES = ("line", "linestrip")


def from_labelme(files: Sequence[tuple[str, bytes]]) -> Annotations:
    """Read LabelMe's files.

    Parameters
    ----------
    files : name and content of each

    Returns
    -------
    Annotations. Neighbouring polygons with one label, one group_id and the same flags are one thing of several parts.

    Raises
    ------
    DataError : with the file and the field

    Examples
    --------
    >>> text = b'{"imagePath": "a.jpg", "shapes": [{"label": "dog", "shape_type": "rectangle", "points": [[4, 3], [0, 0]]}]}'
    >>> from_labelme([("a.json", text)]).pictures[0].things[0].box
    Box(values=(0, 0, 4, 3), fmt='xyxy')
    """
    pictures, turned = [], 0
    for where, data in files:
        picture, count = _picture(load_json(data, where), where)
        pictures.append(picture)
        turned += count
    notes = (f"{turned} rectangles were drawn from another corner than the upper left; the order of their corners is not kept",) if turned else ()
    return with_named_categories("labelme", pictures, notes)


def with_named_categories(form: str, pictures: Sequence[Picture], notes: Sequence[str] = (), extra: dict[str, Any] | None = None) -> Annotations:
    """Annotations of pictures whose things have names for categories: the names, sorted, are numbered from 1."""
    names = sorted({str(thing.category) for picture in pictures for thing in picture.things})
    number_of = {name: place for place, name in enumerate(names, 1)}
    renamed = [
        replace(picture, things=tuple(replace(thing, category=number_of[str(thing.category)]) for thing in picture.things)) for picture in pictures
    ]
    return Annotations(form, tuple(renamed), tuple(Category(place, name) for name, place in number_of.items()), extra or {}, tuple(notes))


def _picture(document: Any, where: str) -> tuple[Picture, int]:
    if not isinstance(document, dict) or not isinstance(document.get("shapes"), list):
        raise DataError(f"{where}: LabelMe's document has a list named shapes")
    size = None
    if document.get("imageHeight") is not None and document.get("imageWidth") is not None:
        size = edge(document["imageHeight"], where, "imageHeight"), edge(document["imageWidth"], where, "imageWidth")
    things: list[Thing] = []
    turned = 0
    for place, record in enumerate(document["shapes"]):
        thing, corner = _shape(record, f"{where}: shapes[{place}]")
        turned += corner
        grouped = thing.extra.get("group_id") is not None and thing.shape == "polygon"
        if grouped and things and replace(things[-1], polygons=()) == replace(thing, polygons=()):
            things[-1] = replace(things[-1], polygons=things[-1].polygons + thing.polygons)
        else:
            things.append(thing)
    name = file_name(document.get("imagePath"), f"{where}, imagePath")
    return Picture(name, size, tuple(things), None, remaining(document, PICTURE_KEYS)), turned


def _shape(record: Any, where: str) -> tuple[Thing, bool]:
    if not isinstance(record, dict) or not isinstance(record.get("points"), list):
        raise DataError(f"{where}: a shape has a label and a list of points")
    label = file_name(record.get("label"), f"{where}, label")
    flat: list[float] = []
    for point in record["points"]:
        flat += numbers(point, where, "points", 2)
    kind = record.get("shape_type") or "polygon"
    extra = remaining(record, SHAPE_KEYS)
    if kind in ("rectangle", "mask"):
        x1, y1, x2, y2 = numbers(flat, where, f"the corners of a {kind}", 4)
        box = Box((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), "xyxy")
        extra |= {"shape_type": "mask"} if kind == "mask" else {}
        return Thing(label, box, extra=extra), (x1, y1) != box.values[:2]
    if kind == "polygon":
        return Thing(label, polygons=(tuple(flat),), shape="polygon", extra=extra), False
    if kind == "circle":
        x, y, edge_x, edge_y = numbers(flat, where, "centre and a point of a circle", 4)
        radius = number(((edge_x - x) ** 2 + (edge_y - y) ** 2) ** 0.5, where, "radius")
        return Thing(label, shape="circle", points=(x, y, radius), extra=extra | {"edge": [edge_x, edge_y]}), False
    if kind == "point":
        x, y = numbers(flat, where, "a point", 2)
        return Thing(label, shape="point", points=(x, y), extra=extra), False
    if kind in LINES:
        return Thing(label, shape="line", points=tuple(flat), extra=extra | {"shape_type": kind}), False
    raise DataError(f"{where}: there is no shape_type {str(kind)[:40]!r}; there are rectangle, polygon, circle, point, line, linestrip, mask")


def to_labelme(annotations: Annotations) -> dict[str, bytes]:
    """LabelMe's files by name, one a picture. Parts of one thing get a group_id.

    Raises
    ------
    DataError : two pictures of one name, boxes in shares of a picture whose size is not known
    """
    names = annotations.names()
    files: dict[str, bytes] = {}
    for picture in annotations.pictures:
        shapes = []
        for place, thing in enumerate(picture.things):
            shapes += _entries(thing, names[thing.category], picture, place)
        document = {"version": "5.0.0", "flags": {}, "imageData": None, **picture.extra, "shapes": shapes, "imagePath": picture.file}
        if picture.size is not None:
            document |= {"imageHeight": picture.size[0], "imageWidth": picture.size[1]}
        name = stem_of(picture.file) + ".json"
        if name in files:
            raise DataError(f"LabelMe: two pictures would be written to {name}; give them different names")
        files[name] = json.dumps(document, indent=1).encode()
    return files


def _entries(thing: Thing, label: str, picture: Picture, place: int) -> list[dict[str, Any]]:
    extra = {"group_id": None, "flags": {}, **thing.extra}
    edge_point = extra.pop("edge", None)
    if thing.polygons:
        if len(thing.polygons) > 1 and extra["group_id"] is None:
            extra["group_id"] = place + 1
        drawn = [("polygon", _pairs(polygon)) for polygon in thing.polygons]
    elif thing.shape == "circle":
        x, y, radius = thing.points
        drawn = [("circle", [[x, y], edge_point if isinstance(edge_point, list) else [x + radius, y]])]
    elif thing.shape in ("point", "line"):
        drawn = [(str(extra.pop("shape_type", "point" if thing.shape == "point" else "linestrip")), _pairs(thing.points))]
    else:
        box = thing.outer_box()
        drawn = [] if box is None else [(str(extra.pop("shape_type", "rectangle")), _pairs(box.to("xyxy", picture.size)))]
        if thing.keypoints is not None and box is None:
            drawn = [("point", [[x, y]]) for x, y, seen in zip(*(thing.keypoints[k::3] for k in range(3)), strict=True) if seen]
    return [{**extra, "label": label, "points": points, "shape_type": kind} for kind, points in drawn]


def _pairs(flat: Sequence[float]) -> list[list[float]]:
    return [list(flat[place : place + 2]) for place in range(0, len(flat), 2)]
