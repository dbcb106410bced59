"""Record one forward pass: every operator call with its module, shapes, options, memory and links.

How the calls are seen, however they were imported: see `tinycnn.listening`.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

import numpy as np

from .. import autograd
from ..autograd import Node, set_grad_enabled
from ..errors import ArgumentError
from ..kernels import memory
from ..listening import Hearing, Listener, listening, profiled
from ..nn import Module
from ..tensor import Tensor
from .graph import Call, Graph, Value

__all__ = ["record_forward"]

_WORKSPACE = memory.workspace.__code__
_EMPTY = memory.empty.__code__
_ACCUMULATE = autograd._accumulate.__code__


def record_forward(model: Module, input: Any, *, training: bool = False, backward: bool = False) -> Graph:
    """Run the model once and write down what every operator did.

    Shapes
    ------
    input: (N, C, H, W), or whatever the model takes.

    Parameters
    ----------
    model : Module
        Its mode, buffers and gradients are put back afterwards; its weights may hold anything (`nn.utils.skip_init`).
    input : Tensor, ndarray, tuple of int, or list of Tensors
        The argument of the model; a tuple of whole numbers is the shape of a float32 image batch, drawn at random. A list gives several arguments.
    training : bool
        Record in training mode with gradients, so that what the tape keeps is measured too.
    backward : bool
        With `training`: run backward as well, for the workspace it takes.

    Returns
    -------
    Graph

    Raises
    ------
    ArgumentError
        For an input that is neither tensors nor a shape; ShapeError and others as the model raises them.

    Examples
    --------
    >>> from tinycnn import nn
    >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    >>> [(call.operator, call.path, call.output.shape) for call in record_forward(net, (1, 3, 6, 6)).calls]
    [('conv2d', '0', (1, 8, 4, 4)), ('relu', '1', (1, 8, 4, 4))]
    """
    recorder = Recorder(model, training)
    recorder.run(input_tensors(input), backward)
    return recorder.graph


def input_tensors(input: Any) -> list[Tensor]:
    """The model's arguments: given, or drawn in a given shape."""
    if isinstance(input, (Tensor, np.ndarray)):
        return [input if isinstance(input, Tensor) else Tensor(input)]
    if isinstance(input, list) and input and all(isinstance(part, Tensor) for part in input):
        return input
    whole = isinstance(input, Sequence) and all(isinstance(size, (int, np.integer)) and size >= 1 for size in input)
    if not whole or not input:
        raise ArgumentError(f"record_forward: input must be a Tensor, a list of Tensors or a shape such as (1, 3, 224, 224), not {input!r}")
    return [Tensor(np.random.default_rng(0).random(tuple(input), np.float32))]


class Recorder(Listener):
    """The state of one recording: which tensors are known, and the calls that are open."""

    def __init__(self, model: Module, training: bool) -> None:
        self.model = model
        self.graph = Graph(type(model).__name__, training)
        self._paths = {id(module): (path, type(module).__name__) for path, module in model.named_modules()}
        self._known: dict[int, tuple[weakref.ref[Tensor], Value]] = {}
        self._roots: dict[int, tuple[weakref.ref[np.ndarray], int]] = {}
        self._weights: set[int] = set()
        self._seen_nodes: set[int] = set()
        self._modules: list[tuple[str, str]] = []
        self._numbers = itertools.count()
        self._open: Call | None = None
        self._largest_workspace = 0
        self._closed = False
        for role, members, into in (
            ("parameter", model.named_parameters(), self.graph.parameters),
            ("buffer", model.named_buffers(), self.graph.buffers),
        ):
            for name, tensor in members:
                into[name] = self._note(tensor, role, name)
                self._weights.add(into[name].storage)
        self.graph.events.clear()  # weights are there before and after

    def run(self, inputs: list[Tensor], backward: bool = False) -> None:
        """One forward pass, and backward where asked; the model is as it was afterwards."""
        self.graph.inputs = tuple(self._note(tensor, "input", "input") for tensor in inputs)
        modes = [(module, module.training) for module in self.model.modules()]
        buffers = [(buffer, buffer.data.copy()) for buffer in self.model.buffers()]
        gradients = [(parameter, parameter.grad) for parameter in self.model.parameters()]
        self.model.train(self.graph.training)
        for parameter, _ in gradients:
            parameter.grad = None
        try:
            with set_grad_enabled(self.graph.training), np.errstate(all="ignore"):
                with listening(self):
                    result = self.model(*inputs)
                self.graph.outputs = tuple(self._find(tensor) for tensor in tensors_in(result))
                if backward and self.graph.training:
                    self._backward(result)
        finally:
            self._closed = True
            for module, mode in modes:
                module.training = mode
            for buffer, values in buffers:
                buffer.data[...] = values
            for parameter, gradient in gradients:
                parameter.grad = gradient

    def _backward(self, result: Any) -> None:
        """Backward from every output that has a gradient, for the memory it takes."""
        self._largest_workspace = 0
        sources = [tensor for tensor in tensors_in(result) if tensor.requires_grad]
        for tensor in sources:
            upstream = np.zeros(tensor.shape, tensor.dtype)
            with profiled(self.inside):
                tensor.backward(upstream, tensor is not sources[-1])
        self.graph.backward_workspace = self._largest_workspace

    # What the network tells

    def entered(self, module: Module) -> None:
        """Remember where the calls that follow are made."""
        self._modules.append(self._paths.get(id(module), ("", type(module).__name__)))

    def left(self) -> None:
        """Back in the module around it."""
        self._modules.pop()

    def called(self, operator: str, arguments: dict[str, Any]) -> Hearing:
        """Open a call; an operator is made of others, and the outermost is the one people called."""
        described = {key: self._described(value) for key, value in arguments.items()}
        given = list(dict.fromkeys(values_in(described)))
        parameters = tuple(value for value in given if value.role == "parameter")
        path, kind = self._modules[-1] if self._modules else ("", "")
        if parameters:  # a layer's forward may be called past its hooks; its parameters still say where they live
            owner = parameters[0].name.rpartition(".")[0]
            path, kind = owner, next((word for place, word in self._paths.values() if place == owner), kind)
        inputs = tuple(value for value in given if value.role not in ("parameter", "buffer"))
        self._open = Call(len(self.graph.calls), operator, path, kind, described, inputs, parameters)
        self._largest_workspace = 0
        return Hearing.WHOLE

    def inside(self, frame: FrameType, event: str, argument: Any) -> None:
        """Only what is asked of the allocator, and the gradients that stay."""
        if event == "call" and frame.f_code is _WORKSPACE:
            wanted = frame.f_locals
            self._largest_workspace = max(self._largest_workspace, int(wanted["count"]) * np.dtype(wanted["dtype"]).itemsize)
        elif event == "return" and frame.f_code is _EMPTY and argument is not None:
            self._storage(argument)
        elif event == "return" and frame.f_code is _ACCUMULATE and frame.f_locals["leaf"].grad is not None:
            self._storage(frame.f_locals["leaf"].grad.data)

    def returned(self, operator: str, result: Any) -> None:
        """Write the open call down."""
        call, self._open = self._open, None
        assert call is not None
        tensors = list(tensors_in(result))
        if not tensors or not (call.inputs or call.parameters):
            return  # it raised, or gave numbers rather than tensors
        call.outputs = tuple(self._note(tensor, "activation", call.name, call.number) for tensor in tensors)
        call.workspace = self._largest_workspace
        if self.graph.training:
            call.kept = frozenset(self._kept_by(tensors))
        self.graph.calls.append(call)

    # Tensors and their memory

    def _described(self, argument: Any) -> Any:
        """An argument with every tensor replaced by its Value, so that no memory is held."""
        if isinstance(argument, Tensor):
            return self._find(argument)
        if isinstance(argument, np.ndarray):
            return Value(-1, argument.shape, str(argument.dtype), argument.itemsize, -1, "constant")
        if isinstance(argument, (tuple, list)):
            return tuple(self._described(part) for part in argument)
        return argument

    def _find(self, tensor: Tensor) -> Value:
        """The Value of a tensor; one that no recorded call made is a constant."""
        known = self._known.get(id(tensor))
        if known is not None and known[0]() is tensor:
            return known[1]
        return self._note(tensor, "constant")

    def _note(self, tensor: Tensor, role: str, name: str = "", producer: int | None = None) -> Value:
        data = tensor.data
        value = Value(next(self._numbers), data.shape, str(data.dtype), data.itemsize, self._storage(data), role, name, producer)
        self._known[id(tensor)] = (weakref.ref(tensor), value)
        return value

    def _storage(self, array: np.ndarray) -> int:
        """The number of the memory that an array is a view of."""
        root = array
        while isinstance(root.base, np.ndarray):
            root = root.base
        known = self._roots.get(id(root))
        if known is not None and known[0]() is root:
            return known[1]
        number = len(self.graph.storages)
        self.graph.storages[number] = root.nbytes
        self.graph.events.append((number, True))
        self._roots[id(root)] = (weakref.ref(root, lambda _: self._died(number)), number)
        return number

    def _died(self, number: int) -> None:
        """Nobody holds a storage any more."""
        if not self._closed:
            self.graph.events.append((number, False))

    def _kept_by(self, outputs: list[Tensor]) -> Iterator[int]:
        """The storages that the nodes behind these outputs hold, for the nodes not looked at before."""
        waiting = [tensor._node for tensor in outputs if tensor._node is not None]
        while waiting:
            node = waiting.pop()
            if node.number in self._seen_nodes:
                continue
            self._seen_nodes.add(node.number)
            for array in _arrays_of(node):
                storage = self._storage(array)
                if storage not in self._weights:
                    yield storage
            waiting.extend(source._node for source in node.inputs if source is not None and source._node is not None)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in a result or an argument, however they are nested."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def values_in(value: Any) -> Iterator[Value]:
    """The same for what was recorded."""
    if isinstance(value, Value):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from values_in(part)
    elif isinstance(value, dict):
        yield from values_in(tuple(value.values()))


def _arrays_of(node: Node) -> Iterator[np.ndarray]:
    """Every array that a node keeps alive: its inputs, and what its backward closes over."""
    seen: set[int] = set()
    waiting: list[Any] = [node.backward, node.inputs, node.saved]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            yield thing
        elif isinstance(thing, Tensor):
            yield thing.data
        elif isinstance(thing, (tuple, list)):
            waiting.extend(thing)
        elif isinstance(thing, dict):
            waiting.extend(thing.values())
        elif isinstance(thing, functools.partial):
            waiting.extend((thing.func, thing.args, thing.keywords))
        elif getattr(thing, "__closure__", None):
            waiting.extend(_contents(thing.__closure__))


def _contents(cells: tuple[Any, ...]) -> Iterator[Any]:
    """What a closure holds; a variable that was never assigned holds nothing."""
    for cell in cells:
        try:
            yield cell.cell_contents
        except ValueError:
            continue
