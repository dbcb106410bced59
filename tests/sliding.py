"""Whole configurations of convolutions over one to three axes and of transposed ones, and how twins are compared."""

from dataclasses import dataclass

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from tests.strategies import FLOATS
from tinycnn import kernels
from tinycnn.kernels import sizes

TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
dtypes = st.sampled_from(FLOATS)
seeds = st.integers(0, 2**32 - 1)


def normal(seed, shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def assert_twins(name, *arguments, exact=False):
    """The fast kernel's error is at most a tolerance times the definition's result on absolute values."""
    fast = kernels.table("cpu")[name](*arguments)
    dtype = arguments[0].dtype.type

    def definition(transform):
        doubles = [transform(value.astype(np.float64)) if isinstance(value, np.ndarray) else value for value in arguments]
        return kernels.table("reference")[name](*doubles)

    expected = definition(lambda array: array)
    assert fast.dtype == dtype
    assert fast.shape == expected.shape
    assert fast.flags.c_contiguous
    if exact:
        np.testing.assert_array_equal(fast, expected)
    else:
        assert np.all(np.abs(fast - expected) <= TOLERANCE[dtype] * definition(np.abs))
    return fast


@dataclass(frozen=True)
class Case:
    """The arguments of one call, as the public function takes them; `weight` is a convolution's or a transposed one's."""

    x_shape: tuple[int, ...]
    weight_shape: tuple[int, ...]
    out_channels: int
    bias: bool
    options: dict
    seed: int

    def arrays(self, dtype=np.float64):
        """x, weight and bias (or None), normally distributed."""
        bias = normal(self.seed + 2, self.out_channels, dtype) if self.bias else None
        return normal(self.seed, self.x_shape, dtype), normal(self.seed + 1, self.weight_shape, dtype), bias

    def operands(self, dtype=np.float64):
        """The arrays that are there."""
        return tuple(array for array in self.arrays(dtype) if array is not None)


def each_axis(draw, rank, low, high):
    return tuple(draw(st.integers(low, high)) for _ in range(rank))


@st.composite
def spatial_convolutions(draw, rank, modes=sizes.PADDING_MODES, largest=5, batches=st.integers(0, 2)):
    """Any convolution over `rank` axes that fits: asymmetric padding, dilation, groups, empty batches."""
    groups, inputs, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    mode = draw(st.sampled_from(modes))
    size, kernel = each_axis(draw, rank, 1, largest), each_axis(draw, rank, 1, 3)
    dilation, stride = each_axis(draw, rank, 1, 2), each_axis(draw, rank, 1, 3)
    limit = {"reflect": -1, "symmetric": 0, "circular": 0}.get(mode, 2)
    padding = tuple(draw(st.integers(0, max(min(2, size[side // 2] + limit), 0))) for side in range(2 * rank))
    for axis in range(rank):
        assume(sizes.conv_output_size(size[axis], kernel[axis], stride[axis], *padding[2 * axis : 2 * axis + 2], dilation[axis]) >= 1)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "padding_mode": mode}
    shapes = (draw(batches), groups * inputs, *size), (groups * outputs, inputs, *kernel)
    return Case(*shapes, groups * outputs, draw(st.booleans()), options, draw(st.integers(0, 2**31)))


@st.composite
def transposed_convolutions(draw, rank, largest=4, batches=st.integers(0, 2), one_sided=True):
    """Any transposed convolution with a result: crops beyond the kernel, output padding up to stride or dilation, groups, empty batches."""
    groups, inputs, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    size, kernel = each_axis(draw, rank, 1, largest), each_axis(draw, rank, 1, 3)
    dilation, stride = each_axis(draw, rank, 1, 3), each_axis(draw, rank, 1, 3)
    output_padding = tuple(draw(st.integers(0, max(step, gap) - 1)) for step, gap in zip(stride, dilation))
    around = each_axis(draw, 2 * rank, 0, 2) if one_sided else tuple(n for n in each_axis(draw, rank, 0, 2) for _ in range(2))
    for axis in range(rank):
        sides = around[2 * axis : 2 * axis + 2]
        arguments = (size[axis], kernel[axis], stride[axis], *sides, dilation[axis], output_padding[axis])
        assume(sizes.conv_transpose_output_size(*arguments) >= 1)
    options = {"stride": stride, "padding": around, "output_padding": output_padding, "groups": groups, "dilation": dilation}
    shapes = (draw(batches), groups * inputs, *size), (groups * inputs, outputs, *kernel)
    return Case(*shapes, groups * outputs, draw(st.booleans()), options, draw(st.integers(0, 2**31)))
