"""What each section of a Darknet .cfg makes of the map before it, and which parameters it has.

Shapes are (channels, height, width). A parameter's name is PyTorch's; Darknet's own words are biases, scales,
rolling_mean, rolling_variance and weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .files import Malformed

__all__ = ["DarknetLayer", "build_layer"]

Shape = tuple[int, ...]
Parameters = list[tuple[str, Shape]]

MOST_PARAMETERS = 1 << 31


@dataclass(frozen=True)
class DarknetLayer:
    """One section of a .cfg: its options as written, and what follows from them."""

    index: int
    kind: str
    options: dict[str, str]
    input_shape: Shape
    output_shape: Shape
    # Name and shape of each parameter, in the order in which .weights stores them.
    parameters: tuple[tuple[str, Shape], ...]

    @property
    def count(self) -> int:
        """Numbers that .weights holds for this layer."""
        return sum(math.prod(shape) for _, shape in self.parameters)

    def whole(self, name: str, default: int) -> int:
        """An option that is a whole number."""
        return whole(self.options, name, default)

    def numbers(self, name: str) -> list[float]:
        """An option that is a list of numbers, such as anchors."""
        text = self.options.get(name, "")
        try:
            return [float(part) for part in text.split(",") if part.strip()]
        except ValueError as error:
            raise Malformed(f"layer {self.index} [{self.kind}]: {name}={text[:60]} is not a list of numbers") from error


def whole(options: dict[str, str], name: str, default: int, least: int = 0) -> int:
    """An option that is a whole number of at least `least`."""
    text = options.get(name)
    try:
        value = default if text is None else int(text)
    except ValueError as error:
        raise Malformed(f"{name}={text} is not a whole number") from error
    if not least <= value < MOST_PARAMETERS:
        raise Malformed(f"{name}={value} is not between {least} and {MOST_PARAMETERS}")
    return value


def build_layer(index: int, kind: str, options: dict[str, str], before: Sequence[Shape], current: Shape) -> DarknetLayer:
    """The layer of one section, given the outputs of all layers before it and the map that it receives."""
    if kind not in RULES:
        raise Malformed(f"layer {index} is [{kind}], which is not one of {', '.join(sorted(RULES))}")
    try:
        output, parameters = RULES[kind](options, current, before)
    except Malformed as error:
        raise Malformed(f"layer {index} [{kind}]: {error}") from error
    if any(extent < 1 for extent in output):
        raise Malformed(f"layer {index} [{kind}]: its output would be {output}; the image is too small for it")
    layer = DarknetLayer(index, kind, options, current, output, tuple(parameters))
    if layer.count > MOST_PARAMETERS:
        raise Malformed(f"layer {index} [{kind}]: {layer.count:,} parameters are more than any network has")
    return layer


def _image(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise Malformed(f"it needs a map, and gets a row of {shape[0]} numbers")
    return shape[0], shape[1], shape[2]


def _normalised(options: dict[str, str], prefix: str, count: int, weight: Shape) -> Parameters:
    """Of a convolution, in the file's order: biases, then what batch normalisation needs, then the weights."""
    if whole(options, "batch_normalize", 0):
        names = ("bn.bias", "bn.weight", "bn.running_mean", "bn.running_var")
        return [*((name, (count,)) for name in names), (f"{prefix}.weight", weight)]
    return [(f"{prefix}.bias", (count,)), (f"{prefix}.weight", weight)]


def _slid(options: dict[str, str], shape: Shape) -> tuple[int, int, int, int]:
    """Size of the window, and height and width of what it leaves: pad=1 means half of the window."""
    _, height, width = _image(shape)
    size, stride = whole(options, "size", 1, 1), whole(options, "stride", 1, 1)
    padding = size // 2 if whole(options, "pad", 0) else whole(options, "padding", 0)
    reach = whole(options, "dilation", 1, 1) * (size - 1) + 1
    return size, padding, (height + 2 * padding - reach) // stride + 1, (width + 2 * padding - reach) // stride + 1


def _convolution(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    filters, groups = whole(options, "filters", 1, 1), whole(options, "groups", 1, 1)
    channels = shape[0]
    if channels % groups or filters % groups:
        raise Malformed(f"groups={groups} divides {channels} channels and {filters} filters only with a remainder")
    size, _, height, width = _slid(options, shape)
    return (filters, height, width), _normalised(options, "conv", filters, (filters, channels // groups, size, size))


def _local(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    """A convolution with weights of its own at every place (YOLO v1)."""
    filters = whole(options, "filters", 1, 1)
    size, padding, height, width = _slid(options, shape)
    # Darknet's local layer pads by its own rule: not at all, or until the size stays.
    if padding == 0 or not whole(options, "pad", 0):
        stride = whole(options, "stride", 1, 1)
        height, width = (shape[1] - size) // stride + 1, (shape[2] - size) // stride + 1
    places = height * width
    return (filters, height, width), [("local.bias", (filters, height, width)), ("local.weight", (places, filters, shape[0], size, size))]


def _connected(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    outputs, inputs = whole(options, "output", 1, 1), math.prod(shape)
    parameters: Parameters = [("linear.bias", (outputs,)), ("linear.weight", (outputs, inputs))]
    if whole(options, "batch_normalize", 0):
        # Here the weights come before the statistics, and the biases, which are the normalisation's, first of all.
        names = ("bn.weight", "bn.running_mean", "bn.running_var")
        parameters = [("bn.bias", (outputs,)), ("linear.weight", (outputs, inputs)), *((name, (outputs,)) for name in names)]
    return (outputs,), parameters


def _pooling(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    channels, height, width = _image(shape)
    stride = whole(options, "stride", 1, 1)
    size = whole(options, "size", stride, 1)
    padding = whole(options, "padding", size - 1)  # of both sides together
    return (channels, (height + padding - size) // stride + 1, (width + padding - size) // stride + 1), []


def _global_average(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    return (_image(shape)[0], 1, 1), []


def _upsampled(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    channels, height, width = _image(shape)
    stride = whole(options, "stride", 2, 1)
    return (channels, height * stride, width * stride), []


def _reorganised(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    channels, height, width = _image(shape)
    stride = whole(options, "stride", 1, 1)
    return (channels * stride * stride, height // stride, width // stride), []


def sources(options: dict[str, str], name: str, count: int) -> list[int]:
    """The layers that a route or shortcut names: counted from the start, or backwards when negative."""
    found = []
    for part in options.get(name, "").split(","):
        try:
            number = int(part)
        except ValueError as error:
            raise Malformed(f"{name}={options.get(name, '')[:60]} is not a list of layers") from error
        position = number + count if number < 0 else number
        if not 0 <= position < count:
            raise Malformed(f"{name}={number} points to no layer before this one")
        found.append(position)
    return found


def _route(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    joined = [before[position] for position in sources(options, "layers", len(before))]
    if any(one[1:] != joined[0][1:] for one in joined):
        raise Malformed(f"it joins maps of different sizes: {', '.join(map(str, joined))}")
    groups, group = whole(options, "groups", 1, 1), whole(options, "group_id", 0)
    channels = sum(one[0] for one in joined)
    if channels % groups or group >= groups:
        raise Malformed(f"group {group} of {groups} does not exist in {channels} channels")
    return (channels // groups, *joined[0][1:]), []


def _shortcut(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    sources(options, "from", len(before))
    return shape, []


def _same(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    return shape, []


def _normalisation(options: dict[str, str], shape: Shape, before: Sequence[Shape]) -> tuple[Shape, Parameters]:
    return shape, [(name, (shape[0],)) for name in ("bn.weight", "bn.running_mean", "bn.running_var")]


RULES: dict[str, Callable[[dict[str, str], Shape, Sequence[Shape]], tuple[Shape, Parameters]]] = {
    "convolutional": _convolution,
    "local": _local,
    "connected": _connected,
    "batchnorm": _normalisation,
    "maxpool": _pooling,
    "avgpool": _global_average,
    "upsample": _upsampled,
    "reorg": _reorganised,
    "route": _route,
    "shortcut": _shortcut,
    **dict.fromkeys(("dropout", "softmax", "cost", "activation", "yolo", "region", "detection"), _same),
}
