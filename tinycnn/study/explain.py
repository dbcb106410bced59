"""`explain`: one operator on small numbers, every output as its terms, every gradient as its sums, checked by finite differences.

The operator itself runs, with the reference kernels, on numbers that remember their sources (`traced`). Nothing is computed a second time in
another way: what an explanation shows is what ran.
"""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import metrics
from ..errors import ShapeError, TinycnnError, UsageError
from ..registry import OPERATORS, Operator
from .explain_arguments import arguments_for, as_numbers, given_names
from .explain_calls import (
    Run,
    arrays_in,
    gradients_of,
    numeric_differences,
    plain_leaf,
    recorded_calls,
    run_operator,
    traced_leaf,
)
from .explain_tables import tables_for
from .explanation import Check, Element, Explanation, Part, Source, Step, Summand
from .traced import Decision, Traced, counted, number, recorded_decisions, walk
from .traced_array import traced_array
from .tracetext import expression, latex, plain, substituted, summand_texts

__all__ = ["explain"]

MOST_RESULTS = 4096  # elements of one result that are taken apart
MOST_NUMBERS = 400_000  # that are computed on the way
MOST_READ = 100_000  # numbers behind all elements of a result together
MOST_CHECKS = 200  # elements that are moved, fewer where a run computes much:
CHECKED_NUMBERS = 600_000  # that are computed for all of them
STEP = 1e-5  # of finite differences: they err by about its square
NOT_DIFFERENTIATED = {
    "complete_box_iou": "The gradient takes alpha as a constant; finite differences move it too, so they differ.",
    "complete_box_iou_loss": "The gradient takes alpha as a constant; finite differences move it too, so they differ.",
}


def explain(name: str, *arrays: Any, backward: bool = False, grad: Any = None, seed: int = 0, **options: Any) -> Explanation:
    """Take one call of an operator apart: which inputs each output adds up, with which weights, and the gradients likewise.

    Parameters
    ----------
    name : str
        An operator of `tinycnn.functional` or `tinycnn.ops`, such as "conv2d".
    *arrays : array
        Its first arguments. Two-dimensional lists do for images: axes of batch and channel are put before them where the operator wants them.
        What is not given is drawn from a small worked example.
    backward : bool
        Explain the gradients too, and check them by finite differences.
    grad : array, optional
        The upstream gradient, of the shape of the (first) result; 1, 2, 3, ... if left out, so that no two places can be mistaken.
    seed : int
        Decides the drawn numbers.
    **options
        The operator's own arguments by name; one it does not have is refused with the nearest.

    Returns
    -------
    Explanation

    Raises
    ------
    UsageError
        For an operator or argument that does not exist, or arrays too large to be read by anybody.
    TinycnnError
        As the operator raises it.

    Notes
    -----
    The value of every number is exact as long as whole numbers meet only + - * /. Where the result is a decision (an order, a comparison,
    a position), its sources are the inputs that change it when they are moved.

    Examples
    --------
    >>> found = explain("avg_pool2d", [[5, 0, 8, 2], [1, 9, 5, 4]], kernel_size=2)
    >>> print(found.results[0].elements[0].numbers, "=", found.results[0].elements[0].value)
    (5 + 0 + 1 + 9)/4 = 15/4
    """
    operator = _known(name)
    arguments = arguments_for(operator, arrays, options, seed)
    try:
        run, steps, used = recorded_calls(name, arguments)
    except ShapeError as error:
        raise ShapeError(f"{error}{_drawn_text(operator, arguments, arrays, options)}") from error
    except TinycnnError:
        raise
    except (TypeError, ValueError, ZeroDivisionError) as error:
        if not arrays and not options:
            raise
        raise UsageError(f"explain: {name} cannot take this: {error}; `tinycnn explain {name}` shows arguments that do") from error
    total = sum(tensor.data.size for _, tensor in run.outputs)
    if total > MOST_RESULTS:
        raise UsageError(f"explain: {name} gives {total:,} numbers here, too many to read; take smaller arrays or a larger stride")
    found = Explanation(
        operator=name,
        family=operator.family,
        summary=(inspect.getdoc(operator.function) or "").split("\n\n")[0],
        formula=section(operator, "Formula"),
        kinks=operator.kinks,
        call=_call_text(operator, arguments),
        arrays=dict(arrays_in(arguments)),
        options={key: value for key, value in arguments.items() if key not in _array_names(arguments)},
        seed=seed,
        results=[],
    )
    with counted(MOST_NUMBERS) as made:
        traced = run_traced(found, name, arguments, run)
        found.tables = tables_for(found, steps, used)
        if backward or grad is not None:
            computed = made[0] + total + sum(array.size for array in found.arrays.values())
            _backward(found, operator, arguments, run, traced, grad, min(MOST_CHECKS, CHECKED_NUMBERS // (5 * computed + 1)))
    return found


def _drawn_text(operator: Operator, arguments: Mapping[str, Any], arrays: Sequence[Any], options: Mapping[str, Any]) -> str:
    """Which arrays the user has not seen, where they do not fit his own."""
    mine = given_names(operator, arrays, options)
    drawn = [f"{label} {array.shape}" for label, array in arrays_in(arguments) if label.split("[")[0] not in mine] if mine else []
    return f"; {', '.join(drawn)} came from the worked example: give {'it' if len(drawn) == 1 else 'them'} too" if drawn else ""


def _known(name: Any) -> Operator:
    """The operator of that name."""
    from difflib import get_close_matches

    if name in OPERATORS:
        return OPERATORS[name]
    if name in metrics.__all__:
        raise UsageError(
            f"explain: {name} is a metric, not an operator; `tinycnn metrics TABLE` works out those of classes with your numbers put in, "
            "`tinycnn ap DETECTIONS TRUTH --steps` builds a precision-recall curve and its average precision step by step"
        )
    close = get_close_matches(str(name), OPERATORS, n=3, cutoff=0.5)
    offer = f"did you mean {' or '.join(close)}?" if close else "`tinycnn explain --list` names them all"
    raise UsageError(f"explain: there is no operator {name!r}; {offer}")


def section(operator: Operator, title: str) -> str:
    """A section of the operator's docstring, without its heading."""
    text = inspect.getdoc(operator.function) or ""
    match = re.search(rf"^{title}\n-+\n(.*?)(?=\n\n\S[^\n]*\n-{{3,}}|\Z)", text, re.DOTALL | re.MULTILINE)
    return match.group(1).rstrip() if match else ""


def _array_names(arguments: Mapping[str, Any]) -> set[str]:
    return {label.split("[")[0] for label, _ in arrays_in(arguments)} | {"generator"}


def _call_text(operator: Operator, arguments: Mapping[str, Any]) -> str:
    """The call as Python would write it."""
    names = _array_names(arguments)
    parts = [key if key in names else f"{key}={value!r}" for key, value in arguments.items() if key != "generator"]
    return f"{operator.name}({', '.join(parts)})"


def run_traced(found: Explanation, name: str, arguments: Mapping[str, Any], run: Run) -> Run | None:
    """Fill in the results; returns the run on traced numbers, or None where the operator cannot run on them."""
    try:
        with recorded_decisions() as decisions:
            traced = run_operator(name, arguments, traced_leaf)
    except TinycnnError:
        raise
    except (TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        found.notes.append(f"{name} does not run on traced numbers ({error}); sources are found by moving each input")
        traced, decisions = None, []
    histories = {label: tensor.data for label, tensor in traced.outputs} if traced else {}
    for label, tensor in run.outputs:
        history = histories.get(label)
        if history is not None and history.dtype == object and history.shape == tensor.shape:
            found.results.append(part_of(label, label, history))
        else:
            found.results.append(_decided(found, label, name, arguments, tensor.data, decisions))
    return traced


def part_of(name: str, of: str, history: np.ndarray) -> Part:
    """A result of traced numbers, element by element, with the steps that elements share."""
    roots = [value if isinstance(value, Traced) else Traced(value) for value in history.reshape(-1)]
    _require_few(name, roots)
    names = shared_steps(roots)
    nodes = {id(node): node for node in walk(roots)}
    steps = tuple(Step(label, *texts_of(nodes[key], names), nodes[key].value, tuple(nodes[key].sources())) for key, label in names.items())
    elements = []
    for index, root in zip(np.ndindex(history.shape), roots, strict=True):
        terms = root.terms(names)
        summands = tuple(
            Summand(*summand_texts(term, names), term.value, _sources_of((*term.factors, *term.divisors))) for term in terms if len(terms) <= 400
        )
        inside = [names[id(node)] for node in walk([root]) if id(node) in names and node is not root]
        elements.append(Element(index, root.value, *texts_of(root, names), summands, tuple(root.sources()), tuple(inside)))
    values = np.array([float(root.value) for root in roots]).reshape(history.shape)
    return Part(name, of, values, tuple(elements), steps)


def _require_few(name: str, roots: list[Traced]) -> None:
    """Refuse a result whose elements add up, all together, more than anybody reads."""
    left = MOST_READ
    for root in roots:
        for _ in walk([root]):
            left -= 1
        if left < 0:
            raise UsageError(f"explain: more than {MOST_READ:,} numbers stand behind the elements of {name}, too many to read; take smaller arrays")


def texts_of(node: Traced, names: Mapping[int, str]) -> tuple[str, str, str]:
    """In symbols, with numbers, as LaTeX; the node itself is written out even where it has a name."""
    names = {key: label for key, label in names.items() if key != id(node)}
    return expression(node, names), substituted(node, names), latex(node, names)


def _sources_of(nodes: Iterable[Traced]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(node.operands for node in walk(nodes) if node.operation == "source"))


def shared_steps(roots: list[Traced]) -> dict[int, str]:
    """Names for the numbers that are used more than once and are worth one, in the order of computation."""
    uses: dict[int, int] = {}
    order = list(walk(roots))
    for node in order:
        if node.operation != "source":
            for operand in {id(operand) for operand in node.operands if isinstance(operand, Traced)}:
                uses[operand] = uses.get(operand, 0) + 1
    tops = {id(root) for root in roots}
    wanted = {id(node) for node in order if uses.get(id(node), 0) >= 2 and _worth_a_name(node)}
    for node in order:  # what stands under a logarithm, a root or a fraction line, where it is a sum
        below = node.operands[:1] if node.operation in ("log", "sqrt") else node.operands[1:] if node.operation == "/" else ()
        wanted |= {id(operand) for operand in below if operand.operation in ("+", "-")}
    names: dict[int, str] = {}
    for node in order:
        if id(node) in wanted and id(node) not in tops:
            names[id(node)] = f"s{len(names) + 1}"
    return names


def _worth_a_name(node: Traced) -> bool:
    """Sums, quotients and functions are; sources, signs and products of two are not."""
    if node.operation in ("source", "constant", "neg"):
        return False
    return not (node.operation in ("*", "/") and all(operand.operation in ("source", "constant") for operand in node.operands))


def _decided(found: Explanation, label: str, name: str, arguments: Mapping[str, Any], values: np.ndarray, decisions: list[Decision]) -> Part:
    """A result of whole numbers or bools: each with the inputs that change it, and the comparisons where there is one for each."""
    touched = _influences(found, label, name, arguments, values)
    matched = len(decisions) == values.size
    elements = []
    for place, index in enumerate(np.ndindex(values.shape)):
        value = values[index]
        exact = bool(value) if values.dtype == bool else number(value)
        text = str(exact) if values.dtype == bool else plain(exact)
        made = (decision_text(decisions[place]),) if matched else ()
        elements.append(Element(index, exact, made[0] if made else text, text, text, (), tuple(touched.get(index, ())), (), made))
    return Part(label, label, values, tuple(elements), ())


def decision_text(decision: Decision) -> str:
    """A comparison in words: `input[0] = 3 > other[0] = 2: yes`."""
    sides = [expression(side) for side in (decision.left, decision.right)]
    shown = [side if side == plain(value) else f"{side} = {plain(value)}" for side, value in zip(sides, (decision.left, decision.right), strict=True)]
    return f"{shown[0]} {decision.sign} {shown[1]}: {'yes' if decision.outcome else 'no'}"


def _influences(
    explanation: Explanation, label: str, name: str, arguments: Mapping[str, Any], values: np.ndarray
) -> dict[tuple[int, ...], list[Source]]:
    """For each element of a result the input elements that change it when they go above all others, below all, or become NaN."""
    found: dict[tuple[int, ...], list[Source]] = {}
    inputs = sum(array.size for _, array in arrays_in(arguments))
    most = min(MOST_CHECKS, int(MOST_NUMBERS / (inputs + values.size + 1) ** 1.5) + 4)  # runs of operators that compare all with some
    if inputs > most:
        explanation.notes.append(f"what decides {label} was looked for among the first {most} elements of each input")
    for source, array in arrays_in(arguments):
        for index in itertools.islice(np.ndindex(array.shape), most):
            for other in _alternatives(array, index):

                def moved(argument: str, original: np.ndarray, source: str = source, index: tuple[int, ...] = index, other: Any = other) -> Any:
                    copy = original.copy()
                    if argument == source:
                        copy[index] = other
                    return plain_leaf(argument, copy)

                try:
                    changed = dict(run_operator(name, arguments, moved).outputs)[label].data
                except (TinycnnError, ValueError, IndexError, KeyError):
                    continue
                same = changed.shape == values.shape
                for place in np.ndindex(values.shape):
                    differs = not same or not (changed[place] == values[place] or (changed[place] != changed[place]))
                    if differs and (source, index) not in found.setdefault(place, []):
                        found[place].append((source, index))
    return found


def _alternatives(array: np.ndarray, index: tuple[int, ...]) -> list[Any]:
    if array.dtype == bool:
        return [not array[index]]
    if array.dtype.kind in "iu":
        return [array[index] + 1, 0]
    finite = array[np.isfinite(array)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return [high + 1, low - 1, np.nan]


def upstream_for(values: np.ndarray, grad: Any, name: str) -> np.ndarray:
    """The upstream gradient: given, or 1, 2, 3, ..."""
    if grad is None:
        return np.arange(1.0, values.size + 1).reshape(values.shape)
    array = as_numbers("grad", grad).astype(np.float64)
    if array.size == values.size and array.ndim <= values.ndim:
        array = array.reshape(values.shape)
    if array.shape != values.shape:
        raise UsageError(f"explain: grad has shape {array.shape}, the result of {name} {values.shape}; they must be equal")
    return array


def _backward(found: Explanation, operator: Operator, arguments: Mapping[str, Any], run: Run, traced: Run | None, grad: Any, checks: int) -> None:
    """Fill in gradients and checks."""
    live = [label for label, tensor in run.outputs if tensor.requires_grad]
    if not operator.differentiable or not live or traced is None:
        found.notes.append(f"{operator.name} has no gradient here: its result is a decision or a constant")
        return
    plain_tensors = dict(run.outputs)
    upstreams = {label: upstream_for(plain_tensors[label].data, grad if label == live[0] else None, operator.name) for label in live}
    names = {label: "grad" if len(live) == 1 else f"grad_{label}" for label in live}
    for label in live:
        found.arrays[names[label]] = upstreams[label]
    expected = gradients_of(run, upstreams)
    histories = gradients_of(traced, {label: traced_array(names[label], upstreams[label]) for label in live})
    wanted = [label for label in histories if label.split("[")[0] in operator.differentiable]
    for label in wanted:
        found.gradients.append(part_of(f"grad_{label}", label, histories[label]))
    differ = [label for label in wanted if not np.allclose(found_values(found, label), expected[label], rtol=1e-9, atol=1e-9, equal_nan=True)]
    if differ:
        found.notes.append(f"the traced gradient of {', '.join(differ)} differs from the one on floats")
    if operator.name in NOT_DIFFERENTIATED:
        found.notes.append(NOT_DIFFERENTIATED[operator.name])
    _check(found, operator.name, arguments, wanted, upstreams, max(checks, 4))


def found_values(found: Explanation, label: str) -> np.ndarray:
    """The gradient of an input, as floats."""
    return next(part.values for part in found.gradients if part.of == label)


def _check(found: Explanation, name: str, arguments: Mapping[str, Any], wanted: list[str], upstreams: Mapping[str, np.ndarray], most: int) -> None:
    """Finite differences beside every gradient entry, up to a number of them."""
    places = [(label, index) for label in wanted for index in np.ndindex(found.arrays[label].shape)]
    for label, index in places[:most]:
        try:
            step = STEP * max(1.0, abs(float(found.arrays[label][index])))
            right, left, scale = numeric_differences(name, arguments, label, index, upstreams, step)
        except (TinycnnError, ValueError, KeyError):
            right = left = scale = math.nan  # a step leads out of the operator's domain
        found.checks.append(Check(label, index, float(found_values(found, label)[index]), right, left, scale))
    if len(places) > most:
        found.notes.append(f"the first {most} of {len(places)} gradient entries were checked by finite differences")
