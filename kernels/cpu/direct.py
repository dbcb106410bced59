"""The direct convolution: copy the input once into a padded workspace, then run the micro-kernel over it.

A task is some images x one group x a block of rows x a chunk of output channels. It copies its input (direct_copy.py),
multiplies (direct_kernel.py) tile by tile, with the pixels of one tile held in the first-level cache while all weights
pass by, and stores into the result.
"""

from numba import get_thread_id, prange

from .. import memory
from ..jit import kernel
from ..reference.conv import PADDING_CODES
from ..simd import VECTOR_BYTES, address
from ..threads import get_num_threads
from .direct_copy import fold_padding, padded_copy, scatter_interleaved, scatter_rows
from .direct_kernel import CONTINUE, PANEL_STRIDES, RELU, TILE_VECTORS, last_tile, whole_tile
from .direct_pack import pack
from .direct_plan import forward_plan, grad_x_plan

_WIDTHS = tuple(TILE_VECTORS.get(height, 0) for height in range(9))


@kernel(inline="never")
def _multiply(
    source, result, work, packed, bias, tables, start, image, group, channel, channels, first_panel, last_panel, pixels,
    phase, relu, geometry,
):
    """All tiles of one phase of one task, over one block of the summed channels: C = (bias or C) + weights x pixels."""
    offsets, positions, phases = tables
    sample, size = work[0], work.itemsize
    height = geometry.height
    width, stride = _WIDTHS[height], PANEL_STRIDES[height]
    lanes = VECTOR_BYTES // size
    panels = -(-geometry.channels // height)
    all_taps = phases[phase, 1]
    channel_taps = all_taps // geometry.sum_channels
    taps = channels * channel_taps
    weight_step = geometry.weight_step
    if weight_step > 0:
        first_weight = group * (packed.size // geometry.groups) + channel * geometry.weight_pitch
        panel_step = height * weight_step * size
    else:
        first_weight = phases[phase, 2] + (group * panels * all_taps + channel * channel_taps) * stride
        panel_step = all_taps * stride * size
    weights = address(packed) + first_weight * size
    biases = address(bias) + group * panels * height * size
    first_offset = address(offsets) + phases[phase, 0] * 2 * offsets.itemsize
    if geometry.copies == 0:
        plane = image * source.shape[1] + group * geometry.sum_channels + channel
        inputs = address(source) + (plane * source.shape[2] * source.shape[3] + start * geometry.pitch) * size
    else:
        inputs = address(work)
    if geometry.scratch:
        row_pitch = geometry.scratch_pitch
        slab = phase * geometry.chunk_panels - first_panel
        output = address(work) + (geometry.scratch_start + slab * height * row_pitch) * size
    else:
        row_pitch = result.shape[2] * result.shape[3]
        plane = image * result.shape[1] + group * geometry.channels
        output = address(result) + (plane * row_pitch + start * geometry.grid_columns) * size
    mode = (CONTINUE if channel > 0 else 0) | (RELU if relu and channel + channels == geometry.sum_channels else 0)
    vectors = (pixels + lanes - 1) // lanes
    whole = pixels // lanes // width * width
    for vector in range(0, whole, width):
        place = address(positions) + vector * 8
        for panel in range(first_panel, last_panel):
            whole_tile(
                height, sample, weights + panel * panel_step, inputs, first_offset, taps, place,
                output + (panel * height * row_pitch + vector * lanes) * size, row_pitch,
                biases + panel * height * size, min(height, geometry.channels - panel * height), mode,
                weight_step,
            )
    for vector in range(whole, vectors):
        place = address(positions) + vector * 8
        for panel in range(first_panel, last_panel):
            last_tile(
                height, sample, weights + panel * panel_step, inputs, first_offset, taps, place,
                output + (panel * height * row_pitch + vector * lanes) * size, row_pitch,
                biases + panel * height * size, min(height, geometry.channels - panel * height),
                pixels - vector * lanes, mode, weight_step,
            )


@kernel(inline="never")
def _store_scratch(work, result, image, images, group, first_panel, last_panel, start, rows, phases, geometry):
    """Move a task's results from the scratch memory to their rows of the result, interleaving the phases."""
    first_channel = first_panel * geometry.height
    last_channel = min(last_panel * geometry.height, geometry.channels)
    columns, step = geometry.grid_columns, geometry.result_column_step
    pitch = geometry.slots * columns
    slab = geometry.chunk_panels * geometry.height * geometry.scratch_pitch  # results of one phase
    pairs = 2 if step == 2 else 1  # phases i, i + 1 are neighbouring columns of the same rows
    for c in range(last_channel - first_channel):
        channel = group * geometry.channels + first_channel + c
        for phase in range(0, phases.shape[0], pairs):
            row = phases[phase, 3] + start * geometry.result_row_step
            column = phases[phase, 4]
            for i in range(images):
                source = geometry.scratch_start + phase * slab + c * geometry.scratch_pitch + i * columns
                if pairs == 2:
                    scatter_interleaved(
                        work, source, source + slab, pitch, result, image + i, channel, row, geometry.result_row_step,
                        rows, column, columns,
                    )
                else:
                    scatter_rows(
                        work, source, pitch, result, image + i, channel, row, geometry.result_row_step,
                        rows, column, step, columns,
                    )


@kernel(parallel=True)
def _run(source, result, all_work, packed, bias, row_starts, columns, offsets, positions, phases, relu, geometries):
    for task in prange(geometries[0].tasks):
        geometry = geometries[0]
        slot = get_thread_id() * geometry.thread_elements
        work = all_work[slot : slot + geometry.thread_elements]
        tables = (offsets, positions, phases)
        chunk, rest = task % geometry.chunks, task // geometry.chunks
        block, rest = rest % geometry.blocks, rest // geometry.blocks
        group, image = rest % geometry.groups, rest // geometry.groups * geometry.slots
        images = min(geometry.slots, geometry.images - image)
        start = block * geometry.block_rows
        rows = min(geometry.block_rows, geometry.grid_rows - start)
        panels = -(-geometry.channels // geometry.height)
        first_panel = chunk * geometry.chunk_panels
        last_panel = min(panels, first_panel + geometry.chunk_panels)
        pixels = rows * geometry.slots * geometry.grid_columns
        for channel in range(0, geometry.sum_channels, geometry.block_channels):
            channels = min(geometry.block_channels, geometry.sum_channels - channel)
            if geometry.copies > 0:
                padded_copy(
                    source, image, images, group * geometry.sum_channels + channel, channels, work,
                    start * geometry.row_step, row_starts, geometry.row_step, rows + geometry.halo, columns,
                    geometry.column_step, geometry.pitch, geometry.slots, geometry.plane, geometry.padding_code,
                )
            for phase in range(phases.shape[0]):
                _multiply(
                    source, result, work, packed, bias, tables, start, image, group, channel, channels,
                    first_panel, last_panel, pixels, phase, relu, geometry,
                )
        if geometry.scratch:
            _store_scratch(work, result, image, images, group, first_panel, last_panel, start, rows, phases, geometry)


def _convolve(plan, source, weight, bias, relu):
    """Run a plan: pack the weights, then the tasks."""
    dtype = source.dtype
    result = memory.empty(plan.result_shape, dtype)
    if result.size == 0:
        return result
    work = memory.workspace(plan.workspace_elements + plan.packed_elements + plan.bias_elements, dtype)
    packed = work[plan.workspace_elements : plan.workspace_elements + plan.packed_elements]
    padded_bias = work[plan.workspace_elements + plan.packed_elements :]
    if bias is None:
        bias = work[:0]
    flat = weight.reshape(-1)
    pack(flat, packed, bias, padded_bias, plan.phases, plan.runs, plan.weight_step, plan.geometries)
    _run(
        source, result, work[: plan.workspace_elements], packed if plan.packed_elements else flat, padded_bias, plan.row_starts, plan.columns,
        plan.offsets, plan.positions, plan.phases, relu, plan.geometries,
    )
    return result


def conv2d_direct(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation):
    """The convolution by the micro-kernel; arguments as `reference.conv.conv2d`."""
    plan = forward_plan(
        x.shape, weight.shape, stride, padding, dilation, groups, padding_mode, x.dtype.str, get_num_threads()
    )
    return _convolve(plan, x, weight, bias, activation == "relu")


def conv2d_grad_x_direct(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode):
    """The gradient with respect to x by the micro-kernel; arguments as `reference.conv.conv2d_grad_x`."""
    options = (dilation, groups, grad.dtype.str, get_num_threads())
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
