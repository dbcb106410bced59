"""Padding as an operator of its own."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels import sizes
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, one_of
from ._windows import require_memory

__all__ = ["pad"]

MODES = {"constant": "zeros", "reflect": "reflect", "symmetric": "symmetric", "replicate": "replicate", "circular": "circular"}
WORDS = {1: "width", 2: "height", 3: "depth"}  # of axes counted from the last


def _amounts(pad: Any, shape: tuple[int, ...], mode: str) -> tuple[tuple[int, int], ...]:
    """(before, after) of the last axes, first axis first; torch's order is last axis first."""
    amounts = tuple(pad) if isinstance(pad, tuple | list) else (pad,)
    if len(amounts) % 2 or any(isinstance(n, bool) or not isinstance(n, int | np.integer) for n in amounts):
        raise ArgumentError(f"pad: pad {pad!r} must be two whole numbers (left, right) or four (left, right, top, bottom), two for each axis")
    if len(amounts) > 2 * len(shape):
        raise ShapeError(f"pad: {len(amounts)} numbers pad {len(amounts) // 2} axes, but input has {len(shape)}; give {2 * len(shape)}")
    if mode != "constant" and not 2 <= len(amounts) <= 6:
        raise ArgumentError(f'pad: mode "{mode}" pads one to three axes, not {len(amounts) // 2}; use mode="constant"')
    numbers = [int(n) for n in amounts]
    return tuple([(numbers[n], numbers[n + 1]) for n in range(len(numbers) - 2, -1, -2)])


def _require_sources(mode: str, word: str, size: int, before: int, after: int) -> None:
    """Refuse amounts that leave nothing, or that the mode has no elements for."""
    kept = size + min(before, 0) + min(after, 0)
    if (kept if mode in ("constant", "circular") else size + before + after) < 0:
        raise ShapeError(f"pad: cropping {-min(before, 0)} and {-min(after, 0)} cells leaves nothing of {word} {size}; crop less")
    if mode == "circular" and kept < 1 and max(before, after) > 0:
        raise ShapeError(f'pad: mode "circular" has nothing to repeat after cropping {word} {size} to {kept}; crop less')
    sizes.require_padding_fits_mode("pad", MODES[mode], word, size, before, after)


def _steps(shape: tuple[int, ...], amounts: tuple[tuple[int, int], ...]) -> tuple[list[tuple[Any, Any, Any]], tuple[int, ...]]:
    """The kernel's calls, (shape before, shape after, padding) each, and the shape of the result.

    The kernel takes three axes. What a constant pads beyond them takes further calls, in which the axes already done stand together as the last
    one: a row more of an axis of rows is as many elements more as a row has.
    """
    steps = []
    sizes, done = list(shape), len(shape)
    while amounts:
        tail = [math.prod(sizes[done:])] if done < len(shape) else []
        now, amounts = amounts[-3 + len(tail) :], amounts[: -3 + len(tail)]
        first = done - len(now)
        lead = math.prod(sizes[:first])
        before = (lead, *sizes[first:done], *tail)
        for axis, pair in zip(range(first, done), now):
            sizes[axis] += sum(pair)
        after = (lead, *sizes[first:done], *tail)
        steps.append((before, after, tuple([n for pair in now for n in pair] + [0, 0] * len(tail))))
        done = first
    return steps, tuple(sizes)


@operator(family="padding", kernels=("pad", "pad_grad_x"), differentiable=("input",))
def pad(input: Any, pad: tuple[int, ...], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add cells around the last axes, or crop them.

    Shapes
    ------
    (*, D, H, W) -> (*, D + front + back, H + top + bottom, W + left + right); one to three axes, with a constant any number.

    Formula
    -------
    y[*, k, i, j] = input[*, r(k - front), r(i - top), r(j - left)], where r maps a position outside an axis back into it: for n elements 0 1 2 and
    two cells on each side, constant . . 0 1 2 . ., reflect 2 1 0 1 2 1 0, symmetric 1 0 0 1 2 2 1, replicate 0 0 0 1 2 2 2, circular
    1 2 0 1 2 0 1; grad_input[*, d, h, w] = sum of grad over the cells that are copies of (d, h, w).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    pad : (left, right), (left, right, top, bottom) or (left, right, top, bottom, front, back)
        Cells to add, last axis first as in torch; negative numbers crop. A constant takes further pairs, for the axes before.
    mode : str
        "constant", "reflect", "symmetric", "replicate" or "circular".
    value : float, optional
        What "constant" fills in; 0 if left out.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a mode has no source for so much padding, or cropping leaves nothing. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    NumPy calls replicate "edge", circular "wrap"; TensorFlow has constant, reflect and symmetric. torch lacks symmetric, and asks for a
    channel axis where the mode is not constant. Amounts that crop one side and pad the other: as in torch, reflect, symmetric and replicate go on
    with the whole axis, circular with what is left of it.

    References
    ----------
    Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 2.2.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.pad([1.0, 2.0, 3.0], (2, 1), mode="reflect").tolist()
    [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]
    """
    tensor = float_tensor("pad", "input", input)
    one_of("pad", "mode", mode, tuple(MODES))
    if value is not None and not isinstance(value, int | float | np.number):
        raise ArgumentError(f"pad: value {value!r} is not a number")
    if value and mode != "constant":
        raise ArgumentError(f'pad: value {value!r} has no place in mode "{mode}"; use mode="constant"')
    shape = tensor.data.shape
    amounts = _amounts(pad, shape, mode)
    for axis, (before, after) in enumerate(amounts, len(shape) - len(amounts)):
        _require_sources(mode, WORDS.get(len(shape) - axis, f"axis {axis}"), shape[axis], before, after)
    steps, result = _steps(shape, amounts)
    if mode not in ("constant", "circular") and not any(result[len(shape) - len(amounts) :]):
        raise ShapeError(f"pad: cropping by {pad} leaves nothing of shape {shape}; crop less")
    require_memory("pad", result)
    kernel_mode = MODES[mode]
    y = contiguous(tensor.data)
    for before, _, padding in steps:
        y = kernels.select("pad", y)(y.reshape(before), padding, kernel_mode, 0.0 if value is None else value)
    if not steps:
        y = y.copy()

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        for before, after, padding in reversed(steps):
            grad = kernels.select("pad_grad_x", grad)(contiguous(grad).reshape(after), before, padding, kernel_mode)
        return (grad.reshape(shape),)

    return record("pad", y.reshape(result), (tensor,), backward)
