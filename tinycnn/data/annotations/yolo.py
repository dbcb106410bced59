"""YOLO's text: a line a thing, its class counted from 0 and centre, width and height as shares of the picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...errors import DataError
from .boxes import Box, Size
from .safe import number
from .values import Annotations, Category, Picture, Thing
from .voc import plain_number, stem_of

__all__ = ["class_names", "from_yolo", "to_yolo"]


def from_yolo(files: Sequence[tuple[str, str]], names: Sequence[str] | None, sizes: dict[str, Size | None] | None = None) -> Annotations:
    """Read YOLO's label files.

    Parameters
    ----------
    files : the picture's file name and the text of its labels
    names : of the classes; numbers up to the largest one if None
    sizes : (height, width) of pictures by file name; without it boxes stay shares and polygons cannot be read

    Returns
    -------
    Annotations with category ids from 0. Lines of more than five numbers are outlines, x and y of each point.

    Raises
    ------
    DataError : with the file and the line

    Examples
    --------
    >>> value = from_yolo([("a.jpg", "1 0.5 0.5 0.25 1.0")], ["cat", "dog"])
    >>> value.pictures[0].things[0].box.to("xywh", (4, 8))
    (3.0, 0.0, 2.0, 4.0)
    """
    pictures = []
    highest = -1
    for file, text in files:
        size = (sizes or {}).get(file)
        things = tuple(
            _thing(line.split(), f"{stem_of(file)}.txt: line {place}", size) for place, line in enumerate(text.splitlines(), 1) if line.strip()
        )
        highest = max([highest, *(int(thing.category) for thing in things)])
        pictures.append(Picture(file, size, things))
    notes = []
    if names is None:
        names = [str(place) for place in range(highest + 1)]
        notes.append("no classes.txt, *.names or data.yaml names the classes; they are called by their numbers")
    if highest >= len(names):
        raise DataError(f"YOLO: class {highest} occurs, but there are only {len(names)} names, counted from 0")
    return Annotations("yolo", tuple(pictures), tuple(Category(place, name) for place, name in enumerate(names)), {}, tuple(notes))


MOST_CLASSES = 100_000


def _thing(words: list[str], where: str, size: Size | None) -> Thing:
    category = number(words[0], where, "class")
    if category != int(category) or not 0 <= category < MOST_CLASSES:
        raise DataError(f"{where}: the class must be a whole number from 0 up, not {words[0][:40]!r}")
    values = tuple(number(word, where, "a coordinate") for word in words[1:])
    if len(values) == 4:
        return Thing(int(category), Box((values[0], values[1], values[2], values[3]), "yolo"))
    if len(values) < 6 or len(values) % 2:
        raise DataError(f"{where}: wants the class and 4 numbers, or x and y of 3 points or more; there are {len(values)} numbers")
    if size is None:
        raise DataError(f"{where}: an outline in shares needs the picture's size; put the pictures beside the labels")
    scaled = tuple(value * size[1 - place % 2] for place, value in enumerate(values))
    return Thing(int(category), polygons=(scaled,), shape="polygon", extra={"shares": list(values)})


def class_names(text: str, where: str) -> list[str]:
    """Names from classes.txt, *.names (a line a class) or data.yaml (names: [a, b], or a line a name under names:).

    Examples
    --------
    >>> class_names("cat\\ndog\\n", "classes.txt"), class_names("nc: 2\\nnames: ['cat', dog]", "data.yaml")
    (['cat', 'dog'], ['cat', 'dog'])
    >>> class_names("names:\\n  0: cat\\n  1: dog\\nnc: 2", "data.yaml")
    ['cat', 'dog']
    """
    lines = text.splitlines()
    if not where.lower().endswith((".yaml", ".yml")):
        return [line.strip() for line in lines if line.strip()]
    start = next((place for place, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if start is None:
        raise DataError(f"{where}: has no names: of the classes")
    rest = lines[start].split(":", 1)[1].split(" #")[0].strip()
    if rest.startswith(("[", "{")):
        joined = " ".join([rest, *lines[start + 1 :]])
        inner = joined[1:].split("]" if rest[0] == "[" else "}")[0]
        parts = [part.strip() for part in inner.split(",") if part.strip()]
        return [_bare(part.split(":", 1)[1] if rest[0] == "{" and ":" in part else part) for part in parts]
    names = []
    for line in lines[start + 1 :]:
        found = re.match(r"\s*(?:-|\d+\s*:)\s*(.+)", line) if line.strip() else None
        if found is None:
            break
        names.append(_bare(found[1]))
    return names


def _bare(text: str) -> str:
    return text.split(" #")[0].strip().strip("'\"")


def to_yolo(annotations: Annotations) -> dict[str, str]:
    """Label files by name and classes.txt. Classes are counted from 0 in the order of the categories; what is drawn as an outline stays one.

    Raises
    ------
    DataError : a picture whose size is not known, two pictures of one name
    """
    place_of = {category.id: place for place, category in enumerate(annotations.categories)}
    blank = [category.id for category in annotations.categories if not category.name.strip()]
    if blank:
        raise DataError(f"YOLO: category {blank[0]!r} has no name, and classes.txt would have a line too few; name it")
    files: dict[str, str] = {"classes.txt": "".join(" ".join(category.name.split()) + "\n" for category in annotations.categories)}
    for picture in annotations.pictures:
        lines = []
        for thing in picture.things:
            values = _shares(thing, picture, annotations.form)
            if values:
                lines.append(" ".join([str(place_of[thing.category]), *(plain_number(value) for value in values)]))
        name = stem_of(picture.file) + ".txt"
        if name in files:
            raise DataError(f"YOLO: two files would be called {name}; give the pictures different names")
        files[name] = "".join(line + "\n" for line in lines)
    return files


def _shares(thing: Thing, picture: Picture, form: str) -> Sequence[float]:
    if form == "yolo" and "shares" in thing.extra:
        return list(thing.extra["shares"])
    size = picture.size
    if size is not None and min(size) >= 1 and len(thing.polygons) == 1 and len(thing.polygons[0]) >= 6:
        return [value / size[1 - place % 2] for place, value in enumerate(thing.polygons[0])]
    box = thing.outer_box()
    return () if box is None else box.to("yolo", size)
