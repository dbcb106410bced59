"""Deformable convolution: gradients, equality with plain convolution where nothing is moved, messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import convolutions
from tinycnn import functional as F
from tinycnn import gradcheck, ops
from tinycnn.errors import ShapeError
from tinycnn.kernels import sizes
from tinycnn.ops import deform_conv

seeds = st.integers(0, 2**32 - 1)


@given(convolutions(modes=("zeros",), batches=st.integers(0, 2), largest=6))
def test_without_offsets_it_is_convolution(case):
    x, weight, bias = case.arrays()
    padding = (case.padding[0], case.padding[2])
    for axis in range(2):
        if sizes.effective_kernel(weight.shape[2 + axis], case.dilation[axis]) > x.shape[2 + axis] + 2 * padding[axis]:
            return
    expected = F.conv2d(x, weight, bias, case.stride, padding, case.dilation, case.groups)
    offset = np.zeros((x.shape[0], 2 * weight.shape[2] * weight.shape[3], *expected.shape[2:]))
    y = ops.deform_conv2d(x, offset, weight, bias, case.stride, padding, case.dilation)
    np.testing.assert_allclose(y.data, expected.data, rtol=1e-9, atol=1e-9)
    mask = np.full((x.shape[0], weight.shape[2] * weight.shape[3], *expected.shape[2:]), 0.5)
    half = ops.deform_conv2d(x, offset, weight, None, case.stride, padding, case.dilation, mask)
    np.testing.assert_allclose(2 * half.data, F.conv2d(x, weight, None, case.stride, padding, case.dilation, case.groups).data, rtol=1e-9, atol=1e-9)


def drawn(seed, groups=1, offset_groups=1):
    """Arrays of a 3 x 2 convolution whose samples keep away from whole pixels."""
    rng = np.random.default_rng(seed)
    channels = 2 * groups * offset_groups
    whole = rng.integers(-2, 3, (2, 12 * offset_groups, 3, 4))
    return [
        rng.standard_normal((2, channels, 5, 5)),
        whole + rng.uniform(0.1, 0.9, whole.shape),
        rng.standard_normal((2 * groups, channels // groups, 3, 2)),
        rng.standard_normal(2 * groups),
        rng.random((2, 6 * offset_groups, 3, 4)),
    ]


@given(st.integers(1, 2), st.integers(1, 2), seeds)
def test_gradients(groups, offset_groups, seed):
    arrays = drawn(seed, groups, offset_groups)
    assert gradcheck(lambda x, offset, weight, bias, mask: ops.deform_conv2d(x, offset, weight, bias, mask=mask), arrays)
    assert gradcheck(lambda x, offset, weight: ops.deform_conv2d(x, offset, weight), arrays[:3])


@given(st.integers(-2, 2), st.integers(-2, 2), seeds)
def test_a_common_whole_offset_shifts_the_image(down, right, seed):
    x, _, weight, bias, _ = drawn(seed)
    padded = np.zeros((2, 2, 13, 13))
    padded[:, :, 4:9, 4:9] = x
    shifted = padded[:, :, 4 + down : 9 + down, 4 + right : 9 + right]
    inner = ops.deform_conv2d(padded, offset_for(padded, down, right), weight, bias).data[:, :, 4:7, 4:8]
    np.testing.assert_allclose(inner, F.conv2d(shifted, weight, bias).data, rtol=1e-9, atol=1e-9)


def offset_for(x, down, right):
    """Every tap moved alike."""
    offset = np.empty((x.shape[0], 12, x.shape[2] - 2, x.shape[3] - 1))
    offset[:, 0::2], offset[:, 1::2] = down, right
    return offset


def test_images_in_portions_give_the_same(monkeypatch):
    arrays = drawn(0)
    whole = ops.deform_conv2d(*arrays[:4], mask=arrays[4])
    monkeypatch.setattr(deform_conv, "COLUMN_BYTES", 1)
    np.testing.assert_allclose(ops.deform_conv2d(*arrays[:4], mask=arrays[4]).data, whole.data, rtol=1e-12)
    assert gradcheck(lambda x, offset, weight, bias, mask: ops.deform_conv2d(x, offset, weight, bias, mask=mask), arrays)


def test_offsets_to_nowhere_read_zero():
    x, offset, weight, _, _ = drawn(1)
    for value in (np.nan, np.inf, 1e30, -50.0):
        np.testing.assert_array_equal(ops.deform_conv2d(x, np.full_like(offset, value), weight).data, 0)


def test_empty_batch():
    _, _, weight, bias, _ = drawn(0)
    assert ops.deform_conv2d(np.zeros((0, 2, 5, 5)), np.zeros((0, 12, 3, 4)), weight, bias).shape == (0, 2, 3, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: np.zeros((2, 5, 5))}, r"input has shape \(2, 5, 5\)"),
        ({0: np.zeros((2, 3, 5, 5))}, "input has 3 channels, but weight"),
        ({1: np.zeros((2, 11, 3, 4))}, "offset has 11 channels; it must be a multiple of 2 K_h K_w = 12"),
        ({1: np.zeros((2, 0, 3, 4))}, "offset has 0 channels"),
        ({1: np.zeros((2, 12, 3, 3))}, r"offset has shape \(2, 12, 3, 3\); it must be \(2, 12, 3, 4\)"),
        ({2: np.zeros((2, 2, 7, 2))}, "kernel 7 > padded height 5"),
        ({3: np.zeros(3)}, r"bias has shape \(3,\); it must be \(2,\)"),
        ({4: np.zeros((2, 5, 3, 4))}, r"mask has shape \(2, 5, 3, 4\)"),
    ],
)
def test_messages(change, message):
    arrays = drawn(0)
    for position, value in change.items():
        arrays[position] = value
    with pytest.raises(ShapeError, match="deform_conv2d: .*" + message):
        ops.deform_conv2d(*arrays[:4], mask=arrays[4])
