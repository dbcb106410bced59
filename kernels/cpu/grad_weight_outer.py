"""Weight gradient of a convolution as a sum of outer products, lanes over the output channels.

    sums[(c, a, b)][o]  +=  sum_pixels  x[tap (c, a, b) at the pixel] * grad[o][pixel]

The upstream gradient of a block of pixels is transposed once, so that the output channels of one pixel are neighbours. x is read one
element at a time, at the pixel's position plus the tap's offset: stride and dilation are only numbers in these two tables, and without padding x is
read where it lies. With padding a block of it is copied into scratch memory, where the border takes whatever the padding mode puts there.
The sums are transposed at the end into the order of the weight.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..simd import address, vector_length
from ..threads import SERIAL_BELOW
from .broadcast_tile import multiply_panel, panels, transpose
from .grad_weight_blocks import cut, load_x, whole_lines

# Bytes of one block (its copy of x, its transposed gradient): a part of the second-level cache.
BLOCK_BYTES = 768 << 10
# Pixels that one pass of the micro-kernel sums: so many rows of a panel stay in the first-level cache.
PIXELS_AT_ONCE = 192


class Plan(NamedTuple):
    """What follows from shapes and options beyond the blocks."""

    lanes: int  # of one vector
    positions: np.ndarray  # offset of each pixel of a block
    panels: np.ndarray  # rows (first output channel, vectors)
    columns: int  # output channels of a group, rounded up to whole panels
    scratch: int  # elements of a block's copy of x and its transposed gradient


@plan_cache
def make_plan(grad_shape, x_shape, weight_shape, stride, padding, dilation, groups, padding_mode, dtype, threads):
    """Cut the work into blocks, the output channels into panels of whole vectors."""
    lanes = vector_length(dtype)
    panel_list = panels(weight_shape[0] // groups, lanes)
    columns = panel_list[-1][0] + panel_list[-1][1] * lanes
    blocks = cut(grad_shape, x_shape, weight_shape, stride, padding, dilation, groups, padding_mode, dtype, threads, 1, columns, BLOCK_BYTES)
    u, i, j = np.ogrid[: blocks.together, : blocks.rows, : grad_shape[3]]
    positions = u * blocks.unit_stride + i * (stride[0] * blocks.pitch) + j * stride[1]
    return blocks, Plan(
        lanes=lanes,
        positions=np.ascontiguousarray(positions.reshape(-1), np.intp),
        panels=np.array(panel_list, np.intp),
        columns=columns,
        scratch=blocks.x_scratch + whole_lines((positions.size + lanes) * columns),
    )


def grad_weight_outer(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, threads):
    """Gradient with respect to weight; the arguments are those of conv2d_grad_weight and the number of threads."""
    blocks, plan = make_plan(grad.shape, x.shape, weight_shape, stride, padding, dilation, groups, padding_mode, x.dtype.char, threads)
    workers, copies = blocks.workers, blocks.copies
    group_sums = blocks.taps.size * plan.columns
    space = memory.workspace(workers * plan.scratch + copies * groups * group_sums, x.dtype)
    scratch = space[: workers * plan.scratch].reshape(workers, plan.scratch)
    sums = space[workers * plan.scratch :].reshape(copies, groups, group_sums)
    _accumulate(grad, x, scratch, sums, blocks, plan)
    grad_weight = memory.empty(weight_shape, x.dtype)
    if blocks.workers == 1 or grad_weight.size < SERIAL_BELOW:
        _store(0, 1, sums, grad_weight, blocks, plan)
    else:
        _store_parallel(sums, grad_weight, blocks, plan)
    return grad_weight


@kernel(parallel=True)
def _accumulate(grad, x, scratch, sums, blocks, plan):
    """Every worker adds up its tasks, block by block, into the sums that only it owns."""
    for worker in prange(blocks.workers):
        for t in range(worker * len(blocks.tasks) // blocks.workers, (worker + 1) * len(blocks.tasks) // blocks.workers):
            task = blocks.tasks[t]
            _add_task(grad, x, scratch[worker], task, sums[task[5], task[0]], blocks, plan)


@kernel
def _add_task(grad, x, scratch, task, sums, blocks, plan):
    first_unit, end_unit = task[3], task[4]
    transposed = scratch[blocks.x_scratch :]
    if first_unit == end_unit:
        sums[:] = 0
    for unit in range(first_unit, end_unit, blocks.together):
        count = min(blocks.together, end_unit - unit)
        start = load_x(x, scratch, task, unit, count, blocks)
        pixels = _load_grad(grad, transposed, task[0], unit, count, blocks, plan)
        _add_block(start, transposed, sums, task, pixels, unit > first_unit, blocks, plan)


@kernel
def _load_grad(grad, transposed, group, unit, count, blocks, plan):
    """Transpose the units' part of the gradient into panels of output channels; returns the number of pixels."""
    group_outputs = grad.shape[1] // blocks.groups
    width = grad.shape[3]
    plane = grad.shape[2] * width
    zero = grad.dtype.type(0)
    pixels = 0
    for u in range(count):
        image = (unit + u) // blocks.units_an_image
        row = (unit + u) % blocks.units_an_image * blocks.rows
        here = min(blocks.rows, grad.shape[2] - row) * width
        for p in range(plan.panels.shape[0]):
            first = plan.panels[p, 0]
            columns = plan.panels[p, 1] * plan.lanes
            source = ((image * blocks.groups + group) * group_outputs + first) * plane + row * width
            target = first * plan.positions.size + pixels * columns
            transpose(
                zero,
                plan.lanes,
                grad.itemsize,
                address(grad) + source * grad.itemsize,
                plane,
                min(columns, group_outputs - first),
                here,
                address(transposed) + target * grad.itemsize,
                columns,
            )
        pixels += here
    return pixels


@kernel
def _add_block(start, transposed, sums, task, pixels, accumulate, blocks, plan):
    """Add the outer products of one block of pixels to the sums of the task's channels."""
    zero = transposed.dtype.type(0)
    itemsize = transposed.itemsize
    first_tap = task[1] * blocks.kernel_taps
    rows = (task[2] - task[1]) * blocks.kernel_taps
    for p in range(plan.panels.shape[0]):
        first, vectors = plan.panels[p]
        columns = vectors * plan.lanes
        target = address(sums) + (first * blocks.taps.size + first_tap * columns) * itemsize
        for pixel in range(0, pixels, PIXELS_AT_ONCE):
            count = min(PIXELS_AT_ONCE, pixels - pixel)
            panel = address(transposed) + (first * plan.positions.size + pixel * columns) * itemsize
            multiply_panel(
                zero,
                start,
                address(blocks.taps),
                rows,
                address(plan.positions) + pixel * plan.positions.itemsize,
                count,
                panel,
                columns,
                vectors,
                target,
                columns,
                columns,
                accumulate or pixel > 0,
            )


@kernel(parallel=True)
def _store_parallel(sums, grad_weight, blocks, plan):
    for worker in prange(blocks.workers):
        _store(np.intp(worker), np.intp(blocks.workers), sums, grad_weight, blocks, plan)


@kernel
def _store(worker, workers, sums, grad_weight, blocks, plan):
    """Add the copies of the sums in their order, and transpose them into the weight's; this worker's share of the taps."""
    taps = blocks.taps.size
    group_outputs = grad_weight.shape[0] // blocks.groups
    zero = grad_weight.dtype.type(0)
    tap = worker * taps // workers
    count = (worker + 1) * taps // workers - tap
    for group in range(blocks.groups):
        for p in range(plan.panels.shape[0]):
            first, columns = plan.panels[p, 0], plan.panels[p, 1] * plan.lanes
            start = first * taps + tap * columns
            for copy in range(1, blocks.copies):
                for i in range(start, start + count * columns):
                    sums[0, group, i] += sums[copy, group, i]
            source = address(sums) + (group * sums.shape[2] + start) * sums.itemsize
            target = address(grad_weight) + ((group * group_outputs + first) * taps + tap) * sums.itemsize
            width = min(columns, group_outputs - first)
            transpose(zero, plan.lanes, sums.itemsize, source, columns, count, width, target, taps)
