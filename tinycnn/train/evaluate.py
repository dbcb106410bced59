"""How good a model is on a test set: loss, accuracy, what it takes for what, and the images it is most wrong about."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functional
from ..autograd import no_grad
from ..errors import UsageError
from ..nn import Module
from ..tensor import Tensor

LossFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class WrongImage:
    """An image the model takes for something else, and how sure it is."""

    index: int  # its place in the test set
    image: np.ndarray  # (C, H, W) as the loader gave it, normalised
    label: int
    prediction: int
    probability_of_label: float
    probability_of_prediction: float
    loss: float  # -log probability_of_label


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found."""

    loss: float  # mean over the images
    accuracy: float  # share of the images whose largest output is their label
    count: int  # images
    confusion: np.ndarray  # (C, C) int64: row = label, column = prediction
    worst: list[WrongImage]  # wrongly classified, largest loss first
    labels: np.ndarray  # (N,) int64
    predictions: np.ndarray  # (N,) int64
    probabilities: np.ndarray  # (N, C) softmax of the outputs


def loss_of(model: Module) -> LossFunction:
    """The criterion a model brings along as `model.loss(output, target)`, else the softmax cross-entropy."""
    own = getattr(model, "loss", None)
    return own if callable(own) else functional.cross_entropy


def as_batch(batch: Any) -> tuple[Tensor, Tensor]:
    """The images and labels of a loader's batch as tensors: int64 labels, or float rows of each class's share (mixed images)."""
    images, labels = batch
    images = images if isinstance(images, Tensor) else Tensor(np.asarray(images))
    labels = labels.data if isinstance(labels, Tensor) else np.asarray(labels)
    if labels.ndim == 2 and labels.dtype.kind == "f":
        return images, Tensor(np.ascontiguousarray(labels, images.dtype))
    return images, Tensor(np.ascontiguousarray(labels, np.int64))


def evaluate(
    model: Module, loader: Iterable[Any], loss_function: LossFunction | None = None, worst: int = 25
) -> Evaluation:
    """Run a model over a test set, in evaluation mode and without gradients.

    Parameters
    ----------
    model
        Maps images (N, C, H, W) to one row of logits each.
    loader
        Batches of (images, labels), in the data set's order.
    loss_function
        The criterion to average; the model's own, else the softmax cross-entropy.
    worst
        How many wrongly classified images to keep.

    Raises
    ------
    UsageError
        When the loader yields no images.
    """
    criterion = loss_function or loss_of(model)
    was_training = model.training
    model.eval()
    losses: list[float] = []
    outputs: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    wrong: list[tuple[float, int, np.ndarray]] = []
    seen = 0
    try:
        # A net that diverged gives infinities; its test loss then says nan, which is answer enough.
        with no_grad(), np.errstate(over="ignore", invalid="ignore"):
            for batch in loader:
                images, labels = as_batch(batch)
                logits = model(images)
                losses.append(float(criterion(logits, labels).item()) * len(labels))
                outputs.append(logits.data.astype(np.float64))
                targets.append(labels.data)
                wrong = _worst_so_far(wrong, images.data, outputs[-1], labels.data, seen, worst)
                seen += len(labels)
    finally:
        model.train(was_training)
    if not seen:
        raise UsageError("evaluate: the loader yields no images; give it a data set that is not empty")
    labels_seen = np.concatenate(targets)
    probabilities = probabilities_of(np.concatenate(outputs))
    predictions = probabilities.argmax(1)
    return Evaluation(
        loss=math.fsum(losses) / seen,
        accuracy=float(np.mean(predictions == labels_seen)),
        count=seen,
        confusion=_confusion(labels_seen, predictions, probabilities.shape[1]),
        worst=[_wrong_image(place, image, labels_seen, probabilities) for _, place, image in wrong],
        labels=labels_seen,
        predictions=predictions,
        probabilities=probabilities,
    )


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """The softmax of float64 rows; the largest output is taken off first, so that exp cannot overflow."""
    with np.errstate(invalid="ignore"):
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)


def _confusion(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels, predictions), 1)
    return counts


def _worst_so_far(
    wrong: list[tuple[float, int, np.ndarray]],
    images: np.ndarray,
    logits: np.ndarray,
    labels: np.ndarray,
    seen: int,
    keep: int,
) -> list[tuple[float, int, np.ndarray]]:
    """The `keep` wrongly classified images of largest loss: those so far and this batch's, largest first."""
    mistaken = np.flatnonzero(logits.argmax(1) != labels)
    largest = logits.max(1)
    losses = largest + np.log(np.exp(logits - largest[:, None]).sum(1)) - logits[np.arange(len(labels)), labels]
    worst_here = mistaken[np.argsort(-losses[mistaken], kind="stable")][:keep]
    found = wrong + [(float(losses[i]), seen + int(i), images[i].copy()) for i in worst_here]
    return sorted(found, key=lambda entry: (-entry[0], entry[1]))[:keep]


def _wrong_image(place: int, image: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> WrongImage:
    row, label = probabilities[place], int(labels[place])
    prediction = int(row.argmax())
    loss = -math.log(max(float(row[label]), np.finfo(np.float64).tiny))
    return WrongImage(place, image, label, prediction, float(row[label]), float(row[prediction]), loss)
