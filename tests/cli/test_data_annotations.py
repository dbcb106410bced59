"""`tinycnn data check` and `tinycnn data convert`: words, exit codes, JSON, and one sentence for whatever is wrong."""

import json

import pytest
from PIL import Image

from tests.data import annotation_values as files
from tinycnn.data.annotations import read_annotations


@pytest.fixture
def folder(tmp_path):
    """COCO's labels beside sound pictures."""
    (tmp_path / "labels.json").write_text(json.dumps(files.COCO))
    for image in files.COCO["images"]:
        Image.new("RGB", (image["width"], image["height"])).save(tmp_path / image["file_name"])
    return tmp_path


def test_check_tells_in_words(run_main, folder):
    code, output, _ = run_main("data", "check", folder)
    assert code == 0
    assert "coco: 2 pictures, 3 things, 2 classes" in output
    assert "toothbrush" in output
    assert "warning  ids with gaps: category ids run from 18 to 90 with 71 missing" in output
    assert "0 errors" in output


def test_an_error_is_a_failure_with_one_sentence(run_main, folder):
    (folder / "b.jpg").unlink()
    code, output, error = run_main("data", "check", folder)
    assert code == 1
    assert "ERROR    missing pictures: 1 pictures are not there" in output
    assert "1 of the findings are errors" in error
    code, output, _ = run_main("data", "check", folder, "--json")
    result = json.loads(output)
    assert code == 1
    assert result["form"] == "coco"
    assert [finding["rule"] for finding in result["findings"] if finding["level"] == "error"] == ["missing pictures"]


@pytest.mark.parametrize("to", ["voc", "yolo", "labelme", "via", "via-csv", "labelbox", "coco"])
def test_convert_and_tell_what_is_lost(run_main, folder, tmp_path, to):
    code, output, _ = run_main("data", "convert", folder, tmp_path / "out", "--to", to)
    assert code == 0
    assert f"coco to {to}: 2 pictures, 3 things, written to" in output
    assert ("nothing is lost" in output) == (to == "coco")
    assert ("crowd flags are lost" in output) == (to != "coco")
    again = read_annotations(tmp_path / "out", images=folder)
    assert sum(len(picture.things) for picture in again.pictures) == 3
    code, _, error = run_main("data", "convert", folder / "labels.json", tmp_path / "out", "--to", to)
    assert code == 1
    assert "nothing is overwritten" in error


def test_one_file_and_json(run_main, folder, tmp_path):
    code, output, _ = run_main("data", "convert", folder / "labels.json", tmp_path / "boxes.csv", "--to", "via-csv", "--json")
    assert code == 0
    assert json.loads(output)["to"] == "via-csv"
    assert (tmp_path / "boxes.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("check", "nowhere"), 1, "nowhere: no such file or folder"),
        (("chekc", "nowhere"), 2, "did you mean check"),
        (("convert", "labels.json"), 2, "give --to FORMAT"),
        (("convert", "labels.json", "--to", "vco"), 2, "did you mean voc"),
        (("convert", "labels.json", "--to", "voc"), 2, "say where to write"),
        (("check", "labels.json", "--form", "coc"), 2, "did you mean coco"),
        (("check", "bad.xml"), 1, "DOCTYPE or an entity"),
        (("check", "bad.json"), 1, "not readable as JSON"),
        (("check", "labels.json", "--images", "nowhere"), 1, "is no folder of pictures"),
    ],
)
def test_mistakes_are_one_sentence(run_main, folder, monkeypatch, arguments, code, words):
    monkeypatch.chdir(folder)
    (folder / "bad.xml").write_bytes(b"<!DOCTYPE a><annotation/>")
    (folder / "bad.json").write_bytes(b"[" * 100_000)
    result, _, error = run_main("data", *arguments)
    assert result == code
    assert words in error
