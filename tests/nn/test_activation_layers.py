"""Activation layers: each equals its function, shows its arguments as torch does, and names its mistakes."""

import numpy as np
import pytest

import tinycnn
from tinycnn import functional as F
from tinycnn import nn
from tinycnn.errors import ArgumentError, ShapeError

IMAGE = np.random.default_rng(0).standard_normal((2, 4, 6, 8))

LAYERS = [
    (lambda: nn.ReLU6(), F.relu6, "ReLU6()"),
    (lambda: nn.ReLU6(True), F.relu6, "ReLU6(inplace=True)"),
    (lambda: nn.LeakyReLU(0.2, True), lambda x: F.leaky_relu(x, 0.2), "LeakyReLU(negative_slope=0.2, inplace=True)"),
    (lambda: nn.ELU(2), lambda x: F.elu(x, 2), "ELU(alpha=2)"),
    (lambda: nn.CELU(2.0), lambda x: F.celu(x, 2), "CELU(alpha=2.0)"),
    (lambda: nn.SELU(), F.selu, "SELU()"),
    (lambda: nn.GELU(), F.gelu, "GELU(approximate='none')"),
    (lambda: nn.GELU("tanh"), lambda x: F.gelu(x, "tanh"), "GELU(approximate='tanh')"),
    (lambda: nn.SiLU(), F.silu, "SiLU()"),
    (lambda: nn.Mish(), F.mish, "Mish()"),
    (lambda: nn.Softplus(2, 10), lambda x: F.softplus(x, 2, 10), "Softplus(beta=2, threshold=10)"),
    (lambda: nn.Softsign(), F.softsign, "Softsign()"),
    (lambda: nn.Softshrink(0.3), lambda x: F.softshrink(x, 0.3), "Softshrink(0.3)"),
    (lambda: nn.Hardshrink(0.3), lambda x: F.hardshrink(x, 0.3), "Hardshrink(0.3)"),
    (lambda: nn.Hardtanh(-2, 1), lambda x: F.hardtanh(x, -2, 1), "Hardtanh(min_val=-2, max_val=1)"),
    (lambda: nn.Hardsigmoid(), F.hardsigmoid, "Hardsigmoid()"),
    (lambda: nn.Hardswish(True), F.hardswish, "Hardswish()"),
    (lambda: nn.LogSigmoid(), F.logsigmoid, "LogSigmoid()"),
    (lambda: nn.Softmin(1), lambda x: F.softmin(x, 1), "Softmin(dim=1)"),
    (lambda: nn.Softmax2d(), lambda x: F.softmax(x, 1), "Softmax2d()"),
    (lambda: nn.GLU(1), lambda x: F.glu(x, 1), "GLU(dim=1)"),
    (lambda: nn.Threshold(0.1, 2), lambda x: F.threshold(x, 0.1, 2), "Threshold(threshold=0.1, value=2)"),
    (lambda: nn.Tanhshrink(), F.tanhshrink, "Tanhshrink()"),
    (lambda: nn.RReLU().eval(), F.rrelu, "RReLU(lower=0.125, upper=0.3333333333333333)"),
]


@pytest.mark.parametrize("make, function, text", LAYERS)
def test_layers_are_their_functions(make, function, text):
    layer = make()
    np.testing.assert_array_equal(layer(IMAGE).data, function(IMAGE).data)
    assert repr(layer) == text
    assert list(layer.state_dict()) == []


def test_prelu_learns_its_slopes():
    layer = nn.PReLU(4, 0.1).double()
    assert repr(layer) == "PReLU(num_parameters=4)"
    np.testing.assert_array_equal(layer.weight.data, np.full(4, np.float32(0.1)))
    y = layer(IMAGE)
    np.testing.assert_array_equal(y.data, F.prelu(IMAGE, layer.weight).data)
    y.backward(np.ones(IMAGE.shape))
    np.testing.assert_allclose(layer.weight.grad.data, np.minimum(IMAGE, 0).sum((0, 2, 3)), rtol=1e-12)
    assert nn.PReLU().weight.data.tolist() == [0.25]


def test_rrelu_follows_the_mode():
    layer = nn.RReLU(0.2, 0.4)
    tinycnn.manual_seed(3)
    y = layer(IMAGE).data
    below = IMAGE < 0
    slopes = y[below] / IMAGE[below]
    assert slopes.min() >= 0.2 - 1e-12 and slopes.max() <= 0.4 and slopes.std() > 0.03
    np.testing.assert_array_equal(y[~below], IMAGE[~below])
    tinycnn.manual_seed(3)
    np.testing.assert_array_equal(layer(IMAGE).data, y)
    np.testing.assert_array_equal(layer.eval()(IMAGE).data, F.rrelu(IMAGE, 0.2, 0.4).data)


def test_softmax2d_sums_to_one_at_every_pixel():
    np.testing.assert_allclose(nn.Softmax2d()(IMAGE[0]).data.sum(0), 1, rtol=1e-12)
    with pytest.raises(ShapeError, match=r"Softmax2d: input has shape \(6, 8\); it must be \(N, C, H, W\) or \(C, H, W\)"):
        nn.Softmax2d()(IMAGE[0, 0])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: nn.Hardtanh(1, 1), "Hardtanh: max_val=1 must be greater than min_val=1"),
        (lambda: nn.LeakyReLU("a"), "LeakyReLU: negative_slope must be a number, not 'a'"),
        (lambda: nn.PReLU(-1), "PReLU: num_parameters must be a whole number >= 0, not -1"),
        (lambda: nn.PReLU(1, None), "PReLU: init must be a number, not None"),
        (lambda: nn.RReLU(0.5, 0.2), "rrelu: slopes from lower=0.5 to upper=0.2 make no range"),
        (lambda: nn.CELU(0), "celu: alpha is 0"),
        (lambda: nn.GELU("erf"), "GELU: approximate 'erf' is not one of none, tanh"),
        (lambda: nn.Softshrink(-1), "softshrink: lambd must be a finite number"),
        (lambda: nn.Threshold(None, 1), "Threshold: threshold must be a number, not None"),
        (lambda: nn.Softplus(beta="b"), "Softplus: beta must be a number"),
    ],
)
def test_mistakes_are_named_where_they_are_written(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
