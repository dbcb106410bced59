"""Fewer and plainer steps with the same result: activations apart from their layers, normalisations inside the weights before them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...tensor import Tensor
from .program import Program, Slot, Step

__all__ = ["folded"]

LAYERS = ("conv2d", "linear")
NOTHING = ("detach", "contiguous")
DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")


def folded(program: Program) -> Program:
    """The program without normalisations and without layers that activate or add themselves; equal to rounding.

    * What a convolution, linear layer or normalisation adds (`residual=`) and applies (`activation=`) becomes steps of their own.
    * A normalisation behind a convolution or linear layer that nobody else reads goes into its weights; another one over images becomes a 1x1
      convolution of each channel by itself.
    * Dropout and the like, which do nothing in evaluation, vanish.

    Formula
    -------
    s[o] = bn.weight[o] / sqrt(var[o] + eps);  weight'[o] = s[o] weight[o];  bias'[o] = s[o] (bias[o] - mean[o]) + bn.bias[o].

    Examples
    --------
    >>> from tinycnn import nn
    >>> from tinycnn.study.quantization import trace
    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2, activation="relu"), nn.Dropout())
    >>> [step.operator for step in folded(trace(net, np.ones((2, 1, 5, 5), np.float32))).steps]
    ['conv2d', 'relu']
    """
    return _normalisations_folded(_without_idle(_apart(program)))


def _apart(program: Program) -> Program:
    """Residuals and activations as steps of their own."""
    shapes = dict(program.shapes)
    steps: list[Step] = []
    for step in program.steps:
        given = step.arguments
        residual, activation = given.get("residual"), given.get("activation")
        if step.operator not in (*LAYERS, "batch_norm") or (residual is None and activation is None):
            steps.append(step)
            continue
        cleared = {name: None if name in ("residual", "activation") else value for name, value in given.items()}
        parts: list[tuple[str, dict[str, Any]]] = [(step.operator, cleared)]
        if residual is not None:
            parts.append(("add", {"other": residual, "alpha": 1}))
        if activation is not None:
            parts.append((activation, {"inplace": False}))
        before: Slot | None = None
        for place, (operator, arguments) in enumerate(parts):
            slot = step.outputs[0] if place == len(parts) - 1 else Slot(len(shapes))
            shapes[slot] = shapes[step.outputs[0]]
            steps.append(Step(operator, step.path, arguments if before is None else {"input": before, **arguments}, (slot,)))
            before = slot
    return replace(program, steps=tuple(steps), shapes=shapes)


def _without_idle(program: Program) -> Program:
    """Steps that do nothing are passed over."""
    stands_for: dict[Slot, Slot] = {}

    def through(value: Any) -> Any:
        if isinstance(value, Slot):
            return stands_for.get(value, value)
        return type(value)(through(part) for part in value) if isinstance(value, (tuple, list)) else value

    steps = []
    for step in program.steps:
        arguments = {name: through(value) for name, value in step.arguments.items()}
        if step.operator in NOTHING or (step.operator in DROPOUTS and not arguments.get("training", True)):
            stands_for[step.outputs[0]] = stands_for.get(step.inputs[0], step.inputs[0])
        else:
            steps.append(replace(step, arguments=arguments))
    return replace(program, steps=tuple(steps), output=stands_for.get(program.output, program.output))


def _normalisations_folded(program: Program) -> Program:
    """Normalisations inside the weights before them, or as convolutions of single channels."""
    uses = program.uses()
    steps: list[Step] = []
    maker: dict[Slot, int] = {}
    for step in program.steps:
        fixed = step.operator == "batch_norm" and not step.arguments["training"]
        source: Any = step.arguments["input"] if fixed else None
        at = maker.get(source) if source is not None else None
        if fixed and at is not None and steps[at].operator in LAYERS and uses[source] == 1:
            steps[at] = _folded_into(steps[at], step)
        elif fixed and source is not None and len(program.shapes[source]) == 4:
            steps.append(_as_convolution(step))
            at = len(steps) - 1
        else:
            steps.append(step)
            at = len(steps) - 1
        for slot in step.outputs:
            maker[slot] = at
    return program.with_steps(steps)


def _scale_and_shift(norm: Step) -> tuple[np.ndarray, np.ndarray]:
    """The normalisation as y = scale x + shift, float64."""
    given = norm.arguments
    mean, variance = _array(given["running_mean"]), _array(given["running_var"])
    scale = 1 / np.sqrt(variance + given["eps"])
    if given["weight"] is not None:
        scale = scale * _array(given["weight"])
    shift = -mean * scale
    return scale, shift if given["bias"] is None else shift + _array(given["bias"])


def _array(given: Any) -> np.ndarray:
    return np.asarray(given.data if isinstance(given, Tensor) else given, np.float64)


def _folded_into(layer: Step, norm: Step) -> Step:
    scale, shift = _scale_and_shift(norm)
    weight = layer.arguments["weight"]
    many = weight.data * scale.reshape(-1, *(1,) * (weight.ndim - 1))
    bias = shift if layer.arguments["bias"] is None else shift + scale * _array(layer.arguments["bias"])
    arguments = {**layer.arguments, "weight": Tensor(many.astype(weight.dtype)), "bias": Tensor(bias.astype(weight.dtype))}
    return replace(layer, arguments=arguments, outputs=norm.outputs)


def _as_convolution(norm: Step) -> Step:
    scale, shift = _scale_and_shift(norm)
    given = norm.arguments["running_mean"]
    dtype = given.dtype
    options = {"stride": 1, "padding": 0, "dilation": 1, "groups": len(scale), "padding_mode": "zeros", "activation": None, "algorithm": "auto"}
    weight = Tensor(scale.reshape(-1, 1, 1, 1).astype(dtype))
    arguments = {"input": norm.arguments["input"], "weight": weight, "bias": Tensor(shift.astype(dtype)), **options, "residual": None}
    return Step("conv2d", norm.path, arguments, norm.outputs)
