"""The layers of a network in integers: int8 in, int8 out, by the integer kernels. Between the first and the last of them nothing is a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ... import kernels
from ...autograd import no_grad
from ...tensor import Tensor
from ..recording import tensors_in
from .affine import Affine, affine_of_weight, fixed_point, levels
from .program import Slot, Step, call, filled

__all__ = ["Add", "AveragePool", "Concatenate", "Convolution", "FloatStep", "IntegerLayer", "Linear", "MaxPool", "Move", "Table", "Weighted"]


@dataclass(kw_only=True)
class IntegerLayer:
    """One step: which slots it reads and fills, and how it is called in print."""

    form: ClassVar[str] = "int8"  # "table": 256 answers looked up; "move": the same integers elsewhere; "float": back to floats for one step
    name: str
    operator: str
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The integers of the outputs."""
        raise NotImplementedError

    @property
    def kept(self) -> list[np.ndarray]:
        """The arrays that the layer needs: its memory."""
        return []


@dataclass(kw_only=True)
class Weighted(IntegerLayer):
    """What a convolution and a linear layer have in common.

    Formula
    -------
    y = clamp(zero_y + round(M[o] (bias[o] + sum (x - zero_x) weight[o]))), M[o] = scale_x scale_w[o] / scale_y as multiplier / 2^shift.
    """

    weight: np.ndarray  # int8, zero point 0
    bias: np.ndarray  # int32, at the scale of the products
    weight_scale: np.ndarray  # one a filter; for people, the arithmetic has the next two
    multiplier: np.ndarray
    shift: np.ndarray
    source: Affine
    result: Affine

    @property
    def kept(self) -> list[np.ndarray]:
        """Weights, sums to start from, and the two integers a filter."""
        return [self.weight, self.bias, self.multiplier, self.shift]

    def numbers(self) -> tuple[Any, ...]:
        """What both kernels take behind the weights."""
        none = np.zeros(len(self.weight), np.int32)
        return self.bias, self.source.zero, none, self.multiplier, self.shift, self.result.zero, self.result.low, self.result.high


@dataclass(kw_only=True)
class Convolution(Weighted):
    """A convolution, the rectifier behind it in its clamp."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """By the kernel `quantized_conv2d`."""
        convolve = kernels.select("quantized_conv2d", given[0])
        return (convolve(given[0], self.weight, *self.numbers(), self.stride, self.padding, self.dilation, self.groups),)


@dataclass(kw_only=True)
class Linear(Weighted):
    """A fully connected layer."""

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """By the kernel `quantized_linear`, on rows."""
        rows = given[0].reshape(-1, given[0].shape[-1])
        result = kernels.select("quantized_linear", rows)(rows, self.weight, *self.numbers())
        return (result.reshape(*given[0].shape[:-1], len(self.weight)),)


def weighted_parts(weight: np.ndarray, bias: np.ndarray | None, source: Affine, result: Affine, per_channel: bool, bits: int) -> dict[str, Any]:
    """The integers of a layer's weights and bias, and its factors."""
    wide = weight.astype(np.float64)
    offset = np.zeros(len(weight)) if bias is None else bias.astype(np.float64)
    scale = affine_of_weight(wide, offset, source.scale, per_channel, bits)
    most = levels(bits)[1]
    integers = kernels.select("quantize", wide)(wide, scale, np.zeros(len(scale), np.int32), -most, most)
    multiplier, shift = fixed_point(source.scale * scale / result.scale)
    sums = np.rint(offset / (source.scale * scale)).astype(np.int32)
    parts = {"weight": integers, "bias": sums, "weight_scale": scale, "multiplier": multiplier, "shift": shift}
    return {**parts, "source": source, "result": result}


@dataclass(kw_only=True)
class Add(IntegerLayer):
    """A sum, each operand brought to the result's scale within one rounding."""

    first: Affine
    second: Affine
    result: Affine

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """By the kernel `quantized_add`."""
        multipliers, shift = shared_fixed_point(self.first.scale / self.result.scale, self.second.scale / self.result.scale)
        add = kernels.select("quantized_add", given[0])
        y = self.result
        return (add(given[0], given[1], self.first.zero, self.second.zero, *multipliers, shift, y.zero, y.low, y.high),)


def shared_fixed_point(first: float, second: float) -> tuple[tuple[int, int], int]:
    """Two factors as multipliers over one power of two; the larger has 31 bits.

    Examples
    --------
    >>> shared_fixed_point(0.5, 0.25)
    ((1073741824, 536870912), 31)
    """
    multiplier, shift = fixed_point(np.array([max(first, second)]))
    ratio = min(first, second) / max(first, second)
    large, small = int(multiplier[0]), round(ratio * int(multiplier[0]))
    return ((large, small) if first >= second else (small, large)), int(shift[0])


@dataclass(kw_only=True)
class Concatenate(IntegerLayer):
    """Maps behind each other, each brought to the common scale first."""

    sources: tuple[Affine, ...]
    result: Affine
    axis: int

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """A sum with nothing changes the scale."""
        return (np.concatenate([rescaled(q, own, self.result) for q, own in zip(given, self.sources, strict=True)], self.axis),)


def rescaled(q: np.ndarray, source: Affine, result: Affine) -> np.ndarray:
    """The same real numbers at another scale."""
    if source == result:
        return q
    multiplier, shift = fixed_point(np.array([source.scale / result.scale]))
    add = kernels.select("quantized_add", q)
    return np.asarray(add(q, q, source.zero, 0, int(multiplier[0]), 0, int(shift[0]), result.zero, result.low, result.high))


@dataclass(kw_only=True)
class MaxPool(IntegerLayer):
    """The largest integer is the largest number: no scale is needed."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    behind: tuple[int, int]  # rows and columns that ceil_mode adds

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """By the kernel `quantized_max_pool2d`."""
        return (kernels.select("quantized_max_pool2d", given[0])(given[0], self.kernel_size, self.stride, self.padding, self.behind),)


@dataclass(kw_only=True)
class AveragePool(IntegerLayer):
    """A sum over the window; the division is in the factor."""

    source: Affine
    result: Affine
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    divisor: int
    shape: tuple[int, ...]  # of one result

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """By the kernel `quantized_avg_pool2d`."""
        multiplier, shift = fixed_point(np.array([self.source.scale / (self.result.scale * self.divisor)]))
        pool = kernels.select("quantized_avg_pool2d", given[0])
        y = pool(given[0], self.source.zero, int(multiplier[0]), int(shift[0]), self.result.zero, self.kernel_size, self.stride, self.padding)
        return (y.reshape(len(y), *self.shape),)


@dataclass(kw_only=True)
class Table(IntegerLayer):
    """A function of one number: its answers to the 256 integers, worked out once by the operator itself."""

    form: ClassVar[str] = "table"
    answers: np.ndarray  # int8, by the integer as a byte

    @property
    def kept(self) -> list[np.ndarray]:
        """256 bytes."""
        return [self.answers]

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Look each integer up."""
        return (self.answers[np.ascontiguousarray(given[0]).view(np.uint8)],)


def answers_of(step: Step, source: Affine, result: Affine) -> np.ndarray:
    """The table of an operator: each integer as a real number, through the operator, and back."""
    integers = np.arange(-128, 128, dtype=np.int16)
    held = np.clip(integers, source.low, source.high).astype(np.int8)
    with no_grad(), np.errstate(all="ignore"):
        real = call(step.operator, filled(step.arguments, {step.inputs[0]: Tensor(source.dequantize(held))}, 1)).data
    answers = np.empty(256, np.int8)
    answers[integers.astype(np.int8).view(np.uint8)] = result.quantize(np.nan_to_num(real, posinf=result.range[1], neginf=result.range[0]))
    return answers


@dataclass(kw_only=True)
class Move(IntegerLayer):
    """The same integers in another shape, some of them only, or with zeros around."""

    form: ClassVar[str] = "move"
    source: Affine
    shape: tuple[int, ...]  # of one result
    index: Any = None  # what is taken
    before: tuple[int, ...] = field(default=())  # zeros before each axis but the first

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Views where possible; the integer that stands for 0 around."""
        q = given[0] if self.index is None else given[0][self.index]
        if not self.before:
            return (np.ascontiguousarray(q).reshape(len(q), *self.shape),)
        wide = np.full((len(q), *self.shape), self.source.zero, np.int8)
        wide[(slice(None), *(slice(start, start + size) for start, size in zip(self.before, q.shape[1:], strict=True)))] = q
        return (wide,)


@dataclass(kw_only=True)
class FloatStep(IntegerLayer):
    """An operator without an integer form: back to floats, through it, and to integers again. The table of the layers says so."""

    form: ClassVar[str] = "float"
    step: Step
    sources: tuple[Affine, ...]
    results: tuple[Affine, ...]

    def run(self, given: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """By the operator itself."""
        real = {slot: Tensor(own.dequantize(q)) for slot, own, q in zip(self.inputs, self.sources, given, strict=True)}
        with no_grad():
            answer = tensors_in(call(self.step.operator, filled(self.step.arguments, real, len(given[0]))))
        return tuple(own.quantize(tensor.data) for own, tensor in zip(self.results, answer, strict=True))
