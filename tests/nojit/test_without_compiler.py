"""The fast kernels as plain Python against the definitions: a mistake that the compiler would hide, such as an index out of bounds, shows here.

.ci/run starts this with NUMBA_DISABLE_JIT=1 and TINYCNN_FAST=0; under plain `pytest` it runs compiled, and holds as well.
"""

import numpy as np
import pytest
from hypothesis import given

import tinycnn
from tests.strategies import convolutions
from tinycnn import Tensor, ops
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


def test_regions_boxes_and_deformation():
    rng = np.random.default_rng(0)
    x, rois = rng.standard_normal((1, 4, 6, 7)), np.array([[0, -1.0, 0.5, 4.0, 5.0], [0, 2.0, 2.0, 9.0, 9.0], [0, 1.0, 1.0, 1.0, 1.0]])
    for ratio in (0, 2):
        both(lambda x, ratio=ratio: ops.roi_align(x, rois, 2, 0.8, ratio), x)
        both(lambda x, ratio=ratio: ops.ps_roi_align(x, rois[:2], 2, 0.8, ratio), x)
    both(lambda x: ops.roi_pool(x, rois, 2, 0.8), x)
    both(lambda x: ops.ps_roi_pool(x, rois, 2, 0.8), x)
    arrays = (x, rng.standard_normal((1, 16, 5, 6)), rng.standard_normal((2, 4, 2, 2)), rng.standard_normal(2), rng.random((1, 8, 5, 6)))
    both(lambda x, offset, weight, bias, mask: ops.deform_conv2d(x, offset, weight, bias, mask=mask), *arrays)
    corners = np.sort(rng.integers(0, 5, (20, 2, 2)), axis=1).reshape(20, 4).astype(float)
    turned = np.concatenate([corners[:5, :2], 1 + corners[:5, 2:], rng.uniform(-180, 180, (5, 1))], 1)
    answers = []
    for name in ("cpu", "reference"):
        with tinycnn.use_kernels(name), np.errstate(all="ignore"):
            answers.append((ops.nms(corners, corners[:, 0], 0.4).data, ops.box_iou(turned, turned, "cxcywhr").data))
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    np.testing.assert_allclose(answers[0][1], answers[1][1], atol=1e-12)
