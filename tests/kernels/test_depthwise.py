"""The depthwise convolution and its gradients against the definition."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guarded import guarded_empty, guarded_like, linux_only
from tests.strategies import FLOATS, Convolution, convolutions
from tinycnn.kernels import memory
from tinycnn.kernels.cpu import conv, depthwise, im2col
from tinycnn.kernels.cpu.depthwise_plan import forward_plan, grad_x_plan, tile_height
from tinycnn.kernels.jit import FAST
from tinycnn.kernels.reference import conv as definition
from tinycnn.kernels.sizes import PADDING_MODES

pytestmark = pytest.mark.skipif(not FAST, reason="vector kernels are switched off")
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
dtypes = st.sampled_from(FLOATS)


@st.composite
def depthwise_convolutions(draw):
    """A drawn convolution made depthwise: as many groups as input channels, one to three outputs for each."""
    case = draw(convolutions(largest=20))
    channels, multiplier = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return Convolution(
        (case.x_shape[0], channels, *case.x_shape[2:]), (channels * multiplier, 1, *case.weight_shape[2:]), case.bias,
        case.stride, case.padding, case.dilation, channels, case.padding_mode, case.seed,
    )  # fmt: skip


def layer(images, channels, size, kernel, stride=1, padding=0, dilation=1, multiplier=1, mode="zeros"):
    """A square depthwise layer."""
    shapes = ((images, channels, size, size), (channels * multiplier, 1, kernel, kernel))
    return Convolution(*shapes, True, (stride,) * 2, (padding,) * 4, (dilation,) * 2, channels, mode, 0)


LAYERS = {
    "blocks of rows": layer(1, 3, 130, 3, padding=1),
    "more images than one sum takes": layer(40, 4, 33, 3, padding=1),
    "narrow maps": layer(9, 150, 7, 3, padding=1),
    "stride two": layer(3, 20, 30, 3, stride=2, padding=1),
    "stride three": layer(2, 4, 23, 5, stride=3, padding=2),
    "five by five": layer(2, 9, 14, 5, padding=2, multiplier=2),
    "eight by eight": layer(2, 3, 19, 8, padding=4),
    "dilated": layer(2, 5, 17, 3, padding=2, dilation=2, mode="reflect"),
    "one by one": layer(2, 6, 18, 1),
    "fewer rows than a tile": layer(3, 7, 3, 3, padding=1),
    "a single channel": layer(2, 1, 40, 3, padding=1, mode="circular"),
}


def arguments_of(case, dtype):
    """The arguments of forward, grad-input and grad-weight."""
    x, weight, bias = case.arrays(dtype)
    grad = np.random.default_rng(case.seed + 1).standard_normal(case.output_shape).astype(dtype)
    options = tuple(case.options.values())
    return {
        "conv2d": (x, weight, bias, *options, "relu"),
        "conv2d_grad_x": (grad, weight, x.shape, *options),
        "conv2d_grad_weight": (grad, x, weight.shape, *options),
    }


KERNELS = {
    "conv2d": depthwise.conv2d_depthwise,
    "conv2d_grad_x": depthwise.conv2d_grad_x_depthwise,
    "conv2d_grad_weight": depthwise.conv2d_grad_weight_depthwise,
}
MATRICES = {
    "conv2d": im2col.conv2d_im2col,
    "conv2d_grad_x": im2col.conv2d_grad_x_im2col,
    "conv2d_grad_weight": im2col.conv2d_grad_weight_im2col,
}


def assert_close(result, function, arguments):
    """The error is at most a tolerance times the same sum over absolute values."""
    dtype = result.dtype.type
    doubles = [value.astype(np.float64) if isinstance(value, np.ndarray) else value for value in arguments]
    exact = function(*doubles)
    bound = function(*(np.abs(value) if isinstance(value, np.ndarray) else value for value in doubles))
    assert result.dtype == arguments[0].dtype
    assert result.shape == exact.shape
    assert result.flags.c_contiguous
    assert np.all(np.abs(result - exact) <= TOLERANCE[dtype] * bound)


@pytest.mark.parametrize("name", KERNELS)
@given(case=depthwise_convolutions(), dtype=dtypes)
def test_agrees_with_the_definition(name, case, dtype):
    arguments = arguments_of(case, dtype)[name]
    assert_close(KERNELS[name](*arguments), getattr(definition, name), arguments)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, dtype):
    before = numba.get_num_threads()
    for function, arguments in arguments_of(LAYERS[name], dtype).items():
        try:
            for threads in (1, before):
                numba.set_num_threads(threads)
                result = KERNELS[function](*arguments)
                assert_close(result, MATRICES[function], arguments)
                np.testing.assert_array_equal(result, KERNELS[function](*arguments))
        finally:
            numba.set_num_threads(before)


def test_the_public_kernels_use_it():
    case = layer(2, 6, 12, 3, padding=1)
    for function, arguments in arguments_of(case, np.float32).items():
        expected = KERNELS[function](*arguments)
        for algorithm in ("auto", "direct"):
            np.testing.assert_array_equal(getattr(conv, function)(*arguments, algorithm), expected)


@given(depthwise_convolutions(), st.integers(1, 5))
def test_plans_cover_the_result_once(case, threads):
    options = (case.x_shape, case.weight_shape, case.stride, case.padding, case.dilation, case.groups)
    forward = forward_plan(*options, case.padding_mode, 4, threads)
    backward = grad_x_plan(case.output_shape, case.weight_shape, case.x_shape, *options[2:], 4, threads)
    for plan in (forward, backward):
        geometry = plan.geometries[0]
        assert (geometry["group_blocks"] - 1) * geometry["task_groups"] < case.groups <= geometry["group_blocks"] * geometry["task_groups"]
        assert (geometry["blocks"] - 1) * geometry["block_rows"] < geometry["grid_rows"] <= geometry["blocks"] * geometry["block_rows"]
        assert geometry["tasks"] == case.x_shape[0] * geometry["group_blocks"] * geometry["blocks"]


@given(st.integers(1, 300))
def test_a_tile_fits_its_rows(rows):
    height = tile_height(rows)
    assert height <= rows
    assert depthwise._tile_height.py_func(rows) == height


@pytest.mark.parametrize("mode", PADDING_MODES)
def test_nan_and_infinity_reach_exactly_the_results_that_see_them(mode):
    case = layer(2, 3, 21, 3, stride=2, padding=1, mode=mode)
    arguments = arguments_of(case, np.float32)
    x, weight, bias, *options = arguments["conv2d"]
    x[0, 1, 20, 20], x[1, 2, 10, 10] = np.nan, np.inf
    y = depthwise.conv2d_depthwise(x, weight, bias, *options)
    expected = im2col.conv2d_im2col(x, weight, bias, *options)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    np.testing.assert_array_equal(np.isposinf(y), np.isposinf(expected))


def test_pixels_that_no_window_sees_do_not_count():
    case = layer(2, 3, 20, 3, stride=3)
    grad, x, *options = arguments_of(case, np.float32)["conv2d_grad_weight"]
    expected = depthwise.conv2d_grad_weight_depthwise(grad, x, *options)
    x[:, :, 18:] = np.nan
    x[:, :, :, 18:] = np.inf
    np.testing.assert_array_equal(depthwise.conv2d_grad_weight_depthwise(grad, x, *options), expected)


@linux_only
@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", LAYERS)
def test_nothing_is_touched_outside_the_arrays(name, dtype, at_end, monkeypatch):
    everything = arguments_of(LAYERS[name], dtype)
    expected = {function: KERNELS[function](*arguments) for function, arguments in everything.items()}
    guarded_empty(monkeypatch, memory, at_end)
    for function, arguments in everything.items():
        guarded = [guarded_like(value, at_end) if isinstance(value, np.ndarray) else value for value in arguments]
        np.testing.assert_array_equal(KERNELS[function](*guarded), expected[function])
