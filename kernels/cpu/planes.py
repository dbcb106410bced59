"""What poolings of all kinds share: maps among threads, images as volumes of one plane, and which windows of a row have a certain cell."""

import numpy as np

from ..jit import kernel
from ..threads import SERIAL_BELOW, get_num_threads

NANOSECONDS_A_CELL = 0.3  # that is read or written, roughly: decides whether a parallel region pays


def serial(cells: int) -> bool:
    """Whether so few cells are done sooner by the calling thread alone."""
    return cells * NANOSECONDS_A_CELL < SERIAL_BELOW or get_num_threads() == 1


def tasks_of(planes: int) -> int:
    """Into how many shares of neighbouring planes the work is cut."""
    return max(1, min(planes, 4 * get_num_threads()))


def deep_sizes(sizes):
    """(height, width) as (1, height, width)."""
    return (1, *sizes)


def volume(shape):
    """(N, C, D, H, W), or (N, C, H, W), as (planes, D, H, W)."""
    return (shape[0] * shape[1], *((1,) * (5 - len(shape))), *shape[2:])


@kernel
def reaches(cells, step, dilation, before, size, windows):
    """For each cell b of the windows along one axis: the windows first[b] to end[b] - 1 whose cell j * step + b * dilation - before exists."""
    first, end = np.empty(cells, np.intp), np.empty(cells, np.intp)
    for b in range(cells):
        offset = b * dilation - before
        first[b] = max(0, -(offset // step))
        end[b] = max(first[b], min(windows, (size - 1 - offset) // step + 1) if offset < size else 0)
    return first, end
