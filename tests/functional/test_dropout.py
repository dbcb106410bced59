"""Dropout: the laws of its mask, its gradient and its mistakes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError


@given(st.floats(0.01, 0.99), st.integers(0, 1000))
def test_kept_elements_are_scaled_and_the_others_zero(p, seed):
    x = np.random.default_rng(seed).standard_normal(500)
    y, kept = F.dropout(x, p, generator=np.random.default_rng(seed), return_mask=True)
    assert kept.dtype == np.bool_
    np.testing.assert_allclose(y.numpy(), np.where(kept.numpy(), x / (1 - p), 0))


def test_share_and_expectation():
    y, kept = F.dropout(np.ones(100_000), 0.3, return_mask=True)
    # five standard deviations of a mean of Bernoulli numbers
    assert abs(kept.numpy().mean() - 0.7) < 5 * math.sqrt(0.3 * 0.7 / 100_000)
    assert y.numpy().mean() == pytest.approx(1, abs=0.02)


def test_gradient():
    x = np.random.default_rng(0).standard_normal((3, 4))
    report = tinycnn.gradcheck(lambda t: F.dropout(t, 0.4, generator=np.random.default_rng(3)), (x,))
    assert report


def test_the_gradient_goes_where_the_values_went():
    x = Tensor(np.ones(50), requires_grad=True)
    y, kept = F.dropout(x, 0.5, return_mask=True)
    upstream = np.random.default_rng(1).standard_normal(50)
    y.backward(upstream)
    np.testing.assert_array_equal(x.grad.numpy(), np.where(kept.numpy(), 2 * upstream, 0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_corners(dtype):
    x = Tensor(np.arange(3, dtype=dtype))
    assert F.dropout(x, 0.9, training=False) is x
    assert F.dropout(x, 0.0) is x
    assert F.dropout(x, 0.0, return_mask=True)[1].numpy().all()
    zeros = F.dropout(x, 1.0)
    assert zeros.dtype == dtype
    assert not zeros.numpy().any()
    assert F.dropout(x, 0.5).dtype == dtype


def test_the_package_generator_decides():
    tinycnn.manual_seed(1)
    first = F.dropout(np.ones(100)).numpy()
    tinycnn.manual_seed(1)
    np.testing.assert_array_equal(F.dropout(np.ones(100)).numpy(), first)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan, "half", True])
def test_p_must_be_a_probability(p):
    with pytest.raises(ArgumentError, match="dropout: p must be a probability from 0 to 1"):
        F.dropout(np.ones(3), p)


def test_integers_are_refused():
    with pytest.raises(DtypeError, match="input is int64"):
        F.dropout(np.ones(3, np.int64))


def test_a_single_number_gives_arrays():
    x = Tensor(np.array(2.0, np.float32), requires_grad=True)
    y, kept = F.dropout(x, 0.5, return_mask=True)
    y.backward()
    assert [type(one) for one in (y.data, kept.data, x.grad.data)] == [np.ndarray] * 3
    assert y.item() == 4.0 * kept.item()
