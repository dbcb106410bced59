"""VIA, the VGG Image Annotator: its project or export in JSON and its CSV. Ids are texts and stay texts."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from ...errors import DataError
from .boxes import Box
from .labelme import with_named_categories
from .safe import file_name, load_json, number, numbers, remaining
from .values import Annotations, Picture, Thing

__all__ = ["from_via", "from_via_csv", "to_via", "to_via_csv"]

COLUMNS = ("filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes", "region_attributes")
CLASS_NAMES = ("label", "class", "name", "category", "type", "object")
FIELD = 1 << 20
NO_CLASS = "object"
SHAPES = {
    "rect": ("x", "y", "width", "height"),
    "circle": ("cx", "cy", "r"),
    "ellipse": ("cx", "cy", "rx", "ry"),
    "point": ("cx", "cy"),
}


def from_via(document: Any, where: str = "VIA") -> Annotations:
    """Read VIA's JSON: a project, or an export of the annotations, of version 1 (regions numbered) or 2 (a list).

    Parameters
    ----------
    document : {key: {"filename", "size", "regions", "file_attributes"}, ...}, for a project under _via_img_metadata
    where : named in complaints

    Returns
    -------
    Annotations. The region attribute that names the class is the first of label, class, name, category, type, object that
    occurs, else the first one; `extra["class_attribute"]` says which. VIA states a file's bytes, not its height and width.

    Raises
    ------
    DataError : with the place and the field

    Examples
    --------
    >>> region = {"shape_attributes": {"name": "rect", "x": 0, "y": 0, "width": 4, "height": 3}, "region_attributes": {"label": "dog"}}
    >>> value = from_via({"a.jpg99": {"filename": "a.jpg", "size": 99, "regions": [region]}})
    >>> value.pictures[0].id, value.categories[0].name
    ('a.jpg99', 'dog')
    """
    if not isinstance(document, dict):
        raise DataError(f"{where}: VIA's document maps a key of each picture to its regions")
    records = document.get("_via_img_metadata", document)
    extra = remaining(document, {"_via_img_metadata"}) if "_via_img_metadata" in document else {}
    if not isinstance(records, dict) or not all(isinstance(each, dict) for each in records.values()):
        raise DataError(f"{where}: VIA's document maps a key of each picture to its regions")
    listed = {key: _regions(record, f"{where}: {key[:60]}") for key, record in records.items()}
    attribute = _class_attribute([attributes for regions in listed.values() for _, attributes in regions])
    pictures = []
    for key, regions in listed.items():
        place = f"{where}: {key[:60]}"
        name = file_name(records[key].get("filename"), place)
        things = tuple(_thing(shape, attributes, attribute, f"{place}, region {number_}") for number_, (shape, attributes) in enumerate(regions))
        pictures.append(Picture(name, None, things, key, remaining(records[key], {"filename", "regions"})))
    notes = [] if attribute is not None else [f"no region has an attribute that could name its class; all are called {NO_CLASS!r}"]
    named = [attributes[attribute] for regions in listed.values() for _, attributes in regions if attribute in attributes]
    if any(not isinstance(value, str) for value in named):
        notes.append(
            f"{sum(not isinstance(value, str) for value in named)} regions give their {attribute} by check boxes or a number; it is written as a text"
        )
    used = attribute if attribute is not None else CLASS_NAMES[0]
    return with_named_categories("via", pictures, notes if any(listed.values()) else [], {**extra, "class_attribute": used})


def _regions(record: dict[str, Any], where: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    regions = record.get("regions", [])
    regions = list(regions.values()) if isinstance(regions, dict) else regions
    if not isinstance(regions, list):
        raise DataError(f"{where}: regions must be a list")
    pairs = []
    for place, region in enumerate(regions):
        shape = region.get("shape_attributes") if isinstance(region, dict) else None
        attributes = region.get("region_attributes", {}) if isinstance(region, dict) else None
        if not isinstance(shape, dict) or not isinstance(attributes, dict):
            raise DataError(f"{where}, region {place}: wants shape_attributes and region_attributes")
        pairs.append((shape, attributes))
    return pairs


def _class_attribute(attributes: list[dict[str, Any]]) -> str | None:
    present = {key for each in attributes for key in each}
    known = [name for name in CLASS_NAMES if name in present]
    return known[0] if known else min(present, default=None)


def _thing(shape: dict[str, Any], attributes: dict[str, Any], attribute: str | None, where: str) -> Thing:
    label = attributes.get(attribute, NO_CLASS) if attribute is not None else NO_CLASS
    if isinstance(label, dict):  # check boxes: {"dog": true}
        label = "+".join(str(key) for key, chosen in label.items() if chosen)
    label = file_name(str(label) or NO_CLASS, f"{where}, {attribute}")
    extra = remaining(attributes, {attribute} if attribute is not None else set())
    kind = shape.get("name")
    if kind in ("polygon", "polyline"):
        x, y = (numbers(shape.get(f"all_points_{axis}"), where, f"all_points_{axis}") for axis in "xy")
        if len(x) != len(y):
            raise DataError(f"{where}: {len(x)} numbers of x, but {len(y)} of y")
        flat = tuple(value for pair in zip(x, y, strict=True) for value in pair)
        if kind == "polygon":
            return Thing(label, polygons=(flat,), shape="polygon", extra=extra)
        return Thing(label, shape="line", points=flat, extra=extra)
    if not isinstance(kind, str) or kind not in SHAPES:
        raise DataError(f"{where}: there is no shape {str(kind)[:40]!r}; there are {', '.join(SHAPES)}, polygon, polyline")
    values = tuple(number(shape.get(key), where, key) for key in SHAPES[kind])
    if kind == "rect":
        return Thing(label, Box((values[0], values[1], values[2], values[3]), "xywh"), extra=extra)
    turn = (number(shape.get("theta", 0), where, "theta"),) if kind == "ellipse" else ()
    return Thing(label, shape=kind, points=values + turn, extra=extra)


def from_via_csv(text: str, where: str = "VIA") -> Annotations:
    """Read VIA's CSV, a line a region, into what its JSON would give.

    Raises
    ------
    DataError : columns that are missing, cells that are no JSON
    """
    records: dict[str, dict[str, Any]] = {}
    try:
        rows = csv.DictReader(io.StringIO(text), strict=True)
        heads = [str(each).lstrip("#") for each in rows.fieldnames or ()]
        missing = [name for name in COLUMNS if name not in heads and name != "region_count"]
        if missing:
            raise DataError(f"{where}: VIA's CSV has columns {', '.join(COLUMNS)}; {missing[0]} is missing")
        rows.fieldnames = heads
        for place, row in enumerate(rows, 2):
            _add_row(records, row, f"{where}: line {place}")
    except csv.Error as error:
        raise DataError(f"{where}: not readable as CSV ({error})") from error
    return from_via(records, where)


def _add_row(records: dict[str, dict[str, Any]], row: dict[str, Any], where: str) -> None:
    cells = {name: row.get(name) or "" for name in COLUMNS}
    if not all(isinstance(cell, str) and len(cell) < FIELD for cell in cells.values()):
        raise DataError(f"{where}: has other cells than the first line")
    shape, attributes, file_attributes = (
        load_json((cells[name] or "{}").encode("utf-8", "replace"), f"{where}, {name}") for name in (*COLUMNS[5:], "file_attributes")
    )
    size: Any = cells["file_size"]
    try:
        size = int(size)
    except ValueError:
        pass
    key = cells["filename"] + cells["file_size"]
    record = records.setdefault(key, {"filename": cells["filename"], "size": size, "regions": [], "file_attributes": file_attributes})
    if shape:
        record["regions"].append({"shape_attributes": shape, "region_attributes": attributes})


def to_via(annotations: Annotations) -> dict[str, Any]:
    """VIA's document for json.dumps: a project where one was read, else the pictures by key.

    Raises
    ------
    DataError : boxes in shares of a picture whose size is not known
    """
    names = annotations.names()
    extra = dict(annotations.extra) if annotations.form == "via" else {}
    attribute = str(extra.pop("class_attribute", CLASS_NAMES[0]))
    records = {}
    for picture in annotations.pictures:
        other = dict(picture.extra)
        size = other.pop("size", -1)
        regions = [region for thing in picture.things for region in _region(thing, names[thing.category], attribute, picture)]
        key = picture.id if annotations.form == "via" and isinstance(picture.id, str) else f"{picture.file}{size}"
        if key in records:
            raise DataError(f"VIA: two pictures have the key {str(key)[:60]!r}; give them different names")
        records[key] = {"filename": picture.file, "size": size, "regions": regions, "file_attributes": {}, **other}
    return {**extra, "_via_img_metadata": records} if extra else records


def _region(thing: Thing, label: str, attribute: str, picture: Picture) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]]
    if thing.polygons:
        shapes = [{"name": "polygon", "all_points_x": list(each[0::2]), "all_points_y": list(each[1::2])} for each in thing.polygons]
    elif thing.shape == "line":
        shapes = [{"name": "polyline", "all_points_x": list(thing.points[0::2]), "all_points_y": list(thing.points[1::2])}]
    elif thing.shape in SHAPES and thing.points:
        shapes = [{"name": thing.shape, **dict(zip((*SHAPES[thing.shape], "theta"), thing.points, strict=False))}]
    else:
        box = thing.outer_box()
        shapes = [] if box is None else [{"name": "rect", **dict(zip(SHAPES["rect"], box.to("xywh", picture.size), strict=True))}]
    return [{"shape_attributes": shape, "region_attributes": {**thing.extra, attribute: label}} for shape in shapes]


def to_via_csv(annotations: Annotations) -> str:
    """VIA's CSV.

    Raises
    ------
    DataError : boxes in shares of a picture whose size is not known
    """
    document = to_via(annotations)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in document.get("_via_img_metadata", document).values():
        start = [record["filename"], record["size"], json.dumps(record["file_attributes"]), len(record["regions"])]
        for place, region in enumerate(record["regions"]):
            writer.writerow([*start, place, json.dumps(region["shape_attributes"]), json.dumps(region["region_attributes"])])
        if not record["regions"]:
            writer.writerow([*start, 0, "{}", "{}"])
    return text.getvalue()
