"""The substitution of every metric: the fraction worked out equals the value of tinycnn.metrics, on the decks' tables and on drawn ones."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.study import metric_sheet
from tinycnn.study.metric_page import metric_page


def steps_of(sheet):
    return [step for _, steps in sheet.sections for step in steps]


@given(st.integers(2, 5), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, math.nan]))
def test_fractions_equal_values(classes, seed, zero_division):
    draw = np.random.default_rng(seed)
    matrix = draw.integers(0, 9, (classes, classes)) * (draw.random((classes, classes)) < draw.choice([0.3, 1.0]))
    matrix[0, 0] += 1
    for step in steps_of(metric_sheet(matrix, zero_division=zero_division)):
        if step.exact is not None:
            assert step.value == pytest.approx(float(step.exact), abs=1e-12), step.name
    json.dumps(metric_sheet(matrix).to_dict())


def test_the_decks_binary_table():
    sheet = metric_sheet([[80, 25], [10, 35]], ["yes", "no"], orientation="true_rows", positive="yes")
    values = {name: round(sheet.value(name), 4) for name in ("precision", "recall", "F1", "accuracy")}
    assert values == {"precision": 0.8889, "recall": 0.7619, "F1": 0.8205, "accuracy": 0.7667}
    assert "= (80 + 35) / 150 = 115/150 = 23/30" in sheet.text()
    assert sheet.hints == ()


def test_the_decks_three_class_table_and_its_orientation():
    table = [[30, 20, 10], [50, 60, 10], [20, 20, 80]]
    sheet = metric_sheet(table, "ABC", orientation="predicted_rows")
    assert round(sheet.value("macro F1"), 4) == 0.5492
    assert round(sheet.value("F1 of macro means"), 4) == 0.5611
    assert round(sheet.value("micro F1"), 4) == round(sheet.value("accuracy"), 4) == 0.5667
    assert [round(sheet.value(f"precision of {name}"), 4) for name in "ABC"] == [0.5, 0.5, 0.6667]
    assert [round(sheet.value(f"recall of {name}"), 4) for name in "ABC"] == [0.3, 0.6, 0.8]
    assert [round(sheet.value(f"F1 of {name}"), 4) for name in "ABC"] == [0.375, 0.5455, 0.7273]
    wrong = metric_sheet(table, "ABC")
    assert wrong.value("precision of A") == sheet.value("recall of A")
    assert any("every column sums to 100" in hint for hint in wrong.hints)
    assert any("rows are taken to be true" in hint for hint in wrong.hints)


def test_zero_divisions_are_named():
    sheet = metric_sheet([[3, 0], [2, 0]], ["a", "b"], zero_division=math.nan)
    assert "b is never predicted: its precision is 0/0, set to nan" in sheet.hints
    assert math.isnan(sheet.value("precision of b"))
    assert sheet.value("macro precision") == 0.6  # of the one that is known
    assert "1 of 0/0 left out" in sheet.text()


def test_areas_count_pairs():
    sheet = metric_sheet([[1, 1], [1, 1]], true=[False, False, True, True], scores=[0.1, 0.4, 0.35, 0.8])
    step = next(step for step in steps_of(sheet) if step.name == "ROC AUC")
    assert step.value == float(step.exact) == 0.75
    assert step.numbers == "(3 + 0/2) / (2·2) = 3/4"
    assert metric_sheet([[2, 0], [0, 2]], true=[True, True], scores=[1, 2]).text().count("only one class occurs in the truth") == 1


def test_many_classes_are_cut_short():
    sheet = metric_sheet(np.eye(30, dtype=int))
    assert sum(title.startswith("class ") for title, _ in sheet.sections) == 12
    assert "(1 + 1 + 1 + ... + 1) / 30" in sheet.text()


def test_page_escapes_names_and_holds_every_step():
    sheet = metric_sheet([[1, 2], [3, 4]], ["<b>", "a&b"])
    page = metric_page(sheet)
    assert "<b></th>" not in page and "&lt;b&gt;" in page
    assert page.count('<tr class="step"') == len(steps_of(sheet))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metric_sheet([[1, 2, 3]]), ShapeError, "must be square"),
        (lambda: metric_sheet([[1]]), ArgumentError, "wants 2 to 200 classes, not 1"),
        (lambda: metric_sheet([[0.5, 0.5], [0, 1]]), DtypeError, "whole counts"),
        (lambda: metric_sheet([[1, -2], [0, 1]]), ArgumentError, "counts must be from 0"),
        (lambda: metric_sheet([[0, 0], [0, 0]]), ArgumentError, "not all 0"),
        (lambda: metric_sheet([[1, 2], [3, 4]], ["a", "a"]), ArgumentError, "2 different names|many different names"),
        (lambda: metric_sheet([[1, 2], [3, 4]], positive="x"), ArgumentError, "none of the classes 0, 1"),
        (lambda: metric_sheet(np.eye(3, dtype=int), positive=1), ArgumentError, "is for two classes"),
        (lambda: metric_sheet([[1, 2], [3, 4]], orientation="rows"), ArgumentError, "orientation must be one of"),
        (lambda: metric_sheet([[1, 2], [3, 4]]).value("kappa"), ArgumentError, "there is no step 'kappa'"),
    ],
)
def test_errors_name_the_rule(call, error, message):
    with pytest.raises(error, match=message):
        call()
