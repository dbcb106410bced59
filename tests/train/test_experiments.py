"""The small experiments find what they are made to find."""

import math

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.errors import UsageError
from tinycnn.tensor import Tensor
from tinycnn.train import (
    TrainConfig,
    compare_optimizers,
    initialisation_experiment,
    layer_statistics,
    learning_rate_range_test,
    overfit_one_batch,
)

CONFIG = TrainConfig(batch_size=16, learning_rate=0.1, momentum=0.0)


def deep_net() -> nn.Sequential:
    layers = [layer for _ in range(6) for layer in (nn.Linear(16, 16), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(16, 3))


def test_initialisation_decides_how_far_the_signal_goes(stripes):
    runs = {run.scheme: run for run in initialisation_experiment(deep_net, stripes[0], steps=30, config=CONFIG, test_set=stripes[1])}
    spread = {scheme: run.activations[-1].std for scheme, run in runs.items()}
    # He and LSUV keep the size of the signal through seven layers, a small normal lets it fade, zeros kill it.
    assert spread["he"] > 0.1 and 0.3 < spread["lsuv"] < 3
    assert spread["normal"] < 1e-4
    assert spread["zeros"] == 0.0
    assert all(len(run.losses) == 30 for run in runs.values())
    assert np.allclose(runs["zeros"].losses, math.log(3), atol=0.05)
    assert np.mean(runs["lsuv"].losses[-5:]) < 0.8 * math.log(3)
    assert all(0 <= run.test_accuracy <= 1 for run in runs.values())


def test_layer_statistics_by_hand():
    net = nn.Sequential(nn.Flatten(), nn.ReLU())
    images = Tensor(np.array([[[[-1.0, 3.0]]], [[[0.0, 2.0]]]], np.float32))
    flat, relu = layer_statistics(net, images)
    assert (flat.layer, flat.mean, flat.zero_fraction) == ("0", 1.0, 0.25)
    assert (relu.layer, relu.mean, relu.zero_fraction) == ("1", 1.25, 0.5)
    assert np.isclose(relu.std, np.std([0, 3, 0, 2]))


def test_the_range_test_finds_where_it_breaks_and_gives_the_weights_back(small_net, stripes):
    model = small_net()
    before = {name: value.data.copy() for name, value in model.state_dict().items()}
    found = learning_rate_range_test(model, stripes[0], 1e-4, 1e6, steps=120, config=CONFIG)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, before[name])
    assert found.diverged_at is not None
    assert found.learning_rates[0] < found.suggestion < found.diverged_at
    assert len(found.learning_rates) == len(found.losses) == len(found.smoothed)
    assert np.isclose(found.learning_rates[1] / found.learning_rates[0], 1e10 ** (1 / 119))
    assert "breaks at" in found.sentence


def test_the_range_test_says_when_nothing_breaks(small_net, stripes):
    found = learning_rate_range_test(small_net(), stripes[0], 1e-6, 1e-3, steps=20, config=CONFIG)
    assert found.diverged_at is None
    assert "never breaks" in found.sentence


@pytest.mark.parametrize(("low", "high", "steps"), [(0.0, 1.0, 50), (1.0, 0.1, 50), (0.1, 1.0, 3)])
def test_the_range_test_refuses_an_empty_range(small_net, stripes, low, high, steps):
    with pytest.raises(UsageError, match="needs 0 < low < high and steps >= 10"):
        learning_rate_range_test(small_net(), stripes[0], low, high, steps)


def batch_of(stripes, count: int):
    images, labels = stripes[0].arrays
    return images[:count], labels[:count]


def test_a_batch_is_learned_by_heart(stripes):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 32, activation="relu"), nn.Linear(32, 3))
    found = overfit_one_batch(model, *batch_of(stripes, 12), steps=400, learning_rate=0.01)
    assert found.passed and found.final_accuracy == 1.0 and found.final_loss < 0.05
    assert found.steps == len(found.losses) < 400
    assert "Passed: all 12 images are known by heart" in found.verdict


def test_a_net_that_cannot_learn_fails_in_words(stripes):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 8, activation="relu"), nn.Linear(8, 3))
    model[1].bias.data[...] = -100.0
    for parameter in model[2].parameters():
        parameter.data[...] = 0.0
        parameter.requires_grad = False
    found = overfit_one_batch(model, *batch_of(stripes, 12), steps=20)
    assert not found.passed
    assert "has not fallen; look for a part of the graph" in found.verdict


def test_too_few_steps_are_not_a_failure_yet(stripes):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    found = overfit_one_batch(model, *batch_of(stripes, 24), steps=25, learning_rate=0.01)
    assert "Not yet" in found.verdict


def test_a_mad_rate_fails_in_words(stripes):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 32, activation="relu"), nn.Linear(32, 3))
    found = overfit_one_batch(model, *batch_of(stripes, 12), steps=50, learning_rate=1e30)
    assert not found.passed
    assert "no longer a number" in found.verdict


def test_optimizers_start_from_the_same_weights_and_batches(small_net, stripes):
    runs = compare_optimizers(small_net, *stripes, config=CONFIG, steps=40)
    assert len(runs) == 8
    assert len({run.losses[0] for run in runs}) == 1
    assert all(run.losses[-1] < run.losses[0] for run in runs)
    one = compare_optimizers(small_net, *stripes, {"momentum": 0.05}, CONFIG, steps=5)
    assert [(run.optimizer, run.learning_rate) for run in one] == [("momentum", 0.05)]


def test_an_unknown_optimizer_is_refused(small_net, stripes):
    with pytest.raises(UsageError, match="there is no 'lion'"):
        compare_optimizers(small_net, *stripes, {"lion": 0.1}, CONFIG)
