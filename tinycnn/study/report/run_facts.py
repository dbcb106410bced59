"""What a run's folder knows of the run."""

from __future__ import annotations

import hashlib
import inspect
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import models
from ...errors import CheckpointError, UsageError
from ...models.registry import builder_of
from ...nn import Module
from ...nn.utils import skip_init
from ...train import load_checkpoint, replace_head
from ...train.leaderboard import source_commit
from ..docstring_page import sections_of
from ..summary import Summary, summary
from .measures import TASKS, Task, known

__all__ = ["RunFacts", "read_run"]


@dataclass(frozen=True)
class RunFacts:
    """A run: its network, data, hyper-parameters, epochs, and where it ran."""

    folder: Path
    task: Task
    info: Mapping[str, Any]  # model, model_options, data, classes; of classifiers channels and image_size
    config: Mapping[str, Any]
    epochs: list[Mapping[str, Any]]
    hints: list[str]
    environment: Mapping[str, str]
    network: Summary
    what: str  # the first sentence of the builder's description
    source: str  # the paper that the network is from
    checksum: str  # SHA-256 of the checkpoint
    commit: str

    @property
    def best(self) -> Mapping[str, Any]:
        """The epoch with the highest score on images that were not learned from, the first of several."""
        return max(self.scored or self.epochs, key=lambda epoch: (known(epoch, self.task.key) or 0.0, -epoch["epoch"]))

    @property
    def scored(self) -> list[Mapping[str, Any]]:
        """The epochs after which the score was measured."""
        return [epoch for epoch in self.epochs if known(epoch, self.task.key) is not None]

    @property
    def score(self) -> float | None:
        """The last one measured."""
        return known(self.scored[-1], self.task.key) if self.scored else None

    @property
    def minutes(self) -> float:
        """Of training and evaluation."""
        return sum(float(epoch["seconds"]) for epoch in self.epochs) / 60

    @property
    def changed(self) -> dict[str, Any]:
        """The hyper-parameters, those first and always that every run has, then those that are not the default."""
        always = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "seed")
        usual = self.task.usual
        names = [*always, *(name for name in self.config if name not in always and self.config[name] != usual.get(name))]
        return {name: self.config[name] for name in names if name in self.config}

    @property
    def command(self) -> str:
        """What repeats the run: as it was typed, or in full."""
        typed = self.environment.get("command", "")
        if typed.startswith("tinycnn train") and "--resume" not in typed:
            return typed
        named = {"epochs": "--epochs", "batch_size": "--batch-size", "learning_rate": "--lr", "optimizer": "--optimizer", "seed": "--seed"}
        options = [f"{named[name]} {value}" if name in named else f"--set {name}={value}" for name, value in self.changed.items()]
        if self.info.get("minutes"):
            options = [f"--minutes {self.info['minutes']:g}", *(option for option in options if not option.startswith("--epochs"))]
        return " ".join(["tinycnn train", str(self.info["model"]), "--data", shlex.quote(str(self.info["data"])), *options])

    @property
    def data_name(self) -> str:
        """The data set, without the path to it."""
        return Path(str(self.info["data"])).name


def read_run(folder: str | Path) -> RunFacts:
    """Read what `tinycnn train` left in a folder.

    Parameters
    ----------
    folder
        Of the run, or its checkpoint file.

    Raises
    ------
    CheckpointError
        If there is no checkpoint of `tinycnn train`, or not one epoch was finished.
    """
    place = Path(folder)
    home = place.parent if place.is_file() else place
    checkpoint = load_checkpoint(place)
    info = checkpoint.run_info
    kind = str(info.get("task", "classification"))
    asked = ("model", "model_options", "data", "classes", *(("channels", "image_size") if kind == "classification" else ()))
    missing = [name for name in asked if name not in info]
    if missing or kind not in TASKS:
        absent = missing[0] if missing else f"task: {kind} is not one of {', '.join(TASKS)}"
        raise CheckpointError(f"{place} does not say its {absent}; only a run of `tinycnn train` can be reported")
    if not checkpoint.epochs:
        raise CheckpointError(f"{place} has not finished an epoch; there is nothing to report yet: `tinycnn train --resume {home}` goes on")
    try:
        builder = builder_of(info["model"])
        network = summary(_built(info), _image(info), 1, name=info["model"])
    except (UsageError, TypeError) as error:
        raise CheckpointError(f"{place} names the network {info['model']!r} with {info['model_options']}, which this version has not") from error
    file = checkpoint.source or home / "checkpoint.npz"
    return RunFacts(
        home,
        TASKS[kind],
        info,
        checkpoint.config,
        [dict(epoch) for epoch in checkpoint.epochs],
        [f"{hint['sentence']} {hint['fix']}" for hint in checkpoint.hints],
        _environment(home),
        network,
        sections_of(builder)[""].split("\n\n")[0].replace("\n", " "),
        _reference(builder),
        hashlib.sha256(file.read_bytes()).hexdigest(),
        source_commit(),
    )


def _built(info: Mapping[str, Any]) -> Module:
    model = skip_init(models.get_model, info["model"], **info["model_options"])
    if info.get("neck"):
        replace_head(model, info["model_options"]["num_classes"], neck=info["neck"])
    return model


def _image(info: Mapping[str, Any]) -> tuple[int, int, int]:
    """Channels, height and width of the images of the run, or those that its network is made for."""
    channels, height, width = models.input_size(info["model"])
    side = info.get("image_size") or info["model_options"].get("min_size")
    return int(info.get("channels", channels)), int(side or height), int(side or width)


def _environment(home: Path) -> dict[str, str]:
    """Of config.json; the log's first line where that is missing."""
    try:
        return {str(name): str(value) for name, value in json.loads((home / "config.json").read_text(encoding="utf-8"))["environment"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        pass
    try:
        with open(home / "log.jsonl", encoding="utf-8") as lines:
            start = json.loads(lines.readline())
        return {words: str(start[name]) for words, name in (("Python", "python"), ("NumPy", "numpy"), ("system", "machine"), ("threads", "threads"))}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _reference(builder: Any) -> str:
    """The paper, from the description of the module that the network is in."""
    module = inspect.getmodule(builder)
    words = sections_of(module).get("References", "") if module is not None else ""
    return " ".join(words.split())
