"""COCO's JSON: boxes, polygons, run-length masks, crowds and keypoints; ids stay as they are, sparse ones too."""

from __future__ import annotations

from typing import Any

from ...errors import DataError
from ...metrics.rle import rle_area, rle_counts
from ..folder import MAX_PIXELS
from .boxes import Box
from .geometry import polygon_area
from .safe import edge, file_name, flag, identity, number, numbers, remaining
from .values import Annotations, Category, Id, Picture, Thing

__all__ = ["from_coco", "to_coco"]

IMAGE_KEYS = {"id", "file_name", "height", "width"}
CATEGORY_KEYS = {"id", "name", "supercategory", "keypoints", "skeleton"}
THING_KEYS = {"id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd", "keypoints", "num_keypoints"}
FLAGS = ("difficult", "truncated", "occluded")


def from_coco(document: Any, where: str = "COCO") -> Annotations:
    """Read COCO's document.

    Parameters
    ----------
    document : {"images": [...], "annotations": [...], "categories": [...]}
    where : named in complaints

    Returns
    -------
    Annotations

    Raises
    ------
    DataError : with the place and the field

    Notes
    -----
    Annotations of pictures or categories that the document lacks are left out, and a note says how many.

    Examples
    --------
    >>> document = {"images": [{"id": 7, "file_name": "a.jpg"}], "categories": [{"id": 18, "name": "dog"}],
    ...     "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": [0, 0, 4, 3]}]}
    >>> from_coco(document).pictures[0].things[0].box
    Box(values=(0, 0, 4, 3), fmt='xywh')
    """
    if not isinstance(document, dict) or not all(isinstance(document.get(key), list) for key in ("images", "annotations", "categories")):
        raise DataError(f"{where}: COCO's document has lists named images, annotations and categories")
    categories = tuple(_category(each, f"{where}: categories[{place}]") for place, each in enumerate(document["categories"]))
    images = [_image(each, f"{where}: images[{place}]") for place, each in enumerate(document["images"])]
    notes = _repeated("image", [image.id for image in images]) + _repeated("category", [each.id for each in categories])
    known = {each.id for each in categories}
    things: dict[Any, list[Thing]] = {image.id: [] for image in images}
    lost, unnamed, ids = 0, 0, []
    for place, each in enumerate(document["annotations"]):
        of_image, thing = _thing(each, f"{where}: annotations[{place}]")
        ids.append(thing.id)
        lost += of_image not in things
        unnamed += of_image in things and thing.category not in known
        if of_image in things and thing.category in known:
            things[of_image].append(thing)
    notes += _repeated("annotation", [each for each in ids if each is not None])
    if lost:
        notes.append(f"{lost} annotations are of an image_id that the document lacks; they are left out")
    if unnamed:
        notes.append(f"{unnamed} annotations are of a category_id that the document lacks; they are left out")
    pictures, taken = [], set()
    for image in images:
        own = () if image.id in taken else tuple(things[image.id])  # of two images with one id the first has the things
        taken.add(image.id)
        pictures.append(Picture(image.file, image.size, own, image.id, image.extra))
    extra = remaining(document, {"images", "annotations", "categories"})
    return Annotations("coco", tuple(pictures), categories, extra, tuple(notes))


def _repeated(kind: str, ids: list[Any]) -> list[str]:
    twice = len(ids) - len(set(ids))
    return [f"{twice} {kind} ids are given twice; tools keep the last and lose the others"] if twice else []


def _record(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{where}: must be an object with keys, not {str(value)[:40]!r}")
    return value


def _image(value: Any, where: str) -> Picture:
    record = _record(value, where)
    size = None
    if record.get("height") is not None and record.get("width") is not None:
        size = edge(record["height"], where, "height"), edge(record["width"], where, "width")
    name = file_name(record.get("file_name"), where)
    return Picture(name, size, (), identity(record.get("id"), where, "id"), remaining(record, IMAGE_KEYS))


def _category(value: Any, where: str) -> Category:
    record = _record(value, where)
    names, pairs = record.get("keypoints") or [], record.get("skeleton") or []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise DataError(f"{where}: keypoints must be a list of names")
    if not isinstance(pairs, list):
        raise DataError(f"{where}: skeleton must be a list of pairs")
    joined = []
    for pair in pairs:
        first, second = numbers(pair, where, "skeleton", 2)
        joined.append((int(first), int(second)))
    supercategory = record.get("supercategory") or ""
    name = str(identity(record.get("name", record.get("id")), where, "name"))
    if not name.strip():
        raise DataError(f"{where}: name must have letters; it is {name!r}")
    if not isinstance(supercategory, str):
        raise DataError(f"{where}: supercategory must be a text")
    return Category(identity(record.get("id"), where, "id"), name, supercategory, tuple(names), tuple(joined), remaining(record, CATEGORY_KEYS))


def _thing(value: Any, where: str) -> tuple[Id, Thing]:
    record = _record(value, where)
    box = None
    if record.get("bbox"):
        a, b, c, d = numbers(record["bbox"], where, "bbox", 4)
        box = Box((a, b, c, d), "xywh")
    outline = record.get("segmentation")
    polygons: tuple[tuple[float, ...], ...] = ()
    mask = None
    if isinstance(outline, dict):
        _, height, width = rle_counts(outline)
        if height * width > MAX_PIXELS:
            raise DataError(f"{where}: a mask of {height} x {width} has more than the {MAX_PIXELS} pixels allowed")
        mask = outline
    elif isinstance(outline, list):
        polygons = tuple(numbers(each, where, "segmentation", multiple=2) for each in outline)
    elif outline is not None:
        raise DataError(f"{where}: segmentation must be polygons or run lengths, not {str(outline)[:40]!r}")
    points = numbers(record["keypoints"], where, "keypoints", multiple=3) if record.get("keypoints") else None
    area = None if record.get("area") is None else number(record["area"], where, "area")
    known = THING_KEYS | set(FLAGS) if points is not None else (THING_KEYS | set(FLAGS)) - {"num_keypoints"}
    known_id = None if record.get("id") is None else identity(record["id"], where, "id")
    shape = "mask" if mask is not None else "polygon" if polygons else "keypoints" if points and box is None else "box"
    difficult, truncated, occluded = (flag(record.get(name), where, name) for name in FLAGS)
    thing = Thing(
        category=identity(record.get("category_id"), where, "category_id"),
        box=box,
        polygons=polygons,
        mask=mask,
        keypoints=points,
        shape=shape,
        crowd=flag(record.get("iscrowd"), where, "iscrowd"),
        difficult=difficult,
        truncated=truncated,
        occluded=occluded,
        area=area,
        id=known_id,
        extra=remaining(record, known),
    )
    return identity(record.get("image_id"), where, "image_id"), thing


def to_coco(annotations: Annotations) -> dict[str, Any]:
    """The document of annotations.

    Parameters
    ----------
    annotations : of any format

    Returns
    -------
    dict for json.dumps. Whole-number ids stay; others are numbered from 1 in order.

    Raises
    ------
    DataError : boxes in shares of a picture whose size is not known

    Examples
    --------
    >>> value = Annotations("voc", (Picture("a.jpg", (9, 9), (Thing(1, Box((1, 1, 4, 3), "voc")),)),), (Category(1, "dog"),))
    >>> to_coco(value)["annotations"][0]["bbox"]
    [0.0, 0.0, 4.0, 3.0]
    """
    categories = _numbered([each.id for each in annotations.categories])
    images = _numbered([picture.id for picture in annotations.pictures])
    own = _numbered([thing.id for _, thing in annotations.things()])
    document: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    numbered = dict(zip([each.id for each in annotations.categories], categories, strict=True))
    count = 0
    for picture, image in zip(annotations.pictures, images, strict=True):
        entry: dict[str, Any] = {"id": image, "file_name": picture.file}
        if picture.size is not None:
            entry |= {"height": picture.size[0], "width": picture.size[1]}
        document["images"].append({**picture.extra, **entry})
        for thing in picture.things:
            document["annotations"].append(_entry(thing, own[count], image, numbered[thing.category], picture))
            count += 1
    for category, known in zip(annotations.categories, categories, strict=True):
        kind: dict[str, Any] = {"id": known, "name": category.name, "supercategory": category.supercategory}
        if category.keypoints or category.skeleton:
            kind |= {"keypoints": list(category.keypoints), "skeleton": [list(pair) for pair in category.skeleton]}
        document["categories"].append({**category.extra, **kind})
    return {**annotations.extra, **document} if annotations.form == "coco" else document


def _numbered(ids: list[Any]) -> list[int]:
    """The ids where they are different whole numbers, else 1, 2, 3 ..."""
    if all(isinstance(each, int) for each in ids) and len(set(ids)) == len(ids):
        return ids
    return list(range(1, len(ids) + 1))


def _entry(thing: Thing, known: int, image: int, category: int, picture: Picture) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": known, "image_id": image, "category_id": category}
    box = thing.outer_box()
    area = thing.area
    if box is not None:
        entry["bbox"] = list(box.to("xywh", picture.size))
        area = area if area is not None else _area(thing, entry["bbox"])
    if thing.mask is not None:
        entry["segmentation"] = thing.mask
    elif thing.polygons:
        entry["segmentation"] = [list(polygon) for polygon in thing.polygons]
    if thing.keypoints is not None:
        seen = sum(1 for visible in thing.keypoints[2::3] if visible > 0)
        entry |= {"keypoints": list(thing.keypoints), "num_keypoints": seen}
    entry["iscrowd"] = int(thing.crowd)
    if area is not None:
        entry["area"] = area
    entry |= {name: 1 for name in FLAGS if getattr(thing, name)}
    return {**thing.extra, **entry}


def _area(thing: Thing, box: list[float]) -> float:
    if thing.mask is not None:
        return float(rle_area(thing.mask))
    if thing.polygons:
        return sum(polygon_area(polygon) for polygon in thing.polygons)
    return max(box[2], 0) * max(box[3], 0)
