"""Pascal VOC's XML, one file a picture, and RectLabel's, which adds polygons and keypoints to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from ...errors import DataError
from .boxes import Box
from .safe import edge, file_name, flag, load_xml, number
from .values import Annotations, Category, Picture, Thing

__all__ = ["from_voc", "to_voc"]

CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS = ("truncated", "difficult", "occluded")
TAG = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
KNOWN = {"name", "bndbox", "polygon", "keypoints", *FLAGS}
PICTURE_KEYS = {"filename", "size", "object"}


def from_voc(files: Sequence[tuple[str, bytes]], one_based: bool = True, classes: Sequence[str] | None = None) -> Annotations:
    """Read VOC's XML files.

    Parameters
    ----------
    files : name and content of each
    one_based : whether the first pixel is 1, as in Pascal VOC; False for tools that write continuous pixels from 0
    classes : the category names in order; those that occur, sorted, if left out

    Returns
    -------
    Annotations

    Raises
    ------
    DataError : with the file and the field; a DOCTYPE is refused

    Examples
    --------
    >>> text = b"<annotation><filename>a.jpg</filename><object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax>" \\
    ...     b"<ymax>3</ymax></bndbox></object></annotation>"
    >>> from_voc([("a.xml", text)]).pictures[0].things[0].box.to("xyxy")
    (0.0, 0.0, 4.0, 3.0)
    """
    pictures, marked = [], set()
    for where, data in files:
        root = load_xml(data, where)
        marked |= {key for element in root.iter() for key in element.attrib}
        pictures.append(_picture(root, where, "voc" if one_based else "xyxy"))
    notes = [f"attributes of XML elements are not kept: {', '.join(sorted(marked))[:200]}"] if marked else []
    present = {str(thing.category) for picture in pictures for thing in picture.things}
    names = sorted(present) if classes is None else list(classes)
    unknown = sorted(present - set(names))
    if unknown:
        raise DataError(f"VOC: the class {unknown[0]!r} is none of the {len(names)} given; there are {', '.join(names)[:200]}")
    number_of = {name: place for place, name in enumerate(names, 1)}
    return Annotations(
        "voc",
        tuple(
            Picture(
                picture.file,
                picture.size,
                tuple(Thing(**{**vars(thing), "category": number_of[str(thing.category)]}) for thing in picture.things),
                picture.id,
                picture.extra,
            )
            for picture in pictures
        ),
        tuple(Category(place, name) for name, place in number_of.items()),
        notes=tuple(notes),
    )


def _picture(root: ElementTree.Element, where: str, fmt: str) -> Picture:
    """The things' categories are still names."""
    if root.tag != "annotation":
        raise DataError(f"{where}: VOC's XML has <annotation> around everything, not <{root.tag[:40]}>")
    size = None
    stated = root.find("size")
    extra = _content(root, PICTURE_KEYS)
    if stated is not None:
        size = edge(stated.findtext("height"), where, "height"), edge(stated.findtext("width"), where, "width")
        extra |= {"depth": stated.findtext("depth")} if stated.find("depth") is not None else {}
    name = file_name(root.findtext("filename") or where.rsplit("/", 1)[-1].removesuffix(".xml"), where)
    things = tuple(_thing(each, f"{where}: object {place}", fmt) for place, each in enumerate(root.findall("object")))
    return Picture(name, size, things, None, extra)


def _thing(node: ElementTree.Element, where: str, fmt: str) -> Thing:
    frame = node.find("bndbox")
    box = None
    if frame is not None:
        a, b, c, d = (number((frame.findtext(key) or "").strip(), where, key) for key in CORNERS)
        box = Box((a, b, c, d), fmt)
    polygons = tuple(_points(each, where, ("x", "y")) for each in node.findall("polygon"))
    marks = node.find("keypoints")
    points = None if marks is None else _points(marks, where, ("x", "y", "v"))
    if box is None and not polygons and points is None:
        raise DataError(f"{where}: has neither a bndbox nor a polygon nor keypoints")
    name = file_name(node.findtext("name"), f"{where}, name")
    truncated, difficult, occluded = (flag((node.findtext(key) or "").strip(), where, key) for key in FLAGS)
    shape = "polygon" if polygons else "box" if box is not None else "keypoints"
    return Thing(
        name,
        box,
        polygons,
        keypoints=points,
        shape=shape,
        truncated=truncated,
        difficult=difficult,
        occluded=occluded,
        extra=_content(node, KNOWN),
    )


def _points(node: ElementTree.Element, where: str, letters: tuple[str, ...]) -> tuple[float, ...]:
    """RectLabel's points: <x1>, <y1>, <x2>, ..."""
    values: list[float] = []
    place = 1
    while node.find(f"{letters[0]}{place}") is not None:
        values += [number((node.findtext(f"{letter}{place}") or "").strip(), where, f"{letter}{place}") for letter in letters]
        place += 1
    return tuple(values)


def _content(node: ElementTree.Element, known: set[str]) -> dict[str, Any]:
    """Other elements, nested ones as dicts, repeated ones as lists."""
    result: dict[str, Any] = {}
    for child in node:
        if child.tag in known:
            continue
        value = _content(child, set()) if len(child) else (child.text or "").strip()
        if child.tag in result:
            before = result[child.tag]
            result[child.tag] = [*(before if isinstance(before, list) else [before]), value]
        else:
            result[child.tag] = value
    return result


def to_voc(annotations: Annotations, one_based: bool = True) -> dict[str, bytes]:
    """XML files by name, one a picture; RectLabel's polygons and keypoints where there are some.

    Parameters
    ----------
    annotations : of any format
    one_based : as in `from_voc`

    Returns
    -------
    dict of names such as "a.xml" and their bytes

    Raises
    ------
    DataError : two pictures of one name, boxes in shares of a picture whose size is not known
    """
    names = annotations.names()
    files: dict[str, bytes] = {}
    for picture in annotations.pictures:
        root = ElementTree.Element("annotation")
        extra = dict(picture.extra)
        depth = extra.pop("depth", None)
        _element(root, "filename", picture.file)
        if picture.size is not None:
            size = ElementTree.SubElement(root, "size")
            for tag, value in (("width", picture.size[1]), ("height", picture.size[0]), ("depth", depth)):
                if value is not None:
                    _element(size, tag, value)
        for key, value in extra.items():
            if key not in PICTURE_KEYS:
                _element(root, key, value)
        for thing in picture.things:
            if thing.outer_box() is None and not thing.polygons and thing.keypoints is None:
                continue  # nothing to draw: `losses` counts these
            root.append(_object(thing, names[thing.category], picture, "voc" if one_based else "xyxy"))
        ElementTree.indent(root, "\t")
        name = stem_of(picture.file) + ".xml"
        if name in files:
            raise DataError(f"VOC: two pictures would be written to {name}; give them different names")
        files[name] = ElementTree.tostring(root, encoding="utf-8")
    return files


def stem_of(file: str) -> str:
    """The file's name without folders and suffix.

    Examples
    --------
    >>> stem_of("train/a.b.jpg")
    'a.b'
    """
    name = file.replace("\\", "/").rsplit("/", 1)[-1]
    stem = name.rsplit(".", 1)[0] or name
    return "picture" if stem in ("", ".", "..") else stem


def _object(thing: Thing, name: str, picture: Picture, fmt: str) -> ElementTree.Element:
    node = ElementTree.Element("object")
    _element(node, "name", name)
    for key, value in thing.extra.items():
        if key not in KNOWN:
            _element(node, key, value)
    for key in FLAGS:
        if getattr(thing, key) or key != "occluded":
            _element(node, key, int(getattr(thing, key)))
    box = thing.outer_box()
    if box is not None and (thing.box is not None or not thing.polygons):
        frame = ElementTree.SubElement(node, "bndbox")
        for key, value in zip(CORNERS, box.to(fmt, picture.size), strict=True):
            _element(frame, key, plain_number(value))
    for polygon in thing.polygons:
        _numbered(ElementTree.SubElement(node, "polygon"), polygon, ("x", "y"))
    if thing.keypoints is not None:
        _numbered(ElementTree.SubElement(node, "keypoints"), thing.keypoints, ("x", "y", "v"))
    return node


def _numbered(node: ElementTree.Element, values: Sequence[float], letters: tuple[str, ...]) -> None:
    for place, value in enumerate(values):
        _element(node, f"{letters[place % len(letters)]}{place // len(letters) + 1}", plain_number(value))


def plain_number(value: float) -> str:
    """The shortest text that reads back as the number: 4, not 4.0.

    Examples
    --------
    >>> plain_number(4.0), plain_number(0.1)
    ('4', '0.1')
    """
    return str(int(value)) if value == int(value) else repr(float(value))


def _element(parent: ElementTree.Element, tag: str, value: Any) -> None:
    """One element of any JSON value; names and letters that XML cannot hold are left out."""
    if not TAG.match(tag) or len(tag) > 200:
        return
    if isinstance(value, list):
        for each in value:
            _element(parent, tag, each)
        return
    node = ElementTree.SubElement(parent, tag)
    if isinstance(value, dict):
        for key, each in value.items():
            _element(node, str(key), each)
    elif value is not None and value != "":
        node.text = xml_text(str(value))


def xml_text(text: str) -> str:
    """The letters that XML can hold.

    Examples
    --------
    >>> xml_text("a\\x00b")
    'ab'
    """
    return "".join(letter for letter in text if letter >= " " and not "\ud800" <= letter <= "\udfff" and letter not in "\ufffe\uffff")


def held_by_xml(key: str, value: Any, known: set[str]) -> bool:
    """Whether a key and its value come back as they are: text under a name of XML that is not taken.

    Examples
    --------
    >>> held_by_xml("pose", "left", KNOWN), held_by_xml("name", "dog", KNOWN), held_by_xml("score", 0.5, KNOWN)
    (True, False, False)
    """
    if key in known or not TAG.match(key) or len(key) > 200:
        return False
    if isinstance(value, dict):
        return bool(value) and all(held_by_xml(str(each), inner, set()) for each, inner in value.items())
    return isinstance(value, str) and xml_text(value) == value.strip()
