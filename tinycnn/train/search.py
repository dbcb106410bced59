"""Search for hyper-parameters: every point of a grid, or random points of a space."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrainingError, UsageError
from ..nn import Module
from .checkpoint import require_writable
from .config import TrainConfig, one_of
from .loop import train
from .prepare import prepare

RESULTS_NAME = "search.jsonl"
Choice = Sequence[Any]  # the values to choose from, or ("log" | "uniform", low, high)


@dataclass(frozen=True)
class Trial:
    """One point of the space, and how far a run got with it."""

    number: int  # in the order of running, from 1
    changes: dict[str, Any]  # what differs from the base config
    config: TrainConfig
    train_loss: float
    test_loss: float
    test_accuracy: float
    seconds: float
    error: str | None  # the sentence that stopped the run


def grid(space: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination of the values, the last name changing fastest.

    Examples
    --------
    >>> grid({"learning_rate": [0.1, 0.01], "momentum": [0.9]})
    [{'learning_rate': 0.1, 'momentum': 0.9}, {'learning_rate': 0.01, 'momentum': 0.9}]
    """
    _check_names(space)
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]


def random_choices(space: Mapping[str, Choice], count: int, seed: int) -> list[dict[str, Any]]:
    """`count` random points; the same seed gives the same points.

    Parameters
    ----------
    space
        For each field of `TrainConfig` the values to choose from, or ("uniform", low, high), or ("log", low, high) for
        numbers that count by factors, such as a learning rate.
    count
        How many points.
    seed
        Decides the points.

    Raises
    ------
    UsageError
        For a field that does not exist, or a range that is empty.

    References
    ----------
    Bergstra and Bengio 2012, "Random search for hyper-parameter optimization": a random point tries a new value of
    every parameter, a grid tries few values of each.

    Examples
    --------
    >>> points = random_choices({"learning_rate": ("log", 1e-3, 1e-1)}, count=3, seed=0)
    >>> all(1e-3 <= point["learning_rate"] <= 1e-1 for point in points)
    True
    """
    _check_names(space)
    generator = np.random.default_rng(seed)
    return [{name: _draw(name, choice, generator) for name, choice in space.items()} for _ in range(count)]


def search(
    build_model: Callable[[], Module],
    train_set: Any,
    test_set: Any,
    trials: Sequence[Mapping[str, Any]],
    config: TrainConfig,
    *,
    output: str | Path | None = None,
    show: bool = True,
) -> list[Trial]:
    """Train once for each trial, from the same seed, and sort the results: best test accuracy first, then lowest loss.

    Parameters
    ----------
    build_model
        Makes a fresh model.
    train_set, test_set
        To learn from, and to choose by; images that no trial has seen are needed to say how good the winner is.
    trials
        From `grid` or `random_choices`.
    config
        The values of all fields that a trial does not name.
    output
        Folder for search.jsonl, one trial a line in the order of running.
    show
        Whether to print a line a trial.
    """
    folder = None if output is None else require_writable(output)
    configs = [config.replace(**changes) for changes in trials]
    if folder is not None:
        (folder / RESULTS_NAME).unlink(missing_ok=True)
    found = []
    for number, (changes, trial_config) in enumerate(zip(trials, configs, strict=True), start=1):
        trial = _try(number, dict(changes), trial_config, build_model, train_set, test_set)
        found.append(trial)
        if folder is not None:
            with open(folder / RESULTS_NAME, "a", encoding="utf-8") as file:
                file.write(json.dumps(dataclasses.asdict(trial)) + "\n")
        if show:
            print(_line_of(trial, len(configs)), file=sys.stderr)
    return sorted(found, key=lambda trial: (-trial.test_accuracy, trial.test_loss, trial.number))


def _try(
    number: int,
    changes: dict[str, Any],
    config: TrainConfig,
    build_model: Callable[[], Module],
    train_set: Any,
    test_set: Any,
) -> Trial:
    started = time.perf_counter()
    try:
        result = train(*prepare(build_model, train_set, test_set, config), config, show=False)
    except TrainingError as error:
        return Trial(number, changes, config, math.inf, math.inf, 0.0, time.perf_counter() - started, str(error))
    if result.interrupted:
        raise KeyboardInterrupt
    last = result.epochs[-1]
    seconds = time.perf_counter() - started
    return Trial(number, changes, config, last.train_loss, last.test_loss, last.test_accuracy, seconds, None)


def _check_names(space: Mapping[str, Choice]) -> None:
    for name, choice in space.items():
        one_of("search", name, [field.name for field in dataclasses.fields(TrainConfig)])
        if not len(choice):
            raise UsageError(f"search: {name} has no values to choose from; give at least one")


def _draw(name: str, choice: Choice, generator: np.random.Generator) -> Any:
    if choice[0] not in ("log", "uniform"):
        return choice[int(generator.integers(len(choice)))]
    kind, low, high = choice
    if not (low < high and (kind == "uniform" or low > 0)):
        rule = "0 < low < high" if kind == "log" else "low < high"
        raise UsageError(f"search: {name}: a {kind} range needs {rule}, got {low!r} and {high!r}")
    if kind == "log":
        return float(math.exp(generator.uniform(math.log(low), math.log(high))))
    return float(generator.uniform(low, high))


def _line_of(trial: Trial, count: int) -> str:
    named = "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in trial.changes.items()
    )
    outcome = trial.error or f"test accuracy {100 * trial.test_accuracy:.2f} %  loss {trial.test_loss:.4f}"
    return f"trial {trial.number}/{count}  {named}  {outcome}  {trial.seconds:.1f}s"
