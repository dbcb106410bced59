"""Resizing and sampling: the fast kernels against the definitions, and the definitions on exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import FLOATS
from tinycnn import kernels
from tinycnn.kernels.resize_tables import RULES, axis_table, coordinates, gradient_table

FAST, DEFINITION = kernels.table("cpu"), kernels.table("reference")
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
KINDS = ["nearest", "nearest-exact", "linear", "cubic", "area", "linear antialias", "cubic antialias"]
dtypes = st.sampled_from(FLOATS)
seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(1, 9)


def normal(seed, shape, dtype):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def agree(name, dtype, *arguments):
    fast, definition = FAST[name](*arguments), DEFINITION[name](*arguments)
    assert fast.dtype == definition.dtype
    assert fast.shape == definition.shape
    scale = max(1.0, float(np.abs(definition).max(initial=0.0)))
    np.testing.assert_allclose(fast, definition, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


def table(kind, size, out, dtype, gradient=False):
    mode, _, antialias = kind.partition(" ")
    rule = "half_pixel" if mode in ("linear", "cubic") else None
    make = gradient_table if gradient else axis_table
    return make(mode, size, out, None, rule, bool(antialias), np.dtype(dtype))


@given(st.sampled_from(KINDS), st.tuples(lengths, lengths), st.tuples(lengths, lengths), st.integers(0, 3), dtypes, seeds)
def test_resize2d(kind, sizes, outputs, planes, dtype, seed):
    tables = [table(kind, size, out, dtype) for size, out in zip(sizes, outputs)]
    agree("resize2d", dtype, normal(seed, (planes, *sizes), dtype), *tables[0], *tables[1])
    tables = [table(kind, size, out, dtype, gradient=True) for size, out in zip(sizes, outputs)]
    agree("resize2d", dtype, normal(seed, (planes, *outputs), dtype), *tables[0], *tables[1])


@given(st.sampled_from(KINDS), lengths, lengths, st.integers(0, 3), st.sampled_from([1, 5]), dtypes, seeds)
def test_resize_axis(kind, size, out, blocks, width, dtype, seed):
    agree("resize_axis", dtype, normal(seed, (blocks, size, width), dtype), *table(kind, size, out, dtype))
    agree("resize_axis", dtype, normal(seed, (blocks, out, width), dtype), *table(kind, size, out, dtype, gradient=True))


@pytest.mark.parametrize("kind", KINDS)
def test_large_images_go_to_all_threads(kind):
    for sizes, outputs in (((40, 50), (77, 90)), ((90, 77), (41, 30))):
        tables = [table(kind, size, out, np.float64) for size, out in zip(sizes, outputs)]
        x = normal(0, (20, *sizes), np.float64)
        y = FAST["resize2d"](x, *tables[0], *tables[1])
        for plane in (0, 7, 19):
            np.testing.assert_allclose(y[plane : plane + 1], FAST["resize2d"](x[plane : plane + 1], *tables[0], *tables[1]), rtol=1e-12, atol=1e-12)
        rows = FAST["resize_axis"](x, *tables[0])
        both = FAST["resize_axis"](rows.reshape(-1, sizes[1], 1), *tables[1])
        np.testing.assert_allclose(both.reshape(y.shape), y, atol=1e-12)


@given(st.sampled_from(KINDS), lengths, lengths)
def test_tables_are_exact_on_fractions(kind, size, out):
    exact, near = table(kind, size, out, object), table(kind, size, out, np.float64)
    if kind not in ("linear antialias", "cubic antialias"):
        np.testing.assert_array_equal(exact.source, near.source)
        np.testing.assert_allclose(exact.weight.astype(float), near.weight, atol=1e-12)
    x = np.array([Fraction(i * i, 3) for i in range(size)], object).reshape(1, size, 1)
    y = DEFINITION["resize_axis"](x, *exact)
    np.testing.assert_allclose(y.astype(float), DEFINITION["resize_axis"](x.astype(float), *near), rtol=1e-10, atol=1e-10)
    assert all(isinstance(value, Fraction) for value in y.ravel())
    assert all(sum(exact.weight[first:end]) == 1 for first, end in zip(exact.first, exact.first[1:]))


@given(st.sampled_from(RULES), lengths, lengths)
def test_coordinates_follow_their_formulas(rule, size, out):
    x = coordinates(rule, size, out, None, np.dtype(object))
    ratio = Fraction(size, out)
    for i, value in enumerate(x):
        expected = {
            "half_pixel": ratio * (i + Fraction(1, 2)) - Fraction(1, 2),
            "align_corners": Fraction(i * (size - 1), max(out - 1, 1)),
            "asymmetric": ratio * i,
            "pytorch_half_pixel": ratio * (i + Fraction(1, 2)) - Fraction(1, 2) if out > 1 else 0,
            "tf_half_pixel_for_nn": ratio * (i + Fraction(1, 2)),
        }
        assert value == expected[rule]


@st.composite
def samplings(draw):
    """(x shape, grid, mode, padding_mode, align_corners): places inside, outside, on pixels and at the border."""
    axes = draw(st.sampled_from([2, 3]))
    shape = (draw(st.integers(0, 2)), draw(st.integers(0, 3)), *[draw(st.integers(1, 5)) for _ in range(axes)])
    points = draw(st.sampled_from([0, 1, 7]))
    grid = np.random.default_rng(draw(seeds)).uniform(-2.5, 2.5, (shape[0], points, axes))
    if draw(st.booleans()):
        grid = np.round(2 * grid) / 2
    mode = draw(st.sampled_from(["bilinear", "nearest", "bicubic"] if axes == 2 else ["bilinear", "nearest"]))
    return shape, grid, mode, draw(st.sampled_from(["zeros", "border", "reflection"])), draw(st.booleans())


def sample_all(dtype, x, grid, options, seed):
    grad = normal(seed, (x.shape[0], x.shape[1], grid.shape[1]), dtype)
    agree("grid_sample", dtype, x, grid, *options)
    agree("grid_sample_grad_x", dtype, grad, grid, x.shape, *options)
    agree("grid_sample_grad_grid", dtype, grad, x, grid, *options)


@given(samplings(), seeds)
def test_grid_sample(case, seed):
    shape, grid, *options = case
    sample_all(np.float64, normal(seed, shape, np.float64), grid, options, seed + 1)


@given(samplings(), seeds)
def test_grid_sample_in_float32(case, seed):
    shape, grid, *options = case
    # Quarters of pixels are exact, so that both kernels see the same taps.
    sizes = np.array(shape[:1:-1], np.float64)
    grid = (np.round(grid * sizes * 2) / 2 / 2 ** np.ceil(np.log2(sizes))).astype(np.float32)
    sample_all(np.float32, normal(seed, shape, np.float32), grid, options, seed + 1)


@pytest.mark.parametrize("mode", ["bilinear", *(pytest.param(mode, marks=pytest.mark.exhaustive) for mode in ("nearest", "bicubic"))])
def test_many_samples_go_to_all_threads(mode):
    x, grid = normal(0, (2, 9, 20, 30), np.float64), np.random.default_rng(1).uniform(-1.2, 1.2, (2, 700, 2))
    grad, options = normal(2, (2, 9, 700), np.float64), (mode, "border", False)
    y, grad_grid = FAST["grid_sample"](x, grid, *options), FAST["grid_sample_grad_grid"](grad, x, grid, *options)
    grad_x = FAST["grid_sample_grad_x"](grad, grid, x.shape, *options)
    for n in range(2):
        one = slice(n, n + 1)
        some = slice(130, 139)
        np.testing.assert_allclose(DEFINITION["grid_sample"](x[one], grid[one, some], *options), y[one, :, some], atol=1e-12)
        np.testing.assert_allclose(
            DEFINITION["grid_sample_grad_grid"](grad[one, :, some], x[one], grid[one, some], *options), grad_grid[one, some], atol=1e-9
        )
        alone = FAST["grid_sample_grad_x"](grad[one, :1], grid[one], (1, 1, 20, 30), *options)
        np.testing.assert_allclose(alone, grad_x[one, :1], atol=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
def test_places_that_are_no_numbers(mode, padding_mode):
    special = [math.nan, math.inf, -math.inf, 1e30, -1e30]
    for axes in (2, 3):
        if mode == "bicubic" and axes == 3:
            continue
        grid = np.full((1, len(special) * axes, axes), 0.1)
        for position, value in enumerate(special * axes):
            grid[0, position, position % axes] = value
        x = normal(0, (1, 2, 3, 4, 2)[: axes + 2], np.float64)
        with np.errstate(all="ignore"):
            expected = DEFINITION["grid_sample"](x, grid, mode, padding_mode, False)
            found = FAST["grid_sample"](x, grid, mode, padding_mode, False)
        huge = np.abs(grid[0]).max(1) == 1e30  # mirroring 1e30 is rounding alone: any pixel is right
        compared = slice(None) if padding_mode != "reflection" else ~huge
        np.testing.assert_allclose(found[:, :, compared], expected[:, :, compared], atol=1e-12)


def test_sampling_is_exact_on_fractions():
    x = np.array([Fraction(i, 7) for i in range(12)], object).reshape(1, 1, 3, 4)
    grid = np.array([[Fraction(1, 3), Fraction(-1, 5)], [Fraction(5, 4), Fraction(0)]], object).reshape(1, 2, 2)
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding_mode in ("zeros", "border", "reflection"):
            for align in (False, True):
                y = DEFINITION["grid_sample"](x, grid, mode, padding_mode, align)
                assert all(isinstance(value, Fraction) for value in y.ravel())
                near = FAST["grid_sample"](x.astype(np.float64), grid.astype(np.float64), mode, padding_mode, align)
                np.testing.assert_allclose(y.astype(float), near, atol=1e-12)
