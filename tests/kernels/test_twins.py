"""Activations, losses and linear: the fast kernels against the definitions, over whole configurations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import FLOATS
from tinycnn import kernels

FAST, DEFINITION = kernels.table("cpu"), kernels.table("reference")
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
dtypes = st.sampled_from(FLOATS)
seeds = st.integers(0, 2**32 - 1)


def normal(seed, shape, dtype):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def agree(name, dtype, *arguments, exact=False, terms=1.0):
    """Both kernels give the same arrays of the same dtypes; the error is relative to the size of the result and of the terms it is the sum of."""
    fast, definition = FAST[name](*arguments), DEFINITION[name](*arguments)
    results = zip(fast, definition, strict=True) if isinstance(fast, tuple) else [(fast, definition)]
    for one, other in results:
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        if exact:
            np.testing.assert_array_equal(one, other)
        else:
            scale = max(1.0, terms, float(np.abs(other).max(initial=0.0)))
            np.testing.assert_allclose(one, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)
    return fast


SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 88.0, 89.5, -104.0, -90.0, 1e30, -1e30, 0.55, -0.55, 1e-5]


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
@given(shape=st.tuples(st.integers(0, 3), st.integers(0, 40)), dtype=dtypes, seed=seeds)
def test_activations(name, shape, dtype, seed):
    x = 5 * normal(seed, shape, dtype)
    y = agree(name, dtype, x)
    agree(name + "_grad_x", dtype, normal(seed + 1, shape, dtype), y)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_activations_at_special_numbers(name, dtype):
    with np.errstate(all="ignore"):
        agree(name, dtype, np.array(SPECIAL, dtype))


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_activations_shared_among_threads(name):
    x = normal(0, (1 << 18) + 7, np.float32)
    y = FAST[name](x)
    grad = normal(1, x.shape, np.float32)
    # Two compiled variants of one loop may fuse a product and a sum differently: a unit in the last place, no more.
    parts = [slice(first, first + 1000) for first in range(0, x.size, 1000)]
    np.testing.assert_allclose(y, np.concatenate([FAST[name](x[part]) for part in parts]), rtol=3e-7, atol=1e-7)
    apart = np.concatenate([FAST[name + "_grad_x"](grad[part], y[part]) for part in parts])
    np.testing.assert_allclose(FAST[name + "_grad_x"](grad, y), apart, rtol=3e-7, atol=1e-7)


def units_in_the_last_place(values, true):
    return float(np.max(np.abs(values.astype(np.float64) - true) / np.spacing(np.abs(true).astype(np.float32)).astype(np.float64)))


def test_stated_error_of_tanh_and_sigmoid():
    """At most 3 units for tanh and sigmoid, over the whole range, results below the smallest normal number included."""
    x = np.concatenate([np.linspace(-103, 103, 400_001), np.linspace(-1, 1, 200_001), np.geomspace(1e-38, 1, 1001)]).astype(np.float32)
    exact = x.astype(np.float64)
    assert units_in_the_last_place(FAST["tanh"](x), np.tanh(exact)) <= 3
    assert units_in_the_last_place(FAST["sigmoid"](x), 1 / (1 + np.exp(-exact))) <= 3


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@given(
    shape=st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(0, 4)) | st.sampled_from([(2, 70, 1), (130, 3, 1), (2, 3, 520)]),
    dtype=dtypes,
    seed=seeds,
    scale=st.sampled_from([1.0, 50.0]),
)
def test_softmax(name, shape, dtype, seed, scale):
    x = (scale * normal(seed, shape, dtype)).astype(dtype)
    y = agree(name, dtype, x)
    agree(name + "_grad_x", dtype, normal(seed + 1, shape, dtype), y)


@given(
    st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(1, 3)),
    st.booleans(),
    st.sampled_from([0.0, 0.1, 1.0]),
    dtypes,
    seeds,
)
def test_softmax_cross_entropy(shape, weighted, smoothing, dtype, seed):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, shape[1], (shape[0], shape[2]))
    target[rng.random(target.shape) < 0.2] = -100
    weight = rng.random(shape[1]).astype(dtype) if weighted else None
    agree("softmax_cross_entropy", dtype, 3 * normal(seed, shape, dtype), target, weight, -100, smoothing)


def test_softmax_cross_entropy_large_batches_go_to_all_threads():
    logits, target = normal(0, (5000, 10, 1), np.float32), np.random.default_rng(0).integers(0, 10, (5000, 1))
    whole = FAST["softmax_cross_entropy"](logits, target, None, -100, 0.0)
    for part in (slice(0, 100), slice(4900, 5000)):
        few = FAST["softmax_cross_entropy"](np.ascontiguousarray(logits[part]), target[part], None, -100, 0.0)
        for one, other in zip(few, whole, strict=True):
            np.testing.assert_allclose(one, other[part], rtol=1e-6, atol=1e-6)


@given(
    st.integers(0, 9), st.integers(0, 40), st.integers(1, 40), st.booleans(), st.sampled_from([None, "relu"]), dtypes, seeds
)
def test_linear(rows, inputs, outputs, with_bias, activation, dtype, seed):
    x, weight = normal(seed, (rows, inputs), dtype), normal(seed + 1, (outputs, inputs), dtype)
    bias = normal(seed + 2, (outputs,), dtype) if with_bias else None
    agree("linear", dtype, x, weight, bias, activation)
    grad = normal(seed + 3, (rows, outputs), dtype)
    agree("linear_grad_x", dtype, grad, weight)
    agree("linear_grad_weight", dtype, grad, x)
    agree("linear_grad_bias", dtype, grad)


@pytest.mark.parametrize("shape", [(64, 400, 120), (64, 120, 84), (64, 84, 10), (33, 257, 65)])
def test_linear_at_the_sizes_of_networks(shape):
    rows, inputs, outputs = shape
    x, weight, grad = normal(0, (rows, inputs), np.float64), normal(1, (outputs, inputs), np.float64), normal(2, (rows, outputs), np.float64)
    np.testing.assert_allclose(FAST["linear"](x, weight, None, None), x @ weight.T, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(FAST["linear_grad_x"](grad, weight), grad @ weight, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(FAST["linear_grad_weight"](grad, x), grad.T @ x, rtol=1e-10, atol=1e-10)


def test_signed_zeros_and_tiny_numbers_keep_their_sign_and_value():
    x = np.array([0.0, -0.0, 1e-40, -1e-40, 1e-20], np.float32)
    y = FAST["tanh"](x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(x))
