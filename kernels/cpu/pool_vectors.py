"""The steps of max pooling on vectors: how one vector of outputs comes about.

The rows of small images are shorter than what LLVM unrolls, and what it leaves over it computes with branches that random numbers make
expensive. So a step is written out here, and the last one of a row is masked. Two steps belong to windows of 2x2 that do not overlap, what
LeNet-5 and VGG pool with: their numbers are two vectors of either row, pulled apart into even and odd lanes, and their gradients the same,
pushed together. The third takes one cell of any window whose stride is 1 or 2. Each has a twin in plain loops, which TINYCNN_FAST=0 runs.

All walk over planes first to end - 1 of arrays (planes, rows, columns), by addresses, as taking a plane out of an array costs more than pooling it.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..jit import FAST, kernel
from ..simd import BIT, VECTOR_BYTES, Vectors, address, declare, index_constant

BYTE = ir.IntType(8)


class _Places:
    """Vectors of bytes beside vectors of numbers: where in its window each maximum was found."""

    def __init__(self, v: Vectors) -> None:
        self.v = v
        self.type = ir.VectorType(BYTE, v.lanes)

    def constant(self, place: int) -> ir.Constant:
        return ir.Constant(self.type, [place] * self.v.lanes)

    def splat(self, place: ir.Value) -> ir.Value:
        first = self.v.builder.insert_element(self.constant(0), self.v.builder.trunc(place, BYTE), ir.Constant(ir.IntType(32), 0))
        return self.v.builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), self.v.lanes), [0] * self.v.lanes))

    def _pointer(self, address: ir.Value) -> ir.Value:
        return self.v.builder.inttoptr(address, self.type.as_pointer())

    def load(self, address: ir.Value, mask: ir.Value) -> ir.Value:
        typed = self._pointer(address)
        signature = ir.FunctionType(self.type, [typed.type, ir.IntType(32), mask.type, self.type])
        function = declare(self.v.builder, f"llvm.masked.load.v{self.v.lanes}i8.p0", signature)
        return self.v.builder.call(function, [typed, ir.Constant(ir.IntType(32), 1), mask, self.constant(0)])

    def store(self, value: ir.Value, address: ir.Value, mask: ir.Value) -> None:
        typed = self._pointer(address)
        signature = ir.FunctionType(ir.VoidType(), [self.type, typed.type, ir.IntType(32), mask.type])
        function = declare(self.v.builder, f"llvm.masked.store.v{self.v.lanes}i8.p0", signature)
        self.v.builder.call(function, [value, typed, ir.Constant(ir.IntType(32), 1), mask])


def _masks(v: Vectors, count: ir.Value | None) -> tuple[ir.Value, ir.Value, ir.Value]:
    """The lanes of the outputs, and of the first and second vector of either row; all of them where count is None."""
    if count is None:
        all_lanes = ir.Constant(ir.VectorType(BIT, v.lanes), [1] * v.lanes)
        return all_lanes, all_lanes, all_lanes
    twice = v.builder.add(count, count)
    # Lane i of the second vector is number i + lanes of the row; the mask of a negative count would be full.
    second = v.lanes_within(index_constant(v.lanes), twice)
    return v.first_lanes(count), v.first_lanes(twice), second


def _emit_halve(v: Vectors, top: ir.Value, bottom: ir.Value, y: ir.Value, window: ir.Value, count: ir.Value | None) -> None:
    builder, places = v.builder, _Places(v)
    outputs, first, second = _masks(v, count)
    values = []
    for row in (top, bottom):
        pointer = v.pointer(row)
        low, high = v.load_masked(pointer, first), v.load_masked(v.at(pointer, v.lanes), second)
        values += [v.shuffle(low, high, range(start, 2 * v.lanes, 2)) for start in (0, 1)]
    best, place = values[0], places.constant(0)
    for position, value in enumerate(values[1:], 1):
        larger = builder.or_(builder.fcmp_ordered(">", value, best), builder.fcmp_unordered("uno", value, value))
        best = builder.select(larger, value, best)
        place = builder.select(larger, places.constant(position), place)
    v.store_masked(best, v.pointer(y), outputs)
    places.store(place, window, outputs)


def _emit_spread(v: Vectors, grad: ir.Value, window: ir.Value, top: ir.Value, bottom: ir.Value, count: ir.Value | None) -> None:
    builder, places = v.builder, _Places(v)
    outputs, first, second = _masks(v, count)
    value, place = v.load_masked(v.pointer(grad), outputs), places.load(window, outputs)
    shares = [builder.select(builder.icmp_unsigned("==", place, places.constant(position)), value, v.zero) for position in range(4)]
    low = [lane // 2 + (lane % 2) * v.lanes for lane in range(v.lanes)]
    for row, left, right in ((top, shares[0], shares[1]), (bottom, shares[2], shares[3])):
        pointer = v.pointer(row)
        v.store_masked(v.shuffle(left, right, low), pointer, first)
        v.store_masked(v.shuffle(left, right, [lane + v.lanes // 2 for lane in low]), v.at(pointer, v.lanes), second)


def _emit_keep_larger(
    v: Vectors, cells: ir.Value, best: ir.Value, window: ir.Value, cell: ir.Value, count: ir.Value | None, step: int
) -> None:
    builder, places = v.builder, _Places(v)
    outputs, first, second = _masks(v, count)
    pointer = v.pointer(cells)
    if step == 1:
        value = v.load_masked(pointer, outputs)
    else:
        # The last odd lane is nobody's cell, and may lie behind the end of the array.
        last = index_constant(2 * v.lanes) if count is None else builder.add(count, count)
        second = v.lanes_within(index_constant(v.lanes), builder.sub(last, index_constant(1)))
        value = v.shuffle(v.load_masked(pointer, first), v.load_masked(v.at(pointer, v.lanes), second), range(0, 2 * v.lanes, 2))
    known, place = v.load_masked(v.pointer(best), outputs), places.load(window, outputs)
    larger = builder.or_(builder.fcmp_ordered(">", value, known), builder.fcmp_unordered("uno", value, value))
    v.store_masked(builder.select(larger, value, known), v.pointer(best), outputs)
    places.store(builder.select(larger, places.splat(cell), place), window, outputs)


def _step(emit: Any, masked: bool, **options: Any) -> Any:
    """An intrinsic of four integers and a count of outputs, on vectors of the sample's type."""

    @intrinsic
    def step(typing_context: Any, sample: Any, a: Any, b: Any, c: Any, d: Any, count: Any) -> Any:
        signature = types.void(sample, *([types.intp] * 5))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            v = Vectors(builder, signature.args[0])
            emit(v, *arguments[1:5], arguments[5] if masked else None, **options)
            return context.get_dummy_value()

        return signature, generate

    return step


_halve_full, _halve_part = _step(_emit_halve, False), _step(_emit_halve, True)
_spread_full, _spread_part = _step(_emit_spread, False), _step(_emit_spread, True)
_keep_1_full, _keep_1_part = _step(_emit_keep_larger, False, step=1), _step(_emit_keep_larger, True, step=1)
_keep_2_full, _keep_2_part = _step(_emit_keep_larger, False, step=2), _step(_emit_keep_larger, True, step=2)


@kernel
def halve_vectors(x, y, window, first, end):
    """The maxima of windows of 2x2, and their places."""
    sample = x.dtype.type(0)
    item, lanes = x.itemsize, VECTOR_BYTES // x.itemsize
    rows, columns = y.shape[1:]
    row = x.shape[2] * item
    x_start, y_start, window_start = address(x), address(y), address(window)
    for plane in range(first, end):
        for i in range(rows):
            top, out = x_start + (plane * x.shape[1] + 2 * i) * row, (plane * rows + i) * columns
            j = 0
            while j + lanes <= columns:
                cells, output = top + 2 * j * item, out + j
                _halve_full(sample, cells, cells + row, y_start + output * item, window_start + output, lanes)
                j += lanes
            if j < columns:
                cells, output = top + 2 * j * item, out + j
                _halve_part(sample, cells, cells + row, y_start + output * item, window_start + output, columns - j)


@kernel
def spread_vectors(grad, window, grad_x, first, end):
    """The gradient of `halve_vectors`, in the rows and columns that windows cover."""
    sample = grad.dtype.type(0)
    item, lanes = grad.itemsize, VECTOR_BYTES // grad.itemsize
    rows, columns = grad.shape[1:]
    row = grad_x.shape[2] * item
    x_start, y_start, window_start = address(grad_x), address(grad), address(window)
    for plane in range(first, end):
        for i in range(rows):
            top, out = x_start + (plane * grad_x.shape[1] + 2 * i) * row, (plane * rows + i) * columns
            j = 0
            while j + lanes <= columns:
                cells, output = top + 2 * j * item, out + j
                _spread_full(sample, y_start + output * item, window_start + output, cells, cells + row, lanes)
                j += lanes
            if j < columns:
                cells, output = top + 2 * j * item, out + j
                _spread_part(sample, y_start + output * item, window_start + output, cells, cells + row, columns - j)


@kernel
def halve_plain(x, y, window, first, end):
    """As `halve_vectors`, in plain loops."""
    for plane in range(first, end):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                best = x[plane, 2 * i, 2 * j]
                place = np.uint8(0)
                for position in range(1, 4):
                    value = x[plane, 2 * i + position // 2, 2 * j + position % 2]
                    if value > best or value != value:
                        best = value
                        place = np.uint8(position)
                y[plane, i, j] = best
                window[plane, i, j] = place


@kernel
def spread_plain(grad, window, grad_x, first, end):
    """As `spread_vectors`, in plain loops."""
    zero = grad.dtype.type(0)
    for plane in range(first, end):
        for i in range(grad.shape[1]):
            for j in range(grad.shape[2]):
                for position in range(4):
                    share = grad[plane, i, j] if window[plane, i, j] == position else zero
                    grad_x[plane, 2 * i + position // 2, 2 * j + position % 2] = share


@kernel
def keep_larger_plain(x, start, step, y, window, out, count, cell):
    """Where x[start + j * step], or NaN, is larger than y[out + j], it takes over, and `cell` with it; all arrays flat."""
    for j in range(count):
        value = x[start + j * step]
        if value > y[out + j] or value != value:
            y[out + j] = value
            window[out + j] = cell


@kernel
def keep_larger_vectors(x, start, step, y, window, out, count, cell):
    """As `keep_larger_plain`, vectors at a time for steps 1 and 2."""
    if step > 2 or window.itemsize > 1:
        keep_larger_plain(x, start, step, y, window, out, count, cell)
        return
    sample = x.dtype.type(0)
    item, lanes = x.itemsize, VECTOR_BYTES // x.itemsize
    cells, best, place = address(x) + start * item, address(y) + out * item, address(window) + out
    full = count - count % lanes
    if step == 1:
        for j in range(0, full, lanes):
            _keep_1_full(sample, cells + j * item, best + j * item, place + j, cell, lanes)
        if full < count:
            _keep_1_part(sample, cells + full * item, best + full * item, place + full, cell, count - full)
    else:
        for j in range(0, full, lanes):
            _keep_2_full(sample, cells + 2 * j * item, best + j * item, place + j, cell, lanes)
        if full < count:
            _keep_2_part(sample, cells + 2 * full * item, best + full * item, place + full, cell, count - full)


halve = halve_vectors if FAST else halve_plain
spread = spread_vectors if FAST else spread_plain
keep_larger = keep_larger_vectors if FAST else keep_larger_plain
