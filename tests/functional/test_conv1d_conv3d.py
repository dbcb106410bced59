"""conv1d and conv3d: gradients, laws, the decks' numbers, messages."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

import tinycnn
from tests.sliding import normal, spatial_convolutions
from tinycnn import Tensor, gradcheck
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import conv1d, conv2d, conv3d, relu

CONVOLVE = {1: conv1d, 3: conv3d}
ranks = pytest.mark.parametrize("rank", [1, 3])
cases = {1: spatial_convolutions(1, largest=9), 3: spatial_convolutions(3, largest=4)}


def gradients(function, arrays, seed):
    """The result, and the gradients for a drawn upstream one."""
    tensors = [Tensor(array.copy(), requires_grad=True) for array in arrays]
    y = function(*tensors)
    y.backward(normal(seed, y.shape))
    return [y.data, *(tensor.grad.data for tensor in tensors)]


def assert_same(one, other, tolerance=1e-10):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@ranks
@given(data=st.data())
def test_gradients(rank, data):
    case = data.draw(cases[rank])
    assert gradcheck(lambda *arrays: CONVOLVE[rank](*arrays, **case.options), case.operands())


@ranks
@given(data=st.data(), algorithm=st.sampled_from(["naive", "im2col", "direct"]))
def test_fused_relu_and_every_algorithm(rank, data, algorithm):
    case = data.draw(cases[rank])
    fused = gradients(lambda *arrays: CONVOLVE[rank](*arrays, activation="relu", algorithm=algorithm, **case.options), case.operands(), case.seed)
    parts = gradients(lambda *arrays: relu(CONVOLVE[rank](*arrays, **case.options)), case.operands(), case.seed)
    assert_same(fused, parts, 1e-9)


@ranks
@given(data=st.data())
def test_residual_equals_its_parts(rank, data):
    case = data.draw(cases[rank])
    residual = normal(case.seed, CONVOLVE[rank](*case.operands(), **case.options).shape)
    arrays = (*case.operands(), residual)
    fused = gradients(lambda *a: CONVOLVE[rank](*a[:-1], activation="relu", residual=a[-1], **case.options), arrays, case.seed + 1)
    parts = gradients(lambda *a: relu(CONVOLVE[rank](*a[:-1], **case.options) + a[-1]), arrays, case.seed + 1)
    assert_same(fused, parts, 1e-9)


@given(spatial_convolutions(2, modes=("zeros", "reflect")))
def test_conv1d_is_a_row_of_conv2d_and_conv3d(case):
    """A kernel of one row and one plane, on data of one row and one plane."""
    x, weight, bias = case.arrays()
    x, weight = np.ascontiguousarray(x[:, :, 0]), np.ascontiguousarray(weight[:, :, 0])
    along = {name: case.options[name][1] for name in ("stride", "dilation")} | {"groups": case.options["groups"]}
    sides, mode = case.options["padding"][2:], case.options["padding_mode"]
    line = conv1d(x, weight, bias, padding=sides, padding_mode=mode, **along).numpy()
    flat = {name: (1, along[name]) for name in ("stride", "dilation")} | {"groups": along["groups"], "padding_mode": mode}
    image = conv2d(x[:, :, None], weight[:, :, None], bias, padding=(0, 0, *sides), **flat).numpy()
    deep = flat | {name: (1, 1, along[name]) for name in ("stride", "dilation")}
    volume = conv3d(x[:, :, None, None], weight[:, :, None, None], bias, padding=(0, 0, 0, 0, *sides), **deep).numpy()
    assert_same([line, line], [image[:, :, 0], volume[:, :, 0, 0]])


@ranks
@given(data=st.data())
def test_padding_modes_are_numpys(rank, data):
    case = data.draw(cases[rank])
    x, weight, bias = case.arrays()
    options = dict(case.options)
    sides, mode = options.pop("padding"), options.pop("padding_mode")
    numpys = {"zeros": "constant", "reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap"}[mode]
    padded = np.pad(x, [(0, 0), (0, 0), *zip(sides[::2], sides[1::2])], mode=numpys)
    assert_same([CONVOLVE[rank](x, weight, bias, **case.options).numpy()], [CONVOLVE[rank](padded, weight, bias, **options).numpy()])


@ranks
@given(data=st.data())
def test_adjoint_identities(rank, data):
    """<conv(x, w), g> = <x, grad_x> = <w, grad_w>: exact, as the operator is bilinear."""
    case = data.draw(cases[rank])
    x, weight, _ = case.arrays()
    y, grad_x, grad_weight = gradients(lambda *arrays: CONVOLVE[rank](*arrays, **case.options), (x, weight), case.seed)
    inner = np.sum(y * normal(case.seed, y.shape))
    scale = 1e-10 * (1 + np.abs(y).sum() * 5)
    assert np.sum(x * grad_x) == pytest.approx(inner, abs=scale)
    assert np.sum(weight * grad_weight) == pytest.approx(inner, abs=scale)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
def test_causal_outputs_see_nothing_ahead(length, kernel, dilation, seed):
    x, weight = normal(seed, (1, 2, length)), normal(seed + 1, (3, 2, kernel))
    changed = x.copy()
    changed[:, :, length // 2 :] += 1
    one, other = (conv1d(a, weight, padding="causal", dilation=dilation).numpy() for a in (x, changed))
    assert one.shape == (1, 3, length)
    np.testing.assert_array_equal(one[:, :, : length // 2], other[:, :, : length // 2])


@pytest.mark.parametrize("name, size", [("valid", 3), ("same", 5), ("same_tf", 5), ("same_lower", 5), ("full", 7), ("causal", 5)])
def test_a19_named_paddings(name, size):
    assert conv1d(np.zeros((1, 1, 5)), np.ones((1, 1, 3)), padding=name).shape == (1, 1, size)
    assert conv3d(np.zeros((1, 1, 5, 5, 5)), np.ones((1, 1, 3, 3, 3)), padding=name).shape == (1, 1, size, size, size)


@pytest.mark.parametrize("size, kernel, stride, expected", [(23, 3, 2, 12), (24, 3, 2, 12), (6, 3, 2, 3)])
def test_tensorflows_same(size, kernel, stride, expected):
    assert conv1d(np.zeros((1, 1, size)), np.ones((1, 1, kernel)), stride=stride, padding="same_tf").shape[2] == expected


def test_tensorflow_pads_6_behind_only():
    y = conv1d(np.arange(6.0).reshape(1, 1, 6), np.ones((1, 1, 3)), stride=2, padding="same_tf")
    assert y.numpy().tolist() == [[[3.0, 9.0, 9.0]]]
    y = conv1d(np.arange(6.0).reshape(1, 1, 6), np.ones((1, 1, 3)), stride=2, padding="same_lower")
    assert y.numpy().tolist() == [[[1.0, 6.0, 12.0]]]


def test_a29_convolution_over_text():
    """Seven words of five numbers, two filters each of widths 2, 3 and 4, the largest of each over time: six numbers."""
    sentence = Tensor(normal(0, (1, 7, 5)), requires_grad=True)
    features = []
    for width in (2, 3, 4):
        weight = normal(width, (2, 5, width))
        y = relu(conv1d(sentence.transpose(1, 2), weight))
        assert y.shape == (1, 2, 7 - width + 1)
        by_hand = [[np.sum(weight[o] * sentence.data[0, i : i + width].T) for i in range(8 - width)] for o in range(2)]
        np.testing.assert_allclose(y.data[0], np.maximum(by_hand, 0), rtol=1e-10, atol=1e-10)
        features.append(y.amax(2))
    joined = tinycnn.functional.cat(features, 1)
    assert joined.shape == (1, 6)
    joined.sum().backward()
    assert sentence.grad.shape == (1, 7, 5)


@given(st.integers(0, 99))
def test_conv3d_is_scipys_correlation(seed):
    x, weight = normal(seed, (4, 5, 6)), normal(seed + 1, (3, 3, 3))
    expected = scipy.ndimage.correlate(x, weight, mode="constant")
    assert_same([conv3d(x[None, None], weight[None, None], padding="same").numpy()[0, 0]], [expected])


def test_exact_on_fractions():
    x = np.array([Fraction(1, 3), Fraction(1, 7), Fraction(2)], dtype=object).reshape(1, 1, 3)
    weight = np.array([Fraction(3), Fraction(7)], dtype=object).reshape(1, 1, 2)
    assert conv1d(x, weight).data.tolist() == [[[2, Fraction(101, 7)]]]


@ranks
def test_one_sample_without_a_batch(rank):
    x, weight = normal(0, (2, *(4,) * rank)), normal(1, (3, 2, *(2,) * rank))
    y = CONVOLVE[rank](x, weight)
    assert y.shape == (3, *(3,) * rank)
    np.testing.assert_array_equal(y.data, CONVOLVE[rank](x[None], weight).data[0])
    assert gradcheck(lambda x, weight: CONVOLVE[rank](x, weight), (x, weight))


@ranks
def test_memory_of_any_order_and_nothing_is_modified(rank):
    shape, kernel = (2, 4, *(4,) * rank), (2, 2, *(2,) * rank)
    x, weight = normal(0, shape), normal(1, kernel)
    before = x.copy(), weight.copy()
    options = {"stride": 2, "padding": 1, "groups": 2}
    expected = gradients(lambda *arrays: CONVOLVE[rank](*arrays, **options), (x, weight), 2)
    backwards = tuple(slice(None, None, -1) for _ in shape)
    readonly = np.frombuffer(x.tobytes()).reshape(shape)
    for variant in (np.asfortranarray(x), x[backwards].copy()[backwards], readonly):
        y = CONVOLVE[rank](variant, np.asfortranarray(weight), **options)
        np.testing.assert_array_equal(y.data, expected[0])
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(weight, before[1])


@ranks
def test_dtype_is_kept_and_an_empty_batch_has_gradients(rank):
    x, weight = np.ones((0, 2, *(4,) * rank), np.float32), np.ones((3, 2, *(2,) * rank), np.float32)
    tensors = [Tensor(array, requires_grad=True) for array in (x, weight, np.ones(3, np.float32))]
    y = CONVOLVE[rank](*tensors, activation="relu")
    assert y.shape == (0, 3, *(3,) * rank)
    assert y.dtype == np.float32
    y.backward(np.zeros(y.shape, np.float32))
    assert [tensor.grad.shape for tensor in tensors] == [tensor.shape for tensor in tensors]
    assert not tensors[1].grad.numpy().any()


@ranks
def test_nan_and_infinity_survive(rank):
    x, weight = np.ones((1, 1, *(5,) * rank)), np.ones((1, 1, *(2,) * rank))
    x[(0, 0) + (0,) * rank] = np.nan
    x[(0, 0) + (4,) * rank] = np.inf
    y = CONVOLVE[rank](x, weight).numpy()
    assert np.isnan(y[(0, 0) + (0,) * rank]) and np.isnan(y).sum() == 1
    assert np.isinf(y[(0, 0) + (3,) * rank]) and np.isinf(y).sum() == 1


def test_under_the_reference_kernels_too():
    x, weight = normal(0, (1, 2, 3, 5, 4)), normal(1, (3, 2, 2, 3, 2))
    expected = conv3d(x, weight, padding=1, stride=2).numpy()
    with tinycnn.use_kernels("reference"):
        assert_same([conv3d(x, weight, padding=1, stride=2).numpy()], [expected])


# Messages

SEQUENCE, FILTERS = np.zeros((1, 3, 5), np.float32), np.zeros((2, 3, 3), np.float32)
VOLUME, CUBES = np.zeros((1, 3, 5, 5, 5), np.float32), np.zeros((2, 3, 3, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("function", "arguments", "options", "error", "message"),
    [
        (conv1d, (SEQUENCE, FILTERS), {"dilation": 3}, ShapeError, r"conv1d: kernel 3 with dilation 3 spans 7 > padded length 5.*padding >= 1"),
        (conv1d, (VOLUME, FILTERS), {}, ShapeError, r"input has shape .*must be \(N, C_in, L\), or \(C_in, L\) for one sequence"),
        (conv1d, (SEQUENCE, CUBES), {}, ShapeError, r"conv1d: weight has shape .*must be \(C_out, C_in / groups, K\), none of them zero"),
        (conv1d, (SEQUENCE[:, :, :0], FILTERS), {"padding": 2}, ShapeError, r"conv1d: input has length 0"),
        (conv1d, (SEQUENCE, FILTERS), {"padding": (1, 2, 3)}, ArgumentError, r"padding has 3 numbers; give one or two as \(before, after\)"),
        (conv1d, (SEQUENCE, FILTERS), {"stride": (1, 2)}, ArgumentError, r"conv1d: stride has 2 numbers; give one$"),
        (conv1d, (SEQUENCE, FILTERS), {"stride": 2**40}, ArgumentError, r"stride 1099511627776 is more than an axis can hold"),
        (conv1d, (SEQUENCE, FILTERS), {"padding": 2**31 - 1}, ShapeError, r"the padded length would be 4294967299"),
        (conv1d, (SEQUENCE, FILTERS), {"padding": 5, "padding_mode": "reflect"}, ShapeError, r"can pad length 5 by at most 4 a side, not 5"),
        (conv1d, (SEQUENCE, FILTERS.astype(np.float64)), {}, DtypeError, r"input is float32 but weight is float64"),
        (conv1d, (None, FILTERS), {}, DtypeError, r"conv1d: input is None"),
        (conv3d, (VOLUME, CUBES), {"dilation": (3, 1, 1)}, ShapeError, r"conv3d: kernel 3 with dilation 3 spans 7 > padded depth 5"),
        (conv3d, (SEQUENCE, CUBES), {}, ShapeError, r"must be \(N, C_in, D, H, W\), or \(C_in, D, H, W\) for one volume"),
        (conv3d, (VOLUME, FILTERS), {}, ShapeError, r"must be \(C_out, C_in / groups, K_d, K_h, K_w\)"),
        (conv3d, (VOLUME, CUBES), {"stride": (1, 2)}, ArgumentError, r"stride has 2 numbers; give one, or three as \(depth, height, width\)"),
        (conv3d, (VOLUME, CUBES), {"padding": (1, 2)}, ArgumentError,
         r"padding has 2 numbers; give one, three as \(depth, height, width\) or six as \(front, back, top, bottom, left, right\)"),
        (conv3d, (VOLUME, CUBES), {"groups": 2}, ShapeError, r"input has 3 channels, but weight .* takes 3 x 2 = 6"),
        (conv3d, (VOLUME, CUBES, np.zeros(3, np.float32)), {}, ShapeError, r"bias has shape \(3,\); it must be \(2,\)"),
        (conv3d, (VOLUME, CUBES), {"padding": "same", "stride": (1, 1, 2)}, ArgumentError, r"stride 1, not 2.*same_tf"),
        (conv3d, (VOLUME, CUBES), {"activation": "tanh"}, ArgumentError, r"activation 'tanh' is neither None nor"),
        (conv3d, (VOLUME, CUBES), {"algorithm": ["fft"]}, ArgumentError, r"algorithm .*fft.* is not one of auto, naive"),
    ],
)
def test_messages(function, arguments, options, error, message):
    with pytest.raises(error, match=message):
        function(*arguments, **options)


def test_lists_serve_as_tuples():
    lists = conv3d(VOLUME + 1, CUBES + 1, stride=[1, 2, 1], padding=[1, 0, 1])
    np.testing.assert_array_equal(lists.data, conv3d(VOLUME + 1, CUBES + 1, stride=(1, 2, 1), padding=(1, 0, 1)).data)
