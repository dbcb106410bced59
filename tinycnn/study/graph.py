"""What one forward pass did, as data: values, the operator calls that made them, and the storages they lie in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "Graph", "Value"]


@dataclass(frozen=True)
class Value:
    """A tensor as it stood between two operators; the numbers themselves are not kept.

    `role` is "input", "activation", "parameter", "buffer" or "constant"; `storage` numbers the memory, which views share.
    """

    number: int
    shape: tuple[int, ...]
    dtype: str
    itemsize: int
    storage: int
    role: str
    name: str = ""
    producer: int | None = None

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Their bytes."""
        return self.elements * self.itemsize


@dataclass
class Call:
    """One application of an operator: tensors among its `arguments` are Values, all else is as it was passed."""

    number: int
    operator: str
    path: str
    module: str
    arguments: dict[str, Any]
    inputs: tuple[Value, ...] = ()
    parameters: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    workspace: int = 0
    kept: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """The module's path where one was called, else the operator's name."""
        return self.path or self.operator

    @property
    def output(self) -> Value:
        """The first output, which carries the shape people mean."""
        return self.outputs[0]


@dataclass
class Graph:
    """The calls of one forward pass in their order, and the storages behind their values.

    `events` are the births (True) and deaths of storages in their order, through backward where that was run.
    """

    model: str
    training: bool
    calls: list[Call] = field(default_factory=list)
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    storages: dict[int, int] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)
    buffers: dict[str, Value] = field(default_factory=dict)
    events: list[tuple[int, bool]] = field(default_factory=list)
    backward_workspace: int = 0

    @property
    def parameter_count(self) -> int:
        """Trained and frozen numbers, a shared parameter counted once."""
        return sum(value.elements for value in self.parameters.values())

    def own_parameters(self, call: Call) -> tuple[Value, ...]:
        """The parameters that no earlier call has used, so that a sum over calls counts each once."""
        earlier = {value.storage for other in self.calls[: call.number] for value in other.parameters}
        return tuple(value for value in call.parameters if value.storage not in earlier)

    def unused_parameters(self) -> list[str]:
        """Parameters that no call has read."""
        used = {value.storage for call in self.calls for value in call.parameters}
        return [name for name, value in self.parameters.items() if value.storage not in used]

    def edges(self) -> list[tuple[int | None, int, Value]]:
        """(producer, consumer, value) for every value that flows; the producer of the model's input is None."""
        return [
            (value.producer, call.number, value)
            for call in self.calls
            for value in call.inputs
            if value.role in ("input", "activation")
        ]
