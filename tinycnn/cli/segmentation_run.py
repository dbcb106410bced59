"""`tinycnn train` and `tinycnn eval` for networks that name every pixel: the plan of a run, what it leaves, what it prints."""

import argparse
import csv
import dataclasses
import inspect
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import Console, field_type, new_run_folder, table
from .main import nearest

DEFAULT_DATA = "shapes"
SHOWN = 4  # test pictures that are drawn
TABLE = "class_iou.csv"


@dataclass(frozen=True)
class PixelPlan:
    """Everything that decides the run to do, new or resumed."""

    model: str
    config: Any  # SegmentationConfig
    info: dict[str, Any]
    folder: Path
    resume: bool


def train_pixels(arguments: argparse.Namespace, console: Console, began: float, resumed: Path | None) -> int:
    """Train, evaluate, draw."""
    from .. import random as tinycnn_random
    from ..data import load_label_maps
    from ..kernels import threads
    from ..models import get_model
    from ..train import train_segmentation
    from .results import environment
    from .train import kernels_cached

    _refuse_other_options(arguments)
    plan = _new(arguments) if resumed is None else _resumed(arguments, resumed)
    info, config = plan.info, plan.config
    data, validation = load_label_maps(info["data"]), load_label_maps(info["data"], "val")
    tinycnn_random.manual_seed(config.seed)
    model = get_model(plan.model, **info["model_options"])
    written = {"run": info, "config": config.to_dict(), "environment": environment()}
    (plan.folder / "config.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    chosen = ", ".join(f"{name} {value}" for name, value in info["model_options"].items() if name not in ("num_classes", "in_channels"))
    console.say(f"{plan.model}{f' ({chosen})' if chosen else ''}: {_parameters(model):,} parameters, on CPU, threads: {threads.get_num_threads()}")
    console.say(f"{Path(info['data']).name}: {len(data):,} training pictures, classes {', '.join(info['classes'])}")
    console.say(f"{plan.folder}: checkpoint and logs go here; Ctrl-C saves and stops")
    if not kernels_cached():
        console.say("the first run compiles the kernels once, which takes a while")
    moments = {"mean": info["mean"], "std": info["std"]}
    result = train_segmentation(
        model, data, config, validation=validation, **moments, output=plan.folder, resume=plan.resume, run_info=info, say=console.say
    )
    if result.exit_code:
        console.result({"interrupted": result.interrupted, "folder": plan.folder, "checkpoint": result.checkpoint})
        return result.exit_code
    facts = _conclude(model, plan, load_label_maps(info["data"], "test"), result.epochs, plan.folder, not arguments.no_pictures, console)
    learning, seconds = sum(float(row["seconds"]) for row in result.epochs), time.perf_counter() - began
    console.say(f"time           {learning / 60:.1f} minutes of training, {seconds / 60:.1f} in all, compilation and pictures included")
    console.say(f"try it         tinycnn segment PHOTO --model {plan.folder}")
    console.result({**facts, "epochs": result.epochs, "training_seconds": learning, "seconds": seconds, "checkpoint": result.checkpoint})
    return 0


def evaluate_pixels(arguments: argparse.Namespace, source: Path, restored: Any, console: Console) -> int:
    """`tinycnn eval` of such a run."""
    from ..data import load_label_maps
    from ..train import SegmentationConfig, require_writable

    info = restored.info
    place = _data_place(arguments.data) if arguments.data else info["data"]
    data = load_label_maps(place, "test")
    if len(data.classes) != (0 if info["instances"] else len(info["classes"])):
        raise UsageError(f"eval: the network names {len(info['classes'])} classes, {place} has {len(data.classes) or 'instance numbers instead'}")
    home = source.parent if source.is_file() else source
    own = home if place == info["data"] else home / f"eval-{Path(place).name}"
    folder = require_writable(arguments.out or own)
    plan = PixelPlan(info["model"], SegmentationConfig.from_dict(restored.config), {**info, "data": place}, home, False)
    console.say(f"{info['model']} from {source}")
    console.result(_conclude(restored.model, plan, data, restored.epochs, folder, not arguments.no_pictures, console))
    return 0


# What is to be done


def _refuse_other_options(arguments: argparse.Namespace) -> None:
    for option in ("recipe", "checkpoint_every", "live", "port", "open", "paused", "hold"):
        if getattr(arguments, option) not in (None, False, ""):
            raise UsageError(f"--{option.replace('_', '-')} is for networks that classify; one that names pixels is trained without it")


def _data_place(name: str) -> str:
    """A data set's name, or its folder's full path."""
    from ..data import LABEL_MAP_NAMES

    folder = Path(name).expanduser()
    if name in LABEL_MAP_NAMES:
        return name
    if not folder.is_dir():
        raise UsageError(
            f"there is no data set or folder of label maps {name!r}{nearest(name, LABEL_MAP_NAMES)}; the names are {', '.join(LABEL_MAP_NAMES)}"
        )
    return str(folder.resolve())


def _new(arguments: argparse.Namespace) -> PixelPlan:
    from ..data import known_name, load_label_maps
    from ..train import NUCLEI_CLASSES, moments, require_writable, segmentation_recipe
    from .data import short_name

    place = _data_place(arguments.data or DEFAULT_DATA)
    changes, options = _settings(arguments)
    config, builder_options = segmentation_recipe(arguments.model, known_name(place), **changes)
    data = load_label_maps(place)
    classes = list(data.classes or NUCLEI_CLASSES)
    options = {"num_classes": len(classes), "in_channels": 3, **builder_options, **options}
    mean, std = moments(data)
    info = {
        "task": "segmentation",
        "model": arguments.model,
        "model_options": options,
        "data": place,
        "classes": classes,
        "instances": not data.classes,
        "channels": 3,
        "image_size": max(data[0][1].shape),
        "mean": mean,
        "std": std,
    }
    folder = require_writable(new_run_folder(arguments.out, arguments.model, short_name(place)))
    return PixelPlan(arguments.model, config, info, folder, False)


def _resumed(arguments: argparse.Namespace, folder: Path) -> PixelPlan:
    from ..train import SegmentationConfig, load_checkpoint

    found = load_checkpoint(folder)
    info = found.run_info
    if info.get("task") != "segmentation":
        raise UsageError(f"--resume: {folder} is no run of {arguments.model}; begin a new one")
    for option, new in (("model", arguments.model), ("data", arguments.data)):
        if new is not None and new != info[option] and str(Path(new).resolve()) != info[option]:
            raise UsageError(f"--resume: {folder} was trained with {option} {info[option]}, not {new}; begin a new run for that")
    arguments.model = info["model"]
    changes, options = _settings(arguments)
    changed = [name for name, value in options.items() if info["model_options"].get(name) != value]
    if changed:
        raise UsageError(f"--resume: {folder} was built with another {changed[0]}; begin a new run for that")
    return PixelPlan(info["model"], SegmentationConfig.from_dict(found.config).replace(**changes), info, folder, True)


def _settings(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """The hyper-parameters given on the command line, and the builder's options."""
    from ..models import segmentation
    from ..train import SegmentationConfig

    given = {"epochs": arguments.epochs, "batch_size": arguments.batch_size, "learning_rate": arguments.lr}
    given |= {"optimizer": arguments.optimizer, "seed": arguments.seed}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    defaults = dataclasses.asdict(SegmentationConfig())
    fixed = ("num_classes", "in_channels")
    builder = {p.name: p.default for p in inspect.signature(getattr(segmentation, arguments.model)).parameters.values() if p.name not in fixed}
    options: dict[str, Any] = {}
    for text in arguments.settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text}: write NAME=VALUE, such as width=0.25")
        name = {"lr": "learning_rate"}.get(name, name.replace("-", "_"))
        target, own = (options, builder) if name in builder else (changes, defaults)
        if name not in own:
            known = [*defaults, *builder]
            raise UsageError(f"there is no hyper-parameter {name!r}{nearest(name, known)}; {arguments.model} has {', '.join(known)}")
        target[name] = field_type(name, type(own[name]), value)
    return changes, options


def _parameters(model: Any) -> int:
    return sum(int(parameter.data.size) for parameter in model.parameters())


# What it leaves


def _conclude(model: Any, plan: PixelPlan, data: Any, epochs: Any, folder: Path, draw: bool, console: Console) -> dict[str, Any]:
    """Evaluate, print and draw; returns what --json prints of it."""
    from ..train import evaluate_segmentation

    info = plan.info
    evaluation = evaluate_segmentation(model, data, mean=info["mean"], std=info["std"])
    rows = evaluation.rows()
    console.say(f"\n{evaluation.pictures} test pictures of {Path(info['data']).name}")
    cells = [[name, *(f"{100 * value:.2f}" for value in (accuracy, iou, dice)), f"{pixels:,}"] for name, accuracy, iou, dice, pixels in rows]
    console.say(table(["class", "accuracy %", "IoU %", "Dice %", "true pixels"], cells))
    console.say(evaluation.scores.text())
    if evaluation.instances is not None:
        found, invented, missed = evaluation.instances
        console.say(f"cells at IoU > {evaluation.threshold}: {found} found, {invented} invented, {missed} missed; F1 {evaluation.instance_f1:.4f}")
    with open(folder / TABLE, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("class", "accuracy", "iou", "dice", "true_pixels"), *rows])
    pictures = _draw(model, plan, data, epochs, evaluation, folder) if draw else []
    report = _report(model, plan, evaluation, epochs, pictures, folder) if draw else None
    if report is not None:
        console.say(f"pictures       {report}, and {len(pictures)} PNG files beside it")
    scores = evaluation.scores
    return {
        "model": info["model"],
        "data": info["data"],
        "test_pictures": evaluation.pictures,
        "pixel_accuracy": scores.pixel_accuracy,
        "mean_accuracy": scores.mean_accuracy,
        "mean_iou": scores.mean_iou,
        "mean_dice": scores.mean_dice,
        "absent": scores.absent,
        "absent_classes": scores.absent_classes,
        "classes": [dict(zip(("name", "accuracy", "iou", "dice", "pixels"), row, strict=True)) for row in rows],
        "confusion": scores.matrix,
        "instances": None if evaluation.instances is None else dict(zip(("found", "invented", "missed"), evaluation.instances, strict=True)),
        "instance_f1": evaluation.instance_f1,
        "parameters": _parameters(model),
        "folder": folder,
        "report": report,
        "pictures": [picture.path for picture in pictures],
        "config": plan.config.to_dict(),
    }


def _draw(model: Any, plan: PixelPlan, data: Any, epochs: Any, evaluation: Any, folder: Path) -> list[Any]:
    """Overlays of some test pictures; curves and the classes' bars where matplotlib is installed."""
    from .. import plot

    info = plan.info
    palette = plot.palette_for(info["data"], len(info["classes"]))
    pictures = []
    for number, index in enumerate(range(0, len(data), max(1, len(data) // SHOWN))[:SHOWN], start=1):
        picture, labels = data[index]
        path = draw_comparison(model, picture, labels, info, folder / f"overlay-{number}.png")
        words = "The picture, its labels painted over it, and what the network says; where the truth has no colour it is not labelled."
        if info["instances"]:
            words = "The picture, its labelled cells, and the cells that the network's classes give; each cell has a colour of its own."
        pictures.append(plot.Picture(path, f"Test picture {index}", words))
    if plot.available():
        path = plot.draw_class_scores(evaluation.rows(), folder / "class_iou.png", palette)
        pictures.append(plot.Picture(path, "Class by class", f"Of all test pixels together; also in {TABLE}, with accuracy and Dice."))
        if epochs:
            path = plot.draw_pixel_curves(epochs, folder / "curves.png")
            pictures.insert(0, plot.Picture(path, "How it learned", "Each point is one pass over the training pictures."))
    return pictures


def draw_comparison(model: Any, picture: Any, labels: Any, info: dict[str, Any], path: Path) -> Path:
    """The picture, the truth and the network's answer beside each other."""
    import numpy as np

    from .. import plot
    from ..models.segmentation import instances_by_border
    from ..train import pixel_scores

    guess = pixel_scores(model, picture[None], info["mean"], info["std"])[0].argmax(0)
    if info["instances"]:
        cells = instances_by_border(guess)
        titles = f"truth: {int((np.unique(labels) > 0).sum())} cells", f"network: {int(cells.max())} cells"
        painted = [plot.overlay_instances(picture, one) for one in (labels, cells)]
        return plot.draw_label_maps({"picture": picture, titles[0]: painted[0], titles[1]: painted[1]}, path)
    palette = plot.palette_for(info["data"], len(info["classes"]))
    shown = sorted({*np.unique(labels[labels < len(palette)]).tolist(), *np.unique(guess).tolist()})
    panels = {"picture": picture, "truth": plot.overlay(picture, labels, palette), "network": plot.overlay(picture, guess, palette)}
    return plot.draw_label_maps(panels, path, classes=info["classes"], palette=palette, shown=shown)


def _report(model: Any, plan: PixelPlan, evaluation: Any, epochs: Any, pictures: list[Any], folder: Path) -> Path:
    """report.html."""
    from .. import plot
    from .results import environment

    info, scores = plan.info, evaluation.scores
    results = [("mean IoU", f"{100 * scores.mean_iou:.2f} %"), ("pixels right", f"{100 * scores.pixel_accuracy:.2f} %")]
    results.append(("mean accuracy of the classes", f"{100 * scores.mean_accuracy:.2f} %"))
    if evaluation.instances is not None:
        results.append((f"F1 of cells at IoU > {evaluation.threshold}", f"{evaluation.instance_f1:.4f}"))
    seconds = sum(float(row["seconds"]) for row in epochs)
    results += [("minutes of training", f"{seconds / 60:.1f}"), ("parameters", f"{_parameters(model):,}")]
    report = plot.Report(
        title=f"{info['model']} on {Path(info['data']).name}",
        lead=f"{evaluation.pictures} test pictures, {len(info['classes'])} classes; {len(epochs)} epochs, seed {plan.config.seed}. "
        f"{scores.text().splitlines()[-1]}.",
        results=results,
        pictures=pictures,
        config={**{name.replace("_", " "): value for name, value in plan.config.to_dict().items()}, **info["model_options"]},
        environment=environment(),
        commands=[
            (f"tinycnn segment PHOTO --model {plan.folder}", "paints this network's answer over a photo of yours"),
            (f"tinycnn eval {plan.folder}", "evaluates it again, class by class"),
        ],
    )
    return plot.write_report(report, folder / "report.html")
