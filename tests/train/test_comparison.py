"""Networks side by side, gradients by layer, identity layers, and the leaderboard."""

import copy

import numpy as np
import pytest

from tests.train.small_problems import make_stripes
from tinycnn import functional, nn
from tinycnn.autograd import no_grad
from tinycnn.errors import ArgumentError, DataError
from tinycnn.tensor import Tensor
from tinycnn.train import (
    Deepened,
    TrainConfig,
    add_to_leaderboard,
    compare_networks,
    gradient_flow,
    ranked,
    read_leaderboard,
    weighted_layers,
)

CONFIG = TrainConfig(epochs=2, batch_size=16, learning_rate=0.1)


def stack(depth, activation="relu"):
    def build():
        inside = [nn.Linear(12, 12, activation=activation) for _ in range(depth)]
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12, activation=activation), *inside, nn.Linear(12, 3))

    return build


def test_networks_see_the_same_batches_and_are_described():
    seen = []
    runs = compare_networks({"shallow": stack(0), "deep": stack(3)}, make_stripes(96, 1), make_stripes(30, 2), CONFIG, each=seen.append)
    assert [run.name for run in seen] == ["shallow", "deep"] == [run.name for run in runs]
    assert [run.layers for run in runs] == [2, 5]
    assert runs[0].parameters == 16 * 12 + 12 + 12 * 3 + 3
    assert all(len(run.epochs) == 2 and len(run.gradients_before) == run.layers for run in runs)
    again = compare_networks({"deep": stack(3)}, make_stripes(96, 1), make_stripes(30, 2), CONFIG)[0]
    assert again.gradients_after == runs[1].gradients_after


def test_the_gradient_flow_is_the_gradient_and_leaves_the_model_alone():
    images, labels = (Tensor(array) for array in make_stripes(12, 1).arrays)
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 3)).eval()
    before = {name: value.data.copy() for name, value in model.state_dict().items()}
    (found,) = gradient_flow(model, images, labels)
    twin = copy.deepcopy(model).train()
    functional.cross_entropy(twin(images), labels).backward()
    assert np.isclose(found.rms, np.sqrt((twin[2].weight.grad.data ** 2).mean()), rtol=1e-5)
    assert found.layer == "2" and not model.training and model[2].weight.grad is None
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, before[name])


def test_sigmoids_let_the_gradient_fade_on_its_way_back():
    images, labels = (Tensor(array) for array in make_stripes(32, 1).arrays)

    def sigmoid_stack():
        inside = [layer for _ in range(6) for layer in (nn.Linear(12, 12), nn.Sigmoid())]
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Sigmoid(), *inside, nn.Linear(12, 3))

    flow = gradient_flow(sigmoid_stack(), images, labels)
    assert flow[0].rms < 1e-3 * flow[-1].rms


def small_net():
    return nn.Sequential(nn.Conv2d(1, 4, 3, activation="relu"), nn.Conv2d(4, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))


def test_identity_layers_leave_the_answers_as_they_are_and_can_learn():
    images = Tensor(np.random.default_rng(0).standard_normal((6, 1, 4, 4)).astype(np.float32))
    model = small_net()
    with no_grad():
        before = model(images).data.copy()
    deeper = Deepened(model, images, layers=2)
    assert deeper.after == ("0", "2")
    assert len(weighted_layers(deeper)) == 3 + 4
    with no_grad():
        np.testing.assert_allclose(deeper(images).data, before, atol=1e-6)
        np.testing.assert_allclose(copy.deepcopy(deeper)(images).data, before, atol=1e-6)
    functional.cross_entropy(deeper(images), Tensor(np.array([0, 1, 2, 0, 1, 2]))).backward()
    assert all(np.abs(parameter.grad.data).max() > 0 for parameter in deeper.added.parameters())
    twin = copy.deepcopy(deeper)
    for parameter in twin.added.parameters():
        parameter.data[...] = 0
    with no_grad():
        assert np.abs(twin(images).data - before).max() > 1e-3
        np.testing.assert_allclose(deeper(images).data, before, atol=1e-6)


def test_identity_layers_go_only_where_relu_changes_nothing():
    images = Tensor(np.random.default_rng(0).standard_normal((6, 1, 4, 4)).astype(np.float32))
    with pytest.raises(ArgumentError, match=r"Deepened: '1' gives no images without negative values; these do: 0, 2"):
        Deepened(small_net(), images, after=["1"])


def test_the_leaderboard_is_a_line_a_run_and_ranks(tmp_path):
    path = tmp_path / "leaderboard.jsonl"
    assert read_leaderboard(path) == []
    facts = {"epochs": 2, "minutes": 1.0, "seed": 0, "parameters": 10, "folder": "runs/a"}
    for model, data, accuracy in (("a", "digits", 0.9), ("b", "digits", 0.95), ("c", "cifar10", 0.5)):
        add_to_leaderboard(path, model=model, data=data, accuracy=accuracy, **facts)
    entries = read_leaderboard(path)
    assert [entry.model for entry in ranked(entries)] == ["c", "b", "a"]
    assert [entry.model for entry in ranked(entries, "digits")] == ["b", "a"]
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(DataError, match=r"leaderboard.jsonl: line 4 is not a run"):
        read_leaderboard(path)
