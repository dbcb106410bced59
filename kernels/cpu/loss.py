"""Losses, fast: value and gradient in one pass."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads
from . import scalars
from .activation import largest_and_log_sum

__all__ = ["softmax_cross_entropy"]

NANOSECONDS_A_LOGIT = 4
NO_WEIGHTS = {char: np.empty(0, char) for char in "fd"}


@kernel(fastmath=scalars.EXACT_ORDER)  # x - largest - log_total: the two must not be added first
def _image(logits, target, weight, ignore_index, label_smoothing, losses, counts, grad, n):
    classes = logits.shape[1]
    zero = logits.dtype.type(0)
    one = logits.dtype.type(1)
    sure = logits.dtype.type(1 - label_smoothing)
    spread = logits.dtype.type(label_smoothing / classes)
    for p in range(logits.shape[2]):
        label = target[n, p]
        if label == ignore_index:
            losses[n, p] = zero
            counts[n, p] = zero
            for k in range(classes):
                grad[n, k, p] = zero
            continue
        largest, log_sum = largest_and_log_sum(logits, n, p)
        log_total = logits.dtype.type(log_sum)
        loss = zero
        mass = zero
        for k in range(classes):
            share = (sure if k == label else zero) + spread
            if weight.size:
                share *= weight[k]
            if share != zero:
                loss -= share * (logits[n, k, p] - largest - log_total)
            mass += share
            grad[n, k, p] = -share
        for k in range(classes):
            grad[n, k, p] += mass * scalars.exp(logits[n, k, p] - largest - log_total)
        losses[n, p] = loss
        counts[n, p] = weight[label] if weight.size else one


@kernel
def _serial(logits, target, weight, ignore_index, label_smoothing, losses, counts, grad):
    for n in range(logits.shape[0]):
        _image(logits, target, weight, ignore_index, label_smoothing, losses, counts, grad, n)


@kernel(parallel=True)
def _parallel(logits, target, weight, ignore_index, label_smoothing, losses, counts, grad):
    for n in prange(logits.shape[0]):
        _image(logits, target, weight, ignore_index, label_smoothing, losses, counts, grad, n)


def softmax_cross_entropy(logits, target, weight, ignore_index, label_smoothing):
    """Losses (N, P), the weights they count with, and the gradient (N, C, P); see the reference."""
    images, _, places = logits.shape
    losses = memory.empty((images, places), logits.dtype)
    counts = memory.empty((images, places), logits.dtype)
    grad = memory.empty(logits.shape, logits.dtype)
    weights = NO_WEIGHTS[logits.dtype.char] if weight is None else weight
    small = logits.size * NANOSECONDS_A_LOGIT < SERIAL_BELOW or get_num_threads() == 1
    run = _serial if small else _parallel
    run(logits, target, weights, ignore_index, float(label_smoothing), losses, counts, grad)
    return losses, counts, grad
