"""The sizes of a network of this package, layer by layer, as the text stacks have them."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

from .. import kernels
from ..errors import ArgumentError, ShapeError
from ..functional._windows import AXES
from ..kernels import sizes
from ..nn import Module
from .graph import Call
from .shape_axis import Axis
from .shape_stack import FlowStep, ShapeFlow, StackLayer
from .size_path import flatten_features, record_or_explain, vanishing
from .windows import CONVOLUTIONS, POOLS, windows_of

__all__ = ["model_flow"]

SMALL = 10**8  # multiplications below which the definitions are run: nothing has to be compiled for them


def model_flow(model: Module, input_size: tuple[int, ...]) -> ShapeFlow:
    """Run a network once and tell its sizes as `shape_flow` does.

    Parameters
    ----------
    model : Module
        A network; branches are listed in the order in which they run.
    input_size : tuple of int
        (channels, height, width) of one sample.

    Returns
    -------
    ShapeFlow
        A layer that does not fit is its failure, with the sizes up to there and the number that a linear layer should have.

    Examples
    --------
    >>> from tinycnn import nn
    >>> flow = model_flow(nn.Sequential(nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1176, 10)), (3, 32, 32))
    >>> flow.path(), flow.flatten_features
    ('3x32x32 -> 6x28x28 -> 6x14x14 -> 1176 -> 10', 1176)
    """
    batch = (1, *input_size)
    work = sum(parameter.data.size for parameter in model.parameters()) * math.prod(input_size[1:])  # at least its multiplications
    with kernels.use("reference") if work < SMALL else nullcontext():
        try:
            graph = record_or_explain(model, batch)
        except ShapeError as error:
            return ShapeFlow(tuple(input_size), (), (), str(error), _right_number(model, batch))
    steps = tuple(_step(call, sum(value.elements for value in graph.own_parameters(call))) for call in graph.calls if len(call.output.shape) > 1)
    return ShapeFlow(tuple(input_size), steps, tuple(vanishing(graph)), None)


def _right_number(model: Module, batch: tuple[int, ...]) -> tuple[str, ...]:
    """What the linear layer behind the flatten should take, if there is one."""
    try:
        return (f"in_features={flatten_features(model, batch).features} for the linear layer behind the flatten",)
    except (ShapeError, ArgumentError):
        return ()


def _step(call: Call, parameters: int) -> FlowStep:
    flat = len(call.output.shape) == 2 and bool(call.inputs) and len(call.inputs[0].shape) > 2
    words = call.operator if call.name == call.operator else f"{call.name} {call.operator}"
    layer = StackLayer(words, "flatten" if flat else call.operator, {})
    return FlowStep(layer, call.output.shape[1:], _arithmetic(call) if not flat else _product(call), parameters)


def _product(call: Call) -> str:
    return f"{'*'.join(map(str, call.inputs[0].shape[1:]))} = {call.output.shape[-1]}"


def _arithmetic(call: Call) -> str:
    """The size arithmetic of a convolution or pooling; nothing where the windows vary."""
    if call.operator not in (*CONVOLUTIONS, *POOLS):
        return "keeps the size" if call.inputs and call.inputs[0].shape == call.output.shape else ""
    windows: Any = windows_of(call) or ()
    found: dict[str, list[str]] = {}
    for word, size, out, window in zip(AXES[len(windows)], call.inputs[0].shape[-len(windows) :], call.output.shape[-len(windows) :], windows):
        before, stride = int(window.before), int(window.stride)
        kind = "pool" if call.operator in POOLS else "conv"
        axis = Axis(kind, word, size, window.kernel, stride, before, before, window.dilation, 0, bool(call.arguments.get("ceil_mode", False)))
        if axis.output == out:
            found.setdefault(axis.substitution(), []).append(word)
        elif sizes.conv_output_size(size, window.kernel, stride, before, before + 1, window.dilation) == out:
            found.setdefault(Axis(kind, word, size, window.kernel, stride, before, before + 1, window.dilation).substitution(), []).append(word)
    return "; ".join(text if len(found) == 1 else f"{', '.join(words)}: {text}" for text, words in found.items())
