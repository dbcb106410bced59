"""What a detector's run leaves beside its checkpoint: curves, precision and recall, the worst images, every verdict, and one report."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .common import Console, table

WORST, SAMPLE = 12, 12
SHOWN_SCORE = 0.5  # the least score that pictures show
COLUMNS = 4
TILE = 320  # pixels a side of an image on a sheet
CAPTIONS = {
    "curves": (
        "How it learned",
        "Left every term of the loss, as the training images gave it; right the average precision on test images: in a run limited in minutes on the "
        "first 100, so that its last point is not the table's number.",
    ),
    "precision": ("Precision against recall", "One curve a class, at an overlap of 0.5: from its surest detections to all of them."),
    "sample": ("A sample of the test images", f"What it finds with a score of {SHOWN_SCORE} or more; the truth dashed in blue."),
    "worst": (
        "The worst images",
        "Most missed truths and confident errors first. Missed truths are red; wrong detections orange, with the reason; right ones green.",
    ),
}


@dataclass(frozen=True)
class Finished:
    """A trained detector and what is known about it."""

    model: Any
    info: dict[str, Any]
    config: dict[str, Any]
    epochs: Sequence[Any]  # DetectionEpoch
    hints: Sequence[str]
    data: Any  # OpenedDetection
    evaluation: Any  # DetectionEvaluation


def conclude(finished: Finished, folder: Path, console: Console, learned: float, seconds: float, *, pictures: bool) -> int:
    """Print the result; with pictures, draw them and write the report."""
    evaluation = finished.evaluation
    report = analysed(evaluation)
    console.say()
    console.say(table(list(report.header), [row.cells() for row in (*report.rows, report.mean)]))
    console.say("verdicts: " + ", ".join(f"{count} {name}" for name, count in report.counts().items() if count))
    scores = "  ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in evaluation.scores.items())
    each = 1000 * evaluation.seconds / max(1, len(evaluation.answers))
    console.say(f"{len(evaluation.answers):,} test images: {scores}")
    console.say(f"detecting: {each:.1f} ms an image, {evaluation.images_per_second:.1f} images a second")
    if learned:
        console.say(f"time           {learned:.1f} s of training, {seconds:.1f} s in all, compilation and pictures included")
    drawn: list[tuple[str, Path]] = draw_all(finished, report, folder) if pictures else []
    page = write_report(finished, report, drawn, folder, learned, each) if pictures else None
    if page is not None:
        console.say(f"report         {page}, and {len(drawn)} PNG files beside it")
    console.say(f"try it         tinycnn detect IMAGE --model {folder}")
    console.result(
        {
            "model": finished.info["model"],
            "data": finished.info["data"],
            "scores": evaluation.scores,
            "test_images": len(evaluation.answers),
            "milliseconds_per_image": each,
            "verdicts": report.counts(),
            "epochs": [epoch.row() for epoch in finished.epochs],
            "training_seconds": learned,
            "seconds": seconds,
            "folder": folder,
            "report": page,
            "pictures": [path for _, path in drawn],
            "hints": list(finished.hints),
            "config": finished.config,
        }
    )
    return 0


def analysed(evaluation: Any) -> Any:
    """Average precision by three rules, and a verdict with its reason for every detection."""
    from ..study.detection_report import detection_report

    return detection_report(evaluation.data)


def draw_all(finished: Finished, report: Any, folder: Path) -> list[tuple[str, Path]]:
    """The pictures that can be drawn: name and file. Those with axes need matplotlib, images do not."""
    import dataclasses

    from .. import plot

    drawn = []
    if plot.available() and finished.epochs:
        drawn.append(("curves", plot.draw_detection_curves([dataclasses.asdict(epoch) for epoch in finished.epochs], folder / "curves.png")))
    if plot.available() and any(curve.positives for curve in report.curves.values()):
        curves = {report.data.categories[category]: curve for category, curve in report.curves.items()}
        drawn.append(("precision", plot.draw_precision_recall(curves, folder / "precision_recall.png", report.rule)))
    drawn.append(("sample", _save(sample_sheet(finished), folder / "detections.png")))
    sheet = worst_sheet(finished, report)
    if sheet is not None:
        drawn.append(("worst", _save(sheet, folder / "worst.png")))
    return drawn


def _save(picture: Any, path: Path) -> Path:
    picture.save(path)
    return path


def _scale(image: Any) -> float:
    """Small images are drawn larger, large ones smaller."""
    return float(TILE / max(image.shape[-2:]))


def sample_sheet(finished: Finished) -> Any:
    """Test images at even distances with what was found and the truth."""
    import numpy as np

    from .. import plot
    from ..autograd import no_grad

    names = finished.evaluation.data.categories
    count = len(finished.evaluation.answers)
    tiles = []
    for place in sorted({int(k) for k in np.linspace(0, count - 1, min(SAMPLE, count))}):
        image, target = finished.data.test[place]
        found = finished.evaluation.answers[place]
        if "masks" in target:  # the evaluation keeps none, which would fill the memory
            with no_grad():
                found = finished.model.eval()([image])[0]
        drawn = plot.draw_detections(image, found, names, threshold=SHOWN_SCORE, scale=_scale(image))
        boxes = np.asarray(target["boxes"]) * _scale(image)
        tiles.append(plot.draw_boxes(drawn, boxes, ["truth"] * len(boxes), dashed=[True] * len(boxes)))
    return plot.contact_sheet(tiles, columns=COLUMNS)


def worst_sheet(finished: Finished, report: Any) -> Any:
    """The worst images with the verdicts drawn; None where there are no errors."""
    from .. import plot
    from ..train import worst_images

    worst = worst_images(finished.evaluation, WORST)
    if not worst:
        return None
    tiles, captions = [], []
    for each in worst:
        image, _ = finished.data.test[each.image]
        tiles.append(judged(image, each.image, report))
        wrong = ", ".join(f"{count} {verdict}" for verdict, count in each.wrong.items())
        captions.append(f"image {each.image}: {each.missed} missed" + (f", {wrong}" if wrong else ""))
    return plot.contact_sheet(tiles, captions, columns=COLUMNS)


def judged(image: Any, number: int, report: Any) -> Any:
    """One image with its missed truths and its detections by verdict."""
    from .. import plot
    from ..train.detection_evaluation import CONFIDENT

    data = report.data
    boxes, colours, words, dashed = [], [], [], []
    for verdict in report.verdicts:
        found = data.detections[verdict.detection]
        if found.image != number or found.score < CONFIDENT or verdict.verdict == "ignored":
            continue
        boxes.append(_corners(found.xywh))
        right = verdict.verdict == "true"
        colours.append("good" if right else "now")
        words.append(f"{data.categories[found.category]} {found.score:.2f}" + ("" if right else f", {verdict.verdict}"))
        dashed.append(False)
    for missed in report.missed:
        truth = data.truths[missed.truth]
        if truth.image == number:
            boxes.append(_corners(truth.xywh))
            colours.append("bad")
            words.append(f"{data.categories[truth.category]} missed")
            dashed.append(True)
    return plot.draw_boxes(image, boxes, colours, words, dashed=dashed, scale=_scale(image))


def _corners(xywh: Sequence[float]) -> list[float]:
    x, y, width, height = xywh
    return [x, y, x + width, y + height]


def write_report(finished: Finished, report: Any, drawn: list[tuple[str, Path]], folder: Path, learned: float, each: float) -> Path:
    """report.html, one file with everything in it, and verdicts.html with a line for every detection."""
    from ..study.detection_page import detection_page
    from ..study.page import data_uri, html_table
    from ..study.shape_page import answer_page
    from .results import environment

    info, scores = finished.info, finished.evaluation.scores
    (folder / "verdicts.html").write_text(detection_page(report), encoding="utf-8")
    lead = f"{len(finished.data.train):,} training and {len(finished.evaluation.answers):,} test images of {len(info['classes'])} classes"
    facts = [(name.replace("_", " "), f"{value:.4f}") for name, value in scores.items()]
    facts += [("ms an image", f"{each:.1f}"), ("seconds of training", f"{learned:.1f}"), ("epochs", str(len(finished.epochs)))]
    parts = [f"<p>{html.escape(lead)}</p>", html_table(("measured", "value"), facts, numbers=(1,), whole=(0,))]
    for name, path in drawn:
        heading, caption = (html.escape(words) for words in CAPTIONS[name])
        picture = f'<img style="max-width: 100%" alt="{heading}" src="{data_uri(path.read_bytes())}">'
        parts.append(f'<h2>{heading}</h2><p>{caption}</p><p class="wide">{picture}</p>')
    parts += ["<h2>Class by class</h2>", html_table(report.header, [row.cells() for row in (*report.rows, report.mean)], whole=(0,))]
    counts = [(name, str(count)) for name, count in report.counts().items()]
    parts += ["<h2>Verdicts</h2><p>Each one with its reason stands in verdicts.html.</p>", html_table(("verdict", "count"), counts, whole=(0,))]
    if finished.epochs:
        parts += ["<h2>Epochs</h2>", _epoch_table(finished.epochs)]
    parts += [f"<p><b>Hint.</b> {html.escape(hint)}</p>" for hint in finished.hints]
    rows = [(str(name), str(value)) for name, value in (*finished.config.items(), *environment().items())]
    parts += ["<h2>Hyper-parameters and machine</h2>", html_table(("name", "value"), rows, whole=(0,))]
    target = folder / "report.html"
    page = answer_page(f"{info['model']} on {finished.data.name}", parts, {"scores": scores, "verdicts": report.counts()})
    target.write_text(page, encoding="utf-8")
    return target


def _epoch_table(epochs: Sequence[Any]) -> str:
    from ..study.page import html_table

    terms = list(epochs[-1].terms)
    measured = [name for name in epochs[-1].scores if name.split("_")[-1] in ("AP", "AP50")]
    header = ("epoch", "loss", *(name.removeprefix("loss_") for name in terms), *measured, "images/s")
    rows = [
        (
            str(row.epoch), f"{row.train_loss:.4f}", *(f"{row.terms.get(name, float('nan')):.4f}" for name in terms),
            *(f"{row.scores[name]:.4f}" if name in row.scores else "" for name in measured), f"{row.images_per_second:.2f}",
        )
        for row in epochs
    ]  # fmt: skip
    return str(html_table(header, rows, numbers=tuple(range(len(header)))))
