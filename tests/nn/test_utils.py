"""Clipping gradients, and parameters as one vector."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import Tensor, manual_seed, nn
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.nn import utils


def leaves(*gradients):
    parameters = [Tensor(np.zeros(len(gradient)), requires_grad=True) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = Tensor(np.array(gradient, np.float64))
    return parameters


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=8), st.floats(0.1, 50), st.sampled_from([1.0, 2.0, math.inf]))
def test_clipping_bounds_the_norm_and_keeps_the_direction(numbers, most, kind):
    parameters = leaves(numbers[:1], numbers[1:])
    norm = utils.clip_grad_norm_(parameters, most, kind).item()
    assert norm == pytest.approx(np.linalg.norm(numbers, kind))
    clipped = np.concatenate([parameter.grad.numpy() for parameter in parameters])
    assert np.linalg.norm(clipped, kind) <= most * (1 + 1e-9)
    np.testing.assert_allclose(clipped * max(norm, 1e-12), np.array(numbers) * np.linalg.norm(clipped, kind), atol=1e-6)


def test_clipping_without_gradients_and_with_nan():
    assert utils.clip_grad_norm_([Tensor(np.zeros(2), requires_grad=True)], 1.0).item() == 0
    (x,) = leaves([math.nan, 1.0])
    with pytest.raises(ArgumentError, match="the gradients' norm is nan"):
        utils.clip_grad_norm_(x, 1.0, error_if_nonfinite=True)
    utils.clip_grad_norm_(x, 1.0)
    assert np.isnan(x.grad.numpy()).all()
    with pytest.raises(ArgumentError, match="needs max_norm >= 0"):
        utils.clip_grad_norm_(x, -1.0)


def test_clipping_values():
    (x,) = leaves([-3.0, 0.5, 3.0])
    utils.clip_grad_value_([x], 1.0)
    np.testing.assert_array_equal(x.grad.numpy(), [-1.0, 0.5, 1.0])
    with pytest.raises(ArgumentError, match="clip_value must be >= 0"):
        utils.clip_grad_value_([x], -1.0)


def test_vectors_there_and_back():
    model = nn.Linear(3, 2)
    vector = utils.parameters_to_vector(model.parameters())
    np.testing.assert_array_equal(vector.numpy()[:6], model.weight.data.ravel())
    utils.vector_to_parameters(np.arange(8.0), model.parameters())
    np.testing.assert_array_equal(model.bias.data, [6, 7])
    assert model.weight._version > 0
    with pytest.raises(ShapeError, match=r"the vector has shape \(7,\), the parameters hold 8 numbers"):
        utils.vector_to_parameters(np.zeros(7), model.parameters())
    with pytest.raises(ArgumentError, match="there are no parameters"):
        utils.parameters_to_vector([])


def test_skip_init_draws_nothing_and_only_inside():
    manual_seed(0)
    drawn = nn.Linear(3, 2).weight.data.copy()
    manual_seed(0)
    nn.utils.skip_init(nn.Linear, 3, 2)
    nn.utils.skip_init(nn.Conv2d, 3, 2, kernel_size=3)
    with pytest.raises(ArgumentError, match="in_features"):
        nn.utils.skip_init(nn.Linear, 0, 2)
    np.testing.assert_array_equal(nn.Linear(3, 2).weight.data, drawn)
