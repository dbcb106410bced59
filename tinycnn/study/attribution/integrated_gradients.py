"""Integrated gradients: the gradient along the way from a baseline to the image, which adds up to the change of the score."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...nn import Module
from ...tensor import Tensor
from .probe import BATCH, Probe, Target
from .result import Attribution

__all__ = ["integrated_gradients"]


def integrated_gradients(model: Module, input: Any, target: Target = None, *, baseline: Any = 0.0, steps: int = 32) -> Attribution:
    """Each pixel's share of y(image) - y(baseline): the only one of these methods whose numbers add up to something.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, C, H, W)

    Formula
    -------
    a = (x - b) integral from 0 to 1 of d y / d x at b + t (x - b) dt, by the midpoint rule at t = (m + 1/2)/steps;  map = sum_c a[c].
    Completeness: sum a = y(x) - y(b), to the error of the rule.

    Parameters
    ----------
    model, input, target
        As in `cam`.
    baseline : float or array
        b: one number for every pixel, or images that broadcast with the input.
    steps : int
        Points of the rule.

    Returns
    -------
    Attribution
        Signed. facts: `change`, the first image's y(x) - y(b); `gap`, the sum's distance from it.

    Raises
    ------
    ArgumentError
        If there are no steps. ShapeError: a baseline that does not fit.

    References
    ----------
    Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks", equation 1 and proposition 1.

    Examples
    --------
    >>> from tinycnn import models
    >>> answer = integrated_gradients(models.lenet5(), np.eye(28, dtype=np.float32)[None, None], target=3)
    >>> abs(answer.facts["gap"]) < 0.05
    True
    """
    if steps < 1:
        raise ArgumentError(f"integrated_gradients: steps={steps} must be at least 1")
    probe = Probe("integrated_gradients", model, input, target)
    given = np.asarray(baseline.data if isinstance(baseline, Tensor) else baseline, probe.images.dtype)
    try:
        start_images = np.broadcast_to(given, probe.images.shape)
    except ValueError as error:
        words = f"baseline {given.shape} does not fit the images {probe.images.shape}; give one number or one image"
        raise ShapeError(f"integrated_gradients: {words}") from error
    shares, changes = [], []
    for image, (pixels, begin) in enumerate(zip(probe.images, start_images, strict=True)):
        total = np.zeros(pixels.shape)
        for first in range(0, steps, BATCH):
            places = (np.arange(first, min(first + BATCH, steps)) + 0.5) / steps
            between = begin + places.reshape(-1, 1, 1, 1).astype(pixels.dtype) * (pixels - begin)
            total += probe.pixel_gradient(between.astype(pixels.dtype), [probe.target[image]] * len(places)).sum(0)
        shares.append((pixels - begin) * total / steps)
        changes.append(probe.score[image] - float(probe.scores(np.ascontiguousarray(begin[None]), image)[0]))
    raw = np.stack(shares)
    facts = {"steps": steps, "change": changes[0], "gap": float(raw[0].sum() - changes[0])}
    return Attribution("integrated_gradients", probe.target, probe.score, raw.sum(1), raw, True, facts=facts)
