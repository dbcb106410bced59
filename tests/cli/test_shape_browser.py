"""The pages of shape and conventions in a real browser: stepped by keys, no error, nothing fetched, nothing wider than a phone."""

import json
import re

import pytest

from tests.cli.test_browser import browse

pytestmark = pytest.mark.browser

PROBE = """
<script>
window.addEventListener("load", () => {
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key}));
  const on = () => [...document.querySelectorAll(".window")].findIndex(each => each.classList.contains("on"));
  const steps = [];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"]) { press(key); steps.push(on()); }
  const button = document.querySelector("[data-step='1']"); if (button) button.click(); steps.push(on());
  const said = document.querySelector("#said");
  document.title = JSON.stringify({steps, said: said && said.textContent, errors: window.problems, wide: document.documentElement.scrollWidth,
    inner: innerWidth, fetched: performance.getEntriesByType("resource").length});
});
</script>
"""


@pytest.mark.parametrize(
    ("arguments", "windows"),
    [
        (("shape", "conv2d", "--in", "7", "--k", "3", "--s", "3"), 2),
        (("shape", "conv1d", "--in", "224", "--k", "11", "--s", "4"), 8),
        (("shape", "conv 5x5x6 p2 | maxpool 2 | conv 5x5x16 | maxpool 2 | flatten | linear 120 | linear 10", "--in", "1x28x28"), 0),
        (("solve", "conv", "--in", "224", "--out", "112", "--s", "2", "--p", "any"), 0),
        (("conventions",), 0),
    ],
)
def test_pages_work(run_main, tmp_path, arguments, windows):
    page = tmp_path / "page.html"
    assert run_main(*arguments, "--html", page)[0] == 0
    watch = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
    page.write_text(page.read_text().replace("<head>", "<head>" + watch, 1).replace("</body>", PROBE + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"'))
    assert seen["errors"] == [] and seen["fetched"] == 0
    assert seen["wide"] <= seen["inner"]
    if windows:
        assert seen["steps"] == [0, 1, 0, windows - 1, 0]
        assert re.fullmatch(r"window \d+ starts at \d+ and ends at \d+", seen["said"])
