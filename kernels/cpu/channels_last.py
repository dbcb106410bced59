"""Copies between (N, C, H, W) and (N, H, W, C), where the channels of a pixel lie side by side and fill a vector."""

from numba import prange

from .. import memory
from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads

__all__ = ["to_channels_first", "to_channels_last"]

BLOCK = 16  # channels copied together: a cache line of float32


@kernel
def _spread_rows(x, y, channels, places, first, end):
    """Rows (n) of channel planes to pixels; x and y are flat, a place is one pixel."""
    for n in range(first, end):
        start = n * channels * places
        for c0 in range(0, channels, BLOCK):
            c1 = min(channels, c0 + BLOCK)
            for place in range(places):
                for c in range(c0, c1):
                    y[start + place * channels + c] = x[start + c * places + place]


@kernel
def _gather_rows(x, y, channels, places, first, end):
    """The way back."""
    for n in range(first, end):
        start = n * channels * places
        for place0 in range(0, places, BLOCK):
            place1 = min(places, place0 + BLOCK)
            for c in range(channels):
                for place in range(place0, place1):
                    y[start + c * places + place] = x[start + place * channels + c]


@kernel(parallel=True)
def _spread_parallel(x, y, images, channels, places, tasks):
    for task in prange(images * tasks):
        n, share = task // tasks, task % tasks
        for c0 in range(0, channels, BLOCK):
            c1 = min(channels, c0 + BLOCK)
            for place in range(share * places // tasks, (share + 1) * places // tasks):
                for c in range(c0, c1):
                    y[(n * places + place) * channels + c] = x[(n * channels + c) * places + place]


@kernel(parallel=True)
def _gather_parallel(x, y, images, channels, places, tasks):
    for task in prange(images * tasks):
        n, share = task // tasks, task % tasks
        end = (share + 1) * places // tasks
        for place0 in range(share * places // tasks, end, BLOCK):
            place1 = min(end, place0 + BLOCK)
            for c in range(channels):
                for place in range(place0, place1):
                    y[(n * channels + c) * places + place] = x[(n * places + place) * channels + c]


def _copy(x, shape, channels, places, serial, parallel):
    y = memory.empty(shape, x.dtype)
    if x.size < SERIAL_BELOW or get_num_threads() == 1:
        serial(x.reshape(-1), y.reshape(-1), channels, places, 0, x.shape[0])
    else:
        parallel(x.reshape(-1), y.reshape(-1), x.shape[0], channels, places, 2 * get_num_threads())
    return y


def to_channels_last(x):
    """(N, C, H, W) as (N, H, W, C)."""
    images, channels, height, width = x.shape
    return _copy(x, (images, height, width, channels), channels, height * width, _spread_rows, _spread_parallel)


def to_channels_first(x):
    """(N, H, W, C) as (N, C, H, W)."""
    images, height, width, channels = x.shape
    return _copy(x, (images, channels, height, width), channels, height * width, _gather_rows, _gather_parallel)
