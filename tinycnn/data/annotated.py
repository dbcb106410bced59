"""Annotated pictures of any known format as a data set for detectors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, DataError
from ..metrics.rle import rle_decode
from ..metrics.rle_polygon import polygons_to_rle
from .annotations import Annotations, Picture, PictureFiles, Thing, read_splits
from .annotations.boxes import Size
from .detection import DetectionDataset
from .folder import read_picture
from .transforms.joint import Target

__all__ = ["AnnotatedImages"]

LEAST_SIDE = 1e-3  # pixels: what is thinner has no area


class AnnotatedImages(DetectionDataset):
    """Pictures with annotations: a folder of Pascal VOC, COCO, YOLO, LabelMe, VIA or LabelBox, as a detector learns from it.

    Parameters
    ----------
    source : path or Annotations
        The folder or file of the annotations, or what `read_annotations` gave.
    split : str, optional
        One of the splits that `read_splits` finds (train, val, test, or a COCO file's name); all together if left out.
    images : path, optional
        The folder of the pictures; the folder of the annotations if left out.
    form : str, optional
        The format, where a folder holds several.
    one_based : bool
        For VOC, whether pixels are counted from 1.
    difficult : bool
        Whether things with VOC's flag "difficult" are kept; targets then say which they are, and VOC's measures pass them over.
    masks, keypoints : bool, optional
        Whether targets have them; left out, where any thing has an outline or a mask, and where any has keypoints.
    transform : JointTransform or function, optional
        What is done to each pair of image and target.

    Attributes
    ----------
    notes : list of str
        What was cut or left out, in words: boxes without area, boxes that leave their picture.
    ids : dict
        The label of each category id; labels are contiguous from 1, the files' ids stay as they are.

    Raises
    ------
    DataError
        When pictures are missing, the split does not exist, or the annotations cannot be read.

    Notes
    -----
    Boxes are cut at the border; one without area, or that begins and ends in one pixel, is left out, and `notes` says so.
    Crowds stay, with iscrowd 1. Pictures are read as they are stored: a rotation in EXIF is not obeyed; `tinycnn data check` tells of it.

    Examples
    --------
    >>> data = AnnotatedImages("../shared/data/bccd", split="train")  # doctest: +SKIP
    >>> data.classes, len(data)  # doctest: +SKIP
    (('Platelets', 'RBC', 'WBC'), 205)
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | Annotations,
        split: str | None = None,
        *,
        images: str | os.PathLike[str] | None = None,
        form: str | None = None,
        one_based: bool = True,
        difficult: bool = True,
        masks: bool | None = None,
        keypoints: bool | None = None,
        transform: Any = None,
    ) -> None:
        parts = {"all": source} if isinstance(source, Annotations) else read_splits(source, form, one_based=one_based, images=images)
        if split is not None and split not in parts:
            raise DataError(f"AnnotatedImages: there is no split {split!r}; there are {', '.join(parts)}")
        chosen = list(parts.values()) if split is None else [parts[split]]
        if any(part.categories != chosen[0].categories for part in chosen):
            raise DataError(f"AnnotatedImages: the splits {', '.join(parts)} have different categories; choose one with split=")
        self.annotations = chosen[0]
        self.pictures = [picture for part in chosen for picture in part.pictures]
        self.ids = self.annotations.labels()
        self.classes = tuple(category.name for category in self.annotations.categories)
        self.transform = transform
        self.notes = [note for part in chosen for note in part.notes]
        self._paths = self._find(source, images, split or "")
        self._things: list[list[tuple[Thing, np.ndarray]]] = self._usable(difficult)
        kept = [thing for things in self._things for thing, _ in things]
        self.has_difficult = any(thing.difficult for thing in kept)
        self.has_masks = masks if masks is not None else any(thing.polygons or thing.mask for thing in kept)
        points = max((len(thing.keypoints or ()) // 3 for thing in kept), default=0)
        self.points = points if keypoints is None or keypoints else 0
        self.swap = _mirror(next((each.keypoints for each in self.annotations.categories if len(each.keypoints) == self.points), ()))

    def _find(self, source: Any, images: Any, split: str) -> list[Path]:
        """The file of each picture."""
        if images is None and isinstance(source, Annotations):
            raise ArgumentError("AnnotatedImages: annotations that were read already need images=, the folder of the pictures")
        place = Path(images if images is not None else source)
        files = PictureFiles(place if place.is_dir() else place.parent)
        found = [(picture.file, files.find(picture.file, split)) for picture in self.pictures]
        missing = [file for file, path in found if path is None]
        if missing:
            raise DataError(
                f"AnnotatedImages: {len(missing)} of {len(found)} pictures are not in {files.folder}, {missing[0]!r} the first; give images="
            )
        self._files = files
        return [path for _, path in found if path is not None]

    def _usable(self, difficult: bool) -> list[list[tuple[Thing, np.ndarray]]]:
        """The things of each picture that have an area inside it, with their boxes as xyxy."""
        result, empty, cut = [], [], 0
        for place, picture in enumerate(self.pictures):
            kept = []
            size = self._size(place)
            for thing in picture.things:
                if thing.difficult and not difficult:
                    continue
                box = thing.outer_box()
                corners = np.array(box.to("xyxy", size) if box is not None else (0, 0, 0, 0), np.float64)
                inside = np.clip(corners, 0, [size[1], size[0], size[1], size[0]])
                if (inside[2:] - inside[:2] < LEAST_SIDE).any() or (box is not None and box.clicked):
                    empty.append(picture.file)
                    continue
                cut += bool((inside != corners).any())
                kept.append((thing, inside.astype(np.float32)))
            result.append(kept)
        if empty:
            self.notes.append(f"boxes left out, for they have no area inside their picture or are one click: {len(empty)}, the first of {empty[0]}")
        if cut:
            self.notes.append(f"boxes that leave their picture, cut at its border: {cut}")
        return result

    def _size(self, place: int) -> Size:
        """The picture's height and width as stored."""
        header = self._files.header(self._paths[place])
        if header is None:
            raise DataError(f"{self._paths[place]}: not a readable PNG, JPEG, BMP or PGM picture")
        return header.size

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.pictures)

    def pair(self, index: int) -> tuple[np.ndarray, Target]:
        """Read one picture and its target."""
        image = read_picture(self._paths[index], "RGB").transpose(2, 0, 1).astype(np.float32) / np.float32(255)
        height, width = image.shape[-2:]
        things = [thing for thing, _ in self._things[index]]
        boxes = np.array([box for _, box in self._things[index]], np.float32).reshape(-1, 4)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        stated = [area if thing.area is None else thing.area for thing, area in zip(things, areas, strict=True)]
        target: Target = {
            "boxes": boxes,
            "labels": np.array([self.ids[thing.category] for thing in things], np.int64),
            "area": np.array(stated, np.float32),
            "iscrowd": np.array([thing.crowd for thing in things], np.int64),
            "image_id": self._image_id(self.pictures[index], index),
        }
        if self.has_difficult:
            target["difficult"] = np.array([thing.difficult for thing in things], np.int64)
        if self.has_masks:
            masks = [_mask(thing, box, height, width) for thing, box in self._things[index]]
            target["masks"] = np.stack(masks) if masks else np.zeros((0, height, width), np.uint8)
        if self.points:
            target["keypoints"] = np.zeros((len(things), self.points, 3), np.float32)
            for place, thing in enumerate(things):
                own = np.array(thing.keypoints or (), np.float32).reshape(-1, 3)
                target["keypoints"][place, : len(own)] = own
        return image, target

    def _image_id(self, picture: Picture, index: int) -> int:
        return picture.id if isinstance(picture.id, int) else index


def _mask(thing: Thing, box: np.ndarray, height: int, width: int) -> np.ndarray:
    """The pixels of a thing, uint8 (height, width); those of its box where nothing else was drawn."""
    if thing.mask is not None:
        mask = rle_decode(thing.mask)
        if mask.shape != (height, width):
            raise DataError(f"AnnotatedImages: a mask of {mask.shape[0]} x {mask.shape[1]} lies on a picture of {height} x {width}")
        return mask
    outlines = [polygon for polygon in thing.polygons if len(polygon) >= 6]
    if outlines:
        return rle_decode(polygons_to_rle(outlines, height, width))
    mask = np.zeros((height, width), np.uint8)
    left, top, right, bottom = np.rint(box).astype(int).tolist()
    mask[top:bottom, left:right] = 1
    return mask


def _mirror(names: tuple[str, ...]) -> tuple[int, ...]:
    """Which keypoint each one becomes in a mirror, by the words left and right in their names.

    Examples
    --------
    >>> _mirror(("nose", "left_eye", "right_eye"))
    (0, 2, 1)
    """
    other = [name.replace("left", "\0").replace("right", "left").replace("\0", "right") for name in names]
    return tuple(names.index(name) if name in names else place for place, name in enumerate(other))
