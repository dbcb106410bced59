"""The pages of exercise and myths in a real browser: filled in, checked, hinted, by keys, nothing fetched, nothing wider than a phone."""

import json
import re

import pytest

from tests.cli.test_browser import browse
from tinycnn.study import exercise

pytestmark = pytest.mark.browser

WATCH = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
PROBE = """
<script>
window.addEventListener("load", () => {
  const answers = ANSWERS, fill = (id, text) => {
    const cells = [...document.querySelectorAll(`input[data-blank="${id}"]`)];
    const words = cells.length > 1 ? text.replaceAll(";", " ").trim().split(/ +/) : [text];
    cells.forEach((cell, place) => { cell.value = words[place]; });
  };
  const said = id => document.getElementById("said-" + id).textContent, score = () => document.getElementById("score").textContent;
  const press = (cell, key) => cell.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const seen = {};
  for (const [id, text] of Object.entries(answers.right)) fill(id, text);
  document.getElementById("check").click();
  seen.right = score();
  for (const [id, text] of Object.entries(answers.trap)) fill(id, text);
  document.getElementById("check").click();
  seen.hints = Object.keys(answers.trap).map(said);
  document.getElementById("clear").click();
  seen.cleared = score();
  const first = document.querySelector("input");
  first.value = "abc"; first.focus(); press(first, "Enter");
  seen.word = said(first.dataset.blank);
  first.value = ""; first.focus(); press(first, "ArrowRight");
  seen.moved = document.activeElement.getAttribute("aria-label");
  document.title = JSON.stringify({ ...seen, errors: window.problems, wide: document.documentElement.scrollWidth, inner: innerWidth,
    fetched: performance.getEntriesByType("resource").length });
});
</script>
"""


def test_the_page_checks_itself(tmp_path):
    sheet = exercise("all", seed=11, level=2)
    traps = [blank for blank in sheet.blanks if blank.traps and (blank.is_open or blank.traps[0].answer.shape == blank.answer.shape)]
    typed = {blank.id: " ".join(f"{float(value):.4f}" for value in blank.traps[0].answer.reshape(-1)) for blank in traps}
    answers = {"right": sheet.answers(), "trap": typed}
    probe = PROBE.replace("ANSWERS", json.dumps(answers))
    page = tmp_path / "page.html"
    page.write_text(sheet.html().replace("<head>", "<head>" + WATCH, 1).replace("</body>", probe + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">"))
    assert seen["errors"] == [] and seen["fetched"] == 0 and seen["wide"] <= seen["inner"]
    assert seen["right"] == f"{sheet.points} of {sheet.points} points" and seen["cleared"] == f"0 of {sheet.points} points"
    assert seen["hints"] == [f"wrong: {blank.traps[0].hint}" for blank in traps]
    assert "is not a number" in seen["word"]


def test_the_myths_can_be_stepped_through(run_main, tmp_path):
    page = tmp_path / "page.html"
    assert run_main("myths", "--html", page)[0] == 0
    probe = """<script>addEventListener("load", () => {
      const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key })), steps = [];
      for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "End"]) { press(key); steps.push(document.activeElement.id); }
      document.title = JSON.stringify({ steps, errors: window.problems, wide: document.documentElement.scrollWidth, inner: innerWidth });
    });</script>"""
    page.write_text(page.read_text().replace("<head>", "<head>" + WATCH, 1).replace("</body>", probe + "</body>", 1))
    document = browse("--dump-dom", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"'))
    assert seen["errors"] == [] and seen["wide"] <= seen["inner"]
    assert seen["steps"] == ["one-by-one-convolution", "checkerboard-two-two", "one-by-one-convolution", "accuracy-is-enough"]
