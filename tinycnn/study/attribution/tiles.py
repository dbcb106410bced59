"""Many small pictures in rows: the maps of a layer, the filters of a convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .overlay import painted
from .probe import Probe
from .sheet import INK, PAPER, SOFT, font

__all__ = ["activation_grid", "filter_grid", "grid"]

MOST, TILE, LABEL = 64, 84, 15


def grid(tiles: Sequence[np.ndarray], labels: Sequence[str], title: str, side: int = TILE) -> Any:
    """Pictures (h, w, 3), uint8, in rows with a label each; Pillow's image."""
    from PIL import Image, ImageDraw

    if not tiles:
        raise ArgumentError("grid: there is nothing to draw; give at least one tile")
    columns = min(len(tiles), max(4, math.ceil(math.sqrt(len(tiles) * 1.6))))
    rows = math.ceil(len(tiles) / columns)
    sheet = Image.new("RGB", (max(20 + columns * (side + 8), 460), 46 + rows * (side + LABEL + 8)), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((12, 12), title, fill=INK, font=font(17))
    for number, (tile, label) in enumerate(zip(tiles, labels, strict=True)):
        row, column = divmod(number, columns)
        x, y = 12 + column * (side + 8), 44 + row * (side + LABEL + 8)
        height, width = tile.shape[:2]
        factor = side / max(height, width)
        picture = Image.fromarray(tile).resize((max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.NEAREST)
        sheet.paste(picture, (x, y))
        pen.text((x, y + side), label, fill=SOFT, font=font(11))
    return sheet


def activation_grid(model: Module, input: Any, layer: str | None = None, most: int = MOST) -> Any:
    """The maps that a layer makes of the first image, strongest first where there are more than `most`.

    Parameters
    ----------
    model, input
        As in `attribute`.
    layer : str, optional
        The last maps before the pooling if left out.
    most : int
        Maps to draw.

    Returns
    -------
    PIL.Image.Image
        Maps with negative numbers are blue and red, others dark to bright; one scale for the whole layer.

    Raises
    ------
    ArgumentError
        For a layer that does not exist. ShapeError: one without maps.

    Examples
    --------
    >>> from tinycnn import models
    >>> activation_grid(models.lenet5(), np.ones((1, 1, 28, 28), np.float32), "conv1").size[0] > 400
    True
    """
    path, maps, _ = Probe("activation_grid", model, input).maps(layer)
    own = maps[0]
    order = np.argsort(-np.abs(own).sum((1, 2)), kind="stable")[:most]
    shown = np.sort(order)
    largest = float(np.abs(own).max()) or 1.0
    signed = bool(own.min() < 0)
    title = f"{path}: {len(own)} maps of {own.shape[1]}x{own.shape[2]}, to {largest:.3g}"
    title += f"; the {most} strongest" if len(own) > most else ""
    return grid([painted(own[k] / largest, signed) for k in shown], [str(k) for k in shown], title)


def filter_grid(model: Module, layer: str | None = None, most: int = MOST) -> Any:
    """The filters of a convolution: as colours where it sees three channels, else one picture a filter and input channel, blue below zero.

    Parameters
    ----------
    model : Module
    layer : str, optional
        The first convolution if left out.
    most : int
        Pictures to draw.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    ArgumentError
        For a layer that does not exist. ShapeError: one whose weight is not filters (out, in, height, width).

    Examples
    --------
    >>> from tinycnn import models
    >>> filter_grid(models.lenet5()).size[1] > 100
    True
    """
    modules = dict(model.named_modules())
    convolutions = [path for path, module in modules.items() if path and getattr(getattr(module, "weight", None), "ndim", 0) == 4]
    if layer is None and convolutions:
        layer = convolutions[0]
    module = modules.get(layer or "")
    if module is None or not layer:
        raise ArgumentError(f"filter_grid: there is no layer {layer!r}; convolutions are {', '.join(convolutions) or 'none'}")
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.ndim != 4:
        raise ShapeError(f"filter_grid: {layer} has no filters (out, in, height, width); convolutions are {', '.join(convolutions)}")
    values = weight.data.astype(np.float64)
    title = f"{layer}: {values.shape[0]} filters of {values.shape[1]}x{values.shape[2]}x{values.shape[3]}"
    if values.shape[1] == 3:
        largest = np.abs(values).max((1, 2, 3), keepdims=True)
        colours = (127.5 + 127.5 * values / np.where(largest > 0, largest, 1)).transpose(0, 2, 3, 1).round().astype(np.uint8)
        return grid(list(colours[:most]), [str(k) for k in range(len(colours))][:most], title)
    flat = values.reshape(-1, *values.shape[2:])
    scale = float(np.abs(flat).max()) or 1.0
    names = [f"{k // values.shape[1]}" if values.shape[1] == 1 else f"{k // values.shape[1]}, in {k % values.shape[1]}" for k in range(len(flat))]
    if len(flat) > most:
        title += f"; the first {most} of {len(flat)}"
    return grid([painted(one / scale, True) for one in flat[:most]], names[:most], title)
