"""The sum of neighbouring elements, a vector at a time: rows of pooling windows are shorter than what LLVM's own loops are made for."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..jit import FAST, kernel
from ..simd import Vectors, address, index_constant

__all__ = ["total_of"]

CHUNK = 1024  # elements summed in their own type before they join a sum in float64


def _emit(v: Vectors, start: ir.Value, count: ir.Value) -> ir.Value:
    """Two vectors of sums over pairs of vectors, and a masked pair for what is left."""
    builder, pair = v.builder, index_constant(2 * v.lanes)
    pointer = v.pointer(start)

    def add_pair(number: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
        here = v.at(pointer, builder.mul(number, pair))
        return [builder.fadd(sums[0], v.load(here)), builder.fadd(sums[1], v.load(v.at(here, v.lanes)))]

    pairs = builder.sdiv(count, pair)
    first, second = v.loop(pairs, [v.zero, v.zero], add_pair)
    done = builder.mul(pairs, pair)
    rest, end = builder.sub(count, done), v.at(pointer, done)
    first = builder.fadd(first, v.load_masked(end, v.first_lanes(rest)))
    second = builder.fadd(second, v.load_masked(v.at(end, v.lanes), v.lanes_within(index_constant(v.lanes), rest)))
    return v.sum_lanes(builder.fadd(first, second))


@intrinsic
def _sum_row(typing_context: Any, sample: Any, start: Any, count: Any) -> Any:
    """The sum of `count` elements of the sample's type from the address `start` on."""
    signature = sample(sample, types.intp, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _emit(Vectors(builder, signature.args[0]), *arguments[1:])

    return signature, generate


@kernel
def total_vectors(x, first, end):
    """The sum of x[first] to x[end - 1], in float64 but for chunks."""
    total, item = 0.0, x.itemsize
    while first < end:
        stop = min(first + CHUNK, end)
        total += _sum_row(x.dtype.type(0), address(x) + first * item, stop - first)
        first = stop
    return total


@kernel
def total_plain(x, first, end):
    """As `total_vectors`, one by one."""
    total = 0.0
    for position in range(first, end):
        total += x[position]
    return total


total_of = total_vectors if FAST else total_plain
