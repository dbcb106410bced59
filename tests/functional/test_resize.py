"""Resizing: laws, golden numbers, gradients, messages."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, nn, use_kernels
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import interpolate, upsample, upsample_bilinear, upsample_nearest

MODES = {1: ["nearest", "nearest-exact", "linear", "area"], 2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"],
         3: ["nearest", "nearest-exact", "trilinear", "area"]}
seeds = st.integers(0, 2**32 - 1)


@st.composite
def resizings(draw):
    """(input shape, options) of any resizing, by size or scale."""
    axes = draw(st.integers(1, 3))
    shape = (draw(st.integers(0, 2)), draw(st.integers(1, 2)), *[draw(st.integers(1, 6)) for _ in range(axes)])
    mode = draw(st.sampled_from(MODES[axes]))
    options = {"mode": mode}
    if mode.endswith("linear") or mode == "bicubic":
        options["align_corners"] = draw(st.sampled_from([None, False, True]))
        if axes == 2:
            options["antialias"] = draw(st.booleans())
    if draw(st.booleans()):
        options["size"] = tuple(draw(st.integers(1, 8)) for _ in range(axes))
    else:
        options["scale_factor"] = tuple(draw(st.floats(1 / n, 3)) for n in shape[2:])
        options["recompute_scale_factor"] = draw(st.sampled_from([None, False, True]))
    return shape, options


def random(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


@given(resizings(), seeds)
def test_gradients(case, seed):
    shape, options = case
    if shape[0]:
        assert gradcheck(lambda x: interpolate(x, **options), random(seed, shape))


@given(resizings(), seeds)
def test_the_gradient_is_the_adjoint_and_constants_stay(case, seed):
    shape, options = case
    x = Tensor(random(seed, shape), requires_grad=True)
    y = interpolate(x, **options)
    upstream = random(seed + 1, y.shape)
    y.backward(upstream)
    assert float((y.data * upstream).sum()) == pytest.approx(float((x.data * x.grad.data).sum()), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(interpolate(np.full(shape, 2.5), **options).data, 2.5, rtol=1e-12)


@given(resizings(), seeds)
def test_linear_and_the_same_with_the_definition(case, seed):
    shape, options = case
    x, z = random(seed, shape), random(seed + 1, shape)
    y = interpolate(2 * x + z, **options).data
    np.testing.assert_allclose(y, 2 * interpolate(x, **options).data + interpolate(z, **options).data, atol=1e-10)
    with use_kernels("reference"):
        np.testing.assert_allclose(interpolate(2 * x + z, **options).data, y, atol=1e-10)


@given(st.sampled_from(["nearest", "nearest-exact", "bilinear", "bicubic", "area"]), st.booleans(), st.booleans(), seeds)
def test_the_same_size_changes_nothing(mode, align, antialias, seed):
    x = random(seed, (2, 3, 5, 7))
    options = {"mode": mode}
    if mode in ("bilinear", "bicubic"):
        options |= {"align_corners": align, "antialias": antialias}
    np.testing.assert_allclose(interpolate(x, (5, 7), **options).data, x, atol=1e-12)


@given(st.sampled_from(["bilinear", "bicubic", "area"]), st.booleans(), st.tuples(*[st.integers(1, 9)] * 4), seeds)
def test_symmetric_rules_commute_with_flips(mode, align, sizes, seed):
    x = random(seed, (1, 2, *sizes[:2]))
    options = {"mode": mode} if mode == "area" else {"mode": mode, "align_corners": align and min(sizes) > 1}
    flipped = interpolate(x[..., ::-1, ::-1], sizes[2:], **options).data
    np.testing.assert_allclose(flipped, interpolate(x, sizes[2:], **options).data[..., ::-1, ::-1], atol=1e-10)


@given(st.integers(1, 4), seeds)
def test_nearest_repeats_and_area_averages(factor, seed):
    x = random(seed, (1, 2, 3, 4))
    repeated = x.repeat(factor, 2).repeat(factor, 3)
    for mode in ("nearest", "nearest-exact"):
        np.testing.assert_array_equal(interpolate(x, scale_factor=factor, mode=mode).data, repeated)
        np.testing.assert_array_equal(interpolate(x, scale_factor=factor, mode=mode, coordinate_mode="tf_half_pixel_for_nn").data
                                      if mode == "nearest" else repeated, repeated)
    np.testing.assert_allclose(interpolate(repeated, (3, 4), mode="area").data, x, atol=1e-12)


@given(st.sampled_from(["bilinear", "trilinear", "bicubic"]), seeds)
def test_axes_are_resized_one_after_another(mode, seed):
    x = random(seed, (1, 2, 4, 5, 3)[: 5 if mode == "trilinear" else 4])
    y = interpolate(x, (6, 3, 5)[: x.ndim - 2], mode=mode).data
    for axis, size in enumerate((6, 3, 5)[: x.ndim - 2]):
        sizes = list(x.shape[2:])
        sizes[axis] = size
        x = interpolate(x, sizes, mode=mode).data
    np.testing.assert_allclose(x, y, atol=1e-12)


IMAGE = np.array([[1.0, 2.0], [3.0, 4.0]])[None, None]


def test_b12_bilinear_upsampling_by_both_rules():
    half = interpolate(IMAGE, scale_factor=2, mode="bilinear").numpy()[0, 0]
    np.testing.assert_allclose(half, [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]])
    corners = interpolate(IMAGE, scale_factor=2, mode="bilinear", align_corners=True).numpy()[0, 0]
    np.testing.assert_allclose(corners, np.add.outer([1, 5 / 3, 7 / 3, 3], [0, 1 / 3, 2 / 3, 1]))
    asymmetric = interpolate(IMAGE, scale_factor=2, mode="bilinear", coordinate_mode="asymmetric").numpy()[0, 0]
    np.testing.assert_allclose(asymmetric, np.add.outer([1, 2, 3, 3], [0, 0.5, 1, 1]))


def test_numbers_of_the_onnx_operator():
    x = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
    row = interpolate(x, scale_factor=2, mode="bicubic").numpy()[0, 0, 0]
    np.testing.assert_allclose(row, [0.47265625, 0.76953125, 1.24609375, 1.875, 2.28125, 2.91015625, 3.38671875, 3.68359375])
    row = interpolate(x, scale_factor=2, mode="bicubic", coordinate_mode="asymmetric").numpy()[0, 0, 0]
    np.testing.assert_allclose(row, [1, 1.40625, 2, 2.5, 3, 3.59375, 4, 4.09375])
    column = interpolate(x, (3, 1), mode="bilinear", coordinate_mode="pytorch_half_pixel").numpy()[0, 0, :, 0]
    np.testing.assert_allclose(column, [5 / 3, 7, 37 / 3])
    np.testing.assert_allclose(interpolate(x, (3, 1), mode="bilinear").numpy()[0, 0, :, 0], [5 / 3 + 1.5, 8.5, 37 / 3 + 1.5])


@pytest.mark.parametrize(("name", "mode"), [("half_pixel", "nearest-exact"), ("asymmetric", "nearest"), ("tf_half_pixel_for_nn", "nearest-exact")])
def test_names_of_the_rules_of_nearest(name, mode):
    x = random(0, (1, 1, 7, 5))
    for size in ((3, 4), (9, 11)):
        named = interpolate(x, size, mode="nearest" if name != "half_pixel" else mode, coordinate_mode=name).data
        np.testing.assert_array_equal(named, interpolate(x, size, mode=mode).data)


def test_fractions_are_resized_exactly():
    x = np.array([Fraction(1), Fraction(2)], object).reshape(1, 1, 2)
    y = interpolate(Tensor(x), 3, mode="linear").data.ravel().tolist()
    assert y == [1, Fraction(3, 2), 2]


def test_any_memory_order_and_empty_batches():
    x = random(0, (2, 3, 4, 5))
    for mode in MODES[2]:
        expected = interpolate(x, (6, 3), mode=mode).data
        for view in (np.asfortranarray(x), np.ascontiguousarray(x[..., ::-1])[..., ::-1]):
            view.flags.writeable = False
            np.testing.assert_array_equal(interpolate(view, (6, 3), mode=mode).data, expected)
        assert interpolate(x[:0], (6, 3), mode=mode).shape == (0, 3, 6, 3)
    assert interpolate(x[:, :0], 2, mode="area").shape == (2, 0, 2, 2)
    assert interpolate(x, 0, mode="area").shape == (2, 3, 0, 0)
    np.testing.assert_array_equal(interpolate(x, [8, 10]).data, interpolate(x, scale_factor=[2, 2.0]).data)


def test_older_names():
    x = random(0, (1, 2, 3, 4))
    np.testing.assert_array_equal(upsample(x, scale_factor=2).data, interpolate(x, scale_factor=2).data)
    np.testing.assert_array_equal(upsample_nearest(x, 5).data, interpolate(x, 5).data)
    np.testing.assert_array_equal(upsample_bilinear(x, 5).data, interpolate(x, 5, mode="bilinear", align_corners=True).data)


def test_layers():
    x = random(0, (1, 2, 3, 4))
    np.testing.assert_array_equal(nn.Upsample((5, 6), mode="bicubic", align_corners=True)(x).data,
                                  interpolate(x, (5, 6), mode="bicubic", align_corners=True).data)
    np.testing.assert_array_equal(nn.Upsample(scale_factor=1.7, mode="bilinear", recompute_scale_factor=True)(x).data,
                                  interpolate(x, scale_factor=1.7, mode="bilinear", recompute_scale_factor=True).data)
    np.testing.assert_array_equal(nn.UpsamplingNearest2d(scale_factor=2)(x).data, interpolate(x, scale_factor=2).data)
    np.testing.assert_array_equal(nn.UpsamplingBilinear2d(7)(x).data, upsample_bilinear(x, 7).data)
    assert repr(nn.Upsample(scale_factor=2)) == "Upsample(scale_factor=2, mode='nearest')"


X = np.zeros((1, 2, 4, 4), np.float32)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"input": X}, ArgumentError, "give one of size and scale_factor, not neither"),
        ({"input": X, "size": 2, "scale_factor": 2}, ArgumentError, "give one of size and scale_factor, not both"),
        ({"input": X, "size": 2, "mode": "linear"}, ArgumentError, r"mode 'linear' is for 1 spatial axes.*has 2; use bilinear or bicubic"),
        ({"input": X, "size": 2, "mode": "cubic"}, ArgumentError, "mode 'cubic' is not one of nearest"),
        ({"input": X, "size": 2, "align_corners": False}, ArgumentError, "align_corners=False has no meaning for mode 'nearest'"),
        ({"input": X, "size": 2, "antialias": True}, ArgumentError, "antialias=True is for the modes bilinear and bicubic, not 'nearest'"),
        ({"input": X, "size": 2, "recompute_scale_factor": True}, ArgumentError, "recompute_scale_factor=True has no meaning with a size"),
        ({"input": X, "size": (2, 2, 2)}, ArgumentError, "size has 3 numbers but input 2 spatial axes"),
        ({"input": X, "size": 2.5}, ArgumentError, "size must be a whole number >= 0, not 2.5"),
        ({"input": X, "size": 0}, ShapeError, r"to sizes \(0, 0\): channels and sizes must be at least 1"),
        ({"input": X, "size": 2**40}, ShapeError, "a size must be below"),
        ({"input": X, "scale_factor": 0.1}, ShapeError, r"to sizes \(0, 0\)"),
        ({"input": X, "scale_factor": -1.0}, ArgumentError, "scale_factor must be a number > 0"),
        ({"input": X, "scale_factor": float("nan")}, ArgumentError, "scale_factor must be a number > 0"),
        ({"input": X[:, :0], "size": 2}, ShapeError, "channels and sizes must be at least 1"),
        ({"input": X[0, 0], "size": 2}, ShapeError, r"input has shape \(4, 4\)"),
        ({"input": X.astype(np.int64), "size": 2}, DtypeError, "input is int64"),
        ({"input": X, "size": 2, "coordinate_mode": "half"}, ArgumentError, "coordinate_mode 'half' is not one of half_pixel"),
        ({"input": X, "size": 2, "mode": "area", "coordinate_mode": "half_pixel"}, ArgumentError, "goes with no mode 'area'"),
    ],
)
def test_messages(arguments, error, message):
    with pytest.raises(error, match=f"interpolate: .*{message}"):
        interpolate(**arguments)
