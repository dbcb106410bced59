"""Convolution forward and its gradient with respect to x: every algorithm against the definition."""

import os
import subprocess
import sys
import threading
from fractions import Fraction

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guarded import guarded_empty, guarded_like, linux_only
from tests.strategies import FLOAT32_FIRST, FLOATS, Convolution, convolutions
from tinycnn.errors import ArgumentError
from tinycnn.kernels import memory
from tinycnn.kernels.cpu import conv, direct_plain, im2col
from tinycnn.kernels.cpu.direct_kernel import TALLEST
from tinycnn.kernels.cpu.direct_plan import forward_problem, grad_x_problem, make_plan
from tinycnn.kernels.jit import FAST
from tinycnn.kernels.reference import conv as definition

TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
ALGORITHMS = ("naive", "im2col", "direct", "auto")
dtypes = st.sampled_from(FLOATS)
activations = st.sampled_from([None, "relu"])
needs_fast = pytest.mark.skipif(not FAST, reason="vector kernels are switched off")


def forward_arguments(case, dtype, activation=None):
    """The arguments of conv2d for one configuration."""
    return (*case.arrays(dtype), *case.options.values(), activation)


def grad_x_arguments(case, dtype):
    """The arguments of conv2d_grad_x for one configuration, with a drawn upstream gradient."""
    _, weight, _ = case.arrays(dtype)
    grad = np.random.default_rng(case.seed + 1).standard_normal(case.output_shape).astype(dtype)
    return grad, weight, case.x_shape, *case.options.values()


def doubles(arguments, transform=lambda array: array):
    """The arguments with every array in float64."""
    return [transform(value.astype(np.float64)) if isinstance(value, np.ndarray) else value for value in arguments]


def assert_close(result, function, arguments):
    """The error is at most a tolerance times the same sum over absolute values."""
    dtype = arguments[0].dtype.type
    exact = function(*doubles(arguments))
    bound = function(*doubles(arguments, np.abs))
    assert result.dtype == dtype
    assert result.shape == exact.shape
    assert result.flags.c_contiguous
    assert np.all(np.abs(result - exact) <= TOLERANCE[dtype] * bound)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(case=convolutions(), dtype=dtypes, activation=activations)
def test_forward(algorithm, case, dtype, activation):
    arguments = forward_arguments(case, dtype, activation)
    assert_close(conv.conv2d(*arguments, algorithm), definition.conv2d, arguments)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(case=convolutions(), dtype=dtypes)
def test_grad_x(algorithm, case, dtype):
    arguments = grad_x_arguments(case, dtype)
    assert_close(conv.conv2d_grad_x(*arguments, algorithm), definition.conv2d_grad_x, arguments)


@pytest.mark.parametrize("dtype", FLOAT32_FIRST)
@given(case=convolutions(), activation=activations)
def test_plain_loops(case, dtype, activation):
    arguments = forward_arguments(case, dtype, activation)
    assert_close(direct_plain.conv2d_plain(*arguments), definition.conv2d, arguments)
    arguments = grad_x_arguments(case, dtype)
    assert_close(direct_plain.conv2d_grad_x_plain(*arguments), definition.conv2d_grad_x, arguments)


@given(convolutions(batches=st.integers(1, 2), largest=6))
def test_definition_is_exact_on_fractions(case):
    rng = np.random.default_rng(case.seed)
    fractions = np.vectorize(Fraction, otypes=[object])
    x, weight = (rng.integers(-9, 10, shape).astype(float) for shape in (case.x_shape, case.weight_shape))
    options = tuple(case.options.values())
    exact = definition.conv2d(fractions(x), fractions(weight), None, *options, "relu")
    np.testing.assert_array_equal(exact.astype(float), definition.conv2d(x, weight, None, *options, "relu"))
    grad = rng.integers(-9, 10, exact.shape).astype(float)
    for function, others in (("conv2d_grad_x", (weight, x.shape)), ("conv2d_grad_weight", (x, weight.shape))):
        on_floats = getattr(definition, function)(grad, *others, *options)
        on_fractions = getattr(definition, function)(fractions(grad), fractions(others[0]), others[1], *options)
        np.testing.assert_array_equal(on_fractions.astype(float), on_floats)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [-1, -1, -1, 0, 1, 2, -1, -1, -1]),
        ("reflect", [1, 2, 1, 0, 1, 2, 1, 0, 1]),
        ("symmetric", [2, 1, 0, 0, 1, 2, 2, 1, 0]),
        ("replicate", [0, 0, 0, 0, 1, 2, 2, 2, 2]),
        ("circular", [0, 1, 2, 0, 1, 2, 0, 1, 2]),
    ],
)
def test_source_index(mode, expected):
    code = definition.PADDING_CODES[mode]
    assert [definition.source_index(position, 3, code) for position in range(-3, 6)] == expected


def layer(images, channels, size, filters, kernel, stride=1, padding=0, dilation=1, groups=1, mode="zeros"):
    """A square convolution of a network."""
    shapes = ((images, channels, size, size), (filters, channels // groups, kernel, kernel))
    return Convolution(*shapes, True, (stride,) * 2, (padding,) * 4, (dilation,) * 2, groups, mode, 0)


LAYERS = {
    "lenet c1": layer(9, 1, 28, 6, 5, padding=2),
    "lenet c2": layer(9, 6, 14, 16, 5),
    "images side by side": layer(70, 16, 10, 12, 3, padding=1),
    "rows of whole vectors": layer(2, 16, 32, 16, 3, padding=1),
    "row blocks": layer(1, 3, 71, 20, 7, stride=2, padding=3),
    "channel chunks and blocks": layer(1, 130, 7, 70, 3, padding=1),
    "groups of four": layer(2, 36, 13, 36, 3, padding=1, groups=9),
    "depthwise with a stride": layer(3, 20, 15, 20, 3, stride=2, padding=1, groups=20),
    "stride three": layer(2, 5, 20, 7, 4, stride=3, padding=2),
    "dilated": layer(2, 8, 19, 24, 3, padding=2, dilation=2, mode="reflect"),
    "1x1 in place": layer(2, 250, 13, 40, 1),
    "1x1 in place, in blocks of pages": layer(1, 150, 37, 9, 1),
    "1x1, small images side by side": layer(9, 24, 5, 40, 1),
    "kernel as large as the stride": layer(3, 9, 22, 20, 2, stride=2),
    "kernel as large as the image": layer(9, 30, 4, 21, 4),
    "an image of one pixel": layer(17, 40, 1, 10, 1),
    "1x1 with a stride": layer(5, 16, 9, 33, 1, stride=2),
    "weights in place, in blocks": layer(1, 136, 7, 72, 3, padding=1),
    "weights in place, groups and a stride": layer(3, 32, 11, 48, 3, stride=2, padding=1, groups=2),
    "large image": layer(1, 2, 230, 18, 3, padding=1, mode="circular"),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_networks(name, dtype):
    arguments = forward_arguments(LAYERS[name], dtype, "relu")
    y = conv.conv2d(*arguments)
    assert_close(y, im2col.conv2d_im2col, arguments)
    np.testing.assert_array_equal(y, conv.conv2d(*arguments))
    arguments = grad_x_arguments(LAYERS[name], dtype)
    grad_x = conv.conv2d_grad_x(*arguments)
    assert_close(grad_x, im2col.conv2d_grad_x_im2col, arguments)
    np.testing.assert_array_equal(grad_x, conv.conv2d_grad_x(*arguments))


@pytest.mark.parametrize("name", LAYERS)
def test_another_number_of_threads_agrees(name):
    case = LAYERS[name]
    before = numba.get_num_threads()
    forward, backward = forward_arguments(case, np.float32), grad_x_arguments(case, np.float32)
    try:
        numba.set_num_threads(1)
        assert_close(conv.conv2d(*forward), im2col.conv2d_im2col, forward)
        assert_close(conv.conv2d_grad_x(*backward), im2col.conv2d_grad_x_im2col, backward)
    finally:
        numba.set_num_threads(before)


@given(convolutions(modes=("zeros",), batches=st.integers(1, 4)), st.integers(1, 5))
def test_plans_cover_the_result_once(case, threads):
    options = (case.x_shape, case.weight_shape, case.stride, case.padding, case.dilation, case.groups)
    backward = (case.output_shape, case.weight_shape, case.x_shape, *options[2:])
    for problem in (forward_problem(*options), grad_x_problem(*backward)):
        geometry = make_plan(problem, "zeros", "<f4", threads).geometries[0]
        groups_of_images = geometry["tasks"] // (geometry["groups"] * geometry["blocks"] * geometry["chunks"])
        assert (groups_of_images - 1) * geometry["slots"] < geometry["images"] <= groups_of_images * geometry["slots"]
        assert (geometry["blocks"] - 1) * geometry["block_rows"] < geometry["grid_rows"]
        assert geometry["grid_rows"] <= geometry["blocks"] * geometry["block_rows"]
        panels = -(-geometry["channels"] // geometry["height"])
        assert geometry["chunks"] * geometry["chunk_panels"] >= panels


@given(convolutions(modes=("zeros",)))
def test_phases_of_a_gradient_cover_each_element_once(case):
    problem = grad_x_problem(
        case.output_shape, case.weight_shape, case.x_shape, case.stride, case.padding, case.dilation, case.groups
    )
    (rows, columns), (row_step, column_step) = problem.grid, problem.result_step
    found = np.zeros((rows * row_step, columns * column_step), int)
    for phase in problem.phases:
        found[phase.first_row :: row_step, phase.first_column :: column_step] += 1
    assert (found == 1).all()
    assert rows == -(-case.x_shape[2] // row_step) and columns == -(-case.x_shape[3] // column_step)


@pytest.mark.parametrize("kernel, in_place", [(1, True), (2, True), (3, False)])
def test_a_gradient_whose_phases_have_one_tap_reads_in_place(kernel, in_place):
    problem = grad_x_problem((1, 8, 16, 16), (8, 4, kernel, kernel), (1, 4, *[30 + kernel] * 2), (2, 2), (0, 0, 0, 0), (1, 1), 1)
    geometry = make_plan(problem, "zeros", "<f4", 1).geometries[0]
    assert (geometry["copies"] == 0) == in_place


@needs_fast
def test_weights_are_packed_only_where_tiles_are_not_whole():
    def in_place(case):
        options = (case.x_shape, case.weight_shape, case.stride, case.padding, case.dilation, case.groups)
        plan = make_plan(forward_problem(*options), "zeros", "<f4", 1)
        assert (plan.geometries[0]["weight_step"] > 0) == (plan.packed_elements == 0)
        return plan.packed_elements == 0

    assert in_place(layer(2, 16, 9, 4 * TALLEST, 3))
    assert not in_place(layer(2, 16, 9, 4 * TALLEST + 1, 3))


def test_nan_and_infinity_reach_exactly_the_results_that_see_them():
    x, weight, bias, *options = forward_arguments(LAYERS["rows of whole vectors"], np.float32)
    x[0, 3, 0, 0], x[1, 0, 31, 31] = np.nan, np.inf
    y = conv.conv2d(x, weight, bias, *options[:-1], "relu")
    assert np.isnan(y[0, :, :2, :2]).all()
    assert np.isfinite(y[0, :, 2:]).all()
    assert np.isfinite(y[0, :, :, 2:]).all()
    positive = weight[:, 0, 1, 1] > 0
    assert (y[1, positive, 31, 31] == np.inf).all()
    assert (y[1, ~positive, 31, 31] == 0).all()
    assert np.isfinite(y[1, :, :30]).all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_relu_keeps_nan(algorithm):
    x, weight = np.full((1, 1, 3, 3), np.nan, np.float32), np.ones((1, 1, 1, 1), np.float32)
    y = conv.conv2d(x, weight, None, (1, 1), (0, 0, 0, 0), (1, 1), 1, "zeros", "relu", algorithm)
    assert np.isnan(y).all()


@linux_only
@pytest.mark.parametrize("at_end", [True, False])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", LAYERS)
def test_nothing_is_touched_outside_the_arrays(name, dtype, at_end, monkeypatch):
    forward, backward = forward_arguments(LAYERS[name], dtype), grad_x_arguments(LAYERS[name], dtype)
    expected_y, expected_grad = conv.conv2d(*forward), conv.conv2d_grad_x(*backward)
    guarded_empty(monkeypatch, memory, at_end)

    def guarded(arguments):
        return [guarded_like(value, at_end) if isinstance(value, np.ndarray) else value for value in arguments]

    np.testing.assert_array_equal(conv.conv2d(*guarded(forward)), expected_y)
    np.testing.assert_array_equal(conv.conv2d_grad_x(*guarded(backward)), expected_grad)


def test_several_python_threads_at_once():
    cases = [LAYERS[name] for name in ("lenet c1", "lenet c2", "groups of four", "1x1 with a stride")]
    calls = [(forward_arguments(case, np.float32), grad_x_arguments(case, np.float32)) for case in cases]
    expected = [(conv.conv2d(*forward), conv.conv2d_grad_x(*backward)) for forward, backward in calls]
    wrong = []

    def work(number):
        (forward, backward), (y, grad_x) = calls[number], expected[number]
        for _ in range(20):
            if not (np.array_equal(conv.conv2d(*forward), y) and np.array_equal(conv.conv2d_grad_x(*backward), grad_x)):
                wrong.append(number)

    workers = [threading.Thread(target=work, args=(number % len(cases),)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_an_unknown_algorithm_is_refused():
    x, weight = np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 1, 1))
    message = "conv2d: algorithm 'fast' is not one of 'naive', 'im2col', 'direct', 'winograd', 'fft', 'auto'"
    with pytest.raises(ArgumentError, match=message):
        conv.conv2d(x, weight, None, (1, 1), (0, 0, 0, 0), (1, 1), 1, "zeros", None, "fast")


@needs_fast
def test_the_same_answer_without_vector_instructions():
    program = (
        "import numpy as np\n"
        "from tinycnn.kernels.cpu import conv\n"
        "from tinycnn.kernels.jit import FAST\n"
        "assert not FAST\n"
        "x, w = np.arange(72.0).reshape(1, 2, 6, 6), np.arange(36.0).reshape(2, 2, 3, 3)\n"
        "options = ((2, 1), (1, 0, 1, 1), (1, 1), 1, 'reflect')\n"
        "y = conv.conv2d(x, w, None, *options, 'relu')\n"
        "print(y.sum(), (y * y).sum(), (conv.conv2d_grad_x(y, w, x.shape, *options) * x).sum())\n"
    )
    x, w = np.arange(72.0).reshape(1, 2, 6, 6), np.arange(36.0).reshape(2, 2, 3, 3)
    options = ((2, 1), (1, 0, 1, 1), (1, 1), 1, "reflect")
    y = conv.conv2d(x, w, None, *options, "relu")
    expected = [y.sum(), (y * y).sum(), (conv.conv2d_grad_x(y, w, x.shape, *options) * x).sum()]
    environment = {**os.environ, "TINYCNN_FAST": "0"}
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    np.testing.assert_allclose([float(word) for word in run.stdout.split()], expected, rtol=1e-12)
