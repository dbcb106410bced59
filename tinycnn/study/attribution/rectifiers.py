"""Other rules for the way back through a rectifier, on a copy of the network: guided backpropagation and deconvnet.

Forward a rectifier is max(x, 0). Back, with the gradient g of what came out:

    backpropagation          g where x > 0                 the derivative
    deconvnet                g where g > 0                 the rectifier again, on the signal that goes back
    guided backpropagation   g where x > 0 and g > 0       both

A layer that rectifies its own result (`activation="relu"`) is taken apart on the copy, so that each rectifier is a step of its own on the tape.
Then the rule is put into those steps of this one tape: nothing else, in this thread or another, goes back by it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import functional as F
from ...autograd import Node
from ...errors import ArgumentError
from ...nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, Conv1d, Conv2d, Conv3d, Linear, Module
from ...tensor import Tensor

__all__ = ["RECTIFIERS", "deconvnet_rule", "guided_rule", "rewire", "taken_apart"]

RECTIFIERS: dict[str, Callable[..., Tensor]] = {"relu": F.relu, "relu6": F.relu6}
_FUSED = (Conv1d, Conv2d, Conv3d, Linear, BatchNorm1d, BatchNorm2d, BatchNorm3d)

Backward = Callable[[np.ndarray, tuple[bool, ...]], tuple[np.ndarray | None, ...]]


def taken_apart(model: Module) -> Module:
    """A copy of the network whose layers no longer rectify their own results: a rectifier comes after them, with the same numbers.

    Examples
    --------
    >>> from tinycnn import nn
    >>> layer = nn.Conv2d(1, 1, 1, activation="relu")
    >>> x = Tensor(np.ones((1, 1, 2, 2), np.float32), requires_grad=True)
    >>> layer(x)._node.name, taken_apart(layer)(x)._node.name
    ('conv2d', 'relu')
    """
    apart = copy.deepcopy(model)
    for module in apart.modules():
        if isinstance(module, _FUSED) and getattr(module, "activation", None) in RECTIFIERS:
            object.__setattr__(module, "forward", _apart(module))
    return apart


def _apart(module: Any) -> Callable[..., Tensor]:
    """The module's forward without its activation, then the activation. The attribute stays, as other modules look at it."""
    name = module.activation

    def forward(*arguments: Any, **options: Any) -> Tensor:
        module.activation = None
        try:
            result = type(module).forward(module, *arguments, **options)
        finally:
            module.activation = name
        return RECTIFIERS[name](result)

    return forward


def guided_rule(derivative: Backward) -> Backward:
    """What is negative on the way back is cut off, and what the derivative cuts off."""
    return lambda grad, needs: derivative(np.maximum(grad, 0), needs)


def deconvnet_rule(_derivative: Backward) -> Backward:
    """What is negative on the way back is cut off, wherever the rectifier was open."""
    return lambda grad, _needs: (np.maximum(grad, 0),)


def rewire(name: str, result: Tensor, rule: Callable[[Backward], Backward]) -> int:
    """Put a rule into every rectifier on the tape behind a result; returns how many there are.

    Raises
    ------
    ArgumentError
        If there is none: the method would be plain backpropagation.
    """
    count = 0
    for node in _nodes(result):
        if node.name in RECTIFIERS and node.backward is not None:
            node.backward = rule(node.backward)
            count += 1
    if not count:
        raise ArgumentError(f"{name}: the network has no ReLU or ReLU6, so there is nothing that the rule changes; saliency is the same then")
    return count


def _nodes(result: Tensor) -> Iterator[Node]:
    """Each step on the tape behind a tensor, once."""
    seen: set[int] = set()
    waiting = [result._node]
    while waiting:
        node = waiting.pop()
        if node is not None and node.number not in seen:
            seen.add(node.number)
            yield node
            waiting.extend(source._node for source in node.inputs if source is not None)
