"""Each hint is given when its mistake is made, and not otherwise."""

import math

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.tensor import Tensor
from tinycnn.train import (
    TrainConfig,
    dead_fractions,
    dead_relus,
    learning_rate_too_high,
    prepare,
    probabilities_as_logits,
    stuck_at_log_classes,
    train,
    unscaled_inputs,
)


def hints_of(build_model, stripes, config):
    result = train(*prepare(build_model, *stripes, config), config, show=False)
    return {hint.kind for hint in result.hints}


def test_a_run_that_goes_well_gets_no_hint(small_net, stripes):
    assert hints_of(small_net, stripes, TrainConfig(epochs=20, batch_size=16, learning_rate=0.05)) == set()


def test_zero_weights_stay_at_ln_c(small_net, stripes):
    config = TrainConfig(epochs=40, batch_size=16, learning_rate=0.05, initialisation="zeros")
    assert "stuck" in hints_of(small_net, stripes, config)


def test_stuck_counts_only_recent_steps():
    assert stuck_at_log_classes([math.log(10)] * 199, 10) is None
    assert stuck_at_log_classes([math.log(10)] * 200 + [2.27] * 20, 10) is None
    assert "which is ln 10" in stuck_at_log_classes([9.0] * 200 + [math.log(10)] * 20, 10).sentence


def test_a_bias_far_below_zero_kills_relus():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, activation="relu"), nn.Flatten(), nn.Linear(16, 8), nn.ReLU())
    images = Tensor(np.random.default_rng(0).standard_normal((20, 1, 4, 4)).astype(np.float32))
    net[0].bias.data[:3] = -100.0
    assert dead_fractions(net, images)["0"] == 0.75
    assert "75 % of the units of layer 0 are zero for all 20 images" in dead_relus(net, images).sentence
    net[0].bias.data[:3] = 1.0
    assert dead_relus(net, images) is None
    assert net.training


def test_a_net_without_relus_has_none_dead():
    assert dead_relus(nn.Sequential(nn.Linear(3, 3)), Tensor(np.ones((4, 3), np.float32))) is None


def test_dead_relus_are_noticed_in_a_run(stripes):
    def build():
        net = nn.Sequential(nn.Flatten(), nn.Linear(16, 8, activation="relu"), nn.Linear(8, 3))
        net[1].bias.data[...] = -50.0
        return net

    assert "dead_relus" in hints_of(build, stripes, TrainConfig(epochs=1, batch_size=16))


def test_a_huge_learning_rate_makes_the_loss_rise(small_net, stripes):
    config = TrainConfig(epochs=20, batch_size=16, learning_rate=2.0, schedule="constant", weight_decay=0.0)
    assert "learning_rate" in hints_of(small_net, stripes, config)


def test_loss_curves_that_are_and_are_not_too_fast():
    falling = list(np.linspace(2.3, 0.5, 60))
    assert learning_rate_too_high(falling) is None
    assert learning_rate_too_high(falling[:30]) is None
    assert "rose from 2.3 to 8" in learning_rate_too_high([2.3] * 20 + [8.0] * 20).sentence
    assert "jumps about" in learning_rate_too_high([2.3] * 20 + [0.2, 4.0] * 10).sentence


def test_a_softmax_before_the_loss_is_noticed(stripes):
    def build():
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.Softmax(1))

    assert "probabilities" in hints_of(build, stripes, TrainConfig(epochs=1, batch_size=16))


def test_rows_that_sum_to_one_are_noticed_without_a_softmax_layer():
    rows = np.array([[0.2, 0.8], [0.5, 0.5]], np.float32)
    hint = probabilities_as_logits(nn.Sequential(nn.Linear(2, 2)), rows)
    assert "rows of the model's output sum to 1" in hint.sentence
    assert probabilities_as_logits(nn.Sequential(nn.Linear(2, 2)), rows - 1) is None


@pytest.mark.parametrize(("scale", "shift", "given"), [(1.0, 0.0, False), (255.0, 0.0, True), (0.001, 0.0, True), (1.0, 9.0, True)])
def test_unscaled_images_are_noticed(scale, shift, given):
    images = np.random.default_rng(1).standard_normal((8, 1, 5, 5)) * scale + shift
    assert (unscaled_inputs(images) is not None) == given


def test_a_hint_is_given_once_and_written_down(tmp_path, small_net, stripes):
    config = TrainConfig(epochs=3, batch_size=16, initialisation="zeros")
    for data_set in stripes:
        data_set.arrays[0][...] *= 200
    train(*prepare(small_net, *stripes, config), config, show=False, output=tmp_path)
    text = (tmp_path / "log.jsonl").read_text()
    assert text.count('"kind": "unscaled"') == 1
