"""Occlusion: cover a part of the image and see what the class's logit loses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn import Module
from .probe import BATCH, Probe, Target
from .result import Attribution

__all__ = ["occlusion"]


def occlusion(
    model: Module, input: Any, target: Target = None, *, patch: int | tuple[int, int] = 8, stride: int | tuple[int, int] = 4, baseline: float = 0.0
) -> Attribution:
    """What the class's logit loses when a patch slides over the image; asks nothing of the network but its answers.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, rows, columns): one number a place of the patch

    Formula
    -------
    raw[i, j] = y(x) - y(x with the patch at (i, j) set to baseline);  map[h, w] = mean of raw over the patches that cover (h, w).

    Parameters
    ----------
    model, input, target
        As in `cam`.
    patch, stride : int or (int, int)
        The patch's size in pixels and its step; a last patch is laid at each edge that the steps do not reach.
    baseline : float
        The grey of the patch, in the network's input units.

    Returns
    -------
    Attribution
        Signed: without some patches the network is surer.

    Raises
    ------
    ArgumentError
        If the patch is larger than the image, or the stride leaves pixels out.

    Notes
    -----
    One forward pass a place: `facts["forward_passes"]`.

    References
    ----------
    Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2 and figure 7.

    Examples
    --------
    >>> from tinycnn import models
    >>> occlusion(models.lenet5(), np.ones((1, 1, 28, 28), np.float32), patch=14, stride=7).raw.shape
    (1, 3, 3)
    """
    size = (patch, patch) if isinstance(patch, int) else tuple(patch)
    step = (stride, stride) if isinstance(stride, int) else tuple(stride)
    probe = Probe("occlusion", model, input, target)
    places = [_places(*one) for one in zip(probe.images.shape[2:], size, step, strict=True)]
    corners = [(top, left) for top in places[0] for left in places[1]]
    raws, maps = [], []
    for image, pixels in enumerate(probe.images):
        lost = np.empty(len(corners))
        for start in range(0, len(corners), BATCH):
            some = corners[start : start + BATCH]
            covered = np.repeat(pixels[None], len(some), 0)
            for one, (top, left) in zip(covered, some, strict=True):
                one[:, top : top + size[0], left : left + size[1]] = baseline
            lost[start : start + len(some)] = probe.score[image] - probe.scores(covered, image)
        total, count = np.zeros(pixels.shape[1:]), np.zeros(pixels.shape[1:])
        for (top, left), loss in zip(corners, lost, strict=True):
            total[top : top + size[0], left : left + size[1]] += loss
            count[top : top + size[0], left : left + size[1]] += 1
        raws.append(lost.reshape(len(places[0]), len(places[1])))
        maps.append(total / count)
    facts = {"patch": list(size), "stride": list(step), "forward_passes": len(corners) * len(probe.images)}
    return Attribution("occlusion", probe.target, probe.score, np.stack(maps), np.stack(raws), True, facts=facts)


def _places(side: int, patch: int, stride: int) -> list[int]:
    """Where the patch begins along one axis."""
    if not 1 <= patch <= side:
        raise ArgumentError(f"occlusion: patch={patch} does not fit on {side} pixels; take 1 to {side}")
    if not 1 <= stride <= patch:
        raise ArgumentError(f"occlusion: stride={stride} with patch={patch} leaves pixels that are never covered; take 1 to {patch}")
    regular = list(range(0, side - patch + 1, stride))
    return regular if regular[-1] == side - patch else [*regular, side - patch]
