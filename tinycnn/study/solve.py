"""Size arithmetic backwards: which kernel, stride, padding, dilation, output padding or input size gives this output?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

from ..errors import ArgumentError
from ..kernels import sizes
from .shape_axis import FORMULAS, Axis
from .tables import text_table

__all__ = ["Solution", "Solutions", "invert_convolution", "same_padding_of", "solve"]

KINDS = {"conv": "conv", "pool": "pool", "conv_transpose": "transposed"}
UNKNOWNS = ("kernel", "stride", "padding", "dilation", "output_padding")
OTHERS = ("kernel", "stride", "dilation", "output_padding")
SEARCH = {"kernel": range(1, 12), "stride": range(1, 9), "padding": range(12), "dilation": range(1, 5), "output_padding": range(8)}
DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}
MOST = 300_000  # combinations tried
MOST_SIZES = 1000  # input sizes of one combination
LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Solution:
    """One way; `values` are the unknowns, `axis` everything."""

    values: dict[str, int]
    axis: Axis

    def text(self) -> str:
        """The unknowns and the arithmetic."""
        return f"{', '.join(f'{name} {value}' for name, value in self.values.items())}: {self.axis.substitution()}"


@dataclass(frozen=True)
class Solutions:
    """All ways within the searched ranges, smallest first."""

    question: str
    formula: str
    unknown: tuple[str, ...]
    solutions: tuple[Solution, ...]
    searched: dict[str, str]
    notes: tuple[str, ...] = ()

    def text(self, most: int = 40) -> str:
        """For people; of very many solutions the first `most`."""
        lines = [self.question, f"formula   {self.formula}"]
        if self.searched:
            lines.append(f"searched  {', '.join(f'{name} {bounds}' for name, bounds in self.searched.items())}")
        count = len(self.solutions)
        lines.append(f"found     {'nothing' if not count else '1 solution' if count == 1 else f'{count:,} solutions, smallest first'}")
        if count:
            rows = [
                [*map(str, found.values.values()), str(found.axis.output), found.axis.substitution(), _exactness(found)]
                for found in self.solutions[:most]
            ]
            columns = len(self.unknown)
            table = text_table((*(name.replace("_", " ") for name in self.unknown), "output", "why", ""), rows, left=(columns + 1, columns + 2))
            lines += ["", table]
        if count > most:
            lines.append(f"... and {count - most:,} more (--json lists all)")
        return "\n".join([*lines, *(f"note      {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "question": self.question,
            "formula": self.formula,
            "unknown": list(self.unknown),
            "searched": self.searched,
            "solutions": [
                {**found.values, "output": found.axis.output, "tiles": found.axis.leftover == 0, "arithmetic": found.axis.substitution()}
                for found in self.solutions
            ],
            "notes": list(self.notes),
        }


def _exactness(found: Solution) -> str:
    axis = found.axis
    if axis.kind == "transposed":
        return "" if axis.kernel % axis.stride == 0 else "overlaps unevenly"
    return "" if axis.leftover == 0 else f"{axis.leftover} left over"


Number = int | str | Sequence[int] | None


def solve(
    operator: str,
    *,
    size: Number = None,
    output: Number = None,
    kernel: Number = "?",
    stride: Number = None,
    padding: Number = None,
    dilation: Number = None,
    output_padding: Number = None,
    ceil_mode: bool = False,
    exact: bool = False,
) -> Solutions:
    """Find every choice of the unknown numbers that gives the output.

    Formula
    -------
    conv, pool: o = floor((i + 2 p - d (k - 1) - 1) / s) + 1 (ceil with ceil_mode);
    conv_transpose: o = (i - 1) s - 2 p + d (k - 1) + output_padding + 1.

    Parameters
    ----------
    operator : str
        "conv", "pool" or "conv_transpose", along one axis; what holds for one holds for each.
    size, output : int, list of int, or "?"
        Input and output size. `output` may be "same", the input's. One of the two may be unknown ("?", the default).
    kernel, stride, padding, dilation, output_padding : int, list of int, or "?"
        A number, some to choose from, or "?" for a search in a range that the answer states. Left out: kernel is searched, the others are 1, 0, 1, 0.
    ceil_mode : bool
        Of a pooling.
    exact : bool
        Only solutions that leave nothing over (of conv_transpose: whose kernel is a multiple of the stride).

    Returns
    -------
    Solutions

    Raises
    ------
    ArgumentError
        For a number that is none, nothing to search, or more than 300,000 combinations.

    Notes
    -----
    Input sizes are not searched: those that give an output are (o - 1) s - 2 p + d (k - 1) + 1 and the s - 1 after it.
    Where the padding is unknown and no even one exists, uneven ones (before, after) are told, as "same" has them for even kernels.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), relationships 1 to 14.

    Examples
    --------
    >>> [found.values for found in solve("conv", size=224, output=112, kernel=7, stride=2, padding="?").solutions]
    [{'padding': 3}]
    >>> [found.values for found in solve("conv_transpose", size=4, output=8, kernel=3, stride=2, padding=1, output_padding="?").solutions]
    [{'output_padding': 1}]
    >>> [found.values for found in solve("conv", output=16, kernel=3, stride=2, padding=1).solutions]
    [{'size': 31}, {'size': 32}]
    """
    if operator not in KINDS:
        raise ArgumentError(f"solve: operator must be one of {', '.join(KINDS)}, not {operator!r}")
    if operator != "conv_transpose" and output_padding not in (None, 0):
        raise ArgumentError(f"solve: {operator} has no output_padding; leave it out, or ask for conv_transpose")
    keep = output == "same"
    given = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "output_padding": output_padding}
    choices = {name: _choices(name, value, operator) for name, value in given.items()}
    inputs, outputs = _known("size", size), None if keep else _known("output", output)
    unknown = [name for name in UNKNOWNS if len(choices[name]) > 1 or given[name] == "?"]
    if inputs is None and (outputs is None or keep):
        raise ArgumentError("solve: input size and output are both unknown; give one of them, such as size=32")
    if len(inputs or ()) != 1 or (outputs is not None and inputs is None):
        unknown.append("size")
    count = prod(len(choices[name]) for name in UNKNOWNS) * len(inputs or outputs or [1])
    if count > MOST:
        raise ArgumentError(f"solve: {count:,} combinations are more than the {MOST:,} that are tried; give more numbers, or fewer to choose from")
    found = []
    for values in product(*(choices[name] for name in UNKNOWNS)):
        settings = dict(zip(UNKNOWNS, values))
        for axis in _axes(KINDS[operator], settings, inputs, outputs, keep, ceil_mode):
            if axis.allowed and (not exact or axis.fits):
                found.append(
                    Solution(
                        {**{name: settings[name] for name in unknown if name != "size"}, **({"size": axis.size} if "size" in unknown else {})}, axis
                    )
                )
    found.sort(key=lambda each: tuple(each.values.values()))
    searched = {name: f"{choices[name][0]} to {choices[name][-1]}" for name in unknown if name != "size" and given[name] == "?"}
    solved = {tuple(getattr(each.axis, name) for name in OTHERS) for each in found}
    notes = _uneven(KINDS[operator], choices, inputs, outputs, keep, solved) if "padding" in unknown and (keep or not found) else []
    if not found and inputs is not None and outputs is not None:
        notes += _nearest(KINDS[operator], choices, unknown, inputs, outputs, ceil_mode)
    words = _question(operator, size, "the input's" if keep else output, given, ceil_mode)
    formula = FORMULAS["pool, ceil_mode" if ceil_mode else KINDS[operator]]
    return Solutions(words, formula, tuple(unknown), tuple(found), searched, tuple(notes))


def _choices(name: str, value: Number, operator: str) -> list[int]:
    """The numbers to try for one unknown, or the only one."""
    if value == "?":
        return list(SEARCH[name]) if name != "output_padding" or operator == "conv_transpose" else [0]
    if value is None:
        return [DEFAULTS[name]] if name in DEFAULTS else list(SEARCH[name])
    return _numbers(name, value, 0 if "padding" in name else 1)


def _known(name: str, value: Number) -> list[int] | None:
    """Sizes that are given, or None for an unknown."""
    return None if value is None or value == "?" else _numbers(name, value, 1)


def _numbers(name: str, value: Any, least: int) -> list[int]:
    values = list(value) if isinstance(value, Sequence | range) and not isinstance(value, str) else [value]
    for number in values:
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= LARGEST:
            raise ArgumentError(f'solve: {name} must be a whole number from {least} to {LARGEST}, some of them, or "?", not {number!r}')
    if not values:
        raise ArgumentError(f'solve: {name} has no numbers to choose from; give some, or "?"')
    return sorted(set(values))


def _axes(kind: str, settings: dict[str, int], inputs: list[int] | None, outputs: list[int] | None, keep: bool, ceil_mode: bool) -> Iterator[Axis]:
    """The axes with these settings that have a wanted output."""
    k, s, p, d, behind = (settings[name] for name in UNKNOWNS)

    def axis(size: int) -> Axis:
        return Axis(kind, "size", size, k, s, p, p, d, behind, ceil_mode)

    if inputs is not None:
        for size in inputs:
            one = axis(size)
            if (one.output == size) if keep else outputs is None or one.output in outputs:
                yield one
        return
    for wanted in outputs or []:
        if kind == "transposed":
            # The convolution that this one transposes has the input size for its output.
            low = high = sizes.conv_output_size(wanted - behind, k, s, p, p, d)
        else:
            low = sizes.conv_transpose_output_size(wanted, k, s, p, p, d, 0)
            low, high = (low - s + 1, low + s) if ceil_mode else (low, low + s - 1)
            if s > MOST_SIZES:
                sizes_text = f"all input sizes from {max(low, 1)} to {high} give {wanted}"
                raise ArgumentError(f"solve: with stride {s} {sizes_text}, too many to list; use a stride up to {MOST_SIZES}")
        for size in range(max(low, 1), min(high, LARGEST) + 1):
            one = axis(size)
            if one.output == wanted:
                yield one


def _uneven(
    kind: str, choices: dict[str, list[int]], inputs: list[int] | None, outputs: list[int] | None, keep: bool, solved: set[tuple[int, ...]]
) -> list[str]:
    """Where no even padding does: the uneven ones, before and after."""
    notes: list[str] = []
    for k, s, d, behind in product(*(choices[name] for name in OTHERS)):
        if (k, s, d, behind) in solved:
            continue
        for size in inputs or []:
            for total in range(1, 2 * SEARCH["padding"].stop, 2):
                smaller = total // 2
                axis = Axis(kind, "size", size, k, s, smaller, total - smaller, d, behind)
                if axis.allowed and (axis.output == size if keep else outputs is not None and axis.output in outputs):
                    notes.append(
                        f"kernel {k}, stride {s}: no even padding does, an uneven one does: {smaller} before and {total - smaller} after "
                        f'(PyTorch "same", TensorFlow SAME, ONNX SAME_UPPER) or {total - smaller} before and {smaller} after (ONNX SAME_LOWER): '
                        f"{axis.arithmetic()}"
                    )
                    break
            if len(notes) == 5:
                return notes
    return notes


def _nearest(kind: str, choices: dict[str, list[int]], unknown: list[str], inputs: list[int], outputs: list[int], ceil_mode: bool) -> list[str]:
    """The output nearest to a wanted one, where none of the choices gives one."""
    best: tuple[int, str] | None = None
    for values in product(*(choices[name] for name in UNKNOWNS)):
        settings = dict(zip(UNKNOWNS, values))
        for axis in _axes(kind, settings, inputs, None, False, ceil_mode):
            distance = min(abs(axis.output - wanted) for wanted in outputs)
            if axis.allowed and (best is None or distance < best[0]):
                shown = {name: settings.get(name, axis.size) for name in unknown}
                best = distance, f"the nearest output is {axis.output}: {', '.join(f'{name} {value}' for name, value in shown.items())}".rstrip(": ")
    return [] if best is None or not best[0] else [best[1]]


def _question(operator: str, size: Number, output: Number, given: dict[str, Number], ceil_mode: bool) -> str:
    shown = {"size": size if size is not None else "?", "output": output if output is not None else "?"}
    for name, value in given.items():
        if name != "output_padding" or operator == "conv_transpose":
            shown[name] = DEFAULTS.get(name, "?") if value is None else value
    parts = {name: value if isinstance(value, int | str) else _listed(list(value)) for name, value in shown.items() if value is not None}
    numbers = ", ".join(f"{name} {value}" for name, value in parts.items())
    return f"{operator}: {numbers}{', ceil_mode' if ceil_mode else ''}"


def _listed(values: list[int]) -> str:
    """Choices in words: a range, or one after the other."""
    if len(values) > 2 and values == list(range(values[0], values[-1] + 1)):
        return f"{values[0]} to {values[-1]}"
    return " or ".join(map(str, values[:20])) + (" ..." if len(values) > 20 else "")


def same_padding_of(kernel: int, dilation: int = 1) -> str:
    """Which padding keeps the size, in one sentence: (span - 1) / 2 on each side, or uneven ones where the span is even.

    Examples
    --------
    >>> same_padding_of(3), same_padding_of(7)
    ('kernel 3: padding 1 on each side keeps every size: (3 - 1)/2 = 1', 'kernel 7: padding 3 on each side keeps every size: (7 - 1)/2 = 3')
    >>> same_padding_of(2).split(" (PyTorch")[0]
    'kernel 2: (2 - 1)/2 = 0.5 is no whole number; 0 before and 1 after keeps every size'
    """
    for name, number in (("kernel", kernel), ("dilation", dilation)):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= LARGEST:
            raise ArgumentError(f"same_padding_of: {name} must be a whole number from 1 up, not {number!r}")
    before, after = sizes.same_padding(1, kernel, 1, dilation, "same")
    span = sizes.effective_kernel(kernel, dilation)
    words = f"kernel {kernel}" if dilation == 1 else f"kernel {kernel}, dilation {dilation}, span {span}"
    if before == after:
        return f"{words}: padding {before} on each side keeps every size: ({span} - 1)/2 = {before}"
    return (
        f"{words}: ({span} - 1)/2 = {before}.5 is no whole number; {before} before and {after} after keeps every size "
        f'(PyTorch "same", TensorFlow SAME), or {after} before and {before} after (ONNX SAME_LOWER)'
    )


def invert_convolution(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Solutions:
    """The transposed convolution that brings a convolution's output back to its input size.

    Parameters
    ----------
    size, kernel, stride, padding, dilation : int
        Of the convolution.

    Returns
    -------
    Solutions
        One: the output_padding; its notes tell the sizes that the convolution cannot tell apart.

    Raises
    ------
    ArgumentError
        If the convolution itself does not fit.

    Notes
    -----
    The sizes come back, the values do not: a transposed convolution is not an inverse.

    Examples
    --------
    >>> print(invert_convolution(8, 3, 2, 1).solutions[0].text())
    output_padding 1: (4 - 1)*2 - 2*1 + 3 + 1 = 8
    """
    values = {"size": size, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    for name, number in values.items():
        _numbers(name, number, 0 if name == "padding" else 1)
    down = Axis("conv", "size", size, kernel, stride, padding, padding, dilation)
    if down.output < 1:
        raise ArgumentError(f"invert_convolution: the convolution itself {down.verdict()}; use a smaller kernel or more padding")
    up = Axis("transposed", "size", down.output, kernel, stride, padding, padding, dilation)
    behind = size - up.output
    up = replace(up, output_padding=behind)
    low = size - behind
    notes = [f"the convolution: {down.substitution()}"]
    if stride > 1:
        first = max(low, 1)
        notes.append(f"sizes {first} to {low + stride - 1} all give {down.output}: output_padding 0 to {stride - 1} chooses which one comes back")
    else:
        notes.append("with stride 1 every output has one input size: output_padding is 0")
    question = f"conv_transpose that undoes the size of conv: size {size}, kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}"
    return Solutions(question, FORMULAS["transposed"], ("output_padding",), (Solution({"output_padding": behind}, up),), {}, tuple(notes))
