"""The gradient check must find wrong gradients, name them, and tell kinks from mistakes."""

import numpy as np
import pytest

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn.autograd import record
from tinycnn.errors import GradcheckError

rng = np.random.default_rng(0)


def operator_with_gradient(value, gradient):
    """An operator y = value(x) whose backward returns gradient(x, grad)."""

    def function(x):
        return record("test", value(x.data), (x,), lambda grad, needs: (gradient(x.data, grad),))

    return function


def test_a_right_gradient_passes():
    report = gradcheck(operator_with_gradient(np.sin, lambda x, g: g * np.cos(x)), rng.standard_normal((3, 4)))
    assert report
    assert "passed" in str(report)


def test_a_wrong_factor_fails_and_is_shown_side_by_side():
    wrong = operator_with_gradient(np.sin, lambda x, g: 1.001 * g * np.cos(x))
    with pytest.raises(GradcheckError, match=r"FAILED[\s\S]*DIFFERS[\s\S]*input 0\[\d, \d\]: analytic"):
        gradcheck(wrong, rng.standard_normal((3, 4)))
    report = gradcheck(wrong, rng.standard_normal((3, 4)), raise_exception=False)
    assert not report
    assert len(report.entries) >= 6
    assert not report.kinks


def test_one_wrong_entry_of_many_is_found_and_named():
    def gradient(x, g):
        result = 2.0 * x * g
        result[2, 1] = 0.0
        return result

    report = gradcheck(operator_with_gradient(np.square, gradient), 1.0 + rng.random((4, 3)), raise_exception=False)
    assert not report
    assert [entry.index for entry in report.entries] == [(2, 1)]


def test_a_transposed_gradient_that_all_ones_would_hide_is_found():
    transposed = operator_with_gradient(lambda x: 1.0 * x, lambda x, g: g.T.copy())
    x = Tensor(rng.standard_normal((3, 3)), requires_grad=True)
    transposed(x).backward(np.ones((3, 3)))
    np.testing.assert_array_equal(x.grad.numpy(), np.ones((3, 3)))
    assert not gradcheck(transposed, x, raise_exception=False)


def test_a_subgradient_at_a_kink_is_accepted_and_explained():
    x = np.array([-1.0, 0.0, 2.0])
    report = gradcheck(operator_with_gradient(lambda x: np.maximum(x, 0), lambda x, g: (x > 0) * g), x)
    assert report
    assert [entry.index for entry in report.kinks] == [(1,)]
    assert "a sub-gradient" in str(report)


def test_a_value_outside_the_one_sided_slopes_is_not_a_subgradient():
    x = np.array([-1.0, 0.0, 2.0])
    with pytest.raises(GradcheckError, match="NOT between them"):
        gradcheck(operator_with_gradient(np.abs, lambda x, g: np.where(x == 0, 5.0, np.sign(x)) * g), x)


def test_several_inputs_and_outputs():
    def function(a, b):
        return a * b, a + b

    assert gradcheck(function, (rng.standard_normal(3), rng.standard_normal(3)))


def test_inputs_are_left_as_they_were():
    x = Tensor(rng.standard_normal(3), requires_grad=True)
    before = x.data.copy()
    gradcheck(lambda x: x * x, x)
    np.testing.assert_array_equal(x.data, before)
    assert x.grad is None


def test_tensors_without_gradients_and_other_objects_pass_through():
    def function(x, scale, indices):
        assert isinstance(indices, str)
        return x * scale

    report = gradcheck(function, (Tensor(np.ones(2), requires_grad=True), Tensor(np.full(2, 3.0)), "text"))
    assert [check.index for check in report.checks] == [0]


def test_what_cannot_be_checked_says_so():
    with pytest.raises(GradcheckError, match="no input is a float array"):
        gradcheck(lambda x: x, np.arange(3))
    with pytest.raises(GradcheckError, match=r"no output depends on the inputs \[0\]"):
        gradcheck(lambda x: Tensor(x.data * 2.0), np.ones(2))


def test_the_generator_decides_the_direction():
    def function(x):
        return x * x

    x = rng.standard_normal(4)
    one = gradcheck(function, x, generator=np.random.default_rng(5))
    two = gradcheck(function, x, generator=np.random.default_rng(5))
    assert one.checks[0].analytic == two.checks[0].analytic
    assert tinycnn.gradcheck is gradcheck
