"""Guided backpropagation: the saliency's gradient, through rectifiers that let only positive signals back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...nn import Module
from .probe import Probe, Target
from .rectifiers import guided_rule, rewire, taken_apart
from .result import Attribution

__all__ = ["guided_backprop"]


def guided_backprop(model: Module, input: Any, target: Target = None) -> Attribution:
    """Which pixels drive units that all speak for the class: sharp pictures of edges.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, C, H, W)

    Formula
    -------
    Backpropagation of y, but at each rectifier  g_in = g_out where x > 0 and g_out > 0, else 0;  map = max_c |g[c]|.

    Parameters
    ----------
    model, input, target
        As in `cam`; the network needs ReLU or ReLU6. Smooth activations keep their derivative.

    Returns
    -------
    Attribution
        `raw` is the signal at the pixels, which is often shown as a picture.

    Raises
    ------
    ArgumentError
        For a network without rectifiers.

    Notes
    -----
    It depends little on the class and on the upper layers' weights (`randomisation` measures that): a picture of what the network's first layers
    respond to in this image, rather than an explanation.

    References
    ----------
    Springenberg, Dosovitskiy, Brox and Riedmiller 2015, "Striving for simplicity: the all convolutional net", section 3.4 and figure 1.

    Examples
    --------
    >>> from tinycnn import models
    >>> guided_backprop(models.lenet5(), np.eye(28, dtype=np.float32)[None, None]).facts
    {'rectifiers': 4}
    """
    probe = Probe("guided_backprop", taken_apart(model), input, target)
    counts: list[int] = []
    signal = probe.pixel_gradient(probe.images, probe.target, lambda logits: counts.append(rewire("guided_backprop", logits, guided_rule)))
    return Attribution("guided_backprop", probe.target, probe.score, np.abs(signal).max(1), signal, False, facts={"rectifiers": counts[0]})
