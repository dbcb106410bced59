"""The linear kernels: at and around the edges of their panels, at the ends of memory, from several threads."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guarded import guarded_empty, guarded_like, linux_only
from tests.strategies import FLOATS
from tinycnn.kernels import memory
from tinycnn.kernels.cpu import linear as fast
from tinycnn.kernels.reference import linear as definition

TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
SIZES = [(64, 400, 120), (64, 120, 84), (64, 84, 10), (1, 300, 70), (7, 65, 19), (37, 33, 129), (40, 400, 31), (200, 3, 2), (16, 1, 1)]


def operands(rows, inputs, outputs, dtype, seed=0):
    """x, weight, bias and an upstream gradient."""
    rng = np.random.default_rng(seed)
    shapes = [(rows, inputs), (outputs, inputs), (outputs,), (rows, outputs)]
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def results(x, weight, bias, grad):
    """What the four kernels make of them."""
    return [
        fast.linear(x, weight, bias, "relu"),
        fast.linear(x, weight, None, None),
        fast.linear_grad_x(grad, weight),
        fast.linear_grad_weight(grad, x),
        fast.linear_grad_bias(grad),
    ]


def exact_and_bounds(x, weight, bias, grad):
    """The same by NumPy in float64, and the same sums over absolute values."""
    x, weight, bias, grad = (array.astype(np.float64) for array in (x, weight, bias, grad))
    exact = [np.maximum(x @ weight.T + bias, 0), x @ weight.T, grad @ weight, grad.T @ x, grad.sum(0)]
    x, weight, bias, grad = map(np.abs, (x, weight, bias, grad))
    return exact, [x @ weight.T + bias, x @ weight.T, grad @ weight, grad.T @ x, grad.sum(0)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sizes", SIZES)
def test_sizes(sizes, dtype):
    arrays = operands(*sizes, dtype)
    for result, exact, bound in zip(results(*arrays), *exact_and_bounds(*arrays), strict=True):
        assert result.dtype == dtype
        assert np.all(np.abs(result - exact) <= TOLERANCE[dtype] * bound)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40), st.sampled_from(FLOATS), st.integers(0, 2**32 - 1))
def test_against_the_definition(rows, inputs, outputs, dtype, seed):
    x, weight, bias, grad = operands(rows, inputs, outputs, dtype, seed)
    expected = [
        definition.linear(x, weight, bias, "relu"),
        definition.linear(x, weight, None, None),
        definition.linear_grad_x(grad, weight),
        definition.linear_grad_weight(grad, x),
        definition.linear_grad_bias(grad),
    ]
    bounds = exact_and_bounds(x, weight, bias, grad)[1]
    for result, exact, bound in zip(results(x, weight, bias, grad), expected, bounds, strict=True):
        assert result.shape == exact.shape
        assert np.all(np.abs(result - exact) <= TOLERANCE[dtype] * bound)


@pytest.mark.parametrize("rows", [3, 40])
def test_nan_and_infinity_stay_in_their_row(rows):
    x, weight, bias, grad = operands(rows, 50, 40, np.float32)
    x[2, 7], grad[1, 3] = np.nan, np.inf
    for activation in (None, "relu"):
        strange = np.isnan(fast.linear(x, weight, bias, activation))
        np.testing.assert_array_equal(strange.all(1), np.arange(rows) == 2)
        np.testing.assert_array_equal(strange.any(1), np.arange(rows) == 2)
    np.testing.assert_array_equal(np.isinf(fast.linear_grad_x(grad, weight)).any(1), np.arange(rows) == 1)
    strange = np.isnan(fast.linear_grad_weight(np.ones_like(grad), x))
    np.testing.assert_array_equal(strange.all(0), np.arange(50) == 7)


@linux_only
@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sizes", SIZES)
def test_nothing_is_touched_outside_the_arrays(sizes, dtype, at_end, monkeypatch):
    arrays = operands(*sizes, dtype)
    expected = results(*arrays)
    guarded_empty(monkeypatch, memory, at_end)
    for result, same in zip(results(*(guarded_like(array, at_end) for array in arrays)), expected, strict=True):
        np.testing.assert_array_equal(result, same)


def test_several_python_threads_at_once():
    cases = [operands(*sizes, np.float32) for sizes in [(64, 400, 120), (64, 84, 10), (5, 300, 200), (200, 300, 100)]]
    expected = [results(*arrays) for arrays in cases]
    wrong = []

    def work(number):
        for _ in range(20):
            for result, same in zip(results(*cases[number]), expected[number], strict=True):
                if not np.array_equal(result, same):
                    wrong.append(number)

    workers = [threading.Thread(target=work, args=(number % len(cases),)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


@pytest.mark.parametrize("sizes", [(64, 20, 10), (0, 20, 10), (3, 0, 10)])
def test_plain_kernels(sizes, monkeypatch):
    monkeypatch.setattr(fast, "FAST", False)
    arrays = operands(*sizes, np.float64)
    for result, exact in zip(results(*arrays), exact_and_bounds(*arrays)[0], strict=True):
        np.testing.assert_allclose(result, exact, rtol=1e-10, atol=1e-10)
