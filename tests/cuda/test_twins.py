"""The CUDA kernels against the definitions, by the same drawn configurations as the fast CPU kernels; in the simulator, or on a device.

    NUMBA_ENABLE_CUDASIM=1 pytest -m cuda tests/cuda

The simulator must be chosen before numba.cuda is first imported, hence a process of its own. Shapes stay small: each thread is a Python thread.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numba import config, cuda

import tinycnn
from tests.kernels.test_pool import poolings
from tests.kernels.test_roi import regions
from tests.strategies import convolutions
from tinycnn import Tensor, kernels, ops
from tinycnn import functional as F

if not (config.ENABLE_CUDASIM or cuda.is_available()):
    pytest.skip("neither a CUDA device nor its simulator (NUMBA_ENABLE_CUDASIM=1)", allow_module_level=True)

pytestmark = pytest.mark.cuda

TOLERANCE = {"f": 1e-5, "d": 1e-10}
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([np.float32, np.float64])
slow = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
LARGEST = 1500  # threads of one call


def agree(name, *arguments, exact=False):
    """The twin gives the definition's arrays, from host arrays and from device arrays."""
    definition = kernels.table("reference")[name](*arguments)
    on_device = [cuda.to_device(value) if isinstance(value, np.ndarray) and value.size else value for value in arguments]
    for given_arguments in (arguments, on_device):
        results = kernels.table("cuda")[name](*given_arguments)
        pairs = zip(results, definition, strict=True) if isinstance(results, tuple) else [(results, definition)]
        for mine, expected in pairs:
            array = mine if isinstance(mine, np.ndarray) else mine.copy_to_host()
            assert array.dtype == expected.dtype
            assert array.shape == expected.shape
            if exact:
                np.testing.assert_array_equal(array, expected)
            else:
                tolerance = TOLERANCE[expected.dtype.char]
                scale = max(1.0, float(np.abs(expected).max(initial=0)))
                np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance * scale)
    return definition


@slow
@given(convolutions(largest=5, batches=st.integers(0, 2)), dtypes, st.sampled_from([None, "relu"]))
def test_conv2d(case, dtype, activation):
    x, weight, bias = case.arrays(dtype)
    if max(np.prod(case.output_shape), x.size, weight.size) > LARGEST:
        return
    options = (case.stride, case.padding, case.dilation, case.groups, case.padding_mode)
    y = agree("conv2d", x, weight, bias, *options, activation)
    grad = np.random.default_rng(case.seed).standard_normal(y.shape).astype(dtype)
    agree("conv2d_grad_x", grad, weight, x.shape, *options)
    agree("conv2d_grad_weight", grad, x, weight.shape, *options)
    agree("conv2d_grad_bias", grad)


@slow
@given(poolings(2, largest=6), dtypes, seeds, st.booleans())
def test_max_pool2d(case, dtype, seed, ties):
    shape, *options = case
    x = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    y, window = agree("max_pool2d", np.round(x) if ties else x, *options, exact=True)
    agree("max_pool2d_flat_index", window, shape, *options[:-1], exact=True)
    grad = np.random.default_rng(seed).standard_normal(y.shape).astype(dtype)
    agree("max_pool2d_grad_x", grad, window, shape, *options[:-1])


@slow
@given(poolings(2, dilated=False, largest=6), dtypes, seeds, st.booleans(), st.sampled_from([None, 3, -2]))
def test_avg_pool2d(case, dtype, seed, count_include_pad, divisor):
    shape, kernel, stride, padding, _, ceil_mode = case
    options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor)
    y = agree("avg_pool2d", np.random.default_rng(seed).standard_normal(shape).astype(dtype), *options)
    agree("avg_pool2d_grad_x", np.random.default_rng(seed).standard_normal(y.shape).astype(dtype), shape, *options)


@slow
@given(regions(), st.booleans(), seeds)
def test_roi_align(case, aligned, seed):
    x, rois, *options = case
    y = agree("roi_align", x, rois, *options, aligned)
    grad = np.random.default_rng(seed).standard_normal(y.shape).astype(x.dtype)
    agree("roi_align_grad_x", grad, rois, x.shape, *options, aligned)


@slow
@given(st.integers(0, 25), st.sampled_from([0.0, 1 / 3, 0.5, 1.0, -0.5]), dtypes, seeds)
def test_nms(count, threshold, dtype, seed):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.integers(0, 6, (count, 2, 2)), axis=1).reshape(count, 4).astype(dtype)
    scores = rng.integers(0, 5, count).astype(dtype)
    agree("nms", corners, scores, threshold, exact=True)
    agree("batched_nms", corners, scores, rng.integers(0, 2, count), threshold, exact=True)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the simulator computes with NumPy numbers, which warn
def test_nan_and_infinity():
    x = np.array([[np.nan, 1.0, -np.inf], [0.0, np.inf, 2.0]], np.float32)[None, None]
    agree("max_pool2d", x, (2, 2), (1, 1), (0, 0, 0, 0), (1, 1), False, exact=True)
    rng = np.random.default_rng(0)
    corners = rng.choice([np.nan, np.inf, 0.0, 1.0, 2.0], (10, 4)).astype(np.float32)
    agree("nms", corners, rng.choice([np.nan, 1.0, 2.0], 10).astype(np.float32), 0.3, exact=True)


def test_operators_run_on_them():
    rng = np.random.default_rng(1)
    x, weight = rng.standard_normal((1, 2, 5, 5)), rng.standard_normal((3, 2, 3, 3))
    rois = np.array([[0, 0.0, 0.0, 3.0, 3.0]])

    def network(x, weight):
        return ops.roi_align(F.avg_pool2d(F.conv2d(x, weight, padding=1), 2, 1), rois, 2).sum()

    answers = []
    for name in ("cpu", "cuda"):
        tensors = [Tensor(array, requires_grad=True) for array in (x, weight)]
        with tinycnn.use_kernels(name):
            network(*tensors).backward()
        answers.append([tensor.grad.data for tensor in tensors])
    for one, other in zip(*answers, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_a_missing_twin_is_named():
    with tinycnn.use_kernels("cuda"), pytest.raises(tinycnn.errors.ArgumentError, match="tanh has no CUDA kernel"):
        F.tanh(np.ones(3))
