"""Freezing outlasts train(), keeps batch statistics, and leaves the path to what may learn alone."""

import copy

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.errors import ArgumentError
from tinycnn.tensor import Tensor

ROWS = Tensor(np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32))


def net():
    return nn.Sequential(nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 3)), nn.Dropout(0.5), nn.Linear(3, 2))


def test_frozen_parts_stay_as_they_are_however_often_train_is_called():
    model = net()
    nn.freeze(model[0])
    before = {name: value.data.copy() for name, value in model.state_dict().items()}
    for _ in range(3):
        model.train()
        model(ROWS).sum().backward()
    assert not model[0].training and not model[0][0].training and model[1].training
    for name, value in model[0].state_dict().items():
        np.testing.assert_array_equal(value.data, before[f"0.{name}"])
    assert all(parameter.grad is None for parameter in model[0].parameters())
    assert model[2].weight.grad is not None
    assert nn.is_frozen(model[0][1]) and not nn.is_frozen(model[2])
    assert not copy.deepcopy(model).train()[0].training


def test_requires_grad_alone_does_not_keep_the_statistics():
    model = net()
    model[0].requires_grad_(False)
    model.train()(ROWS)
    assert (model[0][0].running_mean.data != 0).any()


def test_unfrozen_parts_learn_again():
    model = nn.unfreeze(nn.freeze(net()))
    assert not model[0].training
    model.train()(ROWS).sum().backward()
    assert model[0][0].training and model[0][1].weight.grad is not None
    assert (model[0][0].running_mean.data != 0).any()


def test_all_but_some_paths():
    model = nn.freeze_except(net(), ["0.1"]).train()
    assert [name for name, parameter in model.named_parameters() if parameter.requires_grad] == ["0.1.weight", "0.1.bias"]
    assert model.training and model[0].training and model[0][1].training
    assert not model[0][0].training and not model[1].training
    nn.freeze_except(model, [""]).train()
    assert all(module.training for module in model.modules())
    nn.freeze_except(model, [])
    assert not any(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(ArgumentError, match=r"there is no module '0.7'; the children are 0, 1, 2"):
        nn.freeze_except(model, ["0.7"])


def test_frozen_dropout_drops_nothing():
    model = nn.freeze(net()).train()
    np.testing.assert_array_equal(model(ROWS).data, model(ROWS).data)
