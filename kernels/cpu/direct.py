"""Convolution without a column matrix: shifted views of one padded copy, multiplied in registers.

    out[n, o, i, j]  =  bias[o] + sum_k weight[o, k] * padded[n, offset[k] + position(i, j)]

k runs over (channel, tap row, tap column). Per thread and block of rows the source is copied once into scratch memory with its border, for stride s
split into s * s phases, so that every tap of neighbouring outputs is one contiguous vector. Kernel size, dilation, stride and padding mode are
then only numbers in tables: the micro-kernel sees a table of offsets. The gradient with respect to x is the same sum with other tables.
"""

from typing import NamedTuple

import numpy as np
from numba import prange, types
from numba.extending import intrinsic

from .. import memory
from ..jit import FAST, kernel
from ..plans import plan_cache
from ..reference.conv import PADDING_CODES, source_index
from ..simd import LANE_INDEX, REGISTERS, VECTOR_BYTES, Vectors, address, declare, index_constant, ir, vector_length

# Output channels a tile, and vectors of pixels a tile: accumulators, one row of vectors and one spread weight fit the registers.
TILE_ROWS = (6, 4, 2, 1)
TILE_VECTORS = (4, 2, 1) if REGISTERS == 32 else (2, 1)
# AVX-512 stores chosen lanes side by side, so that a vector may run across the end of a row.
COMPRESSES = VECTOR_BYTES == 64

SOURCE_BYTES = 512 << 10  # of one block's padded copy: a part of the second-level cache
WEIGHT_BYTES = 1 << 20  # weights beyond this are read once for several images
PLAIN_FIELDS = 3  # numbers a vector of a tile: source position, output position, mask


class Axis(NamedTuple):
    """One axis of a correlation: output m reads padded position m * stride + tap, which is source[position], -1 for zero."""

    size: int  # outputs
    stride: int
    taps: tuple[int, ...]
    kept: tuple[int, ...]  # which taps of the kernel these are
    source: tuple[int, ...]


def forward_axis(size, kernel_size, stride, before, after, dilation, code):
    """The axis of a convolution."""
    span = dilation * (kernel_size - 1) + 1
    outputs = (size + before + after - span) // stride + 1
    taps = tuple(a * dilation for a in range(kernel_size))
    length = (outputs - 1) * stride + span
    return Axis(outputs, stride, taps, tuple(range(kernel_size)), tuple(source_index(q - before, size, code) for q in range(length)))


def backward_axis(size, outputs, kernel_size, stride, before, dilation, phase):
    """The axis of the gradient at inputs phase, phase + stride, ...: input h is read by output i through tap a if i s + a d - p = h."""
    kept = tuple(a for a in range(kernel_size) if (phase + before - a * dilation) % stride == 0)
    inputs = -(-(size - phase) // stride)
    if not kept or inputs <= 0:
        return Axis(max(inputs, 0), 1, (), (), ())
    shifts = [(phase + before - a * dilation) // stride for a in kept]
    first = min(shifts)
    taps = tuple(shift - first for shift in shifts)
    positions = range(first, first + inputs + max(taps))
    return Axis(inputs, 1, taps, kept, tuple(q if 0 <= q < outputs else -1 for q in positions))


class Plan(NamedTuple):
    """What follows from shapes and options."""

    workers: int
    tasks: np.ndarray  # rows (group, first image, end image, first row, rows, first panel, end panel, table)
    groups: int
    copied: bool  # whether blocks are copied; else the source is read where it lies
    phases: np.ndarray
    stride: np.ndarray
    pitch: int  # elements from row to row of a phase
    plane: int  # elements of a phase
    rows_more: int  # rows of a phase beyond the block's own: what the taps below read
    image: int  # elements of one image's block
    row_source: np.ndarray
    column_source: np.ndarray
    plain_columns: np.ndarray  # columns before the source, and whether they are the source's own row in between
    offsets: np.ndarray  # of each product k
    panels: np.ndarray  # rows (first output channel, channels)
    panels_first: bool  # order of the loops: panels outside
    tiles: np.ndarray  # rows (vectors, full, then PLAIN_FIELDS numbers a vector)
    tile_counts: np.ndarray  # rows (first tile, end tile), by table
    columns: np.ndarray  # of the weight: element of product k
    row_step: int  # of the weight: elements from one output channel to the next
    group_step: int  # of the weight: elements from one group to the next
    output_plane: int
    output_width: int


def panel_list(channels: int) -> list[tuple[int, int]]:
    """(first channel, channels) of the panels: sixes, the rest in fours, twos and ones."""
    sizes = [6] * (channels // 6)
    rest = channels % 6
    if rest == 2 and sizes:
        sizes[-1:] = [4, 4]
    else:
        sizes += {0: [], 1: [1], 2: [2], 3: [2, 1], 4: [4], 5: [4, 1]}[rest]
    starts = np.cumsum([0, *sizes])
    return [(int(start), size) for start, size in zip(starts, sizes)]


def tile_table(rows: int, width: int, pitch: int, lanes: int, contiguous: bool) -> list[list[int]]:
    """Tiles over a block of rows: which vectors of pixels each computes, and which of their lanes are outputs."""
    full = (1 << lanes) - 1
    vectors = []
    if contiguous:  # the whole block is one row; its last vector overlaps the one before
        count = rows * width
        starts = [*range(0, count - lanes, lanes), count - lanes]
        vectors = [(q, q, full) for q in starts]
    elif COMPRESSES and width % lanes:
        for q in range(0, (rows - 1) * pitch + width, lanes):
            valid = [lane for lane in range(lanes) if (q + lane) % pitch < width and (q + lane) // pitch < rows]
            if valid:
                i, j = divmod(q, pitch)
                vectors.append((q, i * width + min(j, width), sum(1 << lane for lane in valid)))
    else:
        for i in range(rows):
            for j in range(0, width, lanes):
                vectors.append((i * pitch + j, i * width + j, full >> max(0, j + lanes - width)))
    tiles = []
    while vectors:
        count = next(size for size in TILE_VECTORS if size <= len(vectors))
        used, vectors = vectors[:count], vectors[count:]
        row = [count, int(all(mask == full for _, _, mask in used))]
        for vector in used:
            row += vector
        tiles.append(row + [0] * (2 + PLAIN_FIELDS * TILE_VECTORS[0] - len(row)))
    return tiles


def make_plan(source_shape, rows_axis, columns_axis, outputs, group_inputs, groups, weight_columns, row_step, group_step, dtype, threads):
    """Cut the work into blocks that fit the cache, and deal them to the threads."""
    images = source_shape[0]
    height, width = rows_axis.size, columns_axis.size
    lanes = vector_length(dtype)
    itemsize = np.dtype(dtype).itemsize
    stride = (rows_axis.stride, columns_axis.stride)
    phases = tuple(min(step, max(axis.taps) + 1) for step, axis in zip(stride, (rows_axis, columns_axis)))
    rows_more = max(rows_axis.taps) // stride[0]
    pitch = width + max(columns_axis.taps) // stride[1]
    untouched = rows_axis.source == tuple(range(source_shape[2])) and columns_axis.source == tuple(range(source_shape[3]))
    copied = not (len(rows_axis.taps) == len(columns_axis.taps) == 1 and stride == (1, 1) and untouched and height * width >= lanes)
    group_outputs = outputs // groups
    panels = panel_list(group_outputs)
    products = len(weight_columns)
    weight_bytes = group_outputs * products * itemsize

    def image_elements(rows):
        return group_inputs * phases[0] * phases[1] * (rows + rows_more) * pitch

    rows = height
    while rows > 1 and image_elements(rows) * itemsize > SOURCE_BYTES:
        rows = -(-rows // 2)
    if images * groups < threads and height * width >= 4 * lanes * threads:
        rows = min(rows, -(-height // (2 * threads)))
    blocks = -(-height // rows)
    rows = -(-height // blocks)
    if not copied:
        while rows < height and rows * width < lanes:
            rows += 1
        if height % rows and (height % rows) * width < lanes:
            rows = height
        blocks = -(-height // rows)
    panels_first = weight_bytes > WEIGHT_BYTES
    together = 1
    if panels_first and copied:
        together = max(1, min(-(-images // threads), SOURCE_BYTES // max(image_elements(rows) * itemsize, 1)))
    shares = 1
    if -(-images // together) * groups * blocks < threads:
        shares = min(threads, len(panels))
    tasks = []
    for first in range(0, images, together):
        for group in range(groups):
            for block in range(blocks):
                here = min(rows, height - block * rows)
                for share in range(shares):
                    cut = (share * len(panels) // shares, (share + 1) * len(panels) // shares)
                    tasks.append((group, first, min(first + together, images), block * rows, here, *cut, int(here != rows)))
    table_pitch = pitch if copied else width
    tables = [tile_table(size, width, table_pitch, lanes, not copied) for size in sorted({rows, height - (blocks - 1) * rows}, reverse=True)]
    plane = (rows + rows_more) * pitch if copied else source_shape[2] * source_shape[3]
    c = np.arange(group_inputs)[:, None, None]
    a, b = np.array(rows_axis.taps)[None, :, None], np.array(columns_axis.taps)[None, None, :]
    phase = (c * phases[0] + a % stride[0]) * phases[1] + b % stride[1]
    offsets = phase * plane + a // stride[0] * pitch + b // stride[1]
    ends = np.cumsum([0] + [len(table) for table in tables])
    return Plan(
        workers=min(threads, max(len(tasks), 1)),
        tasks=np.array(tasks, np.int64).reshape(-1, 8),
        groups=groups,
        copied=copied,
        phases=np.array(phases),
        stride=np.array(stride),
        pitch=pitch,
        plane=plane,
        rows_more=rows_more,
        image=image_elements(rows) if copied else 0,
        row_source=np.array(rows_axis.source, np.int64),
        column_source=np.array(columns_axis.source, np.int64),
        plain_columns=np.array(_plain_part(columns_axis)),
        offsets=np.ascontiguousarray(offsets.reshape(-1), np.int64),
        panels=np.array(panels, np.int64),
        panels_first=panels_first,
        tiles=np.array([tile for table in tables for tile in table], np.int64),
        tile_counts=np.array([(ends[i], ends[i + 1]) for i in range(len(tables))], np.int64),
        columns=np.array(weight_columns, np.int64),
        row_step=row_step,
        group_step=group_step,
        output_plane=height * width,
        output_width=width,
    )


def _plain_part(axis: Axis) -> tuple[int, int]:
    """(first, end) positions of the padded axis where the source's own elements stand one after another."""
    source = axis.source
    start = next((q for q, index in enumerate(source) if index >= 0 and (q + 1 == len(source) or source[q + 1] == index + 1)), 0)
    end = start
    while end < len(source) and source[end] >= 0 and source[end] == source[start] + end - start:
        end += 1
    return start, end


def _tile(rows: int, vectors: int):
    """Emit the micro-kernel for tiles of so many output channels and vectors of pixels."""

    @intrinsic
    def tile(typingctx, sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full):
        signature = types.void(sample, *[types.intp] * 10)

        def codegen(context, builder, signature, arguments):
            v = Vectors(builder, signature.args[0])
            weights, source, offsets, count, out, out_pitch, table, bias, relu, full = arguments[1:]
            weights, source, out, bias = (v.pointer(value) for value in (weights, source, out, bias))
            offsets, table = v.index_pointer(offsets), v.index_pointer(table)
            places = [[builder.load(v.at(table, PLAIN_FIELDS * j + field)) for field in range(3)] for j in range(vectors)]
            starts = [v.at(source, place[0]) for place in places]

            def step(k, sums):
                offset = builder.load(v.at(offsets, k))
                pixels = [v.load(v.at(start, offset)) for start in starts]
                weight = v.at(weights, builder.mul(k, index_constant(rows)))
                results = []
                for i in range(rows):
                    spread = v.load_splat(v.at(weight, i))
                    results += [v.multiply_add(spread, pixels[j], sums[i * vectors + j]) for j in range(vectors)]
                return results

            begin = [v.load_splat(v.at(bias, i)) for i in range(rows) for _ in range(vectors)]
            sums = v.loop(count, begin, step)
            wanted = builder.icmp_signed("!=", relu, index_constant(0))
            sums = [builder.select(wanted, v.maximum_with_zero(value), value) for value in sums]
            targets = [v.at(v.at(out, builder.mul(out_pitch, index_constant(i))), places[j][1]) for i in range(rows) for j in range(vectors)]
            with builder.if_else(builder.icmp_signed("!=", full, index_constant(0))) as (then, otherwise):
                with then:
                    for value, target in zip(sums, targets, strict=True):
                        v.store(value, target)
                with otherwise:
                    masks = [_mask(v, place[2]) for place in places]
                    for position, (value, target) in enumerate(zip(sums, targets, strict=True)):
                        _store_lanes(v, value, target, masks[position % vectors])
            return context.get_dummy_value()

        return signature, codegen

    return tile


def _mask(v, bits):
    """The mask whose lane i is bit i of an integer."""
    return v.builder.bitcast(v.builder.trunc(bits, ir.IntType(v.lanes)), v.mask_type)


def _store_lanes(v, value, target, mask):
    """Store the lanes of the mask side by side; without AVX-512 masks are prefixes, for which a masked store is the same."""
    if not COMPRESSES:
        v.store_masked(value, target, mask)
        return
    kind = ir.FunctionType(ir.VoidType(), [v.type, target.type, v.mask_type])
    v.builder.call(declare(v.builder, f"llvm.masked.compressstore.{v.suffix}", kind), [value, target, mask])


_tile_6x4 = _tile(6, 4)
_tile_6x2 = _tile(6, 2)
_tile_6x1 = _tile(6, 1)
_tile_4x4 = _tile(4, 4)
_tile_4x2 = _tile(4, 2)
_tile_4x1 = _tile(4, 1)
_tile_2x4 = _tile(2, 4)
_tile_2x2 = _tile(2, 2)
_tile_2x1 = _tile(2, 1)
_tile_1x4 = _tile(1, 4)
_tile_1x2 = _tile(1, 2)
_tile_1x1 = _tile(1, 1)


@kernel(inline="never")
def _multiply(rows, vectors, sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full):
    """Run the micro-kernel of the tile's size."""
    if rows == 6:
        if vectors == 4:
            _tile_6x4(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        elif vectors == 2:
            _tile_6x2(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        else:
            _tile_6x1(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
    elif rows == 4:
        if vectors == 4:
            _tile_4x4(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        elif vectors == 2:
            _tile_4x2(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        else:
            _tile_4x1(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
    elif rows == 2:
        if vectors == 4:
            _tile_2x4(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        elif vectors == 2:
            _tile_2x2(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        else:
            _tile_2x1(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
    else:
        if vectors == 4:
            _tile_1x4(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        elif vectors == 2:
            _tile_1x2(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)
        else:
            _tile_1x1(sample, weights, source, offsets, count, out, out_pitch, table, bias, relu, full)


@kernel
def _copy_row_strided(target, at, source, from_, count, step):
    """Copy count elements that lie step apart."""
    for j in range(count):
        target[at + j] = source[from_ + j * step]


@kernel
def _copy_block(flat, source_shape, image, group, group_inputs, space, start, first_row, rows, plan):
    """One image's rows of a group's channels, with border, into the phases of the scratch block."""
    width = source_shape[3]
    zero = space.dtype.type(0)
    first_plain, end_plain = plan.plain_columns
    step_rows, step_columns = plan.stride
    for channel in range(group_inputs):
        plane = ((image * source_shape[1] + group * group_inputs + channel) * source_shape[2]) * width
        for phase_row in range(plan.phases[0]):
            for phase_column in range(plan.phases[1]):
                base = start + ((channel * plan.phases[0] + phase_row) * plan.phases[1] + phase_column) * plan.plane
                for i in range(rows + plan.rows_more):
                    at = base + i * plan.pitch
                    q = (first_row + i) * step_rows + phase_row
                    row = plan.row_source[q] if q < plan.row_source.size else -1
                    if row < 0:
                        for j in range(plan.pitch):
                            space[at + j] = zero
                        continue
                    line = plane + row * width
                    last = min(plan.pitch, (plan.column_source.size - phase_column + step_columns - 1) // step_columns)
                    first_j = min(max(0, (first_plain - phase_column + step_columns - 1) // step_columns), last)
                    end_j = max(first_j, min(last, (end_plain - phase_column + step_columns - 1) // step_columns))
                    for j in range(first_j):
                        column = plan.column_source[j * step_columns + phase_column]
                        space[at + j] = flat[line + column] if column >= 0 else zero
                    if end_j > first_j:
                        begin = line + plan.column_source[first_j * step_columns + phase_column]
                        if step_columns == 1:
                            for j in range(first_j, end_j):
                                space[at + j] = flat[begin + j - first_j]
                        else:
                            for j in range(first_j, end_j):
                                space[at + j] = flat[begin + (j - first_j) * step_columns]
                    for j in range(end_j, last):
                        column = plan.column_source[j * step_columns + phase_column]
                        space[at + j] = flat[line + column] if column >= 0 else zero
                    for j in range(last, plan.pitch):
                        space[at + j] = zero


@kernel
def _pack(weight, packed, plan):
    """Weights in the order the micro-kernel reads them: panel by panel, product by product, the panel's channels side by side."""
    products = plan.columns.size
    group_outputs = packed.size // (plan.groups * products)
    for group in range(plan.groups):
        for panel in range(plan.panels.shape[0]):
            first, rows = plan.panels[panel]
            base = (group * group_outputs + first) * products
            start = group * plan.group_step + first * plan.row_step
            for k in range(products):
                for i in range(rows):
                    packed[base + k * rows + i] = weight[start + i * plan.row_step + plan.columns[k]]


@kernel(parallel=True)
def _pack_parallel(weight, packed, plan):
    products = plan.columns.size
    group_outputs = packed.size // (plan.groups * products)
    panels = plan.panels.shape[0]
    for task in prange(plan.groups * panels):
        group = task // panels
        first, rows = plan.panels[task % panels]
        base = (group * group_outputs + first) * products
        start = group * plan.group_step + first * plan.row_step
        for k in range(products):
            for i in range(rows):
                packed[base + k * rows + i] = weight[start + i * plan.row_step + plan.columns[k]]


@kernel
def _run_task(source, packed, bias, out, space, task, plan, relu):
    group, first_image, end_image, first_row, rows, first_panel, end_panel, table = task
    source_shape = source.shape
    itemsize = source.itemsize
    sample = source.dtype.type(0)
    group_inputs = source_shape[1] // plan.groups
    group_outputs = out.shape[1] // plan.groups
    products = plan.offsets.size
    flat = source.reshape(-1)
    if plan.copied:
        for image in range(first_image, end_image):
            _copy_block(flat, source_shape, image, group, group_inputs, space, (image - first_image) * plan.image, first_row, rows, plan)
    first_tile, end_tile = plan.tile_counts[table]
    images = end_image - first_image
    tiles = end_tile - first_tile
    panels = end_panel - first_panel
    for step in range(images * tiles * panels):
        if plan.panels_first:
            tile = step % tiles
            image = step // tiles % images
            panel = step // (tiles * images)
        else:
            panel = step % panels
            tile = step // panels % tiles
            image = step // (panels * tiles)
        first, size = plan.panels[first_panel + panel]
        row = plan.tiles[first_tile + tile]
        channel = group * group_outputs + first
        if plan.copied:
            begin = address(space) + image * plan.image * itemsize
        else:
            element = ((first_image + image) * source_shape[1] + group * group_inputs) * plan.plane + first_row * plan.output_width
            begin = address(source) + element * itemsize
        target = ((first_image + image) * out.shape[1] + channel) * plan.output_plane + first_row * plan.output_width
        _multiply(size, row[0], sample, address(packed) + channel * products * itemsize, begin, address(plan.offsets), products,
                  address(out) + target * itemsize, plan.output_plane, address(plan.tiles) + ((first_tile + tile) * plan.tiles.shape[1] + 2) * 8,
                  address(bias) + channel * itemsize, relu, row[1])  # fmt: skip


@kernel(parallel=True)
def _run(source, packed, bias, out, spaces, plan, relu):
    """Every worker does its share of the tasks with scratch memory of its own."""
    for worker in prange(plan.workers):
        first = worker * plan.tasks.shape[0] // plan.workers
        end = (worker + 1) * plan.tasks.shape[0] // plan.workers
        for t in range(first, end):
            _run_task(source, packed, bias, out, spaces[worker], plan.tasks[t], plan, relu)


@kernel
def _run_serial(source, packed, bias, out, spaces, plan, relu):
    for t in range(plan.tasks.shape[0]):
        _run_task(source, packed, bias, out, spaces[0], plan.tasks[t], plan, relu)


def correlate(source, weight, bias, out, plan, threads, relu):
    """Fill out: the plan's correlation of source with weight."""
    together = int((plan.tasks[:, 2] - plan.tasks[:, 1]).max()) if len(plan.tasks) else 0
    block = (together * plan.image + 64 + 15) // 16 * 16
    packed_size = (weight.size + 64 + 15) // 16 * 16
    needed = out.shape[1] * plan.columns.size
    packed_size = (needed + 64 + 15) // 16 * 16
    space = memory.workspace(plan.workers * block + packed_size, source.dtype)
    packed = space[:needed]
    spaces = space[packed_size:].reshape(plan.workers, block)
    if needed > 20_000 and threads > 1:
        _pack_parallel(weight.reshape(-1), packed, plan)
    else:
        _pack(weight.reshape(-1), packed, plan)
    if plan.workers > 1:
        _run(source, packed, bias, out, spaces, plan, relu)
    else:
        _run_serial(source, packed, bias, out, spaces, plan, relu)
    return out


@plan_cache
def _forward_plan(x_shape, weight_shape, stride, padding, dilation, groups, padding_mode, dtype, threads):
    code = PADDING_CODES[padding_mode]
    rows = forward_axis(x_shape[2], weight_shape[2], stride[0], padding[0], padding[1], dilation[0], code)
    columns = forward_axis(x_shape[3], weight_shape[3], stride[1], padding[2], padding[3], dilation[1], code)
    products = weight_shape[1] * weight_shape[2] * weight_shape[3]
    group_outputs = weight_shape[0] // groups
    shape = (x_shape[0], weight_shape[0], rows.size, columns.size)
    if 0 in shape:
        return shape, None
    return shape, make_plan(x_shape, rows, columns, weight_shape[0], weight_shape[1], groups, range(products), products,
                     group_outputs * products, dtype, threads)  # fmt: skip


@plan_cache
def _zeros(count, dtype):
    return np.zeros(count, dtype)


def conv2d_direct(x, weight, bias, stride, padding, dilation, groups, padding_mode, activation):
    from ..threads import get_num_threads
    threads = get_num_threads()
    shape, plan = _forward_plan(x.shape, weight.shape, stride, padding, dilation, groups, padding_mode, x.dtype.char, threads)
    out = memory.empty(shape, x.dtype)
    if plan is None:
        return out
    if bias is None:
        bias = _zeros(weight.shape[0], x.dtype.char)
    return correlate(x, weight, bias, out, plan, threads, int(activation == "relu"))


@plan_cache
def _backward_plan(grad_shape, weight_shape, x_shape, stride, padding, dilation, groups, dtype, threads):
    group_inputs, kernel_height, kernel_width = weight_shape[1:]
    taps = kernel_height * kernel_width
    group_outputs = weight_shape[0] // groups
    parts = []
    for phase_row in range(min(stride[0], x_shape[2])):
        rows = backward_axis(x_shape[2], grad_shape[2], kernel_height, stride[0], padding[0], dilation[0], phase_row)
        for phase_column in range(min(stride[1], x_shape[3])):
            columns = backward_axis(x_shape[3], grad_shape[3], kernel_width, stride[1], padding[2], dilation[1], phase_column)
            shape = (grad_shape[0], x_shape[1], rows.size, columns.size)
            if not rows.taps or not columns.taps or 0 in shape or 0 in grad_shape:
                parts.append((phase_row, phase_column, shape, None))
                continue
            used = [o * group_inputs * taps + a * kernel_width + b for o in range(group_outputs) for a in rows.kept for b in columns.kept]
            plan = make_plan(grad_shape, rows, columns, x_shape[1], group_outputs, groups, used, taps,
                             group_outputs * group_inputs * taps, dtype, threads)  # fmt: skip
            parts.append((phase_row, phase_column, shape, plan))
    return parts


@kernel(parallel=True)
def _interleave(part, grad_x, phase_row, phase_column, step_row, step_column):
    """grad_x at every step-th row and column from the phase on."""
    images, channels = part.shape[:2]
    for task in prange(images * channels):
        n = task // channels
        c = task % channels
        for i in range(part.shape[2]):
            for j in range(part.shape[3]):
                grad_x[n, c, phase_row + i * step_row, phase_column + j * step_column] = part[n, c, i, j]


def conv2d_grad_x_direct(grad, weight, x_shape, stride, padding, dilation, groups, padding_mode):
    from ..threads import get_num_threads
    threads = get_num_threads()
    if padding_mode != "zeros" and any(padding):
        padded_shape = (*x_shape[:2], x_shape[2] + padding[0] + padding[1], x_shape[3] + padding[2] + padding[3])
        padded = conv2d_grad_x_direct(grad, weight, padded_shape, stride, (0, 0, 0, 0), dilation, groups, "zeros")
        grad_x = memory.zeros(x_shape, grad.dtype)
        code = PADDING_CODES[padding_mode]
        rows = np.array([source_index(q - padding[0], x_shape[2], code) for q in range(padded_shape[2])])
        columns = np.array([source_index(q - padding[2], x_shape[3], code) for q in range(padded_shape[3])])
        _fold(padded, grad_x, rows, columns)
        return grad_x
    parts = _backward_plan(grad.shape, weight.shape, x_shape, stride, padding, dilation, groups, grad.dtype.char, threads)
    bias = _zeros(x_shape[1], grad.dtype.char)
    grad_x = memory.empty(x_shape, grad.dtype)
    for phase_row, phase_column, shape, plan in parts:
        if stride == (1, 1) and plan is not None:
            return correlate(grad, weight, bias, grad_x, plan, threads, 0)
        if plan is None:
            grad_x[:, :, phase_row :: stride[0], phase_column :: stride[1]] = 0
            continue
        part = correlate(grad, weight, bias, memory.empty(shape, grad.dtype), plan, threads, 0)
        _interleave(part, grad_x, phase_row, phase_column, stride[0], stride[1])
    return grad_x


@kernel(parallel=True)
def _fold(padded, grad_x, rows, columns):
    """Add every padded cell to the pixel it is a copy of."""
    images, channels = padded.shape[:2]
    for task in prange(images * channels):
        n = task // channels
        c = task % channels
        for i in range(rows.size):
            if rows[i] >= 0:
                for j in range(columns.size):
                    if columns[j] >= 0:
                        grad_x[n, c, rows[i], columns[j]] += padded[n, c, i, j]
