"""What all animations share: arrays as panels, indices as places in them, and lines of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..errors import UsageError
from ..tensor import Tensor
from .animation import Panel, Place, cell_text
from .explanation import Element
from .tracetext import plain

__all__ = ["MOST_TERMS", "Grid", "arithmetic", "call_title", "element_name", "grid_of", "reference", "signed"]

MOST_PANELS = 24
MOST_TERMS = 12  # of one sum that are written out


class Grid:
    """An array as panels, one for each place of its leading axes; knows where each element went."""

    def __init__(self, first: int, panels: list[Panel], rank: int, lead: tuple[int, ...]) -> None:
        self.first, self.panels, self.rank, self.lead = first, panels, rank, lead

    def place(self, index: Sequence[int]) -> Place:
        """Panel, row and column of an element."""
        cut = len(index) - self.rank
        which = int(np.ravel_multi_index(tuple(index[:cut]), self.lead)) if cut else 0
        inner = tuple(index[cut:])
        row, column = inner if len(inner) == 2 else (0, inner[0] if inner else 0)
        return (self.first + which, row, column)


def grid_of(
    title: str, array: np.ndarray, rank: int, group: int, first: int, kinds: np.ndarray | None = None, hidden: bool = False, upright: bool = True
) -> Grid:
    """The panels of an array whose last `rank` axes are drawn; `kinds` is of its last axes' shape; hidden numbers are written by frames."""
    rank = min(rank, array.ndim)
    lead, inner = array.shape[: array.ndim - rank], array.shape[array.ndim - rank :]
    count = int(np.prod(lead, dtype=np.int64))
    if count > MOST_PANELS:
        raise UsageError(f"animate: {title} would be {count} grids beside each other; at most {MOST_PANELS} fit on a slide, so take fewer channels")
    rows, columns = inner if rank == 2 else (1, inner[0] if inner else 1)
    flat = array.reshape(count, rows, columns)
    shown = kinds.reshape(rows, columns) if kinds is not None else np.full((rows, columns), "cell")
    panels = []
    for number in range(count):
        index = np.unravel_index(number, lead) if lead else ()
        telling = [int(i) for i, size in zip(index, lead, strict=True) if size > 1]
        words = f"{title} {', '.join(map(str, telling))}" if telling else title
        texts = tuple(tuple("" if hidden else cell_text(value) for value in row) for row in flat[number])
        column = int(index[-2]) if len(index) > 1 and not upright else 0
        place = (int(index[-1]), column) if len(index) else (0, 0)
        if len(index) > 1 and upright:
            place = (number, 0)
        panels.append(Panel(words, group, place, texts, tuple(tuple(map(str, row)) for row in shown)))
    return Grid(first, panels, rank, lead)


def reference(function: Any, *arguments: Any, **options: Any) -> np.ndarray:
    """An operator's result on arrays, by the reference kernels."""
    with kernels.use("reference"):
        result = function(*(Tensor(value) if isinstance(value, np.ndarray) else value for value in arguments), **options)
    return np.asarray(result.data)


def element_name(index: tuple[int, ...], shape: tuple[int, ...], name: str = "y") -> str:
    """An element by the axes that say something: "y[0, 1]" of shape (1, 1, 3, 3)."""
    lead = next((axis for axis, size in enumerate(shape[:-1]) if size > 1 or axis >= len(shape) - 2), 0)
    inner = index[lead:]
    if len(inner) == 2 and shape[lead] == 1 and len(shape) == 3:
        inner = inner[1:]  # one spatial axis behind one channel
    return f"{name}[{', '.join(map(str, inner))}]" if inner else name


def signed(value: Any) -> str:
    """A number, in parentheses where its sign or fraction line would be misread."""
    text = cell_text(value)
    return f"({text})" if text.startswith("-") else text


def arithmetic(element: Element) -> str:
    """The numbers of an element: products with their sign, long sums by channel."""
    if len(element.terms) <= MOST_TERMS:
        text = element.numbers.replace(" * ", "\N{MULTIPLICATION SIGN}")
        return text[1:-1] if text.startswith("(-") and text.count("(") == 1 and text.endswith(")") else text
    sums: dict[str, Any] = {}
    for term in element.terms:
        sources = [source for source in term.sources if source[0] == "input"]
        axis = sources[0][1][1] if sources and len(sources[0][1]) > 2 else 0
        key = f"channel {axis}" if sources else term.sources[0][0] if term.sources else "constant"
        sums[key] = sums.get(key, 0) + term.value
    if len(sums) == 1:
        return element.numbers.replace(" * ", "\N{MULTIPLICATION SIGN}")
    return " + ".join(f"{signed(value)} ({key})" for key, value in sums.items())


def call_title(name: str, shapes: str, options: dict[str, Any], hidden: tuple[str, ...] = ()) -> str:
    """The operator, what was asked, and the sizes: "conv2d, stride 2, padding 1: 5x5 -> 3x3"."""
    words = [
        f"{key} {'x'.join(map(str, value)) if isinstance(value, tuple) else plain(value) if isinstance(value, float) else value}"
        for key, value in options.items()
        if key not in hidden and value is not None and not isinstance(value, np.ndarray)
    ]
    return f"{', '.join([name, *words])}: {shapes}"
