"""Dropout of channels and alpha dropout: the mask's laws, gradients, moments, mistakes.

Statistical tests are seeded and allow five standard deviations: one in 1.7 million seeds would fail.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, nn
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, HintWarning, ShapeError

SIGMAS = 5
ALL = [F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout]
# (function, input shape, mask shape)
CASES = [
    (F.dropout1d, (5, 6, 7), (5, 6, 1)),
    (F.dropout1d, (6, 7), (6, 1)),
    (F.dropout2d, (5, 6, 3, 2), (5, 6, 1, 1)),
    (F.dropout3d, (5, 6, 3, 2, 2), (5, 6, 1, 1, 1)),
    (F.dropout3d, (6, 3, 2, 2), (6, 1, 1, 1)),
    (F.alpha_dropout, (5, 6), (5, 6)),
    (F.feature_alpha_dropout, (5, 6, 7), (5, 6, 1)),
    (F.feature_alpha_dropout, (5, 6), (5, 6)),
]
FLOOR = -1.0507009873554805 * 1.6732632423543772


@pytest.mark.parametrize("function, shape, mask_shape", CASES)
@given(st.floats(0.05, 0.95), st.integers(0, 1000))
def test_the_mask_says_what_happened(function, shape, mask_shape, p, seed):
    x = np.random.default_rng(seed).standard_normal(shape)
    leaf = Tensor(x, requires_grad=True)
    y, kept = function(leaf, p, True, generator=np.random.default_rng(seed), return_mask=True)
    assert kept.shape == mask_shape
    assert kept.dtype == np.bool_
    if function in (F.alpha_dropout, F.feature_alpha_dropout):
        scale = ((1 - p) * (1 + p * FLOOR**2)) ** -0.5
        expected = scale * np.where(kept.data, x, FLOOR) - scale * p * FLOOR
    else:
        scale = 1 / (1 - p)
        expected = np.where(kept.data, x * scale, 0)
    np.testing.assert_allclose(y.data, expected, rtol=1e-9, atol=1e-12)
    upstream = np.random.default_rng(seed + 1).standard_normal(shape)
    y.backward(upstream)
    np.testing.assert_allclose(leaf.grad.data, np.where(kept.data, upstream * scale, 0), rtol=1e-9)


@pytest.mark.parametrize("function, shape, mask_shape", CASES)
def test_gradients(function, shape, mask_shape):
    x = np.random.default_rng(0).standard_normal(shape)
    assert tinycnn.gradcheck(lambda t: function(t, 0.4, True, generator=np.random.default_rng(3)), x)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_share_of_dropped_channels(function, p):
    axes = {F.dropout2d: 4, F.dropout3d: 5}.get(function, 3)
    x = np.zeros((200, 100, *(1,) * (axes - 2)), np.float32)
    kept = function(x, p, True, generator=np.random.default_rng(0), return_mask=True)[1].numpy()
    assert abs(kept.mean() - (1 - p)) < SIGMAS * math.sqrt(p * (1 - p) / 20_000)


@pytest.mark.parametrize("function", [F.alpha_dropout, F.feature_alpha_dropout])
@pytest.mark.parametrize("p", [0.1, 0.3, 0.7])
def test_alpha_dropout_keeps_mean_and_variance(function, p):
    """Standard normal in, mean 0 and variance 1 out."""
    count = 400_000
    x = np.random.default_rng(1).standard_normal((count, 1))
    y = function(x, p, True, generator=np.random.default_rng(2)).numpy()
    fourth = ((y - y.mean()) ** 4).mean()
    assert abs(y.mean()) < SIGMAS / math.sqrt(count)
    assert abs(y.var() - 1) < SIGMAS * math.sqrt((fourth - 1) / count)


@pytest.mark.parametrize("function, shape, mask_shape", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_corners(function, shape, mask_shape, dtype):
    x = Tensor(np.ones(shape, dtype))
    assert function(x, 0.9, training=False) is x
    assert function(x, 0.0, training=True) is x
    assert function(x, 0.9, training=False, return_mask=True)[1].numpy().all()
    zeros = function(x, 1.0, training=True)
    assert zeros.dtype == dtype
    assert not zeros.numpy().any()
    assert function(x, 0.5, True).dtype == dtype
    empty = Tensor(np.zeros((0, *shape[1:]), dtype))
    assert function(empty, 0.5, True).shape == empty.shape


@pytest.mark.parametrize("function", ALL)
def test_the_package_generator_decides(function):
    x = np.ones((4, 5, 2, 2))[: 4 if function is not F.dropout1d else None]
    x = x[..., 0] if function is F.dropout1d else x
    results = []
    for _ in range(2):
        tinycnn.manual_seed(1)
        results.append(function(x, 0.5, True).numpy())
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan, "half", True, None])
def test_p_must_be_a_probability(function, p):
    with pytest.raises(ArgumentError, match=f"{function.__name__}: p must be a probability from 0 to 1"):
        function(np.ones((2, 3, 4)), p, True)


@pytest.mark.parametrize("function", ALL)
def test_integers_are_refused(function):
    with pytest.raises(DtypeError, match="input is int64"):
        function(np.ones((2, 3, 4), np.int64), 0.5, True)


def test_numbers_of_axes():
    with pytest.raises(ShapeError, match=r"dropout1d: input has shape \(3,\); it must be \(N, C, L\)"):
        F.dropout1d(np.ones(3))
    with pytest.raises(ShapeError, match=r"dropout2d: input has shape \(3,\)"):
        F.dropout2d(np.ones(3))
    with pytest.raises(ShapeError, match="dropout3d: input is a single number"):
        F.dropout3d(np.ones(()))
    with pytest.raises(ShapeError, match=r"feature_alpha_dropout: input has shape \(3,\)"):
        F.feature_alpha_dropout(np.ones(3), training=True)
    with pytest.warns(HintWarning, match=r"read as \(N, C, ...\); for one image use input.unsqueeze\(0\)"):
        assert F.dropout2d(np.ones((2, 3, 4)), return_mask=True)[1].shape == (2, 3, 1)
    with pytest.warns(HintWarning, match=r"read as one sample \(C, ...\)"):
        assert F.dropout3d(np.ones((2, 3, 4)), return_mask=True)[1].shape == (2, 1, 1)


@pytest.mark.parametrize("name", ["Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"])
def test_layers(name):
    layer = getattr(nn, name)(0.25)
    assert repr(layer) == f"{name}(p=0.25, inplace=False)"
    x = np.random.default_rng(0).standard_normal((8, 9, *(2,) * {"Dropout1d": 1, "Dropout3d": 3}.get(name, 2)))
    tinycnn.manual_seed(5)
    y = layer(x).numpy()
    tinycnn.manual_seed(5)
    function = {"AlphaDropout": F.alpha_dropout, "FeatureAlphaDropout": F.feature_alpha_dropout}.get(name) or getattr(F, name.lower())
    np.testing.assert_array_equal(y, function(x, 0.25, True).numpy())
    assert (y != x).any()
    np.testing.assert_array_equal(layer.eval()(x).numpy(), x)
    with pytest.raises(ArgumentError, match="p must be a probability"):
        getattr(nn, name)(1.5)
