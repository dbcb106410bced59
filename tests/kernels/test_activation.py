"""Activations, PReLU, GLU and the embedding's gradient: the fast kernels against the definitions, their stated errors, and exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from tests.kernels.test_twins import SPECIAL, agree, dtypes, normal, seeds, units_in_the_last_place
from tests.strategies import FLOATS
from tinycnn import kernels
from tinycnn.kernels.cpu.elementwise import CHUNK

FAST, DEFINITION = kernels.table("cpu"), kernels.table("reference")

# Every activation that keeps its input for backward, with numbers for its other parameters.
ACTIVATIONS = {
    "celu": (0.7,),
    "elu": (1.3,),
    "gelu": (),
    "gelu_tanh": (),
    "hardshrink": (0.4,),
    "hardsigmoid": (),
    "hardswish": (),
    "hardtanh": (-0.5, 2.0),
    "leaky_relu": (0.1,),
    "logsigmoid": (),
    "mish": (),
    "relu6": (),
    "selu": (),
    "silu": (),
    "softplus": (1.5, 4.0),
    "softshrink": (0.4,),
    "softsign": (),
    "tanhshrink": (),
    "threshold": (0.3, -7.0),
}
PIECEWISE_LINEAR = ["hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "relu6", "softshrink", "threshold"]
shapes = st.tuples(st.integers(0, 3), st.integers(0, 40))


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(shape=shapes, dtype=dtypes, seed=seeds)
def test_fast_is_the_definition(name, shape, dtype, seed):
    x = 5 * normal(seed, shape, dtype)
    agree(name, dtype, x, *ACTIVATIONS[name])
    agree(name + "_grad_x", dtype, normal(seed + 1, shape, dtype), x, *ACTIVATIONS[name])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_special_numbers(name, dtype):
    """Infinities, NaN, the smallest and the largest numbers, and all corners; repeated, so that vector code and the rest meet each."""
    corners = [0.0, 6.0, 3.0, -3.0, 0.4, -0.4, 2.0, -0.5, 0.3, 1.0, 40.0, 41.0, 1e4, -1e4]
    x = np.tile(np.array(SPECIAL + corners, dtype), 3)
    x = x[np.abs(x) != 1e30] if name == "gelu_tanh" else x  # the definition's x^3 overflows
    agree(name, dtype, x, *ACTIVATIONS[name])
    agree(name + "_grad_x", dtype, np.full_like(x, 2.0), x, *ACTIVATIONS[name])


def test_gelu_tanh_of_huge_numbers_is_the_number_or_zero():
    x = np.array([1e30, -1e30, 1e4, -1e4], np.float32)
    np.testing.assert_array_equal(FAST["gelu_tanh"](x), np.maximum(x, 0))
    np.testing.assert_array_equal(FAST["gelu_tanh_grad_x"](np.ones_like(x), x), [1, 0, 1, 0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_shared_among_threads(name):
    x, grad = normal(0, ((1 << 18) + 7,), np.float32), normal(1, ((1 << 18) + 7,), np.float32)
    y, grad_x = FAST[name](x, *ACTIVATIONS[name]), FAST[name + "_grad_x"](grad, x, *ACTIVATIONS[name])
    for first in range(0, x.size, 50_000):
        part = slice(first, first + 1000)
        np.testing.assert_allclose(FAST[name](x[part], *ACTIVATIONS[name]), y[part], rtol=3e-7, atol=1e-7)
        np.testing.assert_allclose(FAST[name + "_grad_x"](grad[part], x[part], *ACTIVATIONS[name]), grad_x[part], rtol=3e-7, atol=1e-7)


@pytest.mark.parametrize("name", PIECEWISE_LINEAR)
def test_fractions_are_exact(name):
    numbers = [Fraction(number) for number in ACTIVATIONS[name]]
    values = [Fraction(n, 7) for n in range(-50, 51, 3)]
    x, grad = np.array(values, object), np.array(values[::-1], object)
    y, grad_x = DEFINITION[name](x, *numbers), DEFINITION[name + "_grad_x"](grad, x, *numbers)
    assert all(isinstance(value, Fraction | int) for value in (*y, *grad_x))
    one, other = x.astype(np.float64), grad.astype(np.float64)
    floats = FAST[name](one, *ACTIVATIONS[name]), FAST[name + "_grad_x"](other, one, *ACTIVATIONS[name])
    np.testing.assert_allclose(floats[0], y.astype(np.float64), rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(floats[1], grad_x.astype(np.float64), rtol=1e-15, atol=1e-15)


def exact_mish(x):
    e = np.exp(np.minimum(x, 40))
    return x * (e * (e + 2) / (e * (e + 2) + 2))


# Units in the last place of float32, measured over the grid below against float64 formulas that lose no digits.
STATED = {
    "elu": (lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), (1.0,), 3),
    "selu": (lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))), (), 4),
    "silu": (lambda x: x * special.expit(x), (), 4),
    "mish": (exact_mish, (), 6),
    "softplus": (lambda x: np.logaddexp(0, x), (1.0, 200.0), 4),
    "logsigmoid": (special.log_expit, (), 4),
}


@pytest.mark.parametrize("name", STATED)
def test_stated_error(name):
    true, numbers, units = STATED[name]
    x = np.concatenate([np.linspace(-1e4, 1e4, 100_001), np.linspace(-85, 85, 200_001), np.geomspace(1e-30, 1, 1001)]).astype(np.float32)
    x = np.concatenate([x, -x[-1001:]])
    values, exact = FAST[name](x, *numbers), true(x.astype(np.float64))
    normal_range = np.abs(exact) > 1e-37  # below, float32 itself has fewer digits
    assert units_in_the_last_place(values[normal_range], exact[normal_range]) <= units
    np.testing.assert_allclose(values[~normal_range], exact[~normal_range], atol=1e-37)


def test_stated_error_of_gelu():
    """10 units from -3 up, and x^2 / 2 more down the tail, where 1 + erf would have no digit left."""
    x = np.linspace(-13, 20, 600_001).astype(np.float32)
    exact = x.astype(np.float64) * special.ndtr(x.astype(np.float64))
    values = FAST["gelu"](x)
    assert units_in_the_last_place(values[x > -3], exact[x > -3]) <= 10
    np.testing.assert_allclose(values, exact, rtol=1e-5, atol=1e-37)
    np.testing.assert_array_equal(FAST["gelu"](np.array([-14, -1e4, 1e4], np.float32)), [0, 0, 1e4])


@given(
    st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(0, 9)), st.booleans(), dtypes, seeds, st.sampled_from([0, CHUNK, 2 * CHUNK])
)
def test_prelu(shape, one_weight, dtype, seed, extra):
    if one_weight:
        shape = (1, 1, shape[0] * shape[1] * shape[2] + extra)
    x, grad, weight = normal(seed, shape, dtype), normal(seed + 1, shape, dtype), normal(seed + 2, (shape[1],), dtype)
    agree("prelu", dtype, x, weight)
    agree("prelu_grad_x", dtype, grad, x, weight)
    agree("prelu_grad_weight", dtype, grad, x)


def test_prelu_and_glu_shared_among_threads():
    x, grad, weight = normal(0, (4, 8, 20_000), np.float32), normal(1, (4, 8, 20_000), np.float32), normal(2, (8,), np.float32)
    np.testing.assert_array_equal(FAST["prelu"](x, weight), np.where(x > 0, x, weight[:, None] * x))
    expected = np.where(x > 0, 0.0, grad.astype(np.float64) * x).sum((0, 2))
    np.testing.assert_allclose(FAST["prelu_grad_weight"](grad, x), expected, rtol=1e-6)
    one = FAST["prelu_grad_weight"](grad.reshape(1, 1, -1), x.reshape(1, 1, -1))
    np.testing.assert_allclose(one, [expected.sum()], rtol=1e-5)
    halves = x.reshape(8, 2, -1)
    gates = special.expit(halves[:, 1].astype(np.float64))
    np.testing.assert_allclose(FAST["glu"](halves), halves[:, 0] * gates, rtol=1e-6, atol=1e-7)
    upstream = grad.reshape(8, 2, -1)[:, 0].copy()
    np.testing.assert_allclose(FAST["glu_grad_x"](upstream, halves)[:, 0], upstream * gates, rtol=1e-6, atol=1e-7)


@given(st.tuples(st.integers(0, 3), st.just(2), st.integers(0, 30)), dtypes, seeds)
def test_glu(shape, dtype, seed):
    x = 5 * normal(seed, shape, dtype)
    agree("glu", dtype, x)
    agree("glu_grad_x", dtype, normal(seed + 1, (shape[0], shape[2]), dtype), x)


@given(st.integers(0, 60), st.integers(1, 9), st.integers(0, 5), st.integers(-1, 8), st.booleans(), dtypes, seeds)
def test_embedding_grad_weight(count, rows, width, padding_idx, by_frequency, dtype, seed):
    index = np.random.default_rng(seed).integers(0, rows, count)
    agree("embedding_grad_weight", dtype, normal(seed, (count, width), dtype), index, rows, padding_idx, by_frequency)
