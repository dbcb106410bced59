"""What the three kinds of runs measure, under the names of their logs: classes of images, classes of pixels, things with boxes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...train import DETECTION_CONFIG, SegmentationConfig, TrainConfig

__all__ = ["TASKS", "Quantity", "Task", "known"]


@dataclass(frozen=True)
class Quantity:
    """A curve of the log, for the images learned from and for the others; a missing one has no name."""

    title: str
    train: str | None
    test: str | None

    def cell(self, name: str, epoch: Mapping[str, Any]) -> str:
        """A number of the table."""
        value = known(epoch, name)
        return "-" if value is None else self.words(value, 4, 2)

    def words(self, value: float, digits: int, decimals: int) -> str:
        """A loss as it is, a share in per cent."""
        return f"{value:.{digits}f}" if self.title == "loss" else f"{100 * value:.{decimals}f} %"


@dataclass(frozen=True)
class Task:
    """A kind of run: what it asks, what it measures, which pictures it leaves, and the settings that need no mention."""

    question: Callable[[Mapping[str, Any], str], str]  # of the run's facts and the name of its data
    quantities: tuple[Quantity, ...]  # the loss first, what counts last
    others: str  # the images that the last quantity was measured on
    pictures: tuple[tuple[str, str], ...]  # file and caption
    usual: Mapping[str, Any]

    @property
    def score(self) -> Quantity:
        """What counts."""
        return self.quantities[-1]

    @property
    def key(self) -> str:
        """Its name in the log."""
        return str(self.score.test)

    @property
    def columns(self) -> list[tuple[str, Quantity, str]]:
        """Heading, quantity and name of the log's columns."""
        train = [(f"train {each.title}", each, each.train) for each in self.quantities if each.train]
        part = self.others.split()[0]  # test or validation
        return train + [(f"{part} {each.title}", each, each.test) for each in self.quantities if each.test]


def known(epoch: Mapping[str, Any], name: str) -> float | None:
    """A number of the log, unless it is missing or not finite."""
    value = epoch.get(name)
    return float(value) if value is not None and math.isfinite(value) else None


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names[:10])) + (", ..." if len(names) > 10 else "")


def _which_class(info: Mapping[str, Any], data: str) -> str:
    classes, size = list(info["classes"]), info["image_size"]
    kind = "grey" if info["channels"] == 1 else "colour"
    return (
        f"Which of {len(classes)} classes ({_listed(classes)}) does a {kind} image of {size}x{size} pixels of {data} show? "
        f"A guess is right for {100 / len(classes):.3g} % of the images where the classes are equally frequent."
    )


def _which_pixels(info: Mapping[str, Any], data: str) -> str:
    classes = list(info["classes"])
    things = " Things are the connected pixels of one class, its border left out." if info.get("instances") else ""
    return f"Which of {len(classes)} classes ({_listed(classes)}) does each pixel of an image of {data} belong to?{things}"


def _which_things(info: Mapping[str, Any], data: str) -> str:
    classes = list(info["classes"])
    return f"Where in an image of {data} are things of {len(classes)} classes ({_listed(classes)}), and how sure is the network of each?"


TASKS = {
    "classification": Task(
        _which_class,
        (Quantity("loss", "train_loss", "test_loss"), Quantity("accuracy", "train_accuracy", "test_accuracy")),
        "test images",
        (
            ("confusion.png", "Test images by true class (row) and predicted class (column)."),
            ("wrong.png", "The wrongly classified test images of which the network was surest."),
            ("filters.png", "The filters of the first convolution."),
        ),
        TrainConfig().to_dict(),
    ),
    "segmentation": Task(
        _which_pixels,
        (
            Quantity("loss", "loss", None),
            Quantity("pixel accuracy", "pixel_accuracy", "validation_accuracy"),
            Quantity("mean IoU", None, "validation_iou"),
        ),
        "validation images",
        (
            ("overlay-1.png", "A test picture, the truth, and what the network says."),
            ("overlay-3.png", "Another one."),
            ("class_iou.png", "Intersection over union class by class, of all test pixels together."),
        ),
        SegmentationConfig().to_dict(),
    ),
    "detection": Task(
        _which_things,
        (Quantity("loss", "train_loss", None), Quantity("AP50", None, "score_AP50")),
        "test images",
        (
            ("detections.png", "Test pictures, the truth dashed, and what the network found."),
            ("precision_recall.png", "Precision over recall of each class."),
            ("worst.png", "The pictures with the most errors, with the reason of each."),
        ),
        DETECTION_CONFIG.to_dict(),
    ),
}
