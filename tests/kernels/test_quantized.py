"""Eight-bit kernels: the fast ones against the definitions, to the bit, and the definitions against real arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn import kernels
from tinycnn.kernels.reference.quantized import requantized

FAST, DEFINITION = kernels.table("cpu"), kernels.table("reference")
seeds = st.integers(0, 2**32 - 1)


def integers(random, shape):
    return random.integers(-128, 128, shape).astype(np.int8)


def layer(random, outputs):
    """Bias, zero points, multipliers and shifts of a layer, and the rest that a kernel takes."""
    bias = random.integers(-5000, 5000, outputs).astype(np.int32)
    weight_zero = random.integers(-20, 20, outputs).astype(np.int32)
    multiplier = random.integers(2**30, 2**31, outputs).astype(np.int64)
    shift = random.integers(36, 42, outputs).astype(np.int64)
    return bias, int(random.integers(-128, 128)), weight_zero, multiplier, shift, int(random.integers(-128, 128)), -100, 120


def same(name, *arguments):
    fast, definition = FAST[name](*arguments), DEFINITION[name](*arguments)
    assert fast.dtype == definition.dtype
    np.testing.assert_array_equal(fast, definition)
    return fast


@given(seed=seeds, groups=st.sampled_from([1, 2]), size=st.integers(3, 6), stride=st.integers(1, 2), pad=st.integers(0, 2), apart=st.integers(1, 2))
def test_convolution(seed, groups, size, stride, pad, apart):
    random = np.random.default_rng(seed)
    x, weight = integers(random, (2, 2 * groups, size, size + 1)), integers(random, (2 * groups, 2, 2, 2))
    same("quantized_conv2d", x, weight, *layer(random, 2 * groups), (stride, stride), (pad, 0, 1, pad), (apart, 1), groups)


@given(seed=seeds, rows=st.integers(0, 6), features=st.integers(1, 70))
def test_linear(seed, rows, features):
    random = np.random.default_rng(seed)
    same("quantized_linear", integers(random, (rows, features)), integers(random, (3, features)), *layer(random, 3))


@given(seed=seeds)
def test_sums_and_pools(seed):
    random = np.random.default_rng(seed)
    a, b = integers(random, (1, 2, 5, 6)), integers(random, (1, 2, 5, 6))
    same("quantized_add", a, b, 3, -7, 2**20 + 5, 2**19 + 3, 21, -4, -128, 127)
    same("quantized_max_pool2d", a, (2, 3), (2, 2), (1, 0, 1, 1), (1, 0))
    same("quantized_avg_pool2d", a, 5, 2**30 // 3, 31, 5, (2, 3), (2, 1), (0, 1, 1, 0))


@pytest.mark.parametrize("scales", [[0.1], [0.1, 0.02, 3.0]])
def test_quantize_and_back(scales):
    random = np.random.default_rng(0)
    x = random.standard_normal((3, 4)).astype(np.float32)
    scale, zero = np.array(scales, np.float32), np.full(len(scales), 4, np.int32)
    q = same("quantize", x, scale, zero, -128, 127)
    back = same("dequantize", q, scale, zero)
    kept = np.abs(q.astype(int) - 4) < 120
    assert (np.abs(back - x)[kept] <= np.broadcast_to(scale.reshape(-1, 1) / 2 * 1.0001, x.shape)[kept]).all()


def test_rounding_is_the_stated_one():
    """quantize: half to even. requantized: half towards plus infinity, negative numbers too."""
    halves = np.array([0.5, 1.5, 2.5, -0.5, -1.5], np.float64)
    one, none = np.ones(1), np.zeros(1, np.int32)
    assert FAST["quantize"](halves, one, none, -128, 127).tolist() == [0, 2, 2, 0, -2]
    assert [requantized(total, 1, 1) for total in (1, 3, -1, -3)] == [1, 2, 0, -1]


def test_a_convolution_is_the_real_one_to_half_a_step():
    """Dequantised operands convolved in float64 give the same, to half a step of the output: the integers lose nothing else."""
    random = np.random.default_rng(3)
    x, weight = integers(random, (1, 3, 6, 6)), integers(random, (4, 3, 3, 3))
    scale_x, scale_w, scale_y, x_zero, y_zero = 0.02, 0.01, 0.2, 5, -9
    shift = 40
    multiplier = round(scale_x * scale_w / scale_y * 2**shift)
    bias = random.integers(-900, 900, 4).astype(np.int32)
    zeros, many, moves = np.zeros(4, np.int32), np.full(4, multiplier, np.int64), np.full(4, shift, np.int64)
    q = FAST["quantized_conv2d"](x, weight, bias, x_zero, zeros, many, moves, y_zero, -128, 127, (1, 1), (1, 1, 1, 1), (1, 1), 1)
    real = DEFINITION["conv2d"](
        scale_x * (x.astype(float) - x_zero), scale_w * weight.astype(float), scale_x * scale_w * bias, (1, 1), (1, 1, 1, 1), (1, 1), 1, "zeros", None
    )
    expected = np.clip(real / scale_y + y_zero, -128, 127)
    assert np.abs(q - expected).max() <= 0.5 + 1e-6
