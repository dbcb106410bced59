"""The pages of metrics and ap in a real browser: stepped by keys, no error, nothing fetched, nothing wider than a phone."""

import json
import re

import pytest

from tests.cli.test_browser import browse
from tests.metrics.test_detection import FOUND, TRUTH

pytestmark = pytest.mark.browser

PROBE = """
<script>
window.addEventListener("load", () => {
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", {key})), said = [];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"]) { press(key); said.push(document.querySelector("#said").textContent); }
  document.querySelector("[data-step='1']").click(); said.push(document.querySelector("#said").textContent);
  const lit = [...document.querySelectorAll("td.top, td.bottom")].map(each => each.id + " " + each.className.trim());
  document.title = JSON.stringify({said, lit, on: document.querySelectorAll(".on").length, errors: window.problems,
    wide: document.documentElement.scrollWidth, inner: innerWidth, fetched: performance.getEntriesByType("resource").length});
});
</script>
"""


def seen_on(page, tmp_path):
    watch = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
    page.write_text(page.read_text().replace("<head>", "<head>" + watch, 1).replace("</body>", PROBE + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"').replace("&amp;", "&"))
    assert seen["errors"] == [] and seen["fetched"] == 0
    assert seen["wide"] <= seen["inner"] and seen["on"] == 1
    return seen


def test_metrics_light_up_their_cells(run_main, tmp_path):
    page = tmp_path / "page.html"
    assert run_main("metrics", "30 20 10; 50 60 10; 20 20 80", "--html", page)[0] == 0
    seen = seen_on(page, tmp_path)
    assert seen["said"][:2] == ["precision of 0 0.3000", "recall of 0 0.5000"] and seen["said"][2] == seen["said"][4] == seen["said"][0]
    assert seen["lit"] == ["cell-0-0 right top", "cell-1-0 bottom", "cell-2-0 bottom"]


def test_ap_steps_through_detections(run_main, tmp_path):
    for name, document in (("found", FOUND), ("truth", TRUTH)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    page = tmp_path / "page.html"
    assert run_main("ap", tmp_path / "found.json", tmp_path / "truth.json", "--html", page)[0] == 0
    seen = seen_on(page, tmp_path)
    assert seen["said"][1] == "cat 2: score 0.9, wrong; precision 1/2 = 0.5000, recall 1/3 = 0.3333"
