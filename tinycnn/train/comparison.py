"""Networks trained side by side under the same rules: what depth, shortcuts and side branches are worth."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..nn import Module
from ..tensor import Tensor
from .branches import with_side_branches
from .config import TrainConfig
from .evaluate import LossFunction, as_batch, loss_of
from .loop import train
from .prepare import prepare
from .run import EpochRecord


@dataclass(frozen=True)
class LayerGradient:
    """How much of the error reaches a layer's weights."""

    layer: str
    rms: float  # root of the mean square of the loss's gradient


@dataclass(frozen=True)
class NetworkRun:
    """What became of one network."""

    name: str
    layers: int  # with weights: convolutions and linear layers
    parameters: int
    epochs: list[EpochRecord]
    gradients_before: list[LayerGradient]  # on the first batch, at the initial weights
    gradients_after: list[LayerGradient]  # on the same batch, at the end
    seconds: float


def weighted_layers(model: Module) -> list[tuple[str, Module]]:
    """The modules that own a trained weight of two or more axes, in the order of the tree."""
    found = []
    for name, module in model.named_modules():
        weight = module._parameters.get("weight")
        if weight is not None and weight.ndim >= 2:
            found.append((name, module))
    return found


def gradient_flow(model: Module, images: Tensor, labels: Tensor, loss_function: LossFunction | None = None) -> list[LayerGradient]:
    """The size of the gradient in each layer's weights, from the input to the output.

    Formula
    -------
    rms = sqrt(mean over the layer's weights of (d loss / d weight)^2)

    Parameters
    ----------
    model
        Runs in training mode, side branches included; a copy of it, so that its batch statistics stay.
    images, labels
        One batch.
    loss_function
        The model's own, else the cross-entropy, with side branches counting 0.3 each.

    References
    ----------
    Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", section 4.2.

    Examples
    --------
    >>> from tinycnn import nn
    >>> flow = gradient_flow(nn.Linear(2, 2), Tensor(np.ones((1, 2), np.float32)), Tensor(np.array([0])))
    >>> len(flow), flow[0].rms > 0
    (1, True)
    """
    twin = copy.deepcopy(model).train()
    twin.zero_grad()
    criterion = loss_function or with_side_branches(loss_of(model))
    criterion(twin(images), labels).backward()
    flow = []
    for name, module in weighted_layers(twin):
        gradient = module._parameters["weight"].grad  # type: ignore[union-attr]  # weighted_layers found it
        if gradient is not None:
            flow.append(LayerGradient(name, float(np.sqrt(np.mean(np.square(gradient.data, dtype=np.float64))))))
    return flow


def compare_networks(
    builders: Mapping[str, Callable[[], Module]],
    train_set: Any,
    test_set: Any,
    config: TrainConfig,
    *,
    each: Callable[[NetworkRun], None] | None = None,
) -> list[NetworkRun]:
    """Train every network from the same seed on the same batches.

    Parameters
    ----------
    builders
        A function that makes a fresh network, by name.
    train_set, test_set
        To learn from and to measure with.
    config
        The same for all.
    each
        Called with each run as soon as it has ended.

    References
    ----------
    He, Zhang, Ren, Sun 2016, "Deep residual learning for image recognition", figures 1 and 6: plain networks of more layers have the larger
    *training* error.
    """
    runs = []
    for name, build in builders.items():
        prepared = prepare(build, train_set, test_set, config)
        model = prepared.model
        prepared.train_loader.set_epoch(0)
        images, labels = as_batch(next(iter(prepared.train_loader)))
        loss = with_side_branches(loss_of(model), config.side_weight)
        before = gradient_flow(model, images, labels, loss)
        started = time.perf_counter()
        result = train(*prepared, config, show=False)
        seconds = time.perf_counter() - started
        after = gradient_flow(model, images, labels, loss)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        runs.append(NetworkRun(name, len(weighted_layers(model)), parameters, result.epochs, before, after, seconds))
        if each is not None:
            each(runs[-1])
    return runs
