"""Modules against PyTorch: forward, gradients, state_dict keys, texts, default ranges and the rules of nn.init."""

import math

import numpy as np
import pytest

import tinycnn
from tinycnn import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

IMAGE = (3, 4, 9, 8)
LAYERS = [
    ("Conv2d", (4, 6, 3), {}, IMAGE),
    ("Conv2d", (4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2), {"bias": False}, IMAGE),
    ("Conv2d", (4, 4, 3), {"padding": "same", "padding_mode": "reflect", "groups": 4}, IMAGE),
    ("Conv2d", (4, 4, 3), {"padding": 2, "padding_mode": "circular"}, IMAGE),
    ("Conv2d", (4, 4, 3), {"padding": 1, "padding_mode": "replicate"}, IMAGE),
    ("Linear", (8, 5), {}, IMAGE),
    ("Linear", (8, 5), {"bias": False}, (3, 8)),
    ("MaxPool2d", (2,), {}, IMAGE),
    ("MaxPool2d", (3, 2, 1), {"dilation": 2, "ceil_mode": True}, IMAGE),
    ("AvgPool2d", (2,), {}, IMAGE),
    ("AvgPool2d", (3, 2, 1, True, False), {}, IMAGE),
    ("AvgPool2d", (3, 2), {"divisor_override": 5}, IMAGE),
    ("ReLU", (), {}, IMAGE),
    ("Tanh", (), {}, IMAGE),
    ("Sigmoid", (), {}, IMAGE),
    ("Softmax", (1,), {}, IMAGE),
    ("LogSoftmax", (), {"dim": -1}, IMAGE),
    ("Flatten", (), {}, IMAGE),
    ("Flatten", (2, 3), {}, IMAGE),
    ("Identity", (), {}, IMAGE),
    ("Dropout", (0.0,), {}, IMAGE),
    ("ZeroPad2d", (2,), {}, IMAGE),
    ("ZeroPad2d", ((1, 0, 3, 2),), {}, IMAGE),
    ("ConstantPad2d", ((1, 0, 3, 2), 1.5), {}, IMAGE),
    ("ReflectionPad2d", ((1, 0, 3, 2),), {}, IMAGE),
    ("ReplicationPad2d", ((1, 0, 3, 2),), {}, IMAGE),
    ("CircularPad2d", ((1, 0, 3, 2),), {}, IMAGE),
]


def copy_into(mine, other):
    """Our weights into PyTorch's module, by its own state_dict names."""
    other.load_state_dict({key: torch.from_numpy(tensor.numpy().copy()) for key, tensor in mine.state_dict().items()})


def compare(mine, other, shape, seed=0, tolerance=1e-10):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    a, b = tinycnn.Tensor(x.copy(), requires_grad=True), torch.from_numpy(x.copy()).requires_grad_()
    y, z = mine(a), other(b)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=tolerance, atol=tolerance)
    upstream = rng.standard_normal(tuple(z.shape))
    y.backward(upstream)
    z.backward(torch.from_numpy(upstream))
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=tolerance, atol=tolerance)
    for p, q in zip(mine.parameters(), other.parameters()):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name, arguments, options, shape", LAYERS)
def test_layers(name, arguments, options, shape):
    mine = getattr(nn, name)(*arguments, **options).double()
    other = getattr(torch.nn, name)(*arguments, **options).double()
    assert list(mine.state_dict()) == list(other.state_dict())
    assert repr(mine) == repr(other)
    copy_into(mine, other)
    compare(mine, other, shape)


LOSSES = [
    ("CrossEntropyLoss", {"label_smoothing": 0.2}, "labels"),
    ("CrossEntropyLoss", {"reduction": "sum", "ignore_index": 2}, "labels"),
    ("NLLLoss", {}, "labels"),
    ("MSELoss", {}, "numbers"),
    ("L1Loss", {"reduction": "none"}, "numbers"),
    ("BCELoss", {}, "probabilities"),
    ("BCEWithLogitsLoss", {"reduction": "sum"}, "probabilities"),
]


@pytest.mark.parametrize("name, options, kind", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
def test_losses(name, options, kind, weighted):
    rng = np.random.default_rng(1)
    x = rng.uniform(0.05, 0.95, (6, 5))
    target = {
        "labels": rng.integers(0, 5, 6),
        "numbers": rng.standard_normal((6, 5)),
        "probabilities": rng.random((6, 5)),
    }[kind]
    weights = {}
    if weighted:
        if kind != "labels":
            pytest.skip("only the losses of labels take weights")
        weights = {"weight": rng.uniform(0.5, 2.0, 5)}
    a, b = tinycnn.Tensor(x.copy(), requires_grad=True), torch.from_numpy(x.copy()).requires_grad_()
    mine = getattr(nn, name)(**options, **weights)
    other = getattr(torch.nn, name)(**options, **{key: torch.from_numpy(value) for key, value in weights.items()})
    assert list(mine.state_dict()) == list(other.state_dict())
    y, z = mine(a, target), other(b, torch.from_numpy(target))
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-10)
    upstream = rng.standard_normal(tuple(z.shape))
    y.backward(upstream)
    z.backward(torch.from_numpy(np.asarray(upstream)))
    np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-9, atol=1e-12)


def lenet(library):
    body = library.Sequential(
        library.Conv2d(1, 6, 5, padding=2),
        library.ReLU(),
        library.MaxPool2d(2),
        library.Conv2d(6, 16, 5),
        library.ReLU(),
        library.MaxPool2d(2),
        library.Flatten(),
    )
    head = library.Sequential(library.Linear(400, 120), library.ReLU(), library.Linear(120, 10))
    return library.Sequential(body, head)


@pytest.mark.parametrize("fused", [False, True])
def test_a_network(fused):
    mine, other = lenet(nn).double(), lenet(torch.nn).double()
    assert repr(mine) == repr(other)
    assert [name for name, _ in mine.named_modules()] == [name for name, _ in other.named_modules()]
    assert [name for name, _ in mine.named_parameters()] == [name for name, _ in other.named_parameters()]
    if fused:
        nn.fuse(mine)
    assert list(mine.state_dict()) == list(other.state_dict())
    copy_into(mine, other)
    compare(mine, other, (2, 1, 28, 28))


def test_buffers_and_shared_parameters_are_saved_alike():
    states = []
    for library, tensor in ((nn, lambda: tinycnn.Tensor(np.zeros(2))), (torch.nn, lambda: torch.zeros(2))):
        module = library.Sequential(library.Linear(2, 2), library.Linear(2, 2))
        module.register_buffer("mean", tensor())
        module.register_buffer("scratch", tensor(), persistent=False)
        module[1].weight = module[0].weight
        module.register_parameter("gain", None)
        states.append(
            (
                [n for n, _ in module.named_parameters()],
                [n for n, _ in module.named_buffers()],
                list(module.state_dict()),
            )
        )
    assert states[0] == states[1]


def test_module_lists_look_alike():
    texts = [repr(library.ModuleList([library.ReLU(), library.ReLU(), library.Tanh()])) for library in (nn, torch.nn)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("make", [lambda n: n.Linear(30, 200), lambda n: n.Conv2d(6, 200, 5, groups=2)])
def test_default_ranges(make):
    mine, other = make(nn), make(torch.nn)
    for a, b in ((mine.weight.data, other.weight), (mine.bias.data, other.bias)):
        b = b.detach().numpy()
        assert np.abs(a).max() == pytest.approx(np.abs(b).max(), rel=0.05)
        assert a.std() == pytest.approx(b.std(), rel=0.15)


RULES = [
    ("uniform_", {"a": -1.0, "b": 2.0}),
    ("normal_", {"mean": 1.0, "std": 2.0}),
    ("trunc_normal_", {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 3.0}),
    ("xavier_uniform_", {"gain": 2.0}),
    ("xavier_normal_", {}),
    ("kaiming_uniform_", {"a": math.sqrt(5)}),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "tanh"}),
    ("kaiming_normal_", {"nonlinearity": "relu"}),
    ("orthogonal_", {"gain": 0.5}),
]


@pytest.mark.parametrize("name, options", RULES)
def test_init_rules_have_torchs_distribution(name, options):
    torch.manual_seed(0)
    mine = np.sort(getattr(nn.init, name)(tinycnn.Tensor(np.empty((50, 40, 3, 3))), **options).numpy().ravel())
    other = np.sort(getattr(torch.nn.init, name)(torch.empty(50, 40, 3, 3, dtype=torch.float64), **options).numpy().ravel())
    # Two samples of 18,000: their quantiles differ by a hundredth or so of the spread.
    middle = slice(900, -900)
    np.testing.assert_allclose(mine[middle], other[middle], atol=0.1 * other.std())


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains(name):
    assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
