"""Dropping blocks and branches: masks, scales, seeds; and the layers of the package."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, gradcheck, ops
from tinycnn.errors import ArgumentError, ShapeError

seeds = st.integers(0, 2**32 - 1)


@given(st.sampled_from([1, 3, 5]), st.floats(0.05, 0.9), st.sampled_from([(7, 6), (3, 5, 4)]), seeds)
def test_blocks_are_whole_and_the_rest_is_scaled(block, p, size, seed):
    drop = ops.drop_block2d if len(size) == 2 else ops.drop_block3d
    x = np.random.default_rng(seed).uniform(1, 2, (2, 3, *size))
    y, kept = drop(x, p, min(block, min(size) - 1 + min(size) % 2), generator=np.random.default_rng(seed), return_mask=True)
    again = drop(x, p, min(block, min(size) - 1 + min(size) % 2), generator=np.random.default_rng(seed))
    np.testing.assert_array_equal(y.data, again.data)
    np.testing.assert_allclose(y.data, x * kept.data * (kept.data.size / (kept.data.sum() + 1e-6)) if kept.data.any() else 0, rtol=1e-9)
    block = min(block, min(size) - 1 + min(size) % 2, *size)
    # Every dropped pixel belongs to a block of dropped pixels that lies inside the map.
    gone = np.pad(~kept.data, [(0, 0)] * 2 + [(block - 1, block - 1)] * len(size))
    windows = np.lib.stride_tricks.sliding_window_view(gone, (block,) * len(size), axis=tuple(range(2, 2 + len(size))))
    full = windows.reshape(*windows.shape[: 2 + len(size)], -1).all(-1)
    covered = np.lib.stride_tricks.sliding_window_view(full, (block,) * len(size), axis=tuple(range(2, 2 + len(size))))
    np.testing.assert_array_equal(covered.reshape(*covered.shape[: 2 + len(size)], -1).any(-1), ~kept.data)


def test_the_share_of_blocks_is_gamma():
    y, kept = ops.drop_block2d(np.ones((100, 100, 9, 9)), 0.2, 3, return_mask=True)
    seats, gamma = 49, 0.2 * 81 / (9 * 49)
    centre = 1 - (1 - gamma) ** 9
    assert 1 - kept.data[:, :, 4, 4].mean() == pytest.approx(centre, abs=0.02)
    assert 1 - kept.data[:, :, 0, 0].mean() == pytest.approx(gamma, abs=0.01)
    assert seats * gamma * 9 / 81 == pytest.approx(0.2)
    assert y.data.sum() == pytest.approx(y.data.size)


@pytest.mark.parametrize("mode", ["batch", "row"])
def test_stochastic_depth(mode):
    x = np.ones((4000, 2, 3))
    y, kept = ops.stochastic_depth(x, 0.25, mode, generator=np.random.default_rng(3), return_mask=True)
    assert kept.shape == ((4000, 1, 1) if mode == "row" else (1, 1, 1))
    np.testing.assert_allclose(y.data, x * kept.data / 0.75)
    if mode == "row":
        assert kept.data.mean() == pytest.approx(0.75, abs=0.03)
    np.testing.assert_array_equal(ops.stochastic_depth(x, 1.0, mode).data, 0)
    assert ops.stochastic_depth(x, 0.9, mode, training=False).data is x


def test_gradients_follow_the_mask():
    x = np.random.default_rng(0).standard_normal((3, 2, 6, 6))
    assert gradcheck(lambda x: ops.drop_block2d(x, 0.4, 3, generator=np.random.default_rng(1)), x)
    assert gradcheck(lambda x: ops.drop_block3d(x, 0.4, 1, generator=np.random.default_rng(1)), x[None])
    assert gradcheck(lambda x: ops.stochastic_depth(x, 0.4, "row", generator=np.random.default_rng(1)), x)


def test_nothing_is_dropped_in_evaluation_or_at_zero():
    x = np.ones((1, 1, 5, 5), np.float32)
    for layer in (ops.DropBlock2d(0.5, 3), ops.StochasticDepth(0.5, "row")):
        np.testing.assert_array_equal(layer.eval()(x).data, x)
    assert ops.drop_block2d(x, 0.0, 2).data is x
    y, kept = ops.drop_block2d(x, 0.3, 3, training=False, return_mask=True)
    assert kept.data.all() and y.dtype == np.float32
    assert ops.drop_block2d(np.zeros((0, 1, 5, 5)), 0.5, 3).shape == (0, 1, 5, 5)


def test_the_packages_seed_is_used():
    layer, x = ops.DropBlock2d(0.3, 3), np.ones((2, 2, 8, 8))
    tinycnn.manual_seed(5)
    first = layer(x).data
    tinycnn.manual_seed(5)
    np.testing.assert_array_equal(layer(x).data, first)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.drop_block2d(np.ones((1, 1, 5, 5)), 1.5, 3), ArgumentError, "drop_block2d: p must be a probability from 0 to 1, not 1.5"),
        (lambda: ops.drop_block2d(np.ones((1, 5, 5)), 0.5, 3), ShapeError, r"drop_block2d: input has shape \(1, 5, 5\); it must have 4 axes"),
        (lambda: ops.drop_block2d(np.ones((1, 1, 5, 5)), 0.5, 4), ArgumentError, "block_size must be odd, not 4"),
        (lambda: ops.drop_block3d(np.ones((1, 1, 5, 5)), 0.5, 3), ShapeError, "must have 5 axes"),
        (lambda: ops.stochastic_depth(np.ones(3), 0.5, "column"), ArgumentError, "mode 'column' is not one of batch, row"),
        (lambda: ops.StochasticDepth(0.5, "column"), ArgumentError, "mode 'column'"),
        (lambda: ops.MLP(3, []), ArgumentError, "hidden_channels is empty"),
        (lambda: ops.DeformConv2d(3, 4, 3, groups=2), ArgumentError, "groups=2 must divide in_channels=3"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_frozen_normalisation_is_affine_and_trains_nothing():
    layer = ops.FrozenBatchNorm2d(3)
    layer.load_state_dict({"weight": [1.0, 2, 3], "bias": [0.0, 1, 2], "running_mean": [1.0, 0, 1], "running_var": [4.0, 1, 0]})
    assert not list(layer.parameters())
    x = Tensor(np.ones((1, 3, 1, 1), np.float32), requires_grad=True)
    y = layer(x)
    np.testing.assert_allclose(y.data.ravel(), [0, 1 + 2 / np.sqrt(1 + 1e-5), 2], rtol=1e-6)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.data.ravel(), [1 / np.sqrt(4 + 1e-5), 2 / np.sqrt(1 + 1e-5), 3 / np.sqrt(1e-5)], rtol=1e-6)
