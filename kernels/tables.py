"""Several arrays of one element type as one argument, for kernels that work through a whole list of arrays.

An optimiser updates every parameter of a network. One kernel call for each would cost more than the arithmetic of a
small network, and a kernel that takes the arrays themselves would be compiled anew for every number and shape of
them. So the kernel takes their addresses.
"""

import ctypes
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from .errors import ArgumentError

# Elements that one task of a parallel update owns: 64 KiB of float32, which stays in the second-level cache with its
# companions.
CHUNK = 16_384

_addressof = ctypes.addressof
_from_buffer = ctypes.c_char.from_buffer


def address(array: np.ndarray) -> int:
    """The address of the array's first element; the caller keeps the array alive for as long as the address is used."""
    try:
        # A quarter of the time of array.ctypes.data, but only writable arrays with at least one element have a buffer
        # to point at.
        return _addressof(_from_buffer(array))  # type: ignore[arg-type]  # NumPy's stubs for Python 3.11 lack Buffer
    except (TypeError, ValueError, BufferError):
        return int(array.ctypes.data)


class ArrayTable(tuple[np.ndarray, ...]):
    """An unchangeable list of C-contiguous arrays of one dtype, with the tables that fused kernels read.

    Iterating gives the arrays, so that the reference kernels need to know nothing of addresses. The tables are made
    at first use and kept; the arrays are held, so that their addresses stay good.

    Examples
    --------
    >>> table = ArrayTable([np.zeros((2, 3), np.float32), np.zeros(20_000, np.float32)])
    >>> table.total, table.sizes.tolist(), table.chunks.tolist()
    (20006, [6, 20000], [[0, 0, 6], [1, 0, 16384], [1, 16384, 20000]])
    """

    def __new__(cls, arrays: Iterable[np.ndarray]) -> "ArrayTable":
        table = super().__new__(cls, arrays)
        if table:
            dtype = table[0].dtype
            for position, array in enumerate(table):
                if array.dtype is not dtype and array.dtype != dtype:
                    raise ArgumentError(f"ArrayTable: array {position} is {array.dtype}, the first is {dtype}; use a table for each")
                if not array.flags.c_contiguous:
                    raise ArgumentError(f"ArrayTable: array {position} of shape {array.shape} is not C-contiguous; pass np.ascontiguousarray of it")
        return table

    @cached_property
    def addresses(self) -> np.ndarray:
        """Address of every array's first element."""
        return np.array([address(array) for array in self], np.intp)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of elements of every array."""
        return np.array([array.size for array in self], np.intp)

    @cached_property
    def total(self) -> int:
        """Number of elements of all arrays together."""
        return int(self.sizes.sum())

    @cached_property
    def chunks(self) -> np.ndarray:
        """Tasks of a parallel kernel: rows (array, start, stop) of at most CHUNK elements, covering all once."""
        rows = [(position, start, min(start + CHUNK, array.size)) for position, array in enumerate(self) for start in range(0, array.size, CHUNK)]
        return np.array(rows, np.intp).reshape(len(rows), 3)
