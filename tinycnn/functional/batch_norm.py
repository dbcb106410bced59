"""Batch normalisation: every channel by its mean and variance over the batch."""

from typing import Any

import numpy as np

from .. import kernels
from ..autograd import record
from ..errors import ArgumentError, ShapeError
from ..kernels.plans import plan_cache
from ..registry import operator
from ..tensor import Tensor
from ._arguments import contiguous, float_tensor, same_dtype
from ._fused_activation import ACTIVATION_SLOPES, TOLD_BY_RESULT, fused_activation
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

__all__ = ["batch_norm"]


@plan_cache
def _blocks(
    shape: tuple[int, ...],
    shapes: tuple[tuple[int, ...] | None, ...],
    training: bool,
    momentum: Option,
    eps: Option,
    activation: str | None,
) -> tuple[int, int, int]:
    """(N, C, P); raises before any work if anything does not fit."""
    blocks = with_channels("batch_norm", shape)
    for argument, given in zip(("weight", "bias", "running_mean", "running_var"), shapes):
        if given is not None:
            check_channels("batch_norm", argument, given, blocks[1])
    if shapes[4] is not None and shapes[4] != shape:
        raise ShapeError(f"batch_norm: residual has shape {shapes[4]}; it must be input's, {shape}")
    number("batch_norm", "momentum", momentum.value)
    epsilon("batch_norm", eps.value, training)
    fused_activation("batch_norm", activation)
    if training and blocks[0] * blocks[2] == 1:
        raise ShapeError(
            f"batch_norm: input of shape {shape} has one value a channel, whose variance is 0; in training use a larger batch, or call eval()"
        )
    return blocks


@operator(
    family="batch_norm",
    kernels=("batch_norm", "batch_norm_frozen", "batch_norm_grad", "batch_norm_frozen_grad", *ACTIVATION_SLOPES.values()),
    differentiable=("input", "weight", "bias", "residual"),
    kinks="with an activation, where that has a corner",
)
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    activation: str | None = None,
    residual: Any = None,
) -> Tensor:
    """Give every channel mean 0 and variance 1, then a scale and a shift of its own.

    Shapes
    ------
    (N, C) or (N, C, ...), statistics, weight and bias (C,), residual as input -> as input

    Formula
    -------
    mean[c], var[c] over n and p of input[n, c, p] in training (var divided by M = N P), running_mean and running_var otherwise;
    xhat = (input - mean) / sqrt(var + eps);  z = xhat weight[c] + bias[c] + residual;  y = activation(z).
    With g = grad activation'(z):
    grad_bias[c] = sum g;  grad_weight[c] = sum g xhat;  grad_residual = g;
    grad_input = weight / sqrt(var + eps) (g - grad_bias / M - xhat grad_weight / M) in training,
    weight / sqrt(var + eps) g otherwise.
    In training, running <- (1 - momentum) running + momentum statistic, where the variance is divided by M - 1.

    Parameters
    ----------
    input : Tensor
        float32 or float64.
    running_mean, running_var : Tensor or None
        One number a channel. Read where not `training`, updated in place where `training`: the one argument that any
        function here writes.
    weight, bias : Tensor or None
        Scale and shift of each channel.
    training : bool
        Use, and remember, the statistics of this batch.
    momentum : float
        Share of the new statistics in the running ones.
    eps : float
        Added to the variance.
    activation : None, "relu", "relu6", "silu" or "hardswish"
        Applied at the store, equal to `relu(batch_norm(...))` and cheaper.
    residual : Tensor, optional
        Added before the activation, as at the end of a residual block.

    Returns
    -------
    Tensor

    Raises
    ------
    ShapeError
        If sizes do not fit, or a channel has one value only in training.
    ArgumentError
        If an option is out of range, or running statistics are missing or not writable. DtypeError: integers.

    Notes
    -----
    As in PyTorch the batch is normalised by the biased variance, and the running estimate is unbiased; Keras and TensorFlow's
    fused kernel do the same, Caffe and the plain TensorFlow layer keep the biased one. Caffe's and Keras's momentum is 1 - momentum
    (Keras: 0.99 means 0.01 here), and Keras's eps is 1e-3. An empty batch leaves the running statistics alone. Sums are float64 and in
    two passes, so that float32 numbers around 10,000 keep their digits. The gradients of "silu" and "hardswish" compute z once more, so that
    the tape keeps the input only: a sixth more time in training, and one array less.

    References
    ----------
    Ioffe and Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal covariate shift",
    algorithm 1. He et al. 2016, "Deep residual learning for image recognition", figure 2 (residual).

    Examples
    --------
    >>> import numpy as np, tinycnn
    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> mean, variance = np.zeros(2), np.ones(2)
    >>> tinycnn.functional.batch_norm(x, mean, variance, training=True, eps=1e-12).numpy().round(6)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> mean, variance  # 0.9 * 0 + 0.1 * 2;  0.9 * 1 + 0.1 * ((1 - 2)^2 + (3 - 2)^2) / 1
    (array([0.2, 2. ]), array([ 1.1, 20.9]))
    """
    tensor = float_tensor("batch_norm", "input", input)
    scale, offset = optional("batch_norm", "weight", weight), optional("batch_norm", "bias", bias)
    mean = running("batch_norm", "running_mean", running_mean, bool(training))
    variance = running("batch_norm", "running_var", running_var, bool(training))
    added = optional("batch_norm", "residual", residual)
    same_dtype("batch_norm", input=tensor, weight=scale, bias=offset, running_mean=mean, running_var=variance, residual=added)
    both_or_neither("batch_norm", mean, variance)
    shape = tensor.data.shape
    shapes = shape_of(scale), shape_of(offset), shape_of(mean), shape_of(variance), shape_of(added)
    blocks = checked(_blocks, shape, shapes, bool(training), Option(momentum, type(momentum)), Option(eps, type(eps)), activation)
    share, eps = float(momentum), float(eps)
    x = contiguous(tensor.data).reshape(blocks)
    w, b = None if scale is None else contiguous(scale.data), None if offset is None else contiguous(offset.data)
    r = None if added is None else contiguous(added.data).reshape(blocks)
    if training:
        y, centre, spread = kernels.select("batch_norm", x)(x, w, b, r, activation, eps)
        count = blocks[0] * blocks[2]
        if mean is not None and variance is not None and count:
            move((mean, variance), (centre, spread * (count / (count - 1))), share)
    else:
        if mean is None or variance is None:
            raise ArgumentError("batch_norm: running_mean and running_var are None, but training is False; give them, or pass training=True")
        wide = object if x.dtype == object else np.float64
        # Copies, so that a training step between forward and backward does not change what forward used.
        centre, spread = np.array(mean.data, wide), np.array(variance.data, wide)
        y = kernels.select("batch_norm_frozen", x)(x, centre, spread, w, b, r, activation, eps)

    def backward(grad: np.ndarray, needs: tuple[bool, ...]) -> tuple[np.ndarray | None, ...]:
        upstream, masked = contiguous(grad).reshape(blocks), activation
        smooth = activation is not None and activation not in TOLD_BY_RESULT
        if activation is not None and (needs[3] or smooth):
            # The residual wants the masked gradient itself; the rest then reads it instead of masking once more.
            z = kernels.select("batch_norm_frozen", x)(x, centre, spread, w, b, r, None, eps) if smooth else y
            upstream, masked = kernels.select(ACTIVATION_SLOPES[activation], x)(upstream, z), None
        found: tuple[Any, ...] = (None, None, None)
        if any(needs[:3]):
            name = "batch_norm_grad" if training else "batch_norm_frozen_grad"
            found = kernels.select(name, x)(upstream, x, y, centre, spread, w, masked, eps)
        grads = [one if need else None for one, need in zip(found, needs)]
        if grads[0] is not None:
            grads[0] = grads[0].reshape(shape)
        return (*grads, upstream.reshape(shape) if needs[3] else None)

    read = (tensor, scale) if activation is None or activation in TOLD_BY_RESULT else (tensor, scale, offset, added)
    saved = tuple([one for one in read if one is not None])
    return record("batch_norm", y.reshape(shape), (tensor, scale, offset, added), backward, saved)
