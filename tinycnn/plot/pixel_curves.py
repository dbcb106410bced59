"""How a network that names every pixel learned, and how well it knows each class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import canvas

__all__ = ["draw_class_scores", "draw_pixel_curves"]


def draw_pixel_curves(history: Sequence[Mapping[str, Any]], path: str | Path) -> Path:
    """Draw the loss, and beside it the share of right pixels and the mean IoU of the validation pictures, over the epochs.

    Parameters
    ----------
    history : a mapping an epoch, at least one, with keys epoch, loss, pixel_accuracy, and validation_accuracy and validation_iou where known
    path : the PNG file to write

    Raises
    ------
    ShapeError : there is no epoch
    """
    if not history:
        raise ShapeError("draw_pixel_curves: history is empty; it needs at least one epoch")
    figure = canvas.new_figure(10, 4.2)
    loss, right = figure.subplots(1, 2)
    _line(loss, history, "loss", "training", canvas.BLUE, 1.0)
    loss.set_title("Loss", loc="left", fontsize=canvas.TITLE, color=canvas.INK)
    loss.set_ylim(bottom=0)
    _line(right, history, "pixel_accuracy", "pixels right, training", canvas.BLUE, 100.0)
    _line(right, history, "validation_accuracy", "pixels right, validation", canvas.ORANGE, 100.0)
    _line(right, history, "validation_iou", "mean IoU, validation", canvas.GREEN, 100.0)
    right.set_title("Pixels", loc="left", fontsize=canvas.TITLE, color=canvas.INK)
    right.set_ylabel("%", fontsize=canvas.TEXT)
    right.set_ylim(0, 101)
    return canvas.save(figure, path)


def _line(axes: Any, history: Sequence[Mapping[str, Any]], key: str, label: str, colour: str, scale: float) -> None:
    """One quantity at the epochs where it is known."""
    from matplotlib.ticker import MaxNLocator

    canvas.plain_axes(axes)
    known = [(row["epoch"], scale * row[key]) for row in history if row.get(key) is not None and np.isfinite(row[key])]
    if known:
        epochs, values = zip(*known, strict=True)
        unit = " %" if scale == 100.0 else ""
        axes.plot(epochs, values, "o-", color=colour, markersize=4, linewidth=2, label=f"{label}: {values[-1]:.2f}{unit} at the end")
        axes.legend(fontsize=canvas.TEXT, frameon=False, loc="best")
    axes.set_xlabel("epoch", fontsize=canvas.TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def draw_class_scores(rows: Sequence[tuple[str, float, float, float, int]], path: str | Path, palette: np.ndarray | None = None) -> Path:
    """Draw every class's IoU as a bar, with the number and the class's share of the true pixels beside it.

    Parameters
    ----------
    rows : name, accuracy, IoU, Dice and true pixels of each class, as `PixelEvaluation.rows` gives them; nan is drawn as "no pixels"
    path : the PNG file to write
    palette : (C, 3) colours of the bars, those of the overlays

    Raises
    ------
    ShapeError : there is no class
    """
    if not rows:
        raise ShapeError("draw_class_scores: rows is empty; it needs at least one class")
    figure = canvas.new_figure(8, 1.2 + 0.34 * len(rows), "Intersection over union of each class")
    axes = figure.subplots()
    canvas.plain_axes(axes)
    total = max(1, sum(pixels for *_, pixels in rows))
    places = np.arange(len(rows))[::-1]
    colours = [canvas.BLUE] * len(rows) if palette is None else [tuple(palette[k] / 255) for k in range(len(rows))]
    ious = [100 * iou for _, _, iou, _, _ in rows]
    axes.barh(places, np.nan_to_num(ious), color=colours, edgecolor=canvas.INK, linewidth=0.6)
    for place, iou, (*_, pixels) in zip(places, ious, rows, strict=True):
        words = "no pixels" if np.isnan(iou) else f"{iou:.1f} %, {100 * pixels / total:.1f} % of the pixels"
        axes.text(np.nan_to_num(iou) + 1, place, words, va="center", fontsize=canvas.SMALL, color=canvas.INK)
    axes.set_yticks(places, [row[0] for row in rows])
    axes.set_xlim(0, 128)
    axes.set_xticks([0, 20, 40, 60, 80, 100])
    axes.set_xlabel("IoU, %", fontsize=canvas.TEXT)
    return canvas.save(figure, path)
