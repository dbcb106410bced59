"""Saliency: the gradient of the class's logit, a number a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...nn import Module
from .probe import Probe, Target
from .result import Attribution

__all__ = ["saliency"]


def saliency(model: Module, input: Any, target: Target = None) -> Attribution:
    """How much the class's logit changes with each pixel, to first order.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, C, H, W)

    Formula
    -------
    map[h, w] = max_c |d y / d x[c, h, w]|.

    Parameters
    ----------
    model, input, target
        As in `cam`.

    Returns
    -------
    Attribution
        `raw` is the gradient itself, with its signs.

    Raises
    ------
    ArgumentError
        For a class that does not exist. ShapeError: input that is not images.

    References
    ----------
    Simonyan, Vedaldi and Zisserman 2014, "Deep inside convolutional networks: visualising image classification models and saliency maps", section 3.

    Examples
    --------
    >>> from tinycnn import models
    >>> saliency(models.lenet5(), np.ones((2, 1, 28, 28), np.float32), target=[3, 5]).target
    (3, 5)
    """
    probe = Probe("saliency", model, input, target)
    gradient = probe.pixel_gradient(probe.images, probe.target)
    return Attribution("saliency", probe.target, probe.score, np.abs(gradient).max(1), gradient, False)
