"""The dot-product micro-kernel: many dot products between rows of A and shifted rows of B at once.

    C[i][j]  =  (or +=)  sum_t sum_{l < length}  A[i * a_pitch + a_segment[t] + l] * B[column[j] + b_segment[t] + l]

Lanes run along l, where both operands have neighbours in memory. A tile of C is one accumulator vector for each (i, j),
whose lanes are added up at the very end, so it pays when the sum is long and the rows of C are few. The end of a segment
is read through a mask: nothing outside the segments is touched.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..simd import REGISTERS, Vectors, index_constant

# (rows, columns) of a tile: accumulators, the rows of A and one vector of B must fit the registers, and the addresses of
# rows and columns those for whole numbers. Nine columns suit kernels of 3 x 3 taps.
ROWS, COLUMNS = (2, 9) if REGISTERS == 32 else (2, 6)


@intrinsic
def dot_rows(
    typingctx,
    sample,
    a,
    a_pitch,
    row_count,
    b,
    column,
    column_count,
    a_segment,
    b_segment,
    segments,
    length,
    c,
    c_pitch,
    accumulate,
):
    """C (row_count, column_count; rows c_pitch apart) = or += dot products.

    All arguments are addresses or numbers of elements, except sample, which tells the element type.
    """
    signature = types.void(sample, *[types.intp] * 13)

    def codegen(context, builder, signature, arguments):
        v = Vectors(builder, signature.args[0])
        a, a_pitch, row_count, b, column, column_count = arguments[1:7]
        a_segment, b_segment, segments, length, c, c_pitch, accumulate = arguments[7:]
        a, b, c = v.pointer(a), v.pointer(b), v.pointer(c)
        column, a_segment, b_segment = (v.index_pointer(table) for table in (column, a_segment, b_segment))
        adds = builder.icmp_signed("!=", accumulate, index_constant(0))

        def row_tile(number, _):
            rows = _tile_numbers(builder, number, ROWS, row_count)
            a_rows = [v.at(a, builder.mul(i, a_pitch)) for i in rows]

            def tile(number, _):
                columns = _tile_numbers(builder, number, COLUMNS, column_count)
                b_columns = [v.at(b, builder.load(v.at(column, j))) for j in columns]
                sums = _sum_segments(v, a_rows, b_columns, a_segment, b_segment, segments, length)
                targets = [v.at(c, builder.add(builder.mul(i, c_pitch), j)) for i in rows for j in columns]
                # Every target is read before any is written, as repeated rows and columns need.
                before = [builder.select(adds, builder.load(target), ir.Constant(v.element, 0.0)) for target in targets]
                for target, start, total in zip(targets, before, sums, strict=True):
                    builder.store(builder.fadd(start, v.sum_lanes(total)), target)
                return []

            v.loop(_tiles(builder, column_count, COLUMNS), [], tile)
            return []

        v.loop(_tiles(builder, row_count, ROWS), [], row_tile)
        return context.get_dummy_value()

    return signature, codegen


def _tiles(builder, count, size):
    """How many tiles of that size cover so many rows or columns."""
    return builder.sdiv(builder.add(count, index_constant(size - 1)), index_constant(size))


def _tile_numbers(builder, tile, size, count):
    """The rows (or columns) of a tile. Beyond the last they repeat it: the same number is computed and stored once more."""
    first, last = builder.mul(tile, index_constant(size)), builder.sub(count, index_constant(1))
    wanted = [builder.add(first, index_constant(i)) for i in range(size)]
    return [builder.select(builder.icmp_signed("<", index, last), index, last) for index in wanted]


def _sum_segments(v, a_rows, b_columns, a_segment, b_segment, segments, length):
    """The accumulators of one tile, row by row."""
    builder = v.builder
    lanes = index_constant(v.lanes)
    # The last vector of a segment always goes through the mask: one to all lanes of it exist.
    whole = builder.sdiv(builder.sub(length, index_constant(1)), lanes)
    tail = builder.mul(whole, lanes)
    mask = v.first_lanes(builder.sub(length, tail))

    def add_products(sums, a_offset, b_offset, load):
        a_vectors = [load(v.at(row, a_offset)) for row in a_rows]
        products = {}
        for j, column in enumerate(b_columns):
            b_vector = load(v.at(column, b_offset))
            for i, a_vector in enumerate(a_vectors):
                at = i * len(b_columns) + j
                products[at] = v.multiply_add(a_vector, b_vector, sums[at])
        return [products[at] for at in range(len(sums))]

    def segment(t, sums):
        a_start, b_start = builder.load(v.at(a_segment, t)), builder.load(v.at(b_segment, t))

        def step(k, sums):
            along = builder.mul(k, lanes)
            return add_products(sums, builder.add(a_start, along), builder.add(b_start, along), v.load)

        sums = v.loop(whole, sums, step)
        ends = builder.add(a_start, tail), builder.add(b_start, tail)
        return add_products(sums, *ends, lambda pointer: v.load_masked(pointer, mask))

    return v.loop(segments, [v.zero] * (len(a_rows) * len(b_columns)), segment)
