"""The sum of two arrays that are too large for one thread: where two gradients of one result meet."""

from .elementwise import CHEAP, elementwise

__all__ = ["add"]


@elementwise(arrays=2, nanoseconds=CHEAP)
def add(one, other):
    """one + other."""
    return one + other
