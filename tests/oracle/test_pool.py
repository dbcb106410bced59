"""Pooling, unpooling and padding against torch: values, indices and gradients over drawn configurations, and the same refusals."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, nn
from tinycnn import functional as F
from tinycnn.errors import TinycnnError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
T = torch.nn.functional

seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([np.float64, np.float32])
TOLERANCE = {np.float64: 1e-10, np.float32: 2e-5}
REFUSALS = (RuntimeError, ValueError, TypeError, IndexError)


def values(seed, shape, dtype, kind):
    """Normal numbers, rounded for ties, or with NaN and infinities among them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if kind != "plain":
        x = np.round(x)
    if kind == "special":
        x[rng.random(shape) < 0.15] = np.nan
        x[rng.random(shape) < 0.1] = np.inf
        x[rng.random(shape) < 0.2] = -np.inf
    return x.astype(dtype)


kinds = st.sampled_from(["plain", "ties", "special"])


def close(mine, other, dtype, scale=1.0):
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(mine, other, rtol=tolerance, atol=scale * tolerance, equal_nan=True)


def compare(ours, theirs, x, seed=0, exact=False):
    """Both functions give equal values, equal indices if any, and equal gradients under a random upstream; or both refuse."""
    dtype = x.dtype.type
    other = torch.tensor(x, requires_grad=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = theirs(other)
    except REFUSALS:
        with pytest.raises(TinycnnError):
            ours(Tensor(x))
        return
    mine = Tensor(x, requires_grad=True)
    y = ours(mine)
    if isinstance(expected, tuple):
        y, index = y
        expected, places = expected
        if (index.data < 0).any():
            return  # a window that reads nothing: torch's index points outside the image there, and its backward writes to it
        np.testing.assert_array_equal(index.data, places.numpy())
    assert y.shape == tuple(expected.shape)
    assert y.dtype == dtype
    if exact:
        np.testing.assert_array_equal(y.data, expected.detach().numpy())
    else:
        close(y.data, expected.detach().numpy(), dtype)
    upstream = np.random.default_rng(seed).standard_normal(y.shape).astype(dtype)
    y.backward(upstream)
    if not y.data.size:  # where torch's backward refuses some of what its forward took
        np.testing.assert_array_equal(mine.grad.data, np.zeros_like(x))
        return
    expected.backward(torch.tensor(upstream))
    close(mine.grad.data, other.grad.numpy(), dtype, 10)


def per_axis(draw, axes, least, most):
    """A number for all axes, or one for each."""
    if draw(st.booleans()):
        return draw(st.integers(least, most))
    return draw(st.tuples(*[st.integers(least, most)] * axes))


@st.composite
def poolings(draw, axes):
    """(x shape, kernel, stride, padding, dilation, ceil_mode): some fit, some do not."""
    lead = draw(st.sampled_from([(1, 2), (2, 1), (2, 3), (3,), (1,), (0, 2), (2, 0)]))
    shape = (*lead, *draw(st.tuples(*[st.integers(0 if draw(st.integers(0, 9)) == 0 else 1, 9)] * axes)))
    stride = None if draw(st.booleans()) else per_axis(draw, axes, 1, 4)
    return shape, per_axis(draw, axes, 1, 4), stride, per_axis(draw, axes, 0, 2), per_axis(draw, axes, 1, 3), draw(st.booleans())


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data(), dtype=dtypes, kind=kinds, seed=seeds)
def test_max_pool(axes, data, dtype, kind, seed):
    shape, *options = data.draw(poolings(axes))
    x = values(seed, shape, dtype, kind)
    name = f"max_pool{axes}d"
    compare(lambda x: getattr(F, name)(x, *options, return_indices=True), lambda x: getattr(T, name)(x, *options, return_indices=True), x, seed, True)
    with torch.no_grad():  # torch's one-dimensional pooling without indices is another kernel
        try:
            expected = getattr(T, name)(torch.tensor(x), *options).numpy()
        except REFUSALS:
            return
    np.testing.assert_array_equal(getattr(F, name)(x, *options).data, expected)


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data(), include=st.booleans(), divisor=st.sampled_from([None, 1, 3, -2]), dtype=dtypes, kind=kinds, seed=seeds)
def test_avg_pool(axes, data, include, divisor, dtype, kind, seed):
    shape, kernel, stride, padding, _, ceil_mode = data.draw(poolings(axes))
    options = (kernel, stride, padding, ceil_mode, include, *((divisor,) if axes > 1 else ()))
    name = f"avg_pool{axes}d"
    compare(lambda x: getattr(F, name)(x, *options), lambda x: getattr(T, name)(x, *options), values(seed, shape, dtype, kind), seed)


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(
    data=st.data(),
    norm=st.sampled_from([1, 2, 3, 4, 0.5, 1.5, 2.0, -1, float("inf"), -float("inf")]),
    signed=st.booleans(),
    dtype=dtypes,
    seed=seeds,
)
def test_lp_pool(axes, data, norm, signed, dtype, seed):
    shape, kernel, stride, _, _, ceil_mode = data.draw(poolings(axes))
    x = values(seed, shape, dtype, "plain")
    x[np.random.default_rng(seed).random(shape) < 0.2] = 0 if norm >= 1 else 1
    x = x if signed else np.abs(x)
    name = f"lp_pool{axes}d"
    if axes == 1 and isinstance(kernel, tuple):
        kernel = kernel[0]
    options = (norm, kernel, stride, ceil_mode)
    if norm == 3 and signed:  # sums near zero have roots of any slope
        return
    compare(lambda x: getattr(F, name)(x, *options), lambda x: getattr(T, name)(x, *options), x, seed)


@st.composite
def adaptives(draw, axes):
    """(x shape, output size), with sizes kept, sizes of zero, and inputs without elements."""
    lead = draw(st.sampled_from([(1, 2), (2, 3), (3,), (0, 2), (2, 0), (0,)]))
    shape = (*lead, *draw(st.tuples(*[st.integers(0 if draw(st.integers(0, 9)) == 0 else 1, 9)] * axes)))
    if draw(st.booleans()):
        return shape, draw(st.integers(-1 if draw(st.integers(0, 9)) == 0 else 0, 11))
    entry = st.integers(0, 11) if axes == 1 else st.one_of(st.none(), st.integers(0, 11))
    return shape, draw(st.tuples(*[entry] * axes))


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data(), dtype=dtypes, kind=kinds, seed=seeds)
def test_adaptive_pools(axes, data, dtype, kind, seed):
    shape, size = data.draw(adaptives(axes))
    x = values(seed, shape, dtype, kind)
    name = f"adaptive_avg_pool{axes}d"
    if not x.size and shape[-axes:] != size and set(size if isinstance(size, tuple) else (size,)) <= {1, None}:
        return  # torch takes the mean of nothing, NaN, where all output sizes are 1, and refuses it elsewhere; we refuse it
    compare(lambda x: getattr(F, name)(x, size), lambda x: getattr(T, name)(x, size), x, seed)
    name = f"adaptive_max_pool{axes}d"
    compare(lambda x: getattr(F, name)(x, size, True), lambda x: getattr(T, name)(x, size, True), x, seed, True)


@pytest.mark.parametrize("axes", [2, 3])
@given(data=st.data(), dtype=dtypes, kind=kinds, seed=seeds)
def test_fractional_max_pool(axes, data, dtype, kind, seed):
    lead = data.draw(st.sampled_from([(1, 2), (2, 3), (3,), (0, 2)]))
    shape = (*lead, *data.draw(st.tuples(*[st.integers(1, 9)] * axes)))
    kernel = data.draw(st.integers(1, 3))
    x = values(seed, shape, dtype, kind)
    batch = lead[0] if len(lead) == 2 else 1
    samples = np.random.default_rng(seed).random((batch, shape[-axes - 1], axes)).astype(dtype)
    if data.draw(st.booleans()):
        sizes = {"output_size": data.draw(st.tuples(*[st.integers(1, 6)] * axes))}
    else:
        sizes = {"output_ratio": data.draw(st.tuples(*[st.sampled_from([0.3, 0.5, 0.75])] * axes))}
    name = f"fractional_max_pool{axes}d"
    compare(
        lambda x: getattr(F, name)(x, kernel, return_indices=True, _random_samples=samples, **sizes),
        lambda x: getattr(T, name)(x, kernel, return_indices=True, _random_samples=torch.tensor(samples), **sizes),
        x,
        seed,
        True,
    )


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data(), dtype=dtypes, ties=st.booleans(), seed=seeds)
def test_max_unpool(axes, data, dtype, ties, seed):
    """Also of windows that overlap, where several maxima share a cell."""
    lead = data.draw(st.sampled_from([(1, 2), (2, 3), (3,), (0, 2)]))
    shape = (*lead, *data.draw(st.tuples(*[st.integers(1, 8)] * axes)))
    kernel, stride = per_axis(data.draw, axes, 1, 3), per_axis(data.draw, axes, 1, 3)
    padding = per_axis(data.draw, axes, 0, 1)
    x = values(seed, shape, dtype, "ties" if ties else "plain")
    try:
        y, index = getattr(T, f"max_pool{axes}d")(torch.tensor(x), kernel, stride, padding, return_indices=True)
    except REFUSALS:
        return
    given_size = data.draw(st.sampled_from([None, "spatial", "whole", "wrong"]))
    size = {None: None, "spatial": shape[-axes:], "whole": shape, "wrong": tuple(n + 4 for n in shape[-axes:])}[given_size]
    name = f"max_unpool{axes}d"
    compare(
        lambda x: getattr(F, name)(x, index.numpy(), kernel, stride, padding, size),
        lambda x: getattr(T, name)(x, index, kernel, stride, padding, size),
        y.numpy(),
        seed,
        True,
    )


@given(data=st.data(), dtype=dtypes, seed=seeds)
def test_pad_with_a_constant(data, dtype, seed):
    """Any number of axes, amounts of either sign."""
    shape = tuple(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=6)))
    amounts = data.draw(st.lists(st.integers(-2, 3), max_size=2 * len(shape) + 1))
    value = data.draw(st.sampled_from([None, 0, 1.5, -2]))
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    compare(lambda x: F.pad(x, tuple(amounts), value=value), lambda x: T.pad(x, tuple(amounts), value=value), x, seed, True)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@given(data=st.data(), axes=st.integers(1, 3), dtype=dtypes, seed=seeds)
def test_pad_with_copies(mode, data, axes, dtype, seed):
    lead = data.draw(st.sampled_from([(1, 2), (2, 3), (3,), (0, 2)]))
    shape = (*lead, *data.draw(st.tuples(*[st.integers(1, 6)] * axes)))
    amounts = data.draw(st.tuples(*[st.integers(-2, 4)] * (2 * axes)))
    for axis in range(axes):
        size, pair = shape[-1 - axis], amounts[2 * axis : 2 * axis + 2]
        kept = size + min(pair[0], 0) + min(pair[1], 0)
        if mode == "circular" and max(pair) > max(kept, 0):
            return  # torch copies cells it has not written yet, or says that memory overlaps
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    compare(lambda x: F.pad(x, amounts, mode), lambda x: T.pad(x, amounts, mode), x, seed)


LAYERS = [
    *[(f"MaxPool{n}d", (2,), {}, n) for n in (1, 2, 3)],
    *[(f"MaxPool{n}d", (3, 2, 1, 1, False, True), {}, n) for n in (1, 2, 3)],
    *[(f"AvgPool{n}d", (2,), {}, n) for n in (1, 2, 3)],
    *[(f"AvgPool{n}d", (3, 2, 1, True, False), {}, n) for n in (1, 2, 3)],
    ("AvgPool3d", ((1, 2, 3),), {"divisor_override": 5}, 3),
    *[(f"LPPool{n}d", (2, 3), {"stride": 2, "ceil_mode": True}, n) for n in (1, 2, 3)],
    *[(f"AdaptiveAvgPool{n}d", (3,), {}, n) for n in (1, 2, 3)],
    ("AdaptiveAvgPool2d", ((None, 2),), {}, 2),
    *[(f"AdaptiveMaxPool{n}d", (3,), {}, n) for n in (1, 2, 3)],
    ("AdaptiveMaxPool3d", ((2, None, 1),), {}, 3),
    *[(f"ZeroPad{n}d", (2,), {}, n) for n in (1, 2, 3)],
    *[(f"ConstantPad{n}d", ((1, 2) * n, 1.5), {}, n) for n in (1, 2, 3)],
    *[(f"{kind}Pad{n}d", ((1, 2) * n,), {}, n) for kind in ("Reflection", "Replication", "Circular") for n in (1, 2, 3)],
]


@pytest.mark.parametrize(("name", "arguments", "options", "axes"), LAYERS)
def test_layers(name, arguments, options, axes):
    mine, other = getattr(nn, name)(*arguments, **options), getattr(torch.nn, name)(*arguments, **options)
    assert repr(mine) == repr(other)
    x = np.abs(np.random.default_rng(0).standard_normal((2, 3, *((7, 6, 5)[:axes]))))
    compare(mine, other, x)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unpooling_layers(axes):
    pools = [getattr(library, f"MaxPool{axes}d")(2, return_indices=True) for library in (nn, torch.nn)]
    unpools = [getattr(library, f"MaxUnpool{axes}d")(2) for library in (nn, torch.nn)]
    assert repr(unpools[0]) == repr(unpools[1])
    x = np.random.default_rng(0).standard_normal((2, 3, *((7, 6, 5)[:axes])))
    mine = unpools[0](*pools[0](x), output_size=x.shape)
    other = unpools[1](*pools[1](torch.tensor(x)), output_size=torch.Size(x.shape))
    np.testing.assert_array_equal(mine.numpy(), other.numpy())


@pytest.mark.parametrize("axes", [2, 3])
def test_fractional_layers(axes):
    x = np.random.default_rng(0).standard_normal((2, 3, *((7, 8, 9)[:axes])))
    samples = np.random.default_rng(1).random((2, 3, axes))
    mine = getattr(nn, f"FractionalMaxPool{axes}d")(2, output_ratio=0.6, _random_samples=tinycnn.Tensor(samples))
    other = getattr(torch.nn, f"FractionalMaxPool{axes}d")(2, output_ratio=0.6, _random_samples=torch.tensor(samples))
    assert repr(mine) == repr(other)
    assert list(mine.state_dict()) == list(other.state_dict())
    np.testing.assert_array_equal(mine(x).numpy(), other(torch.tensor(x)).numpy())
