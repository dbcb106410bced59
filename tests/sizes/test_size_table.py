"""docs/size_cases.json: it is what the generator writes, every case is right by counting, and the operators agree."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.sizes import counting
from tinycnn import functional as F
from tinycnn.errors import TinycnnError
from tinycnn.study.size_table import as_text, size_cases

PATH = Path(__file__).resolve().parents[2] / "docs" / "size_cases.json"
TABLE = json.loads(PATH.read_text())
SAMPLE = 13  # the operators run on every 13th case: a prime, so that no column stays the same


def test_the_file_is_what_the_generator_writes():
    assert PATH.read_text() == as_text(size_cases())
    assert size_cases() == TABLE
    assert sum(len(part["cases"]) for name, part in TABLE.items() if name != "description") > 5000


def test_every_row_has_its_columns():
    for name, part in TABLE.items():
        if name != "description":
            assert part["columns"][-1] == "output"
            assert all(len(case) == len(part["columns"]) for case in part["cases"])
            assert len({tuple(case[:-1]) for case in part["cases"]}) == len(part["cases"]), f"{name} has a case twice"
            assert {case[-1] is None for case in part["cases"]} == {True, False} or name == "named"


def test_convolutions_by_counting():
    for *arguments, output in TABLE["conv"]["cases"]:
        assert (counting.windows(*arguments) or None) == output, arguments


def test_poolings_by_counting():
    for *arguments, output in TABLE["pool"]["cases"]:
        assert counting.pooled(*arguments) == output, arguments


def test_named_paddings_by_counting():
    for *arguments, before, after, output in TABLE["named"]["cases"]:
        assert counting.named(*arguments) == (before, after, output), arguments


def test_transposed_convolutions_by_counting():
    for *arguments, output in TABLE["conv_transpose"]["cases"]:
        assert counting.painted(*arguments) == output, arguments


def size_or_none(function, *arguments, **options):
    try:
        return function(*arguments, **options).shape[-1]
    except TinycnnError:
        return None


def test_the_operators_agree():
    for size, kernel, stride, before, after, dilation, output in TABLE["conv"]["cases"][::SAMPLE]:
        x, weight = np.ones((1, 1, size)), np.ones((1, 1, kernel))
        assert size_or_none(F.conv1d, x, weight, None, stride, (before, after), dilation) == output
    for size, kernel, stride, dilation, name, _, _, output in TABLE["named"]["cases"][::SAMPLE]:
        x, weight = np.ones((1, 1, size)), np.ones((1, 1, kernel))
        assert size_or_none(F.conv1d, x, weight, None, stride, name, dilation) == output
    for size, kernel, stride, before, after, dilation, blank, output in TABLE["conv_transpose"]["cases"][::SAMPLE]:
        x, weight = np.ones((1, 1, size)), np.ones((1, 1, kernel))
        assert size_or_none(F.conv_transpose1d, x, weight, None, stride, (before, after), blank, 1, dilation) == output


@pytest.mark.parametrize("dilation", [1, 2])
def test_pooling_agrees(dilation):
    for size, kernel, stride, before, after, gap, ceil_mode, output in TABLE["pool"]["cases"][::SAMPLE]:
        if gap == dilation:
            options = (kernel, stride, (before, after) * 2, gap, bool(ceil_mode))
            assert size_or_none(F.max_pool2d, np.ones((1, 1, size, size)), *options) == output
