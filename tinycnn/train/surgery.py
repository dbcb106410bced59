"""A trained network gets another head: for other classes, with a neck in front, or several heads at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import functional
from ..errors import ArgumentError
from ..nn import Conv2d, Dropout, Linear, Module, ModuleDict, ReLU, Sequential
from ..tensor import Tensor


class NeckAndHead(Module):
    """New layers between a backbone and its last one.

    Shapes
    ------
    (N, in_features) -> (N, num_classes)

    Parameters
    ----------
    in_features, num_classes : int
        What the backbone gives, and the length of the answer.
    widths : sequence of int
        Outputs of the neck's linear layers, each with ReLU.
    dropout : float
        Share of the neck's units dropped behind each layer.

    Examples
    --------
    >>> NeckAndHead(8, 3, widths=[5])(np.zeros((1, 8), np.float32)).shape
    (1, 3)
    """

    def __init__(self, in_features: int, num_classes: int, widths: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[Module] = []
        for width in widths:
            layers += [Linear(in_features, width), ReLU(), *([Dropout(dropout)] if dropout else [])]
            in_features = width
        self.neck = Sequential(*layers)
        self.head = Linear(in_features, num_classes)

    def forward(self, input: Any) -> Tensor:
        """Logits of the features."""
        return self.head(self.neck(input))


class Heads(Module):
    """Several answers to one image: a linear layer each, on the same features.

    Shapes
    ------
    (N, in_features) -> a dict of (N, classes)

    Parameters
    ----------
    in_features : int
        What the backbone gives.
    heads : mapping of str to int
        Classes of each head, by name.

    Examples
    --------
    >>> answers = Heads(8, {"shape": 3, "colour": 2})(np.zeros((1, 8), np.float32))
    >>> {name: answer.shape for name, answer in answers.items()}
    {'shape': (1, 3), 'colour': (1, 2)}
    """

    def __init__(self, in_features: int, heads: Mapping[str, int]) -> None:
        super().__init__()
        if not heads:
            raise ArgumentError("Heads: give at least one head, as in {'shape': 3}")
        self.heads = ModuleDict({name: Linear(in_features, classes) for name, classes in heads.items()})

    def forward(self, input: Any) -> dict[str, Tensor]:
        """The logits of every head."""
        return {name: head(input) for name, head in self.heads.items()}


def heads_loss(outputs: Mapping[str, Tensor], targets: Mapping[str, Any], weights: Mapping[str, float] | None = None) -> Tensor:
    """The weighted sum of every head's cross-entropy.

    Parameters
    ----------
    outputs
        What `Heads` gives.
    targets
        Class numbers (N,) by the heads' names; a head without targets is left out.
    weights
        Of each head; 1 where none is given.

    Raises
    ------
    ArgumentError
        When a target belongs to no head, or there is none.

    Examples
    --------
    >>> outputs = Heads(4, {"a": 2, "b": 2})(np.zeros((1, 4), np.float32))
    >>> heads_loss(outputs, {"a": np.array([0])}).ndim
    0
    """
    unknown = [name for name in targets if name not in outputs]
    if unknown or not targets:
        raise ArgumentError(f"heads_loss: targets {sorted(targets)} do not fit the heads {sorted(outputs)}; give class numbers for at least one")
    total: Tensor | None = None
    for name, target in targets.items():
        loss = functional.cross_entropy(outputs[name], target) * (weights or {}).get(name, 1.0)
        total = loss if total is None else total + loss
    assert total is not None
    return total


def last_layer(model: Module) -> tuple[str, Linear | Conv2d]:
    """The path of the layer that gives the logits, and the layer: the last linear or convolutional one that is no side branch's.

    Raises
    ------
    ArgumentError
        When there is none.
    """
    found = [(path, module) for path, module in model.named_modules() if isinstance(module, Linear | Conv2d) and not _is_side(path)]
    if not found:
        raise ArgumentError(f"last_layer: {type(model).__name__} has no linear or convolutional layer that could be its head")
    return found[-1]


def _is_side(path: str) -> bool:
    """Whether a path leads into a side branch, which torchvision calls aux1, aux2 and AuxLogits."""
    return any(part.lower().startswith("aux") for part in path.split("."))


def replace_head(model: Module, num_classes: int, *, neck: Sequence[int] = (), dropout: float = 0.0) -> list[str]:
    """Give a network a fresh last layer for other classes, in place; side branches get one each too.

    Parameters
    ----------
    model
        Ends in a linear layer, or in a convolution as SqueezeNet does.
    num_classes
        Outputs of the new layers.
    neck
        Widths of linear layers with ReLU between the features and the new head; needs a linear last layer.
    dropout
        Behind each layer of the neck.

    Returns
    -------
    list of str
        Paths of the modules replaced, the head's own first.

    Raises
    ------
    ArgumentError
        When there is no head to replace, num_classes is below 1, or a neck is asked for in front of a convolution.

    Examples
    --------
    >>> from tinycnn import models
    >>> model = models.get_model("lenet5")
    >>> replace_head(model, 3)
    ['fc3']
    >>> model(np.zeros((1, 1, 28, 28), np.float32)).shape
    (1, 3)
    """
    if not isinstance(num_classes, int | np.integer) or num_classes < 1:
        raise ArgumentError(f"replace_head: num_classes {num_classes!r} must be a whole number above zero")
    path, old = last_layer(model)
    classes = _outputs(old)
    places = [path]
    for other, module in model.named_modules():
        if _is_side(other) and isinstance(module, Linear | Conv2d) and _outputs(module) == classes:
            places.append(other)
    for place in places:
        layer = model.get_submodule(place)
        assert isinstance(layer, Linear | Conv2d)
        if neck and place == path:
            if not isinstance(layer, Linear):
                raise ArgumentError(f"replace_head: {place!r} is a convolution; a neck goes in front of a linear layer only")
            fresh: Module = NeckAndHead(layer.in_features, int(num_classes), neck, dropout)
        elif isinstance(layer, Linear):
            fresh = Linear(layer.in_features, int(num_classes), bias=layer.bias is not None)
        else:
            fresh = _convolution_like(layer, int(num_classes))
        put(model, place, fresh)
    return places


def with_heads(model: Module, heads: Mapping[str, int]) -> str:
    """Put several heads in the place of a network's last linear layer; its answers become a dict.

    Returns the path of the layer replaced.

    Raises
    ------
    ArgumentError
        When the network does not end in a linear layer.
    """
    path, old = last_layer(model)
    if not isinstance(old, Linear):
        raise ArgumentError(f"with_heads: {path!r} is a {type(old).__name__}; several heads stand behind a linear layer's input")
    put(model, path, Heads(old.in_features, heads))
    return path


def put(model: Module, path: str, module: Module) -> None:
    """Set the module at a dotted path."""
    above, _, name = path.rpartition(".")
    model.get_submodule(above).add_module(name, module)


def _outputs(layer: Linear | Conv2d) -> int:
    return int(layer.weight.shape[0])


def _convolution_like(layer: Conv2d, channels: int) -> Conv2d:
    """A fresh convolution with another number of output channels and everything else alike."""
    activation = getattr(layer, "activation", None)
    bias = layer.bias is not None
    return Conv2d(
        layer.in_channels, channels, layer.kernel_size, layer.stride, layer.padding, layer.dilation, bias=bias, activation=activation
    )
