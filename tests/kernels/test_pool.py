"""Pooling, adaptive windows, unpooling and padding: the fast kernels against the definitions, over whole configurations."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.strategies import FLOATS
from tinycnn import kernels
from tinycnn.kernels import sizes

FAST, DEFINITION = kernels.table("cpu"), kernels.table("reference")
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
dtypes = st.sampled_from(FLOATS)
seeds = st.integers(0, 2**32 - 1)


def normal(seed, shape, dtype, ties=False):
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    return np.round(x) if ties else x


def agree(name, dtype, *arguments, exact=False):
    """Both kernels give the same arrays of the same dtypes; the error is measured against the size of the result."""
    fast, definition = FAST[name](*arguments), DEFINITION[name](*arguments)
    results = zip(fast, definition, strict=True) if isinstance(fast, tuple) else [(fast, definition)]
    for one, other in results:
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        if exact:
            np.testing.assert_array_equal(one, other)
        else:
            scale = max(1.0, float(np.abs(other).max(initial=0.0)))
            np.testing.assert_allclose(one, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)
    return fast


@st.composite
def poolings(draw, axes, dilated=True, largest=9):
    """(x shape, kernel, stride, padding, dilation, ceil_mode) of any pooling that has an output."""
    kernel = draw(st.tuples(*[st.integers(1, 4)] * axes))
    dilation = draw(st.tuples(*[st.integers(1, 2 if dilated else 1)] * axes))
    stride = draw(st.tuples(*[st.integers(1, 4)] * axes))
    padding = tuple(draw(st.integers(0, kernel[side // 2] // 2)) for side in range(2 * axes))
    shape = (draw(st.integers(0, 2)), draw(st.integers(1, 3)), *draw(st.tuples(*[st.integers(1, largest)] * axes)))
    ceil_mode = draw(st.booleans())
    for axis in range(axes):
        arguments = (kernel[axis], stride[axis], padding[2 * axis], padding[2 * axis + 1], dilation[axis], ceil_mode)
        assume(sizes.pool_output_size(shape[2 + axis], *arguments) >= 1)
    return shape, kernel, stride, padding, dilation, ceil_mode


def check_max(axes, case, dtype, seed, ties):
    shape, kernel, stride, padding, dilation, ceil_mode = case
    name = f"max_pool{axes}d"
    y, window = agree(name, dtype, normal(seed, shape, dtype, ties), kernel, stride, padding, dilation, ceil_mode, exact=True)
    np.testing.assert_array_equal(FAST[name + "_values"](normal(seed, shape, dtype, ties), kernel, stride, padding, dilation, ceil_mode), y)
    agree(name + "_flat_index", dtype, window, shape, kernel, stride, padding, dilation, exact=True)
    agree(name + "_grad_x", dtype, normal(seed + 1, y.shape, dtype), window, shape, kernel, stride, padding, dilation)


@given(poolings(2), dtypes, seeds, st.booleans())
def test_max_pool2d(case, dtype, seed, ties):
    check_max(2, case, dtype, seed, ties)


@given(poolings(3, largest=6), dtypes, seeds, st.booleans())
def test_max_pool3d(case, dtype, seed, ties):
    check_max(3, case, dtype, seed, ties)


@given(st.integers(1, 3), st.integers(1, 20), st.integers(1, 40), dtypes, seeds)
def test_max_pool2d_by_halves(planes, height, width, dtype, seed):
    """The kernel of its own for 2x2 windows, odd sizes included."""
    x = normal(seed, (1, planes, height + 1, width + 1), dtype, ties=True)
    options = ((2, 2), (2, 2), (0, 0, 0, 0), (1, 1))
    y, window = agree("max_pool2d", dtype, x, *options, False, exact=True)
    agree("max_pool2d_grad_x", dtype, normal(seed + 1, y.shape, dtype), window, x.shape, *options, exact=True)


@pytest.mark.parametrize("kernel", [(2, 2), (3, 3)])
def test_max_pool2d_nan_wins(kernel):
    x = normal(0, (1, 2, 6, 6), np.float32)
    x[0, 0, 2, 3] = np.nan
    x[0, 1, 0, 0] = -np.inf
    y, _ = agree("max_pool2d", np.float32, x, kernel, kernel, (0, 0, 0, 0), (1, 1), False, exact=True)
    assert np.isnan(y).sum() == 1


@pytest.mark.parametrize("axes", [2, 3])
def test_windows_of_more_than_255_cells(axes):
    """Their cells are counted in wider integers than bytes."""
    kernel = (17, 16) if axes == 2 else (7, 7, 6)
    shape = (1, 2, 20, 19) if axes == 2 else (1, 2, 9, 8, 7)
    check_max(axes, (shape, kernel, (1,) * axes, (1,) * (2 * axes), (1,) * axes, False), np.float32, 0, True)


def test_a_dilated_window_can_step_over_the_image():
    """Its maximum is that of nothing, and its gradient goes nowhere."""
    x = normal(0, (1, 1, 1, 3), np.float64)
    options = ((2, 1), (1, 1), (1, 1, 0, 0), (2, 1))
    y, window = agree("max_pool2d", np.float64, x, *options, False, exact=True)
    assert y.shape == (1, 1, 1, 3)
    assert np.all(y == -np.inf)
    assert np.all(agree("max_pool2d_flat_index", np.float64, window, x.shape, *options, exact=True) == -1)
    assert not agree("max_pool2d_grad_x", np.float64, np.ones_like(y), window, x.shape, *options, exact=True).any()


def check_average(axes, case, dtype, seed, count_include_pad, divisor):
    shape, kernel, stride, padding, _, ceil_mode = case
    options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor)
    y = agree(f"avg_pool{axes}d", dtype, normal(seed, shape, dtype), *options)
    agree(f"avg_pool{axes}d_grad_x", dtype, normal(seed + 1, y.shape, dtype), shape, *options)


@given(poolings(2, dilated=False), dtypes, seeds, st.booleans(), st.sampled_from([None, 1, 3, -2]))
def test_avg_pool2d(case, dtype, seed, count_include_pad, divisor):
    check_average(2, case, dtype, seed, count_include_pad, divisor)


@given(poolings(3, dilated=False, largest=6), dtypes, seeds, st.booleans(), st.sampled_from([None, 1, 3, -2]))
def test_avg_pool3d(case, dtype, seed, count_include_pad, divisor):
    check_average(3, case, dtype, seed, count_include_pad, divisor)


@pytest.mark.parametrize("axes", [2, 3])
def test_large_arrays_are_shared_among_threads(axes):
    x = normal(0, (8, 16, *((40, 41) if axes == 2 else (10, 11, 12))), np.float32)
    options = ((3,) * axes, (2,) * axes, (1,) * (2 * axes))
    for n in range(len(x)):
        part = np.ascontiguousarray(x[n : n + 1])
        for name, more in ((f"max_pool{axes}d", ((1,) * axes, False)), (f"avg_pool{axes}d", (False, True, None))):
            whole, one = FAST[name](x, *options, *more), FAST[name](part, *options, *more)
            for a, b in zip(whole if isinstance(whole, tuple) else (whole,), one if isinstance(one, tuple) else (one,), strict=True):
                np.testing.assert_array_equal(a[n : n + 1], b)


@st.composite
def tables(draw, maps, size):
    """(T, outputs, 2) windows of one axis, no window empty."""
    rows = draw(st.sampled_from([1, maps]))
    outputs = draw(st.integers(0, 4))
    starts = np.array(draw(st.lists(st.integers(0, size - 1), min_size=rows * outputs, max_size=rows * outputs)), np.int64)
    lengths = np.array(draw(st.lists(st.integers(1, size), min_size=rows * outputs, max_size=rows * outputs)), np.int64)
    return np.stack([starts, np.minimum(starts + lengths, size)], axis=1).reshape(rows, outputs, 2)


@st.composite
def ragged(draw):
    """(x shape, windows of each axis)."""
    maps = draw(st.integers(1, 3))
    spatial = draw(st.tuples(*[st.integers(1, 6)] * 3))
    windows = []
    for size in spatial:
        if draw(st.booleans()):
            windows.append(draw(tables(maps, size)))
        else:
            windows.append(np.array([[[0, size]]], np.int64))
    return (maps, *spatial), windows


@given(ragged(), dtypes, seeds, st.booleans())
def test_windows_one_by_one(case, dtype, seed, ties):
    shape, windows = case
    x = normal(seed, shape, dtype, ties)
    y, index = agree("max_of_windows", dtype, x, *windows, exact=True)
    grad = normal(seed + 1, y.shape, dtype)
    agree("max_of_windows_grad_x", dtype, grad, index, shape)
    agree("mean_of_windows", dtype, x, *windows)
    agree("mean_of_windows_grad_x", dtype, grad, shape, *windows)


def test_many_rows_are_numbered_in_wider_integers():
    x = normal(0, (2, 300, 2, 3), np.float32, ties=True)
    tables = [np.array([[[0, 290], [3, 300]]], np.int64), np.array([[[0, 2]]], np.int64), np.array([[[0, 2], [1, 3]]], np.int64)]
    agree("max_of_windows", np.float32, x, *tables, exact=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_and_ties_in_windows_one_by_one(dtype):
    for seed in range(20):
        x = normal(seed, (2, 2, 4, 5), dtype, ties=True)
        x[np.random.default_rng(seed).random(x.shape) < 0.1] = np.nan
        x[np.random.default_rng(seed + 1).random(x.shape) < 0.2] = -np.inf
        agree("max_of_windows", dtype, x, *[np.array([[[0, n], [0, 1], [n - 1, n]]], np.int64) for n in (2, 4, 5)], exact=True)


@given(st.integers(1, 70), st.integers(1, 4), dtypes, seeds)
def test_sums_of_rows_end_where_they_should(line, rows, dtype, seed):
    """Vectors of the last elements are masked: what lies behind the row, NaN here, is not added."""
    x = np.full((1, 1, rows + 1, line), np.nan, dtype)
    x[0, 0, :rows] = normal(seed, (rows, line), dtype)
    tables = [np.array([[[0, 1]]], np.int64), np.array([[[i, i + 1] for i in range(rows)]], np.int64), np.array([[[0, line]]], np.int64)]
    assert np.isfinite(agree("mean_of_windows", dtype, x, *tables)).all()


def test_means_of_long_rows_keep_their_digits():
    x = np.full((2, 1, 1, 3_000_001), 0.1, np.float32)
    whole = np.array([[[0, 1]]], np.int64)
    y = FAST["mean_of_windows"](x, whole, whole, np.array([[[0, x.shape[3]]]], np.int64))
    np.testing.assert_allclose(y, np.float32(0.1), rtol=1e-6)


@given(st.integers(0, 3), st.integers(0, 9), st.integers(1, 12), dtypes, seeds)
def test_max_unpool(maps, count, cells, dtype, seed):
    index = np.random.default_rng(seed).integers(0, cells, (maps, count))
    agree("max_unpool", dtype, normal(seed, index.shape, dtype), index, cells, exact=True)
    agree("max_unpool_grad_x", dtype, normal(seed, (maps, cells), dtype), index, exact=True)


@given(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
    dtypes,
    seeds,
)
def test_unpool2d(shape, scale, nearest, dtype, seed):
    y = agree("unpool2d", dtype, normal(seed, shape, dtype), scale, nearest, exact=True)
    agree("unpool2d_grad_x", dtype, normal(seed + 1, y.shape, dtype), shape, scale, nearest)


@st.composite
def paddings(draw):
    """(x shape, padding, mode) of any padding that leaves something."""
    axes = draw(st.integers(1, 3))
    shape = (draw(st.integers(0, 3)), *draw(st.tuples(*[st.integers(1, 5)] * axes)))
    padding = draw(st.tuples(*[st.integers(-2, 4)] * (2 * axes)))
    mode = draw(st.sampled_from(sizes.PADDING_MODES))
    limit = {"reflect": -1, "symmetric": 0, "circular": 0}.get(mode)
    for axis in range(axes):
        before, after = padding[2 * axis : 2 * axis + 2]
        crops = mode in ("zeros", "circular")
        assume(shape[1 + axis] + (min(before, 0) + min(after, 0) if crops else before + after) >= (mode == "circular"))
        assume(limit is None or max(before, after) <= shape[1 + axis] + limit)
    return shape, padding, mode


@given(paddings(), dtypes, seeds)
def test_pad(case, dtype, seed):
    shape, padding, mode = case
    y = agree("pad", dtype, normal(seed, shape, dtype), padding, mode, 2.5, exact=True)
    agree("pad_grad_x", dtype, normal(seed + 1, y.shape, dtype), shape, padding, mode)


def test_definitions_run_on_fractions():
    """Exact arithmetic: means and their gradients sum to what went in."""
    x = np.array([Fraction(n, 7) for n in range(24)], object).reshape(1, 1, 2, 3, 4)
    y = DEFINITION["avg_pool3d"](x, (2, 3, 2), (1, 1, 2), (0,) * 6, False, True, None)
    assert y.ravel().tolist() == [Fraction(21, 2) / 7, Fraction(25, 2) / 7]
    assert DEFINITION["max_pool3d"](x, (2, 3, 2), (1, 1, 2), (0,) * 6, (1, 1, 1), False)[0].ravel().tolist() == [Fraction(21, 7), Fraction(23, 7)]
    grad = DEFINITION["avg_pool3d_grad_x"](y, x.shape, (2, 3, 2), (1, 1, 2), (0,) * 6, False, True, None)
    assert sum(grad.ravel()) == sum(y.ravel())
