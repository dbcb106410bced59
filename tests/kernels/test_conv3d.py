"""Three-dimensional convolution: the fast kernels against the definition, and the definition against the two-dimensional one."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sliding import assert_twins, dtypes, normal, spatial_convolutions
from tinycnn.kernels.cpu import conv3d as fast
from tinycnn.kernels.reference import conv as flat
from tinycnn.kernels.reference import conv3d as definition


def upstream(case, dtype):
    options = [case.options[name] for name in ("stride", "padding", "dilation")]
    return normal(case.seed + 3, definition.output_shape(case.x_shape, case.weight_shape, *options), dtype)


@pytest.mark.parametrize("algorithm", ["auto", "im2col", "naive"])
@given(case=spatial_convolutions(3), dtype=dtypes, activation=st.sampled_from([None, "relu"]))
def test_conv3d(algorithm, case, dtype, activation):
    x, weight, bias = case.arrays(dtype)
    options = tuple(case.options.values())
    if activation is None:
        assert_twins("conv3d", x, weight, bias, *options, activation, algorithm)
    else:  # where the definition on absolute values is no bound
        y = fast.conv3d(x, weight, bias, *options, activation, algorithm)
        tolerance = 1e-10 if dtype is np.float64 else 1e-4
        np.testing.assert_allclose(y, definition.conv3d(x, weight, bias, *options, activation), rtol=tolerance, atol=tolerance)
    grad = upstream(case, dtype)
    assert_twins("conv3d_grad_x", grad, weight, x.shape, *options, algorithm)
    assert_twins("conv3d_grad_weight", grad, x, weight.shape, *options, algorithm)


@given(spatial_convolutions(3), dtypes)
def test_kernels_of_depth_alone(case, dtype):
    x = case.arrays(dtype)[0]
    weight = normal(case.seed + 1, (*case.weight_shape[:3], 1, 1), dtype)
    (step, _, _), sides, (gap, _, _), groups, mode = case.options.values()
    options = (step, 1, 1), (*sides[:2], 0, 0, 0, 0), (gap, 1, 1), groups, mode
    y = assert_twins("conv3d", x, weight, case.arrays(dtype)[2], *options, None)
    grad = normal(case.seed + 3, y.shape, dtype)
    assert_twins("conv3d_grad_x", grad, weight, x.shape, *options)
    assert_twins("conv3d_grad_weight", grad, x, weight.shape, *options)


def test_batches_of_images_that_fit_the_workspace_add_up(monkeypatch):
    x, weight = normal(0, (5, 2, 3, 4, 4)), normal(1, (3, 2, 2, 3, 3))
    options = ((1, 1, 1), (1, 0, 1, 1, 1, 1), (1, 1, 1), 1, "zeros")
    grad = normal(2, (5, 3, 3, 4, 4))
    whole = fast.conv3d(x, weight, None, *options, None), fast.conv3d_grad_x(grad, weight, x.shape, *options)
    whole_weight = fast.conv3d_grad_weight(grad, x, weight.shape, *options)
    monkeypatch.setattr(fast, "WORKSPACE", 2 * 2 * 3 * 2 * 4 * 4 * 8)
    assert len(fast._batches(x.shape, 8, np.zeros((3, 2)))) == 3
    np.testing.assert_allclose(fast.conv3d(x, weight, None, *options, None), whole[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fast.conv3d_grad_x(grad, weight, x.shape, *options), whole[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fast.conv3d_grad_weight(grad, x, weight.shape, *options), whole_weight, rtol=1e-12, atol=1e-12)


@given(spatial_convolutions(2))
def test_depth_1_is_two_dimensional(case):
    x, weight, bias = case.arrays()
    stride, padding, dilation, groups, mode = case.options.values()
    deep = definition.conv3d(
        x[:, :, None], weight[:, :, None], bias, (2, *stride), (0, 0, *padding), (3, *dilation), groups, mode, None
    )
    np.testing.assert_allclose(deep[:, :, 0], flat.conv2d(x, weight, bias, stride, padding, dilation, groups, mode, None), rtol=1e-12, atol=1e-12)


def test_exact_on_fractions():
    x = np.array([Fraction(n, 3) for n in range(8)], object).reshape(1, 1, 2, 2, 2)
    weight = np.array([Fraction(1, 2)] * 8, object).reshape(1, 1, 2, 2, 2)
    y = definition.conv3d(x, weight, None, (1, 1, 1), (0,) * 6, (1, 1, 1), 1, "zeros", "relu")
    assert y.reshape(-1).tolist() == [Fraction(14, 3)]
