"""Scores of a few samples at a time, class by class: how softmax and its losses are vectorised.

Scores come as (outer, classes, inner). Where inner is 1 the classes of a sample are neighbours, else the samples of a class are. A tile is a copy of
some samples with the samples innermost, so every loop runs along memory, over many samples even where the classes are few. Only many
classes with inner 1 are better worked through as they lie; kernels have a row variant for those.
"""

import numpy as np

from ..jit import kernel
from . import scalars

TILE = 128  # samples in a tile
LANES = 32  # maxima side by side in a row
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


@kernel
def row_exponentials(x, y, position, classes):
    """(m, s) of one sample whose scores are neighbours: e^(x[k] - m) goes to y, m is the largest x, s their sum."""
    # Many maxima side by side, as each comparison would have to wait for the one before it.
    lanes = np.empty(LANES, x.dtype)
    lanes[:] = x[position]
    whole = classes - classes % LANES
    for k in range(position, position + whole, LANES):
        for lane in range(np.uint64(LANES)):
            value, known = x[np.uint64(k) + lane], lanes[lane]
            lanes[lane] = value if value > known else known
    largest = x[position]
    for k in range(position + whole, position + classes):
        largest = x[k] if x[k] > largest else largest
    for lane in range(LANES):
        largest = lanes[lane] if lanes[lane] > largest else largest
    start = np.uint64(position)
    for k in range(np.uint64(classes)):
        y[start + k] = scalars.exp(x[start + k] - largest)
    total = 0.0
    for k in range(np.uint64(classes)):
        total += y[start + k]
    return largest, total
