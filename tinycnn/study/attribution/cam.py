"""CAM: the maps before the pooling, weighed with the weights of the class."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...nn import Conv2d, Linear, Module
from .probe import Probe, Target
from .result import Attribution, enlarged

__all__ = ["cam"]


def cam(model: Module, input: Any, target: Target = None, layer: str | None = None) -> Attribution:
    """Class activation mapping: how much each place of the last maps adds to the class's logit.

    Shapes
    ------
    (N, C, H, W) -> map (N, H, W), raw (N, h, w)

    Formula
    -------
    L[i, j] = sum_k w[class, k] A[k, i, j], with the weights w of the linear layer behind a global average pooling; the logit is the mean of L plus
    the bias. Where the classes are maps themselves (a 1x1 convolution before the pooling) L is the class's map.

    Parameters
    ----------
    model : Module
        That ends in global average pooling and one linear layer, or in maps of classes.
    input : Tensor or ndarray
        Images.
    target : int, one int an image, or None
        The class; None takes the network's first choice.
    layer : str, optional
        Whose maps; the last before the pooling if left out.

    Returns
    -------
    Attribution
        Signed: a place can speak against the class.

    Raises
    ------
    ArgumentError
        For a network with another head: `grad_cam` asks any.

    References
    ----------
    Zhou, Khosla, Lapedriza, Oliva and Torralba 2016, "Learning deep features for discriminative localization", equation 2.

    Examples
    --------
    >>> from tinycnn import models
    >>> cam(models.resnet20(), np.ones((1, 3, 32, 32), np.float32), target=3).raw.shape
    (1, 8, 8)
    """
    probe = Probe("cam", model, input, target)
    path, maps, _ = probe.maps(layer)
    weight = _class_weights(probe, maps.shape[1])
    chosen = np.eye(probe.classes, dtype=maps.dtype)[list(probe.target)] if weight is None else weight[list(probe.target)]
    raw = np.einsum("nk,nkij->nij", chosen, maps)
    return Attribution("cam", probe.target, probe.score, enlarged(raw, probe.images.shape[2:]), raw, True, path)


def _class_weights(probe: Probe, channels: int) -> np.ndarray | None:
    """(classes, channels) of the one layer with weights behind the maps; None where the maps are the classes."""
    last: Module | None = None
    for module in probe.model.modules():
        if isinstance(module, (Linear, Conv2d)):
            last = module
    if isinstance(last, Linear) and tuple(last.weight.shape) == (probe.classes, channels):
        return np.asarray(last.weight.data)
    if isinstance(last, Conv2d) and channels == probe.classes:
        return None
    shape = tuple(last.weight.shape) if last is not None else ()
    raise ArgumentError(
        f"cam: the class needs one weight a map: a Linear({channels}, {probe.classes}) behind a global average pooling of {channels} maps; the last "
        f"layer's weight is {shape}. grad_cam, of which CAM is a case, asks any network"
    )
