"""Padding as an operator of its own."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels import sizes
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, one_of

__all__ = ["pad"]

MODES = {"constant": "zeros", "reflect": "reflect", "symmetric": "symmetric", "replicate": "replicate", "circular": "circular"}


def _amounts(pad: Any, ndim: int) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) from torch's order, last axis first."""
    amounts = tuple(pad) if isinstance(pad, tuple | list) else (pad,)
    if len(amounts) not in (2, 4) or any(isinstance(n, bool) or not isinstance(n, int | np.integer) for n in amounts):
        raise ArgumentError(f"pad: pad {pad!r} must be two whole numbers (left, right) or four (left, right, top, bottom)")
    if len(amounts) // 2 > ndim:
        raise ShapeError(f"pad: {len(amounts)} numbers pad {len(amounts) // 2} axes, but input has {ndim}; give {2 * ndim}")
    left, right, top, bottom = (*map(int, amounts), 0, 0)[:4]
    return top, bottom, left, right


@operator(family="padding", kernels=("pad2d", "pad2d_grad_x"), differentiable=("input",))
def pad(input: Any, pad: tuple[int, ...], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add cells around the last one or two axes, or crop them.

    Shapes
    ------
    (*, H, W) -> (*, H + top + bottom, W + left + right)

    Formula
    -------
    y[*, i, j] = input[*, r(i - top), r(j - left)], where r maps a position outside the axis back into it: for n elements 0 1 2 and two
    cells on each side, constant . . 0 1 2 . ., reflect 2 1 0 1 2 1 0, symmetric 1 0 0 1 2 2 1, replicate 0 0 0 1 2 2 2, circular 1 2 0 1 2 0 1;
    grad_input[*, h, w] = sum of grad over the cells that are copies of (h, w).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    pad : (left, right) or (left, right, top, bottom)
        Cells to add, last axis first as in torch; negative numbers crop.
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
    NumPy calls replicate "edge", circular "wrap"; TensorFlow has constant, reflect and symmetric. torch lacks symmetric.

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
    if value is not None and mode != "constant":
        raise ArgumentError(f'pad: value {value!r} has no place in mode "{mode}"; use mode="constant"')
    if value is not None and not isinstance(value, int | float | np.number):
        raise ArgumentError(f"pad: value {value!r} is not a number")
    shape = tensor.data.shape
    amounts = _amounts(pad, len(shape))
    height, width = (1, *shape)[-2:] if len(shape) < 2 else shape[-2:]
    kernel_mode = MODES[mode]
    for word, size, before, after in (("height", height, *amounts[:2]), ("width", width, *amounts[2:])):
        sizes.require_padding_fits_mode("pad", kernel_mode, word, size, before, after)
        if size + before + after < 0 or min(size + before, size + after) < 0:
            raise ShapeError(f"pad: cropping {-min(before, 0)} and {-min(after, 0)} cells leaves nothing of {word} {size}; crop less")
    planes = int(np.prod(shape[:-2])) if len(shape) > 2 else 1
    x = contiguous(tensor.data).reshape(planes, height, width)
    y = kernels.select("pad2d", x)(x, amounts, kernel_mode, 0.0 if value is None else value)
    result_shape = (*shape[:-2], *y.shape[1:]) if len(shape) >= 2 else (y.shape[2],)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (kernels.select("pad2d_grad_x", x)(contiguous(grad).reshape(y.shape), x.shape, amounts, kernel_mode).reshape(shape),)

    return record("pad", y.reshape(result_shape), (tensor,), backward)
