"""`check_annotations`: each silent trouble is planted, found, and told in words; sound annotations are left in peace."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.data.published_formats import SHARED
from tinycnn.data.annotations import Annotations, Box, Category, Picture, Thing, check_annotations, read_splits
from tinycnn.data.annotations.check import picture_folder
from tinycnn.errors import DataError

SIZE = (60, 100)


def sound(count=24, form="coco", fmt="xywh"):
    """Boxes well inside their pictures, of two classes."""
    generator = np.random.default_rng(0)
    pictures = []
    for place in range(count):
        x, y = generator.integers(0, 40), generator.integers(0, 20)
        box = Box((float(x), float(y), float(generator.integers(5, 50)), float(generator.integers(5, 30))), fmt)
        pictures.append(Picture(f"{place}.png", SIZE, (Thing(place % 2 + 1, box),), place))
    return Annotations(form, tuple(pictures), (Category(1, "dog"), Category(2, "cat")))


def with_thing(*things, base=None, **picture):
    """Sound annotations and one more picture with these things."""
    base = base or sound()
    return replace(base, pictures=(*base.pictures, replace(Picture("more.png", SIZE, tuple(things), 99), **picture)))


def rules(value, **options):
    return {finding.rule: finding for finding in check_annotations(value, **options)}


def box(*values, fmt="xywh", known=1, **options):
    return Thing(known, Box(tuple(float(value) for value in values), fmt), **options)


def test_sound_annotations_are_left_in_peace():
    assert set(rules(sound())) == {"no pictures"}


@pytest.mark.parametrize(
    ("value", "rule", "level", "words"),
    [
        (with_thing(box(5, 5, 0, 4)), "zero area", "error", "1 boxes have no area"),
        (with_thing(box(50, 5, -20, 4)), "corners exchanged", "error", "end before they begin"),
        (with_thing(box(5, 5, 5, 5, fmt="voc")), "single pixel", "error", "a click without a drag"),
        (with_thing(box(90, 5, 40, 4)), "outside the picture", "error", "leave the picture"),
        (with_thing(box(90, 5, 10.5, 4)), "outside by rounding", "warning", "at most a pixel"),
        (
            with_thing(*[box(10, 70 + k, 4, 9) for k in range(4)], base=replace(sound(), pictures=())),
            "x and y exchanged",
            "error",
            "rows and columns",
        ),
        (with_thing(box(0, 4, 9, 9, fmt="voc")), "counted from 0", "warning", "begin at 0, but VOC counts pixels from 1"),
        (with_thing(box(0.5, 0.5, 0.2, 0.1)), "mixed units", "error", "shares and pixels are mixed"),
        (with_thing(box(50, 20, 9, 9, fmt="yolo")), "pixels as shares", "error", "above 1 where YOLO has shares"),
        (with_thing(box(1, 1, 9, 9), box(1, 1, 9, 9)), "duplicated boxes", "warning", "lie twice"),
        (with_thing(box(1, 1, 9, 9), box(1, 1, 9, 9, known=2)), "one box, two classes", "warning", "another class"),
        (with_thing(Thing(1, polygons=((1, 1, 5, 5),), shape="polygon")), "polygon of fewer than 3 points", "error", "fewer than 3 points"),
        (with_thing(Thing(1, polygons=((1, 1, 5, 5, 9, 9),), shape="polygon")), "polygon without area", "error", "enclose nothing"),
        (with_thing(Thing(1, polygons=((0, 0, 9, 9, 9, 0, 0, 5),), shape="polygon")), "polygon crosses itself", "warning", "cross themselves"),
        (with_thing(box(1, 1, 9, 9, polygons=((30, 30, 40, 30, 40, 40),))), "box beside its outline", "warning", "2 pixels away"),
        (with_thing(box(1, 1, 9, 9, keypoints=(200, 5, 2))), "keypoints outside", "error", "outside the picture"),
        (with_thing(box(1, 1, 9, 9, keypoints=(2, 5, 3))), "visibility", "error", "none of 0"),
        (with_thing(box(1, 1, 9, 9, crowd=True)), "crowd without mask", "warning", "no run-length mask"),
        (with_thing(box(1, 1, 9, 9, crowd=True)), "crowd flags", "note", "leave them out of training"),
        (with_thing(box(1, 1, 9, 9, difficult=True)), "difficult flags", "note", "VOC's evaluation leaves them out"),
        (with_thing(box(1, 1, 9, 9), file="0.png"), "picture listed twice", "error", "listed more than once"),
        (with_thing(box(1, 1, 9, 9), file="0.jpg"), "names alike but for folder or suffix", "warning", "one of them only"),
        (with_thing(box(1, 1, 9, 9), file="../0.png"), "path leaves the folder", "warning", "holds on one machine only"),
        (with_thing(), "pictures without things", None, ""),
        (replace(sound(), categories=(Category(1, "dog"), Category(2, "Dog "))), "names alike", "warning", "spelt in two ways"),
        (replace(sound(), categories=(Category(1, "dog"), Category(2, "cat"), Category(9, "cow"))), "ids with gaps", "warning", "with 6 missing"),
        (replace(sound(), categories=(Category(1, "dog"), Category(2, "cat"), Category(3, "cow"))), "class without examples", "warning", "undefined"),
        (replace(sound(), notes=("something",)), "reading", "warning", "something"),
    ],
)
def test_planted_troubles_are_found(value, rule, level, words):
    found = rules(value)
    if level is None:  # this one needs the pictures
        assert rule not in found
        return
    assert rule in found, list(found)
    assert found[rule].level == level
    assert words in found[rule].sentence


def test_keypoints_must_be_as_many_as_the_category_names():
    value = with_thing(box(1, 1, 9, 9, keypoints=(2, 5, 2)))
    value = replace(value, categories=(Category(1, "dog", "", ("nose", "tail")), Category(2, "cat")))
    assert "another number of keypoints" in rules(value)["number of keypoints"].sentence


def test_a_rare_name_that_is_nearly_a_frequent_one():
    value = with_thing(box(1, 1, 9, 9, known=3))
    value = replace(value, categories=(Category(1, "person"), Category(2, "tree"), Category(3, "persn")))
    assert rules(value)["misspelt names"].examples == ("persn (1) and person (12)",)


def test_habits_of_whole_files():
    """All numbers shares; counted from 1; the last pixel for the edge; percent."""
    base = sound()

    def changed(change, size=SIZE):
        pictures = tuple(
            replace(each, size=size, things=tuple(replace(thing, box=Box(change(*thing.box.values), "xywh")) for thing in each.things))
            for each in base.pictures
        )
        return rules(replace(base, pictures=pictures))

    assert "shares of the picture" in changed(lambda x, y, w, h: (x / 100, y / 60, w / 100, h / 60))
    assert "counted from 1" in changed(lambda x, y, w, h: (max(x - 20, 1.0), y + 1, w, h))
    assert "last pixel as edge" in changed(lambda x, y, w, h: (x, y, 99 - x, h))
    assert "percent" in changed(lambda x, y, w, h: (x, y, 100 - x if x < 9 else w, h), (600, 800))


def test_ids_of_coco_and_texts():
    zero = replace(sound(), categories=(Category(0, "background"), Category(1, "dog"), Category(2, "cat")))
    assert "the background is no category" in rules(zero)["category 0"].sentence
    texts = replace(sound(), categories=(Category("d1", "dog"), Category(2, "cat")), pictures=(Picture("a.png", SIZE, (), "a.png12"),))
    found = rules(texts)
    assert {"text ids", "text picture ids"} <= set(found)


def write_pictures(folder, value):
    for picture in value.pictures:
        Image.new("RGB", SIZE[::-1], (9, 9, 9)).save(folder / picture.file)


def test_pictures_are_compared_with_what_is_stated(tmp_path):
    value = sound(6)
    write_pictures(tmp_path, value)
    assert set(rules(value, images=tmp_path)) == {"few examples"}
    (tmp_path / "0.png").unlink()
    (tmp_path / "1.png").rename(tmp_path / "1.PNG")
    (tmp_path / "2.png").write_bytes(b"no picture")
    Image.new("RGB", SIZE).save(tmp_path / "3.png")
    Image.new("RGB", (50, 30)).save(tmp_path / "4.png")
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", SIZE[::-1]).save(tmp_path / "5.png", exif=exif)
    Image.new("RGB", (5, 5)).save(tmp_path / "unlisted.png")
    found = rules(value, images=tmp_path)
    planted = ("missing pictures", "capital letters", "unreadable pictures", "height and width exchanged", "size differs", "EXIF rotation")
    for rule, example in zip((*planted, "pictures not listed"), ("0.png", "1.png", "2.png", "3.png", "4.png", "5.png", "unlisted.png"), strict=True):
        assert found[rule].count == 1, rule
        assert found[rule].examples[0].startswith(example)
    assert "orientation 6" in found["EXIF rotation"].examples[0]
    with pytest.raises(DataError, match="is no folder of pictures"):
        check_annotations(value, tmp_path / "nowhere")


def test_a_picture_in_two_splits(tmp_path):
    value = sound(2)
    other = replace(value, pictures=(value.pictures[0], replace(value.pictures[1], file="copy.png")))
    write_pictures(tmp_path, value)
    (tmp_path / "copy.png").write_bytes((tmp_path / "1.png").read_bytes())
    found = {finding.rule: finding for finding in check_annotations({"train": value, "test": other}, tmp_path)}
    assert found["picture in two splits"].examples == ("0.png: train and test",)
    assert found["copies in two splits"].count >= 1
    assert any(finding.sentence.startswith("test: ") for finding in found.values())


@pytest.mark.skipif(not (SHARED / "bccd").is_dir(), reason="no real BCCD in ../shared/data")
def test_the_two_bad_boxes_of_bccd_are_found():
    """../shared/data/README.md: two boxes are degenerate or out of frame."""
    folder = SHARED / "bccd"
    findings = check_annotations(read_splits(folder), picture_folder(folder))
    clicks = [case for finding in findings if finding.rule == "single pixel" for case in finding.examples]
    assert sorted(clicks) == ["BloodImage_00338.jpg: RBC 504 337 504 337", "BloodImage_00343.jpg: RBC 181 329 181 329"]
