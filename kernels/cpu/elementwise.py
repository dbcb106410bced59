"""How a function of numbers becomes a kernel on arrays: one loop, written once, around any scalar formula.

    @elementwise(arrays=1, nanoseconds=0.2)
    def leaky_relu(x, negative_slope):
        return x if x > 0 else negative_slope * x

makes `leaky_relu` a kernel with the same parameters: the first `arrays` of them are arrays of one shape, the others numbers. Arrays are
worked through as one row, cut into chunks that the threads share. The formula must have no branch that costs: both sides of a conditional
expression are computed, and LLVM makes vector code of it. Its products are
rounded in the order they are written: another one may overflow.
"""

import functools
from types import FunctionType

from numba import prange, types
from numba.extending import intrinsic

from .. import memory
from ..jit import FAST, kernel
from ..threads import SERIAL_BELOW, get_num_threads
from .scalars import EXACT_ORDER

__all__ = ["CHEAP", "COSTLY", "elementwise", "whole_vectors", "worth_sharing"]

CHUNK = 8192  # elements a task
CHEAP, COSTLY = 0.2, 2.0  # nanoseconds an element: a comparison, an exponential


def worth_sharing(size, nanoseconds):
    """Whether a loop over `size` elements is long enough for more than one thread."""
    return size * nanoseconds > SERIAL_BELOW and get_num_threads() > 1


if FAST:

    @intrinsic
    def whole_vectors(typingctx):
        """Let LLVM use the widest vectors of the processor in the function that says so; by itself it keeps to half of AVX-512's."""

        def codegen(context, builder, signature, arguments):
            # llvmlite checks names against an old list; LLVM takes any text.
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
            return context.get_dummy_value()

        return types.void(), codegen

else:

    @kernel
    def whole_vectors():
        """Without the vector instructions there is nothing to ask for."""


# The loops. `formula` and `loop` stand for what `specialise` puts in their place.


def _one_array(x, y, numbers):
    whole_vectors()
    for i in range(x.size):
        y[i] = formula(x[i], *numbers)  # noqa: F821


def _two_arrays(grad, x, y, numbers):
    whole_vectors()
    for i in range(x.size):
        y[i] = formula(grad[i], x[i], *numbers)  # noqa: F821


def _one_array_parallel(x, y, numbers):
    for task in prange(-(-x.size // CHUNK)):
        whole_vectors()
        first = task * CHUNK
        end = min(first + CHUNK, x.size)
        loop(x[first:end], y[first:end], numbers)  # noqa: F821


def _two_arrays_parallel(grad, x, y, numbers):
    for task in prange(-(-x.size // CHUNK)):
        whole_vectors()
        first = task * CHUNK
        end = min(first + CHUNK, x.size)
        loop(grad[first:end], x[first:end], y[first:end], numbers)  # noqa: F821


def specialise(template, name, **meanings):
    """A copy of a function under another name, in which some global names mean something else.

    Closures would say the same, but Numba finds a closure over a compiled function in its cache only within the process that compiled it.
    """
    function = FunctionType(template.__code__.replace(co_name=name), {**template.__globals__, **meanings}, name)
    function.__qualname__ = name
    function.__module__ = template.__module__
    return function


def elementwise(arrays, nanoseconds):
    """Make a kernel of a function of numbers; `nanoseconds` an element decide when threads are worth it."""

    def declare(formula):
        name = formula.__name__
        serial, parallel = (_one_array, _one_array_parallel) if arrays == 1 else (_two_arrays, _two_arrays_parallel)
        loop = kernel(specialise(serial, f"_{name}_serial", formula=kernel(formula, cache=False, fastmath=EXACT_ORDER)))
        shared_loop = kernel(specialise(parallel, f"_{name}_parallel", loop=loop), parallel=True)

        @functools.wraps(formula)
        def run(*arguments):
            x = arguments[0]
            y = memory.empty(x.shape, x.dtype)
            numbers = tuple([x.dtype.type(number) for number in arguments[arrays:]])
            chosen = shared_loop if worth_sharing(x.size, nanoseconds) else loop
            chosen(*[array.reshape(-1) for array in arguments[:arrays]], y.reshape(-1), numbers)
            return y

        return run

    return declare
