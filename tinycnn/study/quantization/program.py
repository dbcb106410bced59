"""A network as the list of the operators that it calls, with the values that go from one to the next: what is rewritten in integers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...autograd import no_grad
from ...errors import ArgumentError, ShapeError
from ...listening import NOTATIONS, Hearing, Listener, listening
from ...nn import Module
from ...registry import OPERATORS
from ...tensor import Tensor
from ..attribution.probe import undisturbed
from ..recording import tensors_in

__all__ = ["BATCH", "Program", "Slot", "Step", "slots_in", "trace"]

BATCH = "the number of images"  # stands in a reshape for a size that was the batch's


@dataclass(frozen=True)
class Slot:
    """A value by its number."""

    number: int


@dataclass(frozen=True)
class Step:
    """One operator: its arguments, with slots where values of other steps go in, and the slots that its results fill."""

    operator: str
    path: str  # of the module that called it
    arguments: dict[str, Any]
    outputs: tuple[Slot, ...]

    @property
    def name(self) -> str:
        """The module's path, or the operator where the network itself called it."""
        return self.path or self.operator

    @property
    def inputs(self) -> list[Slot]:
        """The slots among the arguments."""
        return list(dict.fromkeys(slots_in(self.arguments)))


@dataclass(frozen=True)
class Program:
    """The steps in order."""

    steps: tuple[Step, ...]
    input: Slot
    output: Slot
    shapes: dict[Slot, tuple[int, ...]] = field(default_factory=dict)  # with the batch that was traced

    def run(self, images: np.ndarray, watch: Callable[[Slot, np.ndarray], None] | None = None) -> np.ndarray:
        """What the network gives; `watch` is shown every value on the way."""
        values: dict[Slot, Any] = {self.input: Tensor(images)}
        if watch is not None:
            watch(self.input, images)
        left = self.uses()
        with no_grad():
            for step in self.steps:
                result = call(step.operator, filled(step.arguments, values, len(images)))
                for slot, tensor in zip(step.outputs, tensors_in(result), strict=True):
                    values[slot] = tensor
                    if watch is not None:
                        watch(slot, tensor.data)
                for slot in step.inputs:
                    left[slot] -= 1
                    if not left[slot] and slot != self.output:
                        del values[slot]
        return np.asarray(values[self.output].data)

    def uses(self) -> dict[Slot, int]:
        """How many steps read each slot; the program's output is read once more."""
        counts: dict[Slot, int] = {self.output: 1}
        for step in self.steps:
            for slot in step.inputs:
                counts[slot] = counts.get(slot, 0) + 1
        return counts

    def with_steps(self, steps: list[Step]) -> Program:
        """The same values by other steps."""
        return replace(self, steps=tuple(steps))


def slots_in(value: Any) -> Iterator[Slot]:
    """The slots of arguments, however they are nested."""
    if isinstance(value, Slot):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from slots_in(part)
    elif isinstance(value, dict):
        yield from slots_in(tuple(value.values()))


def filled(value: Any, values: dict[Slot, Any], batch: int) -> Any:
    """Arguments with the values in the place of their slots."""
    if isinstance(value, Slot):
        return values[value]
    if isinstance(value, (tuple, list)):
        return type(value)(filled(part, values, batch) for part in value)
    if isinstance(value, dict):
        return {name: filled(part, values, batch) for name, part in value.items()}
    return batch if value is BATCH else value


def call(operator: str, arguments: dict[str, Any]) -> Any:
    """Call an operator of the registry by the names of its arguments."""
    function = NOTATIONS[operator] if operator in NOTATIONS else OPERATORS[operator].function
    places, names = [], {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            places.extend(arguments[name])
        elif parameter.kind is parameter.KEYWORD_ONLY:
            names[name] = arguments[name]
        elif parameter.kind is not parameter.VAR_KEYWORD:
            places.append(arguments[name])
    return function(*places, **names)


class _Ear(Listener):
    """Writes steps down. The tensors are kept meanwhile, so that no two of them have one identity."""

    def __init__(self, model: Module, images: Tensor) -> None:
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._modules: list[str] = []
        self._known: dict[int, Slot] = {id(images): Slot(0)}
        self._kept: list[Tensor] = [images]
        self._open: tuple[str, dict[str, Any]] | None = None
        self._batch = len(images.data)
        self.steps: list[Step] = []
        self.shapes: dict[Slot, tuple[int, ...]] = {Slot(0): images.shape}

    def entered(self, module: Module) -> None:
        """Remember where the calls that follow are made."""
        self._modules.append(self._paths.get(id(module), ""))

    def left(self) -> None:
        """Back in the module around it."""
        self._modules.pop()

    def called(self, operator: str, arguments: dict[str, Any]) -> Hearing:
        """Keep the arguments until the result is there."""
        found = {name: self._slotted(value) for name, value in arguments.items()}
        if operator in ("reshape", "view", "expand"):
            name = next(name for name in found if name != "input")
            found[name] = self._without_batch(found[name])
        self._open = (operator, found)
        return Hearing.WHOLE

    def returned(self, operator: str, result: Any) -> None:
        """A step, where it made something new of what the images became."""
        assert self._open is not None
        arguments, self._open = self._open[1], None
        fresh = [tensor for tensor in tensors_in(result) if id(tensor) not in self._known]
        if not fresh or not any(True for _ in slots_in(arguments)):
            return
        if len(fresh) != len(list(tensors_in(result))):
            raise ArgumentError(f"trace: {operator} hands one of its arguments on beside new values; such a network cannot be rewritten")
        self.steps.append(Step(operator, self._modules[-1] if self._modules else "", arguments, tuple(self._note(tensor) for tensor in fresh)))

    def find(self, tensor: Tensor) -> Slot | None:
        """The slot of a value."""
        return self._known.get(id(tensor))

    def _note(self, tensor: Tensor) -> Slot:
        slot = Slot(len(self._kept))
        self._kept.append(tensor)
        self._known[id(tensor)] = slot
        self.shapes[slot] = tensor.shape
        return slot

    def _slotted(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._known.get(id(value), value)
        if isinstance(value, (tuple, list)):
            return tuple(self._slotted(part) for part in value)
        return value

    def _without_batch(self, sizes: Any) -> Any:
        """Sizes of which the first was the batch's."""
        if isinstance(sizes, tuple) and sizes and isinstance(sizes[0], tuple):
            return (self._without_batch(sizes[0]), *sizes[1:])
        return (BATCH, *sizes[1:]) if isinstance(sizes, tuple) and sizes and sizes[0] == self._batch else sizes


def trace(model: Module, images: np.ndarray) -> Program:
    """Run the network once, in evaluation mode, and write down every operator that it calls.

    Parameters
    ----------
    model : Module
        Gives one tensor; what it does must not depend on the numbers in the images.
    images : ndarray
        (N, ...), two or more, so that another number of them can be tried.

    Returns
    -------
    Program
        It gives what the model gives, which is checked with a part of the images.

    Raises
    ------
    ArgumentError
        For fewer than two images, or a network that does something besides calling operators. ShapeError: several results.

    Examples
    --------
    >>> from tinycnn import nn
    >>> program = trace(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), np.ones((2, 1, 5, 5), np.float32))
    >>> [(step.operator, step.path) for step in program.steps]
    [('conv2d', '0'), ('relu', '1')]
    """
    if images.ndim < 2 or len(images) < 2:
        raise ArgumentError(f"trace: images have shape {images.shape}; give two or more, so that another number of them can be tried")
    tensor = Tensor(images)
    ear = _Ear(model, tensor)
    with undisturbed(model), no_grad():
        with listening(ear):
            result = model(tensor)
        slot = ear.find(result) if isinstance(result, Tensor) else None
        if slot is None:
            kind = type(result).__name__
            raise ShapeError(f"trace: {type(model).__name__} gives a {kind} that no operator made of the images; give a network with one result")
        program = Program(tuple(ear.steps), Slot(0), slot, ear.shapes)
        fewer = np.ascontiguousarray(images[1:][::-1])
        wanted = model(Tensor(fewer)).data
    try:
        same = np.allclose(program.run(fewer), wanted, rtol=1e-4, atol=1e-5 * float(np.abs(wanted).max(initial=1)), equal_nan=True)
    except (ShapeError, ValueError):
        same = False
    if not same:
        raise ArgumentError(
            f"trace: {type(model).__name__} gives something else for other images than its operators do; what it works out beside them, "
            "such as NumPy on `.data` or a branch on the numbers, cannot be rewritten"
        )
    return program
