"""Whole configurations, drawn by Hypothesis."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st

from tinycnn.kernels import sizes
from tinycnn.kernels.jit import bounds_check

# A run with bounds checks compiles one of the two: which elements are read does not depend on their size.
FLOATS = (np.float32,) if bounds_check() else (np.float64, np.float32)
# Of the variants for threads, which split the same inner loops, one is compiled always and the other before an issue closes.
FLOAT32_FIRST = (np.float32, pytest.param(np.float64, marks=pytest.mark.exhaustive))


@dataclass(frozen=True)
class Convolution:
    """The arguments of one conv2d call, as the public function takes them."""

    x_shape: tuple[int, int, int, int]
    weight_shape: tuple[int, int, int, int]
    bias: bool
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]
    groups: int
    padding_mode: str
    seed: int

    @property
    def options(self):
        """Everything but the arrays."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "padding_mode": self.padding_mode,
        }

    @property
    def output_shape(self):
        """(N, C_out, H_out, W_out)."""
        spatial = [
            sizes.conv_output_size(
                self.x_shape[2 + axis],
                self.weight_shape[2 + axis],
                self.stride[axis],
                self.padding[2 * axis],
                self.padding[2 * axis + 1],
                self.dilation[axis],
            )
            for axis in range(2)
        ]
        return (self.x_shape[0], self.weight_shape[0], *spatial)

    def arrays(self, dtype=np.float64):
        """x, weight and bias (or None), normally distributed."""
        rng = np.random.default_rng(self.seed)
        x = rng.standard_normal(self.x_shape).astype(dtype)
        weight = rng.standard_normal(self.weight_shape).astype(dtype)
        bias = rng.standard_normal(self.weight_shape[0]).astype(dtype) if self.bias else None
        return x, weight, bias


@st.composite
def convolutions(draw, modes=sizes.PADDING_MODES, largest=9, batches=st.integers(0, 3)):
    """Any convolution that fits: strides that do not divide, asymmetric padding, dilation with groups, empty batches."""
    groups = draw(st.integers(1, 3))
    in_channels = groups * draw(st.integers(1, 3))
    out_channels = groups * draw(st.integers(1, 3))
    mode = draw(st.sampled_from(modes))
    height, width = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    limit = {"reflect": -1, "symmetric": 0, "circular": 0}.get(mode)
    most = [3 if limit is None else min(3, size + limit) for size in (height, width)]
    padding = tuple(draw(st.integers(0, max(most[side // 2], 0))) for side in range(4))
    for axis, size in enumerate((height, width)):
        span = sizes.effective_kernel(kernel[axis], dilation[axis])
        assume(span <= size + padding[2 * axis] + padding[2 * axis + 1])
    return Convolution(
        (draw(batches), in_channels, height, width),
        (out_channels, in_channels // groups, *kernel),
        draw(st.booleans()),
        draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        padding,
        dilation,
        groups,
        mode,
        draw(st.integers(0, 2**32 - 1)),
    )
