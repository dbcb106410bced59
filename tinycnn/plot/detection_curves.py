"""How a detector learned: every term of its loss, and average precision, against the epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ShapeError
from . import canvas

__all__ = ["draw_detection_curves"]

COLOURS = (canvas.BLUE, canvas.ORANGE, canvas.GREEN, canvas.RED, "#7b3fa0", "#a58200", "#1f7a8c", "#8a94a0")


def draw_detection_curves(epochs: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """Draw the terms of the loss and the average precisions side by side.

    Parameters
    ----------
    epochs : sequence of mapping
        One an epoch, with `epoch`, `train_loss`, `terms` and `scores` by name: the fields of `train.DetectionEpoch`.
    path : str or Path
        The PNG or SVG file to write.

    Raises
    ------
    ShapeError
        Without an epoch.
    """
    if not epochs:
        raise ShapeError("draw_detection_curves: there are no epochs; it needs at least one")
    figure = canvas.new_figure(11, 4.4)
    from matplotlib.ticker import MaxNLocator

    loss, right = figure.subplots(1, 2)
    canvas.plain_axes(loss)
    places = [float(row["epoch"]) for row in epochs]
    marker = "o" if len(places) <= 40 else ""
    loss.plot(places, [row["train_loss"] for row in epochs], color=canvas.INK, marker=marker, markersize=4, linewidth=2, label="sum of all terms")
    for place, name in enumerate(epochs[-1]["terms"]):
        values = [row["terms"].get(name, float("nan")) for row in epochs]
        loss.plot(places, values, color=COLOURS[place % len(COLOURS)], marker=marker, markersize=3, linewidth=1.4, label=name.removeprefix("loss_"))
    loss.set_title("Loss of the training images, term by term", loc="left", fontsize=canvas.TITLE, color=canvas.INK)
    loss.set_ylim(bottom=0)
    canvas.plain_axes(right)
    measured = [row for row in epochs if row["scores"]]
    names = [name for name in (measured[-1]["scores"] if measured else ()) if name.split("_")[-1] in ("AP", "AP50")]
    for place, name in enumerate(names):
        known = [(float(row["epoch"]), row["scores"][name]) for row in measured if name in row["scores"]]
        label = f"{name.replace('_', ' ')}: {known[-1][1]:.3f} at the end"
        right.plot(*zip(*known, strict=True), color=COLOURS[place % len(COLOURS)], marker="s", markersize=4, linewidth=2, label=label)
    right.set_title("Average precision on test images", loc="left", fontsize=canvas.TITLE, color=canvas.INK)
    right.set_ylim(0, 1.02)
    for axes in (loss, right):
        axes.set_xlabel("epoch", fontsize=canvas.TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if axes.lines:
            axes.legend(fontsize=canvas.SMALL, frameon=False, loc="best")
    return canvas.save(figure, path)
