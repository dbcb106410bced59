"""The confusion matrix as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import canvas

# Above this many classes a cell is too small for its number.
NUMBERED_CLASSES = 20


def draw_confusion(matrix: Any, path: str | Path, names: Sequence[str] | None = None) -> Path:
    """Draw a confusion matrix: true classes in rows, predicted classes in columns, right answers blue, mistakes orange.

    Parameters
    ----------
    matrix : counts (C, C)
    path : the PNG file to write
    names : the C class names; numbers by default
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ShapeError(f"draw_confusion: the matrix must be square (C, C), not {counts.shape}")
    classes = len(counts)
    labels = [str(i) for i in range(classes)] if names is None else list(names)
    numbered = classes <= NUMBERED_CLASSES
    side = min(12.0, max(5.6, 2.2 + 0.48 * classes)) if numbered else 10.0
    figure = canvas.new_figure(side + 1.0, side)
    axes = figure.subplots()
    axes.imshow(_colours(counts), interpolation="nearest")
    total, right = int(counts.sum()), int(np.trace(counts))
    axes.set_title(
        f"{right} of {total} right, {total - right} wrong",
        loc="left",
        fontsize=canvas.TITLE,
        color=canvas.INK,
        weight="bold",
    )
    axes.set_xlabel("predicted class", fontsize=canvas.TEXT + 1)
    axes.set_ylabel("true class", fontsize=canvas.TEXT + 1)
    if numbered:
        _number_cells(axes, counts)
        long_names = max(len(label) for label in labels) > 3
        axes.set_xticks(
            range(classes), labels, rotation=45 if long_names else 0, ha="right" if long_names else "center"
        )
        axes.set_yticks(range(classes), labels)
        _recall_axis(axes, counts)
    axes.tick_params(length=0, labelsize=canvas.TEXT)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return canvas.save(figure, path)


def _colours(counts: Any) -> Any:
    """RGB of every cell: depth of blue is the recall, depth of orange is the mistake's share of the largest one."""
    from matplotlib import colormaps

    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    own = np.eye(len(counts), dtype=bool)
    mistakes = np.where(own, 0.0, share)
    largest = max(float(mistakes.max()), 1e-12)
    blue = colormaps["Blues"](0.15 + 0.65 * share)[..., :3]
    orange = colormaps["Oranges"](0.12 + 0.6 * mistakes / largest)[..., :3]
    picture = np.where(own[..., None], blue, orange)
    picture[(counts == 0) & ~own] = (0.972, 0.976, 0.98)
    return picture


def _number_cells(axes: Any, counts: Any) -> None:
    colours = _colours(counts)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count:
                dark = colours[i, j].mean() < 0.5
                axes.text(
                    j,
                    i,
                    f"{count}",
                    ha="center",
                    va="center",
                    fontsize=canvas.TEXT,
                    color="white" if dark else canvas.INK,
                )


def _recall_axis(axes: Any, counts: Any) -> None:
    """The share found of each true class, written at the right end of its row."""
    totals = counts.sum(axis=1)
    labels = [f"{100 * counts[i, i] / totals[i]:.1f} %" if totals[i] else "none" for i in range(len(counts))]
    twin = axes.secondary_yaxis("right")
    twin.set_yticks(range(len(counts)), labels)
    twin.set_ylabel("share found (recall)", fontsize=canvas.TEXT)
    twin.tick_params(length=0, labelsize=canvas.TEXT, colors=canvas.FAINT)
    twin.spines["right"].set_visible(False)
