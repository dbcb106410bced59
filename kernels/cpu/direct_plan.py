"""What the direct convolution works out once for a shape: where every tap lies, and how the work is cut into tasks.

Forward and grad-input are one problem: sums over taps of a source image. A `Tap` reads source row r * row_step +
tap.row for the result's row r.

    forward      the source is x, steps are the stride, the tap (a, b) reads row a * d_h - top
    grad-input   the source is grad_y with steps 1. Element h of grad_x is reached by the taps with (h + top - a * d_h) divisible by s_h,
                 so its rows fall into s_h phases, likewise its columns: s_h * s_w sub-convolutions with fewer taps each, results
                 interleaved. Where the kernel is as large as the stride each has one tap, and grad_y is read in place.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..plans import plan_cache
from ..reference.conv import PADDING_CODES, output_shape
from ..simd import VECTOR_BYTES, vector_length
from .direct_kernel import TALLEST, TILE_VECTORS, panel_stride

# Bytes of pixels that one pass over the weights may use, so that they stay in the first-level cache.
TAPS_BYTES = 36 << 10
# Bytes of copied input, and of results, that one task works on, so that they stay in the second-level cache.
WORKSPACE_BYTES = 256 << 10
RESULT_BYTES = 1 << 20
# Pages of memory that one pass over channels read in place may touch: the processor's first table of pages holds 64 to 96.
PAGES, PAGE_BYTES = 64, 4096


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


class Layout(NamedTuple):
    """How the input is copied: `row_places` and `column_places` give a tap's copy and its shift within it."""

    row_starts: np.ndarray
    row_places: dict[int, tuple[int, int]]
    column_starts: np.ndarray
    column_places: dict[int, tuple[int, int]]
    pitch: int
    halo: int
    copies: int


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
    weight_step: int  # between computed channels in the weight, where that is read in place; 0: it is packed
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
    # Of every tap of every phase, for one block of channels: its place in the workspace, and in the weight.
    offsets: np.ndarray
    positions: np.ndarray  # of every vector of pixels of a task
    # A row a phase: first offset, taps, first packed weight, first result row and column, first and last run.
    phases: np.ndarray
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
    """The gradient with respect to x: its row h sums the grad_y rows (h + top - a * d_h) / s_h that are whole numbers.

    Phase i holds the rows h = u * s_h + i, so that every phase begins inside the result and none computes rows in vain.
    """
    grid = -(-x_shape[2] // stride[0]), -(-x_shape[3] // stride[1])
    phases = []
    for i in range(stride[0]):
        for j in range(stride[1]):
            row, column = i + padding[0], j + padding[2]
            taps = tuple(
                Tap((row - a * dilation[0]) // stride[0], (column - b * dilation[1]) // stride[1], a * weight_shape[3] + b)
                for a in range(weight_shape[2])
                for b in range(weight_shape[3])
                if (row - a * dilation[0]) % stride[0] == 0 and (column - b * dilation[1]) % stride[1] == 0
            )
            phases.append(Phase(taps, i, j))
    elements = weight_shape[2] * weight_shape[3]
    return Problem(grad_shape, x_shape, groups, grid, (1, 1), stride, tuple(phases), elements, True)


def height_time(height):
    """Time of a tile's tap and vector of pixels, in channels: loads, not arithmetic, bound a tile of few channels."""
    return max(height, 2.5 + height / 10)


def tile_height(channels):
    """The tile height that computes `channels` channels in the least time."""
    return min(sorted(TILE_VECTORS, reverse=True), key=lambda height: -(-channels // height) * height_time(height))


def shifted_copies(offsets, step):
    """Starts of the copies that serve these offsets, and for each offset its copy and how many steps it lies behind the
    start.

    Offsets that differ by a multiple of the step share a copy.
    """
    starts: dict[int, int] = {}
    for offset in offsets:
        starts[offset % step] = min(offset, starts.get(offset % step, offset))
    order = {residue: i for i, residue in enumerate(starts)}
    places = {offset: (order[offset % step], (offset - starts[offset % step]) // step) for offset in offsets}
    return np.array(list(starts.values()), np.int64), places


def copy_layout(problem, aligned, side_by_side=False):
    """Which copies of the input the workspace holds; none where every tap reads the pixel that it computes, of one image.

    Rows of whole vectors (`aligned`) need one copy for each column phase: a tap is a shift along the row. Else there is
    one copy for each kernel column, with rows as long as the result's, so that the pixels of neighbouring rows follow
    each other without a gap.
    """
    all_taps = [tap for phase in problem.phases for tap in phase.taps]
    at_the_pixel = all(tap.row == 0 and tap.column == 0 for tap in all_taps) and problem.source_step == (1, 1)
    in_place = at_the_pixel and problem.grid == problem.source_shape[2:] and not side_by_side
    row_starts, row_places = shifted_copies([tap.row for tap in all_taps], problem.source_step[0])
    if aligned:
        column_starts, column_places = shifted_copies([tap.column for tap in all_taps], problem.source_step[1])
    else:
        distinct = sorted({tap.column for tap in all_taps})
        column_starts = np.array(distinct, np.int64)
        column_places = {column: (i, 0) for i, column in enumerate(distinct)}
    return Layout(
        row_starts=row_starts,
        row_places=row_places,
        column_starts=column_starts,
        column_places=column_places,
        pitch=problem.grid[1] + max(place[1] for place in column_places.values()),
        halo=max(place[1] for place in row_places.values()),
        copies=0 if in_place else len(row_starts) * len(column_starts),
    )


def tile_time(pixels, lanes, height):
    """Time of computing so many neighbouring pixels, in units of one vector in a whole tile."""
    width = TILE_VECTORS[height]
    vectors = -(-pixels // lanes)
    whole = pixels // lanes // width * width
    return whole + (vectors - whole) * 1.15


def copied_bytes(problem, layout, slots, block_channels, dtype):
    """Bytes of the workspace for whole images."""
    pixels = (problem.grid[0] + layout.halo) * slots * layout.pitch
    return block_channels * layout.copies * pixels * np.dtype(dtype).itemsize


def image_time(problem, slots, height, block_channels, dtype):
    """Estimated processor cycles for one image when `slots` images lie side by side."""
    lanes = vector_length(dtype)
    rows, columns = problem.grid
    sum_channels = problem.source_shape[1] // problem.groups
    channels = problem.result_shape[1] // problem.groups
    layout = copy_layout(problem, slots == 1 and columns % lanes == 0, slots > 1)
    taps = sum_channels * sum(len(phase.taps) for phase in problem.phases)
    panels = -(-channels // height)
    # Two multiply-adds a cycle; a copied or scattered vector costs a few cycles, more where it misses the first-level
    # cache.
    time = tile_time(slots * rows * columns, lanes, height) / slots * taps * panels * height_time(height) / 2
    near = copied_bytes(problem, layout, slots, block_channels, dtype) <= TAPS_BYTES
    copied_rows = sum_channels * layout.copies * (rows + layout.halo)
    time += copied_rows * -(-layout.pitch // lanes) * (2 if near else 6)
    if slots > 1 or len(problem.phases) > 1:
        time += channels * rows * len(problem.phases) * (2 + 2 * columns / lanes)
    images = max(problem.source_shape[0], 1)  # an empty batch is planned like one image
    return time * -(-images // slots) * slots / images


def images_side_by_side(problem, height, block_channels, dtype, threads):
    """How many images one task should lay side by side, so that small maps fill whole vectors."""
    images = problem.source_shape[0]
    layout = copy_layout(problem, False, True)
    panels = -(-(problem.result_shape[1] // problem.groups) // height)
    times = {1: image_time(problem, 1, height, block_channels, dtype)}
    for slots in range(2, min(images, 16) + 1):
        fits = 0 < copied_bytes(problem, layout, slots, block_channels, dtype) <= WORKSPACE_BYTES
        if fits and (-(-images // slots) >= 2 * threads or panels >= 4 * threads):
            times[slots] = image_time(problem, slots, height, block_channels, dtype)
    best = min(times.values())
    if best > 0.93 * times[1]:
        return 1
    return min(slots for slots, time in times.items() if time <= 1.03 * best)


def channel_block(problem, height, most=None):
    """How many of the summed channels one pass takes, at most `most`, so that its pixels stay in the first-level cache."""
    sum_channels = problem.source_shape[1] // problem.groups
    most_taps = max(len(phase.taps) for phase in problem.phases)
    most_channels = max(1, TAPS_BYTES // (TILE_VECTORS[height] * VECTOR_BYTES * most_taps))
    most_channels = min(most_channels, most or most_channels)
    blocks = max(1, (sum_channels + most_channels // 3) // most_channels)
    return -(-sum_channels // blocks)


def cut(problem, layout, slots, height, block_channels, dtype, threads):
    """(rows of a task, blocks of rows, chunks of panels): tasks that fit the second-level cache, for all threads."""
    rows, columns = problem.grid
    itemsize = np.dtype(dtype).itemsize
    sum_channels = problem.source_shape[1] // problem.groups
    channels = problem.result_shape[1] // problem.groups
    row_bytes = max(layout.copies, 1) * block_channels * slots * layout.pitch * itemsize
    block_rows = max(1, min(rows, WORKSPACE_BYTES // row_bytes - layout.halo))
    if block_channels < sum_channels or len(problem.phases) > 1:
        result_row_bytes = channels * slots * columns * itemsize * len(problem.phases)
        # Every task reads all weights: it should have at least as many results.
        weight_bytes = channels * sum_channels * problem.kernel_elements * itemsize
        block_rows = max(1, min(block_rows, max(RESULT_BYTES, weight_bytes) // result_row_bytes))
    blocks = -(-rows // block_rows)
    chunks = 1
    independent = -(-problem.source_shape[0] // slots) * problem.groups
    if independent * blocks < 4 * threads and independent % threads:
        if rows * columns >= 24 * vector_length(dtype) * threads * (1 + layout.halo):
            blocks = -(-max(blocks, 2) // threads) * threads
        else:
            chunks = min(-(-channels // height), threads)
    block_rows = -(-rows // blocks)
    return block_rows, -(-rows // block_rows), chunks


def neighbours(elements):
    """Runs of consecutive numbers in a list: rows of (first, how many)."""
    starts = np.flatnonzero(np.diff(elements, prepend=elements[:1] - 2) != 1)
    return np.stack([elements[starts], np.diff(starts, append=len(elements))], axis=1).reshape(-1, 2)


def tap_tables(problem, layout, row_pitch, plane, block_channels, packed_panels):
    """(offsets, runs, phases, packed elements): see `Plan`; one tap takes `packed_panels` packed elements in all."""
    source_rows, source_columns = problem.source_shape[2:]
    sum_channels = problem.source_shape[1] // problem.groups
    channel = np.arange(sum_channels, dtype=np.int64)[:, None]
    channel_pitch = layout.copies * plane if layout.copies else source_rows * source_columns
    offsets, runs, phases = [], [], []
    packed = 0
    for phase in problem.phases:
        places = [(layout.row_places[tap.row], layout.column_places[tap.column]) for tap in phase.taps]
        within = [
            (row_copy * len(layout.column_starts) + column_copy) * plane + row * row_pitch + column
            for (row_copy, row), (column_copy, column) in places
        ]
        elements = [tap.element for tap in phase.taps]
        phase_runs = neighbours((channel * weight_pitch(problem) + np.array(elements, np.int64)).reshape(-1))
        taps = sum_channels * len(phase.taps)
        first_run = sum(map(len, runs))
        first_offset = sum(map(len, offsets))
        last_run = first_run + len(phase_runs)
        phases.append((first_offset, taps, packed, phase.first_row, phase.first_column, first_run, last_run))
        chosen = channel[:block_channels]
        pixels = (chosen * channel_pitch + np.array(within, np.int64)).reshape(-1)
        weights = (chosen * weight_pitch(problem) + np.array(elements, np.int64)).reshape(-1)
        offsets.append(np.stack([pixels, weights], axis=1))
        runs.append(phase_runs)
        packed += taps * packed_panels
    return np.concatenate(offsets), np.concatenate(runs), np.array(phases, np.int64), packed


def weight_pitch(problem):
    """How far the weights of neighbouring summed channels lie apart."""
    channels = problem.result_shape[1] // problem.groups
    return problem.kernel_elements * (channels if problem.transposed else 1)


def weights_in_place(problem, height):
    """Whether the micro-kernel reads the weights where they lie: where all tiles are whole ones of the tallest kind.

    The gradient of a 1 x 1 kernel is better packed: its channels are neighbours, so packing is only a copy.
    """
    channels = problem.result_shape[1] // problem.groups
    return height == TALLEST and channels % height == 0 and not (problem.transposed and problem.kernel_elements == 1)


def make_plan(problem, padding_mode, dtype, threads):
    """Lay out the workspace and cut the work."""
    lanes = vector_length(dtype)
    sum_channels = problem.source_shape[1] // problem.groups
    channels = problem.result_shape[1] // problem.groups
    rows, columns = problem.grid
    height = tile_height(channels)
    panels = -(-channels // height)
    block_channels = channel_block(problem, height)
    slots = images_side_by_side(problem, height, block_channels, dtype, threads)
    layout = copy_layout(problem, slots == 1 and columns % lanes == 0, slots > 1)
    if layout.copies == 0:
        pages_of_a_plane = rows * columns * np.dtype(dtype).itemsize / PAGE_BYTES
        block_channels = channel_block(problem, height, int(PAGES / min(pages_of_a_plane, 1)))
    block_rows, blocks, chunks = cut(problem, layout, slots, height, block_channels, dtype, threads)
    chunk_panels = -(-panels // chunks)

    # Planes begin in different cache sets when their distance is an odd number of cache lines.
    area = (block_rows + layout.halo) * slots * layout.pitch
    plane = (-(-area // lanes) | 1) * lanes
    offsets, runs, phases, packed = tap_tables(
        problem, layout, slots * layout.pitch, plane, block_channels, problem.groups * panels * panel_stride(height)
    )
    in_place = weights_in_place(problem, height)
    weight_step = problem.kernel_elements * (1 if problem.transposed else sum_channels)
    scratch = int(slots > 1 or len(problem.phases) > 1)
    scratch_pitch = -(-block_rows * slots * columns // lanes) * lanes
    scratch_start = (block_channels * layout.copies * plane) + lanes
    thread_elements = scratch_start + scratch * len(problem.phases) * chunk_panels * height * scratch_pitch + lanes
    geometry = Geometry(
        images=problem.source_shape[0],
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
        halo=layout.halo,
        pitch=layout.pitch,
        plane=plane,
        padding_code=PADDING_CODES[padding_mode],
        weight_pitch=weight_pitch(problem),
        block_channels=block_channels,
        copies=layout.copies,
        weight_step=weight_step if in_place else 0,
        scratch=scratch,
        scratch_pitch=scratch_pitch,
        scratch_start=scratch_start,
        thread_elements=thread_elements,
        tasks=-(-problem.source_shape[0] // slots) * problem.groups * blocks * chunks,
    )
    pixels = np.arange(-(-block_rows * slots * columns // lanes) + TILE_VECTORS[height], dtype=np.int64) * lanes
    row_pixels = slots * columns
    return Plan(
        geometries=np.array([geometry], GEOMETRY_RECORD),
        row_starts=layout.row_starts,
        columns=layout.column_starts,
        offsets=offsets,
        positions=pixels // row_pixels * (slots * layout.pitch) + pixels % row_pixels,
        phases=phases,
        runs=runs,
        weight_step=weight_step,
        packed_elements=0 if in_place else packed,
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
