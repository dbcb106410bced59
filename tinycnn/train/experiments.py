"""Small experiments before the long run: does it learn at all, how fast may it go, how should it start, by what rule.

Each returns plain numbers; the command line draws them.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import optim
from .. import random as tinycnn_random
from ..autograd import no_grad
from ..errors import UsageError
from ..nn import Module
from ..tensor import Tensor
from .branches import with_side_branches
from .config import TrainConfig, build_optimizer
from .diagnose import watch_outputs
from .evaluate import LossFunction, as_batch, evaluate, loss_of
from .prepare import build_loaders, first_images, initialise

SCHEMES = ("xavier", "he", "lsuv", "lecun", "normal", "zeros")
LEARNED_LOSS = 0.05  # nats: a batch known by heart
DIVERGED = 4.0  # times the best loss so far: the range test stops there
SMOOTHING = 0.9  # of the range test's running mean

# The rules of the comparison, each at a rate that suits LeNet-5; what is not named comes from the config.
OPTIMIZER_VARIANTS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.1},
    "momentum": {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.02},
    "nesterov": {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "learning_rate": 0.02},
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.02},
    "adadelta": {"optimizer": "adadelta", "learning_rate": 1.0},
    "rmsprop": {"optimizer": "rmsprop", "momentum": 0.0, "learning_rate": 0.001},
    "adam": {"optimizer": "adam", "learning_rate": 0.002},
    "adamw": {"optimizer": "adamw", "learning_rate": 0.002, "weight_decay": 0.01},
}


@dataclass(frozen=True)
class LayerStatistics:
    """A layer's output over one batch."""

    layer: str
    mean: float
    std: float
    zero_fraction: float  # share of the elements that are exactly 0


@dataclass(frozen=True)
class InitialisationRun:
    """What became of one way to start."""

    scheme: str
    losses: list[float]  # one a step
    activations: list[LayerStatistics]  # before the first step, in the order of the layers
    activations_after: list[LayerStatistics]
    test_accuracy: float | None  # None without a test set


@dataclass(frozen=True)
class RangeTest:
    """The loss while the learning rate grows."""

    learning_rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float  # where the smoothed loss fell fastest
    diverged_at: float | None  # None when it never did
    sentence: str


@dataclass(frozen=True)
class OverfitResult:
    """Whether a model can learn one batch by heart."""

    passed: bool
    losses: list[float]
    final_loss: float
    final_accuracy: float
    steps: int
    verdict: str


@dataclass(frozen=True)
class OptimizerRun:
    """What one update rule reached in the steps that all were given."""

    optimizer: str
    learning_rate: float
    losses: list[float]  # one a step
    test_accuracy: float
    seconds: float


def take_steps(
    model: Module,
    batches: Iterator[tuple[Tensor, Tensor]],
    optimizer: optim.Optimizer,
    steps: int,
    loss_function: LossFunction | None = None,
    before_step: Callable[[int], None] | None = None,
) -> Iterator[float]:
    """Learn from up to `steps` batches, giving each loss; ends after one that is NaN or infinite."""
    criterion = with_side_branches(loss_function or loss_of(model))
    model.train()
    for number, (images, labels) in enumerate(itertools.islice(batches, steps)):
        if before_step is not None:
            before_step(number)
        with np.errstate(all="ignore"):
            loss = criterion(model(images), labels)
            value = float(loss.item())
            yield value
            if not math.isfinite(value):
                return
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def endless(loader: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """The loader's batches, epoch after epoch."""
    for epoch in itertools.count():
        loader.set_epoch(epoch)
        for batch in loader:
            yield as_batch(batch)


def layer_statistics(model: Module, images: Tensor) -> list[LayerStatistics]:
    """Mean, spread and share of zeros of every layer's output over a batch, in the order in which the layers run."""
    found: list[LayerStatistics] = []

    def see(name: str, module: Module, output: np.ndarray) -> None:
        mean, std = float(output.mean(dtype=np.float64)), float(output.std(dtype=np.float64))
        found.append(LayerStatistics(name, mean, std, float(np.mean(output == 0))))

    was_training = model.training
    model.eval()
    try:
        with no_grad(), np.errstate(all="ignore"):
            watch_outputs(model, images, see)
    finally:
        model.train(was_training)
    return found


def initialisation_experiment(
    build_model: Callable[[], Module],
    train_set: Any,
    schemes: Sequence[str] = SCHEMES,
    steps: int = 100,
    config: TrainConfig | None = None,
    test_set: Any = None,
) -> list[InitialisationRun]:
    """Train the same net on the same batches from different starting weights.

    Parameters
    ----------
    build_model
        Makes a fresh model.
    train_set
        To learn from.
    schemes
        Of INITIALISATIONS: Xavier, He, LSUV and LeCun keep the signal's size from layer to layer; a normal of standard
        deviation 0.01 lets it fade; zeros give every unit of a layer the same gradient for ever.
    steps
        How many each may take, at the config's learning rate.
    config
        Optimiser, batch size and seed.
    test_set
        Measured at the end when given.
    """
    config = config or TrainConfig()
    runs = []
    for scheme in schemes:
        tinycnn_random.manual_seed(config.seed)
        model = build_model()
        loader, test_loader = build_loaders(train_set, test_set or train_set, config)
        initialise(model, scheme, loader)
        images = first_images(loader, 256)
        before = layer_statistics(model, images)
        losses = list(take_steps(model, endless(loader), build_optimizer(model, config), steps))
        after = layer_statistics(model, images)
        accuracy = None if test_set is None else evaluate(model, test_loader, worst=0).accuracy
        runs.append(InitialisationRun(scheme, losses, before, after, accuracy))
    return runs


def learning_rate_range_test(
    model: Module,
    train_set: Any,
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 100,
    config: TrainConfig | None = None,
) -> RangeTest:
    """Let the learning rate grow by a constant factor a step, and see where the loss falls fastest and where it breaks.

    Formula
    -------
    rate[t] = low (high / low)^(t / (steps - 1))

    Parameters
    ----------
    model
        Gets its weights back at the end.
    train_set
        To learn from.
    low, high
        The first and the last learning rate.
    steps
        How many.
    config
        Optimiser, batch size and seed.

    Raises
    ------
    UsageError
        When the range is empty or there are fewer than ten steps.

    References
    ----------
    Smith 2017, "Cyclical learning rates for training neural networks", section 3.3.
    """
    if not 0 < low < high or steps < 10:
        raise UsageError(
            f"learning_rate_range_test: needs 0 < low < high and steps >= 10, got {low!r}, {high!r}, {steps!r}"
        )
    config = config or TrainConfig()
    kept = {name: Tensor(value.data.copy()) for name, value in model.state_dict().items()}
    optimizer = build_optimizer(model, config)
    rates = (low * (high / low) ** (np.arange(steps) / (steps - 1))).tolist()

    def set_rate(number: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rates[number]

    loader, _ = build_loaders(train_set, train_set, config)
    losses: list[float] = []
    smoothed: list[float] = []
    mean, diverged_at = 0.0, None
    for number, loss in enumerate(take_steps(model, endless(loader), optimizer, steps, before_step=set_rate)):
        if not math.isfinite(loss):
            diverged_at = rates[number]
            break
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        losses.append(loss)
        # A running mean that starts at 0 is too small by this factor.
        smoothed.append(mean / (1 - SMOOTHING ** (number + 1)))
        if smoothed[-1] > DIVERGED * min(smoothed):
            diverged_at = rates[number]
            break
    model.load_state_dict(kept)
    suggestion = _steepest(rates, smoothed)
    return RangeTest(
        rates[: len(losses)], losses, smoothed, suggestion, diverged_at, _range_sentence(suggestion, diverged_at)
    )


def _steepest(rates: list[float], smoothed: list[float]) -> float:
    """Where the smoothed loss falls most per factor of the rate, before its lowest point."""
    if len(smoothed) < 3:
        return rates[0]
    lowest = max(int(np.argmin(smoothed)), 2)
    return rates[int(np.argmin(np.gradient(smoothed[: lowest + 1])))]


def _range_sentence(suggestion: float, diverged_at: float | None) -> str:
    begin = f"The loss falls fastest at a learning rate of {suggestion:.2g}"
    if diverged_at is None:
        return f"{begin} and never breaks in this range; try a higher end to see where it does."
    return f"{begin} and breaks at {diverged_at:.2g}: begin near the first and stay below a third of the second."


def overfit_one_batch(
    model: Module, images: Tensor, labels: Tensor, steps: int = 200, learning_rate: float = 2e-3
) -> OverfitResult:
    """Learn one small batch by heart with Adam: the cheapest proof that model, loss and gradients work together.

    Parameters
    ----------
    model
        Is trained, and keeps what it learned.
    images, labels
        A batch of (N, C, H, W) and its N class numbers.
    steps
        The most it may take; it stops as soon as the batch is known.
    learning_rate
        Adam's.
    """
    images, labels = as_batch((images, labels))
    optimizer = optim.Adam([p for p in model.parameters() if p.requires_grad], lr=learning_rate)
    losses: list[float] = []
    for loss in take_steps(model, itertools.repeat((images, labels)), optimizer, steps):
        losses.append(loss)
        if loss < LEARNED_LOSS / 2:
            break
    found = evaluate(model, [(images, labels)], worst=0)
    # The net's own criterion may end above zero, as the one of LeNet-5 from 1998 does; the probabilities tell.
    certainty = found.probabilities[np.arange(len(labels)), labels.data]
    passed = found.accuracy == 1.0 and bool(-np.log(certainty).mean() < LEARNED_LOSS)
    verdict = _verdict(passed, losses, found.loss, found.accuracy, len(labels))
    return OverfitResult(passed, losses, found.loss, found.accuracy, len(losses), verdict)


def _verdict(passed: bool, losses: list[float], loss: float, accuracy: float, count: int) -> str:
    if passed:
        return (
            f"Passed: all {count} images are known by heart after {len(losses)} steps; "
            "model, loss and gradients work together."
        )
    if not math.isfinite(loss) or not math.isfinite(losses[-1]):
        return f"Failed: the loss is no longer a number after {len(losses)} steps; try a tenth of the learning rate."
    moved = f"from {losses[0]:.3f} to {loss:.3f} in {len(losses)} steps"
    if loss > 0.95 * losses[0]:
        return (
            f"Failed: the loss went {moved} and has not fallen; look for a part of the graph that no gradient passes, "
            "a softmax before the loss, weights that start at zero, or a learning rate far too high or too low."
        )
    return (
        f"Not yet: the loss went {moved} and {100 * accuracy:.0f} % of {count} images are right; give it more steps "
        "or a higher learning rate, switch dropout off, and check that no image has two labels."
    )


def compare_optimizers(
    build_model: Callable[[], Module],
    train_set: Any,
    test_set: Any,
    learning_rates: Mapping[str, float] | None = None,
    config: TrainConfig | None = None,
    steps: int | None = None,
) -> list[OptimizerRun]:
    """Train the same net from the same weights on the same batches with every update rule, at a constant learning rate.

    Parameters
    ----------
    build_model
        Makes a fresh model.
    train_set, test_set
        To learn from and to measure with.
    learning_rates
        The rules to compare, of OPTIMIZER_VARIANTS, and their rates; left out, all of them at rates for LeNet-5.
    config
        Batch size, epochs and seed.
    steps
        How many each may take; the config's epochs if left out.
    """
    config = (config or TrainConfig(epochs=2)).replace(schedule="constant")
    variants = {name: dict(changes) for name, changes in OPTIMIZER_VARIANTS.items()}
    if learning_rates is not None:
        unknown = [name for name in learning_rates if name not in variants]
        if unknown:
            raise UsageError(f"compare_optimizers: there is no {unknown[0]!r}; there are {', '.join(variants)}")
        variants = {name: {**variants[name], "learning_rate": rate} for name, rate in learning_rates.items()}
    runs = []
    for name, changes in variants.items():
        own = config.replace(**changes)
        tinycnn_random.manual_seed(own.seed)
        model = build_model()
        loader, test_loader = build_loaders(train_set, test_set, own)
        count = own.epochs * len(loader) if steps is None else steps
        started = time.perf_counter()
        losses = list(take_steps(model, endless(loader), build_optimizer(model, own), count))
        seconds = time.perf_counter() - started
        runs.append(
            OptimizerRun(name, own.learning_rate, losses, evaluate(model, test_loader, worst=0).accuracy, seconds)
        )
    return runs
