"""What a depthwise convolution works out once for a shape: the runs of taps, and how the planes are cut into tasks.

The problem is that of `direct_plan`, forward and grad-input alike. A task is some neighbouring groups of one image and
a block of rows: it copies their input into a padded workspace of the first-level cache's size (direct_copy.py) and
convolves plane by plane (depthwise_tile.py).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..plans import plan_cache
from ..reference.conv import PADDING_CODES
from .depthwise_tile import COLUMNS, HEIGHTS, LONGEST_RUN, lanes_of
from .direct_plan import copy_layout, forward_problem, grad_x_problem

# Bytes of copied input, and of results that wait to be interleaved, of one task.
WORKSPACE_BYTES = 24 << 10
# Pixels that one lane of the weight's gradient adds up before its sum goes to the float64 total.
STEPS_AT_ONCE = 512


class Run(NamedTuple):
    """Taps below each other: where the first lies in the workspace, and which elements of the weights they are."""

    offset: int
    elements: tuple[int, ...]


class Geometry(NamedTuple):
    """The whole numbers that the compiled drivers need."""

    images: int
    groups: int
    sum_channels: int  # channels of one group that are summed over
    channels: int  # channels of one group that are computed
    task_groups: int
    group_blocks: int
    block_rows: int
    blocks: int
    grid_rows: int
    grid_columns: int
    row_step: int
    column_step: int
    result_row_step: int
    result_column_step: int
    halo: int
    pitch: int
    plane: int
    source_step: int  # workspace elements of one group
    padding_code: int
    narrow: int
    weight_elements: int  # of one computed channel
    packed: int  # packed elements of one computed channel, the bias with each phase
    scratch: int  # 0: planes are stored straight into the result
    scratch_plane: int
    scratch_start: int
    packed_start: int
    thread_elements: int
    tasks: int
    shares: int  # of the images, for the weight's gradient
    sums_start: int
    sums: int  # elements of the sums of one computed channel
    lanes: int


GEOMETRY_RECORD = np.dtype([(name, np.int64) for name in Geometry._fields])


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that follows from the shapes; see `Geometry` for the numbers."""

    geometries: np.ndarray  # one record
    row_starts: np.ndarray
    columns: np.ndarray
    offsets: np.ndarray  # of the runs of every phase
    # A row a phase: first offset, runs of three, of two, single taps, first packed weight, first result row and column.
    phases: np.ndarray
    elements: np.ndarray  # which element of a channel's weights each packed one is; -1 is the bias
    # For the weight's gradient, a row a pass: first offset, taps of a run, first sum. `pass_elements` says where each sum
    # goes; one place beyond the last tap takes those of no use.
    passes: np.ndarray
    pass_offsets: np.ndarray
    pass_elements: np.ndarray
    result_shape: tuple[int, int, int, int]
    workspace_elements: int


def runs_of(problem, layout, phase, pitch, plane):
    """The phase's taps as runs, the longest first."""
    columns: dict[tuple[int, int], dict[int, int]] = {}
    channel_step = layout.copies * plane
    for channel in range(problem.source_shape[1] // problem.groups):
        for tap in phase.taps:
            row_copy, row = layout.row_places[tap.row]
            column_copy, column = layout.column_places[tap.column]
            start = channel * channel_step + (row_copy * len(layout.column_starts) + column_copy) * plane + column
            element = channel * problem.kernel_elements + tap.element
            columns.setdefault((channel, start), {})[row] = element
    runs = []
    for (_, start), rows in columns.items():
        left = sorted(rows)
        while left:
            length = 1
            while length < min(LONGEST_RUN, len(left)) and left[length] == left[0] + length:
                length += 1
            runs.append(Run(start + left[0] * pitch, tuple(rows[row] for row in left[:length])))
            left = left[length:]
    return sorted(runs, key=lambda run: -len(run.elements))


def phase_tables(problem, layout, pitch, plane):
    """(offsets, phases, elements): see `Plan`."""
    offsets, phases, elements = [], [], []
    for phase in problem.phases:
        runs = runs_of(problem, layout, phase, pitch, plane)
        counts = [sum(len(run.elements) == length for run in runs) for length in (3, 2, 1)]
        phases.append((len(offsets), *counts, len(elements), phase.first_row, phase.first_column))
        offsets += [run.offset for run in runs]
        elements.append(-1)
        for run in runs:
            elements += run.elements
    return np.array(offsets, np.int64), np.array(phases, np.int64), np.array(elements, np.int64)


def pass_tables(problem, layout, pitch, plane):
    """(passes, offsets, elements): the runs of equal length, COLUMNS at a time; a pass that is not full repeats its last run in vain."""
    runs = runs_of(problem, layout, problem.phases[0], pitch, plane)
    passes, offsets, elements = [], [], []
    for length in (3, 2, 1):
        equal = [run for run in runs if len(run.elements) == length]
        for first in range(0, len(equal), COLUMNS):
            chosen = equal[first : first + COLUMNS]
            passes.append((len(offsets), length, len(elements)))
            for run in chosen:
                elements += run.elements
            elements += [problem.kernel_elements] * (length * (COLUMNS - len(chosen)))
            offsets += [run.offset for run in chosen] + [chosen[-1].offset] * (COLUMNS - len(chosen))
    return np.array(passes, np.int64), np.array(offsets, np.int64), np.array(elements, np.int64)


def cut(problem, layout, pitch, itemsize, threads):
    """(rows of a task, groups of a task): what fits the first-level cache, and enough tasks for all threads."""
    rows = problem.grid[0]
    sum_channels = problem.source_shape[1] // problem.groups
    row_bytes = sum_channels * layout.copies * pitch * itemsize
    block_rows = max(1, min(rows, WORKSPACE_BYTES // row_bytes - layout.halo))
    blocks = -(-rows // block_rows)
    task_groups = max(1, min(problem.groups, WORKSPACE_BYTES // (row_bytes * (rows + layout.halo)))) if blocks == 1 else 1
    images = max(problem.source_shape[0], 1)
    wanted = 4 * threads if threads > 1 else 1
    if images * -(-problem.groups // task_groups) * blocks < wanted:
        task_groups = max(1, min(task_groups, images * problem.groups // wanted))
        if images * problem.groups * blocks < wanted:
            blocks = min(-(-rows // 4), -(-wanted // (images * problem.groups)))
    block_rows = -(-rows // max(blocks, 1))
    return max(block_rows, 1), task_groups


def tile_height(rows):
    """The tile that computes so many rows with the fewest computed twice; a tile never has more rows than there are."""
    return min((height for height in HEIGHTS if height <= rows), key=lambda height: -(-rows // height) * (height + 1))


def make_plan(problem, padding_mode, itemsize, threads):
    """Lay out the workspace and cut the work."""
    rows, columns = problem.grid
    channels = problem.result_shape[1] // problem.groups
    sum_channels = problem.source_shape[1] // problem.groups
    layout = copy_layout(problem, True)
    copies = len(layout.row_starts) * len(layout.column_starts)
    layout = layout._replace(copies=copies)
    narrow = columns <= lanes_of(itemsize, True) < lanes_of(itemsize, False)
    lanes = lanes_of(itemsize, narrow)
    pitch = layout.pitch
    block_rows, task_groups = cut(problem, layout, pitch, itemsize, threads)
    group_blocks = -(-problem.groups // task_groups)
    blocks = -(-rows // block_rows)
    plane = (-(-(block_rows + layout.halo) * pitch // lanes) | 1) * lanes
    offsets, phases, elements = phase_tables(problem, layout, pitch, plane)
    passes, pass_offsets, pass_elements = pass_tables(problem, layout, pitch, plane)
    scratch = int(len(problem.phases) > 1)
    scratch_plane = block_rows * columns
    scratch_start = task_groups * sum_channels * copies * plane + lanes
    packed_start = scratch_start + scratch * len(problem.phases) * task_groups * channels * scratch_plane + lanes
    sums_start = packed_start + task_groups * channels * len(elements)
    thread_elements = -(-(sums_start + task_groups * channels * len(pass_elements) * lanes) // 16) * 16
    images = problem.source_shape[0]
    geometry = Geometry(
        images=images,
        groups=problem.groups,
        sum_channels=sum_channels,
        channels=channels,
        task_groups=task_groups,
        group_blocks=group_blocks,
        block_rows=block_rows,
        blocks=blocks,
        grid_rows=rows,
        grid_columns=columns,
        row_step=problem.source_step[0],
        column_step=problem.source_step[1],
        result_row_step=problem.result_step[0],
        result_column_step=problem.result_step[1],
        halo=layout.halo,
        pitch=pitch,
        plane=plane,
        source_step=sum_channels * copies * plane,
        padding_code=PADDING_CODES[padding_mode],
        narrow=int(narrow),
        weight_elements=problem.kernel_elements * sum_channels,
        packed=len(elements),
        scratch=scratch,
        scratch_plane=scratch_plane,
        scratch_start=scratch_start,
        packed_start=packed_start,
        thread_elements=thread_elements,
        tasks=images * group_blocks * blocks,
        shares=max(1, min(images, -(-2 * threads // group_blocks))) if threads > 1 else 1,
        sums_start=sums_start,
        sums=len(pass_elements) * lanes,
        lanes=lanes,
    )
    return Plan(
        geometries=np.array([geometry], GEOMETRY_RECORD),
        row_starts=layout.row_starts,
        columns=layout.column_starts,
        offsets=offsets,
        phases=phases,
        elements=elements,
        passes=passes,
        pass_offsets=pass_offsets,
        pass_elements=pass_elements,
        result_shape=problem.result_shape,
        workspace_elements=threads * thread_elements,
    )


@plan_cache
def forward_plan(x_shape, weight_shape, stride, padding, dilation, groups, padding_mode, itemsize, threads):
    """The plan of a forward convolution, and of its weight's gradient."""
    return make_plan(forward_problem(x_shape, weight_shape, stride, padding, dilation, groups), padding_mode, itemsize, threads)


@plan_cache
def grad_x_plan(grad_shape, weight_shape, x_shape, stride, padding, dilation, groups, itemsize, threads):
    """The plan of a gradient with respect to x; the padding is zeros, other modes are folded back afterwards."""
    return make_plan(grad_x_problem(grad_shape, weight_shape, x_shape, stride, padding, dilation, groups), "zeros", itemsize, threads)
