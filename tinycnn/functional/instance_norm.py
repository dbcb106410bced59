"""Group and instance normalisation: each image by itself, its channels in groups or one by one."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, same_dtype, whole
from ._statistics import (
    Option,
    both_or_neither,
    check_channels,
    checked,
    epsilon,
    move,
    number,
    optional,
    running,
    shape_of,
    with_channels,
)
from .batch_norm import batch_norm

__all__ = ["group_norm", "instance_norm"]


def _grouped(
    name: str, tensor: Tensor, blocks: tuple[int, int, int], scale: Tensor | None, offset: Tensor | None, groups: int, eps: float
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """The normalised tensor, and mean and variance of each image's groups."""
    shape = tensor.data.shape
    x = contiguous(tensor.data).reshape(blocks)
    w, b = (None if one is None else contiguous(one.data) for one in (scale, offset))
    y, mean, variance = kernels.select("group_norm", x)(x, w, b, groups, eps)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream = contiguous(grad).reshape(blocks)
        grad_x, grad_weight, grad_bias = kernels.select("group_norm_grad", x)(upstream, x, mean, variance, w, groups, eps)
        return grad_x.reshape(shape) if needs[0] else None, grad_weight if needs[1] else None, grad_bias if needs[2] else None

    saved = tuple([one for one in (tensor, scale) if one is not None])
    return record(name, y.reshape(shape), (tensor, scale, offset), backward, saved), mean, variance


@plan_cache
def _group_blocks(
    shape: tuple[int, ...], weight: tuple[int, ...] | None, bias: tuple[int, ...] | None, num_groups: Option, eps: Option
) -> tuple[int, int, int]:
    """(N, C, P); raises before any work if anything does not fit."""
    blocks = with_channels("group_norm", shape)
    groups = whole("group_norm", "num_groups", num_groups.value, 1)
    for argument, given in (("weight", weight), ("bias", bias)):
        if given is not None:
            check_channels("group_norm", argument, given, blocks[1])
    epsilon("group_norm", eps.value)
    if blocks[1] % groups:
        raise ShapeError(f"group_norm: num_groups {groups} does not divide the {blocks[1]} channels of input {shape}")
    if blocks[0] * blocks[1] // groups * blocks[2] == 1:
        raise ShapeError(f"group_norm: input of shape {shape} has one value a group, whose variance is 0; use fewer groups")
    return blocks


@operator(family="group_norm", kernels=("group_norm", "group_norm_grad"), differentiable=("input", "weight", "bias"))
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Give each group of channels of each image mean 0 and variance 1, then each channel a scale and a shift.

    Shapes
    ------
    (N, C) or (N, C, ...), weight and bias (C,) -> as input; num_groups divides C

    Formula
    -------
    mean[n, g], var[n, g] over the C / num_groups channels of group g = c // (C / num_groups) and all pixels, M numbers, var biased;
    xhat = (input - mean) / sqrt(var + eps);  y = xhat weight[c] + bias[c];
    grad_bias[c] = sum over n, p of grad;  grad_weight[c] = sum of grad xhat;  with h = grad weight and sums over the group
    grad_input = (h - sum h / M - xhat sum(h xhat) / M) / sqrt(var + eps).

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    num_groups : int
        How many groups of neighbouring channels.
    weight, bias : Tensor or None
        Scale and shift of each channel.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If sizes do not fit, or a group has one value only. ArgumentError: an option out of range. DtypeError: integers.

    Notes
    -----
    One group is layer normalisation over all axes but the first (with weights a channel), C groups are instance normalisation. Keras's
    default is 32 groups and eps 1e-3. ONNX's operator had one weight a group before opset 21.

    References
    ----------
    Wu and He 2018, "Group normalization", equations 1 to 7.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.group_norm([[1.0, 3.0, 10.0, 30.0]], 2, eps=0.0).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    tensor = float_tensor("group_norm", "input", input)
    scale, offset = optional("group_norm", "weight", weight), optional("group_norm", "bias", bias)
    same_dtype("group_norm", input=tensor, weight=scale, bias=offset)
    options = Option(num_groups, type(num_groups)), Option(eps, type(eps))
    blocks = checked(_group_blocks, tensor.data.shape, shape_of(scale), shape_of(offset), *options)
    return _grouped("group_norm", tensor, blocks, scale, offset, int(num_groups), float(eps))[0]


@plan_cache
def _instance_blocks(
    shape: tuple[int, ...], shapes: tuple[tuple[int, ...] | None, ...], own: bool, momentum: Option, eps: Option
) -> tuple[int, int, int]:
    """(N, C, P); raises before any work if anything does not fit."""
    blocks = with_channels("instance_norm", shape)
    for argument, given in zip(("weight", "bias", "running_mean", "running_var"), shapes):
        if given is not None:
            check_channels("instance_norm", argument, given, blocks[1])
    number("instance_norm", "momentum", momentum.value)
    epsilon("instance_norm", eps.value)
    if own and blocks[2] == 1:
        raise ShapeError(f"instance_norm: input of shape {shape} has one pixel a channel, whose variance is 0; use larger images")
    return blocks


@operator(
    family="group_norm",
    kernels=("group_norm", "group_norm_grad", "batch_norm_frozen", "batch_norm_frozen_grad"),
    differentiable=("input", "weight", "bias"),
)
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Give each channel of each image mean 0 and variance 1, then a scale and a shift.

    Shapes
    ------
    (N, C, ...), statistics, weight and bias (C,) -> as input

    Formula
    -------
    As `group_norm` with one group a channel where `use_input_stats`, as `batch_norm` in evaluation otherwise.
    running <- (1 - momentum) running + momentum (mean over n of the statistic of each image), variances divided by P - 1.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    running_mean, running_var : Tensor or None
        One number a channel; updated in place where `use_input_stats`, read otherwise.
    weight, bias : Tensor or None
        Scale and shift of each channel.
    use_input_stats : bool
        Normalise by the images' own statistics.
    momentum : float
        Share of the new statistics in the running ones.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If sizes do not fit, or a channel has one pixel only.
    ArgumentError
        If an option is out of range, or running statistics are missing or not writable. DtypeError: integers.

    References
    ----------
    Ulyanov, Vedaldi and Lempitsky 2016, "Instance normalization: the missing ingredient for fast stylization", equation 5.

    Examples
    --------
    >>> import tinycnn
    >>> tinycnn.functional.instance_norm([[[1.0, 3.0], [10.0, 30.0]]], eps=0.0).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    """
    tensor = float_tensor("instance_norm", "input", input)
    own = bool(use_input_stats)
    scale, offset = optional("instance_norm", "weight", weight), optional("instance_norm", "bias", bias)
    mean = running("instance_norm", "running_mean", running_mean, own)
    variance = running("instance_norm", "running_var", running_var, own)
    same_dtype("instance_norm", input=tensor, weight=scale, bias=offset, running_mean=mean, running_var=variance)
    both_or_neither("instance_norm", mean, variance)
    shapes = shape_of(scale), shape_of(offset), shape_of(mean), shape_of(variance)
    blocks = checked(_instance_blocks, tensor.data.shape, shapes, own, Option(momentum, type(momentum)), Option(eps, type(eps)))
    if not own:
        if mean is None or variance is None:
            raise ArgumentError(
                "instance_norm: running_mean and running_var are None, but use_input_stats is False; give them, or pass use_input_stats=True"
            )
        return batch_norm(tensor, mean, variance, scale, offset, eps=eps)
    y, centre, spread = _grouped("instance_norm", tensor, blocks, scale, offset, max(blocks[1], 1), float(eps))
    if mean is not None and variance is not None and tensor.data.size:
        move((mean, variance), (centre.mean(0), spread.mean(0) * (blocks[2] / (blocks[2] - 1))), float(momentum))
    return y
