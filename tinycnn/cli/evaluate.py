"""`tinycnn eval RUN`: how good a trained network is, class by class, with its pictures."""

import argparse
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .common import Console, add_data_options, add_machine_options, find_run, table, use_threads

DESCRIPTION = """\
Evaluate a trained network on test images: accuracy, loss, a table of the classes, pictures and report. RUN is a run's
folder, a checkpoint file or a name under runs/; without it the newest run is taken."""
EPILOG = """\
examples:
  tinycnn eval                                       the newest run, on the data it was trained on
  tinycnn eval runs/lenet5-digits --data mnist       the network of the bundled digits, on all of MNIST's test images
  tinycnn eval runs/lenet5-digits/checkpoint.npz --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="folder, checkpoint or name of a run (default: the newest)")
    add_data_options(parser, None, "what the run was trained on")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where pictures go (default: the run's folder, or eval-DATA in it for other data)",
    )
    parser.add_argument("--no-pictures", action="store_true", help="draw nothing")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print."""
    console = Console(arguments.json)
    use_threads(arguments.threads)
    from ..metrics import class_report
    from ..train import evaluate, load_checkpoint
    from .data import open_data
    from .runs import restore, task_of_run
    from .train_detection import evaluate_command

    source = find_run(arguments.run)
    task = task_of_run(load_checkpoint(source).run_info)
    if task == "detection":
        return evaluate_command(arguments, source, console)
    restored = restore(source, task)
    if restored.note:
        console.say(f"note: {restored.note}")
    info = restored.info
    if task == "segmentation":
        from .segmentation_run import evaluate_pixels

        return evaluate_pixels(arguments, source, restored, console)
    data = open_data(arguments.data or info["data"], arguments.download)
    _require_fit(info, data)
    evaluation = evaluate(restored.model, data.test_loader(mean=info["mean"], std=info["std"]))
    console.say(f"{info['model']} from {source}, on the {evaluation.count:,} test images of {data.name}")
    console.say(f"accuracy {100 * evaluation.accuracy:.2f} %, loss {evaluation.loss:.4f}\n")
    classes = class_report(evaluation.confusion).rows(list(info["classes"]))
    rows = [[name, f"{precision:.4f}", f"{recall:.4f}", f"{f1:.4f}", str(support)] for name, precision, recall, f1, support in classes]
    console.say(table(["class", "precision", "recall", "F1", "images"], rows))
    report = None if arguments.no_pictures else _draw(arguments, source, restored, data, evaluation, console)
    console.result(
        {
            "model": info["model"],
            "checkpoint": source,
            "data": data.name,
            "test_accuracy": evaluation.accuracy,
            "test_loss": evaluation.loss,
            "test_images": evaluation.count,
            "confusion": evaluation.confusion,
            "classes": [dict(zip(("name", "precision", "recall", "f1", "images"), row, strict=True)) for row in classes],
            "report": report,
        }
    )
    return 0


def _require_fit(info: dict[str, Any], data: Any) -> None:
    """Other data must have the classes and the image shape that the network was built for."""
    for words, own, other in (
        ("classes", len(info["classes"]), len(data.classes)),
        ("channels", info["channels"], data.channels),
        ("pixels a side", info["image_size"], data.image_size),
    ):
        if own != other:
            raise UsageError(f"eval: the network was trained on images with {own} {words}, {data.name} has {other}")


def _draw(arguments: argparse.Namespace, source: Path, restored: Any, data: Any, evaluation: Any, console: Console) -> Path:
    """Pictures and report; those of other data do not overwrite the run's own."""
    from ..train import require_writable
    from .results import Subject, draw_all, write_run_report

    home = source.parent if source.is_file() else source
    same = data.facts()["data"] == restored.info["data"]
    folder = require_writable(arguments.out or (home if same else home / f"eval-{data.name}"))
    subject = Subject(restored.model, restored.info, restored.config, restored.epochs, restored.hints, data, evaluation)
    pictures = draw_all(subject, folder)
    seconds = sum(float(record["seconds"]) for record in restored.epochs) or None
    report = write_run_report(subject, pictures, folder, seconds)
    console.say(f"\npictures: {report}" + ("" if pictures else " (none drawn: pip install 'tinycnn[plot]')"))
    return report
