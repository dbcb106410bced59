"""From a network in floats to one in integers: hear it, fold it, watch its activations on images, and write each step in integers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...functional._sliding import convolution_geometry
from ...functional._windows import checked_windows
from ...kernels.sizes import conv_output_size
from ...nn import Module
from ...tensor import Tensor
from .affine import Affine
from .calibration import Histogram, calibrated
from .folding import folded
from .layers import (
    Add,
    AveragePool,
    Concatenate,
    Convolution,
    FloatStep,
    IntegerLayer,
    Linear,
    MaxPool,
    Move,
    Table,
    answers_of,
    weighted_parts,
)
from .network import QuantizedNetwork
from .program import Program, Slot, Step, trace

__all__ = ["quantize"]

RECTIFIERS = ("relu", "relu6")
RESHAPES = ("reshape", "view", "flatten", "squeeze", "unsqueeze")
# Functions of one number, beside sums and products with a constant.
ONE_NUMBER = (
    "abs", "celu", "clamp", "elu", "exp", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish", "neg",
    "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "sqrt", "tanh", "tanhshrink", "threshold",
)  # fmt: skip
WITH_A_CONSTANT = ("add", "sub", "mul", "div")
# A sum of more products might leave 32 bits.
MOST_PRODUCTS = 2**30 // (255 * 127)


def quantize(
    model: Module,
    images: Any,
    *,
    per_channel: bool = True,
    method: str = "minmax",
    percentile: float = 99.99,
    bits: int = 8,
    count: int = 512,
) -> QuantizedNetwork:
    """Convert a trained network to integers; the model itself is read only.

    Parameters
    ----------
    model : Module
        Whose result is one tensor. Normalisations are folded into the weights before them, rectifiers into the clamp of the layer before.
    images : ndarray, Tensor, or iterable of batches
        To calibrate with: some hundred images as the network will see them, such as a loader's (images, labels).
    per_channel : bool
        One scale a filter; else one for all filters of a layer.
    method : "minmax", "percentile" or "mse"
        How the range of an activation is chosen: `CALIBRATIONS`.
    percentile : float
        For "percentile": the share of the numbers, in per cent, that must fit.
    bits : int
        2 to 8, of weights and activations; the arithmetic stays that of int8.
    count : int
        Images to look at, two or more.

    Returns
    -------
    QuantizedNetwork
        A module with the model's shapes: floats in, floats out, integers between.

    Raises
    ------
    ArgumentError
        Without images, for options that do not exist, a network that does more than call operators, or activations that are not finite.

    Notes
    -----
    Between the images and the result there is no float: int8 operands, int32 sums, a 64-bit fixed-point product, int8 results. An operator without
    an integer form runs in floats; `QuantizedNetwork.forms` counts such steps.

    References
    ----------
    Jacob, Kligys, Chen, Zhu, Tang, Howard, Adam and Kalenichenko 2018, "Quantization and training of neural networks for efficient
    integer-arithmetic-only inference", sections 2.1 to 2.4. Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference:
    a whitepaper", section 2 (per channel).

    Examples
    --------
    >>> from tinycnn import models
    >>> net = models.lenet5()
    >>> images = np.random.default_rng(0).random((8, 1, 28, 28), np.float32)
    >>> small = quantize(net, images)
    >>> small.forms, bool(np.abs(small(images).data - net(images).data).max() < 0.1)
    ({'int8': 7, 'move': 1}, True)
    """
    pixels = gathered(images, count)
    program = folded(trace(model, pixels[: min(3, len(pixels))]))
    converter = _Converter(program, per_channel, bits)
    affines = _calibrated(program, converter.measured(), pixels, method, bits, percentile)
    layers = converter.layers(affines)
    float_bytes = sum(tensor.data.nbytes for tensor in (*model.parameters(), *model.buffers()))
    options = {"per_channel": per_channel, "method": method, "bits": bits, "images": len(pixels)}
    return QuantizedNetwork(type(model).__name__, program, layers, converter.affines, float_bytes, options)


def gathered(images: Any, count: int) -> np.ndarray:
    """Up to `count` images of an array or of batches."""
    if count < 2:
        raise ArgumentError(f"quantize: count={count} must be at least 2; some hundred images are usual")
    if isinstance(images, (Tensor, np.ndarray)):
        found = [np.asarray(images.data if isinstance(images, Tensor) else images)[:count]]
    elif isinstance(images, Iterable):
        found, seen = [], 0
        for batch in images:
            given = batch[0] if isinstance(batch, (tuple, list)) else batch
            found.append(np.asarray(given.data if isinstance(given, Tensor) else given)[: count - seen])
            seen += len(found[-1])
            if seen >= count:
                break
    else:
        raise ArgumentError(f"quantize: images is {type(images).__name__}; give an array of images or batches of them")
    total = sum(len(part) for part in found)
    if total < 2:
        raise ArgumentError(f"quantize: {total} images to calibrate with; give two or more, some hundred are usual")
    return np.ascontiguousarray(np.concatenate(found), np.float32)


def _calibrated(program: Program, wanted: set[Slot], pixels: np.ndarray, method: str, bits: int, percentile: float) -> dict[Slot, Affine]:
    """The integers of each wanted value, from two passes over the images."""
    seen = {slot: Histogram() for slot in wanted}
    calibrated(Histogram(), method, bits, percentile)  # refuse a wrong option before any work

    def ends(slot: Slot, values: np.ndarray) -> None:
        if slot in seen:
            seen[slot].widen(values)

    def counts(slot: Slot, values: np.ndarray) -> None:
        if slot in seen and np.isfinite(values).all():
            seen[slot].count(values)

    for watch in (ends, counts) if method != "minmax" else (ends,):
        for start in range(0, len(pixels), 64):
            program.run(pixels[start : start + 64], watch)
    return {slot: calibrated(histogram, method, bits, percentile) for slot, histogram in seen.items()}


class _Converter:
    """Decides for each step which integer layer it becomes; then, when the scales are known, makes them."""

    def __init__(self, program: Program, per_channel: bool, bits: int) -> None:
        self.program, self.per_channel, self.bits = program, per_channel, bits
        self.affines: dict[Slot, Affine] = {}
        self._shapes = program.shapes
        uses = program.uses()
        self._kinds = {step.outputs: self._kind(step) for step in program.steps}
        made = {step.outputs[0]: step for step in program.steps if self._kinds[step.outputs] in ("conv2d", "linear", "add")}
        # Rectifiers that the clamp of the step before does: by the slot that this step fills.
        self._clamps = {
            step.inputs[0]: step
            for step in program.steps
            if step.operator in RECTIFIERS and step.inputs[0] in made and uses[step.inputs[0]] == 1 and step.inputs[0] != program.output
        }

    def measured(self) -> set[Slot]:
        """The values whose scale is their own."""
        wanted = {self.program.input}
        for step in self._standing():
            if self._kinds[step.outputs] not in ("move", "max_pool2d"):
                wanted.update(self._filled_by(step))
        return wanted

    def _standing(self) -> list[Step]:
        """The steps that no clamp swallows."""
        swallowed = {step.outputs for step in self._clamps.values()}
        return [step for step in self.program.steps if step.outputs not in swallowed]

    def _filled_by(self, step: Step) -> tuple[Slot, ...]:
        clamp = self._clamps.get(step.outputs[0])
        return clamp.outputs if clamp is not None else step.outputs

    # Which integer layer

    def _kind(self, step: Step) -> str:
        given, single = step.arguments, len(step.outputs) == 1
        plain = single and not any(_is_array(value) for name, value in given.items() if name not in ("weight", "bias"))
        shape = self._shapes[step.inputs[0]]
        if step.operator in ("conv2d", "linear"):
            weight = given["weight"]
            fits = isinstance(weight, Tensor) and weight.numel() // max(len(weight), 1) <= MOST_PRODUCTS and given["input"] == step.inputs[0]
            rank = len(shape) == 4 if step.operator == "conv2d" else len(shape) >= 2
            return step.operator if fits and rank and given.get("padding_mode", "zeros") == "zeros" and len(step.inputs) == 1 else "float"
        if step.operator == "add" and len(step.inputs) == 2 and given["alpha"] == 1 and len({self._shapes[slot] for slot in step.inputs}) == 1:
            return "add"
        if step.operator == "cat" and plain and given["dim"] % len(shape) > 0:
            return "cat"
        if step.operator == "max_pool2d" and len(shape) == 4 and not given["return_indices"] and set(_pair(given["dilation"])) == {1}:
            return "max_pool2d"
        if len(shape) == 4 and self._window(step) is not None:
            return "average"
        if plain and len(step.inputs) == 1 and (step.operator in ONE_NUMBER or step.operator in WITH_A_CONSTANT):
            return "table"
        return "move" if plain and self._moves(step) else "float"

    def _moves(self, step: Step) -> bool:
        """Whether a step only puts numbers elsewhere, image by image."""
        given, result = step.arguments, self._shapes[step.outputs[0]]
        if len(step.inputs) != 1 or not result or result[0] != self._shapes[step.inputs[0]][0]:
            return False
        if step.operator == "pad":
            zeros = given["mode"] == "constant" and not given["value"] and min(given["pad"], default=0) >= 0
            return zeros and len(given["pad"]) // 2 < len(result)
        if step.operator == "getitem":
            index = given.get("index")
            return isinstance(index, tuple) and index[0] == slice(None) and all(isinstance(one, slice) for one in index)
        return step.operator in RESHAPES

    def _window(self, step: Step) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int] | None:
        """Kernel, stride, padding and divisor of an average over windows; None for another step."""
        given, shape = step.arguments, self._shapes[step.inputs[0]]
        whole = (shape[2], shape[3])
        if step.operator == "avg_pool2d":
            options = given["kernel_size"], given["stride"], given["padding"], 1, bool(given["ceil_mode"])
            window = checked_windows("avg_pool2d", 2, shape, *options)
            if given["ceil_mode"] or (any(window.padding) and not given["count_include_pad"]):
                return None
            return window.kernel_size, window.stride, window.padding, given["divisor_override"] or int(np.prod(window.kernel_size))
        if step.operator == "adaptive_avg_pool2d":
            asked = [own if size is None else int(size) for size, own in zip(_pair(given["output_size"]), whole, strict=True)]
            if any(own % size for own, size in zip(whole, asked, strict=True)):
                return None
            whole = (whole[0] // asked[0], whole[1] // asked[1])
            return whole, whole, (0, 0, 0, 0), whole[0] * whole[1]
        means = step.operator == "mean" and isinstance(given["dim"], (tuple, list)) and sorted(axis % 4 for axis in given["dim"]) == [2, 3]
        return (whole, whole, (0, 0, 0, 0), whole[0] * whole[1]) if means or step.operator == "global_avg_pool" else None

    # The layers

    def layers(self, affines: dict[Slot, Affine]) -> list[IntegerLayer]:
        """Every step in integers."""
        self.affines = dict(affines)
        made = []
        for step in self._standing():
            kind, slots = self._kinds[step.outputs], self._filled_by(step)
            if kind in ("move", "max_pool2d"):
                self.affines[slots[0]] = self.affines[step.inputs[0]]
            result = self._clamped(step, self.affines[slots[0]])
            common = {"name": step.name, "operator": step.operator, "inputs": tuple(step.inputs), "outputs": slots}
            made.append(self._layer(kind, step, result, common))
        return made

    def _clamped(self, step: Step, affine: Affine) -> Affine:
        """The ends moved to where the rectifier cuts."""
        clamp = self._clamps.get(step.outputs[0])
        if clamp is None:
            return affine
        high = affine.high if clamp.operator == "relu" else min(affine.high, affine.zero + round(6 / affine.scale))
        return replace(affine, low=max(affine.low, affine.zero), high=max(high, affine.zero))

    def _layer(self, kind: str, step: Step, result: Affine, common: dict[str, Any]) -> IntegerLayer:
        given = step.arguments
        sources = tuple(self.affines[slot] for slot in step.inputs)
        shape = self._shapes[step.outputs[0]][1:]
        if kind in ("conv2d", "linear"):
            weight, bias = given["weight"].data, None if given["bias"] is None else given["bias"].data
            parts = weighted_parts(weight, bias, sources[0], result, self.per_channel, self.bits)
            return Linear(**common, **parts) if kind == "linear" else Convolution(**common, **parts, **self._geometry(step))
        if kind == "add":
            first, second = (self.affines[slot] for slot in (given["input"], given["other"]))
            return Add(**{**common, "inputs": (given["input"], given["other"])}, first=first, second=second, result=result)
        if kind == "cat":
            slots = tuple(given["tensors"])
            own = tuple(self.affines[slot] for slot in slots)
            return Concatenate(**{**common, "inputs": slots}, sources=own, result=result, axis=given["dim"] % (len(shape) + 1))
        if kind == "max_pool2d":
            return self._max_pool(step, common)
        if kind == "average":
            window = self._window(step)
            assert window is not None
            options: dict[str, Any] = dict(zip(("kernel_size", "stride", "padding", "divisor"), window, strict=True))
            return AveragePool(**common, source=sources[0], result=result, shape=shape, **options)
        if kind == "table":
            return Table(**common, answers=answers_of(step, sources[0], result))
        if kind == "move":
            return Move(**common, source=sources[0], shape=shape, index=given.get("index"), before=_zeros_before(step, len(shape)))
        return FloatStep(**common, step=step, sources=sources, results=tuple(self.affines[slot] for slot in common["outputs"]))

    def _geometry(self, step: Step) -> dict[str, Any]:
        given = step.arguments
        names = ("stride", "padding", "dilation", "groups", "padding_mode")
        shape = self._shapes[step.inputs[0]]
        found = convolution_geometry("quantize", 2, shape, given["weight"].shape, None, *(given[name] for name in names))
        return {"stride": found.stride, "padding": found.padding, "dilation": found.dilation, "groups": found.groups}

    def _max_pool(self, step: Step, common: dict[str, Any]) -> MaxPool:
        given, shape = step.arguments, self._shapes[step.inputs[0]]
        options = given["kernel_size"], given["stride"], given["padding"], given["dilation"], bool(given["ceil_mode"])
        window = checked_windows("max_pool2d", 2, shape, *options)
        behind = []
        for axis in (0, 1):
            kernel, stride, (before, after) = window.kernel_size[axis], window.stride[axis], window.padding[2 * axis : 2 * axis + 2]
            missing = self._shapes[step.outputs[0]][2 + axis] - conv_output_size(shape[2 + axis], kernel, stride, before, after, 1)
            behind.append(missing * stride)
        return MaxPool(**common, kernel_size=window.kernel_size, stride=window.stride, padding=window.padding, behind=(behind[0], behind[1]))


def _zeros_before(step: Step, axes: int) -> tuple[int, ...]:
    """How many zeros a padding puts before each axis but the first; nothing for another step."""
    if step.operator != "pad":
        return ()
    starts = list(step.arguments["pad"][::2])[::-1]  # given from the last axis on
    return (0,) * (axes - len(starts)) + tuple(starts)


def _pair(value: Any) -> tuple[Any, ...]:
    return (value, value) if value is None or isinstance(value, int) else tuple(value) * (2 if len(value) == 1 else 1)


def _is_array(value: Any) -> bool:
    """Whether numbers of another kind than Python's are among the arguments."""
    if isinstance(value, (tuple, list)):
        return any(_is_array(part) for part in value)
    return isinstance(value, (Tensor, np.ndarray))
