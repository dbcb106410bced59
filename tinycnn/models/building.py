"""What the mobile networks share: rounding channels, checking multipliers, the rules by which their weights start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import nn
from ..errors import ArgumentError
from ..tensor import Tensor

__all__ = ["classifier_", "conv_fan_out_", "image_features", "initialise", "make_divisible", "positive_multiplier", "table_rows"]

Rule = Callable[[Any], object]
IMAGENET_CLASSES = 1000


def make_divisible(value: float, divisor: int = 8, min_value: int | None = None) -> int:
    """The multiple of `divisor` nearest to a scaled number of channels, and never less than nine tenths of it.

    Formula
    -------
    n = max(min_value, divisor floor(value / divisor + 1/2)); y = n + divisor where n < 0.9 value, else n

    Parameters
    ----------
    value : float
        Channels times a width multiplier.
    divisor : int
        Vectors and warps are filled by multiples of 8.
    min_value : int, optional
        The least; `divisor` if left out.

    References
    ----------
    The published code of MobileNet v2, which EfficientNet's and MnasNet's repeat.

    Examples
    --------
    >>> make_divisible(24 * 0.75), make_divisible(83), make_divisible(10)
    (24, 80, 16)
    """
    rounded = max(divisor if min_value is None else min_value, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def positive_multiplier(function: str, argument: str, value: Any) -> float:
    """A width or depth multiplier: a finite number above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value > 0):
        raise ArgumentError(f"{function}: {argument} must be a finite number above 0, not {value!r}; 1.0 is the paper's network")
    return float(value)


def table_rows(function: str, argument: str, rows: Sequence[Sequence[Any]], columns: str) -> list[tuple[Any, ...]]:
    """The rows of a layer table given by a user, each with all its columns."""
    width = len(columns.split(", "))
    table = [tuple(row) for row in rows]
    if not table or any(len(row) != width for row in table):
        wrong = [row for row in table if len(row) != width]
        found = f"{len(wrong[0])} in {wrong[0]}" if wrong else "no rows"
        raise ArgumentError(f"{function}: every row of {argument} must hold {width} values ({columns}); there are {found}")
    return table


def conv_fan_out_(conv: nn.Conv2d) -> None:
    """Draw a convolution's weight from a normal distribution by what one input number reaches; its bias becomes zero.

    Formula
    -------
    std = sqrt(2 / (k_h k_w out_channels / groups)): TensorFlow's count, which divides by the groups where torch's fan-out does not
    """
    nn.init.normal_(conv.weight, 0.0, math.sqrt(2 * conv.groups / (conv.out_channels * math.prod(conv.kernel_size))))
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def classifier_(weight: Tensor, gain: float = 1.0) -> None:
    """Draw a classifier's weights from +-gain / sqrt(classes), where fewer than ImageNet's 1000 classes count as 1000.

    So do the authors of MobileNet, MNASNet and EfficientNet, for whatever number of classes. With ten, logits would be +-3 before anything is
    learned, and one epoch of EfficientNet on CIFAR-10 would end where it began.
    """
    bound = gain * max(weight.shape[0], IMAGENET_CLASSES) ** -0.5
    nn.init.uniform_(weight, -bound, bound)


def initialise(model: nn.Module, linear: Rule, convolution: Rule | None = None) -> None:
    """Start a network as torchvision's mobile ones do: convolutions by He's rule with the fan-out, linear layers by a rule of their own.

    Parameters
    ----------
    model : Module
        Its convolutions and linear layers are drawn in their order; biases become zero, normalisations stay as they are built.
    linear : callable
        Draws the weight it is given.
    convolution : callable, optional
        Draws the layer it is given, bias included.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            if convolution is not None:
                convolution(module)
                continue
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            linear(module.weight)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def image_features(maps: Tensor) -> Tensor:
    """Mean of every map: (N, C, H, W) -> (N, C), whatever the size of the images was."""
    return nn.functional.global_avg_pool(maps, keepdim=False)
