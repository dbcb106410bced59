"""Averaged weights, clipped gradients, accumulated batches, spared biases, side branches: each does what its formula says."""

import numpy as np
import pytest

from tests.train.small_problems import make_stripes
from tinycnn import functional, nn
from tinycnn.errors import UsageError
from tinycnn.tensor import Tensor
from tinycnn.train import TrainConfig, WeightAverage, build_optimizer, prepare, train, with_side_branches

CONFIG = TrainConfig(epochs=2, batch_size=16, learning_rate=0.1, schedule="constant", momentum=0.0, weight_decay=0.0)


def plain_net():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


def learn(config, build=plain_net):
    run = prepare(build, make_stripes(96, seed=1), make_stripes(30, seed=2), config)
    result = train(*run, config, show=False)
    return run.model, result


def test_accumulated_batches_are_one_large_batch():
    small, small_result = learn(CONFIG.replace(batch_size=8, accumulate=4))
    large, large_result = learn(CONFIG.replace(batch_size=32))
    assert len(small_result.step_losses) == len(large_result.step_losses) == 6
    np.testing.assert_allclose(small_result.step_losses, large_result.step_losses, rtol=1e-5)
    for one, other in zip(small.parameters(), large.parameters(), strict=True):
        np.testing.assert_allclose(one.data, other.data, atol=1e-6)


def test_an_epoch_s_last_group_may_be_smaller():
    config = CONFIG.replace(batch_size=20, accumulate=3)
    _, result = learn(config)
    assert len(result.step_losses) == 2 * 2  # batches of 20, 20, 20 and 20, 16
    schedule = CONFIG.replace(batch_size=20, accumulate=3, schedule="one_cycle")
    assert learn(schedule)[1].learning_rates[-1] < 1e-3


def test_clipping_bounds_the_step():
    config = CONFIG.replace(clip_norm=1e-3, epochs=1, batch_size=96)
    start = prepare(plain_net, make_stripes(96, seed=1), make_stripes(30, seed=2), config).model
    before = [parameter.data.copy() for parameter in start.parameters()]
    model, _ = learn(config)
    moved = np.sqrt(sum(((after.data - start) ** 2).sum() for after, start in zip(model.parameters(), before, strict=True)))
    assert np.isclose(moved, 0.1 * 1e-3, rtol=1e-2)


def test_weight_decay_can_spare_vectors():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    groups = build_optimizer(net, CONFIG.replace(weight_decay=0.1, decay_all=False)).param_groups
    assert [(len(group["params"]), group["weight_decay"]) for group in groups] == [(1, 0.1), (3, 0.0)]
    assert len(build_optimizer(net, CONFIG.replace(weight_decay=0.1)).param_groups) == 1
    only = nn.BatchNorm2d(4)
    assert [group["weight_decay"] for group in build_optimizer(only, CONFIG.replace(weight_decay=0.1, decay_all=False)).param_groups] == [0.0]


def test_the_average_follows_its_formula_and_gives_the_weights_back():
    net = nn.Linear(2, 2)
    expected = net.weight.data.astype(np.float64)
    average = WeightAverage(net, 0.6)
    for step in range(1, 9):
        net.weight.data[...] = step
        average.update()
        decay = min(0.6, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    with average.in_place() as averaged:
        np.testing.assert_allclose(averaged.weight.data, expected, rtol=1e-6)
    assert (net.weight.data == 8).all()
    average.copy_to_model()
    np.testing.assert_allclose(net.weight.data, expected, rtol=1e-6)
    with pytest.raises(UsageError, match=r"decay must lie in \[0, 1\), got 1"):
        WeightAverage(net, 1)


def test_batch_counters_are_copied_not_averaged():
    net = nn.BatchNorm1d(2)
    average = WeightAverage(net, 0.9)
    for _ in range(3):
        net(Tensor(np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32)))
        average.update()
    assert int(average.state_dict()["average"]["num_batches_tracked"]) == 3


def test_averaged_weights_are_evaluated_beside_the_raw_ones_and_change_nothing():
    model, result = learn(CONFIG.replace(average=0.9))
    bare, other = learn(CONFIG)
    for one, same in zip(model.parameters(), bare.parameters(), strict=True):
        np.testing.assert_array_equal(one.data, same.data)
    assert result.step_losses == other.step_losses
    assert all(0 <= epoch.average_accuracy <= 1 for epoch in result.epochs)
    assert result.epochs[0].average_loss != result.epochs[0].test_loss
    assert other.epochs[0].average_accuracy is None


class Branched(nn.Module):
    """16 pixels to 3 classes, with a side branch in training."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten, self.body, self.head, self.side = nn.Flatten(), nn.Linear(16, 8, activation="relu"), nn.Linear(8, 3), nn.Linear(8, 3)

    def forward(self, x):
        code = self.body(self.flatten(x))
        return (self.head(code), self.side(code), None) if self.training else self.head(code)


def test_side_branches_count_with_their_weight():
    images, labels = make_stripes(12, seed=1).arrays
    net = Branched()
    main, side, _ = net(Tensor(images))
    target = Tensor(labels)
    loss = with_side_branches(functional.cross_entropy, 0.3)(net(Tensor(images)), target)
    expected = functional.cross_entropy(main, target).item() + 0.3 * functional.cross_entropy(side, target).item()
    assert np.isclose(loss.item(), expected, rtol=1e-6)
    loss.backward()
    ours = net.side.weight.grad.data.copy()
    net.zero_grad()
    functional.cross_entropy(net(Tensor(images))[1], target).backward()
    np.testing.assert_allclose(ours, 0.3 * net.side.weight.grad.data, rtol=1e-5, atol=1e-8)


def test_a_network_with_side_branches_trains():
    model, result = learn(CONFIG.replace(epochs=8), Branched)
    assert result.epochs[-1].test_accuracy > 0.8
    start = prepare(Branched, make_stripes(96, seed=1), make_stripes(30, seed=2), CONFIG).model
    assert (model.side.weight.data != start.side.weight.data).any()
    still, _ = learn(CONFIG.replace(side_weight=0.0), Branched)
    np.testing.assert_array_equal(still.side.weight.data, start.side.weight.data)
