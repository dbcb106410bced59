"""What the normalisations check of their arguments, and how running statistics move."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from ._arguments import float_tensor

R = TypeVar("R")


class Option(NamedTuple):
    """An option in the key of a plan. Its type is part of it, because True, 1 and 1.0 are equal but not all of them are numbers here."""

    value: Any
    kind: type


def checked(plan: Callable[..., R], *key: Any) -> R:
    """The plan of a key. A key with a list or an array among its options was never checked, and is refused by the checks."""
    try:
        return plan(*key)
    except TypeError:
        return plan.__wrapped__(*key)  # type: ignore[attr-defined]


def number(operator: str, argument: str, value: Any, least: float | None = None) -> float:
    """A real number, at least `least` where that is given."""
    good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not good or value != value or (least is not None and value < least):
        rule = "" if least is None else f" >= {least:g}"
        raise ArgumentError(f"{operator}: {argument} must be a number{rule}, not {value!r}")
    return float(value)


def epsilon(operator: str, value: Any, positive: bool = False) -> float:
    """The number added to a variance; above zero where the variance itself may be zero."""
    eps = number(operator, "eps", value)
    if positive and eps <= 0:
        raise ArgumentError(f"{operator}: eps must be above 0 in training, not {value!r}, or a constant channel would be divided by 0; use 1e-5")
    return eps


def with_channels(operator: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(N, C, P) of an input of shape (N, C, ...): P is the product of the spatial axes."""
    if shape == (0,):  # nothing, of no channels: torch lets it pass
        return 0, 0, 1
    if len(shape) < 2:
        raise ShapeError(f"{operator}: input has shape {shape}; it must be (N, C) or (N, C, ...), for one image input.unsqueeze(0)")
    return shape[0], shape[1], math.prod(shape[2:])


def check_channels(operator: str, argument: str, shape: tuple[int, ...], channels: int) -> None:
    """One number a channel."""
    if shape != (channels,):
        raise ShapeError(f"{operator}: {argument} has shape {shape}; input has {channels} channels, so it must be ({channels},)")


def check_rows(operator: str, argument: str, shape: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """One number for each place of the normalised axes."""
    if shape != sizes:
        raise ShapeError(f"{operator}: {argument} has shape {shape}; it must be normalized_shape, {sizes}")


def optional(operator: str, argument: str, value: Any) -> Tensor | None:
    """A tensor of floats, or None."""
    return None if value is None else float_tensor(operator, argument, value)


def shape_of(tensor: Tensor | None) -> tuple[int, ...] | None:
    """What checks need to know of an optional argument."""
    return None if tensor is None else tensor.data.shape


def trailing(operator: str, shape: tuple[int, ...], normalized_shape: Any) -> tuple[int, ...]:
    """The normalised axes' sizes, which must be the last ones of the input."""
    if isinstance(normalized_shape, str) or not isinstance(normalized_shape, Sequence):
        raise ArgumentError(f"{operator}: normalized_shape must be a tuple of sizes such as {shape[-1:]}, not {normalized_shape!r}")
    sizes = tuple(normalized_shape)
    if not sizes or any(isinstance(size, bool) or not isinstance(size, int | np.integer) for size in sizes):
        raise ArgumentError(f"{operator}: normalized_shape must hold at least one size, whole numbers only, not {normalized_shape!r}")
    if len(sizes) > len(shape) or shape[len(shape) - len(sizes) :] != sizes:
        raise ShapeError(
            f"{operator}: input of shape {shape} does not end in normalized_shape {sizes}; its last axes are {shape[-len(sizes) :]}"
        )
    return tuple(int(size) for size in sizes)


def running(operator: str, argument: str, value: Any, written: bool) -> Tensor | None:
    """A running statistic; where it will be written, it must be the caller's own memory."""
    tensor = optional(operator, argument, value)
    if tensor is not None and written:
        if not isinstance(value, Tensor | np.ndarray):
            raise ArgumentError(f"{operator}: {argument} is a {type(value).__name__}, but training updates it in place; give a Tensor or an ndarray")
        if not tensor.data.flags.writeable:
            raise ArgumentError(f"{operator}: {argument} lies in read-only memory, but training updates it in place; copy it: array.copy()")
    return tensor


def both_or_neither(operator: str, mean: Tensor | None, variance: Tensor | None) -> None:
    """Running statistics come in pairs."""
    if (mean is None) != (variance is None):
        given, missing = ("running_mean", "running_var") if variance is None else ("running_var", "running_mean")
        raise ArgumentError(f"{operator}: {given} is given but {missing} is None; give both or neither")


def move(statistics: tuple[Tensor, Tensor], values: tuple[np.ndarray, np.ndarray], momentum: float) -> None:
    """statistic <- (1 - momentum) statistic + momentum value, in place."""
    with np.errstate(all="ignore"):
        for statistic, value in zip(statistics, values):
            data = statistic.data
            data *= 1 - momentum
            data += momentum * value
            statistic._wrote()
