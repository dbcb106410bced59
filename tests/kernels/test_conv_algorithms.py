"""Winograd's and the Fourier transform's convolution against the definition."""


import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.strategies import FLOATS, Convolution, convolutions
from tinycnn.errors import ArgumentError
from tinycnn.functional import conv2d
from tinycnn.kernels.cpu import conv, im2col, winograd
from tinycnn.kernels.reference import conv as definition

# Of the same sum over absolute values: Winograd's sums cancel. The Fourier transform rounds relative to the image's largest number.
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-4}
dtypes = st.sampled_from(FLOATS)
FUNCTIONS = ("conv2d", "conv2d_grad_x", "conv2d_grad_weight")
MATRICES = {
    "conv2d": im2col.conv2d_im2col,
    "conv2d_grad_x": im2col.conv2d_grad_x_im2col,
    "conv2d_grad_weight": im2col.conv2d_grad_weight_im2col,
}


@st.composite
def winograd_convolutions(draw):
    """A drawn convolution made one of 3 x 3, stride 1, dilation 1, one group."""
    case = draw(convolutions(largest=14).filter(lambda case: min(case.x_shape[2:]) >= 3))
    channels, filters = draw(st.integers(1, 5)), draw(st.integers(1, 20))
    return Convolution(
        (case.x_shape[0], channels, *case.x_shape[2:]), (filters, channels, 3, 3), case.bias,
        (1, 1), case.padding, (1, 1), 1, case.padding_mode, case.seed,
    )  # fmt: skip


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


def assert_close(result, function, arguments, everywhere):
    """The error is at most a tolerance times the same sum over absolute values, or times the largest such sum.

    The largest is at least that of one product: a transform mixes what ends in the padding with what is kept.
    """
    dtype = result.dtype.type
    doubles = [value.astype(np.float64) if isinstance(value, np.ndarray) else value for value in arguments]
    exact = function(*doubles)
    bound = function(*(np.abs(value) if isinstance(value, np.ndarray) else value for value in doubles))
    if everywhere:
        product = np.abs(doubles[0]).max(initial=0) * np.abs(doubles[1]).max(initial=0)
        bound = max(bound.max(initial=0), product)
    assert result.dtype == arguments[0].dtype
    assert result.shape == exact.shape
    assert result.flags.c_contiguous
    assert np.all(np.abs(result - exact) <= TOLERANCE[dtype] * bound)


@pytest.mark.parametrize("function", FUNCTIONS)
@given(case=winograd_convolutions(), dtype=dtypes)
def test_winograd(function, case, dtype):
    arguments = arguments_of(case, dtype)[function]
    # A tile's transforms mix its 36 pixels, so the bound is the tile's; here, the image's.
    assert_close(getattr(conv, function)(*arguments, "winograd"), getattr(definition, function), arguments, True)


@pytest.mark.parametrize("function", FUNCTIONS)
@given(case=convolutions(), dtype=dtypes)
def test_fft(function, case, dtype):
    arguments = arguments_of(case, dtype)[function]
    assert_close(getattr(conv, function)(*arguments, "fft"), getattr(definition, function), arguments, True)


def layer(images, channels, size, filters, padding, mode="zeros"):
    """A square layer of 3 x 3 kernels."""
    shapes = ((images, channels, size, size), (filters, channels, 3, 3))
    return Convolution(*shapes, True, (1, 1), (padding,) * 4, (1, 1), 1, mode, 0)


LAYERS = {
    "resnet": layer(9, 16, 32, 16, 1),
    "deep": layer(2, 200, 7, 33, 1),
    "several panels a task": layer(1, 3, 70, 5, 1, "reflect"),
    "more padding than the kernel sees": layer(2, 4, 9, 6, 4),
    "no padding": layer(3, 8, 15, 40, 0),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", LAYERS)
def test_winograd_on_layers(name, dtype):
    before = numba.get_num_threads()
    for function, arguments in arguments_of(LAYERS[name], dtype).items():
        try:
            results = []
            for threads in (1, before):
                numba.set_num_threads(threads)
                results.append(getattr(conv, function)(*arguments, "winograd"))
                # Numbers of one size: the error is within the tolerance of each element's own sum.
                assert_close(results[-1], MATRICES[function], arguments, False)
        finally:
            numba.set_num_threads(before)
        if function != "conv2d_grad_weight":
            np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("name", LAYERS)
def test_fft_on_layers(name):
    for function, arguments in arguments_of(LAYERS[name], np.float32).items():
        assert_close(getattr(conv, function)(*arguments, "fft"), MATRICES[function], arguments, False)


def test_the_matrices_are_those_of_the_paper():
    b = np.array([[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]])
    g = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
    a = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
    rng = np.random.default_rng(0)
    pixels, kernel, sums = rng.standard_normal((6, 6, 3)), rng.standard_normal((3, 3)), rng.standard_normal((6, 6, 3))
    v, t, y = np.empty((36, 1, 1, 3)), np.empty((36, 3)), np.empty((36, 3))
    winograd._transform_pixels(pixels.reshape(36, 3), t, v, 0, 0)
    np.testing.assert_allclose(v.reshape(6, 6, 3), np.einsum("ik,klp,jl->ijp", b, pixels, b), atol=1e-12)
    winograd._transform_sums(sums.reshape(36, 1, 1, 3), 0, 0, t, y)
    np.testing.assert_allclose(y[:16].reshape(4, 4, 3), np.einsum("ik,klp,jl->ijp", a, sums, a), atol=1e-12)
    u = np.empty((36, 1, 1))
    winograd._transform_weight(kernel.reshape(1, 1, 3, 3), False, u)
    np.testing.assert_allclose(u.reshape(6, 6), g @ kernel @ g.T, atol=1e-15)


@pytest.mark.parametrize(
    ("options", "kernel"),
    [({"stride": 2}, 3), ({"dilation": 2}, 3), ({"groups": 2}, 3), ({}, 5), ({"stride": (1, 2)}, 3)],
)
def test_winograd_names_its_rule(options, kernel):
    x, weight = np.zeros((1, 4, 9, 9)), np.zeros((2, 4 // options.get("groups", 1), kernel, kernel))
    message = f"conv2d: algorithm 'winograd' needs a 3 x 3 kernel, stride 1, dilation 1 and groups 1; here the kernel is {kernel} x {kernel}, stride"
    with pytest.raises(ArgumentError, match=message):
        conv2d(x, weight, algorithm="winograd", **options)


@pytest.mark.parametrize("algorithm", ["winograd", "fft"])
def test_gradients(algorithm):
    rng = np.random.default_rng(0)
    arrays = rng.standard_normal((2, 3, 7, 6)), rng.standard_normal((4, 3, 3, 3)), rng.standard_normal(4)
    assert tinycnn.gradcheck(lambda *inputs: conv2d(*inputs, padding=1, padding_mode="reflect", algorithm=algorithm), arrays)


@pytest.mark.parametrize("algorithm", ["winograd", "fft"])
def test_an_empty_batch(algorithm):
    x, weight = tinycnn.Tensor(np.zeros((0, 3, 7, 6)), requires_grad=True), tinycnn.Tensor(np.ones((4, 3, 3, 3)), requires_grad=True)
    y = conv2d(x, weight, algorithm=algorithm)
    assert y.shape == (0, 4, 5, 4)
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert (weight.grad.numpy() == 0).all()


@pytest.mark.parametrize("algorithm", ["winograd", "fft"])
def test_relu_keeps_nan(algorithm):
    x, weight = np.full((1, 1, 6, 6), np.nan, np.float32), np.ones((1, 1, 3, 3), np.float32)
    assert np.isnan(conv2d(x, weight, activation="relu", algorithm=algorithm).numpy()).all()
