"""How the weight gradient of a convolution is cut into blocks that fit the cache and dealt to the threads.

A unit is an image, or some rows of y of one. A block is a few units whose part of x (copied, when it needs padding) and of the upstream gradient
stay in the cache while all products of the two are added up. A task is a range of units and of input channels of one group.
"""

from typing import NamedTuple

import numpy as np

from ..jit import kernel
from ..reference.conv import PADDING_CODES
from ..simd import address
from .direct_copy import padded_copy


class Blocks(NamedTuple):
    """What follows from shapes and options: see `cut`."""

    workers: int  # tasks run on so many threads, each with its own scratch
    tasks: np.ndarray  # rows (group, first channel, end channel, first unit, end unit, copy of the sums)
    copies: int  # of the sums: one for each share of the pixels
    groups: int
    units_an_image: int
    rows: int  # of y in a unit
    together: int  # units in a block
    rows_of_x: int  # that a unit reads, padding included
    row_stride: int
    code: int  # of the padding mode
    row_starts: np.ndarray  # of the padded image: one row, negative in the padding
    column_starts: np.ndarray  # the same for columns; several with a stride, see padded_copy
    pitch: int  # elements from one row of x, or of its copy, to the next
    unit_stride: int  # elements from one unit of a block to the next
    copied: bool  # whether blocks of x are copied
    kernel_taps: int  # K_h * K_w
    taps: np.ndarray  # offset of each tap (c, a, b) from a pixel
    x_scratch: int  # elements of a block's copy of x


def cut(grad_shape, x_shape, weight_shape, stride, padding, dilation, groups, padding_mode, dtype, threads, phases, columns, block_bytes):
    """The blocks; `columns` numbers of the gradient are used for every pixel; `block_bytes` is what a block may fill.

    Every share of the pixels needs its own copy of the sums; every share of the channels needs the whole gradient. The cheaper one is chosen.
    """
    images, channels, height, width = x_shape
    group_inputs, kernel_height, kernel_width = weight_shape[1:]
    out_height, out_width = grad_shape[2:]
    shares = 1 if groups % threads == 0 else threads
    by_channels = images * out_height * out_width < group_inputs * kernel_height * kernel_width and group_inputs >= shares
    most_channels = -(-group_inputs // shares) if by_channels else group_inputs
    copied = any(padding) or phases > 1
    pitch = -(-(width + padding[2] + padding[3]) // phases)

    def rows_read(rows):
        return (rows - 1) * stride[0] + dilation[0] * (kernel_height - 1) + 1

    def elements(rows):
        return (most_channels * phases * rows_read(rows) * pitch if copied else 0) + rows * out_width * columns

    limit = block_bytes // np.dtype(dtype).itemsize
    rows = -(-out_height // shares) if images < shares and not by_channels else out_height
    while rows > 1 and elements(rows) > limit:
        rows = -(-rows // 2)
    units_an_image = -(-out_height // rows)
    together = max(1, min(-(-images // shares), limit // max(1, elements(rows)))) if units_an_image == 1 else 1

    plane = rows_read(rows) * pitch
    channel_stride = phases * plane if copied else height * width
    c, a, b = np.ogrid[:group_inputs, :kernel_height, :kernel_width]
    shift = b * dilation[1]
    taps = c * channel_stride + shift % phases * plane + a * (dilation[0] * pitch) + shift // phases
    tasks = _tasks(shares, groups, group_inputs, images * units_an_image, by_channels)
    return Blocks(
        workers=min(threads, len(tasks)),
        tasks=np.array(tasks, np.intp),
        copies=1 if by_channels else shares,
        groups=groups,
        units_an_image=units_an_image,
        rows=rows,
        together=together,
        rows_of_x=rows_read(rows),
        row_stride=stride[0],
        code=PADDING_CODES[padding_mode],
        row_starts=np.array([-padding[0]], np.intp),
        column_starts=np.arange(phases, dtype=np.intp) - padding[2],
        pitch=pitch,
        unit_stride=most_channels * channel_stride if copied else channels * channel_stride,
        copied=copied,
        kernel_taps=kernel_height * kernel_width,
        taps=np.ascontiguousarray(taps.reshape(-1), np.intp),
        x_scratch=whole_lines(most_channels * channel_stride * together if copied else 0),
    )


def _tasks(shares, groups, channels, units, by_channels):
    tasks = []
    for share in range(shares):
        for group in range(groups):
            total = channels if by_channels else units
            part = (share * total // shares, (share + 1) * total // shares)
            tasks.append((group, *part, 0, units, 0) if by_channels else (group, 0, channels, *part, share))
    return tasks


def whole_lines(elements: int) -> int:
    """Rounded up to a multiple of 16, so that scratch regions start at cache lines."""
    return -(-elements // 16) * 16


@kernel
def load_x(x, block, task, unit, count, blocks):
    """The address from which taps count for the first of the units; a fresh padded copy of their rows of x, if they need one."""
    first_channel = task[0] * (x.shape[1] // blocks.groups) + task[1]
    if not blocks.copied:
        row = unit % blocks.units_an_image * blocks.rows * blocks.row_stride
        element = ((unit // blocks.units_an_image * x.shape[1] + first_channel) * x.shape[2] + row) * x.shape[3]
        return address(x) + element * x.itemsize
    phases = blocks.column_starts.size
    for u in range(count):
        image = (unit + u) // blocks.units_an_image
        row = (unit + u) % blocks.units_an_image * blocks.rows * blocks.row_stride
        target = block[u * blocks.unit_stride :]
        padded_copy(
            x, image, 1, first_channel, task[2] - task[1], target, row, blocks.row_starts, 1, blocks.rows_of_x,
            blocks.column_starts, phases, blocks.pitch, 1, blocks.rows_of_x * blocks.pitch, blocks.code,
        )  # fmt: skip
    return address(block)
