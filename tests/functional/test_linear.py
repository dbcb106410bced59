"""linear: gradients, laws, the decks' sizes, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


@given(st.lists(st.integers(1, 3), max_size=3), sizes, sizes, st.booleans(), seeds)
def test_gradients(batch, inputs, outputs, bias, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((*batch, inputs)), rng.standard_normal((outputs, inputs))]
    if bias:
        arrays.append(rng.standard_normal(outputs))
    assert gradcheck(F.linear, arrays)


@given(st.integers(0, 5), sizes, sizes, seeds)
def test_linear_and_adjoint(rows, inputs, outputs, seed):
    rng = np.random.default_rng(seed)
    x, other, weight = rng.standard_normal((rows, inputs)), rng.standard_normal((rows, inputs)), rng.standard_normal((outputs, inputs))
    left = F.linear(2 * x - 3 * other, weight).data
    np.testing.assert_allclose(left, 2 * F.linear(x, weight).data - 3 * F.linear(other, weight).data, rtol=1e-9, atol=1e-9)
    tensor = Tensor(x, requires_grad=True)
    y = F.linear(tensor, weight)
    upstream = rng.standard_normal(y.shape)
    y.backward(upstream)
    assert float((y.data * upstream).sum()) == pytest.approx(float((x * tensor.grad.data).sum()), abs=1e-9)


@given(sizes, sizes, seeds)
def test_fused_relu_equals_its_parts(inputs, outputs, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal((4, inputs)), rng.standard_normal((outputs, inputs)), rng.standard_normal(outputs)]
    fused, parts = ([Tensor(array, requires_grad=True) for array in arrays] for _ in range(2))
    one, two = F.linear(*fused, activation="relu"), F.relu(F.linear(*parts))
    upstream = rng.standard_normal(one.shape)
    one.backward(upstream)
    two.backward(upstream)
    np.testing.assert_allclose(one.data, two.data, rtol=1e-12)
    for a, b in zip(fused, parts, strict=True):
        np.testing.assert_allclose(a.grad.data, b.grad.data, rtol=1e-10, atol=1e-12)


@given(sizes, sizes, seeds)
def test_a_1x1_convolution_is_a_linear_layer_at_every_pixel(inputs, outputs, seed):
    rng = np.random.default_rng(seed)
    x, weight = rng.standard_normal((2, inputs, 3, 4)), rng.standard_normal((outputs, inputs))
    y = F.conv2d(x, weight[:, :, None, None]).data
    np.testing.assert_allclose(y, F.linear(x.transpose(0, 2, 3, 1), weight).data.transpose(0, 3, 1, 2), rtol=1e-10, atol=1e-10)


def test_c01_an_image_stretched_to_3072_numbers():
    image = np.zeros((1, 3, 32, 32), np.float32)
    weight = np.zeros((10, 3072), np.float32)
    assert F.linear(image.reshape(1, 3072), weight).shape == (1, 10)
    with pytest.raises(ShapeError, match=r"takes 3072 features; flatten it first, 3 x 32 x 32 = 3072"):
        F.linear(image, weight)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((2, 5)), np.zeros((3, 4))), ShapeError, r"ends in 5, but weight \(3, 4\) takes 4 features; make the layer Linear\(5, 3\)"),
        ((np.zeros((2, 4)), np.zeros((3, 4)), np.zeros(4)), ShapeError, r"bias has shape \(4,\); it must be \(3,\)"),
        ((np.zeros((2, 4)), np.zeros(4)), ShapeError, r"weight has shape \(4,\); it must be \(out_features, in_features\)"),
        ((np.float64(1.0), np.zeros((3, 4))), ShapeError, r"is a single number"),
        ((np.zeros((2, 4), np.int64), np.zeros((3, 4))), DtypeError, r"input is int64"),
        ((np.zeros((2, 4), np.float32), np.zeros((3, 4))), DtypeError, r"input is float32 but weight is float64"),
    ],
)
def test_messages(arguments, error, message):
    with pytest.raises(error, match=message):
        F.linear(*arguments)


def test_another_activation_is_refused():
    with pytest.raises(ArgumentError, match="activation 'tanh' is neither None nor"):
        F.linear(np.zeros((2, 4)), np.zeros((3, 4)), activation="tanh")
