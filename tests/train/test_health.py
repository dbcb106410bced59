"""Each finding of the health tutor is made when its mistake is, and not otherwise; and looking changes nothing."""

import math

import numpy as np
import pytest

import tinycnn
from tests.train.small_problems import make_small_net, make_stripes
from tinycnn import nn
from tinycnn.errors import ShapeError, UsageError
from tinycnn.tensor import Tensor
from tinycnn.train import TrainConfig, collapsed_embeddings, health, prepare, train
from tinycnn.train.health import Measurements, diagnose
from tinycnn.train.health_words import WHY
from tinycnn.train.probe import SETTLED, StepProbe


def batch(count=32):
    images, labels = zip(*(make_stripes(count, 1)[index] for index in range(count)), strict=True)
    return np.stack(images), np.array(labels)


def kinds(found, level=None):
    return {finding.kind for finding in found.findings if level is None or finding.level == level}


def deep(activation, layers=12, scale=1.0):
    steps = [nn.Flatten()]
    generator = np.random.default_rng(0)
    for _ in range(layers):
        linear = nn.Linear(16, 16)
        linear.weight.data[...] = scale * generator.standard_normal((16, 16)) / 4
        steps += [linear, activation()]
    return nn.Sequential(*steps, nn.Linear(16, 3))


def test_a_healthy_net_is_told_so():
    found = health(make_small_net(), *batch(), learning_rate=0.01)
    assert kinds(found) == {"well", "updates"} and kinds(found, "good") == {"well", "updates"}
    linear = found.layers[1]
    assert linear.update_ratio == pytest.approx(0.01 * linear.gradient_ratio) and linear.forward_ms > 0 and linear.backward_ms > 0


def test_looking_changes_nothing():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    before = {name: value.data.copy() for name, value in model.state_dict().items()}
    health(model, *batch())
    dropping, state = make_small_net(), tinycnn.random.get_state()
    health(dropping, *batch())
    assert repr(tinycnn.random.get_state()) == repr(state)
    assert all(np.array_equal(before[name], value.data) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_probe_leaves_the_gradients_bits_alone():
    images, labels = batch()

    def gradients(watch):
        tinycnn.manual_seed(0)
        model = deep(nn.ReLU, 3)
        probe = StepProbe(model)
        if watch:
            probe.attach()
        nn.CrossEntropyLoss()(model(Tensor(images)), Tensor(labels)).backward()
        probe.detach()
        return [parameter.grad.data.copy() for parameter in model.parameters()], probe

    (plain, _), (watched, probe) = gradients(False), gradients(True)
    assert all(np.array_equal(left, right) for left, right in zip(plain, watched, strict=True))
    last = probe.layers["7"]
    # d loss / d logits is (softmax - one-hot) / N
    powers = np.exp(probe.outputs - probe.outputs.max(1, keepdims=True))
    expected = powers / powers.sum(1, keepdims=True)
    expected[np.arange(len(labels)), labels] -= 1
    assert last.gradient == pytest.approx(expected[0] / len(labels), abs=1e-6)
    assert last.gradient_rms == pytest.approx(math.sqrt(np.mean((expected / len(labels)) ** 2)), rel=1e-4)


def test_dead_units():
    model = make_small_net()
    model[1].bias.data[:18] = -100.0
    found = health(model, *batch())
    assert "dead_relus" in kinds(found, "bad") and found.layers[1].dead == 0.75
    assert "75 % of the units of layer 1 are zero for all 32 images" in found.findings[0].sentence
    model[1].bias.data[8:18] = 1.0
    assert "dead_relus" in kinds(health(model, *batch()), "watch")


def test_vanishing_and_exploding():
    assert "vanishing" in kinds(health(deep(nn.Sigmoid), *batch()), "bad")
    assert "vanishing" not in kinds(health(deep(nn.ReLU, scale=1.4), *batch()))
    images, labels = batch()
    assert "exploding" in kinds(health(deep(nn.ReLU, scale=6.0), images, labels), "bad")


def test_not_a_number():
    model = make_small_net()
    model[3].weight.data[0, 0] = np.inf
    found = health(model, *batch())
    assert any("holds NaN or infinity" in finding.sentence for finding in found.findings)


def test_plateau_double_softmax_and_wrong_normalisation():
    images, labels = batch()
    assert "stuck" in kinds(health(make_small_net(), images, labels, losses=[math.log(3)] * 200), "bad")
    assert "stuck" not in kinds(health(make_small_net(), images, labels, losses=[0.4] * 200))
    assert "probabilities" in kinds(health(nn.Sequential(make_small_net(), nn.Softmax(1)), images, labels), "bad")
    assert "unscaled" in kinds(health(make_small_net(), 255 * images, labels), "bad")
    # What the tutor says of the double softmax: with 10 classes the loss stays above 1.46.
    assert -math.log(math.e / (math.e + 9)) == pytest.approx(1.46, abs=0.005) and "1.46" in WHY["probabilities"]


def test_update_sizes():
    images, labels = batch()
    assert "updates" in kinds(health(make_small_net(), images, labels, learning_rate=10.0), "watch")
    slow = health(make_small_net(), images, labels, learning_rate=1e-7)
    assert "updates" in kinds(slow, "watch") and "raise the learning rate" in str(slow.findings[0])
    # At the end of a schedule the same is as it should be.
    seen = Measurements(make_small_net(), slow.layers, rates=[0.05, 1e-7])
    assert {finding.level for finding in diagnose(seen)} == {"good"}


def test_batch_norm_that_drifted():
    images, labels = batch()
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(16, 3))
    assert "frozen_drift" not in kinds(health(model, images, labels))
    model[0].running_mean.data[...] = 8.0
    assert not kinds(health(model, images, labels)) & {"frozen_drift", "running_drift"}  # the statistics have hardly begun
    model[0].num_batches_tracked.data[...] = SETTLED
    assert "running_drift" in kinds(health(model, images, labels), "watch")
    model[0].eval()
    assert "frozen_drift" in kinds(health(model, images, labels), "bad")
    model[0].running_mean.data[...], model[0].running_var.data[...] = images.mean(), 100.0
    assert "frozen_drift" in kinds(health(model, images, labels), "bad")
    model[0].running_var.data[...] = images.var()
    assert "frozen_drift" not in kinds(health(model, images, labels))


def test_one_class_for_all():
    model = make_small_net()
    model[3].bias.data[1] = 50.0
    images, labels = batch()
    assert "one_class" in kinds(health(model, images, labels, losses=[1.0] * 100), "bad")
    assert "one_class" not in kinds(health(model, images, labels, losses=[1.0] * 10))


def test_overfitting_needs_a_rising_test_loss():
    def row(train_accuracy, test_accuracy, test_loss):
        return {"train_accuracy": train_accuracy, "test_accuracy": test_accuracy, "test_loss": test_loss}

    rows = [row(0.6, 0.6, 1.0), row(0.99, 0.7, 1.4)]
    assert "overfitting" in kinds(health(make_small_net(), *batch(), epochs=rows), "watch")
    assert "overfitting" not in kinds(health(make_small_net(), *batch(), epochs=[rows[0], row(0.99, 0.7, 0.9)]))


def test_collapsed_embeddings():
    generator = np.random.default_rng(0)
    assert collapsed_embeddings(generator.standard_normal((20, 8))) is None
    found = collapsed_embeddings(3.0 + 1e-4 * generator.standard_normal((20, 8)), margin=0.2)
    assert found.level == "bad" and "stands at its margin, 0.2" in found.sentence
    with pytest.raises(ShapeError, match=r"must be \(N, D\)"):
        collapsed_embeddings(np.ones(3))


def test_text_and_dict():
    found = health(make_small_net(), *batch(), learning_rate=0.01)
    lines = found.text().splitlines()
    assert lines[0].split()[:3] == ["layer", "kind", "weight"] and lines[2].startswith("1      Linear + ReLU")
    assert "[good] Nothing looks wrong." in lines and any(line.startswith("    why: ") for line in lines)
    told = found.to_dict()
    assert told["findings"][0]["kind"] == "well" and told["layers"][1]["update_ratio"] == found.layers[1].update_ratio


def test_every_finding_of_a_real_run_is_explained():
    result = train(*prepare(make_small_net, make_stripes(96, 1), make_stripes(30, 2), TrainConfig(epochs=2)), TrainConfig(epochs=2), show=False)
    assert all(hint.kind in WHY for hint in result.hints)
    assert all(len(words) > 60 for words in WHY.values())


@pytest.mark.parametrize(
    ("images", "labels", "options", "error", "words"),
    [
        (np.ones((4, 16)), np.zeros(3), {}, ShapeError, "one batch of equal, positive length"),
        (np.ones((0, 16)), np.zeros(0), {}, ShapeError, "one batch of equal, positive length"),
        (np.ones((4, 16)), np.zeros(4), {"learning_rate": -1.0}, UsageError, "must be a positive number"),
        (np.ones((4, 16)), np.zeros(4), {"learning_rate": math.nan}, UsageError, "must be a positive number"),
    ],
)
def test_refusals(images, labels, options, error, words):
    with pytest.raises(error, match=words):
        health(make_small_net(), images, labels, **options)
