"""conv_transpose1d, 2d and 3d: gradients, laws, three views of one operator, the decks' numbers, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.sliding import normal, spatial_convolutions, transposed_convolutions
from tinycnn import Tensor, gradcheck
from tinycnn import functional as F
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import conv_transpose1d, conv_transpose2d, conv_transpose3d

PAINT = {1: conv_transpose1d, 2: conv_transpose2d, 3: conv_transpose3d}
CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
LARGEST = {1: 7, 2: 4, 3: 3}
ranks = pytest.mark.parametrize("rank", [1, 2, 3])


@ranks
@given(data=st.data())
def test_gradients(rank, data):
    case = data.draw(transposed_convolutions(rank, largest=LARGEST[rank]))
    assert gradcheck(lambda *arrays: PAINT[rank](*arrays, **case.options), case.operands())


@ranks
@given(data=st.data())
def test_adjoint_of_the_convolution(rank, data):
    """<conv(x), y> = <x, conv_transpose(y)> with the same weight and options, back to x's size."""
    case = data.draw(spatial_convolutions(rank, modes=("zeros",)))
    x, weight, _ = case.arrays()
    options = {name: case.options[name] for name in ("stride", "padding", "dilation", "groups")}
    y = CONVOLVE[rank](x, weight, **options).numpy()
    other = normal(case.seed + 5, y.shape)
    back = PAINT[rank](other, weight, **options, output_size=x.shape).numpy()
    assert back.shape == x.shape
    assert np.sum(y * other) == pytest.approx(np.sum(x * back), rel=1e-9, abs=1e-9 * (1 + np.abs(y * other).sum()))


@ranks
@given(data=st.data())
def test_its_gradient_is_the_convolution(rank, data):
    case = data.draw(transposed_convolutions(rank, largest=LARGEST[rank], one_sided=False, batches=st.just(1)))
    options = dict(case.options)
    if any(blank >= step for blank, step in zip(options["output_padding"], options["stride"])):
        return  # the convolution would have more outputs
    x, weight, _ = case.arrays()
    tensor = Tensor(x, requires_grad=True)
    y = PAINT[rank](tensor, weight, **options)
    upstream = normal(case.seed + 5, y.shape)
    y.backward(upstream)
    options.pop("output_padding")
    np.testing.assert_allclose(tensor.grad.data, CONVOLVE[rank](upstream, weight, **options).numpy(), rtol=1e-9, atol=1e-9)


@given(transposed_convolutions(1, largest=6, one_sided=False))
def test_b09_zeros_between_and_an_ordinary_convolution(case):
    """The second view: s - 1 zeros between the elements, the flipped kernel, and padding d (k - 1) - p."""
    x, weight, _ = case.arrays()
    step, gap, groups = case.options["stride"][0], case.options["dilation"][0], case.options["groups"]
    crop, blank = case.options["padding"][0], case.options["output_padding"][0]
    span = gap * (weight.shape[2] - 1)
    stuffed = np.zeros((*x.shape[:2], (x.shape[2] - 1) * step + 1 + blank))
    stuffed[:, :, : (x.shape[2] - 1) * step + 1 : step] = x
    inputs, outputs, taps = weight.shape[0] // groups, weight.shape[1], weight.shape[2]
    flipped = weight.reshape(groups, inputs, outputs, taps).transpose(0, 2, 1, 3).reshape(groups * outputs, inputs, taps)[:, :, ::-1]
    full = F.conv1d(stuffed, flipped, padding=span, dilation=gap, groups=groups).numpy()
    expected = full[:, :, crop : full.shape[2] - crop]
    np.testing.assert_allclose(conv_transpose1d(x, weight, **case.options).numpy(), expected, rtol=1e-10, atol=1e-10)


@ranks
@given(data=st.data())
def test_linear_and_groups_side_by_side(rank, data):
    case = data.draw(transposed_convolutions(rank, largest=LARGEST[rank]))
    x, weight, bias = case.arrays()
    groups = case.options["groups"]
    apart = dict(case.options, groups=1)
    parts = [PAINT[rank](*pair, **apart).numpy() for pair in zip(np.split(x, groups, 1), np.split(weight, groups, 0), strict=True)]
    whole = PAINT[rank](x, weight, **case.options).numpy()
    np.testing.assert_allclose(whole, np.concatenate(parts, 1), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(PAINT[rank](-2.0 * x, weight, **case.options).numpy(), -2.0 * whole, rtol=1e-10, atol=1e-10)
    if bias is not None:
        with_bias = PAINT[rank](x, weight, bias, **case.options).numpy()
        np.testing.assert_allclose(with_bias, whole + bias.reshape(-1, *(1,) * rank), rtol=1e-10, atol=1e-10)


# The decks' numbers


def test_b09_one_dimension():
    """(a, b) with the kernel (x, y, z), stride 2: (ax, ay, az + bx, by, bz)."""
    a, b, x, y, z = 2.0, 3.0, 5.0, 7.0, 11.0
    painted = conv_transpose1d(np.array([[[a, b]]]), np.array([[[x, y, z]]]), stride=2).numpy()
    np.testing.assert_array_equal(painted[0, 0], [a * x, a * y, a * z + b * x, b * y, b * z])
    cropped = conv_transpose1d(np.array([[[a, b]]]), np.array([[[x, y, z]]]), stride=2, padding=1, output_padding=1).numpy()
    np.testing.assert_array_equal(cropped[0, 0], [a * y, a * z + b * x, b * y, b * z])


IMAGE, ONES = np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), np.ones((1, 1, 3, 3))


def test_b10_three_by_three_with_stride_2():
    expected = [[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]
    np.testing.assert_array_equal(conv_transpose2d(IMAGE, ONES, stride=2).numpy()[0, 0], expected)
    cropped = conv_transpose2d(IMAGE, ONES, stride=2, padding=1, output_padding=1).numpy()[0, 0]
    np.testing.assert_array_equal(cropped, [[1, 3, 2, 2], [4, 10, 6, 6], [3, 7, 4, 4], [3, 7, 4, 4]])


def test_b10_overlaps_are_a_checkerboard():
    counts = conv_transpose2d(np.ones((1, 1, 2, 2)), ONES, stride=2).numpy()[0, 0]
    assert sorted(np.unique(counts)) == [1, 2, 4]
    assert counts[2, 2] == 4 and counts[0, 2] == 2 and counts[0, 0] == 1
    even = conv_transpose2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 4, 4)), stride=2, padding=3).numpy()
    np.testing.assert_array_equal(even, np.full((1, 1, 2, 2), 4.0))


def test_keras_issue_9883_23_and_24_come_back():
    x = np.zeros((1, 1, 12))
    for size in (23, 24):
        assert conv_transpose1d(x, np.ones((1, 1, 3)), stride=2, padding=1, output_size=size).shape == (1, 1, size)
        assert conv_transpose1d(x, np.ones((1, 1, 3)), stride=2, padding=1, output_size=[size]).shape == (1, 1, size)


def test_one_sample_without_a_batch():
    x, weight = normal(0, (2, 3, 4)), normal(1, (2, 3, 2, 2))
    y = conv_transpose2d(x, weight, stride=2)
    assert y.shape == (3, 6, 8)
    np.testing.assert_array_equal(y.data, conv_transpose2d(x[None], weight, stride=2).data[0])
    assert conv_transpose2d(x, weight, stride=2, output_size=(3, 7, 9)).shape == (3, 7, 9)
    assert gradcheck(lambda x, weight: conv_transpose2d(x, weight, stride=2), (x, weight))


@ranks
def test_memory_dtype_and_empty_batches(rank):
    x, weight = normal(0, (2, 4, *(3,) * rank)), normal(1, (4, 2, *(2,) * rank))
    expected = PAINT[rank](x, weight, stride=2, groups=2).numpy()
    readonly = np.frombuffer(x.tobytes()).reshape(x.shape)
    for variant in (np.asfortranarray(x), x[:, ::-1].copy()[:, ::-1], readonly):
        np.testing.assert_array_equal(PAINT[rank](variant, np.asfortranarray(weight), stride=2, groups=2).numpy(), expected)
    small = PAINT[rank](x.astype(np.float32), weight.astype(np.float32), np.ones(4, np.float32), groups=2)
    assert small.dtype == np.float32
    tensors = [Tensor(array, requires_grad=True) for array in (x[:0], weight, np.ones(4))]
    y = PAINT[rank](*tensors, groups=2)
    assert y.shape == (0, 4, *(4,) * rank)
    y.backward(np.zeros(y.shape))
    assert [tensor.grad.shape for tensor in tensors] == [tensor.shape for tensor in tensors]


def test_under_the_reference_kernels_too():
    x, weight, bias = normal(0, (1, 2, 3, 4)), normal(1, (2, 3, 3, 2)), normal(2, 3)
    expected = conv_transpose2d(x, weight, bias, 2, 1, 1).numpy()
    with tinycnn.use_kernels("reference"):
        np.testing.assert_allclose(conv_transpose2d(x, weight, bias, 2, 1, 1).numpy(), expected, rtol=1e-12, atol=1e-12)


# Messages

X, W = np.zeros((1, 3, 5, 5), np.float32), np.zeros((3, 2, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X, W), {"output_padding": 1}, ArgumentError,
         r"conv_transpose2d: output_padding 1 \(height\) must be smaller than the stride 1 or the dilation 1; use at most 0"),
        ((X, W), {"output_padding": (0, 3), "stride": (1, 2), "dilation": (1, 3)}, ArgumentError, r"output_padding 3 \(width\).*use at most 2"),
        ((X, W), {"output_padding": -1}, ArgumentError, r"output_padding must be a whole number >= 0, not -1"),
        ((X, W), {"padding": "same"}, ArgumentError, r"padding must be a whole number >= 0, not 'same'"),
        ((X, W), {"padding": 4}, ShapeError,
         r"output height would be -1: \(input 5 - 1\) x stride 1 \+ kernel span 3 \+ output_padding 0 - padding 4 - 4; use 2 less padding"),
        ((X, W), {"output_size": (12, 9), "stride": 2}, ShapeError,
         r"output_size \(12, 9\) cannot be reached: width 9 is outside 11 to 12; the sizes this input allows are \(11, 11\) to \(12, 12\)"),
        ((X, W), {"output_size": (12,) * 3, "stride": 2}, ArgumentError, r"output_size has 3 numbers; give 2 as \(height, width\), or 4 with"),
        ((X, W), {"output_size": 12, "stride": 2, "output_padding": 1}, ArgumentError, r"output_padding=1 and output_size=12 say the same thing"),
        ((X, W), {"output_size": 11.5, "stride": 2}, ArgumentError, r"output_size must be a whole number"),
        ((X, np.zeros((2, 3, 3, 3), np.float32)), {}, ShapeError, r"input has 3 channels, but weight \(2, 3, 3, 3\) takes 2"),
        ((X, W), {"groups": 2}, ShapeError, r"input has 3 channels, which groups=2 does not divide"),
        ((X, W, np.zeros(3, np.float32)), {}, ShapeError, r"bias has shape \(3,\); it must be \(2,\)"),
        ((X, W[0]), {}, ShapeError, r"weight has shape \(2, 3, 3\); it must be \(C_in, C_out / groups, K_h, K_w\)"),
        ((X, np.zeros((3, 0, 3, 3), np.float32)), {}, ShapeError, r"none of them zero"),
        ((X[0, 0], W), {}, ShapeError, r"input has shape \(5, 5\); it must be \(N, C_in, H, W\)"),
        ((X[:, :, :0], W), {}, ShapeError, r"input has height 0"),
        ((X, W.astype(np.float64)), {}, DtypeError, r"input is float32 but weight is float64"),
        ((X.astype(np.int64), W), {}, DtypeError, r"input is int64"),
        ((X, W), {"stride": 2**30}, ShapeError, r"the output height would be 4294967299"),
        ((X, W), {"stride": 0}, ArgumentError, r"stride must be a whole number >= 1, not 0"),
    ],
)
def test_messages(arguments, options, error, message):
    with pytest.raises(error, match=message):
        conv_transpose2d(*arguments, **options)


def test_messages_of_the_other_ranks():
    with pytest.raises(ShapeError, match=r"conv_transpose1d: output_size \(4,\) cannot be reached: length 4 is outside 5 to 6"):
        conv_transpose1d(np.ones((1, 1, 2)), np.ones((1, 1, 3)), stride=2, output_size=4)
    with pytest.raises(ArgumentError, match=r"conv_transpose3d: output_padding 1 \(depth\)"):
        conv_transpose3d(np.ones((1, 1, 2, 2, 2)), np.ones((1, 1, 2, 2, 2)), output_padding=1)
    with pytest.raises(TypeError, match="positional"):
        conv_transpose2d(X, W, None, 1, 0, 0, 1, 1, (7, 7))
