"""conv2d against torch: values, gradients, sizes, and which configurations are errors."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import convolutions
from tinycnn import Tensor
from tinycnn.errors import TinycnnError
from tinycnn.functional import conv2d

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 2e-4)])
@given(case=convolutions(modes=("zeros", "reflect", "replicate", "circular")))
def test_values_and_gradients(dtype, tolerance, case):
    arrays = case.arrays(dtype)
    ours = [None if array is None else Tensor(array.copy(), requires_grad=True) for array in arrays]
    theirs = [None if array is None else torch.tensor(array, requires_grad=True) for array in arrays]
    y = conv2d(*ours, **case.options)
    top, bottom, left, right = case.padding
    mode = {"zeros": "constant"}.get(case.padding_mode, case.padding_mode)
    if 0 in theirs[0].shape and mode != "constant":
        return  # torch's padding modes refuse an empty batch
    padded = torch.nn.functional.pad(theirs[0], (left, right, top, bottom), mode=mode)
    expected = torch.nn.functional.conv2d(padded, theirs[1], theirs[2], case.stride, 0, case.dilation, case.groups)
    assert y.shape == tuple(expected.shape)
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
    upstream = np.random.default_rng(case.seed).standard_normal(y.shape).astype(dtype)
    y.backward(upstream)
    expected.backward(torch.tensor(upstream))
    for one, other in zip(ours, theirs, strict=True):
        if one is not None:
            np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=tolerance, atol=10 * tolerance)


@given(
    st.integers(1, 8), st.integers(1, 6), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), st.integers(1, 4),
    st.integers(1, 3), st.integers(1, 6), st.integers(1, 4),
)
def test_the_same_configurations_are_errors(size, kernel, stride, padding, dilation, channels, groups, out_channels, weight_channels):
    x, weight = np.ones((1, channels, size, size)), np.ones((out_channels, weight_channels, kernel, kernel))
    try:
        expected = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(weight), None, stride, padding, dilation, groups)
    except RuntimeError:
        with pytest.raises(TinycnnError):
            conv2d(x, weight, None, stride, padding, dilation, groups)
    else:
        assert conv2d(x, weight, None, stride, padding, dilation, groups).shape == tuple(expected.shape)


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 3))
def test_same_padding(size, kernel, dilation):
    rng = np.random.default_rng(size)
    x, weight = rng.standard_normal((1, 1, size, size)), rng.standard_normal((1, 1, kernel, kernel))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that even kernels cost it a copy
        expected = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(weight), padding="same", dilation=dilation)
    np.testing.assert_allclose(conv2d(x, weight, padding="same", dilation=dilation).data, expected.numpy(), rtol=1e-10, atol=1e-10)
