"""Grids of images with what the model said about them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import canvas

COLUMNS = 8


def draw_wrong(
    images: Any, target: Any, probabilities: Any, path: str | Path, names: Sequence[str] | None = None, count: int = 24
) -> Path | None:
    """Draw the misclassified images that the model was most sure about; None, and no file, when every image is right.

    Parameters
    ----------
    images : (N, height, width) or (N, height, width, 3), uint8 or floats from 0 to 1
    target : the N true classes
    probabilities : (N, C)
    path : the PNG file to write
    names : the C class names; numbers by default
    count : how many to draw at most
    """
    truth, scores = np.asarray(target), np.asarray(probabilities)
    _check("draw_wrong", images, truth, scores)
    guess = scores.argmax(axis=1)
    wrong = np.flatnonzero(guess != truth)
    if len(wrong) == 0:
        return None
    surest_first = wrong[np.argsort(-scores[wrong, guess[wrong]], kind="stable")][:count]
    shown = (
        f"{len(wrong)} mistake{'s' if len(wrong) > 1 else ''}"
        if len(wrong) <= count
        else f"The {count} surest of {len(wrong)} mistakes"
    )
    title = f"{shown}: true \N{RIGHTWARDS ARROW} predicted (its probability)"
    return _draw_grid(images, truth, scores, surest_first, path, names, title)


def draw_predictions(
    images: Any, target: Any, probabilities: Any, path: str | Path, names: Sequence[str] | None = None, count: int = 24
) -> Path:
    """Draw evenly spaced images of the set with the model's answer; parameters as `draw_wrong`."""
    truth, scores = np.asarray(target), np.asarray(probabilities)
    _check("draw_predictions", images, truth, scores)
    chosen = np.unique(np.linspace(0, len(truth) - 1, min(count, len(truth))).round().astype(int))
    return _draw_grid(images, truth, scores, chosen, path, names, "A sample of the test images and what the model says")


def _check(function: str, images: Any, truth: Any, scores: Any) -> None:
    if scores.ndim != 2 or not len(images) == len(truth) == len(scores) or len(truth) == 0:
        raise ShapeError(
            f"{function}: images, target and probabilities (N, C) must agree in N >= 1, "
            f"not {len(images)}, {truth.shape} and {scores.shape}"
        )


def show_image(axes: Any, image: Any) -> None:
    """An image on its own axes: grey where it has one channel, each pixel a sharp square."""
    canvas.image_axes(axes)
    picture = np.asarray(image)
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    top = 255 if picture.dtype == np.uint8 else 1.0
    axes.imshow(picture, cmap="gray" if picture.ndim == 2 else None, vmin=0, vmax=top, interpolation="nearest")


def _draw_grid(
    images: Any, truth: Any, scores: Any, chosen: Any, path: str | Path, names: Sequence[str] | None, title: str
) -> Path:
    labels = [str(i) for i in range(scores.shape[1])] if names is None else list(names)
    longest = max(len(label) for label in labels)
    columns = min(COLUMNS if longest <= 3 else 6, max(6, len(chosen)))
    rows = math.ceil(len(chosen) / columns)
    # Words need a second line under the first, digits do not.
    cell = (1.3, 1.55) if longest <= 3 else (1.7, 2.1)
    figure = canvas.new_figure(cell[0] * columns, cell[1] * rows + 0.5, title)
    for i, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        if i >= len(chosen):
            axes.set_visible(False)
            continue
        n = chosen[i]
        show_image(axes, images[n])
        guess = int(scores[n].argmax())
        sure = f"{100 * scores[n, guess]:.0f} %"
        if guess == truth[n]:
            caption, colour = f"\N{CHECK MARK} {labels[guess]}", canvas.GREEN
        else:
            caption, colour = f"{labels[truth[n]]} \N{RIGHTWARDS ARROW} {labels[guess]}", canvas.RED
        line_break = "  " if longest <= 3 else "\n"
        axes.set_title(f"{caption}{line_break}({sure})", fontsize=canvas.TEXT, color=colour, pad=4)
    return canvas.save(figure, path)
