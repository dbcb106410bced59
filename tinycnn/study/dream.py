"""DeepDream and activation maximisation: images that a network's units like, found by climbing the gradient.

References
----------
Mordvintsev, Olah and Tyka 2015, "Inceptionism: going deeper into neural networks": octaves, jitter, normalised gradients.
Simonyan, Vedaldi and Zisserman 2014 (arXiv 1312.6034): images of classes. Yosinski et al. 2015 (arXiv 1506.06579): decay and blur.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from ..errors import ArgumentError
from ..tensor import Tensor
from .deep_features import FeatureNetwork
from .input_optimisation import InputRun, optimise_image
from .style_transfer import _picture, noise_image

__all__ = ["deep_dream", "maximise_activation"]

Array = np.ndarray[Any, Any]
SMALLEST = 32  # pixels a side of the first octave


def _resized(image: Array, height: int, width: int) -> Array:
    return np.asarray(F.interpolate(image[None], (height, width), mode="bilinear", align_corners=False).data[0])


def deep_dream(
    network: FeatureNetwork,
    image: Any,
    layers: Sequence[str],
    *,
    octaves: int = 3,
    octave_scale: float = 1.4,
    steps: int = 10,
    rate: float = 0.02,
    jitter: int = 16,
    seed: int = 0,
) -> InputRun:
    """Show the network more of what it already sees in an image.

    Formula
    -------
    x <- x + rate g / mean |g|, g the gradient of the sum over the layers of mean f(x)^2, at a small size first, then larger

    Parameters
    ----------
    network : FeatureNetwork
        Whose layers are excited.
    image : (C, H, W)
        Floats from 0 to 1.
    layers : sequence of str
        Early ones like strokes and textures, late ones parts of objects.
    octaves : int
        Sizes, each `octave_scale` times the one before; what was dreamt up is carried over.
    octave_scale : float
        Above 1.
    steps : int
        In each octave.
    rate : float
        Mean change of a number in a step.
    jitter : int
        The image is shifted by up to so many pixels before each step, so that no grid of the network's strides shows.
    seed : int
        Of the shifts.

    Raises
    ------
    ArgumentError, ShapeError
        If they do not fit.
    """
    picture = _picture("deep_dream", network, image)
    if octaves < 1 or steps < 1 or jitter < 0 or not octave_scale > 1 or not rate > 0 or not layers:
        raise ArgumentError(
            f"deep_dream: needs octaves, steps >= 1, octave_scale > 1, rate > 0, jitter >= 0 and a layer, got {octaves}, {steps}, {octave_scale}, "
            f"{rate}, {jitter} and {list(layers)}"
        )
    draw, started = np.random.default_rng(seed), time.perf_counter()
    losses: list[dict[str, float]] = []
    height, width = picture.shape[1:]
    detail = np.zeros_like(picture)
    for octave in reversed(range(octaves)):
        sides = [max(min(side, SMALLEST), round(side / octave_scale**octave)) for side in (height, width)]
        base = _resized(picture, *sides)
        x = base + _resized(detail, *sides)
        for _ in range(steps):
            shift = draw.integers(-jitter, jitter + 1, 2)
            x = np.roll(x, shift, (1, 2))
            gradient, value = _excitement(network, x, layers)
            x = np.clip(x + rate * gradient / max(float(np.abs(gradient).mean()), 1e-12), 0, 1).astype(np.float32)
            x = np.roll(x, -shift, (1, 2))
            losses.append({"excitement": value, "total": -value})
        detail = x - base
    return InputRun(x, losses, time.perf_counter() - started)


def _excitement(network: FeatureNetwork, image: Array, layers: Sequence[str]) -> tuple[Array, float]:
    """The gradient of how strongly the layers answer, and that number."""
    x = Tensor(np.ascontiguousarray(image[None]), requires_grad=True)
    total = Tensor(np.zeros((), np.float32))
    for features in network.features(x, layers).values():
        total = total + F.mean(F.square(features))
    total.backward()
    assert x.grad is not None  # every layer depends on the image
    return np.asarray(x.grad.data[0]), float(total.item())


def maximise_activation(
    network: FeatureNetwork,
    layer: str | None,
    unit: int,
    *,
    size: tuple[int, int] = (96, 96),
    steps: int = 60,
    rate: float = 0.03,
    variation_weight: float = 0.3,
    decay: float = 0.05,
    blur_every: int = 8,
    blur: float = 0.6,
    seed: int = 0,
) -> InputRun:
    """The image that a channel, or a class, likes best.

    Formula
    -------
    X* = argmin -mean f[unit](X) / s + c variation(X) + d mean (X - 1/2)^2, s the spread of the layer's numbers for noise

    Parameters
    ----------
    network : FeatureNetwork
        Whose unit is asked.
    layer : str or None
        Whose channel; None for the network's answer, whose units are classes.
    unit : int
        Number of the channel or class.
    size : (int, int)
        Height and width.
    steps, rate
        Of Adam.
    variation_weight, decay : float
        c and d: against noise, and against extreme colours.
    blur_every, blur : int, float
        Every so many steps the image is blurred by a Gaussian of that many pixels; 0 leaves it out.
    seed : int
        Of the noise at the start.

    Raises
    ------
    ArgumentError
        For a layer or a unit that does not exist.
    """
    from scipy import ndimage  # slow to import, and nothing else here needs it

    def answers(x: Tensor) -> Tensor:
        return network.logits(x) if layer is None else network.features(x, [layer])[layer]

    start = noise_image((network.channels, *size), seed)
    first = answers(Tensor(start[None])).data
    if not 0 <= unit < first.shape[1]:
        raise ArgumentError(f"maximise_activation: there is no unit {unit}; {layer or 'the answer'} has 0 to {first.shape[1] - 1}")
    scale = 1.0 / max(float(first.std()), 1e-12)

    def terms(x: Tensor) -> dict[str, Tensor]:
        return {
            "activation": F.mean(answers(x)[:, unit]) * -scale,
            "variation": F.total_variation(x, reduction="mean") * variation_weight,
            "decay": F.mean(F.square(x - 0.5)) * decay,
        }

    def soften(step: int, pixels: Array) -> None:
        if blur_every and blur > 0 and step % blur_every == blur_every - 1 and step < steps - 1:
            pixels[...] = ndimage.gaussian_filter(pixels, (0, 0, blur, blur), mode="nearest")

    return optimise_image(start, terms, optimizer="adam", steps=steps, rate=rate, after_step=soften)
