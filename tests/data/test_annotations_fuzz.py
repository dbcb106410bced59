"""Mutated annotation files: each is read and checked, or refused in one typed sentence; nothing crashes, nothing hangs."""

import json
import time
import warnings

import numpy as np
import pytest

from tests.data import annotation_values as files
from tinycnn.data import annotations as notes
from tinycnn.data.annotations.safe import load_json, load_xml
from tinycnn.errors import ArgumentError, DataError

SEEDS = {
    "coco": json.dumps(files.COCO).encode(),
    "voc": files.VOC,
    "rectlabel": files.RECTLABEL,
    "labelme": files.LABELME,
    "via": json.dumps(files.VIA).encode(),
    "via csv": notes.to_via_csv(notes.from_via(files.VIA)).encode(),
    "labelbox": json.dumps(files.LABELBOX_OLD).encode(),
    "labelbox ndjson": files.LABELBOX_NDJSON,
    "yolo": files.YOLO[0][1].encode(),
}
READERS = {
    "coco": lambda data: notes.from_coco(load_json(data, "fuzz.json")),
    "voc": lambda data: notes.from_voc([("fuzz.xml", data)]),
    "rectlabel": lambda data: notes.from_voc([("fuzz.xml", data)], one_based=False),
    "labelme": lambda data: notes.from_labelme([("fuzz.json", data)]),
    "via": lambda data: notes.from_via(load_json(data, "fuzz.json")),
    "via csv": lambda data: notes.from_via_csv(data.decode("utf-8", "replace")),
    "labelbox": lambda data: notes.from_labelbox(load_json(data, "fuzz.json")),
    "labelbox ndjson": notes.from_labelbox_ndjson,
    "yolo": lambda data: notes.from_yolo([("fuzz.jpg", data.decode("utf-8", "replace"))], files.YOLO_NAMES, {"fuzz.jpg": (12, 20)}),
}
# What stands in place of a number or a word: huge, tiny, none at all, of another type.
PUT_IN = [
    b"NaN",
    b"Infinity",
    b"-1",
    b"0",
    b"1e999",
    b"9" * 400,
    b"-0.0",
    b"1e15",
    b"null",
    b"true",
    b'""',
    b"[]",
    b"{}",
    b'"\\ud800"',
    b"[" * 70 + b"]" * 70,
]
PUT_IN += [
    b"0.5",
    b"3",
    b"[[[1]]]",
    b'{"size": [100000, 100000], "counts": "0"}',
    b"\x00",
    b"\xff\xfe",
    b"<!DOCTYPE a>",
    b"&lol;",
    b"<a>" * 80,
    b"1e-320",
]


def mutated(generator, data):
    """One to three changes: a word replaced, bytes changed, a piece doubled, taken out, or cut off."""
    for _ in range(int(generator.integers(1, 4))):
        kind = generator.integers(5)
        at = int(generator.integers(max(len(data), 1)))
        end = min(at + int(generator.integers(1, 30)), len(data))
        if kind == 0:
            starts = [place for place in range(at, len(data)) if data[place : place + 1].isdigit()] or [at]
            last = starts[0]
            while data[last : last + 1].isdigit() or data[last : last + 1] == b".":
                last += 1
            data = data[: starts[0]] + PUT_IN[int(generator.integers(len(PUT_IN)))] + data[last:]
        elif kind == 1:
            data = data[:at] + generator.integers(0, 256, 2, np.uint8).tobytes() + data[at + 2 :]
        elif kind == 2:
            data = data[:end] + data[at:end] + data[end:]
        elif kind == 3:
            data = data[:at] + data[end:]
        else:
            data = data[:at] + PUT_IN[int(generator.integers(len(PUT_IN)))] + data[at:]
    return data if generator.random() > 0.05 else data[: int(generator.integers(len(data) + 1))]


def try_all(name, data):
    """Read, check and write; "read" or the sentence of the refusal."""
    try:
        value = READERS[name](data)
    except DataError as error:
        assert str(error).strip()
        return str(error)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notes.check_annotations(value)
        for to in notes.TARGETS:
            assert all(isinstance(sentence, str) for sentence in notes.losses(value, to))
            try:
                written = notes.convert_annotations(value, to)
            except (DataError, ArgumentError) as error:
                assert str(error).strip()
                continue
            for content in written.values():
                assert isinstance(content, bytes)
    return "read"


def run(count, seed):
    generator = np.random.default_rng(seed)
    results = dict.fromkeys(SEEDS, 0)
    for step in range(count):
        name = list(SEEDS)[step % len(SEEDS)]
        data = mutated(generator, SEEDS[name])
        started = time.monotonic()
        try:
            answer = try_all(name, data)
        except Exception as error:
            raise AssertionError(f"{name}, step {step}: {type(error).__name__} on {data!r}") from error
        assert time.monotonic() - started < 60
        results[name] += answer == "read"
    return results


def test_what_the_seeds_hold_is_read():
    assert all(try_all(name, data) == "read" for name, data in SEEDS.items())


def test_a_few_hundred_mutations():
    results = run(270, 0)
    assert 5 < sum(results.values()) < 265  # some are read, some refused: neither reader nor mutation is idle


@pytest.mark.exhaustive
def test_ten_thousand_mutations():
    assert 200 < sum(run(10_000, 1).values()) < 9_800


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>', "DOCTYPE or an entity"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "DOCTYPE or an entity"),
        (b"<annotation>&lol;</annotation>", "not readable as XML"),
        (b"<a>" * 100 + b"</a>" * 100, "nested more than 64 deep"),
        (b"<annotation>", "not readable as XML"),
        (b"", "not readable as XML"),
        (b"<?xml version='1.0' encoding='klingon'?><annotation/>", "not readable as XML"),
        (b" " * ((1 << 24) + 1), "more than the 16777216 allowed"),
    ],
)
def test_xml_that_could_do_harm_is_refused(data, words):
    with pytest.raises(DataError, match=words):
        load_xml(data, "a.xml")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e999}', "larger than any number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not readable as JSON"),
        (b"[" * 100_000, "not readable as JSON"),
        (b'{"a": "\\ud800"}', "not readable as JSON"),
        (b"\xff\xfe", "not readable as JSON"),
    ],
)
def test_json_that_no_writer_could_follow_is_refused(data, words):
    with pytest.raises(DataError, match=words):
        load_json(data, "a.json")


def test_nesting_and_pixels_have_limits():
    deep = json.loads("[" * 70 + "]" * 70)
    document = {**files.COCO, "annotations": [{**files.COCO["annotations"][0], "own": deep}]}
    with pytest.raises(DataError, match="own: is nested more than 64 deep"):
        notes.from_coco(document)
    huge = {"size": [20_000, 20_000], "counts": [400_000_000]}
    with pytest.raises(DataError, match="more than the 50000000 pixels allowed"):
        notes.from_coco({**files.COCO, "annotations": [{**files.COCO["annotations"][0], "segmentation": huge}]})
