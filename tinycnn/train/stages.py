"""Training in stages: which parts of the network learn when, for how long and how fast, written down in a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from .. import random as tinycnn_random
from ..errors import UsageError
from ..nn import Module, freeze_except
from .augment import augmented
from .config import TrainConfig, build_optimizer, build_scheduler, decay_groups
from .loop import train
from .parts import model_parts, part_of, paths_of, require_parts
from .prepare import build_loaders
from .run import TrainResult

# The lecture's recipe for a detector; on a classifier the neck is what replace_head puts in front of the head.
SIX_STAGES = """\
title = "Six stages from another task's weights"

[[stage]]                               # 1
name = "weights of a large data set"    # for a detector, of COCO
train = []
epochs = 0

[[stage]]                               # 2
name = "neck and heads"
train = ["neck", "head"]
epochs = 3
learning_rate = 0.02

[[stage]]                               # 3
name = "fourth stage too"
train = ["neck", "head", "stage4"]
epochs = 3
learning_rate = 0.01
rates = { stage4 = 0.1 }

[[stage]]                               # 4
name = "third stage too"
train = ["neck", "head", "stage4", "stage3"]
epochs = 3
learning_rate = 0.01
rates = { stage4 = 0.1, stage3 = 0.1 }

[[stage]]                               # 5
name = "all but the stem"
train = ["neck", "head", "stage4", "stage3", "stage2", "stage1"]
epochs = 3
learning_rate = 0.005
rates = { stage4 = 0.1, stage3 = 0.1, stage2 = 0.1, stage1 = 0.1 }

[[stage]]                               # 6
name = "neck and heads in large batches"
train = ["neck", "head"]
epochs = 2
batch_size = 256
learning_rate = 0.01
"""

MODES = {
    "extractor": """\
title = "The network as a fixed extractor of features"
[[stage]]
name = "head"
train = ["neck", "head"]
""",
    "finetune": """\
title = "The last layers"
[[stage]]
name = "last layers"
train = ["neck", "head", "stage4", "stage3"]
rates = { stage4 = 0.1, stage3 = 0.1 }
""",
    "all": """\
title = "The whole network"
[[stage]]
name = "all"
train = ["all"]
rates = { stem = 0.1, stage1 = 0.1, stage2 = 0.1, stage3 = 0.1, stage4 = 0.1, other = 0.1 }
""",
}


@dataclass(frozen=True)
class Stage:
    """One stage of a schedule."""

    name: str
    train: tuple[str, ...]  # parts or path patterns that learn; all else is frozen, batch statistics included
    rates: dict[str, float] = field(default_factory=dict)  # factor of the learning rate by part; 1 where none is given
    changes: dict[str, Any] = field(default_factory=dict)  # other fields of TrainConfig, such as epochs


@dataclass(frozen=True)
class Schedule:
    """Stages in their order."""

    title: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class StageResult:
    """What a stage did."""

    name: str
    trained: int  # parameters that learned
    frozen: int  # parameters that did not
    result: TrainResult | None  # None for a stage of 0 epochs


def read_schedule(text: str, source: str = "schedule") -> Schedule:
    """Read a schedule written in TOML, and check every name in it.

    Parameters
    ----------
    text
        A title, and a [[stage]] table for each stage with `name`, `train` (a list of parts or path patterns), `rates` (factors of the
        learning rate by part) and any field of `TrainConfig`; `epochs = 0` skips the training.
    source
        Named in complaints.

    Raises
    ------
    UsageError
        When it is not TOML, or has a key, part or value that cannot be meant.

    Examples
    --------
    >>> schedule = read_schedule(SIX_STAGES)
    >>> len(schedule.stages), schedule.stages[2].train
    (6, ('neck', 'head', 'stage4'))
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source}: not a TOML file: {error}") from error
    unknown = [key for key in tree if key not in ("title", "stage")]
    tables = tree.get("stage", [])
    if unknown or not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{source}: needs a title and one [[stage]] or more{f', and has no use for {unknown[0]!r}' if unknown else ''}")
    stages = tuple(_read_stage(table, f"{source}: stage {number}") for number, table in enumerate(tables, 1))
    return Schedule(str(tree.get("title", source)), stages)


def _read_stage(table: dict[str, Any], where: str) -> Stage:
    names = table.get("train")
    rates = table.get("rates", {})
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f'{where}: `train` must be a list of parts, such as ["head"], not {names!r}')
    if not isinstance(rates, dict) or not all(isinstance(rate, int | float) and rate >= 0 for rate in rates.values()):
        raise UsageError(f"{where}: `rates` must give parts factors of 0 or more, such as {{ stage4 = 0.1 }}, not {rates!r}")
    require_parts(rates, where)
    changes = {key: value for key, value in table.items() if key not in ("name", "train", "rates")}
    checked = {key: value for key, value in changes.items() if (key, value) != ("epochs", 0)}
    try:
        TrainConfig().replace(**checked)
    except (UsageError, TypeError) as error:
        raise UsageError(f"{where}: {error}") from error
    if not names and changes.get("epochs") != 0:
        raise UsageError(f"{where}: trains nothing; name parts in `train`, or set epochs = 0")
    return Stage(str(table.get("name", "stage")), tuple(names), {key: float(rate) for key, rate in rates.items()}, changes)


def part_groups(model: Module, config: TrainConfig, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parameter groups for an optimiser: the trainable parameters by part, each part with its own learning rate.

    Parameters
    ----------
    model
        Its parameters that require gradients are taken.
    config
        Its `learning_rate` is what the factors multiply; `decay_all` may divide each part further.
    rates
        Factor by part name; 1 where none is given.

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    >>> [group["lr"] for group in part_groups(net, TrainConfig(learning_rate=0.5), {"stem": 0.1})]
    [0.05, 0.5]
    """
    parts = model_parts(model)
    by_part: dict[str, list[Any]] = {}
    for path, parameter in model.named_parameters():
        if parameter.requires_grad:
            by_part.setdefault(part_of(parts, path), []).append(parameter)
    groups: list[dict[str, Any]] = []
    for part, parameters in by_part.items():
        rate = config.learning_rate * rates.get(part, 1.0)
        divided = decay_groups(parameters, config)
        own = divided if isinstance(divided[0], dict) else [{"params": divided}]
        groups += [{**group, "lr": rate} for group in own]
    return groups


def run_stages(
    model: Module,
    schedule: Schedule,
    train_set: Any,
    test_set: Any,
    config: TrainConfig,
    *,
    output: str | Path | None = None,
    resume: bool = False,
    run_info: dict[str, Any] | None = None,
    show: bool = True,
    stream: TextIO | None = None,
) -> list[StageResult]:
    """Train a network stage after stage; each stage starts from the weights that the one before has left.

    Parameters
    ----------
    model
        Changed in place; what the last stage froze stays frozen.
    schedule
        From `read_schedule`.
    train_set, test_set
        Data sets of (image, label).
    config
        What a stage does not name.
    output
        Folder; each stage keeps its run in a folder of its own below.
    resume
        Go on where a run in `output` stopped, to the same bits: finished stages are only loaded.
    run_info, show, stream
        As for `train`.

    Returns
    -------
    list of StageResult
        One a stage; after Ctrl-C only up to the stage that was stopped, whose result has an exit code.

    Raises
    ------
    UsageError
        When a part does not exist in this network, or a stage would train nothing.
    """
    # Every name is looked up before the first stage takes its time.
    chosen = [paths_of(model, stage.train) for stage in schedule.stages]
    for stage, paths in zip(schedule.stages, chosen, strict=True):
        if not paths and stage.changes.get("epochs") != 0:
            parts = ", ".join(model_parts(model))
            raise UsageError(f"stage {stage.name!r}: {type(model).__name__} has none of {', '.join(stage.train)}; its parts are {parts}")
    results = []
    for number, (stage, paths) in enumerate(zip(schedule.stages, chosen, strict=True), 1):
        freeze_except(model, paths)
        counts = [0, 0]
        for parameter in model.parameters():
            counts[bool(parameter.requires_grad)] += parameter.numel()
        if stage.changes.get("epochs") == 0:
            results.append(StageResult(stage.name, counts[1], counts[0], None))
            continue
        own = config.replace(**{**stage.changes, "seed": config.seed + number})
        tinycnn_random.manual_seed(own.seed)
        train_loader, test_loader = build_loaders(augmented(train_set, own), test_set, own)
        optimizer = build_optimizer(model, own, part_groups(model, own, stage.rates))
        scheduler = build_scheduler(optimizer, own, -(-len(train_loader) // own.accumulate))
        folder = None if output is None else Path(output) / f"{number}-{re.sub('[^a-z0-9]+', '-', stage.name.lower()).strip('-')}"
        result = train(
            model,
            train_loader,
            test_loader,
            optimizer,
            scheduler,
            own,
            output=folder,
            resume=resume,
            run_info={**(run_info or {}), "stage": stage.name},
            show=show,
            stream=stream,
        )
        results.append(StageResult(stage.name, counts[1], counts[0], result))
        if result.exit_code:
            break
    return results
