"""Losses: the fast kernels against the definitions, over whole configurations."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import FLOATS
from tinycnn import kernels
from tinycnn.kernels.cpu import logarithm
from tinycnn.kernels.jit import kernel

FAST, DEFINITION = kernels.table("cpu"), kernels.table("reference")
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
ELEMENTWISE = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "huber_loss", "kl_div", "kl_div_log_target", "l1_loss", "mse_loss",
    "smooth_l1_loss", "soft_margin_loss", "hinge_embedding_loss", "poisson_nll_loss", "poisson_nll_loss_log_input",
]  # fmt: skip
PROBABILITIES = {
    "binary_cross_entropy": (True, True),
    "binary_cross_entropy_with_logits": (False, True),
    "kl_div": (False, True),
    "poisson_nll_loss": (True, True),
}
dtypes = st.sampled_from(FLOATS)
seeds = st.integers(0, 2**32 - 1)


def operands(name, seed, shape, dtype):
    rng = np.random.default_rng(seed)
    x_is_probability, target_is_probability = PROBABILITIES.get(name, (False, False))
    x = rng.random(shape) * 0.98 + 0.01 if x_is_probability else 2 * rng.standard_normal(shape)
    target = rng.random(shape) if target_is_probability else 2 * rng.standard_normal(shape)
    if name == "hinge_embedding_loss":
        target = np.asarray(rng.choice([-1.0, 1.0, 0.0], shape))
    if target_is_probability:
        target[rng.random(shape) < 0.2] = 0
    return x.astype(dtype), target.astype(dtype)


def close(fast, definition, dtype, scale=1.0):
    assert fast.dtype == definition.dtype
    assert fast.shape == definition.shape
    scale = max(scale, float(np.abs(definition[np.isfinite(definition)]).max(initial=0.0)))
    np.testing.assert_allclose(fast, definition, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(
    shape=st.sampled_from([(), (0,), (1,), (7,), (3, 5), (513,), (40, 60)]),
    parameter=st.sampled_from([0.5, 1.0, 2.0]),
    wanted=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    dtype=dtypes,
    seed=seeds,
)
def test_elementwise_losses(name, shape, parameter, wanted, dtype, seed):
    x, target = operands(name, seed, shape, dtype)
    arguments = (x, target, parameter, 0.25, *wanted)
    with np.errstate(divide="ignore"):
        total, *arrays = DEFINITION[name](*arguments)
    fast_total, *fast = FAST[name](*arguments)
    assert fast_total == pytest.approx(float(total), rel=TOLERANCE[dtype], abs=TOLERANCE[dtype] * max(1, x.size))
    for one, other, asked in zip(fast, arrays, wanted, strict=True):
        assert one.size == (x.size if asked else 0)
        close(one, other, dtype)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_losses_shared_among_threads(name):
    x, target = operands(name, 0, (100_003,), np.float32)
    whole = FAST[name](x, target, 1.0, 1.0, True, True, True)
    assert whole[0] == pytest.approx(whole[1].sum(dtype=np.float64), rel=1e-12)
    for part in (slice(0, 1000), slice(99_000, 100_003)):
        few = FAST[name](x[part], target[part], 1.0, 1.0, True, True, True)
        for one, other in zip(few[1:], whole[1:], strict=True):
            np.testing.assert_allclose(one, other[part], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_definitions_are_exact_on_fractions(name):
    x = np.array([Fraction(1, 3), Fraction(5, 2)], object)
    target = np.array([Fraction(1, 2), Fraction(-1, 2)], object)
    total, losses, grad_x, grad_target = DEFINITION[name](x, target, Fraction(1), Fraction(1), True, True, True)
    small = {"mse_loss": Fraction(1, 36), "l1_loss": Fraction(1, 6)}.get(name, Fraction(1, 72))
    large = {"mse_loss": 9, "l1_loss": 3}.get(name, Fraction(5, 2))
    assert list(losses) == [small, large]
    assert total == small + large
    assert list(grad_x + grad_target) == [0, 0]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_nan_is_never_lost(name):
    x, target = operands(name, 0, (600,), np.float32)
    x[5] = np.nan
    total, losses, _, _ = FAST[name](x, target, 1.0, 1.0, True, False, False)
    assert np.isnan(total)
    assert np.isnan(losses[5])
    assert np.isnan(losses).sum() == 1


@given(
    st.tuples(st.integers(0, 3), st.sampled_from([1, 2, 5, 80]), st.sampled_from([1, 3, 150])),
    st.booleans(),
    st.sampled_from([0.0, 0.1, 1.0]),
    dtypes,
    seeds,
)
def test_soft_target_cross_entropy(shape, weighted, smoothing, dtype, seed):
    rng = np.random.default_rng(seed)
    logits = (3 * rng.standard_normal(shape)).astype(dtype)
    target = rng.random(shape)
    target = (target / target.sum(1, keepdims=True)).astype(dtype)
    weight = rng.random(shape[1]).astype(dtype) if weighted else None
    arguments = (logits, target, weight, smoothing)
    for one, other in zip(FAST["soft_target_cross_entropy"](*arguments), DEFINITION["soft_target_cross_entropy"](*arguments), strict=True):
        close(one, other, dtype)


@given(
    st.sampled_from([(3, 5, 1), (2, 70, 1), (3, 100, 1), (2, 4, 150), (150, 3, 1), (2, 70, 3), (0, 4, 2), (1, 3, 600)]),
    st.booleans(),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.sampled_from([1.0, 0.25]),
    dtypes,
    seeds,
)
def test_softmax_cross_entropy(shape, weighted, smoothing, scale, dtype, seed):
    """Rows and tiles, with the gradient's factor."""
    rng = np.random.default_rng(seed)
    logits = (3 * rng.standard_normal(shape)).astype(dtype)
    target = rng.integers(0, shape[1], (shape[0], shape[2]))
    target[rng.random(target.shape) < 0.2] = -100
    weight = rng.random(shape[1]).astype(dtype) if weighted else None
    for wanted in (True, False):
        arguments = (logits, target, weight, -100, smoothing, scale, wanted)
        for one, other in zip(FAST["softmax_cross_entropy"](*arguments), DEFINITION["softmax_cross_entropy"](*arguments), strict=True):
            close(one, other, dtype)


def test_ignored_samples_have_no_gradient_even_where_scores_are_infinite():
    for shape in ((1, 70, 1), (1, 3, 2)):
        logits = np.full(shape, np.inf, np.float32)
        losses, counts, grad = FAST["softmax_cross_entropy"](logits, np.full((1, shape[2]), -100), None, -100, 0.0)
        assert not losses.any()
        assert not counts.any()
        assert not grad.any()


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows_with_infinite_and_missing_numbers(name):
    """The largest number of a row is found among all kinds of numbers."""
    rows = np.random.default_rng(0).standard_normal((6, 100, 1)).astype(np.float32)
    rows[1] -= 50
    rows[2, 7] = -np.inf
    rows[3, 7] = np.nan
    rows[4] = -0.0
    rows[5, 3:] = 1e30
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(FAST[name](rows), DEFINITION[name](rows), rtol=2e-5, atol=1e-6)


@given(st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(0, 3)), st.booleans(), dtypes, seeds)
def test_nll_loss(shape, weighted, dtype, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(dtype)
    target = rng.integers(0, shape[1], (shape[0], shape[2]))
    target[rng.random(target.shape) < 0.3] = -7
    weight = rng.random(shape[1]).astype(dtype) if weighted else None
    for one, other in zip(FAST["nll_loss"](x, target, weight, -7), DEFINITION["nll_loss"](x, target, weight, -7), strict=True):
        np.testing.assert_array_equal(one, other)
    grad = rng.standard_normal(target.shape).astype(dtype)
    arguments = (grad, target, weight, shape[1], -7)
    np.testing.assert_array_equal(FAST["nll_loss_grad_x"](*arguments), DEFINITION["nll_loss_grad_x"](*arguments))


@given(st.lists(st.integers(-2, 5), max_size=12), st.integers(1, 4), st.integers(-2, 5))
def test_wrong_class(labels, classes, ignore_index):
    target = np.array(labels, np.int64)
    assert FAST["wrong_class"](target, classes, ignore_index) == DEFINITION["wrong_class"](target, classes, ignore_index)


@kernel
def logarithms(x, y):
    for i in range(x.size):
        y[i] = logarithm.log(x[i])


@kernel
def logarithms_of_one_more(x, y):
    for i in range(x.size):
        y[i] = logarithm.log1p_of_fraction(x[i])


def units_in_the_last_place(values, true):
    return float(np.max(np.abs(values.astype(np.float64) - true) / np.spacing(np.abs(true).astype(np.float32)).astype(np.float64)))


def test_stated_error_of_the_logarithms():
    """At most 2 units in the last place, over the whole range, numbers below the smallest normal one included."""
    x = np.concatenate([np.geomspace(1e-44, 3e38, 200_001), np.linspace(0.5, 1.5, 200_002)]).astype(np.float32)
    x = x[x != 1]
    y = np.empty_like(x)
    logarithms(x, y)
    assert units_in_the_last_place(y, np.log(x.astype(np.float64))) <= 2
    u = np.concatenate([np.linspace(0, 1, 200_001)[1:], np.geomspace(1e-38, 1, 2000)]).astype(np.float32)
    y = np.empty_like(u)
    logarithms_of_one_more(u, y)
    assert units_in_the_last_place(y, np.log1p(u.astype(np.float64))) <= 2


@pytest.mark.parametrize("dtype", FLOATS)
def test_logarithms_of_special_numbers(dtype):
    x = np.array([0.0, -0.0, 1.0, np.inf, -1.0, -np.inf, np.nan], dtype)
    y = np.empty_like(x)
    logarithms(x, y)
    np.testing.assert_array_equal(y, np.array([-np.inf, -np.inf, 0, np.inf, np.nan, np.nan, np.nan], dtype))
