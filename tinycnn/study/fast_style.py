"""Fast style transfer: a network learns to do in one pass what the optimisation does in hundreds.

References
----------
Johnson, Alahi and Fei-Fei 2016, "Perceptual losses for real-time style transfer and super-resolution" (arXiv 1603.08155), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .. import optim
from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError
from ..nn import Module
from ..tensor import Tensor
from ..train.denoising import random_patches
from .deep_features import FeatureNetwork
from .style_transfer import StyleLoss, balanced, content_targets, style_targets

__all__ = ["stylise", "train_fast_style"]

Array = np.ndarray[Any, Any]


def train_fast_style(
    transformer: Module,
    network: FeatureNetwork,
    style: Array,
    images: Sequence[Array],
    *,
    content_layers: Sequence[str] | None = None,
    style_layers: Sequence[str] | None = None,
    content_weight: float = 1.0,
    style_weight: float = 5.0,
    variation_weight: float = 0.1,
    normalization: str = "positions",
    size: int = 128,
    steps: int = 100,
    rate: float = 1e-3,
    seed: int = 0,
) -> list[dict[str, float]]:
    """Teach a transformation network one style.

    Parameters
    ----------
    transformer : Module
        Such as `models.fast_style()`; it is trained in place and left in evaluation mode.
    network : FeatureNetwork
        Whose features are compared.
    style : (3, H, W)
        Floats from 0 to 1.
    images : sequence of (3, H, W)
        To be painted; squares of `size` pixels are cut out of them.
    content_layers, style_layers, content_weight, style_weight, variation_weight, normalization
        As in `style_transfer`, balanced for a grey image.
    size : int
        Of the squares, in pixels.
    steps, rate, seed
        Of Adam, one image a step; what decides the squares.

    Returns
    -------
    list of dict
        The weighted terms of each step.

    Raises
    ------
    ArgumentError
        Where there is nothing to learn from.
    """
    if steps < 1 or not images:
        raise ArgumentError(f"train_fast_style: needs steps >= 1 and at least one image, got {steps} and {len(images)}")
    generator = np.random.default_rng(seed)
    spread = network.spread_layers(size, size)
    contents = (spread[-2:-1] or spread) if content_layers is None else content_layers
    grams = style_targets(network, np.ascontiguousarray(style, np.float32), spread if style_layers is None else style_layers, normalization)
    first = random_patches(images, size, 1, generator)
    unit = StyleLoss(network, content_targets(network, first[0], contents), grams, normalization, content_weight, style_weight, variation_weight)
    unit = balanced(unit, first.shape[1:])
    adam = optim.Adam(list(transformer.parameters()), lr=rate)
    transformer.train()
    history = []
    for _ in range(steps):
        image = random_patches(images, size, 1, generator)
        loss = replace(unit, content=content_targets(network, image[0], contents))
        adam.zero_grad()
        terms = loss(transformer(Tensor(image)))
        total = sum(terms.values(), start=Tensor(np.zeros((), np.float32)))
        total.backward()
        adam.step()
        history.append({name: float(term.item()) for name, term in terms.items()} | {"total": float(total.item())})
    transformer.eval()
    return history


def stylise(transformer: Module, image: Any) -> Array:
    """One image (3, H, W) in one pass: its sides are filled up to multiples of 4 by their reflection, and cut back.

    Raises
    ------
    ShapeError
        For anything but (3, H, W) of floats with at least 16 pixels a side.

    Examples
    --------
    >>> from tinycnn import models
    >>> stylise(models.fast_style(width=2, blocks=1), np.zeros((3, 17, 18), np.float32)).shape
    (3, 17, 18)
    """
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[0] != 3 or pixels.dtype.kind != "f" or min(pixels.shape[1:]) < 16:
        raise ShapeError(f"stylise: an image is {pixels.dtype} of shape {pixels.shape}; give floats (3, H, W), at least 16 pixels a side")
    height, width = pixels.shape[1:]
    full = np.pad(pixels.astype(np.float32), ((0, 0), (0, -height % 4), (0, -width % 4)), mode="reflect")
    with no_grad():
        painted = transformer(Tensor(full[None])).data[0]
    return np.ascontiguousarray(np.clip(painted[:, :height, :width], 0, 1))
