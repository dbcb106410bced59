"""Weight gradient of a convolution as dot products, lanes over neighbouring pixels: for groups of few output channels.

    sums[o][(c, a, b)]  +=  sum over rows of y of the dot product  grad[o][row] . x[row shifted to tap (c, a, b)]

Nothing is transposed. With a stride the columns of x are copied phase by phase, so that the columns one tap reads are neighbours; the rest is
the cutting into blocks that `grad_weight_outer` uses too.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..simd import address
from .dot_tile import dot_rows
from .grad_weight_blocks import cut, load_x

# Bytes of one block (its x, its gradient), which every tile of taps reads again.
BLOCK_BYTES = 256 << 10


class Plan(NamedTuple):
    """What follows from shapes and options beyond the blocks."""

    grad_rows: np.ndarray  # offset of each row of a block's gradient
    x_rows: np.ndarray  # offset of each row of a block's x


@plan_cache
def make_plan(grad_shape, x_shape, weight_shape, stride, padding, dilation, groups, padding_mode, dtype, threads):
    """Cut the work into blocks."""
    blocks = cut(
        grad_shape,
        x_shape,
        weight_shape,
        stride,
        padding,
        dilation,
        groups,
        padding_mode,
        dtype,
        threads,
        stride[1],
        weight_shape[0] // groups,
        BLOCK_BYTES,
    )
    u, i = np.ogrid[: blocks.together, : blocks.rows]
    grad_rows = u * (grad_shape[1] * grad_shape[2] * grad_shape[3]) + i * grad_shape[3]
    x_rows = u * blocks.unit_stride + i * (stride[0] * blocks.pitch)
    return blocks, Plan(
        grad_rows=np.ascontiguousarray(grad_rows.reshape(-1), np.intp),
        x_rows=np.ascontiguousarray(x_rows.reshape(-1), np.intp),
    )


def grad_weight_dot(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode, threads):
    """Gradient with respect to weight; the arguments are those of conv2d_grad_weight and the number of threads."""
    blocks, plan = make_plan(grad.shape, x.shape, weight_shape, stride, padding, dilation, groups, padding_mode, x.dtype.char, threads)
    workers, copies = blocks.workers, blocks.copies
    grad_weight = memory.empty(weight_shape, x.dtype)
    # The first copy of the sums is the result itself.
    others = (copies - 1) * grad_weight.size
    space = memory.workspace(others + workers * blocks.x_scratch, x.dtype)
    sums = space[:others].reshape(copies - 1, grad_weight.size)
    scratch = space[others:].reshape(workers, blocks.x_scratch)
    _accumulate(grad, x, scratch, sums, grad_weight.reshape(-1), blocks, plan)
    return grad_weight


@kernel(parallel=True)
def _accumulate(grad, x, scratch, sums, grad_weight, blocks, plan):
    """Every worker adds up its tasks into sums that only it owns; then the copies are added in their order."""
    group_size = grad_weight.size // blocks.groups
    for worker in prange(blocks.workers):
        for t in range(worker * len(blocks.tasks) // blocks.workers, (worker + 1) * len(blocks.tasks) // blocks.workers):
            task = blocks.tasks[t]
            target = grad_weight if task[5] == 0 else sums[task[5] - 1]
            _add_task(grad, x, scratch[worker], task, target[task[0] * group_size : (task[0] + 1) * group_size], blocks, plan)
    for copy in range(blocks.copies - 1):
        for i in range(grad_weight.size):
            grad_weight[i] += sums[copy, i]


@kernel
def _add_task(grad, x, scratch, task, sums, blocks, plan):
    plane = grad.shape[2] * grad.shape[3]
    group_outputs = grad.shape[1] // blocks.groups
    zero = grad.dtype.type(0)
    first_tap = task[1] * blocks.kernel_taps
    taps = (task[2] - task[1]) * blocks.kernel_taps
    if task[3] == task[4]:
        sums[:] = 0
    for unit in range(task[3], task[4], blocks.together):
        count = min(blocks.together, task[4] - unit)
        start = load_x(x, scratch, task, unit, count, blocks)
        row = unit % blocks.units_an_image * blocks.rows
        rows = count * min(blocks.rows, grad.shape[2] - row)
        element = (unit // blocks.units_an_image * grad.shape[1] + task[0] * group_outputs) * plane + row * grad.shape[3]
        dot_rows(
            zero,
            address(grad) + element * grad.itemsize,
            plane,
            group_outputs,
            start,
            address(blocks.taps),
            taps,
            address(plan.grad_rows),
            address(plan.x_rows),
            rows,
            grad.shape[3],
            address(sums) + first_tap * grad.itemsize,
            blocks.taps.size,
            unit > task[3],
        )
