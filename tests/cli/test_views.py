"""`tinycnn views`: every view on the command line, its refusals, and its page in a browser."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_browser import browse
from tinycnn.study.views import VIEWS

FAST = {"learn": ("--steps", "5"), "gallery": ("--filters", "identity,laplacian"), "prior": ("--input", "1 2 3; 4 5 6; 7 8 9", "--kernel-size", "2")}


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_prints_text_json_and_a_page(run_main, tmp_path, name):
    page = tmp_path / "page.html"
    code, output, _ = run_main("views", name, *FAST.get(name, ()), "--html", page, "--json")
    assert code == 0
    data = json.loads(output)
    assert data["view"] == name and all(check["agrees"] for check in data["checks"])
    text = page.read_text()
    assert data["title"] in text and not re.search(r"(src|href)=.?https?:|url\(", text)
    code, output, _ = run_main("views", name, *FAST.get(name, ()), "--elements", "1")
    assert code == 0 and output.startswith(data["title"]) and "DIFFERS" not in output


def test_numbers_on_the_command_line(run_main, tmp_path):
    options = ("--weight", "1 0; 0 -1", "--padding", "1,0,0,0", "--json")
    code, output, _ = run_main("views", "window", "1 2 3; 4 5 6; 7 8 9", *options)
    assert code == 0
    assert json.loads(output)["results"]["output"] == [[[-2, -3], [-4, -4], [-4, -4]]]
    np.save(tmp_path / "x.npy", np.arange(16.0).reshape(4, 4))
    code, output, _ = run_main("views", "toeplitz", tmp_path / "x.npy", "--weight", "1 1; 1 1", "--stride", "2", "--json")
    assert code == 0 and json.loads(output)["results"]["output"] == [[[10, 18], [42, 50]]]
    code, output, _ = run_main("views", "flip", "--weight", "-1 0; 0 1", "--json")
    assert code == 0 and json.loads(output)["results"]["flipped"] == [[[[1, 0], [0, -1]]]]
    code, output, _ = run_main("views", "learn", "--lr", "1", "--momentum", "0", "--steps", "300", "--json")
    assert code == 0 and "diverged" in json.loads(output, parse_constant=pytest.fail)["notes"][0]
    code, output, _ = run_main("views", "equivariance", "--shift=-1,0", "--pool", "2", "--json")
    assert code == 0 and json.loads(output)["facts"]["the image moves"].startswith("-1 down, 0 to the right")


def np_file(folder, array):
    """The path of an array's file."""
    np.save(folder / "array.npy", array)
    return folder / "array.npy"


def test_the_gallery_of_a_photo(run_main, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)).save(tmp_path / "photo.png")
    options = ("--side", "30", "--filters", "identity,blur", "--out", tmp_path / "sheet.png")
    code, output, _ = run_main("views", "gallery", tmp_path / "photo.png", *options)
    assert code == 0 and "wrote" in output
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.width > 2 * 120
    code, output, _ = run_main("views", "gallery", np_file(tmp_path, np.ones((200, 200))), "--filters", "blur", "--json")
    assert code == 0 and json.loads(output)["results"]["blur"]["shape"] == [200, 200]  # no 40,000 numbers
    deep = np.arange(12 * 9, dtype=np.uint16).reshape(12, 9) * 500
    Image.fromarray(deep).save(tmp_path / "deep.png")
    code, output, _ = run_main("views", "gallery", tmp_path / "deep.png", "--filters", "identity", "--json")
    assert code == 0
    np.testing.assert_allclose(json.loads(output)["results"]["identity"], deep / deep.max() * 255, rtol=1e-4)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    code, _, error = run_main("views", "gallery", tmp_path / "broken.png")
    assert code == 2 and "cannot be read as a picture" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("windo",), "there is no view 'windo'; did you mean window"),
        (("window", "--shift", "1"), "the view window has no use for --shift; equivariance takes it"),
        (("window", "deck", "--input", "deck"), "given twice"),
        (("window", "--out", "x.png"), "--out writes the sheet"),
        (("window", "1 2; 3"), "row 2 of '1 2; 3' has 1 numbers"),
        (("window", "one two"), "type numbers between blanks"),
        (("window", "; ;"), "holds no numbers"),
        (("window", "1e300 1"), "give numbers up to 1e+09"),
        (("gallery", "9" * 400), "is no picture"),
        (("window", "nothing.npy"), "there is no file 'nothing.npy'"),
        (("window", "--kernel-size", "0"), "must be whole numbers from 1 up"),
        (("window", "--kernel-size", "9"), "kernel 9 > padded height 6"),
        (("window", "--stride", "0"), "stride"),
        (("window", "--padding-mode", "mirror"), "padding_mode"),
        (("window", "--padding", "9999"), "padded pixels"),
        (("window", "--padding", "99999999"), "more than any memory holds"),
        (("window", "--html", "/no/such/folder/x.html"), "name a file in a folder that exists"),
        (("gallery", "--out", "/no/such/folder/x.png"), "name a file in a folder that exists"),
        (("gallery", "nobody"), "no picture called 'nobody'"),
        (("gallery", "nothing.jpg"), "there is no file 'nothing.jpg'"),
        (("equivariance", "--shift", "x"), "must be whole pixels"),
        (("learn", "--momentum", "1"), "from 0 to below 1"),
        (("groups", "--channels", "7"), "do not divide 7 channels"),
    ],
)
def test_wrong_words_get_a_sentence(run_main, elsewhere, arguments, words):
    code, _, error = run_main("views", *arguments)
    assert code == 2
    assert words in error


DRIVE = """
<script>
window.addEventListener("load", () => {
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const where = () => document.getElementById("where").textContent, seen = [];
  const note = () => seen.push(where() + " | " + document.querySelector("#focus h2").textContent);
  note(); press("ArrowRight"); note(); press("End"); note(); press("ArrowRight"); note(); press("ArrowLeft"); press("Home"); note();
  const slider = document.getElementById("slider"); slider.value = 2; slider.dispatchEvent(new Event("input")); note();
  const cell = document.querySelector("td[data-step='1']"); if (cell) { cell.click(); note(); }
  press("2"); note();
  const filled = [...document.querySelectorAll("td.now")].map(cell => cell.textContent).join(" ");
  document.title = JSON.stringify({ seen, filled, problems, wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    fetched: performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:")).length });
});
</script>
"""
WATCH = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "options", "steps", "first", "second"),
    [
        ("toeplitz", (), 16, "row 0 of W times x is y[0, 0, 0]", "column 0 of W times g"),
        ("learn", ("--steps", "60"), None, "step 0: loss", None),
        ("transposed", (), 5, "input[0, 0, 0] = 1 paints", "y[0, 0, 0]"),
        ("gallery", (), 15, "identity", None),
    ],
)
def test_pages_are_stepped_through_in_a_browser(run_main, tmp_path, name, options, steps, first, second):
    page = tmp_path / "page.html"
    assert run_main("views", name, *options, "--html", page)[0] == 0
    page.write_text(page.read_text().replace("<head>", "<head>" + WATCH, 1).replace("</body>", DRIVE + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile").stdout
    title = re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"').replace("&amp;", "&")
    found = json.loads(title)
    seen = [line.split(" | ") for line in found["seen"]]
    steps = steps or int(seen[0][0].split(" of ")[1])
    at = [int(line[0].split()[1]) if line[0] else 0 for line in seen]
    assert at[:6] == [1, 2, steps, steps, 1, 3]
    assert seen[0][1].startswith(first)
    if second:
        assert at[6:] == [2, 1] and seen[-1][1] == second and found["filled"]
    assert found["problems"] == [] and found["fetched"] == 0 and not found["wide"]
