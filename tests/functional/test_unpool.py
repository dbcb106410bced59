"""Unpooling: the deck's numbers, round trips, gradients, what overlapping windows do, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

AXES = [1, 2, 3]
SPATIAL = (6, 5, 4)
seeds = st.integers(0, 2**32 - 1)


def pooled(axes, seed, *window):
    """(x, its maxima, their positions); the numbers are positive and distinct."""
    shape = (2, 3, *SPATIAL[:axes])
    x = 1.0 + np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape)
    y, index = getattr(F, f"max_pool{axes}d")(x, *window, return_indices=True)
    return x, y.numpy(), index.numpy()


def test_b07_unpooling_of_the_slide():
    x = np.array([[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]], np.float32)[None, None]
    _, index = F.max_pool2d(x, 2, return_indices=True)
    y = F.max_unpool2d(np.array([[[[1, 2], [3, 4]]]], np.float32), index, 2)
    np.testing.assert_array_equal(y.numpy()[0, 0], [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]])


def test_b08_three_ways_to_unpool():
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    nearest = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(F.unpool2d(x, 2).numpy()[0, 0], nearest)
    np.testing.assert_array_equal(F.unpool2d(x, 2, "bed_of_nails").numpy()[0, 0], [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]])
    corners = np.array([[[[0, 3], [12, 15]]]])
    np.testing.assert_array_equal(F.max_unpool2d(x, corners, 2).numpy()[0, 0], [[1, 0, 0, 2], [0, 0, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]])


@pytest.mark.parametrize("axes", AXES)
@given(kernel=st.integers(1, 3), stride=st.integers(1, 3), padding=st.integers(0, 1), seed=seeds)
def test_round_trip(axes, kernel, stride, padding, seed):
    """Unpooling puts every maximum where it was, zeros elsewhere, and pooling again gives the maxima back."""
    padding = min(padding, kernel // 2)
    x, y, index = pooled(axes, seed, kernel, stride, padding)
    unpool = getattr(F, f"max_unpool{axes}d")
    try:
        back = unpool(y, index, kernel, stride, padding, output_size=x.shape).numpy()
    except ArgumentError:
        assert stride > 1 or padding  # what the pooling left out at the end is more than a stride
        return
    kept = np.zeros(x[0, 0].size * 6).reshape(6, -1)
    np.put_along_axis(kept, index.reshape(6, -1), 1.0, 1)
    np.testing.assert_array_equal(back, x * kept.reshape(x.shape))
    np.testing.assert_array_equal(getattr(F, f"max_pool{axes}d")(back, kernel, stride, padding).numpy(), y)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("overlap", ["last", "sum", "error"])
@given(seed=seeds)
def test_gradients(axes, overlap, seed):
    x, y, index = pooled(axes, seed, 2)
    unpool = getattr(F, f"max_unpool{axes}d")
    assert gradcheck(lambda y: unpool(y, index, 2, output_size=x.shape, overlap=overlap), y)


def test_several_numbers_in_one_cell():
    x, index = np.array([[[1.0, 2.0, 4.0]]]), np.array([[[1, 1, 0]]])
    leaf = Tensor(x, requires_grad=True)
    y = F.max_unpool1d(leaf, index, 1)
    np.testing.assert_array_equal(y.data, [[[4, 2, 0]]])
    y.backward(np.array([[[10.0, 20.0, 30.0]]]))
    np.testing.assert_array_equal(leaf.grad.data, [[[20, 20, 10]]])
    np.testing.assert_array_equal(F.max_unpool1d(x, index, 1, overlap="sum").data, [[[4, 3, 0]]])
    assert gradcheck(lambda x: F.max_unpool1d(x, index, 1, overlap="sum"), x)
    with pytest.raises(ArgumentError, match='max_unpool1d: two indices of one map are equal; use overlap="last" or "sum"'):
        F.max_unpool1d(x, index, 1, overlap="error")


def test_the_last_wins_whatever_the_size():
    """Maps large enough to be shared among threads: a map is one thread's."""
    rng = np.random.default_rng(0)
    x, index = rng.standard_normal((8, 16, 64, 64)), rng.integers(0, 400, (8, 16, 64, 64))
    y = F.max_unpool2d(x, index, 1).numpy().reshape(128, -1)
    expected = np.zeros_like(y)
    for row, values, places in zip(expected, x.reshape(128, -1), index.reshape(128, -1), strict=True):
        row[places] = values
    np.testing.assert_array_equal(y, expected)


@given(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.sampled_from(["nearest", "bed_of_nails"]), seeds)
def test_unpool2d(scale, mode, seed):
    x = np.random.default_rng(seed).standard_normal((2, 3, 4, 5))
    assert gradcheck(lambda x: F.unpool2d(x, scale, mode), x)
    y = F.unpool2d(x, scale, mode).numpy()
    np.testing.assert_array_equal(y[:, :, :: scale[0], :: scale[1]], x)
    if mode == "nearest":
        np.testing.assert_allclose(F.avg_pool2d(y, scale).numpy(), x, rtol=1e-12)
    else:
        np.testing.assert_allclose(F.sum_pool2d(y, scale).numpy(), x, rtol=1e-12)
    np.testing.assert_array_equal(F.unpool2d(x[:, :, ::-1], scale, mode).numpy(), F.unpool2d(x[:, :, ::-1].copy(), scale, mode).numpy())


def test_one_map_an_empty_batch_and_float32():
    assert F.max_unpool2d(np.ones((1, 2, 2)), np.zeros((1, 2, 2), np.int64), 2).shape == (1, 4, 4)
    assert F.max_unpool3d(np.ones((0, 1, 2, 2, 2)), np.zeros((0, 1, 2, 2, 2), np.int64), 2).shape == (0, 1, 4, 4, 4)
    assert F.max_unpool2d(np.ones((1, 2, 2), np.float32), np.zeros((1, 2, 2), np.int64), 2).dtype == np.float32
    assert F.unpool2d(np.ones((0, 3), np.float32), 2).shape == (0, 6)
    leaf = Tensor(np.ones((1, 1, 1)), requires_grad=True)
    y = F.max_unpool1d(leaf, np.zeros((1, 1, 1), np.int64), 2, padding=1)
    assert y.shape == (1, 1, 0)
    y.backward(np.zeros((1, 1, 0)))
    np.testing.assert_array_equal(leaf.grad.data, [[[0]]])


X, I = np.ones((1, 1, 2, 2)), np.zeros((1, 1, 2, 2), np.int64)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.max_unpool2d(X, I + 16, 2), ArgumentError, r"invalid max index: 16 \(output volumes are of size 4x4\); indices go from 0"),
        (lambda: F.max_unpool2d(X, I - 1, 2), ArgumentError, r"Found an invalid max index: -1"),
        (lambda: F.max_unpool2d(X, I.astype(np.int32), 2), DtypeError, r"elements in indices should be type int64 but got: int32"),
        (lambda: F.max_unpool2d(X, I[:, :, :1], 2), ShapeError, r"Expected shape of indices to be same as that of the input"),
        (lambda: F.max_unpool2d(X, I, 2, output_size=(6, 5)), ArgumentError, r"invalid output_size .*\(dim 0 must be between 2 and 6\).*use 4"),
        (lambda: F.max_unpool2d(X, I, 2, output_size=(1, 5, 5)), ArgumentError, r"should be a sequence containing 2 or 4 elements, .* length of '3'"),
        (lambda: F.max_unpool2d(X, I, 2, 0), ArgumentError, r"stride must be a whole number >= 1"),
        (lambda: F.max_unpool2d(X, I, 2, padding=3), ShapeError, r"output_size must not be negative, but is \(-2, -2\)"),
        (lambda: F.max_unpool2d(X, I, 2**40), ShapeError, r"more than any memory holds"),
        (lambda: F.max_unpool2d(X, I, 2, overlap="first"), ArgumentError, r"overlap 'first' is not one of last, sum, error"),
        (lambda: F.max_unpool1d(X, I, 2), ShapeError, r"max_unpool1d: input has shape"),
        (lambda: F.max_unpool2d(X[:, :0], I[:, :0], 2), ShapeError, r"every axis but the first must hold at least one element"),
        (lambda: F.unpool2d(X, 0), ArgumentError, r"unpool2d: scale must be a whole number >= 1"),
        (lambda: F.unpool2d(X, 2, "linear"), ArgumentError, r"mode 'linear' is not one of nearest, bed_of_nails"),
        (lambda: F.unpool2d(np.ones(3), 2), ShapeError, r"at least two axes"),
        (lambda: F.unpool2d(X, 2**40), ShapeError, r"more than any memory holds"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
