"""`tinycnn train MODEL` for detectors: the same loop, checkpoints and log, with terms of the loss and average precision."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, UsageError
from .common import Console, new_run_folder, positive_number, whole_number
from .detection_data import OpenedDetection, open_detection, short_detection_name

MANY_EPOCHS = 100_000  # of a run that its minutes end
QUICK_IMAGES = 100  # evaluated while the time runs; the whole test set after it


def add_detection_options(parser: argparse.ArgumentParser) -> None:
    """The options of `tinycnn train` that detectors alone have."""
    group = parser.add_argument_group("detectors", "for networks that find objects")
    group.add_argument("--minutes", type=positive_number, metavar="N", help="stop after N minutes, the schedule stretched over them")
    group.add_argument("--images", type=whole_number(1), metavar="N", help="training images an epoch (default: all; of shapes 4,000)")
    group.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", dest="model_settings", help="a number of the network, such as min_size=256"
    )
    group.add_argument(
        "--sniper", metavar="SCALES", help='learn from chips with objects of a suitable size: "FACTOR:LOW-HIGH ...", such as "2:0-40 1:32-"'
    )
    group.add_argument("--chip", type=whole_number(16), default=128, metavar="N", help="pixels a side of such a chip (default: 128)")


def train_command(arguments: argparse.Namespace, console: Console, resumed: Path | None) -> int:
    """Train, evaluate and draw; `resumed` is the folder to go on in."""
    from ..models import get_model
    from ..train import evaluate_detector, prepare_detector, require_writable, train_detector

    began = time.perf_counter()
    _refuse_what_has_no_meaning(arguments)
    if resumed is not None:
        info, config, folder = _found(arguments, resumed)
        data = open_detection(info["data"], info.get("images"))
    else:
        data = open_detection(arguments.data or "shapes", arguments.images)
        info, config = _new(arguments, data)
        folder = require_writable(new_run_folder(arguments.out, arguments.model, short_detection_name(info["data"])))
    train_set = _chips(data.train, info["sniper"], info["chip"]) if info.get("sniper") else data.train
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in info["model_options"].items()}
    prepared = prepare_detector(lambda: get_model(info["model"], **options), train_set, data.test, config, minutes=info.get("minutes"))
    _write_config(folder, info, config)
    _introduce(console, prepared.model, info, data, folder, len(train_set))
    quick = partial(evaluate_detector, most=QUICK_IMAGES) if info.get("minutes") else evaluate_detector
    result = train_detector(*prepared, config, output=folder, resume=resumed is not None, run_info=info, evaluate=quick)
    if result.exit_code:
        console.result({"interrupted": result.interrupted, "folder": folder, "checkpoint": result.checkpoint})
        return int(result.exit_code)
    from .detection_results import Finished, conclude

    learned = sum(epoch.seconds for epoch in result.epochs)
    evaluation = evaluate_detector(prepared.model, data.test)
    hints = [f"{hint.sentence} {hint.fix}" for hint in result.hints]
    finished = Finished(prepared.model, info, config.to_dict(), result.epochs, hints, data, evaluation)
    return conclude(finished, folder, console, learned, time.perf_counter() - began, pictures=not arguments.no_pictures)


def evaluate_command(arguments: argparse.Namespace, source: Path, console: Console) -> int:
    """`tinycnn eval RUN` of a detector: average precision, verdicts, pictures, report."""
    from ..train import DetectionEpoch, evaluate_detector, load_checkpoint, require_writable
    from .detect import restore_detector
    from .detection_results import Finished, conclude

    began = time.perf_counter()
    model, info, note = restore_detector(source)
    if note:
        console.say(f"note: {note}")
    data = open_detection(arguments.data or info["data"], info.get("images") if arguments.data is None else None)
    if data.classes != list(info["classes"]):
        raise UsageError(f"eval: the detector knows {', '.join(info['classes'])}, {data.name} has {', '.join(data.classes)}")
    found = load_checkpoint(source)
    epochs = [DetectionEpoch.from_row(**row) for row in found.epochs]
    home = source.parent if source.is_file() else source
    own = data.source == info["data"]
    folder = require_writable(arguments.out or (home if own else home / f"eval-{data.name}"))
    console.say(f"{info['model']} from {source}, on the {len(data.test):,} test images of {data.name}")
    hints = [f"{hint['sentence']} {hint['fix']}" for hint in found.hints]
    finished = Finished(model, info, found.config, epochs if own else [], hints, data, evaluate_detector(model, data.test))
    learned = sum(epoch.seconds for epoch in epochs)
    return conclude(finished, folder, console, learned, time.perf_counter() - began, pictures=not arguments.no_pictures)


def _refuse_what_has_no_meaning(arguments: argparse.Namespace) -> None:
    for option, name in (("recipe", "--recipe"), *((live, f"--{live}") for live in ("live", "port", "open", "paused", "hold"))):
        if getattr(arguments, option, None):
            raise UsageError(f"{name} is for classifiers; leave it out for a detector")


def _new(arguments: argparse.Namespace, data: OpenedDetection) -> tuple[dict[str, Any], Any]:
    """What a new run keeps of itself, and its hyper-parameters."""
    from ..train import detection_config
    from .train import changes

    given = changes(arguments)
    if arguments.minutes is not None:
        given.setdefault("epochs", MANY_EPOCHS)
    config = detection_config(arguments.model).replace(**given)
    config = config.replace(symmetry=config.symmetry and getattr(data.train, "symmetry", None) is not None)  # what the run is, not what it would be
    options = detector_options(arguments.model, data, arguments.model_settings)
    named = {text.partition("=")[0] for text in arguments.model_settings}
    if arguments.sniper and not {"min_size", "max_size"} & named and "min_size" in _accepted(arguments.model):
        options |= {"min_size": arguments.chip, "max_size": arguments.chip}  # a chip is not resized
    info = {
        "task": "detection",
        "model": arguments.model,
        "model_options": options,
        "minutes": arguments.minutes,
        "images": arguments.images,
        "sniper": arguments.sniper,
        "chip": arguments.chip,
        **data.facts(),
    }
    return info, config


def _found(arguments: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], Any, Path]:
    """The same of a run to go on with; what is given again must be what it was."""
    from ..train import TrainConfig, load_checkpoint
    from .train import changes

    found = load_checkpoint(folder)
    info = dict(found.run_info)
    for option in ("model", "data", "minutes", "images", "sniper"):
        new = getattr(arguments, option)
        if new is not None and new != info.get(option):
            raise UsageError(f"--resume: {folder} was trained with {option} {info.get(option)}, not {new}; begin a new run for that")
    if arguments.model_settings:
        raise UsageError("--resume goes on with the network of the run; leave --option out")
    return info, TrainConfig.from_dict(found.config).replace(**changes(arguments)), folder


def detector_options(name: str, data: OpenedDetection, settings: list[str]) -> dict[str, Any]:
    """The keywords with which a detector fits the data, and those given as NAME=VALUE."""
    accepted = _accepted(name)
    # YOLO counts its classes without a background.
    classes = len(data.classes) + (0 if name.startswith("yolo") else 1)
    options: dict[str, Any] = {"num_classes": classes, **{name: value for name, value in data.options.items() if name in accepted}}
    if "num_keypoints" in accepted:
        if not data.points:
            raise UsageError(f"{name} learns keypoints, and {data.name} has none; --data shapes has three")
        options["num_keypoints"] = data.points
    if name.startswith("maskrcnn") and not data.masks:
        raise UsageError(f"{name} learns masks, and {data.name} has none; --data shapes and --data nuclei have them")
    for text in settings:
        option, equals, value = text.partition("=")
        if not equals or not option:
            raise UsageError(f"--option {text}: write NAME=VALUE, such as min_size=256")
        if option in ("num_classes", "num_keypoints"):
            raise UsageError(f"--option {option}: follows from the data, which has {options[option]}")
        try:
            read = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            read = value
        if option not in accepted or not isinstance(read, int | float | tuple | str):
            from .main import nearest

            raise UsageError(f"--option {text}: {name} has no such option{nearest(option, accepted)}; `tinycnn.models.{name}` tells them")
        options[option] = read
    return options


def _accepted(name: str) -> list[str]:
    """The keywords of a detector's builder."""
    from .. import models

    return list(inspect.signature(models.detection.__dict__[name]).parameters)


def _introduce(console: Console, model: Any, info: dict[str, Any], data: OpenedDetection, folder: Path, images: int) -> None:
    from ..kernels import threads

    parameters = sum(int(parameter.data.size) for parameter in model.parameters())
    console.say(f"{info['model']}: {parameters:,} parameters, running on CPU, threads: {threads.get_num_threads()}")
    console.say(f"{data.name}: {images:,} training and {len(data.test):,} test images, {len(data.classes)} classes: {', '.join(data.classes)}")
    for note in data.notes[:8]:
        console.say(f"note: {note}")
    if info.get("minutes"):
        console.say(f"{info['minutes']:g} minutes from the second step on: learning, and evaluating {QUICK_IMAGES} test images now and then")
    console.say(f"{folder}: checkpoint and logs go here; Ctrl-C saves and stops")


def _write_config(folder: Path, info: dict[str, Any], config: Any) -> None:
    """config.json: what a reader needs to repeat the run."""
    from .results import environment

    text = json.dumps({"run": info, "config": config.to_dict(), "environment": environment()}, indent=2)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def _chips(train_set: Any, text: str, chip: int) -> Any:
    """The training set cut into chips of suitable scales."""
    from ..models.detection import ScaleChips

    return Chips(ScaleChips(train_set, read_scales(text), chip, max(1, chip // 16)), train_set)


class Chips:
    """Chips with the names of the data set that they are cut from."""

    def __init__(self, chips: Any, data_set: Any) -> None:
        self.chips, self.classes = chips, data_set.classes
        self.sigmas, self.swap = getattr(data_set, "sigmas", ()), getattr(data_set, "swap", ())
        self.symmetry = getattr(data_set, "symmetry", None)

    def __len__(self) -> int:
        return len(self.chips)

    def __getitem__(self, place: int) -> Any:
        return self.chips[place]


def read_scales(text: str) -> list[Any]:
    """SNIPER's scales from "FACTOR:LOW-HIGH ..."; a range may be open at either end.

    Examples
    --------
    >>> read_scales("2:0-40 1:32-")
    [TrainingScale(factor=2.0, low=0.0, high=40.0), TrainingScale(factor=1.0, low=32.0, high=inf)]
    """
    from ..models.detection import TrainingScale

    scales = []
    for part in text.split():
        factor, _, span = part.partition(":")
        low, _, high = span.partition("-")
        try:
            scales.append(TrainingScale(float(factor), float(low or 0), float(high or "inf")))
        except (ValueError, ArgumentError) as error:
            raise UsageError(f"--sniper {text}: write FACTOR:LOW-HIGH, such as 2:0-40 1:32-, in pixels of the image ({error})") from error
    if not scales:
        raise UsageError("--sniper: write at least one FACTOR:LOW-HIGH, such as 2:0-40")
    return scales
