"""The topology in a Caffe .prototxt: the layers with their shapes and parameters (the file that netscope draws).

A .prototxt is protobuf's text form: `name: value` and `name { ... }`, nested, repeated names making lists. It has no
weights; those lie in a .caffemodel, which is not read here.

References
----------
Y. Jia et al., "Caffe: convolutional architecture for fast feature embedding", ACM Multimedia 2014.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .caffe_layers import RULES, Message, Shape, count, numbers
from .files import MAX_EXTENT, Malformed

__all__ = ["CaffeLayer", "CaffeNet", "parse_prototxt"]

MAX_TEXT = 1 << 22
MAX_DEPTH = 32
MAX_BLOBS = 100_000
TOKEN = re.compile(r"""\s*(?:\#[^\n]*|(?P<text>"[^"\n]*"|'[^'\n]*')|(?P<mark>[{}<>:;,\[\]])|(?P<word>[^\s{}<>:;,\[\]"'#]+))""")
WHOLE = re.compile(r"[+-]?\d{1,18}")

# How files from before 2014 spell the types.
OLD_KINDS = {
    "CONVOLUTION": "Convolution",
    "DECONVOLUTION": "Deconvolution",
    "POOLING": "Pooling",
    "INNER_PRODUCT": "InnerProduct",
    "CONCAT": "Concat",
    "ELTWISE": "Eltwise",
    "FLATTEN": "Flatten",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "TANH": "TanH",
    "DROPOUT": "Dropout",
    "LRN": "LRN",
    "POWER": "Power",
    "SPLIT": "Split",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "ACCURACY": "Accuracy",
    "DATA": "Data",
    "INPUT": "Input",
}
INPUTS = ("Input", "Data", "ImageData", "HDF5Data", "MemoryData", "DummyData")
COLOURS = 3


@dataclass(frozen=True)
class CaffeLayer:
    """One layer: what goes in and out by name, the shape of what comes out, and its parameters."""

    name: str
    kind: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    output_shape: Shape
    parameters: tuple[tuple[str, Shape], ...]
    options: Message

    @property
    def count(self) -> int:
        """Numbers to train."""
        return sum(math.prod(shape) for name, shape in self.parameters if not name.startswith("running"))


@dataclass(frozen=True)
class CaffeNet:
    """A topology: its inputs, and its layers in order."""

    name: str
    inputs: dict[str, Shape]
    layers: tuple[CaffeLayer, ...]


def parse_prototxt(text: str, input_shape: Sequence[int] | None = None) -> CaffeNet:
    """Read a topology.

    Parameters
    ----------
    text
        The file's content. Layers for the training phase alone are left out.
    input_shape
        (N, C, H, W) of the images, for files whose data layer does not say it.

    Raises
    ------
    Malformed
        With the layer that does not fit, or is of a kind that is not known.

    Examples
    --------
    >>> net = parse_prototxt('''
    ...     name: "tiny" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
    ...     layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
    ...     layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
    ... ''')
    >>> [(layer.name, layer.output_shape, layer.count) for layer in net.layers]
    [('conv1', (1, 4, 8, 8), 112), ('relu1', (1, 4, 8, 8), 0)]
    """
    root = _parse(text)
    inputs = _declared_inputs(root)
    blobs: dict[str, Shape] = dict(inputs)
    layers = []
    for message in _messages(root, "layer") + _messages(root, "layers"):
        if _only_for_training(message):
            continue
        name, kind = _word(message, "name", "?"), _word(message, "type", "?")
        kind = OLD_KINDS.get(kind, kind)
        bottoms, tops = (tuple(str(one) for one in message.get(field, [])) for field in ("bottom", "top"))
        if len(bottoms) + len(tops) > MAX_BLOBS:
            raise Malformed(f"layer {name!r} has {len(bottoms)} inputs")
        if kind in INPUTS:
            shape = _input_shape(message, input_shape)
            # The second output of a data layer is the labels.
            for top, made in zip(tops, (shape, shape[:1]), strict=False):
                blobs[top] = inputs[top] = made
            continue
        if kind not in RULES:
            raise Malformed(f"layer {name!r} is of type {kind!r}, which is not one of {', '.join(sorted(RULES))}")
        unknown = [bottom for bottom in bottoms if bottom not in blobs]
        if unknown:
            raise Malformed(f"layer {name!r} reads {unknown[0]!r}, which no layer before it makes")
        try:
            shapes, parameters = RULES[kind]({**message, "type": [kind]}, [blobs[bottom] for bottom in bottoms], len(tops))
        except Malformed as error:
            raise Malformed(f"layer {name!r} ({kind}): {error}") from error
        for top, shape in zip(tops, shapes, strict=True):
            if any(extent < 1 for extent in shape) or math.prod(shape) >= MAX_EXTENT:
                raise Malformed(f"layer {name!r} ({kind}): its output would be {shape}")
            blobs[top] = shape
        layers.append(CaffeLayer(name, kind, bottoms, tops, shapes[0] if shapes else (), tuple(parameters), message))
    if not layers:
        raise Malformed("it has no layers")
    return CaffeNet(_word(root, "name", ""), inputs, tuple(layers))


def _parse(text: str) -> Message:
    """The nested fields of protobuf's text form, each name with the list of its values."""
    if len(text) > MAX_TEXT:
        raise Malformed(f"a .prototxt of {len(text):,} characters is none")
    stack: list[Message] = [{}]
    field: str | None = None
    in_list = False
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            if text[at:].strip():
                raise Malformed(f"line {text.count(chr(10), 0, at) + 1} cannot be read: {text[at : at + 40].strip()!r}")
            break
        at = found.end()
        mark, word = found["mark"], found["word"] or found["text"]
        if mark in ("{", "<") and field is not None:
            message: Message = {}
            stack[-1].setdefault(field, []).append(message)
            stack.append(message)
            field, in_list = None, False
            if len(stack) > MAX_DEPTH:
                raise Malformed(f"its blocks are nested more than {MAX_DEPTH} deep")
        elif mark in ("}", ">") and field is None and len(stack) > 1:
            stack.pop()
        elif mark == "[" and field is not None:
            in_list = True
        elif mark == "]" and in_list:
            field, in_list = None, False
        elif mark in (":", ",", ";"):
            continue
        elif mark is not None:
            raise Malformed(f"line {text.count(chr(10), 0, at) + 1}: {mark!r} is out of place")
        elif word is not None and field is None:
            field = word
        elif word is not None and field is not None:
            stack[-1].setdefault(field, []).append(_value(word))
            field = field if in_list else None
    if len(stack) > 1 or field is not None:
        raise Malformed("it ends in the middle of a block; it is truncated")
    return stack[0]


def _value(word: str) -> Any:
    """A number, true or false, or text."""
    if word[0] in "\"'":
        return word[1:-1]
    if word in ("true", "false"):
        return word == "true"
    if WHOLE.fullmatch(word):
        return int(word)
    try:
        return float(word)
    except ValueError:
        return word


def _messages(message: Message, name: str) -> list[Message]:
    found = message.get(name, [])
    if not all(isinstance(one, dict) for one in found):
        raise Malformed(f"{name} is not a block in braces")
    return found


def _word(message: Message, name: str, default: str) -> str:
    return str(message.get(name, [default])[-1])


def _only_for_training(layer: Message) -> bool:
    phases = [_word(rule, "phase", "TEST") for rule in _messages(layer, "include")]
    return bool(phases) and "TEST" not in phases


def _declared_inputs(root: Message) -> dict[str, Shape]:
    """Inputs named at the top of the file, with input_dim (four numbers each) or input_shape."""
    names = [str(name) for name in root.get("input", [])]
    shapes = [tuple(numbers(message, "dim")) for message in _messages(root, "input_shape")]
    flat = numbers(root, "input_dim")
    shapes += [tuple(flat[k : k + 4]) for k in range(0, len(flat), 4)]
    if len(names) != len(shapes) or any(not shape or 0 in shape for shape in shapes):
        raise Malformed(f"it declares {len(names)} inputs and {len(shapes)} shapes for them")
    return dict(zip(names, shapes, strict=True))


def _input_shape(layer: Message, given: Sequence[int] | None) -> Shape:
    """The shape of a data layer: its own, else the given one, else a colour image as large as its crop."""
    for options in _messages(layer, "input_param"):
        for message in _messages(options, "shape"):
            shape = tuple(numbers(message, "dim"))
            if shape and 0 not in shape:
                return shape
    if given is not None:
        return tuple(given)
    sizes = [count(options, "crop_size", 0) for options in _messages(layer, "transform_param")]
    if not sizes or not sizes[-1]:
        raise Malformed(f"the data layer {_word(layer, 'name', '?')!r} does not say how large its images are; pass input_shape=(N, C, H, W)")
    batch = max([count(options, "batch_size", 1) for options in _messages(layer, "data_param")] or [1])
    return (max(batch, 1), COLOURS, sizes[-1], sizes[-1])
