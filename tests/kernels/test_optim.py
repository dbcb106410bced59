"""The fused optimiser kernels against the definitions, over random options, element types and lists of arrays."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import FLOATS
from tinycnn.errors import ArgumentError
from tinycnn.kernels import threads
from tinycnn.kernels.cpu import optim as cpu
from tinycnn.kernels.reference import optim as reference
from tinycnn.kernels.tables import CHUNK, ArrayTable, address

SHAPES = [(3, 2, 5), (7,), (1, 1), (0, 3), (33,)]
rates = st.floats(1e-4, 0.5)
shares = st.floats(0.0, 0.99)


def arrays(rng, dtype, positive=False, shapes=SHAPES):
    drawn = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    return [np.abs(array) for array in drawn] if positive else drawn


def copies(arguments):
    return [[a.copy() for a in argument] if isinstance(argument, list) else argument for argument in arguments]


def compare(name, dtype, arguments):
    """Run both kernels on copies and compare everything they may have written."""
    fast, slow = copies(arguments), copies(arguments)
    getattr(cpu, name)(*fast)
    getattr(reference, name)(*slow)
    tolerance = 1e-12 if dtype == np.float64 else 2e-5
    for got, expected in zip(fast, slow):
        if isinstance(got, list):
            for a, b in zip(got, expected):
                assert a.dtype == dtype
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


dtypes = st.sampled_from(FLOATS)
seeds = st.integers(0, 1000)


@given(seeds, dtypes, rates, shares, shares, shares, st.booleans(), st.booleans(), st.booleans())
def test_sgd(seed, dtype, lr, momentum, dampening, weight_decay, has_momentum, nesterov, maximize):
    rng = np.random.default_rng(seed)
    buffers = arrays(rng, dtype) if has_momentum else None
    fresh = rng.integers(0, 2, len(SHAPES)).astype(np.uint8)
    options = (lr, momentum, dampening, weight_decay, nesterov and has_momentum, maximize)
    compare("sgd_step", dtype, [arrays(rng, dtype), arrays(rng, dtype), buffers, fresh, *options])


@given(seeds, dtypes, rates, shares, shares, shares, st.booleans(), st.booleans(), st.booleans())
def test_adam(seed, dtype, lr, beta1, beta2, weight_decay, amsgrad, decoupled, maximize):
    rng = np.random.default_rng(seed)
    greatest = arrays(rng, dtype, positive=True) if amsgrad else None
    state = [arrays(rng, dtype), arrays(rng, dtype, positive=True), greatest]
    steps = rng.integers(1, 100, len(SHAPES))
    options = (lr, beta1, beta2, 1e-3, weight_decay, decoupled, maximize)
    compare("adam_step", dtype, [arrays(rng, dtype), arrays(rng, dtype), *state, steps, *options])


# With alpha = 0 the centred variance is nothing but rounding errors.
@given(seeds, dtypes, rates, st.floats(0.5, 0.99), shares, shares, st.booleans(), st.booleans(), st.booleans())
def test_rmsprop(seed, dtype, lr, alpha, weight_decay, momentum, centered, has_momentum, maximize):
    rng = np.random.default_rng(seed)
    averages = [array / 10 for array in arrays(rng, dtype)] if centered else None
    squares = [1 + array for array in arrays(rng, dtype, positive=True)]
    buffers = arrays(rng, dtype) if has_momentum else None
    options = (lr, alpha, 1e-2, weight_decay, momentum, maximize)
    compare("rmsprop_step", dtype, [arrays(rng, dtype), arrays(rng, dtype), squares, averages, buffers, *options])


@given(seeds, dtypes, rates, shares, shares, st.booleans())
def test_adagrad(seed, dtype, lr, lr_decay, weight_decay, maximize):
    rng = np.random.default_rng(seed)
    steps = rng.integers(1, 100, len(SHAPES))
    options = (lr, lr_decay, 1e-3, weight_decay, maximize)
    compare(
        "adagrad_step",
        dtype,
        [arrays(rng, dtype), arrays(rng, dtype), arrays(rng, dtype, positive=True), steps, *options],
    )


@given(seeds, dtypes, rates, shares, shares, st.booleans())
def test_adadelta(seed, dtype, lr, rho, weight_decay, maximize):
    rng = np.random.default_rng(seed)
    state = [arrays(rng, dtype, positive=True), arrays(rng, dtype, positive=True)]
    options = (lr, rho, 1e-3, weight_decay, maximize)
    compare("adadelta_step", dtype, [arrays(rng, dtype), arrays(rng, dtype), *state, *options])


def test_reference_sgd_is_exact_on_fractions():
    parameter, gradient = np.array([Fraction(1)]), np.array([Fraction(2)])
    buffer = np.array([Fraction(3)])
    momentum, lr = Fraction(9, 10), Fraction(1, 10)
    reference.sgd_step([parameter], [gradient], [buffer], np.zeros(1), lr, momentum, 0, Fraction(1, 2), False, False)
    # g = 2 + 1/2 = 5/2;  b = 27/10 + 5/2 = 26/5;  p = 1 - 26/50
    assert buffer[0] == Fraction(26, 5)
    assert parameter[0] == Fraction(12, 25)


def test_parallel_equals_serial(monkeypatch):
    rng = np.random.default_rng(0)
    shapes = [(3 * CHUNK + 5,), (CHUNK,), (2, 3)]
    kept = [arrays(rng, np.float32, shapes=shapes) for _ in range(3)]
    results = []
    for below in (0, 1e12):
        monkeypatch.setattr(cpu, "SERIAL_BELOW", below)
        parameters, gradients, buffers = copies(kept)
        cpu.sgd_step(parameters, gradients, buffers, np.zeros(3, np.uint8), 0.1, 0.9, 0.0, 0.01, True, False)
        results.append(parameters)
    assert threads.get_num_threads() >= 1
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_nothing_is_written_beside_the_arrays():
    """Arrays between guard values: a vector loop that overshoots would change them."""
    for size in range(40):
        memory = np.full(size + 64, 7.0, np.float32)
        parameter = memory[32 : 32 + size]
        cpu.sgd_step([parameter], [np.ones(size, np.float32)], None, np.zeros(1, np.uint8), 1.0, 0, 0, 0, False, False)
        assert (parameter == 6).all()
        assert (np.delete(memory, slice(32, 32 + size)) == 7).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_survive(bad):
    parameter, gradient = np.zeros(20, np.float32), np.zeros(20, np.float32)
    gradient[3] = bad
    cpu.sgd_step([parameter], [gradient], None, np.zeros(1, np.uint8), 1.0, 0, 0, 0, False, False)
    assert not np.isfinite(parameter[3])
    assert np.isfinite(np.delete(parameter, 3)).all()


def test_centred_variance_never_turns_negative():
    """A constant gradient: v - m^2 is zero but for rounding."""
    for kernels in (cpu, reference):
        parameter, gradient = np.zeros(1, np.float32), np.full(1, 0.1, np.float32)
        square, mean = gradient * gradient * np.float32(0.99999), gradient.copy()
        kernels.rmsprop_step([parameter], [gradient], [square], [mean], None, 0.01, 1.0, 1e-3, 0, 0, False)
        assert np.isfinite(parameter).all()


def test_address_of_any_array():
    array = np.arange(6.0)
    frozen = array.copy()
    frozen.flags.writeable = False
    for candidate in (array, array[2:], frozen, np.empty(0)):
        assert address(candidate) == candidate.ctypes.data


def test_table_refuses_mixed_types():
    with pytest.raises(ArgumentError, match="array 1 is float64, the first is float32; use a table for each"):
        ArrayTable([np.zeros(2, np.float32), np.zeros(2)])


def test_table_refuses_strides():
    with pytest.raises(ArgumentError, match=r"array 0 of shape \(3, 2\) is not C-contiguous"):
        ArrayTable([np.zeros((2, 3)).T])


def test_an_empty_list_is_no_work():
    cpu.sgd_step([], [], [], np.zeros(0, np.uint8), 0.1, 0.9, 0, 0, False, False)
    cpu.adam_step([], [], [], [], None, np.zeros(0, np.int64), 0.1, 0.9, 0.9, 0, 0, False, False)
    cpu.adagrad_step([], [], [], np.zeros(0, np.int64), 0.1, 0.0, 0, 0, False)
