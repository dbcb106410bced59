"""The integer micro-kernel: for a few filters and a vector of windows, the sums of their products of 16-bit integers.

    sums[o, p]  =  sum_k low(filters[o, k]) low(columns[k, p]) + high(filters[o, k]) high(columns[k, p])

Two neighbours of a sum share a 32-bit integer, which is what the processor's multiply-and-add-pairs takes: 32 products an instruction with
AVX-512. Lanes run along the windows, and a vector of them meets every filter while it is in a register.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..jit import FAST, kernel
from ..simd import LANE_INDEX, VECTOR_BYTES, Vectors, address, declare, host_features, index_constant

__all__ = ["FILTERS", "LANES", "packed", "tile_sums"]

FILTERS = 8  # of a tile: as many accumulators, which leaves registers with AVX2 too
LANES = VECTOR_BYTES // 4 if FAST else 16
# Multiply and add pairs, by the lanes of a vector, and the feature that has it.
NATIVE = {16: ("llvm.x86.avx512.pmaddw.d.512", "avx512bw"), 8: ("llvm.x86.avx2.pmadd.wd", "avx2"), 4: ("llvm.x86.sse2.pmadd.wd", "sse2")}


@kernel
def packed(low, high):
    """Two 16-bit integers in 32 bits."""
    return (np.int32(high) << 16) | (np.int32(low) & 0xFFFF)


def _products_of_pairs(builder, a, b):
    """low(a) low(b) + high(a) high(b) in every lane."""
    name, feature = NATIVE[a.type.count]
    if host_features().get(feature):
        halves = ir.VectorType(ir.IntType(16), 2 * a.type.count)
        function = declare(builder, name, ir.FunctionType(a.type, [halves, halves]))
        return builder.call(function, [builder.bitcast(a, halves), builder.bitcast(b, halves)])
    sixteen = ir.Constant(a.type, [16] * a.type.count)
    low_a, low_b = (builder.ashr(builder.shl(each, sixteen), sixteen) for each in (a, b))
    high_a, high_b = (builder.ashr(each, sixteen) for each in (a, b))
    return builder.add(builder.mul(low_a, low_b), builder.mul(high_a, high_b))


@intrinsic
def _pair_sums(typingctx, columns, column_pitch, filters, filter_pitch, pairs, sums):
    """sums (FILTERS, LANES) at their address; the others as in `tile_sums`, pitches in integers."""
    signature = types.void(*[types.intp] * 6)

    def codegen(context, builder, signature, arguments):
        columns, column_pitch, filters, filter_pitch, pairs, sums = arguments
        v = Vectors(builder, types.float32, LANES)  # for its loop
        vector = ir.VectorType(LANE_INDEX, LANES)
        columns, filters, sums = (builder.inttoptr(each, LANE_INDEX.as_pointer()) for each in (columns, filters, sums))
        rows = [v.at(filters, builder.mul(filter_pitch, index_constant(o))) for o in range(FILTERS)]

        def step(k, totals):
            place = builder.bitcast(v.at(columns, builder.mul(k, column_pitch)), vector.as_pointer())
            windows = builder.load(place, align=4)
            everywhere = [v.splat_to(builder.load(v.at(row, k)), vector) for row in rows]
            return [builder.add(total, _products_of_pairs(builder, windows, each)) for total, each in zip(totals, everywhere, strict=True)]

        zero = ir.Constant(vector, [0] * LANES)
        for o, total in enumerate(v.loop(pairs, [zero] * FILTERS, step)):
            builder.store(total, builder.bitcast(v.at(sums, o * LANES), vector.as_pointer()), align=4)
        return context.get_dummy_value()

    return signature, codegen


if FAST:

    @kernel
    def tile_sums(columns, window, filters, first, sums):
        """sums (FILTERS, LANES) int32 of the windows from `window` on and the filters from `first` on.

        columns is (pairs, windows rounded up to LANES) int32, filters (filters rounded up to FILTERS, pairs) int32, both packed.
        """
        pairs = filters.shape[1]
        begin = address(filters) + 4 * first * pairs
        _pair_sums(address(columns) + 4 * window, columns.shape[1], begin, pairs, pairs, address(sums))

else:

    @kernel
    def tile_sums(columns, window, filters, first, sums):
        """The same in plain loops."""
        for o in range(FILTERS):
            for p in range(LANES):
                total = np.int32(0)
                for k in range(filters.shape[1]):
                    a, b = columns[k, window + p], filters[first + o, k]
                    low = np.int32(np.int16(a & 0xFFFF)) * np.int32(np.int16(b & 0xFFFF))
                    total = np.int32(total + low + np.int32(a >> 16) * np.int32(b >> 16))
                sums[o, p] = total
