"""Annotations written in another format, and in words what that format cannot hold."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...errors import ArgumentError, DataError
from .coco import to_coco
from .labelbox import to_labelbox_ndjson
from .labelme import to_labelme
from .values import Annotations, Thing
from .via import to_via, to_via_csv
from .voc import KNOWN, PICTURE_KEYS, held_by_xml, to_voc, xml_text
from .yolo import to_yolo

__all__ = ["TARGETS", "convert_annotations", "losses", "write_annotations"]

# What a thing may have: how to see that it has it, and what becomes of it in a format that does not hold it.
FEATURES: dict[str, tuple[Callable[[Thing], bool], str]] = {
    "polygons": (lambda thing: bool(thing.polygons), "outlines become boxes"),
    "parts": (lambda thing: len(thing.polygons) > 1, "things of several outlines become one thing an outline, or their box"),
    "masks": (lambda thing: thing.mask is not None, "masks become boxes"),
    "keypoints": (lambda thing: thing.keypoints is not None, "sets of keypoints are lost"),
    "lines": (lambda thing: thing.shape in ("point", "line"), "points and lines become the boxes around them"),
    "circles": (lambda thing: thing.shape == "circle", "circles become boxes"),
    "ellipses": (lambda thing: thing.shape == "ellipse", "ellipses become boxes"),
    "own boxes": (lambda thing: _box_beside(thing), "boxes drawn beside an outline or a mask are lost; the outline's own box remains"),
    "crowd": (lambda thing: thing.crowd, "crowd flags are lost: regions of many objects will count as one"),
    "difficult": (lambda thing: thing.difficult, "difficult flags are lost: VOC's evaluation leaves such things out"),
    "truncated": (lambda thing: thing.truncated or thing.occluded, "truncated and occluded flags are lost"),
    "area": (lambda thing: thing.area is not None, "stated areas are lost; COCO's evaluation sorts by them"),
    "ids": (lambda thing: thing.id is not None, "annotation ids are lost"),
    "nothing": (lambda thing: thing.outer_box() is None, "things have nothing that can be drawn; they are left out"),
}
HOLDS = {
    "coco": {"polygons", "parts", "masks", "keypoints", "own boxes", "crowd", "difficult", "truncated", "area", "ids", "nothing"},
    "voc": {"polygons", "parts", "keypoints", "own boxes", "difficult", "truncated"},
    "yolo": {"polygons"},
    "labelme": {"polygons", "parts", "lines", "circles"},
    "via": {"polygons", "lines", "circles", "ellipses"},
    "labelbox": {"polygons", "lines", "nothing"},
}
HOLDS["via-csv"] = HOLDS["via"]
TARGETS = tuple(HOLDS)
HOLDS_SIZES = ("coco", "voc", "labelme", "labelbox")
HOLDS_NAMES_ONLY = ("voc", "labelme", "via", "via-csv", "labelbox")
WORKING_KEYS = {"class_attribute", "edge", "shares", "shape_type", "imageData"}


def _box_beside(thing: Thing) -> bool:
    if thing.box is None or not (thing.polygons or thing.mask):
        return False
    around = replace(thing, box=None, keypoints=None).outer_box()
    if around is None or thing.box.fmt in ("yolo", "percent"):
        return True
    pairs = zip(thing.box.to("xyxy"), around.to("xyxy"), strict=True)
    return any(abs(own - other) > 1e-6 for own, other in pairs)


def losses(annotations: Annotations, to: str) -> list[str]:
    """What a format cannot hold of these annotations, a sentence each; an empty list where nothing is lost.

    Parameters
    ----------
    annotations : of any format
    to : a name of `TARGETS`

    Returns
    -------
    list of str

    Raises
    ------
    ArgumentError : a format that does not exist

    Examples
    --------
    >>> from tinycnn.data.annotations import Annotations, Category, Picture, Thing
    >>> crowd = Thing(1, polygons=((0, 0, 4, 0, 4, 4),), shape="polygon", crowd=True)
    >>> losses(Annotations("coco", (Picture("a.jpg", (9, 9), (crowd,)),), (Category(1, "dog"),)), "yolo")
    ['1 of 1: crowd flags are lost: regions of many objects will count as one', 'category ids change: 1 becomes 0', \
'picture sizes are not written: they must be read from the pictures']
    """
    if to not in HOLDS:
        raise ArgumentError(f"convert: there is no format {to!r}; there are {', '.join(TARGETS)}")
    things = [thing for _, thing in annotations.things()]
    lost = []
    for name, (has, sentence) in FEATURES.items():
        count = sum(map(has, things))
        if count and name not in HOLDS[to]:
            lost.append(f"{count} of {len(things)}: {sentence}")
    return lost + _lost_of_categories(annotations, to) + _lost_of_pictures(annotations, to) + _lost_keys(annotations, to)


def _lost_of_categories(annotations: Annotations, to: str) -> list[str]:
    lost = []
    ids = [category.id for category in annotations.categories]
    if to == "yolo" and ids != list(range(len(ids))):
        changed = next((known, place) for place, known in enumerate(ids) if known != place)
        lost.append(f"category ids change: {changed[0]!r} becomes {changed[1]}")
    if to in HOLDS_NAMES_ONLY and annotations.form in ("coco", "yolo"):
        lost.append("category ids are lost: this format knows categories by their names")
    if to == "coco" and any(isinstance(each, str) for each in ids):
        lost.append("category ids are texts; COCO's are whole numbers, and they are numbered from 1")
    if to in HOLDS_NAMES_ONLY:
        used = {thing.category for _, thing in annotations.things()}
        unused = [category.name for category in annotations.categories if category.id not in used]
        if unused:
            lost.append(f"{len(unused)} categories without a single thing are lost: {', '.join(unused[:5])[:200]}")
    names = [category.name for category in annotations.categories]
    changed_names = [name for name in names if (to == "voc" and xml_text(name) != name) or (to == "yolo" and " ".join(name.split()) != name)]
    if changed_names:
        lost.append(f"{len(changed_names)} class names lose letters that the format cannot hold: {', '.join(map(repr, changed_names[:5]))[:200]}")
    if to in HOLDS_NAMES_ONLY and len(set(names)) < len(names):
        lost.append("categories of one name become one category")
    if to != "coco" and any(category.supercategory or category.keypoints or category.extra for category in annotations.categories):
        lost.append("supercategories, names of keypoints and skeletons are lost")
    return lost


def _lost_of_pictures(annotations: Annotations, to: str) -> list[str]:
    lost = []
    pictures = annotations.pictures
    if to not in HOLDS_SIZES and annotations.form in HOLDS_SIZES and any(picture.size for picture in pictures):
        lost.append("picture sizes are not written: they must be read from the pictures")
    if to == "via-csv" and any(picture.id not in (None, f"{picture.file}{picture.extra.get('size', -1)}") for picture in pictures):
        lost.append("picture keys are lost: a CSV makes them of file name and size")
    if any(picture.id is not None for picture in pictures):
        if to == "coco" and any(isinstance(picture.id, str) for picture in pictures):
            lost.append("picture ids are texts; COCO's are whole numbers, and they are numbered from 1")
        elif to not in ("coco", "labelbox") and annotations.form != to.removesuffix("-csv"):
            lost.append("picture ids are lost: this format knows pictures by their files")
    if to == "voc" and any(thing.box is not None and any(value != int(value) for value in _written(thing)) for _, thing in annotations.things()):
        lost.append("boxes have fractions of a pixel; they are written, but many readers of VOC cut them off")
    if to == "yolo" and annotations.form != "yolo":
        lost.extend(["file names keep only their stem, as YOLO finds pictures by it"] if any("/" in picture.file for picture in pictures) else [])
    return lost


def _written(thing: Thing) -> tuple[float, ...]:
    return (0.5,) if thing.box is None or thing.box.fmt in ("yolo", "percent") else thing.box.values


def _lost_keys(annotations: Annotations, to: str) -> list[str]:
    if to.removesuffix("-csv") == annotations.form:
        return ["keys of the project are lost: a CSV has no place for them"] if to == "via-csv" and set(annotations.extra) - WORKING_KEYS else []
    lost = []
    if set(annotations.extra) - WORKING_KEYS:
        lost.append(f"keys of the whole document are lost: {', '.join(sorted(set(annotations.extra) - WORKING_KEYS))[:200]}")
    if any(picture.extra.get("imageData") for picture in annotations.pictures):
        lost.append("the pictures inside the annotations (imageData) are left out")
    keys = {key for _, thing in annotations.things() for key in thing.extra} - WORKING_KEYS
    if to == "yolo" and keys:
        lost.append(f"keys of things are lost: {', '.join(sorted(keys))[:200]}")
    if to == "voc":
        texts = {key for _, thing in annotations.things() for key, value in thing.extra.items() if not held_by_xml(str(key), value, KNOWN)}
        texts |= {key for picture in annotations.pictures for key, value in picture.extra.items() if not held_by_xml(str(key), value, PICTURE_KEYS)}
        if texts - WORKING_KEYS:
            lost.append(f"keys become text, or are lost where XML has no place for them: {', '.join(sorted(texts - WORKING_KEYS))[:200]}")
    of_pictures = {key for picture in annotations.pictures for key in picture.extra} - WORKING_KEYS
    if to in ("yolo", "via-csv") and of_pictures:
        lost.append(f"keys of pictures are lost: {', '.join(sorted(of_pictures))[:200]}")
    return lost


def convert_annotations(annotations: Annotations, to: str, one_based: bool = True) -> dict[str, bytes]:
    """The files of another format.

    Parameters
    ----------
    annotations : of any format
    to : a name of `TARGETS`
    one_based : for VOC, whether pixels are counted from 1

    Returns
    -------
    dict of file names and their bytes

    Raises
    ------
    ArgumentError : a format that does not exist
    DataError : shares of pictures of unknown size, two pictures of one name
    """
    if to not in HOLDS:
        raise ArgumentError(f"convert: there is no format {to!r}; there are {', '.join(TARGETS)}")
    if to.removesuffix("-csv") != annotations.form:
        annotations = replace(
            annotations,
            pictures=tuple(
                replace(picture, extra={key: value for key, value in picture.extra.items() if key != "imageData"}) for picture in annotations.pictures
            ),
        )
    if to == "coco":
        return {"annotations.json": json.dumps(to_coco(annotations)).encode()}
    if to == "voc":
        return to_voc(annotations, one_based)
    if to == "labelme":
        return to_labelme(annotations)
    if to == "via":
        return {"via.json": json.dumps(to_via(annotations)).encode()}
    if to == "via-csv":
        return {"via.csv": to_via_csv(annotations).encode("utf-8", "replace")}
    if to == "labelbox":
        return {"labelbox.ndjson": to_labelbox_ndjson(annotations)}
    return {name: text.encode("utf-8", "replace") for name, text in to_yolo(annotations).items()}


def write_annotations(annotations: Annotations, to: str, out: str | os.PathLike[str], one_based: bool = True) -> list[Path]:
    """Write annotations into a folder, or into one file where the format has only one.

    Parameters
    ----------
    annotations, to, one_based : as `convert_annotations` takes them
    out : a folder, made where it is missing; or a file, for coco, via, via-csv and labelbox

    Returns
    -------
    list of Path, what was written

    Raises
    ------
    DataError : a file that is there already; nothing is overwritten
    """
    files = convert_annotations(annotations, to, one_based)
    target = Path(out)
    single = len(files) == 1 and target.suffix.lower() in (".json", ".csv", ".ndjson", ".jsonl", ".xml")
    paths = {(target if single else target / name): data for name, data in files.items()}
    taken = [path for path in paths if path.exists()]
    if taken:
        raise DataError(f"{taken[0]}: is there already; choose another place, nothing is overwritten")
    for path, data in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return list(paths)
