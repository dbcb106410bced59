"""How an image shrinks on its way through a network, and how many features it has once it is flat."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import ArgumentError, ShapeError
from ..nn import Module
from .graph import Call, Graph
from .recording import Recorder, input_tensors
from .windows import CONVOLUTIONS, windows_of

__all__ = ["FlattenSize", "flatten_features", "record_or_explain", "size_path", "vanishing"]

FLATTENS = ("flatten", "reshape", "view", "squeeze")


class FlattenSize(NamedTuple):
    """What comes out of flattening: the `in_features` of the next linear layer, and the sizes on the way there."""

    features: int
    path: str


def flatten_features(model: Module, input: Any) -> FlattenSize:
    """The right number for the linear layer behind a flatten, found by running the network up to there.

    The layers behind may be wrong still: that is what the number is asked for.

    Parameters
    ----------
    model : Module
        With a flatten in its forward, as a layer or as a call.
    input : tuple of int, Tensor or ndarray
        A batch or its shape, such as (1, 3, 32, 32).

    Returns
    -------
    FlattenSize

    Raises
    ------
    ShapeError
        If a layer before the flatten does not fit. ArgumentError: nothing is flattened.

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(999, 10))
    >>> flatten_features(net, (1, 3, 32, 32))
    FlattenSize(features=1568, path='input 3x32x32 -> 0 8x28x28 -> 1 8x14x14 -> flatten 8*14*14 = 1568')
    """
    graph, failure = _recorded(model, input)
    for call in graph.calls:
        if _flattens(call):
            return FlattenSize(call.output.shape[-1], size_path(graph, call.number))
    if failure is not None:
        raise failure
    raise ArgumentError(f"flatten_features: {graph.model} flattens nothing; put nn.Flatten() between the maps and the linear layer")


def _recorded(model: Module, input: Any) -> tuple[Graph, ShapeError | None]:
    """As far as the network runs, and why no further."""
    recorder = Recorder(model, training=False)
    try:
        recorder.run(input_tensors(input))
    except ShapeError as error:
        return recorder.graph, error
    return recorder.graph, None


def record_or_explain(model: Module, input: Any) -> Graph:
    """A recording in evaluation mode; where a layer does not fit, the error tells the sizes up to there and the number that fits.

    Raises
    ------
    ShapeError
        With the path of sizes.
    """
    graph, failure = _recorded(model, input)
    if failure is None:
        return graph
    if not graph.calls:
        raise failure
    path = size_path(graph)
    flat = next((call for call in graph.calls if _flattens(call)), None)
    right = "" if flat is None else f"; the linear layer behind the flatten needs in_features={flat.output.shape[-1]}"
    raise ShapeError(f"{failure}; the sizes are {path}{right}") from failure


def _flattens(call: Call) -> bool:
    """Whether a call turns maps into rows."""
    return call.operator in FLATTENS and bool(call.inputs) and len(call.output.shape) == 2 and len(call.inputs[0].shape) > 2


def size_path(graph: Graph, last: int | None = None) -> str:
    """The sizes on the way, each where it changes: "input 3x32x32 -> conv1 6x28x28 -> ...", the batch left out."""
    steps = [f"input {_size(graph.inputs[0].shape)}"] if graph.inputs else []
    previous = graph.inputs[0].shape if graph.inputs else ()
    for call in graph.calls if last is None else graph.calls[: last + 1]:
        shape = call.output.shape
        if _flattens(call):
            steps.append(f"{call.operator} {'*'.join(map(str, call.inputs[0].shape[1:]))} = {shape[-1]}")
        elif shape != previous:
            steps.append(f"{call.name} {_size(shape)}")
        previous = shape
    return " -> ".join(steps)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape[1:])) if len(shape) > 1 else str(shape)


def vanishing(graph: Graph) -> list[str]:
    """Warnings where maps shrink away: unpadded convolutions whose kernel is larger than half of the map they meet.

    Examples
    --------
    >>> from tinycnn import nn
    >>> from tinycnn.study import record_forward
    >>> vanishing(record_forward(nn.Sequential(nn.Conv2d(1, 1, 5), nn.Conv2d(1, 1, 5)), (1, 1, 9, 9)))
    ['0: a window of 5 takes 9x9 to 5x5; pad by 2 to keep the size', '1: a window of 5 takes 5x5 to 1x1; pad by 2 to keep the size']
    """
    found = []
    for call in graph.calls:
        if call.operator not in CONVOLUTIONS:
            continue
        windows = windows_of(call) or ()
        before, after = call.inputs[0].shape[-len(windows) :], call.output.shape[-len(windows) :]
        tight = [window for window, size in zip(windows, before, strict=True) if window.span > 1 and 2 * window.span > size and not window.before]
        if tight:
            sizes = f"{'x'.join(map(str, before))} to {'x'.join(map(str, after))}"
            found.append(f"{call.name}: a window of {tight[0].span} takes {sizes}; pad by {tight[0].span // 2} to keep the size")
    return found
