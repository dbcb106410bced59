"""The gradients of a convolution's weight and bias: both formulations and im2col against the definition."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guarded import guarded_empty, guarded_like, linux_only
from tests.strategies import FLOAT32_FIRST, FLOATS, Convolution, convolutions
from tinycnn import kernels
from tinycnn.kernels import memory
from tinycnn.kernels.cpu import direct_grad_weight, im2col
from tinycnn.kernels.cpu.grad_weight_dot import grad_weight_dot
from tinycnn.kernels.cpu.grad_weight_outer import grad_weight_outer
from tinycnn.kernels.jit import FAST
from tinycnn.kernels.reference import conv as definition

TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
dtypes = st.sampled_from(FLOATS)
needs_fast = pytest.mark.skipif(not FAST, reason="vector kernels are switched off")
FORMULATIONS = {
    "outer": lambda *arguments: grad_weight_outer(*arguments, 2),
    "outer, three shares": lambda *arguments: grad_weight_outer(*arguments, 3),
    "dot": lambda *arguments: grad_weight_dot(*arguments, 2),
    "dot, one share": lambda *arguments: grad_weight_dot(*arguments, 1),
}


def arguments_of(case, dtype):
    """(grad, x, weight shape, options...) of one configuration, with a drawn upstream gradient."""
    rng = np.random.default_rng(case.seed)
    x = rng.standard_normal(case.x_shape).astype(dtype)
    grad = rng.standard_normal(case.output_shape).astype(dtype)
    return grad, x, case.weight_shape, *case.options.values()


def assert_close(result, grad, x, *options):
    """The error is at most a tolerance times the same sum over absolute values."""
    exact = definition.conv2d_grad_weight(grad.astype(np.float64), x.astype(np.float64), *options)
    bound = definition.conv2d_grad_weight(np.abs(grad).astype(np.float64), np.abs(x).astype(np.float64), *options)
    assert result.dtype == grad.dtype
    assert result.shape == exact.shape
    assert np.all(np.abs(result - exact) <= TOLERANCE[grad.dtype.type] * bound)


def matrix_definition(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode):
    """im2col in float64: the definition's loops would take minutes at the sizes of networks."""
    doubles = (grad.astype(np.float64), x.astype(np.float64))
    return im2col.conv2d_grad_weight_im2col(*doubles, weight_shape, stride, padding, dilation, groups, padding_mode)


@given(convolutions(), dtypes)
def test_direct(case, dtype):
    arguments = arguments_of(case, dtype)
    assert_close(direct_grad_weight.conv2d_grad_weight_direct(*arguments), *arguments)


@needs_fast
@pytest.mark.parametrize("name", FORMULATIONS)
@given(case=convolutions(batches=st.integers(1, 4)), dtype=dtypes)
def test_each_formulation_takes_every_configuration(name, case, dtype):
    arguments = arguments_of(case, dtype)
    assert_close(FORMULATIONS[name](*arguments), *arguments)


@pytest.mark.parametrize("dtype", FLOAT32_FIRST)
@given(case=convolutions())
def test_plain_loops(case, dtype):
    grad, x, *options = arguments_of(case, dtype)
    if grad.size:
        assert_close(direct_grad_weight._plain(grad, x, *options), grad, x, *options)


@given(convolutions(), dtypes)
def test_im2col(case, dtype):
    arguments = arguments_of(case, dtype)
    assert_close(im2col.conv2d_grad_weight_im2col(*arguments), *arguments)


@given(convolutions(), dtypes, st.sampled_from([None, "relu"]))
def test_im2col_forward_and_grad_x(case, dtype, activation):
    x, weight, bias = case.arrays(dtype)
    options = tuple(case.options.values())
    scale = max(1.0, float(np.abs(x).max(initial=0))) * weight[0].size * 10
    y = im2col.conv2d_im2col(x, weight, bias, *options, activation)
    np.testing.assert_allclose(y, definition.conv2d(x, weight, bias, *options, activation), atol=TOLERANCE[dtype] * scale)
    grad = np.random.default_rng(1).standard_normal(y.shape).astype(dtype)
    grad_x = im2col.conv2d_grad_x_im2col(grad, weight, x.shape, *options)
    exact = definition.conv2d_grad_x(grad, weight, x.shape, *options)
    np.testing.assert_allclose(grad_x, exact, atol=TOLERANCE[dtype] * scale * weight.shape[0])


def layer(images, channels, size, outputs, kernel, stride=1, padding=0, dilation=1, groups=1, mode="zeros"):
    """A square convolution of a network."""
    shapes = ((images, channels, size, size), (outputs, channels // groups, kernel, kernel))
    return Convolution(*shapes, False, (stride,) * 2, (padding,) * 4, (dilation,) * 2, groups, mode, 0)


LAYERS = {
    "lenet c1": layer(9, 1, 28, 6, 5, padding=2),
    "lenet c2": layer(9, 6, 14, 16, 5),
    "one image in row blocks": layer(1, 3, 71, 20, 7, stride=2, padding=3),
    "more channels than pixels": layer(2, 40, 7, 70, 3, padding=1),
    "blocks of one channel share": layer(1, 300, 14, 33, 3, padding=1),
    "groups": layer(2, 36, 13, 36, 3, padding=1, groups=9),
    "depthwise with a stride": layer(3, 20, 15, 20, 3, stride=2, padding=1, groups=20),
    "dilated": layer(2, 8, 19, 24, 3, padding=2, dilation=2, mode="reflect"),
    "1x1": layer(2, 50, 30, 40, 1),
    "1x1 with a stride": layer(5, 16, 9, 32, 1, stride=2),
    "large image": layer(1, 2, 230, 18, 3, padding=1, mode="circular"),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_networks(name, dtype):
    arguments = arguments_of(LAYERS[name], dtype)
    exact = matrix_definition(*arguments)
    bound = matrix_definition(np.abs(arguments[0]), np.abs(arguments[1]), *arguments[2:])
    result = direct_grad_weight.conv2d_grad_weight_direct(*arguments)
    assert np.all(np.abs(result - exact) <= TOLERANCE[dtype] * bound)
    np.testing.assert_array_equal(result, direct_grad_weight.conv2d_grad_weight_direct(*arguments))


@pytest.mark.parametrize("name", ["naive", "im2col", "direct", "auto"])
def test_every_algorithm_by_name(name):
    arguments = arguments_of(layer(2, 4, 6, 6, 3, padding=1, groups=2), np.float64)
    result = kernels.table("cpu")["conv2d_grad_weight"](*arguments, name)
    assert_close(result, *arguments)


def test_an_empty_batch_gives_zeros():
    arguments = arguments_of(layer(0, 4, 6, 6, 3), np.float32)
    np.testing.assert_array_equal(direct_grad_weight.conv2d_grad_weight_direct(*arguments), np.zeros((6, 4, 3, 3), np.float32))


@pytest.mark.parametrize("outputs", [3, 20])
def test_nan_and_infinity_reach_the_taps_that_see_them_and_no_others(outputs):
    grad, x, *options = arguments_of(layer(2, 2, 20, outputs, 3), np.float32)
    x[0, 0, 0, 0] = np.nan  # the corner is seen by tap (0, 0) of channel 0 only
    x[1, 1, 19, 19] = np.inf  # and this one by tap (2, 2) of channel 1
    strange = ~np.isfinite(direct_grad_weight.conv2d_grad_weight_direct(grad, x, *options))
    expected = np.zeros_like(strange)
    expected[:, 0, 0, 0] = expected[:, 1, 2, 2] = True
    np.testing.assert_array_equal(strange, expected)


@linux_only
@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", LAYERS)
def test_nothing_is_touched_outside_the_arrays(name, dtype, at_end, monkeypatch):
    grad, x, *options = arguments_of(LAYERS[name], dtype)
    expected = direct_grad_weight.conv2d_grad_weight_direct(grad, x, *options)
    guarded_empty(monkeypatch, memory, at_end)
    arguments = (guarded_like(grad, at_end), guarded_like(x, at_end), *options)
    np.testing.assert_array_equal(direct_grad_weight.conv2d_grad_weight_direct(*arguments), expected)
    masked, sums = direct_grad_weight.relu_mask_and_bias(guarded_like(grad, at_end), guarded_like(grad, at_end))
    np.testing.assert_array_equal(masked, np.maximum(grad, 0))
    np.testing.assert_allclose(sums, direct_grad_weight.conv2d_grad_bias(masked), rtol=1e-6)


def test_several_python_threads_at_once():
    cases = [arguments_of(LAYERS[name], np.float32) for name in ("lenet c1", "lenet c2", "groups", "more channels than pixels")]
    expected = [direct_grad_weight.conv2d_grad_weight_direct(*arguments) for arguments in cases]
    wrong = []

    def work(number):
        for _ in range(20):
            if not np.array_equal(direct_grad_weight.conv2d_grad_weight_direct(*cases[number]), expected[number]):
                wrong.append(number)

    workers = [threading.Thread(target=work, args=(number % len(cases),)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


@given(st.tuples(st.integers(0, 4), st.integers(1, 5), st.integers(1, 6), st.integers(1, 20)), dtypes, st.integers(0, 2**32 - 1))
def test_bias_and_mask(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    grad, y = rng.standard_normal(shape).astype(dtype), np.maximum(rng.standard_normal(shape), 0).astype(dtype)
    tolerance = TOLERANCE[dtype] * max(1, grad.size)
    np.testing.assert_allclose(direct_grad_weight.conv2d_grad_bias(grad), definition.conv2d_grad_bias(grad), atol=tolerance)
    masked, sums = direct_grad_weight.relu_mask_and_bias(grad, y)
    expected, expected_sums = definition.relu_mask_and_bias(grad, y)
    np.testing.assert_array_equal(masked, expected)
    np.testing.assert_allclose(sums, expected_sums, atol=tolerance)


def test_a_long_sum_does_not_lose_what_it_adds():
    grad = np.full((400, 1, 64, 64), 0.1, np.float32)
    assert direct_grad_weight.conv2d_grad_bias(grad)[0] == pytest.approx(0.1 * grad.size, rel=1e-6)
