"""What each kind of Caffe layer makes of its inputs' shapes, and which parameters it has.

Shapes are (N, C, H, W). Names of parameters are PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .files import MAX_EXTENT, Malformed

__all__ = ["RULES", "LayerRule", "count", "numbers"]

Shape = tuple[int, ...]
Message = dict[str, list[Any]]
Result = tuple[list[Shape], list[tuple[str, Shape]]]
LayerRule = Callable[[Message, Sequence[Shape], int], Result]


def numbers(message: Message, name: str) -> list[int]:
    """All values of a repeated field, which must be whole numbers."""
    found = message.get(name, [])
    if not all(type(value) is int and 0 <= value < MAX_EXTENT for value in found):
        raise Malformed(f"{name} is {found[:4]}, where whole numbers are due")
    return found


def count(message: Message, name: str, default: int | None = None, least: int = 0) -> int:
    """A field that is one whole number."""
    found = numbers(message, name)
    if not found and default is None:
        raise Malformed(f"{name} is missing")
    value = found[-1] if found else default or 0
    if value < least:
        raise Malformed(f"{name} is {value}; it must be at least {least}")
    return value


def _options(layer: Message, name: str) -> Message:
    """The message with a layer's options, empty where there is none."""
    found = layer.get(name, [{}])[-1]
    if not isinstance(found, dict):
        raise Malformed(f"{name} is {found!r}, where a block in braces is due")
    return found


def _pair(options: Message, name: str, default: int | None, least: int = 0) -> tuple[int, int]:
    """(height, width) of kernel_size, stride, pad or dilation: one number, two, or the fields ending in _h and _w."""
    stem = name.removesuffix("_size")
    if f"{stem}_h" in options or f"{stem}_w" in options:
        return count(options, f"{stem}_h", default, least), count(options, f"{stem}_w", default, least)
    found = numbers(options, name)
    if len(found) == 2:
        return found[0], found[1]
    one = count(options, name, default, least)
    return one, one


def _image(bottoms: Sequence[Shape]) -> tuple[int, int, int, int]:
    if len(bottoms) < 1 or len(bottoms[0]) != 4:
        raise Malformed(f"it needs a batch of maps, and gets {list(bottoms)}")
    shape = bottoms[0]
    return shape[0], shape[1], shape[2], shape[3]


def _convolution(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    images, channels, height, width = _image(bottoms)
    options = _options(layer, "convolution_param")
    filters, groups = count(options, "num_output", None, 1), count(options, "group", 1, 1)
    if channels % groups or filters % groups:
        raise Malformed(f"group {groups} divides {channels} channels and {filters} filters only with a remainder")
    kernel, stride = _pair(options, "kernel_size", None, 1), _pair(options, "stride", 1, 1)
    padding, dilation = _pair(options, "pad", 0), _pair(options, "dilation", 1, 1)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if layer["type"][-1] == "Deconvolution":
        sizes = [(size - 1) * s + r - 2 * p for size, s, r, p in zip((height, width), stride, reach, padding, strict=True)]
        weight: Shape = (channels, filters // groups, *kernel)
    else:
        sizes = [(size + 2 * p - r) // s + 1 for size, s, r, p in zip((height, width), stride, reach, padding, strict=True)]
        weight = (filters, channels // groups, *kernel)
    biased = options.get("bias_term", [True])[-1] is not False
    return [(images, filters, *sizes)] * tops, [("weight", weight)] + ([("bias", (filters,))] if biased else [])


def _pooling(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    """Caffe rounds up, then drops a last window that would begin in the padding."""
    images, channels, height, width = _image(bottoms)
    options = _options(layer, "pooling_param")
    if options.get("global_pooling", [False])[-1] is True:
        return [(images, channels, 1, 1)] * tops, []
    kernel, stride, padding = _pair(options, "kernel_size", None, 1), _pair(options, "stride", 1, 1), _pair(options, "pad", 0)
    sizes = []
    for size, k, s, p in zip((height, width), kernel, stride, padding, strict=True):
        outputs = -(-(size + 2 * p - k) // s) + 1
        sizes.append(outputs - 1 if p and (outputs - 1) * s >= size + p else outputs)
    return [(images, channels, *sizes)] * tops, []


def _inner_product(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    options = _options(layer, "inner_product_param")
    outputs, axis = count(options, "num_output", None, 1), count(options, "axis", 1)
    if not bottoms or len(bottoms[0]) <= axis:
        raise Malformed(f"it multiplies from axis {axis} on, and gets {list(bottoms)}")
    lead, inputs = bottoms[0][:axis], math.prod(bottoms[0][axis:])
    biased = options.get("bias_term", [True])[-1] is not False
    return [(*lead, outputs)] * tops, [("weight", (outputs, inputs))] + ([("bias", (outputs,))] if biased else [])


def _concat(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    axis = count(_options(layer, "concat_param"), "axis", 1)
    if not bottoms or any(one[:axis] + one[axis + 1 :] != bottoms[0][:axis] + bottoms[0][axis + 1 :] for one in bottoms) or axis >= len(bottoms[0]):
        raise Malformed(f"it joins {list(bottoms)} along axis {axis}, which differ elsewhere")
    return [(*bottoms[0][:axis], sum(one[axis] for one in bottoms), *bottoms[0][axis + 1 :])] * tops, []


def _eltwise(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    if not bottoms or any(one != bottoms[0] for one in bottoms):
        raise Malformed(f"it combines maps of different shapes: {list(bottoms)}")
    return [bottoms[0]] * tops, []


def _flatten(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    axis = count(_options(layer, "flatten_param"), "axis", 1)
    shape = _first(bottoms)
    return [(*shape[:axis], math.prod(shape[axis:]))] * tops, []


def _first(bottoms: Sequence[Shape]) -> Shape:
    if not bottoms:
        raise Malformed("it has no input")
    return bottoms[0]


def _channelwise(*names: str) -> LayerRule:
    """A layer that keeps the shape and has a number a channel under each name."""

    def rule(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
        shape = _first(bottoms)
        if len(shape) < 2:
            raise Malformed(f"it needs channels, and gets {shape}")
        return [shape] * tops, [(name, (shape[1],)) for name in names]

    return rule


def _scale(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    biased = _options(layer, "scale_param").get("bias_term", [False])[-1] is True
    return _channelwise("weight", *(["bias"] if biased else []))(layer, bottoms, tops)


def _same(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    return [_first(bottoms)] * tops, []


def _number(layer: Message, bottoms: Sequence[Shape], tops: int) -> Result:
    """A loss or an accuracy."""
    return [()] * tops, []


# Layers that keep the shape; Caffe files often write their output over their input: bottom and top of one name.
KEEP_SHAPE = ("ReLU", "PReLU", "ELU", "Sigmoid", "TanH", "Dropout", "BatchNorm", "Scale", "LRN", "Power", "Softmax")

RULES: dict[str, LayerRule] = {
    "Convolution": _convolution,
    "Deconvolution": _convolution,
    "Pooling": _pooling,
    "InnerProduct": _inner_product,
    "Concat": _concat,
    "Eltwise": _eltwise,
    "Flatten": _flatten,
    "BatchNorm": _channelwise("running_mean", "running_var"),
    "Scale": _scale,
    "PReLU": _channelwise("weight"),
    "SoftmaxWithLoss": _number,
    "EuclideanLoss": _number,
    "Accuracy": _number,
    **{kind: _same for kind in (*KEEP_SHAPE, "Split") if kind not in ("BatchNorm", "Scale", "PReLU")},
}
