"""What stands in a run's folder after it was evaluated: the pictures and the report."""

import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAPTIONS = {
    "curves": (
        "How it learned",
        "Each point is one pass over the training images. Both losses should fall and flatten. A test curve that "
        "turns away from the training curve means that the network starts to learn its training images by heart. "
        "Training may look worse than test, because its images are shifted at random and its value is the mean "
        "over an epoch in which the network was still improving.",
    ),
    "confusion": (
        "What it takes for what",
        "One row a true class, one column a predicted class. The blue diagonal counts the right answers; each "
        "orange cell is a mistake, the deeper the more frequent for its class. The share at the right is the "
        "recall: how many images of that class were found.",
    ),
    "wrong": (
        "Where it was most wrong",
        "The misclassified test images of which the network was surest: true class, predicted class and the "
        "probability it gave the prediction. Ask yourself what you would have said: some of these labels are "
        "debatable.",
    ),
    "predictions": (
        "A sample of the test images",
        "Images taken at even distances from the test set, never seen in training, with the answer and its probability.",
    ),
    "filters": (
        "The filters of the first layer",
        "Each square is the weights of one filter, which slides over the image: red weights want ink, blue "
        "weights want none, white ones do not care. Stripes that turn from red to blue respond to edges of that "
        "direction. Filters that look like noise have learned little.",
    ),
    "filters_colour": (
        "The filters of the first layer",
        "Each square is the weights of one filter as a picture: grey is a weight of zero. Coloured blobs respond to colours, stripes to edges.",
    ),
    "activations": (
        "One image on its way through the network",
        "Every row is a layer, every picture one of its maps, with its output shape. The first maps still look "
        "like the image, as seen by one filter each. Pooling halves them; deeper maps are small and abstract; the "
        "last layers are rows of numbers. Dark is zero and bright is large; where negative values occur, blue is "
        "negative, white is zero and red is positive.",
    ),
}


@dataclass(frozen=True)
class Subject:
    """What was evaluated: the network, its run and the test data."""

    model: Any
    info: dict[str, Any]
    config: dict[str, Any]
    epochs: Sequence[dict[str, Any]]
    hints: Sequence[str]
    data: Any  # OpenedData
    evaluation: Any


def draw_all(subject: Subject, folder: Path) -> list[Any]:
    """Draw every picture of the run into its folder; an empty list where matplotlib is missing."""
    from .. import plot

    if not plot.available():
        return []
    evaluation, names = subject.evaluation, list(subject.info["classes"])
    images, labels = subject.data.test_pictures, evaluation.labels
    drawn: dict[str, Path | None] = {}
    if subject.epochs:
        drawn["curves"] = plot.draw_curves(subject.epochs, folder / "curves.png")
    drawn["confusion"] = plot.draw_confusion(evaluation.confusion, folder / "confusion.png", names)
    drawn["wrong"] = plot.draw_wrong(images, labels, evaluation.probabilities, folder / "wrong.png", names)
    drawn["predictions"] = plot.draw_predictions(images, labels, evaluation.probabilities, folder / "predictions.png", names)
    weight = first_convolution(subject.model)
    if weight is not None:
        key = "filters_colour" if weight.shape[1] == 3 else "filters"
        drawn[key] = plot.draw_filters(weight, folder / "filters.png")
    chosen = _surest(evaluation)
    records = plot.record_layers(subject.model, subject.data.test_batch(chosen))
    drawn["activations"] = plot.draw_activations(images[chosen], records, evaluation.probabilities[chosen], folder / "activations.png", names)
    return [plot.Picture(path, *CAPTIONS[key]) for key, path in drawn.items() if path is not None]


def first_convolution(model: Any) -> Any:
    """The weight of the first convolution as an array, or None."""
    for name, parameter in model.named_parameters():
        if name.endswith("weight") and parameter.data.ndim == 4:
            return parameter.data
    return None


def _surest(evaluation: Any) -> int:
    """The test image that is classified right with the highest probability: a clear example for the tour."""
    own = evaluation.probabilities[range(len(evaluation.labels)), evaluation.labels]
    return int(own.argmax())


def environment() -> dict[str, str]:
    """Versions and machine, as a reader needs them to repeat the run."""
    import numba
    import numpy

    from .. import __version__
    from ..kernels import jit, threads
    from .doctor import processor_name

    return {
        "tinycnn": __version__,
        "Python": platform.python_version(),
        "NumPy": numpy.__version__,
        "Numba": numba.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor_name(),
        "threads": str(threads.get_num_threads()),
        "vector kernels": "yes" if jit.FAST else "no, plain Numba",
        "command": " ".join(["tinycnn", *sys.argv[1:]]),
        "written": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def write_run_report(subject: Subject, pictures: list[Any], folder: Path, training_seconds: float | None) -> Path:
    """Write report.html into the run's folder."""
    from .. import plot
    from ..metrics import class_report

    evaluation, info = subject.evaluation, subject.info
    parameters = sum(int(parameter.data.size) for parameter in subject.model.parameters())
    layers = [
        (record.name, record.kind, tuple(record.output.shape), record.parameters)
        for record in plot.record_layers(subject.model, subject.data.test_batch(0))
    ]
    results = [("test accuracy", f"{100 * evaluation.accuracy:.2f} %"), ("test loss", f"{evaluation.loss:.4f}")]
    results.append(("wrong of the test images", f"{round((1 - evaluation.accuracy) * evaluation.count)} of {evaluation.count:,}"))
    if training_seconds is not None:
        results.append(("seconds of training", f"{training_seconds:.1f}"))
    results.append(("parameters", f"{parameters:,}"))
    report = plot.Report(
        title=f"{info['model']} on {subject.data.name}",
        lead=f"{len(subject.data.train):,} training and {len(subject.data.test):,} test images of "
        f"{len(info['classes'])} classes; "
        f"{len(subject.epochs)} epochs, seed {subject.config.get('seed', 0)}.",
        results=results,
        pictures=pictures,
        epochs=subject.epochs,
        classes=class_report(evaluation.confusion).rows(list(info["classes"])),
        layers=layers,
        total_parameters=parameters,
        config={name.replace("_", " "): value for name, value in subject.config.items()},
        environment=environment(),
        hints=subject.hints,
        commands=[
            (f"tinycnn predict IMAGE --model {folder}", "asks this network about a picture of yours"),
            (f"tinycnn eval {folder}", "evaluates it again, class by class"),
            (
                f"tinycnn train {info['model']} --data {info['data']} --seed {subject.config.get('seed', 0) + 1}",
                "trains another one from other initial weights",
            ),
        ],
    )
    return plot.write_report(report, folder / "report.html")
