"""Hyper-parameters: what a config refuses, and the objects it describes."""

import numpy as np
import pytest

from tinycnn import nn, optim
from tinycnn.errors import UsageError
from tinycnn.train import TrainConfig, build_optimizer, build_scheduler, recipe


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("epochs", 0, "epochs must be at least 1, got 0"),
        ("batch_size", 0, "batch_size must be at least 1"),
        ("learning_rate", 0.0, "learning_rate must be greater than 0"),
        ("momentum", 1.0, r"momentum must lie in \[0, 1\)"),
        ("weight_decay", -1.0, "weight_decay must be 0 or more"),
        ("warmup", 1.0, "warmup must lie between 0 and 1"),
        ("label_smoothing", 1.0, "label_smoothing must lie in"),
        ("shift", -1, "shift must be 0 or more pixels"),
        ("checkpoint_every", -1, "checkpoint_every must be 0 or more steps"),
        ("clip_norm", -1.0, "clip_norm must be 0 or more"),
        ("accumulate", 0, "accumulate must be at least 1 batch"),
        ("average", 1.0, r"average must lie in \[0, 1\), such as 0.999"),
        ("side_weight", -0.1, "side_weight must be 0 or more"),
        ("erase", 1.5, "erase must be a probability from 0 to 1"),
        ("cutout", -1, "cutout must be 0 or more"),
        ("mixup", -0.2, "mixup must be 0 or more"),
        ("log_every", 0, "log_every must be at least 1 step"),
        ("seed", -1, "seed must be 0 or more"),
        ("optimizer", "adm", "did you mean 'adam'"),
        ("schedule", "cosin", "did you mean 'cosine'"),
        ("initialisation", "xaver", "did you mean 'xavier'"),
        ("learning_rat", 0.1, "did you mean 'learning_rate'"),
    ],
)
def test_a_config_refuses_what_cannot_be_meant(field, value, match):
    with pytest.raises(UsageError, match=match):
        TrainConfig().replace(**{field: value})


def test_a_config_survives_the_way_through_json():
    config = TrainConfig(epochs=3, learning_rate=0.1 + 0.2, schedule="cosine")
    assert TrainConfig.from_dict(config.to_dict()) == config


def test_a_recipe_can_be_changed_and_an_unknown_pair_gets_the_defaults():
    assert recipe("lenet5", "digits", seed=4).seed == 4
    assert recipe("somenet", "somedata") == TrainConfig()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd", optim.SGD),
        ("adam", optim.Adam),
        ("adamw", optim.AdamW),
        ("rmsprop", optim.RMSprop),
        ("adagrad", optim.Adagrad),
        ("adadelta", optim.Adadelta),
    ],
)
def test_each_optimizer_gets_the_rate(name, kind):
    optimizer = build_optimizer(nn.Linear(2, 2), TrainConfig(optimizer=name, learning_rate=0.25))
    assert type(optimizer) is kind
    assert optimizer.param_groups[0]["lr"] == 0.25


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "step"])
def test_a_schedule_ends_low_after_exactly_the_run(schedule):
    config = TrainConfig(epochs=3, learning_rate=0.1, schedule=schedule)
    optimizer = build_optimizer(nn.Linear(2, 2), config)
    scheduler = build_scheduler(optimizer, config, steps_per_epoch=10)
    rates = []
    for _ in range(30):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert np.isclose(max(rates), 0.1, rtol=0.01)
    assert rates[-1] <= 0.0101


def test_a_constant_rate_needs_no_schedule():
    config = TrainConfig(schedule="constant")
    assert build_scheduler(build_optimizer(nn.Linear(2, 2), config), config, 10) is None
