"""Arrays that end, or begin, at a page nobody may touch: a vector that reads or writes one element too far ends the process."""

import ctypes
import mmap
import sys

import numpy as np
import pytest

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="protects pages with mprotect")

_PAGE = mmap.PAGESIZE


class _Pages:
    """Memory between two unreadable pages; NumPy keeps this object alive as the base of its array."""

    def __init__(self, nbytes):
        self.size = -(-nbytes // _PAGE) * _PAGE
        self._memory = mmap.mmap(-1, self.size + 2 * _PAGE)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._protect(0)

    def _protect(self, protection):
        library = ctypes.CDLL(None, use_errno=True)
        for page in (self._start, self._start + _PAGE + self.size):
            if library.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(_PAGE), protection):
                raise OSError(ctypes.get_errno(), "mprotect")

    def array(self, shape, dtype, at_end):
        nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        address = self._start + _PAGE + (self.size - nbytes if at_end else 0)
        buffer = (ctypes.c_char * nbytes).from_address(address)
        buffer.pages = self
        return np.frombuffer(buffer, dtype).reshape(shape)

    def __del__(self):
        self._protect(mmap.PROT_READ | mmap.PROT_WRITE)


def guarded_like(array, at_end=True):
    """A copy of the array whose last element (or first) is the last (first) readable one."""
    copy = _Pages(array.nbytes).array(array.shape, array.dtype, at_end)
    copy[...] = array
    return copy


def guarded_empty(monkeypatch, memory, at_end=True):
    """Let the kernels' allocator hand out guarded arrays, so that a write beyond a result ends the process."""

    def empty(shape, dtype):
        nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return _Pages(max(1, nbytes)).array(shape, dtype, at_end)

    monkeypatch.setattr(memory, "empty", empty)
