"""The matrix of a convolution: both products, its structure, the deck's numbers."""

import numpy as np
import pytest
from hypothesis import given

from tests.sliding import normal, spatial_convolutions
from tinycnn import Tensor
from tinycnn.errors import ArgumentError, DtypeError, ShapeError
from tinycnn.functional import conv2d, conv_transpose2d
from tinycnn.kernels import sizes
from tinycnn.study import conv2d_matrix

LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float64).reshape(1, 1, 3, 3)


@pytest.mark.parametrize("mode", sizes.PADDING_MODES)
@given(case=spatial_convolutions(2))
def test_it_convolves_and_its_transpose_is_the_gradient(mode, case):
    options = case.options | {"padding_mode": mode}
    if mode in ("reflect", "symmetric", "circular"):
        options["padding"] = tuple(min(side, size - 1) for side, size in zip(options["padding"], np.repeat(case.x_shape[2:], 2).tolist()))
    x = Tensor(normal(case.seed, (1, *case.x_shape[1:])), requires_grad=True)
    weight = case.arrays()[1]
    try:
        y = conv2d(x, weight, **options)
    except ShapeError:  # with less padding the window no longer fits
        with pytest.raises(ShapeError):
            conv2d_matrix(weight, x.shape[2:], **options)
        return
    matrix = conv2d_matrix(weight, x.shape[2:], **options)
    assert matrix.shape == (y.data.size, x.data.size)
    np.testing.assert_allclose(matrix @ x.data.ravel(), y.data.ravel(), rtol=1e-10, atol=1e-10)
    upstream = normal(case.seed + 4, y.shape)
    y.backward(upstream)
    np.testing.assert_allclose(matrix.T @ upstream.ravel(), x.grad.data.ravel(), rtol=1e-10, atol=1e-10)
    if mode == "zeros":
        keep = {name: options[name] for name in ("stride", "padding", "dilation", "groups")}
        back = conv_transpose2d(upstream, weight, **keep, output_size=x.shape).numpy()
        np.testing.assert_allclose(matrix.T @ upstream.ravel(), back.ravel(), rtol=1e-10, atol=1e-10)


def test_a06_sixteen_by_thirty_six():
    matrix = conv2d_matrix(LAPLACIAN, (6, 6))
    assert matrix.shape == (16, 36)
    assert matrix.nnz == 144
    assert np.count_nonzero(matrix.toarray()) == 80
    np.testing.assert_array_equal(matrix.toarray()[0, [1, 6, 7, 8, 13]], [1, 1, -4, 1, 1])


def test_a06_toeplitz_blocks_of_toeplitz_blocks():
    dense = conv2d_matrix(normal(0, (1, 1, 3, 2)), (5, 4)).toarray()
    blocks = dense.reshape(3, 3, 5, 4).transpose(0, 2, 1, 3)  # (rows, columns) of blocks of 3 x 4
    for i in range(2):
        for j in range(4):
            np.testing.assert_array_equal(blocks[i, j], blocks[i + 1, j + 1])
    np.testing.assert_array_equal(blocks[..., :-1, :-1], blocks[..., 1:, 1:])


def test_circular_padding_is_circulant():
    dense = conv2d_matrix(normal(0, (1, 1, 1, 3)), (1, 5), padding=(0, 0, 1, 1), padding_mode="circular").toarray()
    for row in range(5):
        np.testing.assert_array_equal(dense[row], np.roll(dense[0], row))


def test_replicate_adds_taps_up_in_one_entry():
    dense = conv2d_matrix(np.array([[[[1.0, 2.0, 4.0]]]]), (1, 2), padding=(0, 0, 1, 1), padding_mode="replicate").toarray()
    np.testing.assert_array_equal(dense, [[3, 4], [1, 6]])


def test_dtype_names_and_integers():
    assert conv2d_matrix(LAPLACIAN.astype(np.float32), 6, padding="same").dtype == np.float32
    assert conv2d_matrix(LAPLACIAN, 6, padding="full").shape == (64, 36)
    with pytest.raises(DtypeError, match="conv2d_matrix: weight is int64"):
        conv2d_matrix(LAPLACIAN.astype(np.int64), 6)
    with pytest.raises(ShapeError, match="conv2d_matrix: kernel 3 > padded height 2"):
        conv2d_matrix(LAPLACIAN, 2)
    with pytest.raises(ShapeError, match="conv2d_matrix: weight has shape"):
        conv2d_matrix(LAPLACIAN[0, 0], 6)
    with pytest.raises(ArgumentError, match="input_size has 3 numbers"):
        conv2d_matrix(LAPLACIAN, (6, 6, 6))
    with pytest.raises(ArgumentError, match="groups must be a whole number"):
        conv2d_matrix(LAPLACIAN, 6, groups=0)
