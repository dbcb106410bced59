"""The training-health tutor: what the numbers of a step say about a run, explained in words.

`health` looks at one batch; the live page gives `diagnose` the measurements of the steps that it sees. The findings themselves are those of
hints.py, with more of them, a level, and the reason why.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .. import random as tinycnn_random
from ..errors import ShapeError, UsageError
from ..nn import Module
from ..tensor import Tensor
from . import hints
from .branches import with_side_branches
from .comparison import weighted_layers
from .evaluate import LossFunction, loss_of
from .health_words import WHY
from .hints import DEAD_SHARE, Hint
from .probe import LayerStep, StepProbe, rms

LEVELS = ("bad", "watch", "good")
# Karpathy's rule of thumb: an update is about a thousandth of the weight it changes.
SMALL_UPDATE, RIGHT_UPDATE, LARGE_UPDATE = 1e-5, 1e-3, 3e-2
MANY_DEAD = 0.25  # share of dead units worth a look
VANISHING = 1e-3  # gradient of the first layer's weights / of the last's
EXPLODING = 10.0  # gradient / weight
DRIFTED_SHIFT, DRIFTED_SPREAD = 1.0, 4.0  # in running deviations; times the running variance
ONE_CLASS_AFTER = 100  # steps in which a net may still say the same of every image
OVERFITTED_GAP = 0.15  # training accuracy - test accuracy
COLLAPSED = 0.01  # mean distance of embeddings of length 1


@dataclass(frozen=True)
class Finding:
    """Something that the numbers say: what is seen, why it matters, what to try."""

    level: str  # "bad", "watch" or "good"
    kind: str
    sentence: str
    why: str
    fix: str

    def __str__(self) -> str:
        return "\n".join([f"[{self.level}] {self.sentence}", f"    why: {self.why}", *([f"    try: {self.fix}"] if self.fix else [])])


@dataclass(frozen=True)
class LayerHealth:
    """One layer's numbers in one step."""

    layer: str
    kind: str
    shape: tuple[int, ...]  # of the output, without the batch axis
    weight_rms: float | None  # of the weight; None where the layer has none
    gradient_rms: float | None  # of d loss / d weight
    update_rms: float | None  # of what the optimiser added; None where it was not seen
    dead: float | None  # share of dead units of a ReLU
    mean: float  # of the output
    deviation: float
    output_gradient_rms: float | None  # of d loss / d output
    forward_ms: float
    backward_ms: float

    @property
    def gradient_ratio(self) -> float | None:
        """Gradient to weight."""
        return _ratio(self.gradient_rms, self.weight_rms)

    @property
    def update_ratio(self) -> float | None:
        """Update to weight: about 1e-3 is right."""
        return _ratio(self.update_rms, self.weight_rms)


@dataclass
class Measurements:
    """Everything that `diagnose` looks at; what is not known is left out."""

    model: Module
    layers: list[LayerHealth] = field(default_factory=list)
    steps: Sequence[LayerStep] = ()
    images: np.ndarray | None = None
    outputs: np.ndarray | None = None
    losses: Sequence[float] = ()  # of the steps so far
    rates: Sequence[float] = ()  # the learning rates of the steps so far
    epochs: Sequence[Mapping[str, Any]] = ()  # of `EpochRecord`'s fields


@dataclass(frozen=True)
class Health:
    """What `health` found."""

    layers: list[LayerHealth]
    findings: list[Finding]  # the worst first

    def text(self) -> str:
        """A table of the layers, then each finding with its reason."""
        header = ["layer", "kind", "weight", "gradient", "grad/weight", "update/weight", "dead", "forward ms", "backward ms"]
        rows = [header]
        for each in self.layers:
            dead = "" if each.dead is None else f"{100 * each.dead:.0f} %"
            numbers = [each.weight_rms, each.gradient_rms, each.gradient_ratio, each.update_ratio]
            rows.append([each.layer, each.kind, *map(_short, numbers), dead, f"{each.forward_ms:.2f}", f"{each.backward_ms:.2f}"])
        widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
        lines = [
            "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        ]
        return "\n".join([*(line.rstrip() for line in lines), "", *map(str, self.findings)])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and words, for JSON."""
        layers = [{**asdict(each), "gradient_ratio": each.gradient_ratio, "update_ratio": each.update_ratio} for each in self.layers]
        return {"layers": layers, "findings": [asdict(each) for each in self.findings]}


def health(
    model: Module,
    images: Any,
    labels: Any,
    *,
    loss_function: LossFunction | None = None,
    learning_rate: float | None = None,
    losses: Sequence[float] = (),
    rates: Sequence[float] = (),
    epochs: Sequence[Mapping[str, Any]] = (),
) -> Health:
    """Run one batch forward and backward through a copy of a model and say how its training stands.

    Parameters
    ----------
    model : Module
        Stays as it is: neither its gradients nor its batch statistics change, nor the generator that dropout draws from.
    images, labels : array or Tensor
        One batch, as the training loader gives it.
    loss_function : function, optional
        The model's own, else the cross-entropy.
    learning_rate : float, optional
        For the size of an update of plain gradient descent, learning_rate times gradient.
    losses : sequence of float
        The training loss of the steps so far, which tells of plateaus and of a rate that is too high.
    rates : sequence of float
        The learning rate of the steps so far: at the end of a schedule small updates are as they should be.
    epochs : sequence of dict
        The rows of the log so far, of `EpochRecord`'s fields.

    Returns
    -------
    Health
        With `.text()`.

    Raises
    ------
    ShapeError
        When the batch is empty, or images and labels differ in number. UsageError: a learning rate that is no positive number.

    References
    ----------
    Karpathy, CS231n notes, "Ratio of weights:updates": "this ratio should be somewhere around 1e-3".

    Examples
    --------
    >>> from tinycnn import nn
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.Softmax(1))
    >>> found = health(model, np.eye(4, 3, dtype=np.float32), np.array([0, 1, 0, 1]))
    >>> print(found.findings[0].sentence)
    The model ends in a Softmax, but cross_entropy takes logits and makes the probabilities itself.
    """
    images = images if isinstance(images, Tensor) else Tensor(np.asarray(images))
    labels = labels if isinstance(labels, Tensor) else Tensor(np.asarray(labels))
    if not images.ndim or not labels.ndim or len(images) != len(labels) or not len(images):
        raise ShapeError(f"health: images {images.shape} and labels {labels.shape} must be one batch of equal, positive length")
    if learning_rate is not None and not (math.isfinite(learning_rate) and learning_rate > 0):
        raise UsageError(f"health: learning_rate must be a positive number, not {learning_rate!r}; leave it out where there is none")
    before = tinycnn_random.get_state()
    # The first run of a batch loads what it needs, so the second one tells how long the layers take.
    for _ in range(2):
        tinycnn_random.set_state(before)  # dropout draws
        twin = copy.deepcopy(model)
        twin.zero_grad()
        with StepProbe(twin) as probe, np.errstate(all="ignore"):
            (loss_function or with_side_branches(loss_of(twin)))(twin(images), labels).backward()
    tinycnn_random.set_state(before)
    updates = None
    if learning_rate is not None:
        updates = {name: learning_rate * rms(weight.grad.data) for name, weight in _weights(twin).items() if weight.grad is not None}
    layers = layer_healths(twin, probe, updates)
    seen = Measurements(twin, layers, list(probe.layers.values()), probe.images, probe.outputs, losses, rates, epochs)
    return Health(layers, diagnose(seen))


def layer_healths(model: Module, probe: StepProbe, updates: Mapping[str, float] | None = None) -> list[LayerHealth]:
    """The probe's layers with the sizes of their weights and gradients, before the optimiser changes them.

    Parameters
    ----------
    model
        Its weights hold the gradients of the step.
    probe
        What was attached during the step.
    updates
        The root mean square of each layer's update, by the layer's name.
    """
    weights = _weights(model)
    found = []
    for name, seen in probe.layers.items():
        weight = weights.get(name)
        gradient = None if weight is None or weight.grad is None else rms(weight.grad.data)
        found.append(
            LayerHealth(
                name,
                seen.kind,
                seen.shape,
                None if weight is None else rms(weight.data),
                gradient,
                None if updates is None else updates.get(name),
                seen.dead,
                seen.mean,
                seen.deviation,
                seen.gradient_rms,
                seen.forward_ms,
                seen.backward_ms,
            )
        )
    return found


def diagnose(seen: Measurements) -> list[Finding]:
    """All that the measurements say, the worst first; one good finding where nothing is wrong."""
    found = [
        _from_hint(None if seen.images is None else hints.unscaled_inputs(seen.images), "bad"),
        _from_hint(None if seen.outputs is None else hints.probabilities_as_logits(seen.model, seen.outputs), "bad"),
        _plateau(seen),
        _from_hint(hints.learning_rate_too_high(seen.losses), "bad"),
        _not_finite(seen),
        _dead(seen),
        _exploding(seen.layers),
        _vanishing(seen.layers),
        _updates(seen),
        _drifted(seen.steps),
        _one_class(seen),
        _overfitted(seen.epochs),
    ]
    given = [finding for finding in found if finding is not None]
    if all(finding.level == "good" for finding in given):
        given.insert(0, _finding("good", "well", "Nothing looks wrong.", ""))
    return sorted(given, key=lambda finding: LEVELS.index(finding.level))


def collapsed_embeddings(embeddings: Any, margin: float | None = None) -> Finding | None:
    """A metric-learning net that maps every image to the same point: triplet loss then stands at its margin.

    Parameters
    ----------
    embeddings : array (N, D)
        Of images of several classes; N from 2.
    margin : float, optional
        The triplet loss's.

    Examples
    --------
    >>> print(collapsed_embeddings(np.ones((8, 3))).sentence)
    All 8 embeddings are the same point: their mean distance is 0 at length 1.
    """
    points = np.asarray(embeddings.data if isinstance(embeddings, Tensor) else embeddings, np.float64)
    if points.ndim != 2 or len(points) < 2:
        raise ShapeError(f"collapsed_embeddings: embeddings must be (N, D) with N from 2, not {points.shape}; one row an image")
    points = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)
    # Of the mean of all pairs; a row's distance to itself does not count.
    distances = np.sqrt(np.maximum(2 - 2 * points @ points.T, 0))
    mean = float(distances.sum() / (len(points) * (len(points) - 1)))
    if mean > COLLAPSED:
        return None
    stands = "" if margin is None else f" The triplet loss then stands at its margin, {margin:g}."
    shown = 0 if mean < 1e-6 else mean
    sentence = f"All {len(points)} embeddings are the same point: their mean distance is {shown:.2g} at length 1.{stands}"
    return _finding(
        "bad", "collapse", sentence, "Choose semi-hard triplets instead of the hardest ones, lower the learning rate, normalise the length."
    )


def _weights(model: Module) -> dict[str, Tensor]:
    return {name or type(module).__name__: module._parameters["weight"] for name, module in weighted_layers(model)}  # type: ignore[misc]


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _finding(level: str, kind: str, sentence: str, fix: str) -> Finding:
    return Finding(level, kind, sentence, WHY[kind], fix)


def _from_hint(hint: Hint | None, level: str) -> Finding | None:
    return None if hint is None else _finding(level, hint.kind, hint.sentence, hint.fix)


def _plateau(seen: Measurements) -> Finding | None:
    if seen.outputs is None or seen.outputs.ndim != 2:
        return None
    return _from_hint(hints.stuck_at_log_classes(seen.losses, seen.outputs.shape[1]), "bad")


def _not_finite(seen: Measurements) -> Finding | None:
    for layer in seen.layers:
        for what, value in (("output", layer.mean), ("weight", layer.weight_rms), ("gradient", layer.gradient_rms)):
            if value is not None and not math.isfinite(value):
                fix = "Lower the learning rate to a tenth, look for a logarithm of 0 or a division by 0, clip the gradients."
                return _finding("bad", "exploding", f"The {what} of layer {layer.layer} holds NaN or infinity.", fix)
    return None


def _dead(seen: Measurements) -> Finding | None:
    rectified = [layer for layer in seen.layers if layer.dead is not None]
    worst = max(rectified, key=lambda layer: layer.dead or 0.0, default=None)
    if worst is None or not worst.dead:
        return None
    images = "every image" if seen.images is None else f"all {len(seen.images)} images"
    sentence = f"{100 * worst.dead:.0f} % of the units of layer {worst.layer} are zero for {images} of the batch."
    fix = "Lower the learning rate, start with He's weights, or use a leaky ReLU."
    if worst.dead > DEAD_SHARE:
        return _finding("bad", "dead_relus", sentence, fix)
    return _finding("watch", "dead_relus", sentence, fix) if worst.dead > MANY_DEAD else None


def _exploding(layers: Sequence[LayerHealth]) -> Finding | None:
    for layer in layers:
        ratio = layer.gradient_ratio
        if ratio is not None and math.isfinite(ratio) and ratio > EXPLODING:
            sentence = f"The gradient of layer {layer.layer} is {ratio:.3g} times as large as its weights."
            return _finding("bad", "exploding", sentence, "Clip the gradients (clip_norm=1), lower the learning rate, normalise the images.")
    return None


def _vanishing(layers: Sequence[LayerHealth]) -> Finding | None:
    sizes = [(layer.layer, layer.gradient_rms) for layer in layers if layer.gradient_rms is not None]
    if len(sizes) < 2 or not sizes[-1][1]:
        return None
    (first, early), (last, late) = sizes[0], sizes[-1]
    if not early / late < VANISHING:
        return None
    sentence = f"The gradient of the first layer, {first}, is {early / late:.1g} times that of the last, {last}."
    return _finding("bad", "vanishing", sentence, "Use ReLU instead of sigmoid or tanh, He's weights, batch normalisation or shortcuts.")


def _updates(seen: Measurements) -> Finding | None:
    ratios = [(layer.layer, layer.update_ratio) for layer in seen.layers]
    known = {name: ratio for name, ratio in ratios if ratio is not None and math.isfinite(ratio)}
    if not known:
        return None
    smallest, largest = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    if known[largest] > LARGE_UPDATE:
        sentence = f"One step changes the weights of layer {largest} by {known[largest]:.2g} of their size; about {RIGHT_UPDATE:g} is usual."
        return _finding("watch", "updates", sentence, "If the loss jumps about, lower the learning rate; early in a run it passes by itself.")
    if known[largest] < SMALL_UPDATE and seen.rates and seen.rates[-1] < 0.1 * max(seen.rates):
        sentence = f"A step changes no weights by more than {known[largest]:.1g} of their size, as the rate has come down to {seen.rates[-1]:.2g}."
        return _finding("good", "updates", sentence, "")
    if known[largest] < SMALL_UPDATE:
        sentence = f"No layer's weights change by more than {known[largest]:.1g} of their size in a step; about {RIGHT_UPDATE:g} is usual."
        return _finding("watch", "updates", sentence, "If the loss falls slowly, raise the learning rate.")
    span = f"{known[smallest]:.1g} to {known[largest]:.1g}"
    return _finding("good", "updates", f"A step changes each layer's weights by {span} of their size; about {RIGHT_UPDATE:g} is usual.", "")


def _drifted(steps: Sequence[LayerStep]) -> Finding | None:
    for step in steps:
        drift = step.drift
        if drift is None or (drift.shift <= DRIFTED_SHIFT and 1 / DRIFTED_SPREAD <= drift.spread <= DRIFTED_SPREAD):
            continue
        sentence = (
            f"The batch's mean in {step.name} is {drift.shift:.2g} running deviations from the running mean, "
            f"its variance {drift.spread:.2g} times the running variance."
        )
        if drift.frozen:
            fix = "Normalise the images as in the training that made the statistics, or unfreeze the layer."
            return _finding("bad", "frozen_drift", sentence, fix)
        return _finding("watch", "running_drift", sentence, "Use larger batches or a larger momentum of the layer; shuffle the images.")
    return None


def _one_class(seen: Measurements) -> Finding | None:
    if seen.outputs is None or seen.outputs.ndim != 2 or len(seen.outputs) < 16 or len(seen.losses) < ONE_CLASS_AFTER:
        return None
    answers = seen.outputs.argmax(1)
    if not (answers == answers[0]).all():
        return None
    sentence = f"All {len(answers)} images of the batch are taken for class {int(answers[0])}."
    fix = "Look at the order of the labels and whether one class outnumbers the others; lower the learning rate."
    return _finding("bad", "one_class", sentence, fix)


def _overfitted(epochs: Sequence[Mapping[str, Any]]) -> Finding | None:
    if len(epochs) < 2:
        return None
    last, lowest = epochs[-1], min(float(row["test_loss"]) for row in epochs)
    gap = float(last["train_accuracy"]) - float(last["test_accuracy"])
    if gap < OVERFITTED_GAP or float(last["test_loss"]) <= 1.05 * lowest:
        return None
    sentence = (
        f"{100 * float(last['train_accuracy']):.0f} % of the training images are right and {100 * float(last['test_accuracy']):.0f} % of the "
        f"test images, whose loss has risen from {lowest:.3g} to {float(last['test_loss']):.3g}."
    )
    return _finding("watch", "overfitting", sentence, "Augment the images, raise the weight decay, drop units out, stop at the lowest test loss.")
