"""The sliding window of a recorded call, axis by axis: what costs and receptive fields are both worked out from."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..functional._windows import numbers, sides
from ..kernels import sizes
from .graph import Call

__all__ = ["Window", "windows_of"]

CONVOLUTIONS = ("conv1d", "conv2d", "conv3d", "convolve1d", "convolve2d", "convolve3d", "deform_conv2d")
TRANSPOSED = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
POOLS = tuple(f"{kind}_pool{rank}d" for kind in ("max", "avg", "lp", "min", "sum") for rank in (1, 2, 3))
ADAPTIVE = tuple(f"adaptive_{kind}_pool{rank}d" for kind in ("max", "avg") for rank in (1, 2, 3))


@dataclass(frozen=True)
class Window:
    """One axis: taps, step, padding before the first element, and distance of the taps, in elements of the input."""

    kernel: int
    stride: Fraction
    before: Fraction
    dilation: int = 1

    @property
    def span(self) -> int:
        """First and last tap included."""
        return sizes.effective_kernel(self.kernel, self.dilation)


def _rank(call: Call) -> int:
    return int(call.operator[-2])


def _given(call: Call, name: str, otherwise: Any) -> Any:
    value = call.arguments.get(name, otherwise)
    return otherwise if value is None or value == () else value


def windows_of(call: Call) -> tuple[Window, ...] | None:
    """A Window an axis, the last axes of the input; None for an operator without one."""
    if call.operator in ADAPTIVE:
        return _adaptive(call)
    if call.operator not in (*CONVOLUTIONS, *TRANSPOSED, *POOLS, "unfold"):
        return None
    rank = 2 if call.operator == "unfold" else _rank(call)
    if call.operator in CONVOLUTIONS + TRANSPOSED:
        kernel = tuple(call.arguments["weight"].shape[2:])
        strides = numbers(call.operator, "stride", _given(call, "stride", 1), 1, rank)
    else:
        kernel = numbers(call.operator, "kernel_size", call.arguments["kernel_size"], 1, rank)
        strides = numbers(call.operator, "stride", _given(call, "stride", kernel if call.operator != "unfold" else 1), 1, rank)
    dilation = numbers(call.operator, "dilation", _given(call, "dilation", 1), 1, rank)
    before = _before(call, rank, kernel, strides, dilation)
    return tuple(Window(k, Fraction(s), Fraction(p), d) for k, s, p, d in zip(kernel, strides, before, dilation, strict=True))


def _before(call: Call, rank: int, kernel: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    """Padding before each axis, names worked out."""
    padding = _given(call, "padding", 0)
    if isinstance(padding, str):
        shape = call.inputs[0].shape[-rank:]
        return tuple(
            sizes.same_padding(size, k, s, d, padding)[0] for size, k, s, d in zip(shape, kernel, strides, dilation, strict=True)
        )
    return sides(call.operator, "padding", padding, rank)[::2]


def _adaptive(call: Call) -> tuple[Window, ...]:
    """Windows from floor(i H / H_out) to ceil((i + 1) H / H_out): the longest of them, and their mean step."""
    rank = _rank(call)
    found = []
    for size, output in zip(call.inputs[0].shape[-rank:], call.output.shape[-rank:], strict=True):
        longest = max(-(-(i + 1) * size // output) - i * size // output for i in range(output))
        found.append(Window(longest, Fraction(size, output), Fraction(0)))
    return tuple(found)
