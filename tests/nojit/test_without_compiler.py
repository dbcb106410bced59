"""The fast kernels as plain Python against the definitions: a mistake that the compiler would hide, such as an index out of bounds, shows here.

.ci/run starts this with NUMBA_DISABLE_JIT=1 and TINYCNN_FAST=0; under plain `pytest` it runs compiled, and holds as well.
"""

import numpy as np
import pytest
from hypothesis import given

import tinycnn
from tests.strategies import convolutions
from tinycnn import Tensor
from tinycnn import functional as F


def both(function, *arrays):
    """Results and gradients under the fast kernels and under the definitions."""
    answers = []
    for kernels in ("cpu", "reference"):
        tensors = [Tensor(array.copy(), requires_grad=True) for array in arrays]
        with tinycnn.use_kernels(kernels):
            y = function(*tensors)
            y.backward(np.random.default_rng(1).standard_normal(y.shape).astype(y.dtype))
        answers.append([y.data, *(tensor.grad.data for tensor in tensors)])
    for fast, definition in zip(*answers, strict=True):
        np.testing.assert_allclose(fast, definition, rtol=1e-9, atol=1e-9)


@given(convolutions(largest=6))
def test_convolution(case):
    x, weight, bias = case.arrays()
    arrays = (x, weight) if bias is None else (x, weight, bias)
    both(lambda *tensors: F.conv2d(*tensors, activation="relu", **case.options), *arrays)


@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}])
def test_pooling(options):
    options = {"kernel_size": 2, **options}
    x = np.random.default_rng(0).standard_normal((2, 3, 7, 6))
    both(lambda x: F.max_pool2d(x, **options), x)
    both(lambda x: F.avg_pool2d(x, **options), x)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_activations(name):
    both(getattr(F, name), np.random.default_rng(0).standard_normal((5, 7)))


def test_linear_and_cross_entropy():
    rng = np.random.default_rng(0)
    labels = np.array([0, 3, 2])
    both(
        lambda x, weight, bias: F.cross_entropy(F.linear(x, weight, bias), labels),
        rng.standard_normal((3, 5)),
        rng.standard_normal((4, 5)),
        rng.standard_normal(4),
    )
