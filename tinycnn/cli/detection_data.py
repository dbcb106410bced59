"""Data for detectors by name: drawn shapes, the blood cells of BCCD, the nuclei, and folders of Pascal VOC's or COCO's form."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError

SHAPES_TRAIN, SHAPES_TEST = 4000, 500
FORMS = ("voc", "coco", "yolo", "labelme", "via", "labelbox")
OTHER_TEST = 5  # one picture in so many is for testing, where a folder tells no splits
TRAIN_NAMES, TEST_NAMES = ("train", "trainval"), ("test", "val", "valid", "validation")
EXAMPLES = "shapes, shapes:SEED, bccd, nuclei, voc:FOLDER or coco:FOLDER"


@dataclass(frozen=True)
class OpenedDetection:
    """Images with targets to learn from and to test with."""

    name: str
    source: str  # what opens it again
    train: Any
    test: Any
    notes: tuple[str, ...] = ()
    options: dict[str, Any] = dataclasses.field(default_factory=dict)  # of a detector, as far as it has them, where not given otherwise

    @property
    def classes(self) -> list[str]:
        """The names of labels 1, 2 ..."""
        return list(self.train.classes)

    @property
    def points(self) -> int:
        """Keypoints of an object."""
        own = getattr(self.train, "points", None)  # of annotated pictures
        return len(self.train.sigmas) if own is None else int(own)

    @property
    def masks(self) -> bool:
        """Whether the first image's objects have masks."""
        return len(self.train) > 0 and "masks" in self.train[0][1]

    def facts(self) -> dict[str, Any]:
        """What a checkpoint remembers."""
        return {"data": self.source, "classes": self.classes}


def short_detection_name(source: str) -> str:
    """What a data set is called in the name of a run's folder.

    Examples
    --------
    >>> short_detection_name("shapes:3"), short_detection_name("voc:/data/cells")
    ('shapes', 'cells')
    """
    kind, _, rest = source.partition(":")
    return Path(rest).name or kind if kind in FORMS else kind


def open_detection(text: str, images: int | None = None) -> OpenedDetection:
    """Open both splits of a data set for detectors.

    Parameters
    ----------
    text : str
        shapes, shapes:SEED, bccd, nuclei, or a form and a folder such as voc:FOLDER.
    images : int, optional
        Training images; the first ones of a folder.
    """
    kind, colon, rest = text.partition(":")
    if kind == "shapes":
        return _shapes(rest, images, text)
    if text == "bccd":
        return _folder("voc", bccd_folder(), "bccd", "bccd", images)
    if text == "nuclei":
        return _nuclei(images)
    if kind in FORMS and colon:
        folder = Path(rest).expanduser()
        if not folder.exists():
            raise UsageError(f"--data {text}: there is no {folder}; write {kind}:FOLDER with the folder of the annotations")
        return _folder(kind, folder, f"{kind}:{folder.resolve()}", folder.name, images)
    raise UsageError(f"--data {text}: detectors learn from {EXAMPLES}")


def _shapes(text: str, images: int | None, source: str) -> OpenedDetection:
    from ..data import KeptInMemory, ShapesDetection

    if text and not text.isdigit():
        raise UsageError(f"--data {source}: write shapes:SEED with a whole number, such as shapes:7")
    seed = int(text or 0)
    train = ShapesDetection(images or SHAPES_TRAIN, seed=seed, train=True)
    test = ShapesDetection(SHAPES_TEST, seed=seed, train=False)
    return OpenedDetection("shapes", source, KeptInMemory(train), KeptInMemory(test))


def _nuclei(images: int | None) -> OpenedDetection:
    from ..data import InstanceMaps, KeptInMemory, load_label_maps
    from ..train import NUCLEI_DETECTION

    train, test = (InstanceMaps(load_label_maps("nuclei", split).first(count), "nucleus") for split, count in (("train", images), ("test", None)))
    return OpenedDetection("nuclei", "nuclei", KeptInMemory(train), KeptInMemory(test), options=NUCLEI_DETECTION)


def bccd_folder() -> Path:
    """Where the blood cells lie: bccd/BCCD or BCCD in one of the data folders."""
    from ..data import data_folders

    for folder in data_folders():
        for path in (folder / "bccd" / "BCCD", folder / "BCCD"):
            if path.is_dir():
                return path
    raise DataError(
        "bccd is in none of the data folders; put the folder BCCD of https://github.com/Shenggan/BCCD_Dataset into one and name that in "
        "$TINYCNN_DATA, or use --data voc:FOLDER"
    )


def _folder(form: str, folder: Path, source: str, name: str, images: int | None) -> OpenedDetection:
    """A folder of annotations: its own splits, else one image in five put aside."""
    from ..data import AnnotatedImages, KeptInMemory
    from ..data.annotations import read_splits

    splits = read_splits(folder, form)
    learn, test = split_of(list(splits), TRAIN_NAMES), split_of(list(splits), TEST_NAMES)
    if learn is not None and test is not None:
        parts = splits[learn], splits[test]
    else:
        whole = splits[next(iter(splits)) if len(splits) == 1 else learn or test or next(iter(splits))]
        kept = tuple(each for number, each in enumerate(whole.pictures) if number % OTHER_TEST)
        parts = dataclasses.replace(whole, pictures=kept), dataclasses.replace(whole, pictures=whole.pictures[::OTHER_TEST])
    if images is not None:
        parts = dataclasses.replace(parts[0], pictures=parts[0].pictures[:images]), parts[1]
    for part, words in zip(parts, ("to learn from", "to test with"), strict=True):
        if not part.pictures:
            raise DataError(f"{folder}: there are no pictures {words}; a folder without splits needs two pictures or more")
    places = folder if folder.is_dir() else folder.parent
    train, other = (AnnotatedImages(part, images=places) for part in parts)
    if train.classes != other.classes:
        raise DataError(f"{folder}: the training and the test pictures have different categories; write all of them into both files")
    notes = tuple(dict.fromkeys((*train.notes, *other.notes)))
    return OpenedDetection(name, source, KeptInMemory(train.with_transform(without_crowds)), KeptInMemory(other), notes)


def split_of(names: list[str], wanted: tuple[str, ...]) -> str | None:
    """The split of one of these names, or whose name holds one.

    Examples
    --------
    >>> split_of(["instances_train2017", "instances_val2017"], TEST_NAMES), split_of(["all"], TRAIN_NAMES)
    ('instances_val2017', None)
    """
    exact = [name for name in wanted if name in names]
    return next(iter((*exact, *(name for word in wanted for name in names if word in name.lower()))), None)


def without_crowds(image: Any, target: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What a detector learns from: a box around a crowd is no object."""
    from ..data.transforms.joint import keep_things

    return image, keep_things(target, target["iscrowd"] == 0)
