"""Score-CAM: no gradients; each map is laid over the image as a mask, and the network is asked what it sees through it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn import Module
from .probe import BATCH, Probe, Target
from .result import Attribution, enlarged

__all__ = ["score_cam"]


def score_cam(
    model: Module, input: Any, target: Target = None, layer: str | None = None, *, channels: int | None = None, baseline: float = 0.0
) -> Attribution:
    """Score-CAM: a layer's maps, weighed with what the class's logit becomes when only that map's part of the image is shown.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, h, w)

    Formula
    -------
    H[k] = (up(A[k]) - min) / (max - min);  s[k] = y(x H[k]) - y(baseline);  alpha = softmax(s);  L = relu(sum_k alpha[k] A[k]).

    Parameters
    ----------
    model, input, target, layer
        As in `grad_cam`.
    channels : int, optional
        Ask only the maps with the largest sums of magnitudes, that many: one forward pass each. All if left out.
    baseline : float
        The grey that stands for nothing, in the network's input units; 0 is the mean colour of a normalised image.

    Returns
    -------
    Attribution
        `facts["forward_passes"]` says what it cost.

    Raises
    ------
    ArgumentError
        If `channels` is below 1; and as `grad_cam`.

    Notes
    -----
    A map that is the same everywhere shows nothing and gets no weight.

    References
    ----------
    Wang, Wang, Du, Yang, Zhang, Ding, Mardziel and Hu 2020, "Score-CAM: score-weighted visual explanations for convolutional neural networks",
    algorithm 1.

    Examples
    --------
    >>> from tinycnn import models
    >>> score_cam(models.lenet5(), np.ones((1, 1, 28, 28), np.float32), channels=3).facts
    {'forward_passes': 3}
    """
    if channels is not None and channels < 1:
        raise ArgumentError(f"score_cam: channels={channels} must be at least 1, or None for all maps")
    probe = Probe("score_cam", model, input, target)
    path, maps, _ = probe.maps(layer)
    passes, raws = 0, []
    for image, (pixels, own) in enumerate(zip(probe.images, maps, strict=True)):
        spread = own.max((1, 2)) > own.min((1, 2))
        order = np.argsort(-np.abs(own).sum((1, 2)), kind="stable")
        asked = [int(k) for k in order if spread[k]][:channels]
        empty = probe.scores(np.full_like(pixels, baseline)[None], image)[0]
        gains = np.empty(len(asked))
        for start in range(0, len(asked), BATCH):
            some = asked[start : start + BATCH]
            masks = enlarged(own[some], probe.images.shape[2:])
            low, high = masks.min((1, 2), keepdims=True), masks.max((1, 2), keepdims=True)
            masks = ((masks - low) / np.where(high > low, high - low, 1))[:, None].astype(pixels.dtype)
            gains[start : start + len(some)] = probe.scores(pixels * masks + baseline * (1 - masks), image) - empty
        passes += len(asked)
        powers = np.exp(gains - gains.max(initial=-np.inf))
        weight = powers / max(float(powers.sum()), np.finfo(np.float64).tiny)
        raws.append(np.maximum(np.tensordot(weight, own[asked].astype(np.float64), 1), 0))
    raw = np.stack(raws).astype(maps.dtype)
    return Attribution("score_cam", probe.target, probe.score, enlarged(raw, probe.images.shape[2:]), raw, False, path, {"forward_passes": passes})
