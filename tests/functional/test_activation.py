"""Activations: gradients, laws, dtypes, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError

SHAPES = [(), (3,), (2, 0, 3), (4, 5), (2, 3, 2, 2)]
seeds = st.integers(0, 2**32 - 1)


def away_from_zero(seed, shape):
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.01, 3.0, shape)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 3, 2, 2)])
@given(seed=seeds)
def test_gradients(name, shape, seed):
    assert gradcheck(getattr(F, name), away_from_zero(seed, shape))


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes_are_kept_in_any_memory_order(name, shape, dtype):
    x = away_from_zero(0, shape).astype(dtype)
    y = getattr(F, name)(x)
    assert (y.shape, y.dtype) == (shape, dtype)
    np.testing.assert_array_equal(getattr(F, name)(np.asfortranarray(x)).numpy(), y.numpy())


def test_relu_at_zero_and_its_kink():
    x = Tensor(np.array([-1.0, 0.0, 2.0]), requires_grad=True)
    F.relu(x).backward(np.array([3.0, 5.0, 7.0]))
    np.testing.assert_array_equal(x.grad.numpy(), [0, 0, 7])
    report = gradcheck(F.relu, np.array([-1.0, 0.0, 2.0]))
    assert [entry.index for entry in report.kinks] == [(1,)]


def test_nan_passes_through_relu():
    assert np.isnan(F.relu(np.array([np.nan])).item())


@given(seeds)
def test_tanh_is_a_sigmoid_in_disguise_and_odd(seed):
    x = away_from_zero(seed, (20,))
    np.testing.assert_allclose(F.tanh(x).data, 2 * F.sigmoid(2 * x).data - 1, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(F.tanh(-x).data, -F.tanh(x).data)
    np.testing.assert_allclose(F.sigmoid(x).data + F.sigmoid(-x).data, 1.0, rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dim", [0, 1, -1])
@given(seed=seeds)
def test_softmax_gradients(name, dim, seed):
    assert gradcheck(lambda x: getattr(F, name)(x, dim), away_from_zero(seed, (3, 4, 2)))


@given(seeds, st.floats(-100, 100))
def test_softmax_laws(seed, shift):
    """Adds up to one; a shift of all scores changes nothing; log_softmax is its logarithm."""
    x = away_from_zero(seed, (4, 5))
    p = F.softmax(x, 1).data
    np.testing.assert_allclose(p.sum(1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(F.softmax(x + shift, 1).data, p, rtol=1e-9)
    np.testing.assert_allclose(np.exp(F.log_softmax(x, 1).data), p, rtol=1e-9)


def test_softmax_of_huge_scores():
    np.testing.assert_array_equal(F.softmax([[1e8, -1e8]], 1).data, [[1.0, 0.0]])
    np.testing.assert_array_equal(F.log_softmax([[1e4, -1e4]], 1).data, [[0.0, -2e4]])


def test_methods_and_messages():
    x = tinycnn.Tensor(np.array([[-1.0, 2.0]]))
    np.testing.assert_array_equal(x.relu().data, [[0, 2]])
    for name in ("relu", "tanh", "sigmoid"):
        with pytest.raises(DtypeError, match=rf"{name}: input is int64.*input.float\(\)"):
            getattr(F, name)(np.arange(3))
    for name in ("softmax", "log_softmax"):
        with pytest.warns(UserWarning, match=rf"{name}: dim is not given, 1 is guessed"):
            np.testing.assert_array_equal(getattr(F, name)(x).data, getattr(F, name)(x, 1).data)
        with pytest.raises(ArgumentError, match=rf"{name}: dim 2 is not a whole number from -2 to 1"):
            getattr(F, name)(x, 2)
