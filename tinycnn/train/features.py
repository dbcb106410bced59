"""CNN codes: what a network makes of images before it decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..errors import ArgumentError, UsageError
from ..nn import Module
from ..tensor import Tensor
from .evaluate import as_batch
from .surgery import last_layer


def features(model: Module, loader: Iterable[Any], layer: str | None = None, *, pool: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Run images through a network and keep a layer's output.

    Parameters
    ----------
    model
        Maps images (N, C, H, W) to logits; runs in evaluation mode.
    loader
        Batches of (images, labels).
    layer
        Path of the module whose output is kept; left out, what the last layer gets, the code that the decision is made from.
    pool
        Average each map over its pixels.

    Returns
    -------
    codes : ndarray
        float32 (N, features).
    labels : ndarray
        int64 (N,).

    Raises
    ------
    ArgumentError
        For a path that does not exist, or a module that did not run or gave no tensor.

    References
    ----------
    Razavian et al. 2014, "CNN features off-the-shelf: an astounding baseline for recognition".

    Examples
    --------
    >>> from tinycnn import models
    >>> images, labels = np.zeros((2, 1, 28, 28), np.float32), np.array([0, 1])
    >>> features(models.get_model("lenet5"), [(images, labels)])[0].shape
    (2, 84)
    """
    seen: list[Any] = []
    if layer is None:
        path, target = last_layer(model)
        handle = target.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    else:
        path, target_module = layer, model.get_submodule(layer)
        handle = target_module.register_forward_hook(lambda module, arguments, output: seen.append(output))
    was_training = model.training
    codes, targets = [], []
    try:
        model.eval()
        with no_grad():
            for batch in loader:
                images, labels = as_batch(batch)
                seen.clear()
                model(images)
                codes.append(_code(seen, path, pool))
                targets.append(labels.data)
    finally:
        handle.remove()
        model.train(was_training)
    if not codes:
        raise UsageError("features: the loader yields no images; give it a data set that is not empty")
    return np.concatenate(codes), np.concatenate(targets)


def _code(seen: list[Any], path: str, pool: bool) -> np.ndarray:
    """One row an image of what the hook saw last."""
    if not seen or not isinstance(seen[-1], Tensor):
        raise ArgumentError(f"features: the module {path!r} did not give a tensor; name another layer")
    array = seen[-1].data
    if pool and array.ndim > 2:
        array = array.mean(tuple(range(2, array.ndim)))
    return array.reshape(len(array), -1).astype(np.float32)
