"""Pooling: gradients, laws, the decks' and public threads' numbers, messages."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck, use_kernels
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    min_pool1d,
    min_pool2d,
    min_pool3d,
    sum_pool1d,
    sum_pool2d,
    sum_pool3d,
)

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


MAX, AVERAGE = {1: max_pool1d, 2: max_pool2d, 3: max_pool3d}, {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}
MIN, SUM = {1: min_pool1d, 2: min_pool2d, 3: min_pool3d}, {1: sum_pool1d, 2: sum_pool2d, 3: sum_pool3d}


def on_axes(choice, axes):
    """The drawn options for one to three axes; three take the first one's twice."""
    order = {1: (0,), 2: (0, 1), 3: (0, 1, 0)}[axes]
    return {**choice, **{name: tuple(choice[name][a] for a in order) for name in ("kernel_size", "stride")}}


@pytest.mark.parametrize("axes", [1, 3])
@given(choice=options, seed=seeds)
def test_gradients_of_signals_and_volumes(axes, choice, seed):
    fits(choice)
    x, choice = distinct(seed, (2, 2, *(6, 5, 4)[:axes])), on_axes(choice, axes)
    for pool in (MAX, MIN, AVERAGE, SUM):
        assert gradcheck(lambda x, pool=pool: pool[axes](x, **choice), x)


@given(choice=options, seed=seeds)
def test_a_signal_is_an_image_of_one_row_and_an_image_a_volume_of_one_plane(choice, seed):
    fits(choice)
    x = distinct(seed, (2, 3, 6, 7))
    deep = {**choice, "kernel_size": (1, *choice["kernel_size"]), "stride": (1, *choice["stride"]), "padding": (0, *[choice["padding"]] * 2)}
    for pool in (MAX, AVERAGE, MIN, SUM):
        np.testing.assert_array_equal(pool[3](x[:, :, None], **deep).numpy()[:, :, 0], pool[2](x, **choice).numpy())
    flat = on_axes(choice, 1)
    wide = {**flat, "kernel_size": (1, *flat["kernel_size"]), "stride": (1, *flat["stride"]), "padding": (0, flat["padding"])}
    row = x[:, :, 0]
    for pool in (MAX, AVERAGE, MIN, SUM):
        np.testing.assert_array_equal(pool[1](row, **flat).numpy(), pool[2](row[:, :, None], **wide).numpy()[:, :, 0])


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(choice=options, seed=seeds)
def test_min_and_sum_are_what_they_are_made_of(axes, choice, seed):
    fits(choice)
    x, choice = distinct(seed, (2, 2, *(6, 5, 4)[:axes])), on_axes(choice, axes)
    y, index = MIN[axes](x, return_indices=True, **choice)
    np.testing.assert_array_equal(y.data, -MAX[axes](-x, **choice).numpy())
    np.testing.assert_array_equal(np.take_along_axis(x.reshape(2, 2, -1), index.data.reshape(2, 2, -1), 2).reshape(y.shape), y.data)
    ones = SUM[axes](np.ones_like(x), **choice).numpy()
    np.testing.assert_allclose(SUM[axes](x, **choice).numpy(), AVERAGE[axes](x, count_include_pad=False, **choice).numpy() * ones, rtol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(seed=seeds, moved=st.integers(0, 4))
def test_pooling_with_stride_one_moves_with_its_input(axes, seed, moved):
    """Equivariance: a circular shift of the input, cropped to windows that do not see the seam, shifts the output."""
    x = distinct(seed, (1, 2, *(6, 5, 4)[:axes]))
    for pool in (MAX, AVERAGE, MIN, SUM):
        y = pool[axes](np.concatenate([x, x], axis=2), 2, 1).numpy()
        shifted = pool[axes](np.roll(np.concatenate([x, x], axis=2), -moved, axis=2), 2, 1).numpy()
        np.testing.assert_allclose(shifted[:, :, : y.shape[2] - moved], y[:, :, moved:], rtol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_any_memory_layout_and_no_change_of_the_input(axes):
    base = distinct(1, (2, 3, *(6, 5, 4)[:axes]))
    for pool in (MAX, AVERAGE, MIN, SUM):
        expected = pool[axes](base, 2).numpy()
        backwards = base[:, :, ::-1].copy()[:, :, ::-1]
        for view in (np.asfortranarray(base), backwards, np.broadcast_to(base, base.shape)):
            before = view.copy()
            np.testing.assert_array_equal(pool[axes](view, 2).numpy(), expected)
            np.testing.assert_array_equal(view, before)
        assert pool[axes](base[:0], 2).shape == (0, *expected.shape[1:])
        assert pool[axes](base.astype(np.float32), [2] * axes, ()).dtype == np.float32
        np.testing.assert_array_equal(pool[axes](base[0], (2,)).numpy(), expected[0])


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_definitions_give_the_same(axes):
    x = distinct(2, (2, 2, *(6, 5, 4)[:axes]))
    for pool in (MAX, AVERAGE, MIN, SUM):
        fast = pool[axes](x, 2, 1, 1).numpy()
        with use_kernels("reference"):
            np.testing.assert_allclose(pool[axes](x, 2, 1, 1).numpy(), fast, rtol=1e-12)


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


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: max_pool1d(np.zeros((2, 3, 4, 5)), 2), ShapeError, r"max_pool1d: input .* must be \(N, C, L\), or \(C, L\) for one signal"),
        (lambda: max_pool3d(np.zeros((3, 4, 5)), 2), ShapeError, r"max_pool3d: .* must be \(N, C, D, H, W\), or \(C, D, H, W\) for one volume"),
        (lambda: avg_pool1d(np.zeros((1, 1, 4)), (2, 2)), ArgumentError, r"avg_pool1d: kernel_size has 2 numbers; give one$"),
        (lambda: avg_pool1d(np.zeros((1, 1, 4)), 2, padding=(1, 1, 1)), ArgumentError, r"padding has 3 numbers; give one or two as \(before,"),
        (lambda: max_pool3d(np.zeros((1, 1, 4, 4, 4)), (2, 2)), ArgumentError, r"give one, or three as \(depth, height, width\)"),
        (lambda: max_pool3d(np.zeros((1, 1, 4, 4, 4)), 2, padding=(0, 2, 0)), ArgumentError, r"padding 2 > half of kernel 2 \(height\)"),
        (lambda: max_pool3d(np.zeros((1, 1, 1, 4, 4)), 2), ShapeError, r"kernel 2 > padded depth 1"),
        (lambda: max_pool1d(np.zeros((2, 0, 4)), 2), ShapeError, r"input has 0 channels; it must have at least 1"),
        (lambda: min_pool2d(np.zeros((1, 1, 4, 4)), 5), ShapeError, r"min_pool2d: kernel 5 > padded height 4"),
        (lambda: sum_pool1d(np.zeros((1, 1, 4)), 5), ShapeError, r"sum_pool1d: kernel 5 > padded length 4"),
        (lambda: avg_pool3d(np.zeros((1, 1, 1, 4, 4)), 2, 1, 1), ShapeError, r"avg_pool3d: kernel 2 > depth 1 without its padding"),
    ],
)
def test_messages_of_all_ranks(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_two_and_two_point_zero_are_different_keys():
    """Options are looked up by value, and 2 == 2.0."""
    max_pool2d(IMAGE, 2)
    with pytest.raises(ArgumentError, match=r"kernel_size must be a whole number >= 1, not 2.0"):
        max_pool2d(IMAGE, 2.0)


def test_a_divisor_of_zero_is_refused():
    with pytest.raises(ArgumentError, match="divisor_override must be a whole number other than zero, not 0"):
        avg_pool2d(IMAGE, 2, divisor_override=0)
