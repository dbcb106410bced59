"""Group normalisation, fast: a thread owns a group of channels of one image, which lies in one piece. Arrays are flat."""

import math

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from .moments import moments, or_constant, run_affine, run_gradient, run_products, serial, split

__all__ = ["group_norm", "group_norm_grad"]


@kernel
def _group(x, y, shape, groups, position, mean, variance, weight, bias, eps):
    """One group: position counts over images and groups."""
    size = shape[1] // groups
    first = position * size * shape[2]
    count = size * shape[2]
    start, end = np.uint64(first), np.uint64(first + count)
    mean[position], variance[position] = moments(x, start, end, count)
    shift, rest = split(mean[position], x)
    inverse = 1 / math.sqrt(variance[position] + eps)
    for member in range(size):
        channel = position % groups * size + member
        scale = np.float64(weight[channel]) * inverse
        start = np.uint64(first + member * shape[2])
        kind = x.dtype.type
        run_affine(x, y, start, start + np.uint64(shape[2]), shift, kind(scale), kind(bias[channel] - rest * scale))


@kernel
def _forward_serial(x, y, shape, groups, mean, variance, weight, bias, eps):
    for position in range(shape[0] * groups):
        _group(x, y, shape, groups, position, mean, variance, weight, bias, eps)


@kernel(parallel=True)
def _forward_parallel(x, y, shape, groups, mean, variance, weight, bias, eps):
    for position in prange(shape[0] * groups):
        _group(x, y, shape, groups, position, mean, variance, weight, bias, eps)


@kernel
def _group_gradient(grad, x, grad_x, shape, groups, position, mean, variance, weight, eps, share_weight, share_bias):
    """grad_x of one group, and its image's share of grad_weight and grad_bias."""
    size = shape[1] // groups
    first = position * size * shape[2]
    shift, rest = split(mean[position], x)
    inverse = 1 / math.sqrt(variance[position] + eps)
    plain, along = 0.0, 0.0
    for member in range(size):
        channel = position % groups * size + member
        start = np.uint64(first + member * shape[2])
        one, other = run_products(grad, x, start, start + np.uint64(shape[2]), shift)
        other -= rest * one
        plain += weight[channel] * one
        along += weight[channel] * other
        share_weight[position * size + member] = other * inverse
        share_bias[position * size + member] = one
    count = size * shape[2]
    slope = inverse * inverse * inverse * along / count
    constant = inverse * plain / count - rest * slope
    for member in range(size):
        channel = position % groups * size + member
        start = np.uint64(first + member * shape[2])
        kind = x.dtype.type
        scale = kind(weight[channel] * inverse)
        run_gradient(grad, x, grad_x, start, start + np.uint64(shape[2]), shift, scale, kind(constant), kind(slope))


@kernel
def _gradient_serial(grad, x, grad_x, shape, groups, mean, variance, weight, eps, share_weight, share_bias):
    for position in range(shape[0] * groups):
        _group_gradient(grad, x, grad_x, shape, groups, position, mean, variance, weight, eps, share_weight, share_bias)


@kernel(parallel=True)
def _gradient_parallel(grad, x, grad_x, shape, groups, mean, variance, weight, eps, share_weight, share_bias):
    for position in prange(shape[0] * groups):
        _group_gradient(grad, x, grad_x, shape, groups, position, mean, variance, weight, eps, share_weight, share_bias)


def group_norm(x, weight, bias, groups, eps):
    """(y, mean, variance), both statistics (N, groups) in float64; see the reference."""
    y = memory.empty(x.shape, x.dtype)
    mean, variance = np.zeros((x.shape[0], groups)), np.zeros((x.shape[0], groups))
    if x.size:
        run = _forward_serial if serial(2 * x.size) else _forward_parallel
        scale, offset = or_constant(weight, 1, x), or_constant(bias, 0, x)
        run(x.reshape(-1), y.reshape(-1), x.shape, groups, mean.reshape(-1), variance.reshape(-1), scale, offset, float(eps))
    return y, mean, variance


def group_norm_grad(grad, x, mean, variance, weight, groups, eps):
    """(grad_x, grad_weight, grad_bias); see the reference."""
    grad_x = memory.empty(x.shape, x.dtype)
    shares = np.zeros((2, *x.shape[:2]))
    if x.size:
        run = _gradient_serial if serial(3 * x.size) else _gradient_parallel
        scale = or_constant(weight, 1, x)
        arrays = grad.reshape(-1), x.reshape(-1), grad_x.reshape(-1)
        statistics = mean.reshape(-1), variance.reshape(-1)
        run(*arrays, x.shape, groups, *statistics, scale, float(eps), shares[0].reshape(-1), shares[1].reshape(-1))
    grad_weight, grad_bias = np.add.reduce(shares, 1).astype(x.dtype)
    return grad_x, grad_weight, grad_bias
