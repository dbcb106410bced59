"""Reductions: values by NumPy over drawn shapes and axes, gradients by finite differences, precision, ties, empties and
messages."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

SEED = st.integers(0, 2**32 - 1)

OVER_AXES = {
    "sum": np.sum,
    "mean": np.mean,
    "prod": np.prod,
    "amax": np.max,
    "amin": np.min,
    "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    "all": np.all,
    "any": np.any,
}


@st.composite
def reductions(draw):
    """A shape without size 0, axes of it (some counted from the back) and keepdim."""
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=4, max_side=4))
    dims = draw(st.none() | st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(tuple))
    if dims is not None:
        dims = tuple(dim - len(shape) if draw(st.booleans()) else dim for dim in dims)
        if len(dims) == 1 and draw(st.booleans()):
            dims = dims[0]
    return shape, dims, draw(st.booleans())


def call(name, x, dim, keepdim):
    return getattr(tinycnn, name)(x, dim=dim, keepdim=keepdim)


@pytest.mark.parametrize("name", OVER_AXES)
@given(case=reductions(), seed=SEED)
def test_values_and_gradients_over_axes(name, case, seed):
    shape, dim, keepdim = case
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shape)
    result = call(name, x, dim, keepdim)
    np.testing.assert_allclose(result.data, OVER_AXES[name](x, axis=dim, keepdims=keepdim), rtol=1e-12)
    if name not in ("all", "any"):
        gradcheck(lambda t: call(name, t, dim, keepdim), x, generator=generator)


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("correction", [0, 1, 0.5])
@given(case=reductions(), seed=SEED)
def test_variance_and_deviation(name, correction, case, seed):
    shape, dim, keepdim = case
    shape = tuple(n + 1 for n in shape)
    x = np.random.default_rng(seed).standard_normal(shape)

    def function(t):
        return getattr(tinycnn, name)(t, dim, correction=correction, keepdim=keepdim)

    expected = getattr(np, name)(x, axis=dim, ddof=correction, keepdims=keepdim)
    np.testing.assert_allclose(function(x).data, expected, rtol=1e-10)
    gradcheck(function, x, generator=np.random.default_rng(seed))


@pytest.mark.parametrize("name", ["max", "min"])
@given(case=reductions(), seed=SEED)
def test_largest_and_smallest_along_an_axis(name, case, seed):
    shape, dim, keepdim = case
    dim = dim[0] if isinstance(dim, tuple) else dim
    x = np.random.default_rng(seed).standard_normal(shape)
    if dim is None:
        np.testing.assert_array_equal(getattr(tinycnn, name)(x).data, getattr(np, name)(x))
        gradcheck(getattr(tinycnn, name), x)
        return
    values, indices = getattr(tinycnn, name)(x, dim, keepdim)
    np.testing.assert_array_equal(values.data, getattr(np, name)(x, axis=dim, keepdims=keepdim))
    np.testing.assert_array_equal(indices.data, getattr(np, "arg" + name)(x, axis=dim, keepdims=keepdim))
    assert indices.dtype == np.int64
    assert not indices.requires_grad
    np.testing.assert_array_equal(getattr(tinycnn, "arg" + name)(x, dim, keepdim).data, indices.data)
    gradcheck(lambda t: getattr(tinycnn, name)(t, dim, keepdim).values, x)


@given(shape=arrays.array_shapes(min_dims=1, max_dims=3, max_side=4), data=st.data(), seed=SEED)
def test_running_totals(shape, data, seed):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(seed).standard_normal(shape)
    np.testing.assert_allclose(tinycnn.cumsum(x, dim).data, np.cumsum(x, axis=dim), rtol=1e-12, atol=1e-12)
    gradcheck(lambda t: tinycnn.cumsum(t, dim), x)


# Conventions


def gradient(function, values):
    x = Tensor(np.array(values), requires_grad=True)
    function(x).backward()
    return x.grad.tolist()


def test_ties():
    assert gradient(tinycnn.max, [3.0, 1.0, 3.0]) == [0.5, 0.0, 0.5]
    assert gradient(tinycnn.min, [1.0, 1.0, 3.0]) == [0.5, 0.5, 0.0]
    assert gradient(lambda x: tinycnn.amax(x, 0), [3.0, 1.0, 3.0]) == [0.5, 0.0, 0.5]
    assert gradient(lambda x: tinycnn.max(x, 0).values, [3.0, 1.0, 3.0]) == [1.0, 0.0, 0.0]
    assert tinycnn.max([3.0, 1.0, 3.0], 0).indices.item() == 0
    assert tinycnn.argmax([1.0, 3.0, 3.0]).item() == 1


def test_sub_gradients_at_zero():
    assert gradient(tinycnn.norm, [0.0, 0.0]) == [0.0, 0.0]
    assert gradient(tinycnn.std, [2.0, 2.0]) == [0.0, 0.0]
    assert gradient(lambda x: tinycnn.logsumexp(x, 0), [-np.inf, -np.inf]) == [0.0, 0.0]


@pytest.mark.parametrize("values", [[0.0, 3.0, 4.0], [0.0, 0.0, 4.0], [2.0, 3.0, 4.0]])
def test_gradient_of_a_product_with_zeros(values):
    others = [float(np.prod(values[:i] + values[i + 1 :])) for i in range(3)]
    assert gradient(tinycnn.prod, values) == others


def test_nan_wins_and_takes_the_gradient():
    assert np.isnan(tinycnn.max([1.0, np.nan, 3.0]).item())
    assert tinycnn.argmax([1.0, np.nan, 3.0]).item() == 1
    assert gradient(tinycnn.max, [1.0, np.nan, 3.0]) == [0.0, 1.0, 0.0]


def test_max_of_two_tensors_is_maximum():
    assert tinycnn.max(Tensor(np.array([1.0, 5.0])), Tensor(np.array([3.0, 2.0]))).tolist() == [3.0, 5.0]
    assert tinycnn.min(Tensor(np.array([1.0, 5.0])), np.array([3.0, 2.0])).tolist() == [1.0, 2.0]


def test_logsumexp_does_not_overflow():
    assert tinycnn.logsumexp([1000.0, -1000.0], 0).item() == 1000.0
    assert tinycnn.logsumexp([np.inf, 0.0], 0).item() == np.inf


# Precision


@pytest.mark.parametrize("shape", [(4_000_000,), (4_000_000, 1), (2_000_000, 2)])
def test_long_float32_sums_accumulate_in_float64(shape):
    x = np.full(shape, 0.1, np.float32)
    exact = float(np.float32(0.1))
    for dim in (None, 0):
        total, average = tinycnn.sum(x, dim), tinycnn.mean(x, dim)
        assert total.dtype == average.dtype == np.float32
        terms = x.size if dim is None else shape[0]
        np.testing.assert_allclose(total.data, terms * exact, rtol=1e-7)
        np.testing.assert_allclose(average.data, exact, rtol=1e-7)
    running = tinycnn.cumsum(x, 0).data[-1]
    np.testing.assert_allclose(running, shape[0] * exact, rtol=1e-7)


def test_variance_keeps_its_digits_beside_a_large_mean():
    x = (1e4 + np.random.default_rng(0).standard_normal(100_000)).astype(np.float32)
    assert tinycnn.var(x).item() == pytest.approx(float(np.var(x.astype(np.float64), ddof=1)), rel=1e-4)


# dtypes, empties, layout


def test_whole_numbers_sum_in_int64():
    x = np.full((2, 200), 200, np.uint8)
    for result in (tinycnn.sum(x), tinycnn.prod(x[:, :2]), tinycnn.cumsum(x, 1)):
        assert result.dtype == np.int64
    assert tinycnn.sum(x).item() == 80_000
    assert tinycnn.sum(np.ones(3, bool)).item() == 3
    assert tinycnn.max(x).dtype == np.uint8


@pytest.mark.parametrize("name", ["mean", "var", "std", "logsumexp", "norm"])
def test_means_of_whole_numbers_are_refused_with_the_fix(name):
    with pytest.raises(DtypeError, match=rf"{name}: input is int64.*use input.float\(\)"):
        getattr(tinycnn, name)(np.arange(3))


def test_empty_tensors_without_a_warning():
    empty = Tensor(np.zeros((0, 3), np.float32), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tinycnn.sum(empty).item() == 0.0
        assert tinycnn.prod(empty).item() == 1.0
        assert np.isnan(tinycnn.mean(empty).item())
        assert np.isnan(tinycnn.var(empty, 0).data).all()
        assert tinycnn.sum(empty, 0).shape == (3,)
        assert tinycnn.logsumexp(empty, 0).tolist() == [-np.inf] * 3
        assert tinycnn.norm(empty).item() == 0.0
        assert tinycnn.all(empty).item() is True
        assert tinycnn.any(empty).item() is False
        assert tinycnn.amax(empty, 1).shape == (0,)
        tinycnn.mean(empty).backward()
    assert empty.grad.shape == (0, 3)


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "argmax", "argmin"])
def test_extrema_of_nothing(name):
    with pytest.raises(ShapeError, match=rf"{name}: input has shape \(0, 3\), so there is no element to choose.*numel"):
        getattr(tinycnn, name)(tinycnn.zeros(0, 3))
    with pytest.raises(ShapeError, match=r"over dim \(0,\)"):
        getattr(tinycnn, name)(tinycnn.zeros(0, 3), 0)


def test_single_numbers_reduce_over_axis_0_and_minus_1():
    x = Tensor(np.array(2.0), requires_grad=True)
    for name in ("sum", "mean", "prod", "amax", "logsumexp", "norm"):
        for dim in (0, -1):
            assert getattr(tinycnn, name)(x, dim=dim).item() == 2.0
    assert tinycnn.max(x, 0).indices.item() == 0
    tinycnn.max(x, 0).values.backward()
    assert x.grad.item() == 1.0
    assert tinycnn.argmax(x, 0).item() == 0
    assert tinycnn.cumsum(x, 0).item() == 2.0


def test_layouts_with_gaps():
    x = np.arange(24.0).reshape(2, 3, 4)
    for view in (x.T, x[:, ::2], x[..., ::-1]):
        np.testing.assert_allclose(tinycnn.sum(view, (0, 2)).data, view.sum(axis=(0, 2)))
        np.testing.assert_allclose(tinycnn.prod(view, 1).data, view.prod(axis=1))
    gradcheck(lambda t: tinycnn.prod(t.permute(2, 0, 1), (0, 2)), np.random.default_rng(0).standard_normal((2, 3, 4)))


# Messages


@pytest.mark.parametrize("name", [*OVER_AXES, "var", "std", "max", "argmin", "cumsum"])
def test_axes_out_of_range(name):
    message = rf"{name}: dim 2 is out of range for a tensor of 2 axes; use -2 to 1"
    with pytest.raises(ArgumentError, match=message):
        getattr(tinycnn, name)(np.ones((2, 3)), dim=2)


def test_other_messages():
    with pytest.raises(ArgumentError, match=r"sum: dim \(0, -2\) names an axis twice"):
        tinycnn.sum(np.ones((2, 3)), (0, -2))
    with pytest.raises(ArgumentError, match="mean: dim must be a whole number, not 'rows'"):
        tinycnn.mean(np.ones((2, 3)), "rows")
    with pytest.raises(ArgumentError, match=r"norm: p='spectral' is neither a number, \"fro\" nor \"nuc\""):
        tinycnn.norm(np.ones(2), "spectral")
    with pytest.raises(ShapeError, match=r'norm: p="nuc" is of matrices and needs two axes, not 1'):
        tinycnn.norm(np.ones(2), "nuc")
    with pytest.raises(ShapeError, match="norm: p=inf of no elements"):
        tinycnn.norm(np.ones((2, 0)), float("inf"))
    with pytest.raises(ArgumentError, match="var: correction must be a number, 1 for a sample"):
        tinycnn.var(np.ones(2), correction="unbiased")


@pytest.mark.parametrize("p", [0.5, 1, 2, 3.5, -1, float("inf"), -float("inf"), "fro", "nuc", None])
def test_norms_are_numpys_and_their_gradients_right(p):
    x = np.random.default_rng(4).permutation(np.arange(1.0, 13.0)).reshape(3, 4) * np.array([1, -1, 1, -1])
    power = 2 if p in ("fro", None) else p
    expected = np.linalg.norm(x, "nuc") if p == "nuc" else np.linalg.norm(x.ravel(), power)
    assert tinycnn.norm(x, p).item() == pytest.approx(expected, rel=1e-12)
    assert gradcheck(lambda x: tinycnn.norm(x, p, dim=(0, 1), keepdim=True), x)
    if p != "nuc":
        np.testing.assert_allclose(tinycnn.norm(x, p, 1).numpy(), np.linalg.norm(x, power, 1), rtol=1e-12)
        assert gradcheck(lambda x: tinycnn.norm(x, p, 1), x)


def test_the_gradient_of_a_norm_at_zero_is_zero():
    x = Tensor(np.zeros(3), requires_grad=True)
    for p in (1, 2, 3, "fro"):
        x.grad = None
        tinycnn.norm(x, p).backward()
        np.testing.assert_array_equal(x.grad.numpy(), 0)


def test_dtype_converts_first():
    whole = tinycnn.tensor([1, 2, 3])
    for name in ("sum", "mean", "prod"):
        result = getattr(tinycnn, name)(whole, dtype=np.float64)
        assert result.dtype == np.float64
        assert result.item() == getattr(np, name)([1, 2, 3])
    assert tinycnn.cumsum(whole, 0, dtype=np.float32).tolist() == [1, 3, 6]
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    x.sum(dtype=np.float64).backward()
    assert x.grad.dtype == np.float32


def test_unbiased_is_the_older_name_of_a_correction():
    x = np.array([[1.0, 2.0], [4.0, 8.0]])
    for name in ("var", "std"):
        function = getattr(tinycnn, name)
        assert function(x, unbiased=False).item() == function(x, correction=0).item() == function(x, False).item()
        assert function(x, True).item() == function(x).item() == function(x, correction=None).item()
