"""What a run is made of: hyper-parameters with their units, the recipes we measured, and the objects they describe."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any

from .. import optim
from ..errors import UsageError
from ..nn import Module

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta")
INITIALISATIONS = ("default", "xavier", "he", "lsuv", "lecun", "normal", "zeros")
SCHEDULES = ("constant", "one_cycle", "cosine", "step")


@dataclass(frozen=True)
class TrainConfig:
    """Every number that decides a training run, with its unit."""

    epochs: int = 10  # passes over the training set
    batch_size: int = 64  # images a step
    optimizer: str = "sgd"  # one of OPTIMIZERS
    learning_rate: float = 0.05  # the largest one of the schedule
    momentum: float = 0.9  # share of the last step that goes on (sgd, rmsprop)
    nesterov: bool = False  # look ahead along the momentum (sgd)
    weight_decay: float = 5e-4  # pull towards zero, a step, times the learning rate
    schedule: str = "one_cycle"  # one of SCHEDULES
    warmup: float = 0.25  # share of the steps in which one_cycle's rate rises
    label_smoothing: float = 0.0  # share of each target spread over all classes
    shift: int = 0  # pixels: training images move at random by up to this much each way
    initialisation: str = "default"  # one of INITIALISATIONS; "default" is each layer's own
    flip: bool = False  # training images are mirrored left-right at random
    seed: int = 0  # decides the initial weights, the order, the augmentation and dropout
    checkpoint_every: int = 0  # steps between checkpoints; 0: one at the end of each epoch
    log_every: int = 50  # steps between step lines in log.jsonl

    def __post_init__(self) -> None:
        _refuse_unless(self.epochs >= 1, "epochs", self.epochs, "be at least 1")
        _refuse_unless(self.batch_size >= 1, "batch_size", self.batch_size, "be at least 1")
        _refuse_unless(self.learning_rate > 0, "learning_rate", self.learning_rate, "be greater than 0")
        _refuse_unless(0 <= self.momentum < 1, "momentum", self.momentum, "lie in [0, 1)")
        _refuse_unless(self.weight_decay >= 0, "weight_decay", self.weight_decay, "be 0 or more")
        _refuse_unless(0 < self.warmup < 1, "warmup", self.warmup, "lie between 0 and 1")
        _refuse_unless(0 <= self.label_smoothing < 1, "label_smoothing", self.label_smoothing, "lie in [0, 1)")
        _refuse_unless(self.shift >= 0, "shift", self.shift, "be 0 or more pixels")
        _refuse_unless(self.checkpoint_every >= 0, "checkpoint_every", self.checkpoint_every, "be 0 or more steps")
        _refuse_unless(self.log_every >= 1, "log_every", self.log_every, "be at least 1 step")
        _refuse_unless(self.seed >= 0, "seed", self.seed, "be 0 or more")
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("schedule", self.schedule, SCHEDULES)
        one_of("initialisation", self.initialisation, INITIALISATIONS)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain numbers and strings, for a checkpoint or a log."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> TrainConfig:
        """The config that `to_dict` wrote; a field that does not exist is named with its nearest neighbour."""
        return cls().replace(**fields)

    def replace(self, **changes: Any) -> TrainConfig:
        """A copy with some fields changed.

        Examples
        --------
        >>> TrainConfig().replace(epochs=3).epochs
        3
        """
        names = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            one_of("TrainConfig field", name, names)
        return dataclasses.replace(self, **changes)


def _refuse_unless(holds: bool, name: str, value: object, rule: str) -> None:
    if not holds:
        raise UsageError(f"TrainConfig: {name} must {rule}, got {value!r}")


def one_of(what: str, value: str, allowed: tuple[str, ...] | list[str]) -> None:
    """Refuse a name that is not on the list, with the nearest one that is."""
    if value not in allowed:
        nearest = difflib.get_close_matches(str(value), allowed, n=1)
        fix = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise UsageError(f"{what}: there is no {value!r}{fix} (one of {', '.join(allowed)})")


# Held-out accuracies of several seeds stand in benchmarks/results.
RECIPES: dict[tuple[str, str], TrainConfig] = {
    ("lenet5", "digits"): TrainConfig(epochs=15, batch_size=50, learning_rate=0.03, shift=2),
    ("lenet5", "mnist"): TrainConfig(epochs=5, batch_size=64, learning_rate=0.05, weight_decay=2e-4, shift=1),
    ("lenet5", "cifar10"): TrainConfig(epochs=12, batch_size=64, learning_rate=0.03, shift=2, flip=True),
    ("lenet5_1998", "digits"): TrainConfig(epochs=12, batch_size=20, learning_rate=0.002, weight_decay=0.0, shift=1),
    ("lenet5_1998", "mnist"): TrainConfig(epochs=5, batch_size=64, learning_rate=0.002, weight_decay=0.0, shift=1),
}


def recipe(model_name: str, data_name: str, **changes: Any) -> TrainConfig:
    """The hyper-parameters we measured for this network on this data, or the defaults where we measured none.

    Parameters
    ----------
    model_name, data_name
        Such as ``"lenet5"`` and ``"digits"``.
    **changes
        Fields of `TrainConfig` that replace the recipe's.

    Raises
    ------
    UsageError
        For a field that `TrainConfig` does not have, naming the nearest one.

    Examples
    --------
    >>> recipe("lenet5", "digits", epochs=1).epochs
    1
    """
    return RECIPES.get((model_name, data_name), TrainConfig()).replace(**changes)


def build_optimizer(model: Module, config: TrainConfig) -> optim.Optimizer:
    """The optimiser that the config names, over the model's trainable parameters."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "sgd":
        # Nesterov's look-ahead is defined along a momentum only.
        nesterov = config.nesterov and config.momentum > 0
        return optim.SGD(parameters, lr=rate, momentum=config.momentum, weight_decay=decay, nesterov=nesterov)
    if config.optimizer == "rmsprop":
        return optim.RMSprop(parameters, lr=rate, momentum=config.momentum, weight_decay=decay)
    classes = {"adam": optim.Adam, "adamw": optim.AdamW, "adagrad": optim.Adagrad, "adadelta": optim.Adadelta}
    return classes[config.optimizer](parameters, lr=rate, weight_decay=decay)


def build_scheduler(
    optimizer: optim.Optimizer, config: TrainConfig, steps_per_epoch: int
) -> optim.lr_scheduler.LRScheduler | None:
    """The schedule that the config names; it is stepped once after every optimiser step."""
    steps = config.epochs * steps_per_epoch
    if config.schedule == "one_cycle":
        return optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=config.learning_rate, total_steps=steps, pct_start=config.warmup, cycle_momentum=False
        )
    if config.schedule == "cosine":
        return optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    if config.schedule == "step":
        # The classic plan of ResNet-style runs: a tenth of the rate at half and at three quarters of the way.
        return optim.lr_scheduler.MultiStepLR(optimizer, milestones=[steps // 2, steps * 3 // 4], gamma=0.1)
    return None
