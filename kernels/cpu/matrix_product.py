"""Matrix products on the micro-kernels: what the linear layer and its gradients are made of.

    product             C = A B,             lanes along the columns of B and C
    transposed_product  Y = X W^T + bias,    lanes along the rows of X: the columns of X^T, which is packed panel by panel
    few_rows_product    the same for so few rows that they would not fill a vector; lanes along the sum

A panel, one or two vectors of columns and DEPTH rows of the right-hand side, is packed into scratch memory and used for
all rows of the left-hand side, which is read where it lies, transposed or not.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from .. import memory
from ..jit import kernel
from ..plans import plan_cache
from ..simd import address, vector_length
from ..threads import SERIAL_BELOW, get_num_threads
from .broadcast_tile import copy_row, multiply_panel, panels, transpose
from .dot_tile import COLUMNS, dot_rows

# Terms of the sum that one pass adds up: so many rows of a panel stay in the first-level cache.
DEPTH = 192
# Rows of C for which a panel is worth packing; for fewer, whole panels are read where they lie.
UNPACKED_ROWS = 36
PRODUCTS_A_NANOSECOND = 50
# Columns whose weights are read for all rows before the next ones: they stay in the second-level cache.
COLUMNS_AT_ONCE = 8 * COLUMNS

# A product without bias still names one, so that the kernel is compiled once.
NO_BIAS = {code: np.zeros(1, code) for code in "fd"}


class Plan(NamedTuple):
    """What follows from the sizes of C (rows, columns) and of the sum, and from how A lies."""

    lanes: int
    workers: int
    tasks: np.ndarray  # rows (first row, end row, first column, end column, vectors of the panel)
    row: np.ndarray  # offset in A of each row of C
    position: np.ndarray  # offset in A of each term of the sum
    scratch: int  # elements that each worker needs


@plan_cache
def make_plan(rows, columns, depth, row_step, step, dtype, threads):
    """Deal the panels to the workers; if they are too few for that, every worker takes a share of the rows of each."""
    lanes = vector_length(dtype)
    workers = threads if rows * columns * depth > SERIAL_BELOW * PRODUCTS_A_NANOSECOND else 1
    panel_list = panels(columns, lanes)
    shares = 1 if len(panel_list) % workers == 0 or len(panel_list) >= 8 * workers else workers
    tasks = [
        (share * rows // shares, (share + 1) * rows // shares, first, min(first + vectors * lanes, columns), vectors)
        for share in range(shares)
        for first, vectors in panel_list
    ]
    most_rows = -(-rows // shares)
    return Plan(
        lanes=lanes,
        workers=workers,
        tasks=np.array(tasks, np.intp),
        row=np.arange(rows, dtype=np.intp) * row_step,
        position=np.arange(depth, dtype=np.intp) * step,
        scratch=(DEPTH + most_rows + lanes) * 2 * lanes,
    )


def product(a, transposed, b, c):
    """C = A B, or A^T B if transposed."""
    depth, rows = a.shape if transposed else a.shape[::-1]
    steps = (1, rows) if transposed else (depth, 1)
    plan = make_plan(rows, c.shape[1], depth, *steps, a.dtype.char, get_num_threads())
    _run(a, b, c, NO_BIAS[c.dtype.char], False, False, plan)


def transposed_product(x, weight, bias, relu, y):
    """Y = X W^T + bias, with ReLU if asked for."""
    plan = make_plan(weight.shape[0], x.shape[0], x.shape[1], x.shape[1], 1, x.dtype.char, get_num_threads())
    _run(weight, x, y, bias, relu, True, plan)


def _run(a, b, c, bias, relu, transposed, plan):
    scratch = memory.workspace(plan.workers * plan.scratch, c.dtype)
    if plan.workers == 1:
        _multiply(0, a, b, c, bias, relu, transposed, scratch, plan)
    else:
        _multiply_parallel(a, b, c, bias, relu, transposed, scratch, plan)


@kernel(parallel=True)
def _multiply_parallel(a, b, c, bias, relu, transposed, scratch, plan):
    for worker in prange(plan.workers):
        _multiply(np.intp(worker), a, b, c, bias, relu, transposed, scratch, plan)


@kernel
def _multiply(worker, a, b, c, bias, relu, transposed, scratch, plan):
    """One worker's tasks. With `transposed`, b is the transpose of the right-hand side and c that of the result."""
    zero = c.dtype.type(0)
    item = c.itemsize
    panel = address(scratch) + worker * plan.scratch * item
    sums = panel + DEPTH * 2 * plan.lanes * item
    for t in range(worker * len(plan.tasks) // plan.workers, (worker + 1) * len(plan.tasks) // plan.workers):
        first_row, end_row, first, end, vectors = plan.tasks[t]
        rows, columns, width = end_row - first_row, end - first, vectors * plan.lanes
        for start in range(0, plan.position.size, DEPTH):
            depth = min(DEPTH, plan.position.size - start)
            source, source_pitch = panel, width
            target, pitch = address(c) + (first_row * c.shape[1] + first) * item, c.shape[1]
            if transposed:
                begin = address(b) + (first * b.shape[1] + start) * item
                transpose(zero, plan.lanes, item, begin, b.shape[1], columns, depth, panel, width)
                target, pitch = sums, width
            else:
                begin = address(b) + (start * b.shape[1] + first) * item
                if rows > UNPACKED_ROWS or columns < width:
                    for p in range(depth):
                        copy_row(zero, panel + p * width * item, begin + p * b.shape[1] * item, columns)
                else:
                    source, source_pitch = begin, b.shape[1]
            multiply_panel(
                zero,
                address(a),
                address(plan.row) + first_row * plan.row.itemsize,
                rows,
                address(plan.position) + start * plan.position.itemsize,
                depth,
                source,
                source_pitch,
                vectors,
                target,
                pitch,
                columns,
                start > 0,
            )
        if transposed:
            target = address(c) + (first * c.shape[1] + first_row) * item
            transpose(zero, plan.lanes, item, sums, width, rows, columns, target, c.shape[1])
            _finish(c, bias, relu, first, end, first_row, end_row)


@kernel
def _finish(y, bias, relu, first, end, first_column, end_column):
    """Add the bias and apply ReLU to a part of Y; a NaN stays a NaN, because only what is certainly not above zero becomes zero."""
    zero = y.dtype.type(0)
    biases = bias[first_column:end_column]
    for n in range(first, end):
        row = y[n, first_column:end_column]
        for o in range(row.size):
            value = row[o] + biases[o]
            row[o] = zero if relu and value <= zero else value


def few_rows_product(x, weight, bias, relu, y):
    """Y = X W^T + bias, with ReLU if asked for; every row of W is read once for two rows of X."""
    inputs = x.shape[1]
    workers = get_num_threads() if weight.size * x.shape[0] > SERIAL_BELOW * PRODUCTS_A_NANOSECOND else 1
    _few_rows(x, weight, bias, relu, y, _offsets(weight.shape[0], inputs), workers)


@plan_cache
def _offsets(count, step):
    return np.arange(count, dtype=np.intp) * step


@kernel(parallel=True)
def _few_rows(x, weight, bias, relu, y, offsets, workers):
    zero = x.dtype.type(0)
    nothing = np.zeros(1, np.intp)
    for worker in prange(workers):
        share_end = (worker + 1) * y.shape[1] // workers
        for first in range(worker * y.shape[1] // workers, share_end, COLUMNS_AT_ONCE):
            end = min(first + COLUMNS_AT_ONCE, share_end)
            dot_rows(
                zero,
                address(x),
                x.shape[1],
                x.shape[0],
                address(weight),
                address(offsets) + first * offsets.itemsize,
                end - first,
                address(nothing),
                address(nothing),
                1,
                x.shape[1],
                address(y) + first * y.itemsize,
                y.shape[1],
                False,
            )
            _finish(y, bias, relu, 0, y.shape[0], first, end)
