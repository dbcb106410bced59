"""Losses, fast: value and gradient in one pass over the scores."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads
from . import scalars
from .elementwise import whole_vectors
from .logarithm import log
from .tiles import SEGMENT, TILE, column_exponentials, load_tile, place_of, row_exponentials, store_tile, tile_exponentials, tiling

__all__ = ["nll_loss", "nll_loss_grad_x", "soft_target_cross_entropy", "softmax_cross_entropy", "wrong_class"]

NANOSECONDS_A_LOGIT = 2
NO_WEIGHTS = {char: np.empty(0, char) for char in "fd"}


@kernel
def _mass(label, weight, shares, weight_sum):
    """sum_k q[k] times the gradient's factor, by which the softmax is multiplied in the gradient."""
    return ((shares[0] * weight[label] if weight.size else shares[0]) + shares[1] * weight_sum) * shares[2]


@kernel
def _spread(x, share, scale, largest, log_total, grad, position, classes):
    """The loss of equal shares of neighbouring scores, taken off the gradient, which has the factor `scale`."""
    whole_vectors()
    # Both terms are positive, so nothing is lost by taking log(total) once for all.
    below, row = x.dtype.type(0), x[position : position + classes]
    for k in range(classes):
        below += largest - row[k]
    if grad.size:
        slopes = grad[position : position + classes]
        for k in range(classes):
            slopes[k] -= share * scale
    return share * below + share * x.dtype.type(classes) * log_total


@kernel(fastmath=scalars.EXACT_ORDER)  # x - largest - log(total): the two must not be added first
def _sample(x, label, weight, shares, largest, total, grad, position, class_step, classes):
    """The loss of one sample; takes its shares q off the gradient, if that is wanted, which is softmax[k] sum_l q[l] by now."""
    log_total = x.dtype.type(log(total))
    sure = shares[0] * weight[label] if weight.size else shares[0]
    at = position + label * class_step
    loss = -sure * (x[at] - largest - log_total) if sure != 0 else x.dtype.type(0)
    if grad.size:
        grad[at] -= sure * shares[2]
    if shares[1] != 0 and class_step == 1 and not weight.size:
        return loss + _spread(x, shares[1], shares[2], largest, log_total, grad, position, classes)
    if shares[1] != 0:
        for k in range(classes):
            share = shares[1] * weight[k] if weight.size else shares[1]
            at = position + k * class_step
            if share != 0:
                loss -= share * (x[at] - largest - log_total)
            if grad.size:
                grad[at] -= share * shares[2]
    return loss


@kernel
def _row(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, n, classes):
    whole_vectors()
    zero, label, position = x.dtype.type(0), target[n], n * classes
    if label == ignore_index:
        losses[n] = zero
        counts[n] = zero
        if grad.size:
            for k in range(position, position + classes):
                grad[k] = zero
        return
    row = grad[position : position + classes] if grad.size else np.empty(classes, x.dtype)
    largest, total = row_exponentials(x[position : position + classes], row)
    if grad.size:
        scale = x.dtype.type(_mass(label, weight, shares, weight_sum) / total)
        for k in range(row.size):
            row[k] *= scale
    losses[n] = _sample(x, label, weight, shares, largest, total, grad, position, 1, classes)
    counts[n] = weight[label] if weight.size else x.dtype.type(1)


@kernel(fastmath=scalars.EXACT_ORDER)
def _sure_losses(x, target, shares, largest, total, losses, counts, grad, ignore_index, first, position, class_step, sample_step):
    """What `_sample` does, for a tile of samples whose classes are sure and equal in weight."""
    whole_vectors()
    zero, one, count = x.dtype.type(0), x.dtype.type(1), total.size
    for p in range(count):
        total[p] = log(total[p])
    for p in range(count):
        label = target[first + p]
        kept = label != ignore_index
        at = position + p * sample_step + (label if kept else 0) * class_step
        losses[first + p] = shares[0] * (largest[p] - x[at] + total[p]) if kept else zero
        counts[first + p] = one if kept else zero
    if not grad.size:
        return
    for p in range(count):
        label = target[first + p]
        if label != ignore_index:
            grad[position + p * sample_step + label * class_step] -= shares[0] * shares[2]


@kernel
def _scale_column(powers, scale):
    """A softmax times the gradient's factor. Not a plain product: an ignored sample has no gradient even where its scores are infinite."""
    whole_vectors()
    zero = scale.dtype.type(0)
    for p in range(scale.size):
        value = powers[p] * scale[p]
        powers[p] = value if scale[p] != zero else zero


@kernel
def _tile(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, task, shape):
    """A tile of samples with few classes, or a segment of neighbouring ones."""
    zero, classes = x.dtype.type(0), shape[1]
    first, count, position, class_step, sample_step = place_of(task, shape, SEGMENT)
    in_place = sample_step == 1 and shape[2] > 1
    tile = np.empty((0 if in_place else classes, count), x.dtype)
    largest, total, scale = np.empty(count, x.dtype), np.empty(count, x.dtype), np.empty(count, x.dtype)
    if in_place:
        column_exponentials(x, grad, position, class_step, classes, largest, total)
    else:
        load_tile(x, position, class_step, sample_step, tile)
        tile_exponentials(tile, largest, total)
    if grad.size:
        for p in range(count):
            label = target[first + p]
            scale[p] = zero if label == ignore_index else _mass(label, weight, shares, weight_sum) / total[p]
        for k in range(classes):
            start = position + k * class_step
            _scale_column(grad[start : start + count] if in_place else tile[k], scale)
        if not in_place:
            store_tile(tile, grad, position, class_step, sample_step)
    if shares[1] == 0 and not weight.size:
        _sure_losses(x, target, shares, largest, total, losses, counts, grad, ignore_index, first, position, class_step, sample_step)
        return
    for p in range(count):
        label, loss, weighs = target[first + p], zero, zero
        if label != ignore_index:
            loss = _sample(x, label, weight, shares, largest[p], total[p], grad, position + p * sample_step, class_step, classes)
            weighs = weight[label] if weight.size else x.dtype.type(1)
        losses[first + p] = loss
        counts[first + p] = weighs


@kernel
def _serial(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, tasks, shape, rows):
    whole_vectors()
    for task in range(tasks):
        if rows:
            _row(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, task, shape[1])
        else:
            _tile(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, task, shape)


@kernel(parallel=True)
def _parallel(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, tasks, shape, rows):
    for task in prange(tasks):
        whole_vectors()
        if rows:
            _row(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, task, shape[1])
        else:
            _tile(x, target, weight, weight_sum, ignore_index, shares, losses, counts, grad, task, shape)


def softmax_cross_entropy(logits, target, weight, ignore_index, label_smoothing, scale=1.0, grad_wanted=True):
    """Losses (N, P), the weights they count with, and scale times the gradient (N, C, P), empty if not wanted; see the reference."""
    images, classes, places = logits.shape
    losses = memory.empty((images, places), logits.dtype)
    counts = memory.empty((images, places), logits.dtype)
    grad = memory.empty(logits.shape if grad_wanted else (0,), logits.dtype)
    element = logits.dtype.type
    weights, weight_sum = (NO_WEIGHTS[logits.dtype.char], classes) if weight is None else (weight, weight.sum())
    shares = (element(1 - label_smoothing), element(label_smoothing / classes), element(scale))
    if not logits.size:
        return losses, counts, grad
    rows, tasks = tiling(logits.shape, SEGMENT)
    small = logits.size * NANOSECONDS_A_LOGIT < SERIAL_BELOW or get_num_threads() == 1
    run = _serial if small else _parallel
    run(
        logits.reshape(-1), target.reshape(-1), weights, element(weight_sum), ignore_index, shares,
        losses.reshape(-1), counts.reshape(-1), grad.reshape(-1), tasks, logits.shape, rows,
    )  # fmt: skip
    return losses, counts, grad


@kernel
def _wrong_class(target, classes, ignore_index):
    for i in range(target.size):
        if (target[i] < 0 or target[i] >= classes) and target[i] != ignore_index:
            return i
    return -1


def wrong_class(target, classes, ignore_index):
    """The position of the first class index that is neither from 0 to classes - 1 nor ignored; -1 where all are right."""
    return _wrong_class(target.reshape(-1), classes, ignore_index)


@kernel
def _soft_row(x, target, weight, shares, losses, grad, n, classes):
    whole_vectors()
    position = n * classes
    largest, total = row_exponentials(x[position : position + classes], grad[position : position + classes])
    log_total = x.dtype.type(log(total))
    share, row, slopes = np.empty(classes, x.dtype), x[position : position + classes], grad[position : position + classes]
    wanted = target[position : position + classes]
    for k in range(classes):
        share[k] = shares[0] * wanted[k] + shares[1]
    if weight.size:
        for k in range(classes):
            share[k] *= weight[k]
    mass, below = x.dtype.type(0), x.dtype.type(0)
    for k in range(classes):
        mass += share[k]
        below += share[k] * (largest - row[k])
    # Both terms are positive where the shares are, so nothing is lost by taking log(total) once for all.
    losses[n] = below + mass * log_total
    scale = x.dtype.type(mass / total)
    for k in range(classes):
        slopes[k] = slopes[k] * scale - share[k]


@kernel(fastmath=scalars.EXACT_ORDER)
def _soft_tile(x, target, weight, shares, losses, grad, task, shape):
    whole_vectors()
    classes = shape[1]
    first, count, position, class_step, sample_step = place_of(task, shape, TILE)
    tile, share, scores = (np.empty((classes, count), x.dtype), np.empty((classes, count), x.dtype), np.empty((classes, count), x.dtype))
    largest, total = np.empty(count, x.dtype), np.empty(count, x.dtype)
    mass, loss = np.zeros(count, x.dtype), np.zeros(count, x.dtype)
    load_tile(x, position, class_step, sample_step, tile)
    load_tile(x, position, class_step, sample_step, scores)
    load_tile(target, position, class_step, sample_step, share)
    tile_exponentials(tile, largest, total)
    log_total = np.empty(count, x.dtype)
    for p in range(count):
        log_total[p] = log(total[p])
    for k in range(classes):
        factor = weight[k] if weight.size else x.dtype.type(1)
        q, row = share[k], scores[k]
        for p in range(count):
            q[p] = factor * (shares[0] * q[p] + shares[1])
            mass[p] += q[p]
            loss[p] -= q[p] * (row[p] - largest[p] - log_total[p])
    for p in range(count):
        mass[p] = mass[p] / total[p]
        losses[first + p] = loss[p]
    for k in range(classes):
        q, row = share[k], tile[k]
        for p in range(count):
            row[p] = row[p] * mass[p] - q[p]
    store_tile(tile, grad, position, class_step, sample_step)


@kernel
def _soft_task(x, target, weight, shares, losses, grad, task, shape, rows):
    if rows:
        _soft_row(x, target, weight, shares, losses, grad, task, shape[1])
    else:
        _soft_tile(x, target, weight, shares, losses, grad, task, shape)


@kernel
def _soft_serial(x, target, weight, shares, losses, grad, tasks, shape, rows):
    whole_vectors()
    for task in range(tasks):
        _soft_task(x, target, weight, shares, losses, grad, task, shape, rows)


@kernel(parallel=True)
def _soft_parallel(x, target, weight, shares, losses, grad, tasks, shape, rows):
    for task in prange(tasks):
        whole_vectors()
        _soft_task(x, target, weight, shares, losses, grad, task, shape, rows)


def soft_target_cross_entropy(logits, target, weight, label_smoothing):
    """Losses (N, P) and the gradient (N, C, P) against one probability a class; see the reference."""
    images, classes, places = logits.shape
    losses = memory.empty((images, places), logits.dtype)
    grad = memory.empty(logits.shape, logits.dtype)
    element = logits.dtype.type
    weights = NO_WEIGHTS[logits.dtype.char] if weight is None else weight
    shares = (element(1 - label_smoothing), element(label_smoothing / classes))
    if logits.size:
        rows, tasks = tiling(logits.shape)
        run = _soft_serial if logits.size * NANOSECONDS_A_LOGIT < SERIAL_BELOW or get_num_threads() == 1 else _soft_parallel
        run(logits.reshape(-1), target.reshape(-1), weights, shares, losses.reshape(-1), grad.reshape(-1), tasks, logits.shape, rows)
    return losses, grad


@kernel
def _nll(x, target, weight, ignore_index, losses, counts):
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for n in range(x.shape[0]):
        for p in range(x.shape[2]):
            label = target[n, p]
            kept = label != ignore_index
            count = (weight[label] if weight.size else one) if kept else zero
            counts[n, p] = count
            losses[n, p] = -count * x[n, label, p] if kept else zero


@kernel
def _nll_grad(grad, target, weight, ignore_index, grad_x):
    for n in range(grad.shape[0]):
        grad_x[n] = 0
        for p in range(grad.shape[1]):
            label = target[n, p]
            if label != ignore_index:
                grad_x[n, label, p] = -grad[n, p] * weight[label] if weight.size else -grad[n, p]


def nll_loss(x, target, weight, ignore_index):
    """-weight[target] x[target] and the weight each sample counts with; see the reference."""
    losses = memory.empty((x.shape[0], x.shape[2]), x.dtype)
    counts = memory.empty(losses.shape, x.dtype)
    _nll(x, target, NO_WEIGHTS[x.dtype.char] if weight is None else weight, ignore_index, losses, counts)
    return losses, counts


def nll_loss_grad_x(grad, target, weight, classes, ignore_index):
    """The gradient (N, C, P): -weight[target] grad at each target, zero elsewhere."""
    grad_x = memory.empty((grad.shape[0], classes, grad.shape[1]), grad.dtype)
    _nll_grad(grad, target, NO_WEIGHTS[grad.dtype.char] if weight is None else weight, ignore_index, grad_x)
    return grad_x
