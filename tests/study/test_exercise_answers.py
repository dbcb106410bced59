"""Answer files: three formats, many ways to write a number, malformed ones, and marks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.errors import UsageError
from tinycnn.study import exercise
from tinycnn.study.exercise_answers import marked, parsed_answer, read_answers
from tinycnn.study.exercise_sheet import Blank


def number(value, whole=False):
    return Blank("n", np.asarray(value), whole=whole, id="1a")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"1a": "1 2; 3 4", "1b": 7}', ".json"),
        ('{"answers": {"1a": [[1, 2], [3, 4]], "1b": 7}, "seed": 3}', ""),
        ("id,answer\n1a,1 2; 3 4\n1b,7\n", ".csv"),
        ('1a,"1 2; 3 4"\n\n1b,7\n', ".csv"),
        ("# mine\n1a: 1 2; 3 4\n\n1b = 7  # sure\n", ".txt"),
        ("\ufeff1a: 1 2; 3 4\r\n1b: 7\r\n", ""),
    ],
)
def test_formats(text, kind):
    found = read_answers(text, kind)
    matrix = Blank("m", np.array([[1, 2], [3, 4]]), id="1a")
    assert list(found) == ["1a", "1b"]
    assert parsed_answer(found["1a"], matrix).tolist() == [[1, 2], [3, 4]]
    assert parsed_answer(found["1b"], number(7, whole=True)).item() == 7


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        ("2/3", 2 / 3, True), ("0.667", 2 / 3, True), ("66.7%", 2 / 3, True), (".6667", 2 / 3, True), ("0.66", 2 / 3, False), ("[2/3]", 2 / 3, True),
        ("\u22120.5", -0.5, True),
        ("-0", 0.0, True), ("6.67e-1", 2 / 3, True), ("67", 0.67, False),
    ],
)  # fmt: skip
def test_ways_to_write_a_number(text, value, right):
    sheet = exercise("ap")
    blank = number(value)
    answer = parsed_answer(text, blank)
    assert (abs(answer.item() - value) < 0.0015) is right
    assert marked(with_blank(sheet, blank), {"1a": text}).marks[0].right is right


def with_blank(sheet, blank):
    from dataclasses import replace

    return replace(sheet, exercises=(replace(sheet.exercises[0], blanks=(blank,)),))


def test_thousands_and_whole_numbers_are_exact():
    sheet = with_blank(exercise("ap"), number(15_200, whole=True))
    assert [sheet.check({"1a": text}).marks[0].right for text in ("15,200", "15200", "15201", "15200.4", 15200)] == [True, True, False, False, True]


def test_remarks():
    matrix = with_blank(exercise("ap"), Blank("m", np.array([[1, 2], [3, 5]]), id="1a"))
    remarks = {
        text: matrix.check({"1a": text}).marks[0].remark for text in ("1 3; 2 5", "-1 -2; -3 -5", "1 2; 3 4", "1 2 3", "7", "1 2; 3", "x", "1/0")
    }
    assert remarks["1 3; 2 5"] == "rows and columns are swapped"
    assert remarks["-1 -2; -3 -5"] == "the sign is the wrong way round"
    assert remarks["1 2; 3 4"] == "3 of 4 numbers are right"
    assert remarks["1 2 3"] == "it has 3 numbers, the blank asks for 2 x 2 whole numbers"
    assert remarks["7"].startswith("it has one number")
    assert remarks["1 2; 3"].startswith("cannot be read: row 2") and remarks["x"].startswith("cannot be read: 'x' in 'x' is not a number")
    assert "cannot be read" in remarks["1/0"]
    share = with_blank(exercise("ap"), number(0.5))
    assert share.check({"1a": "50"}).marks[0].remark == "as a share of 1, not per cent"


def test_expected_values_only_with_the_solution():
    sheet = exercise("pooling", seed=2)
    right = sheet.answers()["1a"]
    closed, shown = (sheet.check({"1a": "0 0; 0 0"}, solution=solution) for solution in (False, True))
    assert right not in closed.text() and f"expected {right}" in shown.text()
    assert closed.marks[1].text().endswith("not answered") and closed.text().endswith("0 of 4 points")
    assert closed.to_dict()["marks"][0]["expected"] is None and shown.to_dict()["marks"][0]["expected"] == right


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("{", ".json", "the answers are no JSON"),
        ("[1, 2]", ".json", "one JSON object"),
        ("[" * 100_000, ".json", "the answers are no JSON"),
        ("hello world", "", "'hello world' is no answer"),
        ("1a\n", ".csv", "has no answer"),
        ("1a: 1\n1a: 2\n", "", "'1a' twice"),
    ],
)
def test_malformed_files(text, kind, words):
    with pytest.raises(UsageError, match=words):
        read_answers(text, kind)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1 2; 3", "row 2"), ("one", "not a number"), ("nan", "not a finite"), ("inf", "not a finite"), ("1e300", "too large"),
        ("9" * 20_000, "characters"),
        ([[1], [2, 3]], "rows of different lengths"), ({"a": 1}, "not a number"), (True, "not a number"),
        ([], "not a number"), (math.inf, "not a finite"),
        ("1" + "0" * 400, "not a finite"), ([None], "not a number"), ("; ;", "not a number"), ("%", "not a number"),
    ],
)  # fmt: skip
def test_malformed_answers_get_a_sentence(value, words):
    with pytest.raises(UsageError, match=words):
        parsed_answer(value, number(0.5))
    mark = with_blank(exercise("ap"), number(0.5)).check({"1a": value}).marks[0]
    assert not mark.right and mark.remark.startswith("cannot be read: ")


def test_unknown_blanks():
    with pytest.raises(UsageError, match="there is no blank '1z' on this sheet; did you mean 1"):
        exercise("iou").check({"1z": 3})
    with pytest.raises(UsageError, match="this sheet has 3 blanks"):
        exercise("iou").check({str(key): 0 for key in range(10_001)})


IOU = exercise("iou")


@given(st.text(max_size=40))
def test_no_text_breaks_the_marking(text):
    report = IOU.check({"1c": text})
    assert len(report.marks) == 3
    try:
        read_answers(text)
    except UsageError:
        pass
