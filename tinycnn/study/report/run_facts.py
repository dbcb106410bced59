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
from ...errors import CheckpointError
from ...nn import Module
from ...nn.utils import skip_init
from ...train import TrainConfig, load_checkpoint, replace_head
from ...train.leaderboard import source_commit
from ..docstring_page import sections_of
from ..summary import Summary, summary

__all__ = ["RunFacts", "read_run"]


@dataclass(frozen=True)
class RunFacts:
    """A run: its network, data, hyper-parameters, epochs, and where it ran."""

    folder: Path
    info: Mapping[str, Any]  # model, model_options, data, classes, channels, image_size
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
        """The epoch with the highest test accuracy, the first of several."""
        return max(self.epochs, key=lambda epoch: (epoch["test_accuracy"], -epoch["epoch"]))

    @property
    def minutes(self) -> float:
        """Of training and evaluation."""
        return sum(float(epoch["seconds"]) for epoch in self.epochs) / 60

    @property
    def changed(self) -> dict[str, Any]:
        """The hyper-parameters, those first and always that every run has, then those that are not the default."""
        always = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "seed")
        usual = TrainConfig().to_dict()
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
    missing = [name for name in ("model", "model_options", "data", "classes", "channels", "image_size") if name not in info]
    if missing:
        raise CheckpointError(f"{place} does not say its {missing[0]}; only a run of `tinycnn train` can be reported")
    if not checkpoint.epochs:
        raise CheckpointError(f"{place} has not finished an epoch; there is nothing to report yet: `tinycnn train --resume {home}` goes on")
    try:
        builder = getattr(models, info["model"])
        network = summary(_built(info), (info["channels"], info["image_size"], info["image_size"]), 1, name=info["model"])
    except (AttributeError, TypeError) as error:
        raise CheckpointError(f"{place} names the network {info['model']!r} with {info['model_options']}, which this version has not") from error
    file = checkpoint.source or home / "checkpoint.npz"
    return RunFacts(
        home,
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
