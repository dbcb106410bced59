"""The depthwise convolution: as many groups as input channels, and any number of output channels for each.

A task copies the input planes of some groups into a padded workspace of the first-level cache's size and convolves them
where they lie; see depthwise_tile.py for the arithmetic and depthwise_plan.py for the cut.
"""

import numpy as np
from numba import get_thread_id, prange

from .. import memory
from ..jit import kernel
from ..reference.conv import PADDING_CODES
from ..simd import address
from ..threads import get_num_threads
from .depthwise_plan import STEPS_AT_ONCE, forward_plan, grad_x_plan
from .depthwise_tile import HEIGHTS, add_products, collect_sums, convolve_planes
from .direct_copy import fold_padding, padded_copy, scatter_interleaved, scatter_rows

_SEVEN = 7 in HEIGHTS


@kernel
def _tile_height(rows):
    """As `depthwise_plan.tile_height`: the tile that computes the fewest rows twice."""
    if rows < 4:
        return 1
    if _SEVEN and rows >= 7 and -(-rows // 7) * 8 <= -(-rows // 4) * 5:
        return 7
    return 4


@kernel
def _pack(weight, bias, work, start, first_channel, channels, elements, geometry):
    """The weights of the task's channels in the order of the runs, each phase behind a bias."""
    for channel in range(channels):
        at = start + channel * geometry.packed
        begin = (first_channel + channel) * geometry.weight_elements
        for i in range(elements.size):
            element = elements[i]
            if element >= 0:
                work[at + i] = weight[begin + element]
            else:
                work[at + i] = bias[first_channel + channel] if bias.size > 0 else 0


@kernel(inline="never")
def _convolve_block(work, result, offsets, phases, image, group, groups, start, rows, relu, geometry):
    """All planes and phases of a task."""
    size = work.itemsize
    height = _tile_height(rows)
    area = result.shape[2] * result.shape[3]
    for phase in range(phases.shape[0]):
        first_offset = address(offsets) + phases[phase, 0] * offsets.itemsize
        for k in range(geometry.channels):
            weights = address(work) + (geometry.packed_start + k * geometry.packed + phases[phase, 4]) * size
            if geometry.scratch:
                plane = (phase * geometry.task_groups * geometry.channels + k) * geometry.scratch_plane
                target = address(work) + (geometry.scratch_start + plane) * size
                step, pitch = geometry.channels * geometry.scratch_plane, geometry.grid_columns
            else:
                plane = image * result.shape[1] + group * geometry.channels + k
                target = address(result) + (plane * area + start * result.shape[3]) * size
                step, pitch = geometry.channels * area, result.shape[3]
            convolve_planes(
                height, geometry.narrow, work[0], address(work), geometry.source_step, geometry.pitch,
                weights, geometry.channels * geometry.packed, first_offset,
                phases[phase, 1], phases[phase, 2], phases[phase, 3],
                target, step, pitch, rows, geometry.grid_columns, groups, relu,
            )


@kernel(inline="never")
def _store_scratch(work, result, phases, image, group, groups, start, rows, geometry):
    """Move a task's results from the scratch memory to their rows of the result, interleaving the phases."""
    step = geometry.result_column_step
    pairs = 2 if step == 2 else 1  # phases i, i + 1 are neighbouring columns of the same rows
    slab = geometry.task_groups * geometry.channels * geometry.scratch_plane
    for c in range(groups * geometry.channels):
        channel = group * geometry.channels + c
        for phase in range(0, phases.shape[0], pairs):
            row = phases[phase, 5] + start * geometry.result_row_step
            column = phases[phase, 6]
            source = geometry.scratch_start + phase * slab + c * geometry.scratch_plane
            if pairs == 2:
                scatter_interleaved(
                    work, source, source + slab, geometry.grid_columns, result, image, channel, row,
                    geometry.result_row_step, rows, column, geometry.grid_columns,
                )
            else:
                scatter_rows(
                    work, source, geometry.grid_columns, result, image, channel, row,
                    geometry.result_row_step, rows, column, step, geometry.grid_columns,
                )


@kernel(parallel=True)
def _run(source, result, all_work, weight, bias, row_starts, columns, offsets, phases, elements, relu, geometries):
    for task in prange(geometries[0].tasks):
        geometry = geometries[0]
        slot = get_thread_id() * geometry.thread_elements
        work = all_work[slot : slot + geometry.thread_elements]
        block, rest = task % geometry.blocks, task // geometry.blocks
        group, image = rest % geometry.group_blocks * geometry.task_groups, rest // geometry.group_blocks
        groups = min(geometry.task_groups, geometry.groups - group)
        start = block * geometry.block_rows
        rows = min(geometry.block_rows, geometry.grid_rows - start)
        padded_copy(
            source, image, 1, group * geometry.sum_channels, groups * geometry.sum_channels, work,
            start * geometry.row_step, row_starts, geometry.row_step, rows + geometry.halo, columns,
            geometry.column_step, geometry.pitch, 1, geometry.plane, geometry.padding_code,
        )
        _pack(weight, bias, work, geometry.packed_start, group * geometry.channels, groups * geometry.channels, elements, geometry)
        _convolve_block(work, result, offsets, phases, image, group, groups, start, rows, relu, geometry)
        if geometry.scratch:
            _store_scratch(work, result, phases, image, group, groups, start, rows, geometry)


def _convolve(plan, source, weight, bias, relu):
    result = memory.empty(plan.result_shape, source.dtype)
    if result.size == 0:
        return result
    work = memory.workspace(plan.workspace_elements, source.dtype)
    if bias is None:
        bias = work[:0]
    _run(
        source, result, work, weight.reshape(-1), bias, plan.row_starts, plan.columns, plan.offsets, plan.phases,
        plan.elements, relu, plan.geometries,
    )
    return result


def conv2d_depthwise(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation):
    """The convolution of each channel for itself; arguments as `reference.conv.conv2d`, weight of shape (C_out, 1, K_h, K_w)."""
    plan = forward_plan(
        x.shape, weight.shape, stride, padding, dilation, groups, padding_mode, x.itemsize, get_num_threads()
    )
    return _convolve(plan, x, weight, bias, activation == "relu")


def conv2d_grad_x_depthwise(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode):
    """The gradient with respect to x; arguments as `reference.conv.conv2d_grad_x`."""
    options = (dilation, groups, grad.itemsize, get_num_threads())
    if padding_mode == "zeros" or not any(padding):
        plan = grad_x_plan(grad.shape, weight.shape, x_shape, stride, padding, *options)
        return _convolve(plan, grad, weight, None, False)
    top, bottom, left, right = padding
    padded_shape = (x_shape[0], x_shape[1], x_shape[2] + top + bottom, x_shape[3] + left + right)
    plan = grad_x_plan(grad.shape, weight.shape, padded_shape, stride, (0, 0, 0, 0), *options)
    padded = _convolve(plan, grad, weight, None, False)
    grad_x = memory.empty(x_shape, grad.dtype)
    fold_padding(padded, grad_x, top, left, PADDING_CODES[padding_mode])
    return grad_x


def conv2d_grad_weight_depthwise(grad, x, weight_shape, stride, padding, dilation, groups, padding_mode):
    """The gradient with respect to weight; arguments as `reference.conv.conv2d_grad_weight`."""
    plan = forward_plan(
        x.shape, weight_shape, stride, padding, dilation, groups, padding_mode, x.itemsize, get_num_threads()
    )
    geometry = plan.geometries[0]
    taps = weight_shape[2] * weight_shape[3]
    # One total more than there are taps takes what the passes compute in vain.
    totals = np.zeros((int(geometry["shares"]), weight_shape[0], taps + 1))
    if grad.size and x.size:
        work = memory.workspace(plan.workspace_elements, x.dtype)
        _run_weight(
            grad, x, totals, work, plan.row_starts, plan.columns, plan.passes, plan.pass_offsets, plan.pass_elements,
            plan.geometries,
        )
    grad_weight = memory.empty(weight_shape, grad.dtype)
    grad_weight.reshape(weight_shape[0], taps)[...] = totals.sum(axis=0)[:, :taps]
    return grad_weight


@kernel(inline="never")
def _collect(work, totals, first_channel, channels, elements, geometry):
    """Move the sums of a task's channels to their totals."""
    for c in range(channels):
        sums = address(work) + (geometry.sums_start + c * geometry.sums) * work.itemsize
        target = address(totals) + (first_channel + c) * totals.shape[1] * totals.itemsize
        collect_sums(geometry.narrow, work[0], sums, address(elements), elements.size, target)


@kernel(inline="never")
def _add_block(work, grad, passes, pass_offsets, image, group, groups, start, rows, geometry):
    """The products of one block of rows of one image, all channels of a task."""
    size = work.itemsize
    area = grad.shape[2] * grad.shape[3]
    for c in range(groups * geometry.channels):
        plane = image * grad.shape[1] + group * geometry.channels + c
        upstream = address(grad) + (plane * area + start * grad.shape[3]) * size
        pixels = address(work) + c // geometry.channels * geometry.source_step * size
        sums = address(work) + (geometry.sums_start + c * geometry.sums) * size
        for i in range(passes.shape[0]):
            add_products(
                passes[i, 1], geometry.narrow, work[0], upstream, grad.shape[3], pixels, geometry.pitch,
                address(pass_offsets) + passes[i, 0] * pass_offsets.itemsize, rows, geometry.grid_columns,
                sums + passes[i, 2] * geometry.lanes * size,
            )


@kernel(parallel=True)
def _run_weight(grad, x, totals, all_work, row_starts, columns, passes, pass_offsets, pass_elements, geometries):
    for task in prange(geometries[0].group_blocks * geometries[0].shares):
        geometry = geometries[0]
        slot = get_thread_id() * geometry.thread_elements
        work = all_work[slot : slot + geometry.thread_elements]
        share, group = task // geometry.group_blocks, task % geometry.group_blocks * geometry.task_groups
        groups = min(geometry.task_groups, geometry.groups - group)
        channels = groups * geometry.channels
        work[geometry.sums_start : geometry.sums_start + channels * geometry.sums] = 0
        first_channel = group * geometry.channels
        steps = 0
        for image in range(share * geometry.images // geometry.shares, (share + 1) * geometry.images // geometry.shares):
            for start in range(0, geometry.grid_rows, geometry.block_rows):
                rows = min(geometry.block_rows, geometry.grid_rows - start)
                padded_copy(
                    x, image, 1, group, groups, work,
                    start * geometry.row_step, row_starts, geometry.row_step, rows + geometry.halo, columns,
                    geometry.column_step, geometry.pitch, 1, geometry.plane, geometry.padding_code,
                )
                _add_block(work, grad, passes, pass_offsets, image, group, groups, start, rows, geometry)
                steps += rows * -(-geometry.grid_columns // geometry.lanes)
                if steps >= STEPS_AT_ONCE:
                    _collect(work, totals[share], first_channel, channels, pass_elements, geometry)
                    steps = 0
        _collect(work, totals[share], first_channel, channels, pass_elements, geometry)
