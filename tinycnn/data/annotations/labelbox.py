"""LabelBox's exports: the old JSON list of rows, and the newer NDJSON, one row a line."""

from __future__ import annotations

import json
from typing import Any

from ...errors import DataError
from .boxes import Box
from .labelme import with_named_categories
from .safe import edge, file_name, identity, load_json, number, remaining
from .values import Annotations, Id, Picture, Thing

__all__ = ["from_labelbox", "from_labelbox_ndjson", "to_labelbox_ndjson"]

SHAPE_KEYS = {"bbox", "bounding_box", "polygon", "point", "line", "mask", "name", "title", "value", "geometry"}
ROW_KEYS = {"Label", "External ID", "Labeled Data", "ID"}
KINDS = {"box": "ImageBoundingBox", "polygon": "ImagePolygon", "point": "ImagePoint", "line": "ImageLine"}


def from_labelbox(rows: Any, where: str = "LabelBox") -> Annotations:
    """Read LabelBox's old export.

    Parameters
    ----------
    rows : [{"ID", "External ID", "Labeled Data", "Label": {"objects": [...]} or {"class": [{"geometry": [...]}]} or "Skip"}, ...]
    where : named in complaints

    Returns
    -------
    Annotations. Rows that were skipped are pictures without things, and a note counts them.

    Raises
    ------
    DataError : with the row and the field

    Examples
    --------
    >>> label = {"objects": [{"title": "dog", "bbox": {"top": 0, "left": 0, "height": 3, "width": 4}}]}
    >>> from_labelbox([{"ID": "k1", "External ID": "a.jpg", "Label": label}]).pictures[0].things[0].box
    Box(values=(0, 0, 4, 3), fmt='xywh')
    """
    if not isinstance(rows, list):
        raise DataError(f"{where}: LabelBox's export is a list of rows")
    pictures, skipped = [], 0
    for place, row in enumerate(rows):
        at = f"{where}: row {place}"
        if not isinstance(row, dict):
            raise DataError(f"{at}: must be an object with keys ID, Labeled Data and Label")
        label = row.get("Label")
        if isinstance(label, str) and label.lstrip()[:1] == "{":
            label = load_json(label.encode("utf-8", "replace"), f"{at}, Label")
        skipped += not isinstance(label, dict)
        things = tuple(_old_things(label, at)) if isinstance(label, dict) else ()
        name = file_name(row.get("External ID") or _last(row.get("Labeled Data")), f"{at}, External ID")
        pictures.append(Picture(name, None, things, _row_id(row.get("ID"), at), remaining(row, ROW_KEYS)))
    notes = (f"{skipped} rows carry no labels (skipped or empty)",) if skipped else ()
    return with_named_categories("labelbox", pictures, notes)


def _last(url: Any) -> Any:
    return url.split("?")[0].rstrip("/").rsplit("/", 1)[-1] if isinstance(url, str) else url


def _row_id(value: Any, where: str) -> Id | None:
    return None if value is None else identity(value, where, "ID")


def _old_things(label: dict[str, Any], where: str) -> list[Thing]:
    if isinstance(label.get("objects"), list):
        return [_thing(each, f"{where}, object {place}") for place, each in enumerate(label["objects"])]
    things = []
    for name, shapes in label.items():
        if not isinstance(shapes, list):
            continue  # an answer to a question about the whole picture
        for place, shape in enumerate(shapes):
            at = f"{where}, {name[:40]} {place}"
            if not isinstance(shape, dict):
                raise DataError(f"{at}: must be an object with a geometry")
            if isinstance(shape.get("geometry"), dict):
                things.append(_thing({"title": name, "point": shape["geometry"]}, at))
            else:
                things.append(_thing({"title": name, "polygon": shape.get("geometry")}, at))
    return things


def _thing(shape: Any, where: str) -> Thing:
    """One object; its name is its title or name, as people see it."""
    if not isinstance(shape, dict):
        raise DataError(f"{where}: must be an object with a title and a shape")
    label = file_name(shape.get("name") or shape.get("title") or shape.get("value"), f"{where}, name")
    extra = remaining(shape, SHAPE_KEYS) | {key: shape[key] for key in ("value",) if key in shape and shape[key] != label}
    frame = shape.get("bounding_box", shape.get("bbox"))
    if frame is not None:
        if not isinstance(frame, dict):
            raise DataError(f"{where}: bbox must have top, left, height and width")
        x, y, width, height = (number(frame.get(key), where, key) for key in ("left", "top", "width", "height"))
        return Thing(label, Box((x, y, width, height), "xywh"), extra=extra)
    if shape.get("polygon") is not None:
        return Thing(label, polygons=(_flat(shape["polygon"], where, "polygon"),), shape="polygon", extra=extra)
    if shape.get("point") is not None:
        return Thing(label, shape="point", points=_flat([shape["point"]], where, "point"), extra=extra)
    if shape.get("line") is not None:
        return Thing(label, shape="line", points=_flat(shape["line"], where, "line"), extra=extra)
    kept = remaining(shape, set(shape) - {"mask"})
    return Thing(label, shape="mask", extra={**extra, **kept})


def _flat(points: Any, where: str, name: str) -> tuple[float, ...]:
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise DataError(f"{where}: {name} must be a list of x and y")
    return tuple(number(point.get(axis), where, f"{name} {axis}") for point in points for axis in "xy")


def from_labelbox_ndjson(data: bytes, where: str = "LabelBox") -> Annotations:
    """Read LabelBox's newer export, a JSON row a line.

    Parameters
    ----------
    data : lines {"data_row": {...}, "media_attributes": {...}, "projects": {id: {"labels": [{"annotations": {"objects": [...]}}]}}}
    where : named in complaints

    Returns
    -------
    Annotations. Of a picture labelled several times all labels count, and a note says so.

    Raises
    ------
    DataError : with the line and the field
    """
    pictures, several = [], 0
    for place, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        at = f"{where}: line {place}"
        row = load_json(line, at)
        source = row.get("data_row") if isinstance(row, dict) else None
        if not isinstance(source, dict):
            raise DataError(f"{at}: LabelBox's row has a data_row")
        media = row.get("media_attributes") or {}
        if not isinstance(media, dict):
            raise DataError(f"{at}: media_attributes must have height and width")
        size = None
        if media.get("height") is not None and media.get("width") is not None:
            size = edge(media["height"], at, "height"), edge(media["width"], at, "width")
        labels = list(_labels(row.get("projects"), at))
        several += len(labels) > 1
        things = tuple(_thing(each, f"{at}, object {number_}") for number_, each in enumerate(shape for label in labels for shape in label))
        name = file_name(source.get("external_id") or _last(source.get("row_data")), f"{at}, external_id")
        extra = remaining(source, {"id", "external_id"})
        pictures.append(Picture(name, size, things, _row_id(source.get("id"), at), extra))
    if not pictures:
        raise DataError(f"{where}: holds no rows")
    notes = (f"{several} pictures were labelled more than once; the things of all labels are taken, so that some lie twice",) if several else ()
    return with_named_categories("labelbox", pictures, notes)


def _labels(projects: Any, where: str) -> list[list[Any]]:
    """The objects of each label of each project."""
    result = []
    for project in projects.values() if isinstance(projects, dict) else ():
        labels = project.get("labels") if isinstance(project, dict) else None
        if not isinstance(labels, list):
            raise DataError(f"{where}: a project must have a list of labels")
        for label in labels:
            content = label.get("annotations") if isinstance(label, dict) else None
            objects = content.get("objects", []) if isinstance(content, dict) else None
            if not isinstance(objects, list):
                raise DataError(f"{where}: a label's annotations must have a list of objects")
            result.append(objects)
    return result


def to_labelbox_ndjson(annotations: Annotations) -> bytes:
    """LabelBox's newer export, a line a picture, in a project called "tinycnn".

    Raises
    ------
    DataError : boxes in shares of a picture whose size is not known
    """
    names = annotations.names()
    lines = []
    for place, picture in enumerate(annotations.pictures):
        objects = [entry for thing in picture.things for entry in _entries(thing, names[thing.category], picture)]
        source = {**picture.extra, "id": str(picture.id if picture.id is not None else place), "external_id": picture.file}
        row: dict[str, Any] = {"data_row": source, "projects": {"tinycnn": {"labels": [{"annotations": {"objects": objects}}]}}}
        if picture.size is not None:
            row["media_attributes"] = {"height": picture.size[0], "width": picture.size[1]}
        lines.append(json.dumps(row))
    return ("\n".join(lines) + "\n").encode()


def _entries(thing: Thing, name: str, picture: Picture) -> list[dict[str, Any]]:
    kind = thing.shape if thing.shape in ("point", "line") else "polygon" if thing.polygons else "box"
    shapes: list[dict[str, Any]]
    if kind == "polygon":
        shapes = [{"polygon": _points(polygon)} for polygon in thing.polygons]
    elif kind == "point":
        shapes = [{"point": _points(thing.points)[0]}]
    elif kind == "line":
        shapes = [{"line": _points(thing.points)}]
    else:
        box = thing.outer_box()
        frame = None if box is None else dict(zip(("left", "top", "width", "height"), box.to("xywh", picture.size), strict=True))
        shapes = [{} if frame is None else {"bounding_box": frame}]
    return [{"annotation_kind": KINDS[kind], **thing.extra, "name": name, **shape} for shape in shapes]


def _points(flat: tuple[float, ...]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in zip(flat[0::2], flat[1::2], strict=True)]
