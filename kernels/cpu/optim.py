"""One step of each optimiser over all parameters of a group in one kernel call.

The kernels read tables of addresses (kernels/tables.py), so they are compiled once for each element type, whatever the network. The work is cut into
chunks of neighbouring elements; large groups share them among the threads. Every element is computed by itself, so no sum depends on the order.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

from ..jit import FAST, kernel
from ..tables import ArrayTable
from ..threads import SERIAL_BELOW, get_num_threads

# Rough nanoseconds that one element of one step takes: three to five arrays streamed through memory.
NANOSECONDS_PER_ELEMENT = 0.3

Arrays = Sequence[np.ndarray]


@intrinsic
def _pointer(typing_context: Any, address: Any, witness: Any) -> Any:
    """A pointer to elements of the witness's type from an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(witness)(address, witness), generate


@kernel
def _view(address, start, stop, witness):  # type: ignore[no-untyped-def]
    """Elements start to stop of the array at an address, as an array of the witness's type."""
    return numba.carray(_pointer(address, witness), stop)[start:]


def _launch(
    chunk: Callable[..., None],
    serial: Callable[..., None],
    parallel: Callable[..., None],
    arrays: Sequence[Arrays],
    per_array: Sequence[np.ndarray],
    numbers: Sequence[float],
    flags: Sequence[bool],
) -> None:
    """Call the fitting variant; the numbers are rounded to the arrays' element type, so that all arithmetic happens in it."""
    tables = [table if isinstance(table, ArrayTable) else ArrayTable(table) for table in arrays]
    first = tables[0]
    if not first:
        return
    element = first[0].dtype.type
    scalars = [element(number) for number in numbers]
    if not FAST:
        for i in range(len(first)):
            chunk(*[table[i].reshape(-1) for table in tables], *[values[i] for values in per_array], *scalars, *flags)
        return
    large = first.total * NANOSECONDS_PER_ELEMENT > SERIAL_BELOW and get_num_threads() > 1
    run = parallel if large else serial
    run(first.chunks, *[table.addresses for table in tables], *per_array, *scalars, *flags)


# SGD -----------------------------------------------------------------------------------------------------------------------------------


@kernel
def _sgd_chunk(p, g, b, fresh, lr, momentum, dampening, weight_decay, keeps_momentum, nesterov, maximize):  # type: ignore[no-untyped-def]
    sign = lr / lr if not maximize else -(lr / lr)
    share = 1 - dampening
    for j in range(len(p)):
        step = sign * g[j] + weight_decay * p[j]
        p[j] -= lr * step
