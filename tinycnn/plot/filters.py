"""The weights of a convolution as pictures."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import canvas

# More filters than this are drawn only in part; the title says so.
MOST_FILTERS = 64


def draw_filters(weight: Any, path: str | Path, title: str = "") -> Path:
    """Draw the filters of a convolution.

    Three input channels become the colours of a picture; else red is positive, blue negative and white zero.

    Parameters
    ----------
    weight : floats (out, in, height, width)
    path : the PNG file to write
    title : what stands above; the shape by default
    """
    values = np.asarray(weight, dtype=np.float64)
    if values.ndim != 4:
        raise ShapeError(f"draw_filters: the weight must be (out, in, height, width), not {values.shape}")
    colour = values.shape[1] == 3
    tiles = values.transpose(0, 2, 3, 1) if colour else values.reshape(-1, *values.shape[2:])
    labels = [_label(i, values.shape[1], colour) for i in range(len(tiles))]
    heading = title or f"{values.shape[0]} filters of {values.shape[1]} x {values.shape[2]} x {values.shape[3]}"
    if len(tiles) > MOST_FILTERS:
        heading += f" (the first {MOST_FILTERS} of {len(tiles)})"
        tiles = tiles[:MOST_FILTERS]
    columns = min(len(tiles), 8 if len(tiles) > 12 else 6)
    rows = math.ceil(len(tiles) / columns)
    figure = canvas.new_figure(max(5.0, 1.25 * columns + 1.0), 1.3 * rows + 0.75, heading)
    grid = figure.subplots(rows, columns, squeeze=False)
    largest = float(np.abs(tiles).max()) or 1.0
    drawn = None
    for i, axes in enumerate(grid.flat):
        if i >= len(tiles):
            axes.set_visible(False)
            continue
        canvas.image_axes(axes)
        if colour:
            axes.imshow(0.5 + 0.5 * tiles[i] / largest, interpolation="nearest", vmin=0, vmax=1)
        else:
            drawn = axes.imshow(tiles[i], interpolation="nearest", cmap="RdBu_r", vmin=-largest, vmax=largest)
        axes.set_title(labels[i], fontsize=canvas.SMALL, color=canvas.FAINT, pad=3)
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=grid, shrink=0.85, aspect=18, pad=0.02)
        bar.ax.tick_params(labelsize=canvas.SMALL, length=2)
        bar.outline.set_visible(False)
    return canvas.save(figure, path)


def _label(tile: int, channels: int, colour: bool) -> str:
    """The filter's number, and the input channel's where each has a picture of its own."""
    if colour or channels == 1:
        return f"filter {tile}" if tile == 0 else str(tile)
    return f"{tile // channels}, in {tile % channels}"
