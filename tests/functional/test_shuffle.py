"""Shuffles: inverses, gradients, leading axes, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import gradcheck, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.functional import channel_shuffle, pixel_shuffle, pixel_unshuffle

sizes = st.integers(0, 3)
leading = st.lists(st.integers(0, 2), max_size=2).map(tuple)


@given(leading, sizes, sizes, sizes, st.integers(1, 3))
def test_pixel_shuffle_follows_its_formula_and_unshuffle_undoes_it(lead, channels, height, width, r):
    shape = (*lead, channels * r * r, height, width)
    x = np.arange(float(np.prod(shape))).reshape(shape)
    y = pixel_shuffle(x, r).data
    assert y.shape == (*lead, channels, height * r, width * r)
    for c in range(channels):
        for a in range(r):
            for b in range(r):
                np.testing.assert_array_equal(y[..., c, a::r, b::r], x[..., c * r * r + a * r + b, :, :])
    np.testing.assert_array_equal(pixel_unshuffle(y, r).data, x)


@given(st.integers(0, 2), st.integers(0, 3), st.integers(1, 3), st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_channel_shuffle_follows_its_formula(batch, each, groups, spatial):
    shape = (batch, each * groups, *spatial)
    x = np.arange(float(np.prod(shape))).reshape(shape)
    y = channel_shuffle(x, groups).data
    for g in range(groups):
        for k in range(each):
            np.testing.assert_array_equal(y[:, k * groups + g], x[:, g * each + k])
    if each:
        np.testing.assert_array_equal(channel_shuffle(y, each).data, x)


def test_gradients():
    x = np.random.default_rng(0).standard_normal((2, 8, 4, 6))
    assert gradcheck(lambda x: pixel_shuffle(x, 2), x)
    assert gradcheck(lambda x: pixel_unshuffle(x, 2), x)
    assert gradcheck(lambda x: channel_shuffle(x, 4), x)


def test_whole_numbers_stay_whole_and_results_own_their_order():
    x = np.arange(16, dtype=np.uint8).reshape(4, 2, 2)
    assert pixel_shuffle(x, 2).dtype == np.uint8
    assert pixel_shuffle(x, 2).is_contiguous()


def test_layers():
    x = np.random.default_rng(0).standard_normal((2, 8, 4, 6))
    np.testing.assert_array_equal(nn.PixelShuffle(2)(x).data, pixel_shuffle(x, 2).data)
    np.testing.assert_array_equal(nn.PixelUnshuffle(2)(x).data, pixel_unshuffle(x, 2).data)
    np.testing.assert_array_equal(nn.ChannelShuffle(4)(x).data, channel_shuffle(x, 4).data)
    assert [repr(layer) for layer in (nn.PixelShuffle(2), nn.PixelUnshuffle(3), nn.ChannelShuffle(4))] == [
        "PixelShuffle(upscale_factor=2)",
        "PixelUnshuffle(downscale_factor=3)",
        "ChannelShuffle(groups=4)",
    ]


X = np.zeros((2, 8, 4, 6))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pixel_shuffle(X, 3), ShapeError, r"pixel_shuffle: .*8 channels, no multiple of upscale_factor\^2 = 9; use 9 channels"),
        (lambda: pixel_shuffle(X, 0), ArgumentError, "upscale_factor must be a whole number >= 1, not 0"),
        (lambda: pixel_shuffle(X[0, 0], 2), ShapeError, r"pixel_shuffle: input has shape \(4, 6\)"),
        (lambda: pixel_unshuffle(X, 3), ShapeError, "pixel_unshuffle: .*pixels 4 x 6, no multiples of downscale_factor 3"),
        (lambda: channel_shuffle(X, 3), ShapeError, "channel_shuffle: .*8 channels, no multiple of groups 3"),
        (lambda: channel_shuffle(X, -1), ArgumentError, "groups must be a whole number >= 1, not -1"),
        (lambda: channel_shuffle(X[0, 0], 1), ShapeError, "it needs at least three axes"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
