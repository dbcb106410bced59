"""conv2d: gradients, laws, the decks' numbers, messages."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinycnn
from tests.strategies import convolutions
from tinycnn import Tensor, gradcheck
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import conv2d

SLIDE_IMAGE = np.array(
    [[5, 0, 8, 7, 8, 1], [1, 9, 5, 0, 7, 7], [6, 0, 2, 4, 6, 6], [9, 7, 6, 6, 8, 4], [8, 3, 8, 5, 1, 3], [7, 2, 7, 0, 1, 0]],
    np.float64,
).reshape(1, 1, 6, 6)
LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float64).reshape(1, 1, 3, 3)


def dot(a, b):
    return float(np.sum(np.asarray(a) * np.asarray(b)))


@given(convolutions(batches=st.integers(1, 2)))
def test_gradients(case):
    x, weight, bias = case.arrays()
    inputs = (x, weight) if bias is None else (x, weight, bias)
    assert gradcheck(lambda *arrays: conv2d(*arrays, **case.options), inputs)


@given(convolutions(), st.sampled_from(["relu", "relu6", "silu", "hardswish"]))
def test_fused_activation_equals_its_parts(case, activation):
    x, weight, bias = (None if array is None else Tensor(array, requires_grad=True) for array in case.arrays())
    twins = [None if tensor is None else Tensor(tensor.data, requires_grad=True) for tensor in (x, weight, bias)]
    fused = conv2d(x, weight, bias, activation=activation, **case.options)
    parts = getattr(tinycnn.functional, activation)(conv2d(*twins, **case.options))
    np.testing.assert_allclose(fused.data, parts.data, rtol=1e-12, atol=1e-12)
    upstream = np.random.default_rng(case.seed).standard_normal(fused.shape)
    fused.backward(upstream)
    parts.backward(upstream)
    for one, other in zip((x, weight, bias), twins):
        if one is not None:
            np.testing.assert_allclose(one.grad.data, other.grad.data, rtol=1e-9, atol=1e-9)


@given(convolutions())
def test_output_shape_and_dtype(case):
    for dtype in (np.float32, np.float64):
        y = conv2d(*case.arrays(dtype), **case.options)
        assert y.shape == case.output_shape
        assert y.dtype == dtype


@given(convolutions())
def test_linear_in_the_input_and_in_the_weight(case):
    x, weight, _ = case.arrays()
    other = np.random.default_rng(case.seed + 1).standard_normal(x.shape)

    def f(x, weight):
        return conv2d(x, weight, **case.options).numpy()

    np.testing.assert_allclose(f(2.0 * x - 3.0 * other, weight), 2.0 * f(x, weight) - 3.0 * f(other, weight), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(f(x, -0.5 * weight), -0.5 * f(x, weight), rtol=1e-9, atol=1e-9)


@given(convolutions())
def test_adjoint_identities(case):
    """<conv(x, w), g> = <x, grad_x> = <w, grad_w>: exact, as the operator is bilinear."""
    x, weight, _ = (None if array is None else Tensor(array, requires_grad=True) for array in case.arrays())
    y = conv2d(x, weight, **case.options)
    upstream = np.random.default_rng(case.seed + 2).standard_normal(y.shape)
    y.backward(upstream)
    inner = dot(y.data, upstream)
    scale = 1e-10 * (1 + np.abs(y.data * upstream).sum())
    assert dot(x.data, x.grad.data) == pytest.approx(inner, abs=scale)
    assert dot(weight.data, weight.grad.data) == pytest.approx(inner, abs=scale)


@given(convolutions(modes=("circular",), batches=st.just(1)), st.integers(-5, 5), st.integers(-5, 5))
def test_equivariant_to_circular_shifts(case, down, right):
    """With circular padding that keeps the size and stride 1, shifting the image shifts the result (A08)."""
    x, weight, _ = case.arrays()
    top, left = (case.dilation[axis] * (case.weight_shape[2 + axis] - 1) for axis in range(2))
    assume(top <= x.shape[2] and left <= x.shape[3])

    def f(x):
        return conv2d(
            x, weight, padding=(top, 0, left, 0), dilation=case.dilation, groups=case.groups, padding_mode="circular"
        ).numpy()

    shifted = f(np.roll(x, (down, right), (2, 3)))
    np.testing.assert_allclose(shifted, np.roll(f(x), (down, right), (2, 3)), rtol=1e-10, atol=1e-10)


@given(convolutions(modes=("zeros",)))
def test_groups_are_convolutions_side_by_side(case):
    x, weight, _ = case.arrays()
    options = {**case.options, "groups": 1}
    xs, weights = np.split(x, case.groups, 1), np.split(weight, case.groups, 0)
    apart = [conv2d(part, kernel, **options).numpy() for part, kernel in zip(xs, weights, strict=True)]
    np.testing.assert_allclose(conv2d(x, weight, **case.options).numpy(), np.concatenate(apart, 1), rtol=1e-10, atol=1e-10)


@given(convolutions())
def test_padding_modes_are_numpys(case):
    x, weight, _ = case.arrays()
    top, bottom, left, right = case.padding
    mode = {"zeros": "constant", "reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap"}
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode=mode[case.padding_mode])
    options = {**case.options, "padding": 0}
    np.testing.assert_allclose(
        conv2d(x, weight, **case.options).numpy(), conv2d(padded, weight, **options).numpy(), rtol=1e-10, atol=1e-10
    )


@given(convolutions(), st.sampled_from(["naive", "im2col", "direct"]))
def test_every_algorithm_gives_the_same_answer_and_gradients(case, algorithm):
    results = []
    for name in ("auto", algorithm):
        tensors = [None if array is None else Tensor(array, requires_grad=True) for array in case.arrays()]
        y = conv2d(*tensors, algorithm=name, **case.options)
        y.backward(np.random.default_rng(case.seed).standard_normal(y.shape))
        results.append([y.data] + [tensor.grad.data for tensor in tensors if tensor is not None])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@given(convolutions(), st.randoms(use_true_random=False))
def test_non_contiguous_memory(case, random):
    x, weight, bias = case.arrays()
    strided = np.zeros((*x.shape[:3], 2 * x.shape[3]))
    strided[..., ::2] = x
    order = (1, 0, 3, 2)
    odd_weight = np.ascontiguousarray(weight.transpose(order)).transpose(order)
    expected = conv2d(x, weight, bias, **case.options).numpy()
    np.testing.assert_array_equal(conv2d(strided[..., ::2], odd_weight, bias, **case.options).numpy(), expected)


def test_under_the_reference_kernels_too():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, 2, 5, 4)), rng.standard_normal((3, 2, 3, 2))
    expected = conv2d(x, weight, padding=1, stride=2).numpy()
    with tinycnn.use_kernels("reference"):
        np.testing.assert_allclose(conv2d(x, weight, padding=1, stride=2).numpy(), expected, rtol=1e-12, atol=1e-12)


def test_exact_on_fractions():
    x = np.array([[Fraction(1, 3), Fraction(1, 7)], [Fraction(2), Fraction(-1, 2)]], dtype=object).reshape(1, 1, 2, 2)
    weight = np.array([[Fraction(3), Fraction(7)]], dtype=object).reshape(1, 1, 1, 2)
    y = conv2d(x, weight)
    assert y.data.tolist() == [[[[Fraction(2)], [Fraction(5, 2)]]]]


def test_one_image_without_a_batch():
    rng = np.random.default_rng(0)
    x, weight = Tensor(rng.standard_normal((2, 5, 5)), requires_grad=True), rng.standard_normal((3, 2, 3, 3))
    y = conv2d(x, weight)
    assert y.shape == (3, 3, 3)
    np.testing.assert_array_equal(y.data, conv2d(x.data[None], weight).data[0])
    assert gradcheck(lambda x: conv2d(x, weight), x)


# The decks' numbers


def test_a03_identity_filter():
    identity = np.zeros((1, 1, 3, 3))
    identity[0, 0, 1, 1] = 1.0
    y = conv2d(SLIDE_IMAGE, identity).numpy()
    assert y[0, 0, 0, 0] == 9
    np.testing.assert_array_equal(y, SLIDE_IMAGE[:, :, 1:-1, 1:-1])


def test_a04_laplacian():
    expected = [[-30, -1, 23, -7], [24, 7, -2, 1], [-10, -1, -1, -15], [13, -11, -5, 13]]
    np.testing.assert_array_equal(conv2d(SLIDE_IMAGE, LAPLACIAN).numpy()[0, 0], expected)


def test_a05_binary_image():
    image = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], np.float32)
    kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], np.float32)
    y = conv2d(image[None, None], kernel[None, None]).numpy()
    np.testing.assert_array_equal(y[0, 0], [[4, 3, 4], [2, 4, 3], [2, 3, 4]])


def test_a06_convolution_is_a_matrix():
    """Column j of W is the convolution of the j-th unit image: W is 16 x 36, 144 structural entries, 80 of them the Laplacian's."""
    units = np.eye(36).reshape(36, 1, 6, 6)
    w = conv2d(units, LAPLACIAN).numpy().reshape(36, 16).T
    structure = conv2d(units, np.ones((1, 1, 3, 3))).numpy().reshape(36, 16).T
    assert w.shape == (16, 36)
    assert np.count_nonzero(structure) == 144
    assert np.count_nonzero(w) == 80
    np.testing.assert_array_equal(w @ SLIDE_IMAGE.reshape(36), conv2d(SLIDE_IMAGE, LAPLACIAN).numpy().reshape(16))
    x = Tensor(SLIDE_IMAGE, requires_grad=True)
    upstream = np.arange(16.0).reshape(1, 1, 4, 4)
    conv2d(x, LAPLACIAN).backward(upstream)
    np.testing.assert_array_equal(x.grad.numpy().reshape(36), w.T @ upstream.reshape(16))


def test_a10_a11_filters_extend_the_full_depth():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.standard_normal((1, 3, 32, 32)), rng.standard_normal((6, 3, 5, 5)), rng.standard_normal(6)
    y = conv2d(x, weight, bias)
    assert y.shape == (1, 6, 28, 28)
    assert weight[0].size == 75
    assert y.numpy()[0, 0, 0, 0] == pytest.approx(x[0, :, :5, :5].reshape(75) @ weight[0].reshape(75) + bias[0])


def test_a14_a15_sizes():
    def size(n, f, **options):
        return conv2d(np.zeros((1, 1, n, n)), np.zeros((1, 1, f, f)), **options).shape[2]

    assert [size(7, 3, stride=s) for s in (1, 2, 3)] == [5, 3, 2]
    assert size(7, 3, padding=1) == 7
    assert [size(9, f, padding=(f - 1) // 2) for f in (3, 5, 7)] == [9, 9, 9]


def test_a16_a17_parameters():
    layer = tinycnn.nn.Conv2d(3, 10, 5, padding=2)
    assert sum(parameter.numel() for parameter in layer.parameters()) == 760
    assert layer.weight.data[0].size + 1 == 76
    assert layer(np.zeros((1, 3, 32, 32), np.float32)).shape == (1, 10, 32, 32)


@pytest.mark.parametrize(
    ("mode", "corner", "edge"),
    [("replicate", [5, 5, 0], [8, 1, 1]), ("reflect", [9, 1, 9], [7, 7, 7]), ("circular", [0, 7, 2], [1, 0, 7]), ("zeros", [0, 0, 0], [0, 0, 0])],
)
def test_a18_padding_tables_first_row(mode, corner, edge):
    identity = np.ones((1, 1, 1, 1))
    row = conv2d(SLIDE_IMAGE, identity, padding=1, padding_mode=mode).numpy()[0, 0, 0]
    np.testing.assert_array_equal(row[:3], corner)
    np.testing.assert_array_equal(row[-3:], edge)


@pytest.mark.parametrize(
    ("name", "size"), [("valid", 4), ("same", 6), ("same_tf", 6), ("same_lower", 6), ("full", 8), ("causal", 6)]
)
def test_a19_named_paddings(name, size):
    assert conv2d(SLIDE_IMAGE, LAPLACIAN, padding=name).shape[2:] == (size, size)


def test_a21_dilation_reads_every_second_pixel():
    x = np.arange(25.0).reshape(1, 1, 5, 5)
    y = conv2d(x, np.ones((1, 1, 3, 3)), dilation=2).numpy()
    assert y.shape == (1, 1, 1, 1)
    assert y.item() == x[0, 0, ::2, ::2].sum()


# True convolution


# Residual


@given(convolutions(batches=st.integers(1, 2)), st.sampled_from([None, "relu", "relu6", "silu", "hardswish"]), st.sampled_from(["naive", "direct"]))
def test_residual_equals_its_parts(case, activation, algorithm):
    """Value and all gradients of activation(conv + residual) against add and relu."""
    x, weight, bias = case.arrays()
    arrays = [x, weight] if bias is None else [x, weight, bias]
    rng = np.random.default_rng(case.seed)
    shape = conv2d(*arrays, **case.options).shape
    arrays.append(rng.standard_normal(shape))
    upstream = rng.standard_normal(shape)
    found = []
    for fused in (True, False):
        *own, residual = tensors = [Tensor(array.copy(), requires_grad=True) for array in arrays]
        if fused:
            y = conv2d(*own, activation=activation, residual=residual, algorithm=algorithm, **case.options)
        else:
            y = tinycnn.functional.add(conv2d(*own, **case.options), residual)
            y = y if activation is None else getattr(tinycnn.functional, activation)(y)
        y.backward(upstream)
        found.append([y.data, *(tensor.grad.data for tensor in tensors)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_residual_is_left_alone_and_may_be_any_view():
    rng = np.random.default_rng(0)
    image, weight, wide = rng.standard_normal((1, 2, 4, 4)), rng.standard_normal((3, 2, 1, 1)), rng.standard_normal((4, 4, 3))
    residual = wide.transpose(2, 0, 1)
    kept = wide.copy()
    y = conv2d(image, weight, residual=residual[None]).numpy()
    np.testing.assert_allclose(y, conv2d(image, weight).numpy() + residual, rtol=1e-12)
    np.testing.assert_array_equal(conv2d(image[0], weight, residual=residual).numpy(), y[0])
    np.testing.assert_array_equal(wide, kept)


def test_residual_may_be_the_input_itself():
    """The identity shortcut: the input's gradient is that of both ways."""
    x = Tensor(np.array([[[[1.0, -2.0]]]]), requires_grad=True)
    y = conv2d(x, np.full((1, 1, 1, 1), 3.0), residual=x, activation="relu")
    y.sum().backward()
    assert y.tolist() == [[[[4.0, 0.0]]]] and x.grad.tolist() == [[[[4.0, 0.0]]]]


def test_residual_passes_nan_and_infinity():
    y = conv2d(np.array([[[[np.inf, 1.0]]]]), np.ones((1, 1, 1, 1)), residual=np.array([[[[-np.inf, -3.0]]]]), activation="relu")
    np.testing.assert_array_equal(y.numpy(), [[[[np.nan, 0.0]]]])


# Messages

IMAGE = np.zeros((1, 3, 5, 5), np.float32)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((IMAGE, np.zeros((2, 3, 5, 5), np.float32)), {"dilation": 2, "padding": 1}, ShapeError,
         r"conv2d: kernel 5 with dilation 2 spans 9 > padded height 7 \(height 5 \+ padding 1 \+ 1\); use padding >= 2"),
        ((IMAGE, np.zeros((2, 4, 3, 3), np.float32)), {}, ShapeError,
         r"input has 3 channels, but weight \(2, 4, 3, 3\) with groups=1 takes 4 x 1 = 4"),
        ((IMAGE, np.zeros((2, 1, 3, 3), np.float32)), {"groups": 3}, ShapeError, r"2 output channels, which groups=3 does not divide"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32), np.zeros(3, np.float32)), {}, ShapeError, r"bias has shape \(3,\); it must be \(2,\)"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"residual": np.zeros((1, 2, 5, 5), np.float32)}, ShapeError,
         r"conv2d: residual has shape \(1, 2, 5, 5\); it must be the result's, \(1, 2, 3, 3\)"),
        ((IMAGE[0], np.zeros((2, 3, 3, 3), np.float32)), {"residual": np.zeros((1, 2, 3, 3), np.float32)}, ShapeError,
         r"residual has shape \(1, 2, 3, 3\); it must be the result's, \(2, 3, 3\)"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"residual": np.zeros((1, 2, 3, 3))}, DtypeError, r"input is float32 but residual is float64"),
        ((IMAGE[0, 0], np.zeros((2, 3, 3, 3), np.float32)), {}, ShapeError, r"input has shape \(5, 5\); it must be \(N, C_in, H, W\)"),
        ((IMAGE, np.zeros((3, 3), np.float32)), {}, ShapeError, r"weight has shape \(3, 3\); it must be"),
        ((IMAGE, np.zeros((2, 3, 0, 3), np.float32)), {}, ShapeError, r"none of them zero"),
        ((IMAGE.astype(np.int64), np.zeros((2, 3, 3, 3), np.float32)), {}, DtypeError, r"input is int64.*use input.float\(\)"),
        ((IMAGE, np.zeros((2, 3, 3, 3))), {}, DtypeError, r"input is float32 but weight is float64; convert one"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"stride": 0}, ArgumentError, r"stride must be a whole number >= 1, not 0"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"stride": 1.5}, ArgumentError, r"stride must be a whole number >= 1, not 1.5"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"stride": (1, 2, 3)}, ArgumentError, r"stride has 3 numbers"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"padding": (1, 2, 3)}, ArgumentError, r"padding has 3 numbers.*\(top, bottom, left, right\)"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"padding": -1}, ArgumentError, r"padding must be a whole number >= 0, not -1"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"padding": "sane"}, ArgumentError, r"'sane' is not one of valid, same"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"padding": "same", "stride": 2}, ArgumentError, r"stride 1, not 2.*same_tf"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"dilation": 0}, ArgumentError, r"dilation must be a whole number >= 1"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"groups": 0}, ArgumentError, r"groups must be a whole number >= 1"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"padding_mode": "mirror"}, ArgumentError, r"padding_mode 'mirror' is not one of zeros"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"padding": 5, "padding_mode": "reflect"}, ShapeError, r"at most 4 a side, not 5"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"activation": "tanh"}, ArgumentError, r"activation 'tanh' is neither None nor"),
        ((IMAGE, np.zeros((2, 3, 3, 3), np.float32)), {"algorithm": "magic"}, ArgumentError, r"algorithm 'magic' is not one of auto, naive"),
    ],
)
def test_messages(arguments, options, error, message):
    with pytest.raises(error, match=message):
        conv2d(*arguments, **options)


def test_lists_serve_as_tuples_and_stay_checked():
    x, weight = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))
    np.testing.assert_array_equal(conv2d(x, weight, stride=[2, 1]).data, conv2d(x, weight, stride=(2, 1)).data)
    with pytest.raises(ArgumentError, match="stride has 3 numbers"):
        conv2d(x, weight, stride=[2, 1, 1])


def test_an_empty_batch_has_gradients():
    x, weight = Tensor(np.zeros((0, 2, 5, 5)), requires_grad=True), Tensor(np.ones((3, 2, 3, 3)), requires_grad=True)
    y = conv2d(x, weight, Tensor(np.ones(3), requires_grad=True))
    assert y.shape == (0, 3, 3, 3)
    y.backward(np.zeros(y.shape))
    assert x.grad.shape == x.shape
    np.testing.assert_array_equal(weight.grad.numpy(), np.zeros(weight.shape))
