"""Deformable convolution: every tap of the filter reads where an offset has moved it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ShapeError
from ..functional._arguments import contiguous, float_tensor, pair, same_dtype
from ..kernels import sizes
from ..registry import operator
from ..tensor import Tensor

__all__ = ["deform_conv2d"]

COLUMN_BYTES = 64 << 20  # of samples held at once: images are taken in such portions, and sampled anew for the gradients

Pair = tuple[int, int]


class Deformation(NamedTuple):
    """The checked options, as kernels take them."""

    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int


def _checked(name: str, x: np.ndarray, offset: np.ndarray, weight: np.ndarray, bias: Any, mask: Any, options: tuple[Any, ...]) -> Deformation:
    """Check shapes and options; raises before any work."""
    for argument, array in (("input", x), ("offset", offset), ("weight", weight)):
        if array.ndim != 4:
            raise ShapeError(f"{name}: {argument} has shape {array.shape}; it must have four axes")
    if 0 in weight.shape:
        raise ShapeError(f"{name}: weight has shape {weight.shape}; it must be (C_out, C_in / groups, K_h, K_w), none of them zero")
    stride, padding, dilation = (pair(name, word, value, least) for word, value, least in zip(("stride", "padding", "dilation"), options, (1, 0, 1)))
    if x.shape[1] % weight.shape[1] or not x.shape[1]:
        raise ShapeError(f"{name}: input has {x.shape[1]} channels, but weight {weight.shape} takes {weight.shape[1]} a group; use a multiple")
    groups = x.shape[1] // weight.shape[1]
    if weight.shape[0] % groups:
        raise ShapeError(f"{name}: weight has {weight.shape[0]} output channels, which {groups} groups do not divide; use a multiple")
    out = []
    for axis, word in enumerate(("height", "width")):
        arguments = (x.shape[2 + axis], weight.shape[2 + axis], stride[axis], padding[axis], padding[axis], dilation[axis])
        sizes.require_fit(name, word, *arguments)
        out.append(sizes.conv_output_size(*arguments))
    cells = weight.shape[2] * weight.shape[3]
    offset_groups = offset.shape[1] // (2 * cells)
    if not offset_groups or offset.shape[1] % (2 * cells) or x.shape[1] % offset_groups:
        raise ShapeError(
            f"{name}: offset has {offset.shape[1]} channels; it must be a multiple of 2 K_h K_w = {2 * cells}, by a number of offset groups "
            f"that divides the {x.shape[1]} input channels"
        )
    if offset.shape != (x.shape[0], offset.shape[1], *out):
        raise ShapeError(f"{name}: offset has shape {offset.shape}; it must be {(x.shape[0], offset.shape[1], *out)}, the output's size")
    if mask is not None and mask.shape != (x.shape[0], offset_groups * cells, *out):
        raise ShapeError(f"{name}: mask has shape {mask.shape}; it must be {(x.shape[0], offset_groups * cells, *out)}, one number a tap")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"{name}: bias has shape {bias.shape}; it must be ({weight.shape[0]},), one number an output channel")
    return Deformation((weight.shape[2], weight.shape[3]), stride, padding, dilation, groups)


def _matrices(weight: np.ndarray, groups: int) -> np.ndarray:
    """(C_out, C_in / groups, K_h, K_w) as (groups, C_out / groups, K C_in / groups), tap by tap as the columns are."""
    return contiguous(weight.transpose(0, 2, 3, 1)).reshape(groups, weight.shape[0] // groups, -1)


def _portions(images: int, bytes_an_image: int) -> Iterator[slice]:
    step = max(1, COLUMN_BYTES // max(bytes_an_image, 1))
    for first in range(0, images, step):
        yield slice(first, min(first + step, images))


@operator(
    family="deform_conv",
    kernels=("deform_columns", "deform_columns_grad_x", "deform_columns_grad_offset", "linear", "linear_grad_x", "linear_grad_weight"),
    differentiable=("input", "offset", "weight", "bias", "mask"),
    kinks="samples on whole pixels",
)
def deform_conv2d(
    input: Any,
    offset: Any,
    weight: Any,
    bias: Any = None,
    stride: int | tuple[int, int] = (1, 1),
    padding: int | tuple[int, int] = (0, 0),
    dilation: int | tuple[int, int] = (1, 1),
    mask: Any = None,
) -> Tensor:
    """Convolve with filters whose taps are moved by an offset of their own at every position, and weighted where there is a mask.

    Shapes
    ------
    (N, C_in, H, W), (N, 2 G K_h K_w, H_out, W_out), (C_out, C_in / groups, K_h, K_w), (C_out,), mask (N, G K_h K_w, H_out, W_out)
    -> (N, C_out, H_out, W_out); G offset groups share the input channels in order.

    Formula
    -------
    With tap k = (a, b) of offset group g and (dy, dx) = offset[n, 2 (g K + k)], offset[n, 2 (g K + k) + 1] at (i, j),

        v[n, c, k, i, j] = bilinear(input[n, c], i s_h - p_h + a d_h + dy, j s_w - p_w + b d_w + dx), zero outside the image
        y[n, o, i, j] = bias[o] + sum_{c, k} weight[o, c, k] mask[n, g K + k, i, j] v[n, c, k, i, j]

    With u[c, k] = sum_o weight[o, c, k] grad[n, o, i, j]: grad_weight[o, c, k] = sum grad mask v, grad_mask = sum_c u v,
    grad_input collects u mask times the bilinear weights, and grad_dy = sum_c u mask dv/dy, where dv/dy is the difference of the lower and the
    upper pixels, each interpolated along x; grad_dx likewise.

    Parameters
    ----------
    input, offset, weight, bias, mask : Tensor
        Of one float type; offsets in pixels, mask usually from 0 to 1 (version 2 of the paper), None for version 1.
    stride, padding, dilation : int or (height, width)
        As in `conv2d`; padding with zeros.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError, DtypeError
        If they do not fit. ArgumentError: an option out of range.

    Notes
    -----
    The number of groups follows from weight, that of offset groups from offset. Offsets come vertical first. At whole pixels the slope is that
    towards the next pixel, as in torchvision. A sample at NaN lies outside: zero.

    References
    ----------
    Dai et al. 2017, "Deformable convolutional networks", section 2.1; Zhu et al. 2019, "Deformable ConvNets v2: more deformable, better results".

    Examples
    --------
    >>> import numpy as np
    >>> from tinycnn import ops
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> half_right = np.zeros((1, 2, 3, 3)); half_right[:, 1] = 0.5
    >>> ops.deform_conv2d(x, half_right, np.ones((1, 1, 1, 1))).tolist()
    [[[[0.5, 1.5, 1.0], [3.5, 4.5, 2.5], [6.5, 7.5, 4.0]]]]
    """
    name = "deform_conv2d"
    tensors = [None if value is None and optional else float_tensor(name, argument, value) for argument, value, optional in (
        ("input", input, False), ("offset", offset, False), ("weight", weight, False), ("bias", bias, True), ("mask", mask, True)
    )]  # fmt: skip
    same_dtype(name, input=tensors[0], offset=tensors[1], weight=tensors[2], bias=tensors[3], mask=tensors[4])
    x, moves, filters, start, factors = (None if tensor is None else contiguous(tensor.data) for tensor in tensors)
    assert x is not None and moves is not None and filters is not None
    options = _checked(name, x, moves, filters, start, factors, (stride, padding, dilation))
    y = _forward(x, moves, filters, start, factors, options)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return _backward(contiguous(grad), x, moves, filters, factors, options, needs)

    return record(name, y, tuple(tensors), backward, tuple(tensor for tensor in tensors[:3] + tensors[4:] if tensor is not None))


def _forward(x: np.ndarray, offset: np.ndarray, weight: np.ndarray, bias: Any, mask: Any, options: Deformation) -> np.ndarray:
    """Columns times weights, a portion of images at a time."""
    groups, places = options.groups, offset.shape[2:]
    matrices = _matrices(weight, groups)
    members = weight.shape[0] // groups
    y = kernels.memory.empty((x.shape[0], weight.shape[0], *places), x.dtype)
    sample, multiply = kernels.select("deform_columns", x), kernels.select("linear", x)
    for portion in _portions(x.shape[0], x.itemsize * groups * matrices.shape[2] * places[0] * places[1]):
        columns = sample(x[portion], offset[portion], None if mask is None else mask[portion], *options)
        for group in range(groups):
            outputs = slice(group * members, (group + 1) * members)
            product = multiply(columns[group], matrices[group], None if bias is None else contiguous(bias[outputs]), None)
            y[portion, outputs] = product.reshape(-1, *places, members).transpose(0, 3, 1, 2)
    return y


def _backward(
    grad: np.ndarray, x: np.ndarray, offset: np.ndarray, weight: np.ndarray, mask: Any, options: Deformation, needs: tuple[bool, ...]
) -> tuple[np.ndarray | None, ...]:
    """The gradients of input, offset, weight, bias and mask that are needed; samples are taken anew."""
    groups, places = options.groups, offset.shape[2:]
    matrices = _matrices(weight, groups)
    members = weight.shape[0] // groups
    grad_x, grad_offset = np.zeros_like(x), np.zeros_like(offset)
    grad_mask = None if mask is None else np.zeros_like(mask)
    grad_matrices = np.zeros(matrices.shape, x.dtype)
    spread, gather = kernels.select("linear_grad_x", x), kernels.select("linear_grad_weight", x)
    for portion in _portions(x.shape[0], 2 * x.itemsize * groups * matrices.shape[2] * places[0] * places[1]):
        part, moves, factors = x[portion], offset[portion], None if mask is None else mask[portion]
        upstream = [
            contiguous(grad[portion, group * members : (group + 1) * members].transpose(0, 2, 3, 1)).reshape(-1, members) for group in range(groups)
        ]
        if needs[2]:
            columns = kernels.select("deform_columns", x)(part, moves, factors, *options)
            for group in range(groups):
                grad_matrices[group] += gather(upstream[group], columns[group])
        if needs[0] or needs[1] or needs[4]:
            grad_columns = np.stack([spread(upstream[group], matrices[group]) for group in range(groups)])
            if needs[0]:
                grad_x[portion] = kernels.select("deform_columns_grad_x", x)(grad_columns, moves, factors, part.shape, *options)
            if needs[1] or needs[4]:
                slopes = kernels.select("deform_columns_grad_offset", x)(grad_columns, part, moves, factors, *options)
                grad_offset[portion] = slopes[0]
                if grad_mask is not None:
                    grad_mask[portion] = slopes[1]
    grad_weight = grad_matrices.reshape(weight.shape[0], *weight.shape[2:], weight.shape[1]).transpose(0, 3, 1, 2)
    grad_bias = grad.sum((0, 2, 3), dtype=object if grad.dtype == object else np.float64).astype(grad.dtype) if needs[3] else None
    return grad_x, grad_offset, contiguous(grad_weight), grad_bias, grad_mask
