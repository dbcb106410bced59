"""Padding: the slides' tables, NumPy's answers, gradients, messages."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinycnn import gradcheck
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import pad

SLIDE = np.array(
    [[5, 0, 8, 7, 8, 1], [1, 9, 5, 0, 7, 7], [6, 0, 2, 4, 6, 6], [9, 7, 6, 6, 8, 4], [8, 3, 8, 5, 1, 3], [7, 2, 7, 0, 1, 0]], np.float32
)
TABLES = {
    "replicate": """5 5 0 8 7 8 1 1/5 5 0 8 7 8 1 1/1 1 9 5 0 7 7 7/6 6 0 2 4 6 6 6/
                    9 9 7 6 6 8 4 4/8 8 3 8 5 1 3 3/7 7 2 7 0 1 0 0/7 7 2 7 0 1 0 0""",
    "reflect": """9 1 9 5 0 7 7 7/0 5 0 8 7 8 1 8/9 1 9 5 0 7 7 7/0 6 0 2 4 6 6 6/
                  7 9 7 6 6 8 4 8/3 8 3 8 5 1 3 1/2 7 2 7 0 1 0 1/3 8 3 8 5 1 3 1""",
    "circular": """0 7 2 7 0 1 0 7/1 5 0 8 7 8 1 5/7 1 9 5 0 7 7 1/6 6 0 2 4 6 6 6/
                   4 9 7 6 6 8 4 9/3 8 3 8 5 1 3 8/0 7 2 7 0 1 0 7/1 5 0 8 7 8 1 5""",
}
NUMPY = {"constant": "constant", "reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap"}
modes = st.sampled_from(sorted(NUMPY))
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("mode", sorted(TABLES))
def test_a18_tables_of_the_slides(mode):
    expected = [[int(number) for number in row.split()] for row in TABLES[mode].split("/")]
    np.testing.assert_array_equal(pad(SLIDE, (1, 1, 1, 1), mode=mode).numpy(), expected)


@given(st.tuples(*[st.integers(0, 3)] * 4), modes, seeds)
def test_agrees_with_numpy(amounts, mode, seed):
    left, right, top, bottom = amounts
    x = np.random.default_rng(seed).standard_normal((2, 3, 4, 5))
    expected = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode=NUMPY[mode])
    np.testing.assert_array_equal(pad(x, amounts, mode=mode).numpy(), expected)


@given(st.tuples(*[st.integers(-1, 3)] * 4), modes, seeds)
def test_gradients(amounts, mode, seed):
    assume(mode == "constant" or min(amounts) >= 0)
    assert gradcheck(lambda x: pad(x, amounts, mode=mode), np.random.default_rng(seed).standard_normal((2, 4, 4)))


@given(st.tuples(*[st.integers(0, 3)] * 4), seeds)
def test_cropping_undoes_padding(amounts, seed):
    x = np.random.default_rng(seed).standard_normal((1, 4, 5))
    np.testing.assert_array_equal(pad(pad(x, amounts, value=7.0), tuple(-n for n in amounts)).numpy(), x)


def test_one_axis_and_a_row_of_numbers():
    np.testing.assert_array_equal(pad([1.0, 2.0], (1, 2), value=9.0).numpy(), [9, 1, 2, 9, 9])
    np.testing.assert_array_equal(pad([[1.0, 2.0]], (0, 1), mode="replicate").numpy(), [[1, 2, 2]])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((SLIDE, (1, 2, 3)), {}, ArgumentError, r"must be two whole numbers \(left, right\) or four"),
        ((SLIDE, (1.5, 2)), {}, ArgumentError, r"must be two whole numbers"),
        ((SLIDE[0], (1, 1, 1, 1)), {}, ShapeError, r"4 numbers pad 2 axes, but input has 1; give 2"),
        ((SLIDE, (6, 0)), {"mode": "reflect"}, ShapeError, r'"reflect" can pad width 6 by at most 5 a side, not 6'),
        ((SLIDE, (7, 0)), {"mode": "circular"}, ShapeError, r"by at most 6 a side, not 7"),
        ((SLIDE, (-7, 0)), {}, ShapeError, r"cropping 7 and 0 cells leaves nothing of width 6"),
        ((SLIDE, (1, 1)), {"mode": "mirror"}, ArgumentError, r"mode 'mirror' is not one of constant"),
        ((SLIDE, (1, 1)), {"mode": "reflect", "value": 1.0}, ArgumentError, r'value 1.0 has no place in mode "reflect"'),
        ((SLIDE.astype(np.int64), (1, 1)), {}, DtypeError, r"input is int64"),
    ],
)
def test_messages(arguments, options, error, message):
    with pytest.raises(error, match=f"pad: .*{message}"):
        pad(*arguments, **options)
