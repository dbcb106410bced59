"""Kernels of regions, boxes and deformable columns: the fast ones against the definitions, over whole configurations."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import FLOAT32_FIRST, FLOATS
from tinycnn import kernels

FAST, DEFINITION = kernels.table("cpu"), kernels.table("reference")
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
dtypes = st.sampled_from(FLOATS)
seeds = st.integers(0, 2**32 - 1)


def agree(name, dtype, *arguments, exact=False):
    """Both kernels give the same arrays of the same dtypes; the error is measured against the size of the result."""
    fast, definition = FAST[name](*arguments), DEFINITION[name](*arguments)
    results = zip(fast, definition, strict=True) if isinstance(fast, tuple) else [(fast, definition)]
    for one, other in results:
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        if exact:
            np.testing.assert_array_equal(one, other)
        else:
            scale = max(1.0, float(np.abs(other[np.isfinite(other)]).max(initial=0.0)))
            np.testing.assert_allclose(one, other, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)
    return fast


@st.composite
def regions(draw, position_sensitive=False):
    """(x, rois, scale, bins, sampling_ratio) with regions inside, across and beyond the image, reversed and without area."""
    dtype = draw(dtypes)
    rng = np.random.default_rng(draw(seeds))
    bins = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    images, channels = draw(st.integers(1, 2)), draw(st.integers(0, 3))
    if position_sensitive:
        channels *= bins[0] * bins[1]
    x = rng.standard_normal((images, channels, draw(st.integers(1, 7)), draw(st.integers(1, 7)))).astype(dtype)
    count = draw(st.integers(0, 4))
    corners = rng.uniform(-4, 14, (count, 4))
    if draw(st.booleans()):
        corners[:, 2:] = corners[:, :2] + rng.uniform(0, 6, (count, 2))
    if draw(st.booleans()):
        corners = np.round(corners)
    rois = np.concatenate([rng.integers(0, images, (count, 1)), corners], 1).astype(dtype)
    return x, rois, draw(st.sampled_from([1.0, 0.5, 0.3])), bins, draw(st.sampled_from([-1, 0, 1, 2, 3]))


@given(regions(), st.booleans(), seeds)
def test_roi_align(case, aligned, seed):
    x, rois, scale, bins, ratio = case
    y = agree("roi_align", x.dtype.type, x, rois, scale, bins, ratio, aligned)
    grad = np.random.default_rng(seed).standard_normal(y.shape).astype(x.dtype)
    agree("roi_align_grad_x", x.dtype.type, grad, rois, x.shape, scale, bins, ratio, aligned)


@given(regions(position_sensitive=True), seeds)
def test_ps_roi_align(case, seed):
    x, rois, scale, bins, ratio = case
    y = agree("ps_roi_align", x.dtype.type, x, rois, scale, bins, ratio)
    grad = np.random.default_rng(seed).standard_normal(y.shape).astype(x.dtype)
    agree("ps_roi_align_grad_x", x.dtype.type, grad, rois, x.shape, scale, bins, ratio)


@given(regions(), st.booleans(), seeds)
def test_roi_pool(case, ties, seed):
    x, rois, scale, bins, _ = case
    x = np.round(x) if ties else x
    y, place = agree("roi_pool", x.dtype.type, x, rois, scale, bins, exact=True)
    grad = np.random.default_rng(seed).standard_normal(y.shape).astype(x.dtype)
    agree("roi_pool_grad_x", x.dtype.type, grad, place, rois, x.shape)


@given(regions(position_sensitive=True), seeds)
def test_ps_roi_pool(case, seed):
    x, rois, scale, bins, _ = case
    y = agree("ps_roi_pool", x.dtype.type, x, rois, scale, bins)
    grad = np.random.default_rng(seed).standard_normal(y.shape).astype(x.dtype)
    agree("ps_roi_pool_grad_x", x.dtype.type, grad, rois, x.shape, scale, bins)


@pytest.mark.parametrize("dtype", FLOAT32_FIRST)
def test_regions_of_networks_go_to_all_threads(dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 40, 20, 24)).astype(dtype)
    corners = rng.uniform(0, 300, (30, 2, 2))
    corners.sort(axis=1)
    rois = np.concatenate([rng.integers(0, 2, (30, 1)), corners.reshape(30, 4)], 1).astype(dtype)
    for ratio in (-1, 2):
        y = agree("roi_align", dtype, x, rois, 1 / 16, (3, 3), ratio, True)
        agree("roi_align_grad_x", dtype, y, rois, x.shape, 1 / 16, (3, 3), ratio, True)
    y, place = agree("roi_pool", dtype, x, rois, 1 / 16, (3, 3), exact=True)
    agree("roi_pool_grad_x", dtype, y, place, rois, x.shape)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("corners", [(np.nan, 0, 3, 3), (0, 0, np.inf, 3), (-np.inf, 0, np.inf, 3), (1e9, 1e9, 2e9, 2e9), (-9e9, -9e9, -8e9, -8e9)])
def test_regions_beyond_all_bounds_read_nothing(corners, dtype):
    x = np.ones((1, 4, 4, 4), dtype)
    rois = np.array([[0, *corners]], dtype)
    for ratio in (0, 2):
        np.testing.assert_array_equal(FAST["roi_align"](x, rois, 1.0, (2, 2), ratio, False), 0)
    assert not FAST["roi_align_grad_x"](np.ones((1, 4, 2, 2), dtype), rois, x.shape, 1.0, (2, 2), 2, False).any()
    FAST["ps_roi_align"](x, rois, 1.0, (2, 2), 2)
    agree("roi_pool", dtype, x, rois, 1.0, (2, 2), exact=True)
    agree("ps_roi_pool", dtype, x, rois, 1.0, (2, 2), exact=True)


def test_a_region_far_larger_than_the_image_is_averaged_over_all_its_samples():
    """One in 2^12 bins' samples lies in the image; the rest count as zeros, and are not visited one by one."""
    x = np.ones((1, 1, 4, 4))
    y = FAST["roi_align"](x, np.array([[0, -1000.0, -1000.0, 1000.0, 1000.0]]), 1.0, (1, 1), -1, False)
    definition = DEFINITION["roi_align"](x, np.array([[0, -1000.0, -1000.0, 1000.0, 1000.0]]), 1.0, (1, 1), -1, False)
    np.testing.assert_allclose(y, definition, rtol=1e-10)
    assert FAST["roi_align"](x, np.array([[0, -1e8, -1e8, 1e8, 1e8]]), 1.0, (1, 1), -1, False).item() == pytest.approx(25 / 4e16)


def test_the_definition_runs_on_fractions():
    rng = np.random.default_rng(0)
    numbers = rng.integers(-9, 9, (1, 2, 4, 4))
    rois = [[0, 1, 1, 3, 3.5]]
    exact = np.vectorize(Fraction, otypes=[object])
    y = DEFINITION["roi_align"](exact(numbers), exact(np.array(rois)), Fraction(1, 2), (2, 1), 2, True)
    assert all(isinstance(value, Fraction) for value in y.ravel())
    np.testing.assert_allclose(y.astype(float), FAST["roi_align"](numbers.astype(float), np.array(rois, float), 0.5, (2, 1), 2, True), rtol=1e-12)


def boxes(rng, count, dtype, grid):
    corners = rng.integers(0, 6, (count, 4)) if grid else rng.uniform(0, 6, (count, 4))
    return corners.astype(dtype)


@given(st.integers(0, 60), st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.7, 1.0, -0.5, 2.0]), st.booleans(), st.booleans(), dtypes, seeds)
def test_nms(count, threshold, grid, reversed_too, dtype, seed):
    rng = np.random.default_rng(seed)
    corners = boxes(rng, count, dtype, grid)
    if not reversed_too:
        corners = np.concatenate([np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])], 1)
    scores = rng.integers(0, 5, count).astype(dtype)
    agree("nms", dtype, corners, scores, threshold, exact=True)
    agree("batched_nms", dtype, corners, scores, rng.integers(-2, 2, count), threshold, exact=True)


@given(dtypes, seeds)
def test_nms_with_nan_and_infinity(dtype, seed):
    rng = np.random.default_rng(seed)
    corners = rng.choice([np.nan, np.inf, -np.inf, 0.0, 1.0, 2.0, 3.0], (12, 4)).astype(dtype)
    scores = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], 12).astype(dtype)
    for threshold in (0.0, 0.5, -1.0, float("nan")):
        agree("nms", dtype, corners, scores, threshold, exact=True)


@given(st.integers(0, 5), st.integers(0, 40), dtypes, st.booleans(), seeds)
def test_box_iou(first, second, dtype, grid, seed):
    """Reversed boxes and boxes without area among them: the same quotients, rounded alike."""
    rng = np.random.default_rng(seed)
    agree("box_iou", dtype, boxes(rng, first, dtype, grid), boxes(rng, second, dtype, grid), exact=True)


@given(dtypes, seeds)
def test_box_iou_with_nan_and_infinity(dtype, seed):
    rng = np.random.default_rng(seed)
    sets = [rng.choice([np.nan, np.inf, -np.inf, 0.0, 1.0, 2.0, 3.0], (6, 4)).astype(dtype) for _ in range(2)]
    agree("box_iou", dtype, *sets, exact=True)


@given(st.integers(0, 5), st.integers(0, 5), dtypes, st.booleans(), seeds)
def test_box_iou_rotated(first, second, dtype, straight, seed):
    rng = np.random.default_rng(seed)
    sets = [
        np.concatenate([rng.uniform(0, 5, (n, 2)), rng.uniform(-0.5, 4, (n, 2)), rng.uniform(-200, 200, (n, 1))], 1).astype(dtype)
        for n in (first, second)
    ]
    if straight:
        sets = [np.round(boxes / [1, 1, 1, 1, 90]) * [1, 1, 1, 1, 90] for boxes in sets]
        sets = [boxes.astype(dtype) for boxes in sets]
    agree("box_iou_rotated", dtype, *sets)


@st.composite
def deformations(draw):
    """(x, offset, mask or None, kernel, stride, padding, dilation, groups)."""
    dtype = draw(dtypes)
    rng = np.random.default_rng(draw(seeds))
    groups, offset_groups = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    channels = groups * offset_groups * draw(st.integers(0, 2))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride, dilation = draw(st.tuples(*[st.integers(1, 2)] * 2)), draw(st.tuples(*[st.integers(1, 2)] * 2))
    padding = draw(st.tuples(*[st.integers(0, 2)] * 2))
    images = draw(st.integers(0, 2))
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    out = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    cells = kernel[0] * kernel[1]
    x = rng.standard_normal((images, channels, *size)).astype(dtype)
    offset = (3 * rng.standard_normal((images, 2 * offset_groups * cells, *out))).astype(dtype)
    if draw(st.booleans()):
        offset = np.round(offset)
    mask = rng.random((images, offset_groups * cells, *out)).astype(dtype) if draw(st.booleans()) else None
    return x, offset, mask, kernel, stride, padding, dilation, groups


@given(deformations(), seeds)
def test_deform_columns(case, seed):
    x, offset, mask, *options = case
    dtype = x.dtype.type
    columns = agree("deform_columns", dtype, x, offset, mask, *options)
    grad = np.random.default_rng(seed).standard_normal(columns.shape).astype(dtype)
    agree("deform_columns_grad_x", dtype, grad, offset, mask, x.shape, *options)
    agree("deform_columns_grad_offset", dtype, grad, x, offset, mask, *options)
