"""SmoothGrad: the saliency's gradient, averaged over noisy copies of the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn import Module
from .probe import BATCH, Probe, Target
from .result import Attribution

__all__ = ["smooth_grad"]


def smooth_grad(model: Module, input: Any, target: Target = None, *, samples: int = 25, noise: float = 0.15, seed: int = 0) -> Attribution:
    """The mean gradient around an image: what flickers from pixel to pixel averages out.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, C, H, W)

    Formula
    -------
    g = 1/n sum_m d y / d x at x + e[m], e[m] normal with deviation noise (max x - min x);  map = max_c |g[c]|.

    Parameters
    ----------
    model, input, target
        As in `cam`.
    samples : int
        n, noisy copies.
    noise : float
        Standard deviation as a share of the image's range; the paper's pictures have 0.1 to 0.2.
    seed : int
        Decides the noise.

    Returns
    -------
    Attribution

    Raises
    ------
    ArgumentError
        If there are no samples, or the noise is negative.

    Notes
    -----
    With noise=0 it is `saliency`.

    References
    ----------
    Smilkov, Thorat, Kim, Viegas and Wattenberg 2017, "SmoothGrad: removing noise by adding noise", section 3.

    Examples
    --------
    >>> from tinycnn import models
    >>> smooth_grad(models.lenet5(), np.eye(28, dtype=np.float32)[None, None], samples=4).raw.shape
    (1, 1, 28, 28)
    """
    if samples < 1:
        raise ArgumentError(f"smooth_grad: samples={samples} must be at least 1")
    if not noise >= 0:
        raise ArgumentError(f"smooth_grad: noise={noise} is a share of the image's range and cannot be negative; 0.15 is usual")
    probe = Probe("smooth_grad", model, input, target)
    random = np.random.default_rng(seed)
    means = []
    for pixels, target_class in zip(probe.images, probe.target, strict=True):
        deviation = noise * float(pixels.max() - pixels.min())
        total = np.zeros(pixels.shape)
        for start in range(0, samples, BATCH):
            count = min(BATCH, samples - start)
            noisy = pixels + (deviation * random.standard_normal((count, *pixels.shape))).astype(pixels.dtype)
            total += probe.pixel_gradient(noisy, [target_class] * count).sum(0)
        means.append(total / samples)
    gradient = np.stack(means)
    return Attribution("smooth_grad", probe.target, probe.score, np.abs(gradient).max(1), gradient, False, facts={"samples": samples, "noise": noise})
