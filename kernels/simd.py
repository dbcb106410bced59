"""Vectors of the host's processor: the vocabulary in which the micro-kernels are written.

Numba turns a plain loop into vector instructions when it can prove that it may. A micro-kernel cannot wait for that: it
must hold its accumulators in registers, and the number of registers decides the speed. So a few functions are written
with `numba.extending.intrinsic`, which lets us emit LLVM instructions ourselves. LLVM splits or widens a vector that
the processor lacks, so the lane count is a matter of speed only.

    @intrinsic
    def add_vectors(typingctx, sample, target, a, b):          # sample: a number whose type chooses float32 or float64
        signature = types.void(sample, types.intp, types.intp, types.intp)

        def codegen(context, builder, signature, arguments):
            v = Vectors(builder, signature.args[0])
            target, a, b = (v.pointer(argument) for argument in arguments[1:])
            v.store(builder.fadd(v.load(a), v.load(b)), target)
            return context.get_dummy_value()

        return signature, codegen

Nothing here checks bounds: the caller owns every lane it names. Masked loads and stores touch the lanes of the mask
only, so they are the way to reach the end of a user's array, behind which there is no slack.
"""

import platform
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba import types

from .jit import kernel

INDEX = ir.IntType(64)
LANE_INDEX = ir.IntType(32)
BIT = ir.IntType(1)


def host_features() -> dict[str, bool]:
    """The features Numba compiles for: the host's, unless NUMBA_CPU_NAME or NUMBA_CPU_FEATURES chose others."""
    chosen = numba.config.CPU_FEATURES
    if chosen is not None:
        return {name[1:]: name[0] == "+" for name in chosen.split(",") if name}
    if numba.config.CPU_NAME is not None:
        return {}
    return dict(llvmlite.binding.get_host_cpu_features())


def vector_bytes() -> int:
    """Bytes in one vector register: 64 with AVX-512, 32 with AVX and FMA, 16 elsewhere (SSE, NEON)."""
    features = host_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx") and features.get("fma") else 16


VECTOR_BYTES = vector_bytes()
# AVX-512 and 64-bit ARM have 32 vector registers, older x86 has 16.
REGISTERS = 32 if VECTOR_BYTES == 64 or platform.machine().lower() in ("arm64", "aarch64") else 16


def vector_length(dtype: Any) -> int:
    """Lanes of one vector of the dtype: 16, 8 or 4 for float32, half as many for float64."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


@kernel
def address(array):
    """Where the first element of an array lies, as an integer for the intrinsics."""
    return array.ctypes.data


def index_constant(value: int) -> ir.Constant:
    """A 64-bit integer constant."""
    return ir.Constant(INDEX, value)


class Vectors:
    """Emit vector instructions on one element type: `Vectors(builder, types.float32)`."""

    def __init__(self, builder: ir.IRBuilder, element: types.Type, lanes: int | None = None) -> None:
        self.builder = builder
        self.element = ir.DoubleType() if element == types.float64 else ir.FloatType()
        self.itemsize = 8 if element == types.float64 else 4
        self.lanes = VECTOR_BYTES // self.itemsize if lanes is None else lanes
        self.type = ir.VectorType(self.element, self.lanes)
        self.suffix = f"v{self.lanes}f{8 * self.itemsize}"
        self.zero = self.constant(0.0)

    def constant(self, value: float) -> ir.Constant:
        """A vector with the same number in every lane."""
        return ir.Constant(self.type, [value] * self.lanes)

    def pointer(self, address: ir.Value) -> ir.Value:
        """Turn an integer address into a pointer to elements."""
        return self.builder.inttoptr(address, self.element.as_pointer())

    def index_pointer(self, address: ir.Value) -> ir.Value:
        """Turn an integer address into a pointer to 64-bit integers, for tables of offsets."""
        return self.builder.inttoptr(address, INDEX.as_pointer())

    def at(self, pointer: ir.Value, index: ir.Value | int) -> ir.Value:
        """The pointer `index` elements further on."""
        return self.builder.gep(pointer, [index_constant(index) if isinstance(index, int) else index])

    def _vector_pointer(self, pointer: ir.Value) -> ir.Value:
        return self.builder.bitcast(pointer, self.type.as_pointer())

    def load(self, pointer: ir.Value) -> ir.Value:
        """Read a vector; any alignment of whole elements will do."""
        return self.builder.load(self._vector_pointer(pointer), align=self.itemsize)

    def store(self, value: ir.Value, pointer: ir.Value) -> None:
        """Write a vector; any alignment of whole elements will do."""
        self.builder.store(value, self._vector_pointer(pointer), align=self.itemsize)

    def splat(self, scalar: ir.Value) -> ir.Value:
        """A vector with the scalar in every lane."""
        return self.splat_to(scalar, self.type)

    def splat_to(self, scalar: ir.Value, vector: ir.VectorType) -> ir.Value:
        """A vector of another type with the scalar in every lane."""
        first = self.builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(LANE_INDEX, 0))
        zeros = ir.Constant(ir.VectorType(LANE_INDEX, vector.count), [0] * vector.count)
        return self.builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)

    def load_splat(self, pointer: ir.Value) -> ir.Value:
        """Read one element into every lane."""
        return self.splat(self.builder.load(pointer))

    def multiply_add(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a * b + c, in one rounding where the processor has the instruction."""
        return self._call("llvm.fmuladd." + self.suffix, self.type, (a, b, c))

    def maximum_with_zero(self, value: ir.Value) -> ir.Value:
        """ReLU; a NaN stays a NaN, because the comparison asks which lanes are certainly not above zero."""
        return self.builder.select(self.builder.fcmp_ordered("<=", value, self.zero), self.zero, value)

    def shuffle(self, a: ir.Value, b: ir.Value, lanes: Sequence[int]) -> ir.Value:
        """Choose lanes out of a (0 .. lanes-1) and b (lanes .. 2*lanes-1)."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(LANE_INDEX, len(lanes)), list(lanes)))

    def first_lanes(self, count: ir.Value) -> ir.Value:
        """The mask of the lanes below count (a 64-bit integer, any size)."""
        return self.lanes_within(index_constant(0), count)

    def lanes_within(self, first: ir.Value, size: ir.Value, step: int = 1) -> ir.Value:
        """The mask of the lanes i with 0 <= first + step * i < size; first may be negative."""
        # One unsigned comparison says both, because a negative number is a huge one there.
        steps = ir.Constant(ir.VectorType(LANE_INDEX, self.lanes), [step * lane for lane in range(self.lanes)])
        start = self.splat_to(self.builder.trunc(first, LANE_INDEX), steps.type)
        limit = self.splat_to(self.builder.trunc(size, LANE_INDEX), steps.type)
        return self.builder.icmp_unsigned("<", self.builder.add(start, steps), limit)

    def load_masked(self, pointer: ir.Value, mask: ir.Value) -> ir.Value:
        """Read the lanes of the mask, zero in the others; memory outside the mask is not touched."""
        name = f"llvm.masked.load.{self.suffix}.p0"
        typed = self._vector_pointer(pointer)
        return self._call(name, self.type, (typed, ir.Constant(LANE_INDEX, self.itemsize), mask, self.zero))

    def store_masked(self, value: ir.Value, pointer: ir.Value, mask: ir.Value) -> None:
        """Write the lanes of the mask only."""
        name = f"llvm.masked.store.{self.suffix}.p0"
        typed = self._vector_pointer(pointer)
        self._call(name, ir.VoidType(), (value, typed, ir.Constant(LANE_INDEX, self.itemsize), mask))

    def sum_lanes(self, value: ir.Value) -> ir.Value:
        """The sum of all lanes, in a fixed order (halves onto halves)."""
        lanes, total = self.lanes, value
        while lanes > 1:
            lanes //= 2
            low = self.shuffle(total, total, range(lanes))
            high = self.shuffle(total, total, range(lanes, 2 * lanes))
            total = self.builder.fadd(low, high)
        return self.builder.extract_element(total, ir.Constant(LANE_INDEX, 0))

    def _call(self, name: str, result: ir.Type, arguments: Sequence[ir.Value]) -> ir.Value:
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(declare(self.builder, name, kind), list(arguments))

    def loop(
        self,
        count: ir.Value,
        carried: Sequence[ir.Value],
        body: Callable[[ir.Value, list[ir.Value]], Sequence[ir.Value]],
        unroll: bool = False,
    ) -> list[ir.Value]:
        """Emit `for k in range(count): carried = body(k, carried)` and return what is carried out of it.

        LLVM would unroll the loop by itself and then run out of registers, so it is told not to unless asked.
        """
        builder = self.builder
        before = builder.block
        head, inside, after = (builder.append_basic_block(name) for name in ("loop.head", "loop.body", "loop.end"))
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(INDEX)
        index.add_incoming(index_constant(0), before)
        values = []
        for start in carried:
            value = builder.phi(start.type)
            value.add_incoming(start, before)
            values.append(value)
        builder.cbranch(builder.icmp_signed("<", index, count), inside, after)
        builder.position_at_end(inside)
        results = body(index, values)
        index.add_incoming(builder.add(index, index_constant(1)), builder.block)
        for value, result in zip(values, results, strict=True):
            value.add_incoming(result, builder.block)
        jump = builder.branch(head)
        if not unroll:
            _forbid_unrolling(builder, jump)
        builder.position_at_end(after)
        return values


def declare(builder: ir.IRBuilder, name: str, kind: ir.FunctionType) -> ir.Function:
    """The function of that name in the module being built, declared once."""
    known = builder.module.globals.get(name)
    return ir.Function(builder.module, kind, name) if known is None else known


def _forbid_unrolling(builder: ir.IRBuilder, jump: Any) -> None:
    # Loop metadata is a node whose first operand is itself.
    module = builder.module
    option = module.add_metadata(["llvm.loop.unroll.disable"])
    node = module.add_metadata([option, ir.Constant(ir.IntType(32), 0)])
    node.operands = (node, option)
    jump.set_metadata("llvm.loop", node)
