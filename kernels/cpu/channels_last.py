"""Copies between (N, C, H, W) and (N, H, W, C), where the channels of a pixel lie side by side and fill a vector."""

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["to_channels_first", "to_channels_last"]

CHANNELS = 16  # copied together: a cache line of float32
PLACES = 64  # of one block, so that the lines it touches stay in the second-level cache until they are full


@kernel
def _block_last(x, y, channels, places, first, end):
    """Places first to end of one image, from planes to pixels; x and y are the image's elements."""
    channels, places = np.uint64(channels), np.uint64(places)
    for c0 in range(0, channels, CHANNELS):
        c1 = min(channels, np.uint64(c0 + CHANNELS))
        for place in range(np.uint64(first), np.uint64(end)):
            for c in range(np.uint64(c0), c1):
                y[place * channels + c] = x[c * places + place]


@kernel
def _block_first(x, y, channels, places, first, end):
    """The way back."""
    channels, places = np.uint64(channels), np.uint64(places)
    for c in range(channels):
        for place in range(np.uint64(first), np.uint64(end)):
            y[c * places + place] = x[place * channels + c]


@kernel
def _last(x, y, channels, places):
    for n in range(x.shape[0]):
        for first in range(0, places, PLACES):
            _block_last(x[n], y[n], channels, places, first, min(places, first + PLACES))


@kernel(parallel=True)
def _last_parallel(x, y, channels, places):
    blocks = -(-places // PLACES)
    for task in prange(x.shape[0] * blocks):
        n, first = task // blocks, task % blocks * PLACES
        _block_last(x[n], y[n], channels, places, first, min(places, first + PLACES))


@kernel
def _first(x, y, channels, places):
    for n in range(x.shape[0]):
        for first in range(0, places, PLACES):
            _block_first(x[n], y[n], channels, places, first, min(places, first + PLACES))


@kernel(parallel=True)
def _first_parallel(x, y, channels, places):
    blocks = -(-places // PLACES)
    for task in prange(x.shape[0] * blocks):
        n, first = task // blocks, task % blocks * PLACES
        _block_first(x[n], y[n], channels, places, first, min(places, first + PLACES))


def _copy(x, shape, channels, places, serial, parallel):
    y = memory.empty(shape, x.dtype)
    if y.size:
        copy = serial if x.size < SERIAL_BELOW or get_num_threads() == 1 else parallel
        copy(x.reshape(x.shape[0], -1), y.reshape(x.shape[0], -1), channels, places)
    return y


def to_channels_last(x):
    """(N, C, H, W) as (N, H, W, C)."""
    images, channels, height, width = x.shape
    return _copy(x, (images, height, width, channels), channels, height * width, _last, _last_parallel)


def to_channels_first(x):
    """(N, H, W, C) as (N, C, H, W)."""
    images, height, width, channels = x.shape
    return _copy(x, (images, channels, height, width), channels, height * width, _first, _first_parallel)
