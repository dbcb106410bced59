"""Annotation files and folders of any known format, recognised by what is in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import ArgumentError, DataError
from ..files import read_bytes
from .coco import from_coco
from .labelbox import from_labelbox, from_labelbox_ndjson
from .labelme import from_labelme
from .pictures import PictureFiles
from .safe import MAX_JSON, MAX_XML, load_json, read_text, walk
from .values import Annotations
from .via import from_via, from_via_csv
from .voc import from_voc
from .yolo import class_names, from_yolo

__all__ = ["FORMS", "read_annotations", "read_splits", "recognise"]

FORMS = {
    "coco": "COCO's JSON",
    "voc": "Pascal VOC's XML, a file a picture; RectLabel's too",
    "yolo": "YOLO's text, a file a picture, with classes.txt, *.names or data.yaml",
    "labelme": "LabelMe's JSON, a file a picture",
    "via": "VIA's JSON or CSV",
    "labelbox": "LabelBox's export, JSON or NDJSON",
}
SUFFIXES = (".json", ".xml", ".csv", ".ndjson", ".jsonl")
NAMES_FILES = ("classes.txt", "obj.names", "labels.txt", "predefined_classes.txt", "data.yaml", "data.yml", "dataset.yaml")
SPLIT_NAMES = ("train", "val", "valid", "validation", "test")


def recognise(document: Any) -> str | None:
    """Which format a JSON document is of; None for one that is of none.

    Examples
    --------
    >>> recognise({"images": [], "annotations": []}), recognise({"shapes": []}), recognise([{"Label": "Skip"}]), recognise(3)
    ('coco', 'labelme', 'labelbox', None)
    """
    if isinstance(document, list):
        return "labelbox" if document and all(isinstance(row, dict) and "Label" in row for row in document) else None
    if not isinstance(document, dict):
        return None
    if "images" in document and "annotations" in document:
        return "coco"
    if "shapes" in document:
        return "labelme"
    if "data_row" in document:
        return "labelbox"
    if "_via_img_metadata" in document:
        return "via"
    values = list(document.values())
    return "via" if values and all(isinstance(each, dict) and "filename" in each for each in values) else None


def read_annotations(path: str | os.PathLike[str], form: str | None = None, *, one_based: bool = True, images: Any = None) -> Annotations:
    """Read the annotations of a file or of a whole folder.

    Parameters
    ----------
    path : a file, or a folder that is searched
    form : a name of `FORMS`; recognised if left out
    one_based : for VOC, whether pixels are counted from 1
    images : the folder of the pictures, where it is not the folder of the annotations; YOLO takes the pictures' sizes from there

    Returns
    -------
    Annotations. The splits of a folder are put together; `read_splits` keeps them apart.

    Raises
    ------
    DataError : nothing that can be read, several formats at once, or a broken file
    """
    parts = read_splits(path, form, one_based=one_based, images=images)
    first, *others = parts.values()
    if not others:
        return first
    if any(other.categories != first.categories for other in others):
        raise DataError(f"{path}: {', '.join(parts)} have different categories; read them one by one")
    ids = [picture.id for part in parts.values() for picture in part.pictures]
    if len(set(ids)) < len(ids):  # each file numbers its own pictures
        parts = {name: replace(part, pictures=tuple(replace(each, id=None) for each in part.pictures)) for name, part in parts.items()}
    pictures = tuple(
        replace(picture, things=tuple(replace(thing, id=None) for thing in picture.things)) for part in parts.values() for picture in part.pictures
    )
    return replace(first, pictures=pictures, notes=tuple(note for part in parts.values() for note in part.notes))


def read_splits(path: str | os.PathLike[str], form: str | None = None, *, one_based: bool = True, images: Any = None) -> dict[str, Annotations]:
    """Read annotations with their splits (train, val, test) apart.

    Parameters
    ----------
    path, form, one_based, images : as `read_annotations` takes them

    Returns
    -------
    dict of Annotations by name; one called "all" where there are no splits. Splits are several COCO files, VOC's
    ImageSets/Main/NAME.txt, or folders called train, val, valid, validation and test.

    Raises
    ------
    DataError : nothing that can be read, several formats at once, or a broken file
    """
    if form is not None and form not in FORMS:
        raise ArgumentError(f"read_annotations: there is no form {form!r}; there are {', '.join(FORMS)}")
    place = Path(path)
    if not place.exists():
        raise DataError(f"{place}: no such file or folder")
    if place.is_file():
        return {"all": _read_file(place, form, one_based, images)}
    return _read_folder(place, form, one_based, Path(images) if images is not None else place)


def _read_file(path: Path, form: str | None, one_based: bool, images: Any) -> Annotations:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return from_voc([(path.name, read_bytes(path, MAX_XML))], one_based)
    if suffix == ".csv":
        return from_via_csv(read_text(path, MAX_JSON), path.name)
    if suffix in (".ndjson", ".jsonl"):
        return from_labelbox_ndjson(read_bytes(path, MAX_JSON), path.name)
    if suffix == ".txt":
        return _read_yolo(path.parent, [path], Path(images) if images is not None else path.parent)
    if suffix != ".json":
        raise DataError(f"{path}: annotations end in .json, .xml, .csv, .ndjson or .txt")
    data = read_bytes(path, MAX_JSON)
    return _from_document(load_json(data, path.name), data, path.name, form)


def _from_document(document: Any, data: bytes, where: str, form: str | None) -> Annotations:
    kind = form or recognise(document)
    if kind == "coco":
        return from_coco(document, where)
    if kind == "labelme":
        return from_labelme([(where, data)])
    if kind == "via":
        return from_via(document, where)
    if kind == "labelbox":
        return from_labelbox(document, where) if isinstance(document, list) else from_labelbox_ndjson(data, where)
    raise DataError(f"{where}: is JSON, but not of COCO, LabelMe, VIA or LabelBox")


def _read_folder(folder: Path, form: str | None, one_based: bool, images: Path) -> dict[str, Annotations]:
    found = list(walk(folder, SUFFIXES))
    documents: dict[str, list[Path]] = {}
    for path in found:
        suffix = path.suffix.lower()
        if suffix == ".json":
            kind = recognise(load_json(read_bytes(path, MAX_JSON), path.name))
        else:
            kind = {".xml": "voc", ".csv": "via"}.get(suffix, "labelbox")
        if kind is not None and (form is None or kind == form):
            documents.setdefault(kind, []).append(path)
    texts = [] if documents or form not in (None, "yolo") else _label_files(folder)
    if len(documents) > 1:
        raise DataError(f"{folder}: holds {' and '.join(sorted(documents))}; say which one is meant (form=, on the command line --form)")
    if texts:
        return _by_folder(folder, texts, lambda paths: _read_yolo(folder, paths, images))
    if not documents:
        raise DataError(f"{folder}: holds no annotations of {', '.join(FORMS)}" if form is None else f"{folder}: holds no annotations of {form}")
    kind, paths = next(iter(documents.items()))
    if kind == "voc":
        return _read_voc(folder, paths, one_based)
    if kind == "labelme":
        return _by_folder(folder, paths, lambda some: from_labelme([(path.name, read_bytes(path, MAX_JSON)) for path in some]))
    return {_split_name(path, paths): _read_file(path, kind, one_based, images) for path in paths}


def _split_name(path: Path, paths: Sequence[Path]) -> str:
    """The file's name, with its folder where that is needed to tell files apart."""
    if len(paths) == 1:
        return "all"
    alike = sum(other.stem == path.stem for other in paths)
    return path.stem if alike == 1 else f"{path.parent.name}/{path.stem}"


def _by_folder(folder: Path, paths: list[Path], read: Any) -> dict[str, Annotations]:
    """Read the files of each split folder; all at once where there are none. Classes are those of all files."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        name = next((part for part in path.relative_to(folder).parts[:-1] if part.lower() in SPLIT_NAMES), "all")
        groups.setdefault(name, []).append(path)
    if len(groups) == 1:
        return {"all": read(paths)}
    everything = read(paths)
    at = {id(path): picture for path, picture in zip(paths, everything.pictures, strict=True)}
    return {name: replace(everything, pictures=tuple(at[id(path)] for path in some)) for name, some in groups.items()}


def _read_voc(folder: Path, paths: list[Path], one_based: bool) -> dict[str, Annotations]:
    def read(some: Sequence[Path]) -> Annotations:
        return from_voc([(path.name, read_bytes(path, MAX_XML)) for path in some], one_based)

    lists = [path for path in walk(folder, (".txt",)) if path.parent.name == "Main" and path.stem in SPLIT_NAMES]
    if not lists:
        return _by_folder(folder, paths, read)
    everything = read(paths)
    by_stem = {path.stem: picture for path, picture in zip(paths, everything.pictures, strict=True)}
    result = {}
    for path in lists:
        stems = [line.split()[0] for line in read_text(path).splitlines() if line.strip()]
        missing = [stem for stem in stems if stem not in by_stem]
        notes = (f"{path.stem}: {len(missing)} pictures of ImageSets have no XML, {missing[0]} the first",) if missing else ()
        result[path.stem] = replace(everything, pictures=tuple(by_stem[stem] for stem in stems if stem in by_stem), notes=notes)
    return result


def _label_files(folder: Path) -> list[Path]:
    """YOLO's label files: text whose first line begins with a class and has numbers only, or an empty text in a folder called labels."""
    kept = []
    for path in walk(folder, (".txt",)):
        if path.name in NAMES_FILES or path.name.lower().startswith(("readme", "license", "notice")):
            continue
        with path.open("rb") as stream:
            words = stream.read(400).split(b"\n")[0].split()
        if (not words and "labels" in path.parts) or (len(words) >= 5 and words[0].isdigit()):
            kept.append(path)
    return kept


def _read_yolo(folder: Path, paths: list[Path], images: Path) -> Annotations:
    pictures = PictureFiles(images)
    named = [path for path in walk(folder, (".txt", ".names", ".yaml", ".yml")) if path.name in NAMES_FILES or path.suffix == ".names"]
    if not named and folder.name == "labels":  # data.yaml lies beside the folder of the labels
        named = [folder.parent / name for name in NAMES_FILES if (folder.parent / name).is_file()]
    names = class_names(read_text(named[0]), named[0].name) if named else None
    by_stem: dict[str, list[Path]] = {}
    for picture in pictures.paths:
        by_stem.setdefault(picture.stem, []).append(picture)
    files, sizes = [], {}
    for path in paths:
        same = by_stem.get(path.stem, [])
        near = [picture for picture in same if picture.parent.name == path.parent.name] or same
        file = near[0].relative_to(images).as_posix() if near else path.stem + ".jpg"
        header = pictures.header(near[0]) if near else None
        sizes[file] = header.shown if header is not None else None
        files.append((file, read_text(path)))
    return from_yolo(files, names, sizes)
