"""unfold and fold: gradients, laws, messages."""

import numpy as np
import pytest
from hypothesis import given

import tinycnn
from tests.sliding import normal, spatial_convolutions
from tinycnn import Tensor, gradcheck
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import conv2d, fold, unfold

images = spatial_convolutions(2, modes=("zeros",), largest=7)


def options_of(case):
    return {"kernel_size": case.weight_shape[2:]} | {name: case.options[name] for name in ("dilation", "padding", "stride")}


@given(images)
def test_gradients(case):
    options = options_of(case)
    x = case.arrays()[0]
    assert gradcheck(lambda x: unfold(x, **options), x)
    columns = normal(case.seed, unfold(x, **options).shape)
    assert gradcheck(lambda columns: fold(columns, x.shape[2:], **options), columns)


@given(images)
def test_adjoint_of_each_other(case):
    options = options_of(case)
    x = case.arrays()[0]
    columns = unfold(x, **options).numpy()
    other = normal(case.seed, columns.shape)
    back = fold(other, x.shape[2:], **options).numpy()
    assert back.shape == x.shape
    assert np.sum(columns * other) == pytest.approx(np.sum(x * back), rel=1e-9, abs=1e-9 * (1 + np.abs(columns * other).sum()))


@given(images)
def test_fold_of_unfold_counts_the_windows_over_each_pixel(case):
    options = options_of(case)
    x = case.arrays()[0]
    counts = fold(unfold(np.ones_like(x), **options), x.shape[2:], **options).numpy()
    np.testing.assert_allclose(fold(unfold(x, **options), x.shape[2:], **options).numpy(), counts * x, rtol=1e-10, atol=1e-10)


@given(images)
def test_convolution_is_a_product_of_matrices(case):
    x, weight, _ = case.arrays()
    groups = case.options["groups"]
    expected = conv2d(x, weight, **case.options).numpy()
    columns = unfold(x, **options_of(case)).numpy().reshape(x.shape[0], groups, weight[0].size, expected.shape[2] * expected.shape[3])
    y = weight.reshape(groups, weight.shape[0] // groups, weight[0].size) @ columns
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=1e-10, atol=1e-10)


def test_order_of_rows_and_columns():
    """Rows: channel, then row, then column of the window; columns: the windows row by row."""
    x = np.arange(18.0).reshape(1, 2, 3, 3)
    columns = unfold(x, 2).numpy()[0]
    assert columns.shape == (8, 4)
    for p, (i, j) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        np.testing.assert_array_equal(columns[:, p], x[0, :, i : i + 2, j : j + 2].reshape(8))


def test_patches_of_a_vision_transformer():
    x = normal(0, (2, 3, 8, 8))
    patches = unfold(x, 4, stride=4).numpy()
    np.testing.assert_array_equal(patches, x.reshape(2, 3, 2, 4, 2, 4).transpose(0, 1, 3, 5, 2, 4).reshape(2, 48, 4))
    np.testing.assert_array_equal(fold(patches, 8, 4, stride=4).numpy(), x)


def test_memory_dtype_single_and_empty_batches():
    x = normal(0, (2, 3, 5, 4))
    expected = unfold(x, (2, 3), padding=(1, 0, 2, 1)).numpy()
    for variant in (np.asfortranarray(x), x[:, ::-1].copy()[:, ::-1], np.frombuffer(x.tobytes()).reshape(x.shape)):
        np.testing.assert_array_equal(unfold(variant, [2, 3], padding=[1, 0, 2, 1]).numpy(), expected)
    np.testing.assert_array_equal(unfold(x[0], (2, 3), padding=(1, 0, 2, 1)).numpy(), expected[0])
    np.testing.assert_array_equal(fold(np.asfortranarray(expected), [5, 4], (2, 3), padding=(1, 0, 2, 1)).numpy().shape, x.shape)
    assert fold(expected[0], (5, 4), (2, 3), padding=(1, 0, 2, 1)).shape == x.shape[1:]
    assert unfold(x.astype(np.float32), 2).dtype == np.float32
    tensor = Tensor(x[:0], requires_grad=True)
    y = fold(unfold(tensor, 2), (5, 4), 2)
    assert y.shape == (0, 3, 5, 4)
    y.backward(np.zeros(y.shape))
    assert tensor.grad.shape == tensor.shape


def test_nan_survives_where_it_is_copied_and_only_there():
    x = np.zeros((1, 1, 4, 4))
    x[0, 0, 0, 0] = np.nan
    columns = unfold(x, 2).numpy()
    assert np.isnan(columns).sum() == 1
    assert np.isnan(fold(columns, 4, 2).numpy()).sum() == 1


def test_under_the_reference_kernels_too():
    x = normal(0, (1, 2, 5, 4))
    columns = unfold(x, 3, 1, 1, 2).numpy()
    image = fold(columns, (5, 4), 3, 1, 1, 2).numpy()
    with tinycnn.use_kernels("reference"):
        np.testing.assert_array_equal(unfold(x, 3, 1, 1, 2).numpy(), columns)
        np.testing.assert_allclose(fold(columns, (5, 4), 3, 1, 1, 2).numpy(), image, rtol=1e-12, atol=1e-12)


X, COLUMNS = np.zeros((2, 3, 5, 5)), np.zeros((2, 12, 16))


@pytest.mark.parametrize(
    ("function", "arguments", "options", "error", "message"),
    [
        (unfold, (X, 6), {}, ShapeError, r"unfold: kernel 6 > padded height 5 \(height 5 \+ padding 0 \+ 0\); use padding >= 1"),
        (unfold, (X[0, 0], 2), {}, ShapeError, r"input has shape \(5, 5\); it must be \(N, C, H, W\)"),
        (unfold, (X[:, :0], 2), {}, ShapeError, r"only N may be zero"),
        (unfold, (X, (1, 2, 3)), {}, ArgumentError, r"kernel_size has 3 numbers; give one, or two as \(height, width\)"),
        (unfold, (X, 0), {}, ArgumentError, r"kernel_size must be a whole number >= 1, not 0"),
        (unfold, (X, 2), {"padding": -1}, ArgumentError, r"padding must be a whole number >= 0"),
        (unfold, (X.astype(np.int32), 2), {}, DtypeError, r"unfold: input is int32"),
        (fold, (COLUMNS, 5, 2), {"stride": 2}, ShapeError, r"fold: input has 16 columns, but an image of size \(5, 5\) has 2 x 2 = 4 windows"),
        (fold, (COLUMNS, 5, (5, 1)), {}, ShapeError, r"input has 12 rows, which kernel_size \(5, 1\) does not divide.*a multiple of 5"),
        (fold, (COLUMNS, 1, 2), {}, ShapeError, r"fold: kernel 2 > padded height 1"),
        (fold, (COLUMNS, 0, 2), {}, ArgumentError, r"output_size must be a whole number >= 1, not 0"),
        (fold, (X, 5, 2), {}, ShapeError, r"must be \(N, C K_h K_w, P\)"),
        (fold, (COLUMNS[:, :, :0], 5, 2), {}, ShapeError, r"only N may be zero"),
    ],
)
def test_messages(function, arguments, options, error, message):
    with pytest.raises(error, match=message):
        function(*arguments, **options)
