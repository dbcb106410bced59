"""Annotation formats: golden files of each, reading back what was written, and what a format loses said in words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.data import annotation_values as files
from tinycnn.data import annotations as notes
from tinycnn.data.annotations import Annotations, Box, Boxes, Category, Picture, Thing, convert_boxes
from tinycnn.errors import ArgumentError, DataError, ShapeError


def read_back(value, to, folder, sizes=True):
    """What reading gives of what was written, from files."""
    if sizes:  # YOLO takes the pictures' sizes from the pictures
        for picture in value.pictures:
            path = folder / picture.file
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", picture.size[::-1]).save(path)
    notes.write_annotations(value, to, folder / "labels")
    return notes.read_annotations(folder / "labels", images=folder)


# Each format's own files.


def test_coco_keeps_sparse_ids_crowds_run_lengths_and_keypoints():
    value = notes.from_coco(files.COCO)
    assert [category.id for category in value.categories] == [18, 90]
    assert value.labels() == {18: 1, 90: 2}
    dog, brush, ears = (thing for _, thing in value.things())
    assert dog.box == Box((2, 2, 7, 6), "xywh")
    assert dog.polygons == (files.SQUARE,)
    assert brush.crowd
    assert brush.mask == files.RLE
    assert ears.keypoints == (2, 3, 2, 4, 5, 1, 0, 0, 0)
    assert ears.extra == {"score": 0.5}
    assert notes.to_coco(value) == files.COCO
    assert not value.notes


def test_coco_keeps_run_lengths_as_text():
    from tinycnn.metrics.rle import rle_encode

    mask = np.zeros((12, 20), np.uint8)
    mask[3:9, 4:11] = 1
    for rle in (rle_encode(mask), rle_encode(mask, compressed=False)):
        document = json.loads(json.dumps({**files.COCO, "annotations": [{**files.COCO["annotations"][1], "segmentation": rle}]}))
        value = notes.from_coco(document)
        assert next(value.things())[1].mask == rle
        assert notes.to_coco(value) == document
        assert replace(next(value.things())[1], box=None).outer_box().to("xyxy") == (4, 3, 11, 9)


def test_coco_says_what_it_leaves_out():
    one = files.COCO["annotations"][0]
    document = {**files.COCO, "annotations": [one, one, {**one, "image_id": 5, "id": 9}, {**one, "category_id": 5, "id": 10}]}
    assert notes.from_coco(document).notes == (
        "1 annotation ids are given twice; tools keep the last and lose the others",
        "1 annotations are of an image_id that the document lacks; they are left out",
        "1 annotations are of a category_id that the document lacks; they are left out",
    )


def test_voc_counts_from_1_and_keeps_flags_and_other_elements():
    value = notes.from_voc([("a.xml", files.VOC)])
    dog, cat = value.pictures[0].things
    assert [category.name for category in value.categories] == ["cat", "dog"]
    assert value.pictures[0].size == (12, 20)
    assert dog.box.to("xyxy") == (0, 0, 8, 12)
    assert (dog.truncated, dog.difficult, cat.difficult) == (True, False, True)
    assert dog.extra == {"pose": "Left"}
    assert cat.extra == {"part": {"name": "head", "bndbox": {"xmin": "4"}}}
    assert value.notes == ("attributes of XML elements are not kept: verified",)
    again = notes.from_voc(list(notes.to_voc(value).items()))
    assert again == replace(value, notes=())
    assert notes.from_voc([("a.xml", files.VOC)], one_based=False).pictures[0].things[0].box.to("xyxy") == (1, 1, 8, 12)
    with pytest.raises(DataError, match="the class 'cat' is none of the 1 given"):
        notes.from_voc([("a.xml", files.VOC)], classes=["dog"])


def test_rectlabel_adds_polygons_and_keypoints():
    value = notes.from_voc([("a.xml", files.RECTLABEL)])
    outlined, marked = value.pictures[0].things
    assert outlined.polygons == ((2, 2, 9, 2.5, 9, 8),)
    assert marked.keypoints == (4, 5, 2)
    assert notes.from_voc(list(notes.to_voc(value).items())) == value


def test_labelme_shapes_and_groups():
    value = notes.from_labelme([("a.json", files.LABELME)])
    dog, cat, eye, rope, ball = value.pictures[0].things
    assert dog.box == Box((1, 2, 9, 8), "xyxy")
    assert cat.polygons == ((1, 1, 5, 1, 5, 6.5), (7, 7, 9, 7, 9, 9))
    assert (eye.shape, rope.shape, ball.points) == ("point", "line", (6, 6, 3))
    assert value.pictures[0].extra["flags"] == {"checked": True}
    assert notes.from_labelme(list(notes.to_labelme(value).items())) == value
    turned = files.LABELME.replace(b"[[1, 2], [9, 8]]", b"[[9, 8], [1, 2]]")
    assert "1 rectangles were drawn from another corner" in notes.from_labelme([("a.json", turned)]).notes[0]


def test_via_keeps_its_keys_as_texts_in_json_and_csv():
    value = notes.from_via(files.VIA)
    assert [picture.id for picture in value.pictures] == ["a.jpg9000", "b.jpg77"]
    assert [thing.shape for thing in value.pictures[0].things] == ["box", "polygon", "circle", "ellipse", "point", "line"]
    assert value.pictures[0].things[0].extra == {"tail": "long"}
    assert notes.to_via(value) == files.VIA
    assert notes.from_via_csv(notes.to_via_csv(value)) == value
    project = {"_via_settings": {"a": 1}, "_via_img_metadata": files.VIA}
    assert notes.to_via(notes.from_via(project)) == project
    numbered = json.loads(json.dumps(files.VIA))
    numbered["a.jpg9000"]["regions"] = {str(place): region for place, region in enumerate(numbered["a.jpg9000"]["regions"])}
    assert notes.from_via(numbered) == value  # version 1 numbers the regions
    boxes = {
        "a": {
            "filename": "a.jpg",
            "regions": [{"shape_attributes": {"name": "point", "cx": 1, "cy": 1}, "region_attributes": {"class": {"dog": True}}}],
        }
    }
    assert notes.from_via(boxes).categories[0].name == "dog"
    assert "by check boxes" in notes.from_via(boxes).notes[0]


def test_labelbox_old_and_new():
    old = notes.from_labelbox(files.LABELBOX_OLD)
    assert [picture.file for picture in old.pictures] == ["a.jpg", "b.jpg"]
    assert [picture.id for picture in old.pictures] == ["ck1", "ck2"]
    assert old.notes == ("1 rows carry no labels (skipped or empty)",)
    assert [thing.shape for thing in old.pictures[0].things] == ["box", "polygon", "point", "line"]
    new = notes.from_labelbox_ndjson(files.LABELBOX_NDJSON)
    assert new.pictures[0].size == (12, 20)
    assert new.pictures[0].things[0].box == Box((1, 2, 5, 6), "xywh")
    for value in (old, new):
        once = notes.from_labelbox_ndjson(notes.to_labelbox_ndjson(value))
        assert [thing.outer_box() for _, thing in once.things()] == [thing.outer_box() for _, thing in value.things()]
        assert notes.from_labelbox_ndjson(notes.to_labelbox_ndjson(once)) == once
    by_class = [{"External ID": "a.jpg", "Label": {"dog": [{"geometry": [{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": 1, "y": 1}]}], "day?": "yes"}}]
    assert notes.from_labelbox(by_class).pictures[0].things[0].polygons == ((0, 0, 1, 0, 1, 1),)


def test_yolo_shares_stay_as_they_are():
    value = notes.from_yolo(files.YOLO, files.YOLO_NAMES, files.YOLO_SIZES)
    dog, cat = value.pictures[0].things
    assert dog.box.to("xyxy", (12, 20)) == (7.5, 0, 12.5, 12)
    assert cat.polygons == ((2, 3, 10, 3, 10, 9),)
    written = notes.to_yolo(value)
    assert written.pop("classes.txt") == "cat\ndog\n"
    assert notes.from_yolo([(name.replace("txt", "jpg"), text) for name, text in written.items()], files.YOLO_NAMES, files.YOLO_SIZES) == value
    assert notes.from_yolo(files.YOLO, None, files.YOLO_SIZES).notes[0].startswith("no classes.txt")
    with pytest.raises(DataError, match="an outline in shares needs the picture's size"):
        notes.from_yolo(files.YOLO, files.YOLO_NAMES)
    with pytest.raises(DataError, match="class 1 occurs, but there are only 1 names"):
        notes.from_yolo(files.YOLO, ["cat"], files.YOLO_SIZES)


# The law: what a format holds comes back, what it does not hold is said.


@pytest.mark.parametrize("to", notes.TARGETS)
def test_what_was_written_is_read_back(to, tmp_path):
    """read(write(x)) is x once more, from the second time on; the first time it is x but for what `losses` says."""
    once = read_back(files.EVERYTHING, to, tmp_path / "first")
    twice = read_back(replace(once, pictures=tuple(replace(each, size=each.size or (30, 40)) for each in once.pictures)), to, tmp_path / "second")
    same = [(thing, again) for (_, thing), (_, again) in zip(once.things(), twice.things(), strict=True)]
    assert all(replace(thing, id=None) == replace(again, id=None) for thing, again in same)
    assert [each.name for each in twice.categories] == [each.name for each in once.categories]
    told = " ".join(notes.losses(files.EVERYTHING, to))
    before = [thing for _, thing in files.EVERYTHING.things()]
    after = [thing for _, thing in once.things()]
    for words, of in {
        "crowd": lambda thing: thing.crowd,
        "difficult": lambda thing: thing.difficult,
        "truncated": lambda thing: thing.truncated,
        "stated areas": lambda thing: thing.area,
        "ids are lost": lambda thing: thing.id,
        "masks become": lambda thing: thing.mask,
        "keypoints are lost": lambda thing: thing.keypoints,
    }.items():
        kept = [of(thing) for thing in after if of(thing)] == [of(thing) for thing in before if of(thing)]
        assert kept != (words in told), words
    lost_class = {"dog", "tooth brush", "hair drier"} - {category.name for category in once.categories}
    assert bool(lost_class) == ("without a single thing" in told)
    if to == "coco":
        assert once == files.EVERYTHING
        assert not told


def test_converting_there_and_back_is_lossless(tmp_path):
    """VOC to COCO and back: boxes, flags, names; YOLO to COCO and back: the same shares to rounding."""
    voc = notes.from_voc([("a.xml", files.VOC)])
    coco = read_back(voc, "coco", tmp_path / "coco")
    back = notes.from_voc(list(notes.to_voc(coco).items()))
    for (_, thing), (_, other) in zip(voc.things(), back.things(), strict=True):
        assert (thing.category, thing.box.values, thing.difficult, thing.truncated) == (
            (other.category, other.box.values, other.difficult, other.truncated)
        )
    yolo = notes.from_yolo(files.YOLO, files.YOLO_NAMES, files.YOLO_SIZES)
    yolo = replace(yolo, pictures=yolo.pictures[:1])
    text = notes.to_yolo(notes.from_coco(notes.to_coco(yolo)))["a.txt"]
    for line, other in zip(text.splitlines(), files.YOLO[0][1].splitlines(), strict=True):
        assert np.allclose([float(word) for word in line.split()], [float(word) for word in other.split()])


coordinates = st.floats(0, 1e4, allow_nan=False).map(lambda value: round(value, 3))
names = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("C", "Z")), min_size=1, max_size=12)


@st.composite
def drawn_annotations(draw):
    """Boxes, outlines and keypoints on a few pictures, as COCO has them."""
    categories = draw(st.dictionaries(st.integers(0, 10**6), names, min_size=1, max_size=4))
    count = 0
    pictures = []
    for place in range(draw(st.integers(0, 3))):
        things = []
        for _ in range(draw(st.integers(0, 4))):
            count += 1
            box = tuple(draw(st.lists(coordinates, min_size=4, max_size=4)))
            outline = tuple(draw(st.lists(coordinates, min_size=6, max_size=6)))
            polygons = (outline,) if draw(st.booleans()) else ()
            shape = "polygon" if polygons else "box"
            known = draw(st.sampled_from(list(categories)))
            things.append(Thing(known, Box(box, "xywh"), polygons, shape=shape, crowd=draw(st.booleans()), area=draw(coordinates), id=count))
        pictures.append(Picture(f"{place}.jpg", (draw(st.integers(1, 5000)), draw(st.integers(1, 5000))), tuple(things), place * 7))
    return Annotations("coco", tuple(pictures), tuple(Category(known, name) for known, name in categories.items()))


@given(drawn_annotations())
def test_any_coco_comes_back(value):
    assert notes.from_coco(json.loads(json.dumps(notes.to_coco(value)))) == value


@given(drawn_annotations(), st.sampled_from(["voc", "labelme", "via", "labelbox"]))
def test_boxes_and_names_come_back_in_every_format(value, to):
    """One picture's things by name and box, to a thousandth of a millionth of a pixel."""
    value = replace(
        value,
        pictures=tuple(replace(each, things=tuple(replace(thing, polygons=(), shape="box") for thing in each.things)) for each in value.pictures),
    )
    turned = [thing for _, thing in value.things() if to == "labelme" and min(thing.box.values[2:]) < 0]
    assert not turned
    if to == "voc":
        again = notes.from_voc(list(notes.to_voc(value).items()))
    elif to == "labelme":
        again = notes.from_labelme(list(notes.to_labelme(value).items()))
    elif to == "via":
        again = notes.from_via(notes.to_via(value)) if value.pictures else value
    else:
        again = notes.from_labelbox_ndjson(notes.to_labelbox_ndjson(value)) if value.pictures else value
    for (_, thing), (_, other) in zip(value.things(), again.things(), strict=True):
        assert value.names()[thing.category] == again.names()[other.category]
        assert np.allclose(thing.box.to("xyxy"), other.box.to("xyxy"), rtol=0, atol=1e-9 * 1e4)


# Boxes.


@given(st.lists(st.tuples(*[st.integers(0, 500)] * 2, *[st.integers(1, 500)] * 2), max_size=5), *[st.sampled_from(list(notes.FORMATS))] * 2)
def test_box_formats_there_and_back(boxes, fmt, to):
    size = (480, 640)
    start = convert_boxes(boxes, "xywh", fmt, size)
    assert np.allclose(convert_boxes(convert_boxes(start, fmt, to, size), to, fmt, size), start, atol=1e-9)


def test_boxes_carry_their_format():
    pixels = Boxes([[1, 1, 4, 3]], "voc", (10, 10))
    assert pixels.to("xyxy").array.tolist() == [[0, 0, 4, 3]]
    with pytest.raises(ArgumentError, match="do not mix"):
        pixels.joined([Boxes([[0, 0, 1, 1]], "xyxy", (10, 10))])
    assert len(pixels.joined([pixels])) == 2
    assert "reach out of the image" in Boxes([[0, 0, 11, 3]], "xyxy", (10, 10)).warnings()[0]
    assert "shares of the image" in Boxes([[0.1, 0.2, 0.5, 0.5]], "xyxy", (10, 10)).warnings()[0]
    assert Boxes([], "xyxy").warnings() == []


# Errors and files.


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: convert_boxes([[1, 2, 3, 4]], "xyxy", "abcd"), ArgumentError, "there is no box format 'abcd'"),
        (lambda: convert_boxes([[1, 2, 3]], "xyxy", "xywh"), ShapeError, r"\(1, 3\)"),
        (lambda: convert_boxes([[1, 2, 3, 4]], "xyxy", "yolo"), ArgumentError, "needs the image's size"),
        (lambda: Box((1, 2, 3, 4)).to("yolo"), DataError, "the picture's size is not known"),
        (lambda: notes.from_coco([]), DataError, "lists named images, annotations and categories"),
        (lambda: notes.from_coco({**files.COCO, "images": [3]}), DataError, r"images\[0\]: must be an object"),
        (lambda: notes.from_coco({**files.COCO, "categories": [{"id": 1, "name": " "}]}), DataError, "name must have letters"),
        (lambda: notes.from_voc([("a.xml", b"<a/>")]), DataError, "not <a>"),
        (lambda: notes.from_voc([("a.xml", b"<!DOCTYPE x><annotation/>")]), DataError, "DOCTYPE or an entity"),
        (lambda: notes.from_labelme([("a.json", b"[]")]), DataError, "a list named shapes"),
        (lambda: notes.from_via([]), DataError, "maps a key of each picture"),
        (lambda: notes.from_via_csv("a,b\n1,2\n"), DataError, "filename is missing"),
        (lambda: notes.from_labelbox({}), DataError, "a list of rows"),
        (lambda: notes.from_labelbox_ndjson(b"\n"), DataError, "holds no rows"),
        (lambda: notes.from_yolo([("a.jpg", "0 1 2")], ["a"]), DataError, "there are 2 numbers"),
        (lambda: notes.losses(files.EVERYTHING, "pdf"), ArgumentError, "there is no format 'pdf'"),
        (lambda: notes.convert_annotations(files.EVERYTHING, "pdf"), ArgumentError, "there is no format 'pdf'"),
        (lambda: notes.read_annotations("nowhere"), DataError, "no such file or folder"),
        (lambda: notes.read_annotations(".", form="pdf"), ArgumentError, "there is no form 'pdf'"),
    ],
)
def test_errors_are_sentences(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_two_pictures_of_one_name_are_refused(tmp_path):
    twins = replace(files.EVERYTHING, pictures=(Picture("a/x.jpg", (3, 3)), Picture("b/x.jpg", (3, 3))))
    for to in ("voc", "labelme", "yolo"):
        with pytest.raises(DataError, match="two"):
            notes.convert_annotations(twins, to)
    same = replace(files.EVERYTHING, pictures=(Picture("x.jpg", (3, 3)), Picture("x.jpg", (3, 3))))
    with pytest.raises(DataError, match="two pictures have the key"):
        notes.convert_annotations(same, "via")


def test_nothing_is_overwritten(tmp_path):
    target = tmp_path / "out.json"
    assert notes.write_annotations(files.EVERYTHING, "coco", target) == [target]
    with pytest.raises(DataError, match="is there already"):
        notes.write_annotations(files.EVERYTHING, "coco", target)
    with pytest.raises(DataError, match="annotations end in"):
        notes.read_annotations(__file__)


def test_folders_and_splits(tmp_path):
    """VOC's ImageSets, COCO's files and YOLO's folders give the splits; a folder of two formats asks which."""
    voc = tmp_path / "voc"
    (voc / "Annotations").mkdir(parents=True)
    (voc / "ImageSets" / "Main").mkdir(parents=True)
    for name in ("a", "b", "c"):
        (voc / "Annotations" / f"{name}.xml").write_bytes(files.VOC.replace(b"a.jpg", name.encode() + b".jpg"))
    (voc / "ImageSets" / "Main" / "train.txt").write_text("a\nb\n")
    (voc / "ImageSets" / "Main" / "test.txt").write_text("c\nd\n")
    splits = notes.read_splits(voc)
    assert {name: len(part.pictures) for name, part in splits.items()} == {"test": 1, "train": 2}
    assert "1 pictures of ImageSets have no XML, d the first" in splits["test"].notes[0]
    assert len(notes.read_annotations(voc).pictures) == 3

    yolo = tmp_path / "yolo"
    for split in ("train", "val"):
        (yolo / "labels" / split).mkdir(parents=True)
        (yolo / "labels" / split / f"{split}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (yolo / "data.yaml").write_text("names:\n  0: cat\n  1: 'dog'\n")
    splits = notes.read_splits(yolo)
    assert set(splits) == {"train", "val"}
    assert [category.name for category in splits["val"].categories] == ["cat", "dog"]

    (voc / "more.json").write_text(json.dumps(files.COCO))
    with pytest.raises(DataError, match="holds coco and voc; say which one is meant"):
        notes.read_splits(voc)
    assert notes.read_annotations(voc, "coco").form == "coco"
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="holds no annotations of"):
        notes.read_splits(empty)
