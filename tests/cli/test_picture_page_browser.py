"""The page of pictures in a real browser: stepped by keys and clicks, no error, nothing fetched, nothing wider than a phone."""

import json
import re

import numpy as np
import pytest

from tests.cli.test_browser import browse
from tinycnn.study.picture_page import Shown, curves_svg, picture_page

pytestmark = pytest.mark.browser

PROBE = """
<script>
window.addEventListener("load", () => {
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key})), said = [];
  const say = () => said.push([document.querySelector("#said").textContent, document.querySelector("#viewer b").textContent]);
  say(); press("ArrowRight"); say(); press("ArrowRight"); press("ArrowRight"); say(); press("ArrowLeft"); say();
  document.querySelectorAll(".pictures img")[1].click(); say();
  document.title = JSON.stringify({said, on: document.querySelectorAll("figure.on").length, errors: window.problems,
    same: document.querySelector("#viewer img").src === document.querySelector("figure.on img").src,
    wide: document.documentElement.scrollWidth, inner: innerWidth, fetched: performance.getEntriesByType("resource").length});
});
</script>
"""


def test_pictures_step_on_one_spot(tmp_path):
    draw = np.random.default_rng(0)
    shown = [Shown(name, draw.random((3, 120, 160)), "words") for name in ("first", "second", "third")]
    rows = [[f"{'a-long-name-' * 6}{k}", "1.2345", "0.0012"] for k in range(3)]
    curves = curves_svg({"loss": [1.0, 0.1]}, "step")
    text = picture_page("A page", "A lead.", [("One", shown[:1]), ("Two", shown[1:])], {}, ("image", "first", "last"), rows, curves=curves)
    watch = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
    page = tmp_path / "page.html"
    page.write_text(text.replace("<head>", "<head>" + watch, 1).replace("</body>", PROBE + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"').replace("&amp;", "&"))
    assert seen["said"] == [["1 of 3", "first"], ["2 of 3", "second"], ["1 of 3", "first"], ["3 of 3", "third"], ["2 of 3", "second"]]
    assert seen["errors"] == [] and seen["fetched"] == 0 and seen["on"] == 1 and seen["same"] and seen["wide"] <= seen["inner"]
