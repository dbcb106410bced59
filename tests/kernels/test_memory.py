"""The allocator: recycling, lifetime by views, alignment, threads."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.kernels import memory

LARGE = (300, 1000)


def address(array):
    return array.__array_interface__["data"][0]


@given(st.integers(1, 1 << 34))
def test_a_size_class_holds_its_size_and_wastes_at_most_an_eighth(nbytes):
    size = memory.size_class(nbytes)
    assert nbytes <= size
    assert size - nbytes <= max(nbytes / 8, 64)
    assert memory.size_class(size) == size


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 5), (7,), (64, 10), LARGE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64])
def test_shape_dtype_and_order(shape, dtype):
    array = memory.empty(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert memory.zeros(shape, dtype).sum() == 0


def test_large_arrays_start_on_a_vector_boundary():
    assert address(memory.empty(LARGE, np.float32)) % 64 == 0


def test_a_block_comes_back_when_its_array_dies():
    memory.empty_cache()
    array = memory.empty(LARGE, np.float32)
    where = address(array)
    del array
    assert address(memory.empty(LARGE, np.float32)) == where


def test_a_larger_free_block_is_taken_before_a_new_one_is_made_unless_it_is_far_too_large():
    memory.empty_cache()
    array = memory.empty(LARGE, np.float32)
    where = address(array)
    del array
    far_smaller = memory.empty((300 // (2 * memory.ROOM), 1000), np.float32)
    assert address(far_smaller) != where
    assert address(memory.empty((300 // (memory.ROOM - 1), 1000), np.float32)) == where


def test_a_view_keeps_the_block():
    memory.empty_cache()
    array = memory.empty(LARGE, np.float32)
    array[:] = 7.0
    view = array[10:20].T
    del array
    other = memory.empty(LARGE, np.float32)
    other[:] = 0.0
    assert (view == 7.0).all()
    del view
    assert memory.cached_bytes() > 0


def test_two_arrays_alive_never_share():
    arrays = [memory.empty(LARGE, np.float32) for _ in range(4)]
    for value, array in enumerate(arrays):
        array.fill(value)
    assert [array.max() for array in arrays] == [0, 1, 2, 3]


def test_empty_cache_gives_the_blocks_back():
    del_me = memory.empty(LARGE, np.float32)
    del del_me
    held = memory.cached_bytes()
    assert held > 0
    assert memory.empty_cache() == held
    assert memory.cached_bytes() == 0


def test_the_workspace_is_one_a_thread():
    mine = memory.workspace(1000, np.float32)
    mine.fill(1.0)

    def other_thread():
        memory.workspace(1000, np.float32).fill(2.0)

    thread = threading.Thread(target=other_thread)
    thread.start()
    thread.join()
    assert (mine == 1.0).all()
    assert address(memory.workspace(1000, np.float32)) == address(mine)


def test_a_grown_workspace_leaves_the_earlier_array_readable():
    small = memory.workspace(10_000, np.float32)
    small.fill(3.0)
    memory.workspace(1_000_000, np.float64).fill(0.0)
    assert (small == 3.0).all()


def test_many_threads_allocate_at_once():
    def work(value):
        for _ in range(200):
            array = memory.empty((100, 100), np.float32)
            array.fill(value)
            if not (array == value).all():
                broken.append(value)

    broken = []
    threads = [threading.Thread(target=work, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not broken
