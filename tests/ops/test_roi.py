"""Pooling of regions: gradients, laws, numbers worked out by hand, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, ops
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
bins = st.tuples(st.integers(1, 3), st.integers(1, 3))
ratios = st.sampled_from([-1, 0, 1, 2, 3])


def drawn(seed, channels=2, inside=True, images=2):
    """(maps, boxes) with boxes inside a 7 x 8 map, or anywhere."""
    rng = np.random.default_rng(seed)
    low, high = (0.6, 6.4) if inside else (-4, 12)
    corners = np.sort(rng.uniform(low, high, (4, 2, 2)), axis=1).reshape(4, 4)
    return rng.standard_normal((images, channels, 7, 8)), np.concatenate([rng.integers(0, images, (4, 1)), corners], 1)


@given(bins, ratios, st.booleans(), seeds)
def test_gradients(size, ratio, aligned, seed):
    x, rois = drawn(seed, inside=False)
    assert gradcheck(lambda x: ops.roi_align(x, rois, size, 0.7, ratio, aligned), x)
    distinct = np.random.default_rng(seed).permutation(x.size).reshape(x.shape).astype(float)
    assert gradcheck(lambda x: ops.roi_pool(x, rois, size, 0.7), distinct)
    wide, rois = drawn(seed, size[0] * size[1], inside=False)
    assert gradcheck(lambda x: ops.ps_roi_align(x, rois, size, 0.7, max(ratio, 1)), wide)
    assert gradcheck(lambda x: ops.ps_roi_pool(x, rois, size, 0.7), wide)


@given(bins, ratios, st.booleans(), seeds)
def test_each_bin_averages_its_bilinear_samples(size, ratio, aligned, seed):
    """The formula of the docstring, with an interpolation written for this test."""
    x, rois = drawn(seed)

    def bilinear(plane, y, x):
        y, x = min(max(y, 0), plane.shape[0] - 1), min(max(x, 0), plane.shape[1] - 1)
        weights_y, weights_x = (np.maximum(0, 1 - np.abs(np.arange(n) - at)) for n, at in zip(plane.shape, (y, x), strict=True))
        return weights_y @ plane @ weights_x

    result = ops.roi_align(x, rois, size, 0.9, ratio, aligned).data
    for k, (image, *corners) in enumerate(rois):
        start = [0.9 * corners[1 - axis] - 0.5 * aligned for axis in range(2)]
        sides = [0.9 * (corners[3 - axis] - corners[1 - axis]) for axis in range(2)]
        sides = sides if aligned else [max(side, 1) for side in sides]
        grid = [ratio if ratio > 0 else int(np.ceil(side / n)) for side, n in zip(sides, size, strict=True)]
        for i in range(size[0]):
            for j in range(size[1]):
                values = [
                    bilinear(x[int(image), 1], start[0] + (i + (a + 0.5) / grid[0]) * sides[0] / size[0],
                             start[1] + (j + (b + 0.5) / grid[1]) * sides[1] / size[1])
                    for a in range(grid[0]) for b in range(grid[1])
                ]  # fmt: skip
                assert result[k, 1, i, j] == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)


@given(bins, ratios, seeds)
def test_a_plane_is_read_at_the_centres_of_the_bins(size, ratio, seed):
    """B14: of a map that rises evenly, each bin gives the value at its centre; aligned, pixel (h, w) has its centre at (h + 1/2, w + 1/2)."""
    _, rois = drawn(seed, images=1)
    rows, columns = np.mgrid[0:7, 0:8]
    x = (2.0 * rows - 3.0 * columns + 1)[None, None]
    y = ops.roi_align(x, rois, size, 1.0, ratio, True).data[:, 0]
    for k, (_, x1, y1, x2, y2) in enumerate(rois):
        centres_y = y1 + (np.arange(size[0]) + 0.5) * (y2 - y1) / size[0] - 0.5
        centres_x = x1 + (np.arange(size[1]) + 0.5) * (x2 - x1) / size[1] - 0.5
        np.testing.assert_allclose(y[k], 2 * centres_y[:, None] - 3 * centres_x[None] + 1, rtol=1e-9, atol=1e-9)


@given(bins, ratios, seeds)
def test_linear_and_adjoint(size, ratio, seed):
    x, rois = drawn(seed, inside=False)
    other = np.random.default_rng(seed + 1).standard_normal(x.shape)
    pool = lambda x: ops.roi_align(x, rois, size, 0.8, ratio)  # noqa: E731
    np.testing.assert_allclose(pool(2 * x - other).data, 2 * pool(x).data - pool(other).data, rtol=1e-9, atol=1e-9)
    tensor = Tensor(x, requires_grad=True)
    y = pool(tensor)
    upstream = np.random.default_rng(seed + 2).standard_normal(y.shape)
    y.backward(upstream)
    assert float((y.data * upstream).sum()) == pytest.approx(float((x * tensor.grad.data).sum()), rel=1e-9, abs=1e-9)


@given(bins, ratios, seeds)
def test_position_sensitive_is_roi_align_channel_by_channel(size, ratio, seed):
    x, rois = drawn(seed, 2 * size[0] * size[1], inside=False)
    every = ops.roi_align(x, rois, size, 0.8, ratio, True).data.reshape(4, 2, *size, *size)
    i, j = np.mgrid[0 : size[0], 0 : size[1]]
    np.testing.assert_allclose(ops.ps_roi_align(x, rois, size, 0.8, ratio).data, every[:, :, i, j, i, j], rtol=1e-9, atol=1e-12)


@given(bins, seeds)
def test_pools_of_a_constant_map_are_constant(size, seed):
    _, rois = drawn(seed, images=1)
    x = np.full((1, size[0] * size[1], 7, 8), 2.5)
    for y in (ops.roi_pool(x, rois, size), ops.roi_align(x, rois, size), ops.ps_roi_align(x, rois, size, sampling_ratio=2)):
        np.testing.assert_allclose(y.data, 2.5, rtol=1e-12)


MAP = np.array(
    [
        [0.88, 0.44, 0.14, 0.16, 0.37, 0.77, 0.96, 0.27],
        [0.19, 0.45, 0.57, 0.16, 0.63, 0.29, 0.71, 0.70],
        [0.66, 0.26, 0.82, 0.64, 0.54, 0.73, 0.59, 0.26],
        [0.85, 0.34, 0.76, 0.84, 0.29, 0.75, 0.62, 0.25],
        [0.32, 0.74, 0.21, 0.39, 0.34, 0.03, 0.33, 0.48],
        [0.20, 0.14, 0.16, 0.13, 0.73, 0.65, 0.96, 0.32],
        [0.19, 0.69, 0.09, 0.86, 0.88, 0.07, 0.01, 0.48],
        [0.83, 0.24, 0.97, 0.04, 0.24, 0.35, 0.50, 0.91],
    ]
)


def test_b13_roi_pool_of_a_proposal():
    """Columns 0 to 6, rows 3 to 7: 7 and 5 pixels do not divide by 2, so neighbouring bins share column 3 and row 5."""
    y = ops.roi_pool(MAP[None, None], np.array([[0, 0.0, 3.0, 6.0, 7.0]]), 2).data[0, 0]
    np.testing.assert_array_equal(y, [[MAP[3:6, 0:4].max(), MAP[3:6, 3:7].max()], [MAP[5:8, 0:4].max(), MAP[5:8, 3:7].max()]])
    np.testing.assert_array_equal(y, [[0.85, 0.96], [0.97, 0.96]])


def test_b13_and_b14_rounding_moves_the_region_and_alignment_does_not():
    """A box of an image at stride 16: corners 18 and 30 become 1.125 and 1.875. RoIPool rounds to pixels 1 to 2; RoIAlign reads their value."""
    ramp = np.tile(np.arange(8.0), (8, 1))[None, None]
    rois = np.array([[0, 18.0, 18.0, 30.0, 30.0]])
    assert ops.roi_pool(ramp, rois, 1, 1 / 16).item() == 2
    assert ops.roi_align(ramp, rois, 1, 1 / 16, aligned=True).item() == pytest.approx(1.5 - 0.5)
    assert ops.roi_align(ramp, rois, 1, 1 / 16, aligned=False).item() == pytest.approx(1.125 + 0.5)


def test_halves_are_rounded_away_from_zero():
    ramp = np.tile(np.arange(8.0), (8, 1))[None, None]
    assert ops.roi_pool(ramp, np.array([[0, 2.5, 0.0, 2.5, 0.0]]), 1).item() == 3
    assert ops.roi_pool(ramp, np.array([[0, np.nextafter(2.5, 0), 0.0, 2.0, 0.0]]), 1).item() == 2


def test_regions_outside_read_zeros_and_hand_nothing_back():
    x = Tensor(np.ones((1, 1, 4, 4)), requires_grad=True)
    rois = np.array([[0, 9.0, 9.0, 12.0, 12.0], [0, -9.0, 0.0, -5.0, 3.0]])
    for pool in (ops.roi_align, ops.roi_pool, ops.ps_roi_pool):
        y = pool(x, rois, 1)
        np.testing.assert_array_equal(y.data, 0)
        y.sum().backward()
        np.testing.assert_array_equal(x.grad.data, 0)


def test_nan_in_the_map_is_seen_by_averages_only():
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 1, 1] = np.nan
    rois = np.array([[0, 0.0, 0.0, 3.0, 3.0], [0, 3.0, 3.0, 4.0, 4.0]])
    assert np.isnan(ops.roi_align(x, rois, 1).data).ravel().tolist() == [True, False]
    np.testing.assert_array_equal(ops.roi_pool(x, rois, 1).data, 0)


def test_no_regions_no_channels_and_lists():
    x = np.ones((2, 3, 4, 4))
    assert ops.roi_align(x, np.zeros((0, 5)), 2).shape == (0, 3, 2, 2)
    assert ops.roi_align(x, [], 2).shape == (0, 3, 2, 2)
    assert ops.roi_pool(np.ones((2, 0, 4, 4)), np.zeros((1, 5)), 2).shape == (1, 0, 2, 2)
    lists = [np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3], [0, 0, 1, 1]])]
    rows = np.array([[0, 0.0, 0, 2, 2], [1, 1, 1, 3, 3], [1, 0, 0, 1, 1]])
    x = np.random.default_rng(0).standard_normal(x.shape)
    np.testing.assert_array_equal(ops.roi_align(x, lists, 2).data, ops.roi_align(x, rows, 2).data)
    np.testing.assert_array_equal(ops.roi_pool(x[::-1], rows, 2).data, ops.roi_pool(x[::-1].copy(), rows, 2).data)


X, ROIS = np.ones((2, 4, 5, 5)), np.zeros((1, 5))


@pytest.mark.parametrize("pool", [ops.roi_align, ops.roi_pool, ops.ps_roi_align, ops.ps_roi_pool])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X[0], ROIS, 2), ShapeError, r"input has shape \(4, 5, 5\); it must be \(N, C, H, W\)"),
        ((X, np.zeros((1, 4)), 2), ShapeError, r"boxes has shape \(1, 4\); it must be \(K, 5\)"),
        ((X, [np.zeros((1, 5))], 2), ShapeError, r"boxes\[0\] has shape \(1, 5\); each tensor of a list must be \(L, 4\)"),
        ((X, np.array([[2.0, 0, 0, 1, 1]]), 2), ArgumentError, "boxes row 0 names image 2; the input holds 2"),
        ((X, np.array([[0.5, 0, 0, 1, 1]]), 2), ArgumentError, "names image 0.5"),
        ((X, np.array([[-1.0, 0, 0, 1, 1]]), 2), ArgumentError, "names image -1"),
        ((X, np.array([[np.nan, 0, 0, 1, 1]]), 2), ArgumentError, "names image nan"),
        ((X, ROIS.astype(np.float32), 2), DtypeError, "input is float64 but boxes is float32"),
        ((X, ROIS, 0), ArgumentError, "output_size must be a whole number >= 1, not 0"),
        ((X, ROIS, 2, "half"), ArgumentError, "spatial_scale must be a number, not 'half'"),
        ((X, ROIS, 2, float("inf")), ArgumentError, "spatial_scale must be finite"),
        ((X[:, :, :0], ROIS, 2), ShapeError, "height and width must be at least 1"),
    ],
)
def test_messages(pool, arguments, error, message):
    with pytest.raises(error, match=f"{pool.__name__}: .*{message}"):
        pool(*arguments)


def test_more_messages():
    with pytest.raises(ShapeError, match="4 channels, which 3 x 3 = 9 bins do not divide"):
        ops.ps_roi_align(X, ROIS, 3)
    with pytest.raises(ArgumentError, match=r"sampling_ratio must be a whole number up to 4096, not 1\.5"):
        ops.roi_align(X, ROIS, 2, sampling_ratio=1.5)
    with pytest.raises(ArgumentError, match="is more than"):
        ops.roi_align(X, ROIS, 2**30)
