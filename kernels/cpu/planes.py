"""How kernels that work map by map share the maps among threads."""

from ..threads import SERIAL_BELOW, get_num_threads

NANOSECONDS_A_CELL = 0.3  # that is read or written, roughly: decides whether a parallel region pays


def serial(cells: int) -> bool:
    """Whether so few cells are done sooner by the calling thread alone."""
    return cells * NANOSECONDS_A_CELL < SERIAL_BELOW or get_num_threads() == 1


def tasks_of(planes: int) -> int:
    """Into how many shares of neighbouring planes the work is cut."""
    return max(1, min(planes, 4 * get_num_threads()))
