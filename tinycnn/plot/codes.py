"""A network's codes as pictures: a map of all images, and the nearest ones to a few."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from . import canvas

# Ten colours that can be told apart.
CLASS_COLOURS = ("#2467b3", "#d9661f", "#2e7d32", "#c62828", "#6a4fa3", "#8d6e63", "#d81b78", "#5f6b76", "#b0a000", "#00a3b4")


def draw_map(places: np.ndarray, labels: np.ndarray, names: Sequence[str], path: str | Path, title: str = "") -> Path:
    """Draw one point an image in the colour of its class.

    Parameters
    ----------
    places : (N, 2), from a projection
    labels : (N,) class numbers
    names : of the classes
    path : the PNG or SVG file to write
    title : above the picture
    """
    if places.ndim != 2 or places.shape[1] != 2 or labels.shape != (len(places),):
        raise ShapeError(f"draw_map: places {places.shape} must be (count, 2) and labels {labels.shape} one a row")
    figure = canvas.new_figure(8, 6.6, title)
    axes = figure.subplots()
    canvas.image_axes(axes)
    for label, name in enumerate(names):
        own = places[labels == label]
        if len(own):
            axes.scatter(own[:, 0], own[:, 1], s=9, color=CLASS_COLOURS[label % len(CLASS_COLOURS)], label=str(name), linewidths=0, alpha=0.75)
    if len(names) <= 2 * len(CLASS_COLOURS):
        axes.legend(fontsize=canvas.SMALL, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=2)
    return canvas.save(figure, path)


def draw_neighbours(
    queries: Sequence[Any], neighbours: Sequence[Sequence[Any]], right: Sequence[Sequence[bool]], path: str | Path, title: str = ""
) -> Path:
    """Draw a row for each query: the image, and the nearest ones with a green frame where they are of its class, a red one elsewhere.

    Parameters
    ----------
    queries : images (height, width) or (height, width, 3) of bytes
    neighbours : for each query as many images
    right : whether each neighbour is of the query's class
    path : the PNG or SVG file to write
    title : above the picture
    """
    if not len(queries) or not len(queries) == len(neighbours) == len(right):
        raise ShapeError(f"draw_neighbours: {len(queries)} queries need as many rows of neighbours, not {len(neighbours)} and {len(right)}")
    columns = 1 + len(neighbours[0])
    figure = canvas.new_figure(1.1 * columns, 1.15 * len(queries) + 0.4, title)
    grid = figure.subplots(len(queries), columns, squeeze=False)
    for row, (query, found, same) in enumerate(zip(queries, neighbours, right, strict=True)):
        for column, image in enumerate([query, *found]):
            axes = grid[row][column]
            canvas.image_axes(axes)
            axes.imshow(image, cmap="gray" if np.ndim(image) == 2 else None, interpolation="nearest")
            if column:
                for spine in axes.spines.values():
                    spine.set_color(canvas.GREEN if same[column - 1] else canvas.RED)
                    spine.set_linewidth(2.5)
    return canvas.save(figure, path)
