"""Sampling by grids: gradients, laws, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, use_kernels
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import affine_grid, grid_sample, interpolate

seeds = st.integers(0, 2**32 - 1)
paddings = st.sampled_from(["zeros", "border", "reflection"])


def smooth_places(seed, shape, sizes, reach=1.8):
    """Places at least a twentieth of a pixel from every kink, for either alignment."""
    rng = np.random.default_rng(seed)
    axes = []
    for size in reversed(sizes):
        pixels = rng.integers(-size, 2 * size, shape) + rng.uniform(0.1, 0.4, shape)
        axes.append(np.clip((2 * pixels + 1) / size - 1, -reach, reach))
    return np.stack(axes, -1)


@given(st.sampled_from(["bilinear", "nearest", "bicubic"]), paddings, st.booleans(), seeds)
def test_gradients_of_images(mode, padding_mode, align_corners, seed):
    x = np.random.default_rng(seed).standard_normal((2, 2, 4, 3))
    grid = smooth_places(seed, (2, 3, 2), (4, 3))
    assert gradcheck(lambda x, g: grid_sample(x, g, mode, padding_mode, align_corners), [x, grid])


@given(st.sampled_from(["bilinear", "nearest"]), paddings, st.booleans(), seeds)
def test_gradients_of_volumes(mode, padding_mode, align_corners, seed):
    x = np.random.default_rng(seed).standard_normal((1, 2, 3, 4, 2))
    grid = smooth_places(seed, (1, 2, 1, 2), (3, 4, 2))
    assert gradcheck(lambda x, g: grid_sample(x, g, mode, padding_mode, align_corners), [x, grid])


@given(st.sampled_from([(2, 1, 4, 5), (2, 1, 3, 4, 5)]), st.booleans(), seeds)
def test_gradients_of_affine_grids(size, align_corners, seed):
    axes = len(size) - 2
    theta = np.random.default_rng(seed).standard_normal((size[0], axes, axes + 1))
    assert gradcheck(lambda theta: affine_grid(theta, size, align_corners), theta)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("align_corners", [False, True])
def test_the_identity_map_gives_the_image(mode, align_corners):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    theta = np.broadcast_to(np.eye(2, 3), (2, 2, 3))
    grid = affine_grid(theta, x.shape, align_corners)
    np.testing.assert_allclose(grid_sample(x, grid, mode, "border", align_corners).data, x, atol=1e-12)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_sampling_an_even_grid_is_resizing(mode, align_corners):
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 6))
    grid = affine_grid(np.eye(2, 3)[None], (1, 2, 8, 4), align_corners)
    expected = interpolate(x, (8, 4), mode=mode, align_corners=align_corners).data
    np.testing.assert_allclose(grid_sample(x, grid, mode, "border", align_corners).data, expected, atol=1e-12)


@given(st.sampled_from(["bilinear", "nearest", "bicubic"]), paddings, st.booleans(), seeds)
def test_linear_in_the_image_and_adjoint(mode, padding_mode, align_corners, seed):
    rng = np.random.default_rng(seed)
    x = Tensor(rng.standard_normal((2, 2, 4, 5)), requires_grad=True)
    grid = rng.uniform(-1.5, 1.5, (2, 3, 3, 2))
    y = grid_sample(x, grid, mode, padding_mode, align_corners)
    upstream = rng.standard_normal(y.shape)
    y.backward(upstream)
    assert float((y.data * upstream).sum()) == pytest.approx(float((x.data * x.grad.data).sum()), rel=1e-9, abs=1e-9)
    with use_kernels("reference"):
        np.testing.assert_allclose(grid_sample(x.data, grid, mode, padding_mode, align_corners).data, y.data, atol=1e-12)


def test_an_image_turned_by_a_quarter():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    quarter = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])
    np.testing.assert_allclose(grid_sample(x, affine_grid(quarter, x.shape)).data[0, 0], np.rot90(x[0, 0]), atol=1e-12)


def test_places_that_are_no_numbers():
    x = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
    grid = np.array([[np.nan, 0.0], [np.inf, 0.0], [-np.inf, 0.0]]).reshape(1, 1, 3, 2)
    zeros, border = (grid_sample(x, grid, padding_mode=mode).data.ravel().tolist() for mode in ("zeros", "border"))
    assert np.isnan(zeros).all()
    assert border == [5.0, 8.0, 5.0]
    assert grid_sample(x, grid, "nearest").data.ravel().tolist() == [0.0, 0.0, 0.0]


def test_empty_and_odd_memory():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    grid = np.random.default_rng(1).uniform(-1, 1, (2, 3, 3, 2))
    expected = grid_sample(x, grid).data
    odd = np.asfortranarray(x), np.ascontiguousarray(grid[:, ::-1])[:, ::-1]
    for array in odd:
        array.flags.writeable = False
    np.testing.assert_array_equal(grid_sample(*odd).data, expected)
    assert grid_sample(x[:0], grid[:0]).shape == (0, 3, 3, 3)
    assert grid_sample(x[:, :0], grid).shape == (2, 0, 3, 3)
    assert grid_sample(x, grid[:, :0]).shape == (2, 3, 0, 3)


X, G = np.zeros((1, 2, 4, 4)), np.zeros((1, 3, 3, 2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X, G[..., :1]), ShapeError, "must start with the 1 images.*and end with 2 coordinates"),
        ((X, np.zeros((2, 3, 3, 2))), ShapeError, "must start with the 1 images"),
        ((X[0], G), ShapeError, r"they must be \(N, C, H, W\)"),
        ((X[:, :, :0], G), ShapeError, "spatial sizes must be at least 1"),
        ((X, G.astype(np.float32)), DtypeError, "input is float64 but grid is float32"),
        ((X, G, "cubic"), ArgumentError, "mode 'cubic' is not one of bilinear"),
        ((X, G, "bilinear", "wrap"), ArgumentError, "padding_mode 'wrap' is not one of zeros"),
        ((X[:, :, None], np.zeros((1, 1, 1, 1, 3)), "bicubic"), ArgumentError, "mode 'bicubic' is for images"),
    ],
)
def test_messages_of_grid_sample(arguments, error, message):
    with pytest.raises(error, match=f"grid_sample: .*{message}"):
        grid_sample(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((1, 2, 3)), (1, 1, 4)), ShapeError, r"size must be \(N, C, H, W\)"),
        ((np.zeros((1, 3, 3)), (1, 1, 4, 4)), ShapeError, r"it must be \(1, 2, 3\)"),
        ((np.zeros((1, 2, 3)), (1, 1, 0, 4)), ArgumentError, "size must be a whole number >= 1, not 0"),
        ((np.zeros((1, 2, 3), int), (1, 1, 4, 4)), DtypeError, "theta is int64"),
    ],
)
def test_messages_of_affine_grid(arguments, error, message):
    with pytest.raises(error, match=f"affine_grid: .*{message}"):
        affine_grid(*arguments)
