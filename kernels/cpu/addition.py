"""The sum of two large arrays: where two gradients of one result meet."""

import numpy as np

from .. import memory
from .elementwise import CHEAP, elementwise, worth_sharing

__all__ = ["add"]


@elementwise(arrays=2, nanoseconds=CHEAP)
def _add(one, other):
    return one + other


def add(one, other):
    """one + other of two arrays in C order, shared by the threads; one thread alone is NumPy's."""
    if worth_sharing(one.size, CHEAP):
        return _add(one, other)
    return np.add(one, other, out=memory.empty(one.shape, one.dtype))
