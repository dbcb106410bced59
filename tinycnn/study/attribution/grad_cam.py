"""Grad-CAM: a layer's maps, weighed with the mean of their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...nn import Module
from .probe import Probe, Target
from .result import Attribution, enlarged

__all__ = ["grad_cam"]


def grad_cam(model: Module, input: Any, target: Target = None, layer: str | None = None) -> Attribution:
    """Gradient-weighted class activation mapping, for any layer of any classifier.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, h, w)

    Formula
    -------
    alpha[k] = 1/(h w) sum_ij d y / d A[k, i, j];  L = relu(sum_k alpha[k] A[k]), y the class's logit.

    Parameters
    ----------
    model, input, target, layer
        As in `cam`; any layer that gives maps will do.

    Returns
    -------
    Attribution
        Never negative; `facts["weights"]` has the first image's five largest alpha, by channel.

    Raises
    ------
    ArgumentError
        For a layer or a class that does not exist. ShapeError: a layer without maps.

    Notes
    -----
    Behind a global average pooling and one linear layer alpha[k] = w[class, k] / (h w): CAM, divided by the number of places.

    References
    ----------
    Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra 2017, "Grad-CAM: visual explanations from deep networks via gradient-based localization",
    equations 1 and 2.

    Examples
    --------
    >>> from tinycnn import models
    >>> answer = grad_cam(models.lenet5(), np.ones((1, 1, 28, 28), np.float32))
    >>> answer.map.shape, bool(answer.map.min() >= 0)
    ((1, 28, 28), True)
    """
    probe = Probe("grad_cam", model, input, target)
    path, maps, gradient = probe.maps(layer)
    alpha = gradient.mean((2, 3))
    raw = np.maximum(np.einsum("nk,nkij->nij", alpha, maps), 0)
    largest = np.argsort(-np.abs(alpha[0]), kind="stable")[:5]
    facts = {"weights": [[int(k), float(alpha[0, k])] for k in largest]}
    return Attribution("grad_cam", probe.target, probe.score, enlarged(raw, probe.images.shape[2:]), raw, False, path, facts)
