"""What the CUDA kernels share: where outputs live, how threads are counted, and the element types that they compute in."""

import functools
import sys

import numba
import numpy as np
from numba import config, cuda

# The simulator starts a Python thread for each of them.
THREADS = 64 if config.ENABLE_CUDASIM else 256

KINDS = {"f": numba.float32, "d": numba.float64}


def empty(shape, dtype, like):
    """An uninitialised array where `like` lives: on the host, in CuPy, or in numba's own device arrays."""
    if isinstance(like, np.ndarray):
        return np.empty(shape, dtype)
    if type(like).__module__.partition(".")[0] == "cupy":
        return sys.modules["cupy"].empty(shape, dtype)
    return cuda.device_array(shape, dtype)


def to_host(array):
    """The array as an ndarray."""
    if isinstance(array, np.ndarray):
        return array
    return array.copy_to_host() if hasattr(array, "copy_to_host") else array.get()


def to_device(array, like):
    """An ndarray where `like` lives."""
    if isinstance(like, np.ndarray):
        return array
    if type(like).__module__.partition(".")[0] == "cupy":
        return sys.modules["cupy"].asarray(array)
    return cuda.to_device(array)


def launch(kernel, count, *arguments):
    """Run a kernel with at least `count` threads; it leaves the surplus ones idle."""
    if count:
        kernel[-(-count // THREADS), THREADS](*arguments)


def by_kind(make):
    """Make a family of kernels once for each element type: inside, `kind(value)` is a number of that type, never a wider one."""
    made = functools.cache(lambda code: make(KINDS[code]))
    return lambda array: made(np.dtype(array.dtype).char)
