"""Output sizes by their meaning, and the relationships of Dumoulin and Visin's guide by number."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.kernels import sizes

small = st.integers(1, 12)
padding = st.integers(0, 6)
input_size = st.integers(1, 60)


@given(input_size, small, small, padding, padding, small)
def test_the_last_window_fits_and_the_next_would_not(size, kernel, stride, before, after, dilation):
    span = sizes.effective_kernel(kernel, dilation)
    padded = size + before + after
    output = sizes.conv_output_size(size, kernel, stride, before, after, dilation)
    if span > padded:
        assert output <= 0
    else:
        assert (output - 1) * stride + span <= padded < output * stride + span


@given(input_size, small, small, padding, padding, small)
def test_unread_rows_are_what_is_left_after_the_last_window(size, kernel, stride, before, after, dilation):
    output = sizes.conv_output_size(size, kernel, stride, before, after, dilation)
    assume(output >= 1)
    unread = sizes.unread(size, kernel, stride, before, after, dilation)
    assert 0 <= unread < stride
    assert (output - 1) * stride + sizes.effective_kernel(kernel, dilation) + unread == size + before + after


@given(input_size, small)
def test_relationship_1_no_padding_unit_strides(i, k):
    assert sizes.conv_output_size(i, k, 1, 0, 0, 1) == i - k + 1


@given(input_size, small, padding)
def test_relationship_2_unit_strides(i, k, p):
    assert sizes.conv_output_size(i, k, 1, p, p, 1) == i - k + 2 * p + 1


@given(input_size, st.integers(0, 5))
def test_relationship_3_half_padding_keeps_the_size(i, n):
    k = 2 * n + 1
    assert sizes.conv_output_size(i, k, 1, k // 2, k // 2, 1) == i
    assert sizes.same_padding(i, k, 1, 1, "same") == (k // 2, k // 2)


@given(input_size, small)
def test_relationship_4_full_padding(i, k):
    before, after = sizes.same_padding(i, k, 1, 1, "full")
    assert sizes.conv_output_size(i, k, 1, before, after, 1) == i + k - 1


@given(input_size, small, small)
def test_relationship_5_no_padding_strides(i, k, s):
    assume(k <= i)
    assert sizes.conv_output_size(i, k, s, 0, 0, 1) == (i - k) // s + 1


@given(input_size, small, small, padding)
def test_relationship_6_padding_and_strides(i, k, s, p):
    assume(k <= i + 2 * p)
    assert sizes.conv_output_size(i, k, s, p, p, 1) == (i + 2 * p - k) // s + 1


@given(input_size, small, small, padding, st.data())
def test_relationship_14_the_transposed_convolution_restores_the_size(i, k, s, p, data):
    assume(k <= i + 2 * p)
    o = sizes.conv_output_size(i, k, s, p, p, 1)
    a = (i + 2 * p - k) % s
    assert sizes.conv_transpose_output_size(o, k, s, p, p, 1, a) == i


@given(input_size, small, small, padding, small)
def test_relationship_15_dilation_is_a_larger_kernel(i, k, s, p, d):
    k_hat = k + (k - 1) * (d - 1)
    assert sizes.conv_output_size(i, k, s, p, p, d) == sizes.conv_output_size(i, k_hat, s, p, p, 1)


@given(input_size, small, small, padding, small, st.booleans())
def test_a_pooling_window_never_starts_behind_the_input(size, kernel, stride, pad, dilation, ceil_mode):
    pad = min(pad, kernel // 2)
    assume(sizes.effective_kernel(kernel, dilation) <= size + 2 * pad)
    output = sizes.pool_output_size(size, kernel, stride, pad, pad, dilation, ceil_mode)
    floored = sizes.pool_output_size(size, kernel, stride, pad, pad, dilation, False)
    assert floored <= output <= floored + 1
    assert (output - 1) * stride < size + pad
    if output > floored:
        assert (output - 1) * stride + sizes.effective_kernel(kernel, dilation) > size + 2 * pad


@pytest.mark.parametrize("name", ["same_tf", "same_lower"])
@given(input_size, small, small, small)
def test_tensorflow_same_gives_ceil_of_size_over_stride(name, size, kernel, stride, dilation):
    before, after = sizes.same_padding(size, kernel, stride, dilation, name)
    assert abs(before - after) <= 1
    assert (before <= after) == (name == "same_tf" or before == after)
    span = sizes.effective_kernel(kernel, dilation)
    # Where no padding is needed windows may start beyond the rows that ceil(i / s) of them read.
    if before + after > 0 or span >= stride:
        assert sizes.conv_output_size(size, kernel, stride, before, after, dilation) == -(-size // stride)


@given(input_size, small, small)
def test_same_keeps_the_size_whatever_the_kernel(size, kernel, dilation):
    before, after = sizes.same_padding(size, kernel, 1, dilation, "same")
    assert sizes.conv_output_size(size, kernel, 1, before, after, dilation) == size
    assert 0 <= after - before <= 1


@given(input_size, small, small)
def test_causal_reads_nothing_ahead(size, kernel, dilation):
    before, after = sizes.same_padding(size, kernel, 1, dilation, "causal")
    assert after == 0
    assert sizes.conv_output_size(size, kernel, 1, before, 0, dilation) == size


def test_golden_numbers_of_the_decks():
    # A14: 7x7 with 3x3 at strides 1, 2, 3; the last "doesn't fit": 2.33, and floors to 2 with one row unread.
    assert [sizes.conv_output_size(7, 3, s, 0, 0, 1) for s in (1, 2, 3)] == [5, 3, 2]
    assert [sizes.unread(7, 3, s, 0, 0, 1) for s in (1, 2, 3)] == [0, 0, 1]
    # A15: padding (F - 1) / 2 keeps the size.
    assert sizes.conv_output_size(7, 3, 1, 1, 1, 1) == 7
    assert [sizes.same_padding(7, f, 1, 1, "same")[0] for f in (3, 5, 7)] == [1, 2, 3]
    # A16 and A17: 32x32 with ten 5x5 filters, stride 1, padding 2.
    assert sizes.conv_output_size(32, 5, 1, 2, 2, 1) == 32
    # Keras issue 9883: 23 and 24 both become 12. AlexNet's 224 with kernel 11, stride 4: 54.25, floored.
    assert [-(-size // 2) for size in (23, 24)] == [12, 12]
    assert sizes.conv_output_size(224, 11, 4, 0, 0, 1) == 54
    # MIPVerify.jl issue 23: TensorFlow pads 6x6, kernel 3, stride 2 with nothing before and one after.
    assert sizes.same_padding(6, 3, 2, 1, "same_tf") == (0, 1)
    # PyTorch issue 116420: a 9-wide input, kernel 4, stride 4, padding 2, rounded up is 3, not 4.
    assert sizes.pool_output_size(9, 4, 4, 2, 2, 1, True) == 3


def test_receptive_field_of_vgg16_at_pool5():
    layers = []
    for convolutions in (2, 2, 3, 3, 3):
        layers += [(3, 1, 1, 1)] * convolutions + [(2, 2, 0, 1)]
    size, stride, _ = sizes.receptive_field(layers)
    assert (size, stride) == (212, 32)


def test_messages_name_the_numbers_and_the_fix():
    with pytest.raises(
        ShapeError,
        match=r"conv2d: kernel 5 with dilation 2 spans 9 > padded height 7 \(height 5 \+ padding 1 \+ 1\); use padding >= 2",
    ):
        sizes.require_fit("conv2d", "height", 5, 5, 1, 1, 1, 2)
    with pytest.raises(ShapeError, match=r"kernel 9 > padded width 6 \(width 5 \+ padding 1 \+ 0\); use 3 more padding in all"):
        sizes.require_fit("conv2d", "width", 5, 9, 1, 1, 0, 1)
    with pytest.raises(ArgumentError, match=r'padding "same" keeps the size and so asks for stride 1, not 2.*same_tf'):
        sizes.same_padding(5, 3, 2, 1, "same")
    with pytest.raises(ArgumentError, match="padding 'sane' is not one of valid, same"):
        sizes.same_padding(5, 3, 1, 1, "sane")
    with pytest.raises(ShapeError, match='"reflect" can pad height 3 by at most 2 a side, not 3'):
        sizes.require_padding_fits_mode("conv2d", "reflect", "height", 3, 3, 0)
    with pytest.raises(ShapeError, match='"replicate" has no edge to repeat in an empty width'):
        sizes.require_padding_fits_mode("conv2d", "replicate", "width", 0, 1, 0)


@given(st.integers(1, 20), st.integers(0, 3), st.integers(2, 9), st.integers(1, 4))
def test_the_fix_that_the_message_names_works(size, padding, kernel, stride):
    dilation = (size + 2 * padding) // (kernel - 1) + 1  # the smallest that makes the kernel span too much
    with pytest.raises(ShapeError) as caught:
        sizes.require_fit("conv2d", "height", size, kernel, stride, padding, padding, dilation)
    fix = int(str(caught.value).rsplit(">= ", 1)[1])
    assert sizes.conv_output_size(size, kernel, stride, fix, fix, dilation) >= 1
    assert sizes.conv_output_size(size, kernel, stride, fix - 1, fix - 1, dilation) < 1
