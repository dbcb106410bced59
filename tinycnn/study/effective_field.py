"""The part of the receptive field that matters: how much each input pixel moves the middle of a layer's output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..nn import Module
from ..tensor import Tensor
from .receptive_field import receptive_fields
from .recording import record_forward, tensors_in

__all__ = ["EffectiveField", "effective_receptive_field"]


@dataclass(frozen=True)
class EffectiveField:
    """The map of influence, and the theoretical field around it."""

    influence: np.ndarray  # (H, W), the largest is 1
    box: tuple[int, int, int, int]  # theoretical: top, left, bottom, right, the last row and column included; may reach outside
    position: tuple[int, int]  # the output element asked about

    @property
    def outside(self) -> float:
        """The largest influence outside the theoretical field: 0 unless that is wrong."""
        top, left, bottom, right = self.box
        rest = self.influence.copy()
        rest[max(top, 0) : bottom + 1, max(left, 0) : right + 1] = 0
        return float(rest.max(initial=0))

    def share(self, part: float = 0.95) -> float:
        """The smallest share of the field's pixels, most influential first, that carries `part` of all influence."""
        ordered = np.sort(self.influence, axis=None)[::-1].astype(np.float64)
        needed = int(np.searchsorted(np.cumsum(ordered), part * ordered.sum())) + 1
        top, left, bottom, right = self.box
        return needed / ((bottom - top + 1) * (right - left + 1))

    def save(self, path: str | Path, pixels: int = 480) -> Path:
        """Draw it as a PNG file: dark where a pixel matters, the theoretical field in orange."""
        from PIL import Image, ImageDraw

        height, width = self.influence.shape
        zoom = max(1, pixels // max(height, width))
        # The square root shows the faint rim, which a linear scale would hide.
        grey = (255 * (1 - np.sqrt(self.influence))).astype(np.uint8)
        picture = Image.fromarray(grey).resize((width * zoom, height * zoom), Image.Resampling.NEAREST).convert("RGB")
        top, left, bottom, right = self.box
        outline = (
            max(left, 0) * zoom,
            max(top, 0) * zoom,
            min(right + 1, width) * zoom - 1,
            min(bottom + 1, height) * zoom - 1,
        )
        ImageDraw.Draw(picture).rectangle(outline, outline="#d9661f", width=max(2, zoom // 2))
        target = Path(path)
        picture.save(target, format="PNG")
        return target


def effective_receptive_field(
    model: Module, layer: str, input: Any, position: tuple[int, int] | None = None
) -> EffectiveField:
    """Measure how much every input pixel moves one element of a layer's output, by its gradient.

    Formula
    -------
    influence[h, w] = sum over images and channels of |d sum_c y[n, c, i, j] / d x[n, c', h, w]|, divided by its largest number.

    Parameters
    ----------
    model : Module
        In evaluation mode meanwhile; a trained one, or one with random weights. Weights are read only.
    layer : str
        The path of a module, such as "features.10".
    input : Tensor, ndarray or tuple of int
        Images, or their shape (N, C, H, W): random images then.
    position : (row, column), optional
        Of the output element; the middle if left out.

    Returns
    -------
    EffectiveField
        Its `influence` is the array; `save` draws it with the theoretical boundary.

    Raises
    ------
    ArgumentError
        For a layer that does not exist or does not run. ShapeError: a layer whose output is not a map.

    Notes
    -----
    The influence of a stack of random convolutions falls off like a Gaussian: the field that matters grows with the square root of the depth,
    the theoretical one in proportion to it.

    References
    ----------
    Luo, Li, Urtasun and Zemel 2016, "Understanding the effective receptive field in deep convolutional neural networks", section 2.

    Examples
    --------
    >>> from tinycnn import models
    >>> field = effective_receptive_field(models.lenet5(), "conv2", (4, 1, 28, 28))
    >>> field.box, field.outside
    ((8, 8, 21, 21), 0.0)
    """
    images = input if isinstance(input, (Tensor, np.ndarray)) else np.random.default_rng(0).standard_normal(tuple(input)).astype(np.float32)
    pixels = Tensor(np.array(images.data if isinstance(images, Tensor) else images), requires_grad=True)
    module = dict(model.named_modules()).get(layer)
    if module is None or not layer:
        names = ", ".join(path for path, _ in model.named_modules() if path)
        raise ArgumentError(f"effective_receptive_field: there is no layer {layer!r}; there are {names}")
    graph = record_forward(model, Tensor(pixels.data))
    inside = [call for call in graph.calls if call.path == layer or call.path.startswith(f"{layer}.")]
    theory = receptive_fields(graph)[inside[-1].number] if inside else None
    outputs: list[Tensor] = []
    with _evaluation(model), module.register_forward_hook(lambda _module, _arguments, result: outputs.extend(tensors_in(result))):
        model(pixels)
    if not outputs or theory is None:
        raise ArgumentError(f"effective_receptive_field: layer {layer!r} does nothing with the images; name one that runs")
    maps = outputs[0]
    if maps.ndim != 4:
        raise ShapeError(f"effective_receptive_field: {layer} gives {maps.shape}, not maps (N, C, H, W); name a layer before the flatten")
    row, column = position if position is not None else (maps.shape[2] // 2, maps.shape[3] // 2)
    if not (0 <= row < maps.shape[2] and 0 <= column < maps.shape[3]):
        raise ArgumentError(f"effective_receptive_field: position {(row, column)} is outside the {maps.shape[2]}x{maps.shape[3]} map")
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    upstream = np.zeros(maps.shape, maps.dtype)
    upstream[:, :, row, column] = 1
    maps.backward(upstream)
    for parameter, gradient in gradients:
        parameter.grad = gradient
    assert pixels.grad is not None
    influence = np.abs(pixels.grad.data).sum((0, 1))
    influence /= max(float(influence.max()), np.finfo(np.float32).tiny)
    starts = [axis.start + place * (axis.stride or 0) for axis, place in zip(theory.axes, (row, column), strict=True)]
    ends = [start + axis.size - 1 for start, axis in zip(starts, theory.axes, strict=True)]
    box = (math.floor(starts[0]), math.floor(starts[1]), math.ceil(ends[0]), math.ceil(ends[1]))
    return EffectiveField(influence, box, (row, column))


@contextmanager
def _evaluation(model: Module) -> Iterator[None]:
    """Evaluation mode within the block."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
