"""`tinycnn lecture`: the map in text, JSON and on a page; numbers computed; words that fit nothing answered in one sentence."""

import dataclasses
import json
import re

import pytest

from tinycnn.study import lectures


def test_the_decks_at_a_glance(run_main):
    code, output, _ = run_main("lecture")
    assert code == 0
    assert re.search(r"^all +160 +177 ", output, re.MULTILINE)
    assert "12 errata" in output


def test_a_row_and_its_numbers(run_main):
    code, output, _ = run_main("lecture", "A14")
    assert code == 0 and "S3 slide 9" in output and "tinycnn shape conv2d --in 7 --k 3 --s 3" in output and "erratum 9" in output
    code, output, _ = run_main("lecture", "--run", "a14")
    assert code == 0
    assert "$ tinycnn shape conv2d --in 7 --k 3 --s 3" in output and "rounded down to 2" in output
    assert "must be: [5, 5]" in output and "6 of 6 numbers agree" in output


def test_a_difference_is_told_and_fails(run_main, monkeypatch):
    row = lectures.ROWS["A11"]
    wrong = dataclasses.replace(row, checks=(dataclasses.replace(row.checks[0], expect=[6, 27, 27]),))
    monkeypatch.setitem(lectures.ROWS, "A11", wrong)
    code, output, error = run_main("lecture", "--run", "A11")
    assert code == 1
    assert "gives at output: [6, 28, 28]" in output and "DIFFERS" in output
    assert "1 of 1 numbers differ: A11, 6 filters of 5 x 5 x 3" in error


def test_errata_and_golden(run_main):
    code, output, _ = run_main("lecture", "--errata")
    assert code == 0 and output.count("the deck:") == 12 and "0.7667" in output
    assert run_main("lecture", "A01", "--errata")[1] == "no erratum is known there\n"
    code, output, _ = run_main("lecture", "S3", "--golden")
    assert code == 0 and "760" in output and re.search(r"^B02 +the pooled map +\[\[6, 8\], \[3, 4\]\]", output, re.MULTILINE)
    code, output, _ = run_main("lecture", "S3", "--run", "errata")
    assert code == 0 and "2 of 2 numbers agree" in output


def test_json(run_main):
    code, output, _ = run_main("lecture", "S4", "--json")
    found = json.loads(output)
    assert code == 0 and len(found["slides"]) == 28 and [erratum["number"] for erratum in found["errata"]] == [1, 2, 3]
    code, output, _ = run_main("lecture", "--run", "A17", "--json")
    found = json.loads(output)
    assert code == 0 and found["agree"] and found["numbers"][0]["answer"] == 760


def test_the_page_is_whole_and_fetches_nothing(run_main, tmp_path):
    page = tmp_path / "lecture.html"
    code, output, _ = run_main("lecture", "--html", page)
    text = page.read_text()
    assert code == 0 and str(page) in output
    assert len(text) < 600_000
    assert set(re.findall(r'(?:src|href)="([^"]*)"', text)) == {"data:,", "#S0", "#S1", "#S2", "#S3", "#S4"}
    assert "http" not in text and "url(" not in text and "@import" not in text
    for tag in ("section", "article", "aside", "div", "ul", "li", "pre", "main", "script", "style", "p"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag
    assert text.count("<section") == 160 and text.count("<aside") >= 12
    assert set(re.findall(r'data-id="(\w+)"', text)) == set(lectures.ROWS)
    assert json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])["rows"] == list(lectures.ROWS)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("lecture", "poolling"), "did you mean pooling"),
        (("lecture", "<script>"), "nothing fits '<script>'"),
        (("lecture", "Z99"), "nothing fits 'Z99'"),
        (("lecture", "C99"), "part C ends with C16"),
        (("lecture", "--run", "C05"), "C05 has no numbers to compute; its commands are `tinycnn experiment degradation"),
        (("lecture", "--run", "nothing-such"), "nothing fits 'nothing-such'"),
        (("lecture", "12"), "slide 12 of which deck"),
        (("lecture", "--rum", "A14"), "did you mean --run"),
    ],
)
def test_malformed_input_is_told_what_to_type(run_main, arguments, words):
    code, _, error = run_main(*arguments)
    assert code == 2
    assert words in error
    assert len(error) < 800
