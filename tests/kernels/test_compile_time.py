"""The spared compiler: what other code in the process asks of Numba stays as it was."""

import gc

import numba
import numpy as np
import pytest
from numba.core.registry import cpu_target

from tinycnn.kernels import compile_time
from tinycnn.kernels.jit import kernel


@kernel
def twice(x):
    return 2 * x


@kernel
def four_times(x):
    return twice(twice(x))


@kernel(parallel=True)
def all_four_times(x):
    for i in numba.prange(len(x)):
        x[i] = four_times(x[i])


def test_kernels_call_kernels_and_so_does_python():
    x = np.arange(1000.0)
    all_four_times(x)
    np.testing.assert_array_equal(x, 4 * np.arange(1000.0))
    assert four_times(3.0) == 12 and twice(3.0) == 6 and twice(np.float32(1.5)) == 3


def test_pieces_have_no_machine_code():
    four_times.inlined.compile((numba.float64,))  # or taken from the cache, where it has no machine code either
    (inlined,) = four_times.inlined.overloads.values()
    assert inlined.library.waits
    assert isinstance(cpu_target.target_context.codegen().create_library("anything"), compile_time.Library)


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_as_before(before):
    @kernel
    def fresh(x):
        return x + 1

    if not before:
        gc.disable()
    try:
        assert fresh(1) == 2
        assert gc.isenabled() is before
        with pytest.raises(numba.TypingError):
            fresh("text")
        assert gc.isenabled() is before
    finally:
        gc.enable()


def test_python_objects_inside_compiled_code():
    @numba.njit
    def digits(x):
        with numba.objmode(count="int64"):
            count = len(str(x))
        return count  # noqa: RET504 (an object mode cannot return)

    @numba.njit(parallel=True)
    def total(counts):
        result = 0
        for i in numba.prange(len(counts)):
            result += digits(counts[i])
        return result

    assert digits(12345) == 5
    assert total(np.array([1, 22, 333])) == 6


def test_functions_for_c():
    shift = numba.cfunc("float64(float64)")(lambda x: x + 1)
    assert shift.ctypes(1.0) == 2


@pytest.mark.parametrize("target", ["cpu", "parallel"])
def test_universal_functions(target, monkeypatch):
    """They are optimised and become machine code at once, so that their own cache holds machine code."""
    waited = []
    finalize = compile_time.Library._finalize_final_module

    def watched(library):
        finalize(library)
        waited.append((library.name, library.waits))

    monkeypatch.setattr(compile_time.Library, "_finalize_final_module", watched)
    add = numba.vectorize(["float64(float64, float64)"], target=target)(lambda x, y: x + y)
    np.testing.assert_array_equal(add(np.arange(5.0), 1.0), np.arange(5.0) + 1)

    @numba.guvectorize(["(float64[:], float64[:])"], "(n)->()", target=target)
    def largest(x, y):
        y[0] = x.max()

    np.testing.assert_array_equal(largest(np.arange(6.0).reshape(2, 3)), [2, 5])
    wrappers = [waits for name, waits in waited if "Gufunc" in name or "gufunc" in name]
    assert wrappers and not any(wrappers)
