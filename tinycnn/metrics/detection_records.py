"""Detections and truths as the metrics take them, and COCO's JSON read into them; ids stay as they are, sparse ones too."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError
from .rle import rle_area, rle_box, rle_counts
from .rle_polygon import polygons_to_rle

Id = int | str


@dataclass(frozen=True)
class Truth:
    """One true object. `xywh` is COCO's box (left, top, width, height), kept as written so that no rounding comes between."""

    image: Id
    category: Id
    xywh: tuple[float, float, float, float]
    area: float
    crowd: bool = False
    difficult: bool = False
    mask: dict[str, Any] | None = None
    keypoints: tuple[float, ...] | None = None
    num_keypoints: int = 0


@dataclass(frozen=True)
class Detected:
    """One detection with its score."""

    image: Id
    category: Id
    score: float
    xywh: tuple[float, float, float, float]
    area: float
    mask: dict[str, Any] | None = None
    keypoints: tuple[float, ...] | None = None


@dataclass(frozen=True)
class DetectionData:
    """Truths and detections of a set of images; `categories` are names by id."""

    images: tuple[Id, ...]
    categories: dict[Id, str]
    truths: tuple[Truth, ...]
    detections: tuple[Detected, ...]
    sizes: dict[Id, tuple[int, int]] = field(default_factory=dict)
    files: dict[Id, str] = field(default_factory=dict)


Group = tuple[list[int], list[int]]


def grouped(data: DetectionData) -> dict[tuple[Id, Id], Group]:
    """Of every image and class that has any: the detections, the highest score first (equal ones as given), and the truths, by number."""
    groups: dict[tuple[Id, Id], Group] = {}
    for place, found in enumerate(data.detections):
        groups.setdefault((found.image, found.category), ([], []))[0].append(place)
    for place, truth in enumerate(data.truths):
        groups.setdefault((truth.image, truth.category), ([], []))[1].append(place)
    for detections, _ in groups.values():
        detections.sort(key=lambda place: -data.detections[place].score)
    return groups


def coco_detections(truth: Any, results: Any) -> DetectionData:
    """Truths and detections from COCO's two JSON documents.

    Parameters
    ----------
    truth : the annotation document, {"images": [...], "categories": [...], "annotations": [...]}
    results : the list of detections, [{"image_id", "category_id", "score", "bbox" and/or "segmentation" and/or "keypoints"}, ...]

    Returns
    -------
    DetectionData

    Raises
    ------
    DataError : a document that is not such, with the place and the field

    Notes
    -----
    As pycocotools does it: a detection's area is its box's where the first detection has one, else that of its mask or of the
    box around its keypoints; `iscrowd` alone decides what is ignored. "difficult" (of converted Pascal VOC) is kept for its rule.

    Examples
    --------
    >>> truth = {"images": [{"id": 7, "height": 9, "width": 9}], "categories": [{"id": 18, "name": "dog"}],
    ...     "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": [0, 0, 4, 4], "area": 16, "iscrowd": 0}]}
    >>> data = coco_detections(truth, [{"image_id": 7, "category_id": 18, "bbox": [0, 0, 4, 3], "score": 0.9}])
    >>> data.categories, data.detections[0].area
    ({18: 'dog'}, 12.0)
    """
    if not isinstance(truth, dict) or not all(isinstance(truth.get(key), list) for key in ("images", "annotations", "categories")):
        raise DataError("truth: wants COCO's document with lists named images, annotations and categories")
    if not isinstance(results, list):
        raise DataError("detections: wants a list of detections, each with image_id, category_id, score and bbox")
    sizes: dict[Id, tuple[int, int]] = {}
    files: dict[Id, str] = {}
    images = []
    for place, image in enumerate(truth["images"]):
        known = _id(image, "id", f"images[{place}]")
        images.append(known)
        files[known] = str(image.get("file_name", ""))
        if all(isinstance(image.get(key), int) and image[key] >= 0 for key in ("height", "width")):
            sizes[known] = (image["height"], image["width"])
    names = {_id(each, "id", f"categories[{place}]"): str(each.get("name", each["id"])) for place, each in enumerate(truth["categories"])}
    known_images = set(images)
    truths = [_truth(each, f"annotations[{place}]", known_images, names, sizes) for place, each in enumerate(truth["annotations"])]
    by_box = bool(results) and isinstance(results[0], dict) and bool(results[0].get("bbox"))
    found = [_detected(each, f"detections[{place}]", known_images, names, sizes, by_box) for place, each in enumerate(results)]
    return DetectionData(tuple(_sorted(images)), {each: names[each] for each in _sorted(list(names))}, tuple(truths), tuple(found), sizes, files)


def _sorted(ids: Sequence[Id]) -> list[Id]:
    return sorted(set(ids), key=lambda each: (isinstance(each, str), each))


def _id(record: Any, key: str, where: str) -> Id:
    value = record.get(key) if isinstance(record, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise DataError(f"{where}: {key} must be a whole number or a name, not {str(value)[:40]!r}")
    return value


def _place(record: Any, where: str, images: set[Id], names: dict[Id, str]) -> tuple[Id, Id]:
    image, category = _id(record, "image_id", where), _id(record, "category_id", where)
    if image not in images:
        raise DataError(f"{where}: image_id {image!r} is none of the {len(images)} images of the truth")
    if category not in names:
        hint = "; ids may be sparse, such as COCO's 1 to 90, and are not renumbered" if isinstance(category, int) else ""
        raise DataError(f"{where}: category_id {category!r} is none of the truth's categories{hint}")
    return image, category


def _finite(value: Any, where: str, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise DataError(f"{where}: {name} must be a finite number, not {str(value)[:40]!r}")
    return float(value)


def _box(value: Any, where: str) -> tuple[float, float, float, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise DataError(f"{where}: bbox must be [left, top, width, height], not {str(value)[:60]!r}")
    x, y, width, height = (_finite(each, where, "bbox") for each in value)
    if width < 0 or height < 0:
        raise DataError(f"{where}: bbox [left, top, width, height] has a negative side ({width:g} x {height:g}); are these corners?")
    return x, y, width, height


def _mask(value: Any, where: str, image: Id, sizes: dict[Id, tuple[int, int]]) -> dict[str, Any] | None:
    if not value:
        return None
    try:
        if isinstance(value, dict):
            rle_counts(value)
            return value
        if image not in sizes:
            raise DataError(f"a polygon needs the height and width of image {image!r}")
        if not isinstance(value, list):
            raise DataError("segmentation must be a list of polygons or run lengths")
        return polygons_to_rle(value, *sizes[image])
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _points(value: Any, where: str) -> tuple[float, ...] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or len(value) % 3 or not value:
        raise DataError(f"{where}: keypoints must be [x1, y1, v1, x2, y2, v2, ...]")
    return tuple(_finite(each, where, "keypoints") for each in value)


def _truth(record: Any, where: str, images: set[Id], names: dict[Id, str], sizes: dict[Id, tuple[int, int]]) -> Truth:
    image, category = _place(record, where, images, names)
    mask, points = _mask(record.get("segmentation"), where, image, sizes), _points(record.get("keypoints"), where)
    if "bbox" in record:
        box = _box(record["bbox"], where)
    elif mask is not None:
        box = rle_box(mask)
    else:
        raise DataError(f"{where}: bbox is missing; write [left, top, width, height]")
    area = _finite(record["area"], where, "area") if "area" in record else float(rle_area(mask)) if mask is not None else box[2] * box[3]
    seen = sum(1 for visible in points[2::3] if visible > 0) if points else 0
    count = record.get("num_keypoints")
    crowd, difficult = (bool(record.get(key, 0)) for key in ("iscrowd", "difficult"))
    return Truth(image, category, box, area, crowd, difficult, mask, points, count if isinstance(count, int) else seen)


def _detected(record: Any, where: str, images: set[Id], names: dict[Id, str], sizes: dict[Id, tuple[int, int]], by_box: bool) -> Detected:
    image, category = _place(record, where, images, names)
    score = _finite(record.get("score"), where, "score")
    mask, points = _mask(record.get("segmentation"), where, image, sizes), _points(record.get("keypoints"), where)
    if record.get("bbox"):
        box = _box(record["bbox"], where)
    elif mask is not None:
        box = rle_box(mask)
    elif points is not None:
        x, y = np.array(points[0::3]), np.array(points[1::3])
        box = (float(x.min()), float(y.min()), float(x.max() - x.min()), float(y.max() - y.min()))
    else:
        raise DataError(f"{where}: there is no bbox, no segmentation and no keypoints")
    area = float(rle_area(mask)) if mask is not None and not by_box else box[2] * box[3]
    return Detected(image, category, score, box, area, mask, points)
