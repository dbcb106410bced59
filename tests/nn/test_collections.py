"""Modules and parameters by name and in lists."""

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.errors import ArgumentError


def parameter(*shape):
    return nn.Parameter(np.ones(shape, np.float32))


def test_a_dict_of_modules():
    heads = nn.ModuleDict({"a": nn.Linear(2, 3)})
    heads["b"] = nn.ReLU()
    heads.update([("c", nn.Linear(3, 1, bias=False))])
    assert list(heads) == ["a", "b", "c"]
    assert list(heads.state_dict()) == ["a.weight", "a.bias", "c.weight"]
    assert [type(module).__name__ for module in heads.values()] == ["Linear", "ReLU", "Linear"]
    assert "b" in heads
    assert isinstance(heads.pop("b"), nn.ReLU)
    del heads["a"]
    assert [name for name, _ in heads.items()] == ["c"]
    with pytest.raises(KeyError, match="ModuleDict: no entry 'a'; there are 'c'"):
        heads["a"]
    with pytest.raises(ArgumentError, match="names are text"):
        heads[1] = nn.ReLU()
    with pytest.raises(ArgumentError, match=r"not an nn\.Module"):
        heads["d"] = 3
    heads.clear()
    assert len(heads) == 0


def test_a_dict_of_parameters_trains():
    scales = nn.ParameterDict({"red": parameter(2), "blue": parameter(3)})
    (scales["red"].sum() * 2).backward()
    assert scales["red"].grad.tolist() == [2, 2]
    assert [name for name, _ in scales.named_parameters()] == ["red", "blue"]
    with pytest.raises(ArgumentError, match=r"wrap it: nn\.Parameter"):
        scales["green"] = np.ones(2)


def test_a_list_of_parameters():
    levels = nn.ParameterList([parameter(1), parameter(2)]).append(parameter(3))
    assert [p.shape for p in levels] == [(1,), (2,), (3,)]
    assert levels[-1] is levels[2]
    levels[0] = parameter(4)
    assert [p.shape for p in levels.parameters()] == [(4,), (2,), (3,)]
    with pytest.raises(IndexError, match="index 3 is out of range for 3 parameters"):
        levels[3]


def test_unflatten_undoes_flatten():
    x = np.arange(24.0).reshape(2, 3, 4)
    back = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (3, -1)))
    np.testing.assert_array_equal(back(x).numpy(), x)
    assert repr(nn.Unflatten(1, (3, 4))) == "Unflatten(dim=1, unflattened_size=(3, 4))"
