"""Layer-CAM: every place of every map has its own weight, so that early, fine layers can be asked, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...nn import Module
from .probe import Probe, Target
from .result import Attribution, enlarged

__all__ = ["layer_cam"]


def layer_cam(model: Module, input: Any, target: Target = None, layer: str | None = None) -> Attribution:
    """Layer-CAM: a layer's maps, each element weighed with its own positive gradient.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, h, w)

    Formula
    -------
    L[i, j] = relu(sum_k relu(d y / d A[k, i, j]) A[k, i, j]).

    Parameters
    ----------
    model, input, target, layer
        As in `grad_cam`.

    Returns
    -------
    Attribution

    Raises
    ------
    As `grad_cam`.

    References
    ----------
    Jiang, Zhang, Hou, Cheng and Wei 2021, "LayerCAM: exploring hierarchical class activation maps for localization", equations 5 and 6.

    Examples
    --------
    >>> from tinycnn import models
    >>> layer_cam(models.lenet5(), np.ones((1, 1, 28, 28), np.float32), layer="conv1").raw.shape
    (1, 28, 28)
    """
    probe = Probe("layer_cam", model, input, target)
    path, maps, gradient = probe.maps(layer)
    raw = np.maximum((np.maximum(gradient, 0) * maps).sum(1), 0)
    return Attribution("layer_cam", probe.target, probe.score, enlarged(raw, probe.images.shape[2:]), raw, False, path)
