"""Arithmetic, functions of one tensor and comparisons: values by NumPy, gradients by finite differences, dtypes by a
table."""

import fractions
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinycnn
from tinycnn import Tensor, gradcheck
from tinycnn.errors import ArgumentError, DtypeError, GradcheckError, GraphError, ShapeError
from tinycnn.functional._arrays import unbroadcast

BROADCAST = arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4)
SEED = st.integers(0, 2**32 - 1)

ARITHMETIC = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
}
COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
FUNCTIONS = {
    "abs": np.abs,
    "sign": np.sign,
    "neg": np.negative,
    "square": np.square,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sin": np.sin,
    "cos": np.cos,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "reciprocal": np.reciprocal,
}
OF_FLOATS_ONLY = ("sqrt", "exp", "log", "log1p", "expm1", "sin", "cos")


def draw(seed, *shapes):
    generator = np.random.default_rng(seed)
    return [generator.uniform(0.5, 2.5, shape) for shape in shapes]


@pytest.mark.parametrize("name", ARITHMETIC)
@given(shapes=BROADCAST, seed=SEED)
def test_arithmetic_is_numpys_and_its_gradient_is_right(name, shapes, seed):
    a, b = draw(seed, *shapes.input_shapes)
    function = getattr(tinycnn, name)
    np.testing.assert_array_equal(function(a, b).data, ARITHMETIC[name](a, b))
    gradcheck(function, [a, b], generator=np.random.default_rng(seed))


@pytest.mark.parametrize("name", COMPARISONS)
@given(shapes=BROADCAST, seed=SEED)
def test_comparisons_are_numpys(name, shapes, seed):
    generator = np.random.default_rng(seed)
    a, b = (generator.integers(-1, 2, shape).astype(np.float64) for shape in shapes.input_shapes)
    result = getattr(tinycnn, name)(a, b)
    assert result.dtype == np.bool_
    np.testing.assert_array_equal(result.data, COMPARISONS[name](a, b))


@pytest.mark.parametrize("name", FUNCTIONS)
@given(shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), seed=SEED)
def test_functions_are_numpys_and_their_gradients_are_right(name, shape, seed):
    (x,) = draw(seed, shape)
    function = getattr(tinycnn, name)
    np.testing.assert_array_equal(function(x).data, FUNCTIONS[name](x))
    gradcheck(function, x, generator=np.random.default_rng(seed))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*FUNCTIONS, *ARITHMETIC])
def test_dtypes_are_kept_forward_and_backward(name, dtype):
    tensors = [Tensor(np.full(3, 1.5, dtype), requires_grad=True) for _ in range(2 if name in ARITHMETIC else 1)]
    result = getattr(tinycnn, name)(*tensors)
    result.backward(np.ones(3, dtype))
    assert result.dtype == dtype
    assert all(tensor.grad.dtype == dtype for tensor in tensors)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_methods_and_views_with_gaps(name):
    x = np.arange(1.0, 13.0).reshape(3, 4).T[::2]
    assert not x.flags.c_contiguous
    np.testing.assert_array_equal(getattr(Tensor(x), name)().data, FUNCTIONS[name](x))
    gradcheck(lambda t: getattr(t.T, name)() * t.T, np.arange(1.25, 13.0).reshape(3, 4))


# Broadcasting


@given(shapes=BROADCAST, seed=SEED)
def test_unbroadcast_is_the_adjoint_of_broadcasting(shapes, seed):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shapes.input_shapes[0])
    g = generator.standard_normal(shapes.result_shape)
    left = np.sum(np.broadcast_to(x, g.shape) * g)
    np.testing.assert_allclose(left, np.sum(x * unbroadcast(g, x)), rtol=1e-9, atol=1e-12)


def test_a_broadcast_operands_gradient_is_summed_in_float64():
    bias = Tensor(np.zeros(1, np.float32), requires_grad=True)
    (bias + np.zeros(3_000_000, np.float32)).backward(np.full(3_000_000, 0.1, np.float32))
    assert bias.grad.item() == pytest.approx(3_000_000 * float(np.float32(0.1)), rel=1e-7)


@pytest.mark.parametrize("name", [*ARITHMETIC, "eq", "lt", "logical_and"])
def test_shapes_that_do_not_broadcast(name):
    message = rf"{name}: shapes \(2,\) and \(3,\) do not broadcast.*unsqueeze or reshape"
    with pytest.raises(ShapeError, match=message):
        getattr(tinycnn, name)(np.ones(2), np.ones(3))


def test_shapes_that_do_not_broadcast_in_clamp_and_where():
    with pytest.raises(ShapeError, match=r"clamp: shapes \(2,\) and \(3,\) do not broadcast"):
        tinycnn.clamp(np.ones(2), np.ones(3))
    with pytest.raises(ShapeError, match=r"where: shapes \(2,\) and \(3,\) and \(\) do not broadcast"):
        tinycnn.where(np.ones(2) > 0, np.ones(3), 0.0)


# dtypes


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ("float32", "float64", "float64"),
        ("float32", "int64", "float32"),
        ("float64", "int32", "float64"),
        ("int64", "int32", "int64"),
        ("int32", "uint8", "int32"),
        ("uint8", "bool", "uint8"),
        ("bool", "float32", "float32"),
        ("bool", "bool", "bool"),
    ],
)
def test_two_tensors_give_the_wider_type(first, second, result):
    a, b = Tensor(np.ones(2, first)), Tensor(np.ones(2, second))
    assert (a + b).dtype == (b + a).dtype == tinycnn.where(a == b, a, b).dtype == np.dtype(result)


@pytest.mark.parametrize(
    ("tensor", "number", "result"),
    [
        ("float32", 2.5, "float32"),
        ("float32", np.float64(2.5), "float32"),
        ("float32", np.array(2.5), "float32"),
        ("float32", 2, "float32"),
        ("float64", 2.5, "float64"),
        ("int32", 2, "int32"),
        ("uint8", 2, "uint8"),
        ("int32", np.array(2, np.int64), "int32"),
        ("int64", 2.5, "float32"),
        ("int64", np.array(2.5), "float64"),
        ("bool", 2, "int64"),
        ("bool", True, "bool"),
    ],
)
def test_numbers_widen_only_by_kind(tensor, number, result):
    a = Tensor(np.ones(2, tensor))
    assert (a * number).dtype == (number * a).dtype == np.dtype(result)
    for scalar in (Tensor(np.ones((), tensor)),):
        if not isinstance(number, np.ndarray):
            assert (scalar * number).dtype == (number * scalar).dtype == np.dtype(result)


def test_true_division_of_whole_numbers_is_float32():
    result = Tensor(np.array([1, 2])) / Tensor(np.array([2, 2]))
    assert result.dtype == np.float32
    assert result.tolist() == [0.5, 1.0]
    assert (1 / Tensor(np.array([4], np.uint8))).tolist() == [0.25]


def test_mixed_floats_send_each_gradient_back_in_its_own_dtype():
    a = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    b = Tensor(np.ones(3), requires_grad=True)
    middle = a * 2.0
    (middle * b).sum().backward()
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64


@pytest.mark.parametrize("name", OF_FLOATS_ONLY)
def test_functions_of_floats_refuse_whole_numbers_with_the_fix(name):
    with pytest.raises(DtypeError, match=rf"{name}: input is int64.*use input.float\(\)"):
        getattr(tinycnn, name)(np.arange(3))


def test_messages_about_dtypes():
    with pytest.raises(DtypeError, match="sub: bool minus bool has no meaning; use logical_not"):
        Tensor(np.ones(2, bool)) - Tensor(np.ones(2, bool))
    with pytest.raises(DtypeError, match="neg: input is bool"):
        -Tensor(np.ones(2, bool))
    with pytest.raises(DtypeError, match="abs: input is bool, which has no arithmetic"):
        abs(Tensor(np.ones(2, bool)))
    with pytest.raises(DtypeError, match="pow: bool has no powers"):
        Tensor(np.ones(2, bool)) ** Tensor(np.ones(2, bool))
    with pytest.raises(ArgumentError, match=r"pow: a whole number to a negative power is not whole; use .float\(\)"):
        Tensor(np.array([2])) ** -1
    with pytest.raises(DtypeError, match="where: condition is float64, not bool; compare it"):
        tinycnn.where(np.ones(2), 1.0, 0.0)
    with pytest.raises(DtypeError, match="add: other is a str; give a tensor, an ndarray, a number or a list"):
        Tensor(np.ones(2)) + "1"
    with pytest.raises(DtypeError, match="&: defined on bool tensors, not float64; compare first"):
        Tensor(np.ones(2)) & Tensor(np.ones(2))
    with pytest.raises(ArgumentError, match=r"whole number among \[300\] does not fit uint8; convert the tensor"):
        Tensor(np.ones(2, np.uint8)) + 300


# Notation


def test_reflected_operators():
    t = Tensor(np.array([2.0, 4.0]))
    array = np.array([8.0, 16.0])
    assert (array + t).tolist() == [10.0, 20.0]
    assert (array - t).tolist() == [6.0, 12.0]
    assert (array * t).tolist() == [16.0, 64.0]
    assert (array / t).tolist() == [4.0, 4.0]
    assert (2**t).tolist() == [4.0, 16.0]
    assert (1 - t).tolist() == [-1.0, -3.0]
    assert (array > t).tolist() == [True, True]
    assert isinstance(array + t, Tensor)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 1 - x,
        lambda x: 2 / x,
        lambda x: 2**x,
        lambda x: x**2,
        lambda x: x**-0.5,
        lambda x: 3 + x * 2 - x / 4,
        lambda x: -abs(x),
    ],
)
def test_gradients_of_operators_with_numbers(function):
    gradcheck(function, np.array([0.5, 1.5, 2.5]))


def test_adding_in_place_rebinds():
    x = Tensor(np.ones(2), requires_grad=True)
    y = x
    y += 1.0
    assert y is not x
    assert x.tolist() == [1.0, 1.0]
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_alpha_scales_the_second_operand():
    assert tinycnn.add([1.0], [2.0], alpha=10).item() == 21.0
    assert tinycnn.sub([1.0], [2.0], alpha=10).item() == -19.0
    gradcheck(lambda a, b: tinycnn.sub(a, b, alpha=3.0), [np.ones(2), np.ones((2, 2))])


def test_equality_with_foreign_objects_is_false():
    t = Tensor(np.ones(1))
    assert (t == None) is False  # noqa: E711
    assert (t != "text") is True


def test_signs_of_logic():
    a, b = Tensor(np.array([True, True, False])), Tensor(np.array([True, False, False]))
    assert (a & b).tolist() == [True, False, False]
    assert (a | b).tolist() == [True, True, False]
    assert (a ^ b).tolist() == [False, True, False]
    assert (~a).tolist() == [False, False, True]


# Kinks and special points, as torch has them


def gradient(function, *values):
    tensors = [Tensor(np.array(value), requires_grad=True) for value in values]
    function(*tensors).sum().backward()
    return [tensor.grad.tolist() for tensor in tensors]


def test_conventions_at_kinks():
    assert gradient(tinycnn.abs, [-1.0, 0.0, 2.0]) == [[-1.0, 0.0, 1.0]]
    assert gradient(tinycnn.maximum, [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == [[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]]
    assert gradient(tinycnn.minimum, [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) == [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]
    assert gradient(lambda x: x.clamp(0, 1), [-1.0, 0.0, 0.5, 1.0, 2.0]) == [[0.0, 1.0, 1.0, 1.0, 0.0]]
    assert gradient(tinycnn.floor, [0.5, 1.0]) == [[0.0, 0.0]]
    assert gradient(lambda x: x**0, [0.0, 2.0]) == [[0.0, 0.0]]
    assert gradient(lambda e: 0.0**e, [0.0, 2.0]) == [[0.0, 0.0]]


def test_no_warning_outside_the_domain():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tinycnn.div([1.0, -1.0, 0.0], 0.0).tolist()[:2] == [np.inf, -np.inf]
        assert np.isnan(tinycnn.log([-1.0]).item())
        assert tinycnn.exp([1000.0]).item() == np.inf
        assert np.isnan(tinycnn.pow([-1.0], 0.5).item())
        assert gradient(tinycnn.sqrt, [0.0]) == [[np.inf]]


def test_nan_survives():
    for name in ("maximum", "minimum"):
        result = getattr(tinycnn, name)([np.nan, 1.0], [1.0, np.nan])
        assert np.isnan(result.data).all()
    assert tinycnn.isnan([np.nan, 1.0]).tolist() == [True, False]
    assert tinycnn.isfinite([np.inf, 1.0]).tolist() == [False, True]


@given(seed=SEED)
def test_clamp_with_tensor_bounds(seed):
    generator = np.random.default_rng(seed)
    x, low, high = (generator.standard_normal(shape) for shape in ((3, 4), (4,), (3, 1)))
    np.testing.assert_array_equal(tinycnn.clamp(x, low, high).data, np.minimum(np.maximum(x, low), high))
    gradcheck(tinycnn.clamp, [x, low, high], generator=generator)


def test_clamp_needs_a_bound():
    with pytest.raises(ArgumentError, match="clamp: min and max are both None, which limits nothing"):
        tinycnn.clamp([1.0])
    with pytest.raises(ArgumentError, match="clip: min and max are both None"):
        tinycnn.clip([1.0])


@given(shapes=BROADCAST, seed=SEED)
def test_where(shapes, seed):
    generator = np.random.default_rng(seed)
    a, b = (generator.standard_normal(shape) for shape in shapes.input_shapes)
    condition = generator.random(shapes.result_shape) < 0.5
    np.testing.assert_array_equal(tinycnn.where(condition, a, b).data, np.where(condition, a, b))
    gradcheck(lambda x, y: tinycnn.where(condition, x, y), [a, b], generator=generator)


def test_where_keeps_infinite_gradients_out_of_the_other_branch():
    x = Tensor(np.array([0.0, 4.0]), requires_grad=True)
    tinycnn.where(x > 0, x, 0.0).backward(np.array([np.inf, 1.0]))
    assert x.grad.tolist() == [0.0, 1.0]


def test_fractions_stay_exact():
    third = np.array([fractions.Fraction(1, 3)], dtype=object)
    assert ((Tensor(third) + fractions.Fraction(1, 6)) * 2).data[0] == 1


def test_sums_do_not_guard_their_operands_but_products_do():
    a, b = Tensor(np.ones(2), requires_grad=True), Tensor(np.ones(2), requires_grad=True)
    total, product = a + b, a * b
    with tinycnn.no_grad():
        a[0] = 7.0
    total.sum().backward()
    with pytest.raises(GraphError, match=r"mul saved a tensor of shape \(2,\) that was changed in place"):
        product.sum().backward()


def test_a_wrong_gradient_would_be_seen():
    def wrong(x):
        return x * x.detach()

    with pytest.raises(GradcheckError, match="FAILED"):
        gradcheck(wrong, np.array([1.0, 2.0]))


# Conversions


def test_conversions_keep_the_graph():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    (x.double() * 2).float().to(np.float64).sum().backward()
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [2.0, 2.0]
    assert x.to("cpu") is x
    assert x.to(x.double()).dtype == np.float64
    assert x.to(dtype=np.int64).tolist() == [1, 1]
    assert not x.long().requires_grad
    assert [getattr(x, name)().dtype.name for name in ("int", "long", "byte", "bool")] == [
        "int32",
        "int64",
        "uint8",
        "bool",
    ]
    gradcheck(lambda t: t.clone() * t, np.ones(2))


def test_conversions_that_are_not_here():
    with pytest.raises(DtypeError, match="to: dtype float16 is not one of float32"):
        Tensor(np.ones(2)).to(np.float16)
    with pytest.raises(ArgumentError, match="to: device 'cuda' is not here"):
        Tensor(np.ones(2)).to("cuda")


def test_rounded_quotients():
    a, b = np.array([7.0, -7.0, 7.0, -7.0, 6.0]), np.array([2.0, 2.0, -2.0, -2.0, 3.0])
    np.testing.assert_array_equal(tinycnn.div(a, b, rounding_mode="trunc").numpy(), [3, -3, -3, 3, 2])
    np.testing.assert_array_equal(tinycnn.div(a, b, rounding_mode="floor").numpy(), [3, -4, -4, 3, 2])
    whole = tinycnn.div(a.astype(np.int64), b.astype(np.int64), rounding_mode="trunc")
    assert whole.dtype == np.int64
    assert whole.tolist() == [3, -3, -3, 3, 2]
    x = Tensor(a, requires_grad=True)
    x.div(b, rounding_mode="floor").sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 0)
    with pytest.raises(ArgumentError, match="div: a whole number divided by 0 has no whole quotient"):
        tinycnn.div(np.array([1]), np.array([0]), rounding_mode="floor")
    with pytest.raises(ArgumentError, match="div: rounding_mode 'up' is not one of trunc, floor"):
        tinycnn.div(a, b, rounding_mode="up")


def test_rounding_to_decimals():
    np.testing.assert_allclose(tinycnn.round([1.234, 15.0], decimals=2).numpy(), [1.23, 15.0], rtol=1e-6)
    assert tinycnn.round(np.array([15.0, 25.0]), decimals=-1).tolist() == [20.0, 20.0]
    with pytest.raises(ArgumentError, match="round: decimals 400 is beyond 308"):
        tinycnn.round(np.ones(2), decimals=400)
