"""Hyper-parameters by network and data set: what we measured, what the papers wrote, and where to begin with the others."""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from .config import TrainConfig, one_of

# Five ten-thousandths of decay and one cycle of the rate: what short runs on CIFAR-10 usually need.
CIFAR = TrainConfig(
    epochs=15,
    batch_size=128,
    learning_rate=0.2,
    nesterov=True,
    weight_decay=5e-4,
    decay_all=False,
    warmup=0.25,
    shift=4,
    flip=True,
)
# Without normalisation layers the largest stable rate is lower, and the first steps are the dangerous ones.
CIFAR_PLAIN = CIFAR.replace(learning_rate=0.03, clip_norm=5.0)
CIFAR_GENTLE = CIFAR.replace(learning_rate=0.1)

# Held-out accuracies of several seeds stand in benchmarks/results.
RECIPES: dict[tuple[str, str], TrainConfig] = {
    ("lenet5", "digits"): TrainConfig(epochs=15, batch_size=50, learning_rate=0.03, shift=2),
    ("lenet5", "mnist"): TrainConfig(epochs=5, batch_size=64, learning_rate=0.05, weight_decay=2e-4, shift=1),
    ("lenet5", "cifar10"): TrainConfig(epochs=12, batch_size=64, learning_rate=0.03, shift=2, flip=True),
    ("lenet5_1998", "digits"): TrainConfig(epochs=12, batch_size=20, learning_rate=0.002, weight_decay=0.0, shift=1),
    ("lenet5_1998", "mnist"): TrainConfig(epochs=5, batch_size=64, learning_rate=0.002, weight_decay=0.0, shift=1),
    **{(f"resnet{depth}", "cifar10"): CIFAR for depth in (20, 32, 44, 56, 110)},
    **{(f"plain{depth}", "cifar10"): CIFAR_GENTLE for depth in (20, 32, 44, 56, 110)},
    **{
        (f"{name}_cifar", "cifar10"): CIFAR_GENTLE
        for name in (
            "vgg11",
            "vgg13",
            "vgg16",
            "vgg19",
            "googlenet",
            "mobilenet",
            "mobilenet_v2",
            "shufflenet_v2",
            "inception_v4",
            "xception",
            "resnext",
            "densenet",
            "efficientnet",
        )
    },
    # torchvision's recipe weighs Inception v3's side branch so, where it is built with one.
    ("inception_v3_cifar", "cifar10"): CIFAR_GENTLE.replace(side_weight=0.4),
    **{(f"{name}_cifar", "cifar10"): CIFAR_PLAIN for name in ("alexnet", "network_in_network", "squeezenet")},
}

# He et al. 2016, section 4.2: 64,000 steps of 128 images, which are 164 epochs of 50,000; a tenth of the rate at 32,000 and 48,000 steps, which
# "step" does at half and at three quarters; crops out of 4 pixels of padding, mirroring; He's initialisation is the networks' own.
RESNET_PAPER = TrainConfig(
    epochs=164, batch_size=128, learning_rate=0.1, momentum=0.9, weight_decay=1e-4, schedule="step", shift=4, flip=True
)
# Huang et al. 2017, section 4.2: 300 epochs of 64 images, a tenth of the rate at half and at three quarters.
DENSENET_PAPER = RESNET_PAPER.replace(epochs=300, batch_size=64, nesterov=True)

# By recipe, network and data set.
NAMED_RECIPES: dict[tuple[str, str, str], TrainConfig] = {
    **{("paper", f"{kind}{depth}", "cifar10"): RESNET_PAPER for kind in ("resnet", "plain") for depth in (20, 32, 44, 56, 110)},
    ("paper", "densenet_cifar", "cifar10"): DENSENET_PAPER,
}


def recipe(model_name: str, data_name: str, *, recipe_name: str = "", **changes: Any) -> TrainConfig:
    """The hyper-parameters we measured for this network on this data, or the defaults where we measured none.

    Parameters
    ----------
    model_name, data_name
        Such as ``"lenet5"`` and ``"digits"``.
    recipe_name
        Another recipe for the two by its name, such as ``"paper"``.
    **changes
        Fields of `TrainConfig` that replace the recipe's.

    Raises
    ------
    UsageError
        For a recipe that does not exist, or a field that `TrainConfig` does not have, naming the nearest one.

    Examples
    --------
    >>> recipe("lenet5", "digits", epochs=1).epochs
    1
    >>> recipe("resnet20", "cifar10", recipe_name="paper").epochs
    164
    """
    if recipe_name:
        names = sorted({name for name, model, data in NAMED_RECIPES if (model, data) == (model_name, data_name)})
        if not names:
            others = sorted({f"{model} on {data}" for _, model, data in NAMED_RECIPES})
            raise UsageError(f"recipe: {model_name} on {data_name} has no named recipe; these have: {', '.join(others)}")
        one_of(f"recipe of {model_name} on {data_name}", recipe_name, names)
        return NAMED_RECIPES[recipe_name, model_name, data_name].replace(**changes)
    return RECIPES.get((model_name, data_name), TrainConfig()).replace(**changes)
