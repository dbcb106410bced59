"""The masks that a network with attention lays over its own maps: CBAM's over pixels and channels, squeeze and excitation's over channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...autograd import no_grad
from ...errors import ArgumentError
from ...models.cbam import ChannelAttention, SpatialAttention
from ...nn import Module
from ...ops import SqueezeExcitation
from ...tensor import Tensor
from .overlay import overlay, painted
from .probe import Probe, undisturbed
from .result import enlarged
from .tiles import grid

__all__ = ["AttentionMask", "attention_masks", "mask_grid"]


@dataclass(frozen=True)
class AttentionMask:
    """One mask of one module, for the first image."""

    path: str
    over: str  # "pixels" or "channels"
    values: np.ndarray  # (h, w) or (C,), between 0 and 1 where the gate is a sigmoid


def attention_masks(model: Module, input: Any) -> list[AttentionMask]:
    """Every mask that the network computes for the first image, in the order of its layers.

    Parameters
    ----------
    model : Module
        With CBAM (`SpatialAttention`, `ChannelAttention`) or `ops.SqueezeExcitation` inside.
    input : Tensor or ndarray
        Images.

    Returns
    -------
    list of AttentionMask

    Raises
    ------
    ArgumentError
        If the network has no such module.

    Examples
    --------
    >>> from tinycnn import models
    >>> masks = attention_masks(models.cbam_resnet_cifar(), np.ones((1, 3, 32, 32), np.float32))
    >>> [(mask.over, mask.values.shape) for mask in masks[:2]]
    [('channels', (16,)), ('pixels', (32, 32))]
    """
    images = Probe("attention_masks", model, input).images[:1]
    found: list[AttentionMask] = []
    handles = []

    def watch(path: str, module: Module) -> None:
        def keep(over: str, mask: Tensor) -> None:
            values = mask.data[0, 0] if over == "pixels" else mask.data[0].reshape(-1)
            found.append(AttentionMask(path, over, np.array(values)))

        if isinstance(module, SpatialAttention):
            handles.append(module.register_forward_pre_hook(lambda gate, given: keep("pixels", gate.mask(given[0]))))
        elif isinstance(module, ChannelAttention):
            handles.append(module.register_forward_pre_hook(lambda gate, given: keep("channels", gate.mask(given[0]))))
        elif isinstance(module, SqueezeExcitation):
            handles.append(module.scale_activation.register_forward_hook(lambda _gate, _given, scale: keep("channels", scale)))

    for path, module in model.named_modules():
        watch(path, module)
    try:
        with undisturbed(model), no_grad():
            if handles:
                model(Tensor(images))
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        raise ArgumentError(
            f"attention_masks: {type(model).__name__} has no CBAM or squeeze-and-excitation that runs; cbam_resnet18 and mobilenet_v3_small have"
        )
    return found


def mask_grid(image: np.ndarray, masks: list[AttentionMask], title: str = "attention masks") -> Any:
    """Masks over pixels laid over the image (uint8), masks over channels as stripes, each with its range; Pillow's image."""
    tiles, labels = [], []
    for mask in masks:
        if mask.over == "pixels":
            low, high = float(mask.values.min()), float(mask.values.max())
            spread = (mask.values - low) / (high - low if high > low else 1)
            tiles.append(overlay(image, enlarged(spread[None].astype(np.float32), image.shape[:2])[0]))
        else:
            width = int(np.ceil(np.sqrt(len(mask.values))))
            square = np.zeros(width * width)
            square[: len(mask.values)] = mask.values
            tiles.append(painted(square.reshape(width, width), False))
        labels.append(f"{mask.path.replace('layer', 'L')} {mask.values.min():.2f}-{mask.values.max():.2f}")
    return grid(tiles, labels, title, side=130)
