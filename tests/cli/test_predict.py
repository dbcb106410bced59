"""`tinycnn predict`: any image in, one line out, one sentence for what is no image."""

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tinycnn.cli.predict import prepare, read_image
from tinycnn.errors import DataError

DIGITS = {"channels": 1, "image_size": 28, "data": "digits"}


def test_three_answers_with_probabilities(run_main, elsewhere, trained_run):
    Image.new("L", (28, 28)).save("black.png")
    code, output, _ = run_main("predict", "black.png", "--model", trained_run)
    assert code == 0
    line = output.splitlines()[-1]
    assert line.startswith("black.png: ")
    assert line.count("%") == 3


def test_json(run_main, elsewhere, trained_run):
    Image.new("RGB", (90, 60), "white").save("white.jpg")
    Image.new("L", (28, 28)).save("black.png")
    code, output, _ = run_main("predict", "white.jpg", "black.png", "--model", trained_run, "--top", "10", "--json")
    assert code == 0
    first, second = json.loads(output)["predictions"]
    assert [entry["image"] for entry in (first, second)] == ["white.jpg", "black.png"]
    probabilities = [entry["probability"] for entry in first["top"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)


def test_the_newest_run_is_the_default(run_main, elsewhere, trained_run):
    (elsewhere / "runs").mkdir()
    (elsewhere / "runs" / "mine").symlink_to(trained_run)
    Image.new("L", (28, 28)).save("black.png")
    code, output, _ = run_main("predict", "black.png")
    assert code == 0
    assert "runs/mine" in output


def test_paper_is_inverted_and_the_digit_centred(elsewhere):
    page = Image.new("L", (300, 200), 250)
    ImageDraw.Draw(page).line([(40, 20), (40, 120)], fill=10, width=12)
    pixels, notes = prepare(page, DIGITS)
    assert pixels.shape == (28, 28)
    assert pixels[0, 0] == 0
    assert pixels.max() == pytest.approx(255)
    rows, columns = np.nonzero(pixels > 128)
    assert np.ptp(rows) + 1 == 20
    assert rows.mean() == pytest.approx(13.5, abs=1)
    assert columns.mean() == pytest.approx(13.5, abs=1)
    assert any("inverted" in note for note in notes)
    assert any("300 x 200" in note for note in notes)


def test_an_image_as_the_network_knows_it_passes_unchanged():
    pixels = np.random.default_rng(0).integers(0, 100, (28, 28)).astype(np.uint8)
    prepared, notes = prepare(Image.fromarray(pixels), DIGITS)
    assert np.array_equal(prepared, pixels)
    assert notes == []


def test_an_empty_page_does_not_divide_by_zero():
    pixels, _ = prepare(Image.new("L", (50, 50), 255), DIGITS)
    assert np.array_equal(pixels, np.zeros((28, 28)))


def test_colour_networks_get_colour():
    pixels, notes = prepare(Image.new("L", (64, 48), 200), {"channels": 3, "image_size": 32, "data": "cifar10"})
    assert pixels.shape == (32, 32, 3)
    assert notes == ["resized from 64 x 48"]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16"])
def test_every_kind_of_image_is_read(elsewhere, mode):
    name = "picture.tiff" if mode in ("CMYK", "I") else "picture.png"
    Image.new(mode, (20, 10)).save(name)
    assert read_image(elsewhere / name).mode in ("L", "RGB")


def test_transparency_is_paper(elsewhere):
    Image.new("RGBA", (5, 5), (0, 0, 0, 0)).save("clear.png")
    assert np.asarray(read_image(elsewhere / "clear.png")).min() == 255


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.png", b"this is no image"),
        ("empty.png", b""),
        ("cut.png", None),
        ("missing.png", ...),
    ],
)
def test_what_is_no_image_is_one_sentence(run_main, elsewhere, trained_run, name, content):
    if content is None:
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50)).astype(np.uint8)).save("whole.png")
        content = (elsewhere / "whole.png").read_bytes()[:700]
    if content is not ...:
        (elsewhere / name).write_bytes(content)
    code, output, error = run_main("predict", name, "--model", trained_run)
    assert code == 1
    assert name in error
    assert output == ""


def test_a_folder_is_no_image(run_main, elsewhere):
    code, _, error = run_main("predict", ".")
    assert code == 1
    assert "directory" in error.lower()


def test_an_image_that_would_fill_the_memory_is_refused(elsewhere):
    Image.new("1", (8000, 8000)).save("huge.png")
    with pytest.raises(DataError, match="8000 x 8000 pixels"):
        read_image(elsewhere / "huge.png")
