"""Drawing small numbers for exercises, and running operators on them: every answer and every wrong answer comes from the reference kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from ..registry import OPERATORS
from .exercise_sheet import Blank, Exercise, Step, Trap, same_numbers
from .explain import explain
from .explain_arguments import arguments_for
from .explain_calls import gradients_of, run_operator
from .explanation import Element, Explanation, Part
from .tracetext import plain

__all__ = ["Draw", "array_of", "blank", "element_steps", "exact", "explained", "gradient", "is_sound", "result", "without_idle_traps"]

Choice = TypeVar("Choice")


class Draw:
    """Small whole numbers from one seed."""

    def __init__(self, *seed: int) -> None:
        self.generator = np.random.default_rng(list(seed))

    def whole(self, low: int, high: int) -> int:
        """One number from low to high, both included."""
        return int(self.generator.integers(low, high + 1))

    def choice(self, items: Sequence[Choice]) -> Choice:
        """One of them."""
        return items[self.whole(0, len(items) - 1)]

    def matrix(self, *shape: int, low: int = 0, high: int = 5) -> np.ndarray:
        """Numbers from low to high."""
        return self.generator.integers(low, high + 1, shape).astype(np.float64)

    def distinct(self, *shape: int, below: int = 30) -> np.ndarray:
        """Different numbers from 0 up."""
        return self.generator.choice(below, size=int(np.prod(shape)), replace=False).reshape(shape).astype(np.float64)


def explained(name: str, *arrays: np.ndarray, **options: Any) -> Explanation:
    """The operator taken apart."""
    return explain(name, *arrays, **options)


def result(name: str, *arrays: Any, output: int = 0, **options: Any) -> np.ndarray:
    """What the operator gives, by the reference kernels, without leading axes of length 1."""
    found = run_operator(name, arguments_for(OPERATORS[name], arrays, options, 0)).outputs[output][1].data
    return array_of(found)


def gradient(name: str, *arrays: Any, of: str, grad: np.ndarray, **options: Any) -> np.ndarray:
    """The gradient of one input, by the reference kernels."""
    run = run_operator(name, arguments_for(OPERATORS[name], arrays, options, 0))
    label, output = run.outputs[0]
    return array_of(gradients_of(run, {label: grad.reshape(output.shape)})[of])


def array_of(values: Any) -> np.ndarray:
    """The values without leading axes of length 1; at most two axes are left of an image."""
    array = np.asarray(values)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    return array


def exact(part: Part) -> np.ndarray:
    """A result's numbers, fractions as such."""
    values = np.empty(part.values.size, object)
    values[:] = [element.value for element in part.elements]
    return array_of(values.reshape(part.values.shape))


def element_steps(part: Part, name: str, words: str) -> tuple[Step, ...]:
    """Every element with its numbers put in."""
    kept = array_of(part.values).ndim
    return (Step(words), *(Step("", f"{_place(name, element, kept)} = {_numbers(element)}") for element in part.elements))


def _place(name: str, element: Element, axes: int) -> str:
    index = element.index[len(element.index) - axes :]
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _numbers(element: Element) -> str:
    value = plain(element.value)
    return value if not element.terms or element.numbers == value else f"{element.numbers} = {value}"


def blank(label: str, answer: Any, traps: Sequence[tuple[Any, str]] = (), *, whole: bool = True, is_open: bool = False) -> Blank:
    """A blank; traps are (wrong answer, hint), the likeliest first."""
    return Blank(label, np.asarray(answer), tuple(Trap(np.asarray(wrong), hint) for wrong, hint in traps), whole, is_open)


def is_sound(found: Exercise) -> bool:
    """Whether every likeliest mistake gives a wrong answer, and no matrix is all zeros."""
    for each in found.blanks:
        if each.traps and same_numbers(each.traps[0].answer, each.answer, each.whole):
            return False
        if each.answer.ndim == 2 and not any(each.answer.reshape(-1)):
            return False
    return True


def without_idle_traps(each: Blank) -> tuple[Trap, ...]:
    """The traps that differ from the answer and from those before them."""
    kept: list[Trap] = []
    for trap in each.traps:
        if not any(same_numbers(trap.answer, other, each.whole) for other in (each.answer, *(known.answer for known in kept))):
            kept.append(trap)
    return tuple(kept)
