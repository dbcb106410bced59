"""Images whose label is a map: CamVid's classes of every pixel, the nuclei's instance numbers, any pair of folders laid out alike, drawn shapes."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import ArgumentError, DataError
from .dataset import check_index
from .detection import DetectionDataset
from .download import data_folders
from .folder import BROKEN_PICTURE, MAX_PIXELS, SUFFIXES, read_picture
from .shapes import ShapesDetection
from .transforms.joint import IGNORE, boxes_of_masks

__all__ = [
    "CAMVID_CLASSES",
    "IGNORE",
    "LABEL_MAP_NAMES",
    "VOC_NAMES",
    "LabelMaps",
    "MaskMaps",
    "instance_targets",
    "known_name",
    "load_label_maps",
    "read_label_map",
]

CAMVID_CLASSES = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist")
# Pascal VOC's, in the order of its class numbers: what torchvision's segmentation networks were trained to name.
VOC_NAMES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
SPLITS = ("train", "val", "test")
NAMES = {"camvid": ("camvid", "camvid_half", "CamVid"), "nuclei": ("nuclei", "dsb2018_256")}
LABEL_MAP_NAMES = ("shapes", *NAMES)
DRAWN = {"train": (200, 0, True), "val": (40, 1, True), "test": (40, 0, False)}  # ShapesDetection's n, seed and train
TEST_EVERY = 5  # of the nuclei, which come without a split: every fifth image by name is for testing


def read_label_map(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a PNG whose pixels are numbers of classes or instances; of a palette's colours the numbers, not the colours.

    Returns
    -------
    ndarray
        (height, width), uint8, or int32 from a file of 16 bits.

    Raises
    ------
    DataError
        When the file is missing, damaged, larger than 50 million pixels, or a colour picture.
    """
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise DataError(f"{path}: {height}x{width} pixels are more than the {MAX_PIXELS} allowed")
            if picture.mode not in ("L", "P", "I", "I;16", "1"):
                raise DataError(f"{path}: is a picture of mode {picture.mode}; a label map is a grey or palette PNG whose pixels are class numbers")
            array = np.asarray(picture)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except BROKEN_PICTURE as error:
        raise DataError(f"{path}: is no PNG that can be read ({error})") from error
    return array.astype(np.uint8 if array.dtype.kind == "b" or array.dtype == np.uint8 else np.int32)


class LabelMaps:
    """Pictures and their label maps, read when asked for.

    Shapes: dataset[i] -> (height, width, 3) uint8, (height, width) uint8 or int32

    Parameters
    ----------
    pairs : list of (path, path)
        Picture and label map.
    classes : tuple of str
        Names; empty where labels are instance numbers.
    ignore : int, optional
        The number on disk that means "not labelled"; it becomes 255.

    Raises
    ------
    DataError
        When asked for a pair whose sizes differ, or a class that has no name.
    """

    def __init__(self, pairs: Sequence[tuple[Path, Path]], classes: Sequence[str], ignore: int | None = None) -> None:
        self.pairs, self.classes, self.ignore = list(pairs), tuple(classes), ignore

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read one pair."""
        picture_path, label_path = self.pairs[index]
        picture, labels = read_picture(picture_path, "RGB"), read_label_map(label_path)
        if picture.shape[:2] != labels.shape:
            raise DataError(f"{label_path}: is {labels.shape[0]}x{labels.shape[1]}, its picture {picture.shape[0]}x{picture.shape[1]}")
        if not self.classes:
            return picture, labels
        if self.ignore is not None:
            labels = np.where(labels == self.ignore, IGNORE, labels).astype(np.uint8)
        named = labels[labels != IGNORE]
        if named.size and named.max() >= len(self.classes):
            raise DataError(f"{label_path}: holds class {named.max()}, but there are {len(self.classes)} classes, from 0")
        return picture, labels.astype(np.uint8)

    def first(self, count: int | None) -> LabelMaps:
        """Return the first pictures only; all for None."""
        return LabelMaps(self.pairs[:count], self.classes, self.ignore)


class MaskMaps(LabelMaps):
    """The images of a detector's data set, with label maps made of its masks: background 0, the label where a mask is, the last one on top.

    Shapes: dataset[i] -> (height, width, 3) uint8, (height, width) uint8 classes, or int32 numbers of the things

    Parameters
    ----------
    data : DetectionDataset
        Whose targets have masks.
    instances : bool
        Whether labels are numbers of things, from 1, instead of classes.

    Raises
    ------
    ArgumentError
        When asked for a pair without masks.

    Examples
    --------
    >>> data = MaskMaps(ShapesDetection(5, size=96))
    >>> picture, labels = data[3]
    >>> picture.shape, labels.shape, data.classes
    ((96, 96, 3), (96, 96), ('background', 'triangle', 'half disc', 'arrow'))
    """

    def __init__(self, data: DetectionDataset, *, instances: bool = False) -> None:
        super().__init__([], () if instances else ("background", *data.classes))
        self.data, self.count = data, len(data)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return self.count

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Make one pair."""
        image, target = self.data[check_index(index, self.count)]
        if "masks" not in target:
            raise ArgumentError(f"MaskMaps: the targets of {type(self.data).__name__} have no masks")
        picture = np.ascontiguousarray(np.rint(255 * image).astype(np.uint8).transpose(1, 2, 0))
        labels = np.zeros(picture.shape[:2], np.uint8 if self.classes else np.int32)
        for number, mask in enumerate(target["masks"]):
            labels[mask > 0] = target["labels"][number] if self.classes else number + 1
        return picture, labels

    def first(self, count: int | None) -> MaskMaps:
        """Return the first pictures only; all for None."""
        fewer = copy.copy(self)
        fewer.count = self.count if count is None else min(count, self.count)
        return fewer


def load_label_maps(name_or_path: str | os.PathLike[str], split: str = "train", *, classes: Sequence[str] | None = None) -> LabelMaps:
    """Find a data set of label maps by name or path.

    Parameters
    ----------
    name_or_path : str or path
        "shapes", those of `ShapesDetection` on 64 x 64 pixels, drawn when asked for; "camvid" or "nuclei", looked for in `data_folders`; or a folder
        with ``train/`` and ``trainannot/`` (and val, test) as CamVid has them, or with ``images/`` and ``labels/`` as the nuclei have them. Nothing
        is downloaded.
    split : str
        "train", "val" or "test". The nuclei have two: every fifth image by name is test, and val is test.
    classes : list of str, optional
        Names of the classes of a folder laid out as CamVid's; if left out the lines of its file classes.txt, else CamVid's own. The number
        after the last one, and 255, mean "not labelled".

    Returns
    -------
    LabelMaps

    Raises
    ------
    ArgumentError
        For an unknown split.
    DataError
        When there is no such data set, or a picture has no label map.

    Examples
    --------
    >>> load_label_maps("camvid", "everything")
    Traceback (most recent call last):
    tinycnn.kernels.errors.ArgumentError: load_label_maps: split must be one of train, val, test, not 'everything'
    """
    if split not in SPLITS:
        raise ArgumentError(f"load_label_maps: split must be one of {', '.join(SPLITS)}, not {split!r}")
    if str(name_or_path) == "shapes":
        count, seed, train = DRAWN[split]
        return MaskMaps(ShapesDetection(count, 64, seed, train=train, objects=(2, 4), extent=(0.2, 0.4)))
    root = _find(name_or_path)
    if (root / "images").is_dir() and (root / "labels").is_dir():
        pairs = _pairs(root / "images", root / "labels")
        chosen = [pair for number, pair in enumerate(pairs) if (number % TEST_EVERY == 0) != (split == "train")]
        return LabelMaps(chosen, ())
    if not (root / split).is_dir() or not (root / f"{split}annot").is_dir():
        raise DataError(f"{root}: has neither {split}/ and {split}annot/ nor images/ and labels/ in it")
    names = _class_names(root) if classes is None else tuple(classes)
    return LabelMaps(_pairs(root / split, root / f"{split}annot"), names, len(names))


def instance_targets(labels: Any) -> dict[str, np.ndarray]:
    """What a detector learns from a map of instance numbers: a box, a class and a mask for each.

    Shapes: (H, W) -> "boxes" (N, 4) float32 x1 y1 x2 y2, "labels" (N,) int64, all 1, "masks" (N, H, W) uint8

    Parameters
    ----------
    labels
        0 the background, k the k-th instance; numbers that do not occur are passed over.

    Raises
    ------
    DataError
        For a map that is not (H, W) or holds other than whole numbers.

    Examples
    --------
    >>> instance_targets([[0, 1, 1], [5, 5, 0]])["boxes"].tolist()
    [[1.0, 0.0, 3.0, 1.0], [0.0, 1.0, 2.0, 2.0]]
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.dtype.kind not in "iub":
        raise DataError(f"instance_targets: labels must be whole numbers (H, W), not {array.dtype} {array.shape}")
    numbers = np.unique(array[array > 0])
    masks = array == numbers[:, None, None]
    return {"boxes": boxes_of_masks(masks), "labels": np.ones(len(numbers), np.int64), "masks": masks.astype(np.uint8)}


def known_name(place: str | os.PathLike[str]) -> str:
    """The name that a folder's data set is known by, else the folder's own.

    Examples
    --------
    >>> known_name("data/camvid_half"), known_name("data/mine")
    ('camvid', 'mine')
    """
    own = Path(place).name
    return next((name for name, folders in NAMES.items() if own in folders), own)


def _find(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder of a name or a path."""
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path
    name = str(name_or_path)
    if name not in NAMES:
        raise DataError(f"load_label_maps: {name!r} is neither a folder here nor one of the names {', '.join(LABEL_MAP_NAMES)}")
    places = [root / place for root in data_folders() for place in NAMES[name]]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise DataError(f"{name}: not found; put it into {places[0]}, or give its folder; it is not downloaded")
    return found


def _class_names(root: Path) -> tuple[str, ...]:
    """The names in a folder's classes.txt, else CamVid's."""
    file = root / "classes.txt"
    if not file.is_file():
        return CAMVID_CLASSES
    try:
        names = tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeError) as error:
        raise DataError(f"{file}: cannot be read as a list of names ({error})") from error
    if not 1 <= len(names) < IGNORE:
        raise DataError(f"{file}: names {len(names)} classes; there must be 1 to {IGNORE - 1}, one a line")
    return names


def _pairs(pictures: Path, labels: Path) -> list[tuple[Path, Path]]:
    """Pictures with the label maps of the same name, sorted."""
    pairs: list[tuple[Path, Path]] = []
    for picture in sorted(path for path in pictures.iterdir() if path.suffix.lower() in SUFFIXES):
        label = labels / f"{picture.stem}.png"
        if not label.is_file():
            raise DataError(f"{picture}: has no label map {label}")
        pairs.append((picture, label))
    if not pairs:
        raise DataError(f"{pictures}: holds no pictures ({', '.join(SUFFIXES)})")
    return pairs
