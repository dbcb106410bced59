"""Pooling: gradients, laws, the decks' and public threads' numbers, messages."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import avg_pool2d, max_pool2d

options = st.fixed_dictionaries(
    {
        "kernel_size": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.integers(0, 1),
        "ceil_mode": st.booleans(),
    }
)
seeds = st.integers(0, 2**32 - 1)


def distinct(seed, shape):
    """Numbers at least 1 apart, so that no window has a tie."""
    return np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape).astype(np.float64)


def fits(choice):
    assume(not choice["padding"] or min(choice["kernel_size"]) > 1)


@given(options, seeds)
def test_gradients(choice, seed):
    fits(choice)
    x = distinct(seed, (2, 2, 6, 5))
    assert gradcheck(lambda x: max_pool2d(x, **choice), x)
    assert gradcheck(lambda x: avg_pool2d(x, **choice), x)
    assert gradcheck(lambda x: avg_pool2d(x, count_include_pad=False, **choice), x)


@given(options, seeds)
def test_each_map_is_pooled_by_itself(choice, seed):
    """B03: pooling the channels apart gives the same as together."""
    fits(choice)
    x = distinct(seed, (1, 3, 6, 7))
    for pool in (max_pool2d, avg_pool2d):
        together = pool(x, **choice).numpy()
        for channel in range(3):
            np.testing.assert_array_equal(together[:, channel : channel + 1], pool(x[:, channel : channel + 1], **choice).numpy())


@given(options, seeds, st.floats(-3, 3), st.floats(0.1, 4))
def test_max_commutes_with_growing_functions_and_average_with_affine_ones(choice, seed, shift, scale):
    fits(choice)
    x = distinct(seed, (1, 1, 6, 6))
    np.testing.assert_allclose(max_pool2d(scale * x + shift, **choice).numpy(), scale * max_pool2d(x, **choice).numpy() + shift, atol=1e-9)
    average = avg_pool2d(scale * x + shift, count_include_pad=False, **choice).numpy()
    np.testing.assert_allclose(average, scale * avg_pool2d(x, count_include_pad=False, **choice).numpy() + shift, atol=1e-9)


@given(options, seeds)
def test_indices_point_at_the_maxima(choice, seed):
    fits(choice)
    x = distinct(seed, (2, 2, 6, 7))
    y, index = max_pool2d(x, return_indices=True, **choice)
    assert index.dtype == np.int64
    flat = x.reshape(2, 2, -1)
    np.testing.assert_array_equal(np.take_along_axis(flat, index.data.reshape(2, 2, -1), 2).reshape(y.shape), y.data)


@given(options, seeds)
def test_average_is_adjoint_to_its_gradient(choice, seed):
    fits(choice)
    x = Tensor(distinct(seed, (1, 2, 5, 6)), requires_grad=True)
    y = avg_pool2d(x, **choice)
    upstream = np.random.default_rng(seed).standard_normal(y.shape)
    y.backward(upstream)
    assert float((y.data * upstream).sum()) == pytest.approx(float((x.data * x.grad.data).sum()), rel=1e-9, abs=1e-9)


def test_b02_max_pooling_of_the_slide():
    x = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]], np.float32)[None, None]
    np.testing.assert_array_equal(max_pool2d(x, 2).numpy()[0, 0], [[6, 8], [3, 4]])


def test_b07_argmax_of_the_slide():
    x = np.array([[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]], np.float32)[None, None]
    _, index = max_pool2d(x, 2, return_indices=True)
    assert [divmod(int(i), 4) for i in index.numpy().ravel()] == [(1, 1), (0, 2), (3, 0), (3, 3)]


def test_the_first_of_equals_receives_the_gradient():
    x = Tensor(np.ones((1, 1, 2, 4)), requires_grad=True)
    max_pool2d(x, 2).backward(np.array([[[[3.0, 5.0]]]]))
    np.testing.assert_array_equal(x.grad.numpy()[0, 0], [[3, 0, 5, 0], [0, 0, 0, 0]])


def test_averages_from_public_threads():
    x = np.arange(49.0).reshape(1, 1, 7, 7)
    y = avg_pool2d(x, 2, 3, ceil_mode=True).numpy()[0, 0]
    np.testing.assert_allclose(y, [[4, 7, 9.5], [25, 28, 30.5], [42.5, 45.5, 48]])  # apple/coremltools 2844
    row = np.arange(1.0, 6.0).reshape(1, 1, 1, 5)
    np.testing.assert_allclose(avg_pool2d(row, (1, 2), ceil_mode=True).numpy().ravel(), [1.5, 3.5, 5.0])  # sonos/tract 2851
    x = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
    np.testing.assert_allclose(avg_pool2d(x, 3, 2, ceil_mode=True).numpy()[0, 0], [[6, 7.5], [12, 13.5]])  # microsoft/onnxscript 754
    ones = np.ones((1, 1, 2, 2))
    y = avg_pool2d(ones, 2, 1, padding=(0, 1, 0, 1)).numpy()[0, 0]
    np.testing.assert_allclose(y, [[1, 0.5], [0.5, 0.25]])  # onnxruntime 27375
    assert avg_pool2d(np.zeros((1, 1, 9, 9)), 4, 4, 2, ceil_mode=True).shape == (1, 1, 3, 3)  # pytorch 116420


def test_one_image_and_an_empty_batch():
    x = distinct(0, (3, 6, 6))
    assert max_pool2d(x, 2).shape == (3, 3, 3)
    assert gradcheck(lambda x: max_pool2d(x, 2), x)
    assert avg_pool2d(np.zeros((0, 3, 6, 6)), 2).shape == (0, 3, 3, 3)


IMAGE = np.zeros((1, 1, 5, 5), np.float32)


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((IMAGE, 6), ShapeError, r"kernel 6 > padded height 5 \(height 5 \+ padding 0 \+ 0\); use padding >= 1"),
        ((IMAGE, 0), ArgumentError, r"kernel_size must be a whole number >= 1, not 0"),
        ((IMAGE, 2, 0), ArgumentError, r"stride must be a whole number >= 1, not 0"),
        ((IMAGE, 2, 2, 2), ArgumentError, r"padding 2 > half of kernel 2 \(height\).*use padding <= 1"),
        ((IMAGE, 2, 2, -1), ArgumentError, r"padding must be a whole number >= 0, not -1"),
        ((IMAGE, (1, 2, 3)), ArgumentError, r"kernel_size has 3 numbers"),
        ((IMAGE[0, 0], 2), ShapeError, r"input has shape \(5, 5\); it must be \(N, C, H, W\)"),
        ((np.zeros((1, 1, 0, 5)), 1), ShapeError, r"input has height 0"),
        ((IMAGE.astype(np.int32), 2), DtypeError, r"input is int32.*input.float\(\)"),
    ],
)
def test_messages(pool, arguments, error, message):
    with pytest.raises(error, match=f"{pool.__name__}: .*{message}"):
        pool(*arguments)


def test_a_divisor_of_zero_is_refused():
    with pytest.raises(ArgumentError, match="divisor_override must be a whole number other than zero, not 0"):
        avg_pool2d(IMAGE, 2, divisor_override=0)
