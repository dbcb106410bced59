"""Batch normalisation, fast: a thread owns a channel, whose numbers stay in its cache from the sums to the result.

Arrays are flat. x is (N, C, P), and a run is the P neighbouring numbers of one channel of one image.
"""

import math

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from . import batch_columns
from .fused_activation import CODES, RELU, ceiling_of, run_activation
from .moments import (
    or_constant,
    run_affine,
    run_affine_relu,
    run_affine_residual,
    run_gradient,
    run_masked_gradient,
    run_masked_products,
    run_masked_scale,
    run_moments,
    run_products,
    run_scale,
    run_squares,
    run_sum,
    serial,
    settled,
    split,
    spread,
)

__all__ = ["batch_norm", "batch_norm_frozen", "batch_norm_frozen_grad", "batch_norm_grad"]

SHORT = 16  # numbers: channels with shorter runs are walked side by side


@kernel
def _run(shape, n, channel):
    """First and last position of a run."""
    start = np.uint64((n * shape[1] + channel) * shape[2])
    return start, start + np.uint64(shape[2])


@kernel
def _moments(x, shape, channel):
    count = shape[0] * shape[2]
    shift = x[np.uint64(channel * shape[2])]
    plain, squares = 0.0, 0.0
    for n in range(shape[0]):
        start, end = _run(shape, n, channel)
        one, other = run_moments(x, start, end, shift)
        plain += one
        squares += other
    if settled(plain, squares, count):
        distance = plain / count
        return shift + distance, squares / count - distance * distance
    return _moments_in_two_passes(x, shape, channel)


@kernel
def _moments_in_two_passes(x, shape, channel):
    count = shape[0] * shape[2]
    total = 0.0
    for n in range(shape[0]):
        start, end = _run(shape, n, channel)
        total += run_sum(x, start, end)
    mean = total / count
    shift, rest = split(mean, x)
    total = 0.0
    for n in range(shape[0]):
        start, end = _run(shape, n, channel)
        total += run_squares(x, start, end, shift)
    return mean, spread(total, count, rest)


@kernel
def _apply(x, y, residual, shape, channel, mean, variance, weight, bias, eps, activation, has_residual):
    scale = np.float64(weight[channel]) / math.sqrt(variance + eps)
    shift, rest = split(mean, x)
    narrow_scale, offset = x.dtype.type(scale), x.dtype.type(bias[channel] - rest * scale)
    for n in range(shape[0]):
        start, end = _run(shape, n, channel)
        if has_residual:
            run_affine_residual(x, residual, y, start, end, shift, narrow_scale, offset, activation == RELU)
        elif activation == RELU:
            run_affine_relu(x, y, start, end, shift, narrow_scale, offset)
        else:
            run_affine(x, y, start, end, shift, narrow_scale, offset)
        if activation > RELU:  # the run is still in the cache
            run_activation(y, start, end, activation)


@kernel
def _channel(x, y, residual, shape, channel, mean, variance, weight, bias, eps, activation, has_residual, own):
    if own:
        mean[channel], variance[channel] = _moments(x, shape, channel)
    _apply(x, y, residual, shape, channel, mean[channel], variance[channel], weight, bias, eps, activation, has_residual)


@kernel
def _forward_serial(x, y, residual, shape, mean, variance, weight, bias, eps, activation, has_residual, own):
    for channel in range(shape[1]):
        _channel(x, y, residual, shape, channel, mean, variance, weight, bias, eps, activation, has_residual, own)


@kernel(parallel=True)
def _forward_parallel(x, y, residual, shape, mean, variance, weight, bias, eps, activation, has_residual, own):
    for channel in prange(shape[1]):
        _channel(x, y, residual, shape, channel, mean, variance, weight, bias, eps, activation, has_residual, own)


@kernel
def _channel_gradient(grad, x, y, grad_x, shape, channel, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias):
    shift, rest = split(mean[channel], x)
    inverse = 1 / math.sqrt(variance[channel] + eps)
    plain, along = 0.0, 0.0
    for n in range(shape[0]):
        start, end = _run(shape, n, channel)
        one, other = run_masked_products(grad, x, y, start, end, shift, ceiling) if masked else run_products(grad, x, start, end, shift)
        plain += one
        along += other
    along -= rest * plain
    grad_weight[channel] = along * inverse
    grad_bias[channel] = plain
    scale = weight[channel] * inverse
    constant, slope = 0.0, 0.0
    if own:
        count = shape[0] * shape[2]
        slope = scale * inverse * inverse * along / count
        constant = scale * plain / count - rest * slope
    kind = x.dtype.type
    for n in range(shape[0]):
        start, end = _run(shape, n, channel)
        if not own:
            if masked:
                run_masked_scale(grad, y, grad_x, start, end, kind(scale), ceiling)
            else:
                run_scale(grad, grad_x, start, end, kind(scale))
        elif masked:
            run_masked_gradient(grad, x, y, grad_x, start, end, shift, kind(scale), kind(constant), kind(slope), ceiling)
        else:
            run_gradient(grad, x, grad_x, start, end, shift, kind(scale), kind(constant), kind(slope))


@kernel
def _gradient_serial(grad, x, y, grad_x, shape, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias):
    for channel in range(shape[1]):
        _channel_gradient(grad, x, y, grad_x, shape, channel, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias)


@kernel(parallel=True)
def _gradient_parallel(grad, x, y, grad_x, shape, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias):
    for channel in prange(shape[1]):
        _channel_gradient(grad, x, y, grad_x, shape, channel, mean, variance, weight, eps, masked, ceiling, own, grad_weight, grad_bias)


def _forward(x, mean, variance, weight, bias, residual, activation, eps, own):
    y = memory.empty(x.shape, x.dtype)
    if x.size:
        flat = x.reshape(-1)
        added = flat if residual is None else residual.reshape(-1)
        parameters = mean, variance, or_constant(weight, 1, x), or_constant(bias, 0, x)
        options = float(eps), CODES[activation], residual is not None, own
        if x.shape[2] < SHORT:
            batch_columns.forward(flat, y.reshape(-1), added, x.shape, *parameters, *options)
        else:
            run = _forward_serial if serial(2 * x.size) else _forward_parallel
            run(flat, y.reshape(-1), added, x.shape, *parameters, *options)
    return y


def batch_norm(x, weight, bias, residual, activation, eps):
    """(y, mean, variance) with the statistics of the batch; see the reference."""
    mean, variance = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    return _forward(x, mean, variance, weight, bias, residual, activation, eps, True), mean, variance


def batch_norm_frozen(x, mean, variance, weight, bias, residual, activation, eps):
    """y with given statistics; see the reference."""
    return _forward(x, mean, variance, weight, bias, residual, activation, eps, False)


def _backward(grad, x, y, mean, variance, weight, activation, eps, own):
    grad_x = memory.empty(x.shape, x.dtype)
    grad_weight, grad_bias = np.zeros(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype)
    if x.size:
        masked = activation is not None
        flat = x.reshape(-1)
        arrays = grad.reshape(-1), flat, y.reshape(-1) if masked else flat, grad_x.reshape(-1)
        rest = x.shape, mean, variance, or_constant(weight, 1, x), float(eps), masked, ceiling_of(activation, x), own, grad_weight, grad_bias
        if x.shape[2] < SHORT:
            batch_columns.backward(*arrays, *rest)
        else:
            run = _gradient_serial if serial(3 * x.size) else _gradient_parallel
            run(*arrays, *rest)
    return grad_x, grad_weight, grad_bias


def batch_norm_grad(grad, x, y, mean, variance, weight, activation, eps):
    """(grad_x, grad_weight, grad_bias) where the statistics are the batch's own; see the reference."""
    return _backward(grad, x, y, mean, variance, weight, activation, eps, True)


def batch_norm_frozen_grad(grad, x, y, mean, variance, weight, activation, eps):
    """(grad_x, grad_weight, grad_bias) where the statistics are constants; see the reference."""
    return _backward(grad, x, y, mean, variance, weight, activation, eps, False)
