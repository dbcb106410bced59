"""`tinycnn book`: a site for a browser; search and keys driven in headless Chromium."""

import html
import json
import re

import pytest

from tests.cli.test_browser import browse

PROBE = """
<script>
addEventListener("load", () => {
  const seen = {}, by = id => document.getElementById(id);
  const press = (key, where) => (where || document).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const hits = () => [...document.querySelectorAll("#hits a")].map(link => link.textContent);
  seen.clicked = [];
  document.addEventListener("click", event => { const link = event.target.closest("a"); if (link) { event.preventDefault();
    seen.clicked.push(link.getAttribute("href")); } });
  press("ArrowRight"); seen.step = by("where") ? by("where").textContent : "";
  press("j"); press("k");
  press("/"); seen.focused = document.activeElement.id;
  const type = text => { by("find").value = text; by("find").dispatchEvent(new Event("input")); };
  type("conv"); seen.conv = hits();
  press("ArrowRight", by("find")); seen.same = by("where") ? by("where").textContent : "";
  press("ArrowDown", by("find")); seen.chosen = document.activeElement.textContent;
  by("find").focus(); press("Enter", by("find"));
  type("nosuchword"); seen.none = by("hits").textContent;
  type("filter image"); seen.words = hits();
  seen.left = [...new Set([...document.querySelectorAll("[data-name]")].filter(each => !each.hidden).map(each => each.dataset.name))];
  press("Escape", by("find")); seen.cleared = by("find").value + hits().length;
  seen.math = [...document.querySelectorAll("math")].every(each => each.getBoundingClientRect().width > 0);
  Object.assign(seen, { errors: window.problems, wide: document.documentElement.scrollWidth, inner: innerWidth,
    fetched: performance.getEntriesByType("resource").filter(entry => !entry.name.startsWith("data:")).length });
  document.title = JSON.stringify(seen);
});
</script>
"""


def test_pages_are_written(run_main, tmp_path):
    code, output, _ = run_main("book", "--out", tmp_path / "book", "--operators", "relu,neg", "--family", "nms")
    assert code == 0
    assert "wrote 4 pages" in output
    assert f"open {tmp_path / 'book' / 'index.html'}" in output
    assert (tmp_path / "book" / "batched_nms.html").is_file()


def test_json(run_main, tmp_path):
    code, output, _ = run_main("book", "--out", tmp_path / "book", "--operators", "neg", "--json")
    assert code == 0
    assert json.loads(output)["operators"] == ["neg"]


def test_without_the_library_it_is_said_once(run_main, tmp_path, monkeypatch):
    monkeypatch.setattr("tinycnn.study.formula.can_typeset", lambda: False)
    code, output, _ = run_main("book", "--out", tmp_path / "book", "--operators", "neg,relu")
    assert code == 0
    assert output.count("pip install tinycnn[book]") == 1


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), "say where"),
        (("--out", "{new}", "--operators", "conv2e"), "did you mean conv2d"),
        (("--out", "{new}", "--family", "pol"), "did you mean pool"),
        (("--out", "{new}", "--operators", ","), "write names between commas"),
        (("--out", "{full}"), "holds other files, such as mine.txt"),
        (("--out", "{full}/mine.txt"), "is a file"),
        (("--outt", "x"), "did you mean --out"),
    ],
)
def test_wrong_words_get_a_sentence(run_main, tmp_path, arguments, words):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("")
    code, _, error = run_main("book", *(word.format(new=tmp_path / "new", full=tmp_path / "full") for word in arguments))
    assert code == 2
    assert words in error
    assert not (tmp_path / "new").exists()


@pytest.mark.browser
@pytest.mark.parametrize("name", ["conv2d", "index"])
def test_search_and_keys_in_a_browser(run_main, tmp_path, name):
    assert run_main("book", "--out", tmp_path, "--operators", "conv1d,conv2d,conv_transpose2d,relu,softmax")[0] == 0
    page = tmp_path / f"{name}.html"
    watch = '<script>window.problems = []; addEventListener("error", event => problems.push(event.message));</script>'
    page.write_text(page.read_text().replace("<head>", "<head>" + watch, 1).replace("</body>", PROBE + "</body>", 1))
    run = browse("--dump-dom", "--enable-logging=stderr", "--window-size=500,900", page.as_uri(), profile=tmp_path / "profile")
    assert "CONSOLE" not in run.stderr
    seen = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", run.stdout, re.DOTALL)[1]))
    assert seen["errors"] == [] and seen["fetched"] == 0 and seen["math"]
    assert seen["wide"] <= seen["inner"]
    assert seen["focused"] == "find"
    assert seen["conv"][0] == "conv1d conv" and len(seen["conv"]) == 3
    assert seen["chosen"] == "conv1d conv"
    assert "no operator" in seen["none"]
    assert seen["cleared"] == "0"
    if name == "conv2d":
        assert seen["step"] == seen["same"] == "y[0, 0, 0, 1], 2 of 9"
        assert seen["clicked"] == ["conv_transpose2d.html", "conv1d.html", "conv1d.html"]
    else:
        assert seen["clicked"] == ["relu.html", "conv1d.html"]
        assert seen["words"] == ["conv2d conv"] and seen["left"] == ["conv2d"]
