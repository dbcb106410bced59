"""The other activations: gradients away from their corners, laws, numbers anyone can check by hand, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

seeds = st.integers(0, 2**32 - 1)
SHAPES = [(), (3,), (2, 0, 3), (4, 6), (2, 3, 2, 2)]

# Every elementwise activation with options, and its corners.
ACTIVATIONS = {
    "celu": (lambda x: F.celu(x, 0.7), [0]),
    "elu": (lambda x: F.elu(x, 1.3), [0]),
    "gelu": (F.gelu, []),
    "gelu tanh": (lambda x: F.gelu(x, approximate="tanh"), []),
    "hardshrink": (lambda x: F.hardshrink(x, 0.4), [-0.4, 0.4]),
    "hardsigmoid": (F.hardsigmoid, [-3, 3]),
    "hardswish": (F.hardswish, [-3, 3]),
    "hardtanh": (lambda x: F.hardtanh(x, -0.5, 2), [-0.5, 2]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), [0]),
    "logsigmoid": (F.logsigmoid, []),
    "mish": (F.mish, []),
    "relu6": (F.relu6, [0, 6]),
    "rrelu": (F.rrelu, [0]),
    "selu": (F.selu, [0]),
    "silu": (F.silu, []),
    "softplus": (lambda x: F.softplus(x, 1.5, 4), [4 / 1.5]),
    "softshrink": (lambda x: F.softshrink(x, 0.4), [-0.4, 0.4]),
    "softsign": (F.softsign, []),
    "tanhshrink": (F.tanhshrink, []),
    "threshold": (lambda x: F.threshold(x, 0.3, -7), [0.3]),
}


def away_from(corners, seed, shape):
    """Numbers in -8 to 8 at least 0.01 from every corner."""
    x = np.random.default_rng(seed).uniform(-8, 8, shape)
    for corner in corners:
        x = np.where(np.abs(x - corner) < 0.01, corner + 0.02, x)
    return x


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(seed=seeds)
def test_gradients(name, seed):
    function, corners = ACTIVATIONS[name]
    assert gradcheck(function, away_from(corners, seed, (4, 5)))


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_dtypes_and_memory_orders_are_kept(name, dtype):
    function, corners = ACTIVATIONS[name]
    for shape in SHAPES:
        x = away_from(corners, 0, shape).astype(dtype)
        before = x.copy()
        y = function(x)
        assert (y.shape, y.dtype) == (shape, dtype)
        np.testing.assert_array_equal(function(np.asfortranarray(x)).data, y.data)
        x.flags.writeable = False
        np.testing.assert_array_equal(function(x).data, y.data)
        np.testing.assert_array_equal(x, before)
    backwards = away_from(corners, 0, (6, 4)).astype(dtype)[::-1, ::-2]
    one, other = Tensor(backwards, requires_grad=True), Tensor(backwards.copy(), requires_grad=True)
    for tensor in (one, other):
        function(tensor).backward(np.asfortranarray(away_from([], 1, (6, 2)).astype(dtype)))
    np.testing.assert_array_equal(one.grad.data, other.grad.data)


@pytest.mark.parametrize("name", sorted({name.split()[0] for name in ACTIVATIONS}))
def test_integers_are_refused(name):
    more = (1, 2) if name == "threshold" else ()
    with pytest.raises(DtypeError, match=rf"{name}: input is int64.*input.float\(\)"):
        getattr(F, name)(np.arange(3), *more)


def derivative(function, values):
    x = Tensor(np.array(values, np.float64), requires_grad=True)
    function(x).backward(np.ones(len(values)))
    return x.grad.data.tolist()


def test_the_side_taken_at_each_corner():
    assert derivative(F.relu6, [0, 6]) == [0, 0]
    assert derivative(F.hardtanh, [-1, 1]) == [0, 0]
    assert derivative(F.hardsigmoid, [-3, 3]) == [0, 0]
    assert derivative(F.hardswish, [-3, 3]) == [0, 1]
    assert derivative(F.hardshrink, [-0.5, 0.5]) == [0, 0]
    assert derivative(F.softshrink, [-0.5, 0.5]) == [0, 0]
    assert derivative(lambda x: F.leaky_relu(x, 0.25), [0]) == [0.25]
    assert derivative(lambda x: F.elu(x, 2.0), [0]) == [2]
    assert derivative(lambda x: F.celu(x, 2.0), [0]) == [1]
    assert derivative(lambda x: F.threshold(x, 1, 9), [1]) == [0]


def test_kinks_are_found_where_they_are_declared():
    for function, corner in ((F.relu6, 6.0), (F.hardswish, -3.0), (F.hardtanh, 1.0), (F.leaky_relu, 0.0)):
        report = gradcheck(function, np.array([corner, 0.5]))
        assert [entry.index for entry in report.kinks] == [(0,)]


@given(seeds)
def test_laws(seed):
    x = away_from([], seed, (30,))

    def close(one, other):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-9, atol=1e-12)

    close(F.gelu(x) - F.gelu(-x), Tensor(x))
    close(F.gelu(x, approximate="tanh") - F.gelu(-x, approximate="tanh"), Tensor(x))
    close(F.silu(x), F.sigmoid(x) * x)
    close(F.silu(x) - F.silu(-x), Tensor(x))
    close(F.logsigmoid(x), -F.softplus(-x))
    close(F.logsigmoid(x), tinycnn.log(F.sigmoid(x)))
    close(F.mish(x), F.tanh(F.softplus(x)) * x)
    close(F.softplus(x, 2.5), F.softplus(2.5 * x, 1, 20) / 2.5)
    close(F.softplus(x) - F.softplus(-x), Tensor(x))
    close(F.tanhshrink(x) + F.tanh(x), Tensor(x))
    close(F.softsign(-x), -F.softsign(x))
    close(F.softshrink(x, 0.7), F.relu(x - 0.7) - F.relu(-x - 0.7))
    close(F.hardshrink(x, 0.0), Tensor(x))
    close(F.hardtanh(x, 0, 6), F.relu6(x))
    close(F.hardswish(x), F.hardsigmoid(x) * x)
    close(F.hardsigmoid(x), F.relu6(x + 3) / 6)
    close(F.threshold(x, 0, 0), F.relu(x))
    close(F.leaky_relu(x, 0.0), F.relu(x))
    close(F.elu(x, 1.0), F.celu(x, 1.0))
    close(F.selu(x), F.elu(x, 1.6732632423543772) * 1.0507009873554805)
    close(F.prelu(x, np.array([0.25])), F.leaky_relu(x, 0.25))
    np.testing.assert_allclose(derivative(F.softplus, x), F.sigmoid(x).data, rtol=1e-9)


def test_hand_checkable_numbers():
    np.testing.assert_allclose(F.gelu(np.array([1.0])).data, [0.8413447460685429], rtol=1e-14)  # Phi(1)
    np.testing.assert_allclose(F.silu(np.array([1.0])).data, [0.7310585786300049], rtol=1e-14)
    np.testing.assert_allclose(F.softplus(np.array([0.0])).data, [np.log(2)], rtol=1e-15)
    # e^0 = 1: n = 3, tanh(log 2) = 3 / 5
    np.testing.assert_allclose(derivative(F.mish, [0.0]), [0.6], rtol=1e-15)
    np.testing.assert_allclose(F.elu(np.array([-np.log(2)])).data, [-0.5], rtol=1e-14)
    np.testing.assert_allclose(F.celu(np.array([-2 * np.log(2)]), 2.0).data, [-1.0], rtol=1e-14)
    np.testing.assert_array_equal(F.hardswish(np.array([-1.0, 1.0])).data, [-1 / 3, 2 / 3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_overflows_up_to_ten_thousand(dtype):
    x = np.array([-1e4, -1e3, -100, 100, 1e3, 1e4], dtype)
    above = np.maximum(x, 0)
    for function in (F.silu, F.mish, F.gelu, F.softplus, lambda x: F.softplus(x, 1, 1e9)):
        np.testing.assert_allclose(function(x).data, above, atol=1e-40)
        np.testing.assert_allclose(derivative(function, x), above > 0, atol=1e-40)
    np.testing.assert_allclose(F.logsigmoid(x).data, np.minimum(x, 0), atol=1e-40)
    np.testing.assert_allclose(F.gelu(np.array([-8.0], dtype)).data, [-4.97680458e-15], rtol=1e-5)  # -8 Phi(-8): 1 + erf has no digit left


def test_selu_keeps_mean_and_variance():
    """The fixed point: a standard normal input gives mean 0 and variance 1, to the sampling error of a million draws."""
    y = F.selu(np.random.default_rng(0).standard_normal(1_000_000)).data
    assert abs(y.mean()) < 0.005
    assert abs(y.var() - 1) < 0.01


@pytest.mark.parametrize("shape, count", [((2, 3, 4), 3), ((2, 3, 4), 1), ((5,), 1), ((), 1), ((4, 3), 3), ((0, 3, 2), 3), ((2, 3, 2, 2), 3)])
@given(seed=seeds)
def test_prelu_gradients(shape, count, seed):
    weight = np.random.default_rng(seed).uniform(0.1, 0.5, count)
    assert gradcheck(F.prelu, [away_from([0], seed, shape), weight])


def test_prelu_shapes():
    x = away_from([0], 0, (2, 3, 4))
    weight = Tensor(np.array(0.25), requires_grad=True)
    y = F.prelu(x, weight)
    np.testing.assert_array_equal(y.data, np.where(x > 0, x, 0.25 * x))
    y.backward(np.ones(x.shape))
    np.testing.assert_allclose(weight.grad.data, x[x < 0].sum(), rtol=1e-12)
    with pytest.raises(ShapeError, match=r"prelu: weight has shape \(2,\); input \(2, 3, 4\) has 3 channels, so give 1 or 3"):
        F.prelu(x, np.ones(2))
    with pytest.raises(ShapeError, match="along one axis"):
        F.prelu(x, np.ones((3, 1)))
    with pytest.raises(ShapeError, match="1 channels"):
        F.prelu(np.ones(3), np.ones(3))
    with pytest.raises(DtypeError, match="input is float64 but weight is float32"):
        F.prelu(x, np.ones(3, np.float32))


def test_rrelu():
    x = away_from([0], 0, (1000,))
    y, slopes = F.rrelu(x, 0.2, 0.4, training=True, generator=np.random.default_rng(1), return_slopes=True)
    np.testing.assert_array_equal(y.data, x * slopes.data)
    below = slopes.data[x < 0]
    assert below.min() >= 0.2 and below.max() < 0.4 and abs(below.mean() - 0.3) < 0.01
    assert (slopes.data[x > 0] == 1).all()
    again = F.rrelu(x, 0.2, 0.4, True, generator=np.random.default_rng(1))
    np.testing.assert_array_equal(again.data, y.data)
    tensor = Tensor(x, requires_grad=True)
    drawn, slopes = F.rrelu(tensor, training=True, return_slopes=True)
    drawn.backward(np.ones(1000))
    np.testing.assert_array_equal(tensor.grad.data, slopes.data)
    np.testing.assert_array_equal(F.rrelu(x, 0.2, 0.4).data, F.leaky_relu(x, 0.30000000000000004).data)
    assert isinstance(F.rrelu(np.array(-1.0), training=True).data, np.ndarray)
    np.testing.assert_array_equal(F.rrelu(x, 0.25, 0.25, training=True).data, F.leaky_relu(x, 0.25).data)


@pytest.mark.parametrize("dim", [0, 1, -1, -2])
@given(seed=seeds)
def test_glu(dim, seed):
    x = away_from([], seed, (4, 6))
    a, b = np.split(x, 2, dim)
    np.testing.assert_allclose(F.glu(x, dim).data, a / (1 + np.exp(-b)), rtol=1e-12)
    assert gradcheck(lambda x: F.glu(x, dim), x)


@given(seeds)
def test_softmin(seed):
    x = away_from([], seed, (3, 4))
    np.testing.assert_array_equal(F.softmin(x, 1).data, F.softmax(-x, 1).data)
    assert gradcheck(lambda x: F.softmin(x, 0), x)


@pytest.mark.parametrize("shape, axis", [((4,), 0), ((3, 4), 1), ((2, 3, 4), 0), ((2, 3, 2, 2), 1)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_a_missing_dim_is_guessed_as_torch_does(name, shape, axis):
    x = away_from([], 0, shape)
    with pytest.warns(UserWarning, match=f"{name}: dim is not given, {axis} is guessed"):
        y = getattr(F, name)(x)
    np.testing.assert_array_equal(y.data, getattr(F, name)(x, axis).data)


def test_softmax_of_another_dtype():
    assert F.softmax(np.arange(3), 0, dtype=np.float64).dtype == np.float64
    tensor = Tensor(np.zeros(3, np.float32), requires_grad=True)
    y = F.log_softmax(tensor, 0, dtype=np.float64)
    assert y.dtype == np.float64
    y.backward(np.array([1.0, 0, 0]))
    assert tensor.grad.dtype == np.float32
    with pytest.raises(DtypeError, match="softmin: dtype 'int64' is not float32 or float64"):
        F.softmin([1.0], 0, dtype="int64")


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3)])
@pytest.mark.parametrize("kernels", ["cpu", "reference"])
def test_softmax_of_nothing(shape, kernels):
    with tinycnn.use_kernels(kernels):
        for dim in range(len(shape)):
            x = Tensor(np.zeros(shape), requires_grad=True)
            F.softmax(x, dim).sum().backward()
            assert F.log_softmax(x, dim).shape == x.grad.shape == shape


def test_gumbel_softmax():
    logits = np.log(np.array([0.5, 0.3, 0.2]))
    generator = np.random.default_rng(0)
    draws = F.gumbel_softmax(np.tile(logits, (20_000, 1)), hard=True, generator=generator).data
    assert set(np.unique(draws)) == {0.0, 1.0}
    np.testing.assert_array_equal(draws.sum(1), 1)
    np.testing.assert_allclose(draws.mean(0), [0.5, 0.3, 0.2], atol=0.015)
    soft = F.gumbel_softmax(logits, 0.5, generator=np.random.default_rng(3)).data
    noise = -np.log(np.random.default_rng(3).standard_exponential(3))
    np.testing.assert_allclose(soft, F.softmax((logits + noise) / 0.5, 0).data, rtol=1e-12)
    assert gradcheck(lambda x: F.gumbel_softmax(x, 0.7, dim=0, generator=np.random.default_rng(1)), away_from([], 0, (3, 4)))
    one, other = Tensor(logits, requires_grad=True), Tensor(logits, requires_grad=True)
    for tensor, hard in ((one, True), (other, False)):
        F.gumbel_softmax(tensor, hard=hard, generator=np.random.default_rng(5)).backward(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(one.grad.data, other.grad.data)
    assert F.gumbel_softmax(np.zeros((2, 0)), hard=True).shape == (2, 0)
    assert F.gumbel_softmax(np.array(3.0), hard=True).item() == 1


def test_methods_of_tensors():
    x = Tensor(np.array([[-2.0, 0.25]]))
    assert x.prelu(np.array([0.5])).tolist() == [[-1.0, 0.25]]
    assert x.hardshrink(0.5).tolist() == [[-2.0, 0.0]]


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: F.hardtanh(x, 1, -1), ArgumentError, "hardtanh: min_val=1 is greater than max_val=-1; exchange them"),
        (lambda x: F.hardtanh(x, "a"), ArgumentError, "hardtanh: min_val must be a number, not 'a'"),
        (lambda x: F.leaky_relu(x, None), ArgumentError, "leaky_relu: negative_slope must be a number, not None"),
        (lambda x: F.elu(x, 10**400), ArgumentError, "elu: alpha is larger than every float64 number"),
        (lambda x: F.celu(x, 0), ArgumentError, "celu: alpha is 0 but divides the input; relu is its limit"),
        (lambda x: F.softshrink(x, -1), ArgumentError, "softshrink: lambd must be a finite number of zero or more, not -1"),
        (lambda x: F.softshrink(x, float("nan")), ArgumentError, "softshrink: lambd must be a finite number"),
        (lambda x: F.hardshrink(x, True), ArgumentError, "hardshrink: lambd must be a number, not True"),
        (lambda x: F.gelu(x, "erf"), ArgumentError, "gelu: approximate 'erf' is not one of none, tanh"),
        (lambda x: F.rrelu(x, 0.5, 0.2), ArgumentError, "rrelu: slopes from lower=0.5 to upper=0.2 make no range"),
        (lambda x: F.threshold(x, 1, "b"), ArgumentError, "threshold: value must be a number"),
        (lambda x: F.softplus(x, [1]), ArgumentError, r"softplus: beta must be a number, not \[1\]"),
        (lambda x: F.glu(x, 1), ShapeError, r"glu: axis 1 of input \(2, 3\) has size 3, which is odd"),
        (lambda x: F.glu(np.array(1.0)), ShapeError, "glu: input is a single number"),
        (lambda x: F.glu(x, 2), ArgumentError, "glu: dim 2 is out of range"),
        (lambda x: F.softmin(x, 2), ArgumentError, "softmax: dim 2 is not a whole number from -2 to 1"),
        (lambda x: F.gumbel_softmax(x, "hot"), ArgumentError, "gumbel_softmax: tau must be a number"),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3)))
