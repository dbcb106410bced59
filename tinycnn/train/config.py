"""What a run is made of: hyper-parameters with their units, and the objects they describe."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any

from .. import optim
from ..errors import UsageError
from ..nn import Module, Parameter

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
    decay_all: bool = True  # False: weight decay spares biases and the scales and shifts of normalisation
    clip_norm: float = 0.0  # the largest Euclidean norm of all gradients together; 0: not clipped
    accumulate: int = 1  # batches whose gradients are averaged before a step; batch_size times this is the batch that learns
    average: float = 0.0  # decay of the moving average of the weights (EMA), which is evaluated beside them; 0: none
    side_weight: float = 0.3  # of the loss of each side branch, where a network has some (GoogLeNet)
    schedule: str = "one_cycle"  # one of SCHEDULES
    warmup: float = 0.25  # share of the steps in which one_cycle's rate rises
    label_smoothing: float = 0.0  # share of each target spread over all classes
    shift: int = 0  # pixels: training images move at random by up to this much each way
    initialisation: str = "default"  # one of INITIALISATIONS; "default" is each layer's own
    flip: bool = False  # training images are mirrored left-right at random
    symmetry: bool = False  # detectors: training images are changed as the data set's own `symmetry` says, where it has one
    rotate: float = 0.0  # degrees: training images turn at random by up to this much each way
    elastic: float = 0.0  # strength in pixels of random rubber-sheet deformations, smoothed over 4 pixels
    colour: float = 0.0  # brightness, contrast and saturation change by up to this share, the hue by a quarter of it in turns
    cutout: int = 0  # pixels a side of a square blotted out of each training image
    erase: float = 0.0  # probability that a random rectangle of a training image is blotted out
    mixup: float = 0.0  # alpha of the share by which training images are blended in pairs; 0: none
    cutmix: float = 0.0  # alpha of the share of the box that training images take over in pairs; 0: none
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
        _refuse_unless(self.clip_norm >= 0, "clip_norm", self.clip_norm, "be 0 or more")
        _refuse_unless(self.accumulate >= 1, "accumulate", self.accumulate, "be at least 1 batch")
        _refuse_unless(0 <= self.average < 1, "average", self.average, "lie in [0, 1), such as 0.999")
        _refuse_unless(0 <= self.erase <= 1, "erase", self.erase, "be a probability from 0 to 1")
        for name in ("side_weight", "rotate", "elastic", "colour", "cutout", "mixup", "cutmix"):
            _refuse_unless(getattr(self, name) >= 0, name, getattr(self, name), "be 0 or more")
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


def build_optimizer(model: Module, config: TrainConfig, groups: list[dict[str, Any]] | None = None) -> optim.Optimizer:
    """The optimiser that the config names, over the model's trainable parameters or over groups with options of their own."""
    parameters: list[Any] = groups or decay_groups([parameter for parameter in model.parameters() if parameter.requires_grad], config)
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimizer == "sgd":
        # Nesterov's look-ahead is defined along a momentum only.
        nesterov = config.nesterov and config.momentum > 0
        return optim.SGD(parameters, lr=rate, momentum=config.momentum, weight_decay=decay, nesterov=nesterov)
    if config.optimizer == "rmsprop":
        return optim.RMSprop(parameters, lr=rate, momentum=config.momentum, weight_decay=decay)
    classes = {"adam": optim.Adam, "adamw": optim.AdamW, "adagrad": optim.Adagrad, "adadelta": optim.Adadelta}
    return classes[config.optimizer](parameters, lr=rate, weight_decay=decay)


def decay_groups(parameters: list[Parameter], config: TrainConfig) -> list[Any]:
    """The parameters as they are; two groups where weight decay is to spare those of one axis, biases and normalisation's.

    Shrinking a scale or a shift that normalisation follows or a bias does not make the function simpler.
    """
    if config.decay_all or not config.weight_decay:
        return parameters
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def build_scheduler(
    optimizer: optim.Optimizer, config: TrainConfig, steps_per_epoch: int
) -> optim.lr_scheduler.LRScheduler | None:
    """The schedule that the config names; it is stepped once after every optimiser step."""
    steps = config.epochs * steps_per_epoch
    if config.schedule == "one_cycle":
        highest = [float(group["lr"]) for group in optimizer.param_groups]
        return optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=highest, total_steps=steps, pct_start=config.warmup, cycle_momentum=False
        )
    if config.schedule == "cosine":
        return optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    if config.schedule == "step":
        # The classic plan of ResNet-style runs: a tenth of the rate at half and at three quarters of the way.
        return optim.lr_scheduler.MultiStepLR(optimizer, milestones=[steps // 2, steps * 3 // 4], gamma=0.1)
    return None
