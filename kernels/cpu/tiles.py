"""Scores of a few samples at a time, class by class: how softmax and its losses are vectorised.

Scores come as (outer, classes, inner). Where inner is 1 the classes of a sample are neighbours, else the samples of a class are. A tile is a copy of
some samples with the samples innermost, so every loop runs along memory, over many samples even where the classes are few. Only many
classes with inner 1 are better worked through as they lie; kernels have a row variant for those.
"""

import numpy as np
from numba import types
from numba.extending import overload

from ..jit import kernel
from . import scalars

TILE = 128  # samples in a tile
MAGNITUDE = 2**31 - 1  # the bits of a float32 but the sign
MANY = 64  # classes from which on a row of them is long enough for itself


def tiling(shape):
    """(rows, tasks): whether each sample is worked through as a row, and how many rows or tiles there are."""
    outer, classes, inner = shape
    if inner == 1:
        rows = classes > MANY
        return rows, outer if rows else -(-outer // TILE)
    return False, outer * -(-inner // TILE)


@kernel
def place_of(task, shape):
    """Of a tile: (first sample, number of samples, position of its first score, distance between classes, distance between samples)."""
    outer, classes, inner = shape
    if inner == 1:
        start = task * TILE
        return start, min(TILE, outer - start), start * classes, 1, classes
    tiles = -(-inner // TILE)
    n, start = task // tiles, task % tiles * TILE
    return n * inner + start, min(TILE, inner - start), n * classes * inner + start, inner, 1


@kernel
def load_tile(x, position, class_step, sample_step, tile):
    """Copy scores from a flat array."""
    for k in range(tile.shape[0]):
        row = tile[k]
        start = np.uint64(position + k * class_step)
        if sample_step == 1:
            for p in range(np.uint64(row.size)):
                row[p] = x[start + p]
        else:
            for p in range(np.uint64(row.size)):
                row[p] = x[start + p * np.uint64(sample_step)]


@kernel
def store_tile(tile, x, position, class_step, sample_step):
    """Copy scores back to a flat array."""
    for k in range(tile.shape[0]):
        row = tile[k]
        start = np.uint64(position + k * class_step)
        if sample_step == 1:
            for p in range(np.uint64(row.size)):
                x[start + p] = row[p]
        else:
            for p in range(np.uint64(row.size)):
                x[start + p * np.uint64(sample_step)] = row[p]


@kernel
def tile_exponentials(tile, largest, total):
    """tile[k] <- e^(tile[k] - largest), where `largest` becomes each sample's largest score, so that nothing overflows; `total` their sums."""
    # Loops, not slices: the messages of Numba's slice assignment would take longer to compile than all of the loss.
    for p in range(largest.size):
        largest[p] = tile[0, p]
        total[p] = 0
    for k in range(1, tile.shape[0]):
        row = tile[k]
        for p in range(row.size):
            value, known = row[p], largest[p]
            largest[p] = value if value > known else known
    for k in range(tile.shape[0]):
        row = tile[k]
        for p in range(row.size):
            small = scalars.exp(row[p] - largest[p])
            row[p] = small
            total[p] += small


def largest_of(row):
    """The largest number of a row; NaN may be passed over."""
    return row.max()


@kernel
def _largest32(row):
    # Comparing floats keeps LLVM from vector code, because of NaN. Their bits, with those of negative numbers flipped, are whole
    # numbers in the same order.
    bits = row.view(np.int32)
    largest = np.int32(-(2**31))
    for k in range(bits.size):
        order = np.int32(bits[k] ^ np.int32((bits[k] >> 31) & MAGNITUDE))
        largest = order if order > largest else largest
    return np.int32(largest ^ np.int32((largest >> 31) & MAGNITUDE)).view(np.float32)


@kernel
def _largest64(row):
    largest = row[0]
    for k in range(row.size):
        largest = row[k] if row[k] > largest else largest
    return largest


@overload(largest_of)
def _largest_of(row):
    return (lambda row: _largest32(row)) if row.dtype == types.float32 else (lambda row: _largest64(row))


@kernel
def row_exponentials(x, y, position, classes):
    """(m, s) of one sample whose scores are neighbours: e^(x[k] - m) goes to y, m is the largest x, s their sum."""
    scores, powers = x[position : position + classes], y[position : position + classes]
    largest = largest_of(scores)
    for k in range(classes):
        powers[k] = scalars.exp(scores[k] - largest)
    total = 0.0
    for k in range(classes):
        total += powers[k]
    return largest, total
