"""Grad-CAM++: only gradients that speak for the class are averaged, each with a weight of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...nn import Module
from .probe import Probe, Target
from .result import Attribution, enlarged

__all__ = ["grad_cam_plus_plus"]


def grad_cam_plus_plus(model: Module, input: Any, target: Target = None, layer: str | None = None) -> Attribution:
    """Grad-CAM++: several objects of the class, or parts of one, count alike whatever their area.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, h, w)

    Formula
    -------
    g = d y / d A[k, i, j];  a[k, i, j] = g^2 / (2 g^2 + g^3 sum_ab A[k, a, b]);  weight[k] = sum_ij a[k, i, j] relu(g);
    L = relu(sum_k weight[k] A[k]).

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

    Notes
    -----
    The paper's score is exp(y): its second and third derivatives are then exp(y) g^2 and exp(y) g^3, and the common factor exp(y) is left out here,
    for it scales the map only. Where the denominator is 0, a is 0.

    References
    ----------
    Chattopadhay, Sarkar, Howlader and Balasubramanian 2018, "Grad-CAM++: generalized gradient-based visual explanations for deep convolutional
    networks", equations 10 to 19.

    Examples
    --------
    >>> from tinycnn import models
    >>> grad_cam_plus_plus(models.lenet5(), np.ones((1, 1, 28, 28), np.float32)).raw.ndim
    3
    """
    probe = Probe("grad_cam_plus_plus", model, input, target)
    path, maps, gradient = probe.maps(layer)
    below = 2 * gradient**2 + gradient**3 * maps.sum((2, 3), keepdims=True)
    shares = np.divide(gradient**2, below, out=np.zeros_like(gradient), where=below != 0)
    weight = (shares * np.maximum(gradient, 0)).sum((2, 3))
    raw = np.maximum(np.einsum("nk,nkij->nij", weight, maps), 0)
    return Attribution("grad_cam_plus_plus", probe.target, probe.score, enlarged(raw, probe.images.shape[2:]), raw, False, path)
