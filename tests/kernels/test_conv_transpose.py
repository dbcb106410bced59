"""Transposed convolution: gradients of convolutions (fast) against kernels that are painted pixel by pixel (the definition)."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from tests.sliding import assert_twins, dtypes, normal, transposed_convolutions
from tinycnn import kernels
from tinycnn.kernels.reference import conv_transpose as definition


def check(rank, case, dtype):
    x, weight, bias = case.arrays(dtype)
    options = tuple(case.options.values())
    y = assert_twins(f"conv_transpose{rank}d", x, weight, bias, *options)
    grad = normal(case.seed + 3, y.shape, dtype)
    assert_twins(f"conv_transpose{rank}d_grad_x", grad, weight, x.shape, *options)
    assert_twins(f"conv_transpose{rank}d_grad_weight", grad, x, weight.shape, *options)


@given(transposed_convolutions(2, largest=6), dtypes)
def test_conv_transpose2d(case, dtype):
    check(2, case, dtype)


@given(transposed_convolutions(3, largest=3), dtypes)
def test_conv_transpose3d(case, dtype):
    check(3, case, dtype)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "output_padding", "dilation", "expected"),
    [
        (1, 1, 1, (1, 1), 2, 3, 1),  # the only pixel is cropped
        (1, 1, 4, (1, 1), 3, 1, 2),
        (2, 2, 1, (0, 0), 2, 3, 7),  # two blank rows behind all strokes, more than the stride leaves unread
        (3, 1, 2, (2, 0), 2, 3, 5),
    ],
)
def test_blank_rows(size, kernel, stride, padding, output_padding, dilation, expected):
    x, weight, bias = normal(0, (2, 2, size, 3)), normal(1, (2, 3, kernel, 2)), normal(2, 3)
    options = ((stride, 1), (*padding, 0, 0), (output_padding, 0), 1, (dilation, 1))
    y = assert_twins("conv_transpose2d", x, weight, bias, *options)
    assert y.shape[2] == expected
    grad = normal(3, y.shape)
    assert_twins("conv_transpose2d_grad_x", grad, weight, x.shape, *options)
    assert_twins("conv_transpose2d_grad_weight", grad, x, weight.shape, *options)


@pytest.mark.parametrize("groups", [1, 2])
def test_strides_far_beyond_the_kernel(groups):
    x, weight = normal(0, (1, 2, 2, 3)), normal(1, (2, 2 // groups, 2, 1))
    options = ((300, 7), (1, 0, 0, 3), (0, 1), groups, (1, 1))
    y = assert_twins("conv_transpose2d", x, weight, None, *options)
    assert y.shape[2:] == (301, 13)
    assert_twins("conv_transpose2d_grad_weight", normal(2, y.shape), x, weight.shape, *options)
    pixel, stride = x[:, :, :1, :1].copy(), (2**31 - 1, 2**31 - 1)
    huge = kernels.table("cpu")["conv_transpose2d"](pixel, weight, None, stride, (1, 0, 0, 3), (0, 4), groups, (1, 1))
    assert huge.shape[2:] == (1, 2)


def test_large_enough_for_all_threads():
    x, weight, bias = normal(0, (3, 8, 14, 14), np.float32), normal(1, (8, 6, 3, 3), np.float32), normal(2, 6, np.float32)
    options = ((2, 2), (1, 1, 1, 1), (1, 1), 2, (1, 1))
    y = kernels.table("cpu")["conv_transpose2d"](x, weight, np.concatenate([bias, bias]), *options)
    assert y.shape == (3, 12, 28, 28)
    assert_twins("conv_transpose2d", x, weight, np.concatenate([bias, bias]), *options)


def test_exact_on_fractions():
    x = np.array([Fraction(1, 3), Fraction(2)], object).reshape(1, 1, 1, 2)
    weight = np.array([Fraction(3), Fraction(1, 2)], object).reshape(1, 1, 1, 2)
    y = definition.conv_transpose2d(x, weight, None, (1, 1), (0, 0, 0, 0), (0, 0), 1, (1, 1))
    assert y.reshape(-1).tolist() == [Fraction(1), Fraction(37, 6), Fraction(1)]
