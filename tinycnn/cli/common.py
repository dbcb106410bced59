"""What the commands share: options, number types, where the words go, and run folders."""

import argparse
import dataclasses
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from .main import nearest

RUNS = Path("runs")
CHECKPOINT = "checkpoint.npz"
SHORT = {"lr": "learning_rate"}


def whole_number(least: int) -> Any:
    """An argparse type: a whole number from `least` up."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {least} up")
        return value

    return parse


def positive_number(text: str) -> float:
    """An argparse type: a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} must be a finite number above 0, such as 0.05")
    return value


def check_action(action: str, actions: Sequence[str], command: str = "") -> None:
    """Refuse an action that the command does not have, and name the nearest."""
    if action not in actions:
        where = f"{command}: " if command else ""
        raise UsageError(f"{where}there is no action {action!r}{nearest(action, actions)}; there are {', '.join(actions)}")


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """--threads and --json."""
    parser.add_argument("--threads", type=whole_number(1), metavar="N", help="CPU threads (default: all this process may use)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON on standard output, all else on standard error")


NAMED_DATA = "digits (bundled), mnist, cifar10, cifar100, or a folder or archive with such files"


def add_data_options(parser: argparse.ArgumentParser, default: str | None = "digits", words: str = "digits", names: str = NAMED_DATA) -> None:
    """--data and --no-download; `words` say what is taken where the option is not given."""
    parser.add_argument(
        "--data",
        default=default,
        metavar="NAME|PATH",
        help=f"{names} (default: {words})",
    )
    parser.add_argument(
        "--download",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="fetch a data set that is not on this machine (default: yes)",
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """--epochs, --batch-size, --lr, --optimizer and --seed; the recipe of model and data has the others."""
    parser.add_argument("--epochs", type=whole_number(1), metavar="N", help="passes over the training images")
    parser.add_argument("--batch-size", type=whole_number(1), metavar="N", help="images a step")
    parser.add_argument("--lr", type=positive_number, metavar="X", help="largest learning rate")
    parser.add_argument("--optimizer", metavar="NAME", help="sgd, adam, adamw, rmsprop, adagrad or adadelta")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="decides everything random (default: 0)")


def field_of(name: str) -> str:
    """The TrainConfig field of a name, its short form allowed."""
    from ..train import TrainConfig

    fields = [field.name for field in dataclasses.fields(TrainConfig)]
    full = SHORT.get(name, name.replace("-", "_"))
    if full not in fields:
        raise UsageError(f"there is no hyper-parameter {name!r}{nearest(name, [*SHORT, *fields])}; there are {', '.join(fields)}")
    return full


def value_of(field: str, text: str) -> Any:
    """The text as the field's type."""
    from ..train import TrainConfig

    return field_type(field, type(getattr(TrainConfig(), field)), text)


def field_type(field: str, kind: type, text: str) -> Any:
    """The text as a value of a type: bool, int, float or str."""
    if kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        value = {int: int, float: float, str: str}[kind](text)
    except (KeyError, ValueError) as error:
        wanted = {bool: "true or false", int: "a whole number"}.get(kind, "a number")
        raise UsageError(f"{field}: {text!r} is not {wanted}") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{field}: {text!r} is not a finite number")
    return value


def read_setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE as a TrainConfig field and its value."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: write NAME=VALUE, such as momentum=0.95")
    field = field_of(name)
    return field, value_of(field, value)


def use_threads(count: int | None) -> None:
    """Set the number of threads, or explain how many there are."""
    from ..errors import ArgumentError
    from ..kernels import threads

    if count is not None:
        try:
            threads.set_num_threads(count)
        except ArgumentError as error:
            raise UsageError(f"--threads {count}: this process may use 1 to {threads.max_threads()} threads") from error


class Console:
    """Where words go: standard output for people, standard error when standard output belongs to JSON."""

    def __init__(self, json_wanted: bool) -> None:
        self.json_wanted = json_wanted

    def say(self, text: str = "") -> None:
        """A line for people."""
        print(text, file=sys.stderr if self.json_wanted else sys.stdout, flush=True)

    def result(self, result: dict[str, Any]) -> None:
        """The machine-readable result, where it was asked for. NaN and infinity, which JSON lacks, become null."""
        if self.json_wanted:
            print(json.dumps(_plain(result), indent=2), flush=True)


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def table(header: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as their widest cell; the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells: list[str]) -> str:
        padded = [cells[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "  ".join(padded).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *(line(row) for row in rows)])


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run: anything that training leaves behind."""
    return any((folder / name).exists() for name in (CHECKPOINT, "checkpoint.previous.npz", "log.jsonl", "config.json"))


def new_run_folder(out: Path | None, model: str, data: str) -> Path:
    """The folder of a new run: the one asked for or runs/MODEL-DATA, numbered where it already holds a run."""
    wanted = out if out is not None else RUNS / f"{model}-{data}"
    folder, number = wanted, 1
    while is_run(folder):
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def known_runs() -> list[Path]:
    """The run folders under runs/ that hold a checkpoint, the newest first."""
    if not RUNS.is_dir():
        return []
    found = [folder for folder in RUNS.iterdir() if (folder / CHECKPOINT).is_file()]
    return sorted(found, key=lambda folder: (folder / CHECKPOINT).stat().st_mtime, reverse=True)


def find_run(text: str | None) -> Path:
    """The run folder or checkpoint file that a user named, by path or under runs/; the newest run for None."""
    if text is None:
        runs = known_runs()
        if not runs:
            raise DataError("there is no trained network under runs/ yet; `tinycnn train lenet5` makes one in under a minute")
        return runs[0]
    for candidate in (Path(text), RUNS / text):
        if candidate.is_file() or is_run(candidate):
            return candidate
    names = [str(folder) for folder in known_runs()]
    offer = nearest(text, names) or (f"; there are {', '.join(names)}" if names else "; `tinycnn train lenet5` makes one")
    raise UsageError(f"there is no run or checkpoint {text!r}{offer}")
