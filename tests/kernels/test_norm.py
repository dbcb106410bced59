"""The normalisations: the fast kernels against the definitions, over whole configurations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.test_twins import agree, dtypes, normal, seeds
from tests.strategies import FLOAT32_FIRST, FLOATS
from tinycnn import kernels

FAST = kernels.table("cpu")
blocks = st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2, 3, 70]), st.sampled_from([0, 1, 2, 7, 15, 16, 40]))
activations = st.sampled_from([None, "relu", "relu6", "silu", "hardswish"])
eps = st.sampled_from([1e-5, 0.1])


def perhaps(draw, seed, shape, dtype):
    return normal(seed, shape, dtype) if draw(st.booleans()) else None


def terms_of(grad, variance, weight, small):
    """The size of what a gradient is the sum of: where a block holds one number the terms are large, and nothing is left of them."""
    largest = np.abs(grad).max(initial=0.0) * (1.0 if weight is None else np.abs(weight).max(initial=0.0))
    return float(largest / np.sqrt(variance.min(initial=np.inf) + small))


@given(blocks, activations, eps, dtypes, seeds, st.data())
def test_batch_norm(shape, activation, small, dtype, seed, data):
    if shape[0] * shape[2] == 0:
        shape = (0, shape[1], shape[2])
    x, channels = normal(seed, shape, dtype), (shape[1],)
    weight, bias = perhaps(data.draw, seed + 1, channels, dtype), perhaps(data.draw, seed + 2, channels, dtype)
    residual = perhaps(data.draw, seed + 3, shape, dtype)
    if weight is not None:
        weight = 4 * weight  # so that results lie beyond 6, too
    told = activation if activation in ("relu", "relu6") else None  # the gradients of the others are the caller's affair
    if x.size:
        y, mean, variance = agree("batch_norm", dtype, x, weight, bias, residual, activation, small)
        grad = normal(seed + 4, shape, dtype)
        agree("batch_norm_grad", dtype, grad, x, y, mean, variance, weight, told, small, terms=terms_of(grad, variance, weight, small))
    mean, variance = normal(seed, channels, np.float64), np.abs(normal(seed + 1, channels, np.float64))
    y = agree("batch_norm_frozen", dtype, x, mean, variance, weight, bias, residual, activation, small)
    agree("batch_norm_frozen_grad", dtype, normal(seed + 5, shape, dtype), x, y, mean, variance, weight, told, small)


@given(st.integers(0, 3), st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 5, 33]), eps, dtypes, seeds, st.data())
def test_group_norm(images, groups, size, pixels, small, dtype, seed, data):
    shape = (images, groups * size, pixels)
    x, channels = normal(seed, shape, dtype), (groups * size,)
    weight, bias = perhaps(data.draw, seed + 1, channels, dtype), perhaps(data.draw, seed + 2, channels, dtype)
    _, mean, variance = agree("group_norm", dtype, x, weight, bias, groups, small)
    grad = normal(seed + 3, shape, dtype)
    agree("group_norm_grad", dtype, grad, x, mean, variance, weight, groups, small, terms=terms_of(grad, variance, weight, small))


@given(st.integers(0, 9), st.integers(1, 40), eps, dtypes, seeds, st.data())
def test_layer_norm_and_rms_norm(rows, columns, small, dtype, seed, data):
    x, grad = normal(seed, (rows, columns), dtype), normal(seed + 3, (rows, columns), dtype)
    weight, bias = perhaps(data.draw, seed + 1, (columns,), dtype), perhaps(data.draw, seed + 2, (columns,), dtype)
    _, mean, variance = agree("layer_norm", dtype, x, weight, bias, small)
    agree("layer_norm_grad", dtype, grad, x, mean, variance, weight, small, terms=terms_of(grad, variance, weight, small))
    _, square = agree("rms_norm", dtype, x, weight, small)
    agree("rms_norm_grad", dtype, grad, x, square, weight, small, terms=terms_of(grad, square, weight, small))


@given(
    st.tuples(st.integers(0, 2), st.integers(0, 7), st.integers(0, 12)),
    st.integers(1, 9),
    st.floats(0, 2),
    st.sampled_from([0.75, 0.5, 1.0, 0.3, 2.0, -0.5]),
    st.floats(0.5, 2),
    dtypes,
    seeds,
)
def test_local_response_norm(shape, size, alpha, beta, k, dtype, seed):
    x = normal(seed, shape, dtype)
    _, divisor = agree("local_response_norm", dtype, x, size, alpha, beta, k)
    agree("local_response_norm_grad_x", dtype, normal(seed + 1, shape, dtype), x, divisor, size, alpha, beta)


@pytest.mark.parametrize("mean", [0.0, 1e4, -1e4])
@pytest.mark.parametrize("pixels", [3, 400])
def test_float32_keeps_its_digits_far_from_zero(mean, pixels):
    """Mean 10,000 and standard deviation 1: x itself is known to 1e-3 only, but what is computed from it must not add to that."""
    x = (mean + normal(0, (16, 3, pixels), np.float32)).astype(np.float32)
    exact = x.astype(np.float64)

    def standard(axis):
        return (exact - exact.mean(axis, keepdims=True)) / np.sqrt(exact.var(axis, keepdims=True) + 1e-5)

    np.testing.assert_allclose(FAST["batch_norm"](x, None, None, None, None, 1e-5)[0], standard((0, 2)), atol=2e-6)
    np.testing.assert_allclose(FAST["group_norm"](x, None, None, 1, 1e-5)[0], standard((1, 2)), atol=2e-6)
    rows = x.reshape(16, -1)
    exact = rows.astype(np.float64)
    np.testing.assert_allclose(FAST["layer_norm"](rows, None, None, 1e-5)[0], standard(1), atol=2e-6)


def test_an_outlier_does_not_spoil_the_variance():
    """A shift by the first number, instead of two passes, would lose the variance here."""
    x = normal(0, (1, 1, 1000), np.float32)
    x[0, 0, 0] = 1e6
    _, mean, variance = FAST["batch_norm"](x, None, None, None, None, 1e-5)
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(), rtol=1e-12)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(), rtol=1e-6)


@pytest.mark.parametrize("size", [1e-30, 1e-15, 1e15, 1e25])
@pytest.mark.parametrize("pixels", [1, 300])
def test_squares_beyond_the_range_of_float32(size, pixels):
    """Deviations whose squares are not float32 numbers."""
    x = (size * normal(0, (40, 2, pixels), np.float32)).astype(np.float32)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(FAST["batch_norm"](x, None, None, None, None, 1e-5)[2], exact.var((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(FAST["group_norm"](x, None, None, 2, 1e-5)[2], exact.var(2), rtol=1e-5)
    rows = x.reshape(2, -1)
    np.testing.assert_allclose(FAST["layer_norm"](rows, None, None, 1e-5)[2], rows.astype(np.float64).var(1), rtol=1e-5)
    np.testing.assert_allclose(FAST["rms_norm"](rows, None, 1e-5)[1], (rows.astype(np.float64) ** 2).mean(1), rtol=1e-5)


@pytest.mark.parametrize("dtype", FLOATS)
def test_constant_channels(dtype):
    """No variance at all: y is the bias, wherever the constant lies."""
    x = np.broadcast_to(np.array([0.1, 1e4, -3e7], dtype)[:, None], (4, 3, 20)).copy()
    y, _, variance = FAST["batch_norm"](x, None, None, None, None, 1e-5)
    np.testing.assert_allclose(y, 0, atol=1e-5)
    np.testing.assert_allclose(variance, 0, atol=1e-9)


@pytest.mark.parametrize("dtype", FLOAT32_FIRST)
def test_shared_among_threads(dtype):
    """Sizes for which the parallel variants run."""
    x, grad = normal(0, (8, 16, 900), dtype), normal(1, (8, 16, 900), dtype)
    weight, bias = normal(2, (16,), dtype), normal(3, (16,), dtype)
    y, mean, variance = FAST["batch_norm"](x, weight, bias, grad, "relu", 1e-5)
    grads = FAST["batch_norm_grad"](grad, x, y, mean, variance, weight, "relu", 1e-5)
    for c in range(16):
        part = (slice(None), slice(c, c + 1))
        own = [np.ascontiguousarray(array[part]) for array in (x, grad, y)]
        one = slice(c, c + 1)
        alone = FAST["batch_norm"](own[0], weight[one], bias[one], own[1], "relu", 1e-5)
        np.testing.assert_allclose(alone[0], y[part], rtol=1e-5, atol=1e-6)
        back = FAST["batch_norm_grad"](own[1], own[0], own[2], mean[one], variance[one], weight[one], "relu", 1e-5)
        for a, b in zip(back, (grads[0][part], grads[1][one], grads[2][one]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    rows, grad_rows = x.reshape(128, -1), grad.reshape(128, -1)
    agree_rows(rows, grad_rows)
    lrn, divisor = FAST["local_response_norm"](x, 5, 1e-2, 0.75, 1.0)
    lrn_grad = FAST["local_response_norm_grad_x"](grad, x, divisor, 5, 1e-2, 0.75)
    for n in (0, 7):
        own_y, own_divisor = FAST["local_response_norm"](x[n : n + 1], 5, 1e-2, 0.75, 1.0)
        np.testing.assert_allclose(own_y[0], lrn[n], rtol=1e-5, atol=1e-6)
        own_grad = FAST["local_response_norm_grad_x"](grad[n : n + 1], x[n : n + 1], own_divisor, 5, 1e-2, 0.75)
        np.testing.assert_allclose(own_grad[0], lrn_grad[n], rtol=1e-5, atol=1e-6)


def agree_rows(x, grad):
    """Rows together equal rows in parts."""
    y, mean, variance = FAST["layer_norm"](x, None, None, 1e-5)
    whole = FAST["layer_norm_grad"](grad, x, mean, variance, None, 1e-5)
    parts = [slice(0, 5), slice(5, 128)]
    np.testing.assert_allclose(np.concatenate([FAST["layer_norm"](x[part], None, None, 1e-5)[0] for part in parts]), y, rtol=1e-5, atol=1e-6)
    apart = [FAST["layer_norm_grad"](grad[part], x[part], mean[part], variance[part], None, 1e-5) for part in parts]
    np.testing.assert_allclose(np.concatenate([part[0] for part in apart]), whole[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(apart[0][1] + apart[1][1], whole[1], rtol=1e-4, atol=1e-4)


def test_nan_and_infinity():
    x = normal(0, (2, 3, 20), np.float32)
    x[0, 0, 0], x[1, 1, 3] = np.nan, np.inf
    y, _, _ = FAST["batch_norm"](x, None, None, None, "relu", 1e-5)
    assert np.isnan(y[:, :2]).all()
    assert np.isfinite(y[:, 2]).all()
    frozen = FAST["batch_norm_frozen"](x, np.zeros(3), np.ones(3), None, None, None, None, 0.0)
    np.testing.assert_array_equal(frozen, x)
    infinite = FAST["batch_norm_frozen"](x, np.array([0, 0, np.inf]), np.ones(3), None, None, None, None, 0.0)
    assert (infinite[:, 2] == -np.inf).all()


@pytest.mark.parametrize("pixels", [1, 4, 15])
def test_few_pixels_shared_among_threads(pixels):
    """Channels side by side, more than one task holds, in the parallel variant."""
    x, grad = normal(0, (64, 2000 // pixels, pixels), np.float32), normal(1, (64, 2000 // pixels, pixels), np.float32)
    weight, bias = normal(2, (x.shape[1],), np.float32), normal(3, (x.shape[1],), np.float32)
    y, mean, variance = FAST["batch_norm"](x, weight, bias, grad, "relu", 1e-5)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 2)), atol=1e-12)
    np.testing.assert_allclose(variance, exact.var((0, 2)), rtol=1e-12)
    standard = (exact - exact.mean((0, 2), keepdims=True)) / np.sqrt(exact.var((0, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, np.maximum(standard * weight[:, None] + bias[:, None] + grad, 0), atol=1e-5)
    grads = FAST["batch_norm_grad"](grad, x, y, mean, variance, weight, "relu", 1e-5)
    g = np.where(y > 0, grad, 0).astype(np.float64)
    np.testing.assert_allclose(grads[2], g.sum((0, 2)), atol=1e-4)
    np.testing.assert_allclose(grads[1], (g * standard).sum((0, 2)), atol=1e-4)
