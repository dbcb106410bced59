"""Max pooling with windows of 2x2 that do not overlap, on vectors: what LeNet-5 and VGG pool with.

The numbers of a window lie in two rows, two neighbours in each. LLVM does not see by itself that a vector of outputs is two vectors of either row,
pulled apart into even and odd lanes (and their gradients the same, pushed together), and the rows of small images are shorter than what it unrolls. So
both directions are written as one step of a vector each; the last step of a row is masked.
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


def _step(emit: Any, masked: bool) -> Any:
    """An intrinsic of four addresses and a count of outputs, on vectors of the sample's type."""

    @intrinsic
    def step(typing_context: Any, sample: Any, a: Any, b: Any, c: Any, d: Any, count: Any) -> Any:
        signature = types.void(sample, *([types.intp] * 5))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            v = Vectors(builder, signature.args[0])
            emit(v, *arguments[1:5], arguments[5] if masked else None)
            return context.get_dummy_value()

        return signature, generate

    return step


_halve_full, _halve_part = _step(_emit_halve, False), _step(_emit_halve, True)
_spread_full, _spread_part = _step(_emit_spread, False), _step(_emit_spread, True)


@kernel
def halve_vectors(x, y, window):
    """The maxima of windows of 2x2 in one plane, and their places."""
    sample = x.dtype.type(0)
    item, lanes, columns = x.itemsize, VECTOR_BYTES // x.itemsize, y.shape[1]
    row = x.shape[1] * item
    for i in range(y.shape[0]):
        top, out, place = address(x) + 2 * i * row, address(y) + i * columns * item, address(window) + i * columns
        j = 0
        while j + lanes <= columns:
            _halve_full(sample, top + 2 * j * item, top + row + 2 * j * item, out + j * item, place + j, lanes)
            j += lanes
        if j < columns:
            _halve_part(sample, top + 2 * j * item, top + row + 2 * j * item, out + j * item, place + j, columns - j)


@kernel
def spread_vectors(grad, window, grad_x):
    """The gradient of `halve_vectors`, in the rows and columns that windows cover."""
    sample = grad.dtype.type(0)
    item, lanes, columns = grad.itemsize, VECTOR_BYTES // grad.itemsize, grad.shape[1]
    row = grad_x.shape[1] * item
    for i in range(grad.shape[0]):
        top, upstream, place = address(grad_x) + 2 * i * row, address(grad) + i * columns * item, address(window) + i * columns
        j = 0
        while j + lanes <= columns:
            _spread_full(sample, upstream + j * item, place + j, top + 2 * j * item, top + row + 2 * j * item, lanes)
            j += lanes
        if j < columns:
            _spread_part(sample, upstream + j * item, place + j, top + 2 * j * item, top + row + 2 * j * item, columns - j)


@kernel
def halve_plain(x, y, window):
    """As `halve_vectors`, in plain loops."""
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            best = x[2 * i, 2 * j]
            place = np.uint8(0)
            for position in range(1, 4):
                value = x[2 * i + position // 2, 2 * j + position % 2]
                if value > best or value != value:
                    best = value
                    place = np.uint8(position)
            y[i, j] = best
            window[i, j] = place


@kernel
def spread_plain(grad, window, grad_x):
    """As `spread_vectors`, in plain loops."""
    zero = grad.dtype.type(0)
    for i in range(grad.shape[0]):
        for j in range(grad.shape[1]):
            for position in range(4):
                grad_x[2 * i + position // 2, 2 * j + position % 2] = grad[i, j] if window[i, j] == position else zero


halve = halve_vectors if FAST else halve_plain
spread = spread_vectors if FAST else spread_plain
