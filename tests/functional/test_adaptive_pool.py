"""Adaptive, global, fractional and power-average pooling: gradients, laws, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, use_kernels
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

AXES = [1, 2, 3]
SPATIAL = (6, 5, 4)
seeds = st.integers(0, 2**32 - 1)


def distinct(seed, shape):
    """Numbers at least 1 apart, so that no window has a tie."""
    return np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape).astype(np.float64)


def positive(seed, shape):
    return np.random.default_rng(seed).uniform(0.5, 2.0, shape)


@pytest.mark.parametrize("axes", AXES)
@given(data=st.data(), seed=seeds)
def test_adaptive_gradients(axes, data, seed):
    size = data.draw(st.tuples(*[st.one_of(st.none(), st.integers(1, 8))] * axes))
    x = distinct(seed, (2, 2, *SPATIAL[:axes]))
    assert gradcheck(lambda x: getattr(F, f"adaptive_avg_pool{axes}d")(x, size), x)
    assert gradcheck(lambda x: getattr(F, f"adaptive_max_pool{axes}d")(x, size), x)


@pytest.mark.parametrize("axes", AXES)
@given(factor=st.integers(1, 3), outputs=st.integers(1, 3), seed=seeds)
def test_adaptive_is_plain_pooling_where_the_sizes_divide(axes, factor, outputs, seed):
    x = distinct(seed, (2, 2, *[factor * outputs] * axes))
    average = getattr(F, f"adaptive_avg_pool{axes}d")(x, outputs).numpy()
    np.testing.assert_allclose(average, getattr(F, f"avg_pool{axes}d")(x, factor).numpy(), rtol=1e-12)
    mine = getattr(F, f"adaptive_max_pool{axes}d")(x, outputs, return_indices=True)
    for one, other in zip(mine, getattr(F, f"max_pool{axes}d")(x, factor, return_indices=True), strict=True):
        np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize("axes", AXES)
@given(data=st.data(), seed=seeds)
def test_windows_cover_everything_and_channels_stay_apart(axes, data, seed):
    """Windows start at floor(i S / O) and end before ceil((i + 1) S / O): written out here once more, cell by cell."""
    size = data.draw(st.tuples(*[st.integers(1, 7)] * axes))
    x = distinct(seed, (1, 2, *SPATIAL[:axes]))
    y = getattr(F, f"adaptive_avg_pool{axes}d")(x, size).numpy()
    largest = getattr(F, f"adaptive_max_pool{axes}d")(x, size).numpy()
    for place in np.ndindex(*size):
        cells = [np.arange(S)[[i * S // O <= s < -(-(i + 1) * S // O) for s in range(S)]] for i, S, O in zip(place, x.shape[2:], size)]
        window = x[np.ix_([0], [0, 1], *cells)].reshape(2, -1)
        np.testing.assert_allclose(y[(0, slice(None), *place)], window.mean(1), rtol=1e-12)
        np.testing.assert_array_equal(largest[(0, slice(None), *place)], window.max(1))


@pytest.mark.parametrize("axes", AXES)
def test_global_pooling_of_any_rank(axes):
    """B05: a volume becomes a vector."""
    x = distinct(0, (2, 3, *SPATIAL[:axes]))
    every = tuple(range(2, 2 + axes))
    np.testing.assert_allclose(F.global_avg_pool(x, keepdim=False).numpy(), x.mean(every), rtol=1e-12)
    np.testing.assert_array_equal(F.global_max_pool(x).numpy(), x.max(every, keepdims=True))
    np.testing.assert_allclose(F.global_avg_pool(x).numpy(), getattr(F, f"adaptive_avg_pool{axes}d")(x, 1).numpy(), rtol=1e-12)
    assert gradcheck(F.global_avg_pool, x)
    assert gradcheck(lambda x: F.global_max_pool(x, keepdim=False), x)


def test_global_average_of_four_axes_and_of_long_float32_rows():
    x = distinct(1, (1, 2, 2, 3, 2, 3))
    np.testing.assert_allclose(F.global_avg_pool(x).numpy(), x.mean((2, 3, 4, 5), keepdims=True), rtol=1e-12)
    row = np.full((1, 1, 1000, 1001), 0.1, np.float32)
    np.testing.assert_allclose(F.global_avg_pool(row, False).numpy(), np.float32(0.1), rtol=1e-6)


def test_ties_go_to_the_first_and_nan_wins():
    x = Tensor(np.ones((1, 1, 3)), requires_grad=True)
    F.adaptive_max_pool1d(x, 2).backward(np.array([[[2.0, 5.0]]]))
    np.testing.assert_array_equal(x.grad.data, [[[2, 5, 0]]])
    y, index = F.adaptive_max_pool2d(np.array([[[1.0, np.nan], [3.0, np.nan]]]), 1, return_indices=True)
    assert np.isnan(y.item())
    assert index.item() == 3


@pytest.mark.parametrize("axes", [2, 3])
@given(data=st.data(), seed=seeds)
def test_fractional_windows_fit_and_differentiate(axes, data, seed):
    kernel, outputs = data.draw(st.integers(1, 2)), data.draw(st.tuples(*[st.integers(1, 2)] * axes))
    x = distinct(seed, (2, 2, *SPATIAL[:axes]))
    samples = np.random.default_rng(seed).random((2, 2, axes))
    pool = getattr(F, f"fractional_max_pool{axes}d")
    y, index = pool(x, kernel, outputs, return_indices=True, _random_samples=samples)
    np.testing.assert_array_equal(np.take_along_axis(x.reshape(2, 2, -1), index.data.reshape(2, 2, -1), 2).reshape(y.shape), y.data)
    # The last window of every axis ends where the input does.
    corner = x[(..., *[slice(-kernel, None)] * axes)].reshape(2, 2, -1).max(2)
    np.testing.assert_array_equal(y.data[(..., *[-1] * axes)], corner)
    assert gradcheck(lambda x: pool(x, kernel, outputs, _random_samples=samples), x)


def test_fractional_pooling_is_drawn_from_the_generator():
    x = np.random.default_rng(0).standard_normal((3, 4, 20, 20)).astype(np.float32)
    first, second = (F.fractional_max_pool2d(x, 2, output_ratio=0.7, generator=np.random.default_rng(5)).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (3, 4, 14, 14)
    assert (first != F.fractional_max_pool2d(x, 2, output_ratio=0.7, generator=np.random.default_rng(6)).numpy()).any()


@pytest.mark.parametrize("axes", AXES)
@given(norm=st.sampled_from([1, 2, 3, 0.5, 2.5]), stride=st.integers(1, 3), ceil_mode=st.booleans(), seed=seeds)
def test_lp_pooling(axes, norm, stride, ceil_mode, seed):
    x = positive(seed, (2, 2, *SPATIAL[:axes]))
    pool = getattr(F, f"lp_pool{axes}d")
    assert gradcheck(lambda x: pool(x, norm, 2, stride, ceil_mode), x)
    total = getattr(F, f"sum_pool{axes}d")(x**norm, 2, stride).numpy()
    np.testing.assert_allclose(pool(x, norm, 2, stride).numpy(), total ** (1 / norm), rtol=1e-10)
    np.testing.assert_allclose(pool(3 * x, norm, 2, stride).numpy(), 3 * pool(x, norm, 2, stride).numpy(), rtol=1e-10)


@pytest.mark.parametrize("axes", AXES)
def test_lp_pooling_at_the_ends(axes):
    """B01: p = 1 adds, infinity keeps the largest size, minus infinity the smallest; a window of zeros has gradient 0."""
    x = np.random.default_rng(0).standard_normal((1, 2, *SPATIAL[:axes]))
    pool = getattr(F, f"lp_pool{axes}d")
    np.testing.assert_allclose(pool(x, 1, 2).numpy(), getattr(F, f"sum_pool{axes}d")(x, 2).numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(pool(x, float("inf"), 2).numpy(), getattr(F, f"max_pool{axes}d")(np.abs(x), 2).numpy())
    np.testing.assert_array_equal(pool(x, -float("inf"), 2).numpy(), -getattr(F, f"max_pool{axes}d")(-np.abs(x), 2).numpy())
    zeros = Tensor(np.zeros_like(x), requires_grad=True)
    y = pool(zeros, 2, 2)
    y.backward(np.ones(y.shape))
    assert not zeros.grad.data.any()


@pytest.mark.parametrize("axes", AXES)
def test_layouts_dtypes_and_definitions(axes):
    base = positive(3, (2, 3, *SPATIAL[:axes]))
    calls = [
        lambda x: getattr(F, f"adaptive_avg_pool{axes}d")(x, 3),
        lambda x: getattr(F, f"adaptive_max_pool{axes}d")(x, 3),
        lambda x: getattr(F, f"lp_pool{axes}d")(x, 2, 2),
        F.global_avg_pool,
        F.global_max_pool,
    ]
    if axes > 1:
        samples = np.full((2, 3, axes), 0.5)
        calls.append(lambda x: getattr(F, f"fractional_max_pool{axes}d")(x, 2, 2, _random_samples=samples.astype(x.dtype)[: len(x)]))
    for call in calls:
        expected = call(base).numpy()
        for view in (np.asfortranarray(base), base[:, :, ::-1].copy()[:, :, ::-1], np.broadcast_to(base, base.shape)):
            before = view.copy()
            np.testing.assert_array_equal(call(view).numpy(), expected)
            np.testing.assert_array_equal(view, before)
        assert call(base[:0]).shape == (0, *expected.shape[1:])
        assert call(base.astype(np.float32)).dtype == np.float32
        with use_kernels("reference"):
            np.testing.assert_allclose(call(base).numpy(), expected, rtol=1e-12)


X = np.zeros((1, 2, 5, 6))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.adaptive_avg_pool2d(X, (2,)), ArgumentError, r"adaptive_avg_pool2d: output_size has 1 numbers; give one, or two"),
        (lambda: F.adaptive_max_pool2d(X, -1), ArgumentError, r"output_size must be a whole number >= 0, not -1"),
        (lambda: F.adaptive_max_pool1d(X, 2), ShapeError, r"input has shape \(1, 2, 5, 6\); it must be \(N, C, L\)"),
        (lambda: F.adaptive_avg_pool2d(np.zeros((1, 2, 0, 6)), 2), ShapeError, r"every axis but the first must hold at least one element"),
        (lambda: F.adaptive_avg_pool2d(X, 2**40), ShapeError, r"more than any memory holds"),
        (lambda: F.adaptive_avg_pool2d(X.astype(np.int64), 2), DtypeError, r"input is int64"),
        (lambda: F.global_avg_pool(np.zeros((2, 3))), ShapeError, r"must be \(N, C, \.\.\.\) with at least one spatial axis"),
        (lambda: F.global_max_pool(np.zeros((2, 3, 0))), ShapeError, r"every axis but the first"),
        (lambda: F.fractional_max_pool2d(X, 2), ArgumentError, r"output_size and output_ratio are both left out"),
        (lambda: F.fractional_max_pool2d(X, 2, 5), ShapeError, r"5 windows of kernel 2 need height 6, but input has 5; use output_size <= 4"),
        (lambda: F.fractional_max_pool2d(X, 2, output_ratio=1.5), ArgumentError, r"output_ratio must be between 0 and 1, not 1.5"),
        (lambda: F.fractional_max_pool2d(X, 2, output_ratio=(0.5,)), ArgumentError, r"output_ratio has 1 numbers"),
        (lambda: F.fractional_max_pool2d(X, 2, 2, _random_samples=np.zeros((1, 1, 2))), ShapeError, r"it must be \(1, 2, 2\)"),
        (lambda: F.fractional_max_pool2d(X, 2, 2, _random_samples=np.full((1, 2, 2), np.nan)), ArgumentError, r"must lie between 0 and 1"),
        (lambda: F.fractional_max_pool2d(X, 2, 2, _random_samples=np.zeros((1, 2, 2), np.float32)), DtypeError, r"_random_samples is float32"),
        (lambda: F.fractional_max_pool2d(X, 2, 2, generator=3), ArgumentError, r"is not a numpy.random.Generator"),
        (lambda: F.lp_pool2d(X, 0, 2), ArgumentError, r"lp_pool2d: norm_type must be a number other than zero"),
        (lambda: F.lp_pool2d(X, "2", 2), ArgumentError, r"norm_type must be a number"),
        (lambda: F.lp_pool2d(X, 2, 7), ShapeError, r"lp_pool2d: kernel 7 > padded height 5"),
        (lambda: F.lp_pool2d(X, float("inf"), 7), ShapeError, r"lp_pool2d: kernel 7 > padded height 5"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
