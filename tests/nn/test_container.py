"""Sequential, ModuleList and the fusion of neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import nn
from tinycnn.errors import ArgumentError


def test_sequential_is_a_list_of_named_modules():
    net = nn.Sequential({"body": nn.Linear(2, 3), "head": nn.Linear(3, 1)})
    assert list(net.state_dict()) == ["body.weight", "body.bias", "head.weight", "head.bias"]
    assert net.head is net[1] is net[-1]
    assert [type(module).__name__ for module in net] == ["Linear", "Linear"]
    assert net[0] in net
    with pytest.raises(IndexError, match="index 2 is out of range for 2 modules"):
        net[2]


def test_slices_share_and_keep_names():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    tail = net[1:]
    assert isinstance(tail, nn.Sequential)
    assert tail[1] is net[2]
    assert list(tail.state_dict()) == ["2.weight", "2.bias"]


def test_changing_the_list():
    net = nn.Sequential(nn.ReLU()).append(nn.Tanh()).extend([nn.Sigmoid()])
    net.insert(1, nn.Identity())
    assert [type(module).__name__ for module in net] == ["ReLU", "Identity", "Tanh", "Sigmoid"]
    net[0] = nn.Flatten()
    del net[1]
    assert [name for name, _ in net.named_children()] == ["0", "1", "2"]
    del net[1:]
    assert [type(module).__name__ for module in net] == ["Flatten"]


def test_module_list():
    blocks = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU()])
    assert list(blocks.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert list(blocks[1:].state_dict()) == ["0.weight", "0.bias"]
    assert len(nn.ModuleList()) == 0
    with pytest.raises(NotImplementedError):
        blocks(1)


def test_a_list_must_be_unpacked():
    with pytest.raises(ArgumentError, match=r"argument 0 is a list, not an nn.Module; unpack a list with Sequential\("):
        nn.Sequential([nn.ReLU()])


def small_net():
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1),
        nn.ReLU(),
        nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 5), nn.ReLU()),
        nn.Linear(5, 4),
    )


@given(st.integers(0, 1000))
def test_fusion_equals_its_parts(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3, 2, 4, 4))
    upstream = rng.standard_normal((3, 4))
    plain, fused = small_net().double(), small_net().double()
    fused.load_state_dict(plain.state_dict())
    assert nn.fuse(fused) is fused
    assert list(fused.state_dict()) == list(plain.state_dict())
    assert isinstance(fused[1], nn.Identity)
    assert fused[0].activation == fused[2][2].activation == "relu"
    assert fused[3].activation is None
    y, z = plain(x), fused(x)
    np.testing.assert_allclose(z.detach().numpy(), y.detach().numpy(), rtol=1e-12, atol=1e-13)
    y.backward(upstream)
    z.backward(upstream)
    for a, b in zip(plain.parameters(), fused.parameters()):
        np.testing.assert_allclose(b.grad.numpy(), a.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_fusion_leaves_what_somebody_looks_at():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net[0].register_forward_hook(lambda module, args, output: None)
    assert isinstance(nn.fuse(net)[1], nn.ReLU)
    layer = nn.Linear(2, 2)
    assert isinstance(nn.fuse(nn.Sequential(layer, nn.ReLU(), layer))[1], nn.ReLU)
    assert isinstance(nn.fuse(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))[1], nn.Tanh)
    relu = nn.ReLU()
    chain = nn.fuse(nn.Sequential(nn.Linear(2, 2), relu, nn.Linear(2, 2), relu, relu))
    assert [type(module).__name__ for module in chain] == ["Linear", "Identity", "Linear", "Identity", "ReLU"]
