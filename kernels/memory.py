"""Memory for outputs and workspaces, kept instead of given back: a fresh page costs more than the arithmetic on it.

`empty` hands out arrays from blocks in size classes, the smallest that is free and not many times too large. A block returns to its class when the
last NumPy view on it dies, whoever holds that view, so an array can be kept, returned or saved like any other. `workspace` is scratch memory of the
calling Python thread, valid until its next call.
"""

import math
import mmap
import threading
from collections import defaultdict

import numpy as np
import numpy.typing as npt

SMALL = 32 << 10  # bytes: below this the C library's allocator is as fast, and its pages are already mapped
HUGE = 2 << 20  # bytes: from here on blocks ask for huge pages
ROOM = 4  # times: a free block up to so much larger than needed is taken before a new one is made. 4 saves a third over 1; 16 no more than 4
SLACK = 64  # bytes that may be read (never used) behind the end of every array: one vector

_free: defaultdict[int, list[mmap.mmap]] = defaultdict(list)


class _Lease(np.ndarray):
    """A block while arrays use it. Arrays made on its buffer keep it alive; when it dies, the block is free again."""

    __slots__ = ()

    def __del__(self, free: dict[int, list[mmap.mmap]] = _free, mapping: type[mmap.mmap] = mmap.mmap) -> None:
        # The defaults outlive the module's names, which the interpreter clears first when it ends.
        block: object = self.base
        if isinstance(block, mapping):
            free[len(block)].append(block)


def size_class(nbytes: int) -> int:
    """The smallest class that holds `nbytes`: eight classes between powers of two, so at most 12.5 % is wasted."""
    step = 1 << max((nbytes - 1).bit_length() - 4, 6)
    return -(-nbytes // step) * step


def _new_block(nbytes: int) -> mmap.mmap:
    """Fresh memory from the operating system, aligned to a page."""
    try:
        block = mmap.mmap(-1, nbytes)
    except OSError as error:
        raise MemoryError(f"{nbytes} bytes are more than the operating system gives") from error
    if nbytes >= HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        try:
            block.madvise(mmap.MADV_HUGEPAGE)
        except OSError:  # a kernel without transparent huge pages
            pass
    return block


def _free_block(size: int) -> mmap.mmap | None:
    """The smallest free block of this class or of one up to `ROOM` times larger."""
    candidate = size
    while candidate <= ROOM * size:
        if blocks := _free.get(candidate):
            try:
                return blocks.pop()
            except IndexError:  # another thread was faster
                pass
        candidate = size_class(candidate + 1)
    return None


def _lease(nbytes: int) -> _Lease:
    size = size_class(nbytes + SLACK)
    block = _free_block(size) or _new_block(size)
    return _Lease((len(block),), np.uint8, block)


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """An uninitialised C-contiguous array whose memory is recycled; a vector may be read, never written, behind its end."""
    kind = np.dtype(dtype)
    count = math.prod(shape)
    nbytes = count * kind.itemsize
    if nbytes < SMALL:
        return np.empty(count + -(-SLACK // kind.itemsize), kind)[:count].reshape(shape)
    return np.ndarray(shape, kind, _lease(nbytes))


def is_lease(array: np.ndarray) -> bool:
    """Whether this array is a block itself, behind the arrays that `empty` gave out."""
    return isinstance(array, _Lease)


def zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """Like `empty`, filled with zeros."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def empty_cache() -> int:
    """Give every free block back to the operating system; returns their bytes."""
    released = 0
    for size in list(_free):
        blocks = _free.pop(size, [])
        released += size * len(blocks)
        blocks.clear()
    return released


def cached_bytes() -> int:
    """Bytes held in free blocks at this moment."""
    return sum(size * len(blocks) for size, blocks in list(_free.items()))


class _Arena(threading.local):
    """One growing block a Python thread."""

    lease: _Lease | None = None


_arena = _Arena()


def workspace(count: int, dtype: npt.DTypeLike) -> np.ndarray:
    """Scratch memory: `count` uninitialised elements, one-dimensional, aligned, this Python thread's until its next call."""
    kind = np.dtype(dtype)
    nbytes = count * kind.itemsize
    lease = _arena.lease
    if lease is None or lease.size < nbytes + SLACK:
        _arena.lease = None  # the smaller block is free before the larger one is asked for
        lease = _arena.lease = _lease(nbytes)
    return np.ndarray((count,), kind, lease)
