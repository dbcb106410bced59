"""Hints in words: what a run's numbers say to somebody who has seen them before.

Each function looks for one mistake and returns a `Hint`, or None when all is well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..autograd import no_grad
from ..nn import Module, ReLU, Softmax
from ..tensor import Tensor
from .diagnose import watch_outputs

STUCK_WITHIN = 0.01  # below ln C, in nats: a net that has begun to learn is further down
STUCK_AFTER = 200  # steps that a net may take to leave ln C
DEAD_SHARE = 0.5  # of a layer's units
WINDOW = 20  # steps a mean is taken over
OSCILLATION = 0.5  # of the mean loss: the standard deviation of steps that overshoot


@dataclass(frozen=True)
class Hint:
    """One sentence on what is wrong, and one on what to try."""

    kind: str
    sentence: str
    fix: str

    def __str__(self) -> str:
        return f"hint: {self.sentence} {self.fix}"

    def to_dict(self) -> dict[str, str]:
        """For a log or a checkpoint."""
        return asdict(self)


def stuck_at_log_classes(losses: Sequence[float], classes: int) -> Hint | None:
    """The loss still stands at ln C: the model gives every class the same probability.

    Parameters
    ----------
    losses
        The cross-entropy of each step so far, in nats.
    classes
        C, the number of classes.

    Examples
    --------
    >>> print(stuck_at_log_classes([2.3026] * 200, 10).sentence)
    After 200 steps the loss is 2.303, which is ln 10: the model says the same of every image.
    """
    if len(losses) < STUCK_AFTER or classes < 2:
        return None
    recent = float(np.mean(losses[-WINDOW:]))
    # Above ln C it is stuck too, where the outputs jump about without saying anything of the image.
    if not -STUCK_WITHIN < recent - math.log(classes) < 3 * STUCK_WITHIN:
        return None
    return Hint(
        "stuck",
        f"After {len(losses)} steps the loss is {recent:.3f}, which is ln {classes}: "
        "the model says the same of every image.",
        "Check that images and labels belong together, that the weights do not start at zero, and try a learning rate "
        "ten times lower and ten times higher.",
    )


def dead_fractions(model: Module, images: Tensor) -> dict[str, float]:
    """For each ReLU layer, the share of units that are zero for every image of a batch.

    A unit is a channel of a convolution (zero at every position too) or an output of a linear layer. The model runs in
    evaluation mode, so that neither dropout nor batch norm notices.
    """
    fractions: dict[str, float] = {}

    def see(name: str, module: Module, output: np.ndarray) -> None:
        if (isinstance(module, ReLU) or getattr(module, "activation", None) == "relu") and output.ndim >= 2:
            units = output.max(axis=(0, *range(2, output.ndim)))
            fractions[name] = float(np.mean(units <= 0))

    was_training = model.training
    model.eval()
    try:
        with no_grad():
            watch_outputs(model, images, see)
    finally:
        model.train(was_training)
    return fractions


def dead_relus(model: Module, images: Tensor) -> Hint | None:
    """Most units of a layer are zero whatever the image: no gradient reaches them and they will not come back."""
    fractions = dead_fractions(model, images)
    if not fractions:
        return None
    layer = max(fractions, key=lambda name: fractions[name])
    if fractions[layer] <= DEAD_SHARE:
        return None
    return Hint(
        "dead_relus",
        f"{100 * fractions[layer]:.0f} % of the units of layer {layer} are zero for all {len(images)} images "
        "of a batch.",
        "Such units get no gradient: lower the learning rate, start with He's weights, or use a leaky ReLU.",
    )


def learning_rate_too_high(losses: Sequence[float]) -> Hint | None:
    """The loss rises above where it began, or jumps about by half its size from step to step.

    Parameters
    ----------
    losses
        The loss of each step so far.
    """
    if len(losses) < 2 * WINDOW:
        return None
    first, recent = np.asarray(losses[:WINDOW]), np.asarray(losses[-WINDOW:])
    # The very first loss, of a model that has learned nothing, is the measure: the steps after it may explode already.
    start, now = float(first[0]), float(recent.mean())
    fix = "The learning rate is probably too high: try a third or a tenth of it."
    if now > 1.2 * start:
        return Hint("learning_rate", f"The loss rose from {start:.3g} to {now:.3g}.", fix)
    if now > 0.5 * start and recent.std() > OSCILLATION * now:
        spread = float(recent.std())
        return Hint(
            "learning_rate", f"The loss jumps about: {now:.3g} with a spread of {spread:.3g} over {WINDOW} steps.", fix
        )
    return None


def probabilities_as_logits(model: Module, outputs: np.ndarray) -> Hint | None:
    """The model's outputs are probabilities already, and the loss will take the softmax of them once more.

    Parameters
    ----------
    model
        Looked at for a softmax at its end.
    outputs
        (N, C), what the model gave for a batch.
    """
    last = list(model.modules())[-1]
    sums_to_one = outputs.ndim == 2 and bool((outputs >= 0).all() and np.allclose(outputs.sum(1), 1.0, atol=1e-4))
    if not (isinstance(last, Softmax) or sums_to_one):
        return None
    cause = "The model ends in a Softmax" if isinstance(last, Softmax) else "The rows of the model's output sum to 1"
    return Hint(
        "probabilities",
        f"{cause}, but cross_entropy takes logits and makes the probabilities itself.",
        "Leave the softmax out of the model: twice, it flattens the gradients and learning nearly stops.",
    )


def unscaled_inputs(images: np.ndarray) -> Hint | None:
    """The images' mean or spread is far from 0 and 1, for which weights and learning rates are made.

    Parameters
    ----------
    images
        A batch as the model gets it.
    """
    mean, deviation = float(images.mean()), float(images.std())
    if abs(mean) <= 3.0 and 0.05 <= deviation <= 5.0:
        return None
    return Hint(
        "unscaled",
        f"The images have mean {mean:.3g} and standard deviation {deviation:.3g}.",
        "Divide pixels by 255 and normalise them to a mean near 0 and a standard deviation near 1.",
    )
