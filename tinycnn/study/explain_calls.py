"""Run one operator so that everything it did is known: its result on floats, the steps and kernels it called, its history on traced numbers."""

from __future__ import annotations

import inspect
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import backward
from ..errors import UsageError
from ..listening import profiled
from ..registry import OPERATORS
from ..tensor import Tensor
from .traced_array import traced_array

__all__ = ["Call", "Run", "bound", "gradients_of", "numeric_differences", "recorded_calls", "run_operator"]

Wrap = Callable[[str, np.ndarray], Tensor]
FRESH_SEED = 0
SECONDS = 20  # of one run; what takes longer nobody reads


@dataclass
class Call:
    """One call of an operator inside another, or of a reference kernel."""

    name: str
    arguments: dict[str, Any]
    result: Any = None


@dataclass
class Run:
    """An operator's results as tensors, and the leaves it was called with."""

    outputs: list[tuple[str, Tensor]]
    leaves: dict[str, Tensor] = field(default_factory=dict)


def is_arrays(value: Any) -> bool:
    """Whether an argument is a tuple or list of arrays."""
    return isinstance(value, (tuple, list)) and bool(value) and all(isinstance(part, np.ndarray) for part in value)


def arrays_in(arguments: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Every array among the arguments, by the name its elements go by."""
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            yield name, value
        elif is_arrays(value):
            for place, part in enumerate(value):
                yield f"{name}[{place}]", part


def bound(name: str, arguments: Mapping[str, Any], wrap: Wrap) -> tuple[list[Any], dict[str, Any], dict[str, Tensor]]:
    """The arguments as Python calls them, arrays as tensors: positional, by name, and the tensors that may have gradients."""
    leaves: dict[str, Tensor] = {}

    def tensor(label: str, array: np.ndarray) -> Tensor:
        leaves[label] = wrap(label, array)
        return leaves[label]

    def prepared(label: str, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return tensor(label, value)
        if is_arrays(value):
            return tuple(tensor(f"{label}[{place}]", part) for place, part in enumerate(value))
        return np.random.default_rng(FRESH_SEED) if isinstance(value, np.random.Generator) else value

    positional: list[Any] = []
    named: dict[str, Any] = {}
    parameters = list(inspect.signature(OPERATORS[name].function).parameters.values())
    variadic = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    for parameter in parameters:
        if parameter.name not in arguments:
            continue
        value = prepared(parameter.name, arguments[parameter.name])
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value if isinstance(value, (tuple, list)) else (value,))
        elif variadic and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            positional.append(value)
        else:
            named[parameter.name] = value
    return positional, named, leaves


def plain_leaf(name: str, array: np.ndarray) -> Tensor:
    """A copy of an argument that takes part in the graph if it holds floats."""
    tensor = Tensor(array.copy())
    tensor.requires_grad = array.dtype.kind == "f"
    return tensor


def traced_leaf(name: str, array: np.ndarray) -> Tensor:
    """The same with numbers that remember their sources."""
    if array.dtype.kind != "f":
        return Tensor(array.copy())
    tensor = Tensor(traced_array(name, array))
    tensor.requires_grad = True
    return tensor


def run_operator(name: str, arguments: Mapping[str, Any], wrap: Wrap = plain_leaf) -> Run:
    """Call the operator with the reference kernels."""
    positional, named, leaves = bound(name, arguments, wrap)
    with kernels.use("reference"), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = OPERATORS[name].function(*positional, **named)
    return Run(list(labelled("y", result)), leaves)


def labelled(label: str, result: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a result, by name: y, or y[0], y[1] and so on; plain bools and numbers become tensors."""
    if isinstance(result, Tensor):
        yield label, result
    elif isinstance(result, (tuple, list)):
        for place, part in enumerate(result):
            yield from labelled(f"{label}[{place}]", part)
    elif isinstance(result, (bool, int, float, np.generic)):
        yield label, Tensor(np.asarray(result))


def gradients_of(run: Run, upstreams: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Send the upstream gradients of some outputs back; the gradient of every leaf that got one."""
    with kernels.use("reference"), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        wanted = [(tensor, upstreams[label]) for label, tensor in run.outputs if label in upstreams]
        for tensor, upstream in wanted:
            backward(tensor, upstream, retain_graph=True)
    return {name: leaf.grad.data for name, leaf in run.leaves.items() if leaf.grad is not None}


def numeric_differences(
    name: str, arguments: Mapping[str, Any], of: str, index: tuple[int, ...], upstreams: Mapping[str, np.ndarray], step: float
) -> tuple[float, float, float]:
    """The slopes of sum(grad * y) from the right and from the left when one element of an input moves, infinite where the value jumps;
    and sum(abs(grad * y)), which their rounding is in proportion to.

    Two steps, h and h / 2, are extrapolated to none: a one-sided difference D(h) is off by a multiple of h, 2 D(h / 2) - D(h) is not.
    """

    def summands(shift: float) -> np.ndarray:
        def moved(label: str, array: np.ndarray) -> Tensor:
            copy = array.copy()
            if label == of:
                copy[index] += shift
            return Tensor(copy)

        outputs = dict(run_operator(name, arguments, moved).outputs)
        return np.concatenate([(outputs[label].data * upstream).reshape(-1) for label, upstream in upstreams.items()])

    with np.errstate(all="ignore"):
        start = summands(0.0)
        here = float(start.sum())

        def value(shift: float) -> float:
            return float(summands(shift).sum())

        def slope(h: float) -> float:
            whole, half = (value(h) - here) / h, (value(h / 2) - here) / (h / 2)
            jumps = abs(half) > 1.9 * abs(whole) and abs(half) > 1e-2 / abs(h)
            return math.copysign(math.inf, half) if jumps else 2 * half - whole

        return slope(step), slope(-step), float(np.abs(start).sum())


def recorded_calls(name: str, arguments: Mapping[str, Any]) -> tuple[Run, list[Call], list[Call]]:
    """Run the operator on floats; also the operators it called itself, and the reference kernels that ran."""
    operators = {operator.function.__code__: key for key, operator in OPERATORS.items()}
    functions = {function.__code__: key for key, function in kernels.table("reference").items()}
    for key, function in kernels.table("reference").items():
        if function.__code__.co_name != key:  # formulas of one number, whose loop is shared
            functions.pop(function.__code__, None)
    steps: list[Call] = []
    used: list[Call] = []
    open_frames: list[tuple[Any, Call]] = []
    deadline = time.monotonic() + SECONDS

    def watch(frame: Any, event: str, result: Any) -> None:
        if time.monotonic() > deadline:
            raise UsageError(f"explain: {name} takes more than {SECONDS} seconds on these numbers; take smaller ones")
        code = frame.f_code
        if event == "call" and (code in operators or code in functions):
            call = Call(operators.get(code) or functions[code], dict(frame.f_locals))
            if code in functions:
                used.append(call)
            elif len([1 for other, _ in open_frames if other.f_code in operators]) == 1:
                steps.append(call)
            open_frames.append((frame, call))
        elif event == "return" and open_frames and open_frames[-1][0] is frame:
            open_frames.pop()[1].result = result

    with profiled(watch):
        run = run_operator(name, arguments)
    return run, [call for call in steps if call.result is not None], [call for call in used if call.result is not None]
