"""`gradcheck_report` of an operator: entry by entry, with the comparisons that make its kinks."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import TinycnnError, UsageError
from ..nn import Module
from ..registry import OPERATORS, Operator
from ..tensor import Tensor
from .explain import NOT_DIFFERENTIATED, STEP, decision_text
from .explain_arguments import arguments_for
from .explain_calls import arrays_in, gradients_of, numeric_differences, run_operator, traced_leaf
from .explanation import Check
from .gradient_model import model_report
from .gradient_report import EntryCheck, GradientReport, Sweep, relative_error, require_gradient
from .traced import Decision, Traced, recorded_decisions

__all__ = ["gradcheck_report"]

MOST_ENTRIES = 64
SWEPT = 10  # entries whose errors make the curve
STEPS = tuple(10.0**-power for power in range(1, 13))
PROFILE = 10  # points of a kink's picture on each side
FLOOR = 1e-3  # of the largest gradient: below it, an error is measured against this
NEAR = 0.1  # comparisons closer than this to a tie are worth naming

Ties = dict[tuple[str, tuple[int, ...]], list[tuple[float, str]]]


def gradcheck_report(
    subject: str | Module, *arrays: Any, grad: Any = None, seed: int = 0, entries: int = MOST_ENTRIES, **options: Any
) -> GradientReport:
    """Check the gradients of an operator or a network against finite differences, and explain what is seen.

    Formula
    -------
    With f = sum(grad y): numeric = (f(x + h) - f(x - h)) / 2 h; error = |analytic - numeric| / max(|analytic|, |numeric|, floor).

    Parameters
    ----------
    subject : str or Module
        An operator such as "max_pool2d", a network of the package such as "lenet5", or a network itself.
    *arrays : array
        The operator's first arguments; what is not given is drawn. A network takes none: its batch is drawn.
    grad : array, optional
        The upstream gradient, of the result's shape; drawn from the normal distribution if left out, since ones hide mixed-up axes.
    seed : int
        Decides everything drawn.
    entries : int
        How many entries are compared at most; those on ties first, then a drawn sample.
    **options
        The operator's own arguments. Of a network: input_size, batch_size, training, and its builder's options.

    Returns
    -------
    GradientReport
        True if nothing differs.

    Raises
    ------
    UsageError
        For unknown names, an operator without a gradient, or a network too large to be checked.
    TinycnnError
        As the operator raises it.

    Notes
    -----
    At a kink the two one-sided slopes differ, and any value between them is a subgradient: central differences give their mean, which
    nobody uses. Which comparison makes a kink is read off the traced run of the reference kernel. The floor of the error is a thousandth of the
    input's largest gradient.

    References
    ----------
    Griewank and Walther 2008, "Evaluating Derivatives", chapter 3. Press et al. 2007, "Numerical Recipes", section 5.7.

    Examples
    --------
    >>> report = gradcheck_report("max_pool2d", [[1, 3], [3, 2]], kernel_size=2)
    >>> [entry.name for entry in report.kinks]
    ['input[0, 0, 0, 1]', 'input[0, 0, 1, 0]']
    """
    for name, value, least in (("seed", seed, 0), ("entries", entries, 1)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise UsageError(f"gradcheck: {name} {value!r} must be a whole number from {least} up")
    if not isinstance(subject, str) or subject not in OPERATORS:
        if arrays or grad is not None:
            _refuse_arrays(subject)
        return model_report(subject, _unknown, seed=int(seed), entries=int(entries), **options)
    operator = OPERATORS[subject]
    require_gradient(bool(operator.differentiable), subject, "has no gradient: its result is a decision; explain shows how it is made")
    try:
        arguments = arguments_for(operator, arrays, options, int(seed))
    except UsageError as error:
        raise UsageError(str(error).replace("explain:", "gradcheck:")) from error
    return _operator_report(operator, arguments, grad, int(seed), int(entries))


def _refuse_arrays(subject: Any) -> None:
    """A name nobody knows, or a network that was given arrays."""
    from ..models import list_models

    if isinstance(subject, str) and subject not in list_models():
        raise UsageError(f"gradcheck: {_unknown(subject)}")
    raise UsageError("gradcheck: a network's batch and upstream gradient are drawn; give no arrays, but input_size and batch_size")


def _unknown(name: Any) -> str:
    """What to say about a name that is neither operator nor network."""
    from difflib import get_close_matches

    from ..models import list_models

    close = get_close_matches(str(name), [*OPERATORS, *list_models()], n=3, cutoff=0.5)
    offer = f"did you mean {' or '.join(close)}?" if close else "`tinycnn explain --list` names the operators"
    return f"there is no operator or network {name!r}; {offer}"


def _operator_report(operator: Operator, arguments: dict[str, Any], grad: Any, seed: int, most: int) -> GradientReport:
    """The report of one call."""
    name = operator.name
    run = run_operator(name, arguments)
    live = [(label, tensor) for label, tensor in run.outputs if tensor.requires_grad]
    require_gradient(bool(live), name, "has no gradient here: its result does not depend on its inputs")
    rng = np.random.default_rng(seed)
    upstreams = {label: rng.standard_normal(tensor.shape) for label, tensor in live}
    if grad is not None:
        upstreams[live[0][0]] = _given(name, grad, live[0][1].shape)
    gradients = gradients_of(run, upstreams)
    wanted = [label for label in gradients if label.split("[")[0] in operator.differentiable]
    arrays = dict(arrays_in(arguments))
    ties, notes = _ties(name, arguments)
    places = [(label, tuple(index)) for label in wanted for index in np.ndindex(arrays[label].shape)]
    chosen = _chosen(places, ties, most, rng)
    if len(chosen) < len(places):
        notes.append(f"{len(chosen)} of {len(places)} entries were compared: those next to a tie, and a drawn sample; --entries changes how many")
    floors = {label: FLOOR * float(np.abs(gradients[label][np.isfinite(gradients[label])]).max(initial=0.0)) for label in wanted}
    checks = [_entry(operator, arguments, label, index, gradients, floors, upstreams, ties) for label, index in chosen]
    excused = name in NOT_DIFFERENTIATED
    if excused:
        notes.append(NOT_DIFFERENTIATED[name])
    parameters = inspect.signature(operator.function).parameters
    shown = [key if key in {label.split("[")[0] for label in arrays} else f"{key}={arguments[key]!r}" for key in parameters if key in arguments]
    call = f"{name}({', '.join(word for word in shown if not word.startswith('generator='))})"
    report = GradientReport(name, (inspect.getdoc(operator.function) or "").split("\n\n")[0], call, seed, checks, notes=notes, excused=excused)
    report.sweeps = _sweeps(name, arguments, checks, gradients, floors, upstreams)
    near = [entry for entry in checks if not entry.check.kink and 0 < entry.margin < NEAR]
    if near:
        closest = min(near, key=lambda entry: entry.margin)
        words = "1 entry lies" if len(near) == 1 else f"{len(near)} entries lie"
        report.notes.append(
            f"{words} within {NEAR} of a kink, {closest.name} closest ({closest.margin:.1g}): steps beyond that straddle it, "
            "and their quotient mixes both slopes"
        )
    return report


def _given(name: str, grad: Any, shape: tuple[int, ...]) -> np.ndarray:
    try:
        array = np.asarray(grad, np.float64)
    except (ValueError, TypeError):
        raise UsageError("gradcheck: grad is not an array of numbers; give every row as many numbers") from None
    if array.size != math.prod(shape):
        raise UsageError(f"gradcheck: grad has shape {array.shape}, the result of {name} {shape}; they must be equal")
    return array.reshape(shape)


def _ties(name: str, arguments: Mapping[str, Any]) -> tuple[Ties, list[str]]:
    """For each input element the comparisons that it takes part in, the closest first, as (how far from a tie, in words)."""
    found: Ties = {}
    try:
        with recorded_decisions() as decisions:
            run_operator(name, arguments, traced_leaf)
    except TinycnnError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        return {}, [f"{name} does not run on traced numbers ({error}), so the comparisons behind its kinks are not named"]
    for decision in decisions:
        margin = _margin(decision)
        if not margin < NEAR:
            continue
        text = decision_text(decision)
        for side in (decision.left, decision.right):
            for source in side.sources() if isinstance(side, Traced) else ():
                found.setdefault(source, []).append((margin, text))
    return {source: sorted(dict.fromkeys(each)) for source, each in found.items()}, []


def _margin(decision: Decision) -> float:
    left, right = (side.value if isinstance(side, Traced) else side for side in (decision.left, decision.right))
    try:
        return abs(float(left) - float(right))
    except (TypeError, OverflowError):
        return math.inf


def _chosen(
    places: list[tuple[str, tuple[int, ...]]], ties: Ties, most: int, rng: np.random.Generator
) -> list[tuple[str, tuple[int, ...]]]:
    """All entries, or those nearest to ties and a drawn sample of the others, in their order."""
    if len(places) <= most:
        return places
    tied = sorted((place for place in places if place in ties), key=lambda place: ties[place][0][0])[:most]
    others = [place for place in places if place not in tied]
    drawn = [others[int(i)] for i in rng.permutation(len(others))[: most - len(tied)]]
    keep = {*tied, *drawn}
    return [place for place in places if place in keep]


def _entry(
    operator: Operator, arguments: Mapping[str, Any], label: str, index: tuple[int, ...], gradients: Mapping[str, np.ndarray],
    floors: Mapping[str, float], upstreams: Mapping[str, np.ndarray], ties: Ties,
) -> EntryCheck:  # fmt: skip
    """One entry; where it lies on a kink, why, and which outputs bend."""
    value = float(dict(arrays_in(arguments))[label][index])
    step = STEP * max(1.0, abs(value) if math.isfinite(value) else 1.0)
    try:
        right, left, scale = numeric_differences(operator.name, arguments, label, index, upstreams, step)
    except (TinycnnError, ValueError, KeyError):
        right = left = scale = math.nan  # a step leads out of the operator's domain
    check = Check(label, index, float(gradients[label][index]), right, left, scale)
    numeric = check.numeric
    error = relative_error(check.analytic, numeric, floors[label]) if math.isfinite(numeric) else math.nan
    near = ties.get((label, index), [])
    margin = near[0][0] if near else math.inf
    if not check.kink:
        return EntryCheck(check, value, error, margin=margin)
    why = [f"{text}: a tie, the two sides of which have different slopes" for distance, text in near if distance <= step][:4]
    if not why and operator.kinks:
        why = [f"{operator.name} bends at: {operator.kinks}"]
    bent = _bent(operator.name, arguments, label, index, step)
    return EntryCheck(check, value, error, tuple(why), bent, margin, _profile(operator.name, arguments, label, index, upstreams, value))


def _moved(
    name: str, arguments: Mapping[str, Any], label: str, index: tuple[int, ...], shift: float, dtype: Any = np.float64
) -> dict[str, np.ndarray]:
    """The results with one element moved, floats in a precision."""

    def wrap(of: str, array: np.ndarray) -> Tensor:
        copy = array.astype(dtype) if array.dtype.kind == "f" else array.copy()
        if of == label:
            copy[index] += copy.dtype.type(shift)
        return Tensor(copy)

    return {key: tensor.data for key, tensor in run_operator(name, arguments, wrap).outputs}


def _bent(name: str, arguments: Mapping[str, Any], label: str, index: tuple[int, ...], step: float) -> tuple[str, ...]:
    """The elements of the results whose own slopes differ between left and right."""
    try:
        here, up, down = (_moved(name, arguments, label, index, shift) for shift in (0.0, step, -step))
    except (TinycnnError, ValueError):
        return ()
    found = []
    for key, values in here.items():
        if values.dtype.kind == "f" and values.shape == up[key].shape == down[key].shape:
            with np.errstate(all="ignore"):
                bend = np.abs(up[key] + down[key] - 2 * values) / step > 1e-3
            found += [f"{key}[{', '.join(map(str, place))}]" if place else key for place in np.argwhere(bend).tolist()]
    return tuple(found[:6])


def _function(name: str, arguments: Mapping[str, Any], upstreams: Mapping[str, np.ndarray]) -> Callable[..., float]:
    """sum(grad y) with one element moved; the sum itself is in float64."""

    def value(label: str, index: tuple[int, ...], shift: float, dtype: Any = np.float64) -> float:
        results = _moved(name, arguments, label, index, shift, dtype)
        return sum(float((results[key].astype(np.float64) * upstream).sum()) for key, upstream in upstreams.items())

    return value


def _profile(
    name: str, arguments: Mapping[str, Any], label: str, index: tuple[int, ...], upstreams: Mapping[str, np.ndarray], value: float
) -> tuple[tuple[float, float], ...]:
    """What moving the entry adds to sum(grad y), for a picture of its kink."""
    function, reach = _function(name, arguments, upstreams), 0.5 * max(1.0, abs(value))
    points = []
    try:
        here = function(label, index, 0.0)
        for place in range(-PROFILE, PROFILE + 1):
            shift = reach * place / PROFILE
            points.append((shift, function(label, index, shift) - here))
    except (TinycnnError, ValueError):
        return ()
    return tuple(points) if all(math.isfinite(y) for _, y in points) else ()


def _sweeps(
    name: str, arguments: Mapping[str, Any], checks: list[EntryCheck], gradients: Mapping[str, np.ndarray], floors: Mapping[str, float],
    upstreams: Mapping[str, np.ndarray],
) -> list[Sweep]:  # fmt: skip
    """Errors against the step, over smooth entries with a gradient, those far from kinks first."""
    smooth = [entry for entry in checks if entry.kind == "agrees" and entry.check.analytic != 0]
    smooth = sorted(smooth, key=lambda entry: -entry.margin)[:SWEPT]
    if not smooth:
        return []
    function = _function(name, arguments, upstreams)
    errors: dict[tuple[str, str], list[list[float]]] = {}
    for entry in smooth:
        check, floor = entry.check, floors[entry.check.of]
        for dtype in ("float64", "float32"):
            try:
                here = function(check.of, check.index, 0.0, dtype)
                for place, step in enumerate(STEPS):
                    up, down = (function(check.of, check.index, shift, dtype) for shift in (step, -step))
                    quotients = {"central": (up - down) / (2 * step), "one-sided": (up - here) / step}
                    for kind, numeric in quotients.items():
                        rows = errors.setdefault((dtype, kind), [[] for _ in STEPS])
                        rows[place].append(relative_error(check.analytic, numeric, floor) if math.isfinite(numeric) else math.nan)
            except (TinycnnError, ValueError):
                continue  # a large step leads out of the domain
    chosen = (("float64", "central"), ("float64", "one-sided"), ("float32", "central"))
    return [sweep for key in chosen if (sweep := _sweep(*key, errors.get(key, []))) is not None]


def _sweep(dtype: str, kind: str, rows: list[list[float]]) -> Sweep | None:
    """The median of each step, of those that have any finite error."""
    kept = [(step, [error for error in row if math.isfinite(error)]) for step, row in zip(STEPS, rows, strict=False)]
    known = [(step, float(np.median(row))) for step, row in kept if row]
    return Sweep(dtype, kind, tuple(step for step, _ in known), tuple(error for _, error in known)) if len(known) == len(STEPS) else None
