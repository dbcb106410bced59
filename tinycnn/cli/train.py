"""`tinycnn train MODEL`: train, evaluate, and leave checkpoint, logs, pictures and a report in one folder."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import (
    RUNS,
    Console,
    add_data_options,
    add_machine_options,
    add_training_options,
    find_run,
    new_run_folder,
    read_setting,
    use_threads,
    whole_number,
)
from .detection_data import short_detection_name
from .leaderboard import note_run
from .live import add_live_options, live_page
from .train_detection import add_detection_options

DESCRIPTION = """\
Train a network on a data set, evaluate it on the test images, and draw what it learned. The folder of the run
(runs/MODEL-DATA) gets checkpoint.npz, log.csv, log.jsonl, config.json, the pictures and report.html. Ctrl-C saves;
--resume goes on to the same bits.

What --data takes follows from the network's task; `tinycnn train --list` names the networks of each:
  classification     digits (bundled; the default), mnist, cifar10, cifar100, or a folder or archive with such files
  detection          shapes (drawn; the default), shapes:SEED, bccd, or a form and a folder or file of annotations:
                     voc:PATH, coco:PATH, yolo:PATH, labelme:PATH, via:PATH, labelbox:PATH
  class of a pixel   shapes (drawn; the default), camvid, nuclei, or a folder with train/ and trainannot/ as CamVid
                     has them, or with images/ and labels/ as the nuclei have them"""
EPILOG = """\
examples:
  tinycnn train lenet5                               the 5,000 bundled digits, about half a minute
  tinycnn train lenet5 --data mnist --epochs 5       the 60,000 digits of MNIST
  tinycnn train lenet5 --data ~/cifar-10-python.tar.gz
  tinycnn train lenet5 --lr 0.02 --optimizer adam --seed 1 --out runs/adam
  tinycnn train lenet5 --set momentum=0.95 --set schedule=cosine
  tinycnn train resnet20 --data cifar10              15 epochs; --recipe paper: the 164 of the paper
  tinycnn train resnet20 --data cifar10 --set cutout=16 --set mixup=0.2 --set average=0.999
  tinycnn train lenet5 --live --open                 watch it in the browser: curves, layers, health; change the learning rate
  tinycnn train --resume runs/lenet5-digits          after Ctrl-C, from where it stopped
  tinycnn train fasterrcnn_mini --data shapes --minutes 15     a detector on drawn shapes
  tinycnn train retinanet_mini --data bccd --minutes 30 --option min_size=240 --option max_size=320
  tinycnn train unet --data nuclei                   the class of every pixel; also shapes (drawn, nothing to download) and camvid
  tinycnn train segnet --data camvid --set width=0.5 --set loss=cross_entropy+0.5*dice

models: `tinycnn train --list` names them by task
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("model", nargs="?", help="such as lenet5; not needed with --resume RUN")
    add_data_options(parser, None, "digits or shapes", "what to learn from, by the network's task as listed above")
    add_training_options(parser)
    parser.set_defaults(seed=None)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="any other hyper-parameter: momentum, nesterov, weight_decay, decay_all, schedule, warmup, clip_norm, accumulate, average, "
        "label_smoothing, side_weight, initialisation; shift, flip, symmetry, rotate, elastic, colour, cutout, erase, mixup, cutmix",
    )
    parser.add_argument("--recipe", default="", metavar="NAME", help="a named recipe of this model and data, such as paper")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="the run's folder (default: runs/MODEL-DATA, numbered when it exists)",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with a run (default: the newest of this model and data)",
    )
    parser.add_argument(
        "--checkpoint-every",
        type=whole_number(1),
        metavar="STEPS",
        help="also save every so many steps (default: each epoch)",
    )
    parser.add_argument("--no-pictures", action="store_true", help="draw nothing")
    parser.add_argument("--list", action="store_true", help="name the models and stop")
    add_live_options(parser)
    add_detection_options(parser)
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, evaluate, draw."""
    from ..models import list_models
    from ..train import load_checkpoint
    from .runs import ASKED_BY, task_of_network, task_of_run
    from .segmentation_run import train_pixels
    from .train_detection import train_command

    console = Console(arguments.json)
    if arguments.list:
        names = {task: list_models(task) for task in ("classification", *ASKED_BY)}
        console.say("\n".join(names["classification"]))
        console.say("\ndetectors, which learn from --data shapes, bccd, voc:FOLDER or coco:FOLDER:\n" + "\n".join(names["detection"]))
        console.say("\nof every pixel's class, which learn from --data shapes, camvid or nuclei:\n" + "\n".join(names["segmentation"]))
        console.result({"models": names["classification"], "detectors": names["detection"], "segmentation": names["segmentation"]})
        return 0
    began = time.perf_counter()
    use_threads(arguments.threads)
    resumed = None if arguments.resume is None else run_to_resume(arguments)
    task = task_of_network(arguments.model) if arguments.model or resumed is None else task_of_run(load_checkpoint(resumed).run_info)
    if task == "detection":
        return train_command(arguments, console, resumed)
    for option in ("minutes", "images", "sniper", "model_settings"):
        if getattr(arguments, option):
            raise UsageError(f"--{option.replace('model_settings', 'option')} is for detectors; {arguments.model or 'this run'} is none")
    if task == "segmentation":
        return train_pixels(arguments, console, began, resumed)
    plan = _plan(arguments, resumed)
    return _carry_out(plan, arguments, console, began)


class _Plan:
    """Model, data, hyper-parameters and folder of the run to do, new or resumed."""

    def __init__(self, model: str, options: dict[str, int], data: Any, config: Any, folder: Path, resume: bool) -> None:
        self.model, self.options, self.data, self.config = model, options, data, config
        self.folder, self.resume = folder, resume


def _plan(arguments: argparse.Namespace, folder: Path | None) -> _Plan:
    from ..train import TrainConfig, load_checkpoint, recipe, require_writable
    from .data import check_data_name, open_data, short_name
    from .runs import check_model_name, model_options

    if arguments.model is not None:
        check_model_name(arguments.model)
    if folder is not None:
        found = load_checkpoint(folder)
        model = found.run_info.get("model", "")
        check_model_name(model)
        for option, old in (("model", model), ("data", found.run_info.get("data"))):
            new = getattr(arguments, option)
            if new is not None and new != old and str(Path(new).resolve()) != old:
                raise UsageError(f"--resume: {folder} was trained with {option} {old}, not {new}; begin a new run for that")
        config = TrainConfig.from_dict(found.config).replace(**changes(arguments))
        data = open_data(found.run_info["data"], arguments.download)
        options = model_options(model, len(data.classes), data.channels, data.image_size)
        return _Plan(model, options, data, config, folder, True)
    if arguments.model is None:
        raise UsageError("name a model, as in `tinycnn train lenet5`; `tinycnn train --list` lists them")
    data_name = arguments.data or "digits"
    check_data_name(data_name)
    config = recipe(arguments.model, short_name(data_name), recipe_name=arguments.recipe, **changes(arguments))
    data = open_data(data_name, arguments.download)
    options = model_options(arguments.model, len(data.classes), data.channels, data.image_size)
    folder = require_writable(new_run_folder(arguments.out, arguments.model, short_name(data_name)))
    return _Plan(arguments.model, options, data, config, folder, False)


def changes(arguments: argparse.Namespace) -> dict[str, Any]:
    """The hyper-parameters given on the command line, under TrainConfig's names."""
    given = {
        "epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "learning_rate": arguments.lr,
        "optimizer": arguments.optimizer,
        "seed": arguments.seed,
        "checkpoint_every": getattr(arguments, "checkpoint_every", None),
    }
    settings = dict(read_setting(text) for text in getattr(arguments, "settings", ()))
    return {**settings, **{name: value for name, value in given.items() if value is not None}}


def run_to_resume(arguments: argparse.Namespace) -> Path:
    """The folder named by --resume or --out, else the newest run of this model and data."""
    from .data import short_name
    from .runs import task_of_network

    if arguments.resume:
        found = find_run(arguments.resume)
        return found.parent if found.is_file() else found
    if arguments.out is not None:
        return find_run(str(arguments.out))
    if arguments.model is None:
        raise UsageError("--resume: name the run, as in `tinycnn train --resume runs/lenet5-digits`, or the model")
    task = task_of_network(arguments.model)
    short = short_detection_name if task == "detection" else short_name
    default = "digits" if task == "classification" else "shapes"
    stem = f"{arguments.model}-{short(arguments.data or default)}"
    own = [path for path in RUNS.glob(f"{stem}*") if path.name.removeprefix(stem).lstrip("-").isdigit() or path.name == stem]
    begun = [path for path in own if (path / "checkpoint.npz").exists() or (path / "checkpoint.previous.npz").exists()]
    if not begun:
        raise UsageError(f"--resume: there is no run {RUNS / stem} to go on with; leave --resume out to begin one")
    return max(begun, key=lambda path: max(file.stat().st_mtime for file in path.glob("checkpoint*.npz")))


def _carry_out(plan: _Plan, arguments: argparse.Namespace, console: Console, began: float) -> int:
    from ..kernels import threads
    from ..models import get_model
    from ..train import evaluate, prepare, train

    data, config, options = plan.data, plan.config, plan.options
    prepared = prepare(lambda: get_model(plan.model, **options), data.learning_set(config), data.test_set(), config)
    model = prepared.model
    info = {"model": plan.model, "model_options": options, **data.facts()}
    _write_config(plan, info)
    parameters = sum(int(parameter.data.size) for parameter in model.parameters())
    console.say(f"{plan.model}: {parameters:,} parameters, running on CPU, threads: {threads.get_num_threads()}")
    console.say(f"{data.name}: {len(data.train):,} training and {len(data.test):,} test images, {len(data.classes)} classes")
    console.say(f"mean {_numbers(data.train.mean)}, standard deviation {_numbers(data.train.std)} of each channel, pixels from 0 to 1")
    console.say(f"{plan.folder}: checkpoint and logs go here; Ctrl-C saves and stops")
    if not kernels_cached():
        console.say("the first run compiles the kernels once, which takes a while")
    with live_page(arguments, console, info) as page:
        result = train(*prepared, config, output=plan.folder, resume=plan.resume, run_info=info, watcher=page)
        if result.exit_code:
            console.result({"interrupted": result.interrupted, "folder": plan.folder, "checkpoint": result.checkpoint})
            return int(result.exit_code)
        evaluation = evaluate(model, prepared.test_loader)
        return _conclude(plan, model, info, result, evaluation, arguments, console, began)


def _conclude(
    plan: _Plan,
    model: Any,
    info: dict[str, Any],
    result: Any,
    evaluation: Any,
    arguments: argparse.Namespace,
    console: Console,
    began: float,
) -> int:
    """Draw the pictures, write the report and sum up."""
    import dataclasses

    from .. import plot
    from .results import Subject, draw_all, write_run_report

    epochs = [dataclasses.asdict(record) for record in result.epochs]
    hints = [f"{hint.sentence} {hint.fix}" for hint in result.hints]
    subject = Subject(model, info, plan.config.to_dict(), epochs, hints, plan.data, evaluation)
    learning = sum(record["seconds"] for record in epochs)
    pictures = [] if arguments.no_pictures else draw_all(subject, plan.folder)
    report = None if arguments.no_pictures else write_run_report(subject, pictures, plan.folder, learning)
    seconds = time.perf_counter() - began
    console.say()
    console.say(f"test accuracy  {100 * evaluation.accuracy:.2f} % of {evaluation.count:,} images (loss {evaluation.loss:.4f})")
    console.say(f"time           {learning:.1f} s of training, {seconds:.1f} s in all, compilation and pictures included")
    noted = note_run(
        plan.folder,
        plan.model,
        plan.data.name,
        result.epochs,
        evaluation.accuracy,
        plan.config.seed,
        sum(parameter.numel() for parameter in model.parameters()),
    )
    if report is not None:
        beside = f", and {len(pictures)} PNG files beside it" if pictures else ""
        console.say(f"pictures       {report}{beside}")
        if not plot.available():
            console.say("               none drawn: matplotlib is not installed; pip install 'tinycnn[plot]'")
    console.say(f"try it         tinycnn predict IMAGE --model {plan.folder}")
    console.result(
        {
            "model": plan.model,
            "data": plan.data.name,
            "test_accuracy": evaluation.accuracy,
            "test_loss": evaluation.loss,
            "test_images": evaluation.count,
            "epochs": epochs,
            "training_seconds": learning,
            "seconds": seconds,
            "folder": plan.folder,
            "checkpoint": result.checkpoint,
            "report": report,
            "pictures": [picture.path for picture in pictures],
            "hints": hints,
            "commit": noted.commit,
            "config": plan.config.to_dict(),
        }
    )
    return 0


def _numbers(values: Any) -> str:
    """Some numbers with four digits each."""
    return " ".join(f"{float(value):.4f}" for value in values)


def _write_config(plan: _Plan, info: dict[str, Any]) -> None:
    """config.json: what a reader needs to repeat the run."""
    from .results import environment

    text = json.dumps({"run": info, "config": plan.config.to_dict(), "environment": environment()}, indent=2)
    (plan.folder / "config.json").write_text(text + "\n", encoding="utf-8")


def kernels_cached() -> bool:
    """Whether a command has compiled kernels on this machine before."""
    from ..kernels.jit import CACHE_FOLDER

    return CACHE_FOLDER is not None and any(CACHE_FOLDER.rglob("*.nbc"))
