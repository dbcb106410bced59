"""How many threads the kernels use, and on which of Numba's threading layers.

OpenMP enters a parallel region in 2 to 3 microseconds and takes calls from several Python threads; TBB likewise. Numba's own work queue needs
over 30 microseconds and aborts the process when two Python threads enter at once, so there every kernel call takes a lock.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numba

from .errors import ArgumentError

# Work estimated below this many nanoseconds runs the serial variant: a parallel region costs more than it saves.
SERIAL_BELOW = 30_000

if "NUMBA_THREADING_LAYER" not in os.environ:
    numba.config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]


def max_threads() -> int:
    """The most threads that this process may use."""
    return int(numba.config.NUMBA_NUM_THREADS)


def get_num_threads() -> int:
    """The number of threads that kernels called from this Python thread use."""
    return int(numba.get_num_threads())


def set_num_threads(count: int) -> None:
    """Let kernels called from this Python thread use `count` threads."""
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= max_threads():
        raise ArgumentError(
            f"set_num_threads: {count!r} is not a whole number from 1 to {max_threads()}, the processors this process may use"
        )
    numba.set_num_threads(count)


def layer() -> str:
    """The threading layer in use ("omp", "tbb" or "workqueue"); starts it if no parallel kernel has run yet."""
    _start()
    return str(numba.threading_layer())


@numba.njit(parallel=True)
def _touch() -> int:
    total = 0
    for i in numba.prange(1):
        total += i
    return total


def _start() -> None:
    try:
        numba.threading_layer()
    except ValueError:
        _touch()


_workqueue_lock = threading.RLock()


@contextmanager
def parallel_region() -> Iterator[None]:
    """Around a call of a parallel kernel where several Python threads may call at once: a lock on the work queue, free elsewhere."""
    if numba.np.ufunc.parallel._get_thread_id is None or layer() == "workqueue":
        with _workqueue_lock:
            yield
    else:
        yield
