"""The operator book: pages that parse, links that lead somewhere, nothing fetched; checks and speed as their sources have them."""

import html
import inspect
import json
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from tests.study import operator_evidence
from tinycnn.errors import ArgumentError, UsageError
from tinycnn.registry import OPERATORS
from tinycnn.study import book, explain
from tinycnn.study import book_page as pages
from tinycnn.study.book_decks import DECKS, ROWS
from tinycnn.study.book_evidence import KINDS, checks_of, speed_of
from tinycnn.study.explain_arguments import parsed_array

FEW = ["conv2d", "relu", "nms", "box_iou"]
VOID = {"wbr", "meta", "link", "input", "br", "img", "hr", "mspace"}


class Page(HTMLParser):
    """Complains about tags that do not nest; collects links, ids and addresses."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.addresses, self.wrong = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if tag == "a" else []
        self.addresses += [attributes[name] for name in ("src", "href", "data", "action", "poster") if name in attributes]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if tag in ("p", "li", "dt", "dd") and self.open and self.open[-1] != tag:
            self.wrong.append((tag, list(self.open)))
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, list(self.open)))


def inspected(folder):
    """What must hold for every page of a book; the pages by name."""
    found = {}
    for path in sorted(folder.glob("*.html")):
        text, page = path.read_text(), Page()
        page.feed(text)
        assert not page.open and not page.wrong, (path.name, page.wrong[:2])
        assert len(page.ids) == len(set(page.ids)), path.name
        assert len(text.encode()) < 1_000_000, path.name
        for link in page.links:
            parts = urlsplit(link)
            assert not parts.netloc and (not parts.path or (folder / parts.path).is_file()), (path.name, link)
            assert not parts.fragment or parts.fragment in page.ids, (path.name, link)
        assert all(address.startswith(("data:", "#")) or address in page.links for address in page.addresses), path.name
        assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|https?://(?!www\.w3\.org)", text), path.name
        for block in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL):
            json.loads(block)
        found[path.stem] = text
    return found


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    folder = tmp_path_factory.mktemp("few")
    return book(folder, FEW), inspected(folder)


def test_a_page_an_operator_and_an_index(few):
    written, texts = few
    assert written.operators == ["relu", "conv2d", "nms", "box_iou"]  # by family
    assert set(texts) == {*FEW, "index"}
    assert all(f'href="{name}.html"' in texts["index"] for name in FEW)
    decks = {deck for _, decks, operators in ROWS.values() for deck in decks if set(FEW) & set(operators)}
    assert decks and all(html.escape(DECKS[deck]) in texts["index"] for deck in decks)
    assert 'rel="next" href="nms.html"' in texts["conv2d"]
    assert 'rel="prev" href="relu.html"' in texts["conv2d"]


def test_a_page_holds_what_is_known(few):
    text = few[1]["conv2d"]
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    expected = ["Shapes", "Formula", "Worked example", "Parameters", "Returns", "Raises", "Definition", "Notes", "Examples", "Checks", "Speed"]
    assert [title for title in titles if title != "Animation"] == [*expected, "In the lectures", "References"]
    assert "tinycnn explain conv2d" in text
    for kernel in OPERATORS["conv2d"].kernels:
        assert f"<summary>{kernel}</summary>" in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert data["results"][0]["values"] == json.loads(json.dumps(explain("conv2d").to_dict()))["results"][0]["values"]
    assert {part["name"] for part in data["gradients"]} == {"grad_input", "grad_weight", "grad_bias"}


def test_formulas_are_typeset_where_the_library_is(few):
    pytest.importorskip("latex2mathml")
    assert few[0].plain == []
    assert few[1]["box_iou"].count("<math") > 5


def test_without_the_library_formulas_are_plain(tmp_path, monkeypatch):
    monkeypatch.setattr("tinycnn.study.formula.can_typeset", lambda: False)
    written = book(tmp_path / "new" / "book", ["box_iou"])
    assert written.plain == ["box_iou"]
    assert "IoU = I / (A + A&#x27; - I);" in inspected(written.folder)["box_iou"]


def test_a_book_replaces_a_book_and_nothing_else(tmp_path):
    book(tmp_path, ["relu", "neg"])
    (tmp_path / "notes.txt").write_text("mine")
    book(tmp_path, ["neg"], family=["nms"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["batched_nms.html", "book.json", "index.html", "neg.html", "nms.html", "notes.txt"]


def test_wrong_words_get_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="no operator 'conv2e'; did you mean conv2d"):
        book(tmp_path, ["conv2e"])
    with pytest.raises(UsageError, match="no family 'pol'; did you mean pool"):
        book(tmp_path, family=["pol"])
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match=r"holds other files, such as thesis\.tex; name an empty folder"):
        book(tmp_path, ["relu"])
    with pytest.raises(UsageError, match="is a file; name a folder"):
        book(tmp_path / "thesis.tex", ["relu"])
    with pytest.raises(UsageError, match="cannot be written"):
        book("/proc/nowhere/book", ["relu"])
    with pytest.raises(UsageError, match="cannot be written"):
        book("x" * 300, ["relu"])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "book.json").write_text("[]")
    with pytest.raises(UsageError, match="is not what a book leaves"):
        book(tmp_path / "other", ["relu"])


@pytest.mark.parametrize("name", ["conv2d", "max_pool2d", "softmax", "nms", "cross_entropy", "linear", "pad", "matmul"])
def test_the_command_gives_the_same_numbers(name):
    """What the page says to type is understood as the arrays that the page shows."""
    import shlex

    from tinycnn.cli.explain import read_option

    found = explain(name)
    words = shlex.split(pages.command_for(found))
    assert words[:3] == ["tinycnn", "explain", name] and "--seed" not in words
    options = dict(read_option(word) for word in words[3:] if "=" in word)
    again = explain(name, **options)
    assert all((again.arrays[key] == array).all() for key, array in found.arrays.items())


def test_arrays_that_cannot_be_typed_leave_a_seed():
    assert pages.command_for(explain("max_pool3d")).endswith("--seed 1")
    assert pages._typed(parsed_array("1 2; 3 4")) == "1 2; 3 4"


def test_an_animation_is_shown_where_there_is_one(monkeypatch):
    class Film:
        def html(self):
            return '<p title="x">film</p>'

        def svg(self, frame):
            return f"<svg>{frame}</svg>"

    def animate(name):
        if name != "conv2d":
            raise ArgumentError("no film")
        return Film()

    monkeypatch.setattr("tinycnn.study.animate", animate, raising=False)
    assert "srcdoc=\"&lt;p title=&quot;x&quot;&gt;film" in pages._animation("conv2d")
    assert pages._animation("relu") == ""
    monkeypatch.setattr("tinycnn.study.animate", None, raising=False)
    assert pages._animation("conv2d") == ""


def test_decks_name_operators():
    for row, (_, decks, operators) in ROWS.items():
        assert set(operators) <= set(OPERATORS), row
        assert set(decks) <= set(DECKS), row


def test_the_checks_are_in_the_test_suite():
    """What the packaged file says is there; the exhaustive test holds that it is all, and that each test names the operator."""
    said = {(kind, test) for name in OPERATORS for kind, tests in checks_of(name).items() for test in tests}
    assert {kind for kind, _ in said} == set(KINDS)
    texts = {file: (operator_evidence.ROOT / file).read_text() for file in {test.split("::")[0] for _, test in said}}
    missing = [test for _, test in said if f"def {test.split('::')[1]}(" not in texts[test.split("::")[0]]]
    assert not missing, "run tests/study/operator_evidence.py"


def test_speed_is_only_said_where_it_was_measured():
    assert {row["part"] for row in speed_of("conv2d")} == {"forward", "grad-input", "grad-weight"}
    assert speed_of("relu") == []


@pytest.mark.exhaustive
def test_checks_and_speed_are_up_to_date():
    folder = operator_evidence.ROOT / "tinycnn" / "study"
    for name, data in (("operator_checks.json", operator_evidence.checks()), ("operator_speed.json", operator_evidence.speed())):
        assert json.loads((folder / name).read_text()) == data, "run tests/study/operator_evidence.py"


@pytest.mark.exhaustive
def test_the_whole_book(tmp_path):
    pytest.importorskip("latex2mathml")
    written = book(tmp_path)
    texts = inspected(tmp_path)
    assert set(texts) == {*OPERATORS, "index"}
    assert len(written.plain) < 0.05 * len(OPERATORS)
    for name, operator in OPERATORS.items():
        for parameter in inspect.signature(operator.function).parameters:
            assert parameter in texts[name]
        assert "<h2>Worked example</h2>" in texts[name] and "<h2>Definition</h2>" in texts[name] and "<h2>Checks</h2>" in texts[name]
