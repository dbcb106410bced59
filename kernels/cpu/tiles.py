"""Scores of a few samples at a time, class by class: how softmax and its losses are vectorised.

Scores come as (outer, classes, inner). Where inner is 1 the classes of a sample are neighbours, else the samples of a class are: then loops run
over the samples of a segment, class by class, where the scores lie. With inner 1 many classes are a row long enough for loops of its own; of few
classes a tile is made, a copy of some samples with the samples innermost.
"""

import numpy as np
from numba import types
from numba.extending import overload

from ..jit import kernel
from . import scalars
from .elementwise import whole_vectors

TILE = 128  # samples in a tile
SEGMENT = 512  # neighbouring samples that are worked through class by class in place
MAGNITUDE = 2**31 - 1  # the bits of a float32 but the sign
MANY = 64  # classes from which on a row of them is long enough for itself


def tiling(shape, segment=TILE):
    """(rows, tasks): whether each sample is worked through as a row, and how many rows, tiles or segments there are."""
    outer, classes, inner = shape
    if inner == 1:
        rows = classes > MANY
        return rows, outer if rows else -(-outer // TILE)
    return False, outer * -(-inner // segment)


@kernel
def place_of(task, shape, segment):
    """Of a tile or segment: (first sample, number of samples, position of its first score, distance between classes, distance between samples)."""
    outer, classes, inner = shape
    if inner == 1:
        start = task * TILE
        return start, min(TILE, outer - start), start * classes, 1, classes
    pieces = -(-inner // segment)
    n, start = task // pieces, task % pieces * segment
    return n * inner + start, min(segment, inner - start), n * classes * inner + start, inner, 1


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
    whole_vectors()
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


@kernel
def column_exponentials(x, y, position, step, classes, largest, total):
    """What `tile_exponentials` does, on the scores where they lie: e^(x - largest) goes to y, or nowhere if y has no room."""
    whole_vectors()
    for p in range(largest.size):
        largest[p] = x[np.uint64(position + p)]
        total[p] = 0
    for k in range(1, classes):
        start = position + k * step
        row = x[start : start + largest.size]
        for p in range(largest.size):
            value, known = row[p], largest[p]
            largest[p] = value if value > known else known
    for k in range(classes):
        start = position + k * step
        row = x[start : start + largest.size]
        if y.size:
            powers = y[start : start + largest.size]
            for p in range(largest.size):
                small = scalars.exp(row[p] - largest[p])
                powers[p] = small
                total[p] += small
        else:
            for p in range(largest.size):
                total[p] += scalars.exp(row[p] - largest[p])


def largest_of(row):
    """The largest number of a row; NaN may be passed over."""
    return row.max()


@kernel
def _largest32(row):
    whole_vectors()
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
def row_exponentials(scores, powers):
    """(m, s) of one sample whose scores are neighbours: e^(scores - m) goes to powers, m is the largest score, s their sum."""
    whole_vectors()
    largest = largest_of(scores)
    for k in range(scores.size):
        powers[k] = scalars.exp(scores[k] - largest)
    # A loop of its own: in one with sums in float64 the exponentials would have half as many lanes.
    total = 0.0
    for k in range(powers.size):
        total += powers[k]
    return largest, total
