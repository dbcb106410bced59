"""The layers that Darknet's .cfg files name, as modules: each takes the map before it and the outputs of all layers so far.

References
----------
J. Redmon, "Darknet: open source neural networks in C", 2013 to 2016. The rules were learned from published files and from what cv2.dnn computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ... import functional
from ...errors import ArgumentError
from ...nn import (
    ELU,
    SELU,
    AdaptiveAvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Hardswish,
    Identity,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Mish,
    Module,
    Parameter,
    ReLU,
    ReLU6,
    Sequential,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
    Upsample,
)
from ...tensor import Tensor
from ...weights import DarknetLayer
from .yolo_v2 import darknet_reorg

__all__ = ["darknet_layer"]

LEAK = 0.1
EPSILON = 1e-6  # Darknet's, in the normalisation
HEADS = ("yolo", "region", "detection")

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "linear": Identity,
    "leaky": lambda: LeakyReLU(LEAK),
    "relu": ReLU,
    "relu6": ReLU6,
    "logistic": Sigmoid,
    "tanh": Tanh,
    "elu": ELU,
    "selu": SELU,
    "mish": Mish,
    "swish": SiLU,
    "silu": SiLU,
    "hard_swish": Hardswish,
    "hardswish": Hardswish,
    "softplus": Softplus,
}


def activation(layer: DarknetLayer, default: str) -> Module:
    """What `activation=` names."""
    name = layer.options.get("activation", default)
    if name not in ACTIVATIONS:
        raise ArgumentError(f"{where(layer)}: activation={name} is not one of {', '.join(sorted(ACTIVATIONS))}")
    return ACTIVATIONS[name]()


def where(layer: DarknetLayer) -> str:
    """For messages."""
    return f"Darknet's layer {layer.index} [{layer.kind}]"


def refuse(layer: DarknetLayer, names: Sequence[str]) -> None:
    """Options that would change what the layer computes."""
    for name in names:
        if layer.options.get(name, "0").strip() not in ("0", "", "none"):
            raise ArgumentError(f"{where(layer)}: {name}={layer.options[name]} is not supported; the network would compute something else")


def option(layer: DarknetLayer, name: str, default: float) -> float:
    """A number."""
    text = layer.options.get(name)
    try:
        return default if text is None else float(text)
    except ValueError as error:
        raise ArgumentError(f"{where(layer)}: {name}={text[:60] if text else text} is not a number") from error


class Convolutional(Module):
    """Convolution, normalisation, activation."""

    def __init__(self, layer: DarknetLayer) -> None:
        super().__init__()
        refuse(layer, ("antialiasing", "stride_x", "stride_y", "binary", "xnor", "share_index", "assisted_excitation", "deform", "sway", "rotate"))
        size, normalised = layer.whole("size", 1), bool(layer.whole("batch_normalize", 0))
        padding = size // 2 if layer.whole("pad", 0) else layer.whole("padding", 0)
        self.conv = Conv2d(
            layer.input_shape[0], layer.output_shape[0], size, layer.whole("stride", 1), padding=padding, dilation=layer.whole("dilation", 1),
            groups=layer.whole("groups", 1), bias=not normalised,
        )  # fmt: skip
        self.bn = BatchNorm2d(layer.output_shape[0], eps=EPSILON) if normalised else Identity()
        self.act = activation(layer, "logistic")

    def forward(self, input: Tensor) -> Tensor:
        """All three."""
        return self.act(self.bn(self.conv(input)))


class Connected(Module):
    """A linear layer over everything before it, normalisation, activation."""

    def __init__(self, layer: DarknetLayer) -> None:
        super().__init__()
        normalised = bool(layer.whole("batch_normalize", 0))
        outputs = layer.output_shape[0]
        self.linear = Linear(int(np.prod(layer.input_shape)), outputs, bias=not normalised)
        self.bn = BatchNorm1d(outputs, eps=EPSILON) if normalised else Identity()
        self.act = activation(layer, "logistic")

    def forward(self, input: Tensor) -> Tensor:
        """One row an image."""
        return self.act(self.bn(self.linear(input.flatten(1))))


class LocalWeights(Module):
    """The weights of a convolution that has its own at every place."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        reach = float(np.prod(shapes["local.weight"][2:])) ** -0.5
        self.weight = Parameter(np.random.default_rng(0).uniform(-reach, reach, shapes["local.weight"]).astype(np.float32))
        self.bias = Parameter(np.zeros(shapes["local.bias"], np.float32))


class Local(Module):
    """A convolution with weights of its own at every place."""

    def __init__(self, layer: DarknetLayer) -> None:
        super().__init__()
        self.local = LocalWeights(dict(layer.parameters))
        self.act = activation(layer, "logistic")
        self.size, self.stride = layer.whole("size", 1), layer.whole("stride", 1)
        self.padding = self.size // 2 if layer.whole("pad", 0) else 0
        self.shape = layer.output_shape

    def forward(self, input: Tensor) -> Tensor:
        """Every window by its own weights."""
        windows = functional.unfold(input, self.size, padding=self.padding, stride=self.stride)
        places, filters = self.local.weight.shape[:2]
        sums = functional.matmul(self.local.weight.reshape(places, filters, -1), windows.permute(2, 1, 0))
        return self.act(sums.permute(2, 1, 0).reshape(-1, *self.shape) + self.local.bias)


class Normalised(Module):
    """Batch normalisation by itself."""

    def __init__(self, layer: DarknetLayer) -> None:
        super().__init__()
        self.bn = BatchNorm2d(layer.input_shape[0], eps=EPSILON)

    def forward(self, input: Tensor) -> Tensor:
        """Of each channel."""
        return self.bn(input)


def max_pool(layer: DarknetLayer) -> Module:
    """Padded by size - 1 in all unless told: half of it, rounded down, before; windows may lie beyond the lower and right border."""
    refuse(layer, ("antialiasing", "maxpool_depth", "stride_x", "stride_y"))
    stride = layer.whole("stride", 1)
    size = layer.whole("size", stride)
    total = layer.whole("padding", size - 1)
    sides = []
    for extent, out in zip(layer.input_shape[1:], layer.output_shape[1:], strict=True):
        before = total // 2
        sides += [before, max(0, (out - 1) * stride + size - before - extent)]
    return MaxPool2d(size, stride, (sides[0], sides[1], sides[2], sides[3]))


class Enlarged(Module):
    """Every pixel repeated, times a number."""

    def __init__(self, layer: DarknetLayer) -> None:
        super().__init__()
        refuse(layer, ("reverse",))
        self.scale = option(layer, "scale", 1.0)
        self.upsample = Upsample(scale_factor=layer.whole("stride", 2), mode="nearest")

    def forward(self, input: Tensor) -> Tensor:
        """Nearest pixel."""
        larger = self.upsample(input)
        return larger if self.scale == 1.0 else larger * self.scale


class Reorganised(Module):
    """Darknet's own way of making channels of pixels."""

    def __init__(self, layer: DarknetLayer) -> None:
        super().__init__()
        refuse(layer, ("reverse", "flatten", "extra"))
        self.stride = layer.whole("stride", 1)
        if layer.input_shape[0] % self.stride**2:
            raise ArgumentError(f"{where(layer)}: {layer.input_shape[0]} channels are no multiple of stride^2 = {self.stride**2}")

    def forward(self, input: Tensor) -> Tensor:
        """See `darknet_reorg`."""
        return darknet_reorg(input, self.stride)


class SoftmaxLayer(Module):
    """Softmax over all numbers of an image, or within each of several groups of neighbours."""

    def __init__(self, layer: DarknetLayer) -> None:
        super().__init__()
        refuse(layer, ("tree", "spatial"))
        self.groups, self.temperature = layer.whole("groups", 1), option(layer, "temperature", 1.0)

    def forward(self, input: Tensor) -> Tensor:
        """The same shape."""
        rows = input.reshape(input.shape[0], self.groups, -1) / self.temperature
        return functional.softmax(rows, -1).reshape(*input.shape)


class Route(Module):
    """Earlier outputs side by side, or one group of the channels of each."""

    def __init__(self, sources: Sequence[int], groups: int, group: int) -> None:
        super().__init__()
        self.sources, self.groups, self.group = list(sources), groups, group

    def forward(self, outputs: Sequence[Tensor]) -> Tensor:
        """Of all outputs so far."""
        parts = []
        for source in self.sources:
            share = outputs[source].shape[1] // self.groups
            parts.append(outputs[source][:, self.group * share : (self.group + 1) * share] if self.groups > 1 else outputs[source])
        return parts[0] if len(parts) == 1 else functional.cat(parts, 1)

    def extra_repr(self) -> str:
        """Whose outputs."""
        return f"layers={self.sources}" + (f", group {self.group} of {self.groups}" if self.groups > 1 else "")


class Shortcut(Module):
    """The map plus earlier outputs of its shape."""

    def __init__(self, sources: Sequence[int], act: Module) -> None:
        super().__init__()
        self.sources, self.act = list(sources), act

    def forward(self, input: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """Their sum."""
        for source in self.sources:
            input = input + outputs[source]
        return self.act(input)

    def extra_repr(self) -> str:
        """Whose outputs."""
        return f"from={self.sources}"


def _route(layer: DarknetLayer, shapes: Sequence[tuple[int, ...]]) -> Module:
    sources, groups = named_layers(layer, "layers"), layer.whole("groups", 1)
    for source in sources:
        if shapes[source][0] % groups:
            raise ArgumentError(f"{where(layer)}: groups={groups} does not divide the {shapes[source][0]} channels of layer {source}")
    return Route(sources, groups, layer.whole("group_id", 0))


def _shortcut(layer: DarknetLayer, shapes: Sequence[tuple[int, ...]]) -> Module:
    refuse(layer, ("weights_type",))
    sources = named_layers(layer, "from")
    for source in sources:
        if shapes[source] != layer.input_shape:
            raise ArgumentError(f"{where(layer)}: it adds {shapes[source]} of layer {source} to {layer.input_shape}; the shapes must be equal")
    return Shortcut(sources, activation(layer, "linear"))


def named_layers(layer: DarknetLayer, name: str) -> list[int]:
    """Positions from the start; negative ones count backwards."""
    numbers = [int(part) for part in layer.options[name].split(",")]
    return [number + layer.index if number < 0 else number for number in numbers]


MAKERS: dict[str, Callable[[DarknetLayer], Module]] = {
    "convolutional": Convolutional,
    "connected": Connected,
    "local": Local,
    "batchnorm": Normalised,
    "maxpool": max_pool,
    "avgpool": lambda layer: AdaptiveAvgPool2d(1),
    "upsample": Enlarged,
    "reorg": Reorganised,
    "dropout": lambda layer: Dropout(option(layer, "probability", 0.5)),
    "softmax": SoftmaxLayer,
    "activation": lambda layer: Sequential(activation(layer, "linear")),
    **dict.fromkeys(("cost", *HEADS), lambda layer: Identity()),
}


def darknet_layer(layer: DarknetLayer, shapes: Sequence[tuple[int, ...]]) -> Module:
    """The module of one section of a .cfg, given the shapes of all outputs before it.

    Raises
    ------
    ArgumentError
        For an option that would change what it computes and is not known here.
    """
    if layer.kind == "route":
        return _route(layer, shapes)
    if layer.kind == "shortcut":
        return _shortcut(layer, shapes)
    return MAKERS[layer.kind](layer)
