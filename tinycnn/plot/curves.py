"""Loss and accuracy against the epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ShapeError
from . import canvas


def draw_curves(history: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """Draw the loss and the accuracy of the training and the test images over the epochs, side by side.

    Parameters
    ----------
    history : a mapping an epoch, at least one, with keys epoch, train_loss, train_accuracy, test_loss, test_accuracy
        (accuracies from 0 to 1); what is absent, None or not finite is left out
    path : the PNG file to write
    """
    if not history:
        raise ShapeError("draw_curves: history is empty; it needs at least one epoch")
    figure = canvas.new_figure(10, 4.2)
    loss, right = figure.subplots(1, 2)
    _draw_pair(loss, history, "loss", 1.0)
    loss.set_title("Loss", loc="left", fontsize=canvas.TITLE, color=canvas.INK)
    loss.set_ylabel("cross-entropy, nats", fontsize=canvas.TEXT)
    loss.set_ylim(bottom=0)
    _draw_pair(right, history, "accuracy", 100.0)
    right.set_title("Accuracy", loc="left", fontsize=canvas.TITLE, color=canvas.INK)
    right.set_ylabel("% of images right", fontsize=canvas.TEXT)
    _mark_best(right, history)
    return canvas.save(figure, path)


def _series(history: Sequence[Mapping[str, Any]], key: str, scale: float) -> tuple[list[float], list[float]]:
    """Epochs and values where the value is known and finite."""
    epochs, values = [], []
    for row in history:
        value = row.get(key)
        if isinstance(value, (int, float)) and abs(value) < float("inf"):
            epochs.append(float(row["epoch"]))
            values.append(scale * float(value))
    return epochs, values


def _draw_pair(axes: Any, history: Sequence[Mapping[str, Any]], quantity: str, scale: float) -> None:
    from matplotlib.ticker import MaxNLocator

    canvas.plain_axes(axes)
    for split, colour, marker in (("train", canvas.BLUE, "o"), ("test", canvas.ORANGE, "s")):
        epochs, values = _series(history, f"{split}_{quantity}", scale)
        if epochs:
            label = f"{split}: {values[-1]:.2f}{' %' if scale == 100.0 else ''} at the end"
            size = 4.5 if len(epochs) <= 40 else 0
            axes.plot(epochs, values, color=colour, marker=marker, markersize=size, linewidth=2, label=label)
    axes.set_xlabel("epoch", fontsize=canvas.TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    first, last = float(history[0]["epoch"]), float(history[-1]["epoch"])
    margin = max(0.5, 0.03 * (last - first))
    axes.set_xlim(first - margin, last + margin)
    if axes.lines:
        axes.legend(fontsize=canvas.TEXT, frameon=False, loc="best")


def _mark_best(axes: Any, history: Sequence[Mapping[str, Any]]) -> None:
    """A ring around the best test accuracy."""
    epochs, values = _series(history, "test_accuracy", 100.0)
    if not values:
        return
    best = max(range(len(values)), key=values.__getitem__)
    axes.set_ylim(top=min(101.0, axes.get_ylim()[1] + 1.0))
    axes.plot(
        epochs[best],
        values[best],
        "o",
        markersize=12,
        markerfacecolor="none",
        markeredgecolor=canvas.ORANGE,
        markeredgewidth=1.5,
    )
    axes.set_title(
        f"best test: {values[best]:.2f} % at epoch {epochs[best]:g}",
        loc="right",
        fontsize=canvas.TEXT,
        color=canvas.ORANGE,
    )


def draw_range_test(
    learning_rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggestion: float, path: str | Path
) -> Path:
    """Draw the loss against the growing learning rate, with the suggested rate.

    Parameters
    ----------
    learning_rates, losses, smoothed : one number a step, at least one; smoothed is the running mean of losses
    suggestion : the learning rate to mark
    path : the PNG or SVG file to write
    """
    if not learning_rates or not len(learning_rates) == len(losses) == len(smoothed):
        counts = (len(learning_rates), len(losses), len(smoothed))
        raise ShapeError(f"draw_range_test: needs as many rates as losses and smoothed losses, at least one, not {counts}")
    figure = canvas.new_figure(7.5, 4.2, "Learning-rate range test")
    axes = figure.subplots()
    canvas.plain_axes(axes)
    axes.plot(learning_rates, losses, color=canvas.FAINT, linewidth=0.8, label="loss of each step")
    axes.plot(learning_rates, smoothed, color=canvas.BLUE, linewidth=2.2, label="running mean")
    axes.axvline(suggestion, color=canvas.ORANGE, linewidth=1.5, label=f"suggestion: {suggestion:.2g}")
    axes.set_xscale("log")
    # The last steps may be a hundred times the first; what matters lies below twice the start.
    axes.set_ylim(0, 2 * smoothed[0])
    axes.set_xlabel("learning rate", fontsize=canvas.TEXT)
    axes.set_ylabel("loss", fontsize=canvas.TEXT)
    axes.legend(fontsize=canvas.TEXT, frameon=False)
    return canvas.save(figure, path)
