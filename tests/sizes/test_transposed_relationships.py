"""Relationships 7 to 15 of Dumoulin and Visin's guide, by number: the sizes, and the associated convolutions themselves."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.sizes import counting
from tests.sliding import normal
from tinycnn.functional import conv1d, conv_transpose1d
from tinycnn.kernels import sizes

small = st.integers(1, 6)
input_size = st.integers(1, 20)
padding = st.integers(0, 4)


def transposed(x, weight, **options):
    return conv_transpose1d(x, weight, **options).numpy()


def direct(x, weight, **options):
    """The associated ordinary convolution: the kernel flipped, between channels transposed."""
    return conv1d(x, weight.transpose(1, 0, 2)[:, :, ::-1], **options).numpy()


def operands(i, k):
    return normal(i, (1, 2, i)), normal(k, (2, 3, k))


def stretched(x, s):
    """s - 1 zeros between neighbouring elements: the guide's i~."""
    wide = np.zeros((*x.shape[:2], (x.shape[2] - 1) * s + 1))
    wide[:, :, ::s] = x
    return wide


def same(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@given(input_size, small, small)
def test_relationship_7_pooling(i, k, s):
    assume(k <= i)
    assert sizes.pool_output_size(i, k, s, 0, 0, 1, False) == (i - k) // s + 1 == counting.pooled(i, k, s, 0, 0, 1, False)


@given(input_size, small)
def test_relationship_8_no_padding_unit_strides(i, k):
    """s = 1, p = 0: the transposed one is k' = k, s' = 1, p' = k - 1, and o' = i' + (k - 1)."""
    x, weight = operands(i, k)
    y = transposed(x, weight)
    assert y.shape[2] == i + (k - 1) == sizes.conv_transpose_output_size(i, k, 1, 0, 0, 1, 0)
    same(y, direct(x, weight, padding=k - 1))


@given(input_size, small, padding)
def test_relationship_9_padding_unit_strides(i, k, p):
    """s = 1: k' = k, s' = 1, p' = k - p - 1, and o' = i' + (k - 1) - 2 p."""
    assume(p <= k - 1 and i + (k - 1) - 2 * p >= 1)
    x, weight = operands(i, k)
    y = transposed(x, weight, padding=p)
    assert y.shape[2] == i + (k - 1) - 2 * p == sizes.conv_transpose_output_size(i, k, 1, p, p, 1, 0)
    same(y, direct(x, weight, padding=k - p - 1))


@given(input_size, st.integers(0, 3))
def test_relationship_10_half_padding(i, n):
    """k = 2 n + 1, s = 1, p = n: k' = k, s' = 1, p' = p, and o' = i'."""
    x, weight = operands(i, 2 * n + 1)
    y = transposed(x, weight, padding=n)
    assert y.shape[2] == i
    same(y, direct(x, weight, padding=n))


@given(input_size, small)
def test_relationship_11_full_padding(i, k):
    """s = 1, p = k - 1: k' = k, s' = 1, p' = 0, and o' = i' - (k - 1)."""
    assume(i >= k)
    x, weight = operands(i, k)
    y = transposed(x, weight, padding=k - 1)
    assert y.shape[2] == i - (k - 1)
    same(y, direct(x, weight))


@given(input_size, small, small)
def test_relationship_12_no_padding_strides(i, k, s):
    """p = 0, i - k a multiple of s: on the stretched input k' = k, s' = 1, p' = k - 1, and o' = s (i' - 1) + k."""
    x, weight = operands(i, k)
    y = transposed(x, weight, stride=s)
    assert y.shape[2] == s * (i - 1) + k
    same(y, direct(stretched(x, s), weight, padding=k - 1))


@given(input_size, small, small, padding)
def test_relationship_13_padding_and_strides(i, k, s, p):
    """i + 2 p - k a multiple of s: on the stretched input k' = k, s' = 1, p' = k - p - 1, and o' = s (i' - 1) + k - 2 p."""
    assume(p <= k - 1 and s * (i - 1) + k - 2 * p >= 1)
    x, weight = operands(i, k)
    y = transposed(x, weight, stride=s, padding=p)
    assert y.shape[2] == s * (i - 1) + k - 2 * p
    same(y, direct(stretched(x, s), weight, padding=k - p - 1))


@given(input_size, small, small, padding)
def test_relationship_14_the_size_that_flooring_lost(i, k, s, p):
    """With a = (i + 2 p - k) mod s zeros added behind: o' = s (i' - 1) + a + k - 2 p, the size the convolution began with."""
    assume(p <= k - 1 and i + 2 * p >= k)
    a = (i + 2 * p - k) % s
    x, weight = operands(sizes.conv_output_size(i, k, s, p, p, 1), k)
    y = transposed(x, weight, stride=s, padding=p, output_padding=a)
    assert y.shape[2] == s * (x.shape[2] - 1) + a + k - 2 * p == i
    behind = np.concatenate([stretched(x, s), np.zeros((1, 2, a))], 2)
    same(y, direct(behind, weight, padding=k - p - 1))
    assert y.shape == transposed(x, weight, stride=s, padding=p, output_size=i).shape


@given(input_size, small, small, padding, st.integers(1, 4))
def test_relationship_15_dilation(i, k, s, p, d):
    """o = floor((i + 2 p - k - (k - 1)(d - 1)) / s) + 1: a kernel with d - 1 zeros between its taps."""
    assume(i + 2 * p - k - (k - 1) * (d - 1) >= 0)
    x, weight = normal(i, (1, 2, i)), normal(k, (3, 2, k))
    y = conv1d(x, weight, stride=s, padding=p, dilation=d).numpy()
    assert y.shape[2] == (i + 2 * p - k - (k - 1) * (d - 1)) // s + 1 == counting.windows(i, k, s, p, p, d)
    same(y, conv1d(x, stretched(weight, d), stride=s, padding=p).numpy())
