"""Deconvnet: the network run backwards, from a class or from one unit of a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .layers import first_tensor
from .probe import Probe, Target, undisturbed
from .rectifiers import deconvnet_rule, rewire, taken_apart
from .result import Attribution

__all__ = ["deconvnet"]


def deconvnet(model: Module, input: Any, target: Target = None, *, layer: str | None = None, unit: int | None = None) -> Attribution:
    """Project a class's logit, or the strongest element of one map, back to the pixels.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, C, H, W)

    Formula
    -------
    Back through a convolution: its filters transposed; through a max pooling: unpooling, each number to the place (switch) that the maximum was at;
    through a rectifier: max(g, 0), wherever it was open forward. Those but the last are what a gradient does; map = max_c |g[c]|.

    Parameters
    ----------
    model, input, target
        As in `cam`; the network needs ReLU or ReLU6.
    layer, unit
        Start at the strongest element of map number `unit` of that layer rather than at the class, all others set to zero, as the paper does.

    Returns
    -------
    Attribution

    Raises
    ------
    ArgumentError
        For a network without rectifiers, a unit without a layer or one that does not exist.

    Notes
    -----
    Without pooling switches nothing in it depends on the image: on an all-convolutional network it shows the filters, not the image.

    References
    ----------
    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 2.1 and figure 1.

    Examples
    --------
    >>> from tinycnn import models
    >>> deconvnet(models.lenet5(), np.eye(28, dtype=np.float32)[None, None], layer="conv2", unit=5).layer
    'conv2'
    """
    if unit is not None and layer is None:
        raise ArgumentError(f"deconvnet: unit={unit} is a map of a layer; name the layer, too")
    probe = Probe("deconvnet", taken_apart(model), input, target)
    if layer is None:
        signal = probe.pixel_gradient(probe.images, probe.target, lambda logits: _deconvolving(logits))
        return Attribution("deconvnet", probe.target, probe.score, np.abs(signal).max(1), signal, False)
    path, module = probe.layer(layer)
    seen: list[Tensor] = []
    pixels = Tensor(np.array(probe.images), requires_grad=True)
    with undisturbed(probe.model), module.register_forward_hook(lambda _module, _given, result: seen.append(first_tensor("deconvnet", result))):
        probe.model(pixels)
        if not seen or seen[-1].ndim != 4:
            raise ShapeError(f"deconvnet: layer {path!r} gives no maps (N, C, h, w) for these images; name a convolution")
        start, facts = _strongest(seen[-1].data, unit)
        _deconvolving(seen[-1])
        seen[-1].backward(start)
    signal = np.zeros_like(probe.images) if pixels.grad is None else pixels.grad.data
    return Attribution("deconvnet", probe.target, probe.score, np.abs(signal).max(1), signal, False, path, facts)


def _deconvolving(result: Tensor) -> None:
    rewire("deconvnet", result, deconvnet_rule)


def _strongest(maps: np.ndarray, unit: int | None) -> tuple[np.ndarray, dict[str, Any]]:
    """The maps with all but the strongest element of one of them zero; without a unit, of the map with the first image's strongest element."""
    if unit is None:
        unit = int(maps[0].max((1, 2)).argmax())
    if not 0 <= unit < maps.shape[1]:
        raise ArgumentError(f"deconvnet: unit={unit} is no map of this layer; it has {maps.shape[1]}: 0 to {maps.shape[1] - 1}")
    kept = np.zeros_like(maps)
    places = maps[:, unit].reshape(len(maps), -1).argmax(1)
    rows, columns = np.unravel_index(places, maps.shape[2:])
    images = np.arange(len(maps))
    kept[images, unit, rows, columns] = maps[images, unit, rows, columns]
    return kept, {"unit": unit, "place": [int(rows[0]), int(columns[0])], "value": float(maps[0, unit, rows[0], columns[0]])}
