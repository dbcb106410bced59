"""Initialisation: the distributions the papers state, and the layers' defaults."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tinycnn import Tensor, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.nn import init

SHAPE = (60, 20, 3, 5)  # fan_in 300, fan_out 900
UNIFORM = [
    (init.uniform_, {"a": -2.0, "b": 4.0}, -2.0, 4.0),
    (init.xavier_uniform_, {}, -math.sqrt(6 / 1200), math.sqrt(6 / 1200)),
    (init.xavier_uniform_, {"gain": 5 / 3}, -5 / 3 * math.sqrt(6 / 1200), 5 / 3 * math.sqrt(6 / 1200)),
    (init.kaiming_uniform_, {}, -math.sqrt(6 / 300), math.sqrt(6 / 300)),
    (init.kaiming_uniform_, {"mode": "fan_out", "nonlinearity": "linear"}, -math.sqrt(3 / 900), math.sqrt(3 / 900)),
    (init.lecun_uniform_, {}, -0.1, 0.1),
]
NORMAL = [
    (init.normal_, {"mean": 1.0, "std": 3.0}, 1.0, 3.0),
    (init.xavier_normal_, {}, 0.0, math.sqrt(2 / 1200)),
    (init.kaiming_normal_, {"nonlinearity": "relu"}, 0.0, math.sqrt(2 / 300)),
    (init.kaiming_normal_, {"a": 1.0, "mode": "fan_out"}, 0.0, 1 / 30),
    (init.lecun_normal_, {}, 0.0, 1 / math.sqrt(300)),
]


@pytest.mark.parametrize("rule, options, low, high", UNIFORM)
def test_uniform_rules(rule, options, low, high):
    weight = Tensor(np.empty(SHAPE))
    assert rule(weight, **options) is weight
    values = weight.numpy()
    assert low <= values.min() < low + (high - low) / 100
    assert high - (high - low) / 100 < values.max() <= high
    # 18,000 numbers: the mean is normal with std (high - low) / sqrt(12 18000), so five of them are out of the question
    assert abs(values.mean() - (low + high) / 2) < 5 * (high - low) / math.sqrt(12 * values.size)
    assert values.std() == pytest.approx((high - low) / math.sqrt(12), rel=0.02)


@pytest.mark.parametrize("rule, options, mean, std", NORMAL)
def test_normal_rules(rule, options, mean, std):
    values = rule(Tensor(np.empty(SHAPE)), **options).numpy()
    assert abs(values.mean() - mean) < 5 * std / math.sqrt(values.size)
    assert values.std() == pytest.approx(std, rel=0.03)
    # a normal distribution, not another one of that spread
    assert np.mean(np.abs(values - mean) < std) == pytest.approx(0.6827, abs=0.02)


def test_truncated_normal():
    values = init.trunc_normal_(Tensor(np.empty(20000)), mean=1.0, std=2.0, a=0.0, b=2.0).numpy()
    assert values.min() >= 0
    assert values.max() <= 2
    assert values.mean() == pytest.approx(1.0, abs=0.03)
    # variance of a normal cut at +-1/2 standard deviations: 1 - phi(1/2) / (Phi(1/2) - 1/2)
    phi, share = math.exp(-1 / 8) / math.sqrt(2 * math.pi), 0.382925 / 2
    assert values.var() == pytest.approx(4 * (1 - 0.5 * phi / share), rel=0.05)


def test_constants():
    x = Tensor(np.empty((2, 3), np.float32))
    assert init.ones_(x).numpy().sum() == 6
    assert init.zeros_(x).numpy().sum() == 0
    assert init.constant_(x, 2.5).numpy().sum() == 15
    assert x._version == 3


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.1, 3.0))
def test_orthogonal(rows, columns, gain):
    weight = init.orthogonal_(Tensor(np.empty((rows, columns, 1))), gain).numpy().reshape(rows, columns)
    small = weight @ weight.T if rows <= columns else weight.T @ weight
    np.testing.assert_allclose(small, gain**2 * np.eye(min(rows, columns)), atol=1e-12)


@pytest.mark.parametrize("rule", [init.uniform_, init.normal_, init.xavier_normal_, init.orthogonal_, init.trunc_normal_])
def test_generators_decide(rule):
    def draw(generator=None):
        return rule(Tensor(np.empty((4, 5))), generator=generator).numpy()

    np.testing.assert_array_equal(draw(np.random.default_rng(1)), draw(np.random.default_rng(1)))
    tinycnn.manual_seed(5)
    first = draw()
    tinycnn.manual_seed(5)
    np.testing.assert_array_equal(first, draw())
    assert not np.array_equal(first, draw())


def test_float32_and_float64_start_alike():
    tinycnn.manual_seed(1)
    single = init.kaiming_uniform_(Tensor(np.empty((4, 5), np.float32))).numpy()
    tinycnn.manual_seed(1)
    double = init.kaiming_uniform_(Tensor(np.empty((4, 5)))).numpy()
    np.testing.assert_array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("layer, fan_in", [(lambda: nn.Linear(50, 400), 50), (lambda: nn.Conv2d(8, 600, 5, groups=4), 50)])
def test_defaults_of_layers(layer, fan_in):
    module = layer()
    bound = 1 / math.sqrt(fan_in)
    for parameter in (module.weight, module.bias):
        assert np.abs(parameter.data).max() == pytest.approx(bound, rel=0.02)
        assert parameter.data.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_gains():
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0
    assert init.calculate_gain("selu") == 0.75
    assert init.calculate_gain("leaky_relu") == pytest.approx(math.sqrt(2 / 1.0001))
    with pytest.raises(ArgumentError, match="'swish' is not one of linear, conv2d"):
        init.calculate_gain("swish")


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: init.uniform_(Tensor(np.empty(2)), 1, 0), ArgumentError, "the range from a=1 to b=0 is empty"),
        (lambda: init.normal_(Tensor(np.empty(2)), 0, -1), ArgumentError, "std must be a finite number >= 0"),
        (lambda: init.trunc_normal_(Tensor(np.empty(2)), a=1, b=1), ArgumentError, "needs a < b and std > 0"),
        (lambda: init.xavier_normal_(Tensor(np.empty(2))), ShapeError, r"shape \(2,\) has no fan-in and fan-out"),
        (lambda: init.orthogonal_(Tensor(np.empty(2))), ShapeError, "has no rows and columns"),
        (lambda: init.kaiming_normal_(Tensor(np.empty((2, 2))), mode="in"), ArgumentError, "mode 'in' is neither"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def deep_net():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 6 * 6, 10),
    )


@pytest.mark.parametrize("fused", [False, True])
def test_lsuv_brings_every_layer_to_unit_variance(fused):
    net = deep_net()
    if fused:
        nn.fuse(net)
    batch = 5 + 3 * np.random.default_rng(0).standard_normal((32, 1, 6, 6)).astype(np.float32)
    variances = init.lsuv_(net, batch, tolerance=0.01)
    assert list(variances) == ["0", "2", "5"]
    assert net.training
    assert not net[0]._forward_hooks
    assert net[0].activation == ("relu" if fused else None)
    seen = []
    for name in variances:
        layer = net.get_submodule(name)
        layer.activation = None
        with layer.register_forward_hook(lambda module, args, output: seen.append(output.data.var())):
            net(batch)
        layer.activation = "relu" if fused and name != "5" else None
    assert seen == pytest.approx([1, 1, 1], abs=0.011)


def test_lsuv_refuses_what_cannot_work():
    with pytest.raises(ArgumentError, match=r"the output of layer '0' has variance 0\.0 on this batch"):
        init.lsuv_(nn.Sequential(nn.Linear(3, 2)), np.zeros((4, 3), np.float32))
    with pytest.raises(ArgumentError, match="runs no layer with a weight"):
        init.lsuv_(nn.Sequential(nn.Identity()), np.zeros((4, 3), np.float32))
    with pytest.raises(ArgumentError, match="needs tolerance > 0 and max_iterations >= 1"):
        init.lsuv_(nn.Linear(3, 2), np.zeros((4, 3), np.float32), tolerance=0)
