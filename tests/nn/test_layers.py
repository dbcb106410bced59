"""Layers are a constructor and one call: each equals its function, counts its parameters and names its mistakes."""

import numpy as np
import pytest

import tinycnn
from tinycnn import functional as F
from tinycnn import nn
from tinycnn.errors import ArgumentError

RNG = np.random.default_rng(0)
IMAGE = RNG.standard_normal((2, 4, 6, 7))


def values(tensor):
    return tensor.detach().numpy()


def test_namespaces():
    assert nn.functional is tinycnn.functional
    assert nn.init.xavier_uniform_
    assert nn.utils.clip_grad_norm_


def test_conv2d_is_its_function():
    layer = nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 2), groups=2, padding_mode="circular").double()
    expected = F.conv2d(IMAGE, layer.weight, layer.bias, (2, 1), (1, 2), 1, 2, padding_mode="circular")
    np.testing.assert_array_equal(values(layer(IMAGE)), values(expected))
    assert layer.weight.shape == (6, 2, 3, 2)
    assert nn.Conv2d(4, 6, 3, bias=False).bias is None
    same = nn.Conv2d(4, 6, 3, padding="same").double()
    assert same(IMAGE).shape == (2, 6, 6, 7)


def test_linear_is_its_function():
    layer = nn.Linear(7, 3).double()
    np.testing.assert_array_equal(values(layer(IMAGE)), values(F.linear(IMAGE, layer.weight, layer.bias)))
    fused = nn.Linear(7, 3, activation="relu").double()
    fused.load_state_dict(layer.state_dict())
    np.testing.assert_allclose(values(fused(IMAGE)), np.maximum(values(layer(IMAGE)), 0), rtol=1e-12)


LAYERS = [
    (lambda: nn.MaxPool2d(2), lambda x: F.max_pool2d(x, 2)),
    (lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True), lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True)),
    (lambda: nn.AvgPool2d(2, 1), lambda x: F.avg_pool2d(x, 2, 1)),
    (lambda: nn.ReLU(), lambda x: F.relu(x)),
    (lambda: nn.Tanh(), lambda x: F.tanh(x)),
    (lambda: nn.Sigmoid(), lambda x: F.sigmoid(x)),
    (lambda: nn.Softmax(1), lambda x: F.softmax(x, 1)),
    (lambda: nn.LogSoftmax(1), lambda x: F.log_softmax(x, 1)),
    (lambda: nn.Flatten(), lambda x: F.flatten(x, 1)),
    (lambda: nn.Identity(), lambda x: x),
    (lambda: nn.ZeroPad2d(1), lambda x: F.pad(x, (1, 1, 1, 1))),
    (lambda: nn.ConstantPad2d((1, 2, 0, 3), 2.5), lambda x: F.pad(x, (1, 2, 0, 3), "constant", 2.5)),
    (lambda: nn.ReflectionPad2d((1, 2, 0, 3)), lambda x: F.pad(x, (1, 2, 0, 3), "reflect")),
    (lambda: nn.ReplicationPad2d(2), lambda x: F.pad(x, (2, 2, 2, 2), "replicate")),
    (lambda: nn.CircularPad2d(2), lambda x: F.pad(x, (2, 2, 2, 2), "circular")),
]


@pytest.mark.parametrize("make, function", LAYERS)
def test_layers_are_their_functions(make, function):
    x = tinycnn.Tensor(IMAGE)
    np.testing.assert_array_equal(values(make()(x)), values(function(x)))
    assert list(make().parameters()) == []


def test_max_pool_gives_indices():
    y, indices = nn.MaxPool2d(2, return_indices=True)(IMAGE)
    flat = IMAGE.reshape(2, 4, -1)
    np.testing.assert_array_equal(np.take_along_axis(flat, indices.numpy().reshape(2, 4, -1), 2).reshape(y.shape), values(y))


def test_losses_are_their_functions():
    logits, labels = RNG.standard_normal((5, 3)), np.array([0, 2, 1, 2, -100])
    weight = np.array([1.0, 2.0, 0.5])
    loss = nn.CrossEntropyLoss(weight, reduction="sum", label_smoothing=0.1)
    expected = F.cross_entropy(logits, labels, weight=tinycnn.Tensor(weight), reduction="sum", label_smoothing=0.1)
    assert loss(logits, labels).item() == expected.item()
    assert list(loss.state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    # -log_softmax of equal logits is ln 3, whatever the label
    assert nn.NLLLoss()(np.full((2, 3), -np.log(3)), np.array([0, 2])).item() == pytest.approx(np.log(3))
    a, b = np.array([1.0, 3.0]), np.array([0.0, 0.0])
    assert nn.MSELoss()(a, b).item() == 5
    assert nn.L1Loss(reduction="sum")(a, b).item() == 4
    assert nn.BCELoss()(np.array([0.5]), np.array([1.0])).item() == pytest.approx(np.log(2))
    assert nn.BCEWithLogitsLoss()(np.array([0.0]), np.array([1.0])).item() == pytest.approx(np.log(2))


def test_dropout_follows_the_mode():
    layer = nn.Dropout(0.5)
    x = np.ones(1000, np.float32)
    dropped = values(layer(x))
    assert set(np.unique(dropped)) == {0.0, 2.0}
    np.testing.assert_array_equal(values(layer.eval()(x)), x)


TEXTS = [
    (lambda: nn.Conv2d(1, 6, 5, padding=2), "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))"),
    (
        lambda: nn.Conv2d(4, 4, 3, dilation=2, groups=4, bias=False, padding="same", padding_mode="reflect"),
        "Conv2d(4, 4, kernel_size=(3, 3), stride=(1, 1), padding=same, dilation=(2, 2), groups=4, bias=False, padding_mode=reflect)",
    ),
    (lambda: nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    (lambda: nn.AvgPool2d(3, 1), "AvgPool2d(kernel_size=3, stride=1, padding=0)"),
    (lambda: nn.ReLU(inplace=True), "ReLU(inplace=True)"),
    (lambda: nn.Softmax(dim=1), "Softmax(dim=1)"),
    (lambda: nn.Dropout(0.3), "Dropout(p=0.3, inplace=False)"),
    (lambda: nn.ConstantPad2d(1, 2), "ConstantPad2d(padding=(1, 1, 1, 1), value=2)"),
    (lambda: nn.CrossEntropyLoss(), "CrossEntropyLoss()"),
]


@pytest.mark.parametrize("make, text", TEXTS)
def test_texts(make, text):
    assert repr(make()) == text


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: nn.Conv2d(4, 6, 3, groups=4), "groups=4 must divide in_channels=4 and out_channels=6; 2 is the most"),
        (lambda: nn.Conv2d(0, 6, 3), "Conv2d: in_channels must be a whole number >= 1, not 0"),
        (lambda: nn.Conv2d(1, 6, 0), "Conv2d: kernel_size must be a whole number >= 1"),
        (lambda: nn.Linear(3, 2.5), "Linear: out_features must be a whole number >= 1, not 2.5"),
        (lambda: nn.Dropout(1.5), "p must be a probability from 0 to 1, not 1.5"),
        (lambda: nn.ZeroPad2d((1, 2)), r"ZeroPad2d: padding has 2 numbers; give one, or four as \(left, right"),
        (lambda: nn.MSELoss(reduction="avg"), "MSELoss: reduction 'avg' is not one of mean, sum, none"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
