"""Padding: the slides' tables, NumPy's answers, gradients, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck
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


@given(st.integers(1, 3), st.data(), modes, seeds)
def test_gradients(axes, data, mode, seed):
    """The gradient folds back on one to three axes, amounts of either sign; padding is linear, so it is the adjoint too."""
    amounts = data.draw(st.tuples(*[st.integers(-1, 3)] * (2 * axes)))
    x = np.random.default_rng(seed).standard_normal((2, *(4, 5, 6)[:axes]))
    assert gradcheck(lambda x: pad(x, amounts, mode=mode), x)
    leaf = Tensor(x, requires_grad=True)
    y = pad(leaf, amounts, mode=mode)
    upstream = np.random.default_rng(seed).standard_normal(y.shape)
    y.backward(upstream)
    np.testing.assert_allclose((y.data * upstream).sum(), (x * leaf.grad.data).sum(), rtol=1e-10, atol=1e-10)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5), seeds)
def test_constants_on_any_number_of_axes(pairs, seed):
    x = np.random.default_rng(seed).standard_normal((2, 3, 1, 2, 3)[: len(pairs)])
    torch_order = tuple(n for pair in reversed(pairs) for n in pair)
    np.testing.assert_array_equal(pad(x, torch_order, value=2.5).numpy(), np.pad(x, pairs, constant_values=2.5))
    assert gradcheck(lambda x: pad(x, torch_order), x)


@given(st.tuples(*[st.integers(0, 3)] * 2), st.tuples(*[st.integers(0, 3)] * 2), modes, seeds)
def test_axes_are_padded_one_by_one(rows, columns, mode, seed):
    x = np.random.default_rng(seed).standard_normal((2, 4, 5))
    apart = pad(pad(x, columns, mode=mode).numpy().transpose(0, 2, 1), rows, mode=mode).numpy().transpose(0, 2, 1)
    np.testing.assert_array_equal(pad(x, (*columns, *rows), mode=mode).numpy(), apart)


@pytest.mark.parametrize(
    ("mode", "amounts", "expected"),
    [
        ("constant", (2, -1), [0, 0, 0, 1, 2, 3]),
        ("reflect", (-3, 2), [3, 4, 3, 2]),
        ("symmetric", (-3, 2), [3, 4, 4, 3]),
        ("replicate", (-3, 2), [3, 4, 4, 4]),
        ("circular", (2, -1), [2, 3, 0, 1, 2, 3]),
        ("circular", (-3, 3), [3, 4, 3, 4, 3]),
        ("circular", (-5, 0), []),
    ],
)
def test_cropping_one_side_and_padding_the_other(mode, amounts, expected):
    assert pad(np.arange(5.0), amounts, mode=mode).tolist() == expected


@pytest.mark.parametrize("mode", sorted(NUMPY))
def test_any_memory_layout_and_no_change_of_the_input(mode):
    base = np.random.default_rng(0).standard_normal((3, 5, 4))
    expected = pad(base, (1, 2, 2, 1), mode=mode).numpy()
    for view in (np.asfortranarray(base), base[:, ::-1].copy()[:, ::-1], np.broadcast_to(base, base.shape)):
        before = view.copy()
        np.testing.assert_array_equal(pad(view, (1, 2, 2, 1), mode=mode).numpy(), expected)
        np.testing.assert_array_equal(view, before)
    assert pad(base[:0], (1, 2, 2, 1), mode=mode).shape == (0, 8, 7)
    assert pad(base.astype(np.float32), (1, 1), mode=mode).dtype == np.float32


def test_no_amounts_give_a_copy():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    y = pad(x, ())
    assert not np.shares_memory(y.data, x.data)
    y.backward(np.full((2, 3), 2.0))
    np.testing.assert_array_equal(x.grad.data, np.full((2, 3), 2.0))


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
        ((SLIDE, (-7, 0)), {"mode": "circular"}, ShapeError, r"cropping 7 and 0 cells leaves nothing of width 6"),
        ((SLIDE, (-7, 0)), {"mode": "replicate"}, ShapeError, r"cropping 7 and 0 cells leaves nothing of width 6"),
        ((SLIDE, (-6, 0)), {"mode": "reflect"}, ShapeError, r"cropping by \(-6, 0\) leaves nothing of shape \(6, 6\)"),
        ((SLIDE, (-6, 1)), {"mode": "circular"}, ShapeError, r"nothing to repeat after cropping width 6 to 0"),
        ((SLIDE, (0, 0, 0, 0, -1, 0)), {}, ShapeError, r"6 numbers pad 3 axes, but input has 2"),
        ((np.zeros((2, 2, 2, 2)), (1,) * 8), {"mode": "reflect"}, ArgumentError, r'mode "reflect" pads one to three axes, not 4'),
        ((np.zeros((2, 2, 2, 2)), (0,) * 6 + (-3, 0)), {}, ShapeError, r"leaves nothing of axis 0 2"),
        ((SLIDE, (2**40, 0)), {}, ShapeError, r"more than any memory holds"),
        ((SLIDE, (1, 1)), {"value": "x"}, ArgumentError, r"value 'x' is not a number"),
        ((SLIDE, (1, 1)), {"mode": "mirror"}, ArgumentError, r"mode 'mirror' is not one of constant"),
        ((SLIDE, (1, 1)), {"mode": "reflect", "value": 1.0}, ArgumentError, r'value 1.0 has no place in mode "reflect"'),
        ((SLIDE.astype(np.int64), (1, 1)), {}, DtypeError, r"input is int64"),
    ],
)
def test_messages(arguments, options, error, message):
    with pytest.raises(error, match=f"pad: .*{message}"):
        pad(*arguments, **options)
