"""The lecture page in a real browser: searched, filtered, stepped by keys, a command copied; no error, nothing fetched, fits a phone."""

import json
import re

import pytest

from tests.cli.test_browser import browse

pytestmark = pytest.mark.browser

PROBE = """
<script>
window.addEventListener("load", async () => {
  const press = (key, target = document) => target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  const box = document.getElementById("search"), seen = {};
  const type = text => { box.value = text; box.dispatchEvent(new Event("input")); };
  const shown = () => [...new Set([...document.querySelectorAll("article")].filter(each => each.offsetParent).map(each => each.dataset.id))];
  seen.all = shown().length;
  type("unpooling"); seen.unpooling = shown();
  type("zzz"); seen.none = shown(); seen.decks = [...document.querySelectorAll("h2")].filter(each => each.offsetParent).length;
  press("Escape", box); seen.cleared = shown().length;
  document.querySelector("[data-status=errata]").click();
  seen.asides = [...document.querySelectorAll("aside")].filter(each => each.offsetParent).length;
  seen.cards = shown().length;
  document.querySelector("[data-status=errata]").click();
  type("A17"); press("ArrowRight"); seen.now = document.querySelector("article.now").dataset.id;
  press("ArrowLeft"); press("/"); seen.focus = document.activeElement === box; box.blur();
  const button = document.querySelector("article.now .run button");
  button.click(); await new Promise(done => setTimeout(done, 300)); seen.copied = button.textContent;
  type("");
  seen.errors = window.problems; seen.wide = document.documentElement.scrollWidth; seen.inner = innerWidth;
  seen.fetched = performance.getEntriesByType("resource").length;
  document.title = JSON.stringify(seen);
});
</script>
"""


def test_the_page_is_searched_stepped_and_copied_from(run_main, tmp_path):
    page = tmp_path / "page.html"
    assert run_main("lecture", "--html", page)[0] == 0
    watch = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
    page.write_text(page.read_text().replace("<head>", "<head>" + watch, 1).replace("</body>", PROBE + "</body>", 1))
    options = ("--dump-dom", "--window-size=500,900", "--virtual-time-budget=3000")
    document = browse(*options, page.as_uri(), profile=tmp_path / "profile").stdout
    seen = json.loads(re.search(r"<title>(\{.*?)</title>", document, re.DOTALL)[1].replace("&quot;", '"'))
    assert seen["errors"] == [] and seen["fetched"] == 0
    assert seen["all"] == seen["cleared"] == 177
    assert {"B07", "B08"} <= set(seen["unpooling"]) and len(seen["unpooling"]) < 20
    assert seen["none"] == [] and seen["decks"] == 0
    assert seen["asides"] >= 12 and seen["cards"] == 0
    assert seen["now"] == "A17" and seen["focus"]
    assert seen["copied"] in ("copied", "press Ctrl-C")
    assert seen["wide"] <= seen["inner"]
