"""Recipes by network, data and name; the paper's in numbers."""

import pytest

from tinycnn.errors import UsageError
from tinycnn.train import NAMED_RECIPES, RECIPES, recipe


def test_the_recipe_of_the_residual_networks_paper():
    config = recipe("resnet20", "cifar10", recipe_name="paper")
    assert (config.epochs, config.batch_size, config.learning_rate, config.momentum, config.weight_decay) == (164, 128, 0.1, 0.9, 1e-4)
    assert (config.schedule, config.shift, config.flip, config.nesterov, config.decay_all) == ("step", 4, True, False, True)
    # 64,000 steps of 128 images, in the paper's words.
    assert abs(config.epochs * 50_000 / config.batch_size / 64_000 - 1) < 0.01


def test_every_network_of_the_midterm_has_one():
    names = "vgg16 mobilenet mobilenet_v2 googlenet shufflenet_v2 inception_v3 inception_v4 xception resnext densenet efficientnet"
    for name in names.split():
        assert (f"{name}_cifar", "cifar10") in RECIPES
    assert recipe("resnet20", "cifar10").epochs == 15


def test_a_name_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match=r"lenet5 on digits has no named recipe; these have: .*resnet20 on cifar10"):
        recipe("lenet5", "digits", recipe_name="paper")
    with pytest.raises(UsageError, match="did you mean 'paper'"):
        recipe("resnet20", "cifar10", recipe_name="papre")
    assert all(config.epochs >= 100 for config in NAMED_RECIPES.values())
