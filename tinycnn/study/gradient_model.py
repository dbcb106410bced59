"""`gradcheck_report` of a network: each parameter along a drawn direction, its worst entries, and the error against the step size."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..errors import ArgumentError, ShapeError, UsageError
from ..gradcheck import _outputs as float_outputs
from ..gradcheck import _shifted as value_moved
from ..models import get_model, list_models
from ..models import input_size as own_input_size
from ..nn import Module
from ..random import get_state, manual_seed, set_state
from ..tensor import Tensor
from .explanation import Check
from .gradient_report import EntryCheck, GradientReport, ParameterCheck, Sweep, relative_error

__all__ = ["model_report"]

MOST_PARAMETERS = 3_000_000
MOST_TENSORS = 48
LARGEST_IMAGE = 64
MOST_PIXELS = 2**18  # of the drawn batch
SMALLER = (1e-6, 1e-7, 1e-8)  # tried in turn where a kink lies within the step
DRAWN = 2  # entries of each parameter beside the one with the largest gradient
STEPS = tuple(10.0**-power for power in range(1, 13))
TOLERANCE = 1e-5  # of the relative error
FLOOR = 1e-3  # of the largest directional derivative


def model_report(
    subject: str | Module, unknown: Callable[[Any], str], *, seed: int = 0, entries: int = 64, input_size: Any = None, batch_size: int = 2,
    training: bool = False, **options: Any,
) -> GradientReport:  # fmt: skip
    """The report of a network on a tiny drawn batch; `unknown` words what to say of a name nobody knows."""
    rng = np.random.default_rng(seed)
    model, name = _network(subject, unknown, seed, options)
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size <= 8:
        raise UsageError(f"gradcheck: batch_size {batch_size!r} must be a whole number from 1 to 8; a tiny batch shows every mistake")
    size = _size(subject, input_size)
    if batch_size * math.prod(size) > MOST_PIXELS:
        shape = "x".join(map(str, (batch_size, *size)))
        raise UsageError(f"gradcheck: a batch of {shape} is too much to be run hundreds of times; take smaller images")
    parameters = list(model.named_parameters())
    count = sum(parameter.data.size for _, parameter in parameters)
    if not parameters:
        raise UsageError(f"gradcheck: {name} has no parameters, so there is nothing to check; check its operators")
    if count > MOST_PARAMETERS:
        raise UsageError(
            f"gradcheck: {name} has {count:,} parameters and would be run for minutes; take one of at most {MOST_PARAMETERS:,}, such as lenet5 or "
            "mobilenet_v3_small, or its blocks"
        )
    model.train(training)
    for each in model.modules():
        if "Drop" in type(each).__name__ or "Stochastic" in type(each).__name__:
            each.eval()
    batch = rng.standard_normal((batch_size, *size))
    check = _Check(model.double(), batch, rng, name)
    chosen = parameters
    notes = [f"{count:,} parameters in float64 on a drawn batch of {'x'.join(map(str, batch.shape))}, {'training' if training else 'eval'} mode"]
    if len(parameters) > MOST_TENSORS:
        places = np.unique(np.linspace(0, len(parameters) - 1, MOST_TENSORS).astype(int))
        chosen = [parameters[int(place)] for place in places]
        notes.append(f"{len(chosen)} of {len(parameters)} parameters were compared, from the first to the last")
    drawn = min(DRAWN, max(0, entries - 1))
    report = GradientReport(name, (type(model).__doc__ or "").strip().split("\n\n")[0], f"{name} on {'x'.join(map(str, batch.shape))}", seed)
    report.notes = notes
    report.parameters = check.parameters(chosen, drawn)
    report.sweeps = check.sweeps(parameters)
    report.notes.append("the curve of a network with ReLU or maxima is no clean V: large steps straddle kinks, where the slopes of both sides mix")
    crossed = sum(parameter.kind == "kink" for parameter in report.parameters)
    if crossed:
        report.notes.append(f"{crossed} directions lead over kinks (a ReLU at zero, a tie of a maximum) within the smallest step")
    return report


def _network(subject: str | Module, unknown: Callable[[Any], str], seed: int, options: dict[str, Any]) -> tuple[Module, str]:
    """A copy of the network, or a new one with drawn weights; the package's own random numbers go on as before."""
    if isinstance(subject, Module):
        if options:
            raise UsageError(f"gradcheck: a network itself takes no {', '.join(options)}; build it with them")
        return copy.deepcopy(subject), type(subject).__name__
    if subject not in list_models():
        raise UsageError(f"gradcheck: {unknown(subject)}")
    state = get_state()
    try:
        manual_seed(seed)
        return get_model(subject, **options), subject
    finally:
        set_state(state)


def _size(subject: str | Module, given: Any) -> tuple[int, ...]:
    """(channels, height, width): given, or a network's own, its images at most 64 pixels a side."""
    if given is not None:
        values = tuple(given) if isinstance(given, (tuple, list)) else (given,)
        if not values or any(isinstance(v, bool) or not isinstance(v, int) or v < 1 for v in values):
            raise UsageError(f"gradcheck: input_size {given!r} must be sizes without the batch, such as (3, 32, 32)")
        return values
    if isinstance(subject, Module):
        raise UsageError("gradcheck: say which input the network takes: input_size=(3, 32, 32)")
    channels, height, width = own_input_size(subject)
    return channels, min(height, LARGEST_IMAGE), min(width, LARGEST_IMAGE)


class _Check:
    """A network, its batch and a drawn upstream gradient."""

    def __init__(self, model: Module, batch: np.ndarray, rng: np.random.Generator, name: str) -> None:
        self.model, self.batch, self.rng = model, batch, rng
        try:
            outputs = float_outputs(model(Tensor(batch)))
        except (ShapeError, ArgumentError) as error:
            raise UsageError(f"gradcheck: {name} does not take {batch.shape[1:]}: {error}; give another input_size") from error
        if not outputs:
            raise UsageError(f"gradcheck: {name} returns no tensor of floats, so there is nothing to differentiate")
        self.upstream = [rng.standard_normal(output.shape) for output in outputs]
        self.scale = sum(float(np.abs(u * output.data).sum()) for u, output in zip(self.upstream, outputs, strict=True))
        for output, gradient in zip(outputs, self.upstream, strict=True):
            if output.requires_grad:
                output.backward(gradient, retain_graph=True)

    def value(self) -> float:
        """sum(grad y), added up in float64."""
        dtype = next(iter(self.model.parameters())).data.dtype
        with no_grad():
            outputs = float_outputs(self.model(Tensor(self.batch.astype(dtype))))
        return sum(float((u * output.data).sum()) for u, output in zip(self.upstream, outputs, strict=True))

    def parameters(self, chosen: list[tuple[str, Any]], drawn: int) -> list[ParameterCheck]:
        """Every chosen parameter."""
        here = self.value()
        directions = []
        for _, parameter in chosen:
            direction = self.rng.standard_normal(parameter.data.shape)
            directions.append(direction / max(float(np.linalg.norm(direction)), 1e-300))
        analytic = [float((gradient_of(p) * v).sum()) for (_, p), v in zip(chosen, directions, strict=True)]
        floor = FLOOR * max(map(abs, analytic))
        found = []
        for (name, parameter), direction, slope in zip(chosen, directions, analytic, strict=True):
            check, error, kind = self._along(name, (), parameter, direction, slope, here, floor)
            entries = self._entries(name, parameter, here, floor, drawn)
            kind = "DIFFERS" if any(entry.kind == "DIFFERS" for entry in entries) else kind
            found.append(ParameterCheck(name, parameter.data.shape, slope, check.numeric, check.left, check.right, error, tuple(entries), kind))
        return found

    def _along(
        self, name: str, index: tuple[int, ...], parameter: Any, direction: np.ndarray, analytic: float, here: float, floor: float
    ) -> tuple[Check, float, str]:
        """One-sided slopes along a direction, at smaller steps too where a kink lies within the first."""
        best: tuple[Check, float, str] | None = None
        for step in SMALLER:
            rounding = 8 * np.finfo(np.float64).eps * self.scale / step
            right = (value_moved(self.value, parameter, step * direction) - here) / step
            left = (here - value_moved(self.value, parameter, -step * direction)) / step
            numeric = (right + left) / 2
            error = relative_error(analytic, numeric, max(floor, rounding / TOLERANCE))
            low, high = sorted((left, right))
            slack = rounding + TOLERANCE * max(abs(low), abs(high), floor)
            bends = high - low > 1e-3 * max(abs(low), abs(high), floor) + 2 * rounding
            kind = "agrees" if error <= TOLERANCE else "kink" if bends and low - slack <= analytic <= high + slack else "DIFFERS"
            if best is None or error < best[1]:
                best = Check(name, index, analytic, right, left), error, kind
            if kind == "agrees":
                break
        assert best is not None
        return best

    def _entries(self, name: str, parameter: Any, here: float, floor: float, drawn: int) -> list[EntryCheck]:
        """The entry with the largest gradient and a few drawn ones, the worst first."""
        gradient = gradient_of(parameter)
        flat = {int(np.abs(gradient).argmax()), *(int(i) for i in self.rng.integers(0, gradient.size, drawn))}
        found = []
        for place in sorted(flat):
            index = tuple(int(i) for i in np.unravel_index(place, gradient.shape))
            direction = np.zeros(gradient.shape)
            direction[index] = 1.0
            analytic = float(gradient[index])
            check, error, kind = self._along(name, index, parameter, direction, analytic, here, floor)
            found.append(EntryCheck(check, float(parameter.data[index]), error, decided=kind))
        return sorted(found, key=lambda entry: -entry.error)

    def sweeps(self, parameters: list[tuple[str, Any]]) -> list[Sweep]:
        """Errors along one direction through all parameters, in float64 and float32."""
        directions = [self.rng.standard_normal(parameter.data.shape) for _, parameter in parameters]
        length = math.sqrt(sum(float((direction**2).sum()) for direction in directions))
        directions = [direction / length for direction in directions]
        analytic = sum(float((gradient_of(p) * v).sum()) for (_, p), v in zip(parameters, directions, strict=True))
        found: dict[tuple[str, str], list[float]] = {}
        start = [parameter.data for _, parameter in parameters]
        for dtype in ("float64", "float32"):
            if dtype == "float32":
                self.model.float()
                start = [parameter.data for _, parameter in parameters]
            here = self.value()
            for step in STEPS:
                up, down = (self._moved(parameters, start, directions, shift) for shift in (step, -step))
                for kind, numeric in (("central", (up - down) / (2 * step)), ("one-sided", (up - here) / step)):
                    found.setdefault((dtype, kind), []).append(relative_error(analytic, numeric, 0.0))
        chosen = (("float64", "central"), ("float64", "one-sided"), ("float32", "central"))
        return [Sweep(*key, STEPS, tuple(found[key])) for key in chosen]

    def _moved(self, parameters: list[tuple[str, Any]], start: list[np.ndarray], directions: list[np.ndarray], shift: float) -> float:
        """The value with all parameters moved; they are put back."""
        try:
            for (_, parameter), original, direction in zip(parameters, start, directions, strict=True):
                parameter.data = (original + shift * direction).astype(original.dtype)
            return self.value()
        finally:
            for (_, parameter), original in zip(parameters, start, strict=True):
                parameter.data = original


def gradient_of(parameter: Any) -> np.ndarray:
    """Its gradient, zeros where none arrived."""
    return np.zeros(parameter.data.shape) if parameter.grad is None else np.asarray(parameter.grad.data, np.float64)
