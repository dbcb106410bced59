"""Weights into models: everything, or a table of what does not fit and the way out."""

import numpy as np
import pytest

import tinycnn
from tinycnn import models, nn
from tinycnn.errors import ArgumentError, CheckpointError


def network(classes=10, width=3):
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, classes))


def test_a_file_loads_into_its_model(tmp_path):
    source, target = network(), network()
    tinycnn.save(source.state_dict(), tmp_path / "net.pth")
    assert models.load_weights(target, tmp_path / "net.pth") == ([], [])
    for key, tensor in target.state_dict().items():
        np.testing.assert_array_equal(tensor.data, source.state_dict()[key].data)


def test_a_wrong_head_gives_a_table_and_the_way_out():
    with pytest.raises(CheckpointError, match=r"2 mis-shaped(.|\n)*2.weight  \(2, 3\) +\(10, 3\)") as error:
        models.load_weights(network(2), network(10).state_dict())
    assert 'the last layer has 2 outputs in the model and 10 in the weights: head="replace"' in str(error.value)


def test_replacing_the_head_keeps_the_fresh_last_layer():
    source, target = network(10), network(2)
    fresh = target[2].weight.data.copy()
    assert models.load_weights(target, source.state_dict(), head="replace") == (["2.weight", "2.bias"], [])
    np.testing.assert_array_equal(target[2].weight.data, fresh)
    np.testing.assert_array_equal(target[0].weight.data, source[0].weight.data)


def test_replacing_a_head_that_fits_loads_it():
    source, target = network(), network()
    assert models.load_weights(target, source.state_dict(), head="replace") == ([], [])
    np.testing.assert_array_equal(target[2].weight.data, source[2].weight.data)


def test_another_architecture_is_not_called_a_wrong_head():
    for state in (network(10, 5).state_dict(), {"2.weight": np.zeros((10, 3)), "2.bias": np.zeros(10)}):
        with pytest.raises(CheckpointError) as error:
            models.load_weights(network(2), state, head="replace")
        assert "keys do not fit" in str(error.value)
    with pytest.raises(CheckpointError) as error:
        models.load_weights(network(10, 3), network(10, 5).state_dict())
    assert 'head="replace"' not in str(error.value)


def test_lenet_for_other_classes():
    source, target = models.lenet5(10), models.lenet5(3)
    found = models.load_weights(target, source.state_dict(), head="replace")
    assert found.missing_keys == ["fc3.weight", "fc3.bias"]


def test_an_error_leaves_the_model_alone():
    target = network(2)
    before = {key: tensor.data.copy() for key, tensor in target.state_dict().items()}
    with pytest.raises(CheckpointError):
        models.load_weights(target, {**network(10).state_dict(), "extra": np.zeros(2)}, head="replace")
    for key, tensor in target.state_dict().items():
        np.testing.assert_array_equal(tensor.data, before[key])
    assert models.load_weights(target, {**network(10).state_dict(), "extra": np.zeros(2)}, head="replace", strict=False).unexpected_keys == ["extra"]


def test_arguments_are_checked():
    with pytest.raises(ArgumentError, match='head must be "keep" or "replace"'):
        models.load_weights(network(), {}, head="new")
    with pytest.raises(ArgumentError, match=r"model is a dict, not an nn.Module"):
        models.load_weights({}, {})
    with pytest.raises(ArgumentError, match="a int is neither a file nor a mapping"):
        models.load_weights(network(), 5)
