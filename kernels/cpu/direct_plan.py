"""What the direct convolution works out once for a shape: where every tap lies, and how the work is cut into tasks.

Forward and grad-input are one problem: sums over taps of a source image. A `Tap` reads source row r * row_step + tap.row for the result's row r.

    forward      the source is x, steps are the stride, the tap (a, b) reads row a * d_h - top
    grad-input   the source is grad_y with steps 1. Element h of grad_x is reached by the taps with (h + top - a * d_h) divisible by s_h, so its
                 rows fall into s_h phases, likewise its columns: s_h * s_w sub-convolutions with fewer taps each, results interleaved
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..plans import plan_cache
from ..reference.conv import PADDING_CODES, output_shape
from ..simd import VECTOR_BYTES, vector_length
from .direct_kernel import TILE_VECTORS, panel_stride

# Bytes of pixels that one pass over the weights may use, so that they stay in the first-level cache.
TAPS_BYTES = 36 << 10
# Bytes of copied input, and of results, that one task works on, so that they stay in the second-level cache.
WORKSPACE_BYTES = 256 << 10
RESULT_BYTES = 512 << 10
# A micro-kernel's time per tap and vector of pixels does not fall below that of this many channels: loads, not arithmetic, bound it.
LEAST_HEIGHT = 2.7


class Tap(NamedTuple):
    """One kernel element: what it adds to row and column, and its flat position in the kernel."""

    row: int
    column: int
    element: int


class Phase(NamedTuple):
    """A sub-convolution: its taps, and the row and column of the result that its grid's origin stands for."""

    taps: tuple[Tap, ...]
    first_row: int
    first_column: int


class Problem(NamedTuple):
    """A convolution of a source image, forward or backward."""

    source_shape: tuple[int, int, int, int]
    result_shape: tuple[int, int, int, int]
    groups: int
    grid: tuple[int, int]  # rows and columns that every phase computes
    source_step: tuple[int, int]
    result_step: tuple[int, int]  # distance in the result of neighbours in the grid
    phases: tuple[Phase, ...]
    kernel_elements: int
    transposed: bool  # the sum runs over the weight's first axis


class Geometry(NamedTuple):
    """The whole numbers that the compiled driver needs."""

    images: int
    groups: int
    sum_channels: int  # channels of one group that are summed over
    channels: int  # channels of one group that are computed
    height: int  # channels of a tile
    chunk_panels: int  # panels of `height` channels that one task computes
    chunks: int
    slots: int  # images side by side in the workspace
    block_rows: int  # grid rows of a task
    blocks: int
    grid_rows: int
    grid_columns: int
    row_step: int
    column_step: int
    result_row_step: int
    result_column_step: int
    halo: int  # workspace rows beyond the grid's
    pitch: int
    plane: int
    padding_code: int
    weight_pitch: int  # between the taps of neighbouring summed channels in the weight
    block_channels: int  # channels that are copied and summed at a time
    copies: int  # 0: the source is read in place
    scratch: int  # 0: tiles are stored straight into the result
    scratch_pitch: int
    scratch_start: int
    thread_elements: int
    tasks: int


GEOMETRY_RECORD = np.dtype([(name, np.int64) for name in Geometry._fields])


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that follows from the shapes; see `Geometry` for the numbers."""

    geometries: np.ndarray  # one record of `Geometry`: the compiled functions read fields by name, and pass one address
    row_starts: np.ndarray
    columns: np.ndarray
    offsets: np.ndarray  # in the workspace, of every tap of every phase, for one block of channels
    positions: np.ndarray  # of every vector of pixels of a task
    phases: np.ndarray  # a row a phase: first offset, taps, first packed weight, first result row and column, runs (from, to)
    runs: np.ndarray  # where neighbouring taps lie in the weight: flat position for the first channel, and how many
    weight_step: int
    packed_elements: int
    bias_elements: int
    workspace_elements: int
    result_shape: tuple[int, int, int, int]


def forward_problem(x_shape, weight_shape, stride, padding, dilation, groups):
    """The convolution itself."""
    shape = output_shape(x_shape, weight_shape, stride, padding, dilation)
    taps = tuple(
        Tap(a * dilation[0] - padding[0], b * dilation[1] - padding[2], a * weight_shape[3] + b)
        for a in range(weight_shape[2])
        for b in range(weight_shape[3])
    )
    elements = weight_shape[2] * weight_shape[3]
    return Problem(x_shape, shape, groups, shape[2:], stride, (1, 1), (Phase(taps, 0, 0),), elements, False)


def grad_x_problem(grad_shape, weight_shape, x_shape, stride, padding, dilation, groups):
    """The gradient with respect to x: row h = u * s_h + phase - top of it sums grad_y rows u - (a * d_h) // s_h."""
    first_row, first_column = padding[0] // stride[0], padding[2] // stride[1]
    rows = (x_shape[2] - 1 + padding[0]) // stride[0] + 1 - first_row
    columns = (x_shape[3] - 1 + padding[2]) // stride[1] + 1 - first_column
    phases = []
    for i in range(stride[0]):
        for j in range(stride[1]):
            taps = tuple(
                Tap(first_row - a * dilation[0] // stride[0], first_column - b * dilation[1] // stride[1], a * weight_shape[3] + b)
                for a in range(weight_shape[2])
                for b in range(weight_shape[3])
                if a * dilation[0] % stride[0] == i and b * dilation[1] % stride[1] == j
            )
            phases.append(Phase(taps, first_row * stride[0] + i - padding[0], first_column * stride[1] + j - padding[2]))
    elements = weight_shape[2] * weight_shape[3]
    return Problem(grad_shape, x_shape, groups, (rows, columns), (1, 1), stride, tuple(phases), elements, True)


def tile_height(channels):
    """The tile height that computes `channels` channels in the least time."""
    return min(sorted(TILE_VECTORS, reverse=True), key=lambda height: -(-channels // height) * max(height, LEAST_HEIGHT))


def shifted_copies(offsets, step):
    """Starts of the copies that serve these offsets, and for each offset its copy and how many steps it lies behind the start.

    Offsets that differ by a multiple of the step share a copy.
    """
    starts: dict[int, int] = {}
    for offset in offsets:
        starts[offset % step] = min(offset, starts.get(offset % step, offset))
    order = {residue: i for i, residue in enumerate(starts)}
    places = {offset: (order[offset % step], (offset - starts[offset % step]) // step) for offset in offsets}
    return np.array(list(starts.values()), np.int64), places


def tile_time(pixels, lanes, height):
    """Time of computing so many neighbouring pixels, in units of one vector in a whole tile."""
    width = TILE_VECTORS[height]
    vectors = -(-pixels // lanes)
    whole = pixels // lanes // width * width
    return whole + (vectors - whole) * 1.15


def images_side_by_side(problem, lanes, height, taps, threads):
    """How many images one task should lay side by side, so that small maps fill whole vectors."""
    rows, columns = problem.grid
    images = problem.source_shape[0]
    pixels = rows * columns
    if pixels >= 1024:
        return 1
    best, best_time = 1, 0.0
    for slots in range(1, 17):
        if slots > 1 and -(-images // slots) < 2 * threads:
            break
        time = tile_time(slots * pixels, lanes, height) / slots * taps * 0.5
        if slots > 1 and len(problem.phases) == 1:
            time += rows * (4 + 2 * columns / lanes)  # results then go through scratch memory
        if slots == 1 or time < 0.97 * best_time:
            best, best_time = slots, time
    return best


def neighbours(elements):
    """Runs of consecutive numbers in a list: rows of (first, how many)."""
    starts = np.flatnonzero(np.diff(elements, prepend=elements[:1] - 2) != 1)
    return np.stack([elements[starts], np.diff(starts, append=len(elements))], axis=1).reshape(-1, 2)


@plan_cache
def make_plan(problem, padding_mode, dtype, threads):
    """Lay out the workspace and cut the work."""
    lanes = vector_length(dtype)
    images, source_channels, source_rows, source_columns = problem.source_shape
    sum_channels = source_channels // problem.groups
    channels = problem.result_shape[1] // problem.groups
    height = tile_height(channels)
    panels = -(-channels // height)
    rows, columns = problem.grid
    all_taps = [tap for phase in problem.phases for tap in phase.taps]
    in_place = (
        all_taps == [(0, 0, 0)] and problem.source_step == (1, 1) and problem.grid == (source_rows, source_columns)
    )
    slots = 1 if in_place else images_side_by_side(problem, lanes, height, sum_channels * len(all_taps), threads)
    row_starts, row_places = shifted_copies([tap.row for tap in all_taps], problem.source_step[0])
    aligned = slots == 1 and columns % lanes == 0
    if aligned:
        column_starts, column_places = shifted_copies([tap.column for tap in all_taps], problem.source_step[1])
    else:
        distinct = sorted({tap.column for tap in all_taps})
        column_starts = np.array(distinct, np.int64)
        column_places = {column: (i, 0) for i, column in enumerate(distinct)}
    pitch = columns + max(place[1] for place in column_places.values())
    halo = max(place[1] for place in row_places.values())
    copies = 0 if in_place else len(row_starts) * len(column_starts)

    itemsize = np.dtype(dtype).itemsize
    width = TILE_VECTORS[height]
    most_taps = max(len(phase.taps) for phase in problem.phases)
    most_channels = max(1, TAPS_BYTES // (width * VECTOR_BYTES * most_taps))
    channel_blocks = max(1, (sum_channels + most_channels // 3) // most_channels)
    block_channels = -(-sum_channels // channel_blocks)
    row_bytes = max(copies, 1) * block_channels * slots * pitch * itemsize
    result_row_bytes = channels * slots * columns * itemsize * len(problem.phases)
    groups_of_images = -(-images // slots)
    block_rows = max(1, min(rows, WORKSPACE_BYTES // row_bytes - halo))
    if channel_blocks > 1:
        block_rows = max(1, min(block_rows, RESULT_BYTES // result_row_bytes))
    blocks = -(-rows // block_rows)
    chunks = 1
    independent = groups_of_images * problem.groups
    if independent * blocks < 4 * threads and independent % threads:
        if rows * columns >= 24 * lanes * threads * (1 + halo):
            blocks = -(-max(blocks, 2) // threads) * threads
        else:
            chunks = min(panels, threads)
    block_rows = -(-rows // blocks)
    blocks = -(-rows // block_rows)

    area = (block_rows + halo) * slots * pitch
    line = VECTOR_BYTES // itemsize
    plane = ((-(-area // line)) | 1) * line  # an odd number of cache lines: planes then start in different cache sets
    offsets, runs, phase_rows = [], [], []
    packed = 0
    order = np.arange(sum_channels, dtype=np.int64)[:, None]
    for phase in problem.phases:
        places = [(row_places[tap.row], column_places[tap.column]) for tap in phase.taps]
        within = np.array(
            [(a[0] * len(column_starts) + b[0]) * plane + a[1] * slots * pitch + b[1] for a, b in places], np.int64
        )
        elements = np.array([tap.element for tap in phase.taps], np.int64)
        if in_place:
            phase_offsets = order[:block_channels] * (source_rows * source_columns)
        else:
            phase_offsets = order[:block_channels] * (copies * plane) + within
        source_stride = problem.kernel_elements * (channels if problem.transposed else 1)
        count = sum_channels * len(phase.taps)
        phase_runs = neighbours((order * source_stride + elements).reshape(-1))
        first_run = sum(map(len, runs))
        phase_rows.append(
            (sum(map(len, offsets)), count, packed, phase.first_row, phase.first_column, first_run, first_run + len(phase_runs))
        )
        offsets.append(phase_offsets.reshape(-1))
        runs.append(phase_runs)
        packed += problem.groups * panels * count * panel_stride(height)

    scratch = int(slots > 1 or len(problem.phases) > 1)
    chunk_panels = -(-panels // chunks)
    scratch_pitch = -(-block_rows * slots * columns // line) * line
    scratch_start = block_channels * copies * plane + line
    thread_elements = scratch_start + scratch * len(problem.phases) * chunk_panels * height * scratch_pitch + line
    vectors = np.arange(-(-block_rows * slots * columns // lanes) + width, dtype=np.int64) * lanes
    row_pitch = slots * columns
    geometry = Geometry(
        images=images,
        groups=problem.groups,
        sum_channels=sum_channels,
        channels=channels,
        height=height,
        chunk_panels=chunk_panels,
        chunks=chunks,
        slots=slots,
        block_rows=block_rows,
        blocks=blocks,
        grid_rows=rows,
        grid_columns=columns,
        row_step=problem.source_step[0],
        column_step=problem.source_step[1],
        result_row_step=problem.result_step[0],
        result_column_step=problem.result_step[1],
        halo=halo,
        pitch=pitch,
        plane=plane,
        padding_code=PADDING_CODES[padding_mode],
        weight_pitch=problem.kernel_elements * (channels if problem.transposed else 1),
        block_channels=block_channels,
        copies=copies,
        scratch=scratch,
        scratch_pitch=scratch_pitch,
        scratch_start=scratch_start,
        thread_elements=thread_elements,
        tasks=groups_of_images * problem.groups * blocks * chunks,
    )
    return Plan(
        geometries=np.array([geometry], GEOMETRY_RECORD),
        row_starts=row_starts,
        columns=column_starts,
        offsets=np.concatenate(offsets),
        positions=vectors // row_pitch * (slots * pitch) + vectors % row_pitch,
        phases=np.array(phase_rows, np.int64),
        runs=np.concatenate(runs),
        weight_step=problem.kernel_elements * (1 if problem.transposed else sum_channels),
        packed_elements=packed,
        bias_elements=problem.groups * panels * height,
        workspace_elements=threads * thread_elements,
        result_shape=problem.result_shape,
    )


@plan_cache
def forward_plan(x_shape, weight_shape, stride, padding, dilation, groups, padding_mode, dtype, threads):
    """The plan of a forward convolution."""
    problem = forward_problem(x_shape, weight_shape, stride, padding, dilation, groups)
    return make_plan(problem, padding_mode, dtype, threads)


@plan_cache
def grad_x_plan(grad_shape, weight_shape, x_shape, stride, padding, dilation, groups, dtype, threads):
    """The plan of a gradient with respect to x; the padding is zeros, other modes are folded back afterwards."""
    problem = grad_x_problem(grad_shape, weight_shape, x_shape, stride, padding, dilation, groups)
    return make_plan(problem, "zeros", dtype, threads)
