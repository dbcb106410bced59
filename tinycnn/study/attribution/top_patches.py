"""What a unit has learned to see: the patches of a data set that make one map of a layer largest."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...autograd import no_grad
from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from ..receptive_field import receptive_fields
from ..recording import record_forward
from .layers import first_tensor
from .probe import Probe, undisturbed

__all__ = ["Patch", "patch_grid", "top_patches"]


@dataclass(frozen=True)
class Patch:
    """A place in an image where the unit is strong."""

    image: int  # its number in the data set
    value: float
    place: tuple[int, int]  # row, column in the map
    box: tuple[int, int, int, int]  # the unit's receptive field inside the image: top, left, bottom, right; the ends not included
    pixels: np.ndarray  # (C, height, width), as the network got them


def top_patches(model: Module, batches: Iterable[Any], layer: str, unit: int, count: int = 9) -> list[Patch]:
    """The images that a unit answers most strongly, each at its strongest place, cut to its receptive field.

    Parameters
    ----------
    model : Module
    batches : iterable of arrays (N, C, H, W), or of (images, labels)
        A data set, such as a loader; every image is counted, in order.
    layer : str
        A module that gives maps.
    unit : int
        The number of the map.
    count : int
        Patches to keep; one an image at most.

    Returns
    -------
    list of Patch
        The strongest first; equally strong ones in the data's order.

    Raises
    ------
    ArgumentError
        For a layer, a unit or a count that does not exist, or no images. ShapeError: a layer without maps.

    References
    ----------
    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", figure 2.

    Examples
    --------
    >>> from tinycnn import models
    >>> images = np.random.default_rng(0).random((5, 1, 28, 28)).astype(np.float32)
    >>> best = top_patches(models.lenet5(), [images], "conv1", unit=2, count=2)
    >>> best[0].value >= best[1].value, best[0].pixels.shape[1] <= 5
    (True, True)
    """
    if count < 1:
        raise ArgumentError(f"top_patches: count={count} must be at least 1")
    best: list[tuple[float, int, tuple[int, int], np.ndarray]] = []
    field, number = None, 0
    for batch in batches:
        given = batch[0] if isinstance(batch, (tuple, list)) else batch
        images = np.asarray(given.data if isinstance(given, Tensor) else given)
        if field is None:
            path, module = Probe("top_patches", model, images[:1]).layer(layer)
            field = _field(model, path, images[:1])
        for image, maps in zip(images, _maps(model, module, images, layer), strict=True):
            if not 0 <= unit < len(maps):
                raise ArgumentError(f"top_patches: unit={unit} is no map of {layer}; it has {len(maps)}: 0 to {len(maps) - 1}")
            row, column = np.unravel_index(int(maps[unit].argmax()), maps.shape[1:])
            best.append((float(maps[unit, row, column]), number, (int(row), int(column)), image))
            number += 1
        best = sorted(best, key=lambda one: (-one[0], one[1]))[:count]
    if field is None:
        raise ArgumentError("top_patches: there are no images; give batches (N, C, H, W)")
    return [_patch(*one, field) for one in best]


def _maps(model: Module, module: Module, images: np.ndarray, layer: str) -> np.ndarray:
    """What the layer makes of the images."""
    seen: list[Tensor] = []
    watched = module.register_forward_hook(lambda _module, _given, result: seen.append(first_tensor("top_patches", result)))
    with watched, undisturbed(model), no_grad():
        model(Tensor(images))
    if not seen or seen[-1].ndim != 4:
        raise ShapeError(f"top_patches: {layer} gives no maps (N, C, h, w) for these images; name a convolution")
    return seen[-1].data


def _field(model: Module, path: str, image: np.ndarray) -> Any:
    """The receptive field of the layer's elements."""
    graph = record_forward(model, Tensor(image))
    inside = [call for call in graph.calls if call.path == path or call.path.startswith(f"{path}.")]
    field = receptive_fields(graph)[inside[-1].number] if inside else None
    if field is None:
        raise ArgumentError(f"top_patches: layer {path!r} does nothing with the images; name one that runs")
    return field


def _patch(value: float, number: int, place: tuple[int, int], image: np.ndarray, field: Any) -> Patch:
    """Cut the field of one place out of its image."""
    starts = [axis.start + at * (axis.stride or 0) for axis, at in zip(field.axes, place, strict=True)]
    ends = [start + axis.size for start, axis in zip(starts, field.axes, strict=True)]
    top, left = (max(0, math.floor(start)) for start in starts)
    bottom, right = (min(side, math.ceil(end)) for side, end in zip(image.shape[1:], ends, strict=True))
    return Patch(number, value, place, (top, left, bottom, right), image[:, top:bottom, left:right])


def patch_grid(patches: list[Patch], title: str = "strongest patches") -> Any:
    """The patches in rows, each stretched from its darkest to its brightest number; Pillow's image."""
    from .tiles import grid

    tiles = []
    for patch in patches:
        pixels = patch.pixels.astype(np.float64)
        low, high = pixels.min(), pixels.max()
        shades = (255 * (pixels - low) / (high - low if high > low else 1)).round().astype(np.uint8)
        tiles.append(shades.transpose(1, 2, 0) if len(shades) == 3 else np.repeat(shades[0][:, :, None], 3, 2))
    return grid(tiles, [f"{patch.value:.3g}  (image {patch.image})" for patch in patches], title, side=110)
