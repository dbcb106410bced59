"""`tinycnn animate` and `tinycnn gradcheck`: text, JSON, files, sentences, and pages that a browser steps through and prints."""

import json
import re

import pytest
from PIL import Image

from tests.cli.test_browser import browse

SMALL = ("max_pool2d", "1 1 2 4; 5 6 7 8; 3 2 1 0; 1 2 3 4", "kernel_size=2")
TRANSPOSED = ("conv_transpose2d", "1 2; 3 4", "1 1 1; 1 1 1; 1 1 1", "stride=2")

DRIVE = """
<script>
addEventListener("load", () => {
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })), seen = [];
  const note = () => seen.push(STATE);
  note(); press("ArrowRight"); note(); press("End"); note(); press("ArrowRight"); note(); press("Home"); note();
  document.getElementById("on").click(); note(); AFTER
  document.title = JSON.stringify({ seen, errors: window.problems, wide: document.documentElement.scrollWidth, inner: innerWidth,
    fetched: performance.getEntriesByType("resource").length });
});
</script>
"""


def driven(page, tmp_path, state, after="", size="1280,900"):
    """What a browser saw while keys were pressed on a page."""
    watch = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
    probe = DRIVE.replace("STATE", state).replace("AFTER", after)
    page.write_text(page.read_text().replace("<head>", "<head>" + watch, 1).replace("</body>", probe + "</body>", 1))
    document = browse("--dump-dom", f"--window-size={size}", page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"').replace("&gt;", ">"))
    assert seen["errors"] == [] and seen["fetched"] == 0 and seen["wide"] <= seen["inner"]
    return seen["seen"]


def test_text_is_a_line_a_step(run_main):
    code, out, _ = run_main("animate", *SMALL)
    assert code == 0 and out.splitlines()[-1] == "4  y[1, 1] = max(1, 0, 3, 4) = 4"


def test_files_and_json(run_main, tmp_path):
    gif, svg, page = tmp_path / "a.gif", tmp_path / "a.svg", tmp_path / "a.html"
    files = ("--gif", gif, "--svg", svg, "--frame", "2", "--html", page)
    code, out, err = run_main("animate", *SMALL, *files, "--aspect", "4:3", "--width", "400", "--json")
    assert code == 0 and len(json.loads(out)["frames"]) == 4 and "wrote" in err
    with Image.open(gif) as image:
        assert image.n_frames == 4 and image.size == (400, 300)
    assert "2 / 4" in svg.read_text() and page.read_text().startswith("<!doctype html>")


def test_unpooling_and_forms(run_main):
    assert "goes to index 5, y[1, 1]" in run_main("animate", "max_unpool2d", "1 2; 3 4", "--pooled", "1 2 6 3; 3 5 2 1; 1 2 2 1; 7 3 4 8")[1]
    assert run_main("animate", *TRANSPOSED, "--form", "zeros")[1].count("×") > 100


def test_checkerboards(run_main, tmp_path):
    code, out, _ = run_main("animate", *TRANSPOSED, "--checkerboard", "--json")
    assert code == 0 and json.loads(out)["counts"][2] == [2, 2, 4, 2, 2]
    assert "no checkerboard" in run_main("animate", "conv_transpose2d", "kernel_size=2", "stride=2", "--overlap")[1]
    svg, page = tmp_path / "c.svg", tmp_path / "c.html"
    assert run_main("animate", "conv_transpose2d", "--overlap", "--svg", svg, "--html", page)[0] == 0
    assert svg.read_text().startswith("<svg") and "checkerboard" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("animate", "conv2d", "1 2; 3"), "row 2 of"),
        (("animate", "conv2d", "one two"), "is not a number"),
        (("animate", "conv2d", "input_size=10000"), "more than fits on a slide"),
        (("animate", "nothing"), "there is no operator 'nothing'"),
        (("animate", "conv2d", "--frame", "2"), "give --svg FILE too"),
        (("animate", *SMALL, "--svg", "/nowhere/a.svg"), "name a file in a folder that exists"),
        (("animate", *SMALL, "--gif", "/nowhere/a.gif"), "name a file in a folder that exists"),
        (("animate", *SMALL, "--gif", "a.gif", "--width", "5000"), "width 5000 must be"),
        (("animate", "conv2d", "--checkerboard"), "--checkerboard is for conv_transpose"),
        (("animate", "conv_transpose2d", "groups=2", "--checkerboard"), "--checkerboard has no use for groups"),
        (("animate", "conv_transpose2d", "--checkerboard", "--gif", "a.gif"), "one picture"),
        (("animate", "conv_transpose2d", "stride=x", "--checkerboard"), "stride"),
        (("gradcheck", "nothing"), "there is no operator or network 'nothing'"),
        (("gradcheck", "relu", "one"), "is not a number"),
        (("gradcheck", "relu", "1", "--report", "a.txt"), "name a .html file"),
        (("gradcheck", "relu", "1", "--report", "/nowhere/a.html"), "name a file in a folder that exists"),
    ],
)
def test_mistakes_get_a_sentence(run_main, elsewhere, arguments, words):
    code, _, err = run_main(*arguments)
    assert code in (1, 2) and words in err


def test_gradcheck_text_json_and_page(run_main, tmp_path):
    code, out, _ = run_main("gradcheck", "relu", "-1 0 2")
    assert code == 0 and "input[1] = 0: kink" in out and "because input[1] = 0" in out
    page = tmp_path / "g.html"
    code, out, err = run_main("gradcheck", "tanh", "0.5 1", "--grad", "1 2", "--report", page, "--json")
    assert code == 0 and json.loads(out)["passed"] and "2 entries agree" in err and "theory h^2" in page.read_text()


@pytest.mark.browser
def test_films_are_stepped_played_and_printed(run_main, tmp_path):
    page = tmp_path / "film.html"
    assert run_main("animate", *SMALL, "--html", page)[0] == 0
    state = '[document.getElementById("said").textContent, document.querySelector(".stage .count").textContent, ' \
            '[...document.querySelectorAll(".stage g.window, .stage g.best")].map(g => g.textContent).sort().join(" "), ' \
            'document.querySelector(".stage g.now").textContent]'  # fmt: skip
    sheet = 'dispatchEvent(new Event("beforeprint")); seen.push([...document.querySelectorAll("#sheet .count")].map(each => each.textContent));'
    seen = driven(page, tmp_path, state, sheet + 'press(" "); seen.push(document.getElementById("play").textContent);')
    first, last = ["y[0, 0] = max(1, 1, 5, 6) = 6", "1 / 4", "1 1 5 6", "6"], ["y[1, 1] = max(1, 0, 3, 4) = 4", "4 / 4", "0 1 3 4", "4"]
    second = ["y[0, 1] = max(2, 4, 7, 8) = 8", "2 / 4", "2 4 7 8", "8"]
    assert seen == [first, second, last, last, first, second, ["1 / 4", "2 / 4", "3 / 4", "4 / 4"], "Pause"]


@pytest.mark.browser
def test_gradient_pages_are_stepped(run_main, tmp_path):
    page = tmp_path / "gradient.html"
    assert run_main("gradcheck", "relu", "-1 0 2", "--report", page)[0] == 0
    seen = driven(page, tmp_path, 'document.querySelector("#focus p").textContent.slice(0, 18)', size="500,900")
    assert seen == [f"d/d input[{place}]: {'kink' if place == 1 else 'agre'}" for place in (0, 1, 2, 2, 0, 1)]


@pytest.mark.browser
def test_heat_maps_fit_a_phone(run_main, tmp_path):
    page = tmp_path / "heat.html"
    assert run_main("animate", *TRANSPOSED, "--checkerboard", "--html", page)[0] == 0
    page.write_text(page.read_text().replace("</main>", '<button id="on"></button></main>'))
    assert driven(page, tmp_path, 'document.querySelectorAll("svg.heat rect").length', size="500,900")[0] == 75
