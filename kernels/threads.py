"""How many threads the kernels use, and on which of Numba's threading layers.

OpenMP enters a parallel region in 2 to 3 microseconds and takes calls from several Python threads; TBB likewise. Numba's own work queue needs
over 30 microseconds and aborts the process when two Python threads enter at once, so there every kernel call takes a lock.
"""

import functools
import importlib
import os
import threading
from collections.abc import Callable
from typing import Any

import numba

from .errors import ArgumentError

# Work estimated below this many nanoseconds runs the serial variant: a parallel region costs more than it saves.
SERIAL_BELOW = 30_000

POOLS = {"omp": "numba.np.ufunc.omppool", "tbb": "numba.np.ufunc.tbbpool"}


def _choose_layer() -> str:
    """The first of OpenMP and TBB that loads on this machine, else Numba's work queue; NUMBA_THREADING_LAYER overrules."""
    chosen = os.environ.get("NUMBA_THREADING_LAYER")
    if chosen:
        return chosen
    numba.config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]
    for name, module in POOLS.items():
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        return name
    return "workqueue"


LAYER = _choose_layer()

_workqueue_lock = threading.RLock()


def guarded(dispatcher: Callable[..., Any]) -> Callable[..., Any]:
    """A parallel kernel as several Python threads may call it: behind one lock on the work queue, as it is elsewhere."""
    if LAYER != "workqueue":
        return dispatcher

    @functools.wraps(dispatcher)
    def one_at_a_time(*arguments: Any) -> Any:
        with _workqueue_lock:
            return dispatcher(*arguments)

    return one_at_a_time


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
