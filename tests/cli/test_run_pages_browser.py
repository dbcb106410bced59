"""The pages of attribute, quantize and report in a real browser: no error, nothing fetched, nothing wider than a phone; keys step the maps."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_browser import browse

pytestmark = pytest.mark.browser

WATCH = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
PROBE = """
<script>
window.addEventListener("load", () => {
  const figures = [...document.querySelectorAll("figure")];
  const steps = ["ArrowRight", "ArrowRight", "ArrowLeft"].map(key => {
    document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    return figures.indexOf(document.activeElement);
  });
  document.title = JSON.stringify({steps, errors: window.problems, wide: document.documentElement.scrollWidth, inner: innerWidth,
    fetched: performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:")).length});
});
</script>
"""


@pytest.mark.parametrize(
    ("command", "options", "steps"),
    [
        ("attribute", ["--method", "grad_cam", "saliency"], [0, 1, 0]),
        ("quantize", ["--calibrate", "10"], [-1, -1, -1]),
        ("report", [], [-1, -1, -1]),
    ],
)
def test_pages_work(trained_run, run_main, tmp_path, command, options, steps):
    page = tmp_path / "page.html"
    subject = [trained_run]
    if command == "attribute":
        Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(tmp_path / "digit.png")
        subject = [tmp_path / "digit.png", "--model", trained_run]
    assert run_main(command, *subject, *options, "--html", page)[0] == 0
    page.write_text(page.read_text().replace("<head>", "<head>" + WATCH, 1).replace("</body>", PROBE + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"'))
    assert seen["errors"] == []
    assert seen["fetched"] == 0
    assert seen["wide"] <= seen["inner"]
    assert seen["steps"] == steps
