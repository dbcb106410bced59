"""The report is one file: valid enough to parse, with everything inside and nothing fetched."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tinycnn.plot import Picture, Report, write_report

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that what is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.attributes, self.tags, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parse(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.open == []
    return page


def assert_self_contained(path):
    """Nothing on the page names anything outside it."""
    page = parse(path)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    for tag, name, value in page.attributes:
        if name in ("src", "href", "srcset", "poster", "data", "background"):
            assert value.startswith("data:image/png;base64,"), f"<{tag} {name}> points outside"
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"https?:|url\(|@import", text)
    return page


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)
    return Picture(path, "A <heading>", "Read it & weep")


def test_report_holds_everything(tmp_path, picture):
    report = Report(
        title="lenet5 on <digits>",
        lead="61,706 parameters",
        results=[("test accuracy", "97.50 %")],
        pictures=[picture],
        epochs=[{"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.9, "test_loss": None, "test_accuracy": 0.8}],
        classes=[("zero", 0.9, 0.8, 0.85, 100)],
        layers=[("conv1", "Conv2d", (6, 28, 28), 156)],
        total_parameters=61706,
        config={"epochs": 1},
        environment={"numpy": "2.0"},
        hints=["lower the rate"],
        commands=[("tinycnn predict x.png", "asks it")],
    )
    page = assert_self_contained(write_report(report, tmp_path / "report.html"))
    text = " ".join(page.text)
    for words in (
        "lenet5 on <digits>",
        "97.50 %",
        "A <heading>",
        "Read it & weep",
        "6 × 28 × 28",
        "61,706",
        "lower the rate",
        "tinycnn predict",
    ):
        assert words in text


def test_without_pictures_the_report_says_what_to_install(tmp_path):
    page = assert_self_contained(write_report(Report("t", "l", []), tmp_path / "report.html"))
    assert "pip install 'tinycnn[plot]'" in " ".join(page.text)
