"""Denoising, blind spots, autoencoders and loss means on the command line: tiny networks, few steps, one sentence for every mistake."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tinycnn import models, weights
from tinycnn.study.picture_page import as_bytes, curves_svg, picture_page, stretched


@pytest.fixture
def photos(elsewhere):
    """A folder with two grey photos of 40x36 pixels."""
    folder = elsewhere / "photos"
    folder.mkdir()
    for number in range(2):
        rows, columns = np.indices((36, 40))
        pixels = 127 + 100 * np.sin(rows / (4 + number)) * np.cos(columns / 5)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"waves{number}.png")
    return folder


def is_whole(page):
    """A page that fetches nothing, and its pictures."""
    text = page.read_text()
    assert "http" not in text.replace("http://www.w3.org", "") and text.rstrip().endswith("</html>")
    return text.count("data:image/png;base64")


def test_a_denoiser_is_taught_and_found_again(run_main, photos):
    tiny = ["--depth", "3", "--width", "4", "--patch", "16", "--batch-size", "2", "--steps", "3"]
    code, out, _ = run_main("learn-denoising", photos, *tiny, "--test", photos, "--out", "taught", "--json")
    taught = json.loads(out)
    assert code == 0 and taught["steps"] == 3 and taught["milliseconds_per_step"] > 0
    assert is_whole(photos.parent / "taught" / "page.html") == 6
    code, out, _ = run_main("denoise", photos, "--model", "taught", "--grey", "--noise", "gaussian", "--json")
    again = json.loads(out)
    # The network on disk is the one that was taught, and the noise of a seed is one noise.
    assert code == 0 and again["mean"] == pytest.approx(taught["tests"][str(photos)]["mean"])
    restored = np.asarray(Image.open("pictures/denoise-photos/waves1-restored.png"))
    assert restored.shape == (36, 40) and is_whole(photos.parent / "pictures/denoise-photos/page.html") == 5


def test_weights_of_dncnn_tell_their_size_and_colours_are_taken_one_by_one(run_main, photos):
    weights.save(models.get_model("dncnn", depth=3, width=4).state_dict(), "small.npz")
    Image.open(photos / "waves0.png").convert("RGB").save("colour.png")
    code, out, err = run_main("denoise", "colour.png", "--weights", "small.npz", "--html", "seen.html")
    assert code == 0 and "grey levels taken off" in out and err == ""
    colour = np.asarray(Image.open("pictures/denoise-colour/colour-restored.png"))
    run_main("denoise", photos / "waves0.png", "--weights", "small.npz", "--grey", "--out", "grey")
    grey = np.asarray(Image.open("grey/waves0-restored.png"))
    assert np.abs(colour.astype(int) - grey[..., None]).max() <= 1 and is_whole(photos.parent / "seen.html") == 3


def test_noise2void_learns_from_the_photo_alone(run_main, photos):
    tiny = ["--steps", "2", "--patch", "16", "--batch-size", "1", "--width", "2"]
    code, out, _ = run_main("noise2void", photos / "waves0.png", "--grey", "--noise", "poisson", *tiny, "--json")
    found = json.loads(out)
    assert code == 0 and found["score"]["psnr_before"] > 0 and found["box"] == 8
    page = photos.parent / "pictures/noise2void-waves0/page.html"
    assert is_whole(page) == 7 and "4 of 256 pixels, 1.6 %" in page.read_text()
    assert run_main("denoise", photos / "waves1.png", "--grey", "--model", "pictures/noise2void-waves0")[0] == 0
    code, out, _ = run_main("noise2void", photos / "waves0.png", "--demonstrate", *tiny, "--out", "shown")
    assert code == 0 and all(words in out for words in ("white noise, seen spot", "stripes", "noise kept"))
    assert is_whole(photos.parent / "shown" / "page.html") == 13


def test_autoencode_shows_the_code(run_main, elsewhere):
    code, out, _ = run_main("autoencode", "--steps", "2", "--batch-size", "2", "--width", "2", "--show", "2", "--json")
    found = json.loads(out)
    assert code == 0 and found["code"] == [2, 7, 7] and len(found["importance"]) == 2
    assert is_whole(elsewhere / "pictures/autoencode-digits/page.html") == 2 * 6 + 7


def test_loss_means(run_main, elsewhere):
    code, out, _ = run_main("loss-means", "--size", "8", "--json")
    assert code == 0 and max(one["largest_difference"] for one in json.loads(out)["losses"]) < 0.02
    assert is_whole(elsewhere / "pictures/loss-means/page.html") == 10


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["denoise", "nothing.png"], 1, "nothing.png: no such file or folder"),
        (["denoise", "empty"], 1, "empty holds no photos"),
        (["denoise", "text.png"], 1, "not an image"),
        (["denoise", "photos", "--model", "dncn"], 2, "is neither a folder that `tinycnn learn-denoising` wrote nor one of dncnn"),
        (["denoise", "photos", "--model", "empty"], 1, "empty holds no denoiser.json"),
        (["denoise", "photos", "--model", "broken"], 1, "denoiser.json is damaged: JSONDecodeError"),
        (["denoise", "photos", "--model", "huge"], 1, "does not describe a denoiser"),
        (["denoise", "photos", "--weights", "text.png"], 1, "no known format"),
        (["denoise", "photos", "--weights", "dense.npz"], 1, "hold no convolution"),
        (["denoise", "photos", "--noise", "salt-pepper", "--strength", "5"], 2, "a share of the pixels, from 0 to 1"),
        (["denoise", "photos", "--size", "9000"], 2, "make it smaller by --size"),
        (["denoise", "photos", "--noise", "gaussian", "--sigma", "-3"], 2, "finite number above 0"),
        (["learn-denoising", "photos", "--model", "unet"], 2, "did you mean care_unet"),
        (["learn-denoising", "photos", "--depth", "1"], 1, "needs depth >= 2"),
        (["learn-denoising", "photos", "--patch", "64"], 2, "waves0.png is smaller; take smaller patches"),
        (["learn-denoising", "photos", "--patch", "16", "--out", "text.png"], 2, "--out text.png: File exists"),
        (["noise2void", "photos/waves0.png", "--patch", "64"], 2, "36 x 40 pixels; take smaller patches"),
        (["noise2void", "photos/waves0.png", "--demonstrate", "--noise", "poisson"], 2, "--demonstrate has its own noises"),
        (["autoencode", "--depth", "3"], 2, "must be multiples of 8"),
        (["autoencode", "--data", "digit"], 2, "did you mean digits"),
    ],
)
def test_mistakes_get_one_sentence(run_main, photos, arguments, code, words):
    for name in ("empty", "broken", "huge"):
        (photos.parent / name).mkdir()
    (photos.parent / "text.png").write_text("no picture")
    (photos.parent / "broken" / "denoiser.json").write_text("{")
    (photos.parent / "huge" / "denoiser.json").write_text('{"model": "dncnn", "options": {"width": 99999999}}')
    np.savez(photos.parent / "dense.npz", weight=np.zeros((2, 2), np.float32))
    found = run_main(*arguments)
    assert found[0] == code and words in found[2]


def test_parts_of_a_page():
    assert as_bytes(np.array([[[np.nan]], [[2.0]], [[-1.0]]])).tolist() == [[[0, 255, 0]]]
    assert stretched(np.zeros((2, 2))).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert curves_svg({"loss": [0.0, float("nan")]}, "step") == ""
    drawn = curves_svg({"a < b": [1.0, 0.0, 0.1], "c": [3.0]}, "step")
    assert "a &lt; b" in drawn and [points.count(",") for points in re.findall('points="(.*?)"', drawn)] == [2, 1]
    page = picture_page("</script>", "<b>", [], {"name": "</script>"})
    assert "&lt;/script&gt;" in page and page.count("</script>") == 2
