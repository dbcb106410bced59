"""Numbers that remember their sources: arithmetic, terms, exactness, and the functions NumPy asks for."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.study.traced import Traced, recorded_decisions, walk
from tinycnn.study.traced_array import traced_array
from tinycnn.study.tracetext import expression, latex, substituted


def pair(a=5.0, b=8.0):
    x = traced_array("x", np.array([a, b]))
    return x[0], x[1]


def test_a_sum_of_products_has_terms():
    a, b = pair()
    total = 3 * a + a * b - b / 2
    assert [term.value for term in total.terms()] == [15, 40, -4]
    assert total.value == Fraction(51)
    assert str(total) == "3 x[0] + x[0] x[1] - x[1]/2"
    assert substituted(total) == "3 * 5 + 5 * 8 - 8/2"
    assert total.sources() == [("x", (0,)), ("x", (1,))]


def test_like_terms_are_added_up_and_cancel():
    a, b = pair()
    assert str(a + b + a) == "2 x[0] + x[1]"
    assert str(a + b - a) == "x[1]"


def test_fractions_stay_exact_and_floats_do_not_become_fractions():
    a, _ = pair(1.0)
    assert ((a + 1) / 3).value == Fraction(2, 3)
    assert isinstance((a * 0.1).value, float)
    assert (a * 0.5).value == Fraction(1, 2) or (a * 0.5).value == 0.5


def test_zero_factors_of_inputs_are_kept_and_of_constants_dropped():
    a, b = pair(0.0)
    assert (2 * a).sources() == [("x", (0,))]
    assert (0 * b).is_constant


def test_division_by_zero_is_infinite_as_in_floating_point():
    a, _ = pair(0.0)
    assert (1 / a).value == math.inf
    assert math.isnan((a / a).value)


def test_comparisons_are_written_down():
    a, b = pair()
    with recorded_decisions() as log:
        largest = max([a, b])
    assert largest is b
    assert [(str(decision.left), decision.sign, str(decision.right), decision.outcome) for decision in log] == [("x[1]", ">", "x[0]", True)]


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "arctan", "expm1", "log1p", "log2", "tanh"])
def test_functions_are_numpys(name):
    x = traced_array("x", np.array([0.3, 2.0, 4.0]))
    y = getattr(np, name)(x)
    np.testing.assert_allclose([float(value) for value in y], getattr(np, name)(np.array([0.3, 2.0, 4.0])), rtol=1e-15)
    assert all(value.sources() for value in y)


def test_predicates_and_casts_keep_history():
    x = traced_array("x", np.array([1.0, np.inf, np.nan]))
    assert np.isnan(x).tolist() == [False, False, True]
    assert np.isinf(x).tolist() == [False, True, False]
    assert np.isposinf(x).tolist() == [False, True, False]
    assert x.astype(np.float64)[0].sources() == [("x", (0,))]
    assert x[:1].sum(dtype=np.float64).sources() == [("x", (0,))]


def test_long_sums_do_not_recurse():
    x = traced_array("x", np.arange(5000.0))
    total = 0
    for value in x:
        total = total + value
    assert len(total.terms()) == 5000
    assert sum(term.value for term in total.terms()) == total.value == 12497500


def test_latex():
    a, b = pair()
    assert latex((a + b) / a) == r"\frac{\left(\mathrm{x}_{0} + \mathrm{x}_{1}\right)}{\mathrm{x}_{0}}"
    assert latex(np.sqrt(traced_array("w", np.array([2.0])))[0]) == r"\sqrt{\mathrm{w}_{0}}"


def test_names_stand_for_shared_parts():
    a, b = pair()
    mean = (a + b) / 2
    assert expression((a - mean) * (a - mean), {id(mean): "m"}) == "(x[0] - m)^2"
    assert str(mean) == "(x[0] + x[1])/2"


STEPS = st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(0, 3), st.integers(-3, 3)), max_size=12)


@given(STEPS, st.lists(st.integers(-4, 4), min_size=4, max_size=4))
def test_terms_add_up_to_the_value_of_any_expression(steps, values):
    """Drawn chains of operations, with inputs and numbers: exact, since everything is a fraction."""
    x = traced_array("x", np.array(values, np.float64))
    total = x[0]
    for sign, place, number in steps:
        other = x[place] + number
        if sign == "/" and other.value == 0:
            continue
        total = {"+": total + other, "-": total - other, "*": total * other, "/": total / other}[sign]
    if not math.isfinite(total.value):
        return
    assert math.isclose(float(sum((term.value for term in total.terms()), Fraction(0))), float(total.value), rel_tol=1e-9, abs_tol=1e-9)
    assert {node.operands for node in walk([total]) if node.operation == "source"} == set(total.sources())


def test_text_is_no_number():
    with pytest.raises(ValueError, match="could not convert"):
        Traced("five")
