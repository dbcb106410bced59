"""`tinycnn transfer RUN --data NAME`: a trained network learns another data set."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import (
    Console,
    add_machine_options,
    add_training_options,
    find_run,
    new_run_folder,
    table,
    use_threads,
    whole_number,
)
from .leaderboard import note_run

DESCRIPTION = """\
Give a trained network a new head and train it on other data: the head alone on fixed features (extractor), the last layers with it
(finetune), the whole network (all), or stage after stage as a file says (stages). Frozen parts keep their batch statistics, too.
RUN is a run's folder, a checkpoint file or a name under runs/; or an architecture whose weights are in a file (--weights)."""
EPILOG = """\
examples:
  tinycnn transfer runs/lenet5-mnist --data digits --mode extractor
  tinycnn transfer runs/resnet20-cifar10 --data ~/photos --mode finetune --epochs 5 --lr 0.02
  tinycnn transfer runs/resnet20-cifar10 --data cifar100 --neck 128 --mode stages --stages plan.toml
  tinycnn transfer resnet20 --weights resnet20-12fca82f.th --data cifar100 --mode extractor
  tinycnn transfer --show-recipe > plan.toml        the six-stage recipe, to be changed
  tinycnn transfer runs/resnet20-cifar10 --show-parts
"""
MODE_NAMES = ("extractor", "finetune", "all", "stages")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="the trained network: folder, checkpoint or name of a run; or an architecture")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the architecture: .pth, .safetensors, .npz")
    parser.add_argument("--data", metavar="NAME|PATH", help="what to learn: digits, mnist, cifar10, cifar100, or a folder or archive")
    parser.add_argument("--download", action=argparse.BooleanOptionalAction, default=True, help="fetch a data set that is not on this machine")
    parser.add_argument("--mode", default="finetune", metavar="MODE", help=f"{', '.join(MODE_NAMES)} (default: finetune)")
    parser.add_argument("--stages", type=Path, metavar="FILE", help="with --mode stages: a .toml file; the six-stage recipe without it")
    parser.add_argument("--neck", metavar="A,B", help="widths of new layers between features and head")
    parser.add_argument("--images", type=whole_number(1), metavar="N", help="learn from N training images only")
    add_training_options(parser)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="NAME=VALUE", help="any other hyper-parameter")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="the run's folder (default: runs/MODEL-DATA-MODE, numbered when it exists)")
    parser.add_argument("--resume", action="store_true", help="go on with the transfer in --out")
    parser.add_argument("--show-recipe", action="store_true", help="print the six-stage recipe and stop")
    parser.add_argument("--show-parts", action="store_true", help="print which layers are stem, stages and head, and stop")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replace the head, train in stages, keep the result as a run."""
    from ..train import MODES, SIX_STAGES, model_parts, read_schedule

    console = Console(arguments.json)
    if arguments.show_recipe:
        console.say(SIX_STAGES)
        console.result({"recipe": SIX_STAGES})
        return 0
    if arguments.mode not in MODE_NAMES:
        raise UsageError(f"--mode {arguments.mode}: choose one of {', '.join(MODE_NAMES)}")
    if arguments.stages is not None and arguments.mode != "stages":
        raise UsageError("--stages FILE needs --mode stages")
    if arguments.run is None:
        raise UsageError("name a trained network, as in `tinycnn transfer runs/lenet5-mnist --data digits`")
    use_threads(arguments.threads)
    if arguments.show_parts:
        parts = model_parts(_trained(arguments)[0])
        console.say(table(["part", "modules"], [[part, " ".join(paths)] for part, paths in parts.items()]))
        console.result({"parts": parts})
        return 0
    if arguments.data is None:
        raise UsageError("--data NAME: say what the network is to learn")
    text = MODES.get(arguments.mode) or (SIX_STAGES if arguments.stages is None else arguments.stages.read_text(encoding="utf-8"))
    schedule = read_schedule(text, str(arguments.stages or arguments.mode))
    return _carry_out(arguments, schedule, console)


def _trained(arguments: argparse.Namespace, data: Any = None) -> tuple[Any, dict[str, Any], Path]:
    """The trained network, what is known of it, and where it came from."""
    from .runs import check_model_name, model_options, restore

    if arguments.weights is None:
        restored = restore(find_run(arguments.run))
        return restored.model, restored.info, restored.source
    from ..models import get_model
    from ..weights import load_weights

    check_model_name(arguments.run)
    options: dict[str, Any] = {}
    if data is not None:
        options = model_options(arguments.run, len(data.classes), data.channels, data.image_size)
    model = get_model(arguments.run, **options)
    # The file's head is for other classes, and is about to be replaced.
    load_weights(model, arguments.weights, head="replace")
    facts = {} if data is None else data.facts()
    return model, {"model": arguments.run, "model_options": options, **facts}, arguments.weights


def _carry_out(arguments: argparse.Namespace, schedule: Any, console: Console) -> int:
    from .. import random
    from ..train import TrainConfig, evaluate, replace_head, require_writable, run_stages
    from .data import open_data, short_name
    from .train import changes

    data = open_data(arguments.data, arguments.download)
    model, info, source = _trained(arguments, data)
    for words, own, other in (("channels", info["channels"], data.channels), ("pixels a side", info["image_size"], data.image_size)):
        if own != other:
            raise UsageError(f"transfer: the network was trained on images with {own} {words}, {data.name} has {other}")
    config = TrainConfig(epochs=5, learning_rate=0.02, weight_decay=1e-4).replace(**changes(arguments))
    # The network goes on seeing images normalised as it learned to see them.
    data.train.mean, data.train.std = tuple(info["mean"]), tuple(info["std"])
    name = f"{short_name(arguments.data)}-{arguments.mode}"
    folder = arguments.out if arguments.resume and arguments.out else new_run_folder(arguments.out, info["model"], name)
    require_writable(folder)
    neck = _widths(arguments.neck)
    random.manual_seed(config.seed)
    replaced = replace_head(model, len(data.classes), neck=neck)
    options = {**info["model_options"], "num_classes": len(data.classes)}
    facts = {"model": info["model"], "model_options": options, **data.facts(), "neck": neck, "from": str(source)}
    learn, test = data.train, data.test_set()
    if arguments.images is not None:
        learn = _first(learn, arguments.images, config.seed)
    console.say(f"{info['model']} from {source}: new {', '.join(replaced)} for the {len(data.classes)} classes of {data.name}")
    console.say(f"{schedule.title}: {len(schedule.stages)} stages, {len(learn):,} training images, folder {folder}")
    learning = _with_own_transform(data, learn)
    results = run_stages(model, schedule, learning, test, config, output=folder, resume=arguments.resume, run_info=facts)
    last = results[-1].result
    if last is not None and last.exit_code:
        console.say(f"go on with the same command, --out {folder} and --resume")
        return int(last.exit_code)
    evaluation = evaluate(model, data.test_loader())
    _keep(folder, model, config, facts, results)
    rows = [
        [
            one.name,
            f"{one.trained:,}",
            f"{one.frozen:,}",
            str(len(one.result.epochs) if one.result else 0),
            f"{100 * one.result.epochs[-1].test_accuracy:.2f} %" if one.result else "-",
            f"{sum(epoch.seconds for epoch in one.result.epochs):.1f}" if one.result else "-",
        ]
        for one in results
    ]
    console.say("\n" + table(["stage", "parameters learning", "frozen", "epochs", "accuracy", "seconds"], rows))
    console.say(f"test accuracy {100 * evaluation.accuracy:.2f} % of {evaluation.count:,} images")
    epochs = [epoch for one in results if one.result for epoch in one.result.epochs]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    note_run(folder, f"{info['model']} ({arguments.mode})", data.name, epochs, evaluation.accuracy, config.seed, parameters)
    console.say(f"try it        tinycnn predict IMAGE --model {folder}")
    stages = [{**dataclasses.asdict(one), "result": None, "epochs": len(one.result.epochs) if one.result else 0} for one in results]
    console.result({"folder": folder, "test_accuracy": evaluation.accuracy, "replaced": replaced, "stages": stages})
    return 0


def _widths(text: str | None) -> list[int]:
    if not text:
        return []
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"--neck {text}: write whole numbers above 0 with commas, such as 128 or 256,64")
    return [int(part) for part in parts]


def _first(dataset: Any, count: int, seed: int) -> Any:
    """So many images, drawn at random."""
    import numpy as np

    from ..data import Subset

    order = np.random.default_rng(seed).permutation(len(dataset))[: min(count, len(dataset))]
    return Subset(dataset, order)


def _with_own_transform(data: Any, learn: Any) -> Any:
    """The training images, scaled and normalised; each stage's config varies them."""
    from ..data.transforms import Compose, Normalize, ToTensor
    from .data import with_transform

    return with_transform(learn, Compose([ToTensor(), Normalize(data.train.mean, data.train.std)]))


def _keep(folder: Path, model: Any, config: Any, facts: dict[str, Any], results: list[Any]) -> None:
    """The finished network as a run of its own, which eval, predict and another transfer understand."""
    from ..train import Checkpoint, load_checkpoint, save_checkpoint

    events: list[dict[str, Any]] = []
    for one in results:
        if one.result is not None and one.result.checkpoint is not None:
            events += load_checkpoint(one.result.checkpoint).events
    number = 0
    for event in events:
        if event["event"] == "epoch":
            number += 1
            event["epoch"] = number
    arrays = {name: value.data for name, value in model.state_dict().items()}
    kept = Checkpoint(model=arrays, epoch=number, config={**config.to_dict(), "epochs": max(number, 1)}, run_info=facts, events=events)
    save_checkpoint(folder, kept)
