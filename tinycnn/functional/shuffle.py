"""Rearrangements between channels and space, and among channels: no arithmetic, only another order."""

from typing import Any

import numpy as np

from ..autograd import record
from ..errors import ShapeError
from ..registry import operator
from ..tensor import Tensor
from ._arguments import as_tensor, whole

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


@operator(family="shuffle", differentiable=("input",))
def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Turn groups of r^2 channels into r x r blocks of pixels (sub-pixel convolution's last step).

    Shapes
    ------
    (*, C r^2, H, W) -> (*, C, H r, W r)

    Formula
    -------
    y[c, h r + a, w r + b] = input[c r^2 + a r + b, h, w] for 0 <= a, b < r; grad_input = pixel_unshuffle(grad).

    Parameters
    ----------
    input : Tensor
        At least three axes, of any dtype.
    upscale_factor : int
        r, at least 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the channels are no multiple of r^2. ArgumentError: r below 1.

    Notes
    -----
    TensorFlow's depth_to_space and ONNX's DepthToSpace in mode DCR number channels the other way round, (a r + b) C + c; mode CRD is this one.

    References
    ----------
    Shi et al. 2016, "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network".

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.pixel_shuffle([[[1.0]], [[2.0]], [[3.0]], [[4.0]]], 2).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    tensor = as_tensor(input)
    shape = _spatial("pixel_shuffle", tensor)
    r = whole("pixel_shuffle", "upscale_factor", upscale_factor, 1)
    channels, height, width = shape[-3:]
    if channels % (r * r):
        raise ShapeError(
            f"pixel_shuffle: input {shape} has {channels} channels, no multiple of upscale_factor^2 = {r * r}; "
            f"use {-(-channels // (r * r)) * r * r} channels"
        )
    groups = channels // (r * r)
    split = (*shape[:-3], groups, r, r, height, width)
    return _turned("pixel_shuffle", tensor, split, (0, 3, 1, 4, 2), (*shape[:-3], groups, height * r, width * r))


@operator(family="shuffle", differentiable=("input",))
def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """Turn r x r blocks of pixels into groups of r^2 channels: the inverse of `pixel_shuffle`.

    Shapes
    ------
    (*, C, H r, W r) -> (*, C r^2, H, W)

    Formula
    -------
    y[c r^2 + a r + b, h, w] = input[c, h r + a, w r + b] for 0 <= a, b < r; grad_input = pixel_shuffle(grad).

    Parameters
    ----------
    input : Tensor
        At least three axes, of any dtype.
    downscale_factor : int
        r, at least 1.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If a spatial size is no multiple of r. ArgumentError: r below 1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.pixel_unshuffle([[[1.0, 2.0], [3.0, 4.0]]], 2).tolist()
    [[[1.0]], [[2.0]], [[3.0]], [[4.0]]]
    """
    tensor = as_tensor(input)
    shape = _spatial("pixel_unshuffle", tensor)
    r = whole("pixel_unshuffle", "downscale_factor", downscale_factor, 1)
    channels, height, width = shape[-3:]
    if height % r or width % r:
        raise ShapeError(f"pixel_unshuffle: input {shape} has pixels {height} x {width}, no multiples of downscale_factor {r}; pad or crop it")
    split = (*shape[:-3], channels, height // r, r, width // r, r)
    return _turned("pixel_unshuffle", tensor, split, (0, 2, 4, 1, 3), (*shape[:-3], channels * r * r, height // r, width // r))


@operator(family="shuffle", differentiable=("input",))
def channel_shuffle(input: Any, groups: int) -> Tensor:
    """Deal the channels of groups out in turn, so that the next grouped convolution sees all groups.

    Shapes
    ------
    (N, C, *) -> (N, C, *)

    Formula
    -------
    y[n, k G + g] = input[n, g (C / G) + k]; grad_input[n, g (C / G) + k] = grad[n, k G + g].

    Parameters
    ----------
    input : Tensor
        At least three axes, of any dtype.
    groups : int
        G, at least 1; a divisor of C.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If the channels are no multiple of G. ArgumentError: G below 1.

    References
    ----------
    Zhang, Zhou, Lin and Sun 2018, "ShuffleNet", section 3.1.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.channel_shuffle([[[1.0], [2.0], [3.0], [4.0]]], 2).tolist()
    [[[1.0], [3.0], [2.0], [4.0]]]
    """
    tensor = as_tensor(input)
    shape = _spatial("channel_shuffle", tensor)
    number = whole("channel_shuffle", "groups", groups, 1)
    if shape[1] % number:
        raise ShapeError(f"channel_shuffle: input {shape} has {shape[1]} channels, no multiple of groups {number}")
    pixels = 1
    for size in shape[2:]:
        pixels *= size
    return _turned("channel_shuffle", tensor, (shape[0], number, shape[1] // number, pixels), (1, 0, 2), shape)


def _spatial(name: str, tensor: Tensor) -> tuple[int, ...]:
    shape = tensor.data.shape
    if len(shape) < 3:
        raise ShapeError(f"{name}: input has shape {shape}; it needs at least three axes, with channels before the spatial ones")
    return shape


def _turned(name: str, tensor: Tensor, split: tuple[int, ...], order: tuple[int, ...], shape: tuple[int, ...]) -> Tensor:
    """The elements cut into `split`, the last axes of that in another order, and put together as `shape`."""
    before = len(split) - len(order)
    axes = (*range(before), *[before + axis for axis in order])
    source = tensor.data.shape
    y = np.ascontiguousarray(tensor.data.reshape(split).transpose(axes)).reshape(shape)
    between = tuple([split[axis] for axis in axes])

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        return (grad.reshape(between).transpose(np.argsort(axes)).reshape(source),)

    return record(name, y, (tensor,), backward)
