"""`tinycnn attribute`: the sheet, the page, the words, and what it refuses."""

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def digit(tmp_path):
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:23, 12:16] = 255
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    return tmp_path / "digit.png"


def test_sheet_page_and_numbers(digit, trained_run, run_main, tmp_path):
    sheet, page = tmp_path / "sheet.png", tmp_path / "maps.html"
    options = ["--method", "grad-cam", "ig", "occlusion", "--target", "3", "--steps", "4", "--out", sheet, "--html", page, "--json"]
    code, out, _ = run_main("attribute", str(digit), "--model", str(trained_run), *map(str, options))
    assert code == 0
    answer = json.loads(out)
    assert [one["method"] for one in answer["maps"]] == ["grad_cam", "integrated_gradients", "occlusion"]
    assert answer["target"] == 3
    assert len(answer["top"]) == 5
    with Image.open(sheet) as picture:
        assert picture.size[0] > 1000
    text = page.read_text()
    assert text.count("<figure") == 4
    assert "src=\"http" not in text


def test_insides(digit, trained_run, run_main, tmp_path):
    model = ["--model", str(trained_run)]
    for show in ("activations", "filters"):
        assert run_main("attribute", str(digit), *model, "--show", show, "--out", str(tmp_path / f"{show}.png"))[0] == 0
        assert (tmp_path / f"{show}.png").exists()
    code, out, _ = run_main("attribute", str(digit), *model, "--layers")
    assert code == 0
    assert "(the default)" in out
    code, out, _ = run_main("attribute", str(digit), *model, "--show", "check", "--method", "saliency")
    assert code == 0
    assert "conv1" in out


def test_patches_and_field_need_no_image(trained_run, run_main, tmp_path):
    model = ["--model", str(trained_run)]
    code, out, _ = run_main("attribute", *model, "--show", "patches", "--layer", "conv1", "--unit", "2", "--out", str(tmp_path / "patches.png"))
    assert code == 0
    assert out.count("at row") == 9
    code, out, _ = run_main("attribute", *model, "--show", "field", "--layer", "conv2", "--out", str(tmp_path / "field.png"), "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["field"] == [14, 14]
    assert 0 < answer["share"] <= 1
    assert (tmp_path / "patches.png").exists() and (tmp_path / "field.png").exists()
    code, _, err = run_main("attribute", *model)
    assert code == 2
    assert "looks at an image" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "gradcan"], "did you mean grad_cam"),
        (["--target", "elephant"], "has no class of that name"),
        (["--target", "99"], "is no class"),
        (["--layer", "conv9"], "there is no layer"),
        (["--show", "masks", "--out", "m.png"], "has no CBAM"),
        (["--show", "filters"], "--out filters.png"),
        (["--show", "filters", "--html", "x.html"], "give --out"),
        (["--show", "patches", "--out", "p.png"], "needs a unit and images"),
        (["--show", "patches", "--layer", "conv1", "--unit", "99", "--out", "p.png"], "unit=99 is no map"),
        (["--show", "field", "--layer", "fc1", "--out", "f.png"], "fc1"),
        (["--out", "nowhere/deep/sheet.png", "--method", "saliency"], "--out nowhere"),
        (["--out", "sheet.unknown", "--method", "saliency"], "--out sheet.unknown"),
    ],
)
def test_refusals(digit, trained_run, run_main, elsewhere, options, words):
    code, _, err = run_main("attribute", str(digit), "--model", str(trained_run), *options)
    assert code in (1, 2)
    assert words in err
