"""Sizes on their way through a stack of layers that is written as text: "conv 5x5x6 s1 p2 | maxpool 2 | flatten | linear 10"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ArgumentError, ShapeError, TinycnnError, UsageError
from ..kernels import sizes
from .shape import operator_named, shape
from .shape_answer import ShapeAnswer
from .shape_axis import Axis
from .tables import count_text, shape_text, text_table

__all__ = ["ShapeFlow", "StackLayer", "parse_stack", "shape_flow"]

KEEPS = (
    "relu", "relu6", "leakyrelu", "prelu", "elu", "gelu", "silu", "swish", "mish", "hardswish", "sigmoid", "tanh", "softmax", "dropout", "dropout2d",
    "bn", "batchnorm", "batchnorm2d", "gn", "groupnorm", "ln", "layernorm", "instancenorm", "lrn", "identity",
)  # fmt: skip
GLOBAL = ("gap", "globalavgpool", "globalpool", "gmp", "globalmaxpool")
OPTIONS = {"s": "stride", "p": "padding", "d": "dilation", "g": "groups", "f": "filters", "k": "kernel_size", "op": "output_padding"}
NAMES = ("same", "same_tf", "same_lower", "valid", "full", "causal")
LONGEST = 1000  # layers
EXAMPLE = '"conv 5x5x6 s1 p2 | maxpool 2 | conv 5x5x16 | maxpool 2 | flatten | linear 120"'


@dataclass(frozen=True)
class StackLayer:
    """One layer of the text: its words, the operator ("keep" for what changes no size), the options of `shape`, and an input number it insists on."""

    text: str
    operator: str
    options: dict[str, Any]
    takes: int | None = None


@dataclass(frozen=True)
class FlowStep:
    """One layer and what comes out of it."""

    layer: StackLayer
    output: tuple[int, ...]
    arithmetic: str
    parameters: int
    remarks: tuple[str, ...] = ()
    shrinks: bool = False


@dataclass(frozen=True)
class ShapeFlow:
    """The steps as far as they go; `failure` says why no further, `warnings` what is legal and rarely meant."""

    input: tuple[int, ...]
    steps: tuple[FlowStep, ...]
    warnings: tuple[str, ...]
    failure: str | None
    fixes: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether every layer ran."""
        return self.failure is None

    @property
    def flatten_features(self) -> int | None:
        """The numbers a sample that the first flatten gives: the in_features of the linear layer behind it."""
        return next((step.output[-1] for step in self.steps if step.layer.operator == "flatten"), None)

    def path(self) -> str:
        """The sizes where they change: "3x32x32 -> 6x28x28 -> ..."."""
        sizes = [self.input]
        for step in self.steps:
            if step.output != sizes[-1]:
                sizes.append(step.output)
        return " -> ".join(map(shape_text, sizes))

    def text(self) -> str:
        """For people."""
        rows = [["", "input", shape_text(self.input), f"{math.prod(self.input):,}", "", ""]]
        for number, step in enumerate(self.steps, start=1):
            cells = [
                str(number),
                step.layer.text,
                shape_text(step.output),
                f"{math.prod(step.output):,}",
                count_text(step.parameters),
                step.arithmetic,
            ]
            rows.append(cells)
        lines = [text_table(("", "layer", "output", "numbers", "parameters", "why"), rows, left=(1, 5))]
        total = sum(step.parameters for step in self.steps)
        lines += ["", f"path      {self.path()}", f"in all    {total:,} parameters"]
        if self.flatten_features is not None:
            lines.append(f"flatten   the linear layer behind it needs in_features={self.flatten_features}")
        lines += [f"warning   {warning}" for warning in self.warnings]
        if self.failure is not None:
            lines += [f"stops     {self.failure}", *(f"  fix     {fix}" for fix in self.fixes)]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "input": list(self.input),
            "fits": self.fits,
            "layers": [
                {
                    "layer": step.layer.text,
                    "operator": step.layer.operator,
                    "output": list(step.output),
                    "parameters": step.parameters,
                    "arithmetic": step.arithmetic,
                    "remarks": list(step.remarks),
                }
                for step in self.steps
            ],
            "path": self.path(),
            "parameters": sum(step.parameters for step in self.steps),
            "flatten_features": self.flatten_features,
            "warnings": list(self.warnings),
            "failure": self.failure,
            "fixes": list(self.fixes),
        }


def parse_stack(text: str) -> list[StackLayer]:
    """The layers of a text, separated by | or ; or line breaks.

    A layer is a name, then its numbers: `conv 5x5x6` is a 5x5 kernel with 6 filters, `conv 3 f64 s2 p1 d1 g1` the same spelt out, `p1,2` height and
    width apart, `same`, `valid` ... by name; `maxpool 3 s2 p1 ceil`, `avgpool 2`, `deconv 4x4x8 s2 p1 op1`, `unpool 2`, `adaptiveavgpool 6`, `gap`,
    `pad 2`, `upsample 2`, `pixelshuffle 2`, `flatten`, `linear 120` or, to have the number checked, `linear 400->120`; relu, bn, dropout and
    their like keep the size. A number after a name with 1d or 3d (`conv1d 3 f8`) goes for that many axes.

    Raises
    ------
    UsageError
        For a word that means nothing, with what to write.

    Examples
    --------
    >>> [(layer.operator, layer.options) for layer in parse_stack("conv 5x5x6 s1 p2 | relu | maxpool 2")]
    [('conv2d', {'kernel_size': (5, 5), 'filters': 6, 'stride': 1, 'padding': 2}), ('keep', {}), ('max_pool2d', {'kernel_size': 2})]
    """
    pieces = [piece.strip() for piece in re.split(r"[|;\n]", text)]
    if not any(pieces):
        raise UsageError(f"the stack is empty; write layers with | between them, such as {EXAMPLE}")
    if len(pieces) > LONGEST:
        raise UsageError(f"the stack has {len(pieces):,} layers; write at most {LONGEST:,}")
    if "" in pieces:
        raise UsageError(f"layer {pieces.index('') + 1} of the stack is empty; write a layer between any two |, such as {EXAMPLE}")
    return [_layer(number, piece) for number, piece in enumerate(pieces, start=1)]


def _layer(number: int, text: str) -> StackLayer:
    name, *words = text.split()
    plain = re.sub(r"[_-]", "", name.lower())
    if plain in KEEPS:
        return StackLayer(text, "keep", {})
    if plain in GLOBAL:
        return StackLayer(text, "adaptive_avg_pool2d" if "a" in plain else "adaptive_max_pool2d", {"output_size": 1})
    try:
        operator = operator_named(name)
    except ArgumentError as error:
        raise UsageError(
            f"layer {number} of the stack, {text[:60]!r}: there is no layer {name[:40]!r}; "
            f"write conv, deconv, maxpool, avgpool, lppool, adaptiveavgpool, "
            f"gap, unpool, pad, upsample, pixelshuffle, flatten, linear, or what keeps the size (relu, bn, dropout ...), such as {EXAMPLE}"
        ) from error
    layer = StackLayer(text, operator, {})
    for word in words:
        layer = _with_word(number, layer, word)
    return layer


def _with_word(number: int, layer: StackLayer, word: str) -> StackLayer:
    """The layer with one more of its words understood."""
    low = word.lower()
    if low in NAMES:
        return replace(layer, options={**layer.options, "padding": low})
    if low in ("ceil", "ceil_mode"):
        return replace(layer, options={**layer.options, "ceil_mode": True})
    taken = re.fullmatch(r"(\d+)->(\d+)", low)
    if taken and layer.operator == "linear":
        return replace(layer, takes=_number(number, layer, taken[1]), options={"filters": _number(number, layer, taken[2])})
    option = re.fullmatch(r"(op|[spdgfk])=?(\d+(?:[x,]\d+)*)", low)
    if option:
        values = tuple(_number(number, layer, part) for part in re.split("[x,]", option[2]))
        return replace(layer, options={**layer.options, OPTIONS[option[1]]: values[0] if len(values) == 1 else values})
    if re.fullmatch(r"\d+(?:[x,]\d+)*", low):
        return replace(
            layer, options={**layer.options, **_bare(number, layer, tuple(_number(number, layer, part) for part in re.split("[x,]", low)))}
        )
    if layer.operator == "interpolate" and re.fullmatch(r"\d*\.\d+", low):
        return replace(layer, options={"scale_factor": float(low)})
    raise UsageError(
        f"layer {number} of the stack, {layer.text[:60]!r}: {word[:40]!r} means nothing here; "
        "write a kernel (5, 5x5 or 5x5x6 with filters), s2, p1, d2, g4, f16, op1, "
        "same, valid or ceil"
    )


def _number(number: int, layer: StackLayer, digits: str) -> int:
    if len(digits) > 10 or int(digits) >= 2**31:
        raise UsageError(
            f"layer {number} of the stack, {layer.text[:60]!r}: {digits[:20]} is more than an axis can hold; write a number below {2**31}"
        )
    return int(digits)


def _bare(number: int, layer: StackLayer, values: tuple[int, ...]) -> dict[str, Any]:
    """What numbers without a letter stand for."""
    operator = layer.operator
    one = values[0] if len(values) == 1 else values
    if operator == "linear":
        return {"filters": values[0]}
    if operator == "pad":
        return {"padding": one}
    if operator.startswith("adaptive") or operator == "fold":
        return {"output_size": one}
    if operator in ("interpolate", "pixel_shuffle", "pixel_unshuffle"):
        return {"scale_factor": one}
    if operator == "flatten":
        raise UsageError(f"layer {number} of the stack, {layer.text!r}: flatten takes no number; write flatten alone")
    rank = 2 if operator in ("unfold",) else int(operator[-2])
    if operator.startswith("conv") and len(values) == rank + 1:
        kernel = values[:-1]
        return {"kernel_size": kernel if rank > 1 else kernel[0], "filters": values[-1]}
    return {"kernel_size": one}


def shape_flow(stack: str | list[StackLayer], input_size: tuple[int, ...]) -> ShapeFlow:
    """Follow the sizes through a stack, layer by layer.

    Parameters
    ----------
    stack : str or list of StackLayer
        As `parse_stack` reads it.
    input_size : tuple of int
        (channels, height, width) of one sample; (channels, length) or four numbers for stacks of 1d or 3d layers; (features,) for linear ones.

    Returns
    -------
    ShapeFlow
        Warnings: maps that vanish, rows that no window reads, a linear layer with another number of inputs. A layer that does not fit ends
        the flow and is told with the sizes up to there and its nearest fixes.

    Raises
    ------
    UsageError
        For a text that is no stack. ShapeError: an input size that is none.

    Examples
    --------
    >>> flow = shape_flow("conv 5x5x6 | relu | maxpool 2 | flatten | linear 999->10", (3, 32, 32))
    >>> flow.path()
    '3x32x32 -> 6x28x28 -> 6x14x14 -> 1176'
    >>> flow.failure
    'layer 5, linear 999->10: takes 999 numbers but gets 1176 = 6*14*14; write in_features=1176; the sizes are 3x32x32 -> 6x28x28 -> 6x14x14 -> 1176'
    """
    layers = parse_stack(stack) if isinstance(stack, str) else stack
    if not input_size or any(isinstance(size, bool) or not isinstance(size, int) or not 1 <= size < 2**31 for size in input_size):
        raise ShapeError(f"shape_flow: input_size must be whole numbers from 1 up, such as (3, 32, 32), not {input_size!r}")
    current = tuple(input_size)
    steps: list[FlowStep] = []
    warnings: list[str] = []
    before_flatten: tuple[int, ...] = ()
    for number, layer in enumerate(layers, start=1):
        done = ShapeFlow(tuple(input_size), tuple(steps), tuple(warnings), None)
        where = f"layer {number}, {layer.text}"
        wrong = _linear_mismatch(layer, current, before_flatten)
        if wrong:
            fix = f"{'flatten | ' if len(current) > 1 else ''}linear {math.prod(current)}->{layer.options['filters']}"
            return replace(done, failure=f"{where}: {wrong}; the sizes are {done.path()}", fixes=(fix,))
        try:
            step, answer = _step(layer, current)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
        except TinycnnError as error:
            return replace(done, failure=f"{where}: {error}; the sizes are {done.path()}")
        if step is None:
            assert answer is not None
            fixes = tuple(dict.fromkeys(fix.text() for _, fix in answer.fixes))[:4]
            return replace(done, failure=f"{where}: {answer.verdicts[0][1]}; the sizes are {done.path()}", fixes=fixes)
        warnings += [f"{where}: {remark}" for remark in (*step.remarks, *_shrinking(answer, steps))]
        before_flatten = current if layer.operator == "flatten" else before_flatten
        current = step.output
        steps.append(step)
    return ShapeFlow(tuple(input_size), tuple(steps), tuple(warnings), None)


def _linear_mismatch(layer: StackLayer, current: tuple[int, ...], before_flatten: tuple[int, ...]) -> str:
    """Why a linear layer cannot take what it gets."""
    if layer.operator != "linear" or "filters" not in layer.options:
        return ""
    if len(current) > 1:
        return f"gets maps of {shape_text(current)}; write flatten before it, which makes {math.prod(current)} numbers of them"
    if layer.takes is not None and layer.takes != current[-1]:
        product = f" = {'*'.join(map(str, before_flatten))}" if math.prod(before_flatten or (0,)) == current[-1] else ""
        return f"takes {layer.takes} numbers but gets {current[-1]}{product}; write in_features={current[-1]}"
    return ""


def _step(layer: StackLayer, current: tuple[int, ...]) -> tuple[FlowStep | None, ShapeAnswer | None]:
    """One layer run on sizes; no step where it refuses."""
    if layer.operator == "keep":
        plain = layer.text.split()[0].lower()
        normalises = plain.startswith(("bn", "batchnorm", "gn", "groupnorm"))
        parameters = 2 * current[0] if normalises else 0
        return FlowStep(layer, current, "keeps the size", parameters), None
    if layer.operator not in ("flatten", "linear") and len(current) < 2:
        raise ShapeError(f"gets {current[0]} numbers without height and width; put it before the flatten")
    rank = layer.operator[-2] if layer.operator.endswith(("1d", "2d", "3d")) else ""
    if rank and len(current) != int(rank) + 1:
        name = layer.text.split()[0]
        raise ShapeError(
            f"gets {shape_text(current)}, but a layer of {rank} spatial axes takes channels and {rank} more; "
            f"write {name}1d, {name}2d or {name}3d as fits"
        )
    if layer.operator.startswith("conv") and "filters" not in layer.options:
        raise UsageError("the number of filters is missing; write it as the last of 5x5x6, or as f6")
    answer = shape(layer.operator, current, **layer.options)
    if answer.output is None:
        return None, answer
    arithmetic = "; ".join(f"{step}" if len(answer.steps) == 1 else f"{words}: {step}" for words, step in answer.steps)
    lost = tuple(f"{words} {verdict}".strip() for words, verdict in answer.verdicts if _worth(verdict))
    return FlowStep(layer, answer.output, arithmetic, answer.parameters or 0, lost, bool(_tight(answer))), answer


def _worth(verdict: str) -> bool:
    """Whether a verdict says more than that it fits."""
    return not verdict.startswith(("tiles:", "fits:")) and verdict not in ("tiles", "fits")


def _tight(answer: ShapeAnswer | None) -> list[Axis]:
    """The axes along which an unpadded convolution of stride 1 takes rows away."""
    if answer is None or not answer.operator.startswith("conv") or not answer.axes or answer.axes[0].kind != "conv":
        return []
    return [axis for axis in answer.axes if axis.span > 1 and not axis.before and not axis.after and axis.stride == 1]


def _shrinking(answer: ShapeAnswer | None, steps: list[FlowStep]) -> list[str]:
    """Unpadded convolutions in a row, or one that nearly nothing is left of: after how many more like it the maps have vanished."""
    tight = _tight(answer)
    if not tight:
        return []
    axis = min(tight, key=lambda each: each.output)
    more = (axis.output - 1) // (axis.span - 1)
    chain = [step for step in steps if step.layer.operator != "keep"]
    if more > 1 and not (chain and chain[-1].shrinks):
        return []
    left = "no further layer like it fits" if more == 0 else f"after {more} more like it no further one fits"
    keep = sizes.same_padding(axis.size, axis.kernel, 1, axis.dilation, "same")
    pads = f"padding {keep[0]}" if keep[0] == keep[1] else f"padding {keep}"
    return [f"maps vanish: the {axis.word} goes {axis.size} -> {axis.output}, {axis.span - 1} less each time, and {left}; {pads} keeps the size"]
