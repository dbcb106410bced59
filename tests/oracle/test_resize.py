"""Resizing, sampling and shuffling against torch: values, gradients, and what is refused."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinycnn import Tensor
from tinycnn import functional as F
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

seeds = st.integers(0, 2**32 - 1)
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}
MODES = ["nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area"]


def same(ours, theirs, *arrays, dtype=np.float64, seed=0, gradients=True):
    """Both functions of the same arrays give equal values and gradients, or both refuse."""
    mine = [Tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    others = [torch.tensor(array.astype(dtype), requires_grad=True) for array in arrays]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = theirs(*others)
    except (RuntimeError, ValueError, NotImplementedError, TypeError):
        with pytest.raises(TinycnnError):
            ours(*mine)
        return
    y = ours(*mine)
    assert y.shape == tuple(expected.shape)
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
    if not (gradients and y.data.size and min(array.size for array in arrays)):  # torch refuses some gradients of nothing
        return
    upstream = np.random.default_rng(seed).standard_normal(y.shape).astype(dtype)
    y.backward(upstream)
    expected.backward(torch.tensor(upstream))
    for one, other in zip(mine, others, strict=True):
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=10 * tolerance, atol=20 * tolerance)


@st.composite
def resizings(draw):
    axes = draw(st.integers(1, 3))
    shape = (draw(st.integers(0, 2)), draw(st.sampled_from([0, 1, 2, 3, 3])), *[draw(st.integers(1, 12)) for _ in range(axes)])
    fitting = [mode for mode in MODES if mode not in ("linear", "bilinear", "trilinear", "bicubic")]
    fitting += [[], ["linear"], ["bilinear", "bicubic"], ["trilinear"]][axes]
    options = {"mode": draw(st.sampled_from(fitting + MODES[:1]))}
    if options["mode"] in ("linear", "bilinear", "trilinear", "bicubic"):
        options["align_corners"] = draw(st.sampled_from([None, False, True]))
        options["antialias"] = axes == 2 and draw(st.booleans())
    if draw(st.booleans()):
        options["size"] = draw(st.one_of(st.integers(1, 20), st.tuples(*[st.integers(1, 20)] * axes)))
    else:
        factors = st.one_of(st.floats(0.2, 3), st.sampled_from([0.5, 1.0, 1.5, 2, 3]))
        options["scale_factor"] = draw(st.one_of(factors, st.tuples(*[factors] * axes)))
        options["recompute_scale_factor"] = draw(st.sampled_from([None, False, True]))
    return shape, options


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=150, deadline=None)
@given(case=resizings(), seed=seeds)
def test_interpolate(dtype, case, seed):
    shape, options = case
    x = np.random.default_rng(seed).standard_normal(shape)
    same(
        lambda x: F.interpolate(x, **options),
        lambda x: torch.nn.functional.interpolate(x, **options),
        x,
        dtype=dtype,
        seed=seed,
        # torch's gradient of a bicubic resizing to the same size is a copy, whatever the scale factor did in forward.
        gradients=not (options["mode"] == "bicubic" and "scale_factor" in options),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 400), out=st.integers(1, 900), exact=st.booleans())
def test_nearest_neighbours_of_long_axes(dtype, size, out, exact):
    x, mode = np.arange(float(size)).reshape(1, 1, size), "nearest-exact" if exact else "nearest"
    same(lambda x: F.interpolate(x, out, mode=mode), lambda x: torch.nn.functional.interpolate(x, out, mode=mode), x, dtype=dtype, gradients=False)


SHAPES = {1: (2, 2, 5), 2: (2, 2, 5, 4), 3: (2, 2, 5, 4, 3)}


@pytest.mark.parametrize("mode", [*MODES, "cubic"])
@pytest.mark.parametrize("axes", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [
        {"size": 3},
        {"size": (3, 3)},
        {"size": 0},
        {"size": -1},
        {"size": 2.5},
        {"size": 3, "scale_factor": 2},
        {},
        {"scale_factor": 2},
        {"scale_factor": 0.1},
        {"scale_factor": (2, 2)},
        {"size": 3, "align_corners": True},
        {"size": 3, "antialias": True},
        {"size": 3, "recompute_scale_factor": True},
        {"scale_factor": 1.5, "recompute_scale_factor": True},
    ],
)
def test_interpolate_refuses_what_torch_refuses(mode, axes, options):
    x = np.random.default_rng(0).standard_normal(SHAPES.get(axes, (2, 2)))
    same(lambda x: F.interpolate(x, mode=mode, **options), lambda x: torch.nn.functional.interpolate(x, mode=mode, **options), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@settings(max_examples=40, deadline=None)
@given(
    axes=st.sampled_from([2, 3]),
    padding_mode=st.sampled_from(["zeros", "border", "reflection"]),
    align_corners=st.booleans(),
    data=st.data(),
    seed=seeds,
)
def test_grid_sample(dtype, mode, axes, padding_mode, align_corners, data, seed):
    rng = np.random.default_rng(seed)
    shape = (data.draw(st.integers(1, 2)), data.draw(st.integers(1, 3)), *[data.draw(st.integers(1, 6)) for _ in range(axes)])
    outputs = [data.draw(st.integers(1, 4)) for _ in range(axes)]
    grid = rng.uniform(-1.7, 1.7, (shape[0], *outputs, axes))
    options = (mode, padding_mode, align_corners)
    same(
        lambda x, g: F.grid_sample(x, g, *options),
        lambda x, g: torch.nn.functional.grid_sample(x, g, *options),
        rng.standard_normal(shape),
        grid,
        dtype=dtype,
        seed=seed,
        # In float32 a place next to a pixel's edge may fall on either side of it.
        gradients=dtype == np.float64,
    )


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align_corners", [False, True])
def test_grid_sample_at_special_places(mode, padding_mode, align_corners):
    options = (mode, padding_mode, align_corners)
    special = [np.nan, np.inf, -np.inf, 1e30, -1e30] if padding_mode != "reflection" else [np.nan, np.inf, -np.inf]
    for axes in (2, 3):
        if mode == "bicubic" and axes == 3:
            continue
        grid = np.full((1, *[1] * (axes - 1), len(special) * axes, axes), 0.1)
        for position, value in enumerate(special * axes):
            grid[..., position, position % axes] = value
        x = np.random.default_rng(0).standard_normal((1, 2, 3, 4, 2)[: axes + 2])
        same(lambda x, g: F.grid_sample(x, g, *options), lambda x, g: torch.nn.functional.grid_sample(x, g, *options), x, grid, gradients=False)
    # On the pixels, at the border and beyond, where torch gives one slope of the two.
    lattice = np.stack(np.meshgrid(np.linspace(-1.5, 1.5, 7), np.linspace(-1.5, 1.5, 7)), -1)[None]
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 5))
    same(lambda x, g: F.grid_sample(x, g, *options), lambda x, g: torch.nn.functional.grid_sample(x, g, *options), x, lattice)


@pytest.mark.parametrize(
    ("shape", "grid"),
    [
        ((2, 3, 4, 4), (2, 3, 3, 3)),
        ((2, 3, 4, 4), (1, 3, 3, 2)),
        ((2, 3, 4, 4), (2, 3, 2)),
        ((2, 3, 4), (2, 3, 1)),
        ((2, 3, 0, 4), (2, 3, 3, 2)),
        ((0, 3, 4, 4), (0, 3, 3, 2)),
        ((2, 0, 4, 4), (2, 3, 3, 2)),
        ((2, 3, 4, 4), (2, 0, 3, 2)),
        ((2, 3, 4, 4, 4), (2, 3, 3, 3, 3)),
        ((0, 3, 4, 4, 4), (0, 3, 3, 3, 3)),
    ],
)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "nearest", "cubic"])
def test_grid_sample_refuses_what_torch_refuses(shape, grid, mode):
    rng = np.random.default_rng(0)
    same(
        lambda x, g: F.grid_sample(x, g, mode),
        lambda x, g: torch.nn.functional.grid_sample(x, g, mode),
        rng.standard_normal(shape),
        rng.uniform(-1, 1, grid),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(sizes=st.lists(st.integers(1, 5), min_size=3, max_size=4), batch=st.integers(1, 2), align_corners=st.booleans(), seed=seeds)
def test_affine_grid(dtype, sizes, batch, align_corners, seed):
    size = (batch, *sizes)
    theta = np.random.default_rng(seed).standard_normal((batch, len(sizes) - 1, len(sizes)))
    same(
        lambda t: F.affine_grid(t, size, align_corners),
        lambda t: torch.nn.functional.affine_grid(t, size, align_corners),
        theta,
        dtype=dtype,
        seed=seed,
    )


# Of nothing, torch's shuffles return their input unchanged, in a wrong shape: no sizes of 0 here.
@pytest.mark.parametrize("name", ["pixel_shuffle", "pixel_unshuffle", "channel_shuffle"])
@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 2), max_size=2), st.integers(1, 12), st.integers(1, 6), st.integers(1, 6), st.integers(0, 3))
def test_shuffles(name, leading, channels, height, width, factor):
    x = np.random.default_rng(0).standard_normal((*leading, channels, height, width))
    same(lambda x: getattr(F, name)(x, factor), lambda x: getattr(torch.nn.functional, name)(x, factor), x)
